/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/auth/cases.h"

Pair *pair_serve(const AditAuthMethod *method, guint32 seed, const char *password) {
  Pair *pair = pair_new(method, seed);
  pair->password = password;
  pair_start(pair, SERVER, "gate", NULL);
  return pair;
}

Pair *pair_log_in(const AditAuthMethod *method, guint32 seed, const char *password, const char *user, const char *given) {
  Pair *pair = pair_serve(method, seed, password);
  pair_start(pair, CLIENT, user, given);
  return pair;
}

void pair_inject_bytes(Pair *pair, int which, GBytes *packet) {
  gsize length;
  gconstpointer data = g_bytes_get_data(packet, &length);
  pair_inject(pair, which, data, length);
}

void pair_assert_ok(Pair *pair) {
  assert_true(pair->end[SERVER].ok && pair->end[CLIENT].ok);
}

/** True if both ends are content. */
static gboolean bad_network(const AditAuthMethod *method, guint32 seed, gboolean wrong) {
  g_autoptr(Pair) pair = pair_new(method, seed);

  pair->loss = pair->twice = 20;
  pair->delay_ms = 2000;
  pair->verdict_ms = seed % 3 ? 0 : 4000;
  pair->password = "secret";
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "bob", wrong ? "guess" : "secret");
  for (guint i = 0; i < 20; i++) {
    pair_run(pair, (guint64)g_rand_int_range(pair->random, 1, 3000));
    if (g_rand_int_range(pair->random, 0, 4) == 0)
      assert_true(pair_restart(pair, g_rand_int_range(pair->random, 0, 2)));
  }
  pair_run(pair, 60000);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_false(wrong && (pair->end[SERVER].ok || pair->end[CLIENT].ok));
  return pair->end[SERVER].ok && pair->end[CLIENT].ok;
}

void pair_bear_bad_network(const AditAuthMethod *method, guint seeds) {
  guint good = 0, right = 0;

  for (guint32 seed = 0; seed < seeds; seed++) {
    gboolean wrong = seed % 4 == 0;
    good += !wrong;
    right += bad_network(method, seed, wrong);
  }
  assert_in_range(right, good * 99 / 100, good);
}
