/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bcp.h"
#include "options.h"

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};

static gboolean bcp_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  if (!ppp) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no PPP");
    return FALSE;
  }
  return ppp->ncp_add(plugin, &bcp_desc, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:bcp"}};

ADIT_PLUGIN_DEFINE(bcp, .name = "bcp", .version = ADIT_VERSION, .summary = "Ethernet over PPP (RFC 3518)", .options = options,
                   .n_options = G_N_ELEMENTS(options), .features = features, .n_features = G_N_ELEMENTS(features), .init = bcp_init);
