/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* mppe [SECONDS]: MPPE of 128 bits, stateless, on packets of 1400 octets, both ways, against RC4 alone on as many octets; one thread, all
 * taking turns. */
#include "plugins/ccp/mppe.h"
#include <adit/ppp.h>
#include <nettle/arcfour.h>
#include <stdio.h>
#include <stdlib.h>

enum { PACKET = 1400, HEADERS = 40, BATCH = 64 };
enum { RC4, ENCODE, DECODE, WAYS };

typedef struct {
  AditStageIo io; /* first */
  guint8 room[64];
  AditStageFrame emitted;
  guint64 passed;
} Host;

static guint8 *take_room(AditStageIo *io, gsize length) {
  return ((Host *)(gpointer)io)->room;
}

static void take_frame(AditStageIo *io, const AditStageFrame *frame) {
  Host *h = (Host *)(gpointer)io;
  h->emitted = *frame;
  h->passed++;
}

static void take_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {}

/* An IPv4 packet, as the receiver looks whether it makes sense. */
static void make_packet(guint8 *packet) {
  static const guint8 header[] = {0x45, 0, PACKET >> 8, PACKET & 0xff, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  guint32 sum = 0;
  memset(packet, 0, PACKET);
  memcpy(packet, header, sizeof header);
  for (guint i = 0; i < sizeof header; i += 2)
    sum += (guint32)(header[i] << 8 | header[i + 1]);
  adit_stage_put16(packet + 10, (guint16)~(sum + (sum >> 16)));
}

/* Headers in a piece of their own, as a data path cuts them from a large packet. */
static void encrypt_packet(Host *h, gpointer state, const MppeParams *params, guint8 *packet) {
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 2, .length = PACKET};
  frame.slice[0] = (AditStageSlice){packet, HEADERS};
  frame.slice[1] = (AditStageSlice){packet + HEADERS, PACKET - HEADERS};
  mppe_stage.encode(state, params, &h->io, &frame);
}

static void decrypt_frame(Host *h, gpointer state, const MppeParams *params) {
  AditStageFrame frame = h->emitted;
  mppe_stage.decode(state, params, &h->io, &frame);
}

static gint64 take_time(gint64 *since) {
  gint64 now = g_get_monotonic_time(), passed = now - *since;
  *since = now;
  return passed;
}

int main(int argc, char **argv) {
  static const char *const names[] = {"encoded", "decoded"};
  gint64 spent[WAYS] = {0}, most = (gint64)(1e6 * (argc > 1 ? atof(argv[1]) : 2)), since;
  MppeParams params = {.epoch = 1, .send = {.strength = MPPE_128, .stateless = TRUE}, .receive = {.strength = MPPE_128, .stateless = TRUE}};
  g_autofree gpointer sender = g_malloc0(mppe_stage.state_size);
  g_autofree gpointer receiver = g_malloc0(mppe_stage.state_size);
  g_autofree guint8 *packets = g_malloc0(BATCH * PACKET);
  g_autofree Host *hosts = g_new0(Host, BATCH);
  struct arcfour_ctx rc4;
  guint64 n = 0, passed = 0;

  arcfour128_set_key(&rc4, params.send.start);
  for (guint i = 0; i < BATCH; i++) {
    hosts[i].io = (AditStageIo){.size = sizeof hosts[i].io, .now_ms = 1, .room = take_room, .emit = take_frame, .note = take_note};
    make_packet(packets + i * PACKET);
  }
  while (spent[RC4] + spent[ENCODE] + spent[DECODE] < most) {
    guint8 other[PACKET] = {0};
    since = g_get_monotonic_time();
    for (guint i = 0; i < BATCH; i++)
      arcfour_crypt(&rc4, PACKET, other, other);
    spent[RC4] += take_time(&since);
    for (guint i = 0; i < BATCH; i++)
      encrypt_packet(&hosts[i], sender, &params, packets + i * PACKET);
    spent[ENCODE] += take_time(&since);
    for (guint i = 0; i < BATCH; i++)
      decrypt_frame(&hosts[i], receiver, &params);
    spent[DECODE] += take_time(&since);
    n += BATCH;
  }
  for (guint i = 0; i < BATCH; i++)
    passed += hosts[i].passed;
  if (passed != 2 * n)
    return 1;
  printf("RC4 %.0f Mbit/s\n", 8.0 * PACKET * (gdouble)n / (gdouble)spent[RC4]);
  for (guint way = ENCODE; way < WAYS; way++)
    printf("MPPE-128 stateless, %s %.0f Mbit/s, %.2f of it\n", names[way - ENCODE], 8.0 * PACKET * (gdouble)n / (gdouble)spent[way],
           (gdouble)spent[RC4] / (gdouble)spent[way]);
  return 0;
}
