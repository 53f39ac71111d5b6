/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ipv6cp.h"

static gboolean ipv6cp_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  if (!ppp) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no PPP");
    return FALSE;
  }
  return ppp->ncp_add(plugin, &ipv6cp_desc, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:ipv6cp"}};

ADIT_PLUGIN_DEFINE(ipv6cp, .name = "ipv6cp", .version = ADIT_VERSION, .summary = "IPv6 over PPP (RFC 5072)", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = ipv6cp_init);
