/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "chap.h"

static gboolean register_method(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = (const AditAaaService *)host->service(plugin, ADIT_AAA_SERVICE, 1);

  if (!aaa) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no service %s", ADIT_AAA_SERVICE);
    return FALSE;
  }
  return aaa->method_add(plugin, &chap_method, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-method:chap"}};

ADIT_PLUGIN_DEFINE(chap, .name = "chap", .version = ADIT_VERSION, .summary = "authentication: CHAP with MD5 (RFC 1994)",
                   .features = features, .n_features = G_N_ELEMENTS(features), .init = register_method);
