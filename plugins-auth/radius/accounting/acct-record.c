/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-record.h"
#include "../options.h"
#include "../wire/request.h"
#include "../wire/vocabulary.h"

enum { AUTHENTIC_RADIUS = 1, AUTHENTIC_LOCAL = 2 };

/* A list as well as a value alone. */
static void put_each(const AditValue *list, void (*put)(RadiusBuilder *b, guint8 type, const AditValue *item), RadiusBuilder *b,
                     guint8 type) {
  for (guint i = 0; i < adit_value_length(list); i++)
    put(b, type, adit_value_at(list, i));
}

static void put_octets(RadiusBuilder *b, guint8 type, const AditValue *item) {
  if (item->type == ADIT_VALUE_OCTETS)
    radius_put(b, 0, type, g_bytes_get_data(item->as.octets, NULL), g_bytes_get_size(item->as.octets));
}

/* RFC 3162 2.3: a reserved octet, the length in bits, as many octets of the prefix as that needs; bits beyond it are zero. */
static void put_prefix(RadiusBuilder *b, guint8 type, const AditValue *item) {
  guint8 value[18] = {0};

  if (item->type != ADIT_VALUE_PREFIX || item->as.prefix.address.family != AF_INET6 || item->as.prefix.length > 128)
    return;
  guint bits = item->as.prefix.length, octets = (bits + 7) / 8;
  value[1] = (guint8)bits;
  memcpy(value + 2, item->as.prefix.address.octet, octets);
  if (bits % 8)
    value[1 + octets] &= (guint8)(0xff << (8 - bits % 8));
  radius_put(b, 0, type, value, 2 + octets);
}

/* RFC 2866 5.6. Without a source there was no authentication: then nothing is said. */
static void put_authentic(RadiusBuilder *b, const AditValue *facts) {
  const char *source = adit_value_get_string(facts, "source", NULL);
  if (source && *source)
    radius_put_int(b, 0, ACCT_AUTHENTIC, g_str_equal(source, "radius") ? AUTHENTIC_RADIUS : AUTHENTIC_LOCAL);
}

static void put_addresses(RadiusBuilder *b, const AditValue *facts, const AditValue *attributes) {
  const AditValue *ifid = adit_value_get(facts, "remote-interface-id");
  AditAddress remote;

  if (adit_value_get_address(facts, "remote-address", &remote) && remote.family == AF_INET)
    radius_put(b, 0, FRAMED_IP_ADDRESS, remote.octet, 4);
  if (ifid && ifid->type == ADIT_VALUE_OCTETS && g_bytes_get_size(ifid->as.octets) == 8)
    put_octets(b, FRAMED_INTERFACE_ID, ifid);
  put_each(adit_option_remote_ipv6_prefix(attributes), put_prefix, b, FRAMED_IPV6_PREFIX);
  put_each(adit_option_delegated_ipv6_prefix(attributes), put_prefix, b, DELEGATED_IPV6_PREFIX);
}

/* Attributes that do not fit into a packet are left out whole, from the end. */
static GBytes *cut_body(const RadiusBuilder *b) {
  AditCursor c = adit_cursor(b->data + RADIUS_HEADER, MIN(b->length - RADIUS_HEADER, (gsize)RADIUS_BODY_MAX));
  const guint8 *start = c.at, *end = c.at;

  while (adit_left(&c)) {
    adit_skip(&c, 1);
    guint8 size = adit_get_u8(&c);
    if (size < 2 || !adit_skip(&c, size - 2u))
      break;
    end = c.at;
  }
  return g_bytes_new(start, (gsize)(end - start));
}

RadiusRow radius_acct_row_for(const RadiusRow *row, const RadiusServer *group, guint n) {
  RadiusRow own = *row;
  RadiusBuilder b;

  own.id = n ? g_strdup_printf("%s-%u", row->id, n) : g_strdup(row->id); /* a lane for each */
  /* An impossible user name, by which these servers are chosen and no others. */
  own.user = g_strdup_printf("%s%s@%s", group->domain ? group->domain : "", group->domain ? "\\" : "", group->realm ? group->realm : "");
  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  own.called_id = g_strdup(group->called_id);
  radius_put_string(&b, 0, CALLED_STATION_ID, group->called_id);
  own.body = cut_body(&b);
  return own;
}

RadiusRow radius_acct_row(const AditAcctRecord *record, gboolean swap_octets) {
  RadiusRow row = {.kind = record->kind,
                   .cause = record->cause,
                   .swap_octets = swap_octets,
                   .when_ms = MAX(record->when_ms, 0),
                   .uptime_ms = record->uptime_ms,
                   .counters = record->counters,
                   .id = g_strndup(record->record_id, 253),
                   .user = g_strndup(record->user, 253)};
  RadiusNas anywhere = {0}; /* the NAS attributes are added to each packet */
  RadiusBuilder b;
  RadiusWho who;

  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  if (radius_row_is_session(&row)) {
    radius_who_of_record(&who, record);
    who.record_id = NULL; /* is in the row */
    row.called_id = who.called_id && *who.called_id ? g_strndup(who.called_id, 253) : NULL;
    radius_put_who(&b, &anywhere, &who);
    radius_put_tunnel_accounting(&b, &who);
    put_authentic(&b, record->facts);
    put_addresses(&b, record->facts, record->attributes);
    radius_put_string(&b, 0, ACCT_MULTI_SESSION_ID, record->multi_id);
    if (record->multi_id)
      radius_put_int(&b, 0, ACCT_LINK_COUNT, record->link_count);
    put_each(adit_option_class(record->attributes), put_octets, &b, CLASS);
  }
  row.body = cut_body(&b);
  return row;
}
