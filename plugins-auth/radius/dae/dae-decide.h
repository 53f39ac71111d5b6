/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/dae/dae-decide.h - what is to be done about a request: no clock, no socket, no state. All [main]. */
#pragma once

#include "dae-find.h"

/** The RFC's words for it; static. */
const char *radius_dae_error_name(RadiusDaeError error);

/** Our identity, and the required attributes. */
typedef struct {
  const AditSessionService *session;
  const char *nas_identifier;
  gboolean (*is_ours)(const AditAddress *address, gpointer data); /**< NAS-IP-Address, NAS-IPv6-Address */
  gpointer data;
  gboolean require_timestamp;
  guint window_s; /**< how far Event-Timestamp may be from now_s, both ways */
  gint64 now_s;   /**< wall clock, seconds since 1970 */
} RadiusDaeRules;

typedef enum {
  RADIUS_DAE_DROP = 1, /**< no answer (RFC 5176 6.3) */
  RADIUS_DAE_NAK,
  RADIUS_DAE_ACK,  /**< it is done */
  RADIUS_DAE_WAIT, /**< Disconnect: `session` is ending; ACK when it is gone */
} RadiusDaeOutcome;

typedef struct {
  RadiusDaeOutcome outcome;
  RadiusDaeError error;  /**< NAK */
  AditSessionId session; /**< 0 = none was found */
  gboolean timed;        /**< the request has an Event-Timestamp: it can't be the same as a later one */
  char why[160];         /**< for the log */
} RadiusDaeVerdict;

/** Decides about a verified Disconnect- or CoA-Request, and acts: all or nothing. */
void radius_dae_decide(const RadiusDaeRules *rules, const RadiusPacket *request, RadiusDaeVerdict *out);
/** Writes the answer to a request that was not dropped; WAIT is written as ACK. */
void radius_dae_answer(RadiusBuilder *b, const RadiusPacket *request, const RadiusDaeVerdict *verdict, const char *secret);
