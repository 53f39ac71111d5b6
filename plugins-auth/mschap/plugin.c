/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mschap.h"

static gboolean register_methods(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = (const AditAaaService *)host->service(plugin, ADIT_AAA_SERVICE, 1);

  if (!aaa) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no service %s", ADIT_AAA_SERVICE);
    return FALSE;
  }
  return aaa->method_add(plugin, &mschap1_method, error) && aaa->method_add(plugin, &mschap2_method, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-method:mschap1"}, {ADIT_PROVIDES, "auth-method:mschap2"}};

ADIT_PLUGIN_DEFINE(mschap, .name = "mschap", .version = ADIT_VERSION, .summary = "authentication: MS-CHAPv1 and MS-CHAPv2 (RFC 2433, 2759)",
                   .features = features, .n_features = G_N_ELEMENTS(features), .init = register_methods);
