/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which link a fragment goes to. */
#include "bundle.h"

/* Octets that each link was given since the last look. */
typedef struct {
  guint64 octets[ADIT_STAGE_LINKS];
  guint runs; /* of neighbours on one link */
  guint frames;
} Shares;

static Shares take_shares(Bundle *b) {
  Shares shares = {0};
  for (guint i = 0; i < b->frames->len; i++) {
    const Piece *piece = bundle_frame(b, i);
    shares.octets[piece->link] += piece->data->len;
    shares.runs += i == 0 || bundle_frame(b, i - 1)->link != piece->link;
    shares.frames++;
  }
  bundle_forget(b);
  return shares;
}

/* `n` packets in each of `ms` milliseconds. */
static Shares send_for(Bundle *b, guint ms, guint n, guint32 length) {
  for (guint i = 0; i < ms; i++, b->now_ms++)
    for (guint k = 0; k < n; k++)
      bundle_send(b, ADIT_PPP_IPV4, length, 0);
  return take_shares(b);
}

static void expect_share(const Shares *shares, guint link, guint percent) {
  guint64 all = 0;
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    all += shares->octets[i];
  assert_in_range(shares->octets[link] * 100 / all, percent - MIN(percent, 3), percent + 3);
}

static void links_of_which_nothing_is_known_have_equal_shares(void **state) {
  Bundle *b = *state;
  b->links = 0x8015;
  Shares shares = send_for(b, 100, 7, 3); /* small ones, too */
  expect_share(&shares, 0, 25);
  shares = send_for(b, 100, 20, 1000);
  for (guint i = 0; i < 5; i += 2)
    expect_share(&shares, i, 25);
  expect_share(&shares, 15, 25);
}

static void a_slow_flow_takes_turns_and_a_fast_one_goes_in_bursts(void **state) {
  Bundle *b = *state;
  b->links = 3;
  Shares shares = send_for(b, 200, 1, 1000);
  assert_in_range(shares.runs, shares.frames - 5, shares.frames);
  send_for(b, 50, 20, 1400);
  shares = send_for(b, 100, 20, 1400); /* 28 octets each microsecond: a dozen fragments leave together */
  assert_in_range(shares.frames / shares.runs, 8, 24);
  expect_share(&shares, 0, 50);
}

static void a_link_that_rests_has_no_share_while_there_is_another(void **state) {
  Bundle *b = *state;
  b->links = 7;
  b->params.resting = 2;
  Shares shares = send_for(b, 100, 20, 1000);
  assert_int_equal(shares.octets[1], 0);
  expect_share(&shares, 0, 50);
  expect_share(&shares, 2, 50);
  b->links = 6;
  b->params.resting = 4;
  shares = send_for(b, 100, 20, 1000);
  expect_share(&shares, 1, 100);
  b->params.resting = 0; /* it answers again: an equal share, and not what it missed */
  shares = send_for(b, 100, 20, 1000);
  expect_share(&shares, 1, 50);
  b->params.resting = 6; /* none answers: better than nothing */
  shares = send_for(b, 100, 20, 1000);
  expect_share(&shares, 1, 50);
}

static void shares_follow_the_rates(void **state) {
  Bundle *b = *state;
  b->links = 3;
  b->params.link[0].rate = 30000000; /* as configured */
  b->params.link[1].rate = 10000000;
  Shares shares = send_for(b, 200, 20, 1400);
  expect_share(&shares, 0, 75);
  b->params.link[0].rate = b->params.link[1].rate = 0;
  b->fact[0] = (AditStageLink){.size = sizeof(AditStageLink), .rate = 2000000}; /* as measured */
  b->fact[1] = (AditStageLink){.size = sizeof(AditStageLink), .rate = 8000000};
  shares = send_for(b, 200, 20, 1400);
  expect_share(&shares, 1, 80);
  b->fact[1].rate = 0; /* not known: as good as the best */
  shares = send_for(b, 200, 20, 1400);
  expect_share(&shares, 1, 50);
}

/* Two queues that drain at 3:1; nobody knows the rates, but the queues are seen. */
static void shares_follow_the_queues(void **state) {
  static const guint64 drains[] = {21000, 7000};
  Bundle *b = *state;
  Shares sum = {0};
  b->links = 3;
  for (guint i = 0; i < 2; i++)
    b->fact[i] = (AditStageLink){.size = sizeof(AditStageLink)};
  for (guint ms = 0; ms < 400; ms++) {
    Shares shares = send_for(b, 1, 20, 1400);
    for (guint i = 0; i < 2; i++) {
      guint64 queued = b->fact[i].queued + shares.octets[i];
      b->fact[i].queued = (guint32)(queued - MIN(queued, drains[i]));
      sum.octets[i] += ms < 50 ? 0 : shares.octets[i];
    }
  }
  expect_share(&sum, 0, 75);
  assert_true(b->fact[0].queued < 400000 && b->fact[1].queued < 400000);
}

static void the_smaller_mtu_counts(void **state) {
  Bundle *b = *state;
  b->params.link[0].mtu = 1450;
  b->fact[0] = (AditStageLink){.size = sizeof(AditStageLink), .mtu = 1400};
  bundle_send(b, ADIT_PPP_IPV4, 1420, 0);
  assert_int_equal(b->frames->len, 2);
  bundle_forget(b);
  b->fact[0].mtu = 1480; /* the path got better */
  b->now_ms++;
  bundle_send(b, ADIT_PPP_IPV4, 1420, 0);
  bundle_send(b, ADIT_PPP_IPV4, 1444, 0);
  assert_int_equal(b->frames->len, 2);
}

static void links_come_and_go(void **state) {
  Bundle *b = *state;
  b->links = 3;
  send_for(b, 50, 20, 1400);
  b->links = 2;
  Shares shares = send_for(b, 10, 20, 1400);
  assert_int_equal(shares.octets[0], 0);
  b->links = 7;
  shares = send_for(b, 100, 20, 1400);
  expect_share(&shares, 0, 33);
  expect_share(&shares, 2, 33);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      BUNDLE_TEST(links_of_which_nothing_is_known_have_equal_shares),
      BUNDLE_TEST(a_slow_flow_takes_turns_and_a_fast_one_goes_in_bursts),
      BUNDLE_TEST(a_link_that_rests_has_no_share_while_there_is_another),
      BUNDLE_TEST(shares_follow_the_rates),
      BUNDLE_TEST(shares_follow_the_queues),
      BUNDLE_TEST(the_smaller_mtu_counts),
      BUNDLE_TEST(links_come_and_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
