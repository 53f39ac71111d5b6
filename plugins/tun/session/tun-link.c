/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links as the main loop handles them. */
#include "tun-link.h"
#include "../dp.h"
#include "../peer/tun-tunnel.h"
#include "../worker/quiet.h"
#include "link-facts.h"
#include "tun-session.h"

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

gboolean tun_claims(gpointer dp, const AditEncap *encap) {
  return encap->kind != ADIT_ENCAP_NULL && adit_encap_is_carried(encap);
}

/* It is handed over in the next pass of the main loop, not at once: the link's owner is not ready for frames. */
static void mark_early_frame(TunDp *dp, const AditListener *listener, guint64 key) {
  TunEarlyKey early = {listener->serial, key};
  if (tun_early_mark_due(dp->early, &early) && !dp->dispatching)
    tun_wake_main(dp);
}

AditDpLink *tun_link_attach(gpointer data, AditListener *listener, const AditDpLinkSpec *spec, GError **error) {
  TunDp *dp = data;
  const AditEncap *encap = spec->encap;
  if (!tun_claims(dp, encap)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "the data path tun does not carry this encapsulation");
    return NULL;
  }
  AditDpLink *link = g_aligned_alloc0(1, sizeof *link + (dp->n_workers + 1) * sizeof(TunCell), 64);
  link->item.key = adit_encap_key(encap->local_tunnel, encap->local_session);
  link->by_serial.key = ++dp->next_serial;
  link->listener = listener;
  link->id = spec->id;
  link->ops = spec->ops;
  link->user = spec->user;
  link->home = link->gate = adit_encap_worker(encap->local_tunnel, encap->local_session, dp->n_workers);
  link_wire(link, tun_wire_new(spec->path, encap, FALSE, FALSE));
  if (!tun_table_insert(&listener->links, &link->item)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "tunnel %u session %u is attached already", encap->local_tunnel, encap->local_session);
    tun_endpoint_unref(dp, link->endpoint);
    link_reclaim(link);
    return NULL;
  }
  tun_table_insert(&dp->links, &link->by_serial);
  mark_early_frame(dp, listener, link->item.key);
  return link;
}

/* The gate hands over what it has of the link with the next frame, or in its next pass if frames wait there for others. */
void tun_link_move(AditDpLink *link, guint home) {
  TunDp *dp = link->listener->dp;
  if (link->home == home)
    return;
  __atomic_store_n(&link->home, home, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&link->waiting, __ATOMIC_SEQ_CST))
    tun_worker_kick(dp->worker[link->gate]);
}

void tun_link_detach(AditDpLink *link) {
  TunDp *dp = link->listener->dp;
  if (link->spliced_by)
    tun_link_splice(link->spliced_by, NULL, NULL);
  tun_link_splice(link, NULL, NULL);
  tun_table_remove(&link->listener->links, &link->item);
  tun_table_remove(&dp->links, &link->by_serial);
  tun_endpoint_unref(dp, link->endpoint);
  __atomic_store_n(&link->dead, TRUE, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&link->waiting, __ATOMIC_SEQ_CST)) {
    tun_worker_kick(dp->worker[link->home]);
    tun_worker_kick(dp->worker[link->gate]);
  }
  tun_retire(dp, link_reclaim, link, &link->waiting);
}

void tun_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap) {
  const TunWire *old = link->wire;
  link_wire(link, tun_wire_new(path ? path : &old->path, encap ? encap : &old->encap, old->acfc, old->pfc));
  __atomic_store_n(&link->no_gso, FALSE, __ATOMIC_RELAXED); /* another way may be better */
  if (link->path_mtu)
    tun_link_facts_learn(link);
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
  const AditEncapHeader *template = &wire->header[numbered];
  guint8 header[ADIT_ENCAP_HEADER_MAX];
  memcpy(header, template->octets, template->length);
  adit_encap_fill(template, header, length + 2, numbered ? tun_link_next_number(link) : 0);
  const struct iovec pieces[] = {{header, template->length}, {(gpointer)all_stations, 2}, {(gpointer)frame, length}};
  if (!tun_outbox_send(dp->outbox, link->listener, &wire->path.remote, wire->control, wire->control_length, pieces, G_N_ELEMENTS(pieces))) {
    TUN_ADD(cell->drops, 1);
    return;
  }
  TUN_ADD(cell->tx_packets, 1);
  TUN_ADD(cell->tx_octets, length + 2);
  TUN_SET(cell->last_tx, dp->loop->now());
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

static void set_hex(AditValue *map, const char *key, guint64 id) {
  g_autofree char *text = g_strdup_printf("%" G_GINT64_MODIFIER "x", id);
  adit_value_set(map, key, adit_value_string(text));
}

AditValue *tun_link_describe(AditDpLink *link) {
  AditValue *map = adit_value_map();
  char peer[ADIT_ENDPOINT_TEXT];
  AditDpStats stats;
  tun_link_stats(link, &stats);
  set_hex(map, "link", link->id);
  if (link->session)
    set_hex(map, "session", link->session->id);
  adit_value_set(map, "peer", adit_value_string(adit_endpoint_format(&link->wire->path.remote, peer)));
  adit_value_set(map, "gate", adit_value_int(link->gate));
  adit_value_set(map, "worker", adit_value_int(link->home));
  adit_value_set(map, "rx-packets", adit_value_int((gint64)stats.counters.rx_packets));
  adit_value_set(map, "tx-packets", adit_value_int((gint64)stats.counters.tx_packets));
  adit_value_set(map, "drops", adit_value_int((gint64)stats.drops));
  adit_value_set(map, "lost", adit_value_int((gint64)stats.lost));
  adit_value_set(map, "reordered", adit_value_int((gint64)stats.reordered));
  return map;
}
