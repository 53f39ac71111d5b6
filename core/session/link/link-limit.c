/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The limit on the sessions and links of a server: max-sessions. */
#include "core/base/misuse.h"
#include "core/session/link/link.h"
#include "core/session/tally.h"
#include <adit/session-options.h>

static const AditSessLinkOps *above;
static AditTally *calls; /* "transport server": links without a session */

void adit_link_limit_init(const AditSessLinkOps *ops) {
  above = ops;
  calls = adit_tally_new(g_str_hash, g_str_equal, 0);
}

void adit_link_limit_fini(void) {
  g_clear_pointer(&calls, adit_tally_free);
}

static char *server_key(const char *transport, const AditValue *config) {
  return g_strdup_printf("%s %s", transport, adit_option_name(config));
}

gboolean adit_link_has_room(const char *transport, const AditValue *config) {
  ADIT_MAIN_ONLY("adit.session has_room", FALSE);
  gint64 max = adit_option_max_sessions(config);
  g_autofree char *key = server_key(transport, config);

  if (!max)
    return TRUE;
  guint bundles = 0, sessions = above->sessions(transport, adit_option_name(config), &bundles);
  return sessions + adit_tally_count(calls, key) < max + (bundles ? ADIT_STAGE_LINKS : 0);
}

gboolean adit_link_may_found(const AditSessLink *link) {
  gint64 max = adit_option_max_sessions(link->spec.config);
  guint bundles;

  return !max || above->sessions(link->spec.transport, adit_option_name(link->spec.config), &bundles) < max;
}

void adit_link_waits(AditSessLink *link) {
  g_autofree char *key = server_key(link->spec.transport, link->spec.config);
  adit_tally_add(calls, key);
}

void adit_link_placed(AditSessLink *link) {
  g_autofree char *key = server_key(link->spec.transport, link->spec.config);

  if (!link->placed)
    adit_tally_remove(calls, key);
  link->placed = TRUE;
}
