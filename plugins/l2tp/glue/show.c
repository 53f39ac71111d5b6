/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "show.h"
#include "l2tp-link.h"
#include "l2tp.h"
#include "peer.h"

enum { CALLS_SHOWN = 1000 }; /* of a tunnel, in one reply */

static const char interface[] = "# L2TP: tunnels, servers and what is dropped.\n"
                                "interface io.adit.l2tp\n"
                                "\n"
                                "# With `more` the list comes in several replies.\n"
                                "method ListTunnels() -> (tunnels: []object)\n"
                                "# `id`: our tunnel id. `call-list` has the first 1,000 calls; ListCalls has all.\n"
                                "method GetTunnel(id: string) -> (tunnel: object)\n"
                                "method ListCalls(id: string) -> (calls: []object)\n"
                                "# Ends a tunnel and its sessions.\n"
                                "method CloseTunnel(id: string) -> ()\n"
                                "method ListServers() -> (servers: []object)\n"
                                "method GetStats() -> (stats: object)\n"
                                "\n"
                                "error NoSuchTunnel (text: string)\n";

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show tunnels",
     .method = "io.adit.l2tp.ListTunnels",
     .rows = "tunnels",
     .columns = "ID=id PEER-ID=peer-id STATE=state SERVICE=service PEER=peer HOST-NAME=peer-name CALLS=calls AGE=age:duration",
     .summary = "list L2TP tunnels, half-open ones included",
     .help = "One line for each tunnel. In wait-connect, the peer has requested the tunnel and not confirmed it. In lingering, the peer "
             "has closed the tunnel, and retransmissions are still acknowledged.\nExample: aditctl show tunnels --json"},
    {.size = sizeof(AditCommand),
     .verb = "show tunnel",
     .method = "io.adit.l2tp.GetTunnel",
     .arguments = "id",
     .columns = "AGE=age:duration",
     .summary = "show the details of a tunnel",
     .help = "Sequence numbers and windows of the control connection, and the calls. `forged' counts messages that would end the tunnel or "
             "a call but have wrong ids.\nExample: aditctl show tunnel 4711"},
    {.size = sizeof(AditCommand),
     .verb = "show calls",
     .method = "io.adit.l2tp.ListCalls",
     .arguments = "id",
     .rows = "calls",
     .columns = "ID=id PEER-ID=peer-id STATE=state LINK=link",
     .summary = "list the calls of a tunnel",
     .help = "One line for each call, with the ids of both ends.\nExample: aditctl show calls 4711"},
    {.size = sizeof(AditCommand),
     .verb = "tunnel close",
     .method = "io.adit.l2tp.CloseTunnel",
     .arguments = "id",
     .summary = "end a tunnel and its sessions",
     .help = "Sends a StopCCN to the peer. A client redials; use `client down' to keep it down.\n"
             "Example: aditctl tunnel close 4711"},
    {.size = sizeof(AditCommand),
     .verb = "show servers",
     .method = "io.adit.l2tp.ListServers",
     .rows = "servers",
     .columns = "NAME=name TRANSPORT=transport LISTENS=listens DATA-PATH=data-path HOST-NAME=host-name SESSIONS=sessions MAX=max-sessions",
     .summary = "list servers and the addresses they listen on",
     .help = "Only enabled servers are shown.\nExample: aditctl show servers"},
    {.size = sizeof(AditCommand),
     .verb = "show l2tp",
     .method = "io.adit.l2tp.GetStats",
     .summary = "show counters of L2TP",
     .help = "Counters since the start. malformed, unknown-tunnel, wrong-path and no-server count datagrams that were dropped without a "
             "reply. limited and evicted rise during a flood. displaced-tunnels and displaced-calls count unauthenticated ones that newer "
             "ones displaced, as their source had the most.\nExample: aditctl show l2tp"},
};

static void set_text(AditValue *map, const char *key, const char *text) {
  adit_value_set(map, key, adit_value_string(text ? text : ""));
}
static void set_number(AditValue *map, const char *key, guint64 number) {
  adit_value_set(map, key, adit_value_int((gint64)number));
}

static void set_endpoint(AditValue *map, const char *key, const AditEndpoint *endpoint) {
  char text[ADIT_ENDPOINT_TEXT];
  set_text(map, key, adit_endpoint_format(endpoint, text));
}

static AditValue *describe_tunnel(const L2tpPeer *peer) {
  const L2tpTunnel *tunnel = &peer->tunnel;
  AditValue *map = adit_value_map();

  set_number(map, "id", tunnel->local);
  set_number(map, "peer-id", tunnel->peer);
  set_text(map, "state", l2tp_tunnel_state_name((L2tpTunnelState)tunnel->state));
  set_text(map, "service", peer->service->name);
  set_text(map, "role", tunnel->originator ? "client" : "server");
  set_endpoint(map, "peer", &peer->path.remote);
  set_endpoint(map, "local", &peer->path.local);
  set_text(map, "peer-name", tunnel->peer_name);
  set_number(map, "calls", tunnel->calls.count);
  set_number(map, "age", peer->l2tp->loop->now() - peer->since_ms);
  return map;
}

static AditValue *describe_call(const L2tpPeer *peer, const L2tpCall *call) {
  AditValue *map = adit_value_map();
  L2tpLink *link = peer->links ? g_hash_table_lookup(peer->links, GUINT_TO_POINTER(call->local)) : NULL;

  set_number(map, "id", call->local);
  set_number(map, "peer-id", call->peer);
  set_text(map, "state", l2tp_call_state_name((L2tpCallState)call->state));
  set_number(map, "link", link ? link->id : 0);
  return map;
}

static AditValue *describe_calls(const L2tpPeer *peer) {
  AditValue *list = adit_value_list();

  for (guint at = 0; at < peer->tunnel.calls.size && adit_value_length(list) < CALLS_SHOWN; at++)
    if (peer->tunnel.calls.slots[at].local)
      adit_value_append(list, describe_call(peer, &peer->tunnel.calls.slots[at]));
  return list;
}

static AditValue *describe_tunnel_fully(const L2tpPeer *peer) {
  const L2tpTunnel *tunnel = &peer->tunnel;
  const L2tpChannel *channel = &tunnel->channel;
  AditValue *map = describe_tunnel(peer);

  set_text(map, "peer-vendor", tunnel->peer_vendor);
  set_number(map, "peer-firmware", tunnel->peer_firmware);
  adit_value_set(map, "secret", adit_value_bool(peer->secret != NULL));
  set_number(map, "association", peer->path.association);
  set_number(map, "ns", channel->ns);
  set_number(map, "nr", channel->nr);
  set_number(map, "peer-window", channel->peer_window);
  set_number(map, "congestion-window", channel->cwnd);
  set_number(map, "queued", channel->queued);
  set_number(map, "resent", channel->resent);
  set_number(map, "duplicates", channel->duplicates);
  set_number(map, "dropped", channel->dropped);
  set_number(map, "ignored", tunnel->ignored);
  set_number(map, "malformed", tunnel->malformed);
  set_number(map, "forged", tunnel->forged);
  adit_value_set(map, "call-list", describe_calls(peer));
  return map;
}

static void reply_value(L2tp *l2tp, AditCall *call, const char *key, AditValue *value) {
  AditValue *map = adit_value_map();

  adit_value_set(map, key, value);
  l2tp->control->reply(call, map, FALSE);
}

static L2tpPeer *find_tunnel(L2tp *l2tp, guint64 id) {
  return g_hash_table_lookup(l2tp->tunnels, GUINT_TO_POINTER((guint)id));
}

static AditValue *tunnel_row(gpointer state, guint64 id) {
  const L2tpPeer *peer = find_tunnel(state, id);
  return peer ? describe_tunnel(peer) : NULL;
}

static void call_list_tunnels(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  GArray *ids = g_array_sized_new(FALSE, FALSE, sizeof(guint64), g_hash_table_size(l2tp->tunnels));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init(&iter, l2tp->tunnels);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    guint64 id = GPOINTER_TO_UINT(key);
    g_array_append_val(ids, id);
  }
  adit_control_reply_ids(l2tp->control, call, "tunnels", ids, tunnel_row, l2tp);
}

/** The tunnel that a call names; answers it, and NULL, if there is none. */
static L2tpPeer *named_tunnel(L2tp *l2tp, AditCall *call, const AditValue *parameters) {
  const AditValue *id = adit_value_get(parameters, "id");
  guint64 number = !id                             ? 0
                   : id->type == ADIT_VALUE_INT    ? (guint64)id->as.integer
                   : id->type == ADIT_VALUE_STRING ? g_ascii_strtoull(id->as.string, NULL, 10)
                                                   : 0;
  L2tpPeer *peer = number <= G_MAXUINT16 ? g_hash_table_lookup(l2tp->tunnels, GUINT_TO_POINTER((guint)number)) : NULL;

  if (!peer)
    l2tp->control->error(call, "io.adit.l2tp.NoSuchTunnel", "no such tunnel: give an ID as `show tunnels' lists them");
  return peer;
}

static void call_get_tunnel(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  L2tpPeer *peer = named_tunnel(l2tp, call, parameters);

  if (peer)
    reply_value(l2tp, call, "tunnel", describe_tunnel_fully(peer));
}

/* A row's id: the tunnel's above the call's. */
static AditValue *call_row(gpointer state, guint64 id) {
  L2tpPeer *peer = find_tunnel(state, id >> 32);
  const L2tpCall *call = peer ? l2tp_calls_find(&peer->tunnel.calls, (guint16)id) : NULL;
  return call ? describe_call(peer, call) : NULL;
}

static void call_list_calls(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  const L2tpPeer *peer = named_tunnel(l2tp, call, parameters);

  if (!peer)
    return;
  GArray *ids = g_array_sized_new(FALSE, FALSE, sizeof(guint64), peer->tunnel.calls.count);
  for (guint at = 0; at < peer->tunnel.calls.size; at++) {
    guint64 id = (guint64)peer->tunnel.local << 32 | peer->tunnel.calls.slots[at].local;
    if (peer->tunnel.calls.slots[at].local)
      g_array_append_val(ids, id);
  }
  adit_control_reply_ids(l2tp->control, call, "calls", ids, call_row, l2tp);
}

static void call_close_tunnel(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  L2tpPeer *peer = named_tunnel(l2tp, call, parameters);

  if (!peer)
    return;
  l2tp_peer_close(peer, L2TP_STOP_CLEAR, "closed by the administrator");
  l2tp->control->reply(call, adit_value_map(), FALSE);
}

static AditValue *describe_server(const L2tpService *server) {
  g_autoptr(GString) listens = g_string_new(NULL);
  AditValue *map = adit_value_map();
  char text[ADIT_ENDPOINT_TEXT];

  for (guint i = 0; i < server->addresses->len; i++)
    g_string_append_printf(listens, "%s%s", i ? "," : "", adit_endpoint_format(&g_array_index(server->addresses, AditEndpoint, i), text));
  set_text(map, "name", server->name);
  set_text(map, "transport", "l2tp");
  set_text(map, "listens", listens->str);
  set_text(map, "data-path", server->data_path);
  set_text(map, "host-name", server->host_name);
  set_number(map, "sessions", server->load->links);
  if (adit_option_max_sessions(server->config))
    set_number(map, "max-sessions", (guint64)adit_option_max_sessions(server->config));
  return map;
}

static void call_list_servers(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  AditValue *list = adit_value_list();

  for (guint i = 0; l2tp->setup && i < l2tp->setup->servers->len; i++)
    adit_value_append(list, describe_server(l2tp->setup->servers->pdata[i]));
  adit_control_reply_values(l2tp->control, call, "servers", list);
}

static void call_get_stats(gpointer state, AditCall *call, const AditValue *parameters) {
  L2tp *l2tp = state;
  const L2tpStats *s = &l2tp->stats;
  AditValue *map = adit_value_map();
  const struct {
    const char *key;
    guint64 value;
  } rows[] = {
      {"tunnels", g_hash_table_size(l2tp->tunnels)},
      {"half-open", l2tp->half_open.count},
      {"without-session", l2tp->strangers.count},
      {"without-session-of-one-network", l2tp_shares_most(&l2tp->strangers)},
      {"starting", l2tp->starting},
      {"starting-not-authenticated", l2tp->calls.count},
      {"starting-of-one-network", l2tp_shares_most(&l2tp->calls)},
      {"tunnels-up", s->tunnels_up},
      {"tunnels-down", s->tunnels_down},
      {"calls-up", s->calls_up},
      {"calls-down", s->calls_down},
      {"calls-refused", s->calls_refused},
      {"proxy-ignored", s->proxy_ignored},
      {"dials-evaded", s->evaded},
      {"control-datagrams", s->control},
      {"new-tunnels", s->new_tunnels},
      {"repeated-requests", s->repeated},
      {"refused", s->refused},
      {"replaced", s->replaced},
      {"ties", s->ties},
      {"malformed", s->malformed},
      {"unknown-tunnel", s->unknown_tunnel},
      {"wrong-path", s->wrong_path},
      {"stray-data", s->stray_data},
      {"no-server", s->no_server},
      {"limited", s->limited},
      {"starting-limited", s->starting_limited},
      {"tunnel-limited", s->tunnel_limited},
      {"half-open-limited", s->half_open_limited},
      {"evicted", s->evicted},
      {"displaced-tunnels", s->displaced_tunnels},
      {"displaced-calls", s->displaced_calls},
      {"send-failed", s->send_failed},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    set_number(map, rows[i].key, rows[i].value);
  reply_value(l2tp, call, "stats", map);
}

static const AditMethod methods[] = {
    {.size = sizeof(AditMethod), .name = "ListTunnels", .call = call_list_tunnels},
    {.size = sizeof(AditMethod), .name = "GetTunnel", .call = call_get_tunnel},
    {.size = sizeof(AditMethod), .name = "ListCalls", .call = call_list_calls},
    {.size = sizeof(AditMethod), .name = "CloseTunnel", .changes = TRUE, .call = call_close_tunnel},
    {.size = sizeof(AditMethod), .name = "ListServers", .call = call_list_servers},
    {.size = sizeof(AditMethod), .name = "GetStats", .call = call_get_stats},
};

gboolean l2tp_show_init(L2tp *l2tp, GError **error) {
  return l2tp->control->interface_add(l2tp->plugin, interface, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), l2tp,
                                      error);
}
