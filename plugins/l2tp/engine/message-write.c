/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "hidden.h"
#include "message.h"

enum { BIT_MANDATORY = 0x8000, BIT_HIDDEN = 0x4000, AVP_HEADER = 6, VALUE_MAX = 1017 };

static void write_avp(L2tpWriter *w, guint16 type, guint16 flags, const void *data, gsize length) {
  if (length > VALUE_MAX) {
    w->b.bad = TRUE;
    return;
  }
  adit_put_u16(&w->b, (guint16)(flags | (length + AVP_HEADER)));
  adit_put_u16(&w->b, 0);
  adit_put_u16(&w->b, type);
  adit_put_bytes(&w->b, data, length);
}

void l2tp_write_begin(L2tpWriter *w, guint16 type, guint16 tunnel, guint16 session, const char *hide, const guint8 *vector) {
  w->b = adit_builder(w->buffer, sizeof w->buffer);
  w->hide = hide;
  w->vector_sent = FALSE;
  if (hide)
    memcpy(w->vector, vector, sizeof w->vector);
  l2tp_header_put(&w->b, tunnel, session, 0, 0);
  l2tp_write_u16(w, L2TP_AVP_MESSAGE_TYPE, type);
}

void l2tp_write_bytes(L2tpWriter *w, guint16 type, const void *data, gsize length) {
  const L2tpAvpDesc *desc = &l2tp_avps[type];
  guint16 flags = desc->mandatory ? BIT_MANDATORY : 0;
  guint8 hidden[L2TP_HIDE_MAX];

  if (!w->hide || !desc->hideable) {
    write_avp(w, type, flags, data, length);
    return;
  }
  if (!w->vector_sent) {
    write_avp(w, L2TP_AVP_RANDOM_VECTOR, BIT_MANDATORY, w->vector, sizeof w->vector);
    w->vector_sent = TRUE;
  }
  if (l2tp_hide(type, w->hide, w->vector, sizeof w->vector, data, length, NULL, 0, hidden))
    write_avp(w, type, flags | BIT_HIDDEN, hidden, length + 2);
  else
    w->b.bad = TRUE;
}

void l2tp_write_u16(L2tpWriter *w, guint16 type, guint16 value) {
  guint16 wire = GUINT16_TO_BE(value);
  l2tp_write_bytes(w, type, &wire, sizeof wire);
}

void l2tp_write_u32(L2tpWriter *w, guint16 type, guint32 value) {
  guint32 wire = GUINT32_TO_BE(value);
  l2tp_write_bytes(w, type, &wire, sizeof wire);
}

void l2tp_write_text(L2tpWriter *w, guint16 type, const char *text) {
  if (text)
    l2tp_write_bytes(w, type, text, MIN(strlen(text), l2tp_avps[type].max - 2u));
}

void l2tp_write_result(L2tpWriter *w, guint16 result, guint16 error, const char *text) {
  guint8 value[4 + 160];
  AditBuilder b = adit_builder(value, sizeof value);

  adit_put_u16(&b, result);
  if (error || (text && *text)) {
    adit_put_u16(&b, error);
    adit_put_bytes(&b, text ? text : "", text ? MIN(strlen(text), 160) : 0);
  }
  l2tp_write_bytes(w, L2TP_AVP_RESULT_CODE, value, adit_built(&b));
}

gsize l2tp_write_end(L2tpWriter *w) {
  l2tp_header_finish(&w->b);
  return w->b.bad ? 0 : adit_built(&w->b);
}
