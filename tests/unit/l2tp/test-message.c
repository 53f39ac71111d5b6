/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "plugins/l2tp/engine/hidden.h"
#include "plugins/l2tp/engine/hidden.h"
#include "plugins/l2tp/engine/message.h"

static const L2tpParse strict = {NULL, FALSE};

static gsize unhex(const char *hex, guint8 *out) {
  gsize n = 0;
  for (; *hex; hex += 2)
    out[n++] = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
  return n;
}

/** Parses a copy of exactly that size, so that a read past its end is seen. The copy must outlive the message. */
static guint8 *parse(L2tpMessage *m, const L2tpParse *how, const guint8 *body, gsize length) {
  guint8 *copy = g_memdup2(body, length);
  l2tp_message_parse(m, how, copy, length);
  return copy;
}

static void rfc2661_5_1_1_challenge_vectors(void **state) {
  guint8 challenge[16], out[16], expected[16];
  for (guint8 i = 0; i < 16; i++)
    challenge[i] = i;
  l2tp_challenge_response(L2TP_SCCRP, "secret", challenge, 16, out);
  unhex("DD4186E2196F00124A9D588F02701259", expected);
  assert_memory_equal(out, expected, 16);
  assert_true(l2tp_challenge_equal(out, expected));
  l2tp_challenge_response(L2TP_SCCCN, "secret", challenge, 16, out);
  assert_false(l2tp_challenge_equal(out, expected));
  unhex("8F3C2FA6FCFEA72215AE83EA89EC2B77", expected);
  assert_memory_equal(out, expected, 16);
}

static const char vector_hex[] = "00112233445566778899AABBCCDDEEFF";

static void rfc2661_4_3_hidden_vectors(void **state) {
  static const struct {
    guint16 type;
    const char *value, *hidden;
  } rows[] = {
      {L2TP_AVP_ASSIGNED_TUNNEL_ID, "1234", "7EFD2D9A"},
      {L2TP_AVP_PROXY_AUTHEN_NAME, "75736572406578616D706C652E636F6D", "952F5CA53F500D602AC8307E2741C90D52B6"},
  };
  guint8 vector[16], value[64], expected[64], out[L2TP_HIDE_MAX], back[L2TP_HIDE_MAX];
  unhex(vector_hex, vector);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    gsize length = unhex(rows[i].value, value), hidden = unhex(rows[i].hidden, expected);
    assert_true(l2tp_hide(rows[i].type, "secret", vector, 16, value, length, NULL, 0, out));
    assert_memory_equal(out, expected, hidden);
    assert_int_equal(l2tp_unhide(rows[i].type, "secret", vector, 16, out, hidden, back), length);
    assert_memory_equal(back + 2, value, length);
  }
}

static void rfc2661_4_3_any_length_with_padding(void **state) {
  guint8 vector[5] = "abcde", value[L2TP_HIDE_MAX], out[L2TP_HIDE_MAX], back[L2TP_HIDE_MAX];
  for (gsize i = 0; i < sizeof value; i++)
    value[i] = (guint8)(i * 7);
  for (gsize length = 0; length + 2 <= L2TP_HIDE_MAX; length += length < 70 ? 1 : 53)
    for (gsize padding = 0; padding < 40 && length + padding + 2 <= L2TP_HIDE_MAX; padding += 13) {
      assert_true(l2tp_hide(30, "s", vector, 5, value, length, value, padding, out));
      g_autofree guint8 *copy = g_memdup2(out, length + padding + 2);
      assert_int_equal(l2tp_unhide(30, "s", vector, 5, copy, length + padding + 2, back), length);
      assert_memory_equal(back + 2, value, length);
    }
  assert_false(l2tp_hide(30, "s", vector, 5, value, L2TP_HIDE_MAX - 1, NULL, 0, out));
}

/* The length inside is the attacker's: it must never lead out of what was received. */
static void hidden_lengths_are_bounded(void **state) {
  guint8 vector[16] = {0}, out[L2TP_HIDE_MAX], back[L2TP_HIDE_MAX];
  for (guint claimed = 0; claimed < 65536; claimed += claimed < 40 ? 1 : 251) {
    guint8 plain[18] = {(guint8)(claimed >> 8), (guint8)claimed};
    /* l2tp_hide() writes its own length: make one whose pad we know, then put ours in its place */
    assert_true(l2tp_hide(9, "secret", vector, 16, plain + 2, 16, NULL, 0, out));
    out[0] ^= (guint8)(claimed >> 8);
    out[1] ^= (guint8)(16 ^ claimed);
    gssize got = l2tp_unhide(9, "secret", vector, 16, out, 18, back);
    assert_int_equal(got, claimed <= 16 ? (gssize)claimed : -1);
  }
  assert_int_equal(l2tp_unhide(9, "secret", vector, 16, out, 0, back), -1);
  assert_int_equal(l2tp_unhide(9, "secret", vector, 16, out, 1, back), -1);
  assert_int_equal(l2tp_unhide(9, "secret", vector, 16, out, L2TP_HIDE_MAX + 1, back), -1);
}

/* ---- messages ---- */

/** A body with Message Type `type` and `more` (hex) behind it. */
static gsize body_of(guint16 type, const char *more, guint8 *out) {
  guint8 head[8] = {0x80, 8, 0, 0, 0, 0, (guint8)(type >> 8), (guint8)type};
  memcpy(out, head, 8);
  return 8 + unhex(more, out + 8);
}

/* What is wrong with an AVP, with the M bit and without, in a message of a call and of the tunnel (RFC 2661 4.1). */
static void rfc2661_4_1_mandatory_bit(void **state) {
  static const struct {
    const char *what, *avp; /* the M bit is set by the test */
    guint16 error;
  } rows[] = {
      {"unknown type", "000800000063ABCD", L2TP_ERROR_MANDATORY_AVP},
      {"another vendor's", "0008000900000100", L2TP_ERROR_MANDATORY_AVP},
      {"another vendor's, with the number of Protocol Version", "000C0DE900020A0B0C0D0E0F", L2TP_ERROR_MANDATORY_AVP},
      {"a hole in the numbers", "0008000000140001", L2TP_ERROR_MANDATORY_AVP},
      {"reserved bit", "0408000000090001", L2TP_ERROR_MANDATORY_AVP},
      {"Bearer Type too short", "0008000000120001", L2TP_ERROR_LENGTH},
      {"Bearer Type too long", "000B000000120102030405", L2TP_ERROR_LENGTH},
      {"hidden where it must not be", "4008000000020100", L2TP_ERROR_RANGE},
      {"hidden without a secret", "4010000000120102030405060708090A", L2TP_ERROR_MANDATORY_AVP},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    for (guint mandatory = 0; mandatory < 2; mandatory++)
      for (guint call = 0; call < 2; call++)
        for (guint permissive = 0; permissive < 2; permissive++) {
          guint8 body[128];
          L2tpMessage m;
          L2tpParse how = {NULL, permissive};
          gsize length = call ? body_of(L2TP_ICRP, "80080000000E0001", body) : body_of(L2TP_HELLO, "", body);
          gsize at = length;
          length += unhex(rows[i].avp, body + length);
          body[at] |= mandatory ? 0x80 : 0;
          g_autofree guint8 *copy = parse(&m, &how, body, length);
          L2tpVerdict expected = !mandatory || permissive ? L2TP_VERDICT_OK : call ? L2TP_VERDICT_CALL : L2TP_VERDICT_TUNNEL;
          if (m.verdict != expected)
            fail_msg("%s, M %u, call %u, permissive %u: verdict %u", rows[i].what, mandatory, call, permissive, m.verdict);
          if (expected)
            assert_int_equal(m.error, rows[i].error);
        }
}

static void rfc2661_4_1_structure(void **state) {
  static const struct {
    const char *body;
    L2tpVerdict verdict;
  } rows[] = {
      {"", L2TP_VERDICT_TUNNEL},
      {"80", L2TP_VERDICT_TUNNEL},
      {"8008000000000006", L2TP_VERDICT_OK},
      {"80080000000000", L2TP_VERDICT_TUNNEL},               /* cut */
      {"8005000000000006", L2TP_VERDICT_TUNNEL},             /* shorter than its header */
      {"8009000000000006", L2TP_VERDICT_TUNNEL},             /* longer than the message */
      {"8008000000070006", L2TP_VERDICT_TUNNEL},             /* Message Type is not first */
      {"8008000900000006", L2TP_VERDICT_TUNNEL},             /* another vendor's */
      {"C008000000000006", L2TP_VERDICT_TUNNEL},             /* hidden */
      {"80080000000000060000", L2TP_VERDICT_TUNNEL},         /* a torn AVP behind */
      {"8008000000000006000000000000", L2TP_VERDICT_TUNNEL}, /* length 0: must not loop */
      {"80080000000000060006000003E8", L2TP_VERDICT_OK},     /* an unknown optional one */
      {"800800000000004D", L2TP_VERDICT_TUNNEL},             /* unknown message, M */
      {"000800000000004D", L2TP_VERDICT_IGNORE},             /* unknown message, no M */
      {"8008000000000005", L2TP_VERDICT_TUNNEL},             /* reserved number */
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    guint8 body[64];
    L2tpMessage m;
    g_autofree guint8 *copy = parse(&m, &strict, body, unhex(rows[i].body, body));
    if (m.verdict != rows[i].verdict)
      fail_msg("%s: %u", rows[i].body, m.verdict);
  }
}

/* A message without a mandatory attribute is refused, but StopCCN and CDN are believed. */
static void rfc2661_6_required_avps(void **state) {
  for (guint type = 1; type <= L2TP_MESSAGE_MAX; type++) {
    if (!l2tp_message_name(type))
      continue;
    for (guint missing = 0; missing <= L2TP_AVP_MAX; missing++) {
      L2tpWriter w;
      L2tpMessage m;
      gboolean needed = missing && (l2tp_avps[missing].required & L2TP_IN(type)) != 0;
      l2tp_write_begin(&w, (guint16)type, 1, 0, NULL, NULL);
      for (guint16 avp = 1; avp <= L2TP_AVP_MAX; avp++) {
        static const guint8 ones[64] = {1, 1, 1, 1, 1, 1, 1, 1};
        if (avp != missing && (l2tp_avps[avp].required & L2TP_IN(type)))
          l2tp_write_bytes(&w, avp, ones, l2tp_avps[avp].min);
      }
      gsize length = l2tp_write_end(&w);
      g_autofree guint8 *copy = parse(&m, &strict, w.buffer + L2TP_CONTROL_HEADER, length - L2TP_CONTROL_HEADER);
      gboolean refused = needed && type != L2TP_STOPCCN && type != L2TP_CDN;
      if ((m.verdict != L2TP_VERDICT_OK) != refused)
        fail_msg("%s without %s: %u (%s)", l2tp_message_name(type), l2tp_avps[missing].name, m.verdict, m.why);
      if (refused)
        assert_int_equal(m.verdict, l2tp_message_is_call(type) ? L2TP_VERDICT_CALL : L2TP_VERDICT_TUNNEL);
    }
  }
}

/* Every attribute of the table, plain and hidden, survives being written and read. */
static void rfc2661_4_4_every_avp_round_trip(void **state) {
  static const guint8 vector[16] = {1, 2, 3};
  L2tpParse knows = {"secret", FALSE};
  for (guint hide = 0; hide < 2; hide++)
    for (guint16 avp = 1; avp <= L2TP_AVP_MAX; avp++) {
      guint8 value[1017];
      L2tpWriter w;
      L2tpMessage m;
      if (!l2tp_avps[avp].name)
        continue;
      for (guint i = 0; i < sizeof value; i++)
        value[i] = (guint8)(i + avp);
      guint lengths[] = {l2tp_avps[avp].min, MIN(l2tp_avps[avp].max, 1015u)};
      for (guint i = 0; i < 2; i++) {
        l2tp_write_begin(&w, L2TP_STOPCCN, 1, 0, hide ? "secret" : NULL, vector);
        l2tp_write_bytes(&w, avp, value, lengths[i]);
        gsize length = l2tp_write_end(&w);
        assert_true(length);
        g_autofree guint8 *copy = parse(&m, &knows, w.buffer + L2TP_CONTROL_HEADER, length - L2TP_CONTROL_HEADER);
        assert_true(l2tp_message_has(&m, avp));
        assert_int_equal(m.avp[avp].length, lengths[i]);
        assert_memory_equal(m.avp[avp].data, value, lengths[i]);
        gboolean vectored = l2tp_message_has(&m, L2TP_AVP_RANDOM_VECTOR);
        if (avp != L2TP_AVP_RANDOM_VECTOR)
          assert_int_equal(vectored, hide && l2tp_avps[avp].hideable);
      }
    }
}

static void a_hidden_value_without_the_right_secret(void **state) {
  static const guint8 vector[16] = {9};
  guint wrong = 0;
  for (guint i = 0; i < 200; i++) {
    g_autofree char *secret = g_strdup_printf("secret %u", i);
    L2tpParse how = {secret, FALSE};
    L2tpWriter w;
    L2tpMessage m;
    l2tp_write_begin(&w, L2TP_ICRP, 1, 1, "the secret", vector);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, 77);
    gsize length = l2tp_write_end(&w);
    g_autofree guint8 *copy = parse(&m, &how, w.buffer + L2TP_CONTROL_HEADER, length - L2TP_CONTROL_HEADER);
    wrong += m.verdict == L2TP_VERDICT_CALL;
  }
  assert_true(wrong > 195); /* an inner length that fits by chance is rare */
}

static void rfc2661_4_3_the_last_random_vector_applies(void **state) {
  guint8 body[256], a[16] = {1}, b[16] = {2}, hidden[16];
  L2tpMessage m;
  L2tpParse how = {"secret", FALSE};
  AditBuilder out = adit_builder(body, sizeof body);
  guint8 type[] = {0x80, 8, 0, 0, 0, 0, 0, 11}, head_rv[] = {0x80, 22, 0, 0, 0, 36}, head_id[] = {0xc0, 10, 0, 0, 0, 14}, id[] = {0, 9};
  l2tp_hide(14, "secret", b, 16, id, 2, NULL, 0, hidden);
  adit_put_bytes(&out, type, 8);
  adit_put_bytes(&out, head_rv, 6);
  adit_put_bytes(&out, a, 16);
  adit_put_bytes(&out, head_rv, 6);
  adit_put_bytes(&out, b, 16);
  adit_put_bytes(&out, head_id, 6);
  adit_put_bytes(&out, hidden, 4);
  g_autofree guint8 *copy = parse(&m, &how, body, adit_built(&out));
  assert_int_equal(m.verdict, L2TP_VERDICT_OK);
  assert_int_equal(l2tp_message_number(&m, L2TP_AVP_ASSIGNED_SESSION_ID), 9);
}

/* A message full of hidden AVPs must not overrun what they are uncovered into. */
static void many_hidden_avps_are_bounded(void **state) {
  g_autofree guint8 *body = g_malloc0(L2TP_CONTROL_MAX);
  AditBuilder out = adit_builder(body, L2TP_CONTROL_MAX);
  guint8 type[] = {0x80, 8, 0, 0, 0, 0, 0, 12}, vector[] = {0x80, 7, 0, 0, 0, 36, 1}, hidden[1017];
  L2tpMessage m;
  L2tpParse how = {"secret", FALSE};
  adit_put_bytes(&out, type, sizeof type);
  adit_put_bytes(&out, vector, sizeof vector);
  for (guint16 avp = 26; avp < 34; avp++) {
    guint8 head[] = {0x43, 0xff, 0, 0, 0, (guint8)avp}, value[1015] = {0};
    assert_true(l2tp_hide(avp, "secret", (guint8 *)"\1", 1, value, sizeof value, NULL, 0, hidden));
    adit_put_bytes(&out, head, sizeof head);
    adit_put_bytes(&out, hidden, sizeof hidden);
  }
  /* the datagram's bound, whatever the AVPs say */
  g_autofree guint8 *copy = parse(&m, &how, body, L2TP_CONTROL_MAX);
  assert_true(m.scratch_used <= sizeof m.scratch);
}

static void result_codes_as_peers_write_them(void **state) {
  static const struct {
    const char *avp;
    gboolean call;
    guint16 result, error;
    const char *text;
  } rows[] = {
      {"80080000000100"
       "03",
       TRUE, 3, 0, ""}, /* length 8: RouterOS, Android */
      {"800A000000010002"
       "0008",
       TRUE, 2, 8, ""},
      {"800D000000010002"
       "0006627965",
       FALSE, 2, 6, "bye"},
      {"8008000000010100", FALSE, 1, 0, ""}, /* byte-swapped: Apple */
      {"800A000000010200"
       "0600",
       TRUE, 2, 6, ""},
      {"800C000000010003"
       "00000A7F",
       TRUE, 3, 0, "??"}, /* nothing unprintable reaches the log */
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    guint8 body[64];
    L2tpMessage m;
    L2tpResult result;
    g_autofree guint8 *copy = parse(&m, &strict, body, body_of(rows[i].call ? L2TP_CDN : L2TP_STOPCCN, rows[i].avp, body));
    assert_int_equal(m.verdict, L2TP_VERDICT_OK);
    assert_true(l2tp_message_result(&m, rows[i].call, &result));
    assert_int_equal(result.result, rows[i].result);
    assert_int_equal(result.error, rows[i].error);
    assert_string_equal(result.text, rows[i].text);
  }
}

static void rfc3145_disconnect_cause_is_known(void **state) {
  guint8 body[64];
  L2tpMessage m;
  g_autofree guint8 *copy = parse(&m, &strict, body, body_of(L2TP_CDN, "800800000001000380080000000E0005000B0000002E0005C02100", body));
  assert_true(l2tp_message_has(&m, L2TP_AVP_PPP_DISCONNECT_CAUSE));
}

/* RFC 5515's Agent-Remote-Id (vendor 3561, type 2) has the number of Protocol Version: the vendor is looked at first. */
static void another_vendors_avp_is_not_taken_for_ours(void **state) {
  guint8 body[128];
  L2tpMessage m;
  g_autofree guint8 *copy = parse(&m, &strict, body, body_of(L2TP_ICRQ, "80080000000E0005800A0000000F00000001000A0DE900020A0B0C0D", body));
  assert_int_equal(m.verdict, L2TP_VERDICT_OK);
  assert_false(l2tp_message_has(&m, L2TP_AVP_PROTOCOL_VERSION));
}

static void zero_ids_and_windows_are_refused(void **state) {
  guint8 body[64];
  L2tpMessage m;
  g_autofree guint8 *a = parse(&m, &strict, body, body_of(L2TP_ICRP, "80080000000E0000", body));
  assert_int_equal(m.verdict, L2TP_VERDICT_CALL);
  g_autofree guint8 *b = parse(&m, &strict, body, body_of(L2TP_HELLO, "80080000000A0000", body));
  assert_int_equal(m.verdict, L2TP_VERDICT_TUNNEL);
}

static void every_cut_and_flip_is_bounded(void **state) {
  static const guint8 vector[16] = {3};
  L2tpParse how = {"secret", FALSE};
  L2tpWriter w;
  L2tpMessage m;
  L2tpResult result;
  l2tp_write_begin(&w, L2TP_SCCRQ, 0, 0, "secret", vector);
  l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "host");
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 1);
  l2tp_write_result(&w, 1, 2, "text");
  gsize length = l2tp_write_end(&w) - L2TP_CONTROL_HEADER;
  const guint8 *body = w.buffer + L2TP_CONTROL_HEADER;
  for (gsize cut = 0; cut < length; cut++) {
    g_autofree guint8 *copy = parse(&m, &how, body, cut);
    l2tp_message_result(&m, FALSE, &result);
  }
  for (gsize bit = 0; bit < length * 8; bit++) {
    w.buffer[L2TP_CONTROL_HEADER + bit / 8] ^= (guint8)(1 << bit % 8);
    g_autofree guint8 *copy = parse(&m, &how, body, length);
    l2tp_message_result(&m, FALSE, &result);
    w.buffer[L2TP_CONTROL_HEADER + bit / 8] ^= (guint8)(1 << bit % 8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2661_5_1_1_challenge_vectors),
      cmocka_unit_test(rfc2661_4_3_hidden_vectors),
      cmocka_unit_test(rfc2661_4_3_any_length_with_padding),
      cmocka_unit_test(hidden_lengths_are_bounded),
      cmocka_unit_test(rfc2661_4_1_mandatory_bit),
      cmocka_unit_test(rfc2661_4_1_structure),
      cmocka_unit_test(rfc2661_6_required_avps),
      cmocka_unit_test(rfc2661_4_4_every_avp_round_trip),
      cmocka_unit_test(a_hidden_value_without_the_right_secret),
      cmocka_unit_test(rfc2661_4_3_the_last_random_vector_applies),
      cmocka_unit_test(many_hidden_avps_are_bounded),
      cmocka_unit_test(result_codes_as_peers_write_them),
      cmocka_unit_test(rfc3145_disconnect_cause_is_known),
      cmocka_unit_test(another_vendors_avp_is_not_taken_for_ours),
      cmocka_unit_test(zero_ids_and_windows_are_refused),
      cmocka_unit_test(every_cut_and_flip_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
