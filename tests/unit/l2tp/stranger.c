/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "stranger.h"

#include "plugins/l2tp/engine/hidden.h"

Heard heard;

static void tap(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};
  AditAddress local = adit_endpoint_address(&path->local), remote = adit_endpoint_address(&path->remote);

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || adit_address_to_ipv4(&local) != 0xc0000201 ||
      adit_address_to_ipv4(&remote) == 0xc0000202)
    return;
  heard.datagrams++;
  if (!h.length) {
    heard.zlbs++;
    return;
  }
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  assert_in_range(m.type, 1, L2TP_MESSAGE_MAX);
  heard.sent[m.type]++;
  heard.tunnel = h.tunnel;
  if (m.type == L2TP_SCCRP) {
    heard.id = (guint16)l2tp_message_number(&m, L2TP_AVP_ASSIGNED_TUNNEL_ID);
    if (m.avp[L2TP_AVP_CHALLENGE].data)
      memcpy(heard.challenge, m.avp[L2TP_AVP_CHALLENGE].data, sizeof heard.challenge);
  } else if (m.type == L2TP_ICRP) {
    heard.session = (guint16)l2tp_message_number(&m, L2TP_AVP_ASSIGNED_SESSION_ID);
  } else if (m.type == L2TP_STOPCCN || m.type == L2TP_CDN) {
    l2tp_message_result(&m, m.type == L2TP_CDN, &heard.result);
  }
}

void stranger_begin_with(const char *yaml) {
  world_begin();
  assert_true(world_configure(&server, yaml));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM " } ] }"));
  world_tap = tap;
  memset(&heard, 0, sizeof heard);
}

void stranger_begin(const char *server_options) {
  g_autofree char *yaml = g_strdup_printf("l2tp: { servers: [ { %s%s } ] }", SERVER_ITEM, server_options);
  stranger_begin_with(yaml);
}

void stranger_sccrq(L2tpWriter *w, const char *host, guint16 id) {
  l2tp_write_begin(w, L2TP_SCCRQ, 0, 0, NULL, NULL);
  l2tp_write_u16(w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  l2tp_write_text(w, L2TP_AVP_HOST_NAME, host);
  l2tp_write_u32(w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  if (id)
    l2tp_write_u16(w, L2TP_AVP_ASSIGNED_TUNNEL_ID, id);
}

void stranger_send(L2tpWriter *w, guint16 port, guint16 ns, guint16 nr) {
  gsize length = l2tp_write_end(w);
  assert_int_not_equal(length, 0);
  l2tp_header_set_sequence(w->buffer, ns, nr);
  world_send(STRANGER, port, "192.0.2.1", w->buffer, length);
  world_run(3);
}

void stranger_knock(guint16 port, const char *host, guint16 id) {
  L2tpWriter w;
  stranger_sccrq(&w, host, id);
  stranger_send(&w, port, 0, 0);
}

guint16 stranger_come(guint16 port, const char *host, guint16 id, const char *secret) {
  L2tpWriter w;
  guint8 response[L2TP_CHALLENGE_RESPONSE];

  stranger_knock(port, host, id);
  l2tp_write_begin(&w, L2TP_SCCCN, heard.id, 0, NULL, NULL);
  if (secret) {
    l2tp_challenge_response(L2TP_SCCCN, secret, heard.challenge, sizeof heard.challenge, response);
    l2tp_write_bytes(&w, L2TP_AVP_CHALLENGE_RESPONSE, response, sizeof response);
  }
  stranger_send(&w, port, 1, 1);
  return heard.id;
}

L2tpPeer *stranger_tunnel(guint16 id) {
  return g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(id));
}
