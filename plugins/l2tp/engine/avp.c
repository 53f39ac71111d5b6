/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "avp.h"

#define IN(m)     L2TP_IN(L2TP_##m)
#define START     (IN(SCCRQ) | IN(SCCRP))
#define ANY       0xffffffffu
#define VALUE_MAX 1017

/* clang-format off */
const L2tpAvpDesc l2tp_avps[L2TP_AVP_MAX + 1] = {
  /*                                    name                          min  max       M      hide   allowed in required in */
  [L2TP_AVP_MESSAGE_TYPE]            = {"Message Type",               2,   2,         TRUE,  FALSE, ANY,                      ANY},
  [L2TP_AVP_RESULT_CODE]             = {"Result Code",                2,   VALUE_MAX, TRUE,  FALSE, IN(CDN) | IN(STOPCCN),    IN(CDN) | IN(STOPCCN)},
  [L2TP_AVP_PROTOCOL_VERSION]        = {"Protocol Version",           2,   2,         TRUE,  FALSE, START,                    START},
  [L2TP_AVP_FRAMING_CAPABILITIES]    = {"Framing Capabilities",       4,   4,         TRUE,  TRUE,  START,                    START},
  [L2TP_AVP_BEARER_CAPABILITIES]     = {"Bearer Capabilities",        4,   4,         TRUE,  TRUE,  START,                    0},
  [L2TP_AVP_TIE_BREAKER]             = {"Tie Breaker",                8,   8,         FALSE, FALSE, IN(SCCRQ),                0},
  [L2TP_AVP_FIRMWARE_REVISION]       = {"Firmware Revision",          2,   2,         FALSE, TRUE,  START,                    0},
  [L2TP_AVP_HOST_NAME]               = {"Host Name",                  1,   VALUE_MAX, TRUE,  FALSE, START,                    START},
  [L2TP_AVP_VENDOR_NAME]             = {"Vendor Name",                0,   VALUE_MAX, FALSE, TRUE,  START,                    0},
  [L2TP_AVP_ASSIGNED_TUNNEL_ID]      = {"Assigned Tunnel ID",         2,   2,         TRUE,  TRUE,  START | IN(STOPCCN),      START | IN(STOPCCN)},
  [L2TP_AVP_RECEIVE_WINDOW_SIZE]     = {"Receive Window Size",        2,   2,         TRUE,  FALSE, START,                    0},
  [L2TP_AVP_CHALLENGE]               = {"Challenge",                  1,   VALUE_MAX, TRUE,  TRUE,  START,                    0},
  [L2TP_AVP_CAUSE_CODE]              = {"Q.931 Cause Code",           3,   VALUE_MAX, TRUE,  FALSE, IN(CDN),                  0},
  [L2TP_AVP_CHALLENGE_RESPONSE]      = {"Challenge Response",         16,  16,        TRUE,  TRUE,  IN(SCCRP) | IN(SCCCN),    0},
  [L2TP_AVP_ASSIGNED_SESSION_ID]     = {"Assigned Session ID",        2,   2,         TRUE,  TRUE,
                                        IN(CDN) | IN(ICRQ) | IN(ICRP) | IN(OCRQ) | IN(OCRP), IN(CDN) | IN(ICRQ) | IN(ICRP) | IN(OCRQ) | IN(OCRP)},
  [L2TP_AVP_CALL_SERIAL_NUMBER]      = {"Call Serial Number",         4,   4,         TRUE,  TRUE,  IN(ICRQ) | IN(OCRQ),      IN(ICRQ) | IN(OCRQ)},
  [L2TP_AVP_MINIMUM_BPS]             = {"Minimum BPS",                4,   4,         TRUE,  TRUE,  IN(OCRQ),                 IN(OCRQ)},
  [L2TP_AVP_MAXIMUM_BPS]             = {"Maximum BPS",                4,   4,         TRUE,  TRUE,  IN(OCRQ),                 IN(OCRQ)},
  [L2TP_AVP_BEARER_TYPE]             = {"Bearer Type",                4,   4,         TRUE,  TRUE,  IN(ICRQ) | IN(OCRQ),      IN(OCRQ)},
  [L2TP_AVP_FRAMING_TYPE]            = {"Framing Type",               4,   4,         TRUE,  TRUE,
                                        IN(ICCN) | IN(OCCN) | IN(OCRQ), IN(ICCN) | IN(OCCN) | IN(OCRQ)},
  [L2TP_AVP_CALLED_NUMBER]           = {"Called Number",              0,   VALUE_MAX, TRUE,  TRUE,  IN(ICRQ) | IN(OCRQ),      IN(OCRQ)},
  [L2TP_AVP_CALLING_NUMBER]          = {"Calling Number",             0,   VALUE_MAX, TRUE,  TRUE,  IN(ICRQ),                 0},
  [L2TP_AVP_SUB_ADDRESS]             = {"Sub-Address",                0,   VALUE_MAX, TRUE,  TRUE,  IN(ICRQ) | IN(OCRQ),      0},
  [L2TP_AVP_TX_CONNECT_SPEED]        = {"Tx Connect Speed",           4,   4,         TRUE,  TRUE,  IN(ICCN) | IN(OCCN),      IN(ICCN) | IN(OCCN)},
  [L2TP_AVP_PHYSICAL_CHANNEL_ID]     = {"Physical Channel ID",        4,   4,         FALSE, TRUE,  IN(ICRQ) | IN(OCRP),      0},
  [L2TP_AVP_INITIAL_RECEIVED_CONFREQ]= {"Initial Received LCP CONFREQ", 0, VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_LAST_SENT_CONFREQ]       = {"Last Sent LCP CONFREQ",      0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_LAST_RECEIVED_CONFREQ]   = {"Last Received LCP CONFREQ",  0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_PROXY_AUTHEN_TYPE]       = {"Proxy Authen Type",          2,   2,         FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_PROXY_AUTHEN_NAME]       = {"Proxy Authen Name",          0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_PROXY_AUTHEN_CHALLENGE]  = {"Proxy Authen Challenge",     0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_PROXY_AUTHEN_ID]         = {"Proxy Authen ID",            2,   2,         FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_PROXY_AUTHEN_RESPONSE]   = {"Proxy Authen Response",      0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_CALL_ERRORS]             = {"Call Errors",                26,  26,        TRUE,  TRUE,  IN(WEN),                  IN(WEN)},
  [L2TP_AVP_ACCM]                    = {"ACCM",                       10,  10,        TRUE,  TRUE,  IN(SLI),                  IN(SLI)},
  [L2TP_AVP_RANDOM_VECTOR]           = {"Random Vector",              1,   VALUE_MAX, TRUE,  FALSE, ANY,                      0},
  [L2TP_AVP_PRIVATE_GROUP_ID]        = {"Private Group ID",           0,   VALUE_MAX, FALSE, TRUE,  IN(ICCN),                 0},
  [L2TP_AVP_RX_CONNECT_SPEED]        = {"Rx Connect Speed",           4,   4,         FALSE, TRUE,  IN(ICCN) | IN(OCCN),      0},
  [L2TP_AVP_SEQUENCING_REQUIRED]     = {"Sequencing Required",        0,   0,         TRUE,  FALSE, IN(ICCN) | IN(OCCN),      0},
  [40]                               = {"Rx Minimum BPS",             4,   4,         FALSE, TRUE,  IN(OCRQ),                 0}, /* RFC 3301 */
  [41]                               = {"Rx Maximum BPS",             4,   4,         FALSE, TRUE,  IN(OCRQ),                 0},
  [42]                               = {"Service Category",           2,   2,         FALSE, TRUE,  IN(ICRQ) | IN(OCRQ),      0},
  [43]                               = {"Service Name",               0,   VALUE_MAX, FALSE, TRUE,  IN(ICRQ) | IN(OCRQ),      0},
  [44]                               = {"Calling Sub-Address",        0,   VALUE_MAX, FALSE, TRUE,  IN(ICRQ),                 0},
  [45]                               = {"VPI/VCI Identifier",         4,   4,         FALSE, TRUE,  IN(ICRQ) | IN(OCRP),      0},
  [L2TP_AVP_PPP_DISCONNECT_CAUSE]    = {"PPP Disconnect Cause",       5,   VALUE_MAX, FALSE, TRUE,  IN(CDN),                  0}, /* RFC 3145 */
  [47]                               = {"Control Connection DS",      2,   VALUE_MAX, FALSE, TRUE,  START,                    0}, /* RFC 3308 */
  [48]                               = {"Session DS",                 2,   VALUE_MAX, FALSE, TRUE,  IN(ICRQ) | IN(ICRP) | IN(OCRQ) | IN(OCRP), 0},
};
/* clang-format on */

const char *l2tp_message_name(guint type) {
  static const char *const names[L2TP_MESSAGE_MAX + 1] = {
      [L2TP_SCCRQ] = "SCCRQ", [L2TP_SCCRP] = "SCCRP", [L2TP_SCCCN] = "SCCCN", [L2TP_STOPCCN] = "StopCCN", [L2TP_HELLO] = "HELLO",
      [L2TP_OCRQ] = "OCRQ",   [L2TP_OCRP] = "OCRP",   [L2TP_OCCN] = "OCCN",   [L2TP_ICRQ] = "ICRQ",       [L2TP_ICRP] = "ICRP",
      [L2TP_ICCN] = "ICCN",   [L2TP_CDN] = "CDN",     [L2TP_WEN] = "WEN",     [L2TP_SLI] = "SLI",
  };
  return type <= L2TP_MESSAGE_MAX ? names[type] : NULL;
}

gboolean l2tp_message_is_call(guint type) {
  return type >= L2TP_OCRQ && type <= L2TP_SLI && l2tp_message_name(type);
}

enum { BIT_MANDATORY = 0x8000, BIT_HIDDEN = 0x4000, BITS_RESERVED = 0x3c00, LENGTH_MASK = 0x03ff, AVP_HEADER = 6 };

gboolean l2tp_avp_next(AditCursor *in, L2tpAvp *out) {
  if (in->bad || !adit_left(in))
    return FALSE;

  guint16 flags = adit_get_u16(in);
  guint16 length = flags & LENGTH_MASK;
  out->mandatory = (flags & BIT_MANDATORY) != 0;
  out->hidden = (flags & BIT_HIDDEN) != 0;
  out->reserved = (flags & BITS_RESERVED) != 0;
  out->vendor = adit_get_u16(in);
  out->type = adit_get_u16(in);
  if (length < AVP_HEADER)
    in->bad = TRUE;
  out->value = adit_get_sub(in, in->bad ? 0 : length - AVP_HEADER);
  return !in->bad;
}
