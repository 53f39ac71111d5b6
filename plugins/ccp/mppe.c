/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mppe.h"

#include "mppe-clear.h"
#include "mppe-rc4.h"
#include <adit/ppp.h>

enum { FLUSHED = 0x8000, COMPRESSED = 0x2000, ENCRYPTED = 0x1000, COUNT = 0x0fff, SPACE = 0x1000, LATE = SPACE / 2, FLAG = 0xff };

enum {
  BUDGET = 2 * SPACE, /* keys that are derived for gaps in a second at most: some 10 ms of a worker */
  RESTARTS = 16,      /* restarts of the peer with flushed packets that were lost, too */
  SKIPPED = 16,       /* keys that are kept for packets that were overtaken */
  BAD_RUN = 8,        /* frames that make no sense before more than 4095 lost ones are assumed */
  TURNS = 64,         /* of the count, which are tried then */
  YOUNG = 64,         /* frames after which none of an earlier epoch, which has the same keys, comes any more */
  NEAR = 64,          /* lost frames that are likely even then */
};

typedef struct {
  MppeKey key;
  struct arcfour_ctx rc4; /* stateful */
  guint16 next;
  guint32 flush; /* of the parameters, as last acted on */
} Sender;

typedef struct {
  MppeKey key;
  struct arcfour_ctx rc4; /* stateful */
  guint16 next;           /* the count that is expected */
  gboolean discard;       /* stateful: until a flushed packet */
  gboolean proven;
  MppeHabit habit;
  guint64 reset_ms, told_ms; /* when was noted what; 0 = never */
  guint32 resets, noises;    /* notes since the last frame that made sense */
  guint32 dropped;

  guint32 budget; /* stateless: keys that may be derived for gaps */
  guint64 budget_ms;
  guint bad;  /* frames in a row that made no sense */
  guint good; /* frames that made sense */
  struct {
    MppeKey key; /* `steps` keys after `key` above; 0 = unused */
    guint32 steps;
  } scout;
  struct {
    gboolean used;
    guint16 count;
    guint8 key[MPPE_KEY];
  } skipped[SKIPPED];
  MppeKey trial; /* the key that is tried: no copy is on a worker's stack */
} Receiver;

typedef struct {
  guint32 epoch; /* of the parameters; 0 = none yet */
  Sender send;
  Receiver receive;
} Mppe;

static void init_rc4(struct arcfour_ctx *rc4, const MppeKey *key) {
  mppe_rc4_set_key(rc4, key->length, key->current);
}

/* New keys: both directions start again. The first coherency count is 0, as with Linux. */
static void sync_epoch(Mppe *m, const MppeParams *params) {
  if (m->epoch == params->epoch)
    return;
  memset(m, 0, sizeof *m);
  m->epoch = params->epoch;
  mppe_key_init(&m->send.key, params->send.start, params->send.strength);
  mppe_key_init(&m->receive.key, params->receive.start, params->receive.strength);
  init_rc4(&m->send.rc4, &m->send.key);
  init_rc4(&m->receive.rc4, &m->receive.key);
  m->send.flush = params->flush;
  m->receive.budget = BUDGET;
}

/* ---- to the peer ---- */

static guint16 next_stateless(Sender *s) {
  mppe_key_change(&s->key); /* RFC 3078 8.1: before each packet */
  init_rc4(&s->rc4, &s->key);
  return FLUSHED;
}

/* RFC 3078 7.1, 8.2: the key changes at each flag packet. */
static guint16 next_stateful(Sender *s, guint32 flush, MppeHabit habit) {
  gboolean asked = s->flush != flush;

  s->flush = flush;
  if (asked && habit != MPPE_HABIT_CURRENT)
    s->next |= FLAG;
  if ((s->next & FLAG) == FLAG)
    mppe_key_change(&s->key);
  else if (!asked)
    return 0;
  init_rc4(&s->rc4, &s->key);
  return FLUSHED;
}

static void encode_mppe(gpointer state, gconstpointer data, AditStageIo *io, AditStageFrame *frame) {
  Mppe *m = state;
  const MppeParams *params = data;

  if (frame->protocol < MPPE_FIRST || frame->protocol > MPPE_LAST) { /* RFC 3078 4: others stay as they are */
    if (!params->strict)
      io->emit(io, frame);
    return;
  }
  guint8 *head = io->room(io, MPPE_HEADROOM);
  if (!head || !adit_stage_prepend(frame, head, MPPE_HEADROOM))
    return;
  sync_epoch(m, params);
  Sender *s = &m->send;
  guint16 bits = params->send.stateless ? next_stateless(s) : next_stateful(s, params->flush, m->receive.habit);
  adit_stage_put16(head, bits | ENCRYPTED | s->next);
  adit_stage_put16(head + MPPE_HEADER, frame->protocol);
  s->next = (s->next + 1) & COUNT;
  arcfour_crypt(&s->rc4, MPPE_HEADROOM - MPPE_HEADER, head + MPPE_HEADER, head + MPPE_HEADER);
  for (guint i = 1; i < frame->n; i++)
    arcfour_crypt(&s->rc4, frame->slice[i].length, frame->slice[i].data, frame->slice[i].data);
  frame->protocol = ADIT_PPP_COMPRESSED;
  io->emit(io, frame);
}

/* ---- from the peer ---- */

/* Decrypts the rest in place: `head` is what its first `n` octets are. */
static void write_clear(AditStageFrame *frame, const guint8 *head, guint32 n, struct arcfour_ctx *rc4) {
  for (guint i = 0; i < frame->n; i++) {
    AditStageSlice *slice = &frame->slice[i];
    guint32 known = MIN(n, slice->length);
    memcpy(slice->data, head, known);
    arcfour_crypt(rc4, slice->length - known, slice->data + known, slice->data + known);
    head += known;
    n -= known;
  }
}

/* TRUE: the octets make sense, `frame` is decrypted, and `rc4` is behind it. FALSE: nothing has changed. `trusted`: the key is the right
 * one, if the frame is what it seems to be. */
static gboolean try_open(struct arcfour_ctx *rc4, gboolean trusted, AditStageFrame *frame, MppeClear *judgement) {
  struct arcfour_ctx trial = *rc4;
  guint8 head[MPPE_PEEK];
  guint16 protocol;
  guint taken;
  guint32 n = adit_stage_copy(frame, 0, head, sizeof head);

  arcfour_crypt(&trial, n, head, head);
  *judgement = mppe_clear_judge(head, n, frame->length, &protocol, &taken);
  if (*judgement == MPPE_CLEAR_NOISE || (*judgement == MPPE_CLEAR_MAYBE && !trusted))
    return FALSE;
  write_clear(frame, head, n, &trial);
  adit_stage_skip(frame, taken);
  frame->protocol = protocol;
  *rc4 = trial;
  return TRUE;
}

static gboolean try_key(const MppeKey *key, gboolean trusted, AditStageFrame *frame, struct arcfour_ctx *rc4, MppeClear *judgement) {
  init_rc4(rc4, key);
  return try_open(rc4, trusted, frame, judgement);
}

static void note_reset(Receiver *r, AditStageIo *io) {
  if (r->reset_ms && io->now_ms - r->reset_ms < MPPE_RESET_MS)
    return;
  MppeNoise noise = {r->dropped, r->proven, ++r->resets};
  r->reset_ms = MAX(io->now_ms, 1);
  io->note(io, MPPE_NOTE_RESET, &noise, sizeof noise);
}

static void drop_noise(Receiver *r, AditStageIo *io) {
  r->dropped++;
  r->bad++;
  if (r->told_ms && io->now_ms - r->told_ms < MPPE_NOISE_MS)
    return;
  MppeNoise noise = {r->dropped, r->proven, ++r->noises};
  r->told_ms = MAX(io->now_ms, 1);
  io->note(io, MPPE_NOTE_NOISE, &noise, sizeof noise);
}

static void pass_on(Receiver *r, AditStageIo *io, const AditStageFrame *frame, MppeClear judgement) {
  r->proven |= judgement == MPPE_CLEAR_PROVEN;
  r->bad = r->resets = r->noises = 0;
  r->good++;
  io->emit(io, frame);
}

/* A peer that forges counts, or is out of step, does not keep the worker busy. */
static gboolean spend_budget(Receiver *r, guint64 now_ms, guint32 steps) {
  guint64 passed = MIN(now_ms - r->budget_ms, 1000);
  r->budget = (guint32)MIN(BUDGET, r->budget + passed * BUDGET / 1000);
  r->budget_ms = now_ms;
  if (steps > r->budget)
    return FALSE;
  r->budget -= steps;
  return TRUE;
}

/* ---- stateless ---- */

/* The key of the packet `delta` after the expected one; those between are kept for packets that come late. */
static void advance_key(Receiver *r, MppeKey *key, guint32 delta) {
  *key = r->key;
  for (guint32 i = 0; i < delta; i++) {
    guint16 count = (r->next + i) & COUNT;
    guint at = count % SKIPPED;
    mppe_key_change(key);
    r->skipped[at].used = TRUE;
    r->skipped[at].count = count;
    memcpy(r->skipped[at].key, key->current, MPPE_KEY);
  }
  mppe_key_change(key);
}

static void take_key(Receiver *r, const MppeKey *key, guint16 count) {
  r->key = *key;
  r->next = (count + 1) & COUNT;
  if (r->skipped[count % SKIPPED].count == count)
    r->skipped[count % SKIPPED].used = FALSE;
}

static gboolean open_expected(Receiver *r, guint16 count, guint32 delta, AditStageFrame *frame, MppeClear *judgement) {
  struct arcfour_ctx rc4;

  advance_key(r, &r->trial, delta);
  if (!try_key(&r->trial, r->proven, frame, &rc4, judgement))
    return FALSE;
  take_key(r, &r->trial, count);
  return TRUE;
}

/* A packet that others have overtaken. */
static gboolean open_overtaken(Receiver *r, guint16 count, AditStageFrame *frame, MppeClear *judgement) {
  guint at = count % SKIPPED;
  struct arcfour_ctx rc4;

  if (!r->skipped[at].used || r->skipped[at].count != count)
    return FALSE;
  r->trial = r->key;
  memcpy(r->trial.current, r->skipped[at].key, MPPE_KEY);
  if (!try_key(&r->trial, r->proven, frame, &rc4, judgement))
    return FALSE;
  r->skipped[at].used = FALSE;
  return TRUE;
}

/* More than half of the count's space was lost, or turns of it, in an outage or before our CCP was open: each frame tries one turn more.
 * With a wrong key that ends after TURNS of them. */
static gboolean open_after_outage(Receiver *r, guint64 now_ms, guint16 count, guint32 delta, AditStageFrame *frame, MppeClear *judgement) {
  struct arcfour_ctx rc4;

  if (r->bad < BAD_RUN)
    return FALSE;
  if (!r->scout.steps)
    r->scout.key = r->key;
  guint32 least = r->scout.steps + LATE, steps = least + ((delta + 1 - least) & COUNT);
  if (steps > TURNS * SPACE || !spend_budget(r, now_ms, steps - r->scout.steps))
    return FALSE;
  for (; r->scout.steps < steps; r->scout.steps++)
    mppe_key_change(&r->scout.key);
  if (!try_key(&r->scout.key, FALSE, frame, &rc4, judgement))
    return FALSE;
  take_key(r, &r->scout.key, count);
  return TRUE;
}

/* Behind an outage the keys that may be derived are for that. */
static gboolean is_likely(const Receiver *r, guint32 delta) {
  return delta < NEAR || r->bad % BAD_RUN == 0 || r->bad < BAD_RUN;
}

/* Frames of an earlier epoch that were on their way when CCP began again have the same keys, and lead ahead of the peer, which begins at 0.
 */
static gboolean open_from_start(Receiver *r, guint64 now_ms, guint16 count, AditStageFrame *frame, MppeClear *judgement) {
  struct arcfour_ctx rc4;

  if (r->good > YOUNG || !r->bad || r->bad % BAD_RUN || count >= LATE || !spend_budget(r, now_ms, count + 1u))
    return FALSE;
  r->trial = r->key;
  mppe_key_restart(&r->trial);
  for (guint i = 0; i <= count; i++)
    mppe_key_change(&r->trial);
  if (!try_key(&r->trial, FALSE, frame, &rc4, judgement))
    return FALSE;
  take_key(r, &r->trial, count);
  return TRUE;
}

static void decode_stateless(Receiver *r, AditStageIo *io, guint16 count, AditStageFrame *frame) {
  guint32 delta = (count - r->next) & COUNT;
  MppeClear judgement;
  gboolean opened = delta >= LATE
                        ? open_overtaken(r, count, frame, &judgement)
                        : is_likely(r, delta) && spend_budget(r, io->now_ms, delta) && open_expected(r, count, delta, frame, &judgement);

  if (!opened && !open_from_start(r, io->now_ms, count, frame, &judgement) &&
      !open_after_outage(r, io->now_ms, count, delta, frame, &judgement)) {
    drop_noise(r, io);
    return;
  }
  r->scout.steps = 0;
  pass_on(r, io, frame, judgement);
}

/* ---- stateful ---- */

/* How many of the `n` counts from `first` on are flags'. */
static guint count_flags(guint32 first, guint32 n) {
  return ((first + n) >> 8) - (first >> 8);
}

/* RFC 3078 8.3, and Linux, which changes the key at each flushed packet. Flushed ones may have been lost. The
 * first key is in `trial`, but for the changes at flag packets. */
static gboolean open_flushed(Receiver *r, guint64 now_ms, guint16 count, guint flags, AditStageFrame *frame, MppeClear *judgement) {
  gboolean is_flag = (count & FLAG) == FLAG;
  struct arcfour_ctx rc4;

  for (; flags; flags--)
    mppe_key_change(&r->trial);
  for (guint restarts = 0; restarts <= RESTARTS && (!restarts || spend_budget(r, now_ms, 2)); restarts++) {
    if (try_key(&r->trial, r->proven && !restarts, frame, &rc4, judgement)) {
      if (!is_flag)
        r->habit = restarts ? MPPE_HABIT_CHANGED : MPPE_HABIT_CURRENT;
      r->key = r->trial;
      r->rc4 = rc4;
      return TRUE;
    }
    mppe_key_change(&r->trial);
  }
  return FALSE;
}

/* Also behind what frames of an earlier epoch have led to: see open_from_start(). */
static gboolean open_restarted(Receiver *r, guint64 now_ms, guint16 count, guint32 delta, AditStageFrame *frame, MppeClear *judgement) {
  r->trial = r->key;
  if (open_flushed(r, now_ms, count, count_flags(r->next, delta + 1), frame, judgement))
    return TRUE;
  r->trial = r->key;
  mppe_key_restart(&r->trial);
  return r->good <= YOUNG && open_flushed(r, now_ms, count, count_flags(0, count + 1u), frame, judgement);
}

static gboolean open_in_order(Receiver *r, guint16 count, AditStageFrame *frame, MppeClear *judgement) {
  struct arcfour_ctx rc4;

  if ((count & FLAG) != FLAG)
    return try_open(&r->rc4, r->proven, frame, judgement);
  r->trial = r->key;
  mppe_key_change(&r->trial); /* it should be flushed, and says that it is not */
  if (!try_key(&r->trial, r->proven, frame, &rc4, judgement))
    return FALSE;
  r->key = r->trial;
  r->rc4 = rc4;
  return TRUE;
}

/* An overtaken packet's place in the key stream is gone; many of them were not overtaken, but behind a long loss. */
static gboolean is_overtaken(Receiver *r, guint32 delta) {
  return !r->discard && delta >= LATE && ++r->bad < BAD_RUN;
}

static void decode_stateful(Receiver *r, AditStageIo *io, guint16 bits, guint16 count, AditStageFrame *frame) {
  guint32 delta = (count - r->next) & COUNT;
  MppeClear judgement;

  if (is_overtaken(r, delta))
    return;
  if (bits & FLUSHED ? open_restarted(r, io->now_ms, count, delta, frame, &judgement)
                     : !r->discard && !delta && open_in_order(r, count, frame, &judgement)) {
    r->discard = FALSE;
    r->next = (count + 1) & COUNT;
    pass_on(r, io, frame, judgement);
    return;
  }
  gboolean lost = delta || r->discard;
  r->discard = TRUE;
  note_reset(r, io);
  if (!lost || bits & FLUSHED)
    drop_noise(r, io);
}

static void decode_mppe(gpointer state, gconstpointer data, AditStageIo *io, AditStageFrame *frame) {
  Mppe *m = state;
  const MppeParams *params = data;
  guint8 head[MPPE_HEADER];

  sync_epoch(m, params);
  if (adit_stage_copy(frame, 0, head, sizeof head) != sizeof head || !adit_stage_skip(frame, sizeof head)) {
    drop_noise(&m->receive, io);
    return;
  }
  guint16 bits = (guint16)(head[0] << 8 | head[1]), count = bits & COUNT;
  if (!(bits & ENCRYPTED) || bits & COMPRESSED) /* not encrypted, or by MPPC: neither was agreed */
    drop_noise(&m->receive, io);
  else if (params->receive.stateless)
    decode_stateless(&m->receive, io, count, frame);
  else
    decode_stateful(&m->receive, io, bits, count, frame);
}

MppeHabit mppe_habit(gconstpointer state) {
  return ((const Mppe *)state)->receive.habit;
}

const AditStageOps mppe_stage = {.size = sizeof mppe_stage,
                                 .name = "mppe",
                                 .kind = ADIT_STAGE_COMPRESSION,
                                 .protocol = ADIT_PPP_COMPRESSED,
                                 .headroom = MPPE_HEADROOM,
                                 .state_size = sizeof(Mppe),
                                 .encode = encode_mppe,
                                 .decode = decode_mppe};
