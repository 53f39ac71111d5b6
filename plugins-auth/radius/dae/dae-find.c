/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which session a request is about: RFC 5176 3. */
#include "dae-find.h"
#include "../options.h"
#include "../wire/vocabulary.h"

typedef enum {
  KEY_USER,
  KEY_CUI,
  KEY_PORT,
  KEY_ADDRESS,
  KEY_CALLED,
  KEY_CALLING,
  KEY_RECORD,
  KEY_MULTI,
  KEY_PORT_ID,
  KEY_IFID,
  KEY_PREFIX
} Key;

/* The attributes that may identify a session, and the least and most octets of their values. */
static const struct {
  guint8 type;
  Key key;
  guint8 min, max;
} keys_known[] = {
    {USER_NAME, KEY_USER, 1, 253},
    {NAS_PORT, KEY_PORT, 4, 4},
    {FRAMED_IP_ADDRESS, KEY_ADDRESS, 4, 4},
    {CALLED_STATION_ID, KEY_CALLED, 1, 253},
    {CALLING_STATION_ID, KEY_CALLING, 1, 253},
    {ACCT_SESSION_ID, KEY_RECORD, 1, 253},
    {ACCT_MULTI_SESSION_ID, KEY_MULTI, 1, 253},
    {NAS_PORT_ID, KEY_PORT_ID, 1, 253},
    {CHARGEABLE_USER_IDENTITY, KEY_CUI, 1, 253},
    {FRAMED_INTERFACE_ID, KEY_IFID, 8, 8},
    {FRAMED_IPV6_PREFIX, KEY_PREFIX, 2, 18},
};

/* RFC 3162 2.3: Reserved, Prefix-Length, and as many octets of the prefix as it takes, or more; bits beyond it are zero. */
static gboolean read_prefix(const RadiusAttribute *attribute, AditPrefix *out) {
  AditCursor in = adit_cursor(attribute->value, attribute->length);

  memset(out, 0, sizeof *out);
  out->address.family = AF_INET6;
  adit_skip(&in, 1);
  out->length = adit_get_u8(&in);
  if (out->length > 128 || adit_left(&in) * 8 < out->length)
    return FALSE;
  adit_get_copy(&in, out->address.octet, adit_left(&in));
  for (guint bit = out->length; bit < 128; bit++)
    if (out->address.octet[bit / 8] & (0x80 >> bit % 8))
      return FALSE;
  return !in.bad;
}

static gboolean take_key(RadiusDaeKeys *keys, Key key, const RadiusAttribute *attribute) {
  switch (key) {
  case KEY_USER:
    keys->user = *attribute;
    return TRUE;
  case KEY_CUI:
    keys->cui = *attribute;
    return TRUE;
  case KEY_CALLED:
    keys->called = *attribute;
    return TRUE;
  case KEY_CALLING:
    keys->calling = *attribute;
    return TRUE;
  case KEY_RECORD:
    keys->record = *attribute;
    return TRUE;
  case KEY_MULTI:
    keys->multi = *attribute;
    return TRUE;
  case KEY_PORT_ID:
    keys->port_id = *attribute;
    return TRUE;
  case KEY_PORT:
    return radius_attribute_int(attribute, &keys->port);
  case KEY_ADDRESS:
    memset(&keys->address, 0, sizeof keys->address);
    keys->address.family = AF_INET;
    memcpy(keys->address.octet, attribute->value, 4);
    return TRUE;
  case KEY_IFID:
    memcpy(keys->ifid, attribute->value, sizeof keys->ifid);
    return TRUE;
  case KEY_PREFIX:
    return read_prefix(attribute, &keys->prefix);
  }
  return FALSE;
}

RadiusDaeError radius_dae_key(RadiusDaeKeys *keys, const RadiusAttribute *attribute, gboolean *key) {
  *key = FALSE;
  for (guint i = 0; !attribute->vendor && i < G_N_ELEMENTS(keys_known); i++) {
    if (keys_known[i].type != attribute->type)
      continue;
    guint bit = 1u << keys_known[i].key;
    *key = TRUE;
    if (keys->given & bit || attribute->length < keys_known[i].min || attribute->length > keys_known[i].max)
      return RADIUS_DAE_INVALID_REQUEST;
    if (!take_key(keys, keys_known[i].key, attribute))
      return RADIUS_DAE_INVALID_REQUEST;
    keys->given |= bit;
    return RADIUS_DAE_FINE;
  }
  return RADIUS_DAE_FINE;
}

static gboolean same_text(const RadiusAttribute *given, const char *text) {
  return text && strlen(text) == given->length && memcmp(text, given->value, given->length) == 0;
}

static gboolean same_octets(const RadiusAttribute *given, const AditValue *value) {
  gsize length = 0;
  gconstpointer octets = value && value->type == ADIT_VALUE_OCTETS ? g_bytes_get_data(value->as.octets, &length) : NULL;
  return octets && length == given->length && memcmp(octets, given->value, length) == 0;
}

/* RFC 2865 5.1: the server may have given another name, which is the one in accounting. */
static gboolean same_user(const RadiusAttribute *given, const AditSessionInfo *info) {
  return same_text(given, info->user) || same_text(given, radius_option_accounting_name(info->attributes));
}

/* One of those that it has. */
static gboolean same_prefix(const AditPrefix *given, const AditValue *attributes) {
  const AditValue *list = adit_option_remote_ipv6_prefix(attributes);

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_at(list, i);
    if (value->type == ADIT_VALUE_PREFIX && value->as.prefix.length == given->length &&
        adit_prefix_contains(given, &value->as.prefix.address))
      return TRUE;
  }
  return FALSE;
}

static gboolean fits_key(const RadiusDaeKeys *keys, Key key, const AditSessionInfo *info) {
  static const guint8 no_ifid[8] = {0};

  switch (key) {
  case KEY_USER:
    return same_user(&keys->user, info);
  case KEY_CUI:
    return same_octets(&keys->cui, radius_option_chargeable_user_identity(info->attributes));
  case KEY_PORT:
    return info->port && info->port == keys->port;
  case KEY_ADDRESS:
    return adit_address_equal(&info->remote4, &keys->address);
  case KEY_CALLED:
    return same_text(&keys->called, info->called_id);
  case KEY_CALLING:
    return same_text(&keys->calling, info->caller_id);
  case KEY_RECORD:
    return same_text(&keys->record, info->record_id);
  case KEY_MULTI: /* an older core has no bundles */
    return ADIT_HAS(info, multi_id) && same_text(&keys->multi, info->multi_id);
  case KEY_PORT_ID:
    return same_text(&keys->port_id, info->interface);
  case KEY_IFID:
    return memcmp(info->remote_ifid, no_ifid, sizeof no_ifid) != 0 && memcmp(info->remote_ifid, keys->ifid, sizeof keys->ifid) == 0;
  case KEY_PREFIX:
    return same_prefix(&keys->prefix, info->attributes);
  }
  return FALSE;
}

gboolean radius_dae_fits(const RadiusDaeKeys *keys, const AditSessionInfo *info) {
  if (info->client || !keys->given)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS(keys_known); i++)
    if (keys->given & 1u << keys_known[i].key && !fits_key(keys, keys_known[i].key, info))
      return FALSE;
  return TRUE;
}

typedef struct {
  const RadiusDaeKeys *keys;
  const AditSessionService *session;
  AditSessionId found;
  guint n;
} Search;

static void match_session(const AditSessionInfo *info, gpointer data) {
  Search *search = data;

  if (!radius_dae_fits(search->keys, info))
    return;
  if (search->session->session_find(info->record_id) != info->id) /* it is ending: a user that redials has two for a moment */
    return;
  search->found = info->id;
  search->n++;
}

/* Acct-Session-Id alone tells which one it must be; the other keys have a say still. */
static void look_at_record(Search *search) {
  char record[254] = "";
  AditSessionInfo info = {.size = sizeof info};

  memcpy(record, search->keys->record.value, search->keys->record.length);
  AditSessionId id = strlen(record) == search->keys->record.length ? search->session->session_find(record) : 0;
  if (id && search->session->session_info(id, &info))
    match_session(&info, search);
}

RadiusDaeError radius_dae_find(const RadiusDaeKeys *keys, const AditSessionService *session, AditSessionId *out) {
  Search search = {.keys = keys, .session = session};

  *out = 0;
  if (!keys->given)
    return RADIUS_DAE_MISSING_ATTRIBUTE;
  if (keys->given & 1u << KEY_RECORD)
    look_at_record(&search);
  else
    session->session_foreach(match_session, &search);
  if (search.n != 1)
    return search.n ? RADIUS_DAE_MANY_SESSIONS : RADIUS_DAE_NO_SESSION;
  *out = search.found;
  return RADIUS_DAE_FINE;
}
