/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pap.h"

static gboolean register_method(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = (const AditAaaService *)host->service(plugin, ADIT_AAA_SERVICE, 1);

  if (!aaa) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no service %s", ADIT_AAA_SERVICE);
    return FALSE;
  }
  return aaa->method_add(plugin, &pap_method, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-method:pap"}};

ADIT_PLUGIN_DEFINE(pap, .name = "pap", .version = ADIT_VERSION, .summary = "authentication: PAP (RFC 1334)", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = register_method);
