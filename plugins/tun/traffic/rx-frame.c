/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Frames of links, from the worker that reads them to the one that handles them, in their order. */
#include "rx-frame.h"
#include "../dp.h"
#include "../session/tun-session.h"
#include "delivery.h"
#include "ether-delivery.h"
#include "stage-run.h"
#include "tx.h"
#include <adit/ppp.h>

typedef struct {
  TunWorker *w;
  AditDpLink *link;
  AditDpSession *session; /* that it was in when its home was looked up; NULL = none */
} TunTarget;

/* A frame in its order; `frame` begins with address and control or with the protocol. */
static void frame_deliver(gpointer user, const guint8 *data, gsize length) {
  const TunTarget *target = user;
  TunWorker *w = target->w;
  AditDpLink *link = target->link;
  TunCell *cell = &link->cell[w->index];
  guint8 *frame = (guint8 *)data; /* our own buffer: headers are changed in place */
  guint at = length >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  guint16 protocol = length > at ? frame[at++] : 0;
  if (!(protocol & 1) && length > at)
    protocol = (guint16)(protocol << 8 | frame[at++]);
  if (!(protocol & 1)) { /* RFC 1661 2: the last octet is odd */
    TUN_ADD(cell->drops, 1);
    TUN_ADD(w->stats.malformed, 1);
    return;
  }
  TUN_ADD(cell->rx_packets, 1);
  TUN_ADD(cell->rx_octets, length);
  TUN_SET(cell->last_rx, w->now);

  AditDpLink *splice = __atomic_load_n(&link->splice, __ATOMIC_ACQUIRE);
  AditDpSession *session = target->session;
  guint64 params = session ? __atomic_load_n(&session->params, __ATOMIC_ACQUIRE) : 0;
  if (splice) {
    tun_tx_splice(w, splice, frame, length);
  } else if ((params & TUN_PARAM_STAGED) && protocol < 0x8000) {
    TUN_SET(cell->last_data, w->now);
    tun_stage_decode(w, session, link, protocol, frame + at, length - at);
  } else if ((protocol == ADIT_PPP_IPV4 && (params & TUN_PARAM_IPV4)) || (protocol == ADIT_PPP_IPV6 && (params & TUN_PARAM_IPV6))) {
    TUN_SET(cell->last_data, w->now);
    tun_deliver_packet(w, session, params, protocol, frame + at, length - at);
  } else if (session && tun_ether_takes(session, params, protocol)) {
    AditStageFrame whole = {.protocol = protocol, .n = 1, .length = (guint32)(length - at)};
    whole.slice[0] = (AditStageSlice){frame + at, whole.length};
    TUN_SET(cell->last_data, w->now);
    tun_ether_deliver(w, session, &whole);
  } else {
    tun_deliver_frame(w, link, session != NULL, protocol, frame + at, length - at);
    return;
  }
  /* Frames that waited lie in the pool, where the next one will: let them go at once. */
  if (data >= (guint8 *)w->pool.hold && data < (guint8 *)(w->pool.hold + w->pool.n))
    tun_deliver_flush(w);
}

static void wait_for_deadline(TunWorker *w, AditDpLink *link) {
  if (!link->reorder.deadline || link->waiting)
    return;
  link->wait_next = w->waiting;
  w->waiting = link;
  __atomic_store_n(&link->waiting, TRUE, __ATOMIC_SEQ_CST);
}

static void count_order(TunCell *cell, const TunReorderCount *count) {
  TUN_ADD(cell->drops, count->late);
  TUN_ADD(cell->lost, count->lost);
  TUN_ADD(cell->reordered, count->reordered);
}

/* On the link's home worker. */
static void frame_input(TunWorker *w, AditDpLink *link, AditDpSession *session, gboolean numbered, guint32 sequence, const guint8 *frame,
                        gsize length) {
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  TunTarget target = {w, link, session};
  TunReorderCount count = {0};
  if (TUN_GET(link->peer_numbers) != numbered)
    __atomic_store_n(&link->peer_numbers, numbered, __ATOMIC_RELAXED);
  if (!numbered) {
    if (wire->encap.sequence & ADIT_SEQUENCE_REQUIRE)
      TUN_ADD(link->cell[w->index].drops, 1);
    else
      frame_deliver(&target, frame, length);
    return;
  }
  link->reorder.bits = wire->sequence_bits;
  tun_reorder_push(&link->reorder, &w->pool, sequence, frame, length, w->now, wire->encap.reorder_ms, frame_deliver, &target, &count);
  count_order(&link->cell[w->index], &count);
  wait_for_deadline(w, link);
}

/* ---- frames of links that live elsewhere ---- */

static void foreign_frame(TunWorker *w, guint to, const AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame,
                          guint32 length) {
  TunForeign head = {TUN_FOREIGN_FRAME, link->by_serial.key, sequence, numbered, length};
  tun_foreign_put(w, to, &head, frame);
}

static void stop_waiting(TunWorker *w, AditDpLink *link) {
  AditDpLink **at = &w->waiting;
  while (*at && *at != link)
    at = &(*at)->wait_next;
  if (!*at)
    return;
  *at = link->wait_next;
  __atomic_store_n(&link->waiting, FALSE, __ATOMIC_SEQ_CST);
}

/* On its gate: the home takes over the reorder state, then the frames that wait, then whatever comes. FALSE: its ring is full. */
static gboolean hand_over(TunWorker *w, AditDpLink *link, guint home) {
  TunReorder state = link->reorder;
  TunForeign head = {.kind = TUN_FOREIGN_TAKE, .serial = link->by_serial.key, .length = sizeof state};
  stop_waiting(w, link); /* from the next line on the list is the home's */
  if (!tun_foreign_put(w, home, &head, (const guint8 *)&state)) {
    wait_for_deadline(w, link);
    return FALSE;
  }
  link->moved = TRUE;
  for (guint i = 0; i < TUN_HOLD_WINDOW && state.n_held; i++) {
    guint16 index = state.held[(state.next + i) % TUN_HOLD_WINDOW];
    if (!index)
      continue;
    const TunHold *hold = &w->pool.hold[index - 1];
    foreign_frame(w, home, link, TRUE, hold->sequence, hold->frame, hold->length);
    tun_hold_give(&w->pool, index);
    state.n_held--;
  }
  return TRUE;
}

/* On the new home. */
static void take_over(AditDpLink *link, const TunForeign *record) {
  TunReorder state;
  memcpy(&state, record->data, sizeof state);
  memset(state.held, 0, sizeof state.held); /* they follow */
  state.n_held = 0;
  state.deadline = 0;
  link->reorder = state;
}

/* A frame on its way through the gate, which all of a link's frames pass one after the other: so they reach the home in their order, before
 * it changes and after. */
static void gate_input(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length) {
  AditDpSession *session = __atomic_load_n(&link->session, __ATOMIC_ACQUIRE); /* first: a worker that sees it sees its home */
  guint home = __atomic_load_n(&link->home, __ATOMIC_ACQUIRE);
  if (home == w->index)
    frame_input(w, link, session, numbered, sequence, frame, length);
  else if (link->moved || hand_over(w, link, home))
    foreign_frame(w, home, link, numbered, sequence, frame, length);
}

static void home_input(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length) {
  frame_input(w, link, __atomic_load_n(&link->session, __ATOMIC_ACQUIRE), numbered, sequence, frame, length);
}

void tun_rx_frame_foreign(TunWorker *w, const TunForeign *f) {
  AditDpLink *link = tun_link_find(w->dp, f->serial);
  if (!link) /* it went meanwhile; one that has its ids since is another */
    return;
  if (f->kind == TUN_FOREIGN_TAKE)
    take_over(link, f);
  else if (link->gate == w->index)
    gate_input(w, link, f->has_sequence, f->sequence, f->data, f->length);
  else
    home_input(w, link, f->has_sequence, f->sequence, f->data, f->length);
}

void tun_rx_frame(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length) {
  if (link->gate != w->index)
    foreign_frame(w, link->gate, link, numbered, sequence, frame, length);
  else
    gate_input(w, link, numbered, sequence, frame, length);
}

int tun_rx_frame_expire(TunWorker *w) {
  guint64 next = 0;
  for (AditDpLink **at = &w->waiting, *link; (link = *at);) {
    AditDpSession *session = __atomic_load_n(&link->session, __ATOMIC_ACQUIRE);
    TunTarget target = {w, link, session};
    TunReorderCount count = {0};
    guint home = __atomic_load_n(&link->home, __ATOMIC_ACQUIRE);
    if (home != w->index && !__atomic_load_n(&link->dead, __ATOMIC_SEQ_CST)) {
      if (hand_over(w, link, home)) /* which has taken it out of the list */
        continue;
      next = w->now + 1; /* it is the first of the list now: the rest waits for the next pass, too */
      break;
    }
    gboolean dead = __atomic_load_n(&link->dead, __ATOMIC_SEQ_CST);
    if (dead || (link->reorder.deadline && link->reorder.deadline <= w->now)) {
      tun_reorder_flush(&link->reorder, &w->pool, dead ? NULL : frame_deliver, &target, &count);
      count_order(&link->cell[w->index], &count);
    }
    if (!link->reorder.deadline) {
      *at = link->wait_next;
      __atomic_store_n(&link->waiting, FALSE, __ATOMIC_RELEASE); /* a dead one may be gone from here on */
      continue;
    }
    next = next ? MIN(next, link->reorder.deadline) : link->reorder.deadline;
    at = &link->wait_next;
  }
  return !next ? -1 : (int)(next > w->now ? next - w->now : 1);
}
