/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins-auth/radius/wire/radius-packet.h"
#include "tests/unit/radius/hex.h"

#define SECRET "xyzzy5461"

/* RFC 2865 7.1: nemo logs in to host 192.168.1.16 with the password "arctangent" */
static const char nemo_request[] = "01 00 0038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee"
                                   "0406c0a80110 050600000003";
static const char nemo_accept[] = "02 00 0026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103";
static const char nemo_random[] = "0f403f9473978057bd83d5cb98f4227a";
/* RFC 2865 7.2: flopsy with CHAP */
static const char flopsy_request[] = "01 01 0047 2aee86f08d0d55969ca5978e0d3367a2 0108666c6f707379 031316e97557c316185895f293ff634407"
                                     "7275 0406c0a80110 050600000014 060600000002 070600000001";
static const char flopsy_accept[] = "02 01 0038 15efbc7dab26cfa3dc34d9c03c8601a4 060600000002 070600000001 0806fffffffe 0a0600000002"
                                    "0d0600000001 0c06000005dc";
/* Computed with another implementation of MD5 and HMAC: Session-Timeout 3600 to nemo, signed */
static const char signed_accept[] = "0200002c18e4e09f4f49f6c8a4d781559ba8acd4 50125ad9213e3efb32630ff49ffe581dcb6c 1b0600000e10";
/* ... a CoA-Request for session 81a00001, signed; a Start of that session, not signed */
static const char signed_coa[] = "2b090036453726fb35e768b15457c6f5a4175a2e 50124547e84c3f946576305742fdd39842e1 2c0a3831613030303031"
                                 "1b0600000e10";
static const char accounting_start[] = "04070024909ff0c528f221181883d493c7c1d6d6 280600000001 2c0a3831613030303031";

typedef struct {
  guint8 data[RADIUS_MAX + 64];
  gsize length;
} Octets;

static Octets octets(const char *text) {
  Octets o = {.length = 0};
  o.length = hex(text, o.data, sizeof o.data);
  return o;
}

static RadiusPacket parsed(const Octets *o) {
  RadiusPacket packet;
  assert_true(radius_packet_parse(o->data, o->length, &packet));
  return packet;
}

static RadiusCheck check_nemo(const Octets *reply, gboolean demand) {
  Octets random = octets(nemo_random);
  return radius_check_reply(reply->data, reply->length, random.data, SECRET, demand);
}

static void assert_built(const RadiusBuilder *b, const char *text) {
  Octets want = octets(text);
  assert_false(b->overflow);
  assert_int_equal(b->length, want.length);
  assert_memory_equal(b->data, want.data, want.length);
}

static void rfc2865_7_1_request_is_made(void **unused) {
  Octets random = octets(nemo_random);
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_REQUEST, FALSE);
  radius_set_authenticator(&b, random.data);
  radius_put_string(&b, 0, 1, "nemo");
  assert_true(radius_put_password(&b, "arctangent", SECRET));
  radius_put_int(&b, 0, 4, 0xc0a80110);
  radius_put_int(&b, 0, 5, 3);
  radius_finish_request(&b, 0, random.data, SECRET);
  assert_built(&b, nemo_request);
}

static void rfc2865_7_1_reply_is_believed_and_read(void **unused) {
  Octets reply = octets(nemo_accept);
  RadiusPacket packet = parsed(&reply);
  RadiusAttribute a;
  guint32 number;

  assert_int_equal(check_nemo(&reply, FALSE), RADIUS_GOOD);
  assert_int_equal(packet.code, RADIUS_ACCESS_ACCEPT);
  assert_true(radius_packet_find(&packet, 0, 14, &a));
  assert_true(radius_attribute_int(&a, &number));
  assert_int_equal(number, 0xc0a80103);
  assert_false(radius_packet_find(&packet, 0, 1, &a));
  assert_false(radius_packet_find(&packet, 14988, 14, &a));
}

static void rfc2865_7_2_reply_is_believed(void **unused) {
  Octets request = octets(flopsy_request), reply = octets(flopsy_accept);
  RadiusPacket asked = parsed(&request);

  assert_int_equal(radius_check_reply(reply.data, reply.length, asked.authenticator, SECRET, FALSE), RADIUS_GOOD);
  assert_int_equal(check_nemo(&reply, FALSE), RADIUS_BAD_AUTHENTICATOR);
}

static void rfc2865_7_reply_is_made(void **unused) {
  Octets request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_ACCEPT, FALSE);
  radius_put_int(&b, 0, 6, 1);
  radius_put_int(&b, 0, 15, 0);
  radius_put_int(&b, 0, 14, 0xc0a80103);
  radius_finish_reply(&b, &asked, SECRET);
  assert_built(&b, nemo_accept);
}

static void rfc2865_5_2_password_is_hidden_and_found(void **unused) {
  static const struct { gsize length, hidden; } cases[] = {{0, 16}, {1, 16}, {16, 16}, {17, 32}, {32, 32}, {127, 128}, {128, 128}};
  Octets random = octets(nemo_random);

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    char password[129] = "", found[129];
    RadiusBuilder b;
    RadiusAttribute a;
    for (gsize n = 0; n < cases[i].length; n++)
      password[n] = (char)('0' + n % 10);
    radius_build(&b, RADIUS_ACCESS_REQUEST, TRUE);
    radius_set_authenticator(&b, random.data);
    assert_true(radius_put_password(&b, password, SECRET));
    radius_finish_request(&b, 1, random.data, SECRET);
    RadiusPacket packet;
    assert_true(radius_packet_parse(b.data, b.length, &packet));
    assert_true(radius_packet_find(&packet, 0, 2, &a));
    assert_int_equal(a.length, cases[i].hidden);
    assert_true(radius_unhide(a.value, a.length, packet.authenticator, SECRET, found));
    assert_string_equal(found, password);
    assert_true(radius_unhide(a.value, a.length, packet.authenticator, "another", found));
    assert_string_not_equal(found, password);
  }
}

static void rfc2865_5_2_longest_password_as_others_hide_it(void **unused) {
  Octets random = octets(nemo_random);
  Octets want = octets("5cfd21cac68f429c67dbd40e4a193edbd88d93a1022882e28df1a7a3d85d130f72af7b6fb7363b1a5a6602bb38f11548a80eff5f6f7c7f"
                       "cb7bb93a60402d5984d21afd35f70e2912dd0bba1d09dc3388e8b0610cbaf59fa3ee1776c4715e0ecaeacdbf39f47b28d3f13298d5ab7b"
                       "66f8c81c062656a01ed0e1eb4e16730005b5");
  char password[129] = "";
  RadiusBuilder b;

  for (gsize i = 0; i < 120; i++)
    password[i] = (char)('0' + i % 10);
  memcpy(password + 120, "12345678", 9);
  radius_build(&b, RADIUS_ACCESS_REQUEST, FALSE);
  radius_set_authenticator(&b, random.data);
  assert_true(radius_put_password(&b, password, SECRET));
  assert_int_equal(want.length, 128);
  assert_memory_equal(b.data + RADIUS_HEADER + 2, want.data, 128);
}

static void rfc2865_5_2_password_of_129_octets_is_refused(void **unused) {
  char password[130], out[129];
  RadiusBuilder b;
  guint8 hidden[144] = {0};

  memset(password, 'x', 129);
  password[129] = 0;
  radius_build(&b, RADIUS_ACCESS_REQUEST, FALSE);
  assert_false(radius_put_password(&b, password, SECRET));
  assert_int_equal(b.length, RADIUS_HEADER);
  assert_false(radius_unhide(hidden, 144, hidden, SECRET, out));
  assert_false(radius_unhide(hidden, 15, hidden, SECRET, out));
  assert_false(radius_unhide(hidden, 0, hidden, SECRET, out));
}

static void rfc5997_6_1_status_server(void **unused) {
  Octets random = octets("8a54f4686fb394c52866e302185d0623"), reply = octets("02da0014ef0d552a4bf2d693ec2b6fe8b5411d66");
  RadiusBuilder b;

  radius_build(&b, RADIUS_STATUS_SERVER, TRUE);
  radius_finish_request(&b, 0xda, random.data, SECRET);
  assert_built(&b, "0cda00268a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3");
  assert_int_equal(radius_check_reply(reply.data, reply.length, random.data, SECRET, FALSE), RADIUS_GOOD);
  assert_int_equal(radius_check_reply(reply.data, reply.length, random.data, SECRET, TRUE), RADIUS_NOT_SIGNED);
}

static void rfc3579_3_2_signed_reply_is_believed(void **unused) {
  Octets reply = octets(signed_accept), request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  RadiusBuilder b;

  assert_int_equal(check_nemo(&reply, TRUE), RADIUS_GOOD);
  radius_build(&b, RADIUS_ACCESS_ACCEPT, TRUE);
  radius_put_int(&b, 0, 27, 3600);
  radius_finish_reply(&b, &asked, SECRET);
  assert_built(&b, signed_accept);
}

static void rfc2866_3_accounting_request(void **unused) {
  Octets want = octets(accounting_start);
  RadiusBuilder b;
  guint8 random[16] = {1};

  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_put_int(&b, 0, 40, 1);
  radius_put_string(&b, 0, 44, "81a00001");
  radius_finish_request(&b, 7, random, SECRET);
  assert_built(&b, accounting_start);
  assert_int_equal(radius_check_request(want.data, want.length, SECRET, FALSE), RADIUS_GOOD);
  assert_int_equal(radius_check_request(want.data, want.length, SECRET, TRUE), RADIUS_NOT_SIGNED);
  assert_int_equal(radius_check_request(want.data, want.length, "other", FALSE), RADIUS_BAD_AUTHENTICATOR);
}

static void rfc5176_3_4_coa_request(void **unused) {
  Octets coa = octets(signed_coa);
  RadiusPacket request = parsed(&coa);
  RadiusBuilder b;

  assert_int_equal(radius_check_request(coa.data, coa.length, SECRET, TRUE), RADIUS_GOOD);
  radius_build(&b, RADIUS_COA_ACK, TRUE);
  radius_finish_reply(&b, &request, SECRET);
  assert_int_equal(b.data[1], 9);
  assert_int_equal(radius_check_reply(b.data, b.length, request.authenticator, SECRET, TRUE), RADIUS_GOOD);
}

/* CVE-2024-3596: with an MD5 collision, an attacker can give an answer of another code a valid Response Authenticator, but never a
 * valid Message-Authenticator. The octets of the collision are in a Proxy-State; here it is made with the secret. */
static void blastradius_forgery_is_not_signed(void **unused) {
  Octets request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  guint8 junk[200] = {0x42};
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_ACCEPT, FALSE);
  radius_put_int(&b, 0, 6, 2);
  radius_put(&b, 0, 33, junk, sizeof junk);
  radius_finish_reply(&b, &asked, SECRET);
  assert_int_equal(radius_check_reply(b.data, b.length, asked.authenticator, SECRET, TRUE), RADIUS_NOT_SIGNED);
  assert_int_equal(radius_check_reply(b.data, b.length, asked.authenticator, SECRET, FALSE), RADIUS_GOOD);
}

static void hmac_md5(const guint8 *data, gsize length, guint8 out[16]) {
  gsize n = 16;
  GHmac *hmac = g_hmac_new(G_CHECKSUM_MD5, (const guint8 *)SECRET, strlen(SECRET));
  g_hmac_update(hmac, data, (gssize)length);
  g_hmac_get_digest(hmac, out, &n);
  g_hmac_unref(hmac);
}

/* An answer whose Message-Authenticator was made over zeros in place of the request's authenticator; the rest is right. */
static RadiusCheck check_signed_over_zeros(guint8 code) {
  Octets request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  guint8 data[RADIUS_HEADER + 18] = {code, asked.id, 0, sizeof data};
  gsize n = 16;

  data[RADIUS_HEADER] = 80;
  data[RADIUS_HEADER + 1] = 18;
  hmac_md5(data, sizeof data, data + RADIUS_HEADER + 2);
  memcpy(data + 4, asked.authenticator, 16);
  GChecksum *md5 = g_checksum_new(G_CHECKSUM_MD5);
  g_checksum_update(md5, data, sizeof data);
  g_checksum_update(md5, (const guint8 *)SECRET, strlen(SECRET));
  g_checksum_get_digest(md5, data + 4, &n);
  g_checksum_free(md5);
  return radius_check_reply(data, sizeof data, asked.authenticator, SECRET, TRUE);
}

/* FreeRADIUS's habit is borne where a signature proves nothing new, and nowhere else. */
static void accounting_response_may_be_signed_over_zeros(void **unused) {
  assert_int_equal(check_signed_over_zeros(RADIUS_ACCOUNTING_RESPONSE), RADIUS_GOOD);
  assert_int_equal(check_signed_over_zeros(RADIUS_ACCESS_ACCEPT), RADIUS_BAD_SIGNATURE);
  assert_int_equal(check_signed_over_zeros(RADIUS_ACCESS_REJECT), RADIUS_BAD_SIGNATURE);
}

/* A vendor's attribute 80 is no signature either. */
static void vendor_attribute_80_is_no_signature(void **unused) {
  Octets request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  guint8 value[16] = {0};
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_ACCEPT, FALSE);
  radius_put(&b, 14988, 80, value, sizeof value);
  radius_finish_reply(&b, &asked, SECRET);
  assert_int_equal(radius_check_reply(b.data, b.length, asked.authenticator, SECRET, TRUE), RADIUS_NOT_SIGNED);
}

/* The authenticator is right (the forger had a collision), the signature is not: changed, doubled, or of another length. */
static void rfc3579_3_2_wrong_signatures_are_refused(void **unused) {
  Octets request = octets(nemo_request);
  RadiusPacket asked = parsed(&request);
  guint8 value[18] = {7};
  static const gsize lengths[] = {16, 15, 17, 0};

  for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
    RadiusBuilder b;
    radius_build(&b, RADIUS_ACCESS_ACCEPT, FALSE);
    radius_put(&b, 0, 80, value, lengths[i]);
    radius_finish_reply(&b, &asked, SECRET);
    assert_int_equal(radius_check_reply(b.data, b.length, asked.authenticator, SECRET, TRUE), RADIUS_BAD_SIGNATURE);
    assert_int_equal(radius_check_reply(b.data, b.length, asked.authenticator, SECRET, FALSE), RADIUS_BAD_SIGNATURE);
  }

  RadiusBuilder twice;
  radius_build(&twice, RADIUS_ACCESS_ACCEPT, TRUE);
  radius_put(&twice, 0, 80, value, 16);
  radius_finish_reply(&twice, &asked, SECRET);
  assert_int_equal(radius_check_reply(twice.data, twice.length, asked.authenticator, SECRET, TRUE), RADIUS_BAD_SIGNATURE);
}

static void each_flipped_bit_is_seen(void **unused) {
  Octets good = octets(signed_accept);

  for (gsize bit = 0; bit < good.length * 8; bit++) {
    Octets bad = good;
    bad.data[bit / 8] ^= (guint8)(1 << bit % 8);
    assert_int_not_equal(check_nemo(&bad, TRUE), RADIUS_GOOD);
  }
}

static void each_truncation_is_seen(void **unused) {
  Octets good = octets(signed_accept);

  for (gsize length = 0; length < good.length; length++) {
    RadiusPacket packet;
    g_autofree guint8 *cut = (guint8 *)g_memdup2(good.data, MAX(length, 1)); /* exactly as long: ASan sees the octet behind it */
    assert_false(radius_packet_parse(cut, length, &packet));
    assert_int_equal(radius_check_reply(cut, length, good.data, SECRET, FALSE), RADIUS_BAD_AUTHENTICATOR);
  }
}

static void rfc2865_3_octets_beyond_length_are_padding(void **unused) {
  Octets reply = octets(signed_accept);
  memset(reply.data + reply.length, 0xff, 9);
  reply.length += 9;
  assert_int_equal(parsed(&reply).length, 0x2c - RADIUS_HEADER);
  assert_int_equal(check_nemo(&reply, TRUE), RADIUS_GOOD);
}

static void rfc2865_3_lying_lengths_are_no_packet(void **unused) {
  static const char *const bad[] = {
      "02000013 00000000000000000000000000000000",               /* Length under 20 */
      "02000015 00000000000000000000000000000000",               /* over the datagram */
      "02000015 00000000000000000000000000000000 06",            /* an attribute without length */
      "02000016 00000000000000000000000000000000 0601",          /* shorter than its own head */
      "02000016 00000000000000000000000000000000 0600",          /* 0 would be read for ever */
      "02000019 00000000000000000000000000000000 0606000000",    /* over the end */
      "02000018 00000000000000000000000000000000 0606000000 01", /* over Length, though not over the datagram */
  };
  RadiusPacket packet;

  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    Octets o = octets(bad[i]);
    assert_false(radius_packet_parse(o.data, o.length, &packet));
  }
  Octets large = {.data = {2, 0, 0x10, 0x01}, .length = RADIUS_MAX + 1}; /* 4097 octets */
  assert_false(radius_packet_parse(large.data, large.length, &packet));
  assert_false(radius_packet_parse(NULL, 0, &packet));
}

static void rfc2865_5_26_vendor_attributes_one_by_one(void **unused) {
  Octets o = {.data = {2}, .length = 20};
  RadiusIter iter = {0};
  RadiusAttribute a;
  o.length += hex("1a12 00003a8c 0306676f6c64 0806314d2f32 1a0c 00000137 1c06c0a80101 1b0600000e10", o.data + 20, 100);
  o.data[3] = (guint8)o.length;
  RadiusPacket packet = parsed(&o);

  static const struct {
    guint32 vendor;
    guint8 type, length, first;
  } want[] = {{14988, 3, 4, 'g'}, {14988, 8, 4, '1'}, {311, 28, 4, 0xc0}, {0, 27, 4, 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
    assert_true(radius_packet_next(&packet, &iter, &a));
    assert_int_equal(a.vendor, want[i].vendor);
    assert_int_equal(a.type, want[i].type);
    assert_int_equal(a.length, want[i].length);
    assert_int_equal(a.value[0], want[i].first);
  }
  assert_false(radius_packet_next(&packet, &iter, &a));
  assert_false(radius_packet_next(&packet, &iter, &a));
  assert_true(radius_packet_find(&packet, 311, 28, &a));
  assert_true(radius_packet_find(&packet, 14988, 8, &a));
}

static void rfc2865_5_26_other_insides_stay_whole(void **unused) {
  static const char *const insides[] = {
      "1a02",                          /* nothing at all */
      "1a05 000137",                   /* no whole Vendor-Id */
      "1a06 00000137",                 /* nothing in it */
      "1a0c 01000137 1c0601020304",    /* the first octet of a Vendor-Id is 0 */
      "1a0c 00000000 1c0601020304",    /* no vendor */
      "1a0c 00000137 1c0701020304",    /* over the end */
      "1a0c 00000137 1c0001020304",    /* no length */
      "1a0d 00000137 1c0601020304 05", /* half a second one */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(insides); i++) {
    Octets o = {.data = {2}, .length = 20};
    RadiusIter iter = {0};
    RadiusAttribute a;
    o.length += hex(insides[i], o.data + 20, 100);
    gsize inside = o.length - 22;
    o.length += hex("1b0600000e10", o.data + o.length, 10);
    o.data[3] = (guint8)o.length;
    RadiusPacket packet = parsed(&o);
    assert_true(radius_packet_next(&packet, &iter, &a));
    assert_int_equal(a.vendor, 0);
    assert_int_equal(a.type, 26);
    assert_int_equal(a.length, inside);
    assert_true(radius_packet_next(&packet, &iter, &a));
    assert_int_equal(a.vendor, 0);
    assert_int_equal(a.type, 27);
    assert_false(radius_packet_next(&packet, &iter, &a));
  }
}

static void integers_have_four_octets(void **unused) {
  static const guint8 value[5] = {0x80, 0, 0, 1, 2};
  guint32 number;
  RadiusAttribute a = {.value = value, .length = 4};

  assert_true(radius_attribute_int(&a, &number));
  assert_int_equal(number, 0x80000001);
  a.length = 3;
  assert_false(radius_attribute_int(&a, &number));
  a.length = 5;
  assert_false(radius_attribute_int(&a, &number));
}

static void what_does_not_fit_is_left_out_whole(void **unused) {
  guint8 value[254] = {0};
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_REQUEST, TRUE);
  assert_int_equal(b.length, 38);
  radius_put(&b, 0, 25, value, 254);
  assert_true(b.overflow);
  assert_int_equal(b.length, 38);
  radius_build(&b, RADIUS_ACCESS_REQUEST, TRUE);
  radius_put(&b, 14988, 1, value, 248);
  assert_true(b.overflow);

  radius_build(&b, RADIUS_ACCESS_REQUEST, FALSE);
  while (b.length + 255 <= RADIUS_MAX)
    radius_put(&b, 0, 25, value, 253);
  assert_false(b.overflow);
  gsize left = RADIUS_MAX - b.length;
  radius_put(&b, 0, 25, value, left - 1);
  assert_true(b.overflow);
  assert_int_equal(b.length, RADIUS_MAX - left);
  radius_put(&b, 0, 25, value, left - 2);
  assert_int_equal(b.length, RADIUS_MAX);
  radius_put_int(&b, 0, 27, 1);
  assert_int_equal(b.length, RADIUS_MAX);
  radius_finish_request(&b, 1, value, SECRET);
  RadiusPacket packet;
  assert_true(radius_packet_parse(b.data, b.length, &packet));
}

static void strings_are_cut_and_empty_ones_left_out(void **unused) {
  g_autofree char *text = g_strnfill(300, 'x');
  RadiusBuilder b;

  radius_build(&b, RADIUS_ACCESS_REQUEST, FALSE);
  radius_put_string(&b, 0, 31, NULL);
  radius_put_string(&b, 0, 31, "");
  assert_int_equal(b.length, RADIUS_HEADER);
  radius_put_string(&b, 0, 31, text);
  assert_int_equal(b.length, RADIUS_HEADER + 255);
  radius_put_string(&b, 14988, 9, text);
  assert_int_equal(b.length, RADIUS_HEADER + 255 + 255);
  assert_false(b.overflow);
}

static void rfc2548_2_4_2_mppe_key(void **unused) {
  Octets random = octets(nemo_random), value = octets("8c3dfc997430d7a74fded86e02ef925600a934738ee1a464e0ba42ce8f6523a85b70"),
         want = octets("8b7cdc149b993a1ba118cb153f56dccb"); /* RFC 3079 3.5.3 */
  guint8 out[249];
  gsize length;

  assert_true(radius_unsalt(value.data, value.length, random.data, SECRET, out, &length));
  assert_int_equal(length, 16);
  assert_memory_equal(out, want.data, 16);
}

static void rfc2868_3_5_tunnel_password(void **unused) {
  static const char want[] = "a tunnel password of 33 octets!!!";
  Octets random = octets(nemo_random),
         value = octets("f0017f0b5c0ee6c79858476625de9ce17b922fd3431cb6afb6f3f4fe40ac0d51a4299786e17469fc5bc3ebcdf5be88a0feeb");
  guint8 out[249];
  gsize length;

  assert_true(radius_unsalt(value.data, value.length, random.data, SECRET, out, &length));
  assert_int_equal(length, strlen(want));
  assert_memory_equal(out, want, length);
}

static void rfc2868_3_5_malformed_salted_values(void **unused) {
  Octets random = octets(nemo_random), liar = octets("8001d74fd67865119ff7c7062f09e6838723"); /* 16 octets follow, says the block */
  guint8 out[249], value[255] = {0x80};
  static const gsize lengths[] = {0, 1, 2, 3, 17, 19, 2 + 240 + 16, 2 + 31};
  gsize length;

  assert_false(radius_unsalt(liar.data, liar.length, random.data, SECRET, out, &length));
  assert_int_equal(length, 0);
  for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++)
    assert_false(radius_unsalt(value, lengths[i], random.data, SECRET, out, &length));
}

static void codes_have_names(void **unused) {
  assert_string_equal(radius_code_name(RADIUS_ACCESS_REJECT), "Access-Reject");
  assert_string_equal(radius_code_name(44), "CoA-ACK");
  assert_string_equal(radius_code_name(0), "an unknown code");
  for (guint code = RADIUS_ACCESS_REQUEST; code <= RADIUS_COA_NAK; code++)
    assert_non_null(radius_code_name((guint8)code));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2865_7_1_request_is_made),
      cmocka_unit_test(rfc2865_7_1_reply_is_believed_and_read),
      cmocka_unit_test(rfc2865_7_2_reply_is_believed),
      cmocka_unit_test(rfc2865_7_reply_is_made),
      cmocka_unit_test(rfc2865_5_2_password_is_hidden_and_found),
      cmocka_unit_test(rfc2865_5_2_longest_password_as_others_hide_it),
      cmocka_unit_test(rfc2865_5_2_password_of_129_octets_is_refused),
      cmocka_unit_test(rfc5997_6_1_status_server),
      cmocka_unit_test(rfc3579_3_2_signed_reply_is_believed),
      cmocka_unit_test(rfc2866_3_accounting_request),
      cmocka_unit_test(rfc5176_3_4_coa_request),
      cmocka_unit_test(blastradius_forgery_is_not_signed),
      cmocka_unit_test(vendor_attribute_80_is_no_signature),
      cmocka_unit_test(accounting_response_may_be_signed_over_zeros),
      cmocka_unit_test(rfc3579_3_2_wrong_signatures_are_refused),
      cmocka_unit_test(each_flipped_bit_is_seen),
      cmocka_unit_test(each_truncation_is_seen),
      cmocka_unit_test(rfc2865_3_octets_beyond_length_are_padding),
      cmocka_unit_test(rfc2865_3_lying_lengths_are_no_packet),
      cmocka_unit_test(rfc2865_5_26_vendor_attributes_one_by_one),
      cmocka_unit_test(rfc2865_5_26_other_insides_stay_whole),
      cmocka_unit_test(integers_have_four_octets),
      cmocka_unit_test(what_does_not_fit_is_left_out_whole),
      cmocka_unit_test(strings_are_cut_and_empty_ones_left_out),
      cmocka_unit_test(rfc2548_2_4_2_mppe_key),
      cmocka_unit_test(rfc2868_3_5_tunnel_password),
      cmocka_unit_test(rfc2868_3_5_malformed_salted_values),
      cmocka_unit_test(codes_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
