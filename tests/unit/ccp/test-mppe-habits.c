/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The stage and peers as they are, in both directions and modes, over a line that loses. A failure is a seed. */
#include "habits.h"

enum { SEEDS = 60, PACKETS = 3000 };

static const MppeDirection *toward(const Stage *s, gboolean to_peer) {
  return to_peer ? &s->params.send : &s->params.receive;
}

static Stage *stage_of(gboolean stateless) {
  MppeParams params = params_of(MPPE_128, stateless, FALSE);
  return stage_new(&params);
}

typedef struct {
  guint sent, passed, lost, resets;
} Tally;

/* The peer sends; resets reach it, or are lost as everything else. */
static Tally hear_peer(gboolean linux_like, gboolean stateless, guint32 seed, Stage *s) {
  GRand *rand = g_rand_new_with_seed(seed);
  gdouble loss = g_rand_double_range(rand, 0, 0.2);
  Tally t = {0};
  Peer peer;

  peer_init(&peer, linux_like, toward(s, FALSE), TRUE);
  for (; t.sent < PACKETS; t.sent++) {
    Octets packet = packet_of(64, t.sent), frame = peer_send(&peer, &packet);
    guint resets = s->resets;
    s->io.now_ms += 30;
    if (g_rand_double(rand) < loss) {
      t.lost++;
      continue;
    }
    if (decode(s, &frame)) {
      assert_octets(&s->last, &packet);
      t.passed++;
    }
    if (s->resets > resets && g_rand_double(rand) >= loss)
      peer.flush = TRUE;
  }
  t.resets = s->resets;
  g_rand_free(rand);
  return t;
}

/* The stage sends; the peer asks for resets, and repeats a request that was lost with its next packet. */
static Tally tell_peer(gboolean linux_like, gboolean stateless, guint32 seed, Stage *s) {
  GRand *rand = g_rand_new_with_seed(seed);
  gdouble loss = g_rand_double_range(rand, 0, 0.2);
  Tally t = {0};
  guint since = 0; /* packets since the last request */
  Peer peer;

  peer_init(&peer, linux_like, toward(s, TRUE), FALSE);
  for (; t.sent < PACKETS; t.sent++) {
    Octets packet = packet_of(64, t.sent), got;
    assert_true(encode(s, &packet));
    if (g_rand_double(rand) < loss) {
      t.lost++;
      continue;
    }
    PeerResult result = peer_receive(&peer, &s->last, &got);
    if (result == PEER_TOOK) {
      assert_octets(&got, &packet); /* the peer can't tell noise: it must not get any */
      t.passed++;
    }
    if (result == PEER_RESET || (result == PEER_DROPPED && !stateless && ++since >= 4)) {
      since = 0;
      t.resets++;
      if (g_rand_double(rand) >= loss)
        s->params.flush++;
    }
  }
  g_rand_free(rand);
  return t;
}

static void expect_flow(const Tally *t, gboolean stateless, guint32 seed) {
  guint least = stateless ? t->sent - t->lost : t->sent / 10;
  if (t->passed < least)
    fail_msg("seed %u: %u of %u passed, %u lost, %u resets", seed, t->passed, t->sent, t->lost, t->resets);
}

static void stateless_frames_of_every_peer_are_understood(void **unused) {
  for (guint32 seed = 1; seed <= SEEDS; seed++) {
    g_autoptr(Stage) s = stage_of(TRUE), other = stage_of(TRUE);
    Tally heard = hear_peer(seed & 1, TRUE, seed, s), told = tell_peer(seed & 1, TRUE, seed, other);
    expect_flow(&heard, TRUE, seed);
    expect_flow(&told, TRUE, seed);
  }
}

static void rfc3078_8_3_restarts_with_the_current_key_are_understood(void **unused) {
  for (guint32 seed = 1; seed <= SEEDS; seed++) {
    g_autoptr(Stage) s = stage_of(FALSE);
    Tally heard = hear_peer(FALSE, FALSE, seed, s);
    expect_flow(&heard, FALSE, seed);
    assert_int_equal(mppe_habit(s->state), MPPE_HABIT_CURRENT);
  }
}

static void linux_restarts_with_a_changed_key_are_understood(void **unused) {
  for (guint32 seed = 1; seed <= SEEDS; seed++) {
    g_autoptr(Stage) s = stage_of(FALSE);
    Tally heard = hear_peer(TRUE, FALSE, seed, s);
    expect_flow(&heard, FALSE, seed);
    if (heard.resets > 20) /* on flag packets alone it does not show */
      assert_int_equal(mppe_habit(s->state), MPPE_HABIT_CHANGED);
  }
}

/* The peer's habit is not known, as it has sent nothing. */
static void a_peer_of_unknown_habit_is_never_sent_noise(void **unused) {
  for (guint32 seed = 1; seed <= SEEDS; seed++)
    for (guint linux_like = 0; linux_like < 2; linux_like++) {
      g_autoptr(Stage) s = stage_of(FALSE);
      Tally told = tell_peer(linux_like, FALSE, seed, s);
      expect_flow(&told, FALSE, seed);
    }
}

/* And when it is known: by what the peer has sent before. */
static void a_peer_of_known_habit_is_never_sent_noise(void **unused) {
  for (guint32 seed = 1; seed <= SEEDS; seed++)
    for (guint linux_like = 0; linux_like < 2; linux_like++) {
      g_autoptr(Stage) s = stage_of(FALSE);
      hear_peer(linux_like, FALSE, seed, s);
      Tally told = tell_peer(linux_like, FALSE, seed + 1000, s);
      expect_flow(&told, FALSE, seed);
    }
}

/* A peer that follows the RFC gets the very next packet. */
static void rfc3078_8_3_a_reset_costs_no_count(void **unused) {
  g_autoptr(Stage) s = stage_of(FALSE);
  Peer peer;
  Octets packet = packet_of(64, 1);

  peer_init(&peer, FALSE, toward(s, FALSE), TRUE);
  Octets first = peer_send(&peer, &packet); /* flushed, as the RFC has it: its key tells the habit */
  assert_true(decode(s, &first));
  for (guint i = 0; i < 10; i++)
    assert_true(encode(s, &packet));
  s->params.flush++;
  assert_true(encode(s, &packet));
  assert_int_equal(count_of(&s->last), 10);
  assert_int_equal(bits_of(&s->last), 0x9000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stateless_frames_of_every_peer_are_understood),
      cmocka_unit_test(rfc3078_8_3_restarts_with_the_current_key_are_understood),
      cmocka_unit_test(linux_restarts_with_a_changed_key_are_understood),
      cmocka_unit_test(a_peer_of_unknown_habit_is_never_sent_noise),
      cmocka_unit_test(a_peer_of_known_habit_is_never_sent_noise),
      cmocka_unit_test(rfc3078_8_3_a_reset_costs_no_count),
  };
  return cmocka_run_group_tests_name("mppe habits", tests, NULL, NULL);
}
