/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins-auth/radius/wire/dictionary.h"
#include "plugins-auth/radius/wire/request.h"
#include "tests/unit/radius/hex.h"

#define SECRET "xyzzy5461"

static const guint8 authenticator[16] = {0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a};
static const RadiusNas nobody;

/* The n-th attribute of that kind, from 0. */
static gboolean nth(const RadiusBuilder *b, guint32 vendor, guint8 type, guint n, RadiusAttribute *out) {
  RadiusPacket packet = {.attributes = b->data + RADIUS_HEADER, .length = b->length - RADIUS_HEADER};
  RadiusIter iter = {0};
  while (radius_packet_next(&packet, &iter, out))
    if (out->vendor == vendor && out->type == type && n-- == 0)
      return TRUE;
  return FALSE;
}

static void assert_octets(const RadiusBuilder *b, guint32 vendor, guint8 type, const char *want) {
  guint8 octets[256];
  gsize length = hex(want, octets, sizeof octets);
  RadiusAttribute a;

  assert_true(nth(b, vendor, type, 0, &a));
  assert_int_equal(a.length, length);
  assert_memory_equal(a.value, octets, length);
  assert_false(nth(b, vendor, type, 1, &a));
}

static void assert_text(const RadiusBuilder *b, guint32 vendor, guint8 type, const char *want) {
  RadiusAttribute a;
  assert_true(nth(b, vendor, type, 0, &a));
  assert_int_equal(a.length, strlen(want));
  assert_memory_equal(a.value, want, a.length);
  assert_false(nth(b, vendor, type, 1, &a));
}

static void assert_absent(const RadiusBuilder *b, guint32 vendor, guint8 type) {
  RadiusAttribute a;
  assert_false(nth(b, vendor, type, 0, &a));
}

static AditEndpoint endpoint(const char *text, guint16 port) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return adit_endpoint(&address, port);
}

/* nemo calls by L2TP from 198.51.100.7. */
static AditAuthRequest *request_new(AditAuthKind kind, const char *user) {
  AditAuthRequest *r = adit_auth_request_new(kind);
  r->user = g_strdup(user);
  r->transport = g_strdup("l2tp");
  r->caller_id = g_strdup("198.51.100.7");
  r->called_id = g_strdup("192.0.2.1");
  r->record_id = g_strdup("81a00001");
  r->port = 12;
  r->peer = endpoint("198.51.100.7", 1701);
  r->local = endpoint("192.0.2.1", 1701);
  return r;
}

static const char *put(RadiusBuilder *b, const RadiusNas *nas, const AditAuthRequest *request) {
  radius_build(b, RADIUS_ACCESS_REQUEST, TRUE);
  return radius_put_request(b, nas, request, authenticator, SECRET);
}

/* A proof, in hex: its identifier, the challenge and the response. */
static AditAuthRequest *proof_new(AditAuthKind kind, const char *user, guint8 id, const char *challenge, const char *response) {
  AditAuthRequest *r = request_new(kind, user);
  r->id = id;
  r->challenge_length = (guint8)hex(challenge, r->challenge, sizeof r->challenge);
  r->response_length = (guint8)hex(response, r->response, sizeof r->response);
  return r;
}

static void routeros_fields_of_an_access_request(void **unused) {
  g_autoptr(AditAuthRequest) r = request_new(ADIT_AUTH_PAP, "nemo");
  RadiusNas nas = {.identifier = "gate", .address = adit_address_ipv4(0xc0a80110)};
  RadiusBuilder b;

  r->password = g_strdup("arctangent");
  assert_null(put(&b, &nas, r));
  assert_int_equal(b.data[RADIUS_HEADER], 80); /* Message-Authenticator is the first */
  assert_text(&b, 0, 1, "nemo");
  assert_octets(&b, 0, 2, "0dbe708d93d413ce3196e43f782a0aee"); /* RFC 2865 7.1 */
  assert_octets(&b, 0, 4, "c0a80110");
  assert_octets(&b, 0, 5, "0000000c");
  assert_octets(&b, 0, 6, "00000002");
  assert_octets(&b, 0, 7, "00000001");
  assert_octets(&b, 0, 61, "00000005");
  assert_text(&b, 0, 30, "192.0.2.1");
  assert_text(&b, 0, 31, "198.51.100.7");
  assert_text(&b, 0, 32, "gate");
  assert_text(&b, 0, 44, "81a00001");
  assert_absent(&b, 0, 87); /* NAS-Port-Id: not with L2TP */
  assert_absent(&b, 0, 77);
  assert_absent(&b, 311, 10);
  assert_absent(&b, 14988, 9);
  assert_absent(&b, 0, 95);
}

static void rfc3162_2_1_nas_ipv6_address(void **unused) {
  g_autoptr(AditAuthRequest) r = request_new(ADIT_AUTH_PAP, "nemo");
  RadiusNas nas = {.address = {.family = AF_INET6, .octet = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}};
  RadiusBuilder b;

  r->password = g_strdup("x");
  assert_null(put(&b, &nas, r));
  assert_octets(&b, 0, 95, "20010db8000000000000000000000001");
  assert_absent(&b, 0, 4);
  assert_absent(&b, 0, 32);
}

static void rfc2865_5_3_chap(void **unused) {
  g_autoptr(AditAuthRequest) r =
      proof_new(ADIT_AUTH_CHAP_MD5, "flopsy", 0x16, "2aee86f08d0d55969ca5978e0d3367a2", "e97557c316185895f293ff6344077275");
  RadiusBuilder b;

  assert_null(put(&b, &nobody, r));
  assert_octets(&b, 0, 3, "16e97557c316185895f293ff6344077275"); /* RFC 2865 7.2 */
  assert_octets(&b, 0, 60, "2aee86f08d0d55969ca5978e0d3367a2");
  assert_absent(&b, 0, 2);
  r->response_length = 15;
  assert_string_equal(put(&b, &nobody, r), "no CHAP response");
}

/* RFC 2759 9.2: the user `User`, password `clientPass` */
static void rfc2548_2_3_2_mschap2_response(void **unused) {
  g_autoptr(AditAuthRequest) r =
      proof_new(ADIT_AUTH_MSCHAPV2, "User", 7, "5B5D7C7D7B3F2F3E3C2C602132262628",
                "21402324255E262A28295F2B3A337C7E 0000000000000000 82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF 04");
  RadiusBuilder b;

  assert_null(put(&b, &nobody, r));
  assert_octets(&b, 311, 25, "07 00 21402324255E262A28295F2B3A337C7E 0000000000000000 82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
  assert_octets(&b, 311, 11, "5B5D7C7D7B3F2F3E3C2C602132262628");
  assert_absent(&b, 311, 1);
  r->challenge_length = 8;
  assert_string_equal(put(&b, &nobody, r), "no MS-CHAP response");
}

static void rfc2548_2_1_3_mschap_response(void **unused) {
  g_autoptr(AditAuthRequest) r =
      proof_new(ADIT_AUTH_MSCHAPV1, "User", 9, "102DB5DF085D3041",
                "000000000000000000000000000000000000000000000000 4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61 01");
  RadiusBuilder b;

  assert_null(put(&b, &nobody, r));
  assert_octets(&b, 311, 1, "09 01 000000000000000000000000000000000000000000000000 4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61");
  assert_octets(&b, 311, 11, "102DB5DF085D3041");
  assert_absent(&b, 311, 25);
}

static void rfc3579_3_1_eap_in_pieces(void **unused) {
  g_autoptr(AditAuthRequest) r = request_new(ADIT_AUTH_EAP, "nemo");
  guint8 packet[600];
  RadiusAttribute a;
  RadiusBuilder b;

  memset(packet, 0x5a, sizeof packet);
  r->eap = g_bytes_new(packet, sizeof packet);
  r->state = g_bytes_new("state", 5);
  assert_null(put(&b, &nobody, r));
  assert_true(nth(&b, 0, 79, 0, &a) && a.length == 253);
  assert_true(nth(&b, 0, 79, 1, &a) && a.length == 253);
  assert_true(nth(&b, 0, 79, 2, &a) && a.length == 94);
  assert_false(nth(&b, 0, 79, 3, &a));
  assert_text(&b, 0, 24, "state");

  g_bytes_unref(r->eap);
  r->eap = g_bytes_new_take(g_malloc0(5000), 5000);
  assert_string_equal(put(&b, &nobody, r), "more than a packet holds");
  g_clear_pointer(&r->eap, g_bytes_unref);
  assert_string_equal(put(&b, &nobody, r), "no EAP packet");
}

static void what_radius_has_no_room_for_is_not_asked(void **unused) {
  g_autofree char *name = g_strnfill(254, 'n'), *word = g_strnfill(129, 'w');
  g_autoptr(AditAuthRequest) r = request_new(ADIT_AUTH_PAP, name);
  RadiusBuilder b;

  r->password = g_strdup("x");
  assert_string_equal(put(&b, &nobody, r), "a user name of over 253 octets"); /* cut, it would be another user's */
  r->user[253] = 0;
  assert_null(put(&b, &nobody, r));
  assert_text(&b, 0, 1, r->user);
  r->user[0] = 0;
  assert_string_equal(put(&b, &nobody, r), "an empty user name");
  r->user[0] = 'n';
  g_free(r->password);
  r->password = g_strdup(word);
  assert_string_equal(put(&b, &nobody, r), "a password of over 128 octets");
  g_clear_pointer(&r->password, g_free);
  assert_string_equal(put(&b, &nobody, r), "no password");
  r->kind = (AditAuthKind)99;
  assert_string_equal(put(&b, &nobody, r), "a method that RADIUS does not know");
}

static void routeros_domain_and_realm(void **unused) {
  static const struct {
    const char *user, *realm, *want_domain, *want_realm;
  } cases[] = {
      {"nemo", NULL, NULL, NULL},
      {"nemo", "isp", NULL, "isp"},
      {"nemo@example.com", NULL, "00 6578616d706c652e636f6d", "example.com"},
      {"nemo@a@example.com", NULL, "00 6578616d706c652e636f6d", "example.com"},
      {"nemo@example.com", "isp", "00 6578616d706c652e636f6d", "isp"},
      {"SEA\\nemo", NULL, "00 534541", "SEA"},
      {"SEA\\nemo@example.com", NULL, "00 534541", "SEA"},
      {"nemo@", NULL, NULL, NULL},
      {"\\nemo", NULL, NULL, NULL},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    RadiusNas nas = {.realm = cases[i].realm};
    RadiusWho who = {.user = cases[i].user};
    RadiusBuilder b;
    radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
    radius_put_who(&b, &nas, &who);
    assert_text(&b, 0, 1, cases[i].user);
    if (cases[i].want_domain)
      assert_octets(&b, 311, 10, cases[i].want_domain);
    else
      assert_absent(&b, 311, 10);
    if (cases[i].want_realm)
      assert_text(&b, 14988, 9, cases[i].want_realm);
    else
      assert_absent(&b, 14988, 9);
  }
}

static AditValue *l2tp_facts(void) {
  AditValue *map = adit_value_map();
  adit_value_set(map, "tunnel-peer-name", adit_value_string("lac1"));
  adit_value_set(map, "tunnel-id", adit_value_int(4711));
  adit_value_set(map, "call-serial-number", adit_value_int(17));
  adit_value_set(map, "tx-speed", adit_value_int(50000000));
  adit_value_set(map, "rx-speed", adit_value_int(10000000));
  adit_value_set(map, "private-group", adit_value_octets("green", 5));
  return map;
}

static void rfc2868_3_tunnel(void **unused) {
  g_autoptr(AditAuthRequest) r = request_new(ADIT_AUTH_PAP, "nemo");
  RadiusBuilder b;

  r->password = g_strdup("x");
  r->attributes = l2tp_facts();
  assert_null(put(&b, &nobody, r));
  assert_octets(&b, 0, 64, "00000003");
  assert_octets(&b, 0, 65, "00000001");
  assert_octets(&b, 0, 66, "00 3139382e35312e3130302e37");
  assert_octets(&b, 0, 67, "00 3139322e302e322e31");
  assert_octets(&b, 0, 90, "00 6c616331");
  assert_octets(&b, 0, 81, "00 677265656e");
  assert_absent(&b, 0, 91);
  assert_absent(&b, 0, 82); /* RFC 2868 6: not in an Access-Request */
  assert_absent(&b, 0, 68);
  assert_text(&b, 0, 77, "50000000/10000000 L2TP");

  adit_value_set(r->attributes, "tunnel-name", adit_value_string("gate"));
  adit_value_set(r->attributes, "rx-speed", adit_value_int(50000000));
  r->peer = endpoint("2001:db8::7", 1701);
  r->local = (AditEndpoint){.any = {.sa_family = 0}};
  assert_null(put(&b, &nobody, r));
  assert_octets(&b, 0, 65, "00000002");
  assert_octets(&b, 0, 66, "00 323030313a6462383a3a37");
  assert_absent(&b, 0, 67);
  assert_octets(&b, 0, 91, "00 67617465");
  assert_text(&b, 0, 77, "50000000 L2TP"); /* RFC 2869 5.11: once when both are the same */

  g_free(r->transport);
  r->transport = g_strdup("pppoe");
  assert_null(put(&b, &nobody, r));
  assert_absent(&b, 0, 64);
  assert_absent(&b, 0, 90);
}

static void rfc2866_the_same_of_a_record(void **unused) {
  g_autoptr(AditValue) facts = adit_value_map();
  AditAddress peer = adit_address_ipv4(0xc6336407), local = adit_address_ipv4(0xc0000201);
  AditAcctRecord record = {.size = sizeof record, .kind = ADIT_ACCT_START, .record_id = "81a00001", .user = "nemo", .facts = facts};
  RadiusNas nas = {.identifier = "gate"};
  RadiusWho who;
  RadiusBuilder b;

  adit_value_set(facts, "port", adit_value_int(12));
  adit_value_set(facts, "transport", adit_value_string("l2tp"));
  adit_value_set(facts, "caller-id", adit_value_string("0301234"));
  adit_value_set(facts, "called-id", adit_value_string("0305678"));
  adit_value_set(facts, "peer", adit_value_address(&peer));
  adit_value_set(facts, "local", adit_value_address(&local));
  adit_value_set(facts, "transport-attributes", l2tp_facts());
  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_who_of_record(&who, &record);
  radius_put_who(&b, &nas, &who);
  radius_put_tunnel_accounting(&b, &who);
  assert_text(&b, 0, 1, "nemo");
  assert_text(&b, 0, 44, "81a00001");
  assert_octets(&b, 0, 5, "0000000c");
  assert_text(&b, 0, 31, "0301234");
  assert_text(&b, 0, 30, "0305678");
  assert_octets(&b, 0, 66, "00 3139382e35312e3130302e37");
  assert_octets(&b, 0, 67, "00 3139322e302e322e31");
  assert_octets(&b, 0, 82, "00 34373131");
  assert_text(&b, 0, 68, "17");

  g_autoptr(AditValue) given = adit_value_map(); /* what the server said of him: RFC 2865 5.1, RFC 4372 2.1 */
  adit_value_set(given, "accounting-name", adit_value_string("customer 7"));
  adit_value_set(given, "chargeable-user-identity", adit_value_octets("\1\2", 2));
  record.attributes = given;
  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_who_of_record(&who, &record);
  radius_put_who(&b, &nas, &who);
  assert_text(&b, 0, 1, "customer 7");
  assert_octets(&b, 0, 89, "0102");

  record = (AditAcctRecord){.size = sizeof record, .kind = ADIT_ACCT_ON, .record_id = "81"};
  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_who_of_record(&who, &record);
  radius_put_nas(&b, &nas);
  radius_put_tunnel_accounting(&b, &who);
  assert_text(&b, 0, 32, "gate");
  assert_int_equal(b.length, RADIUS_HEADER + 6);
}

static void names_of_the_dictionary(void **unused) {
  g_autoptr(GError) error = NULL;
  char text[RADIUS_NAME_MAX];

  assert_string_equal(radius_name(14988, 8, text), "attribute 14988/8");
  assert_false(radius_names_load(SRCDIR "/no-such-file", &error));
  assert_non_null(error);
  assert_true(radius_names_load(SRCDIR "/plugins-auth/radius/dictionary", NULL));
  assert_true(radius_names_load(SRCDIR "/plugins-auth/radius/dictionary", NULL)); /* again, as at a reload */
  assert_string_equal(radius_name(14988, 8, text), "Mikrotik-Rate-Limit (14988/8)");
  assert_string_equal(radius_name(311, 26, text), "MS-CHAP2-Success (311/26)");
  assert_string_equal(radius_name(14122, 9, text), "WISPr-Session-Terminate-Time (14122/9)");
  assert_string_equal(radius_name(529, 197, text), "Ascend-Data-Rate (529/197)");
  assert_string_equal(radius_name(2352, 97, text), "Agent-Circuit-Id (2352/97)");
  assert_string_equal(radius_name(0, 123, text), "Delegated-IPv6-Prefix (123)");
  assert_string_equal(radius_name(0, 250, text), "attribute 250");
  assert_string_equal(radius_name(14988, 250, text), "attribute 14988/250");
  assert_string_equal(radius_name(0xffffff, 1, text), "attribute 16777215/1");
  radius_names_unload();
  assert_string_equal(radius_name(0, 123, text), "attribute 123");
}

static void dictionary_of_a_build_tree(void **unused) {
  g_unsetenv("ADIT_RADIUS_DICTIONARY");
  assert_true(g_str_has_suffix(radius_names_file(), "/adit/radius/dictionary"));
  g_setenv("ADIT_RADIUS_DICTIONARY", "/elsewhere", TRUE);
  assert_string_equal(radius_names_file(), "/elsewhere");
  g_unsetenv("ADIT_RADIUS_DICTIONARY");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routeros_fields_of_an_access_request),
      cmocka_unit_test(rfc3162_2_1_nas_ipv6_address),
      cmocka_unit_test(rfc2865_5_3_chap),
      cmocka_unit_test(rfc2548_2_3_2_mschap2_response),
      cmocka_unit_test(rfc2548_2_1_3_mschap_response),
      cmocka_unit_test(rfc3579_3_1_eap_in_pieces),
      cmocka_unit_test(what_radius_has_no_room_for_is_not_asked),
      cmocka_unit_test(routeros_domain_and_realm),
      cmocka_unit_test(rfc2868_3_tunnel),
      cmocka_unit_test(rfc2866_the_same_of_a_record),
      cmocka_unit_test(names_of_the_dictionary),
      cmocka_unit_test(dictionary_of_a_build_tree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
