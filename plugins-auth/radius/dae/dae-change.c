/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A CoA-Request's changes, made by the core: all or nothing (RFC 5176 2.3). */
#include "../reply/reply.h"
#include "dae-parts.h"

static RadiusDaeError error_of(const GError *error) {
  if (g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND))
    return RADIUS_DAE_NO_SESSION;
  if (g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED))
    return RADIUS_DAE_UNSUPPORTED_ATTRIBUTE;
  if (g_error_matches(error, ADIT_ERROR, ADIT_ERR_INVALID))
    return RADIUS_DAE_INVALID_VALUE;
  return RADIUS_DAE_NO_RESOURCES;
}

static RadiusDaeError change_session(const RadiusChanges *changes, const AditSessionService *session, AditSessionId id, char why[160]) {
  g_autoptr(GError) error = NULL;

  if (changes->unsupported->len) {
    g_strlcpy(why, changes->unsupported->pdata[0], 160);
    return RADIUS_DAE_UNSUPPORTED_ATTRIBUTE;
  }
  if (changes->invalid->len) {
    g_strlcpy(why, changes->invalid->pdata[0], 160);
    return RADIUS_DAE_INVALID_VALUE;
  }
  if (!adit_value_length(changes->changes)) {
    g_strlcpy(why, "nothing to change", 160);
    return RADIUS_DAE_MISSING_ATTRIBUTE;
  }
  if (session->session_update(id, changes->changes, &error))
    return RADIUS_DAE_FINE;
  g_strlcpy(why, error->message, 160);
  return error_of(error);
}

RadiusDaeError radius_dae_change(const RadiusPacket *request, const AditSessionService *session, AditSessionId id, char why[160]) {
  RadiusChanges changes;

  radius_reply_changes(request, &changes);
  RadiusDaeError error = change_session(&changes, session, id, why);
  radius_changes_clear(&changes);
  return error;
}
