/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Frames, LCP, the authentication phase and the life of a link. The first octet chooses what the link is like. */
#include "ppp.h"

typedef struct {
  World world; /* first: it is the engine's host */
  AditPppLink *link;
  AditEngineEnv env;
  AditPppLinkParams params;
  gboolean asked, network;
} Host;

static void on_send(gpointer host, const guint8 *frame, gsize length) {
  world_sent(host, ADIT_PPP_LCP, frame, length);
}
static void on_ask(gpointer host, AditAuthRequest *request) {
  ((Host *)host)->asked = TRUE;
  adit_auth_request_unref(request);
}
static void on_cancel(gpointer host) {
  ((Host *)host)->asked = FALSE;
}
static void on_phase(gpointer host, const char *user) {
  g_assert(!((Host *)host)->network);
  ((Host *)host)->network = TRUE;
}
static void on_down(gpointer host) {
  g_assert(((Host *)host)->network);
  ((Host *)host)->network = FALSE;
}
static gboolean on_frame(gpointer host, guint16 protocol, const guint8 *payload, gsize length) {
  g_assert(((Host *)host)->network);
  return protocol == ADIT_PPP_IPV4;
}
static void on_told(gpointer host, const char *what, const char *text) {
  g_assert(g_utf8_validate(text, -1, NULL));
}
static void on_closed(gpointer host, AditCause cause, const char *reason) {
  Host *h = host;
  g_assert(!h->network && reason);
  g_clear_pointer(&h->link, adit_ppp_link_free);
}
static const AditPppLinkOps ops = {.size = sizeof ops,
                                   .send = on_send,
                                   .request_begin = on_ask,
                                   .request_cancel = on_cancel,
                                   .network_phase = on_phase,
                                   .network_down = on_down,
                                   .network_frame = on_frame,
                                   .told = on_told,
                                   .closed = on_closed};

/* A method that asks at any packet, and is told. */
static void m_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
  *(guint8 *)state = start->demand;
  env->up->send(env->engine.host, (const guint8 *)"\1\1\0\4", 4);
}
static void m_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  if (*(guint8 *)state)
    env->up->ask(env->engine.host, adit_auth_request_new(ADIT_AUTH_CHAP_MD5));
  else if (length)
    env->up->done(env->engine.host, payload[0] != 4, "said so");
}
static void m_timeout(gpointer state, const AditAuthEnv *env, guint slot) {}
static void m_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  env->up->done(env->engine.host, reply->outcome == ADIT_AUTH_ACCEPT, reply->why);
}
static void m_save(gconstpointer state, AditBuilder *out) {
  adit_put_u8(out, *(const guint8 *)state);
}
static gboolean m_restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in) {
  *(guint8 *)state = adit_get_u8(in);
  return !in->bad;
}
#define METHOD                                                                                                                             \
  .size = sizeof(AditAuthMethod), .state_size = 1, .start = m_start, .input = m_input, .timeout = m_timeout, .verdict = m_verdict,         \
  .save = m_save, .restore = m_restore
static const AditAuthMethod chap = {
    METHOD, .name = "chap", .kind = ADIT_AUTH_CHAP_MD5, .protocol = 0xc223, .option = {5}, .option_length = 1, .strength = 2};
static const AditAuthMethod pap = {METHOD, .name = "pap", .kind = ADIT_AUTH_PAP, .protocol = 0xc023, .strength = 1};
static const AditAuthMethod *const methods[] = {&chap, &pap};

static void step_on(Host *h, guint step, AditCursor data) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = adit_left(&data) ? ADIT_AUTH_REJECT : ADIT_AUTH_ACCEPT, .why = "no"};
  guint8 frame[4096];
  gsize length;

  switch (step) {
  case STEP_FRAME:
    adit_ppp_link_frame(h->link, data.at, adit_left(&data));
    break;
  case STEP_ACK:
  case STEP_NAK:
  case STEP_REJECT:
    length = world_answer(&h->world, step, data, frame);
    if (length)
      adit_ppp_link_frame(h->link, frame, length);
    break;
  case STEP_REPLAY: /* our own request, as on a looped line */
    if (h->world.request_length)
      adit_ppp_link_frame(h->link, h->world.request, h->world.request_length);
    break;
  case STEP_WAIT:
    h->world.now += 100 * adit_get_u8(&data) + 3000;
    adit_ppp_link_timeout(h->link, 0);
    break;
  case STEP_VERDICT:
    adit_ppp_link_verdict(h->link, &reply);
    break;
  case STEP_REBIRTH: {
    AditBuilder out = adit_builder(frame, sizeof frame);
    adit_ppp_link_save(h->link, &out);
    g_assert(!out.bad);
    if (adit_left(&data) >= 2) /* a damaged image */
      frame[data.at[0] % adit_built(&out)] ^= data.at[1];
    adit_ppp_link_free(h->link);
    AditCursor in = adit_cursor(frame, adit_built(&out));
    h->link = adit_ppp_link_restore(&h->params, &ops, h, &h->env, &in);
    AditPppLinkInfo info = {0};
    if (h->link)
      adit_ppp_link_info(h->link, &info);
    h->network = info.network;
    break;
  }
  case STEP_CLOSE:
    adit_ppp_link_close(h->link, ADIT_CAUSE_ADMIN_RESET, "closed");
    break;
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  AditCursor script = adit_cursor(data, size), part;
  guint8 how = adit_get_u8(&script);
  AditProxy proxy = {.size = sizeof proxy};
  Host h = {.world.now = 1000};
  guint step;

  h.env = (AditEngineEnv){&world_engine, &h};
  h.params = (AditPppLinkParams){.mru = how & 1 ? 1450 : 0, .keepalive_ms = 30000, .identification = how & 2 ? "adit" : NULL};
  if (how & 4)
    h.params.demand = methods, h.params.n_demand = 2;
  if (how & 8)
    h.params.answer = methods, h.params.n_answer = 2, h.params.user = "u", h.params.password = "p";
  if (how & 16) { /* what a LAC said comes out of the script, too */
    GBytes **const fields[] = {&proxy.last_sent, &proxy.last_received, &proxy.auth_name, &proxy.auth_challenge, &proxy.auth_response};
    proxy.auth_type = adit_get_u8(&script) % 8;
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
      guint8 length = adit_get_u8(&script);
      AditCursor field = adit_get_sub(&script, MIN(length, adit_left(&script)));
      *fields[i] = g_bytes_new(field.at, adit_left(&field));
    }
    h.params.proxy = &proxy;
    h.params.renegotiate = how & 32 ? ADIT_RENEGOTIATE_NEVER : ADIT_RENEGOTIATE_ON_MISMATCH;
  }
  h.link = adit_ppp_link_new(&h.params, &ops, &h, &h.env);
  h.params.proxy = NULL;
  g_clear_pointer(&proxy.last_sent, g_bytes_unref);
  g_clear_pointer(&proxy.last_received, g_bytes_unref);
  g_clear_pointer(&proxy.auth_name, g_bytes_unref);
  g_clear_pointer(&proxy.auth_challenge, g_bytes_unref);
  g_clear_pointer(&proxy.auth_response, g_bytes_unref);

  adit_ppp_link_open(h.link);
  for (guint i = 0; h.link && i < 200 && world_next(&script, &step, &part); i++)
    step_on(&h, step, part);
  adit_ppp_link_free(h.link);
  return 0;
}
