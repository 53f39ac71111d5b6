/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The automata of calls (RFC 2661 7.4, 7.5). A call is looked up again after each op, which may have ended it. */
#include "tunnel-calls.h"
#include "tunnel-end.h"
#include "tunnel-write.h"

enum { ID_TRIES = 64 };

/** A random free session id; 0 when none was found. */
static guint16 session_id(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  for (guint i = 0; i < ID_TRIES; i++) {
    guint16 id = (guint16)adit_env_random_u32(&env->engine);
    if (id && !l2tp_calls_find(&tunnel->calls, id) && (!env->ops->session_id_free || env->ops->session_id_free(env->engine.host, id)))
      return id;
  }
  return 0;
}

static gboolean calls_full(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  return env->config->max_calls && tunnel->calls.count >= env->config->max_calls;
}

static void call_arm(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call) {
  call->deadline = adit_env_now(&env->engine) + env->config->setup_ms;
  if (!tunnel->calls_deadline)
    adit_env_arm(&env->engine, &tunnel->calls_deadline, L2TP_SLOT_CALLS, env->config->setup_ms);
}

static void send_cdn(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 local, guint16 peer, guint16 result, guint16 error,
                     const char *text) {
  L2tpWriter w;

  l2tp_engine_write(tunnel, env, &w, L2TP_CDN, peer);
  l2tp_write_result(&w, result, error, text);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, local);
  l2tp_engine_post(tunnel, env, &w);
}

/** Sends a message of `type` with our session id and what belongs into it of what is known of the call. */
static void send_about(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpCall *call, guint16 type) {
  L2tpWriter w;

  l2tp_engine_write(tunnel, env, &w, type, call->peer);
  if (l2tp_avps[L2TP_AVP_ASSIGNED_SESSION_ID].messages & L2TP_IN(type))
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, call->local);
  l2tp_call_info_write(call->info, type, &w);
  l2tp_engine_post(tunnel, env, &w);
}

/** Ends a call that went wrong: CDN to the peer, call_down to us. */
static void call_fail(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpCall *call, guint16 result, guint16 error, const char *text,
                      gboolean timeout) {
  L2tpReason reason = {.result = result, .error = error, .timeout = timeout};
  guint16 local = call->local;

  l2tp_reason_set(&reason, text);
  if (call->state != L2TP_CALL_WAIT_TUNNEL)
    send_cdn(tunnel, env, local, call->peer, result, error, text);
  l2tp_engine_call_end(tunnel, env, local, &reason);
}

static void call_stands(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call) {
  guint16 local = call->local;
  L2tpCallInfo *info = call->info;
  L2tpCallInfo empty = {0};

  call->state = L2TP_CALL_ESTABLISHED;
  call->deadline = 0;
  call->info = NULL;
  env->ops->call_up(env->engine.host, local, call->peer, (L2tpCallRole)call->role, info ? info : &empty);
  if (info)
    l2tp_call_info_clear(info);
  g_free(info);
}

/* ---- a peer's request ---- */

static void on_request(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message) {
  L2tpCallRole role = message->type == L2TP_ICRQ ? L2TP_CALL_INCOMING_LNS : L2TP_CALL_OUTGOING_LAC;
  guint16 peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_SESSION_ID);
  gboolean live = l2tp_calls_find_peer(&tunnel->calls, peer) != NULL;
  guint16 local = live || calls_full(tunnel, env) ? 0 : session_id(tunnel, env);
  L2tpCallInfo info = {0};
  const char *why = NULL;

  if (!peer)
    return;
  if (live) {
    send_cdn(tunnel, env, 0, peer, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID, "a call with this session id is live");
    return;
  }
  if (message->verdict == L2TP_VERDICT_CALL) {
    send_cdn(tunnel, env, local, peer, L2TP_CDN_ERROR, message->error, message->why);
    return;
  }
  if (!local) {
    send_cdn(tunnel, env, 0, peer, L2TP_CDN_NO_RESOURCES, L2TP_ERROR_RESOURCES, "no free session id");
    return;
  }
  l2tp_call_info_learn(&info, message);
  guint16 refused = env->ops->call_request(env->engine.host, local, role, &info, &why);
  if (tunnel->state != L2TP_TUNNEL_ESTABLISHED || refused || calls_full(tunnel, env)) {
    l2tp_call_info_clear(&info);
    if (tunnel->state == L2TP_TUNNEL_ESTABLISHED)
      send_cdn(tunnel, env, local, peer, refused ? refused : L2TP_CDN_NO_RESOURCES, 0, why);
    return;
  }

  L2tpCall *call = l2tp_calls_add(&tunnel->calls, local);
  l2tp_calls_set_peer(&tunnel->calls, call, peer);
  call->role = (guint8)role;
  call->info = g_memdup2(&info, sizeof info);
  call->state = role == L2TP_CALL_INCOMING_LNS ? L2TP_CALL_WAIT_CONNECT : L2TP_CALL_WAIT_ANSWER;
  call_arm(tunnel, env, call);
  send_about(tunnel, env, call, role == L2TP_CALL_INCOMING_LNS ? L2TP_ICRP : L2TP_OCRP);
  if (role == L2TP_CALL_OUTGOING_LAC && env->ops->call_place)
    env->ops->call_place(env->engine.host, local, &info);
}

/* ---- rows of the table ---- */

/** Takes the peer's id for a call of ours. False: it is that of another call, and this one was ended. */
static gboolean learn_peer_session(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  guint16 peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_SESSION_ID);

  if (l2tp_calls_find_peer(&tunnel->calls, peer)) {
    call_fail(tunnel, env, call, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID, "a call with this session id is live", FALSE);
    return FALSE;
  }
  l2tp_calls_set_peer(&tunnel->calls, call, peer);
  return TRUE;
}

/** ICRP: the LNS took our call. */
static void on_icrp(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  if (!learn_peer_session(tunnel, env, call, message))
    return;
  send_about(tunnel, env, call, L2TP_ICCN);
  call_stands(tunnel, env, call);
}

/** OCRP: the LAC is placing the call. */
static void on_ocrp(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  if (learn_peer_session(tunnel, env, call, message))
    call->state = L2TP_CALL_WAIT_CONNECT;
}

/** ICCN or OCCN: the LAC has connected it. */
static void on_connected(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  l2tp_call_info_learn(call->info, message);
  call_stands(tunnel, env, call);
}

static void on_cdn(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  L2tpReason reason;

  l2tp_reason_from_peer(&reason, message, TRUE);
  l2tp_engine_call_end(tunnel, env, call->local, &reason);
}

static void on_sli(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  AditCursor c = adit_cursor(message->avp[L2TP_AVP_ACCM].data, message->avp[L2TP_AVP_ACCM].length);

  adit_skip(&c, 2);
  guint32 send_accm = adit_get_u32(&c), receive_accm = adit_get_u32(&c);
  if (!c.bad && env->ops->link_info)
    env->ops->link_info(env->engine.host, call->local, send_accm, receive_accm);
}

static void on_wen(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  AditCursor c = adit_cursor(message->avp[L2TP_AVP_CALL_ERRORS].data, message->avp[L2TP_AVP_CALL_ERRORS].length);
  guint32 errors[6];

  adit_skip(&c, 2);
  for (guint i = 0; i < G_N_ELEMENTS(errors); i++)
    errors[i] = adit_get_u32(&c);
  if (!c.bad && env->ops->wan_errors)
    env->ops->wan_errors(env->engine.host, call->local, errors);
}

/** Anything else that the automata don't expect clears the call. */
static void on_unexpected(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message) {
  char text[64];

  g_snprintf(text, sizeof text, "%s in state %s", l2tp_message_name(message->type), l2tp_call_state_name((L2tpCallState)call->state));
  call_fail(tunnel, env, call, L2TP_CDN_ERROR, L2TP_ERROR_RANGE, text, FALSE);
}

typedef void (*CallAction)(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call, const L2tpMessage *message);

static const struct {
  guint8 role, state;
  guint16 message;
  CallAction action;
} rows[] = {
    {L2TP_CALL_INCOMING_LAC, L2TP_CALL_WAIT_REPLY, L2TP_ICRP, on_icrp},
    {L2TP_CALL_INCOMING_LNS, L2TP_CALL_WAIT_CONNECT, L2TP_ICCN, on_connected},
    {L2TP_CALL_OUTGOING_LNS, L2TP_CALL_WAIT_REPLY, L2TP_OCRP, on_ocrp},
    {L2TP_CALL_OUTGOING_LNS, L2TP_CALL_WAIT_CONNECT, L2TP_OCCN, on_connected},
};

/** These mean the same for every role and state. */
static CallAction common_action(guint type, L2tpCallState state) {
  if (type == L2TP_CDN)
    return on_cdn;
  if (type == L2TP_SLI && state != L2TP_CALL_WAIT_REPLY)
    return on_sli;
  if (type == L2TP_WEN && state != L2TP_CALL_WAIT_REPLY)
    return on_wen;
  return on_unexpected;
}

static CallAction find_action(const L2tpCall *call, guint type) {
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].role == call->role && rows[i].state == call->state && rows[i].message == type)
      return rows[i].action;
  return common_action(type, (L2tpCallState)call->state);
}

/** The call that a message is about, or NULL. A CDN may come before its sender knows our id: then its own tells which call it means. */
static L2tpCall *find_call(const L2tpTunnel *tunnel, guint16 session, const L2tpMessage *message) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, session);

  if (call || session || message->type != L2TP_CDN)
    return call;
  call = l2tp_calls_find_peer(&tunnel->calls, (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_SESSION_ID));
  return call && call->state != L2TP_CALL_ESTABLISHED ? call : NULL;
}

/** True if a CDN names a call other than its header does. Some peers say 0, or our id, in place of theirs. */
static gboolean names_another(const L2tpCall *call, const L2tpMessage *message) {
  guint16 id = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_SESSION_ID);

  return message->type == L2TP_CDN && call->peer && id && id != call->peer && id != call->local;
}

void l2tp_engine_call(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const L2tpMessage *message) {
  L2tpCall *call = find_call(tunnel, session, message);

  if (tunnel->state != L2TP_TUNNEL_ESTABLISHED) {
    l2tp_tunnel_close(tunnel, env, L2TP_STOP_FSM, L2TP_ERROR_NO_CONNECTION, "a call before the tunnel is established");
    return;
  }
  if (message->type == L2TP_ICRQ || message->type == L2TP_OCRQ) {
    on_request(tunnel, env, message);
    return;
  }
  if (!call) {
    tunnel->ignored++;
    return;
  }
  if (names_another(call, message)) {
    tunnel->forged++;
    return;
  }
  if (message->verdict == L2TP_VERDICT_CALL) {
    guint16 peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_SESSION_ID);
    if (!call->peer && !l2tp_calls_find_peer(&tunnel->calls, peer))
      l2tp_calls_set_peer(&tunnel->calls, call, peer);
    call_fail(tunnel, env, call, L2TP_CDN_ERROR, message->error, message->why, FALSE);
    return;
  }
  find_action(call, message->type)(tunnel, env, call, message);
}

/* ---- the tunnel's life ---- */

static void call_start(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCall *call) {
  call->state = L2TP_CALL_WAIT_REPLY;
  send_about(tunnel, env, call, call->role == L2TP_CALL_INCOMING_LAC ? L2TP_ICRQ : L2TP_OCRQ);
}

void l2tp_engine_calls_start(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  guint count;
  g_autofree guint16 *ids = l2tp_engine_calls_snapshot(tunnel, &count);

  for (guint i = 0; i < count; i++) {
    L2tpCall *call = tunnel->state == L2TP_TUNNEL_ESTABLISHED ? l2tp_calls_find(&tunnel->calls, ids[i]) : NULL;
    if (call && call->state == L2TP_CALL_WAIT_TUNNEL)
      call_start(tunnel, env, call);
  }
}

void l2tp_engine_calls_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  if (!adit_env_due(&env->engine, &tunnel->calls_deadline, L2TP_SLOT_CALLS))
    return;

  guint count;
  guint64 now = adit_env_now(&env->engine), next = 0;
  g_autofree guint16 *ids = l2tp_engine_calls_snapshot(tunnel, &count);
  for (guint i = 0; i < count; i++) {
    L2tpCall *call = l2tp_calls_find(&tunnel->calls, ids[i]);
    if (call && call->deadline && call->deadline <= now)
      call_fail(tunnel, env, call, L2TP_CDN_TIMEOUT, 0, "the call was not set up in time", TRUE);
    else if (call && call->deadline)
      next = next ? MIN(next, call->deadline) : call->deadline;
  }
  if (next && (!tunnel->calls_deadline || next < tunnel->calls_deadline) && tunnel->state < L2TP_TUNNEL_CLOSING)
    adit_env_arm(&env->engine, &tunnel->calls_deadline, L2TP_SLOT_CALLS, next - now);
}

/* ---- verbs ---- */

guint16 l2tp_tunnel_call_open(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCallRole role, const L2tpCallInfo *info) {
  guint16 local = tunnel->state >= L2TP_TUNNEL_CLOSING || calls_full(tunnel, env) ? 0 : session_id(tunnel, env);

  if (!local)
    return 0;
  L2tpCall *call = l2tp_calls_add(&tunnel->calls, local);
  call->role = (guint8)role;
  call->state = L2TP_CALL_WAIT_TUNNEL;
  call->info = g_new0(L2tpCallInfo, 1);
  l2tp_call_info_copy(call->info, info);
  call->info->serial = ++tunnel->serial;
  if (!call->info->framing_type)
    call->info->framing_type = 1;
  call_arm(tunnel, env, call);
  if (tunnel->state == L2TP_TUNNEL_ESTABLISHED)
    call_start(tunnel, env, call);
  return local;
}

gboolean l2tp_tunnel_call_answered(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const L2tpCallInfo *info) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, session);
  L2tpCallInfo answer;

  if (!call || call->state != L2TP_CALL_WAIT_ANSWER)
    return FALSE;
  l2tp_call_info_copy(&answer, info); /* first: it may be what call_place was given, and that is ours */
  l2tp_call_info_clear(call->info);
  *call->info = answer;
  if (!call->info->framing_type)
    call->info->framing_type = 1;
  send_about(tunnel, env, call, L2TP_OCCN);
  call_stands(tunnel, env, call);
  return TRUE;
}

gboolean l2tp_tunnel_call_close(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, guint16 result, guint16 error,
                                const char *text) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, session);

  if (!call)
    return FALSE;
  if (call->state != L2TP_CALL_WAIT_TUNNEL && tunnel->state == L2TP_TUNNEL_ESTABLISHED)
    send_cdn(tunnel, env, session, call->peer, result, error, text);
  l2tp_calls_remove(&tunnel->calls, session);
  return TRUE;
}

gboolean l2tp_tunnel_set_link_info(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, guint32 send_accm, guint32 receive_accm) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, session);
  guint32 value[2] = {GUINT32_TO_BE(send_accm), GUINT32_TO_BE(receive_accm)};
  guint8 octets[2 + sizeof value] = {0};
  L2tpWriter w;

  if (!call || call->state != L2TP_CALL_ESTABLISHED)
    return FALSE;
  memcpy(octets + 2, value, sizeof value);
  l2tp_engine_write(tunnel, env, &w, L2TP_SLI, call->peer);
  l2tp_write_bytes(&w, L2TP_AVP_ACCM, octets, sizeof octets);
  l2tp_engine_post(tunnel, env, &w);
  return TRUE;
}

gboolean l2tp_tunnel_wan_errors(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const guint32 errors[6]) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, session);
  guint8 octets[2 + 24];
  AditBuilder b = adit_builder(octets, sizeof octets);
  L2tpWriter w;

  if (!call || call->state != L2TP_CALL_ESTABLISHED)
    return FALSE;
  adit_put_u16(&b, 0);
  for (guint i = 0; i < 6; i++)
    adit_put_u32(&b, errors[i]);
  l2tp_engine_write(tunnel, env, &w, L2TP_WEN, call->peer);
  l2tp_write_bytes(&w, L2TP_AVP_CALL_ERRORS, octets, sizeof octets);
  l2tp_engine_post(tunnel, env, &w);
  return TRUE;
}
