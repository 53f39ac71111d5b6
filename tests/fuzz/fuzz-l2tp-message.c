/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Header and AVPs. The first octet says how: 1 a secret is known, 2 permissive, 4 hidden AVPs come in clear and are hidden here, so
 * that what they uncover to is the attacker's choice, its length octets included. */
#include "plugins/l2tp/engine/hidden.h"
#include "plugins/l2tp/engine/message.h"

enum { HOW_SECRET = 1, HOW_PERMISSIVE = 2, HOW_HIDE = 4 };

static const char secret[] = "secret";

static void hide_all(guint8 *body, gsize length) {
  AditCursor in = adit_cursor(body, length);
  const guint8 *vector = NULL;
  gsize vector_length = 0;
  L2tpAvp avp;

  while (l2tp_avp_next(&in, &avp)) {
    gsize n = adit_left(&avp.value);
    guint8 *value = body + (avp.value.at - body), out[L2TP_HIDE_MAX];
    if (avp.type == L2TP_AVP_RANDOM_VECTOR && !avp.hidden) {
      vector = value;
      vector_length = n;
    } else if (avp.hidden && vector && n >= 2 && l2tp_hide(avp.type, secret, vector, vector_length, value + 2, n - 2, NULL, 0, out)) {
      out[0] ^= (guint8)(value[0] ^ (n - 2) >> 8);
      out[1] ^= (guint8)(value[1] ^ (n - 2));
      memcpy(value, out, n);
    }
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);
int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  L2tpHeader header;
  AditClassified classified;
  L2tpMessage message;
  L2tpResult result;
  char text[32];

  if (size < 1 || size > L2TP_CONTROL_MAX)
    return 0;
  L2tpParse how = {data[0] & HOW_SECRET ? secret : NULL, (data[0] & HOW_PERMISSIVE) != 0};
  g_autofree guint8 *copy = g_memdup2(data + 1, size - 1);
  l2tp_classify(copy, size - 1, &classified);
  g_assert_true(classified.klass != ADIT_CLASS_DATA || (gsize)classified.offset + classified.length <= size - 1);
  l2tp_classify_any_tunnel(copy, size - 1, &classified);
  if (!l2tp_header_parse(&header, copy, size - 1))
    return 0;
  if (data[0] & HOW_HIDE)
    hide_all(copy + header.offset, header.length);
  l2tp_message_parse(&message, &how, copy + header.offset, header.length);
  for (guint type = 0; type <= L2TP_AVP_MAX; type++) {
    l2tp_message_number(&message, type);
    l2tp_message_text(&message, type, text, sizeof text);
    g_assert_true(!message.avp[type].data ||
                  (message.avp[type].length >= l2tp_avps[type].min && message.avp[type].length <= l2tp_avps[type].max));
  }
  if (l2tp_message_result(&message, message.type == L2TP_CDN, &result))
    g_assert_nonnull(l2tp_result_word(message.type == L2TP_CDN, result.result));
  l2tp_error_word(message.error);
  return 0;
}
