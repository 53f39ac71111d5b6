/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From the ports: which session a packet is for, and whether it may go there. */
#include "port-read.h"
#include "../dp.h"
#include "../peer/tun-tunnel.h"
#include "../session/tun-session.h"
#include "ether-send.h"
#include "stage-run.h"
#include "tx.h"
#include <errno.h>
#include <unistd.h>

enum { READS = 64 /* packets from one queue before the others get their turn */ };

/* The session that a packet from the system is for. */
static AditDpSession *session_find(const TunPort *port, const guint8 *ip) {
  guint version = ip[0] >> 4;
  if (!port->head.shared)
    return __atomic_load_n(&port->session, __ATOMIC_ACQUIRE);
  return tun_routes_lookup(port->routes, version, ip + (version == 4 ? 16 : 24));
}

/* A tunnel is never carried in itself, nor in a session that took its endpoint's address: a packet may go to where a tunnel ends
 * only through the port that the tunnel's own datagrams come from (a tunnel inside of a session), or none has come from
 * anywhere yet (one that is being dialled through a session). */
static gboolean would_loop(const TunWorker *w, const TunPort *port, const AditDpLink *link, const guint8 *ip) {
  guint version = ip[0] >> 4;
  const TunEndpoint *endpoint = tun_endpoint_find(w->dp, version, ip + (version == 4 ? 16 : 24));
  if (!endpoint)
    return FALSE;
  guint32 ingress = TUN_GET(endpoint->ingress);
  return endpoint == __atomic_load_n(&link->endpoint, __ATOMIC_ACQUIRE) || (ingress && ingress != port->head.ifindex);
}

/* A packet as TUN gave it; it lies in the buffer of tun_tx_buffer(). */
static void packet_output(TunWorker *w, const TunPort *port, const TunVnet *vnet, guint8 *ip, gsize length) {
  guint32 total = tun_ip_length(ip, length);
  AditDpSession *session = total ? session_find(port, ip) : NULL;
  if (!session)
    return; /* of no session: multicast to a shared port, an address that has gone */
  AditDpLink *link = __atomic_load_n(&session->link, __ATOMIC_ACQUIRE);
  guint64 params = __atomic_load_n(&session->params, __ATOMIC_ACQUIRE);
  gboolean ok = link && (params & (ip[0] >> 4 == 4 ? TUN_PARAM_IPV4 : TUN_PARAM_IPV6));
  if (ok && would_loop(w, port, link, ip)) {
    TUN_ADD(w->stats.looped, 1);
    TUN_ADD(session->cell[w->index].looped, 1);
    ok = FALSE;
  }
  if (ok) {
    tun_clamp_mss(ip, length, (guint16)(params >> 16), (guint16)(params >> 32), vnet->flags & TUN_VNET_NEEDS_CSUM);
    ok = (params & TUN_PARAM_STAGED)
             ? tun_stage_encode(w, session, vnet, ip, length)
             : tun_tx_packet(w, session, link, vnet, ip, vnet->gso_type == TUN_GSO_NONE ? total : length); /* padding does not leave */
  }
  if (!ok)
    TUN_ADD(session->cell[w->index].drops, 1);
}

/* Another program has deleted the interface: epoll would say so for ever. */
static void queue_gone(TunWorker *w, TunQueue *queue) {
  tun_worker_unwatch(w, queue->fd);
  __atomic_store_n(&queue->port->gone, TRUE, __ATOMIC_RELEASE);
  tun_note(w, TUN_TO_CONTROL, &(TunNote){.kind = TUN_NOTE_GONE}, NULL, 0, NULL, 0);
}

void tun_port_read(TunWorker *w, TunQueue *queue) {
  for (guint i = 0; i < READS; i++) {
    guint8 *ip = tun_tx_buffer(w);
    gssize n = read(queue->fd, ip - TUN_VNET_LENGTH, TUN_TX_READ_MAX);
    if (n < 0 && errno == EBADFD)
      queue_gone(w, queue);
    if (n <= TUN_VNET_LENGTH)
      break;
    TunVnet vnet;
    memcpy(&vnet, ip - TUN_VNET_LENGTH, sizeof vnet);
    TUN_ADD(w->stats.packets_in, 1);
    if (vnet.gso_type != TUN_GSO_NONE)
      TUN_ADD(w->stats.super_in, 1);
    (queue->port->head.kind == ADIT_PORT_L2 ? tun_ether_send : packet_output)(w, queue->port, &vnet, ip, (gsize)n - TUN_VNET_LENGTH);
    tun_tx_buffer_keep(w, ip, (gsize)n);
  }
  tun_tx_flush(w);
  w->room_used = 0;
}
