/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/admission.h"
#include "core/aaa/aaa.h"
#include "core/bus/bus.h"
#include "core/session/config/profile.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-event.h"
#include "core/session/life/sessions.h"
#include <adit/session-options.h>

static gboolean is_only_one(const AditSess *session) {
  if (session->is_client || !adit_attribute_yes(adit_option_only_one(session->attributes), FALSE))
    return FALSE;
  return g_strcmp0(adit_option_only_one_scope(session->attributes), "all") == 0 || adit_aaa_is_local(session->source);
}

/* Its addresses are free at once: their removal from the old interface precedes their addition to the new one. */
static void replace_session(AditSess *old, gpointer data) {
  const AditSess *session = data;

  if (old->is_client || adit_sess_is_over(old) || strcmp(old->user, session->user) != 0)
    return;
  adit_sess_end(old, ADIT_CAUSE_NAS_REQUEST, "only-one: replaced by a newer session of the user");
  adit_sess_release(old);
}

char *adit_sess_admit(AditSess *session) {
  AditSessionEvent event;
  g_autoptr(GError) error = NULL;
  gboolean another = is_only_one(session) && adit_sessions_has_user(session->user);

  if (another && g_strcmp0(adit_option_only_one_policy(session->attributes), "replace") != 0)
    return g_strdup("only-one: the user has a session already");
  adit_session_event_fill(session, &event);
  const char *veto = adit_hook_veto(ADIT_VETO_SESSION, &event.event);
  if (veto)
    return g_strdup(veto);
  if (another)
    adit_sess_foreach(replace_session, session);
  if (!adit_sess_reserve(session, &error))
    return g_strdup(error->message);
  return NULL;
}
