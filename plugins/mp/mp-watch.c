/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-watch.h"

enum {
  BUSY_MS = 2000, /* data so lately: look often */
  BUSY_LOOK_MS = 100,
  IDLE_LOOK_MS = 250,
};

/* Workers and the main loop read the clock at different times. */
static guint64 count_since(guint64 now_ms, guint64 then_ms) {
  return now_ms > then_ms ? now_ms - then_ms : 0;
}

static guint find_patience(const MpLinkWatch *s) {
  return s->rtt_ms ? CLAMP(2 * s->rtt_ms, MP_WATCH_PATIENCE_MS, MP_WATCH_LONGEST_MS) : MP_WATCH_UNKNOWN_MS;
}

/* The wait for the next question: two of them must get lost. */
static guint find_interval(const MpLinkWatch *s) {
  return s->rests || s->asks >= MP_WATCH_HURRIED ? MP_WATCH_PROOF_MS : MIN(find_patience(s) / 2, MP_WATCH_PROOF_MS);
}

static void forget_question(MpLinkWatch *s) {
  s->asked_ms = s->unheard_ms = 0;
  s->asks = 0;
  s->rests = s->silent = FALSE;
}

/* An answer to an earlier question than the last one counts, too. */
static void take_answer(MpWatched *l, guint64 now_ms) {
  MpLinkWatch *s = l->state;
  guint64 asked = s->asked_ms;
  if (!asked)
    return;
  if (l->facts.answered_ms >= asked) {
    guint rtt = CLAMP(l->facts.round_trip_ms, 1, G_MAXUINT16);
    s->rtt_ms = MAX(rtt, s->rtt_ms - s->rtt_ms / 8);
    forget_question(s);
  } else if (!s->rtt_ms && l->facts.heard_ms >= asked && count_since(now_ms, asked) >= MP_WATCH_UNKNOWN_MS) {
    forget_question(s); /* a peer that answers no echoes at all, but lives */
  }
}

/* Was another link heard since then? If all are silent, the peer or the way to all of them is. */
static gboolean has_witness(const MpWatched *links, guint n, const MpWatched *l, guint64 then_ms) {
  for (guint i = 0; i < n; i++)
    if (&links[i] != l && links[i].facts.up && !links[i].state->rests && links[i].facts.heard_ms >= then_ms)
      return TRUE;
  return FALSE;
}

static gboolean is_overdue(const MpLinkWatch *s, guint64 now_ms) {
  return s->asked_ms && count_since(now_ms, s->probed_ms) >= find_interval(s);
}

/* Nothing at all came since it was asked, or frames come and answers do not: it is dead in one direction. */
static void judge_link(const MpWatched *links, guint n, MpWatched *l, guint64 now_ms) {
  MpLinkWatch *s = l->state;
  gboolean silent = s->asked_ms && l->facts.heard_ms < s->unheard_ms;
  if (s->asked_ms && !s->rests) {
    if (silent && count_since(now_ms, s->unheard_ms) >= find_patience(s))
      s->rests = has_witness(links, n, l, s->unheard_ms);
    else if (s->rtt_ms && count_since(now_ms, s->asked_ms) >= MP_WATCH_DOUBTS * find_patience(s))
      s->rests = has_witness(links, n, l, s->asked_ms);
  }
  s->silent = s->rests && silent;
}

/* When the last link was asked that has not answered yet: the others are asked, too, as witnesses. */
static guint64 find_doubt(const MpWatched *links, guint n) {
  guint64 doubt = 0;
  for (guint i = 0; i < n; i++)
    doubt = MAX(doubt, links[i].facts.up ? links[i].state->unheard_ms : 0);
  return doubt;
}

static gboolean needs_proof(const MpWatched *l, gboolean lost, guint64 doubt_ms, guint64 now_ms) {
  const MpLinkFacts *f = &l->facts;
  const MpLinkWatch *s = l->state;
  if (s->asked_ms)
    return is_overdue(s, now_ms);
  if (!s->probed_ms)
    return TRUE; /* a new link: how long is its round trip? */
  guint64 probed = count_since(now_ms, s->probed_ms);
  if (probed < MP_WATCH_SILENCE_MS)
    return FALSE;
  return lost || f->heard_ms < doubt_ms || (f->sent_ms > f->heard_ms && count_since(now_ms, f->heard_ms) >= MP_WATCH_SILENCE_MS) ||
         (s->rtt_ms && count_since(now_ms, f->data_ms) < MP_WATCH_PROOF_MS && probed >= MP_WATCH_PROOF_MS);
}

static void ask_link(MpWatched *l, guint64 now_ms) {
  MpLinkWatch *s = l->state;
  l->probe = TRUE;
  s->asks++;
  s->probed_ms = now_ms;
  s->asked_ms = s->asked_ms ? s->asked_ms : now_ms;
  if (l->facts.heard_ms >= s->unheard_ms)
    s->unheard_ms = now_ms;
}

static guint count_up(const MpWatched *links, guint n) {
  guint up = 0;
  for (guint i = 0; i < n; i++)
    up += links[i].facts.up ? 1 : 0;
  return up;
}

gboolean mp_watch_look(MpWatched *links, guint n, gboolean lost, guint64 now_ms) {
  gboolean changed = FALSE, several = count_up(links, n) > 1;
  guint64 doubt_ms = find_doubt(links, n);
  for (guint i = 0; i < n; i++) {
    MpLinkWatch *s = links[i].state;
    gboolean rested = s->rests, silent = s->silent;
    links[i].probe = FALSE;
    if (!links[i].facts.up || !several) {
      *s = (MpLinkWatch){.rtt_ms = s->rtt_ms};
    } else {
      take_answer(&links[i], now_ms);
      judge_link(links, n, &links[i], now_ms);
      if (needs_proof(&links[i], lost, doubt_ms, now_ms))
        ask_link(&links[i], now_ms);
    }
    changed |= s->rests != rested || s->silent != silent;
  }
  return changed;
}

guint mp_watch_wait(const MpWatched *links, guint n, guint64 now_ms) {
  guint wait = IDLE_LOOK_MS;
  for (guint i = 0; i < n; i++) {
    const MpLinkWatch *s = links[i].state;
    if (links[i].facts.up && count_since(now_ms, links[i].facts.data_ms) < BUSY_MS)
      wait = MIN(wait, BUSY_LOOK_MS);
    if (s->asked_ms)
      wait = MIN(wait, find_interval(s) - (guint)MIN(count_since(now_ms, s->probed_ms), find_interval(s) - 1));
  }
  return wait;
}
