/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "../options.h"
#include "../wire/dictionary.h"
#include "../wire/vocabulary.h"
#include "reading.h"
#include "reply-address.h"
#include "reply-login.h"
#include "reply-table.h"
#include "reply-value.h"

static void reading_begin(RadiusReading *r, guint8 code, const AditAuthRequest *request, const RadiusReplyContext *context) {
  *r = (RadiusReading){.code = code, .request = request, .context = context, .map = adit_value_map(), .message = g_string_new(NULL)};
  r->eap = g_byte_array_new();
  r->unsupported = g_ptr_array_new_with_free_func(g_free);
  r->invalid = context ? g_ptr_array_ref(r->unsupported) : g_ptr_array_new_with_free_func(g_free);
}

static void reading_end(RadiusReading *r) {
  adit_value_unref(r->map);
  g_string_free(r->message, TRUE);
  g_byte_array_unref(r->eap);
  g_ptr_array_unref(r->unsupported);
  g_ptr_array_unref(r->invalid);
  g_free(r->refusal);
  g_free(r->pool);
  g_free(r->rate.mikrotik);
  g_free(r->proof);
  g_free(r->failure);
  g_clear_pointer(&r->state, g_bytes_unref);
  explicit_bzero(r, sizeof *r);
}

/* Is it a second value of a word, or a second attribute of a reader, that takes only one? */
static gboolean stands_twice(const RadiusReading *r, const RadiusPacket *packet, const RadiusWordRow *row, const RadiusAttribute *a) {
  RadiusAttribute first;

  if (row->flags & (ROW_LIST | ROW_MANY))
    return FALSE;
  if (row->word && adit_value_get(r->map, row->word))
    return TRUE;
  return radius_packet_find(packet, a->vendor, a->type, &first) && first.value != a->value;
}

static void read_attribute(RadiusReading *r, const RadiusPacket *packet, const RadiusWordRow *row, const RadiusAttribute *a) {
  const char *twice = stands_twice(r, packet, row, a) ? "occurs twice" : NULL, *why = row->read(r, row, a);

  if (why || twice)
    radius_complain(r->invalid, a, why ? why : twice);
}

static void read_accept(RadiusReading *r, const RadiusPacket *packet) {
  RadiusIter iter = {0};
  RadiusAttribute a;

  while (radius_packet_next(packet, &iter, &a)) {
    const RadiusWordRow *row = radius_reply_row(a.vendor, a.type);
    if (row)
      read_attribute(r, packet, row, &a);
    else
      radius_complain(r->unsupported, &a, "no plugin acts on it");
  }
  radius_finish_values(r);
  radius_finish_address(r);
  radius_finish_login(r);
  if (r->has_send && r->has_receive)
    radius_take_as(r, radius_option_mppe_keys_key, FALSE, adit_value_bool(TRUE));
}

/* Of a Reject or Challenge only what is for the peer counts. */
static void read_rest(RadiusReading *r, const RadiusPacket *packet) {
  RadiusIter iter = {0};
  RadiusAttribute a;

  while (radius_packet_next(packet, &iter, &a)) {
    gboolean speaks = a.vendor == VENDOR_MICROSOFT ? a.type == MS_CHAP_ERROR
                                                   : !a.vendor && (a.type == REPLY_MESSAGE || a.type == EAP_MESSAGE || a.type == STATE);
    if (speaks)
      read_attribute(r, packet, radius_reply_row(a.vendor, a.type), &a);
  }
}

static void reply_reject(RadiusReading *r, RadiusReply *out, const char *why) {
  out->reply.outcome = ADIT_AUTH_REJECT;
  out->reply.error_code = r->error_code;
  out->reply.retry = r->retry;
  if (r->failure)
    out->message = g_steal_pointer(&r->failure);
  else if (r->message->len)
    out->message = g_strdup(r->message->str);
  out->why = g_strdup(why);
}

/* The message for the peer: RFC 2759 5 puts it behind the proof, unless the server has done so. */
static char *choose_words(RadiusReading *r) {
  const char *said = r->message->len ? r->message->str : NULL;

  if (r->request->kind != ADIT_AUTH_MSCHAPV2)
    return g_strdup(said);
  return said && !strstr(r->proof, " M=") ? g_strdup_printf("%s M=%s", r->proof, said) : g_steal_pointer(&r->proof);
}

static void reply_accept(RadiusReading *r, RadiusReply *out) {
  out->reply.outcome = ADIT_AUTH_ACCEPT;
  out->attributes = adit_value_ref(r->map);
  out->message = choose_words(r);
  out->why = g_strdup("accepted by the server");
  if (!r->has_send || !r->has_receive)
    return;
  out->reply.has_mppe_keys = TRUE;
  memcpy(out->reply.mppe_send_key, r->send, sizeof r->send);
  memcpy(out->reply.mppe_receive_key, r->receive, sizeof r->receive);
  memcpy(out->reply.mppe_short_key, r->short_key, sizeof r->short_key);
  out->reply.mppe_short = r->mppe_short;
}

/* Why an Accept can't be believed in; NULL: it can. */
static const char *find_doubt(const RadiusReading *r) {
  if (r->refusal)
    return r->refusal;
  return r->request->kind == ADIT_AUTH_MSCHAPV2 && !r->proof ? "the server gave no MS-CHAP2-Success" : NULL;
}

static void decide_outcome(RadiusReading *r, guint8 code, RadiusReply *out) {
  g_autofree char *said = r->message->len ? g_strdup_printf("rejected by the server: %s", r->message->str) : NULL;
  const char *why;

  switch (code) {
  case RADIUS_ACCESS_ACCEPT:
    why = find_doubt(r);
    if (why)
      reply_reject(r, out, why);
    else
      reply_accept(r, out);
    return;
  case RADIUS_ACCESS_REJECT:
    reply_reject(r, out, said ? said : "rejected by the server");
    return;
  case RADIUS_ACCESS_CHALLENGE:
    if (r->request->kind != ADIT_AUTH_EAP || !r->eap->len) { /* RFC 2865 4.4: a NAS that can't takes it for a Reject */
      reply_reject(r, out, "the server wants another round, which only EAP has");
      return;
    }
    out->reply.outcome = ADIT_AUTH_CHALLENGE;
    out->state = g_steal_pointer(&r->state);
    return;
  default:
    reply_reject(r, out, "the server's answer is of another kind");
    return;
  }
}

void radius_reply_read(const RadiusPacket *packet, const AditAuthRequest *request, const RadiusReplyContext *context, RadiusReply *out) {
  RadiusReading r;

  memset(out, 0, sizeof *out);
  reading_begin(&r, packet->code, request, context);
  if (packet->code == RADIUS_ACCESS_ACCEPT)
    read_accept(&r, packet);
  else
    read_rest(&r, packet);
  decide_outcome(&r, packet->code, out);
  if (request->kind == ADIT_AUTH_EAP && r.eap->len)
    out->eap = g_bytes_new(r.eap->data, r.eap->len);
  out->unsupported = g_ptr_array_ref(r.unsupported);
  out->reply.size = sizeof out->reply;
  out->reply.attributes = out->attributes;
  out->reply.message = out->message;
  out->reply.why = out->why;
  out->reply.eap = out->eap;
  out->reply.state = out->state;
  reading_end(&r);
}

void radius_reply_clear(RadiusReply *reply) {
  adit_value_unref(reply->attributes);
  g_clear_pointer(&reply->unsupported, g_ptr_array_unref);
  g_clear_pointer(&reply->eap, g_bytes_unref);
  g_clear_pointer(&reply->state, g_bytes_unref);
  g_free(reply->message);
  g_free(reply->why);
  explicit_bzero(reply, sizeof *reply);
}

/* Attributes of a CoA-Request that change nothing. */
static gboolean is_for_caller(const RadiusAttribute *a) {
  static const guint8 types[] = {USER_NAME,         NAS_IP_ADDRESS,
                                 NAS_PORT,          SERVICE_TYPE,
                                 FRAMED_IP_ADDRESS, STATE,
                                 CALLED_STATION_ID, CALLING_STATION_ID,
                                 NAS_IDENTIFIER,    PROXY_STATE,
                                 ACCT_SESSION_ID,   ACCT_MULTI_SESSION_ID,
                                 EVENT_TIMESTAMP,   MESSAGE_AUTHENTICATOR,
                                 NAS_PORT_ID,       CHARGEABLE_USER_IDENTITY,
                                 NAS_IPV6_ADDRESS,  FRAMED_INTERFACE_ID,
                                 FRAMED_IPV6_PREFIX};
  return !a->vendor && memchr(types, a->type, sizeof types);
}

void radius_reply_changes(const RadiusPacket *packet, RadiusChanges *out) {
  RadiusReading r;
  RadiusIter iter = {0};
  RadiusAttribute a;

  reading_begin(&r, packet->code, NULL, NULL);
  while (radius_packet_next(packet, &iter, &a)) {
    const RadiusWordRow *row = radius_reply_row(a.vendor, a.type);
    if (is_for_caller(&a))
      continue;
    if (row && (row->flags & ROW_COA))
      read_attribute(&r, packet, row, &a);
    else
      radius_complain(r.unsupported, &a, row ? "can't change while the session is up" : "no plugin acts on it");
  }
  radius_finish_values(&r);
  *out = (RadiusChanges){adit_value_ref(r.map), g_ptr_array_ref(r.unsupported), g_ptr_array_ref(r.invalid)};
  reading_end(&r);
}

void radius_changes_clear(RadiusChanges *changes) {
  adit_value_unref(changes->changes);
  g_clear_pointer(&changes->unsupported, g_ptr_array_unref);
  g_clear_pointer(&changes->invalid, g_ptr_array_unref);
  memset(changes, 0, sizeof *changes);
}
