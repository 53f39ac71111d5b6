/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/frame.h"
#include "plugins-auth/chap/chap.h"
#include "plugins-auth/mschap/mschap.h"
#include "plugins-auth/pap/pap.h"
#include "plugins/bcp/bcp.h"
#include "plugins/ipcp/ipcp.h"
#include "plugins/ipv6cp/ipv6cp.h"
#include "world.h"
#include <adit/encap.h>

/* ---- engines' environments: all of them on the one wheel ---- */

static void arm(Line *line, Alarm *alarm, guint64 deadline) {
  if (deadline)
    adit_wheel_arm(line->host->world->wheel, &alarm->timer, deadline);
  else
    adit_wheel_cancel(line->host->world->wheel, &alarm->timer);
}

static void fill(Line *line, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int(line->host->world->rand);
}

static guint64 line_now(gpointer host) {
  return ((Line *)host)->host->world->now;
}
static void line_random(gpointer host, gpointer buffer, gsize length) {
  fill(host, buffer, length);
}
static void tunnel_wake(gpointer host, guint slot, guint64 deadline) {
  Line *line = host;
  arm(line, &line->tunnel_alarms[slot], deadline);
}
static void link_wake(gpointer host, guint slot, guint64 deadline) {
  Line *line = host;
  arm(line, &line->link_alarm, deadline);
}
static guint64 ncp_now(gpointer host) {
  return line_now(((Ncp *)host)->line);
}
static void ncp_random(gpointer host, gpointer buffer, gsize length) {
  fill(((Ncp *)host)->line, buffer, length);
}
static void ncp_wake(gpointer host, guint slot, guint64 deadline) {
  Ncp *ncp = host;
  arm(ncp->line, &ncp->alarm, deadline);
}
static const AditEngineOps tunnel_engine = {sizeof tunnel_engine, line_now, tunnel_wake, line_random};
static const AditEngineOps link_engine = {sizeof link_engine, line_now, link_wake, line_random};
static const AditEngineOps ncp_engine = {sizeof ncp_engine, ncp_now, ncp_wake, ncp_random};

static void say(const Line *line, const char *what, const char *text) {
  const Host *host = line->host;
  world_say(host->world, "%s/%u %s%s%s", host->name, line->number, what, text && *text ? ": " : "", text ? text : "");
}

/* ---- data path: the L2TP header, and which frames are whose ---- */

static void send_frame(Line *line, const guint8 *frame, gsize length) {
  const AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .peer_tunnel = line->tunnel.peer, .peer_session = line->peer_session};
  guint8 datagram[2048];
  guint header;

  if (!line->session || length + ADIT_ENCAP_HEADER_MAX > sizeof datagram)
    return;
  header = adit_encap_write(&encap, datagram, length, FALSE, 0);
  memcpy(datagram + header, frame, length);
  host_transmit(line->host, datagram, header + length);
}

static const AditNcpDesc *const descs[NCPS] = {&ipcp_desc, &ipv6cp_desc, &bcp_desc};

static Ncp *ncp_of(Line *line, guint16 protocol) {
  for (guint i = 0; i < NCPS; i++)
    if (line->ncps[i].ncp && (adit_ncp_owns(line->ncps[i].ncp, protocol) || adit_ncp_carries(line->ncps[i].ncp, protocol)))
      return &line->ncps[i];
  return NULL;
}

void line_data(Line *line, const guint8 *frame, gsize length) {
  guint16 protocol;
  AditCursor payload;

  if (!line->link || !adit_ppp_frame_parse(frame, length, &protocol, &payload))
    return;
  Ncp *ncp = protocol < 0x4000 ? ncp_of(line, protocol) : NULL;
  if (ncp && adit_ncp_is_open(ncp->ncp) && line->network)
    line->host->last_data = line->host->world->now;
  else
    adit_ppp_link_frame(line->link, frame, length);
}

void line_send_traffic(Line *line) {
  static const guint8 packets[NCPS][6] = {{0x00, 0x21, 0x45, 0, 0, 4}, {0x00, 0x57, 0x60, 0, 0, 4}, {0x00, 0x31, 0x00, 1, 0, 2}};
  for (guint i = 0; i < NCPS; i++)
    if (line->network && line->ncps[i].ncp && adit_ncp_is_open(line->ncps[i].ncp))
      send_frame(line, packets[i], sizeof packets[i]);
}

/* ---- NCPs ---- */

static void on_ncp_send(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length) {
  Line *line = ((Ncp *)host)->line;
  adit_ppp_link_send(line->link, (guint16)(frame[0] << 8 | frame[1]), frame + 2, length - 2);
}
static void on_ncp_opened(gpointer host, AditNcp *ncp, const AditNcpResult *result) {
  say(((Ncp *)host)->line, adit_ncp_desc(ncp)->name, "open");
}
static void on_ncp_down(gpointer host, AditNcp *ncp) {
  say(((Ncp *)host)->line, adit_ncp_desc(ncp)->name, "down");
}

/** The session's rule: one without any protocol has no reason to be. */
static void on_ncp_closed(gpointer host, AditNcp *ncp, const char *why) {
  Ncp *self = host;
  Line *line = self->line;
  say(line, adit_ncp_desc(ncp)->name, why);
  for (guint i = 0; i < NCPS; i++)
    if (&line->ncps[i] != self && line->ncps[i].ncp && adit_ncp_is_open(line->ncps[i].ncp))
      return;
  adit_ppp_link_close(line->link, ADIT_CAUSE_USER_ERROR, "no network protocol could be agreed on");
}

static const AditNcpOps ncp_ops = {sizeof ncp_ops, on_ncp_send, on_ncp_opened, on_ncp_down, on_ncp_closed};

static void on_ncp_alarm(AditTimer *timer, gpointer data) {
  Alarm *alarm = data;
  adit_ncp_timeout(alarm->line->ncps[alarm->slot].ncp, 0);
  line_tidy(alarm->line);
}

static void ncps_make(Line *line) {
  static const guint8 mac[6] = {2, 0, 0, 0, 0, 1};
  for (guint i = 0; i < NCPS; i++) {
    Ncp *n = &line->ncps[i];
    n->params = (AditNcpParams){.size = sizeof n->params, .client = line->host->client};
    if (!line->host->client) {
      n->params.local4 = adit_address_ipv4(0xc0000201);
      n->params.remote4 = adit_address_ipv4(0xc0000202);
      memcpy(n->params.local_mac, mac, sizeof mac); /* the client asks for one */
    }
    n->ncp = adit_ncp_new(descs[i], &n->params, NULL, &ncp_ops, n, &n->env);
  }
}

/* ---- the link ---- */

static void forget_question(Line *line) {
  adit_wheel_cancel(line->host->world->wheel, &line->verdict.timer);
  g_clear_pointer(&line->asked, adit_auth_request_unref);
}

static void on_link_send(gpointer host, const guint8 *frame, gsize length) {
  send_frame(host, frame, length);
}

static void on_ask(gpointer host, AditAuthRequest *request) {
  Line *line = host;
  World *world = line->host->world;
  forget_question(line);
  line->asked = request;
  adit_wheel_arm(world->wheel, &line->verdict.timer, world->now + 1 + world_chance(world, 500));
}

static void on_ask_cancel(gpointer host) {
  forget_question(host);
}

static void on_verdict(AditTimer *timer, gpointer data) {
  static const AditAuthMethod *const methods[] = {&pap_method, &chap_method, &mschap1_method, &mschap2_method};
  Line *line = ((Alarm *)data)->line;
  g_autoptr(AditAuthRequest) request = g_steal_pointer(&line->asked);
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = line->host->password},
                reply = {.size = sizeof reply};
  char text[128];

  for (guint i = 0; i < G_N_ELEMENTS(methods); i++)
    if (methods[i]->kind == request->kind)
      methods[i]->verify(request, &secret, &reply, text);
  adit_ppp_link_verdict(line->link, &reply);
  line_tidy(line);
}

static void on_network_phase(gpointer host, const char *user) {
  Line *line = host;
  g_assert(!line->network);
  line->network = TRUE;
  say(line, "network phase", user);
  for (guint i = 0; i < NCPS; i++)
    adit_ncp_up(line->ncps[i].ncp);
}

static void on_network_down(gpointer host) {
  Line *line = host;
  g_assert(line->network);
  line->network = FALSE;
  say(line, "network down", NULL);
  for (guint i = 0; i < NCPS; i++)
    adit_ncp_down(line->ncps[i].ncp);
}

static gboolean on_network_frame(gpointer host, guint16 protocol, const guint8 *payload, gsize length) {
  Ncp *ncp = ncp_of(host, protocol);
  if (ncp && protocol == adit_ncp_desc(ncp->ncp)->protocol)
    adit_ncp_input(ncp->ncp, payload, length);
  return ncp != NULL;
}

static void on_protocol_rejected(gpointer host, guint16 protocol) {
  Ncp *ncp = ncp_of(host, protocol);
  if (ncp)
    adit_ncp_rejected(ncp->ncp);
}

static guint64 on_last_rx(gpointer host) {
  return ((Line *)host)->host->last_data;
}

static void on_link_closed(gpointer host, AditCause cause, const char *reason) {
  Line *line = host;
  g_assert(!line->network && !line->link_over);
  say(line, "link closed", reason);
  line->link_over = TRUE;
  line->host->ends++;
  if (line->session)
    l2tp_tunnel_call_close(&line->tunnel, &line->tunnel_env, line->session, L2TP_CDN_ADMIN, 0, reason);
  line->session = 0;
  if (line->host->client)
    l2tp_tunnel_close(&line->tunnel, &line->tunnel_env, L2TP_STOP_CLEAR, 0, reason);
}

static const AditPppLinkOps link_ops = {.size = sizeof link_ops,
                                        .send = on_link_send,
                                        .request_begin = on_ask,
                                        .request_cancel = on_ask_cancel,
                                        .network_phase = on_network_phase,
                                        .network_down = on_network_down,
                                        .network_frame = on_network_frame,
                                        .protocol_rejected = on_protocol_rejected,
                                        .last_rx_ms = on_last_rx,
                                        .closed = on_link_closed};

static void on_link_alarm(AditTimer *timer, gpointer data) {
  Line *line = ((Alarm *)data)->line;
  adit_ppp_link_timeout(line->link, 0);
  line_tidy(line);
}

/* ---- tunnel and call ---- */

static void on_tunnel_send(gpointer host, const guint8 *datagram, gsize length) {
  host_transmit(((Line *)host)->host, datagram, length);
}
static void on_tunnel_up(gpointer host) {
  say(host, "tunnel up", NULL);
}
static void on_tunnel_down(gpointer host, const L2tpReason *reason) {
  Line *line = host;
  line->down = TRUE;
  say(line, "tunnel down", reason->text);
}
static void on_finished(gpointer host) {
  ((Line *)host)->finished = TRUE;
}
static guint16 on_call_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why) {
  *why = "a client takes no calls";
  return ((Line *)host)->host->client ? L2TP_CDN_NO_FACILITIES : 0;
}

static void on_call_up(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info) {
  Line *line = host;
  g_assert(!line->link);
  say(line, "call up", NULL);
  line->session = session;
  line->peer_session = peer_session;
  line->host->links++;
  ncps_make(line);
  line->link = adit_ppp_link_new(&line->host->params, &link_ops, line, &line->link_env);
  adit_ppp_link_open(line->link);
}

static void on_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  Line *line = host;
  say(line, was_up ? "call down" : "call failed", reason->text);
  if (was_up && line->session == session && line->link && !line->link_over) {
    line->session = 0;
    line->host->ends++;
    adit_ppp_link_lost(line->link);
    line->link_over = TRUE;
  }
  if (line->host->client)
    l2tp_tunnel_close(&line->tunnel, &line->tunnel_env, L2TP_STOP_CLEAR, 0, "the call is over");
}

static guint64 on_last_data(gpointer host) {
  return ((Line *)host)->host->last_data;
}

static const L2tpTunnelOps tunnel_ops = {.size = sizeof tunnel_ops,
                                         .send = on_tunnel_send,
                                         .tunnel_up = on_tunnel_up,
                                         .tunnel_down = on_tunnel_down,
                                         .finished = on_finished,
                                         .call_request = on_call_request,
                                         .call_up = on_call_up,
                                         .call_down = on_call_down,
                                         .last_data = on_last_data};

static void on_tunnel_alarm(AditTimer *timer, gpointer data) {
  Alarm *alarm = data;
  l2tp_tunnel_timeout(&alarm->line->tunnel, &alarm->line->tunnel_env, alarm->slot);
  line_tidy(alarm->line);
}

/* ---- life ---- */

static void alarm_init(Alarm *alarm, Line *line, guint slot, AditTimerFunc func) {
  alarm->line = line;
  alarm->slot = slot;
  alarm->timer.func = func;
  alarm->timer.data = alarm;
}

Line *line_new(Host *host, guint16 id) {
  Line *line = g_new0(Line, 1);
  line->host = host;
  line->number = ++host->numbers;
  line->tunnel_env = (L2tpTunnelEnv){{&tunnel_engine, line}, &tunnel_ops, &host->config};
  line->link_env = (AditEngineEnv){&link_engine, line};
  for (guint i = 0; i < L2TP_SLOTS; i++)
    alarm_init(&line->tunnel_alarms[i], line, i, on_tunnel_alarm);
  alarm_init(&line->link_alarm, line, 0, on_link_alarm);
  alarm_init(&line->verdict, line, 0, on_verdict);
  for (guint i = 0; i < NCPS; i++) {
    line->ncps[i].line = line;
    line->ncps[i].env = (AditEngineEnv){&ncp_engine, &line->ncps[i]};
    alarm_init(&line->ncps[i].alarm, line, i, on_ncp_alarm);
  }
  l2tp_tunnel_init(&line->tunnel, id);
  g_ptr_array_add(host->lines, line);
  return line;
}

static void drop_ppp(Line *line) {
  forget_question(line);
  for (guint i = 0; i < NCPS; i++)
    g_clear_pointer(&line->ncps[i].ncp, adit_ncp_free);
  g_clear_pointer(&line->link, adit_ppp_link_free);
  line->link_over = FALSE;
}

void line_free(Line *line) {
  drop_ppp(line);
  l2tp_tunnel_clear(&line->tunnel, &line->tunnel_env);
  g_free(line);
}

gboolean line_tidy(Line *line) {
  if (line->link_over)
    drop_ppp(line);
  if (!line->finished)
    return TRUE;
  g_ptr_array_remove(line->host->lines, line);
  line_free(line);
  return FALSE;
}

void line_dial(Line *line) {
  L2tpCallInfo info = {.framing_type = 1, .tx_speed = 1000000};
  l2tp_tunnel_open(&line->tunnel, &line->tunnel_env);
  l2tp_tunnel_call_open(&line->tunnel, &line->tunnel_env, L2TP_CALL_INCOMING_LAC, &info);
}

void line_hang_up(Line *line, const char *why) {
  if (line->link && !line->link_over)
    adit_ppp_link_close(line->link, ADIT_CAUSE_ADMIN_RESET, why);
  else
    l2tp_tunnel_close(&line->tunnel, &line->tunnel_env, L2TP_STOP_CLEAR, 0, why);
}

void line_reincarnate(Line *line) {
  enum { ROOM = 1 << 17 };
  g_autofree guint8 *image = g_malloc(ROOM);
  AditBuilder out = adit_builder(image, ROOM);

  l2tp_tunnel_save(&line->tunnel, &out);
  if (line->link) {
    adit_ppp_link_save(line->link, &out);
    for (guint i = 0; i < NCPS; i++)
      adit_ncp_save(line->ncps[i].ncp, &out);
  }
  g_assert(!out.bad);

  gboolean had_link = line->link != NULL;
  drop_ppp(line);
  l2tp_tunnel_clear(&line->tunnel, &line->tunnel_env);

  AditCursor in = adit_cursor(image, adit_built(&out));
  g_assert(l2tp_tunnel_restore(&line->tunnel, &line->tunnel_env, &in));
  if (had_link) {
    line->link = adit_ppp_link_restore(&line->host->params, &link_ops, line, &line->link_env, &in);
    g_assert(line->link);
    for (guint i = 0; i < NCPS; i++) {
      Ncp *n = &line->ncps[i];
      n->ncp = adit_ncp_restore(descs[i], &n->params, NULL, &ncp_ops, n, &n->env, &in);
      g_assert(n->ncp);
    }
  }
  g_assert(!adit_left(&in));
}
