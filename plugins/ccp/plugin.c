/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ccp.h"
#include "options.h"
#include <adit/session.h>

static gboolean act_on_attributes(AditPlugin *plugin, const AditSessionService *session, GError **error) {
  static const char *const attributes[] = {adit_option_use_encryption_key, adit_option_mppe_policy_key, adit_option_mppe_types_key,
                                           "mppe-keys" /* of RADIUS: they came */};

  for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
    if (!session->actor_add(plugin, attributes[i], error))
      return FALSE;
  return TRUE;
}

static gboolean ccp_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  const AditSessionService *session = host->service(plugin, ADIT_SESSION_SERVICE, 1);
  if (!ppp || !ADIT_HAS(session, actor_add)) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no PPP with stages");
    return FALSE;
  }
  return ppp->ncp_add(plugin, &ccp_desc, error) && act_on_attributes(plugin, session, error);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:ccp"}};

ADIT_PLUGIN_DEFINE(ccp, .name = "ccp", .version = ADIT_VERSION, .summary = "Encryption of PPP by MPPE (RFC 1962, 3078, 3079)",
                   .features = features, .n_features = G_N_ELEMENTS(features), .options = ccp_options, .n_options = CCP_N_OPTIONS,
                   .init = ccp_init);
