/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "lone-ncp.h"

Pair *ncp_lone(const AditNcpDesc *desc, const AditNcpParams *params) {
  Pair *pair = pair_new(1);
  pair_open(pair);
  pair_run(pair, 100);
  node_add_ncp(&pair->a, desc, params);
  pair->cut = TRUE;
  adit_ncp_up(pair->a.ncps[0].ncp);
  return pair;
}

char *ncp_sent(Pair *pair, guint8 code, guint nth) {
  return node_sent(&pair->a, pair->a.ncps[0].desc->protocol, code, nth);
}

void ncp_expect_sent(Pair *pair, guint8 code, guint nth, const char *hex) {
  g_autofree char *packet = ncp_sent(pair, code, nth);
  assert_non_null(packet);
  assert_string_equal(packet, hex);
}

void ncp_answer(Pair *pair, guint nth, guint8 code, const char *options) {
  g_autofree char *request = ncp_sent(pair, 1, nth);
  assert_non_null(request);
  if (!options)
    options = request + 8;
  g_autofree char *frame =
      g_strdup_printf("%04x %02x %.2s %04x %s", pair->a.ncps[0].desc->protocol, code, request + 2, (guint)strlen(options) / 2 + 4, options);
  node_inject_text(&pair->a, frame);
}
