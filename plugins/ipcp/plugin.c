/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ipcp.h"

static gboolean ipcp_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  if (!ppp) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no PPP");
    return FALSE;
  }
  return ppp->ncp_add(plugin, &ipcp_desc, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:ipcp"}};

ADIT_PLUGIN_DEFINE(ipcp, .name = "ipcp", .version = ADIT_VERSION, .summary = "IPv4 over PPP (RFC 1332)", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = ipcp_init);
