/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a hostile peer sends: memory stays bounded, for each bundle and in total, and other bundles work. */
#include "bundle.h"
#include "reassembly.h"

#define B  TRUE, FALSE
#define E  FALSE, TRUE
#define BE TRUE, TRUE
#define M  FALSE, FALSE

enum { FLOOD = 20000, BLOCK = MP_BLOCK_DATA };

static guint64 blocks_now(void) {
  guint64 now, most;
  mp_pool_usage(&now, &most);
  return now;
}

/* It is well again: a packet in two fragments arrives. */
static void expect_works(Bundle *b, guint32 sequence) {
  bundle_wait(b, 20 * MP_DEADLINE_MS);
  bundle_forget(b);
  bundle_take_fragment(b, 0, BE, sequence, 10, 0);
  bundle_take_fragment(b, 0, B, sequence + 1, 100, 0);
  bundle_take_fragment(b, 0, E, sequence + 2, 100, 100);
  bundle_wait(b, 20 * MP_DEADLINE_MS);
  assert_int_equal(b->packets->len, 2);
  piece_expect_count(bundle_packet(b, 1), 200, 0);
}

static void begins_without_an_end(void **state) {
  Bundle *b = *state;
  for (guint32 i = 0; i < FLOOD; i++) {
    bundle_take_fragment(b, 0, i == 0, FALSE, i, 1400, 0);
    assert_true(bundle_counters(b).held <= 4 * BLOCK); /* not more than the MRRU */
  }
  assert_int_equal(bundle_counters(b).too_long, 1);
  for (guint32 i = 0; i < FLOOD; i++) {
    bundle_take_fragment(b, 0, B, FLOOD + i, 1400, 0);
    assert_true(bundle_counters(b).held <= 4 * BLOCK);
  }
  expect_works(b, 2 * FLOOD);
}

static void tiny_and_empty_fragments(void **state) {
  Bundle *b = *state;
  b->params.own_mrru = 65535;
  for (guint32 i = 0; i < FLOOD; i++) {
    bundle_take_fragment(b, 0, i == 0, FALSE, i, i & 1, 0);
    assert_true(bundle_counters(b).held <= MP_BUNDLE_MOST * (guint64)BLOCK);
  }
  assert_true(bundle_counters(b).broken > 0);
  expect_works(b, FLOOD);
}

static void gaps_that_are_never_filled(void **state) {
  Bundle *b = *state;
  guint64 most = 0;
  b->links = 3; /* link 1 brings nothing */
  b->params.own_mrru = 65535;
  for (guint32 i = 0; i < FLOOD; i++) {
    bundle_take_fragment(b, 0, B, 1 + 2 * i, i % 7 == 0 ? 9000 : 1400, 0);
    most = MAX(most, bundle_counters(b).held);
    assert_true(bundle_counters(b).held <= MP_BUNDLE_MOST * (guint64)BLOCK);
  }
  assert_true(most > MP_BUNDLE_MOST * (guint64)BLOCK / 2);
  expect_works(b, 2 * FLOOD);
}

static void whole_packets_behind_a_gap_are_delivered_when_the_share_is_used_up(void **state) {
  Bundle *b = *state;
  b->links = 3;
  for (guint32 i = 0; i < 5000; i++)
    bundle_take_fragment(b, 0, BE, 1 + i, 1000, (guint8)i);
  assert_true(b->packets->len > 3000);
  bundle_wait(b, MP_DEADLINE_MS);
  assert_int_equal(b->packets->len, 5000);
  for (guint32 i = 0; i < 5000; i++)
    piece_expect_count(bundle_packet(b, i), 1000, (guint8)i);
}

/* The window ends before the share does. */
static void numbers_beyond_the_window(void **state) {
  Bundle *b = *state;
  b->links = 3;
  b->params.receive_short = TRUE;
  for (guint32 i = 0; i < 3000; i++) { /* 0 is missing: 2048 is as far before it as behind it */
    guint32 sequence = (1 + i) & 0xfff;
    guint8 frame[] = {(guint8)(0xc0 | sequence >> 8), (guint8)sequence, 0x21, (guint8)i};
    bundle_take(b, 0, frame, sizeof frame);
  }
  bundle_wait(b, MP_DEADLINE_MS);
  for (guint i = 1; i < b->packets->len; i++)
    assert_int_equal((guint8)(bundle_packet(b, i)->data->data[0] - bundle_packet(b, i - 1)->data->data[0]), 1);
  assert_true(b->packets->len > 2000);
}

static void packets_longer_than_our_mrru(void **state) {
  Bundle *b = *state;
  bundle_take_fragment(b, 0, BE, 0, 1600, 0);
  bundle_take_fragment(b, 0, BE, 1, 1601, 0);
  bundle_take_fragment(b, 0, B, 2, 800, 0);
  bundle_take_fragment(b, 0, E, 3, 801, 0);
  bundle_take_fragment(b, 0, B, 4, 800, 0);
  bundle_take_fragment(b, 0, E, 5, 800, (guint8)800);
  bundle_take_fragment(b, 0, B, 6, 800, 0);
  bundle_take_fragment(b, 0, M, 7, 10000, 0);
  bundle_take_fragment(b, 0, E, 8, 800, 0);
  assert_int_equal(b->packets->len, 2);
  piece_expect_count(bundle_packet(b, 1), 1600, 0);
  assert_int_equal(bundle_counters(b).too_long, 3);
  expect_works(b, 9);
}

/* More packets become whole at once than fit into the memory of a call. */
static void room_for_a_part_only(void **state) {
  Bundle *b = *state;
  b->links = 3;
  for (guint32 i = 0; i < 200; i++)
    bundle_take_fragment(b, 0, BE, 1 + i, 1500, (guint8)i);
  bundle_take_fragment(b, 1, BE, 0, 1500, 0xff);
  assert_in_range(b->packets->len, 1, 60);
  assert_int_equal(b->deadline_ms, b->now_ms); /* go on at once */
  bundle_wait(b, 0);
  assert_int_equal(b->packets->len, 201);
  for (guint i = 0; i < 201; i++)
    piece_expect_count(bundle_packet(b, i), 1500, (guint8)(i + 0xff));
  assert_int_equal(b->deadline_ms, 0);
  b->room_most = 0;
  bundle_forget(b);
  bundle_take_fragment(b, 1, B, 201, 100, 0);
  bundle_take_fragment(b, 1, E, 202, 100, 100);
  bundle_take_fragment(b, 1, BE, 203, 100, 100);
  assert_int_equal(b->packets->len, 0);
  b->room_most = ADIT_STAGE_ROOM;
  bundle_wait(b, 0);
  assert_int_equal(b->packets->len, 2);
}

/* Each takes all that it can get. */
static void hostile_bundles(guint n, Bundle **hostile) {
  for (guint k = 0; k < n; k++) {
    hostile[k] = bundle_new();
    hostile[k]->links = 3;
    hostile[k]->params.own_mrru = 65535;
    for (guint32 i = 0; i < MP_BUNDLE_MOST + 100; i++)
      bundle_take_fragment(hostile[k], 0, B, 1 + 2 * (i % MP_BUNDLE_MOST), 60, 0);
  }
}

static void hostile_end(guint n, Bundle **hostile) {
  for (guint k = 0; k < n; k++) {
    bundle_wait(hostile[k], 20 * MP_DEADLINE_MS);
    assert_int_equal(bundle_counters(hostile[k]).held, 0);
    bundle_free(hostile[k]);
  }
  assert_int_equal(blocks_now(), 0);
}

static void a_bundle_that_takes_all_has_its_share(void **state) {
  Bundle *hostile[1];
  hostile_bundles(1, hostile);
  assert_in_range(blocks_now(), MP_BUNDLE_MOST - 8, MP_BUNDLE_MOST);
  hostile_end(1, hostile);
}

static void bundles_that_take_all_leave_room_for_a_jumbo(void **state) {
  enum { N = 60 };
  Bundle *hostile[N], *b = *state;
  hostile_bundles(N, hostile);
  assert_true(blocks_now() < MP_POOL_BLOCKS * 7 / 8);
  b->params.own_mrru = 65535;
  for (guint32 i = 0; i < 46; i++)
    bundle_take_fragment(b, 0, i == 0, i == 45, i, 1400, (guint8)(i * 1400));
  assert_int_equal(b->packets->len, 1);
  piece_expect_count(bundle_packet(b, 0), 46 * 1400, 0);
  hostile_end(N, hostile);
}

static void many_bundles_that_take_all_leave_room_for_full_frames(void **state) {
  enum { N = 500 };
  Bundle *hostile[N];
  hostile_bundles(N, hostile);
  assert_true(blocks_now() < MP_POOL_BLOCKS);
  expect_works(*state, 0);
  hostile_end(N, hostile);
}

/* Nothing is left: what needs no memory goes on, and the rest does when there is some again. */
static void a_pool_that_is_used_up(void **state) {
  Bundle *b = *state;
  g_autofree guint32 *own = g_new0(guint32, MP_POOL_BLOCKS);
  for (guint i = 0; i < MP_POOL_BLOCKS; i++)
    own[i] = mp_pool_take(0);
  assert_int_equal(mp_pool_take(0), 0);
  bundle_take_fragment(b, 0, BE, 0, 10, 0);
  bundle_take_fragment(b, 0, B, 1, 10, 0);
  bundle_take_fragment(b, 0, E, 2, 10, 10);
  bundle_take_fragment(b, 0, BE, 3, 10, 0);
  assert_int_equal(b->packets->len, 2);
  assert_int_equal(bundle_counters(b).no_memory, 1);
  for (guint i = 0; i < MP_POOL_BLOCKS; i++)
    mp_pool_give(own[i]);
  expect_works(b, 4);
}

/* Anything at all, by a seed; what it is about is that nothing is kept and no packet comes that nobody sent. */
static void junk(void **state) {
  Bundle *b = *state;
  g_autoptr(GRand) rand = g_rand_new_with_seed(1990);
  b->params.own_mrru = 3000;
  for (guint i = 0; i < 200000; i++) {
    guint32 base = (guint32)g_rand_int_range(rand, 0, 50) == 0 ? g_rand_int(rand) : i / 2;
    guint32 sequence = base + (guint32)g_rand_int_range(rand, -40, 40);
    b->links = i % 1000 == 0 ? (guint32)g_rand_int_range(rand, 0, 16) : b->links;
    bundle_take_fragment(b, (guint8)g_rand_int_range(rand, 0, 5), g_rand_int_range(rand, 0, 3) == 0, g_rand_int_range(rand, 0, 3) == 0,
                         sequence & 0xffffff, (guint32)g_rand_int_range(rand, 0, i % 100 ? 40 : 5000), 0);
    assert_true(bundle_counters(b).held <= MP_BUNDLE_MOST * (guint64)BLOCK);
    if (i % 64 == 0) {
      bundle_wait(b, (guint64)g_rand_int_range(rand, 0, 20));
      bundle_forget(b);
    }
  }
  bundle_wait(b, 20 * MP_DEADLINE_MS);
  assert_int_equal(bundle_counters(b).held, 0);
  assert_int_equal(b->deadline_ms, 0);
}

/* ---- the pool itself ---- */

enum { THREADS = 4, ROUNDS = 20000, OWN = 8 };

/* Each block is one thread's at a time. */
static gpointer take_and_give(gpointer data) {
  guint32 own[OWN] = {0}, self = GPOINTER_TO_UINT(data), bad = 0;
  for (guint i = 0; i < ROUNDS; i++) {
    guint at = i % OWN;
    if (own[at]) {
      guint32 seen;
      memcpy(&seen, mp_pool_block(own[at])->data, sizeof seen);
      bad += seen != (self << 24 | (i - OWN));
      mp_pool_give(own[at]);
    }
    own[at] = mp_pool_take(at % 4);
    guint32 mark = self << 24 | i;
    if (own[at])
      memcpy(mp_pool_block(own[at])->data, &mark, sizeof mark);
    else
      bad++;
  }
  for (guint i = 0; i < OWN; i++)
    mp_pool_give(own[i]);
  return GUINT_TO_POINTER(bad);
}

static void the_pool_is_shared_by_threads(void **state) {
  GThread *thread[THREADS];
  for (guint i = 0; i < THREADS; i++)
    thread[i] = g_thread_new("pool", take_and_give, GUINT_TO_POINTER(i + 1));
  for (guint i = 0; i < THREADS; i++)
    assert_int_equal(GPOINTER_TO_UINT(g_thread_join(thread[i])), 0);
  assert_int_equal(blocks_now(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      BUNDLE_TEST(begins_without_an_end),
      BUNDLE_TEST(tiny_and_empty_fragments),
      BUNDLE_TEST(gaps_that_are_never_filled),
      BUNDLE_TEST(whole_packets_behind_a_gap_are_delivered_when_the_share_is_used_up),
      BUNDLE_TEST(numbers_beyond_the_window),
      BUNDLE_TEST(packets_longer_than_our_mrru),
      BUNDLE_TEST(room_for_a_part_only),
      BUNDLE_TEST(a_bundle_that_takes_all_has_its_share),
      BUNDLE_TEST(bundles_that_take_all_leave_room_for_a_jumbo),
      BUNDLE_TEST(many_bundles_that_take_all_leave_room_for_full_frames),
      BUNDLE_TEST(a_pool_that_is_used_up),
      BUNDLE_TEST(junk),
      BUNDLE_TEST(the_pool_is_shared_by_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
