/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "l2tp-client.h"
#include "../options.h"
#include "dial.h"
#include "index.h"
#include "l2tp-link.h"
#include "l2tp.h"

#include <netdb.h>

/** True if another link of the client has a tunnel between these addresses and ports. Linux and others find a tunnel by them alone: the
 * server would take the packets of one tunnel for the other's, and drop them. A path through IPsec is another path: policies name ports. */
static gboolean is_path_in_use(const AditDial *dial, const L2tpListener *listener) {
  const AditPath path = {.remote = adit_endpoint(&dial->remote, (guint16)l2tp_option_port(dial->service->config))};

  for (L2tpPeer *peer = l2tp_index_find_dialled(dial->l2tp, &path, NULL); peer; peer = l2tp_index_find_dialled(dial->l2tp, &path, peer))
    if (peer->listener == listener && peer->tunnel.state <= L2TP_TUNNEL_ESTABLISHED && !strcmp(peer->service->name, dial->service->name))
      return TRUE;
  return FALSE;
}

/** The listener to dial from: RouterOS's way is port 1701, shared with servers, as firewalls and IPsec policies expect; any port if that is
 *  taken, another link uses it, or strangers aim at it. */
static L2tpListener *dial_listener(AditDial *dial, GError **error) {
  const AditValue *config = dial->service->config;
  const AditAddress *source = l2tp_option_src_address(config);
  AditAddress from = source ? *source : (AditAddress){.family = dial->remote.family};
  AditEndpoint at;

  if (from.family != dial->remote.family) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "src-address and the server's address are not of one family");
    return NULL;
  }
  if (!dial->evading && !l2tp_option_random_source_port(config)) {
    at = adit_endpoint(&from, L2TP_PORT);
    L2tpListener *listener = l2tp_listener_get(dial->l2tp, dial->service->data_path, &at, FALSE, NULL);
    if (listener && !is_path_in_use(dial, listener))
      return listener;
    l2tp_listener_unref(listener);
  }
  at = adit_endpoint(&from, 0);
  return l2tp_listener_get(dial->l2tp, dial->service->data_path, &at, FALSE, error);
}

static gboolean dial_call(AditDial *dial, L2tpPeer *peer) {
  const AditValue *config = dial->service->config;
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  L2tpCallInfo info = {
      .framing_type = 1,
      .tx_speed = (guint32)MIN(l2tp_option_tx_speed(config), G_MAXUINT32),
      .sequencing_required = dial->service->sequencing == L2TP_SEQUENCE_REQUIRE,
      .calling = (char *)l2tp_option_calling_number(config),
      .called = (char *)l2tp_option_called_number(config),
  };
  guint16 session = l2tp_tunnel_call_open(&peer->tunnel, &env, L2TP_CALL_INCOMING_LAC, &info);

  if (session)
    l2tp_link_new(peer, session);
  return session != 0;
}

/** The kernel knows no way for our first datagram, and none is worth waiting for. */
static gboolean is_unreachable(int error) {
  switch (error) {
  case ENETUNREACH:
  case EHOSTUNREACH:
  case ENETDOWN:
  case EADDRNOTAVAIL:
  case EAFNOSUPPORT:
  case EACCES:
  case EPERM:
    return TRUE;
  default:
    return FALSE;
  }
}

/** The address is known: the tunnel, and in it the call. */
static gboolean dial_tunnel(AditDial *dial, GError **error) {
  L2tp *l2tp = dial->l2tp;
  L2tpListener *listener = dial_listener(dial, error);
  AditPath path = {0};

  if (!listener)
    return FALSE;
  path.local = listener->local;
  path.remote = adit_endpoint(&dial->remote, (guint16)l2tp_option_port(dial->service->config));
  const AditValue *secret = l2tp_option_tunnel_secret_value(dial->service->config);
  if (!secret)
    secret = l2tp_setup_secret(l2tp->setup, &dial->remote, NULL);
  if (dial->service->tunnel.demand_auth && !secret) {
    l2tp_listener_unref(listener);
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "tunnel-authentication needs a secret for this server");
    return FALSE;
  }
  L2tpPeer *peer = l2tp_peer_new(l2tp, dial->service, listener, &path, secret);
  l2tp_listener_unref(listener);
  if (!peer || !dial_call(dial, peer)) {
    if (peer)
      l2tp_peer_free(peer);
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "all tunnel ids are in use");
    return FALSE;
  }
  peer->dial = dial;
  dial->peer = peer;
  l2tp_index_add_dialled(peer);
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_open(&peer->tunnel, &env);
  if (!is_unreachable(peer->unsent))
    return TRUE;
  char text[ADIT_ADDRESS_TEXT];
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no route to %s: %s", adit_address_format(&dial->remote, text),
              g_strerror(peer->unsent));
  dial->peer = NULL;
  peer->dial = NULL;
  l2tp_peer_free(peer);
  return FALSE;
}

/* ---- strangers ---- */

/** A sender with the server's address guesses tunnel ids: the dial restarts with another id, from a port that must be guessed as well.
 * Once: a dial that was found even so ends as its tunnel does. FALSE: there is no port. */
static gboolean evade_stranger(L2tpPeer *peer, const char *sign) {
  AditDial *dial = peer->dial;
  char text[ADIT_ENDPOINT_TEXT];
  g_autoptr(GError) error = NULL;

  dial->evading = TRUE;
  peer->dial = NULL;
  if (!dial_tunnel(dial, &error)) {
    peer->dial = dial;
    dial->peer = peer;
    return FALSE;
  }
  peer->l2tp->stats.evaded++;
  adit_notice(NULL, "%s: %s, as from %s: dialling again from another port", peer->service->name, sign,
              adit_endpoint_format(&peer->path.remote, text));
  l2tp_peer_close(peer, L2TP_STOP_CLEAR, "datagrams with guessed tunnel ids arrive");
  return TRUE;
}

/** True if the datagram is a second SCCRP that names another tunnel than the first: one of them is forged. */
static gboolean is_second_answer(const L2tpPeer *peer, const L2tpHeader *header, const guint8 *datagram) {
  L2tpParse how = {.secret = peer->config.secret, .permissive = peer->config.permissive};
  L2tpMessage message;

  if (peer->tunnel.state != L2TP_TUNNEL_ESTABLISHED || !header->length || header->ns)
    return FALSE;
  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  guint16 id = (guint16)l2tp_message_number(&message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  return message.verdict == L2TP_VERDICT_OK && message.type == L2TP_SCCRP && id && id != peer->tunnel.peer;
}

gboolean l2tp_dial_evades(L2tpPeer *peer, const AditPath *path, const L2tpHeader *header, const guint8 *datagram) {
  L2tp *l2tp = peer->l2tp;
  AditAddress remote = adit_endpoint_address(&peer->path.remote), there = adit_endpoint_address(&path->remote);

  if (!peer->dial || peer->dial->evading || peer->tunnel.proven || path->association || !adit_address_equal(&remote, &there))
    return FALSE;
  if (l2tp_guesses_suspect(&l2tp->guesses, l2tp_index_hash_address(&there), l2tp->loop->now()))
    return evade_stranger(peer, "datagrams come with guessed tunnel ids");
  return is_second_answer(peer, header, datagram) && evade_stranger(peer, "two SCCRPs answer one SCCRQ with different tunnel ids");
}

/* ---- names ---- */

static void add_address(L2tpRound *round, const AditAddress *address) {
  if (round->n < L2TP_ROUND_MAX && adit_address_is_set(address))
    round->address[round->n++] = *address;
}

/** Adds the addresses of a name, or an address; an error of getaddrinfo(), or 0. */
static int resolve_host(L2tpRound *round, const char *host) {
  struct addrinfo hints = {.ai_family = round->family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
  AditAddress address;

  if (adit_address_parse(host, &address)) {
    add_address(round, &address);
    return 0;
  }
  int error = getaddrinfo(host, NULL, &hints, &list);
  if (error)
    return error;
  for (const struct addrinfo *at = list; at; at = at->ai_next) {
    AditEndpoint endpoint = {0};
    memcpy(&endpoint, at->ai_addr, MIN(at->ai_addrlen, sizeof endpoint));
    address = adit_endpoint_address(&endpoint);
    add_address(round, &address);
  }
  freeaddrinfo(list);
  return 0;
}

/** A name that does not resolve is passed over while another one does. */
static void resolve_work(gpointer data) {
  AditDial *dial = data;
  L2tpRound *round = g_new0(L2tpRound, 1);
  int error = 0;

  round->host = g_strdup(dial->host);
  round->family = dial->family;
  dial->found = round;
  for (char **host = dial->hosts; *host; host++) {
    int failed = resolve_host(round, *host);
    error = failed ? failed : error;
  }
  dial->error = round->n ? 0 : error;
}

/** Dials the round's next address, past those that have no route. */
static gboolean dial_next(AditDial *dial, L2tpRound *round, GError **error) {
  while (round->next < round->n) {
    g_autoptr(GError) why = NULL;
    dial->remote = round->address[round->next++];
    if (dial_tunnel(dial, &why))
      return TRUE;
    if (round->next == round->n) {
      g_propagate_error(error, g_steal_pointer(&why));
      return FALSE;
    }
    adit_info(NULL, "%s: %s: trying the next address of %s", dial->service->name, why->message, round->host);
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "%s: no address", round->host);
  return FALSE;
}

/** The remaining results of the client's last look-up; NULL: look the name up. */
static L2tpRound *find_round(const AditDial *dial) {
  g_autofree char *key = l2tp_dial_round_key(dial);
  L2tpRound *round = g_hash_table_lookup(dial->l2tp->rounds, key);

  return round && round->next < round->n && round->family == dial->family && !strcmp(round->host, dial->host) ? round : NULL;
}

/** The first address is that of the `nth` link: links of one client use different ones. */
static void rotate_round(L2tpRound *round, guint nth) {
  AditAddress in_order[L2TP_ROUND_MAX];

  memcpy(in_order, round->address, sizeof in_order);
  for (guint i = 0; i < round->n; i++)
    round->address[i] = in_order[(i + nth) % round->n];
}

static void resolve_done(gpointer data) {
  AditDial *dial = data;
  g_autoptr(GError) error = NULL;

  if (dial->cancelled) {
    l2tp_dial_free(dial);
  } else if (dial->error) {
    g_autofree char *text = g_strdup_printf("%s: %s", dial->host, gai_strerror(dial->error));
    l2tp_dial_fail(dial, ADIT_CAUSE_SERVICE_UNAVAILABLE, text);
  } else if (!dial->l2tp->running || dial->l2tp->stopping) {
    l2tp_dial_fail(dial, ADIT_CAUSE_NAS_ERROR, "stopping");
  } else {
    L2tpRound *round = g_steal_pointer(&dial->found);
    rotate_round(round, dial->nth);
    g_hash_table_replace(dial->l2tp->rounds, l2tp_dial_round_key(dial), round);
    if (!dial_next(dial, round, &error))
      l2tp_dial_fail(dial, ADIT_CAUSE_NAS_ERROR, error->message);
  }
}

/** Begins the attempt: at once if an address is known. */
static gboolean dial_begin(AditDial *dial, GError **error) {
  L2tp *l2tp = dial->l2tp;
  L2tpRound *round = find_round(dial);

  if (adit_address_parse(dial->host, &dial->remote))
    return dial_tunnel(dial, error);
  if (round)
    return dial_next(dial, round, error);
  if (l2tp->loop->run_blocking(l2tp->plugin, resolve_work, resolve_done, dial))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "too many names are being looked up");
  return FALSE;
}

static char **list_hosts(const AditValue *list) {
  g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();

  for (guint i = 0; i < adit_value_length(list); i++)
    g_strv_builder_add(hosts, adit_value_at(list, i)->as.string);
  return g_strv_builder_end(hosts);
}

static AditDial *transport_dial_nth(gpointer state, const AditValue *client, guint nth, gpointer token, GError **error) {
  L2tp *l2tp = state;
  const AditAddress *from = l2tp_option_src_address(client);
  AditDial *dial = g_new0(AditDial, 1);

  dial->l2tp = l2tp;
  dial->token = token;
  dial->nth = nth;
  dial->service = l2tp_service_new(client, TRUE);
  dial->hosts = list_hosts(l2tp_option_connect_to(client));
  dial->host = g_strjoinv(" ", dial->hosts);
  dial->error = EAI_AGAIN;
  dial->family = from ? from->family : AF_UNSPEC;
  if (!l2tp->running || l2tp->stopping || !l2tp->setup)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "l2tp is not running");
  else if (dial_begin(dial, error))
    return dial;
  l2tp_dial_free(dial);
  return NULL;
}

static AditDial *transport_dial(gpointer state, const AditValue *client, gpointer token, GError **error) {
  return transport_dial_nth(state, client, 0, token, error);
}

static void transport_dial_cancel(AditDial *dial) {
  L2tpPeer *peer = dial->peer;

  if (!peer) { /* the name is still being looked up */
    dial->cancelled = TRUE;
    return;
  }
  peer->dial = NULL;
  l2tp_dial_free(dial);
  l2tp_peer_close(peer, L2TP_STOP_CLEAR, "given up");
}

const AditTransportOps l2tp_transport_ops = {sizeof l2tp_transport_ops, L2TP_TRANSPORT, transport_dial, transport_dial_cancel,
                                             transport_dial_nth};
