/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "plugins/l2tp/engine/channel.h"

/** A channel alone: what it sends is noted, what it is given is written by hand. */
typedef struct {
  L2tpChannel channel;
  L2tpChannelConfig config;
  L2tpChannelEnv env;
  guint64 now, deadline;
  GString *sent;      /**< `ns/nr ` of each message, `[ns/nr] ` of each ZLB */
  GString *delivered; /**< first octet of each body */
  guint dead;
  gboolean forgive;
} Bench;

static guint64 on_now(gpointer host) {
  return ((Bench *)host)->now;
}
static void on_wake(gpointer host, guint slot, guint64 deadline) {
  ((Bench *)host)->deadline = deadline;
}
static void on_random(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, 7, length);
}
static const AditEngineOps engine_ops = {sizeof engine_ops, on_now, on_wake, on_random};

static void on_transmit(gpointer user, const guint8 *message, gsize length) {
  Bench *bench = user;
  L2tpHeader h;
  assert_true(l2tp_header_parse(&h, message, length));
  assert_int_equal(h.tunnel, 5);
  g_string_append_printf(bench->sent, h.length ? "%u/%u " : "[%u/%u] ", h.ns, h.nr);
}

static void on_deliver(gpointer user, const L2tpHeader *header, const guint8 *message) {
  Bench *bench = user;
  if (message[L2TP_CONTROL_HEADER] == 'X') /* not the peer's */
    return;
  l2tp_channel_accept(&bench->channel);
  g_string_append_c(((Bench *)user)->delivered, (char)message[L2TP_CONTROL_HEADER]);
}

static gboolean on_dead(gpointer user) {
  ((Bench *)user)->dead++;
  return ((Bench *)user)->forgive;
}

static const L2tpChannelOps channel_ops = {on_transmit, on_deliver, on_dead};

static Bench *bench_new(guint16 peer_window) {
  Bench *bench = g_new0(Bench, 1);
  bench->now = 1000;
  bench->config = (L2tpChannelConfig){.receive_window = 4, .retry_ms = 1000, .retry_cap_ms = 8000, .tries = 5, .unconfirmed_tries = 1};
  bench->env = (L2tpChannelEnv){{&engine_ops, bench}, &channel_ops, bench, &bench->config, 0};
  bench->sent = g_string_new(NULL);
  bench->delivered = g_string_new(NULL);
  l2tp_channel_init(&bench->channel);
  bench->channel.peer_tunnel = 5;
  if (peer_window)
    l2tp_channel_set_window(&bench->channel, peer_window);
  return bench;
}

static void bench_free(Bench *bench) {
  l2tp_channel_clear(&bench->channel);
  g_string_free(bench->sent, TRUE);
  g_string_free(bench->delivered, TRUE);
  g_free(bench);
}

static gsize frame(guint8 *buffer, guint16 tunnel, guint16 ns, guint16 nr, char body) {
  AditBuilder b = adit_builder(buffer, 64);
  l2tp_header_put(&b, tunnel, 0, ns, nr);
  if (body)
    adit_put_u8(&b, (guint8)body);
  l2tp_header_finish(&b);
  return adit_built(&b);
}

static void post(Bench *bench, guint count) {
  guint8 buffer[64];
  while (count--)
    assert_true(l2tp_channel_send(&bench->channel, &bench->env, buffer, frame(buffer, 5, 0, 0, 'x')));
}

/** `body` 0: a ZLB. */
static void receive(Bench *bench, guint16 ns, guint16 nr, char body) {
  guint8 buffer[64];
  L2tpHeader h;
  gsize length = frame(buffer, 9, ns, nr, body);
  assert_true(l2tp_header_parse(&h, buffer, length));
  l2tp_channel_input(&bench->channel, &bench->env, &h, buffer, length);
}

static void pass(Bench *bench, guint64 ms) {
  guint64 end = bench->now + ms;
  while (bench->deadline && bench->deadline <= end) {
    bench->now = bench->deadline;
    bench->deadline = 0;
    l2tp_channel_timeout(&bench->channel, &bench->env);
  }
  bench->now = end;
}

static void expect_sent(Bench *bench, const char *expected) {
  assert_string_equal(bench->sent->str, expected);
  g_string_set_size(bench->sent, 0);
}

/* Appendix B.1: the originator's side. */
static void rfc2661_b1_lock_step(void **state) {
  Bench *bench = bench_new(0);
  post(bench, 1);
  expect_sent(bench, "0/0 ");
  receive(bench, 0, 1, 'p'); /* SCCRP */
  expect_sent(bench, "[1/1] ");
  post(bench, 1);
  expect_sent(bench, "1/1 ");
  receive(bench, 1, 2, 0);
  expect_sent(bench, "");
  assert_true(l2tp_channel_idle(&bench->channel));
  assert_int_equal(bench->deadline, 0);
  bench_free(bench);
}

/* Appendix B.2: the answer is lost; the repeat carries the same Ns and the newest Nr, the duplicate is acknowledged. */
static void rfc2661_b2_lost_packet(void **state) {
  Bench *bench = bench_new(0);
  post(bench, 1);
  expect_sent(bench, "0/0 ");
  pass(bench, 1000);
  expect_sent(bench, "0/0 ");
  receive(bench, 0, 0, 'p'); /* from before our message came: acknowledges nothing */
  expect_sent(bench, "[1/1] ");
  pass(bench, 2000);
  expect_sent(bench, "0/1 ");
  receive(bench, 0, 1, 'p');
  expect_sent(bench, "[1/1] ");
  assert_string_equal(bench->delivered->str, "p");
  assert_int_equal(bench->channel.duplicates, 1);
  bench_free(bench);
}

static void rfc2661_5_8_retransmission_times(void **state) {
  Bench *bench = bench_new(0);
  static const guint times[] = {1000, 2000, 4000, 8000, 8000};
  post(bench, 1);
  expect_sent(bench, "0/0 ");
  for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
    pass(bench, times[i] - 1);
    expect_sent(bench, "");
    pass(bench, 1);
    expect_sent(bench, "0/0 ");
  }
  pass(bench, 7999);
  assert_int_equal(bench->dead, 0);
  pass(bench, 1);
  assert_int_equal(bench->dead, 1);
  assert_int_equal(bench->deadline, 0);
  assert_int_equal(l2tp_channel_cycle_ms(&bench->config), 31000);
  bench_free(bench);
}

static void signs_of_life_begin_the_tries_anew(void **state) {
  Bench *bench = bench_new(0);
  bench->forgive = TRUE;
  post(bench, 1);
  pass(bench, 31000);
  assert_int_equal(bench->dead, 1);
  assert_int_not_equal(bench->deadline, 0);
  bench_free(bench);
}

/* Appendix A: the window opens by one for each acknowledgement up to the threshold, then by one a window. */
static void rfc2661_a_slow_start_and_congestion_avoidance(void **state) {
  Bench *bench = bench_new(8);
  post(bench, 40);
  expect_sent(bench, "0/0 ");
  receive(bench, 0, 1, 0);
  expect_sent(bench, "1/0 2/0 ");
  receive(bench, 0, 3, 0);
  expect_sent(bench, "3/0 4/0 5/0 6/0 ");
  receive(bench, 0, 7, 0);
  expect_sent(bench, "7/0 8/0 9/0 10/0 11/0 12/0 13/0 14/0 ");
  receive(bench, 0, 15, 0); /* the peer's window is the most there is */
  assert_int_equal(bench->channel.flight, 8);
  g_string_set_size(bench->sent, 0);
  pass(bench, 1000); /* a loss: half the window is the new threshold, and one message goes */
  expect_sent(bench, "15/0 ");
  assert_int_equal(bench->channel.ssthresh, 4);
  assert_int_equal(bench->channel.cwnd, 1);
  receive(bench, 0, 16, 0);
  expect_sent(bench, "16/0 17/0 ");
  receive(bench, 0, 18, 0);
  assert_int_equal(bench->channel.cwnd, 4);
  g_string_set_size(bench->sent, 0);
  receive(bench, 0, 22, 0); /* four acknowledged at the threshold: one more */
  assert_int_equal(bench->channel.cwnd, 5);
  bench_free(bench);
}

static void rfc2661_4_4_3_absent_window_is_four(void **state) {
  Bench *bench = bench_new(0);
  post(bench, 20);
  receive(bench, 0, 1, 0);
  receive(bench, 0, 3, 0);
  receive(bench, 0, 7, 0);
  assert_int_equal(bench->channel.flight, 4);
  bench_free(bench);
}

static void rfc2661_5_8_out_of_order_is_kept_and_bounded(void **state) {
  Bench *bench = bench_new(0);
  receive(bench, 2, 0, 'c');
  receive(bench, 1, 0, 'b');
  receive(bench, 1, 0, 'b');
  receive(bench, 3, 0, 'd');
  receive(bench, 4, 0, 'e'); /* beyond our window of four */
  assert_string_equal(bench->delivered->str, "");
  expect_sent(bench, "[0/0] [0/0] [0/0] [0/0] [0/0] ");
  receive(bench, 0, 0, 'a');
  assert_string_equal(bench->delivered->str, "abcd");
  expect_sent(bench, "[0/4] ");
  assert_int_equal(bench->channel.dropped, 1);
  bench_free(bench);
}

static void rfc2661_5_8_numbers_wrap(void **state) {
  Bench *bench = bench_new(0);
  bench->channel.ns = 65534;
  bench->channel.nr = 65535;
  post(bench, 4);
  expect_sent(bench, "65534/65535 ");
  receive(bench, 0, 65535, 'b'); /* early, over the wrap */
  expect_sent(bench, "65535/65535 0/65535 [1/65535] ");
  receive(bench, 65535, 1, 'a');
  assert_string_equal(bench->delivered->str, "ab");
  receive(bench, 65535, 1, 'a'); /* a duplicate from before the wrap */
  assert_string_equal(bench->delivered->str, "ab");
  receive(bench, 1, 2, 0);
  assert_true(l2tp_channel_idle(&bench->channel));
  bench_free(bench);
}

static void acknowledgements_of_what_was_never_sent_are_ignored(void **state) {
  Bench *bench = bench_new(0);
  post(bench, 3);
  expect_sent(bench, "0/0 ");
  receive(bench, 0, 2, 0);
  receive(bench, 0, 3, 0);
  receive(bench, 0, 32768, 0);
  receive(bench, 0, 65535, 0);
  expect_sent(bench, "");
  assert_int_equal(bench->channel.queued, 3);
  bench_free(bench);
}

static void the_queue_is_bounded(void **state) {
  Bench *bench = bench_new(1);
  guint8 buffer[64];
  post(bench, L2TP_QUEUE_MAX);
  assert_false(l2tp_channel_send(&bench->channel, &bench->env, buffer, frame(buffer, 5, 0, 0, 'x')));
  l2tp_channel_drop_waiting(&bench->channel);
  assert_int_equal(bench->channel.queued, 1);
  assert_int_equal(bench->channel.ns, 1);
  bench_free(bench);
}

static void an_unconfirmed_peer_is_not_flooded(void **state) {
  Bench *bench = bench_new(0);
  bench->channel.unconfirmed = TRUE;
  receive(bench, 0, 0, 'q');
  g_string_set_size(bench->sent, 0);
  post(bench, 1);
  expect_sent(bench, "0/1 ");
  pass(bench, 100000);
  expect_sent(bench, "0/1 "); /* once */
  receive(bench, 0, 0, 'q');
  expect_sent(bench, "0/1 "); /* one for one */
  receive(bench, 1, 1, 0);
  assert_false(bench->channel.unconfirmed);
  bench_free(bench);
}

static void saved_and_restored(void **state) {
  Bench *bench = bench_new(8);
  guint8 buffer[4096];
  post(bench, 5);
  receive(bench, 0, 1, 'a');
  receive(bench, 2, 1, 'c');
  AditBuilder out = adit_builder(buffer, sizeof buffer);
  l2tp_channel_save(&bench->channel, &out);
  guint64 deadline = bench->deadline;
  l2tp_channel_clear(&bench->channel);
  l2tp_channel_init(&bench->channel);
  bench->deadline = 0;
  AditCursor in = adit_cursor(buffer, adit_built(&out));
  assert_true(l2tp_channel_restore(&bench->channel, &bench->env, &in));
  assert_int_equal(bench->deadline, deadline);
  g_string_set_size(bench->sent, 0);
  receive(bench, 1, 3, 'b');
  assert_string_equal(bench->delivered->str, "abc");
  assert_string_equal(bench->sent->str, "3/1 4/1 [5/3] ");
  bench_free(bench);
}

/* What a stranger may make us keep is bounded, and what is dropped comes again: a real peer loses time, no message. */
static void early_messages_are_bounded_by_octets(void **state) {
  Bench *bench = bench_new(0);
  bench->config.receive_window = 16;
  bench->config.parked_octets = 3 * 13 + 5; /* each has 13 */
  for (guint16 ns = 5; ns > 0; ns--)
    receive(bench, ns, 0, (char)('0' + ns));
  assert_int_equal(bench->channel.dropped, 2);
  assert_int_equal(bench->channel.early_octets, 3 * 13);
  receive(bench, 0, 0, '0');
  for (guint16 ns = 1; ns <= 5; ns++)
    receive(bench, ns, 0, (char)('0' + ns));
  assert_string_equal(bench->delivered->str, "012345");
  assert_int_equal(bench->channel.early_octets, 0);
  bench_free(bench);
}

static void a_peer_that_owes_acknowledgements_has_to_wait(void **state) {
  Bench *bench = bench_new(0);
  bench->config.unacked_octets = 3 * 13;
  post(bench, 3);
  assert_int_equal(bench->channel.send_octets, 3 * 13);
  receive(bench, 1, 0, '1');
  receive(bench, 0, 0, '0'); /* neither is taken, and the parked one stays where it is */
  assert_string_equal(bench->delivered->str, "");
  assert_int_equal(bench->channel.nr, 0);
  receive(bench, 0, 1, '0'); /* it acknowledges one of ours */
  assert_string_equal(bench->delivered->str, "01");
  assert_int_equal(bench->channel.send_octets, 2 * 13);
  bench_free(bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2661_b1_lock_step),
      cmocka_unit_test(rfc2661_b2_lost_packet),
      cmocka_unit_test(rfc2661_5_8_retransmission_times),
      cmocka_unit_test(signs_of_life_begin_the_tries_anew),
      cmocka_unit_test(rfc2661_a_slow_start_and_congestion_avoidance),
      cmocka_unit_test(rfc2661_4_4_3_absent_window_is_four),
      cmocka_unit_test(rfc2661_5_8_out_of_order_is_kept_and_bounded),
      cmocka_unit_test(rfc2661_5_8_numbers_wrap),
      cmocka_unit_test(acknowledgements_of_what_was_never_sent_are_ignored),
      cmocka_unit_test(the_queue_is_bounded),
      cmocka_unit_test(an_unconfirmed_peer_is_not_flooded),
      cmocka_unit_test(early_messages_are_bounded_by_octets),
      cmocka_unit_test(a_peer_that_owes_acknowledgements_has_to_wait),
      cmocka_unit_test(saved_and_restored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
