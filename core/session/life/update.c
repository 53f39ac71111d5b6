/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Change of a session that is up: dynamic authorization (RFC 5176 3.2), all of it or nothing. */
#include "core/session/life/update.h"
#include "core/base/loop.h"
#include "core/config/accept.h"
#include "core/session/config/actors.h"
#include "core/session/config/attributes.h"
#include "core/session/life/accounting.h"
#include "core/session/life/limits.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-attributes.h"
#include "core/session/life/session-event.h"
#include "core/session/lines.h"
#include "core/session/network/plane.h"
#include <adit/session-options.h>

static gboolean may_change(const char *name, const AditValue *value, GError **error) {
  const AditOption *option = adit_attribute_option(name);

  if (strcmp(name, "profile") == 0) {
    if (value->type == ADIT_VALUE_STRING && adit_profiles_have(adit_session_attributes_profiles(), value->as.string))
      return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "profile: there is no profile %s",
                value->type == ADIT_VALUE_STRING ? value->as.string : "so");
    return FALSE;
  }
  if (!option || !(option->flags & ADIT_OPTION_COA)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "%s: %s", name,
                option ? "can't change while the session is up" : "unknown attribute");
    return FALSE;
  }
  if (!adit_actor_exists(name)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "%s: no loaded plugin acts on it", name);
    return FALSE;
  }
  if (adit_option_accepts(option, value, error))
    return TRUE;
  g_prefix_error(error, "%s: ", name);
  return FALSE;
}

static gboolean all_may_change(const AditValue *changes, GError **error) {
  for (guint i = 0; i < adit_value_length(changes); i++) {
    const char *name = adit_value_key(changes, i);
    if (!may_change(name, adit_value_get(changes, name), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean is_live(const char *name) {
  const AditOption *option = adit_attribute_option(name);
  return option && (option->flags & ADIT_OPTION_COA);
}

/* Adds to `to` what `from` says; of words that may change, or of the others, or (all) of both. */
typedef enum { TAKE_ALL, TAKE_LIVE, TAKE_FIXED } Take;

static void take_words(AditValue *to, const AditValue *from, Take which) {
  for (guint i = 0; i < adit_value_length(from); i++) {
    const char *name = adit_value_key(from, i);
    if (which == TAKE_ALL || (which == TAKE_LIVE) == is_live(name))
      adit_value_set(to, name, adit_value_ref(adit_value_get(from, name)));
  }
}

/* The attributes with another profile under them. */
static AditValue *with_profile(const AditSess *session, const AditValue *record) {
  g_autoptr(AditValue) merged =
      adit_profiles_merge(adit_session_attributes_profiles(), record, adit_session_attributes_default_profile(session));
  AditValue *now = adit_value_map();

  take_words(now, session->attributes, TAKE_FIXED);
  take_words(now, merged, TAKE_LIVE);
  return now;
}

static void unref_later(gpointer value) {
  adit_value_unref(value);
}

/* Borrowers of the old one may use it until the next pass of the loop. */
static void replace_value(AditValue **value, AditValue *now) {
  adit_call_main(unref_later, *value);
  *value = now;
}

gboolean adit_sess_update(AditSess *session, const AditValue *changes, GError **error) {
  AditLogContext log = adit_sess_log(session);

  if (!all_may_change(changes, error))
    return FALSE;
  AditValue *record = adit_value_map(), *now;
  take_words(record, session->record, TAKE_ALL);
  take_words(record, changes, TAKE_ALL);
  if (adit_option_secret_profile(changes)) {
    now = with_profile(session, record);
  } else {
    now = adit_value_map();
    take_words(now, session->attributes, TAKE_ALL);
    take_words(now, changes, TAKE_ALL);
  }
  replace_value(&session->record, record);
  replace_value(&session->attributes, now);
  for (guint i = 0; i < adit_value_length(changes); i++)
    adit_lines_info(&log, "changed: %s", adit_value_key(changes, i));
  if (session->state != ADIT_LIFE_UP)
    return TRUE; /* limits begin when it comes up */
  adit_sess_set_plane(session);
  adit_sess_limits_start(session);
  adit_sess_interim_changed(session);
  adit_session_event_publish(session, ADIT_EVENT_SESSION_UPDATE);
  return TRUE;
}
