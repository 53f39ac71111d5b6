/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* mppe [SECONDS]: MPPE of 128 bits, stateless, on packets of 1400 octets, against RC4 alone on as many octets; one thread, both taking
 * turns. */
#include "plugins/ccp/mppe.h"
#include <adit/ppp.h>
#include <nettle/arcfour.h>
#include <stdio.h>
#include <stdlib.h>

enum { PACKET = 1400, HEADERS = 40, TURN = 2000 };

typedef struct {
  AditStageIo io; /* first */
  guint8 room[64];
  guint64 passed;
} Host;

static guint8 *take_room(AditStageIo *io, gsize length) {
  return ((Host *)(gpointer)io)->room;
}

static void take_frame(AditStageIo *io, const AditStageFrame *frame) {
  ((Host *)(gpointer)io)->passed++;
}

static void take_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {}

/* Headers in a piece of their own, as a data path cuts them from a large packet. */
static void encrypt_packet(Host *h, gpointer state, const MppeParams *params, guint8 *packet) {
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 2, .length = PACKET};
  frame.slice[0] = (AditStageSlice){packet, HEADERS};
  frame.slice[1] = (AditStageSlice){packet + HEADERS, PACKET - HEADERS};
  mppe_stage.encode(state, params, &h->io, &frame);
}

int main(int argc, char **argv) {
  gdouble seconds = argc > 1 ? atof(argv[1]) : 2, spent[2] = {0, 0};
  MppeParams params = {.epoch = 1, .send = {.strength = MPPE_128, .stateless = TRUE}, .receive = {.strength = MPPE_128, .stateless = TRUE}};
  g_autofree gpointer state = g_malloc0(mppe_stage.state_size);
  g_autofree guint8 *packet = g_malloc0(PACKET);
  Host h = {.io = {.size = sizeof h.io, .now_ms = 1, .room = take_room, .emit = take_frame, .note = take_note}};
  struct arcfour_ctx rc4;
  guint64 packets = 0;

  arcfour128_set_key(&rc4, params.send.start);
  while (spent[0] + spent[1] < seconds) {
    gint64 begin = g_get_monotonic_time();
    for (guint i = 0; i < TURN; i++)
      arcfour_crypt(&rc4, PACKET, packet, packet);
    gint64 between = g_get_monotonic_time();
    for (guint i = 0; i < TURN; i++)
      encrypt_packet(&h, state, &params, packet);
    spent[0] += (gdouble)(between - begin) / 1e6;
    spent[1] += (gdouble)(g_get_monotonic_time() - between) / 1e6;
    packets += TURN;
  }
  if (h.passed != packets)
    return 1;
  printf("RC4                 %6.0f Mbit/s\nMPPE-128 stateless  %6.0f Mbit/s, %.2f of it\n", 8e-6 * PACKET * (gdouble)packets / spent[0],
         8e-6 * PACKET * (gdouble)packets / spent[1], spent[0] / spent[1]);
  return 0;
}
