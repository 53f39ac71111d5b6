/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tunnel-write.h"

enum { SAVE_VERSION = 2 };

static void save_text(AditBuilder *out, const char text[L2TP_NAME_MAX]) {
  gsize length = strnlen(text, L2TP_NAME_MAX - 1);

  adit_put_u8(out, (guint8)length);
  adit_put_bytes(out, text, length);
}

static void restore_text(AditCursor *in, char text[L2TP_NAME_MAX]) {
  guint8 length = adit_get_u8(in);

  if (length >= L2TP_NAME_MAX)
    in->bad = TRUE;
  const guint8 *data = in->bad ? NULL : adit_get_bytes(in, length);
  if (data)
    memcpy(text, data, length);
}

static void save_call(const L2tpCall *call, AditBuilder *out) {
  adit_put_u16(out, call->local);
  adit_put_u16(out, call->peer);
  adit_put_u8(out, call->role);
  adit_put_u8(out, call->state);
  adit_put_u64(out, call->deadline);
  adit_put_u8(out, call->info != NULL);
  if (call->info)
    l2tp_call_info_save(call->info, out);
}

void l2tp_tunnel_save(const L2tpTunnel *tunnel, AditBuilder *out) {
  const guint64 times[] = {tunnel->last_rx, tunnel->hello_sent, tunnel->hello_deadline, tunnel->state_deadline, tunnel->calls_deadline};

  adit_put_u8(out, SAVE_VERSION);
  adit_put_u16(out, tunnel->local);
  adit_put_u16(out, tunnel->peer);
  adit_put_u8(out, tunnel->state);
  adit_put_u8(out, (guint8)((tunnel->originator ? 1 : 0) | (tunnel->was_up ? 2 : 0) | (tunnel->challenged ? 4 : 0) |
                            (tunnel->has_tie_breaker ? 8 : 0) | (tunnel->proven ? 16 : 0) | (tunnel->stop_said ? 32 : 0)));
  adit_put_bytes(out, tunnel->challenge, sizeof tunnel->challenge);
  adit_put_bytes(out, tunnel->tie_breaker, sizeof tunnel->tie_breaker);
  adit_put_u32(out, tunnel->serial);
  adit_put_u16(out, tunnel->peer_firmware);
  adit_put_u32(out, tunnel->peer_framing);
  for (guint i = 0; i < G_N_ELEMENTS(times); i++)
    adit_put_u64(out, times[i]);
  save_text(out, tunnel->peer_name);
  save_text(out, tunnel->peer_vendor);
  adit_put_u16(out, tunnel->held_length);
  adit_put_bytes(out, tunnel->held, tunnel->held_length);
  l2tp_channel_save(&tunnel->channel, out);
  adit_put_u16(out, (guint16)tunnel->calls.count);
  for (guint at = 0; at < tunnel->calls.size; at++)
    if (tunnel->calls.slots[at].local)
      save_call(&tunnel->calls.slots[at], out);
}

static void free_info(L2tpCallInfo *info) {
  if (info)
    l2tp_call_info_clear(info);
  g_free(info);
}

static gboolean restore_call(L2tpTunnel *tunnel, AditCursor *in) {
  L2tpCall read = {0};

  read.local = adit_get_u16(in);
  read.peer = adit_get_u16(in);
  read.role = adit_get_u8(in);
  read.state = adit_get_u8(in);
  read.deadline = adit_get_u64(in);
  gboolean has_info = adit_get_u8(in) != 0;
  if (in->bad || !read.local || l2tp_calls_find(&tunnel->calls, read.local) || read.role < L2TP_CALL_INCOMING_LAC ||
      read.role > L2TP_CALL_OUTGOING_LAC || read.state < L2TP_CALL_WAIT_TUNNEL || read.state > L2TP_CALL_ESTABLISHED ||
      has_info != (read.state != L2TP_CALL_ESTABLISHED))
    return FALSE;
  if (has_info) {
    read.info = g_new0(L2tpCallInfo, 1);
    if (!l2tp_call_info_restore(read.info, in)) {
      g_free(read.info);
      return FALSE;
    }
  }
  if (l2tp_calls_find_peer(&tunnel->calls, read.peer)) {
    free_info(read.info);
    return FALSE;
  }
  guint16 peer = read.peer;
  read.peer = 0;
  L2tpCall *call = l2tp_calls_add(&tunnel->calls, read.local);
  *call = read;
  l2tp_calls_set_peer(&tunnel->calls, call, peer);
  return TRUE;
}

static void restore_held(L2tpTunnel *tunnel, AditCursor *in) {
  guint16 length = adit_get_u16(in);
  const guint8 *data = length ? adit_get_bytes(in, length) : NULL;

  if (length > L2TP_CONTROL_MAX || (length && tunnel->state != L2TP_TUNNEL_WAIT_REPLY) ||
      (data && !l2tp_header_parse(&tunnel->held_header, data, length)))
    in->bad = TRUE;
  if (in->bad || !data)
    return;
  tunnel->held = g_memdup2(data, length);
  tunnel->held_length = length;
}

static gboolean restore_body(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, AditCursor *in) {
  guint64 *const times[] = {&tunnel->last_rx, &tunnel->hello_sent, &tunnel->hello_deadline, &tunnel->state_deadline,
                            &tunnel->calls_deadline};
  L2tpContext context = {tunnel, env};
  L2tpChannelEnv channel = l2tp_engine_send_env(&context);

  if (adit_get_u8(in) != SAVE_VERSION)
    return FALSE;
  tunnel->local = adit_get_u16(in);
  tunnel->peer = adit_get_u16(in);
  tunnel->state = adit_get_u8(in);
  guint8 flags = adit_get_u8(in);
  tunnel->originator = (flags & 1) != 0;
  tunnel->was_up = (flags & 2) != 0;
  tunnel->challenged = (flags & 4) != 0;
  tunnel->has_tie_breaker = (flags & 8) != 0;
  tunnel->proven = (flags & 16) != 0;
  tunnel->stop_said = (flags & 32) != 0;
  adit_get_copy(in, tunnel->challenge, sizeof tunnel->challenge);
  adit_get_copy(in, tunnel->tie_breaker, sizeof tunnel->tie_breaker);
  tunnel->serial = adit_get_u32(in);
  tunnel->peer_firmware = adit_get_u16(in);
  tunnel->peer_framing = adit_get_u32(in);
  for (guint i = 0; i < G_N_ELEMENTS(times); i++)
    *times[i] = adit_get_u64(in);
  restore_text(in, tunnel->peer_name);
  restore_text(in, tunnel->peer_vendor);
  restore_held(tunnel, in);
  if (in->bad || !tunnel->local || tunnel->state < L2TP_TUNNEL_IDLE || tunnel->state > L2TP_TUNNEL_DEAD ||
      !l2tp_channel_restore(&tunnel->channel, &channel, in))
    return FALSE;

  for (guint count = adit_get_u16(in); count; count--)
    if (!restore_call(tunnel, in))
      return FALSE;
  return !in->bad;
}

gboolean l2tp_tunnel_restore(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, AditCursor *in) {
  l2tp_tunnel_init(tunnel, 0);
  if (!restore_body(tunnel, env, in)) {
    l2tp_tunnel_clear(tunnel, env);
    return FALSE;
  }
  const struct {
    guint slot;
    guint64 deadline;
  } timers[] = {
      {L2TP_SLOT_HELLO, tunnel->hello_deadline}, {L2TP_SLOT_STATE, tunnel->state_deadline}, {L2TP_SLOT_CALLS, tunnel->calls_deadline}};
  for (guint i = 0; i < G_N_ELEMENTS(timers); i++)
    if (timers[i].deadline)
      env->engine.ops->wake(env->engine.host, timers[i].slot, timers[i].deadline);
  return TRUE;
}
