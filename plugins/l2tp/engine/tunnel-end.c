/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tunnel-end.h"
#include "tunnel-write.h"

void l2tp_engine_call_end(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 local, const L2tpReason *reason) {
  L2tpCall *call = l2tp_calls_find(&tunnel->calls, local);
  gboolean was_up = call->state == L2TP_CALL_ESTABLISHED;

  l2tp_calls_remove(&tunnel->calls, local);
  env->ops->call_down(env->engine.host, local, was_up, reason);
}

guint16 *l2tp_engine_calls_snapshot(const L2tpTunnel *tunnel, guint *count) {
  guint16 *ids = g_new(guint16, tunnel->calls.count + 1);

  *count = tunnel->calls.count;
  l2tp_calls_ids(&tunnel->calls, ids);
  return ids;
}

static void end_calls(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpReason *reason) {
  guint count;
  g_autofree guint16 *ids = l2tp_engine_calls_snapshot(tunnel, &count);

  adit_env_disarm(&env->engine, &tunnel->calls_deadline, L2TP_SLOT_CALLS);
  for (guint i = 0; i < count; i++)
    if (l2tp_calls_find(&tunnel->calls, ids[i]))
      l2tp_engine_call_end(tunnel, env, ids[i], reason);
}

void l2tp_engine_disarm(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  adit_env_disarm(&env->engine, &tunnel->channel.deadline, L2TP_SLOT_CHANNEL);
  adit_env_disarm(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO);
  adit_env_disarm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE);
  adit_env_disarm(&env->engine, &tunnel->calls_deadline, L2TP_SLOT_CALLS);
}

void l2tp_engine_forget_held(L2tpTunnel *tunnel) {
  g_clear_pointer(&tunnel->held, g_free);
  tunnel->held_length = 0;
}

void l2tp_engine_down(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpTunnelState state, const L2tpReason *reason) {
  gboolean ended = tunnel->state >= L2TP_TUNNEL_CLOSING;
  L2tpReason of_calls = *reason;

  l2tp_engine_forget_held(tunnel);
  tunnel->state = state;
  tunnel->channel.stopped = TRUE;
  adit_env_disarm(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO);
  if (ended)
    return;
  of_calls.tunnel = TRUE;
  end_calls(tunnel, env, &of_calls);
  env->ops->tunnel_down(env->engine.host, reason);
}

void l2tp_engine_finish(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  l2tp_engine_disarm(tunnel, env);
  l2tp_channel_clear(&tunnel->channel);
  tunnel->state = L2TP_TUNNEL_DEAD;
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, 1);
}

static void write_stop(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w, guint16 result, guint16 error, const char *text) {
  l2tp_engine_write(tunnel, env, w, L2TP_STOPCCN, 0);
  l2tp_write_u16(w, L2TP_AVP_ASSIGNED_TUNNEL_ID, tunnel->local);
  l2tp_write_result(w, result, error, text);
}

/** The peer's id is not known: a StopCCN with tunnel id 0, by which a peer that has our SCCRQ finds the tunnel (RFC 2661 4.4.3). Once: its
 *  acknowledgement has nowhere to go. */
static void send_early_stop(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 result, guint16 error, const char *text) {
  L2tpWriter w;

  write_stop(tunnel, env, &w, result, error, text);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, tunnel->channel.ns, tunnel->channel.nr);
  if (length)
    env->ops->send(env->engine.host, w.buffer, length);
}

void l2tp_tunnel_close(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 result, guint16 error, const char *text) {
  L2tpReason reason = {.result = result, .error = error};
  L2tpWriter w;

  if (tunnel->state >= L2TP_TUNNEL_CLOSING)
    return;
  l2tp_reason_set(&reason, text && *text ? text : l2tp_result_word(FALSE, result));
  if (!tunnel->peer) {
    if (tunnel->state == L2TP_TUNNEL_WAIT_REPLY)
      send_early_stop(tunnel, env, result, error, text);
    l2tp_engine_down(tunnel, env, L2TP_TUNNEL_DEAD, &reason);
    l2tp_engine_finish(tunnel, env);
    return;
  }
  l2tp_channel_drop_waiting(&tunnel->channel);
  write_stop(tunnel, env, &w, result, error, text);
  l2tp_engine_post(tunnel, env, &w);
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, l2tp_channel_cycle_ms(&env->config->channel));
  l2tp_engine_down(tunnel, env, L2TP_TUNNEL_CLOSING, &reason);
}

void l2tp_tunnel_discard(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const char *why) {
  L2tpReason reason = {.lost = TRUE};

  l2tp_reason_set(&reason, why);
  l2tp_engine_down(tunnel, env, L2TP_TUNNEL_DEAD, &reason);
  l2tp_engine_finish(tunnel, env);
}
