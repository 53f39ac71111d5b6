/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "message.h"

#include "hidden.h"

/** The state of one pass over a message's AVPs. */
typedef struct {
  L2tpMessage *m;
  const L2tpParse *how;
  const guint8 *vector; /**< the last Random Vector: it holds until the next (RFC 2661 4.3) */
  gsize vector_length;
} Walk;

/** The first error counts. */
G_GNUC_PRINTF(3, 4)
static void message_complain(L2tpMessage *m, guint16 error, const char *format, ...) {
  va_list args;

  if (m->verdict != L2TP_VERDICT_OK)
    return;
  m->verdict = l2tp_message_is_call(m->type) ? L2TP_VERDICT_CALL : L2TP_VERDICT_TUNNEL;
  m->error = error;
  va_start(args, format);
  g_vsnprintf(m->why, sizeof m->why, format, args);
  va_end(args);
}

/** Replaces a hidden value by what was hidden. False if that can't be done. */
static gboolean message_uncover(Walk *walk, L2tpAvp *avp) {
  L2tpMessage *m = walk->m;
  gsize length = adit_left(&avp->value);

  if (!walk->how->secret || !walk->vector) {
    m->undecoded = TRUE;
    return FALSE;
  }
  if (length > sizeof m->scratch - m->scratch_used)
    return FALSE;
  guint8 *plain = m->scratch + m->scratch_used;
  gssize original = l2tp_unhide(avp->type, walk->how->secret, walk->vector, walk->vector_length, avp->value.at, length, plain);
  if (original < 0)
    return FALSE;
  m->scratch_used += (guint16)length;
  avp->value = adit_cursor(plain + 2, (gsize)original);
  return TRUE;
}

static void message_take(Walk *walk, L2tpAvp *avp) {
  L2tpMessage *m = walk->m;
  gboolean matters = avp->mandatory && !walk->how->permissive;
  /* The vendor comes before the type: another vendor's numbers mean other things. */
  const L2tpAvpDesc *desc = !avp->vendor && !avp->reserved && avp->type <= L2TP_AVP_MAX ? &l2tp_avps[avp->type] : NULL;

  if (!desc || !desc->name) {
    if (matters)
      message_complain(m, L2TP_ERROR_MANDATORY_AVP, "unknown mandatory AVP %u of vendor %u", avp->type, avp->vendor);
    return;
  }
  if (avp->hidden && !desc->hideable) {
    if (matters)
      message_complain(m, L2TP_ERROR_RANGE, "%s must not be hidden", desc->name);
    return;
  }
  if (avp->hidden && !message_uncover(walk, avp)) {
    if (matters)
      message_complain(m, L2TP_ERROR_MANDATORY_AVP, "hidden %s can't be read", desc->name);
    return;
  }

  gsize length = adit_left(&avp->value);
  if (length < desc->min || length > desc->max) {
    if (matters)
      message_complain(m, L2TP_ERROR_LENGTH, "%s has a wrong length of %zu", desc->name, length);
    return;
  }
  if (avp->type == L2TP_AVP_RANDOM_VECTOR) {
    walk->vector = avp->value.at;
    walk->vector_length = length;
  }
  if (!m->avp[avp->type].data)
    m->avp[avp->type] = (L2tpBytes){avp->value.at, (guint16)length};
}

static void message_require(L2tpMessage *m, gboolean permissive) {
  for (guint type = 0; type <= L2TP_AVP_MAX; type++) {
    gboolean id = type == L2TP_AVP_ASSIGNED_TUNNEL_ID || type == L2TP_AVP_ASSIGNED_SESSION_ID;
    if ((l2tp_avps[type].required & L2TP_IN(m->type)) && !m->avp[type].data && (id || !permissive))
      message_complain(m, L2TP_ERROR_RANGE, "%s lacks %s", l2tp_message_name(m->type), l2tp_avps[type].name);
  }
  if ((m->type == L2TP_SCCRQ || m->type == L2TP_SCCRP) && m->avp[L2TP_AVP_ASSIGNED_TUNNEL_ID].data &&
      !l2tp_message_number(m, L2TP_AVP_ASSIGNED_TUNNEL_ID))
    message_complain(m, L2TP_ERROR_RANGE, "Assigned Tunnel ID is 0");
  if (m->type != L2TP_CDN && m->avp[L2TP_AVP_ASSIGNED_SESSION_ID].data && !l2tp_message_number(m, L2TP_AVP_ASSIGNED_SESSION_ID))
    message_complain(m, L2TP_ERROR_RANGE, "Assigned Session ID is 0");
  if (m->avp[L2TP_AVP_RECEIVE_WINDOW_SIZE].data && !l2tp_message_number(m, L2TP_AVP_RECEIVE_WINDOW_SIZE))
    message_complain(m, L2TP_ERROR_RANGE, "Receive Window Size is 0");
}

/** Reads the Message Type AVP, which comes first. False if it is none that we know. */
static gboolean message_begin(L2tpMessage *m, AditCursor *in) {
  L2tpAvp avp;

  if (!l2tp_avp_next(in, &avp) || avp.vendor || avp.type != L2TP_AVP_MESSAGE_TYPE || avp.hidden || avp.reserved ||
      adit_left(&avp.value) != 2) {
    message_complain(m, L2TP_ERROR_RANGE, "the message does not begin with its type");
    return FALSE;
  }
  m->avp[L2TP_AVP_MESSAGE_TYPE] = (L2tpBytes){avp.value.at, 2};
  m->type = adit_get_u16(&avp.value);
  if (l2tp_message_name(m->type))
    return TRUE;
  if (avp.mandatory)
    message_complain(m, L2TP_ERROR_MANDATORY_AVP, "unknown message type %u", m->type);
  else
    m->verdict = L2TP_VERDICT_IGNORE;
  return FALSE;
}

void l2tp_message_parse(L2tpMessage *out, const L2tpParse *how, const guint8 *body, gsize length) {
  AditCursor in = adit_cursor(body, length);
  Walk walk = {.m = out, .how = how};
  L2tpAvp avp;

  memset(out, 0, G_STRUCT_OFFSET(L2tpMessage, scratch));
  gboolean known = message_begin(out, &in);
  while (l2tp_avp_next(&in, &avp)) /* also of a message that is refused: the answer to it needs the ids */
    message_take(&walk, &avp);
  if (!known)
    return;
  if (in.bad)
    message_complain(out, L2TP_ERROR_LENGTH, "an AVP does not fit into the message");
  message_require(out, how->permissive);

  /* A StopCCN or CDN ends its tunnel or call even if it is malformed. */
  if (out->type == L2TP_STOPCCN || out->type == L2TP_CDN)
    out->verdict = L2TP_VERDICT_OK;
}

gboolean l2tp_message_has(const L2tpMessage *message, guint type) {
  return message->avp[type].data != NULL;
}

guint64 l2tp_message_number(const L2tpMessage *message, guint type) {
  guint64 value = 0;

  for (guint i = 0; i < MIN(message->avp[type].length, 8); i++)
    value = value << 8 | message->avp[type].data[i];
  return value;
}

static void copy_printable(char *text, gsize size, const guint8 *from, gsize length) {
  gsize n = MIN(length, size - 1);

  for (gsize i = 0; i < n; i++)
    text[i] = g_ascii_isprint((char)from[i]) ? (char)from[i] : '?';
  text[n] = 0;
}

const char *l2tp_message_text(const L2tpMessage *message, guint type, char *text, gsize size) {
  copy_printable(text, size, message->avp[type].data, message->avp[type].length);
  return text;
}

/** Some peers write these two numbers in host byte order: 0x0100 for 1. */
static guint16 swap_if_foreign(guint16 value) {
  return value >= 0x100 && !(value & 0xff) ? value >> 8 : value;
}

gboolean l2tp_message_result(const L2tpMessage *message, gboolean call, L2tpResult *out) {
  AditCursor in = adit_cursor(message->avp[L2TP_AVP_RESULT_CODE].data, message->avp[L2TP_AVP_RESULT_CODE].length);

  memset(out, 0, sizeof *out);
  if (!l2tp_message_has(message, L2TP_AVP_RESULT_CODE))
    return FALSE;
  out->result = swap_if_foreign(adit_get_u16(&in));
  if (adit_left(&in) >= 2)
    out->error = swap_if_foreign(adit_get_u16(&in));
  copy_printable(out->text, sizeof out->text, in.at, adit_left(&in));
  return TRUE;
}

const char *l2tp_result_word(gboolean call, guint result) {
  static const char *const stop[] = {"reserved",       "cleared",
                                     "general error",  "control channel already exists",
                                     "not authorized", "protocol version not supported",
                                     "shutting down",  "state machine error"};
  static const char *const cdn[] = {"reserved",
                                    "carrier lost",
                                    "general error",
                                    "administrative reasons",
                                    "no facilities for now",
                                    "no facilities",
                                    "invalid destination",
                                    "no carrier",
                                    "busy",
                                    "no dial tone",
                                    "not connected in time",
                                    "no appropriate framing"};
  if (call)
    return result < G_N_ELEMENTS(cdn) ? cdn[result] : "unknown result";
  return result < G_N_ELEMENTS(stop) ? stop[result] : "unknown result";
}

const char *l2tp_error_word(guint error) {
  static const char *const words[] = {
      "no error",           "no control connection yet", "wrong length", "value out of range",   "no resources",
      "invalid session id", "vendor specific error",     "try another",  "unknown mandatory AVP"};
  return error < G_N_ELEMENTS(words) ? words[error] : "unknown error";
}
