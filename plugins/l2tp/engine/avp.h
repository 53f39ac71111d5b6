/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** avp.h - the attributes of RFC 2661 4.4 (and 3145, 3301, 3308 ...), their rules, and a bounded walk over them. */
#pragma once

#include <adit/cursor.h>

enum {
  L2TP_AVP_MESSAGE_TYPE = 0,
  L2TP_AVP_RESULT_CODE = 1,
  L2TP_AVP_PROTOCOL_VERSION = 2,
  L2TP_AVP_FRAMING_CAPABILITIES = 3,
  L2TP_AVP_BEARER_CAPABILITIES = 4,
  L2TP_AVP_TIE_BREAKER = 5,
  L2TP_AVP_FIRMWARE_REVISION = 6,
  L2TP_AVP_HOST_NAME = 7,
  L2TP_AVP_VENDOR_NAME = 8,
  L2TP_AVP_ASSIGNED_TUNNEL_ID = 9,
  L2TP_AVP_RECEIVE_WINDOW_SIZE = 10,
  L2TP_AVP_CHALLENGE = 11,
  L2TP_AVP_CAUSE_CODE = 12,
  L2TP_AVP_CHALLENGE_RESPONSE = 13,
  L2TP_AVP_ASSIGNED_SESSION_ID = 14,
  L2TP_AVP_CALL_SERIAL_NUMBER = 15,
  L2TP_AVP_MINIMUM_BPS = 16,
  L2TP_AVP_MAXIMUM_BPS = 17,
  L2TP_AVP_BEARER_TYPE = 18,
  L2TP_AVP_FRAMING_TYPE = 19,
  L2TP_AVP_CALLED_NUMBER = 21,
  L2TP_AVP_CALLING_NUMBER = 22,
  L2TP_AVP_SUB_ADDRESS = 23,
  L2TP_AVP_TX_CONNECT_SPEED = 24,
  L2TP_AVP_PHYSICAL_CHANNEL_ID = 25,
  L2TP_AVP_INITIAL_RECEIVED_CONFREQ = 26,
  L2TP_AVP_LAST_SENT_CONFREQ = 27,
  L2TP_AVP_LAST_RECEIVED_CONFREQ = 28,
  L2TP_AVP_PROXY_AUTHEN_TYPE = 29,
  L2TP_AVP_PROXY_AUTHEN_NAME = 30,
  L2TP_AVP_PROXY_AUTHEN_CHALLENGE = 31,
  L2TP_AVP_PROXY_AUTHEN_ID = 32,
  L2TP_AVP_PROXY_AUTHEN_RESPONSE = 33,
  L2TP_AVP_CALL_ERRORS = 34,
  L2TP_AVP_ACCM = 35,
  L2TP_AVP_RANDOM_VECTOR = 36,
  L2TP_AVP_PRIVATE_GROUP_ID = 37,
  L2TP_AVP_RX_CONNECT_SPEED = 38,
  L2TP_AVP_SEQUENCING_REQUIRED = 39,
  L2TP_AVP_PPP_DISCONNECT_CAUSE = 46, /**< RFC 3145 */
  L2TP_AVP_MAX = 48,                  /**< highest type in the table: CS PHB (RFC 3308 ends at 48) */
};

typedef enum {
  L2TP_SCCRQ = 1,
  L2TP_SCCRP = 2,
  L2TP_SCCCN = 3,
  L2TP_STOPCCN = 4,
  L2TP_HELLO = 6,
  L2TP_OCRQ = 7,
  L2TP_OCRP = 8,
  L2TP_OCCN = 9,
  L2TP_ICRQ = 10,
  L2TP_ICRP = 11,
  L2TP_ICCN = 12,
  L2TP_CDN = 14,
  L2TP_WEN = 15,
  L2TP_SLI = 16,
} L2tpMessageType;
#define L2TP_MESSAGE_MAX 16
#define L2TP_IN(message) (1u << (message))

/** The rules of RFC 2661 4.4 for one attribute. */
typedef struct {
  const char *name;   /**< NULL: not assigned, or unknown to us */
  guint16 min, max;   /**< octets of its value */
  gboolean mandatory; /**< M bit when we send it */
  gboolean hideable;  /**< MAY be hidden */
  guint32 messages;   /**< L2TP_IN() bits: the messages that may have it */
  guint32 required;   /**< where it must */
} L2tpAvpDesc;

extern const L2tpAvpDesc l2tp_avps[L2TP_AVP_MAX + 1];

/** `SCCRQ`, ..., or NULL for a type that RFC 2661 does not define. */
const char *l2tp_message_name(guint type);
/** True for messages of a call: what is wrong with them concerns that call alone. */
gboolean l2tp_message_is_call(guint type);

typedef struct {
  gboolean mandatory, hidden;
  gboolean reserved; /**< a reserved bit is set: to be taken for unrecognised (RFC 2661 4.1) */
  guint16 vendor, type;
  AditCursor value;
} L2tpAvp;

/** The next AVP of a message's body. False at the end, or when one does not fit (then in->bad). */
gboolean l2tp_avp_next(AditCursor *in, L2tpAvp *out);
