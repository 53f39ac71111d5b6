/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * fake-stages.h - two stages of tests. `cutter` (a bundle) copies nothing on its way out: it cuts packets into pieces, which take turns on
 * the links, and joins them again. `scrambler` (a compression) rewrites each octet with a key out of its parameters.
 *
 *     cutter:    flags (80 first, 40 last) and number of 24 bits | piece of: protocol, packet
 *     scrambler: protocol, scrambled | packet, scrambled
 */
#pragma once

#include <adit/ppp.h>
#include <adit/stage.h>
#include <unistd.h>

enum { FAKE_WINDOW = 64, FAKE_PIECE = 2048, FAKE_GAP_MS = 50, FAKE_NOTE_LOST = 1, FAKE_NOTE_RESET = 2 };

/* ---- cutter ---- */

typedef struct {
  guint32 piece; /* octets of a piece at most */
} FakeCut;

typedef struct {
  guint32 send, next;
  guint turn;
  pid_t thread;  /* that all calls came from; 0 = none yet */
  gboolean torn; /* calls came from another thread */
  guint held;
  guint32 joined;
  guint8 whole[65536];
  struct {
    gboolean used;
    guint8 flags;
    guint32 length;
    guint8 data[FAKE_PIECE];
  } slot[FAKE_WINDOW];
} FakeCutter;

static inline void fake_thread(FakeCutter *c) {
  pid_t self = gettid();
  c->torn |= c->thread && c->thread != self;
  c->thread = self;
}

static inline guint fake_next_link(FakeCutter *c, guint32 links) {
  do
    c->turn = (c->turn + 1) % ADIT_STAGE_LINKS;
  while (!(links >> c->turn & 1));
  return c->turn;
}

static void fake_cut_encode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  FakeCutter *c = state;
  const FakeCut *cut = params;
  guint8 *protocol = io->room(io, 2);
  AditStageFrame piece;
  fake_thread(c);
  if (!protocol || !io->links || !adit_stage_prepend(frame, protocol, 2))
    return;
  adit_stage_put16(protocol, frame->protocol);
  for (guint32 at = 0; at < frame->length; at += cut->piece) {
    guint8 *head = io->room(io, 4);
    if (!head || !adit_stage_cut(frame, at, cut->piece, &piece) || !adit_stage_prepend(&piece, head, 4))
      return;
    adit_stage_put16(head + 2, (guint16)c->send);
    head[1] = (guint8)(c->send++ >> 16);
    head[0] = (guint8)((at == 0 ? 0x80 : 0) | (at + cut->piece >= frame->length ? 0x40 : 0));
    piece.protocol = ADIT_PPP_MP;
    piece.link = (guint8)fake_next_link(c, io->links);
    io->emit(io, &piece);
  }
}

static void fake_cut_join(FakeCutter *c, AditStageIo *io) {
  for (guint at; c->slot[at = c->next % FAKE_WINDOW].used; c->next++) {
    if (c->slot[at].flags & 0x80)
      c->joined = 0;
    memcpy(c->whole + c->joined, c->slot[at].data, c->slot[at].length);
    c->joined += c->slot[at].length;
    c->slot[at].used = FALSE;
    c->held--;
    if (!(c->slot[at].flags & 0x40) || c->joined < 2)
      continue;
    guint8 *room = io->room(io, c->joined);
    if (room) {
      memcpy(room, c->whole, c->joined);
      AditStageFrame frame = {.protocol = (guint16)(room[0] << 8 | room[1]), .n = 1, .length = c->joined - 2};
      frame.slice[0] = (AditStageSlice){room + 2, c->joined - 2};
      io->emit(io, &frame);
    }
    c->joined = 0;
  }
  io->deadline_ms = c->held ? io->now_ms + FAKE_GAP_MS : 0;
}

static void fake_cut_decode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  FakeCutter *c = state;
  guint8 head[4];
  fake_thread(c);
  if (adit_stage_copy(frame, 0, head, 4) != 4 || !adit_stage_skip(frame, 4) || frame->length > FAKE_PIECE)
    return;
  guint32 number = (guint32)head[1] << 16 | (guint32)head[2] << 8 | head[3], at = number % FAKE_WINDOW;
  if (number - c->next >= FAKE_WINDOW || c->slot[at].used)
    return;
  c->slot[at].used = TRUE;
  c->slot[at].flags = head[0];
  c->slot[at].length = adit_stage_copy(frame, 0, c->slot[at].data, FAKE_PIECE);
  c->held++;
  fake_cut_join(c, io);
}

/* A piece does not come any more: what is there goes on behind it. */
static void fake_cut_expire(gpointer state, gconstpointer params, AditStageIo *io) {
  FakeCutter *c = state;
  fake_thread(c);
  if (!c->held)
    return;
  io->note(io, FAKE_NOTE_LOST, &c->next, sizeof c->next);
  c->joined = 0;
  while (!c->slot[c->next % FAKE_WINDOW].used || !(c->slot[c->next % FAKE_WINDOW].flags & 0x80)) {
    c->held -= c->slot[c->next % FAKE_WINDOW].used;
    c->slot[c->next++ % FAKE_WINDOW].used = FALSE;
    if (!c->held)
      return;
  }
  fake_cut_join(c, io);
}

/* The data path tells a state what it was made with. */
static guint32 fake_cut_attached;
static void fake_cut_attach(gpointer state, const AditStageSpec *spec) {
  fake_cut_attached = ((const FakeCut *)spec->params)->piece;
}

static guint fake_cut_ends; /* of states */
static void fake_cut_fini(gpointer state) {
  fake_cut_ends++;
}

static const AditStageOps fake_cutter = {.size = sizeof fake_cutter,
                                         .name = "cutter",
                                         .kind = ADIT_STAGE_BUNDLE,
                                         .protocol = ADIT_PPP_MP,
                                         .headroom = 6,
                                         .state_size = sizeof(FakeCutter),
                                         .encode = fake_cut_encode,
                                         .decode = fake_cut_decode,
                                         .expire = fake_cut_expire,
                                         .fini = fake_cut_fini,
                                         .attach = fake_cut_attach};

/* ---- scrambler ---- */

typedef struct {
  guint8 key;
} FakeKey;

static inline void fake_scramble(AditStageFrame *frame, guint8 key) {
  for (guint i = 0; i < frame->n; i++)
    for (guint32 k = 0; k < frame->slice[i].length; k++)
      frame->slice[i].data[k] ^= key;
}

static void fake_scramble_encode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  guint8 *head = io->room(io, 2);
  if (!head || !adit_stage_prepend(frame, head, 2))
    return;
  adit_stage_put16(head, frame->protocol);
  fake_scramble(frame, ((const FakeKey *)params)->key);
  frame->protocol = ADIT_PPP_COMPRESSED;
  io->emit(io, frame);
}

static void fake_scramble_decode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  guint8 protocol[2];
  fake_scramble(frame, ((const FakeKey *)params)->key);
  if (adit_stage_copy(frame, 0, protocol, 2) != 2 || protocol[0] || !adit_stage_skip(frame, 2)) {
    io->note(io, FAKE_NOTE_RESET, NULL, 0); /* another key */
    return;
  }
  frame->protocol = protocol[1];
  io->emit(io, frame);
}

static void fake_scramble_fini(gpointer state) {}

static const AditStageOps fake_scrambler = {.size = sizeof fake_scrambler,
                                            .name = "scrambler",
                                            .kind = ADIT_STAGE_COMPRESSION,
                                            .protocol = ADIT_PPP_COMPRESSED,
                                            .headroom = 2,
                                            .encode = fake_scramble_encode,
                                            .decode = fake_scramble_decode,
                                            .fini = fake_scramble_fini};

/* ---- putting them in place ---- */

typedef struct {
  guint lost, resets;
} FakeNotes;

static void fake_noted(gpointer user, guint32 what, gconstpointer data, gsize length) {
  FakeNotes *notes = user;
  notes->lost += what == FAKE_NOTE_LOST && length == 4;
  notes->resets += what == FAKE_NOTE_RESET;
}

#define FAKE_CUTTER(cut, notes)                                                                                                            \
  (&(AditStageSpec){.size = sizeof(AditStageSpec),                                                                                         \
                    .ops = &fake_cutter,                                                                                                   \
                    .params = (cut),                                                                                                       \
                    .params_length = sizeof(FakeCut),                                                                                      \
                    .note = fake_noted,                                                                                                    \
                    .user = (notes)})
#define FAKE_SCRAMBLER(scramble, notes)                                                                                                    \
  (&(AditStageSpec){.size = sizeof(AditStageSpec),                                                                                         \
                    .ops = &fake_scrambler,                                                                                                \
                    .params = (scramble),                                                                                                  \
                    .params_length = sizeof(FakeKey),                                                                                      \
                    .exclusive = TRUE,                                                                                                     \
                    .note = fake_noted,                                                                                                    \
                    .user = (notes)})
