/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Random datagrams and passing time into one tunnel engine, as originator or responder. Input: an octet of options, then records
 * of kind, two octets of length, and octets; numbers of control messages may be put right, so that they are looked at. */
#include "plugins/l2tp/engine/tunnel.h"
#include "tests/unit/l2tp/datagram.h"

enum { WITH_SECRET = 1, ORIGINATOR = 2, WITH_CALL = 4, PERMISSIVE = 8 };
enum { KIND_RAW, KIND_IN_ORDER, KIND_TIME, KIND_SAVE, KIND_CLOSE_CALL, KIND_CALL, KIND_CLOSE, KIND_ANSWER, KINDS };

typedef struct {
  guint64 now, deadline[L2TP_SLOTS];
  guint32 random;
  gboolean finished, down;
  guint calls;
  L2tpTunnel tunnel;
  const L2tpTunnelEnv *env;
} Host;

static guint64 on_now(gpointer host) {
  return ((Host *)host)->now;
}
static void on_wake(gpointer host, guint slot, guint64 deadline) {
  ((Host *)host)->deadline[slot] = deadline;
}
static void on_random(gpointer host, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)((((Host *)host)->random = ((Host *)host)->random * 1664525 + 1013904223) >> 24);
}
static const AditEngineOps engine_ops = {sizeof engine_ops, on_now, on_wake, on_random};

static void on_send(gpointer host, const guint8 *datagram, gsize length) {
  L2tpHeader header;
  g_assert_true(l2tp_header_parse(&header, datagram, length));
}
static void on_up(gpointer host) {
  g_assert_false(((Host *)host)->down);
}
static void on_down(gpointer host, const L2tpReason *reason) {
  g_assert_false(((Host *)host)->down);
  g_assert_cmpuint(((Host *)host)->calls, ==, 0);
  ((Host *)host)->down = TRUE;
}
static void on_finished(gpointer host) {
  ((Host *)host)->finished = TRUE;
}
static guint16 on_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why) {
  *why = "odd";
  return info->serial & 1 ? L2TP_CDN_BUSY : 0;
}
/** Every other call is answered at once, with what it was asked with. */
static void on_call_place(gpointer host, guint16 session, const L2tpCallInfo *info) {
  if (session & 1)
    l2tp_tunnel_call_answered(&((Host *)host)->tunnel, ((Host *)host)->env, session, info);
}
static void on_call_up(gpointer host, guint16 session, guint16 peer, L2tpCallRole role, const L2tpCallInfo *info) {
  ((Host *)host)->calls++;
}
static void on_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  ((Host *)host)->calls -= was_up;
}

static const L2tpTunnelOps ops = {.size = sizeof ops,
                                  .send = on_send,
                                  .tunnel_up = on_up,
                                  .tunnel_down = on_down,
                                  .finished = on_finished,
                                  .call_request = on_request,
                                  .call_place = on_call_place,
                                  .call_up = on_call_up,
                                  .call_down = on_call_down};

static void pass(Host *host, const L2tpTunnelEnv *env, guint64 ms) {
  host->now += ms;
  for (guint slot = 0; slot < L2TP_SLOTS && !host->finished; slot++)
    if (host->deadline[slot] && host->deadline[slot] <= host->now) {
      host->deadline[slot] = 0;
      l2tp_tunnel_timeout(&host->tunnel, env, slot);
    }
}

static void save_and_restore(Host *host, const L2tpTunnelEnv *env) {
  enum { ROOM = 1 << 22 };
  g_autofree guint8 *room = g_malloc(ROOM);
  AditBuilder out = adit_builder(room, ROOM);

  l2tp_tunnel_save(&host->tunnel, &out);
  if (out.bad)
    return;
  l2tp_tunnel_clear(&host->tunnel, env);
  AditCursor in = adit_cursor(room, adit_built(&out));
  g_assert_true(l2tp_tunnel_restore(&host->tunnel, env, &in));
}

static guint16 any_call(Host *host) {
  g_autofree guint16 *ids = g_new0(guint16, host->tunnel.calls.count + 1);
  l2tp_calls_ids(&host->tunnel.calls, ids);
  return ids[0];
}

static void record(Host *host, const L2tpTunnelEnv *env, guint kind, guint8 *data, gsize length) {
  L2tpCallInfo info = {.tx_speed = 1};
  L2tpCall *call;
  guint16 id;

  switch (kind) {
  case KIND_IN_ORDER:
    if (length >= L2TP_CONTROL_HEADER) {
      gboolean first = host->tunnel.state == L2TP_TUNNEL_IDLE;
      AditBuilder b = adit_builder(data, L2TP_CONTROL_HEADER);
      guint16 session = (guint16)(data[6] << 8 | data[7]);
      l2tp_header_put(&b, first ? 0 : host->tunnel.local, session & 1 ? any_call(host) : session, host->tunnel.channel.nr,
                      host->tunnel.channel.ns);
      data[2] = (guint8)(length >> 8);
      data[3] = (guint8)length;
    }
    input_datagram(&host->tunnel, env, data, length);
    break;
  case KIND_RAW:
    input_datagram(&host->tunnel, env, data, length);
    break;
  case KIND_TIME:
    pass(host, env, length ? data[0] * 257u : 100);
    break;
  case KIND_SAVE:
    save_and_restore(host, env);
    break;
  case KIND_CLOSE_CALL:
    id = any_call(host);
    call = l2tp_calls_find(&host->tunnel.calls, id);
    host->calls -= call && call->state == L2TP_CALL_ESTABLISHED;
    l2tp_tunnel_call_close(&host->tunnel, env, id, L2TP_CDN_ADMIN, 0, "closed");
    break;
  case KIND_CALL:
    l2tp_tunnel_call_open(&host->tunnel, env, length & 1 ? L2TP_CALL_OUTGOING_LNS : L2TP_CALL_INCOMING_LAC, &info);
    break;
  case KIND_CLOSE:
    l2tp_tunnel_close(&host->tunnel, env, L2TP_STOP_CLEAR, 0, NULL);
    break;
  case KIND_ANSWER:
    l2tp_tunnel_call_answered(&host->tunnel, env, any_call(host), &info);
    break;
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);
int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  AditCursor in = adit_cursor(data, size);
  guint8 options = adit_get_u8(&in);
  Host host = {.now = 1000, .random = 1};
  L2tpTunnelConfig config;
  L2tpTunnelEnv env = {{&engine_ops, &host}, &ops, &config};
  L2tpCallInfo info = {.tx_speed = 1};

  host.env = &env;
  l2tp_tunnel_config_init(&config);
  config.secret = options & WITH_SECRET ? "secret" : NULL;
  config.hide = (options & WITH_SECRET) != 0;
  config.permissive = (options & PERMISSIVE) != 0;
  config.max_calls = 20;
  l2tp_tunnel_init(&host.tunnel, 7);
  if (options & WITH_CALL)
    l2tp_tunnel_call_open(&host.tunnel, &env, L2TP_CALL_INCOMING_LAC, &info);
  if (options & ORIGINATOR)
    l2tp_tunnel_open(&host.tunnel, &env);
  while (!host.finished && adit_left(&in)) {
    guint kind = adit_get_u8(&in) % KINDS;
    gsize length = adit_get_u16(&in);
    length = MIN(length, adit_left(&in));
    g_autofree guint8 *copy = g_memdup2(in.at, length);
    adit_skip(&in, length);
    record(&host, &env, kind, copy, length);
  }
  l2tp_tunnel_clear(&host.tunnel, &env);

  /* and as a saved state */
  AditCursor saved = adit_cursor(data, size);
  if (l2tp_tunnel_restore(&host.tunnel, &env, &saved))
    l2tp_tunnel_clear(&host.tunnel, &env);
  return 0;
}
