/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/plane.h"
#include "core/base/hold.h"
#include "core/session/config/profile.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include <adit/session-options.h>

gboolean adit_sess_plane_open(AditSess *session, GError **error) {
  AditPort *ether = session->ether.port.open;

  session->plane = ADIT_HOLD_VALUE(NULL, session->datapath->session_open, "session_open()",
                                   session->datapath->session_open(session->dp, session->id, session->port.open, error));
  return session->plane &&
         (!ether || ADIT_HOLD_VALUE(NULL, session->datapath->session_attach_ether, "session_attach_ether()",
                                    session->datapath->session_attach_ether(session->plane, ether, session->ether.desc->ether, error)));
}

gboolean adit_sess_plane_join(AditSess *session, const AditSessLink *link, guint *index, GError **error) {
  return ADIT_HOLD_VALUE(NULL, session->datapath->session_join, "session_join()",
                         session->datapath->session_join(session->plane, link->dp_link, index, error));
}

void adit_sess_plane_leave(AditSess *session, const AditSessLink *link) {
  if (session->plane)
    ADIT_HOLD(NULL, session->datapath->session_leave, "session_leave()", session->datapath->session_leave(session->plane, link->dp_link));
}

void adit_sess_plane_close(AditSess *session) {
  AditDpStats final = {0};

  if (!session->plane)
    return;
  ADIT_HOLD(NULL, session->datapath->session_close, "session_close()",
            session->datapath->session_close(g_steal_pointer(&session->plane), &final));
  session->final = final.counters;
}

AditCounters adit_sess_counters(AditSess *session) {
  AditDpStats stats = {0};
  if (!session->plane)
    return session->final;
  ADIT_HOLD(NULL, session->datapath->session_stats, "session_stats()", session->datapath->session_stats(session->plane, &stats));
  return stats.counters;
}

/* A client's peer forwards for all sources, so nothing is checked there. */
static gboolean checks_source(const AditSess *session) {
  return !session->is_client && adit_attribute_yes(adit_option_source_check(session->attributes), TRUE);
}

void adit_sess_set_plane(AditSess *session) {
  if (!session->plane)
    return;
  guint16 protocols[3];
  AditDpSessionParams params = {.size = sizeof params,
                                .protocols = protocols,
                                .check_source = checks_source(session),
                                .required = session->stages.required | session->stages.required_by_ncps};
  if (session->family[ADIT_SESS_IPV4].open && !session->ncps.hold_data)
    protocols[params.n_protocols++] = ADIT_PPP_IPV4;
  if (session->family[ADIT_SESS_IPV6].open && !session->ncps.hold_data)
    protocols[params.n_protocols++] = ADIT_PPP_IPV6;
  if (session->ether.open && !session->ncps.hold_data)
    protocols[params.n_protocols++] = session->ether.desc->data_protocol;
  if (adit_attribute_yes(adit_option_change_tcp_mss(session->attributes), TRUE)) {
    params.mss4 = (guint16)(session->mtu - 40);
    params.mss6 = (guint16)(session->mtu - 60);
  }
  ADIT_HOLD(NULL, session->datapath->session_set, "session_set()", session->datapath->session_set(session->plane, &params));
}

gboolean adit_sess_own_prefix(AditSess *session, const AditPrefix *prefix) {
  g_autoptr(GError) error = NULL;
  AditLogContext log = adit_sess_log(session);

  if (session->is_client || ADIT_HOLD_VALUE(NULL, session->datapath->session_add_prefix, "session_add_prefix()",
                                            session->datapath->session_add_prefix(session->plane, prefix, &error)))
    return TRUE;
  adit_lines_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s", session->id, session->user, error->message);
  return FALSE;
}

void adit_sess_disown_prefix(AditSess *session, const AditPrefix *prefix) {
  if (!session->is_client && session->plane && ADIT_HAS(session->datapath, session_remove_prefix) &&
      session->datapath->session_remove_prefix)
    ADIT_HOLD(NULL, session->datapath->session_remove_prefix, "session_remove_prefix()",
              session->datapath->session_remove_prefix(session->plane, prefix));
}
