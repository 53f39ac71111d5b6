/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-bundler.h"
#include "mp-options.h"

static void on_session_update(const AditEvent *event, gpointer state) {
  mp_bundler_enforce(state, ((const AditSessionEvent *)event)->session);
}

static gboolean register_bundler(AditPlugin *plugin, const AditPppService *ppp, const AditSessionService *sessions, MpBundler *bundler,
                                 GError **error) {
  return ppp->lcp_add(plugin, &mp_lcp_desc, error) && sessions->bundler_add(plugin, &mp_bundler_ops, bundler, error) &&
         sessions->actor_add(plugin, "port-limit", error);
}

static gboolean mp_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  const AditSessionService *sessions = host->service(plugin, ADIT_SESSION_SERVICE, 1);
  const AditLoopService *loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  const AditBusService *bus = host->service(plugin, ADIT_BUS_SERVICE, 1);
  guint8 seed[MP_IDENTITY_SEED];

  if (!loop || !bus || !ppp || !ADIT_HAS(ppp, lcp_add) || !sessions || !ADIT_HAS(sessions, link_probe)) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no bundles of links");
    return FALSE;
  }
  MpBundler *bundler = mp_bundler_new(sessions, loop);
  if (!register_bundler(plugin, ppp, sessions, bundler, error)) {
    mp_bundler_free(bundler);
    return FALSE;
  }
  loop->random(seed, sizeof seed);
  mp_identity_init(seed);
  bus->subscribe(plugin, ADIT_EVENT_SESSION_UPDATE, on_session_update, bundler);
  *state = bundler;
  return TRUE;
}

static void mp_fini(gpointer state) {
  mp_bundler_free(state);
  mp_identity_fini();
}

static const AditFeature features[] = {{ADIT_PROVIDES, "bundler:mp"}};

ADIT_PLUGIN_DEFINE(mp, .name = "mp", .version = ADIT_VERSION, .summary = "Multilink PPP: MRRU and bundles of links (RFC 1990)",
                   .features = features, .n_features = G_N_ELEMENTS(features), .options = mp_options, .n_options = MP_N_OPTIONS,
                   .init = mp_init, .fini = mp_fini);
