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

/* ---- what is known of a call: one table says where each field travels ---- */

typedef enum { FIELD_U32 = 1, FIELD_U16, FIELD_U8_IN_U16, FIELD_TEXT, FIELD_BYTES, FIELD_FLAG } FieldKind;

static const struct {
  guint16 type;
  guint8 kind;
  guint16 offset;
  gboolean always; /* sent though 0 */
} fields[] = {
#define FIELD(avp, kind, member, always)                                                                                                   \
  { L2TP_AVP_##avp, kind, G_STRUCT_OFFSET(L2tpCallInfo, member), always }
    FIELD(CALL_SERIAL_NUMBER, FIELD_U32, serial, TRUE),
    FIELD(MINIMUM_BPS, FIELD_U32, minimum_bps, TRUE),
    FIELD(MAXIMUM_BPS, FIELD_U32, maximum_bps, TRUE),
    FIELD(TX_CONNECT_SPEED, FIELD_U32, tx_speed, TRUE),
    FIELD(BEARER_TYPE, FIELD_U32, bearer_type, FALSE),
    FIELD(FRAMING_TYPE, FIELD_U32, framing_type, TRUE),
    FIELD(PHYSICAL_CHANNEL_ID, FIELD_U32, physical_channel, FALSE),
    FIELD(CALLED_NUMBER, FIELD_TEXT, called, FALSE),
    FIELD(CALLING_NUMBER, FIELD_TEXT, calling, FALSE),
    FIELD(SUB_ADDRESS, FIELD_TEXT, sub_address, FALSE),
    FIELD(INITIAL_RECEIVED_CONFREQ, FIELD_BYTES, initial_received, FALSE),
    FIELD(LAST_SENT_CONFREQ, FIELD_BYTES, last_sent, FALSE),
    FIELD(LAST_RECEIVED_CONFREQ, FIELD_BYTES, last_received, FALSE),
    FIELD(PROXY_AUTHEN_TYPE, FIELD_U16, auth_type, FALSE),
    FIELD(PROXY_AUTHEN_NAME, FIELD_BYTES, auth_name, FALSE),
    FIELD(PROXY_AUTHEN_CHALLENGE, FIELD_BYTES, auth_challenge, FALSE),
    FIELD(PROXY_AUTHEN_ID, FIELD_U8_IN_U16, auth_id, FALSE),
    FIELD(PROXY_AUTHEN_RESPONSE, FIELD_BYTES, auth_response, FALSE),
    FIELD(PRIVATE_GROUP_ID, FIELD_BYTES, private_group, FALSE),
    FIELD(RX_CONNECT_SPEED, FIELD_U32, rx_speed, FALSE),
    FIELD(SEQUENCING_REQUIRED, FIELD_FLAG, sequencing_required, FALSE),
#undef FIELD
};

static gpointer field_at(const L2tpCallInfo *info, guint index) {
  return (guint8 *)info + fields[index].offset;
}

static void bytes_wipe(gpointer block) {
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
  *bytes = g_bytes_new_with_free_func(block + 1, length, bytes_wipe, block);
}

static void field_clear(L2tpCallInfo *info, guint index) {
  switch ((FieldKind)fields[index].kind) {
  case FIELD_TEXT:
    g_clear_pointer((char **)field_at(info, index), g_free);
    break;
  case FIELD_BYTES:
    g_clear_pointer((GBytes **)field_at(info, index), g_bytes_unref);
    break;
  case FIELD_U32:
  case FIELD_U16:
  case FIELD_U8_IN_U16:
  case FIELD_FLAG:
    break;
  }
}

void l2tp_call_info_clear(L2tpCallInfo *info) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    field_clear(info, i);
  memset(info, 0, sizeof *info);
}

void l2tp_call_info_copy(L2tpCallInfo *to, const L2tpCallInfo *from) {
  *to = *from;
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    if (fields[i].kind == FIELD_TEXT)
      *(char **)field_at(to, i) = g_strdup(*(char **)field_at(from, i));
    else if (fields[i].kind == FIELD_BYTES && *(GBytes **)field_at(from, i))
      g_bytes_ref(*(GBytes **)field_at(to, i));
  }
}

void l2tp_call_info_learn(L2tpCallInfo *info, const L2tpMessage *message) {
  char text[TEXT_MAX];

  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    guint type = fields[i].type;
    gpointer at = field_at(info, i);
    if (!l2tp_message_has(message, type) || !(l2tp_avps[type].messages & L2TP_IN(message->type)))
      continue;
    switch ((FieldKind)fields[i].kind) {
    case FIELD_U32:
      *(guint32 *)at = (guint32)l2tp_message_number(message, type);
      break;
    case FIELD_U16:
      *(guint16 *)at = (guint16)l2tp_message_number(message, type);
      break;
    case FIELD_U8_IN_U16:
      *(guint8 *)at = (guint8)l2tp_message_number(message, type);
      break;
    case FIELD_TEXT:
      g_free(*(char **)at);
      *(char **)at = g_strdup(l2tp_message_text(message, type, text, sizeof text));
      break;
    case FIELD_BYTES:
      bytes_set(at, message->avp[type].data, message->avp[type].length);
      break;
    case FIELD_FLAG:
      *(gboolean *)at = TRUE;
      break;
    }
  }
}

void l2tp_call_info_write(const L2tpCallInfo *info, guint16 type, L2tpWriter *w) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    gconstpointer at = field_at(info, i);
    guint16 avp = fields[i].type;
    if (!(l2tp_avps[avp].messages & L2TP_IN(type)))
      continue;
    gboolean always = fields[i].always || (l2tp_avps[avp].required & L2TP_IN(type));
    switch ((FieldKind)fields[i].kind) {
    case FIELD_U32:
      if (always || *(const guint32 *)at)
        l2tp_write_u32(w, avp, *(const guint32 *)at);
      break;
    case FIELD_U16:
      if (*(const guint16 *)at)
        l2tp_write_u16(w, avp, *(const guint16 *)at);
      break;
    case FIELD_U8_IN_U16:
      if (info->auth_type)
        l2tp_write_u16(w, avp, *(const guint8 *)at);
      break;
    case FIELD_TEXT:
      l2tp_write_text(w, avp, *(char *const *)at ? *(char *const *)at : always ? "" : NULL);
      break;
    case FIELD_BYTES:
      if (*(GBytes *const *)at)
        l2tp_write_bytes(w, avp, g_bytes_get_data(*(GBytes *const *)at, NULL), g_bytes_get_size(*(GBytes *const *)at));
      break;
    case FIELD_FLAG:
      if (*(const gboolean *)at)
        l2tp_write_bytes(w, avp, "", 0);
      break;
    }
  }
}

/** Octets with their length before them; 0xffff = none. */
static void save_bytes(AditBuilder *out, const void *data, gsize length) {
  adit_put_u16(out, data ? (guint16)length : G_MAXUINT16);
  if (data)
    adit_put_bytes(out, data, length);
}

void l2tp_call_info_save(const L2tpCallInfo *info, AditBuilder *out) {
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    gconstpointer at = field_at(info, i);
    switch ((FieldKind)fields[i].kind) {
    case FIELD_U32:
      adit_put_u32(out, *(const guint32 *)at);
      break;
    case FIELD_U16:
      adit_put_u16(out, *(const guint16 *)at);
      break;
    case FIELD_U8_IN_U16:
      adit_put_u8(out, *(const guint8 *)at);
      break;
    case FIELD_FLAG:
      adit_put_u8(out, *(const gboolean *)at ? 1 : 0);
      break;
    case FIELD_TEXT:
      save_bytes(out, *(char *const *)at, *(char *const *)at ? strlen(*(char *const *)at) : 0);
      break;
    case FIELD_BYTES:
      save_bytes(out, *(GBytes *const *)at ? g_bytes_get_data(*(GBytes *const *)at, NULL) : NULL,
                 *(GBytes *const *)at ? g_bytes_get_size(*(GBytes *const *)at) : 0);
      break;
    }
  }
}

gboolean l2tp_call_info_restore(L2tpCallInfo *info, AditCursor *in) {
  memset(info, 0, sizeof *info);
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    gpointer at = field_at(info, i);
    guint16 length = 0;
    const guint8 *data = NULL;
    if (fields[i].kind == FIELD_TEXT || fields[i].kind == FIELD_BYTES) {
      length = adit_get_u16(in);
      data = length == G_MAXUINT16 ? NULL : adit_get_bytes(in, length);
    }
    switch ((FieldKind)fields[i].kind) {
    case FIELD_U32:
      *(guint32 *)at = adit_get_u32(in);
      break;
    case FIELD_U16:
      *(guint16 *)at = adit_get_u16(in);
      break;
    case FIELD_U8_IN_U16:
      *(guint8 *)at = adit_get_u8(in);
      break;
    case FIELD_FLAG:
      *(gboolean *)at = adit_get_u8(in) != 0;
      break;
    case FIELD_TEXT:
      *(char **)at = data ? g_strndup((const char *)data, length) : NULL;
      break;
    case FIELD_BYTES:
      if (data)
        bytes_set(at, data, length);
      break;
    }
  }
  if (in->bad)
    l2tp_call_info_clear(info);
  return !in->bad;
}
