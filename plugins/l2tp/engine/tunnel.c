/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tunnel.h"
#include "tunnel-calls.h"
#include "tunnel-control.h"
#include "tunnel-end.h"
#include "tunnel-write.h"

enum { SETUP_MS = 60000, HOLD_MS = 2000, HELLO_MS = 60000, RETRY_MS = 1000, RETRY_CAP_MS = 8000, TRIES = 5, WINDOW = 16 };

void l2tp_tunnel_config_init(L2tpTunnelConfig *config) {
  *config = (L2tpTunnelConfig){
      .host_name = "adit",
      .hello_ms = HELLO_MS,
      .setup_ms = SETUP_MS,
      .channel = {.receive_window = WINDOW, .retry_ms = RETRY_MS, .retry_cap_ms = RETRY_CAP_MS, .tries = TRIES, .unconfirmed_tries = 1},
  };
}

/* ---- the channel and us ---- */

/** A message of a call ends calls alone, by their id: see tunnel-calls.c. */
static gboolean ends_tunnel(const L2tpTunnel *tunnel, const L2tpMessage *message) {
  return message->verdict == L2TP_VERDICT_TUNNEL ||
         (message->verdict == L2TP_VERDICT_OK && !l2tp_message_is_call(message->type) && !l2tp_engine_expects(tunnel, message->type));
}

/** True if the sender knows as much as the peer must, before a message ends anything. A tunnel is found by 16 bits of tunnel id, which a
 * stranger that knows the peer's address can guess; a message that ends sessions needs a second id. */
static gboolean knows_enough(const L2tpTunnel *tunnel, const L2tpHeader *header, const L2tpMessage *message) {
  if (message->type == L2TP_STOPCCN) /* RFC 2661 4.4.3: it names the id that its sender has told us first */
    return !tunnel->peer || l2tp_message_number(message, L2TP_AVP_ASSIGNED_TUNNEL_ID) == tunnel->peer;
  if (!header->tunnel)
    return tunnel->state == L2TP_TUNNEL_IDLE;
  /* RFC 2661 4.1 ends a tunnel for an error. With calls in it the error is left unacknowledged instead: a peer that did send it gives up
   * by itself. */
  return tunnel->state != L2TP_TUNNEL_ESTABLISHED || !tunnel->calls.count || !ends_tunnel(tunnel, message);
}

/** The peer's id, even from a message that is wrong elsewhere: the sender that is refused. */
static void learn_peer_id(L2tpTunnel *tunnel, const L2tpMessage *message) {
  if (!tunnel->peer)
    tunnel->channel.peer_tunnel = tunnel->peer = (guint16)l2tp_message_number(message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
}

static void channel_deliver(gpointer user, const L2tpHeader *header, const guint8 *datagram) {
  L2tpContext *context = user;
  L2tpTunnel *tunnel = context->tunnel;
  L2tpParse how = {.secret = context->env->config->secret, .permissive = context->env->config->permissive};
  L2tpMessage message;

  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  if (!knows_enough(tunnel, header, &message)) {
    tunnel->forged++;
    return;
  }
  l2tp_channel_accept(&tunnel->channel);
  switch (message.verdict) {
  case L2TP_VERDICT_IGNORE:
    tunnel->ignored++;
    return;
  case L2TP_VERDICT_TUNNEL:
    tunnel->malformed++;
    learn_peer_id(tunnel, &message);
    l2tp_tunnel_close(tunnel, context->env, L2TP_STOP_ERROR, message.error, message.why);
    return;
  case L2TP_VERDICT_CALL:
    tunnel->malformed++;
    break;
  case L2TP_VERDICT_OK:
    break;
  }
  if (l2tp_message_is_call(message.type))
    l2tp_engine_call(tunnel, context->env, header->session, &message);
  else
    l2tp_engine_control(tunnel, context->env, &message);
}

/** A Hello without an answer means nothing while data flows: some peers never answer one. */
static gboolean channel_dead(gpointer user) {
  L2tpContext *context = user;
  L2tpTunnel *tunnel = context->tunnel;
  const L2tpTunnelEnv *env = context->env;
  L2tpReason reason = {.lost = TRUE};

  if (tunnel->state == L2TP_TUNNEL_ESTABLISHED && tunnel->hello_sent && env->ops->last_data &&
      env->ops->last_data(env->engine.host) > tunnel->hello_sent) {
    tunnel->hello_sent = adit_env_now(&env->engine);
    return TRUE;
  }
  const char *unsent = env->ops->send_error ? env->ops->send_error(env->engine.host) : NULL;
  g_snprintf(reason.text, sizeof reason.text, "the peer does not answer%s%s", unsent ? ": nothing can be sent: " : "",
             unsent ? unsent : "");
  l2tp_engine_down(tunnel, env, L2TP_TUNNEL_DEAD, &reason);
  l2tp_engine_finish(tunnel, env);
  return FALSE;
}

static const L2tpChannelOps channel_ops = {l2tp_engine_transmit, channel_deliver, channel_dead};

static L2tpChannelEnv channel_env(L2tpContext *context) {
  return (L2tpChannelEnv){context->env->engine, &channel_ops, context, &context->env->config->channel, L2TP_SLOT_CHANNEL};
}

/* ---- life ---- */

void l2tp_tunnel_init(L2tpTunnel *tunnel, guint16 local) {
  memset(tunnel, 0, sizeof *tunnel);
  tunnel->local = local;
  tunnel->state = L2TP_TUNNEL_IDLE;
  l2tp_channel_init(&tunnel->channel);
}

void l2tp_tunnel_clear(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  l2tp_engine_disarm(tunnel, env);
  l2tp_engine_forget_held(tunnel);
  l2tp_channel_clear(&tunnel->channel);
  l2tp_calls_clear(&tunnel->calls);
  tunnel->state = L2TP_TUNNEL_DEAD;
}

/** The StopCCN of a peer that has not heard our answer (RFC 2661 4.4.3). All that it proves is the peer's id, 16 bits which are often
 * small: it is acknowledged, and nothing more is sent, but a peer that goes on after all did not send it. */
static void input_early_stop(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram) {
  L2tpParse how = {.secret = env->config->secret, .permissive = env->config->permissive};
  guint8 zlb[L2TP_CONTROL_HEADER];
  AditBuilder b = adit_builder(zlb, sizeof zlb);
  L2tpMessage message;

  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  if (tunnel->state != L2TP_TUNNEL_WAIT_CONNECT || !tunnel->channel.unconfirmed || message.type != L2TP_STOPCCN ||
      l2tp_message_number(&message, L2TP_AVP_ASSIGNED_TUNNEL_ID) != tunnel->peer)
    return;
  l2tp_header_put(&b, tunnel->peer, 0, tunnel->channel.ns, 2);
  env->ops->send(env->engine.host, zlb, sizeof zlb);
  if (tunnel->stop_said)
    return;
  tunnel->stop_said = TRUE;
  adit_env_disarm(&env->engine, &tunnel->channel.deadline, L2TP_SLOT_CHANNEL);
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, l2tp_channel_cycle_ms(&env->config->channel));
}

gboolean l2tp_tunnel_is_answer(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram) {
  L2tpParse how = {.secret = env->config->secret, .permissive = env->config->permissive};
  L2tpMessage message;

  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  return tunnel->state == L2TP_TUNNEL_WAIT_REPLY && header->length && !header->ns && l2tp_engine_is_answer(tunnel, env, &message);
}

/** All that leads to a dial is 16 bits of tunnel id, until its server has told us its own. So what would end the dial is believed only
 *  when no acceptable SCCRP has come HOLD_MS later: time enough for a round trip, or for the server's repeat of an SCCRP that was lost.
 *  Meanwhile the SCCRQ is repeated as if nothing had come. True: the datagram is held or dropped. */
static gboolean hold_back(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  guint64 now = adit_env_now(&env->engine), left = tunnel->state_deadline > now ? tunnel->state_deadline - now : 0;

  if (tunnel->state != L2TP_TUNNEL_WAIT_REPLY || !header->length || l2tp_tunnel_is_answer(tunnel, env, header, datagram))
    return FALSE;
  tunnel->forged++;
  if (tunnel->held || header->ns)
    return TRUE;
  tunnel->held = g_memdup2(datagram, length);
  tunnel->held_length = (guint16)length;
  tunnel->held_header = *header;
  adit_env_arm(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE, MIN(HOLD_MS, left));
  return TRUE;
}

static void take_datagram(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  L2tpContext context = {tunnel, env};
  L2tpChannelEnv channel = channel_env(&context);

  l2tp_channel_input(&tunnel->channel, &channel, header, datagram, length);
  if (tunnel->state != L2TP_TUNNEL_WAIT_REPLY)
    l2tp_engine_forget_held(tunnel);
  if (tunnel->state == L2TP_TUNNEL_CLOSING && l2tp_channel_idle(&tunnel->channel))
    l2tp_engine_finish(tunnel, env);
}

/** Nothing better has come than what was held. */
static void believe_held(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  g_autofree guint8 *datagram = g_steal_pointer(&tunnel->held);
  L2tpReason reason = {.by_peer = TRUE};
  L2tpHeader header = tunnel->held_header;

  take_datagram(tunnel, env, &header, datagram, tunnel->held_length);
  if (tunnel->state != L2TP_TUNNEL_WAIT_REPLY)
    return;
  l2tp_reason_set(&reason, "the peer answers with another message than SCCRP");
  l2tp_engine_down(tunnel, env, L2TP_TUNNEL_DEAD, &reason);
  l2tp_engine_finish(tunnel, env);
}

void l2tp_tunnel_input(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  if (tunnel->state == L2TP_TUNNEL_DEAD)
    return;
  /* Only an SCCRQ, new or repeated, and the StopCCN of a peer that did not hear our answer come without our id; and a sender that does not
   * know it can't acknowledge anything. */
  if (header->tunnel != tunnel->local && (header->tunnel || header->ns > 1 || header->nr || tunnel->originator))
    return;
  if (!header->tunnel && header->ns) {
    input_early_stop(tunnel, env, header, datagram);
    return;
  }
  if (header->tunnel)
    tunnel->last_rx = adit_env_now(&env->engine);
  if (!hold_back(tunnel, env, header, datagram, length))
    take_datagram(tunnel, env, header, datagram, length);
}

/* ---- timers ---- */

void l2tp_tunnel_probe(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  L2tpWriter w;

  if (tunnel->state != L2TP_TUNNEL_ESTABLISHED || !l2tp_channel_idle(&tunnel->channel))
    return;
  tunnel->hello_sent = adit_env_now(&env->engine);
  l2tp_engine_write(tunnel, env, &w, L2TP_HELLO, 0);
  l2tp_engine_post(tunnel, env, &w);
}

static void hello_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  guint64 now = adit_env_now(&env->engine), last = tunnel->last_rx;
  guint32 silence = env->config->hello_ms;

  if (!adit_env_due(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO) || tunnel->state != L2TP_TUNNEL_ESTABLISHED || !silence)
    return;
  if (env->ops->last_data)
    last = MAX(last, env->ops->last_data(env->engine.host));
  if (now < last + silence) {
    adit_env_arm(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO, last + silence - now);
    return;
  }
  l2tp_tunnel_probe(tunnel, env);
  adit_env_arm(&env->engine, &tunnel->hello_deadline, L2TP_SLOT_HELLO, silence);
}

static void state_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env) {
  L2tpReason reason = {.timeout = TRUE};

  if (!adit_env_due(&env->engine, &tunnel->state_deadline, L2TP_SLOT_STATE))
    return;
  switch ((L2tpTunnelState)tunnel->state) {
  case L2TP_TUNNEL_WAIT_REPLY:
    if (tunnel->held) {
      believe_held(tunnel, env);
      return;
    }
    G_GNUC_FALLTHROUGH;
  case L2TP_TUNNEL_WAIT_CONNECT:
    reason.by_peer = tunnel->stop_said;
    l2tp_reason_set(&reason, tunnel->stop_said ? "the peer gave up before it was answered" : "the tunnel was not set up in time");
    l2tp_engine_down(tunnel, env, L2TP_TUNNEL_DEAD, &reason);
    l2tp_engine_finish(tunnel, env);
    return;
  case L2TP_TUNNEL_CLOSING:
  case L2TP_TUNNEL_LINGERING:
    l2tp_engine_finish(tunnel, env);
    return;
  case L2TP_TUNNEL_DEAD:
    l2tp_tunnel_clear(tunnel, env);
    env->ops->finished(env->engine.host);
    return;
  case L2TP_TUNNEL_IDLE:
  case L2TP_TUNNEL_ESTABLISHED:
    return;
  }
}

void l2tp_tunnel_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint slot) {
  L2tpContext context = {tunnel, env};
  L2tpChannelEnv channel = channel_env(&context);

  switch (slot) {
  case L2TP_SLOT_CHANNEL:
    l2tp_channel_timeout(&tunnel->channel, &channel);
    break;
  case L2TP_SLOT_HELLO:
    hello_timeout(tunnel, env);
    break;
  case L2TP_SLOT_STATE:
    state_timeout(tunnel, env);
    break;
  case L2TP_SLOT_CALLS:
    l2tp_engine_calls_timeout(tunnel, env);
    break;
  }
}
