/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-traffic.h"
#include "null-port.h"
#include "null-session.h"
#include "null-stages.h"
#include <adit/ppp.h>

/* RFC 2661 5.4: late frames are dropped. False: drop it. */
static gboolean link_sequence(AditDpLink *link, const AditClassified *c) {
  if (!c->has_sequence)
    return !(link->encap.sequence & ADIT_SEQUENCE_REQUIRE);
  const AditEncapLayout *layout = adit_encap_layout(&link->encap);
  guint unused = 32 - (layout && layout->sequence_bits ? layout->sequence_bits : 16);
  gint32 ahead = (gint32)((c->sequence - link->nr) << unused) >> unused;
  if (link->synced && ahead < 0)
    return FALSE;
  if (link->synced)
    link->stats.lost += (guint32)ahead;
  link->synced = TRUE;
  link->nr = c->sequence + 1;
  return TRUE;
}

void null_link_input(AditDpLink *link, const guint8 *frame, gsize length, const AditClassified *c) {
  if (c)
    link->peer_numbers = c->has_sequence;
  if (c && !link_sequence(link, c)) {
    link->stats.drops++;
    return;
  }
  AditCursor in = adit_cursor(frame, length);
  if (length >= 2 && frame[0] == 0xff && frame[1] == 0x03)
    adit_skip(&in, 2);
  guint16 protocol = adit_get_u8(&in);
  if (!(protocol & 1))
    protocol = (guint16)(protocol << 8 | adit_get_u8(&in));
  if (in.bad || !(protocol & 1)) {
    link->stats.drops++;
    return;
  }
  link->stats.counters.rx_packets++;
  link->stats.counters.rx_octets += length;
  link->stats.last_rx_ms = null_now(link->listener->dp->net);

  if (link->splice) {
    null_link_forward(link->splice, frame, length);
    return;
  }
  AditDpSession *session = link->session;
  if (session && protocol < 0x8000 && null_session_is_staged(session)) {
    link->stats.last_data_ms = link->stats.last_rx_ms;
    null_stage_data(session, link, protocol, in.at, adit_left(&in));
  } else if (session && null_session_is_open(session, protocol)) {
    link->stats.last_data_ms = link->stats.last_rx_ms;
    null_session_input(session, protocol, in.at, adit_left(&in));
  } else {
    null_link_frame(link, protocol, in.at, adit_left(&in));
  }
}

static void port_send(NullPort *port, AditDpSession *session, gsize counted, guint16 protocol, const guint8 *packet, gsize length) {
  session->stats.counters.tx_packets++;
  session->stats.counters.tx_octets += counted;
  session->stats.last_tx_ms = session->stats.last_data_ms = null_now(session->dp->net);
  port->counters.tx_packets++;
  port->counters.tx_octets += counted;
  if (null_session_is_staged(session))
    null_stage_data(session, NULL, protocol, packet, length);
  else
    null_link_data(session->link, protocol, packet, length);
}

static gboolean inject_ether(NullPort *port, const guint8 *frame, gsize length) {
  AditDpSession *session = port->sessions->len ? port->sessions->pdata[0] : NULL;
  guint16 protocol = session ? session->ether.codec->protocols[0] : 0;
  if (!session)
    return FALSE;
  gboolean open = session->link && port->carrier && null_session_is_open(session, protocol);
  g_autoptr(GByteArray) payload = open ? null_ether_encode(&session->ether, frame, length, &protocol) : NULL;
  if (payload)
    port_send(port, session, length, protocol, payload->data, payload->len);
  else
    session->stats.drops++;
  return payload != NULL;
}

gboolean null_port_inject(AditPort *head, const guint8 *packet, gsize length) {
  NullPort *port = (NullPort *)head;
  if (head->kind == ADIT_PORT_L2)
    return inject_ether(port, packet, length);
  AditAddress to = null_packet_address(packet, length, FALSE);
  AditDpSession *session = null_session_find(port, &to);
  guint16 protocol = to.family == AF_INET ? ADIT_PPP_IPV4 : ADIT_PPP_IPV6;
  gboolean open = session && session->link && to.family && null_session_is_open(session, protocol);
  if (!open || !port->carrier) {
    if (session)
      session->stats.drops++;
    return FALSE;
  }
  port_send(port, session, length, protocol, packet, length);
  return TRUE;
}
