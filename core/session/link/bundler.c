/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/link/bundler.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"
#include "core/base/owner.h"
#include "core/session/link/link.h"

static struct {
  const AditPlugin *plugin;
  const AditBundlerOps *ops; /* NULL = there is none */
  gpointer state;
} bundler;

void adit_bundler_fini(void) {
  bundler.ops = NULL;
}

gboolean adit_bundler_add(AditPlugin *plugin, const AditBundlerOps *ops, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.session bundler_add", FALSE);
  if (!ADIT_HAS(ops, attached) || !ops->name || !ops->decide)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "a bundler must have a name and decide()");
  if (!adit_registration_allowed(plugin, "bundler_add", NULL, ops->name, error))
    return FALSE;
  if (bundler.ops)
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "there is a bundler already: %s, of plugin %s", bundler.ops->name,
                                    adit_plugin_name(bundler.plugin));
  bundler.plugin = plugin;
  bundler.ops = ops;
  bundler.state = state;
  return TRUE;
}

void adit_bundler_drop_plugin(const AditPlugin *plugin) {
  if (bundler.ops && bundler.plugin == plugin)
    bundler.ops = NULL;
}

void adit_bundler_decide(const AditSessLink *link, AditBundleChoice *out) {
  AditBundleDecision decision = {.size = sizeof decision};
  AditLinkInfo info;

  *out = (AditBundleChoice){.verdict = ADIT_BUNDLE_NONE};
  if (!bundler.ops)
    return;
  adit_link_fill_info(link, &info);
  ADIT_HOLD(bundler.plugin, bundler.ops->decide, "decide()", out->verdict = bundler.ops->decide(bundler.state, &info, &decision));
  switch (out->verdict) {
  case ADIT_BUNDLE_NONE:
    break;
  case ADIT_BUNDLE_FOUND:
    out->multi_id = g_strdup(decision.multi_id ? decision.multi_id : link->record_id);
    break;
  case ADIT_BUNDLE_JOIN:
    out->session = decision.session;
    break;
  case ADIT_BUNDLE_REFUSE:
    out->reason = g_strdup_printf("%s: %s", bundler.ops->name, decision.reason ? decision.reason : "refused");
    break;
  }
}

void adit_bundler_clear(AditBundleChoice *choice) {
  g_clear_pointer(&choice->multi_id, g_free);
  g_clear_pointer(&choice->reason, g_free);
}

gboolean adit_bundler_opened(AditSessionId session, GError **error) {
  return !bundler.ops || !bundler.ops->opened ||
         ADIT_HOLD_VALUE(bundler.plugin, bundler.ops->opened, "opened()", bundler.ops->opened(bundler.state, session, error));
}

void adit_bundler_joined(AditSessionId session, AditLinkId link) {
  if (bundler.ops && bundler.ops->joined)
    ADIT_HOLD(bundler.plugin, bundler.ops->joined, "joined()", bundler.ops->joined(bundler.state, session, link));
}

void adit_bundler_attached(AditSessionId session, AditLinkId link, guint index) {
  if (bundler.ops && bundler.ops->attached)
    ADIT_HOLD(bundler.plugin, bundler.ops->attached, "attached()", bundler.ops->attached(bundler.state, session, link, index));
}

void adit_bundler_changed(AditSessionId session, AditLinkId link, gboolean up) {
  if (bundler.ops && ADIT_HAS(bundler.ops, changed) && bundler.ops->changed)
    ADIT_HOLD(bundler.plugin, bundler.ops->changed, "changed()", bundler.ops->changed(bundler.state, session, link, up));
}

gboolean adit_bundler_unwrap(AditSessionId session, AditLinkId link, AditStageFrame *frame) {
  return bundler.ops && ADIT_HAS(bundler.ops, unwrap) && bundler.ops->unwrap && bundler.ops->unwrap(bundler.state, session, link, frame);
}

void adit_bundler_left(AditSessionId session, AditLinkId link, guint left) {
  if (bundler.ops && bundler.ops->left)
    ADIT_HOLD(bundler.plugin, bundler.ops->left, "left()", bundler.ops->left(bundler.state, session, link, left));
}
