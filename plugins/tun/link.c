/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links as the main loop handles them. */
#include "link.h"
#include "dp.h"
#include "quiet.h"
#include "session.h"
#include "tunnel.h"

static guint home_of(const TunDp *dp, const AditEncap *encap) {
  return (encap->local_tunnel + encap->local_session) % dp->n_workers;
}

static void link_wire(AditDpLink *link, TunWire *wire) {
  TunDp *dp = link->listener->dp;
  gpointer old = (gpointer)link->wire;
  TunEndpoint *before = link->endpoint;
  AditAddress remote = adit_endpoint_address(&wire->path.remote);
  __atomic_store_n(&link->wire, wire, __ATOMIC_RELEASE);
  __atomic_store_n(&link->endpoint, tun_endpoint_ref(dp, &remote), __ATOMIC_RELEASE);
  tun_endpoint_unref(dp, before);
  if (old)
    tun_retire_memory(dp, old);
}

AditDpLink *tun_link_find(const TunDp *dp, guint64 serial) {
  TunItem *item = tun_table_lookup(&dp->links, serial);
  return item ? (AditDpLink *)(gpointer)((guint8 *)item - G_STRUCT_OFFSET(AditDpLink, by_serial)) : NULL;
}

static void link_reclaim(gpointer memory) {
  AditDpLink *link = memory;
  g_free((gpointer)link->wire);
  g_aligned_free(link);
}

AditDpLink *tun_link_attach(gpointer data, AditListener *listener, const AditPath *path, const AditEncap *encap, const AditDpLinkOps *ops,
                            gpointer user, GError **error) {
  TunDp *dp = data;
  AditDpLink *link = g_aligned_alloc0(1, sizeof *link + (dp->n_workers + 1) * sizeof(TunCell), 64);
  link->item.key = (guint64)encap->local_tunnel << 16 | encap->local_session;
  link->by_serial.key = ++dp->next_serial;
  link->listener = listener;
  link->ops = ops;
  link->user = user;
  link->home = home_of(dp, encap);
  link_wire(link, tun_wire_new(path, encap, FALSE, FALSE));
  if (!tun_table_insert(&listener->links, &link->item)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "tunnel %u session %u is attached already", encap->local_tunnel, encap->local_session);
    tun_endpoint_unref(dp, link->endpoint);
    link_reclaim(link);
    return NULL;
  }
  tun_table_insert(&dp->links, &link->by_serial);
  tun_early_attached(dp, listener, link->item.key);
  return link;
}

void tun_link_detach(AditDpLink *link) {
  TunDp *dp = link->listener->dp;
  if (link->session)
    tun_session_leave(link->session, link);
  if (link->spliced_by)
    tun_link_splice(link->spliced_by, NULL, NULL);
  tun_link_splice(link, NULL, NULL);
  tun_table_remove(&link->listener->links, &link->item);
  tun_table_remove(&dp->links, &link->by_serial);
  tun_endpoint_unref(dp, link->endpoint);
  __atomic_store_n(&link->dead, TRUE, __ATOMIC_SEQ_CST);
  if (link->home < dp->n_workers && __atomic_load_n(&link->waiting, __ATOMIC_SEQ_CST))
    tun_worker_kick(dp->worker[link->home]);
  tun_retire(dp, link_reclaim, link, &link->waiting);
}

void tun_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap) {
  const TunWire *old = link->wire;
  link_wire(link, tun_wire_new(path ? path : &old->path, encap ? encap : &old->encap, old->acfc, old->pfc));
  __atomic_store_n(&link->no_gso, FALSE, __ATOMIC_RELAXED); /* another way may be better */
}

void tun_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc) {
  const TunWire *old = link->wire;
  if (old->acfc != acfc || old->pfc != pfc)
    link_wire(link, tun_wire_new(&old->path, &old->encap, acfc, pfc));
}

void tun_link_send(AditDpLink *link, const guint8 *frame, gsize length) {
  static const guint8 all_stations[2] = {0xff, 0x03};
  TunDp *dp = link->listener->dp;
  const TunWire *wire = link->wire;
  TunCell *cell = &link->cell[dp->n_workers];
  gboolean numbered = tun_link_numbers(link, wire);
  guint16 ns = numbered ? (guint16)__atomic_fetch_add(&link->ns, 1, __ATOMIC_RELAXED) : 0;
  guint8 header[ADIT_ENCAP_HEADER_MAX];
  AditEndpoint to = wire->path.remote;
  guint n = adit_encap_write(&wire->encap, header, length + 2, numbered, ns);
  struct iovec pieces[] = {{header, n}, {(gpointer)all_stations, 2}, {(gpointer)frame, length}};
  struct msghdr message = {.msg_name = &to,
                           .msg_namelen = adit_endpoint_size(&to),
                           .msg_iov = pieces,
                           .msg_iovlen = G_N_ELEMENTS(pieces),
                           .msg_control = (gpointer)wire->control,
                           .msg_controllen = wire->control_length};
  if (sendmsg(link->listener->socket[0].fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    TUN_ADD(cell->drops, 1);
    return;
  }
  TUN_ADD(cell->tx_packets, 1);
  TUN_ADD(cell->tx_octets, length + 2);
  TUN_SET(cell->last_tx, dp->loop->now());
}

void tun_cells_sum(const TunCell *cell, guint n, AditDpStats *out) {
  memset(out, 0, sizeof *out);
  for (guint i = 0; i < n; i++) {
    out->counters.rx_packets += TUN_GET(cell[i].rx_packets);
    out->counters.rx_octets += TUN_GET(cell[i].rx_octets);
    out->counters.tx_packets += TUN_GET(cell[i].tx_packets);
    out->counters.tx_octets += TUN_GET(cell[i].tx_octets);
    out->last_rx_ms = MAX(out->last_rx_ms, TUN_GET(cell[i].last_rx));
    out->last_tx_ms = MAX(out->last_tx_ms, TUN_GET(cell[i].last_tx));
    out->last_data_ms = MAX(out->last_data_ms, TUN_GET(cell[i].last_data));
    out->drops += TUN_GET(cell[i].drops);
    out->lost += TUN_GET(cell[i].lost);
    out->reordered += TUN_GET(cell[i].reordered);
    out->spoofed += TUN_GET(cell[i].spoofed);
    out->looped += TUN_GET(cell[i].looped);
  }
}

void tun_link_stats(AditDpLink *link, AditDpStats *out) {
  tun_cells_sum(link->cell, link->listener->dp->n_workers + 1, out);
}

gboolean tun_link_splice(AditDpLink *link, AditDpLink *other, GError **error) {
  if (other && (other->spliced_by || other == link)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "the link is spliced already");
    return FALSE;
  }
  if (link->splice)
    link->splice->spliced_by = NULL;
  if (other)
    other->spliced_by = link;
  __atomic_store_n(&link->splice, other, __ATOMIC_RELEASE);
  return TRUE;
}
