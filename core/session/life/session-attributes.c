/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/session-attributes.h"
#include "core/session/config/actors.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include <adit/session-options.h>

static AditProfiles *profiles;

void adit_session_attributes_set_profiles(AditProfiles *now) {
  g_clear_pointer(&profiles, adit_profiles_free);
  profiles = now;
}

const AditProfiles *adit_session_attributes_profiles(void) {
  return profiles;
}

const char *adit_session_attributes_default_profile(const AditSess *session) {
  return session->is_client ? NULL : adit_option_default_profile(session->config);
}

static void warn_of_record(const AditSess *session) {
  const char *profile = adit_option_secret_profile(session->record);
  AditLogContext log = adit_sess_log(session);

  if (profile && !adit_profiles_have(profiles, profile))
    adit_lines_warning(&log, "source %s returned the profile %s, which does not exist", session->source, profile);
  g_autofree char *missing = adit_actors_missing(session->record);
  if (missing)
    adit_lines_warning(&log, "source %s returned attributes without effect: %s: no loaded plugin acts on them", session->source, missing);
}

void adit_session_attributes_merge(AditSess *session, const AditSessLink *link) {
  if (session->is_client) {
    session->record = adit_value_map();
    adit_value_set(session->record, adit_option_secret_profile_key, adit_value_ref(adit_option_client_profile_value(session->config)));
  } else {
    session->record = adit_value_ref(link->record);
    warn_of_record(session);
  }
  session->attributes = adit_profiles_merge(profiles, session->record, adit_session_attributes_default_profile(session));
  session->first = adit_value_ref(session->attributes);
}
