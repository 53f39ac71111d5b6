/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "request.h"
#include "../options.h"
#include "vocabulary.h"

enum { VALUE_ROOM = 253 };

static const char *text_of(const AditValue *map, const char *key) {
  return map ? adit_value_get_string(map, key, NULL) : NULL;
}

void radius_who_of_request(RadiusWho *out, const AditAuthRequest *request) {
  *out = (RadiusWho){
      .user = request->user,
      .record_id = request->record_id,
      .port = request->port,
      .caller_id = request->caller_id,
      .called_id = request->called_id,
      .transport = request->transport,
      .peer = adit_endpoint_address(&request->peer),
      .local = adit_endpoint_address(&request->local),
      .attributes = request->attributes,
  };
}

void radius_who_of_record(RadiusWho *out, const AditAcctRecord *record) {
  const AditValue *facts = record->facts, *given = record->attributes;
  const AditValue *chargeable = radius_option_chargeable_user_identity(given);
  const char *name = radius_option_accounting_name(given);

  *out = (RadiusWho){.user = name ? name : record->user, .record_id = record->record_id};
  if (chargeable && chargeable->type == ADIT_VALUE_OCTETS)
    out->chargeable = chargeable->as.octets;
  if (!facts)
    return;
  out->port = (guint32)adit_value_get_int(facts, "port", 0);
  out->caller_id = text_of(facts, "caller-id");
  out->called_id = text_of(facts, "called-id");
  out->transport = text_of(facts, "transport");
  adit_value_get_address(facts, "peer", &out->peer);
  adit_value_get_address(facts, "local", &out->local);
  out->attributes = adit_value_get(facts, "transport-attributes");
}

static void put_address(RadiusBuilder *b, const AditAddress *address, guint8 ipv4, guint8 ipv6) {
  if (address->family)
    radius_put(b, 0, address->family == AF_INET ? ipv4 : ipv6, address->octet, adit_address_size(address));
}

void radius_put_nas(RadiusBuilder *b, const RadiusNas *nas) {
  radius_put_string(b, 0, NAS_IDENTIFIER, nas->identifier);
  put_address(b, &nas->address, NAS_IP_ADDRESS, NAS_IPV6_ADDRESS);
}

/* "DOMAIN\user" and "user@realm": the domain's octets, none if the name has none. */
static const char *domain_of(const char *user, gsize *length) {
  const char *backslash = user ? strchr(user, '\\') : NULL, *at = user ? strrchr(user, '@') : NULL;

  *length = backslash ? (gsize)(backslash - user) : at ? strlen(at + 1) : 0;
  return backslash ? user : at ? at + 1 : NULL;
}

/* As RouterOS: the user's domain, and as realm the same unless the server has its own realm. RFC 2548 2.1.6 puts an identifier first. */
static void put_domain(RadiusBuilder *b, const RadiusNas *nas, const char *user) {
  guint8 value[1 + VALUE_ROOM] = {0};
  gsize length;
  const char *domain = domain_of(user, &length);

  length = MIN(length, 200); /* a longer one is no domain; it is in the user's name anyway */
  if (length) {
    memcpy(value + 1, domain, length);
    radius_put(b, VENDOR_MICROSOFT, MS_CHAP_DOMAIN, value, 1 + length);
  }
  if (nas->realm)
    radius_put_string(b, VENDOR_MIKROTIK, MIKROTIK_REALM, nas->realm);
  else if (length)
    radius_put(b, VENDOR_MIKROTIK, MIKROTIK_REALM, value + 1, length);
}

/* RFC 2868 3.3: a tag comes first; 0, as there is but one tunnel. */
static void put_tagged(RadiusBuilder *b, guint8 type, const void *octets, gsize length) {
  guint8 value[VALUE_ROOM] = {0};

  length = MIN(length, sizeof value - 1);
  if (!length)
    return;
  memcpy(value + 1, octets, length);
  radius_put(b, 0, type, value, 1 + length);
}

static void put_tagged_text(RadiusBuilder *b, guint8 type, const char *text) {
  put_tagged(b, type, text, text ? strlen(text) : 0);
}

static void put_tagged_address(RadiusBuilder *b, guint8 type, const AditAddress *address) {
  char text[ADIT_ADDRESS_TEXT];
  if (address->family)
    put_tagged_text(b, type, adit_address_format(address, text));
}

/* The peer has begun the tunnel: it is the client of RFC 2868. A tagged integer has three octets of value. */
static void put_tunnel(RadiusBuilder *b, const RadiusWho *who) {
  const AditValue *group = who->attributes ? adit_value_get(who->attributes, "private-group") : NULL;

  if (g_strcmp0(who->transport, "l2tp") != 0)
    return;
  radius_put_int(b, 0, TUNNEL_TYPE, TUNNEL_L2TP);
  if (who->peer.family)
    radius_put_int(b, 0, TUNNEL_MEDIUM_TYPE, who->peer.family == AF_INET ? MEDIUM_IPV4 : MEDIUM_IPV6);
  put_tagged_address(b, TUNNEL_CLIENT_ENDPOINT, &who->peer);
  put_tagged_address(b, TUNNEL_SERVER_ENDPOINT, &who->local);
  put_tagged_text(b, TUNNEL_CLIENT_AUTH_ID, text_of(who->attributes, "tunnel-peer-name"));
  put_tagged_text(b, TUNNEL_SERVER_AUTH_ID, text_of(who->attributes, "tunnel-name"));
  if (group && group->type == ADIT_VALUE_OCTETS)
    put_tagged(b, TUNNEL_PRIVATE_GROUP_ID, g_bytes_get_data(group->as.octets, NULL), g_bytes_get_size(group->as.octets));
}

/* RFC 2869 5.11: the speed towards the user, then the one back if it is another, then what else there is to say. */
static void put_connect_info(RadiusBuilder *b, const RadiusWho *who) {
  gint64 tx = who->attributes ? adit_value_get_int(who->attributes, "tx-speed", 0) : 0;
  gint64 rx = who->attributes ? adit_value_get_int(who->attributes, "rx-speed", 0) : 0;
  char text[64];

  if (tx <= 0)
    return;
  g_autofree char *transport = g_ascii_strup(who->transport ? who->transport : "", -1);
  if (rx > 0 && rx != tx)
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT " %s", tx, rx, transport);
  else
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT " %s", tx, transport);
  radius_put_string(b, 0, CONNECT_INFO, g_strchomp(text));
}

void radius_put_who(RadiusBuilder *b, const RadiusNas *nas, const RadiusWho *who) {
  radius_put_string(b, 0, USER_NAME, who->user);
  radius_put_int(b, 0, SERVICE_TYPE, SERVICE_FRAMED);
  radius_put_int(b, 0, FRAMED_PROTOCOL, PROTOCOL_PPP);
  radius_put_nas(b, nas);
  if (who->port)
    radius_put_int(b, 0, NAS_PORT, who->port);
  radius_put_int(b, 0, NAS_PORT_TYPE, PORT_VIRTUAL);
  radius_put_string(b, 0, ACCT_SESSION_ID, who->record_id);
  radius_put_string(b, 0, CALLING_STATION_ID, who->caller_id);
  radius_put_string(b, 0, CALLED_STATION_ID, who->called_id);
  if (who->chargeable)
    radius_put(b, 0, CHARGEABLE_USER_IDENTITY, g_bytes_get_data(who->chargeable, NULL), g_bytes_get_size(who->chargeable));
  put_domain(b, nas, who->user);
  put_tunnel(b, who);
  put_connect_info(b, who);
}

void radius_put_tunnel_accounting(RadiusBuilder *b, const RadiusWho *who) {
  static const struct {
    const char *key;
    guint8 type;
    gboolean tagged;
  } numbers[] = {{"tunnel-id", TUNNEL_ASSIGNMENT_ID, TRUE}, {"call-serial-number", ACCT_TUNNEL_CONNECTION, FALSE}};

  for (gsize i = 0; who->attributes && i < G_N_ELEMENTS(numbers); i++) {
    const AditValue *number = adit_value_get(who->attributes, numbers[i].key);
    char text[24];
    if (!number || number->type != ADIT_VALUE_INT)
      continue;
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number->as.integer);
    if (numbers[i].tagged)
      put_tagged_text(b, numbers[i].type, text);
    else
      radius_put_string(b, 0, numbers[i].type, text);
  }
}

static const char *put_pap(RadiusBuilder *b, const AditAuthRequest *request, const guint8 authenticator[16], const char *secret) {
  if (!request->password)
    return "no password";
  radius_set_authenticator(b, authenticator);
  return radius_put_password(b, request->password, secret) ? NULL : "a password of over 128 octets";
}

static const char *put_chap(RadiusBuilder *b, const AditAuthRequest *request) {
  guint8 value[17] = {request->id};

  if (request->response_length != 16 || !request->challenge_length)
    return "no CHAP response";
  memcpy(value + 1, request->response, 16);
  radius_put(b, 0, CHAP_PASSWORD, value, sizeof value);
  radius_put(b, 0, CHAP_CHALLENGE, request->challenge, request->challenge_length);
  return NULL;
}

/* RFC 2548 2.1.3, 2.3.2: identifier and flags, which PPP has last (RFC 2433 6, RFC 2759 4), then the 48 octets of the response. */
static const char *put_mschap(RadiusBuilder *b, const AditAuthRequest *request) {
  gboolean v2 = request->kind == ADIT_AUTH_MSCHAPV2;
  guint8 value[50] = {request->id, v2 ? 0 : request->response[48]}; /* version 2: the flags are zero */

  if (request->response_length != 49 || request->challenge_length != (v2 ? 16 : 8))
    return "no MS-CHAP response";
  memcpy(value + 2, request->response, 48);
  radius_put(b, VENDOR_MICROSOFT, MS_CHAP_CHALLENGE, request->challenge, request->challenge_length);
  radius_put(b, VENDOR_MICROSOFT, v2 ? MS_CHAP2_RESPONSE : MS_CHAP_RESPONSE, value, sizeof value);
  return NULL;
}

/* RFC 3579 3.1: as many attributes as it takes, back to back; RFC 2865 5.24: what the server gave with its challenge. */
static const char *put_eap(RadiusBuilder *b, const AditAuthRequest *request) {
  gsize left = 0;
  const guint8 *at = request->eap ? g_bytes_get_data(request->eap, &left) : NULL;

  if (!left)
    return "no EAP packet";
  for (gsize part; left; at += part, left -= part) {
    part = MIN(left, VALUE_ROOM);
    radius_put(b, 0, EAP_MESSAGE, at, part);
  }
  if (request->state)
    radius_put(b, 0, STATE, g_bytes_get_data(request->state, NULL), g_bytes_get_size(request->state));
  return NULL;
}

static const char *put_proof(RadiusBuilder *b, const AditAuthRequest *request, const guint8 authenticator[16], const char *secret) {
  switch (request->kind) {
  case ADIT_AUTH_PAP:
    return put_pap(b, request, authenticator, secret);
  case ADIT_AUTH_CHAP_MD5:
    return put_chap(b, request);
  case ADIT_AUTH_MSCHAPV1:
  case ADIT_AUTH_MSCHAPV2:
    return put_mschap(b, request);
  case ADIT_AUTH_EAP:
    return put_eap(b, request);
  }
  return "a method that RADIUS does not know";
}

const char *radius_put_request(RadiusBuilder *b, const RadiusNas *nas, const AditAuthRequest *request, const guint8 authenticator[16],
                               const char *secret) {
  gsize length = request->user ? strlen(request->user) : 0;
  RadiusWho who;

  if (!length)
    return "an empty user name";
  if (length > VALUE_ROOM)
    return "a user name of over 253 octets";
  radius_who_of_request(&who, request);
  radius_put_who(b, nas, &who);
  const char *why = put_proof(b, request, authenticator, secret);
  return why ? why : b->overflow ? "more than a packet holds" : NULL;
}
