/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The control connection's automaton (RFC 2661 7.2). */
#include "tunnel-control.h"
#include "hidden.h"
#include "tunnel-calls.h"
#include "tunnel-end.h"
#include "tunnel-write.h"

enum { PROTOCOL_VERSION = 0x0100, FRAMING_BOTH = 3, FIRMWARE = 0x0100 };

/** The AVPs that SCCRQ and SCCRP share. */
static void write_start(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w) {
  l2tp_write_u16(w, L2TP_AVP_PROTOCOL_VERSION, PROTOCOL_VERSION);
  l2tp_write_text(w, L2TP_AVP_HOST_NAME, env->config->host_name);
  l2tp_write_u32(w, L2TP_AVP_FRAMING_CAPABILITIES, FRAMING_BOTH);
  l2tp_write_u32(w, L2TP_AVP_BEARER_CAPABILITIES, 0);
  l2tp_write_u16(w, L2TP_AVP_FIRMWARE_REVISION, FIRMWARE);
  l2tp_write_text(w, L2TP_AVP_VENDOR_NAME, env->config->vendor_name);
  l2tp_write_u16(w, L2TP_AVP_ASSIGNED_TUNNEL_ID, tunnel->local);
  l2tp_write_u16(w, L2TP_AVP_RECEIVE_WINDOW_SIZE, env->config->channel.receive_window);
  if (env->config->demand_auth && env->config->secret) {
    tunnel->challenged = TRUE;
    if (env->ops->challenge_make)
      env->ops->challenge_make(env->engine.host, tunnel->challenge);
    else
      adit_env_random(&env->engine, tunnel->challenge, sizeof tunnel->challenge);
    l2tp_write_bytes(w, L2TP_AVP_CHALLENGE, tunnel->challenge, sizeof tunnel->challenge);
  }
}

/** Answers the peer's challenge, if there is one, in message `type`. */
static void write_response(const L2tpTunnelEnv *env, const L2tpMessage *from, guint8 type, L2tpWriter *w) {
  const L2tpBytes *challenge = &from->avp[L2TP_AVP_CHALLENGE];
  guint8 response[L2TP_CHALLENGE_RESPONSE];

  if (!challenge->data || !env->config->secret)
    return;
  l2tp_challenge_response(type, env->config->secret, challenge->data, challenge->length, response);
  l2tp_write_bytes(w, L2TP_AVP_CHALLENGE_RESPONSE, response, sizeof response);
}

static gboolean refuse_tunnel(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 result, guint16 error, const char *text) {
  l2tp_tunnel_close(tunnel, env, result, error, text);
  return FALSE;
}

/** Reasons to refuse the peer's proof; NULL if it proved itself as far as was asked. */
static const char *find_missing_proof(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  const L2tpBytes *response = &message->avp[L2TP_AVP_CHALLENGE_RESPONSE];
  guint8 expected[L2TP_CHALLENGE_RESPONSE];

  if (!tunnel->challenged)
    return NULL;
  if (!env->config->secret || !response->data)
    return "tunnel authentication is required";
  l2tp_challenge_response((guint8)message->type, env->config->secret, tunnel->challenge, sizeof tunnel->challenge, expected);
  return l2tp_challenge_equal(expected, response->data) ? NULL : "tunnel authentication failed";
}

/** True if the peer proved itself as far as was asked. */
static gboolean check_response(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  const char *missing = find_missing_proof(tunnel, env, message);

  if (missing)
    return refuse_tunnel(tunnel, env, L2TP_STOP_NOT_AUTHORIZED, 0, missing);
  if (!tunnel->challenged)
    return TRUE;
  explicit_bzero(tunnel->challenge, sizeof tunnel->challenge);
  tunnel->challenged = FALSE;
  tunnel->proven = TRUE;
  return TRUE;
}

/** A machine with both roles would prove itself to itself: the response depends on the message's type, not on its sender (RFC 2661 4.4.3).
 */
static gboolean is_reflected(const L2tpTunnelEnv *env, const L2tpMessage *message) {
  const L2tpBytes *challenge = &message->avp[L2TP_AVP_CHALLENGE];

  return challenge->data && env->ops->challenge_is_ours &&
         env->ops->challenge_is_ours(env->engine.host, challenge->data, challenge->length);
}

/** Why an SCCRQ or SCCRP that is well formed cannot be accepted; NULL if it can. `*result` and `*error`: for StopCCN. */
static const char *find_misfit(const L2tpTunnelEnv *env, const L2tpMessage *message, guint16 *result, guint16 *error) {
  *result = L2TP_STOP_NOT_AUTHORIZED;
  *error = 0;
  if (l2tp_message_has(message, L2TP_AVP_CHALLENGE) && !env->config->secret)
    return "no secret for this peer";
  if (is_reflected(env, message))
    return "our own challenge came back";
  if (!l2tp_message_has(message, L2TP_AVP_PROTOCOL_VERSION) ||
      l2tp_message_number(message, L2TP_AVP_PROTOCOL_VERSION) >> 8 == PROTOCOL_VERSION >> 8)
    return NULL;
  *result = L2TP_STOP_VERSION;
  *error = PROTOCOL_VERSION;
  return "only L2TPv2 is spoken here";
}

/** Takes the peer's values from an SCCRQ or SCCRP. False: the tunnel was refused. */
static gboolean learn_peer(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  guint16 result, error;

  tunnel->peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  tunnel->channel.peer_tunnel = tunnel->peer;
  tunnel->peer_firmware = (guint16)l2tp_message_number(message, L2TP_AVP_FIRMWARE_REVISION);
  tunnel->peer_framing = (guint32)l2tp_message_number(message, L2TP_AVP_FRAMING_CAPABILITIES);
  l2tp_message_text(message, L2TP_AVP_HOST_NAME, tunnel->peer_name, sizeof tunnel->peer_name);
  l2tp_message_text(message, L2TP_AVP_VENDOR_NAME, tunnel->peer_vendor, sizeof tunnel->peer_vendor);
  if (l2tp_message_has(message, L2TP_AVP_RECEIVE_WINDOW_SIZE))
    l2tp_channel_set_window(&tunnel->channel, (guint16)l2tp_message_number(message, L2TP_AVP_RECEIVE_WINDOW_SIZE));

  const char *misfit = find_misfit(env, message, &result, &error);
  return misfit ? refuse_tunnel(tunnel, env, result, error, misfit) : TRUE;
}

gboolean l2tp_engine_is_answer(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  guint16 result, error;

  return message->verdict == L2TP_VERDICT_OK && message->type == L2TP_SCCRP && !find_misfit(env, message, &result, &error) &&
         !find_missing_proof(tunnel, env, message);
}

static void tunnel_up(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  tunnel->state = L2TP_TUNNEL_ESTABLISHED;
  tunnel->was_up = TRUE;
  adit_env_disarm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE);
  if (env->config->hello_ms)
    adit_env_arm(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO, env->config->hello_ms);
  env->ops->tunnel_up(env->engine.host);
  l2tp_engine_calls_start(tunnel, env);
}

void l2tp_tunnel_open(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  L2tpWriter w;

  tunnel->originator = TRUE;
  tunnel->state = L2TP_TUNNEL_WAIT_REPLY;
  tunnel->last_rx = adit_env_now(&env->engine);
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, env->config->setup_ms);
  l2tp_engine_write(tunnel, env, &w, L2TP_SCCRQ, 0);
  write_start(tunnel, env, &w);
  if (env->config->tie_breaker) {
    adit_env_random(&env->engine, tunnel->tie_breaker, sizeof tunnel->tie_breaker);
    tunnel->has_tie_breaker = TRUE;
    l2tp_write_bytes(&w, L2TP_AVP_TIE_BREAKER, tunnel->tie_breaker, sizeof tunnel->tie_breaker);
  }
  l2tp_engine_post(tunnel, env, &w);
}

L2tpTie l2tp_tunnel_tie(const L2tpTunnel *tunnel, const guint8 *theirs) {
  if (!theirs || !tunnel->has_tie_breaker)
    return L2TP_TIE_NONE;
  int order = memcmp(tunnel->tie_breaker, theirs, sizeof tunnel->tie_breaker);
  return order < 0 ? L2TP_TIE_WON : order > 0 ? L2TP_TIE_LOST : L2TP_TIE_EQUAL;
}

/* ---- rows of the table ---- */

static void on_sccrq(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  L2tpWriter w;

  const guint8 *tie = message->avp[L2TP_AVP_TIE_BREAKER].data;

  tunnel->channel.unconfirmed = TRUE; /* until it acknowledges something, its address may be forged */
  if (tie) {
    memcpy(tunnel->tie_breaker, tie, sizeof tunnel->tie_breaker);
    tunnel->has_tie_breaker = TRUE;
  }
  if (!learn_peer(tunnel, env, message))
    return;
  tunnel->state = L2TP_TUNNEL_WAIT_CONNECT;
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, env->config->setup_ms);
  l2tp_engine_write(tunnel, env, &w, L2TP_SCCRP, 0);
  write_start(tunnel, env, &w);
  write_response(env, message, L2TP_SCCRP, &w);
  l2tp_engine_post(tunnel, env, &w);
}

static void on_sccrp(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  L2tpWriter w;

  if (!learn_peer(tunnel, env, message) || !check_response(tunnel, env, message))
    return;
  l2tp_engine_write(tunnel, env, &w, L2TP_SCCCN, 0);
  write_response(env, message, L2TP_SCCCN, &w);
  l2tp_engine_post(tunnel, env, &w);
  tunnel_up(tunnel, env);
}

static void on_scccn(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  if (check_response(tunnel, env, message))
    tunnel_up(tunnel, env);
}

static void on_hello(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {} /* the channel acknowledges it */

/** The peer is gone; retransmissions of its StopCCN are acknowledged for a full cycle. */
static void on_stopccn(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  L2tpReason reason;

  if (!tunnel->peer)
    tunnel->channel.peer_tunnel = tunnel->peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  l2tp_reason_from_peer(&reason, message, FALSE);
  l2tp_channel_drop_waiting(&tunnel->channel); /* gives the numbers of what was never sent back */
  l2tp_channel_clear(&tunnel->channel);
  adit_env_disarm(&env->engine, &tunnel->channel.deadline, L2TP_SLOT_CHANNEL);
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, l2tp_channel_cycle_ms(&env->config->channel));
  l2tp_engine_down(tunnel, env, L2TP_TUNNEL_LINGERING, &reason);
}

static const struct {
  guint8 state;
  guint16 message;
  void (*action)(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message);
} rows[] = {
    {L2TP_TUNNEL_IDLE, L2TP_SCCRQ, on_sccrq},
    {L2TP_TUNNEL_WAIT_REPLY, L2TP_SCCRP, on_sccrp},
    {L2TP_TUNNEL_WAIT_REPLY, L2TP_STOPCCN, on_stopccn},
    {L2TP_TUNNEL_WAIT_CONNECT, L2TP_SCCCN, on_scccn},
    {L2TP_TUNNEL_WAIT_CONNECT, L2TP_STOPCCN, on_stopccn},
    {L2TP_TUNNEL_ESTABLISHED, L2TP_HELLO, on_hello},
    {L2TP_TUNNEL_ESTABLISHED, L2TP_STOPCCN, on_stopccn},
};

static gint find_row(const L2tpTunnel *tunnel, guint type) {
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].state == tunnel->state && rows[i].message == type)
      return (gint)i;
  return -1;
}

gboolean l2tp_engine_expects(const L2tpTunnel *tunnel, guint type) {
  return find_row(tunnel, type) >= 0;
}

void l2tp_engine_control(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  gint row = find_row(tunnel, message->type);
  char text[64];

  if (row >= 0) {
    rows[row].action(tunnel, env, message);
    return;
  }
  g_snprintf(text, sizeof text, "%s in state %s", l2tp_message_name(message->type), l2tp_tunnel_state_name(tunnel->state));
  l2tp_tunnel_close(tunnel, env, L2TP_STOP_FSM, 0, text);
}
