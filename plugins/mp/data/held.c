/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "held.h"
#include "mp-pool.h"

enum { WORD = 64 };

void mp_held_add(MpHeld *held, guint32 number, const MpHeader *header, const AditStageFrame *frame) {
  guint at = number % MP_WINDOW;
  held->bits[at / WORD] |= 1ull << at % WORD;
  held->slot[at] = 0;
  held->arriving = frame;
  held->arriving_header = *header;
  held->arriving_header.sequence = number;
  if (mp_is_before(held->top, number + 1))
    held->top = number + 1;
}

static void give_chain(MpHeld *held, guint32 number) {
  while (number) {
    guint32 next = mp_pool_block(number)->next;
    mp_pool_give(number);
    held->blocks--;
    number = next;
  }
}

/* A chain of blocks with the frame's octets. 0: the pool gives no more. */
static guint32 take_chain(MpHeld *held, const AditStageFrame *frame) {
  guint32 first = 0, *end = &first, at = 0;
  do {
    guint32 number = mp_pool_take(held->blocks);
    if (!number) {
      give_chain(held, first);
      return 0;
    }
    MpBlock *block = mp_pool_block(number);
    held->blocks++;
    *end = number;
    end = &block->next;
    block->next = 0;
    at += adit_stage_copy(frame, at, block->data, MP_BLOCK_DATA);
  } while (at < frame->length);
  return first;
}

gboolean mp_held_keep(MpHeld *held, guint64 now_ms) {
  const AditStageFrame *frame = held->arriving;
  if (!frame)
    return TRUE;
  guint32 first = take_chain(held, frame);
  if (!first)
    return FALSE;
  MpBlock *block = mp_pool_block(first);
  block->length = frame->length;
  block->came_ms = now_ms;
  block->begin = held->arriving_header.begin;
  block->end = held->arriving_header.end;
  block->link = frame->link;
  held->slot[held->arriving_header.sequence % MP_WINDOW] = first;
  held->arriving = NULL;
  return TRUE;
}

gboolean mp_held_has(const MpHeld *held, guint32 number) {
  guint at = number % MP_WINDOW;
  return mp_is_before(number, held->top) && (held->bits[at / WORD] >> at % WORD & 1);
}

guint32 mp_held_find(const MpHeld *held, guint32 number) {
  while (mp_is_before(number, held->top)) {
    guint64 rest = held->bits[number % MP_WINDOW / WORD] >> number % WORD;
    if (rest) {
      number += (guint32)__builtin_ctzll(rest);
      return mp_is_before(number, held->top) ? number : held->top;
    }
    number += WORD - number % WORD;
  }
  return held->top;
}

void mp_held_look(const MpHeld *held, guint32 number, guint64 now_ms, MpFragment *out) {
  guint32 first = held->slot[number % MP_WINDOW];
  if (!first) {
    const MpHeader *header = &held->arriving_header;
    *out = (MpFragment){held->arriving->length, now_ms, header->begin, header->end, held->arriving->link};
    return;
  }
  const MpBlock *block = mp_pool_block(first);
  *out = (MpFragment){block->length, block->came_ms, block->begin, block->end, block->link};
}

guint32 mp_held_copy(const MpHeld *held, guint32 number, guint8 *to) {
  guint32 at = held->slot[number % MP_WINDOW], done = 0;
  if (!at)
    return adit_stage_copy(held->arriving, 0, to, held->arriving->length);
  for (guint32 length = mp_pool_block(at)->length; done < length; at = mp_pool_block(at)->next) {
    guint32 n = MIN(length - done, MP_BLOCK_DATA);
    memcpy(to + done, mp_pool_block(at)->data, n);
    done += n;
  }
  return done;
}

void mp_held_drop(MpHeld *held, guint32 number) {
  guint at = number % MP_WINDOW;
  held->bits[at / WORD] &= ~(1ull << at % WORD);
  if (held->slot[at])
    give_chain(held, held->slot[at]);
  else
    held->arriving = NULL;
}
