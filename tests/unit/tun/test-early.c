/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Frames that came before their link: kept, found, bounded, and shared among sources. */
#include "peer/early.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static AditPath path_from(const char *text) {
  AditPath path = {0};
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  path.remote = adit_endpoint(&address, 1701);
  return path;
}

static void put(TunEarlyStore *store, guint64 key, const char *from, guint64 now) {
  AditPath path = path_from(from);
  guint8 frame[8];
  memcpy(frame, &key, sizeof key);
  tun_early_put(store, &(TunEarlyKey){1, key}, &path, now, frame, sizeof frame);
}

static gboolean comes(TunEarlyStore *store, guint64 key, guint64 now) {
  if (!tun_early_mark_due(store, &(TunEarlyKey){1, key}))
    return FALSE;
  g_autofree TunEarly *early = tun_early_take_due(store, now);
  if (!early)
    return FALSE;
  assert_int_equal(early->length, 8);
  assert_memory_equal(early->frame, &key, 8);
  assert_null(tun_early_take_due(store, now));
  return TRUE;
}

static void a_burst_loses_none(void **state) {
  TunEarlyStore *store = tun_early_new(TUN_EARLY_MAX);
  for (guint64 key = 1; key <= 4000; key++)
    put(store, key, "198.51.100.2", key);
  for (guint64 key = 1; key <= 4000; key++)
    assert_true(comes(store, key, 4000));
  assert_int_equal(tun_early_count(store), 0);
  assert_int_equal(tun_early_displaced(store), 0);
  tun_early_free(store);
}

static void only_the_link_it_is_for_gets_it_once(void **state) {
  TunEarlyStore *store = tun_early_new(4);
  put(store, 1, "198.51.100.2", 0);
  put(store, 1, "198.51.100.2", 1); /* it was repeated */
  assert_int_equal(tun_early_count(store), 1);
  assert_false(tun_early_mark_due(store, &(TunEarlyKey){2, 1}));
  assert_false(comes(store, 2, 2));
  assert_true(comes(store, 1, 2));
  assert_false(comes(store, 1, 2));
  tun_early_free(store);
}

static void what_is_old_is_not_given_any_more(void **state) {
  TunEarlyStore *store = tun_early_new(4);
  put(store, 1, "198.51.100.2", 1000);
  assert_false(comes(store, 1, 1001 + TUN_EARLY_MS));
  put(store, 2, "198.51.100.2", 1000);
  put(store, 3, "198.51.100.2", 1001 + TUN_EARLY_MS);
  assert_int_equal(tun_early_count(store), 1); /* and its memory goes with the next */
  tun_early_free(store);
}

/* The source with the most frames is displaced; so the others lose none, however much one sends. */
static void the_greediest_makes_way(void **state) {
  enum { ROOM = 100 };
  TunEarlyStore *store = tun_early_new(ROOM);
  for (guint64 key = 0; key < 1000; key++) /* one IPv6 /64 is one source */
    put(store, 1000 + key, key & 1 ? "2001:db8::1" : "2001:db8::2", 0);
  assert_int_equal(tun_early_count(store), ROOM);
  for (guint64 key = 0; key < 20; key++)
    put(store, 1 + key, key & 1 ? "198.51.100.2" : "198.51.100.3", 0);
  for (guint64 key = 0; key < 1000; key++)
    put(store, 3000 + key, "2001:db8::3", 0);
  for (guint64 key = 0; key < 20; key++)
    assert_true(comes(store, 1 + key, 0));
  /* Many sources with one each share what there is. */
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *from = g_strdup_printf("10.0.%u.%u", i >> 8, i & 255);
    put(store, 5000 + i, from, 0);
  }
  assert_int_equal(tun_early_count(store), ROOM);
  tun_early_free(store);
}

int main(void) {
  const struct CMUnitTest early[] = {
      cmocka_unit_test(a_burst_loses_none),
      cmocka_unit_test(only_the_link_it_is_for_gets_it_once),
      cmocka_unit_test(what_is_old_is_not_given_any_more),
      cmocka_unit_test(the_greediest_makes_way),
  };
  return cmocka_run_group_tests(early, NULL, NULL);
}
