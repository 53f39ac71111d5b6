/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The prefixes of a session as its data path knows them: what it may send from, and on a shared interface what is sent to it. A
 * client's peer is the way to everybody, so nothing is checked there. */
#include "core/session/network/plane.h"
#include "core/session/life/sess.h"

gboolean adit_sess_checks_source(const AditSess *session) {
  return !session->is_client && adit_attribute_yes(session->attributes, "source-check", TRUE);
}

void adit_sess_set_plane(AditSess *session) {
  if (!session->plane)
    return;
  AditDpSessionParams params = {.size = sizeof params,
                                .ipv4 = session->family[ADIT_SESS_IPV4].open,
                                .ipv6 = session->family[ADIT_SESS_IPV6].open,
                                .check_source = adit_sess_checks_source(session)};
  if (adit_attribute_yes(session->attributes, "change-tcp-mss", TRUE)) {
    params.mss4 = (guint16)(session->mtu - 40);
    params.mss6 = (guint16)(session->mtu - 60);
  }
  session->datapath->session_set(session->plane, &params);
}

gboolean adit_sess_own_prefix(AditSess *session, const AditPrefix *prefix) {
  g_autoptr(GError) error = NULL;
  AditLogContext log = adit_sess_log(session);

  if (session->is_client || session->datapath->session_add_prefix(session->plane, prefix, &error))
    return TRUE;
  adit_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s", session->id, session->user, error->message);
  return FALSE;
}

void adit_sess_disown_prefix(AditSess *session, const AditPrefix *prefix) {
  if (!session->is_client && session->plane && ADIT_HAS(session->datapath, session_remove_prefix) &&
      session->datapath->session_remove_prefix)
    session->datapath->session_remove_prefix(session->plane, prefix);
}
