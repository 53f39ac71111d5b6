/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "l2tp-call.h"

enum { TABLE_MIN = 4, TEXT_MAX = 256 };

/* ---- the table: open addressing, linear probing, at most three quarters full ---- */

static guint table_home(const L2tpCallTable *table, guint16 id) {
  return (id * 40503u >> 4) & (table->size - 1);
}

L2tpCall *l2tp_calls_find(const L2tpCallTable *table, guint16 local) {
  if (!table->size || !local)
    return NULL;
  for (guint at = table_home(table, local); table->slots[at].local; at = (at + 1) & (table->size - 1))
    if (table->slots[at].local == local)
      return &table->slots[at];
  return NULL;
}

L2tpCall *l2tp_calls_find_peer(const L2tpCallTable *table, guint16 peer) {
  if (!table->size || !peer)
    return NULL;
  for (guint at = table_home(table, peer); table->peers[at]; at = (at + 1) & (table->size - 1)) {
    L2tpCall *call = l2tp_calls_find(table, table->peers[at]);
    if (call->peer == peer)
      return call;
  }
  return NULL;
}

static void peers_place(L2tpCallTable *table, const L2tpCall *call) {
  guint at = table_home(table, call->peer);

  while (table->peers[at])
    at = (at + 1) & (table->size - 1);
  table->peers[at] = call->local;
}

void l2tp_calls_set_peer(L2tpCallTable *table, L2tpCall *call, guint16 peer) {
  call->peer = peer;
  if (peer)
    peers_place(table, call);
}

/** Takes the call out of the index by peer, while all calls are still in the table. */
static void peers_remove(L2tpCallTable *table, const L2tpCall *call) {
  guint mask = table->size - 1, gap = table_home(table, call->peer);

  if (!call->peer)
    return;
  while (table->peers[gap] != call->local)
    gap = (gap + 1) & mask;
  for (guint at = (gap + 1) & mask; table->peers[at]; at = (at + 1) & mask) {
    guint home = table_home(table, l2tp_calls_find(table, table->peers[at])->peer);
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      table->peers[gap] = table->peers[at];
      gap = at;
    }
  }
  table->peers[gap] = 0;
}

static L2tpCall *table_place(L2tpCallTable *table, guint16 local) {
  guint at = table_home(table, local);

  while (table->slots[at].local)
    at = (at + 1) & (table->size - 1);
  return &table->slots[at];
}

L2tpCall *l2tp_calls_add(L2tpCallTable *table, guint16 local) {
  if ((table->count + 1) * 4 > table->size * 3) {
    L2tpCallTable larger = {.size = MAX(table->size * 2, TABLE_MIN), .count = table->count};
    larger.slots = g_new0(L2tpCall, larger.size);
    larger.peers = g_new0(guint16, larger.size);
    for (guint at = 0; at < table->size; at++)
      if (table->slots[at].local) {
        L2tpCall *call = table_place(&larger, table->slots[at].local);
        *call = table->slots[at];
        l2tp_calls_set_peer(&larger, call, call->peer);
      }
    g_free(table->slots);
    g_free(table->peers);
    *table = larger;
  }
  L2tpCall *call = table_place(table, local);
  memset(call, 0, sizeof *call);
  call->local = local;
  table->count++;
  return call;
}

static void call_free_info(L2tpCall *call) {
  if (call->info)
    l2tp_call_info_clear(call->info);
  g_clear_pointer(&call->info, g_free);
}

void l2tp_calls_remove(L2tpCallTable *table, guint16 local) {
  L2tpCall *call = l2tp_calls_find(table, local);

  if (!call)
    return;
  peers_remove(table, call);
  call_free_info(call);
  if (--table->count == 0) {
    l2tp_calls_clear(table);
    return;
  }
  /* Close the gap: a peer that was probed over it must be found without it. */
  guint mask = table->size - 1, gap = (guint)(call - table->slots);
  for (guint at = (gap + 1) & mask; table->slots[at].local; at = (at + 1) & mask) {
    guint home = table_home(table, table->slots[at].local);
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      table->slots[gap] = table->slots[at];
      gap = at;
    }
  }
  memset(&table->slots[gap], 0, sizeof table->slots[gap]);
}

void l2tp_calls_clear(L2tpCallTable *table) {
  for (guint at = 0; at < table->size; at++)
    if (table->slots[at].local)
      call_free_info(&table->slots[at]);
  g_free(table->slots);
  g_free(table->peers);
  memset(table, 0, sizeof *table);
}

void l2tp_calls_ids(const L2tpCallTable *table, guint16 *ids) {
  for (guint at = 0, n = 0; at < table->size; at++)
    if (table->slots[at].local)
      ids[n++] = table->slots[at].local;
}

const char *l2tp_call_state_name(L2tpCallState state) {
  switch (state) {
  case L2TP_CALL_WAIT_TUNNEL:
    return "wait-tunnel";
  case L2TP_CALL_WAIT_REPLY:
    return "wait-reply";
  case L2TP_CALL_WAIT_CONNECT:
    return "wait-connect";
  case L2TP_CALL_WAIT_ANSWER:
    return "wait-answer";
  case L2TP_CALL_ESTABLISHED:
    return "established";
  }
  return "?";
}

/* ---- kinds of fields: how a member is learned from an AVP, sent, saved and freed ---- */

typedef struct {
  void (*learn)(gpointer at, const L2tpMessage *message, guint16 avp);
  /** `always`: though it is 0 or missing. */
  void (*write)(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w);
  void (*save)(gconstpointer at, AditBuilder *out);
  void (*restore)(gpointer at, AditCursor *in);
  void (*copy)(gpointer to, gconstpointer from); /* NULL = the member is all of it */
  void (*clear)(gpointer at);                    /* NULL = nothing to free */
} FieldKind;

static void u32_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  *(guint32 *)at = (guint32)l2tp_message_number(message, avp);
}
static void u32_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  if (always || *(const guint32 *)at)
    l2tp_write_u32(w, avp, *(const guint32 *)at);
}
static void u32_save(gconstpointer at, AditBuilder *out) {
  adit_put_u32(out, *(const guint32 *)at);
}
static void u32_restore(gpointer at, AditCursor *in) {
  *(guint32 *)at = adit_get_u32(in);
}
static const FieldKind kind_u32 = {u32_learn, u32_write, u32_save, u32_restore, NULL, NULL};

static void u16_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  *(guint16 *)at = (guint16)l2tp_message_number(message, avp);
}
static void u16_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  if (*(const guint16 *)at)
    l2tp_write_u16(w, avp, *(const guint16 *)at);
}
static void u16_save(gconstpointer at, AditBuilder *out) {
  adit_put_u16(out, *(const guint16 *)at);
}
static void u16_restore(gpointer at, AditCursor *in) {
  *(guint16 *)at = adit_get_u16(in);
}
static const FieldKind kind_u16 = {u16_learn, u16_write, u16_save, u16_restore, NULL, NULL};

/* Proxy Authen ID: one octet in an AVP of two, and 0 is an id as any other. */
static void auth_id_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  *(guint8 *)at = (guint8)l2tp_message_number(message, avp);
}
static void auth_id_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  if (info->auth_type)
    l2tp_write_u16(w, avp, *(const guint8 *)at);
}
static void auth_id_save(gconstpointer at, AditBuilder *out) {
  adit_put_u8(out, *(const guint8 *)at);
}
static void auth_id_restore(gpointer at, AditCursor *in) {
  *(guint8 *)at = adit_get_u8(in);
}
static const FieldKind kind_auth_id = {auth_id_learn, auth_id_write, auth_id_save, auth_id_restore, NULL, NULL};

/* An AVP without a value: it is there, or not. */
static void flag_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  *(gboolean *)at = TRUE;
}
static void flag_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  if (*(const gboolean *)at)
    l2tp_write_bytes(w, avp, "", 0);
}
static void flag_save(gconstpointer at, AditBuilder *out) {
  adit_put_u8(out, *(const gboolean *)at ? 1 : 0);
}
static void flag_restore(gpointer at, AditCursor *in) {
  *(gboolean *)at = adit_get_u8(in) != 0;
}
static const FieldKind kind_flag = {flag_learn, flag_write, flag_save, flag_restore, NULL, NULL};

/** Octets with their length before them; 0xffff = none. */
static void save_octets(AditBuilder *out, const void *data, gsize length) {
  adit_put_u16(out, data ? (guint16)length : G_MAXUINT16);
  if (data)
    adit_put_bytes(out, data, length);
}

static const guint8 *restore_octets(AditCursor *in, guint16 *length) {
  *length = adit_get_u16(in);
  return *length == G_MAXUINT16 ? NULL : adit_get_bytes(in, *length);
}

static void text_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  char text[TEXT_MAX];

  g_free(*(char **)at);
  *(char **)at = g_strdup(l2tp_message_text(message, avp, text, sizeof text));
}
static void text_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  l2tp_write_text(w, avp, *(char *const *)at ? *(char *const *)at : always ? "" : NULL);
}
static void text_save(gconstpointer at, AditBuilder *out) {
  save_octets(out, *(char *const *)at, *(char *const *)at ? strlen(*(char *const *)at) : 0);
}
static void text_restore(gpointer at, AditCursor *in) {
  guint16 length;
  const guint8 *data = restore_octets(in, &length);

  *(char **)at = data ? g_strndup((const char *)data, length) : NULL;
}
static void text_copy(gpointer to, gconstpointer from) {
  *(char **)to = g_strdup(*(char *const *)from);
}
static void text_clear(gpointer at) {
  g_clear_pointer((char **)at, g_free);
}
static const FieldKind kind_text = {text_learn, text_write, text_save, text_restore, text_copy, text_clear};

static void wipe_block(gpointer block) {
  explicit_bzero(block, *(gsize *)block);
  g_free(block);
}

/** Proxy data may contain a password: it is wiped with its last reference. */
static void bytes_set(GBytes **bytes, const void *data, gsize length) {
  gsize *block = g_malloc(sizeof *block + length);

  *block = sizeof *block + length;
  if (length)
    memcpy(block + 1, data, length);
  g_clear_pointer(bytes, g_bytes_unref);
  *bytes = g_bytes_new_with_free_func(block + 1, length, wipe_block, block);
}

static void bytes_learn(gpointer at, const L2tpMessage *message, guint16 avp) {
  bytes_set(at, message->avp[avp].data, message->avp[avp].length);
}
static void bytes_write(const L2tpCallInfo *info, gconstpointer at, guint16 avp, gboolean always, L2tpWriter *w) {
  GBytes *bytes = *(GBytes *const *)at;

  if (bytes)
    l2tp_write_bytes(w, avp, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}
static void bytes_save(gconstpointer at, AditBuilder *out) {
  GBytes *bytes = *(GBytes *const *)at;

  save_octets(out, bytes ? g_bytes_get_data(bytes, NULL) : NULL, bytes ? g_bytes_get_size(bytes) : 0);
}
static void bytes_restore(gpointer at, AditCursor *in) {
  guint16 length;
  const guint8 *data = restore_octets(in, &length);

  if (data)
    bytes_set(at, data, length);
}
static void bytes_copy(gpointer to, gconstpointer from) {
  GBytes *bytes = *(GBytes *const *)from;

  *(GBytes **)to = bytes ? g_bytes_ref(bytes) : NULL;
}
static void bytes_clear(gpointer at) {
  g_clear_pointer((GBytes **)at, g_bytes_unref);
}
static const FieldKind kind_bytes = {bytes_learn, bytes_write, bytes_save, bytes_restore, bytes_copy, bytes_clear};

/* ---- the fields of a call: one table says where each travels ---- */

static const struct {
  guint16 type;
  guint16 offset;
  const FieldKind *kind;
  gboolean always; /* sent though 0 */
} fields[] = {
#define FIELD(avp, kind, member, always)                                                                                                   \
  { L2TP_AVP_##avp, G_STRUCT_OFFSET(L2tpCallInfo, member), &kind, always }
    FIELD(CALL_SERIAL_NUMBER, kind_u32, serial, TRUE),
    FIELD(MINIMUM_BPS, kind_u32, minimum_bps, TRUE),
    FIELD(MAXIMUM_BPS, kind_u32, maximum_bps, TRUE),
    FIELD(TX_CONNECT_SPEED, kind_u32, tx_speed, TRUE),
    FIELD(BEARER_TYPE, kind_u32, bearer_type, FALSE),
    FIELD(FRAMING_TYPE, kind_u32, framing_type, TRUE),
    FIELD(PHYSICAL_CHANNEL_ID, kind_u32, physical_channel, FALSE),
    FIELD(CALLED_NUMBER, kind_text, called, FALSE),
    FIELD(CALLING_NUMBER, kind_text, calling, FALSE),
    FIELD(SUB_ADDRESS, kind_text, sub_address, FALSE),
    FIELD(INITIAL_RECEIVED_CONFREQ, kind_bytes, initial_received, FALSE),
    FIELD(LAST_SENT_CONFREQ, kind_bytes, last_sent, FALSE),
    FIELD(LAST_RECEIVED_CONFREQ, kind_bytes, last_received, FALSE),
    FIELD(PROXY_AUTHEN_TYPE, kind_u16, auth_type, FALSE),
    FIELD(PROXY_AUTHEN_NAME, kind_bytes, auth_name, FALSE),
    FIELD(PROXY_AUTHEN_CHALLENGE, kind_bytes, auth_challenge, FALSE),
    FIELD(PROXY_AUTHEN_ID, kind_auth_id, auth_id, FALSE),
    FIELD(PROXY_AUTHEN_RESPONSE, kind_bytes, auth_response, FALSE),
    FIELD(PRIVATE_GROUP_ID, kind_bytes, private_group, FALSE),
    FIELD(RX_CONNECT_SPEED, kind_u32, rx_speed, FALSE),
    FIELD(SEQUENCING_REQUIRED, kind_flag, sequencing_required, FALSE),
#undef FIELD
};

static gpointer field_at(const L2tpCallInfo *info, guint index) {
  return (guint8 *)info + fields[index].offset;
}

void l2tp_call_info_clear(L2tpCallInfo *info) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    if (fields[i].kind->clear)
      fields[i].kind->clear(field_at(info, i));
  memset(info, 0, sizeof *info);
}

void l2tp_call_info_copy(L2tpCallInfo *to, const L2tpCallInfo *from) {
  *to = *from;
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    if (fields[i].kind->copy)
      fields[i].kind->copy(field_at(to, i), field_at(from, i));
}

void l2tp_call_info_learn(L2tpCallInfo *info, const L2tpMessage *message) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    if (l2tp_message_has(message, fields[i].type) && (l2tp_avps[fields[i].type].messages & L2TP_IN(message->type)))
      fields[i].kind->learn(field_at(info, i), message, fields[i].type);
}

void l2tp_call_info_write(const L2tpCallInfo *info, guint16 type, L2tpWriter *w) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    guint16 avp = fields[i].type;
    if (l2tp_avps[avp].messages & L2TP_IN(type))
      fields[i].kind->write(info, field_at(info, i), avp, fields[i].always || (l2tp_avps[avp].required & L2TP_IN(type)), w);
  }
}

void l2tp_call_info_save(const L2tpCallInfo *info, AditBuilder *out) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    fields[i].kind->save(field_at(info, i), out);
}

gboolean l2tp_call_info_restore(L2tpCallInfo *info, AditCursor *in) {
  memset(info, 0, sizeof *info);
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    fields[i].kind->restore(field_at(info, i), in);
  if (in->bad)
    l2tp_call_info_clear(info);
  return !in->bad;
}
