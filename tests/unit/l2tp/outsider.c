/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "outsider.h"

guint16 answered_id;
guint answers;
static guint16 answered_call;

/** Notes what the server says to a stranger: tunnel id of an SCCRP, and how many answers there were. */
void outsider_tap(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};
  AditAddress local = adit_endpoint_address(&path->local);

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || adit_address_to_ipv4(&local) != 0xc0000201)
    return;
  answers++;
  if (!h.length)
    return;
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  if (m.type == L2TP_SCCRP)
    answered_id = (guint16)l2tp_message_number(&m, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  if (m.type == L2TP_ICRP)
    answered_call = (guint16)l2tp_message_number(&m, L2TP_AVP_ASSIGNED_SESSION_ID);
}

gsize sccrq(L2tpWriter *w, const char *host, guint16 id, const guint8 *tie) {
  l2tp_write_begin(w, L2TP_SCCRQ, 0, 0, NULL, NULL);
  l2tp_write_u16(w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  l2tp_write_text(w, L2TP_AVP_HOST_NAME, host);
  l2tp_write_u32(w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_u16(w, L2TP_AVP_ASSIGNED_TUNNEL_ID, id);
  if (tie)
    l2tp_write_bytes(w, L2TP_AVP_TIE_BREAKER, tie, 8);
  return l2tp_write_end(w);
}

void knock(const char *from, guint16 port, const char *host, guint16 id) {
  L2tpWriter w;
  gsize length = sccrq(&w, host, id, NULL);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(3);
}

void confirm(const char *from, guint16 port, guint16 id) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_SCCCN, id, 0, NULL, NULL);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 1, 1);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(3);
}

void listen_to(const char *options) {
  world_both(options, "");
  world_tap = outsider_tap;
  answers = 0;
}

guint16 come_from(const char *from, guint16 port, guint16 id) {
  answered_id = 0;
  knock(from, port, "lac", id);
  if (answered_id)
    confirm(from, port, answered_id);
  return answered_id;
}

guint16 come(guint16 port, guint16 id) {
  return come_from("198.51.100.1", port, id);
}

void request_call(const char *from, guint16 port, guint16 n) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_ICRQ, answered_id, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, n + 1);
  l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, n + 1);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 2 + n, 1 + n);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(3);
}

void connect_call(const char *from, guint16 port, guint16 id) {
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(id));
  L2tpWriter w;
  if (!peer)
    return;
  guint16 ns = peer->tunnel.channel.nr, serial = (guint16)(ns + 1);
  l2tp_write_begin(&w, L2TP_ICRQ, id, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, serial);
  l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, serial);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, ns, peer->tunnel.channel.ns);
  answered_call = 0;
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(2);
  if (!answered_call || !g_hash_table_contains(server.l2tp->tunnels, GUINT_TO_POINTER(id)))
    return;
  l2tp_write_begin(&w, L2TP_ICCN, id, answered_call, NULL, NULL);
  l2tp_write_u32(&w, L2TP_AVP_TX_CONNECT_SPEED, 1000000);
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_TYPE, 1);
  length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, (guint16)(ns + 1), peer->tunnel.channel.ns);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(2);
}
