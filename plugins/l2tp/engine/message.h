/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * message.h - a control message, read as a whole by the rules of RFC 2661 4.1 to 4.4, and written.
 *
 * Nothing is allocated: values point into the datagram, or, uncovered, into the message itself.
 */
#pragma once

#include "avp.h"
#include "header.h"

/** General error codes (RFC 2661 4.4.2). */
enum {
  L2TP_ERROR_NONE = 0,
  L2TP_ERROR_NO_CONNECTION = 1,
  L2TP_ERROR_LENGTH = 2,
  L2TP_ERROR_RANGE = 3,
  L2TP_ERROR_RESOURCES = 4,
  L2TP_ERROR_SESSION_ID = 5,
  L2TP_ERROR_VENDOR = 6,
  L2TP_ERROR_TRY_ANOTHER = 7,
  L2TP_ERROR_MANDATORY_AVP = 8,
};

typedef struct {
  const guint8 *data; /**< NULL: the attribute is not there */
  guint16 length;
} L2tpBytes;

typedef enum {
  L2TP_VERDICT_OK = 0,
  L2TP_VERDICT_IGNORE, /**< to be acknowledged and forgotten: an unknown message without the M bit */
  L2TP_VERDICT_CALL,   /**< the call it is about must be cleared: `error` and `why` say what for */
  L2TP_VERDICT_TUNNEL, /**< the tunnel must be cleared */
} L2tpVerdict;

typedef struct {
  guint16 type;
  L2tpVerdict verdict;
  guint16 error; /**< general error code (RFC 2661 4.4.2), with the verdicts CALL and TUNNEL */
  char why[80];
  L2tpBytes avp[L2TP_AVP_MAX + 1];
  gboolean undecoded; /**< a hidden AVP could not be read for want of a secret */
  guint16 scratch_used;
  guint8 scratch[L2TP_CONTROL_MAX]; /**< uncovered values */
} L2tpMessage;

typedef struct {
  const char *secret;  /**< for hidden AVPs; NULL = none known */
  gboolean permissive; /**< ignore what is unknown or missing even where the M bit forbids it */
} L2tpParse;

/** Reads `length` octets of AVPs. Always leaves a whole message: see `verdict`. */
void l2tp_message_parse(L2tpMessage *out, const L2tpParse *how, const guint8 *body, gsize length);

gboolean l2tp_message_has(const L2tpMessage *message, guint type);
/** The value as a number in host order (2, 4 or 8 octets, by its length); 0 when it is not there. */
guint64 l2tp_message_number(const L2tpMessage *message, guint type);
/** The value as printable text: what is not printable ASCII becomes '?'. Cut to `size`. "" when it is not there. */
const char *l2tp_message_text(const L2tpMessage *message, guint type, char *text, gsize size);

/** Result Code AVP (RFC 2661 4.4.2), tolerantly: 2 octets, or 4 and text; a byte-swapped one is put right. */
typedef struct {
  guint16 result, error;
  char text[128];
} L2tpResult;
/** False when there is none. `call`: of a CDN. */
gboolean l2tp_message_result(const L2tpMessage *message, gboolean call, L2tpResult *out);
/** Meaning of a result and error code: a constant. */
const char *l2tp_result_word(gboolean call, guint result);
const char *l2tp_error_word(guint error);

/* ---- writing ---- */

typedef struct {
  AditBuilder b;
  guint8 buffer[L2TP_CONTROL_MAX];
  const char *hide;  /**< secret to hide with; NULL = nothing is hidden */
  guint8 vector[16]; /**< Random Vector; sent before the first hidden AVP */
  gboolean vector_sent;
} L2tpWriter;

/** Begins a message with its header (Ns and Nr are the channel's) and Message Type AVP. `hide`: NULL, or the secret with
 *  16 random octets in `vector`. */
void l2tp_write_begin(L2tpWriter *w, guint16 type, guint16 tunnel, guint16 session, const char *hide, const guint8 *vector);
void l2tp_write_bytes(L2tpWriter *w, guint16 type, const void *data, gsize length);
void l2tp_write_u16(L2tpWriter *w, guint16 type, guint16 value);
void l2tp_write_u32(L2tpWriter *w, guint16 type, guint32 value);
/** Nothing when `text` is NULL; cut to what the attribute holds. */
void l2tp_write_text(L2tpWriter *w, guint16 type, const char *text);
void l2tp_write_result(L2tpWriter *w, guint16 result, guint16 error, const char *text);
/** Length of the message in w->buffer; 0 if it did not fit. */
gsize l2tp_write_end(L2tpWriter *w);
