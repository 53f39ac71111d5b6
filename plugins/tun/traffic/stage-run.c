/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages run on the home worker of their session; packets at another worker are handed to it. */
#include "stage-run.h"
#include "../dp.h"
#include "../packet/segment.h"
#include "../session/link-facts.h"
#include "../worker/foreign.h"
#include "delivery.h"
#include "ether-delivery.h"
#include "tx.h"
#include <adit/ppp.h>
#include <sys/mman.h>

guint8 *tun_stage_room_new(void) {
  gpointer room = mmap(NULL, TUN_STAGE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return room == MAP_FAILED ? NULL : room;
}

void tun_stage_room_free(guint8 *room) {
  if (room)
    munmap(room, TUN_STAGE_ROOM);
}

/* Added to a packet before its stages: headers of a segment, and what a codec of Ethernet frames adds; each piece is aligned. */
enum { PACKET_ROOM = TUN_SEGMENT_HEADER + ADIT_ETHER_ROOM + 128 };

/* ---- a run of the pipeline ---- */

typedef struct {
  AditPipelineRun run;
  TunWorker *w;
  AditDpSession *session;
} Run;

guint8 *tun_stage_room_take(TunWorker *w, gsize length) {
  if (length > TUN_STAGE_ROOM - w->room_used)
    return NULL;
  guint8 *room = w->room + w->room_used;
  w->room_used += (length + 15) & ~(gsize)15;
  return room;
}

static guint8 *run_room(gpointer user, gsize length) {
  return tun_stage_room_take(((Run *)user)->w, length);
}

static void count_drop(TunWorker *w, AditDpSession *session) {
  TUN_ADD(session->cell[w->index].drops, 1);
}

static void run_to_link(gpointer user, AditStageFrame *frame) {
  const Run *run = user;
  AditDpLink *link = frame->link < ADIT_STAGE_LINKS ? __atomic_load_n(&run->session->links[frame->link], __ATOMIC_ACQUIRE) : NULL;
  if (link)
    tun_tx_frame(run->w, link, frame);
  else
    count_drop(run->w, run->session);
}

/* Ports and the main loop take packets in one piece. */
static guint8 *frame_whole(Run *run, const AditStageFrame *frame) {
  if (frame->n == 1)
    return frame->slice[0].data;
  guint8 *whole = run_room(run, MAX(frame->length, 1));
  if (whole)
    adit_stage_copy(frame, 0, whole, frame->length);
  return whole;
}

static void run_to_port(gpointer user, AditStageFrame *frame) {
  Run *run = user;
  guint64 params = __atomic_load_n(&run->session->params, __ATOMIC_ACQUIRE);
  if (tun_ether_takes(run->session, params, frame->protocol)) {
    tun_ether_deliver(run->w, run->session, frame);
    return;
  }
  guint8 *whole = frame_whole(run, frame);
  if (!whole) {
    count_drop(run->w, run->session);
  } else if ((frame->protocol == ADIT_PPP_IPV4 && (params & TUN_PARAM_IPV4)) ||
             (frame->protocol == ADIT_PPP_IPV6 && (params & TUN_PARAM_IPV6))) {
    tun_deliver_packet(run->w, run->session, params, frame->protocol, whole, frame->length);
  } else {
    guint at = frame->link < ADIT_STAGE_LINKS ? frame->link : 0;
    const AditDpLink *link = __atomic_load_n(&run->session->links[at], __ATOMIC_ACQUIRE);
    if (link)
      tun_deliver_frame(run->w, link, TRUE, frame->protocol, whole, frame->length);
  }
}

static void run_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {
  const Run *run = user;
  TunNote note = {.kind = TUN_NOTE_STAGE, .serial = run->session->by_serial.key, .tunnel = kind, .session = what};
  tun_note(run->w, TUN_TO_LIVE, &note, NULL, 0, data, length);
}

static void run_dropped(gpointer user) {
  count_drop(((Run *)user)->w, ((Run *)user)->session);
}

static gboolean run_link(gpointer user, guint index, AditStageLink *out) {
  const Run *run = user;
  return tun_link_facts_read(run->w, run->session, index, out);
}

static const AditPipelineOps pipeline_ops = {sizeof pipeline_ops, run_room, run_to_link, run_to_port, run_note, run_dropped, run_link};

static void session_list(TunWorker *w, AditDpSession *session) {
  if (session->listed)
    return;
  session->list_next = w->staged;
  w->staged = session;
  __atomic_store_n(&session->listed, TRUE, __ATOMIC_SEQ_CST);
}

/* Before each packet: its run has ADIT_STAGE_ROOM octets at least, and what lies there stays until the next one. */
static void room_prepare(TunWorker *w) {
  if (TUN_STAGE_ROOM - w->room_used < ADIT_STAGE_ROOM + PACKET_ROOM)
    tun_deliver_flush(w);
}

static Run *run_begin(Run *run, TunWorker *w, AditDpSession *session) {
  *run = (Run){.run = {.pipeline = &session->pipeline, .ops = &pipeline_ops, .user = run}, .w = w, .session = session};
  adit_pipeline_init(&run->run, w->now, __atomic_load_n(&session->link_bits, __ATOMIC_ACQUIRE));
  return run;
}

static void run_end(Run *run) {
  AditDpSession *session = run->session;
  guint64 deadline = run->run.deadline_ms;
  if (!deadline || (session->deadline_ms && session->deadline_ms <= deadline))
    return;
  session->deadline_ms = deadline;
  session_list(run->w, session);
}

static void frame_run(TunWorker *w, AditDpSession *session, gboolean encoding, AditStageFrame *frame) {
  Run run;
  run_begin(&run, w, session);
  if (encoding)
    adit_pipeline_encode(&run.run, frame);
  else
    adit_pipeline_decode(&run.run, frame);
  run_end(&run);
}

/* ---- what waits for a required stage ---- */

static void frame_hold(TunWorker *w, AditDpSession *session, gboolean encoding, const AditStageFrame *frame) {
  TunHeld *held = &session->held[encoding];
  guint16 slot = held->n < TUN_HELD_MAX && frame->length <= TUN_HOLD_FRAME ? tun_hold_take(&w->pool) : 0;
  if (!slot) {
    count_drop(w, session);
    return;
  }
  TunHold *hold = &w->pool.hold[slot - 1];
  hold->length = (guint16)frame->length;
  hold->sequence = (guint32)frame->link << 16 | frame->protocol;
  adit_stage_copy(frame, 0, hold->frame, frame->length);
  held->slot[held->n++] = slot;
  session_list(w, session);
}

static void held_release(TunWorker *w, AditDpSession *session, gboolean encoding, gboolean dead) {
  TunHeld *held = &session->held[encoding];
  for (guint i = 0; i < held->n; i++) {
    TunHold *hold = &w->pool.hold[held->slot[i] - 1];
    AditStageFrame frame = {.protocol = (guint16)hold->sequence, .link = (guint8)(hold->sequence >> 16), .n = 1, .length = hold->length};
    frame.slice[0] = (AditStageSlice){hold->frame, hold->length};
    if (dead)
      continue;
    room_prepare(w);
    frame_run(w, session, encoding, &frame);
  }
  if (!dead && held->n)
    tun_deliver_flush(w); /* the slots are reused soon */
  for (guint i = 0; i < held->n; i++)
    tun_hold_give(&w->pool, held->slot[i]);
  held->n = 0;
}

/* Before each packet: lets go of those that came before it, if it need not wait itself. TRUE: it must. */
static gboolean packet_prepare(TunWorker *w, AditDpSession *session, gboolean encoding) {
  gboolean wait = (__atomic_load_n(&session->params, __ATOMIC_ACQUIRE) & TUN_PARAM_HELD) != 0;
  if (!wait && session->held[encoding].n)
    held_release(w, session, encoding, FALSE);
  room_prepare(w);
  return wait;
}

static void stage_frame(TunWorker *w, AditDpSession *session, gboolean encoding, gboolean wait, AditStageFrame *frame) {
  if (wait)
    frame_hold(w, session, encoding, frame);
  else
    frame_run(w, session, encoding, frame);
}

gboolean tun_stage_prepare(TunWorker *w, AditDpSession *session) {
  return packet_prepare(w, session, TRUE);
}

void tun_stage_send(TunWorker *w, AditDpSession *session, gboolean wait, AditStageFrame *frame) {
  stage_frame(w, session, TRUE, wait, frame);
}

int tun_stages_run(TunWorker *w) {
  guint64 next = 0;
  for (AditDpSession **at = &w->staged, *session; (session = *at);) {
    gboolean dead = __atomic_load_n(&session->dead, __ATOMIC_SEQ_CST);
    if (dead || !(__atomic_load_n(&session->params, __ATOMIC_SEQ_CST) & TUN_PARAM_HELD))
      for (guint encoding = 0; encoding < 2; encoding++)
        held_release(w, session, encoding, dead);
    if (!dead && session->deadline_ms && session->deadline_ms <= w->now) {
      Run run;
      room_prepare(w);
      run_begin(&run, w, session);
      adit_pipeline_expire(&run.run);
      session->deadline_ms = run.run.deadline_ms;
      tun_deliver_flush(w);
    }
    if (dead || (!session->deadline_ms && !session->held[0].n && !session->held[1].n)) {
      *at = session->list_next;
      __atomic_store_n(&session->listed, FALSE, __ATOMIC_SEQ_CST); /* a dead one may be gone from here on */
      continue;
    }
    if (session->deadline_ms)
      next = next ? MIN(next, session->deadline_ms) : session->deadline_ms;
    at = &session->list_next;
  }
  return !next ? -1 : (int)(next > w->now ? next - w->now : 1);
}

/* ---- ways in ---- */

void tun_stage_decode(TunWorker *w, AditDpSession *session, const AditDpLink *link, guint16 protocol, guint8 *payload, gsize length) {
  AditStageFrame frame = {.protocol = protocol, .link = (guint8)link->index, .n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){payload, (guint32)length};
  stage_frame(w, session, FALSE, packet_prepare(w, session, FALSE), &frame);
}

static guint16 ip_protocol(const guint8 *ip) {
  return ip[0] >> 4 == 6 ? ADIT_PPP_IPV6 : ADIT_PPP_IPV4;
}

/* Each segment is a packet: its headers, which lie in the stages' memory, and a piece of the super-packet. */
static gboolean super_encode(TunWorker *w, AditDpSession *session, const TunVnet *vnet, guint8 *ip, gsize length) {
  TunSplit split;
  if (!tun_split_begin(&split, vnet, ip, length))
    return FALSE;
  for (guint i = 0; i < split.n; i++) {
    const guint8 *payload;
    gboolean wait = packet_prepare(w, session, TRUE);
    guint8 *header = w->room + w->room_used; /* which has been prepared */
    guint payload_length = tun_split_segment(&split, i, header, &payload);
    w->room_used += TUN_SEGMENT_HEADER;
    AditStageFrame frame = {.protocol = ip_protocol(ip), .n = payload_length ? 2 : 1, .length = split.header + payload_length};
    frame.slice[0] = (AditStageSlice){header, split.header};
    frame.slice[1] = (AditStageSlice){(guint8 *)payload, payload_length};
    tun_tx_count(w, session, 1, frame.length);
    stage_frame(w, session, TRUE, wait, &frame);
  }
  return TRUE;
}

static gboolean encode_here(TunWorker *w, AditDpSession *session, const TunVnet *vnet, guint8 *ip, gsize length) {
  if (vnet->gso_type != TUN_GSO_NONE)
    return super_encode(w, session, vnet, ip, length);
  guint32 total = tun_ip_length(ip, length);
  if (!total || !tun_vnet_complete(vnet, ip, total))
    return FALSE;
  AditStageFrame frame = {.protocol = ip_protocol(ip), .n = 1, .length = total};
  frame.slice[0] = (AditStageSlice){ip, total};
  tun_tx_count(w, session, 1, total);
  stage_frame(w, session, TRUE, packet_prepare(w, session, TRUE), &frame);
  return TRUE;
}

gboolean tun_stage_encode(TunWorker *w, AditDpSession *session, const TunVnet *vnet, guint8 *ip, gsize length) {
  if (session->home == w->index)
    return encode_here(w, session, vnet, ip, length);
  memcpy(ip - sizeof *vnet, vnet, sizeof *vnet); /* where it was read to */
  TunForeign head = {.kind = TUN_FOREIGN_PACKET, .serial = session->by_serial.key, .length = (guint32)(length + sizeof *vnet)};
  tun_foreign_put(w, session->home, &head, ip - sizeof *vnet);
  return TRUE;
}

void tun_stage_packet(TunWorker *w, guint64 serial, guint8 *packet, gsize length) {
  AditDpSession *session = tun_session_find(w->dp, serial);
  TunVnet vnet;
  if (!session || length <= sizeof vnet || session->home != w->index)
    return;
  memcpy(&vnet, packet, sizeof vnet);
  if (!encode_here(w, session, &vnet, packet + sizeof vnet, length - sizeof vnet))
    count_drop(w, session);
}
