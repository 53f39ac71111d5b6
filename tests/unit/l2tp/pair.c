/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pair.h"
#include "datagram.h"

typedef struct {
  guint64 at;
  Node *to;
  gsize length;
  guint8 data[];
} Datagram;

static guint64 host_now(gpointer host) {
  return ((Node *)host)->pair->now;
}
static void host_wake(gpointer host, guint slot, guint64 deadline) {
  ((Node *)host)->deadline[slot] = deadline;
}
static void host_random(gpointer host, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int(((Node *)host)->pair->rand);
}
static const AditEngineOps engine_ops = {sizeof engine_ops, host_now, host_wake, host_random};

static gint by_arrival(gconstpointer a, gconstpointer b, gpointer data) {
  const Datagram *x = a, *y = b;
  return x->at < y->at ? -1 : 1;
}

static void wire_put(Pair *pair, Node *to, const guint8 *data, gsize length) {
  Datagram *d = g_malloc(sizeof *d + length);

  d->at = pair->now + 1 + (pair->delay_ms ? (guint64)g_rand_int_range(pair->rand, 0, (gint32)pair->delay_ms) : 0);
  d->to = to;
  d->length = length;
  memcpy(d->data, data, length);
  g_queue_insert_sorted(&pair->wire, d, by_arrival, NULL);
}

static void host_send(gpointer host, const guint8 *data, gsize length) {
  Node *from = host;
  Pair *pair = from->pair;
  L2tpHeader header;
  guint type = 0;

  assert_true(l2tp_header_parse(&header, data, length) && header.control);
  if (header.length)
    type = (guint)(data[header.offset + 6] << 8 | data[header.offset + 7]);
  assert_true(type <= L2TP_MESSAGE_MAX);
  guint nth = type ? ++from->sent[type] : ++from->zlbs;
  g_ptr_array_add(from->trace, g_strdup_printf("%s %u %u", type ? l2tp_message_name(type) : "ZLB", header.ns, header.nr));

  if (pair->cut || (pair->drop && pair->drop(from, type, nth)) || (guint)g_rand_int_range(pair->rand, 0, 100) < pair->loss)
    return;
  Node *to = from == &pair->a ? &pair->b : &pair->a;
  wire_put(pair, to, data, length);
  if ((guint)g_rand_int_range(pair->rand, 0, 100) < pair->twice)
    wire_put(pair, to, data, length);
}

static void host_tunnel_up(gpointer host) {
  ((Node *)host)->ups++;
}

static void host_tunnel_down(gpointer host, const L2tpReason *reason) {
  Node *node = host;
  node->downs++;
  node->reason = *reason;
}

static void host_finished(gpointer host) {
  ((Node *)host)->finished++;
}

static guint16 host_call_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why) {
  Node *node = host;
  node->requests++;
  *why = node->refuse ? "refused by the test" : NULL;
  return node->refuse;
}

static void host_call_place(gpointer host, guint16 session, const L2tpCallInfo *info) {
  Node *node = host;
  node->places++;
  node->session = session;
  if (node->answer_at_once)
    assert_true(l2tp_tunnel_call_answered(&node->tunnel, &node->env, session, info));
}

static void host_call_up(gpointer host, guint16 session, guint16 peer, L2tpCallRole role, const L2tpCallInfo *info) {
  Node *node = host;
  node->calls_up++;
  node->session = session;
  node->peer_session = peer;
  l2tp_call_info_clear(&node->info);
  l2tp_call_info_copy(&node->info, info);
}

static void host_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  Node *node = host;
  if (was_up)
    node->calls_down++;
  else
    node->calls_failed++;
  node->call_reason = *reason;
}

static void host_link_info(gpointer host, guint16 session, guint32 send_accm, guint32 receive_accm) {
  Node *node = host;
  node->infos++;
  node->accm[0] = send_accm;
  node->accm[1] = receive_accm;
}

static void host_wan_errors(gpointer host, guint16 session, const guint32 errors[6]) {
  Node *node = host;
  node->errors++;
  memcpy(node->wan, errors, sizeof node->wan);
}

static guint64 host_last_data(gpointer host) {
  return ((Node *)host)->last_data;
}

static const L2tpTunnelOps tunnel_ops = {
    .size = sizeof tunnel_ops,
    .send = host_send,
    .tunnel_up = host_tunnel_up,
    .tunnel_down = host_tunnel_down,
    .finished = host_finished,
    .call_request = host_call_request,
    .call_place = host_call_place,
    .call_up = host_call_up,
    .call_down = host_call_down,
    .link_info = host_link_info,
    .wan_errors = host_wan_errors,
    .last_data = host_last_data,
};

static void node_init(Pair *pair, Node *node, const char *name, guint16 id) {
  node->pair = pair;
  node->trace = g_ptr_array_new_with_free_func(g_free);
  l2tp_tunnel_config_init(&node->config);
  node->config.host_name = name;
  node->env = (L2tpTunnelEnv){{&engine_ops, node}, &tunnel_ops, &node->config};
  l2tp_tunnel_init(&node->tunnel, id);
}

Pair *pair_new(guint32 seed) {
  Pair *pair = g_new0(Pair, 1);

  pair->now = 1000000;
  pair->rand = g_rand_new_with_seed(seed);
  g_queue_init(&pair->wire);
  node_init(pair, &pair->a, "client", 0x1111);
  node_init(pair, &pair->b, "server", 0x2222);
  return pair;
}

static void node_fini(Node *node) {
  l2tp_tunnel_clear(&node->tunnel, &node->env);
  l2tp_call_info_clear(&node->info);
  g_ptr_array_unref(node->trace);
}

void pair_free(Pair *pair) {
  node_fini(&pair->a);
  node_fini(&pair->b);
  g_queue_clear_full(&pair->wire, g_free);
  g_rand_free(pair->rand);
  g_free(pair);
}

/** The node and slot that is due first, if that is before `limit`. */
static Node *next_timer(Pair *pair, guint64 limit, guint *slot) {
  Node *nodes[] = {&pair->a, &pair->b}, *found = NULL;

  for (guint n = 0; n < 2; n++)
    for (guint s = 0; s < L2TP_SLOTS; s++)
      if (nodes[n]->deadline[s] && nodes[n]->deadline[s] < limit) {
        limit = nodes[n]->deadline[s];
        found = nodes[n];
        *slot = s;
      }
  return found;
}

void pair_run(Pair *pair, guint64 ms) {
  guint64 end = pair->now + ms;

  for (;;) {
    Datagram *d = g_queue_peek_head(&pair->wire);
    guint slot = 0;
    Node *node = next_timer(pair, d && d->at < end ? d->at : end, &slot);
    if (node) {
      pair->now = MAX(pair->now, node->deadline[slot]);
      node->deadline[slot] = 0;
      l2tp_tunnel_timeout(&node->tunnel, &node->env, slot);
    } else if (d && d->at < end) {
      g_queue_pop_head(&pair->wire);
      pair->now = MAX(pair->now, d->at);
      input_datagram(&d->to->tunnel, &d->to->env, d->data, d->length);
      g_free(d);
    } else {
      pair->now = end;
      return;
    }
  }
}

void pair_up(Pair *pair) {
  l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
  pair_run(pair, 100);
  assert_int_equal(pair->a.tunnel.state, L2TP_TUNNEL_ESTABLISHED);
  assert_int_equal(pair->b.tunnel.state, L2TP_TUNNEL_ESTABLISHED);
  assert_int_equal(pair->a.ups, 1);
  assert_int_equal(pair->b.ups, 1);
}

void pair_inject(Node *to, const guint8 *datagram, gsize length) {
  g_autofree guint8 *copy = g_memdup2(datagram, length); /* so that a read past the end is seen */
  input_datagram(&to->tunnel, &to->env, copy, length);
}

void pair_reincarnate(Node *node) {
  static guint8 buffer[1 << 20];
  AditBuilder out = adit_builder(buffer, sizeof buffer);

  l2tp_tunnel_save(&node->tunnel, &out);
  assert_false(out.bad);
  l2tp_tunnel_clear(&node->tunnel, &node->env);
  AditCursor in = adit_cursor(buffer, adit_built(&out));
  assert_true(l2tp_tunnel_restore(&node->tunnel, &node->env, &in));
  assert_int_equal(adit_left(&in), 0);
}
