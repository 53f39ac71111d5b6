/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/lcp.h"

/* LCP's own codes: RFC 1661 5, RFC 1570 2.1 and 2.2. */
enum { PROTOCOL_REJ = 8, ECHO_REQ, ECHO_REPLY, DISCARD, IDENTIFICATION, TIME_REMAINING };

/* RouterOS's way: one echo a second, five times, then the peer is gone. */
#define ECHO_INTERVAL_MS 1000
#define ECHOES_MAX       5
#define TEXT_MAX         200

static void send_lcp_packet(gpointer user, guint8 code, guint8 id, const void *data, gsize length) {
  AditLcp *lcp = user;
  guint8 frame[ADIT_PPP_FRAME_MAX];
  gsize size = adit_ppp_packet_frame(frame, sizeof frame, ADIT_PPP_LCP, code, id, data, length);
  if (size)
    lcp->ops->send(lcp->user, frame, size);
}

/** A packet that begins with our magic number. */
static void send_with_magic(AditLcp *lcp, guint8 code, guint8 id, const void *rest, gsize length) {
  guint8 data[ADIT_PPP_CONTROL_MAX - 4];
  AditBuilder out = adit_builder(data, sizeof data);
  adit_put_u32(&out, lcp->magic);
  adit_put_bytes(&out, rest, MIN(length, sizeof data - 4));
  send_lcp_packet(lcp, code, id, data, adit_built(&out));
}

/* ---- keepalive ---- */

static void send_echo(AditLcp *lcp) {
  guint8 id = adit_automaton_next_id(&lcp->fsm);
  lcp->echo[id % ADIT_LCP_ECHOES].id = id;
  lcp->echo[id % ADIT_LCP_ECHOES].sent_ms = adit_env_now(lcp->env);
  send_with_magic(lcp, ECHO_REQ, id, NULL, 0);
}

static void take_echo_reply(AditLcp *lcp, guint8 id) {
  guint64 *sent_ms = &lcp->echo[id % ADIT_LCP_ECHOES].sent_ms;
  if (!*sent_ms || lcp->echo[id % ADIT_LCP_ECHOES].id != id)
    return; /* not asked for */
  lcp->answered_ms = adit_env_now(lcp->env);
  lcp->round_trip_ms = (guint)MIN(lcp->answered_ms - *sent_ms, G_MAXUINT);
  *sent_ms = 0;
}

static guint64 last_heard(const AditLcp *lcp) {
  guint64 data = lcp->ops->last_rx_ms ? lcp->ops->last_rx_ms(lcp->user) : 0;
  return MAX(data, lcp->heard_ms);
}

static void keepalive_start(AditLcp *lcp) {
  lcp->echoes = 0;
  lcp->heard_ms = adit_env_now(lcp->env);
  if (lcp->params->keepalive_ms)
    adit_env_arm(lcp->env, &lcp->keepalive, ADIT_LCP_SLOT_KEEPALIVE, lcp->params->keepalive_ms);
}

static void keepalive_due(AditLcp *lcp) {
  guint64 now = adit_env_now(lcp->env), heard = MIN(last_heard(lcp), now), silence = now - heard;

  if (silence < lcp->params->keepalive_ms) {
    lcp->echoes = 0;
    adit_env_arm(lcp->env, &lcp->keepalive, ADIT_LCP_SLOT_KEEPALIVE, lcp->params->keepalive_ms - silence);
    return;
  }
  if (lcp->echoes == ECHOES_MAX) {
    lcp->ops->dead(lcp->user);
    return;
  }
  lcp->echoes++;
  adit_env_arm(lcp->env, &lcp->keepalive, ADIT_LCP_SLOT_KEEPALIVE, ECHO_INTERVAL_MS);
  send_echo(lcp);
}

gboolean adit_lcp_probe(AditLcp *lcp) {
  guint64 now = adit_env_now(lcp->env);

  if (!adit_lcp_is_open(lcp) || (lcp->probed_ms && now - lcp->probed_ms < ADIT_LCP_PROBE_MS))
    return FALSE;
  lcp->probed_ms = now;
  send_echo(lcp);
  return TRUE;
}

void adit_lcp_heard(AditLcp *lcp) {
  lcp->heard_ms = adit_env_now(lcp->env);
}

/* ---- codes beyond the automaton's ---- */

static void copy_printable(const guint8 *from, gsize length, char to[TEXT_MAX + 1]) {
  gsize n = MIN(length, TEXT_MAX);
  for (gsize i = 0; i < n; i++)
    to[i] = g_ascii_isprint((char)from[i]) ? (char)from[i] : '?';
  to[n] = 0;
}

static void log_message(AditLcp *lcp, const AditPppPacket *packet) {
  AditCursor in = adit_cursor(packet->data, packet->length);
  char text[TEXT_MAX + 1];

  adit_get_u32(&in);
  if (in.bad)
    return;
  if (packet->code == TIME_REMAINING) {
    guint32 seconds = adit_get_u32(&in);
    if (in.bad)
      return;
    g_snprintf(text, sizeof text, "%u s", seconds);
    lcp->ops->told(lcp->user, "time-remaining", text);
    return;
  }
  copy_printable(in.at, adit_left(&in), text);
  lcp->ops->told(lcp->user, "identification", text);
}

static void answer_echo(AditLcp *lcp, const AditPppPacket *packet) {
  AditCursor in = adit_cursor(packet->data, packet->length);
  guint32 magic = adit_get_u32(&in);

  if (in.bad)
    return;
  if (magic && magic == lcp->magic) {
    adit_lcp_looped(lcp);
    return;
  }
  lcp->loops = 0;
  send_with_magic(lcp, ECHO_REPLY, packet->id, in.at, adit_left(&in));
}

static gboolean knows_lcp_code(gpointer user, const AditPppPacket *packet) {
  return packet->code >= PROTOCOL_REJ && packet->code <= TIME_REMAINING;
}

static void protocol_reject(AditLcp *lcp, const AditPppPacket *packet) {
  AditCursor in = adit_cursor(packet->data, packet->length);
  guint16 protocol = adit_get_u16(&in);
  if (in.bad)
    return;
  if (protocol == ADIT_PPP_LCP)
    adit_automaton_event(&lcp->fsm, ADIT_FSM_RXJ_MINUS);
  else
    lcp->ops->protocol_rejected(lcp->user, protocol);
}

static void take_extra_code(gpointer user, const AditPppPacket *packet) {
  AditLcp *lcp = user;

  switch (packet->code) {
  case PROTOCOL_REJ:
    protocol_reject(lcp, packet);
    break;
  case ECHO_REQ:
    answer_echo(lcp, packet);
    break;
  case ECHO_REPLY: /* that something came has been noted already */
    take_echo_reply(lcp, packet->id);
    break;
  case DISCARD:
    break;
  case IDENTIFICATION:
  case TIME_REMAINING:
    log_message(lcp, packet);
    break;
  }
}

void adit_lcp_reject_protocol(AditLcp *lcp, guint16 protocol, const guint8 *payload, gsize length) {
  guint8 data[ADIT_PPP_CONTROL_MAX - 4];
  gsize room = MIN(sizeof data, (gsize)lcp->fsm.mtu - 4);
  AditBuilder out = adit_builder(data, room);
  if (!adit_lcp_is_open(lcp))
    return;
  adit_put_u16(&out, protocol);
  adit_put_bytes(&out, payload, MIN(length, room - 2));
  send_lcp_packet(lcp, PROTOCOL_REJ, adit_automaton_next_id(&lcp->fsm), data, adit_built(&out));
}

/* ---- the automaton's callbacks ---- */

static void on_lcp_up(gpointer user) {
  AditLcp *lcp = user;
  lcp->fsm.mtu = (guint16)CLAMP(lcp->peer_mru, 128, ADIT_PPP_CONTROL_MAX);
  keepalive_start(lcp);
  if (lcp->params->identification)
    send_with_magic(lcp, IDENTIFICATION, adit_automaton_next_id(&lcp->fsm), lcp->params->identification,
                    strlen(lcp->params->identification));
  lcp->ops->up(lcp->user);
}

static void on_lcp_down(gpointer user) {
  AditLcp *lcp = user;
  lcp->fsm.mtu = ADIT_PPP_CONTROL_MAX;
  adit_env_disarm(lcp->env, &lcp->keepalive, ADIT_LCP_SLOT_KEEPALIVE);
  adit_lcp_reset_options(lcp);
  lcp->ops->down(lcp->user);
}

static void on_lcp_finished(gpointer user) {
  AditLcp *lcp = user;
  lcp->ops->finished(lcp->user, lcp->fsm.end);
}

static void on_lcp_failed(gpointer user, const char *why) {
  AditLcp *lcp = user;
  lcp->ops->failed(lcp->user, ADIT_CAUSE_USER_ERROR, why);
}

static const AditAutomatonOps automaton_ops = {
    .send = send_lcp_packet,
    .up = on_lcp_up,
    .down = on_lcp_down,
    .finished = on_lcp_finished,
    .knows = knows_lcp_code,
    .extra = take_extra_code,
    .failed = on_lcp_failed,
};

/* ---- life ---- */

void adit_lcp_init(AditLcp *lcp, const AditLcpParams *params, const AditLcpOps *ops, gpointer user, const AditEngineEnv *env) {
  lcp->params = params;
  lcp->ops = ops;
  lcp->user = user;
  lcp->env = env;
  adit_automaton_init(&lcp->fsm, &automaton_ops, lcp, &adit_lcp_option_ops, lcp, env, ADIT_LCP_SLOT_RESTART, &params->fsm);
  adit_lcp_reset_options(lcp);
}

void adit_lcp_open(AditLcp *lcp) {
  adit_automaton_event(&lcp->fsm, ADIT_FSM_OPEN);
  adit_automaton_event(&lcp->fsm, ADIT_FSM_UP);
}

void adit_lcp_adopt(AditLcp *lcp) {
  adit_automaton_adopt(&lcp->fsm);
}

void adit_lcp_close(AditLcp *lcp) {
  adit_automaton_event(&lcp->fsm, ADIT_FSM_CLOSE);
}

void adit_lcp_input(AditLcp *lcp, const guint8 *payload, gsize length) {
  adit_automaton_input(&lcp->fsm, payload, length);
}

void adit_lcp_timeout(AditLcp *lcp, guint slot) {
  if (slot == ADIT_LCP_SLOT_RESTART)
    adit_automaton_timeout(&lcp->fsm);
  else if (adit_env_due(lcp->env, &lcp->keepalive, ADIT_LCP_SLOT_KEEPALIVE))
    keepalive_due(lcp);
}

gboolean adit_lcp_is_open(const AditLcp *lcp) {
  return lcp->fsm.state == ADIT_FSM_OPENED;
}

gboolean adit_lcp_agreed(const AditLcp *lcp, guint8 type, gboolean peer, AditPppOption *out) {
  AditCursor in = adit_cursor(lcp->fsm.request, lcp->fsm.request_length);
  if (!adit_lcp_is_open(lcp))
    return FALSE;
  if (peer)
    return adit_lcp_extras_heard(lcp->params->extras, type, out);
  while (adit_ppp_next_option(&in, out))
    if (out->type == type)
      return TRUE;
  return FALSE;
}

const AditAuthMethod *adit_lcp_demanded(const AditLcp *lcp) {
  return lcp->demand_agreed ? lcp->params->demand.method[lcp->demand] : NULL;
}

const AditAuthMethod *adit_lcp_answered(const AditLcp *lcp) {
  return lcp->peer_demands ? lcp->params->answer.method[lcp->answer] : NULL;
}

void adit_lcp_save(const AditLcp *lcp, AditBuilder *out) {
  adit_automaton_save(&lcp->fsm, out);
  adit_put_u16(out, (guint16)lcp->requesting);
  adit_put_u16(out, lcp->mru);
  adit_put_u32(out, lcp->accm);
  adit_put_u32(out, lcp->magic);
  adit_put_u8(out, lcp->demand);
  adit_put_u8(out, (guint8)lcp->refused);
  adit_put_u16(out, lcp->peer_mru);
  adit_put_u32(out, lcp->peer_accm);
  adit_put_u32(out, lcp->peer_magic);
  adit_put_u8(out,
              (guint8)((lcp->peer_pfc ? 1 : 0) | (lcp->peer_acfc ? 2 : 0) | (lcp->peer_demands ? 4 : 0) | (lcp->demand_agreed ? 8 : 0)));
  adit_put_u8(out, lcp->answer);
  adit_put_u8(out, lcp->suggested);
  adit_put_u8(out, (guint8)lcp->loops);
  adit_put_u8(out, (guint8)lcp->echoes);
  adit_ppp_save_deadline(lcp->env, lcp->keepalive, out);
  adit_lcp_extras_save(lcp->params->extras, out);
}

gboolean adit_lcp_restore(AditLcp *lcp, AditCursor *in) {
  if (!adit_automaton_restore(&lcp->fsm, in))
    return FALSE;
  lcp->requesting = adit_get_u16(in);
  lcp->mru = adit_get_u16(in);
  lcp->accm = adit_get_u32(in);
  lcp->magic = adit_get_u32(in);
  lcp->demand = adit_get_u8(in);
  lcp->refused = adit_get_u8(in);
  lcp->peer_mru = adit_get_u16(in);
  lcp->peer_accm = adit_get_u32(in);
  lcp->peer_magic = adit_get_u32(in);
  guint8 flags = adit_get_u8(in);
  lcp->peer_pfc = flags & 1;
  lcp->peer_acfc = (flags >> 1) & 1;
  lcp->peer_demands = (flags >> 2) & 1;
  lcp->demand_agreed = (flags >> 3) & 1;
  lcp->answer = adit_get_u8(in);
  lcp->suggested = adit_get_u8(in);
  lcp->loops = adit_get_u8(in);
  lcp->echoes = adit_get_u8(in);
  lcp->keepalive = adit_ppp_restore_deadline(lcp->env, in);
  lcp->heard_ms = adit_env_now(lcp->env);
  if (!adit_lcp_extras_restore(lcp->params->extras, in))
    return FALSE;

  const AditLcpParams *params = lcp->params;
  gboolean requests_auth = (lcp->requesting >> 3) & 1;
  if (in->bad || (requests_auth != (params->demand.n > 0)) || ((requests_auth || lcp->demand_agreed) && lcp->demand >= params->demand.n) ||
      (lcp->peer_demands && lcp->answer >= params->answer.n))
    return FALSE;
  if (lcp->keepalive)
    lcp->env->ops->wake(lcp->env->host, ADIT_LCP_SLOT_KEEPALIVE, lcp->keepalive);
  return TRUE;
}
