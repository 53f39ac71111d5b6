/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-row.h"
#include "../wire/vocabulary.h"

/*
 * Format 1, integers in network byte order:
 *   u8 1, u8 kind, u8 cause, u8 flags (bit 0: swapped octets), u64 when_ms, u64 uptime_ms,
 *   u64 rx_packets, rx_octets, tx_packets, tx_octets, u8 length and octets of the id, and of the user, u16 length and octets of the body.
 */
enum { FORMAT = 1, SWAPPED = 1 << 0, HEAD = 4 + 6 * 8 + 1 + 1 + 2, NAME_MAX_OCTETS = 253 /* of an attribute's value */ };

RadiusRow radius_row_copy(const RadiusRow *row) {
  RadiusRow copy = *row;
  copy.id = g_strdup(row->id);
  copy.user = g_strdup(row->user);
  copy.called_id = g_strdup(row->called_id);
  copy.body = g_bytes_ref(row->body);
  return copy;
}

void radius_row_clear(RadiusRow *row) {
  g_clear_pointer(&row->id, g_free);
  g_clear_pointer(&row->user, g_free);
  g_clear_pointer(&row->called_id, g_free);
  g_clear_pointer(&row->body, g_bytes_unref);
}

GBytes *radius_row_write(const RadiusRow *row) {
  gsize id_length = MIN(strlen(row->id), NAME_MAX_OCTETS), user_length = row->user ? MIN(strlen(row->user), NAME_MAX_OCTETS) : 0,
        body_length;
  const guint8 *body = g_bytes_get_data(row->body, &body_length);
  gsize size = HEAD + id_length + user_length + body_length;
  guint8 *octets = g_malloc(size);
  AditBuilder b = adit_builder(octets, size);

  adit_put_u8(&b, FORMAT);
  adit_put_u8(&b, (guint8)row->kind);
  adit_put_u8(&b, (guint8)row->cause);
  adit_put_u8(&b, row->swap_octets ? SWAPPED : 0);
  adit_put_u64(&b, (guint64)row->when_ms);
  adit_put_u64(&b, row->uptime_ms);
  adit_put_u64(&b, row->counters.rx_packets);
  adit_put_u64(&b, row->counters.rx_octets);
  adit_put_u64(&b, row->counters.tx_packets);
  adit_put_u64(&b, row->counters.tx_octets);
  adit_put_u8(&b, (guint8)id_length);
  adit_put_bytes(&b, row->id, id_length);
  adit_put_u8(&b, (guint8)user_length);
  adit_put_bytes(&b, row->user, user_length);
  adit_put_u16(&b, (guint16)body_length);
  adit_put_bytes(&b, body, body_length);
  return g_bytes_new_take(octets, size);
}

/* The next attribute of a body; FALSE at its end. */
static gboolean next_attribute(AditCursor *c, RadiusAttribute *out) {
  if (!adit_left(c))
    return FALSE;
  guint8 type = adit_get_u8(c), size = adit_get_u8(c);
  const guint8 *value = size < 2 ? NULL : adit_get_bytes(c, size - 2u);
  c->bad |= !value;
  *out = (RadiusAttribute){.type = type, .value = value, .length = value ? (guint8)(size - 2) : 0};
  return value != NULL;
}

/* Is it whole attributes? `*called_id` is the first Called-Station-Id, its `value` NULL without one. */
static gboolean body_is_sound(const guint8 *body, gsize length, RadiusAttribute *called_id) {
  AditCursor c = adit_cursor(body, length);
  RadiusAttribute attribute;

  *called_id = (RadiusAttribute){0};
  while (next_attribute(&c, &attribute))
    if (attribute.type == CALLED_STATION_ID && !called_id->value)
      *called_id = attribute;
  return !adit_left(&c) && !c.bad;
}

gboolean radius_row_read(const guint8 *data, gsize length, RadiusRow *out) {
  AditCursor c = adit_cursor(data, length);
  RadiusAttribute called_id;
  RadiusRow row = {0};

  memset(out, 0, sizeof *out);
  if (adit_get_u8(&c) != FORMAT)
    return FALSE;
  guint8 kind = adit_get_u8(&c);
  row.kind = (AditAcctKind)kind;
  row.cause = (AditCause)adit_get_u8(&c);
  row.swap_octets = (adit_get_u8(&c) & SWAPPED) != 0;
  row.when_ms = (gint64)adit_get_u64(&c);
  row.uptime_ms = adit_get_u64(&c);
  row.counters.rx_packets = adit_get_u64(&c);
  row.counters.rx_octets = adit_get_u64(&c);
  row.counters.tx_packets = adit_get_u64(&c);
  row.counters.tx_octets = adit_get_u64(&c);
  guint8 id_length = adit_get_u8(&c);
  const guint8 *id = adit_get_bytes(&c, id_length);
  guint8 user_length = adit_get_u8(&c);
  const guint8 *user = adit_get_bytes(&c, user_length);
  guint16 body_length = adit_get_u16(&c);
  const guint8 *body = adit_get_bytes(&c, body_length);
  if (c.bad || adit_left(&c) || kind < ADIT_ACCT_START || kind > ADIT_ACCT_OFF || row.when_ms < 0 || !id_length ||
      id_length > NAME_MAX_OCTETS || user_length > NAME_MAX_OCTETS || memchr(id, 0, id_length) || memchr(user, 0, user_length) ||
      body_length > RADIUS_BODY_MAX || !body_is_sound(body, body_length, &called_id))
    return FALSE;
  *out = row;
  out->id = g_strndup((const char *)id, id_length);
  out->user = user_length ? g_strndup((const char *)user, user_length) : NULL;
  out->called_id = called_id.value ? g_strndup((const char *)called_id.value, called_id.length) : NULL;
  out->body = g_bytes_new(body, body_length);
  return TRUE;
}

static void put_traffic(const RadiusRow *row, RadiusBuilder *b) {
  const AditCounters *n = &row->counters;
  guint64 in_octets = row->swap_octets ? n->tx_octets : n->rx_octets, out_octets = row->swap_octets ? n->rx_octets : n->tx_octets;
  guint64 in_packets = row->swap_octets ? n->tx_packets : n->rx_packets, out_packets = row->swap_octets ? n->rx_packets : n->tx_packets;

  radius_put_int(b, 0, ACCT_SESSION_TIME, (guint32)MIN(row->uptime_ms / 1000, G_MAXUINT32));
  radius_put_int(b, 0, ACCT_INPUT_OCTETS, (guint32)in_octets);
  radius_put_int(b, 0, ACCT_OUTPUT_OCTETS, (guint32)out_octets);
  radius_put_int(b, 0, ACCT_INPUT_GIGAWORDS, (guint32)(in_octets >> 32));
  radius_put_int(b, 0, ACCT_OUTPUT_GIGAWORDS, (guint32)(out_octets >> 32));
  radius_put_int(b, 0, ACCT_INPUT_PACKETS, (guint32)in_packets);
  radius_put_int(b, 0, ACCT_OUTPUT_PACKETS, (guint32)out_packets);
}

static AditCursor cursor_of_body(const RadiusRow *row) {
  gsize length;
  const guint8 *body = g_bytes_get_data(row->body, &length);
  return adit_cursor(body, length);
}

static gboolean is_realm(const RadiusAttribute *attribute) {
  AditCursor c = adit_cursor(attribute->value, attribute->length);
  return attribute->type == VENDOR_SPECIFIC && adit_get_u32(&c) == VENDOR_MIKROTIK && adit_get_u8(&c) == MIKROTIK_REALM;
}

static void put_body(const RadiusRow *row, const char *realm, RadiusBuilder *b) {
  AditCursor c = cursor_of_body(row);
  RadiusAttribute attribute;

  if (realm)
    radius_put_string(b, VENDOR_MIKROTIK, MIKROTIK_REALM, realm);
  while (next_attribute(&c, &attribute))
    if (!realm || !is_realm(&attribute))
      radius_put(b, 0, attribute.type, attribute.value, attribute.length);
}

void radius_row_put(const RadiusRow *row, gint64 now_ms, const char *realm, RadiusBuilder *b) {
  static const guint8 status[] = {
      [ADIT_ACCT_START] = 1, [ADIT_ACCT_STOP] = 2, [ADIT_ACCT_INTERIM] = 3, [ADIT_ACCT_ON] = 7, [ADIT_ACCT_OFF] = 8,
  };

  radius_put_int(b, 0, ACCT_STATUS_TYPE, status[row->kind]);
  radius_put_string(b, 0, ACCT_SESSION_ID, row->id);
  radius_put_int(b, 0, EVENT_TIMESTAMP, (guint32)(row->when_ms / 1000));
  radius_put_int(b, 0, ACCT_DELAY_TIME, (guint32)CLAMP((now_ms - row->when_ms) / 1000, 0, (gint64)G_MAXUINT32));
  if (row->kind == ADIT_ACCT_INTERIM || row->kind == ADIT_ACCT_STOP)
    put_traffic(row, b);
  if (row->kind == ADIT_ACCT_STOP && row->cause)
    radius_put_int(b, 0, ACCT_TERMINATE_CAUSE, row->cause);
  if (radius_row_is_session(row)) /* that of On and Off only chooses their servers, and is not sent */
    put_body(row, realm, b);
}
