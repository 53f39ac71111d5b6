/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tunnel-write.h"

const char *l2tp_tunnel_state_name(L2tpTunnelState state) {
  switch (state) {
  case L2TP_TUNNEL_IDLE:
    return "idle";
  case L2TP_TUNNEL_WAIT_REPLY:
    return "wait-reply";
  case L2TP_TUNNEL_WAIT_CONNECT:
    return "wait-connect";
  case L2TP_TUNNEL_ESTABLISHED:
    return "established";
  case L2TP_TUNNEL_CLOSING:
    return "closing";
  case L2TP_TUNNEL_LINGERING:
    return "lingering";
  case L2TP_TUNNEL_DEAD:
    return "dead";
  }
  return "?";
}

void l2tp_reason_set(L2tpReason *reason, const char *text) {
  g_strlcpy(reason->text, text ? text : "", sizeof reason->text);
}

void l2tp_reason_from_peer(L2tpReason *reason, const L2tpMessage *message, gboolean call) {
  L2tpResult result;

  memset(reason, 0, sizeof *reason);
  reason->by_peer = TRUE;
  if (!l2tp_message_result(message, call, &result)) {
    l2tp_reason_set(reason, "the peer gave no reason");
    return;
  }
  reason->result = result.result;
  reason->error = result.error;
  g_snprintf(reason->text, sizeof reason->text, "%s%s%s%s%s", l2tp_result_word(call, result.result), result.error ? ", " : "",
             result.error ? l2tp_error_word(result.error) : "", *result.text ? ": " : "", result.text);
}

void l2tp_engine_transmit(gpointer user, const guint8 *message, gsize length) {
  L2tpContext *context = user;
  context->env->ops->send(context->env->engine.host, message, length);
}

L2tpChannelEnv l2tp_engine_send_env(L2tpContext *context) {
  static const L2tpChannelOps ops = {.transmit = l2tp_engine_transmit};

  return (L2tpChannelEnv){context->env->engine, &ops, context, &context->env->config->channel, L2TP_SLOT_CHANNEL};
}

void l2tp_engine_write(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w, guint16 type, guint16 session) {
  guint8 vector[16];
  /* Some peers (xl2tpd) know the secret only once a challenge has been answered, and what is worth hiding is in calls. */
  const char *hide = env->config->hide && l2tp_message_is_call(type) ? env->config->secret : NULL;

  if (hide)
    adit_env_random(&env->engine, vector, sizeof vector);
  l2tp_write_begin(w, type, tunnel->peer, session, hide, vector);
}

void l2tp_engine_post(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w) {
  L2tpContext context = {tunnel, env};
  L2tpChannelEnv channel = l2tp_engine_send_env(&context);
  gsize length = l2tp_write_end(w);

  if (length)
    l2tp_channel_send(&tunnel->channel, &channel, w->buffer, length);
}
