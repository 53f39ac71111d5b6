/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Rings, tables and reordering. */
#include "packet/reorder.h"
#include "worker/ring.h"
#include "worker/tun-table.h"

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- ring ---- */

static void ring_keeps_order_and_refuses_when_full(void **state) {
  TunRing ring;
  gsize length;
  guint pushed = 0, read = 0;
  assert_true(tun_ring_init(&ring, 4096, TRUE));
  for (guint round = 0; round < 200; round++) {
    guint8 *room;
    guint n = 1 + (pushed * 61) % 900;
    while ((room = tun_ring_reserve(&ring, n))) {
      memset(room, (int)(pushed & 0xff), n);
      tun_ring_push(&ring);
      pushed++;
      n = 1 + (pushed * 61) % 900;
    }
    assert_false(tun_ring_is_empty(&ring));
    while ((room = tun_ring_read(&ring, &length))) {
      assert_int_equal(length, 1 + (read * 61) % 900);
      assert_int_equal(room[0], read & 0xff);
      assert_int_equal(room[length - 1], read & 0xff);
      read++;
      if (read % 3 == 0) /* several at once */
        tun_ring_release(&ring);
    }
    tun_ring_release(&ring);
    assert_int_equal(read, pushed);
    assert_true(tun_ring_is_empty(&ring));
  }
  assert_null(tun_ring_reserve(&ring, 5000));
  tun_ring_clear(&ring);
}

enum { RECORDS = 200000 };

static gpointer produce(gpointer data) {
  TunRing *ring = data;
  for (guint i = 0; i < RECORDS;) {
    guint32 *room = tun_ring_reserve(ring, 4 + i % 57);
    if (!room) {
      g_thread_yield();
      continue;
    }
    *room = i++;
    tun_ring_push(ring);
  }
  return NULL;
}

static void ring_between_threads_loses_nothing(void **state) {
  TunRing ring;
  gsize length;
  assert_true(tun_ring_init(&ring, 8192, FALSE));
  GThread *thread = g_thread_new("producer", produce, &ring);
  for (guint i = 0; i < RECORDS;) {
    const guint32 *record = tun_ring_read(&ring, &length);
    if (!record) {
      g_thread_yield();
      continue;
    }
    assert_int_equal(*record, i);
    assert_int_equal(length, 4 + i % 57);
    tun_ring_release(&ring);
    i++;
  }
  g_thread_join(thread);
  tun_ring_clear(&ring);
}

/* ---- tables ---- */

static void retire_now(gpointer user, gpointer memory) {
  ++*(guint *)user;
  g_free(memory);
}

static void table_finds_what_is_in_it(void **state) {
  enum { N = 5000 };
  TunTable table;
  guint retired = 0;
  g_autofree TunItem *items = g_new0(TunItem, N);
  tun_table_init(&table, retire_now, &retired);
  assert_null(tun_table_lookup(&table, 1));
  for (guint i = 0; i < N; i++) {
    items[i].key = (guint64)i * 65537;
    assert_true(tun_table_insert(&table, &items[i]));
  }
  assert_true(retired > 0);
  TunItem twin = {.key = 65537};
  assert_false(tun_table_insert(&table, &twin));
  tun_table_remove(&table, &twin); /* not this one */
  for (guint i = 0; i < N; i++)
    assert_ptr_equal(tun_table_lookup(&table, (guint64)i * 65537), &items[i]);
  assert_null(tun_table_lookup(&table, 3));
  tun_table_clear(&table);
}

static void table_lives_through_coming_and_going(void **state) {
  TunTable table;
  guint retired = 0;
  TunItem items[8] = {0};
  tun_table_init(&table, retire_now, &retired);
  for (guint i = 0; i < 10000; i++) {
    TunItem *item = &items[i % 8];
    if (i >= 8)
      tun_table_remove(&table, item);
    assert_null(tun_table_lookup(&table, item->key ? item->key : G_MAXUINT64));
    item->key = i + 1;
    assert_true(tun_table_insert(&table, item));
    assert_ptr_equal(tun_table_lookup(&table, i + 1), item);
  }
  assert_int_equal(table.items, 8);
  tun_table_clear(&table);
}

static void route(TunRoute *r, const char *prefix, gpointer value) {
  memset(r, 0, sizeof *r);
  assert_true(adit_prefix_parse(prefix, &r->prefix));
  r->value = value;
}

static gpointer look(const TunRoutes *routes, const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return tun_routes_lookup(routes, a.family == AF_INET ? 4 : 6, a.octet);
}

static void longest_prefix_wins(void **state) {
  static const char *const prefix[] = {"10.1.2.3/32",       "10.1.2.0/24",         "10.0.0.0/8", "2001:db8::/32",
                                       "2001:db8:0:1::/64", "2001:db8:0:1::5/128", "0.0.0.0/0"};
  TunRoutes routes;
  TunRoute r[G_N_ELEMENTS(prefix)], again;
  guint retired = 0;
  tun_routes_init(&routes, retire_now, &retired);
  assert_null(look(&routes, "10.1.2.3"));
  for (guint i = 0; i < G_N_ELEMENTS(prefix); i++) {
    route(&r[i], prefix[i], GUINT_TO_POINTER(i + 1));
    assert_true(tun_routes_insert(&routes, &r[i]));
  }
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "10.1.2.3")), 1);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "10.1.2.4")), 2);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "10.1.3.4")), 3);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "11.1.3.4")), 7);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "2001:db8:0:2::5")), 4);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "2001:db8:0:1::6")), 5);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "2001:db8:0:1::5")), 6);
  assert_null(look(&routes, "2001:db9::1"));
  route(&again, "10.1.2.77/24", &retired); /* host bits do not make it another */
  assert_false(tun_routes_insert(&routes, &again));
  tun_routes_remove(&routes, &r[0]);
  assert_int_equal(GPOINTER_TO_UINT(look(&routes, "10.1.2.3")), 2);
  tun_routes_remove(&routes, &r[6]);
  assert_null(look(&routes, "11.1.3.4"));
  tun_routes_clear(&routes);
}

/* ---- reordering ---- */

typedef struct {
  TunReorder r;
  TunHoldPool pool;
  TunReorderCount count;
  GString *got;
  guint64 now;
  guint ms;
} Order;

static int order_setup(void **state) {
  Order *o = g_new0(Order, 1);
  o->got = g_string_new(NULL);
  o->now = 1000;
  o->ms = 50;
  assert_true(tun_hold_pool_init(&o->pool, 4));
  *state = o;
  return 0;
}

static int order_teardown(void **state) {
  Order *o = *state;
  tun_reorder_flush(&o->r, &o->pool, NULL, NULL, &o->count);
  guint free = o->pool.n - o->pool.fresh;
  for (guint16 at = o->pool.free; at; at = o->pool.hold[at - 1].next_free)
    free++;
  tun_hold_pool_clear(&o->pool);
  g_string_free(o->got, TRUE);
  g_free(o);
  return free == 4 ? 0 : -1; /* every place is back */
}

static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  g_string_append_len(((Order *)user)->got, (const char *)frame, 1);
}

/* Frames named by a letter, numbered from `a` = 65533 on: they wrap. */
static void come(Order *o, const char *letters) {
  for (; *letters; letters++)
    tun_reorder_push(&o->r, &o->pool, (guint16)(65533 + *letters - 'a'), (const guint8 *)letters, 1, o->now, o->ms, on_frame, o, &o->count);
}

static void expect(Order *o, const char *letters) {
  assert_string_equal(o->got->str, letters);
}

static void rfc2661_5_4_in_order_passes(void **state) {
  Order *o = *state;
  come(o, "abcdefgh");
  expect(o, "abcdefgh");
  assert_int_equal(o->count.late + o->count.lost + o->count.reordered, 0);
}

static void rfc2661_c_early_frames_wait_for_the_missing_one(void **state) {
  Order *o = *state;
  come(o, "adc");
  expect(o, "a");
  assert_int_equal(o->r.deadline, 1050);
  come(o, "b");
  expect(o, "abcd");
  assert_int_equal(o->r.deadline, 0);
  assert_int_equal(o->count.reordered, 2);
}

static void time_is_up_and_what_waits_goes_on(void **state) {
  Order *o = *state;
  come(o, "acf");
  tun_reorder_flush(&o->r, &o->pool, on_frame, o, &o->count);
  expect(o, "acf");
  assert_int_equal(o->count.lost, 3);
  come(o, "bg");
  expect(o, "acfg");
  assert_int_equal(o->count.late, 1);
}

static void without_waiting_late_frames_are_dropped(void **state) {
  Order *o = *state;
  o->ms = 0;
  come(o, "acbd");
  expect(o, "acd");
  assert_int_equal(o->count.late, 1);
  assert_int_equal(o->count.lost, 1);
}

static void doubles_are_dropped(void **state) {
  Order *o = *state;
  come(o, "aabccbddc");
  expect(o, "abcd");
  o->count.late = 0;
  come(o, "fff");
  come(o, "e");
  expect(o, "abcdef");
}

static void a_full_pool_does_not_stop_the_flow(void **state) {
  Order *o = *state;
  come(o, "acdefg"); /* b is missing, four places */
  expect(o, "acdefg");
  assert_int_equal(o->count.lost, 1);
  come(o, "ikjlnmqsh"); /* all kinds of gaps with few places */
  come(o, "z");
  tun_reorder_flush(&o->r, &o->pool, on_frame, o, &o->count);
  for (guint i = 1; i < o->got->len; i++)
    assert_true(o->got->str[i] > o->got->str[i - 1]);
}

static void a_peer_that_begins_anew_is_followed(void **state) {
  Order *o = *state;
  char letters[27] = "abcdefghijklmnopqrstuvwxyz";
  come(o, letters);
  g_string_truncate(o->got, 0);
  come(o, letters);
  assert_int_equal(o->got->len, 26 - TUN_LATE_RUN + 1);
}

static void random_orders_never_go_back(void **state) {
  Order *o = *state;
  guint32 seed = 12345;
  guint16 last = 0;
  gboolean any = FALSE;
  o->ms = 10;
  for (guint i = 0; i < 20000; i++) {
    seed = seed * 1664525 + 1013904223;
    guint16 number = (guint16)(i + (seed >> 24) % 8); /* up to 7 places early, doubles and holes */
    g_string_truncate(o->got, 0);
    guint8 frame[2] = {(guint8)(number >> 8), (guint8)number};
    tun_reorder_push(&o->r, &o->pool, number, frame, 2, i, o->ms, on_frame, o, &o->count);
    if (o->r.deadline && o->r.deadline <= i)
      tun_reorder_flush(&o->r, &o->pool, on_frame, o, &o->count);
    assert_true(!any || (gint16)(o->r.next - last) >= 0);
    any = TRUE;
    last = o->r.next;
  }
}

#define O(name) cmocka_unit_test_setup_teardown(name, order_setup, order_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ring_keeps_order_and_refuses_when_full),
      cmocka_unit_test(ring_between_threads_loses_nothing),
      cmocka_unit_test(table_finds_what_is_in_it),
      cmocka_unit_test(table_lives_through_coming_and_going),
      cmocka_unit_test(longest_prefix_wins),
      O(rfc2661_5_4_in_order_passes),
      O(rfc2661_c_early_frames_wait_for_the_missing_one),
      O(time_is_up_and_what_waits_goes_on),
      O(without_waiting_late_frames_are_dropped),
      O(doubles_are_dropped),
      O(a_full_pool_does_not_stop_the_flow),
      O(a_peer_that_begins_anew_is_followed),
      O(random_orders_never_go_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
