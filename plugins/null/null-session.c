/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-session.h"
#include "null-link.h"
#include "null-port.h"
#include <adit/ppp.h>

AditDpSession *null_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error) {
  AditDpSession *session = g_new0(AditDpSession, 1);
  session->dp = dp;
  session->id = id;
  session->port = (NullPort *)port;
  session->prefixes = g_array_new(FALSE, TRUE, sizeof(AditPrefix));
  if (session->port && !port->shared && session->port->sessions->len) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s has a session", port->name);
    g_array_unref(session->prefixes);
    g_free(session);
    return NULL;
  }
  if (session->port)
    g_ptr_array_add(session->port->sessions, session);
  return session;
}

gboolean null_session_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error) {
  guint at = (guint)__builtin_ctz(~session->link_bits);
  if (session->link_bits && !session->pipeline.stage[ADIT_STAGE_BUNDLE]) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "a second link needs a stage that bundles");
    return FALSE;
  }
  if (at >= ADIT_STAGE_LINKS) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "the session has %u links, which is all it can have", ADIT_STAGE_LINKS);
    return FALSE;
  }
  session->links[at] = link;
  session->link_bits |= 1u << at;
  session->link = session->link ? session->link : link;
  link->session = session;
  link->index = at;
  if (index)
    *index = at;
  return TRUE;
}

void null_session_leave(AditDpSession *session, AditDpLink *link) {
  if (link->session != session)
    return;
  session->links[link->index] = NULL;
  session->link_bits &= ~(1u << link->index);
  session->link = session->link_bits ? session->links[__builtin_ctz(session->link_bits)] : NULL;
  link->session = NULL;
}

void null_session_set(AditDpSession *session, const AditDpSessionParams *params) {
  session->params = (AditDpSessionParams){.check_source = session->port && session->port->head.shared};
  memcpy(&session->params, params, MIN(params->size, sizeof *params));
  session->params.protocols = NULL;
  session->params.n_protocols = MIN(params->n_protocols, NULL_PROTOCOLS_MAX);
  for (guint i = 0; i < session->params.n_protocols; i++)
    session->open[i] = params->protocols[i];
}

static gboolean is_ether(const AditDpSession *session, guint16 protocol) {
  return session->ether.codec && adit_ether_has_protocol(session->ether.codec, protocol);
}

gboolean null_session_is_open(const AditDpSession *session, guint16 protocol) {
  if (is_ether(session, protocol)) {
    protocol = session->ether.codec->protocols[0];
    if (!session->ether.published)
      return FALSE;
  }
  for (guint i = 0; i < session->params.n_protocols; i++)
    if (session->open[i] == protocol)
      return TRUE;
  return FALSE;
}

static int prefix_index(const AditDpSession *session, const AditPrefix *prefix) {
  for (guint i = 0; i < session->prefixes->len; i++) {
    const AditPrefix *other = &g_array_index(session->prefixes, AditPrefix, i);
    if (other->length == prefix->length && adit_address_equal(&other->address, &prefix->address))
      return (int)i;
  }
  return -1;
}

gboolean null_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error) {
  NullPort *port = session->port;
  if (prefix_index(session, prefix) >= 0)
    return TRUE;
  for (guint i = 0; port && port->head.shared && i < port->sessions->len; i++)
    if (prefix_index(port->sessions->pdata[i], prefix) >= 0) {
      char text[ADIT_PREFIX_TEXT];
      g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "%s is another session's on %s", adit_prefix_format(prefix, text), port->head.name);
      return FALSE;
    }
  g_array_append_val(session->prefixes, *prefix);
  return TRUE;
}

gboolean null_session_remove_prefix(AditDpSession *session, const AditPrefix *prefix) {
  int index = prefix_index(session, prefix);
  if (index >= 0)
    g_array_remove_index_fast(session->prefixes, (guint)index);
  return index >= 0;
}

void null_session_stats(AditDpSession *session, AditDpStats *out) {
  *out = session->stats;
}

gboolean null_session_attach_ether(AditDpSession *session, AditPort *head, const AditEtherOps *codec, GError **error) {
  NullPort *port = (NullPort *)head;
  if (head->kind != ADIT_PORT_L2 || !adit_ether_is_complete(codec)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s: %s", head->name,
                head->kind != ADIT_PORT_L2 ? "no L2 port" : "the codec of its frames is not complete");
    return FALSE;
  }
  if (session->ether.port || port->sessions->len) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s: %s", head->name,
                session->ether.port ? "the session has an L2 port" : "it has a session");
    return FALSE;
  }
  session->ether = (NullEther){.port = port, .codec = codec};
  g_ptr_array_add(port->sessions, session);
  return TRUE;
}

void null_session_set_ether(AditDpSession *session, gconstpointer params) {
  memcpy(session->ether.params, params, sizeof session->ether.params);
  session->ether.published = TRUE;
}

void null_session_ether_drops(AditDpSession *session, guint64 drops[ADIT_ETHER_REASONS]) {
  memcpy(drops, session->ether.drops, sizeof session->ether.drops);
}

void null_session_free(AditDpSession *session) {
  if (session->ether.port)
    g_ptr_array_remove(session->ether.port->sessions, session);
  if (session->port)
    g_ptr_array_remove(session->port->sessions, session);
  g_array_unref(session->prefixes);
  g_free(session);
}

/* Length of the longest prefix of the session that holds `address`; -1 = none. */
static int session_match(const AditDpSession *session, const AditAddress *address) {
  int best = -1;
  for (guint i = 0; i < session->prefixes->len; i++) {
    const AditPrefix *prefix = &g_array_index(session->prefixes, AditPrefix, i);
    if (adit_prefix_contains(prefix, address))
      best = MAX(best, prefix->length);
  }
  return best;
}

/* In a prefix of the session, and in no longer one of another. */
static gboolean source_is_own(const AditDpSession *session, const AditAddress *source) {
  int own = session_match(session, source);
  for (guint i = 0; own >= 0 && i < session->dp->ports->len; i++) {
    const NullPort *port = session->dp->ports->pdata[i];
    for (guint k = 0; k < port->sessions->len; k++)
      if (session_match(port->sessions->pdata[k], source) > own)
        return FALSE;
  }
  return own >= 0;
}

AditDpSession *null_session_find(const NullPort *port, const AditAddress *address) {
  AditDpSession *found = NULL;
  int best = -1;
  if (!port->head.shared)
    return port->sessions->len ? port->sessions->pdata[0] : NULL;
  for (guint i = 0; i < port->sessions->len; i++) {
    int length = session_match(port->sessions->pdata[i], address);
    if (length > best) {
      best = length;
      found = port->sessions->pdata[i];
    }
  }
  return found;
}

AditAddress null_packet_address(const guint8 *packet, gsize length, gboolean source) {
  AditAddress address = {0};
  if (length >= 20 && packet[0] >> 4 == 4) {
    address.family = AF_INET;
    memcpy(address.octet, packet + (source ? 12 : 16), 4);
  } else if (length >= 40 && packet[0] >> 4 == 6) {
    address.family = AF_INET6;
    memcpy(address.octet, packet + (source ? 8 : 24), 16);
  }
  return address;
}

static void port_receive(AditDpSession *session, NullPort *port, const guint8 *packet, gsize length) {
  session->stats.counters.rx_packets++;
  session->stats.counters.rx_octets += length;
  session->stats.last_rx_ms = session->stats.last_data_ms = null_now(session->dp->net);
  port->counters.rx_packets++;
  port->counters.rx_octets += length;
  if (session->dp->sink)
    session->dp->sink(session->dp->sink_user, &port->head, packet, length);
}

static void ether_input(AditDpSession *session, guint16 protocol, const guint8 *payload, gsize length) {
  NullPort *port = session->ether.port;
  g_autoptr(GByteArray) frame = port->carrier ? null_ether_decode(&session->ether, protocol, payload, length) : NULL;
  if (frame)
    port_receive(session, port, frame->data, frame->len);
  else
    session->stats.drops++;
}

void null_session_input(AditDpSession *session, guint16 protocol, const guint8 *packet, gsize length) {
  if (is_ether(session, protocol)) {
    ether_input(session, protocol, packet, length);
    return;
  }
  AditAddress source = null_packet_address(packet, length, TRUE);
  NullPort *port = session->port;
  if (source.family != (protocol == ADIT_PPP_IPV4 ? AF_INET : AF_INET6) || !port || !port->carrier) {
    session->stats.drops++;
    return;
  }
  gboolean unspecified = source.family == AF_INET6 && adit_address_is_any(&source) && packet[24] == 0xff && (packet[25] & 0x0f) == 2;
  if (session->params.check_source && !unspecified && !source_is_own(session, &source)) {
    session->stats.drops++;
    session->stats.spoofed++;
    return;
  }
  port_receive(session, port, packet, length);
}
