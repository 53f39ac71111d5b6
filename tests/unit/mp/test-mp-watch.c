/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links of a bundle that die without a word, at both ends, on virtual time: how soon nothing is sent on them, and how soon again. */
#include "mp-watch.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

enum { LINKS = 4, AIR = 4000, LIMIT_MS = 1000 };

/* A frame on its way: data, an Echo-Request or an Echo-Reply. */
typedef enum { NOTHING = 0, DATA, REQUEST, REPLY } Kind;
typedef struct {
  Kind kind;
  guint64 at, asked;
} Frame;

typedef struct {
  MpLinkFacts facts;
  MpLinkWatch watch;
  guint probes;
  Frame air[AIR]; /* that it has sent, by number modulo AIR */
  guint head, tail;
} Node;

typedef struct {
  guint64 now, look[2];
  guint n;
  Node node[2][LINKS];
  gboolean cut[2][LINKS];             /* what this end sends there is lost */
  guint delay_ms[LINKS], loss[LINKS]; /* one way; in 1,000 */
  guint every_ms[2];                  /* between its packets, which take the links that do not rest in turn; 0 = it sends none */
  gboolean mute[2], loses[2];         /* answers no echo; is told of losses at each look */
  guint turn[2];
  guint rests[2][LINKS]; /* milliseconds */
  GRand *rand;
} Pair;

static Pair *pair_begin(guint n, guint delay_ms) {
  Pair *p = g_new0(Pair, 1);
  p->now = 10000;
  p->n = n;
  p->rand = g_rand_new_with_seed(n + delay_ms);
  for (guint end = 0; end < 2; end++)
    for (guint i = 0; i < n; i++) {
      p->node[end][i].facts.up = TRUE;
      p->node[end][i].facts.heard_ms = p->node[end][i].facts.sent_ms = p->now;
      p->delay_ms[i] = delay_ms;
    }
  return p;
}

static void pair_end(Pair *p) {
  g_rand_free(p->rand);
  g_free(p);
}

static void send_frame(Pair *p, guint end, guint i, Kind kind, guint64 asked) {
  Node *node = &p->node[end][i];
  node->facts.sent_ms = p->now;
  if (kind == DATA)
    node->facts.data_ms = p->now;
  if (p->cut[end][i] || (guint)g_rand_int_range(p->rand, 0, 1000) < p->loss[i])
    return;
  node->air[node->head++ % AIR] = (Frame){kind, p->now + p->delay_ms[i], asked};
  assert_true(node->head - node->tail < AIR);
}

static void receive_frames(Pair *p, guint end, guint i) {
  Node *node = &p->node[end][i], *peer = &p->node[!end][i];
  for (; peer->tail != peer->head && peer->air[peer->tail % AIR].at <= p->now; peer->tail++) {
    Kind kind = peer->air[peer->tail % AIR].kind;
    guint64 asked = peer->air[peer->tail % AIR].asked;
    node->facts.heard_ms = p->now;
    if (kind == DATA)
      node->facts.data_ms = p->now;
    else if (kind == REPLY)
      node->facts.answered_ms = p->now, node->facts.round_trip_ms = (guint)(p->now - asked);
    else if (!p->mute[end])
      send_frame(p, end, i, REPLY, asked);
  }
}

static void look_at_links(Pair *p, guint end) {
  MpWatched links[LINKS];
  for (guint i = 0; i < p->n; i++)
    links[i] = (MpWatched){.facts = p->node[end][i].facts, .state = &p->node[end][i].watch};
  mp_watch_look(links, p->n, p->loses[end], p->now);
  for (guint i = 0; i < p->n; i++)
    if (links[i].probe) {
      p->node[end][i].probes++;
      send_frame(p, end, i, REQUEST, p->now);
    }
  guint wait = mp_watch_wait(links, p->n, p->now);
  assert_in_range(wait, 1, 250);
  p->look[end] = p->now + wait;
}

static void send_packet(Pair *p, guint end) {
  for (guint k = 0; k < p->n; k++) {
    guint i = p->turn[end]++ % p->n;
    if (!p->node[end][i].watch.rests) {
      send_frame(p, end, i, DATA, 0);
      return;
    }
  }
  fail_msg("all links rest");
}

static void pass(Pair *p, guint ms) {
  for (guint64 until = p->now + ms; p->now < until; p->now++)
    for (guint end = 0; end < 2; end++) {
      for (guint i = 0; i < p->n; i++) {
        receive_frames(p, end, i);
        p->rests[end][i] += p->node[end][i].watch.rests ? 1 : 0;
      }
      if (p->every_ms[end] && p->now % p->every_ms[end] == 0)
        send_packet(p, end);
      if (p->now >= p->look[end])
        look_at_links(p, end);
    }
}

static gboolean rests(const Pair *p, guint end, guint i) {
  return p->node[end][i].watch.rests;
}

static void cut(Pair *p, guint i, gboolean is_cut) {
  p->cut[0][i] = p->cut[1][i] = is_cut;
}

/* ---- death ---- */

static void a_dead_link_rests_within_a_second(void **state) {
  static const guint every[][2] = {{1, 1}, {20, 20}, {20, 0}, {0, 20}, {200, 200}, {200, 0}};
  for (guint k = 0; k < G_N_ELEMENTS(every); k++)
    for (guint phase = 0; phase < 600; phase += 37) {
      Pair *p = pair_begin(2, 15);
      memcpy(p->every_ms, every[k], sizeof p->every_ms);
      pass(p, 3000 + phase);
      assert_false(rests(p, 0, 0) || rests(p, 0, 1) || rests(p, 1, 0) || rests(p, 1, 1));
      cut(p, phase % 2, TRUE);
      pass(p, LIMIT_MS + 2 * MAX(every[k][0], every[k][1]));
      for (guint end = 0; end < 2; end++) {
        assert_true(rests(p, end, phase % 2) || !every[k][end]); /* one that sends nothing need not notice */
        assert_false(rests(p, end, !(phase % 2)));
      }
      pair_end(p);
    }
}

static void the_first_packets_of_an_idle_bundle_are_lost_for_a_second_at_most(void **state) {
  for (guint phase = 0; phase < 1000; phase += 41) {
    Pair *p = pair_begin(3, 15);
    pass(p, 2000);
    cut(p, 1, TRUE);
    pass(p, 60000 + phase);
    p->every_ms[0] = 10;
    pass(p, LIMIT_MS);
    assert_true(rests(p, 0, 1));
    assert_false(rests(p, 0, 0) || rests(p, 0, 2));
    pair_end(p);
  }
}

static void a_link_that_answers_again_is_used_again(void **state) {
  for (guint phase = 0; phase < 1500; phase += 101) {
    Pair *p = pair_begin(2, 15);
    p->every_ms[0] = p->every_ms[1] = 20;
    pass(p, 3000);
    cut(p, 0, TRUE);
    pass(p, 5000 + phase);
    assert_true(rests(p, 0, 0) && rests(p, 1, 0));
    assert_true(p->node[0][0].watch.silent && p->node[1][0].watch.silent);
    cut(p, 0, FALSE);
    pass(p, 1200);
    assert_false(rests(p, 0, 0) || rests(p, 1, 0));
    guint before = p->rests[0][0];
    pass(p, 20000);
    assert_int_equal(p->rests[0][0], before);
    pair_end(p);
  }
}

/* The end that hears on it must notice, too: the frames that it sends get lost. */
static void a_link_that_is_dead_in_one_direction_rests_at_both_ends(void **state) {
  for (guint phase = 0; phase < 1500; phase += 101) {
    Pair *p = pair_begin(2, 15);
    p->every_ms[0] = p->every_ms[1] = 20;
    pass(p, 3000 + phase);
    p->cut[0][1] = TRUE;
    pass(p, 3 * LIMIT_MS);
    assert_true(rests(p, 0, 1) && rests(p, 1, 1));
    p->cut[0][1] = FALSE;
    pass(p, 1200);
    assert_false(rests(p, 0, 1) || rests(p, 1, 1));
    pair_end(p);
  }
}

static void a_link_that_is_gone_for_the_core_is_no_concern(void **state) {
  Pair *p = pair_begin(2, 15);
  p->every_ms[0] = 20;
  pass(p, 3000);
  cut(p, 1, TRUE);
  pass(p, 2000);
  assert_true(rests(p, 0, 1));
  p->node[0][1].facts.up = FALSE; /* its LCP negotiates */
  pass(p, 300);
  assert_false(rests(p, 0, 1));
  guint probes = p->node[0][0].probes + p->node[0][1].probes;
  pass(p, 10000);
  assert_int_equal(p->node[0][0].probes + p->node[0][1].probes, probes); /* the only link is not asked */
  pair_end(p);
}

/* ---- life ---- */

static void the_last_links_never_rest_all(void **state) {
  Pair *p = pair_begin(3, 15);
  p->every_ms[0] = 10;
  pass(p, 3000);
  for (guint i = 0; i < 3; i++) {
    cut(p, i, TRUE);
    pass(p, i == 2 ? 20000 : 0);
  }
  assert_false(rests(p, 0, 0) || rests(p, 0, 1) || rests(p, 0, 2)); /* the peer is silent */
  cut(p, 1, FALSE);
  pass(p, 2500);
  assert_true(rests(p, 0, 0) && rests(p, 0, 2) && !rests(p, 0, 1));
  cut(p, 0, FALSE);
  cut(p, 1, TRUE);
  pass(p, 2500);
  assert_true(!rests(p, 0, 0) && rests(p, 0, 1) && rests(p, 0, 2));
  pair_end(p);
}

static void a_long_way_is_no_death(void **state) {
  Pair *p = pair_begin(2, 15);
  p->delay_ms[1] = 700;
  p->every_ms[0] = 10;
  pass(p, 2000); /* its round trip is measured */
  guint before = p->rests[0][1];
  pass(p, 60000);
  assert_int_equal(p->rests[0][1], before);
  cut(p, 1, TRUE);
  pass(p, 6000);
  assert_true(rests(p, 0, 1));
  pair_end(p);
}

static void losses_hardly_keep_a_link_away(void **state) {
  Pair *p = pair_begin(2, 15);
  p->every_ms[0] = 10; /* nothing else than answers comes back */
  p->loss[0] = p->loss[1] = 50;
  pass(p, 300000);
  for (guint i = 0; i < 2; i++)
    assert_in_range(p->rests[0][i], 0, 300000 / 50);
  p->every_ms[1] = 10;
  memset(p->rests, 0, sizeof p->rests);
  pass(p, 300000);
  for (guint i = 0; i < 2; i++)
    assert_in_range(p->rests[0][i], 0, 300000 / 1000);
  pair_end(p);
}

static void a_peer_that_answers_no_echo_is_believed_by_its_data(void **state) {
  Pair *p = pair_begin(2, 15);
  p->mute[1] = TRUE;
  p->every_ms[0] = p->every_ms[1] = 20;
  pass(p, 60000);
  assert_int_equal(p->rests[0][0] + p->rests[0][1], 0);
  p->cut[1][0] = TRUE;
  pass(p, 3000);
  assert_true(rests(p, 0, 0));
  p->cut[1][0] = FALSE;
  p->node[1][0].watch.rests = FALSE;
  pass(p, 3000);
  assert_false(rests(p, 0, 0));
  pair_end(p);
}

static void questions_are_few(void **state) {
  Pair *p = pair_begin(2, 1);
  pass(p, 60000); /* idle: one for the round trip */
  assert_int_equal(p->node[0][0].probes, 1);
  p->every_ms[0] = p->every_ms[1] = 5;
  pass(p, 60000); /* busy: one a second */
  assert_in_range(p->node[0][0].probes, 55, 62);
  p->loses[0] = TRUE; /* a peer that makes us lose something all the time */
  guint before = p->node[0][0].probes;
  pass(p, 60000);
  assert_in_range(p->node[0][0].probes - before, 60, 240);
  p->loses[0] = FALSE;
  cut(p, 0, TRUE);
  before = p->node[0][0].probes;
  pass(p, 60000);
  assert_in_range(p->node[0][0].probes - before, 50, 62);
  pair_end(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_dead_link_rests_within_a_second),
      cmocka_unit_test(the_first_packets_of_an_idle_bundle_are_lost_for_a_second_at_most),
      cmocka_unit_test(a_link_that_answers_again_is_used_again),
      cmocka_unit_test(a_link_that_is_dead_in_one_direction_rests_at_both_ends),
      cmocka_unit_test(a_link_that_is_gone_for_the_core_is_no_concern),
      cmocka_unit_test(the_last_links_never_rest_all),
      cmocka_unit_test(a_long_way_is_no_death),
      cmocka_unit_test(losses_hardly_keep_a_link_away),
      cmocka_unit_test(a_peer_that_answers_no_echo_is_believed_by_its_data),
      cmocka_unit_test(questions_are_few),
  };
  return cmocka_run_group_tests_name("mp watch", tests, NULL, NULL);
}
