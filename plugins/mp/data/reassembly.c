/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Fragments to packets. A fragment is lost when each link has brought a later one (RFC 1990 4.1), when what waits behind it has waited for
 * the deadline, or when the bundle may hold no more. The deadline counts in expire() alone, which a data path calls when it has read all
 * links: a data path that was late would give up what it has not read yet. */
#include "reassembly.h"
#include "count.h"
#include "mp-pool.h"

enum {
  STRAYS = 4,    /* numbers far away in a row, each a little after the one before: the peer has restarted its numbering */
  FRESH = 2,     /* the same by a link that has just joined, while the others are silent: also if they are a little behind */
  PREFIX = 4,    /* before a packet: address and control, which the peer may send, and the protocol */
  PATIENCE = 10, /* deadlines that the begin of a packet waits for its rest while nothing waits behind it */
  NOTE_MS = 1000,
};

typedef struct {
  MpReassembly *r;
  const MpParams *params;
  MpCounters *counters;
  AditStageIo *io;
} Call;

/* ---- whole packets ---- */

/* RFC 1990 2: LCP may say here what does not change the link. */
static gboolean is_forbidden(const AditStageFrame *packet) {
  guint8 code;
  return packet->protocol == ADIT_PPP_LCP && (adit_stage_copy(packet, 0, &code, 1) != 1 || (code >= 1 && code <= 6));
}

/* Takes address, control and protocol off; FALSE: there is none, or it is multilink again. */
static gboolean take_protocol(AditStageFrame *packet) {
  guint8 octet[PREFIX] = {0};
  guint32 n = adit_stage_copy(packet, 0, octet, PREFIX), at = n >= 2 && octet[0] == 0xff && octet[1] == 0x03 ? 2 : 0;
  if (at >= n)
    return FALSE;
  packet->protocol = octet[at++];
  if (!(packet->protocol & 1)) {
    if (at >= n || !(octet[at] & 1))
      return FALSE;
    packet->protocol = (guint16)(packet->protocol << 8 | octet[at++]);
  }
  return packet->protocol != ADIT_PPP_MP && adit_stage_skip(packet, at);
}

static void emit_packet(const Call *c, AditStageFrame *packet, guint32 fragments) {
  if (!packet->length)
    return; /* RFC 1990 4.2: it only had a number */
  if (!take_protocol(packet)) {
    MP_ADD(c->counters->malformed, 1);
  } else if (packet->length > c->params->own_mrru) {
    MP_ADD(c->counters->too_long, 1);
  } else if (is_forbidden(packet)) {
    MP_ADD(c->counters->forbidden, 1);
  } else {
    MP_ADD(c->counters->rx_packets, 1);
    MP_ADD(c->counters->rx_reassembled, fragments > 1 ? 1 : 0);
    c->io->emit(c->io, packet);
  }
}

/* Delivers the fragments from next to scan, which are a packet. FALSE: no memory is left in this call. */
static gboolean deliver_packet(const Call *c) {
  MpReassembly *r = c->r;
  AditStageFrame packet = {0};
  MpFragment first;
  mp_held_look(&r->held, r->next, c->io->now_ms, &first);
  if (r->scan - r->next == 1 && r->held.arriving && r->held.arriving_header.sequence == r->next) {
    packet = *r->held.arriving; /* nothing is copied */
  } else if (r->octets) {
    guint8 *whole = c->io->room(c->io, r->octets);
    if (!whole)
      return FALSE;
    packet.n = 1;
    packet.link = first.link;
    packet.slice[0].data = whole;
    for (guint32 number = r->next; number != r->scan; number++)
      packet.length += mp_held_copy(&r->held, number, whole + packet.length);
    packet.slice[0].length = packet.length;
  }
  emit_packet(c, &packet, r->scan - r->next);
  return TRUE;
}

/* ---- the line of fragments ---- */

static void release_begun(MpReassembly *r) {
  for (; r->next != r->scan; r->next++)
    mp_held_drop(&r->held, r->next);
  r->octets = 0;
}

/* The begin of a packet that will not be whole. */
static void drop_begun(const Call *c) {
  MP_ADD(c->counters->broken, c->r->scan - c->r->next);
  release_begun(c->r);
}

/* Examines the fragment `scan`, which is there. FALSE: no memory is left in this call. */
static gboolean take_fragment(const Call *c) {
  MpReassembly *r = c->r;
  MpFragment fragment;
  mp_held_look(&r->held, r->scan, c->io->now_ms, &fragment);
  if (fragment.begin)
    drop_begun(c); /* without an end, if there is one */
  r->octets += fragment.length;
  r->scan++;
  if (!fragment.begin && r->scan - r->next == 1) {
    drop_begun(c); /* without a begin */
  } else if (r->octets > c->params->own_mrru + PREFIX) {
    MP_ADD(c->counters->too_long, 1);
    release_begun(r); /* what follows has no begin */
  } else if (fragment.end) {
    if (!deliver_packet(c)) {
      r->octets -= fragment.length;
      r->scan--;
      return FALSE;
    }
    release_begun(r);
  }
  return TRUE;
}

/* The number up to which each link has brought something: what is before it and missing is lost. A link that died brings nothing. */
static guint32 find_minimum(const MpReassembly *r, guint32 silent) {
  guint32 minimum = r->held.top, alive = r->links & ~silent;
  for (guint32 bits = alive ? alive : r->links; bits; bits &= bits - 1) {
    guint32 latest = r->latest[__builtin_ctz(bits)];
    if (mp_is_before(latest, minimum))
      minimum = latest;
  }
  return r->links ? minimum : r->scan;
}

/* Fragments from scan to `to` do not come any more. */
static void give_up(const Call *c, guint32 to, gboolean expired) {
  MpReassembly *r = c->r;
  guint32 lost = to - r->scan;
  drop_begun(c);
  r->next = r->scan = to;
  MP_ADD(c->counters->lost, lost);
  MP_ADD(c->counters->expired, expired ? lost : 0);
  r->lost += lost;
  r->expired += expired ? lost : 0;
}

/* Delivers whole packets, and gives up those that are lost by the rule. FALSE: no memory is left in this call. */
static gboolean advance_line(const Call *c) {
  MpReassembly *r = c->r;
  guint32 minimum = find_minimum(r, c->params->silent);
  for (;;) {
    while (mp_held_has(&r->held, r->scan))
      if (!take_fragment(c))
        return FALSE;
    if (!mp_is_before(r->scan, minimum))
      return TRUE;
    guint32 there = mp_held_find(&r->held, r->scan);
    give_up(c, mp_is_before(minimum, there) ? minimum : there, FALSE);
  }
}

/* The first gap, or the begin of a packet that has no rest. FALSE: nothing is held. */
static gboolean give_up_first(const Call *c) {
  MpReassembly *r = c->r;
  guint32 there = mp_held_find(&r->held, r->scan);
  if (there != r->held.top)
    give_up(c, there, TRUE);
  else if (r->next != r->scan)
    drop_begun(c);
  else
    return FALSE;
  return TRUE;
}

/* When the first gap is given up. 0 = nothing waits. */
static guint64 find_deadline(const Call *c) {
  const MpReassembly *r = c->r;
  guint64 wait_ms = c->params->deadline_ms ? c->params->deadline_ms : MP_DEADLINE_MS;
  guint32 there = mp_held_find(&r->held, r->scan);
  MpFragment fragment;
  if (there == r->held.top) {
    if (r->next == r->scan)
      return 0;
    there = r->scan - 1;
    wait_ms *= PATIENCE;
  }
  mp_held_look(&r->held, there, c->io->now_ms, &fragment);
  return fragment.came_ms + wait_ms;
}

static void note_lost(const Call *c) {
  MpReassembly *r = c->r;
  if (!r->lost || (r->noted_ms && c->io->now_ms - r->noted_ms < NOTE_MS))
    return;
  MpNoteLost lost = {r->lost, r->expired};
  c->io->note(c->io, MP_NOTE_LOST, &lost, sizeof lost);
  r->noted_ms = c->io->now_ms;
  r->lost = r->expired = 0;
}

/* There is no memory for it. */
static void drop_arriving(const Call *c) {
  MpReassembly *r = c->r;
  guint32 number = r->held.arriving_header.sequence;
  MP_ADD(c->counters->no_memory, 1);
  if (mp_is_before(number, r->scan))
    drop_begun(c);
  else
    mp_held_drop(&r->held, number);
}

/* Gives up overdue fragments. FALSE: no memory is left in this call. */
static gboolean expire_line(const Call *c) {
  guint64 deadline;
  gboolean room = advance_line(c);
  while (room && (deadline = find_deadline(c)) && deadline <= c->io->now_ms) {
    give_up_first(c);
    room = advance_line(c);
  }
  return room;
}

/* Copies what arrived and waits; sets the next deadline. */
static void settle_line(const Call *c, gboolean room) {
  MpReassembly *r = c->r;
  while (!mp_held_keep(&r->held, c->io->now_ms)) { /* the bundle has its share: the oldest give way */
    if (room && r->held.blocks && give_up_first(c))
      room = advance_line(c);
    else
      drop_arriving(c);
  }
  c->io->deadline_ms = room ? find_deadline(c) : c->io->now_ms;
  MP_ADD(c->counters->held, (guint64)r->held.blocks * MP_BLOCK_DATA - c->counters->held);
  note_lost(c);
}

/* ---- numbers ---- */

/* A link that has brought nothing yet may have what is missing. */
static void follow_links(MpReassembly *r, guint32 links) {
  for (guint32 bits = links & ~r->links; bits; bits &= bits - 1)
    r->latest[__builtin_ctz(bits)] = r->next - 1;
  r->fresh = (r->fresh | (r->begun ? links & ~r->links : 0)) & links;
  r->links = links;
}

static void begin_at(const Call *c, guint32 number) {
  MpReassembly *r = c->r;
  drop_begun(c);
  for (guint32 at; (at = mp_held_find(&r->held, r->scan)) != r->held.top; r->scan = at + 1) {
    MP_ADD(c->counters->broken, 1);
    mp_held_drop(&r->held, at);
  }
  r->next = r->scan = r->held.top = number;
  r->links = 0;
  follow_links(r, c->io->links);
  r->fresh = 0;
}

/* A number that is far from what is expected: the peer has restarted its numbering, or it is noise. TRUE: it restarts here. */
static gboolean is_new_numbering(const Call *c, guint32 sequence, guint bits, guint needed) {
  MpReassembly *r = c->r;
  guint32 step = (sequence - r->stray) & ((1u << bits) - 1);
  r->strays = r->strays && step && step < MP_WINDOW ? r->strays + 1 : 1;
  r->stray = sequence;
  if (r->begun && r->strays < needed)
    return FALSE;
  if (r->begun) {
    MP_ADD(c->counters->resyncs, 1);
    c->io->note(c->io, MP_NOTE_RESYNC, NULL, 0);
  }
  begin_at(c, sequence);
  return TRUE;
}

/* How far it is from `next`, negative before it. */
static gint32 find_distance(const MpReassembly *r, guint32 sequence, guint bits) {
  return (gint32)((sequence - r->next) << (32 - bits)) >> (32 - bits);
}

/* RFC 1990 4: a link's numbers increase, and a bundle has one counter. A link that has just joined and is behind, while no other brings
 * anything, is a peer's that has restarted: its redial has found the old bundle. */
static gboolean is_behind_fresh(const MpReassembly *r, guint link, gint32 distance) {
  return distance < 0 && r->fresh >> link & 1;
}

void mp_reassembly_input(MpReassembly *r, const MpParams *params, MpCounters *counters, AditStageIo *io, AditStageFrame *frame) {
  Call c = {r, params, counters, io};
  MpLinkCounters *link = &counters->link[frame->link % ADIT_STAGE_LINKS];
  guint bits = mp_sequence_bits(params->receive_short);
  MpHeader header;
  MP_ADD(link->rx_fragments, 1);
  MP_ADD(link->rx_octets, frame->length);
  if (!params->own_mrru || frame->link >= ADIT_STAGE_LINKS || !mp_header_take(frame, params->receive_short, &header)) {
    MP_ADD(counters->malformed, 1);
    return;
  }
  follow_links(r, io->links);
  gint32 distance = find_distance(r, header.sequence, bits);
  if (!r->begun && (distance < 0 || !(r->links & (r->links - 1)))) {
    begin_at(&c, header.sequence); /* RFC 1990 5.1: from 0 on, but nothing before it can come */
    distance = 0;
  } else if (distance < -MP_WINDOW || distance >= MP_WINDOW || is_behind_fresh(r, frame->link, distance)) {
    if (!is_new_numbering(&c, header.sequence, bits, r->fresh >> frame->link & 1 ? FRESH : STRAYS)) {
      MP_ADD(link->late, 1);
      return;
    }
    distance = 0;
  }
  guint32 number = r->next + (guint32)distance;
  r->begun = TRUE;
  r->strays = 0;
  r->fresh = 0;
  if (mp_is_before(r->latest[frame->link], number))
    r->latest[frame->link] = number;
  if (distance < 0 || mp_held_has(&r->held, number))
    MP_ADD(link->late, 1);
  else
    mp_held_add(&r->held, number, &header, frame);
  settle_line(&c, advance_line(&c));
}

void mp_reassembly_expire(MpReassembly *r, const MpParams *params, MpCounters *counters, AditStageIo *io) {
  Call c = {r, params, counters, io};
  follow_links(r, io->links);
  settle_line(&c, expire_line(&c));
}

void mp_reassembly_clear(MpReassembly *r) {
  for (guint32 at = r->next; (at = mp_held_find(&r->held, at)) != r->held.top;)
    mp_held_drop(&r->held, at++);
}
