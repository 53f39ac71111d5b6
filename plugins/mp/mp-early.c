/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-early.h"
#include "data/mp-pool.h"
#include "data/reassembly.h"

#define READY_MOST 16 /* whole packets that wait for the core */

typedef struct {
  guint16 protocol;
  GByteArray *octets;
} Packet;

struct MpEarly {
  MpReassembly reassembly;
  GPtrArray *scratch; /* memory that reassembly asked for in this call */
  GQueue ready;       /* of Packet */
  Packet *taken;      /* the core reads it until the next call */
};

typedef struct {
  AditStageIo io;
  MpEarly *early;
} EarlyIo;

static void free_packet(Packet *packet) {
  if (!packet)
    return;
  g_byte_array_unref(packet->octets);
  g_free(packet);
}

static guint8 *give_scratch(AditStageIo *io, gsize length) {
  guint8 *memory = g_malloc(length);
  g_ptr_array_add(((EarlyIo *)io)->early->scratch, memory);
  return memory;
}

static void queue_packet(AditStageIo *io, const AditStageFrame *frame) {
  MpEarly *early = ((EarlyIo *)io)->early;
  if (frame->protocol < 0x8000 || frame->protocol == ADIT_PPP_LCP || early->ready.length >= READY_MOST)
    return;
  Packet *packet = g_new0(Packet, 1);
  packet->protocol = frame->protocol;
  packet->octets = g_byte_array_sized_new(frame->length);
  g_byte_array_set_size(packet->octets, frame->length);
  adit_stage_copy(frame, 0, packet->octets->data, frame->length);
  g_queue_push_tail(&early->ready, packet);
}

static void ignore_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {}

static MpEarly *new_early(void) {
  MpEarly *early = g_new0(MpEarly, 1);
  mp_pool_prepare();
  early->scratch = g_ptr_array_new_with_free_func(g_free);
  g_queue_init(&early->ready);
  return early;
}

gboolean mp_early_input(MpEarly **early, const MpParams *params, guint32 links, guint64 now_ms, AditStageFrame *frame) {
  if (!*early)
    *early = new_early();
  EarlyIo io = {
      .io = {.size = sizeof io.io, .now_ms = now_ms, .links = links, .room = give_scratch, .emit = queue_packet, .note = ignore_note},
      .early = *early};

  g_clear_pointer(&(*early)->taken, free_packet);
  if (frame->length) {
    mp_reassembly_expire(&(*early)->reassembly, params, params->counters, &io.io);
    mp_reassembly_input(&(*early)->reassembly, params, params->counters, &io.io, frame);
    g_ptr_array_set_size((*early)->scratch, 0);
  }
  Packet *packet = (*early)->taken = g_queue_pop_head(&(*early)->ready);
  if (!packet)
    return FALSE;
  *frame = (AditStageFrame){.protocol = packet->protocol, .n = 1, .length = packet->octets->len};
  frame->slice[0] = (AditStageSlice){packet->octets->data, packet->octets->len};
  return TRUE;
}

void mp_early_free(MpEarly *early) {
  if (!early)
    return;
  mp_reassembly_clear(&early->reassembly);
  for (Packet *packet; (packet = g_queue_pop_head(&early->ready));)
    free_packet(packet);
  free_packet(early->taken);
  g_ptr_array_unref(early->scratch);
  g_free(early);
}
