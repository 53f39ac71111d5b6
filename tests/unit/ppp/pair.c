/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pair.h"

#include "core/ppp/frame.h"

typedef struct {
  guint64 at;
  Node *to;
  gsize length;
  guint8 frame[];
} Flying;

/* ---- the network ---- */

static gint by_time(gconstpointer a, gconstpointer b, gpointer data) {
  guint64 x = ((const Flying *)a)->at, y = ((const Flying *)b)->at;
  return x <= y ? -1 : 1; /* equal ones in order of sending: `a` is there already */
}

static void fly(Pair *pair, Node *to, const guint8 *frame, gsize length) {
  if (pair->loss && (guint)g_rand_int_range(pair->rand, 0, 100) < pair->loss)
    return;
  Flying *f = g_malloc(sizeof *f + length);
  f->at = pair->now + (pair->delay_ms ? (guint64)g_rand_int_range(pair->rand, 1, (gint)pair->delay_ms + 1) : 1);
  f->to = to;
  f->length = length;
  memcpy(f->frame, frame, length);
  g_queue_insert_sorted(&pair->wire, f, by_time, NULL);
}

static void transmit(Node *from, const guint8 *frame, gsize length) {
  Pair *pair = from->pair;
  Node *to = from == &pair->a ? &pair->b : &pair->a;

  g_ptr_array_add(from->sent, g_bytes_new(frame, length));
  pair->frames++;
  if (pair->cut || (pair->drop && pair->drop(from, frame, length, pair->frames)))
    return;
  fly(pair, to, frame, length);
  if (pair->twice && (guint)g_rand_int_range(pair->rand, 0, 100) < pair->twice)
    fly(pair, to, frame, length);
}

void node_inject(Node *to, const void *frame, gsize length) {
  /* an exact copy, so that a read past the end is seen */
  g_autofree guint8 *copy = g_memdup2(frame, length);
  if (to->link)
    adit_ppp_link_frame(to->link, copy, length);
}

GByteArray *from_hex(const char *hex) {
  GByteArray *out = g_byte_array_new();
  gint high = -1;
  for (; *hex; hex++) {
    gint digit = g_ascii_xdigit_value(*hex);
    if (digit < 0)
      continue;
    guint8 octet = (guint8)(MAX(high, 0) << 4 | digit);
    if (high >= 0)
      g_byte_array_append(out, &octet, 1);
    high = high >= 0 ? -1 : digit;
  }
  return out;
}

void node_inject_text(Node *to, const char *hex) {
  g_autoptr(GByteArray) frame = from_hex(hex);
  node_inject(to, frame->data, frame->len);
}

void node_send_data(Node *from, guint16 protocol) {
  const guint8 frame[6] = {(guint8)(protocol >> 8), (guint8)protocol, 0x45, 0, 0, 0};
  transmit(from, frame, sizeof frame);
}

char *node_sent(Node *node, guint16 protocol, guint8 code, guint nth) {
  for (guint i = 0; i < node->sent->len; i++) {
    gsize length;
    const guint8 *frame = g_bytes_get_data(node->sent->pdata[i], &length);
    if (length < 3 || (frame[0] << 8 | frame[1]) != protocol || frame[2] != code || --nth)
      continue;
    GString *text = g_string_new(NULL);
    for (gsize k = 2; k < length; k++)
      g_string_append_printf(text, "%02x", frame[k]);
    return g_string_free(text, FALSE);
  }
  return NULL;
}

guint node_count(Node *node, guint16 protocol, guint8 code) {
  guint n = 0;
  for (guint i = 0; i < node->sent->len; i++) {
    gsize length;
    const guint8 *frame = g_bytes_get_data(node->sent->pdata[i], &length);
    n += length > 2 && (frame[0] << 8 | frame[1]) == protocol && frame[2] == code;
  }
  return n;
}

/* ---- the links' world ---- */

static guint64 node_now(gpointer host) {
  return ((Node *)host)->pair->now;
}

static void node_wake(gpointer host, guint slot, guint64 deadline) {
  assert_int_equal(slot, 0);
  ((Node *)host)->deadline = deadline;
}

static void node_random(gpointer host, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int(((Node *)host)->pair->rand);
}

static const AditEngineOps node_engine = {sizeof(AditEngineOps), node_now, node_wake, node_random};

static void on_send(gpointer host, const guint8 *frame, gsize length) {
  transmit(host, frame, length);
}

static const AditAuthMethod *method_of(const Node *node, AditAuthKind kind) {
  for (guint i = 0; i < node->params.n_demand; i++)
    if (node->params.demand[i]->kind == kind)
      return node->params.demand[i];
  return NULL;
}

static void on_ask(gpointer host, AditAuthRequest *request) {
  Node *node = host;
  char text[128];

  node->asks++;
  g_clear_pointer(&node->asked, adit_auth_request_unref);
  node->asked = request;
  if (node->hold)
    return;
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = node->password}, reply = {.size = sizeof reply};
  method_of(node, request->kind)->verify(request, &secret, &reply, text);
  adit_ppp_link_verdict(node->link, &reply);
}

static void on_ask_cancel(gpointer host) {
  ((Node *)host)->cancels++;
}

static void on_network_phase(gpointer host, const char *user) {
  Node *node = host;
  assert_false(node->network);
  node->network = TRUE;
  node->networks++;
  g_strlcpy(node->user, user ? user : "", sizeof node->user);
  for (guint i = 0; i < PAIR_NCPS; i++)
    if (node->ncps[i].ncp)
      adit_ncp_up(node->ncps[i].ncp);
}

static void on_network_down(gpointer host) {
  Node *node = host;
  assert_true(node->network);
  node->network = FALSE;
  node->network_downs++;
  for (guint i = 0; i < PAIR_NCPS; i++)
    if (node->ncps[i].ncp)
      adit_ncp_down(node->ncps[i].ncp);
}

static gboolean on_network_frame(gpointer host, guint16 protocol, const guint8 *payload, gsize length) {
  Node *node = host;
  for (guint i = 0; i < PAIR_NCPS; i++) {
    NodeNcp *n = &node->ncps[i];
    if (!n->ncp || (!adit_ncp_owns(n->ncp, protocol) && !adit_ncp_carries(n->ncp, protocol)))
      continue;
    if (protocol == n->desc->protocol)
      adit_ncp_input(n->ncp, payload, length);
    else if (adit_ncp_is_open(n->ncp))
      node->data++;
    return TRUE;
  }
  node->unknown++;
  return FALSE;
}

static void on_protocol_rejected(gpointer host, guint16 protocol) {
  Node *node = host;
  node->rejected = protocol;
  for (guint i = 0; i < PAIR_NCPS; i++)
    if (node->ncps[i].ncp && adit_ncp_owns(node->ncps[i].ncp, protocol))
      adit_ncp_rejected(node->ncps[i].ncp);
}

static void on_framing(gpointer host, gboolean acfc, gboolean pfc, guint16 mtu) {
  Node *node = host;
  node->acfc = acfc;
  node->pfc = pfc;
  node->mtu = mtu;
}

static guint64 on_last_rx(gpointer host) {
  return ((Node *)host)->last_rx;
}

static void on_auth_done(gpointer host, gboolean peer, gboolean ok, const char *method, const char *why) {
  Node *node = host;
  node->auth_oks += ok;
  node->auth_fails += !ok;
}

static void on_lcp_up(gpointer host) {
  ((Node *)host)->lcp_ups++;
}

static void on_told(gpointer host, const char *what, const char *text) {
  g_snprintf(((Node *)host)->told, sizeof((Node *)host)->told, "%s: %s", what, text);
}

static void on_closed(gpointer host, AditCause cause, const char *reason) {
  Node *node = host;
  assert_false(node->network);
  node->closes++;
  node->closed_ms = node->pair->now;
  node->cause = cause;
  g_strlcpy(node->reason, reason, sizeof node->reason);
}

static const AditPppLinkOps link_ops = {
    sizeof(AditPppLinkOps), on_send,    on_ask,     on_ask_cancel, on_network_phase, on_network_down, on_network_frame,
    on_protocol_rejected,   on_framing, on_last_rx, on_auth_done,  on_lcp_up,        on_told,         on_closed};

/* ---- the NCPs' world ---- */

static guint64 ncp_now(gpointer host) {
  return ((NodeNcp *)host)->node->pair->now;
}

static void ncp_wake(gpointer host, guint slot, guint64 deadline) {
  assert_int_equal(slot, 0);
  ((NodeNcp *)host)->deadline = deadline;
}

static void ncp_random(gpointer host, gpointer buffer, gsize length) {
  node_random(((NodeNcp *)host)->node, buffer, length);
}

static const AditEngineOps ncp_engine = {sizeof(AditEngineOps), ncp_now, ncp_wake, ncp_random};

static void ncp_send(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length) {
  NodeNcp *n = host;
  adit_ppp_link_send(n->node->link, (guint16)(frame[0] << 8 | frame[1]), frame + 2, length - 2);
}

static void ncp_opened(gpointer host, AditNcp *ncp, const AditNcpResult *result) {
  NodeNcp *n = host;
  n->opens++;
  n->result = *result;
}

static void ncp_down(gpointer host, AditNcp *ncp) {
  ((NodeNcp *)host)->downs++;
}

static void ncp_closed(gpointer host, AditNcp *ncp, const char *why) {
  NodeNcp *n = host;
  n->closes++;
  g_strlcpy(n->why, why, sizeof n->why);
}

static void ncp_stage_set(gpointer host, AditNcp *ncp, AditStageKind kind, gconstpointer params, gsize length) {
  NodeNcp *n = host;
  assert_true(length <= sizeof n->stage.params);
  n->stage.sets++;
  memcpy(n->stage.params, params, length);
  n->stage.params_length = length;
}

static gboolean ncp_stage_add(gpointer host, AditNcp *ncp, const AditStageSpec *spec, GError **error) {
  NodeNcp *n = host;
  if (n->stage.refuse) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "it runs no stages");
    return FALSE;
  }
  ncp_stage_set(host, ncp, spec->ops->kind, spec->params, spec->params_length);
  n->stage.sets--;
  n->stage.adds++;
  n->stage.first = spec->first;
  n->stage.last = spec->last;
  n->stage.note = spec->note;
  n->stage.user = spec->user;
  n->stage.encoding = spec->encoding;
  return TRUE;
}

static void ncp_stage_remove(gpointer host, AditNcp *ncp, AditStageKind kind) {
  ((NodeNcp *)host)->stage.removes++;
}

static void ncp_warn(gpointer host, AditNcp *ncp, const char *text) {
  ((NodeNcp *)host)->warns++;
}

static const AditNcpOps ncp_ops = {.size = sizeof(AditNcpOps),
                                   .send = ncp_send,
                                   .opened = ncp_opened,
                                   .down = ncp_down,
                                   .closed = ncp_closed,
                                   .stage_add = ncp_stage_add,
                                   .stage_set = ncp_stage_set,
                                   .stage_remove = ncp_stage_remove,
                                   .warn = ncp_warn};

/* ---- life ---- */

static void node_init(Node *node, Pair *pair) {
  node->pair = pair;
  node->password = "secret";
  node->sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  node->env = (AditEngineEnv){&node_engine, node};
}

Pair *pair_new(guint32 seed) {
  Pair *pair = g_new0(Pair, 1);
  pair->now = 1000;
  pair->rand = g_rand_new_with_seed(seed);
  g_queue_init(&pair->wire);
  node_init(&pair->a, pair);
  node_init(&pair->b, pair);
  return pair;
}

static void node_clear(Node *node) {
  for (guint i = 0; i < PAIR_NCPS; i++)
    g_clear_pointer(&node->ncps[i].ncp, adit_ncp_free);
  g_clear_pointer(&node->link, adit_ppp_link_free);
  g_clear_pointer(&node->asked, adit_auth_request_unref);
  g_ptr_array_unref(node->sent);
  assert_int_equal(node->deadline, 0); /* nothing left armed */
}

void pair_free(Pair *pair) {
  node_clear(&pair->a);
  node_clear(&pair->b);
  g_queue_clear_full(&pair->wire, g_free);
  g_rand_free(pair->rand);
  g_free(pair);
}

void node_add_ncp(Node *node, const AditNcpDesc *desc, const AditNcpParams *params) {
  NodeNcp *n = node->ncps;
  while (n->desc)
    n++;
  n->node = node;
  n->desc = desc;
  n->params = *params;
  n->params.size = sizeof n->params;
  n->env = (AditEngineEnv){&ncp_engine, n};
  n->ncp = adit_ncp_new(desc, &n->params, NULL, &ncp_ops, n, &n->env);
  n->params.mppe = NULL; /* a restored link has no keys */
}

void node_make(Node *node) {
  node->link = adit_ppp_link_new(&node->params, &link_ops, node, &node->env);
}

void pair_open(Pair *pair) {
  node_make(&pair->a);
  node_make(&pair->b);
  adit_ppp_link_open(pair->a.link);
  adit_ppp_link_open(pair->b.link);
}

static void earlier(guint64 *earliest, guint64 deadline) {
  if (deadline && (!*earliest || deadline < *earliest))
    *earliest = deadline;
}

static void fire(Node *node) {
  Pair *pair = node->pair;
  if (node->deadline && node->deadline <= pair->now) {
    node->deadline = 0;
    adit_ppp_link_timeout(node->link, 0);
  }
  for (guint i = 0; i < PAIR_NCPS; i++) {
    NodeNcp *n = &node->ncps[i];
    if (n->ncp && n->deadline && n->deadline <= pair->now) {
      n->deadline = 0;
      adit_ncp_timeout(n->ncp, 0);
    }
  }
}

void pair_run(Pair *pair, guint64 ms) {
  guint64 until = pair->now + ms;
  for (;;) {
    guint64 next = 0;
    Flying *f = g_queue_peek_head(&pair->wire);
    if (f)
      next = f->at;
    earlier(&next, pair->a.deadline);
    earlier(&next, pair->b.deadline);
    for (guint i = 0; i < PAIR_NCPS; i++) {
      earlier(&next, pair->a.ncps[i].deadline);
      earlier(&next, pair->b.ncps[i].deadline);
    }
    if (!next || next > until)
      break;
    pair->now = MAX(pair->now, next);
    if (f && f->at <= pair->now) {
      g_queue_pop_head(&pair->wire);
      if (!pair->cut)
        node_inject(f->to, f->frame, f->length);
      g_free(f);
    }
    fire(&pair->a);
    fire(&pair->b);
  }
  pair->now = until;
}

void node_reincarnate(Node *node) {
  guint8 buffer[8192];
  AditBuilder out = adit_builder(buffer, sizeof buffer);
  adit_ppp_link_save(node->link, &out);
  for (guint i = 0; i < PAIR_NCPS; i++)
    if (node->ncps[i].ncp)
      adit_ncp_save(node->ncps[i].ncp, &out);
  assert_false(out.bad);

  for (guint i = 0; i < PAIR_NCPS; i++)
    g_clear_pointer(&node->ncps[i].ncp, adit_ncp_free);
  g_clear_pointer(&node->link, adit_ppp_link_free);
  assert_int_equal(node->deadline, 0);

  AditCursor in = adit_cursor(buffer, adit_built(&out));
  node->link = adit_ppp_link_restore(&node->params, &link_ops, node, &node->env, &in);
  assert_non_null(node->link);
  for (guint i = 0; i < PAIR_NCPS; i++) {
    NodeNcp *n = &node->ncps[i];
    if (!n->desc)
      continue;
    n->ncp = adit_ncp_restore(n->desc, &n->params, NULL, &ncp_ops, n, &n->env, &in);
    assert_non_null(n->ncp);
  }
  assert_int_equal(adit_left(&in), 0);
}

/* ---- a method ---- */

enum { REQUEST = 1, ACK, NAK };

typedef struct {
  AditAuthStart start;
  guint8 verdict; /* ACK or NAK once known */
  guint tries;
  guint64 deadline;
} Simple;

static void simple_packet(const AditAuthEnv *env, guint8 code, const char *text) {
  guint8 packet[256];
  AditBuilder out = adit_builder(packet, sizeof packet);
  adit_put_u8(&out, code);
  adit_put_u8(&out, 7);
  adit_put_u16(&out, (guint16)(4 + strlen(text)));
  adit_put_bytes(&out, text, strlen(text));
  env->up->send(env->engine.host, packet, adit_built(&out));
}

static void simple_request(Simple *s, const AditAuthEnv *env) {
  g_autofree char *text = g_strdup_printf("%s:%s", s->start.name, s->start.password);
  adit_env_arm(&env->engine, &s->deadline, 0, s->start.timeout_ms);
  simple_packet(env, REQUEST, text);
}

static void simple_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
  Simple *s = state;
  s->start = *start;
  s->tries = start->tries;
  if (!start->demand)
    simple_request(s, env);
}

static void simple_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  Simple *s = state;
  AditPppPacket packet;
  if (!adit_ppp_packet_parse(payload, length, &packet))
    return;

  if (s->start.demand && packet.code == REQUEST) {
    g_autofree char *text = g_strndup((const char *)packet.data, packet.length);
    char *colon = strchr(text, ':');
    if (s->verdict) { /* RFC 1334 2.2.1: the same again */
      simple_packet(env, s->verdict, "");
      return;
    }
    if (!colon)
      return;
    AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
    *colon = 0;
    request->user = g_strdup(text);
    request->password = g_strdup(colon + 1);
    env->up->ask(env->engine.host, request);
  } else if (!s->start.demand && (packet.code == ACK || packet.code == NAK) && !s->verdict) {
    s->verdict = packet.code;
    adit_env_disarm(&env->engine, &s->deadline, 0);
    env->up->done(env->engine.host, packet.code == ACK, packet.code == ACK ? NULL : "refused by the peer");
  }
}

static void simple_timeout(gpointer state, const AditAuthEnv *env, guint slot) {
  Simple *s = state;
  if (!adit_env_due(&env->engine, &s->deadline, slot))
    return;
  if (s->tries && s->tries--)
    simple_request(s, env);
  else
    env->up->done(env->engine.host, FALSE, "no answer");
}

static void simple_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  Simple *s = state;
  if (reply->retry) /* the next request decides */
    return;
  s->verdict = reply->outcome == ADIT_AUTH_ACCEPT ? ACK : NAK;
  simple_packet(env, s->verdict, "");
  env->up->done(env->engine.host, s->verdict == ACK, s->verdict == ACK ? NULL : reply->why);
}

static void simple_verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  gboolean ok = g_strcmp0(request->password, secret->password) == 0;
  out->outcome = ok ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT;
  out->why = ok ? NULL : "wrong password";
}

static void simple_save(gconstpointer state, AditBuilder *out) {
  const Simple *s = state;
  adit_put_u8(out, s->verdict);
  adit_put_u8(out, s->deadline != 0);
}

static gboolean simple_restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in) {
  Simple *s = state;
  s->start = *start;
  s->tries = start->tries;
  s->verdict = adit_get_u8(in);
  if (adit_get_u8(in))
    adit_env_arm(&env->engine, &s->deadline, 0, start->timeout_ms);
  return !in->bad;
}

#define SIMPLE                                                                                                                             \
  .size = sizeof(AditAuthMethod), .state_size = sizeof(Simple), .n_slots = 1, .start = simple_start, .input = simple_input,                \
  .timeout = simple_timeout, .verdict = simple_verdict, .verify = simple_verify, .save = simple_save, .restore = simple_restore

const AditAuthMethod pair_method_weak = {SIMPLE, .name = "weak", .kind = ADIT_AUTH_PAP, .protocol = ADIT_PPP_PAP, .strength = 1};
const AditAuthMethod pair_method_strong = {
    SIMPLE, .name = "strong", .kind = ADIT_AUTH_CHAP_MD5, .protocol = ADIT_PPP_CHAP, .option = {0x81}, .option_length = 1, .strength = 9};
