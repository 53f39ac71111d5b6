/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The decision about a request, by RFC 5176 alone: no clock, no socket. */
#include "dae-decide.h"
#include "../reply/reply.h"
#include "../wire/dictionary.h"
#include "../wire/vocabulary.h"

/* A request taken apart. */
typedef struct {
  const RadiusDaeRules *rules;
  gboolean coa;
  guint64 once; /* 1 << (type % 64) of attributes that may occur once: theirs differ in that */
  RadiusDaeKeys keys;
} Sorted;

static gboolean is_our_address(const RadiusDaeRules *rules, const RadiusAttribute *attribute) {
  AditAddress address = {.family = attribute->type == NAS_IP_ADDRESS ? AF_INET : AF_INET6};

  if (attribute->length != adit_address_size(&address))
    return FALSE;
  memcpy(address.octet, attribute->value, attribute->length);
  return rules->is_ours(&address, rules->data);
}

/* RFC 5176 3: the NAS that is meant must be this one. */
static RadiusDaeError sort_nas(const RadiusDaeRules *rules, const RadiusAttribute *attribute) {
  gboolean ours = attribute->type == NAS_IDENTIFIER ? rules->nas_identifier && strlen(rules->nas_identifier) == attribute->length &&
                                                          memcmp(rules->nas_identifier, attribute->value, attribute->length) == 0
                                                    : is_our_address(rules, attribute);
  return ours ? RADIUS_DAE_FINE : RADIUS_DAE_OTHER_NAS;
}

/* RFC 5176 3.2: a session here is framed and stays so; to authorize it again ("Authorize Only") is not supported. */
static RadiusDaeError sort_service(const Sorted *sorted, const RadiusAttribute *attribute) {
  guint32 service;

  if (!sorted->coa)
    return RADIUS_DAE_UNSUPPORTED_ATTRIBUTE; /* 405 is for CoA alone: RFC 5176 3.5 */
  if (!radius_attribute_int(attribute, &service))
    return RADIUS_DAE_INVALID_REQUEST;
  return service == SERVICE_FRAMED ? RADIUS_DAE_FINE : RADIUS_DAE_UNSUPPORTED_SERVICE;
}

/* RFC 5176 3.6 allows it in a Disconnect-Request; the cause that accounting will show is this one, and no other. */
static RadiusDaeError sort_terminate_cause(const Sorted *sorted, const RadiusAttribute *attribute) {
  guint32 cause;

  if (sorted->coa)
    return RADIUS_DAE_UNSUPPORTED_ATTRIBUTE;
  if (!radius_attribute_int(attribute, &cause))
    return RADIUS_DAE_INVALID_REQUEST;
  return cause == ADIT_CAUSE_ADMIN_RESET ? RADIUS_DAE_FINE : RADIUS_DAE_INVALID_VALUE;
}

/* Attributes that are not about a session's authorization. FALSE: it is another one. */
static gboolean sort_standard(Sorted *sorted, const RadiusAttribute *attribute, RadiusDaeError *error) {
  if (attribute->vendor)
    return FALSE;
  switch (attribute->type) {
  case PROXY_STATE:
    return TRUE;
  case NAS_IP_ADDRESS:
  case NAS_IDENTIFIER:
  case NAS_IPV6_ADDRESS:
    *error = sort_nas(sorted->rules, attribute);
    break;
  case SERVICE_TYPE:
    *error = sort_service(sorted, attribute);
    break;
  case STATE:
    *error = sorted->coa ? RADIUS_DAE_FINE : RADIUS_DAE_UNSUPPORTED_ATTRIBUTE;
    break;
  case ACCT_TERMINATE_CAUSE:
    *error = sort_terminate_cause(sorted, attribute);
    break;
  case EVENT_TIMESTAMP:
    *error = attribute->length == 4 ? RADIUS_DAE_FINE : RADIUS_DAE_INVALID_REQUEST;
    break;
  case MESSAGE_AUTHENTICATOR: /* verified already */
    break;
  default:
    return FALSE;
  }
  guint64 bit = (guint64)1 << attribute->type % 64;
  if (!*error && sorted->once & bit)
    *error = RADIUS_DAE_INVALID_REQUEST;
  sorted->once |= bit;
  return TRUE;
}

static RadiusDaeError sort_attribute(Sorted *sorted, const RadiusAttribute *attribute) {
  RadiusDaeError error = RADIUS_DAE_FINE;
  gboolean key;

  if (sort_standard(sorted, attribute, &error))
    return error;
  error = radius_dae_key(&sorted->keys, attribute, &key);
  if (key)
    return error;
  return sorted->coa ? RADIUS_DAE_FINE : RADIUS_DAE_UNSUPPORTED_ATTRIBUTE; /* RFC 5176 3: identification, and nothing else */
}

static RadiusDaeError sort_attributes(Sorted *sorted, const RadiusPacket *request, char why[160]) {
  RadiusIter iter = {0};
  RadiusAttribute attribute;

  while (radius_packet_next(request, &iter, &attribute)) {
    RadiusDaeError error = sort_attribute(sorted, &attribute);
    if (!error)
      continue;
    radius_name(attribute.vendor, attribute.type, why);
    return error;
  }
  return RADIUS_DAE_FINE;
}

/* RFC 5176 6.3. A timestamp that is no timestamp is refused later, in words. */
static gboolean is_timely(const RadiusDaeRules *rules, const RadiusPacket *request, RadiusDaeVerdict *out) {
  RadiusAttribute attribute;
  guint32 then;

  out->timed = radius_packet_find(request, 0, EVENT_TIMESTAMP, &attribute);
  if (!out->timed) {
    g_strlcpy(out->why, "no Event-Timestamp", sizeof out->why);
    return !rules->require_timestamp;
  }
  if (!radius_attribute_int(&attribute, &then))
    return TRUE;
  gint64 off = (gint64)then - rules->now_s;
  g_snprintf(out->why, sizeof out->why, "Event-Timestamp is %" G_GINT64_FORMAT " s off", off);
  return ABS(off) <= (gint64)rules->window_s;
}

/* RFC 5176 3.1, 3.3: these go back as they came. */
static gboolean is_echoed(const RadiusPacket *request, const RadiusAttribute *attribute) {
  return !attribute->vendor && (attribute->type == PROXY_STATE || (attribute->type == STATE && request->code == RADIUS_COA_REQUEST));
}

/* Could the answer, with all that goes back, be written at all? */
static gboolean is_answerable(const RadiusPacket *request, RadiusDaeVerdict *out) {
  gsize length = RADIUS_HEADER + 18 + 6; /* Message-Authenticator; Error-Cause or Acct-Terminate-Cause */
  RadiusIter iter = {0};
  RadiusAttribute attribute;

  while (radius_packet_next(request, &iter, &attribute))
    if (is_echoed(request, &attribute))
      length += 2u + attribute.length;
  g_strlcpy(out->why, "so much Proxy-State that no answer would hold it", sizeof out->why);
  return length <= RADIUS_MAX;
}

static RadiusDaeError end_session(const RadiusDaeRules *rules, AditSessionId id) {
  return rules->session->disconnect(id, ADIT_CAUSE_ADMIN_RESET, "Disconnect-Request") ? RADIUS_DAE_FINE : RADIUS_DAE_NOT_REMOVABLE;
}

/* ---- a CoA-Request's changes, made by the core: all or nothing (RFC 5176 2.3) ---- */

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

static RadiusDaeError make_changes(const RadiusPacket *request, const AditSessionService *session, AditSessionId id, char why[160]) {
  RadiusChanges changes;

  radius_reply_changes(request, &changes);
  RadiusDaeError error = change_session(&changes, session, id, why);
  radius_changes_clear(&changes);
  return error;
}

static RadiusDaeError carry_out(const RadiusDaeRules *rules, const RadiusPacket *request, RadiusDaeVerdict *out) {
  Sorted sorted = {.rules = rules, .coa = request->code == RADIUS_COA_REQUEST};

  RadiusDaeError error = sort_attributes(&sorted, request, out->why);
  if (!error)
    error = radius_dae_find(&sorted.keys, rules->session, &out->session);
  if (error)
    return error;
  return sorted.coa ? make_changes(request, rules->session, out->session, out->why) : end_session(rules, out->session);
}

void radius_dae_decide(const RadiusDaeRules *rules, const RadiusPacket *request, RadiusDaeVerdict *out) {
  *out = (RadiusDaeVerdict){.outcome = RADIUS_DAE_DROP};
  if (!is_timely(rules, request, out) || !is_answerable(request, out))
    return;
  out->why[0] = 0;
  out->error = carry_out(rules, request, out);
  out->outcome = out->error ? RADIUS_DAE_NAK : request->code == RADIUS_COA_REQUEST ? RADIUS_DAE_ACK : RADIUS_DAE_WAIT;
}

void radius_dae_answer(RadiusBuilder *b, const RadiusPacket *request, const RadiusDaeVerdict *verdict, const char *secret) {
  gboolean nak = verdict->outcome == RADIUS_DAE_NAK;
  RadiusIter iter = {0};
  RadiusAttribute attribute;

  radius_build(b, (guint8)(request->code + (nak ? 2 : 1)), TRUE);
  if (nak)
    radius_put_int(b, 0, ERROR_CAUSE, verdict->error);
  else if (request->code == RADIUS_DISCONNECT_REQUEST)
    radius_put_int(b, 0, ACCT_TERMINATE_CAUSE, ADIT_CAUSE_ADMIN_RESET); /* RFC 5176 2.1 */
  while (radius_packet_next(request, &iter, &attribute))
    if (is_echoed(request, &attribute))
      radius_put(b, 0, attribute.type, attribute.value, attribute.length);
  radius_finish_reply(b, request, secret);
}

const char *radius_dae_error_name(RadiusDaeError error) {
  switch (error) {
  case RADIUS_DAE_FINE:
    return "done";
  case RADIUS_DAE_UNSUPPORTED_ATTRIBUTE:
    return "Unsupported Attribute";
  case RADIUS_DAE_MISSING_ATTRIBUTE:
    return "Missing Attribute";
  case RADIUS_DAE_OTHER_NAS:
    return "NAS Identification Mismatch";
  case RADIUS_DAE_INVALID_REQUEST:
    return "Invalid Request";
  case RADIUS_DAE_UNSUPPORTED_SERVICE:
    return "Unsupported Service";
  case RADIUS_DAE_INVALID_VALUE:
    return "Invalid Attribute Value";
  case RADIUS_DAE_NO_SESSION:
    return "Session Context Not Found";
  case RADIUS_DAE_NOT_REMOVABLE:
    return "Session Context Not Removable";
  case RADIUS_DAE_NO_RESOURCES:
    return "Resources Unavailable";
  case RADIUS_DAE_MANY_SESSIONS:
    return "Multiple Session Selection Unsupported";
  }
  return "?";
}
