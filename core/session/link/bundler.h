/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/link/bundler.h - the plugin that bundles links, and its decision about a link. [main] */
#pragma once

#include <adit/session.h>

typedef struct AditSessLink AditSessLink;

/** The decision; the caller owns all members and clears them. */
typedef struct {
  AditBundleVerdict verdict;
  AditSessionId session; /**< JOIN */
  char *multi_id;        /**< FOUND */
  char *reason;          /**< REFUSE */
} AditBundleChoice;

void adit_bundler_fini(void);
/** AditSessionService.bundler_add(). */
gboolean adit_bundler_add(AditPlugin *plugin, const AditBundlerOps *ops, gpointer state, GError **error);
void adit_bundler_drop_plugin(const AditPlugin *plugin);

/** Asks about a link that is authenticated; NONE without a bundler. */
void adit_bundler_decide(const AditSessLink *link, AditBundleChoice *out);
void adit_bundler_clear(AditBundleChoice *choice);
gboolean adit_bundler_opened(AditSessionId session, GError **error);
void adit_bundler_joined(AditSessionId session, AditLinkId link);
void adit_bundler_attached(AditSessionId session, AditLinkId link, guint index);
void adit_bundler_changed(AditSessionId session, AditLinkId link, gboolean up);
/** TRUE: `frame` is what was inside. */
gboolean adit_bundler_unwrap(AditSessionId session, AditLinkId link, AditStageFrame *frame);
void adit_bundler_left(AditSessionId session, AditLinkId link, guint left);
