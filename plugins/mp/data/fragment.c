/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Fragments of a packet have one size, but for the last, so that UDP_SEGMENT can send several in one message. Empty fragments, with which
 * a sender may report losses (RFC 1990 4.2), are not sent: Linux drops them before it reads their number, and then counts it as lost.
 * All packets have a number, also on one link: when a second link joins, its packets would overtake those without one. */
#include "fragment.h"
#include "count.h"
#include "mp-header.h"

typedef struct {
  const MpParams *params;
  MpCounters *counters;
  AditStageIo *io;
  const AditStageFrame *packet;
  guint8 prefix[2]; /* the packet's protocol, before its first octet */
  guint32 prefix_length;
  guint32 total, done; /* octets with the prefix */
  guint32 size, room;  /* of fragments; of frames, for which it was chosen */
} Cut;

static void count_sent(const Cut *cut, guint link, guint32 octets) {
  MP_ADD(cut->counters->link[link].tx_fragments, 1);
  MP_ADD(cut->counters->link[link].tx_octets, octets);
}

/* RFC 1990 2: the protocol may be compressed inside, whatever the links have agreed on. That is done where it saves a fragment or makes
 * them even. */
static void choose_prefix(Cut *cut, guint32 room) {
  guint16 protocol = cut->packet->protocol;
  guint32 length = cut->packet->length;
  guint32 n = (length + 1 + room - 1) / room;
  gboolean compress = cut->params->pfc && protocol <= 0xff && ((length + 2 + room - 1) / room > n || (length + 2) % n != 0);
  cut->prefix_length = compress ? 1 : 2;
  adit_stage_put16(cut->prefix, compress ? (guint16)(protocol << 8) : protocol);
  cut->total = length + cut->prefix_length;
}

/* Divides the octets that are left into equal parts that fit into a frame. */
static void choose_size(Cut *cut, guint32 room) {
  guint32 left = cut->total - cut->done, n = (left + room - 1) / room;
  cut->size = (left + n - 1) / n;
  cut->room = room;
}

/* The next fragment, with its header in front. FALSE: no memory for the header, or too many pieces. */
static gboolean emit_fragment(Cut *cut, guint32 sequence, guint link) {
  gboolean is_short = cut->params->send_short;
  guint32 prefix = cut->done ? 0 : cut->prefix_length, length = MIN(cut->size, cut->total - cut->done);
  MpHeader header = {.begin = !cut->done, .end = cut->done + length == cut->total, .sequence = sequence};
  guint8 *head = cut->io->room(cut->io, MP_HEADER_MAX + sizeof cut->prefix);
  AditStageFrame frame;
  if (!head || !adit_stage_cut(cut->packet, cut->done ? cut->done - cut->prefix_length : 0, length - prefix, &frame))
    return FALSE;
  guint n = mp_header_write(head, is_short, &header);
  memcpy(head + n, cut->prefix, prefix);
  if (!adit_stage_prepend(&frame, head, n + prefix))
    return FALSE;
  frame.protocol = ADIT_PPP_MP;
  frame.link = (guint8)link;
  cut->done += length;
  count_sent(cut, link, frame.length);
  cut->io->emit(cut->io, &frame);
  return TRUE;
}

/* As it is, without a number. */
static void emit_plain(const Cut *cut, MpFragmenter *f, guint link) {
  AditStageFrame frame = *cut->packet;
  frame.link = (guint8)link;
  count_sent(cut, link, frame.length);
  mp_schedule_sent(&f->schedule, link, frame.length, cut->io->now_ms);
  cut->io->emit(cut->io, &frame);
}

static void emit_fragments(Cut *cut, MpFragmenter *f, guint link) {
  guint header = mp_header_length(cut->params->send_short);
  choose_prefix(cut, mp_schedule_mtu(&f->schedule, link) - header);
  for (;;) {
    guint32 room = mp_schedule_mtu(&f->schedule, link) - header, before = cut->done;
    if (room != cut->room)
      choose_size(cut, room);
    if (!emit_fragment(cut, f->sequence, link)) {
      MP_ADD(cut->counters->tx_dropped, 1);
      return;
    }
    f->sequence++;
    mp_schedule_sent(&f->schedule, link, cut->done - before + header, cut->io->now_ms);
    if (cut->done == cut->total)
      break;
    link = mp_schedule_pick(&f->schedule, cut->params, cut->io);
  }
  MP_ADD(cut->counters->tx_fragmented, cut->total > cut->size ? 1 : 0);
}

void mp_fragment_packet(MpFragmenter *f, const MpParams *params, MpCounters *counters, AditStageIo *io, AditStageFrame *packet) {
  Cut cut = {.params = params, .counters = counters, .io = io, .packet = packet};
  gboolean agreed = params->peer_mrru >= MP_MRRU_MIN;
  MP_ADD(counters->tx_packets, 1);
  if (!io->links) {
    MP_ADD(counters->tx_dropped, 1);
    return;
  }
  guint link = mp_schedule_pick(&f->schedule, params, io);
  if (agreed && packet->length <= params->peer_mrru)
    emit_fragments(&cut, f, link);
  else if (!agreed || packet->length <= mp_schedule_mtu(&f->schedule, link))
    emit_plain(&cut, f, link);
  else
    MP_ADD(counters->tx_too_long, 1);
}
