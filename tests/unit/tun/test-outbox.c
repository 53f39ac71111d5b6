/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What waits leaves whole, in order for each receiver, and whatever the kernel refuses in between. On loopback. */
#include "peer/outbox.h"
#include "world.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVERS = 3 };

typedef struct {
  TunOutbox *outbox;
  gboolean merge;
  AditListener listener[2];
  int receiver[RECEIVERS];
  AditEndpoint at[RECEIVERS];
} Post;

static int post_setup(void **state) {
  Post *p = g_new0(Post, 1);
  p->merge = TRUE;
  p->outbox = tun_outbox_new(&p->merge);
  for (guint i = 0; i < G_N_ELEMENTS(p->listener); i++)
    p->listener[i].socket[0].fd = udp_socket("127.0.0.1", 0, NULL);
  for (guint i = 0; i < RECEIVERS; i++)
    p->receiver[i] = udp_socket("127.0.0.1", 0, &p->at[i]);
  *state = p;
  return 0;
}

static int post_teardown(void **state) {
  Post *p = *state;
  tun_outbox_free(p->outbox);
  for (guint i = 0; i < G_N_ELEMENTS(p->listener); i++)
    close(p->listener[i].socket[0].fd);
  for (guint i = 0; i < RECEIVERS; i++)
    close(p->receiver[i]);
  g_free(p);
  return 0;
}

/* The first octets say which it is, in three pieces. */
static gboolean post(Post *p, guint from, const AditEndpoint *to, guint32 number, guint length) {
  static const guint8 filler[2048], control[8];
  guint16 high = (guint16)(number >> 16), low = (guint16)number;
  const struct iovec pieces[] = {{&high, 2}, {&low, 2}, {(gpointer)filler, length - 4}};
  return tun_outbox_send(p->outbox, &p->listener[from], to, control, 0, pieces, G_N_ELEMENTS(pieces));
}

/* The next one's number and length; FALSE = there is none. */
static gboolean next_of(Post *p, guint receiver, guint32 *number, guint *length) {
  guint8 got[2048];
  guint16 half[2];
  gssize n = recv(p->receiver[receiver], got, sizeof got, MSG_DONTWAIT);
  if (n < 4)
    return FALSE;
  memcpy(half, got, 4);
  *number = (guint32)half[0] << 16 | half[1];
  *length = (guint)n;
  return TRUE;
}

static void assert_next(Post *p, guint receiver, guint32 number, guint length) {
  guint32 got;
  guint octets;
  assert_true(next_of(p, receiver, &got, &octets));
  assert_int_equal(got, number);
  assert_int_equal(octets, length);
}

static void assert_none(Post *p, guint receiver) {
  guint32 number;
  guint length;
  assert_false(next_of(p, receiver, &number, &length));
}

static void without_a_hold_it_leaves_at_once(void **state) {
  Post *p = *state;
  AditEndpoint nowhere = endpoint("127.0.0.1", 0);
  assert_true(post(p, 0, &p->at[0], 1, 40));
  assert_next(p, 0, 1, 40);
  assert_false(post(p, 0, &nowhere, 2, 40)); /* there is no port 0 */
  assert_int_equal(errno, EINVAL);
  assert_int_equal(tun_outbox_failed(p->outbox), 0);
}

static void a_hold_keeps_it_until_the_flush(void **state) {
  Post *p = *state;
  tun_outbox_hold(p->outbox, TRUE);
  assert_true(post(p, 0, &p->at[0], 1, 40));
  assert_none(p, 0);
  tun_outbox_flush(p->outbox);
  assert_next(p, 0, 1, 40);
  assert_true(post(p, 0, &p->at[0], 2, 41));
  assert_none(p, 0);
  tun_outbox_hold(p->outbox, FALSE);
  assert_next(p, 0, 2, 41);
  tun_outbox_flush(p->outbox);
  assert_none(p, 0);
}

/* Ones that are alike, a shorter one behind them, a longer one: cut as they were. */
static void what_is_merged_comes_apart_again(void **state) {
  static const guint length[] = {60, 60, 60, 20, 60, 61, 61, 4, 4, 1400, 1400, 30, 30};
  Post *p = *state;
  for (guint merge = 0; merge < 2; merge++) {
    p->merge = merge;
    tun_outbox_hold(p->outbox, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(length); i++)
      assert_true(post(p, 0, &p->at[0], i, length[i]));
    tun_outbox_flush(p->outbox);
    for (guint i = 0; i < G_N_ELEMENTS(length); i++)
      assert_next(p, 0, i, length[i]);
    assert_none(p, 0);
  }
  assert_int_equal(tun_outbox_failed(p->outbox), 0);
}

static void what_the_kernel_refuses_takes_nothing_along(void **state) {
  Post *p = *state;
  AditEndpoint nowhere = endpoint("127.0.0.1", 0);
  tun_outbox_hold(p->outbox, TRUE);
  for (guint i = 0; i < 30; i++)
    assert_true(post(p, 0, i % 3 == 1 ? &nowhere : &p->at[i % 3], i, 50));
  assert_true(post(p, 0, &nowhere, 30, 50));
  assert_true(post(p, 0, &nowhere, 31, 50)); /* a merged one is refused whole */
  tun_outbox_flush(p->outbox);
  for (guint i = 0; i < 30; i++)
    if (i % 3 != 1)
      assert_next(p, i % 3, i, 50);
  assert_int_equal(tun_outbox_failed(p->outbox), 12);
}

/* More than it holds: it flushes by itself. Each receiver gets all, in order, from two sockets. */
static void many_leave_whole_and_in_order(void **state) {
  Post *p = *state;
  for (guint32 seed = 1; seed <= 50; seed++) {
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    GArray *sent[RECEIVERS];
    for (guint i = 0; i < RECEIVERS; i++)
      sent[i] = g_array_new(FALSE, FALSE, sizeof(guint));
    guint source = 0, to = 0;
    tun_outbox_hold(p->outbox, TRUE);
    for (guint i = 0; i < 300; i++) {
      if (g_rand_int_range(random, 0, 3) == 0)
        to = (guint)g_rand_int_range(random, 0, RECEIVERS);
      if (g_rand_int_range(random, 0, 8) == 0)
        source = !source;
      guint length = g_rand_boolean(random) ? 64 : (guint)g_rand_int_range(random, 4, 1500);
      assert_true(post(p, source, &p->at[to], sent[to]->len, length));
      g_array_append_val(sent[to], length);
      if (g_rand_int_range(random, 0, 40) == 0)
        tun_outbox_flush(p->outbox);
    }
    tun_outbox_flush(p->outbox);
    for (guint i = 0; i < RECEIVERS; i++) {
      for (guint n = 0; n < sent[i]->len; n++)
        assert_next(p, i, n, g_array_index(sent[i], guint, n));
      assert_none(p, i);
      g_array_unref(sent[i]);
    }
  }
  assert_int_equal(tun_outbox_failed(p->outbox), 0);
}

int main(void) {
#define POST_TEST(name) cmocka_unit_test_setup_teardown(name, post_setup, post_teardown)
  const struct CMUnitTest tests[] = {
      POST_TEST(without_a_hold_it_leaves_at_once), POST_TEST(a_hold_keeps_it_until_the_flush),
      POST_TEST(what_is_merged_comes_apart_again), POST_TEST(what_the_kernel_refuses_takes_nothing_along),
      POST_TEST(many_leave_whole_and_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
