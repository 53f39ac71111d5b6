/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "schedule.h"

#define SECOND G_GUINT64_CONSTANT(1000000000) /* nanoseconds */

enum {
  MTU = 1500,         /* of a link of which nothing is known (RFC 1661 2: each takes so much) */
  COUNT_MS = 16,      /* how long octets are counted to know the bundle's rate */
  BURST_LEAST = 6000, /* octets in a millisecond: below it fragments take turns */
  BURST_MOST = 64 * 1024,
  HALVED = 63, /* halvings after which nothing is left */
};

static guint32 find_mtu(const MpLinkParams *agreed, const AditStageLink *fact) {
  guint32 mtu = agreed->mtu ? agreed->mtu : MTU;
  mtu = fact->mtu ? MIN(mtu, fact->mtu) : mtu;
  return CLAMP(mtu, MP_MTU_MIN, G_MAXUINT16);
}

/* A link of unknown rate counts as the fastest: it has never been full. */
static void fill_rates(MpSchedule *s) {
  guint64 most = 1;
  for (guint32 bits = s->links; bits; bits &= bits - 1)
    most = MAX(most, s->link[__builtin_ctz(bits)].rate);
  for (guint32 bits = s->links; bits; bits &= bits - 1) {
    MpScheduleLink *link = &s->link[__builtin_ctz(bits)];
    link->rate = link->rate ? link->rate : most;
  }
}

/* Nanoseconds until it is through with what it has. */
static guint64 find_backlog(const MpScheduleLink *link, guint64 ahead) {
  guint64 octets = link->queued + link->lead;
  return (octets > ahead ? octets - ahead : 0) * SECOND / link->rate;
}

/* A lead that all links have is of no matter. */
static void level_leads(MpSchedule *s) {
  guint64 least = G_MAXUINT64;
  for (guint32 bits = s->links; bits; bits &= bits - 1) {
    const MpScheduleLink *link = &s->link[__builtin_ctz(bits)];
    least = MIN(least, link->lead * SECOND / link->rate);
  }
  for (guint32 bits = s->links; bits; bits &= bits - 1) {
    MpScheduleLink *link = &s->link[__builtin_ctz(bits)];
    link->lead -= MIN(link->lead, least * link->rate / SECOND);
  }
}

/* Octets that a link got lately are in its queue, if queues are seen at all: then they decide, and earlier octets no longer count. */
static void age_leads(MpSchedule *s, guint64 passed_ms) {
  guint64 queued = 0;
  for (guint32 bits = s->links; bits; bits &= bits - 1)
    queued |= s->link[__builtin_ctz(bits)].queued;
  for (guint32 bits = queued ? s->links : 0; bits; bits &= bits - 1)
    s->link[__builtin_ctz(bits)].lead >>= MIN(passed_ms, HALVED);
  level_leads(s);
}

/* A link that does not answer is better than none. */
static guint32 find_usable(const MpParams *params, const AditStageIo *io) {
  guint32 usable = io->links & ~params->resting;
  return usable ? usable : io->links;
}

static void read_facts(MpSchedule *s, const MpParams *params, AditStageIo *io) {
  gboolean asked = ADIT_HAS(io, link) && io->link;
  guint32 usable = find_usable(params, io);
  for (guint32 bits = usable; bits; bits &= bits - 1) {
    guint at = (guint)__builtin_ctz(bits);
    AditStageLink fact = {.size = sizeof fact};
    if (asked && !io->link(io, at, &fact))
      fact = (AditStageLink){0};
    MpScheduleLink *link = &s->link[at];
    if (!(s->links >> at & 1))
      link->lead = 0; /* it is new: as far as the one that is the least ahead */
    link->mtu = find_mtu(&params->link[at], &fact);
    link->rate = params->link[at].rate ? params->link[at].rate : fact.rate;
    link->queued = fact.queued;
  }
  s->links = usable;
  fill_rates(s);
  age_leads(s, io->now_ms - s->looked_ms);
  s->params = params;
  s->looked_ms = io->now_ms;
}

/* The one that is free first; of equals, the next one in turn. */
static guint find_first(const MpSchedule *s) {
  guint best = s->current;
  guint64 least = G_MAXUINT64;
  for (guint i = 1; i <= ADIT_STAGE_LINKS; i++) {
    guint at = (s->current + i) % ADIT_STAGE_LINKS;
    guint64 backlog = s->links >> at & 1 ? find_backlog(&s->link[at], 0) : G_MAXUINT64;
    if (backlog < least) {
      least = backlog;
      best = at;
    }
  }
  return best;
}

guint mp_schedule_pick(MpSchedule *s, const MpParams *params, AditStageIo *io) {
  if (s->looked_ms != io->now_ms || s->links != find_usable(params, io) || s->params != params)
    read_facts(s, params, io);
  if (!(s->links & (s->links - 1)))
    return s->current = (guint32)__builtin_ctz(s->links);
  guint first = find_first(s);
  gboolean stays = s->links >> s->current & 1 && s->burst && s->link[s->current].lead &&
                   find_backlog(&s->link[s->current], s->burst) <= find_backlog(&s->link[first], 0);
  return s->current = stays ? s->current : first;
}

guint32 mp_schedule_mtu(const MpSchedule *s, guint link) {
  return s->link[link].mtu;
}

/* A link that was behind by a burst gets ahead by one: together what the bundle sends in a millisecond. On a slow one fragments take turns.
 */
static void count_rate(MpSchedule *s, guint32 octets, guint64 now_ms) {
  guint64 passed = now_ms - s->counted_ms;
  if (passed >= COUNT_MS) {
    guint32 burst = (guint32)MIN(s->counted / passed / 2, BURST_MOST);
    s->burst = burst < BURST_LEAST ? 0 : burst;
    s->counted = 0;
    s->counted_ms = now_ms;
  }
  s->counted += octets;
}

void mp_schedule_sent(MpSchedule *s, guint link, guint32 octets, guint64 now_ms) {
  s->link[link].lead += octets;
  if (s->links & (s->links - 1))
    count_rate(s, octets, now_ms);
}
