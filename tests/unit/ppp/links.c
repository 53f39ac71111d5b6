/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "links.h"

const AditAuthMethod *const link_methods_both[] = {&pair_method_weak, &pair_method_strong};
const AditAuthMethod *const link_methods_weak[] = {&pair_method_weak};
const AditAuthMethod *const link_methods_strong[] = {&pair_method_strong};

/* ---- an NCP of no options ---- */

guint simple_resets;

static void nothing_request(gpointer self, AditBuilder *out) {}
static void nothing(gpointer self) {}
static AditOptionVerdict nothing_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static void nothing_end(gpointer self, AditBuilder *nak) {}
static void nothing_naked(gpointer self, const AditPppOption *option) {}
static gboolean nothing_rejected(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void nothing_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {}
static void count_reset(gpointer self) {
  simple_resets++;
}
static gboolean own_code(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length) {
  return code == 14;
}
static void nothing_save(gconstpointer self, AditBuilder *out) {
  adit_put_u8(out, 1);
}
static gboolean nothing_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  return adit_get_u8(in) == 1;
}
static const AditPppOptionOps nothing_ops = {sizeof nothing_ops, nothing_request, nothing,       nothing_option,
                                             nothing_end,        nothing,         nothing_naked, nothing_rejected};

const AditNcpDesc simple_ncp = {
    .size = sizeof simple_ncp,
    .name = "simple",
    .protocol = 0x8033,
    .data_protocol = 0x0033,
    .kind = ADIT_NCP_NETWORK,
    .state_size = 1,
    .options = &nothing_ops,
    .init = nothing_init,
    .reset = count_reset,
    .code = own_code,
    .save = nothing_save,
    .restore = nothing_restore,
};

/* ---- links ---- */

void link_server_and_client(Pair *pair) {
  const AditNcpParams params = {0};
  pair->b.params.demand = link_methods_both;
  pair->b.params.n_demand = 2;
  pair->b.params.name = "server";
  pair->a.params.answer = link_methods_both;
  pair->a.params.n_answer = 2;
  pair->a.params.user = "alice";
  pair->a.params.password = "secret";
  node_add_ncp(&pair->a, &simple_ncp, &params);
  node_add_ncp(&pair->b, &simple_ncp, &params);
}

Pair *link_opened(void) {
  Pair *pair = pair_new(1);
  link_server_and_client(pair);
  pair_open(pair);
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_int_equal(pair->b.ncps[0].opens, 1);
  return pair;
}

char *link_request_options(Node *node, guint nth) {
  g_autofree char *packet = node_sent(node, ADIT_PPP_LCP, 1, nth);
  assert_non_null(packet);
  return g_strdup(packet + 8);
}

Pair *link_lone(void) {
  Pair *pair = pair_new(7);
  pair->cut = TRUE;
  return pair;
}

void link_lone_open(Pair *pair) {
  node_make(&pair->a);
  adit_ppp_link_open(pair->a.link);
}

void link_lone_agree(Pair *pair, guint nth) {
  g_autofree char *packet = node_sent(&pair->a, ADIT_PPP_LCP, 1, nth);
  packet[1] = '2';
  g_autofree char *frame = g_strconcat("c021", packet, NULL);
  node_inject_text(&pair->a, frame);
  node_inject_text(&pair->a, "c021 01 05 0004");
}

AditPppLinkInfo link_info_of(Node *node) {
  AditPppLinkInfo info;
  adit_ppp_link_info(node->link, &info);
  return info;
}
