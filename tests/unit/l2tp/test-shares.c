/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Shares of sources against a plain model, and what serves real clients in a flood; the tables under them. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "plugins/l2tp/strangers/kin.h"
#include "plugins/l2tp/strangers/shares.h"
#include <string.h>

static const guint8 key[ADIT_SIPHASH_KEY] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static AditAddress ip(const char *text) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return address;
}

static AditAddress ip4(guint32 number) {
  AditAddress address = {.family = AF_INET};
  for (guint i = 0; i < 4; i++)
    address.octet[i] = (guint8)(number >> (24 - 8 * i));
  return address;
}

/* The vectors of the paper's reference code: octets 0, 1, 2 ... of lengths 0 to 15. */
static void siphash_2_4_vectors(void **state) {
  static const guint64 expected[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
                                     0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
                                     0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
                                     0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  guint8 data[16];
  for (guint i = 0; i < sizeof data; i++) {
    data[i] = (guint8)i;
    assert_true(adit_siphash(key, data, i) == expected[i]);
  }
}

/* ---- rings ---- */

static void kin_keep_the_order_of_arrival(void **state) {
  GHashTable *table = l2tp_kin_table_new();
  L2tpKin kin[6] = {{0}};
  l2tp_kin_remove(table, &kin[0]); /* in no table */
  for (guint i = 0; i < 6; i++)
    l2tp_kin_add(table, &kin[i], i == 5 ? 8 : 7);
  assert_ptr_equal(l2tp_kin_first(table, 7), &kin[0]);
  assert_null(l2tp_kin_first(table, 9));
  assert_null(l2tp_kin_next(table, &kin[5]));
  l2tp_kin_rotate(table, &kin[0]);
  l2tp_kin_remove(table, &kin[1]); /* the first, now */
  l2tp_kin_remove(table, &kin[3]);
  guint order[] = {2, 4, 0}, n = 0;
  for (L2tpKin *at = l2tp_kin_first(table, 7); at; at = l2tp_kin_next(table, at))
    assert_ptr_equal(at, &kin[order[n++]]);
  assert_int_equal(n, 3);
  for (guint i = 0; i < 6; i++)
    l2tp_kin_remove(table, &kin[i]);
  assert_int_equal(g_hash_table_size(table), 0);
  g_hash_table_unref(table);
}

/* ---- shares ---- */

static void the_greediest_network_then_its_greediest_host(void **state) {
  L2tpShares shares;
  L2tpShare item[8] = {{0}};
  const char *from[] = {"192.0.2.1", "192.0.2.2", "192.0.2.2", "198.51.100.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:2::1"};
  l2tp_shares_init(&shares, key);
  AditAddress stranger = ip("203.0.113.1"), neighbour = ip("192.0.2.9");
  assert_null(l2tp_shares_victim(&shares, &stranger, 0, 0));
  for (guint i = 0; i < G_N_ELEMENTS(from); i++) {
    AditAddress address = ip(from[i]);
    l2tp_shares_add(&shares, &item[i], &address, 100 + i);
  }
  assert_int_equal(l2tp_shares_held(&shares, &neighbour, TRUE), 4);
  assert_int_equal(l2tp_shares_held(&shares, &neighbour, FALSE), 0);
  AditAddress six = ip("2001:db8::9");
  assert_int_equal(l2tp_shares_held(&shares, &six, TRUE), 2); /* one /48 */
  six = ip("2001:db8:0:1::9");
  assert_int_equal(l2tp_shares_held(&shares, &six, FALSE), 1); /* one /64 */
  assert_ptr_equal(l2tp_shares_victim(&shares, &stranger, 200, G_MAXUINT32), &item[1]);
  /* its own network is the greediest: hosts are weighed */
  assert_ptr_equal(l2tp_shares_victim(&shares, &neighbour, 200, G_MAXUINT32), &item[1]);
  AditAddress greedy = ip("192.0.2.2");
  assert_null(l2tp_shares_victim(&shares, &greedy, 200, 1000)); /* it would displace itself: it waits */
  assert_ptr_equal(l2tp_shares_victim(&shares, &greedy, 1101, 1000), &item[1]);
  for (guint i = 0; i < G_N_ELEMENTS(from); i++)
    l2tp_shares_remove(&shares, &item[i]);
  assert_int_equal(g_hash_table_size(shares.sources), 0);
  assert_int_equal(l2tp_shares_most(&shares), 0);
  l2tp_shares_clear(&shares);
}

/* Everybody comes back after an outage: nobody is displaced by somebody who holds no less, until patience ends. */
static void a_storm_does_not_displace_itself(void **state) {
  enum { N = 100 };
  L2tpShares shares;
  L2tpShare item[N] = {{0}};
  l2tp_shares_init(&shares, key);
  for (guint i = 0; i < N; i++) {
    AditAddress address = ip4(0x0a000001 + (i << 8));
    l2tp_shares_add(&shares, &item[i], &address, 1000);
  }
  AditAddress next = ip("198.51.100.1");
  assert_null(l2tp_shares_victim(&shares, &next, 5999, 5000));
  assert_ptr_equal(l2tp_shares_victim(&shares, &next, 6000, 5000), &item[0]);
  for (guint i = 0; i < N; i++)
    l2tp_shares_remove(&shares, &item[i]);
  l2tp_shares_clear(&shares);
}

/** What the module must say, by looking at everything. */
static void check_against_model(L2tpShares *shares, L2tpShare *items, const guint32 *from, guint n, guint32 newcomer) {
  guint networks[16] = {0}, hosts[16][16] = {{0}}, count = 0, most = 0;
  for (guint i = 0; i < n; i++)
    if (items[i].host) {
      networks[from[i] >> 8 & 15]++;
      hosts[from[i] >> 8 & 15][from[i] & 15]++;
      count++;
    }
  for (guint i = 0; i < 16; i++)
    most = MAX(most, networks[i]);
  assert_int_equal(shares->count, count);
  assert_int_equal(l2tp_shares_most(shares), most);
  AditAddress address = ip4(newcomer);
  guint net = newcomer >> 8 & 15, host = newcomer & 15, own_most = 0;
  assert_int_equal(l2tp_shares_held(shares, &address, TRUE), networks[net]);
  assert_int_equal(l2tp_shares_held(shares, &address, FALSE), hosts[net][host]);
  for (guint i = 0; i < 16; i++)
    own_most = MAX(own_most, hosts[net][i]);
  L2tpShare *victim = l2tp_shares_victim(shares, &address, 0, G_MAXUINT32), *any = l2tp_shares_victim(shares, &address, G_MAXUINT32, 0);
  gboolean inside = count && networks[net] == most;
  assert_int_equal(victim != NULL, count && (inside ? own_most >= hosts[net][host] + 2 : most >= networks[net] + 2));
  assert_int_equal(any != NULL, count > 0);
  if (!any)
    return;
  guint32 at = from[any - items];
  assert_int_equal(networks[at >> 8 & 15], most);
  if (inside)
    assert_int_equal(at >> 8 & 15, net);
  for (guint i = 0; i < 16; i++)
    assert_true(hosts[at >> 8 & 15][at & 15] >= hosts[at >> 8 & 15][i]);
  for (guint i = 0; i < n; i++) /* the oldest of its host */
    if (items[i].host && from[i] == at)
      assert_true(items[i].since_ms >= any->since_ms);
}

static void shares_equal_a_model(void **state) {
  enum { N = 120, STEPS = 20000 };
  for (guint seed = 1; seed <= 5; seed++) {
    GRand *dice = g_rand_new_with_seed(seed);
    L2tpShares shares;
    L2tpShare items[N] = {{0}};
    guint32 from[N] = {0};
    l2tp_shares_init(&shares, key);
    for (guint step = 0; step < STEPS; step++) {
      guint i = (guint)g_rand_int_range(dice, 0, N);
      if (items[i].host) {
        l2tp_shares_remove(&shares, &items[i]);
      } else {
        gboolean greedy = g_rand_boolean(dice);
        from[i] =
            0x0a000000 | (guint32)g_rand_int_range(dice, 0, greedy ? 2 : 16) << 8 | (guint32)g_rand_int_range(dice, 0, greedy ? 3 : 16);
        AditAddress address = ip4(from[i]);
        l2tp_shares_add(&shares, &items[i], &address, step);
      }
      if (step % 16 == 0)
        check_against_model(&shares, items, from, N, 0x0a000000 | (g_rand_int(dice) & 0x0f0f));
    }
    for (guint i = 0; i < N; i++)
      l2tp_shares_remove(&shares, &items[i]);
    assert_int_equal(g_hash_table_size(shares.sources), 0);
    l2tp_shares_clear(&shares);
    g_rand_free(dice);
  }
}

/* ---- what serves real clients in a flood of spoofed SCCRQs ---- */

typedef enum { OLDEST = 1, RANDOM, SHARES } Policy;
enum { SLOTS_MAX = 16384, CLIENTS = 100 };

typedef struct {
  L2tpShare share;
  gint client; /* -1 = of the flood */
} Slot;

static struct {
  L2tpShares shares;
  GRand *dice;
  Slot slots[SLOTS_MAX];
  guint n, limit, next; /* next: of the ring, for OLDEST */
  Policy policy;
  Slot *of[CLIENTS];
} sim;

static void slot_fill(Slot *slot, gint client, const AditAddress *from, guint64 now) {
  slot->client = client;
  if (client >= 0)
    sim.of[client] = slot;
  l2tp_shares_add(&sim.shares, &slot->share, from, now);
}

static void slot_empty(Slot *slot) {
  if (slot->client >= 0)
    sim.of[slot->client] = NULL;
  slot->client = -1;
  l2tp_shares_remove(&sim.shares, &slot->share);
}

/** FALSE: it has to ask again. */
static gboolean sim_arrive(gint client, const AditAddress *from, guint64 now) {
  Slot *slot = NULL;
  if (sim.n < sim.limit) {
    slot = &sim.slots[sim.n++];
  } else if (sim.policy == SHARES) {
    L2tpShare *victim = l2tp_shares_victim(&sim.shares, from, now, 300);
    slot = victim ? victim->owner : NULL;
  } else if (sim.policy == RANDOM) {
    slot = &sim.slots[g_rand_int_range(sim.dice, 0, (gint)sim.limit)];
  } else {
    slot = &sim.slots[sim.next++ % sim.limit];
  }
  if (!slot)
    return FALSE;
  slot_empty(slot);
  slot_fill(slot, client, from, now);
  return TRUE;
}

/** How many of CLIENTS, one each 20 ms, have their tunnel within 5 s; each asks at 0, 1 and 3 s, and confirms after a round trip. */
static guint sim_run(Policy policy, guint limit, guint rate, guint round_trip, guint source_bits) {
  guint64 answered[CLIENTS] = {0};
  gboolean stands[CLIENTS] = {FALSE};
  guint done = 0, lost = 0;
  memset(&sim, 0, sizeof sim);
  sim.policy = policy;
  sim.limit = limit;
  sim.dice = g_rand_new_with_seed(7);
  l2tp_shares_init(&sim.shares, key);
  for (guint i = 0; i < SLOTS_MAX; i++) {
    sim.slots[i].share.owner = &sim.slots[i];
    sim.slots[i].client = -1;
  }
  guint64 begin = SLOTS_MAX * 1000 / rate + 1, end = begin + CLIENTS * 20 + 5000;
  for (guint64 now = 0; now < end && done + lost < CLIENTS; now++) {
    for (guint i = 0; i < rate / 1000; i++) {
      AditAddress from = ip4(0xac100000 ^ (g_rand_int(sim.dice) >> (32 - source_bits)));
      sim_arrive(-1, &from, now);
    }
    for (guint c = 0; now >= begin && c < CLIENTS; c++) {
      guint64 asked = begin + c * 20, age = now - asked;
      AditAddress from = ip4(0xc6336400 + (c << 8) + 1);
      if (now < asked || stands[c] || age > 5000)
        continue;
      /* Once it has an answer it goes on with that tunnel, and does not ask again. */
      if (!answered[c] && (age == 0 || age == 1000 || age == 3000) && sim_arrive((gint)c, &from, now))
        answered[c] = now + round_trip;
      if (answered[c] == now && !sim.of[c])
        lost++;
      if (answered[c] == now && sim.of[c]) {
        stands[c] = TRUE;
        done++;
        slot_empty(sim.of[c]);
      }
    }
  }
  for (guint i = 0; i < SLOTS_MAX; i++)
    slot_empty(&sim.slots[i]);
  l2tp_shares_clear(&sim.shares);
  g_rand_free(sim.dice);
  return done;
}

static void real_clients_get_in_during_a_flood(void **state) {
  static const struct {
    guint rate, round_trip, source_bits;
  } rows[] = {{10000, 80, 20}, {40000, 80, 20}, {40000, 80, 32}, {40000, 300, 32}, {40000, 800, 20}};
  print_message("real clients of %u, by what goes when half-open tunnels are full:\n", CLIENTS);
  print_message("%8s %6s %8s | %10s %12s %12s %12s\n", "flood/s", "RTT", "sources", "oldest 512", "oldest 16384", "random 16384",
                "shares 16384");
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    guint r = rows[i].rate, t = rows[i].round_trip, b = rows[i].source_bits;
    guint few = sim_run(OLDEST, 512, r, t, b), oldest = sim_run(OLDEST, SLOTS_MAX, r, t, b), random = sim_run(RANDOM, SLOTS_MAX, r, t, b);
    guint shares = sim_run(SHARES, SLOTS_MAX, r, t, b);
    print_message("%8u %3u ms    2^%-3u | %10u %12u %12u %12u\n", r, t, b, few, oldest, random, shares);
    assert_int_equal(shares, CLIENTS);
    assert_true(shares >= oldest && shares >= random);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(siphash_2_4_vectors),
      cmocka_unit_test(kin_keep_the_order_of_arrival),
      cmocka_unit_test(the_greediest_network_then_its_greediest_host),
      cmocka_unit_test(a_storm_does_not_displace_itself),
      cmocka_unit_test(shares_equal_a_model),
      cmocka_unit_test(real_clients_get_in_during_a_flood),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
