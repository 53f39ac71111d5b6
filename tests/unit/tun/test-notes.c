/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What workers hand to the main loop and to each other: which goes first, when the main loop looks, and that nothing reaches another. */
#include "bench.h"
#include "inbox.h"
#include "packet/packet.h"
#include "traffic/rx.h"
#include <adit/ppp.h>

/* ---- the order of notes ---- */

static TunPriority priority_of(Bench *b, guint16 tunnel, const AditPath *path, const guint8 *datagram, gsize length) {
  TunWorker *w = b->dp->worker[0];
  guint8 copy[64];
  TunWhere where = from_of(path, 2);
  memcpy(copy, datagram, length);
  tun_put16(copy + (copy[0] & 0x40 ? 4 : 2), tunnel);
  tun_rx_datagram(w, b->listener, &where, path, copy, length);
  for (guint i = 0; i < TUN_TO_N; i++) {
    gsize size;
    if (!tun_ring_read(&w->main[i], &size))
      continue;
    tun_ring_release(&w->main[i]);
    return i;
  }
  return TUN_TO_N;
}

static const guint8 hello[12] = {0xc8, 2, 0, 12};
static const guint8 lcp[14] = {0, 2, 0, 0, 0, 50, 0xff, 3, 0xc0, 0x21, 1, 1, 0, 4};

static void only_a_known_tunnel_goes_before_newcomers(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701), port = path_of("198.51.100.2", 1702), other = path_of("198.51.100.3", 1701);
  AditDpTunnel facts = {.size = sizeof facts, .path = &path};
  for (guint16 id = 1; id < 2000; id++)
    assert_int_equal(priority_of(b, id, &path, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &path, lcp, sizeof lcp), TUN_TO_N); /* nobody's: dropped */
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &path, lcp, sizeof lcp), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &other, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &other, lcp, sizeof lcp), TUN_TO_N);
  assert_int_equal(priority_of(b, TUNNEL + 1, &path, hello, sizeof hello), TUN_TO_NEW);
  facts.proven = TRUE;
  facts.path = &port; /* it has moved, too */
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_LIVE);
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_NEW);
  tun_tunnel_unset(b->listener, TUNNEL);
  tun_tunnel_unset(b->listener, TUNNEL);
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_NEW);
}

/* RFC 2661 8.1: who answers may do so from a port of its own. */
static void a_tunnel_that_is_dialled_may_answer_from_any_port(void **state) {
  Bench *b = *state;
  AditPath any = path_of("198.51.100.2", 0), port = path_of("198.51.100.2", 40000), other = path_of("198.51.100.3", 40000);
  AditDpTunnel facts = {.size = sizeof facts, .path = &any};
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &other, hello, sizeof hello), TUN_TO_NEW);
}

/* One that has logged in must not crowd out the others either. */
static void a_tunnel_has_its_share(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701), other = path_of("198.51.100.3", 1701);
  guint n[TUN_TO_N + 1] = {0};
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &path, .proven = TRUE}));
  assert_true(tun_tunnel_set(b->listener, TUNNEL + 1, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &other, .proven = TRUE}));
  for (guint i = 0; i < 10000; i++)
    n[priority_of(b, TUNNEL, &path, hello, sizeof hello)]++;
  print_message("of 10000 at once, %u went before newcomers\n", n[TUN_TO_LIVE]);
  assert_in_range(n[TUN_TO_LIVE], 100, 2000);
  assert_int_equal(n[TUN_TO_NEW], 10000 - n[TUN_TO_LIVE]);
  assert_int_equal(FACT(b, crowded), n[TUN_TO_NEW]);
  assert_int_equal(priority_of(b, TUNNEL + 1, &other, hello, sizeof hello), TUN_TO_LIVE);
  b->dp->worker[0]->now += 1000;
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_LIVE);
}

/* Frames of links nobody has logged in on do not go before those of sessions. */
static void frames_without_a_session_go_behind(void **state) {
  Bench *b = *state;
  guint8 echo[14] = {0, 2, 0, TUNNEL, 0, 101, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
  AditPath path = path_of("198.51.100.2", 1701);
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  assert_int_equal(b->member[0].link->home, 0);
  assert_int_equal(priority_of(b, TUNNEL, &path, echo, sizeof echo), TUN_TO_LIVE);
  b->member[0].link->session = NULL;
  assert_int_equal(priority_of(b, TUNNEL, &path, echo, sizeof echo), TUN_TO_CONTROL);
  b->member[0].link->session = b->member[0].session;
}

/* ---- when the main loop looks ---- */

static void read_hellos(Bench *b, const AditPath *path, guint n) {
  for (guint i = 0; i < n; i++) {
    guint8 copy[12];
    TunWhere where = from_of(path, 2);
    memcpy(copy, hello, sizeof copy);
    tun_put16(copy + 4, TUNNEL);
    tun_rx_datagram(b->dp->worker[0], b->listener, &where, path, copy, sizeof copy);
  }
  tun_wake_main(b->dp);
  tun_inbox_look(NULL, b->dp);
}

/* Workers wake the main loop when they set `woken`: while it is set, they need not. */
static void a_storm_of_control_is_read_by_the_clock(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701);
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &path, .proven = TRUE}));
  for (guint i = 0; i < 100; i++, bench_now_ms += TUN_PACE_MS) { /* some, for ever: each wakes it */
    read_hellos(b, &path, TUN_PACE_MANY / 2 - 1);
    assert_false(b->dp->woken);
  }
  read_hellos(b, &path, TUN_PACE_MANY);
  read_hellos(b, &path, 1);
  assert_true(b->dp->woken);
  bench_now_ms += TUN_PACE_MS;
  read_hellos(b, &path, 1); /* a moment later it may go on */
  assert_true(b->dp->woken);
  bench_now_ms += 2 * TUN_PACE_MS;
  tun_inbox_look(NULL, b->dp);
  assert_false(b->dp->woken);
  read_hellos(b, &path, 1);
  assert_false(b->dp->woken);
  for (guint i = 0; i < TUN_TO_N; i++)
    assert_true(tun_ring_is_empty(&b->dp->worker[0]->main[i]));
}

/* What is left of a pass is read at once, and not in a millisecond. */
static void a_storm_larger_than_a_pass_is_read_at_once(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701);
  read_hellos(b, &path, 50);
  read_hellos(b, &path, 50);
  assert_true(b->dp->woken);
  bench_armed = FALSE;
  read_hellos(b, &path, 50);
  assert_false(bench_armed);
  assert_true(b->dp->woken);
  for (guint i = 0; !bench_armed; i++) {
    assert_true(i < 20);
    tun_inbox_look(NULL, b->dp);
  }
  assert_true(tun_ring_is_empty(&b->dp->worker[0]->main[TUN_TO_NEW]));
}

/* ---- frames on their way from worker to worker ---- */

/* The link goes while a frame of it waits, and another gets its ids. */
static void a_frame_reaches_the_link_it_was_for_or_none(void **state) {
  Bench *b = *state;
  guint8 echo[14] = {0, 2, 0, TUNNEL, 0, 101, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
  AditPath path = path_of("198.51.100.2", 1701);
  TunWhere where = from_of(&path, 2);
  TunWorker *home = b->dp->worker[0], *other = b->dp->worker[1];
  gsize length;
  for (guint stale = 0; stale < 2; stale++) {
    AditDpLink *link = bench_attach(b, 0, "198.51.100.2");
    assert_int_equal(link->home, 0);
    tun_rx_foreign(other);
    tun_rx_datagram(other, b->listener, &where, &path, echo, sizeof echo);
    assert_int_equal(FACT(b, foreign), stale + 1);
    if (stale) {
      tun_datapath_ops.link_detach(link);
      bench_attach(b, 0, "198.51.100.2");
    }
    tun_rx_foreign(home);
    assert_int_equal(tun_ring_read(&home->main[TUN_TO_CONTROL], &length) != NULL, !stale);
    tun_ring_release(&home->main[TUN_TO_CONTROL]);
    tun_datapath_ops.link_detach(g_steal_pointer(&b->member[0].link));
  }
}

int main(void) {
  const struct CMUnitTest notes[] = {
      BENCH_TEST(only_a_known_tunnel_goes_before_newcomers),
      BENCH_TEST(a_tunnel_that_is_dialled_may_answer_from_any_port),
      BENCH_TEST(a_tunnel_has_its_share),
      BENCH_TEST(frames_without_a_session_go_behind),
      BENCH_TEST(a_storm_of_control_is_read_by_the_clock),
      BENCH_TEST(a_storm_larger_than_a_pass_is_read_at_once),
      BENCH_TEST(a_frame_reaches_the_link_it_was_for_or_none),
  };
  return cmocka_run_group_tests(notes, NULL, NULL);
}
