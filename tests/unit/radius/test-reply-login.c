/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/radius/replies.h"

static void rfc2865_5_6_other_services_are_rejects(void **unused) {
  assert_accept("060600000002 070600000001", "", "");
  assert_reject(ADIT_AUTH_PAP, "060600000001", "Service-Type (6) is not what this is: framed, by PPP");
  assert_reject(ADIT_AUTH_PAP, "0605000002", "Service-Type (6) is not what this is: framed, by PPP");
  assert_reject(ADIT_AUTH_PAP, "070600000002", "Framed-Protocol (7) is not what this is: framed, by PPP");
  assert_reject(ADIT_AUTH_PAP, "070600000002 060600000001",
                "Framed-Protocol (7) is not what this is: framed, by PPP"); /* the first reason */
}

static void rfc2868_3_1_tunnels_are_rejects(void **unused) {
  assert_reject(ADIT_AUTH_PAP, "400601000001", "Tunnel-Type (64) asks to tunnel the user on");
  assert_accept("40060100000d 51053132 33", "",
                "Tunnel-Type (64): no plugin acts on it; Tunnel-Private-Group-ID (81): no plugin acts on it");
  assert_accept("4004000d", "", "Tunnel-Type (64): is no integer of 4 octets");
  assert_reject(ADIT_AUTH_PAP, "40060100000d 400602000001", "Tunnel-Type (64) asks to tunnel the user on"); /* each tag is a tunnel */
}

#define L2TP "400601000003 "
#define HERE                                                                                                                               \
  "430c01"                                                                                                                                 \
  "3139322e302e322e31 " /* 192.0.2.1, where the user's tunnel ends */
#define THERE                                                                                                                              \
  "430c02"                                                                                                                                 \
  "3139322e302e322e39 "

/* "the tunneling protocol in use (in the case of a tunnel terminator)" */
static void rfc2868_3_1_the_tunnel_in_use_is_no_other(void **unused) {
  assert_accept(L2TP, "", "");
  assert_accept(L2TP HERE, "", "");
  assert_accept("430b"
                "3139322e302e322e31 " L2TP,
                "", "");                                                                   /* no tag, and before the type */
  assert_accept(L2TP THERE HERE, "", "Tunnel-Server-Endpoint (67): no plugin acts on it"); /* servers to choose from */
  assert_reject(ADIT_AUTH_PAP, L2TP THERE, "Tunnel-Type (64) asks to tunnel the user on");
  assert_reject(ADIT_AUTH_PAP, THERE L2TP, "Tunnel-Type (64) asks to tunnel the user on");
  assert_reject(ADIT_AUTH_PAP, L2TP "4307016c6e732e", "Tunnel-Type (64) asks to tunnel the user on"); /* a name */
  assert_reject(ADIT_AUTH_PAP, L2TP "430301", "Tunnel-Type (64) asks to tunnel the user on");
}

/* 3.2 to 3.10: without a type they describe no tunnel. The log names such attributes, never their values. */
static void rfc2868_3_the_rest_of_a_tunnel_is_named(void **unused) {
  assert_accept("410601000001 4206 01312e31 4306 01312e32 5105 013132 5205 013132 530601000005 5a05 016c6e 5b05 016c6e", "",
                "Tunnel-Medium-Type (65): no plugin acts on it; Tunnel-Client-Endpoint (66): no plugin acts on it; "
                "Tunnel-Server-Endpoint (67): no plugin acts on it; Tunnel-Private-Group-ID (81): no plugin acts on it; "
                "Tunnel-Assignment-ID (82): no plugin acts on it; Tunnel-Preference (83): no plugin acts on it; "
                "Tunnel-Client-Auth-ID (90): no plugin acts on it; Tunnel-Server-Auth-ID (91): no plugin acts on it");
}

/* "tunnel" behind tag 1 and salt 8001, as RFC 2868 3.5 hides it */
#define TUNNEL_SECRET "4515 01 8001 c13ba3160b74f3f7c7062f09e6838723"

static void rfc2868_3_5_tunnel_password(void **unused) {
  assert_accept(TUNNEL_SECRET, "", "Tunnel-Password (69): no plugin acts on it");
  assert_accept(TUNNEL_SECRET " " TUNNEL_SECRET, "", "Tunnel-Password (69): no plugin acts on it"); /* one for each tag */
  assert_accept("4515 01 8001 00000000000000000000000000000000", "", "Tunnel-Password (69): is no password");
  assert_accept("4505 01 8001", "", "Tunnel-Password (69): is no password");
  assert_accept("4502", "", "Tunnel-Password (69): is no password");
  assert_accept("4514 01 8001 000000000000000000000000000000", "", "Tunnel-Password (69): is no password");
}

static void unknown_attributes_are_named_once(void **unused) {
  assert_accept("1a0a 00003a8c 1004 7373 1a0a 00003a8c 1004 7474 1a06 00003a8c 1a0a 0001e240 0104 7373", "",
                "Mikrotik-Wireless-PSK (14988/16): no plugin acts on it; Vendor-Specific (26): no plugin acts on it; "
                "attribute 123456/1: no plugin acts on it");
}

static void complaints_are_bounded(void **unused) {
  GString *all = g_string_new(NULL);
  RadiusReply reply;

  for (guint type = 193; type < 250; type++)
    g_string_append_printf(all, "%02x03ff", type);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, all->str);
  assert_int_equal(reply.unsupported->len, 32);
  assert_string_equal(reply.unsupported->pdata[30], "attribute 223: no plugin acts on it");
  assert_string_equal(reply.unsupported->pdata[31], "and others");
  radius_reply_clear(&reply);
  g_string_free(all, TRUE);
}

static void what_a_nas_need_not_act_on_is_no_complaint(void **unused) {
  assert_accept("2103ff 370600000001 501200000000000000000000000000000000 1a0a 00000137 0a040153", "", "");
}

#define PROOF                                                                                                                              \
  "1a33 00000137 1a2d 07 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536" /* RFC 2759 9.2 */

/* What proves something is for the method that asked for it. */
static void an_answer_to_another_method_is_named(void **unused) {
  assert_accept("4f0603010004", "", "EAP-Message (79): no plugin acts on it");
  assert_accept(PROOF, "", "MS-CHAP2-Success (311/26): no plugin acts on it");
  assert_accept("1a12 00000137 020c 00 453d36343820523d31", "", "MS-CHAP-Error (311/2): no plugin acts on it");
  assert_accept("1a28 00000137 0c22 6ccc13f9f2ba74ab1e22e86733f8d3f2889a895e498fcfd940f3d06f6e0efbd7", "",
                "MS-CHAP-MPPE-Keys (311/12): no plugin acts on it");
}

#define NO_REQUEST "no request is made when the session is over"

/* Such a request may be made (5.29); who does not make it has no use for its State (5.24), and says so. */
static void rfc2865_5_29_no_request_follows_a_session(void **unused) {
  assert_accept("1d0600000001 1804aabb", "termination-action=1", "Termination-Action (29): " NO_REQUEST "; State (24): " NO_REQUEST);
  assert_accept("1d0600000000", "termination-action=0", "");
  assert_accept("1803ff", "", "State (24): " NO_REQUEST);
  assert_accept("1d05000001", "", "Termination-Action (29): is no integer of 4 octets");
}

/* RFC 2865 5.44 and its likes: what may stand once, and occurs twice, has one value too many. */
static void what_stands_twice_is_named(void **unused) {
  assert_accept("1b0600000e10 1b060000003c", "session-timeout=60000", "Session-Timeout (27): occurs twice");
  assert_accept("0806c0000207 0806c0000208", "remote-address=192.0.2.8", "Framed-IP-Address (8): occurs twice");
  assert_accept("0806c0000207 0806c0000207 0806c0000207", "remote-address=192.0.2.7", /* once */
                "Framed-IP-Address (8): occurs twice");
  assert_accept("1a12 00003a8c 030661616161 030662626262", "profile='bbbb'", "Mikrotik-Group (14988/3): occurs twice");
  assert_accept("ab0361 1a09 00003a8c 160362", "dhcpv6-pd-pool='b'",
                "Mikrotik-Delegated-IPv6-Pool (14988/22): occurs twice"); /* two names of one thing */
  assert_accept("2103ff 2103ff 12036f 12036b 190301 190302 0b0361 0b0362", "class=[0x01,0x02] filter=['a','b']", "");
}

static void rfc2548_2_3_3_proof_goes_to_the_peer(void **unused) {
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, PROOF);
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(reply.reply.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
  assert_false(reply.reply.has_mppe_keys);
  radius_reply_clear(&reply);
  assert_reject(ADIT_AUTH_MSCHAPV2, "1b0600000e10", "the server gave no MS-CHAP2-Success");
  assert_reject(ADIT_AUTH_MSCHAPV2, "1a0c 00000137 1a0607533d34", "the server gave no MS-CHAP2-Success");
  assert_reject(ADIT_AUTH_MSCHAPV2,
                "1a33 00000137 1a2d 07 533d34303741353538393131354644304436323039463531304645394330343536363933324344413547",
                "the server gave no MS-CHAP2-Success"); /* G is no digit */
}

/* 42 octets decide; the peer gets them as RFC 2759 5 has them, and a text behind them in the right form. */
static void rfc2548_2_3_3_what_follows_the_proof_does_not_matter(void **unused) {
  static const struct {
    const char *tail, *message; /* in hex, of 2 or 4 octets; behind the proof */
  } cases[] = {{"3641", ""},          {"0000", ""},     {"0d0a", ""},         {"2000", ""},         {"ffff", ""},
               {"4d3d6f6b", " M=ok"}, {"4d3d0d0a", ""}, {"204d3d78", " M=x"}, {"4d3d6f00", " M=o"}, {"0d0a0d0a", ""}};
  RadiusReply reply;

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    guint n = (guint)strlen(cases[i].tail) / 2;
    g_autofree char *attributes =
        g_strdup_printf("1a%02x 00000137 1a%02x 07 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536 %s",
                        51 + n, 45 + n, cases[i].tail);
    g_autofree char *expected = g_strconcat("S=407A5589115FD0D6209F510FE9C04566932CDA56", cases[i].message, NULL);
    read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, attributes);
    assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
    assert_string_equal(reply.reply.message, expected);
    radius_reply_clear(&reply);
  }
}

#define PROOF_WITH_WORDS                                                                                                                   \
  "1a38 00000137 1a32 07 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536 204d3d6f6b"

static void rfc2759_5_the_servers_words_follow_the_proof(void **unused) {
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, "1205 68692e" PROOF);
  assert_string_equal(reply.reply.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=hi.");
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, PROOF_WITH_WORDS "1205 68692e"); /* it has its own */
  assert_string_equal(reply.reply.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=ok");
  radius_reply_clear(&reply);
}

/* The identifier is a help, and no proof: servers put 0 there, or leave it out, as mpd and FreeBSD's ppp have found. */
static void rfc2548_2_3_3_any_identifier_will_do(void **unused) {
  static const char *const proofs[] = {
      "1a33 00000137 1a2d 00 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536",
      "1a33 00000137 1a2d 53 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536",
      "1a32 00000137 1a2c 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536"};
  static const char *const errors[] = {"1a12 00000137 020c 00 453d36343820523d31", "1a12 00000137 020c 45 453d36343820523d31",
                                       "1a11 00000137 020b 453d36343820523d31"};
  RadiusReply reply;

  for (gsize i = 0; i < G_N_ELEMENTS(proofs); i++) {
    read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, proofs[i]);
    assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
    assert_string_equal(reply.reply.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
    radius_reply_clear(&reply);
    read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, errors[i]);
    assert_int_equal(reply.reply.error_code, 648);
    assert_true(reply.reply.retry);
    radius_reply_clear(&reply);
  }
}

static void rfc2548_2_1_5_error_and_retry(void **unused) {
  g_autofree char *error = vendor_text(311, 2,
                                       "\x07"
                                       "E=648 R=1 C=00112233445566778899aabbccddeeff V=3 M=Password expired"),
                  *plain = vendor_text(311, 2,
                                       "\x07"
                                       "E=691 R=0 V=3"),
                  *bad = vendor_text(311, 2,
                                     "\x07"
                                     "X=691 R=1");
  g_autofree char *spoken = g_strconcat(plain, "1205 6e6f21", NULL);
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, error);
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  assert_int_equal(reply.reply.error_code, 648);
  assert_true(reply.reply.retry);
  assert_string_equal(reply.reply.message, "Password expired");
  assert_string_equal(reply.reply.why, "rejected by the server");
  radius_reply_clear(&reply);

  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, spoken);
  assert_int_equal(reply.reply.error_code, 691);
  assert_false(reply.reply.retry);
  assert_string_equal(reply.reply.message, "no!");
  assert_string_equal(reply.reply.why, "rejected by the server: no!");
  radius_reply_clear(&reply);

  /* fields run into each other, a line's end, and an R= that is the text's own */
  g_autofree char *run_on = vendor_text(311, 2,
                                        "\x07"
                                        "E=691R=1C=00V=3M=no R=0\r\n"),
                  *own = vendor_text(311, 2,
                                     "\x07"
                                     "E=691 V=3 M=not R=1");
  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, run_on);
  assert_true(reply.reply.retry);
  assert_string_equal(reply.reply.message, "no R=0");
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, own);
  assert_false(reply.reply.retry);
  assert_string_equal(reply.reply.message, "not R=1");
  radius_reply_clear(&reply);

  /* a code counts, whatever its message is written in */
  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, "1a19 00000137 0213 07 453d36343820523d31 204d3de90a2100");
  assert_int_equal(reply.reply.error_code, 648);
  assert_true(reply.reply.retry);
  assert_string_equal(reply.reply.message, "\xef\xbf\xbd !");
  radius_reply_clear(&reply);

  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_MSCHAPV2, FALSE, bad);
  assert_int_equal(reply.reply.error_code, 0);
  assert_false(reply.reply.retry);
  assert_int_equal(reply.unsupported->len, 1);
  radius_reply_clear(&reply);
}

static void rfc2865_5_18_reply_messages(void **unused) {
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_CHAP_MD5, FALSE, "1205 686920 1207 796f750aff");
  assert_string_equal(reply.reply.message, "hi  you \xef\xbf\xbd");
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_CHAP_MD5, FALSE, "1205 686900 1203 00 1204 6f00"); /* C's strings */
  assert_string_equal(reply.reply.message, "hi o");
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_REJECT, ADIT_AUTH_PAP, FALSE, "1b0600000e10 0806c0000207");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  assert_null(reply.reply.message);
  assert_null(reply.reply.attributes);
  assert_int_equal(reply.unsupported->len, 0);
  radius_reply_clear(&reply);
}

static void rfc2865_4_4_challenge_without_eap_is_a_reject(void **unused) {
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_CHALLENGE, ADIT_AUTH_PAP, FALSE, "1803aa 12056f7470");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply.reply.why, "the server wants another round, which only EAP has");
  assert_string_equal(reply.reply.message, "otp");
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_CHALLENGE, ADIT_AUTH_EAP, FALSE, "1803aa");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCOUNTING_RESPONSE, ADIT_AUTH_PAP, FALSE, "");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply.reply.why, "the server's answer is of another kind");
  radius_reply_clear(&reply);
}

static void rfc3579_2_eap_rounds(void **unused) {
  RadiusReply reply;

  read_code(&reply, RADIUS_ACCESS_CHALLENGE, ADIT_AUTH_EAP, FALSE, "4f05010203 4f0404 05 1803aa");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_CHALLENGE);
  assert_int_equal(g_bytes_get_size(reply.reply.eap), 5);
  assert_memory_equal(g_bytes_get_data(reply.reply.eap, NULL), "\1\2\3\4\5", 5);
  assert_int_equal(g_bytes_get_size(reply.reply.state), 1);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_EAP, FALSE, "4f0603010004");
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
  assert_int_equal(g_bytes_get_size(reply.reply.eap), 4);
  radius_reply_clear(&reply);
}

#define SEND_KEY    "1a2a 00000137 1024 8c3dfc997430d7a74fded86e02ef925600a934738ee1a464e0ba42ce8f6523a85b70"
#define RECEIVE_KEY "1a2a 00000137 1124 8c3dfc997430d7a74fded86e02ef925600a934738ee1a464e0ba42ce8f6523a85b70"

static void rfc2548_2_4_2_keys_for_both_directions(void **unused) {
  guint8 want[16];
  RadiusReply reply;

  hex("8b7cdc149b993a1ba118cb153f56dccb", want, sizeof want);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, PROOF SEND_KEY RECEIVE_KEY);
  assert_true(reply.reply.has_mppe_keys);
  assert_true(adit_value_get_bool(reply.attributes, "mppe-keys", FALSE));
  assert_memory_equal(reply.reply.mppe_send_key, want, 16);
  assert_memory_equal(reply.reply.mppe_receive_key, want, 16);
  assert_int_equal(reply.unsupported->len, 0);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV2, FALSE, PROOF SEND_KEY); /* one is none */
  assert_false(reply.reply.has_mppe_keys);
  assert_null(adit_value_get(reply.attributes, "mppe-keys"));
  radius_reply_clear(&reply);
  assert_accept("1a0c 00000137 10068c3d0000", "", "MS-MPPE-Send-Key (311/16): is no key of 16 octets");
}

/* RFC 3079 2.5: the password clientPass, and the challenge of RFC 2433 B */
static void rfc2548_2_4_1_keys_of_mschap1(void **unused) {
  static const char with_lm[] = "1a28 00000137 0c22 1a6d416a922ca3281e22e86733f8d3f2f938dd98ad69960f8b8f0022c1685abe";
  static const char keys[] = "1a28 00000137 0c22 6ccc13f9f2ba74ab1e22e86733f8d3f2889a895e498fcfd940f3d06f6e0efbd7";
  guint8 want[16];
  RadiusReply reply;

  hex("a8947850cfc0acc1d1789fb62ddcddb0", want, sizeof want);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV1, FALSE, keys);
  assert_true(reply.reply.has_mppe_keys);
  assert_true(adit_value_get_bool(reply.attributes, "mppe-keys", FALSE));
  assert_memory_equal(reply.reply.mppe_send_key, want, 16);
  assert_memory_equal(reply.reply.mppe_receive_key, want, 16);
  assert_int_equal(reply.reply.mppe_short, ADIT_MPPE_SHORT_NONE); /* the server knows no LAN Manager hash */
  assert_int_equal(reply.unsupported->len, 0);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV1, FALSE, with_lm);
  assert_true(reply.reply.has_mppe_keys);
  assert_memory_equal(reply.reply.mppe_send_key, want, 16);
  assert_int_equal(reply.reply.mppe_short, ADIT_MPPE_SHORT_OWN);
  hex("76a152936096d783", want, 8);
  assert_memory_equal(reply.reply.mppe_short_key, want, 8);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_MSCHAPV1, FALSE, "1a18 00000137 0c12 6ccc13f9f2ba74ab1e22e86733f8d3f2");
  assert_false(reply.reply.has_mppe_keys);
  assert_null(adit_value_get(reply.attributes, "mppe-keys"));
  assert_int_equal(reply.unsupported->len, 1);
  radius_reply_clear(&reply);
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, keys);
  assert_false(reply.reply.has_mppe_keys);
  assert_null(adit_value_get(reply.attributes, "mppe-keys"));
  radius_reply_clear(&reply);
}

static void rfc2548_2_4_4_policy(void **unused) {
  assert_accept("1a0c 00000137 070600000001 1a0c 00000137 080600000006", "mppe-policy='allowed' mppe-types=['40-bit','128-bit']", "");
  assert_reject(ADIT_AUTH_PAP, "1a0c 00000137 070600000002",
                "MS-MPPE-Encryption-Policy (311/7) demands encryption by MPPE, and no plugin does that");
  assert_accept("1a0c 00000137 080600000000", "mppe-types=['none']", "");
  assert_accept("1a0c 00000137 070600000003", "", "MS-MPPE-Encryption-Policy (311/7): is no policy");
  assert_accept("1a0b 00000137 0805000006", "", "MS-MPPE-Encryption-Types (311/8): is no integer of 4 octets");
}

/* With a plugin that encrypts it is that one's to refuse the session. */
static void rfc2548_2_4_4_a_policy_that_demands_encryption(void **unused) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(ADIT_AUTH_PAP);
  RadiusReplyContext context = {.authenticator = authenticator, .secret = SECRET, .mppe = TRUE};
  RadiusReply reply;
  Wire w;

  wire(&w, RADIUS_ACCESS_ACCEPT, "1a0c 00000137 070600000002 1a0c 00000137 080600000004");
  radius_reply_read(&w.packet, request, &context, &reply);
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
  g_autofree char *got = describe(reply.reply.attributes);
  assert_string_equal(got, "mppe-policy='required' mppe-types=['128-bit']");
  radius_reply_clear(&reply);
}

static void assert_changes(const char *attributes, const char *want, const char *unsupported, const char *invalid) {
  RadiusChanges changes;
  Wire w;

  wire(&w, RADIUS_COA_REQUEST, attributes);
  radius_reply_changes(&w.packet, &changes);
  g_autofree char *got = describe(changes.changes), *not_known = describe_texts(changes.unsupported),
                  *wrong = describe_texts(changes.invalid);
  assert_string_equal(got, want);
  assert_string_equal(not_known, unsupported);
  assert_string_equal(wrong, invalid);
  radius_changes_clear(&changes);
}

static void rfc5176_3_2_changes(void **unused) {
  /* what identifies session and NAS is none: User-Name, Acct-Session-Id, NAS-IP-Address, Framed-IP-Address, Event-Timestamp, ... */
  assert_changes("01066e656d6f 2c0a3831613030303031 0406c0000201 0806c0000207 370600000001 2103aa 1803aa 060600000011", "", "", "");
  assert_changes(
      "1b0600000e10 1c060000012c 550600000258 1903aa 0b0361 0b06612e696e 3e0600000001 1d0600000000",
      "session-timeout=3600000 idle-timeout=300000 interim-update=600000 class=[0xaa] filter=['a'] incoming-filter='a' port-limit=1 "
      "termination-action=0",
      "", "");
  assert_changes("1d0600000001", "termination-action=1", "", "Termination-Action (29): " NO_REQUEST);
  assert_changes(
      "1a0d 00003a8c 0807324d2f384d 1a0c 00003a8c 0306676f6c64 1a0c 00003a8c 010600000005 1a09 00003a8c 130361 1a09 00003a8c 0b0361",
      "profile='gold' address-list=['a'] mark='a' rate-limit='2M/8M' limit-bytes-in=5", "", "");
  assert_changes("1a0c 00000211 c506000f4240", "rate-limit='0/1000000'", "", "");
  assert_changes("1b0400ff 1c060000012c", "idle-timeout=300000", "", "Session-Timeout (27): is no integer of 4 octets");
  assert_changes("5806706f6f6c 160d31302e312e302e302f3136", "",
                 "Framed-Pool (88): can't change while the session is up; Framed-Route (22): can't change while the session is up", "");
  assert_changes("3d0600000005 1a0a 00003a8c 10047373", "",
                 "NAS-Port-Type (61): no plugin acts on it; Mikrotik-Wireless-PSK (14988/16): no plugin acts on it", "");
  assert_changes("1b0600000e10 1b060000003c", "session-timeout=60000", "", "Session-Timeout (27): occurs twice");
  assert_changes("", "", "", "");
}

/* Each attribute, cut at each length and filled with each of some octets, is taken or complained of; nothing is read behind it. */
static void no_value_is_read_beyond_its_end(void **unused) {
  static const guint32 vendors[] = {0, 311, 529, 14122, 14988};
  static const guint8 fill[] = {0, 1, 0x40, 0x7f, 0xff, '0'};
  RadiusReplyContext context = {.authenticator = authenticator, .secret = SECRET, .framed_mtu = TRUE};
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(ADIT_AUTH_PAP);
  guint8 value[247];

  for (gsize v = 0; v < G_N_ELEMENTS(vendors); v++)
    for (guint type = 1; type < 256; type++)
      for (guint length = 0; length < 64; length += length < 20 ? 1 : 11) {
        RadiusBuilder b;
        RadiusPacket packet;
        RadiusReply reply;
        RadiusChanges changes;
        memset(value, fill[(type + length) % G_N_ELEMENTS(fill)], sizeof value);
        radius_build(&b, RADIUS_ACCESS_ACCEPT, FALSE);
        radius_put(&b, vendors[v], (guint8)type, value, length);
        radius_finish_request(&b, 1, authenticator, SECRET);
        g_autofree guint8 *exact = (guint8 *)g_memdup2(b.data, b.length); /* ASan sees the octet behind it */
        assert_true(radius_packet_parse(exact, b.length, &packet));
        radius_reply_read(&packet, request, &context, &reply);
        radius_reply_clear(&reply);
        radius_reply_changes(&packet, &changes);
        radius_changes_clear(&changes);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2865_5_6_other_services_are_rejects),
      cmocka_unit_test(rfc2868_3_1_tunnels_are_rejects),
      cmocka_unit_test(rfc2868_3_1_the_tunnel_in_use_is_no_other),
      cmocka_unit_test(rfc2868_3_the_rest_of_a_tunnel_is_named),
      cmocka_unit_test(rfc2868_3_5_tunnel_password),
      cmocka_unit_test(unknown_attributes_are_named_once),
      cmocka_unit_test(complaints_are_bounded),
      cmocka_unit_test(what_a_nas_need_not_act_on_is_no_complaint),
      cmocka_unit_test(an_answer_to_another_method_is_named),
      cmocka_unit_test(rfc2865_5_29_no_request_follows_a_session),
      cmocka_unit_test(what_stands_twice_is_named),
      cmocka_unit_test(rfc2548_2_3_3_proof_goes_to_the_peer),
      cmocka_unit_test(rfc2548_2_3_3_what_follows_the_proof_does_not_matter),
      cmocka_unit_test(rfc2548_2_3_3_any_identifier_will_do),
      cmocka_unit_test(rfc2759_5_the_servers_words_follow_the_proof),
      cmocka_unit_test(rfc2548_2_1_5_error_and_retry),
      cmocka_unit_test(rfc2865_5_18_reply_messages),
      cmocka_unit_test(rfc2865_4_4_challenge_without_eap_is_a_reject),
      cmocka_unit_test(rfc3579_2_eap_rounds),
      cmocka_unit_test(rfc2548_2_4_2_keys_for_both_directions),
      cmocka_unit_test(rfc2548_2_4_1_keys_of_mschap1),
      cmocka_unit_test(rfc2548_2_4_4_policy),
      cmocka_unit_test(rfc2548_2_4_4_a_policy_that_demands_encryption),
      cmocka_unit_test(rfc5176_3_2_changes),
      cmocka_unit_test(no_value_is_read_beyond_its_end),
  };
  return cmocka_run_group_tests(tests, load_names, unload_names);
}
