/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-link.h"

#define NULL_FRAME_MAX 65536

static void link_index(AditDpLink *link) {
  if (link->encap.kind == ADIT_ENCAP_NULL) {
    g_ptr_array_add(link->listener->plain, link);
    return;
  }
  link->key = adit_encap_key(link->encap.local_tunnel, link->encap.local_session);
  g_hash_table_insert(link->listener->links, &link->key, link);
}

static void link_unindex(AditDpLink *link) {
  if (link->encap.kind == ADIT_ENCAP_NULL)
    g_ptr_array_remove(link->listener->plain, link);
  else
    g_hash_table_remove(link->listener->links, &link->key);
}

gboolean null_claims(gpointer dp, const AditEncap *encap) {
  return encap->kind == ADIT_ENCAP_NULL || adit_encap_is_carried(encap);
}

AditDpLink *null_link_attach(gpointer dp, AditListener *listener, const AditDpLinkSpec *spec, GError **error) {
  const AditEncap *encap = spec->encap;
  guint64 key = adit_encap_key(encap->local_tunnel, encap->local_session);
  if (!null_claims(dp, encap)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "the data path null does not carry this encapsulation");
    return NULL;
  }
  if (spec->path->association && !listener->dp->net->ops.is_protected) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "the data path null carries no protected paths here: association %u",
                spec->path->association);
    return NULL;
  }
  if (encap->kind != ADIT_ENCAP_NULL && g_hash_table_contains(listener->links, &key)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "tunnel %u session %u is attached already", encap->local_tunnel, encap->local_session);
    return NULL;
  }
  AditDpLink *link = g_new0(AditDpLink, 1);
  *link = (AditDpLink){.id = spec->id, .listener = listener, .path = *spec->path, .encap = *encap, .ops = spec->ops, .user = spec->user};
  link_index(link);
  return link;
}

void null_link_detach(AditDpLink *link) {
  if (link->spliced_by)
    link->spliced_by->splice = NULL;
  if (link->splice)
    link->splice->spliced_by = NULL;
  link_unindex(link);
  g_free(link);
}

void null_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap) {
  link_unindex(link);
  if (path)
    link->path = *path;
  if (encap)
    link->encap = *encap;
  link_index(link);
}

void null_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc) {
  link->acfc = acfc;
  link->pfc = pfc;
}

void null_link_stats(AditDpLink *link, AditDpStats *out) {
  *out = link->stats;
}

gboolean null_link_splice(AditDpLink *link, AditDpLink *other, GError **error) {
  if (link->splice)
    link->splice->spliced_by = NULL;
  if (other && other->spliced_by)
    other->spliced_by->splice = NULL;
  link->splice = other;
  if (other)
    other->spliced_by = link;
  return TRUE;
}

/* Wraps a frame that is `lead` (address, control, protocol as they go out) and `body`. */
static void link_output(AditDpLink *link, const guint8 *lead, gsize lead_length, const guint8 *body, gsize length) {
  NullNet *net = link->listener->dp->net;
  guint8 *datagram = NULL;
  gboolean numbered = (link->encap.sequence & ADIT_SEQUENCE_SEND) || ((link->encap.sequence & ADIT_SEQUENCE_FOLLOW) && link->peer_numbers);
  guint8 header[ADIT_ENCAP_HEADER_MAX];

  if (lead_length + length > NULL_FRAME_MAX) {
    link->stats.drops++;
    return;
  }
  guint n = adit_encap_write(&link->encap, header, lead_length + length, numbered, link->ns);
  if (numbered)
    link->ns++;
  datagram = g_malloc(n + lead_length + length);
  memcpy(datagram, header, n);
  if (lead_length)
    memcpy(datagram + n, lead, lead_length);
  if (length)
    memcpy(datagram + n + lead_length, body, length);
  link->stats.counters.tx_packets++;
  link->stats.counters.tx_octets += lead_length + length;
  link->stats.last_tx_ms = null_now(net);
  null_net_send(net, &link->path, datagram, n + lead_length + length);
  g_free(datagram);
}

void null_link_send(AditDpLink *link, const guint8 *frame, gsize length) {
  static const guint8 all_stations[2] = {0xff, 0x03};
  link_output(link, all_stations, sizeof all_stations, frame, length);
}

void null_link_data(AditDpLink *link, guint16 protocol, const guint8 *packet, gsize length) {
  guint8 lead[4];
  AditBuilder b = adit_builder(lead, sizeof lead);
  if (!link->acfc)
    adit_put_u16(&b, 0xff03);
  if (link->pfc && protocol < 0x100)
    adit_put_u8(&b, (guint8)protocol);
  else
    adit_put_u16(&b, protocol);
  link->stats.last_data_ms = null_now(link->listener->dp->net);
  link_output(link, lead, adit_built(&b), packet, length);
}

void null_link_forward(AditDpLink *link, const guint8 *frame, gsize length) {
  link_output(link, NULL, 0, frame, length);
}

void null_link_frame(AditDpLink *link, guint16 protocol, const guint8 *payload, gsize length) {
  g_autofree guint8 *plain = g_malloc(length + 2);
  AditBuilder out = adit_builder(plain, length + 2);
  adit_put_u16(&out, protocol);
  adit_put_bytes(&out, payload, length);
  link->ops->frame(link->user, plain, adit_built(&out));
}

void null_link_tell(AditDpLink *link, const AditStageLink *facts) {
  adit_copy_sized(&link->facts, sizeof link->facts, facts);
}
