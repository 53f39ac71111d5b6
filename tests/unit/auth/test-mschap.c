/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include <nettle/md4.h>

#include "plugins-auth/mschap/crypto.h"
#include "plugins-auth/mschap/mschap.h"
#include "tests/unit/auth/cases.h"

#define V2_CHALLENGE "5B5D7C7D7B3F2F3E3C2C602132262628"
#define V2_PEER      "21402324255E262A28295F2B3A337C7E"
#define V2_NT        "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"
#define V2_PROOF     "S=407A5589115FD0D6209F510FE9C04566932CDA56"
#define V1_CHALLENGE "102DB5DF085D3041"
#define V1_NT        "4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61"

static void unhex(const char *hex, guint8 *out) {
  g_autoptr(GBytes) octets = pair_hex(hex);
  memcpy(out, g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
}

static void rfc2433_appendix_b(void **unused) {
  guint8 hash[16], challenge[8], response[24];

  mschap_nt_hash("MyPw", hash);
  pair_assert_hex(hash, 16, "FC156AF7EDCD6C0EDDE3337D427F4EAC");
  unhex(V1_CHALLENGE, challenge);
  mschap_nt_response(challenge, hash, response);
  pair_assert_hex(response, 24, V1_NT);
}

static void rfc2759_9_2_vectors(void **unused) {
  guint8 hash[16], challenge[16], peer[16], short_challenge[8], response[24];
  char proof[MSCHAP_PROOF];

  unhex(V2_CHALLENGE, challenge);
  unhex(V2_PEER, peer);
  mschap_nt_hash("clientPass", hash);
  pair_assert_hex(hash, 16, "44EBBA8D5312B8D611474411F56989AE");
  mschap_v2_challenge(peer, challenge, "User", short_challenge);
  pair_assert_hex(short_challenge, 8, "D02E4386BCE91226");
  mschap_nt_response(short_challenge, hash, response);
  pair_assert_hex(response, 24, V2_NT);
  mschap_v2_proof(hash, response, peer, challenge, "User", proof);
  assert_string_equal(proof, V2_PROOF);
}

static void rfc2759_8_2_the_domain_is_not_hashed(void **unused) {
  guint8 challenge[16] = {1}, peer[16] = {2}, bare[8], with_domain[8], twice[8], at[8];

  mschap_v2_challenge(peer, challenge, "User", bare);
  mschap_v2_challenge(peer, challenge, "DOMAIN\\User", with_domain);
  mschap_v2_challenge(peer, challenge, "A\\B\\User", twice);
  mschap_v2_challenge(peer, challenge, "User@DOMAIN", at);
  assert_memory_equal(bare, with_domain, 8);
  assert_memory_equal(bare, twice, 8);
  assert_memory_not_equal(bare, at, 8);
}

static void rfc3079_3_5_v2_keys(void **unused) {
  guint8 hash[16], response[24], master[16], key[16];

  mschap_nt_hash("clientPass", hash);
  unhex(V2_NT, response);
  mschap_v2_master_key(hash, response, master);
  pair_assert_hex(master, 16, "FDECE3717A8C838CB388E527AE3CDD31");
  mschap_v2_start_key(master, TRUE, TRUE, key);
  pair_assert_hex(key, 16, "8B7CDC149B993A1BA118CB153F56DCCB");
  mschap_v2_start_key(master, FALSE, FALSE, key); /* what the server sends with, the client receives with */
  pair_assert_hex(key, 16, "8B7CDC149B993A1BA118CB153F56DCCB");
  mschap_v2_start_key(master, FALSE, TRUE, key);
  pair_assert_hex(key, 16, "D5F0E9521E3EA9589645E86051C82226");
  mschap_v2_start_key(master, TRUE, FALSE, key);
  pair_assert_hex(key, 16, "D5F0E9521E3EA9589645E86051C82226");
}

static void rfc3079_2_5_v1_key(void **unused) {
  guint8 hash[16], challenge[8], key[16];

  mschap_nt_hash("clientPass", hash);
  unhex(V1_CHALLENGE, challenge);
  mschap_v1_start_key(hash, challenge, key);
  pair_assert_hex(key, 16, "A8947850CFC0ACC1D1789FB62DDCDDB0");
  assert_true(mschap_v1_short_key("CLIENTPa", key)); /* of the LAN Manager hash: capitals, seven characters */
  pair_assert_hex(key, 8, "76A152936096D783");
  assert_false(mschap_v1_short_key("p\xc3\xa4", key));
}

static void rfc2759_8_3_passwords_are_utf16le(void **unused) {
  /* MD4 of: nothing; 70 00 e4 00; 3d d8 dd dd (a surrogate pair) */
  static const struct {
    const char *password, *utf16;
  } cases[] = {{"", ""}, {"p\xc3\xa4", "7000e400"}, {"\xf0\x9f\x97\x9d", "3DD8DDDD"}, {"p\xe4", "7000e400"}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GBytes) utf16 = pair_hex(cases[i].utf16);
    struct md4_ctx ctx;
    guint8 hash[16], expected[16];
    md4_init(&ctx);
    md4_update(&ctx, g_bytes_get_size(utf16), (const guint8 *)g_bytes_get_data(utf16, NULL));
    md4_digest(&ctx, sizeof expected, expected);
    mschap_nt_hash(cases[i].password, hash); /* the last one is no UTF-8, and is taken octet by octet */
    assert_memory_equal(hash, expected, 16);
  }
}

/** verify() with a request made from hex. */
static AditAuthOutcome verify(const AditAuthMethod *method, const char *user, const char *challenge, const char *response,
                              const char *password, const char *hash, AditAuthReply *out, char text[128]) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(method->kind);
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = password};
  guint8 nt_hash[16];

  request->user = g_strdup(user);
  unhex(challenge, request->challenge);
  request->challenge_length = (guint8)(strlen(challenge) / 2);
  unhex(response, request->response);
  request->response_length = 49;
  memcpy(request->peer_challenge, request->response, 16);
  if (hash) {
    unhex(hash, nt_hash);
    secret.nt_hash = nt_hash;
  }
  *out = (AditAuthReply){.size = sizeof *out};
  method->verify(request, &secret, out, text);
  return out->outcome;
}

static void rfc2759_4_verify_by_password_and_by_hash(void **unused) {
  static const char response[] = V2_PEER "0000000000000000" V2_NT "00";
  AditAuthReply out;
  char text[128];

  assert_int_equal(verify(&mschap2_method, "User", V2_CHALLENGE, response, "clientPass", NULL, &out, text), ADIT_AUTH_ACCEPT);
  assert_string_equal(out.message, V2_PROOF);
  assert_true(out.has_mppe_keys);
  pair_assert_hex(out.mppe_send_key, 16, "8B7CDC149B993A1BA118CB153F56DCCB");
  pair_assert_hex(out.mppe_receive_key, 16, "D5F0E9521E3EA9589645E86051C82226");
  assert_int_equal(verify(&mschap2_method, "CORP\\User", V2_CHALLENGE, response, NULL, "44EBBA8D5312B8D611474411F56989AE", &out, text),
                   ADIT_AUTH_ACCEPT);
  assert_string_equal(out.message, V2_PROOF);
  assert_int_equal(verify(&mschap2_method, "user", V2_CHALLENGE, response, "clientPass", NULL, &out, text), ADIT_AUTH_REJECT);
  assert_int_equal(verify(&mschap2_method, "User", V2_CHALLENGE, response, "clientpass", NULL, &out, text), ADIT_AUTH_REJECT);
  assert_int_equal(out.error_code, 691);
  assert_false(out.has_mppe_keys);
  assert_int_equal(verify(&mschap2_method, "User", V2_CHALLENGE, response, NULL, NULL, &out, text), ADIT_AUTH_REJECT);
}

static void rfc2433_5_verify_and_no_lm(void **unused) {
  static const char zeros[] = "000000000000000000000000000000000000000000000000";
  g_autofree char *response = g_strconcat(zeros, V1_NT, "01", NULL), *lm = g_strconcat(V1_NT, V1_NT, "00", NULL);
  AditAuthReply out;
  char text[128];

  assert_int_equal(verify(&mschap1_method, "x", V1_CHALLENGE, response, "MyPw", NULL, &out, text), ADIT_AUTH_ACCEPT);
  assert_true(out.has_mppe_keys);
  assert_memory_equal(out.mppe_send_key, out.mppe_receive_key, 16);
  assert_int_equal(out.mppe_short, ADIT_MPPE_SHORT_OWN);
  assert_int_equal(verify(&mschap1_method, "x", V1_CHALLENGE, response, NULL, "FC156AF7EDCD6C0EDDE3337D427F4EAC", &out, text),
                   ADIT_AUTH_ACCEPT);
  assert_int_equal(out.mppe_short, ADIT_MPPE_SHORT_NONE); /* it does not tell the LAN Manager hash */
  assert_int_equal(verify(&mschap1_method, "x", V1_CHALLENGE, response, "mypw", NULL, &out, text), ADIT_AUTH_REJECT);
  assert_int_equal(verify(&mschap1_method, "x", V1_CHALLENGE, lm, "MyPw", NULL, &out, text), ADIT_AUTH_REJECT);
}

static const char *sent_text(Pair *pair, int which, int index) {
  gsize length;
  const guint8 *packet = pair_sent(pair, which, index, &length);
  static char text[300];
  memcpy(text, packet + 4, length - 4);
  text[length - 4] = 0;
  return text;
}

static void exchange_of(const AditAuthMethod *method, guint challenge_length) {
  g_autoptr(Pair) pair = pair_log_in(method, 5, "clientPass", "CORP\\User", "clientPass");
  gsize length;

  pair_run(pair, 100);
  pair_assert_ok(pair);
  assert_int_equal(pair_sent(pair, SERVER, 0, NULL)[4], challenge_length);
  const guint8 *response = pair_sent(pair, CLIENT, 0, &length);
  assert_int_equal(length, 5 + 49 + 9);
  assert_int_equal(response[4], 49);
  assert_memory_equal(response + 54, "CORP\\User", 9);
  static const guint8 zero[24];
  if (method == &mschap1_method) {
    assert_memory_equal(response + 5, zero, 24); /* no LM response */
    assert_int_equal(response[53], 1);
  } else {
    assert_memory_not_equal(response + 5, zero, 16);
    assert_memory_equal(response + 5 + 16, zero, 8); /* reserved */
    assert_int_equal(response[53], 0);               /* flags */
  }
}

static void rfc2433_exchange(void **unused) {
  exchange_of(&mschap1_method, 8);
}

static void rfc2759_exchange(void **unused) {
  exchange_of(&mschap2_method, 16);
}

/* What the server sends with, the client receives with, after a restart, too; and before it is in it has none. */
static void keys_of_both_ends_agree(const AditAuthMethod *method) {
  g_autoptr(Pair) pair = pair_new(method, 5);
  const End *server = &pair->end[SERVER], *client = &pair->end[CLIENT];
  guint8 send[16], receive[16];

  pair->password = "clientPass";
  pair_start(pair, CLIENT, "CORP\\User", "clientPass");
  assert_false(method->keys(client->state, send, receive));
  pair_start(pair, SERVER, "gate", NULL);
  pair_run(pair, 100);
  pair_assert_ok(pair);
  for (guint lives = 0; lives < 2; lives++) {
    assert_true(method->keys(client->state, send, receive));
    assert_memory_equal(receive, pair->last.mppe_send_key, 16);
    assert_memory_equal(send, pair->last.mppe_receive_key, 16);
    assert_true(pair_restart(pair, CLIENT));
  }
  assert_false(method->keys(server->state, send, receive));
  if (method->short_key) {
    assert_int_equal(method->short_key(client->state, send), pair->last.mppe_short);
    assert_memory_equal(send, pair->last.mppe_short_key, 8);
  }

  /* Old challenges that come late settle nothing, so there are no keys of theirs, wherever they are kept. */
  pair->loss = 100;
  for (guint8 id = 100; id < 104; id++) {
    guint8 late[] = {1, id, 0, 21, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    late[4] = method == &mschap1_method ? 8 : 16;
    pair_inject(pair, CLIENT, late, sizeof late);
    pair_run(pair, 100000);
    pair_assert_ok(pair);
    assert_false(method->keys(client->state, send, receive));
  }
}

static void rfc3079_3_keys_of_both_ends_agree(void **unused) {
  keys_of_both_ends_agree(&mschap2_method);
}

static void rfc3079_2_keys_of_both_ends_agree(void **unused) {
  keys_of_both_ends_agree(&mschap1_method);
}

static void rfc2759_5_success_has_upper_case_proof(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&mschap2_method, 5, "clientPass", "User", "clientPass");

  pair_run(pair, 100);
  const char *text = sent_text(pair, SERVER, 1);
  assert_int_equal(strlen(text), 42);
  assert_true(g_str_has_prefix(text, "S="));
  for (int i = 2; i < 42; i++)
    assert_true(g_ascii_isxdigit(text[i]) && !g_ascii_islower(text[i]));
}

/** The client is given a Success with this text in place of the server's, or behind its proof. */
static Pair *with_success_octets(const char *text, gsize text_length, gboolean append_proof) {
  Pair *pair = pair_log_in(&mschap2_method, 5, "clientPass", "User", "clientPass");
  guint8 packet[4 + 256] = {3};
  gsize length = 0;

  const guint8 *challenge = pair_sent(pair, SERVER, 0, &length);
  pair_inject(pair, CLIENT, challenge, length);
  const guint8 *response = pair_sent(pair, CLIENT, 0, &length);
  pair_inject(pair, SERVER, response, length);
  const char *proof = append_proof ? sent_text(pair, SERVER, 1) : "";
  packet[1] = challenge[1];
  packet[3] = (guint8)(4 + strlen(proof) + text_length);
  memcpy(packet + 4, proof, strlen(proof));
  memcpy(packet + 4 + strlen(proof), text, text_length);
  pair_inject(pair, CLIENT, packet, packet[3]);
  return pair;
}

static Pair *with_success(const char *text, gboolean append_proof) {
  return with_success_octets(text, strlen(text), append_proof);
}

static void rfc2759_5_client_wants_the_proof(void **unused) {
  static const char *const wrong[] = {"",
                                      "Welcome",
                                      "S=",
                                      "S=407A5589115FD0D6209F510FE9C04566932CDA56",
                                      "S=407A5589115FD0D6209F510FE9C04566932CDA5",
                                      "S=zz7A5589115FD0D6209F510FE9C04566932CDA56",
                                      "M=S=407A5589115FD0D6209F510FE9C04566932CDA56"};
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(Pair) pair = with_success(wrong[i], FALSE);
    assert_int_equal(pair->end[CLIENT].dones, 1);
    assert_false(pair->end[CLIENT].ok);
    assert_non_null(strstr(pair->end[CLIENT].why, "server"));
  }
  g_autoptr(Pair) with_message = with_success(" M=Welcome", TRUE);
  assert_true(with_message->end[CLIENT].ok);
}

/* Windows Server 2019 leaves out the blank before M=; others end the text with a NUL or a line's end. The 42 octets decide. */
static void rfc2759_5_what_follows_the_proof_does_not_matter(void **unused) {
  static const struct {
    const char *text;
    gsize length;
  } tails[] = {{"", 0},         {" M=Welcome", 10}, {"M=Welcome", 9}, {"M=", 2}, {"\0", 1},     {"\r\n", 2},
               {"\n", 1},       {" ", 1},           {"00", 2},        {";", 1},  {"M=hi\0", 5}, {"\0\0\0 M=hi\r\n", 10},
               {"\xff\xfe", 2}, {"M=a M=b", 7}};

  for (gsize i = 0; i < G_N_ELEMENTS(tails); i++) {
    g_autoptr(Pair) right = with_success_octets(tails[i].text, tails[i].length, TRUE);
    g_autofree char *forged = g_strdup_printf("S=407A5589115FD0D6209F510FE9C04566932CDA56%s", tails[i].text);
    g_autoptr(Pair) wrong = with_success(forged, FALSE);
    guint8 send[16], receive[16];
    assert_true(right->end[CLIENT].ok);
    assert_true(mschap2_method.keys(right->end[CLIENT].state, send, receive));
    assert_false(wrong->end[CLIENT].ok);
  }
}

static void rfc2759_5_server_that_does_not_know_the_password(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  AditAuthReply lie = {.size = sizeof lie, .outcome = ADIT_AUTH_ACCEPT, .message = V2_PROOF};

  pair->hold = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "User", "clientPass");
  pair_run(pair, 10);
  mschap2_method.verdict(pair->end[SERVER].state, &pair->end[SERVER].env, &lie);
  pair_run(pair, 10);
  assert_false(pair->end[CLIENT].ok);
  assert_string_equal(pair->end[CLIENT].why, "the server's proof is wrong: it does not know our password");
}

static void an_accept_without_proof_is_a_failure(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  AditAuthReply bare = {.size = sizeof bare, .outcome = ADIT_AUTH_ACCEPT};

  pair->hold = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "User", "clientPass");
  pair_run(pair, 10);
  mschap2_method.verdict(pair->end[SERVER].state, &pair->end[SERVER].env, &bare);
  pair_run(pair, 10);
  assert_false(pair->end[SERVER].ok || pair->end[CLIENT].ok);
}

static void rfc2759_6_failure_text(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&mschap2_method, 5, "clientPass", "User", "wrong");

  pair_run(pair, 100);
  assert_false(pair->end[SERVER].ok || pair->end[CLIENT].ok);
  assert_true(g_regex_match_simple("^E=691 R=0 C=[0-9A-F]{32} V=3 M=$", sent_text(pair, SERVER, 1), 0, 0));
  assert_string_equal(pair->end[CLIENT].why, "wrong user name or password (E=691)");
}

static void rfc2433_6_failure_text(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&mschap1_method, 5, "clientPass", "User", "wrong");

  pair_run(pair, 100);
  assert_true(g_regex_match_simple("^E=691 R=0 C=[0-9A-F]{16} V=2$", sent_text(pair, SERVER, 1), 0, 0));
}

static void rfc2759_6_other_error_codes_and_messages(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  AditAuthReply expired = {.size = sizeof expired, .outcome = ADIT_AUTH_REJECT, .error_code = 648, .message = "your password has expired"};

  pair->hold = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "User", "wrong");
  pair_run(pair, 10);
  mschap2_method.verdict(pair->end[SERVER].state, &pair->end[SERVER].env, &expired);
  assert_true(g_regex_match_simple("^E=648 R=0 C=[0-9A-F]{32} V=3 M=your password has expired$", sent_text(pair, SERVER, 1), 0, 0));
  pair_run(pair, 100);
  assert_string_equal(pair->end[CLIENT].why, "your password has expired (E=648)");
}

/* A Failure whose text is another than expected, as a client gets it. */
static void rfc2759_6_what_a_client_is_told(void **unused) {
  static const struct {
    const char *sent, *told;
  } cases[] = {
      {"E=649 R=0 C=00 V=3 M=", "no permission to dial in (E=649)"},
      {"E=647 R=0", "the account is disabled (E=647)"},
      {"E=646", "not at this hour (E=646)"},
      {"E=812 R=0 V=3", "refused (E=812)"},
      {"E=691 R=0 C=00 V=3 M=pay the bill", "pay the bill (E=691)"},
      {"E=691 R=0 C=00 V=3M=pay the bill\r\n", "pay the bill (E=691)"},
      {"E=691 R=1 V=3 M=\r\n", "wrong user name or password (E=691)"},
      {"E=691R=0C=00V=3", "wrong user name or password (E=691)"},
      {"E=649\n", "no permission to dial in (E=649)"},
      {"go away\r\n", "go away"},
      {"go away", "go away"},
      {"E=", "E="},
      {"E=691x", "E=691x"},
      {"", ""},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Pair) pair = pair_new(i % 2 ? &mschap1_method : &mschap2_method, 5);
    guint8 failure[64] = {4, 0, 0, (guint8)(4 + strlen(cases[i].sent))};

    pair->hold = TRUE;
    pair_start(pair, SERVER, "gate", NULL);
    pair_start(pair, CLIENT, "User", "wrong");
    pair_run(pair, 10);
    failure[1] = pair_sent(pair, SERVER, 0, NULL)[1];
    memcpy(failure + 4, cases[i].sent, strlen(cases[i].sent));
    pair_inject(pair, CLIENT, failure, failure[3]);
    assert_string_equal(pair->end[CLIENT].why, cases[i].told);
  }
}

static void rfc2433_5_lm_response_is_refused_unasked(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap1_method, 5);
  guint8 lm[5 + 49] = {2, 0, 0, 54, 49};

  pair_start(pair, SERVER, "gate", NULL);
  lm[1] = pair_sent(pair, SERVER, 0, NULL)[1];
  pair_inject(pair, SERVER, lm, sizeof lm);
  assert_int_equal(pair->asks, 0);
  assert_non_null(strstr(pair->end[SERVER].why, "LM"));
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 4);
}

/** A version 2 response of `User` with `password`, to the challenge `hex`. */
static gsize respond(guint8 packet[64], guint8 id, const char *hex, const char *password) {
  guint8 challenge[16], short_challenge[8], hash[16];

  memset(packet, 0, 64);
  packet[0] = 2;
  packet[1] = id;
  packet[3] = 5 + 49 + 4;
  packet[4] = 49;
  packet[5] = 0x77;
  unhex(hex, challenge);
  mschap_nt_hash(password, hash);
  mschap_v2_challenge(packet + 5, challenge, "User", short_challenge);
  mschap_nt_response(short_challenge, hash, packet + 5 + 24);
  memcpy(packet + 54, "User", 4);
  return 58;
}

static void rfc2759_6_retry_has_a_new_challenge(void **unused) {
  for (guint step = 0; step < 2; step++) { /* peers that count the identifier on, and peers that do not */
    g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
    guint8 packet[64];
    char hex[33] = "";

    pair->password = "clientPass";
    pair->retry = TRUE;
    pair_start(pair, SERVER, "gate", NULL);
    const guint8 *challenge = pair_sent(pair, SERVER, 0, NULL);
    guint8 id = challenge[1];
    for (int i = 0; i < 16; i++)
      g_snprintf(hex + 2 * i, 3, "%02X", challenge[5 + i]);

    gsize length = respond(packet, id, hex, "wrong");
    pair_inject(pair, SERVER, packet, length);
    g_autofree char *failure = g_strdup(sent_text(pair, SERVER, 1));
    assert_true(g_regex_match_simple("^E=691 R=1 C=[0-9A-F]{32} V=3 M=$", failure, 0, 0));
    assert_int_equal(pair->end[SERVER].dones, 0);
    assert_null(strstr(failure, hex));

    pair_inject(pair, SERVER, packet, length); /* the Failure was lost: the same again, and nobody is asked */
    assert_string_equal(sent_text(pair, SERVER, 2), failure);
    assert_int_equal(pair->asks, 1);

    pair_run(pair, 20000); /* somebody types */
    memcpy(hex, failure + strlen("E=691 R=1 C="), 32);
    length = respond(packet, (guint8)(id + step), hex, "clientPass");
    pair_inject(pair, SERVER, packet, length);
    assert_true(pair->end[SERVER].ok);
    assert_int_equal(pair->end[SERVER].dones, 1);
    assert_int_equal(pair_sent(pair, SERVER, 3, NULL)[1], (guint8)(id + step));
    assert_int_equal(pair->last.outcome, ADIT_AUTH_ACCEPT);
  }
}

static void retries_are_bounded(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  guint8 packet[64] = {2, 0, 0, 54, 49};

  pair->password = "clientPass";
  pair->retry = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  packet[1] = pair_sent(pair, SERVER, 0, NULL)[1];
  for (guint i = 0; i < 10; i++, packet[1]++)
    pair_inject(pair, SERVER, packet, 54);
  assert_int_equal(pair->asks, 1 + ADIT_CHAP_RETRIES);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_non_null(strstr(sent_text(pair, SERVER, -1), "R=0"));

  g_autoptr(Pair) idle = pair_new(&mschap2_method, 5);
  idle->password = "clientPass";
  idle->retry = TRUE;
  pair_start(idle, SERVER, "gate", NULL);
  packet[1] = pair_sent(idle, SERVER, 0, NULL)[1];
  pair_inject(idle, SERVER, packet, 54);
  pair_run(idle, 30000);
  assert_string_equal(idle->end[SERVER].why, "wrong credentials, and no second try came");
}

static void a_repeated_challenge_gets_the_same_response(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  guint8 challenge[21] = {1, 9, 0, 21, 16, 1, 2, 3};
  gsize length, again;

  pair_start(pair, CLIENT, "User", "clientPass");
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  const guint8 *first = pair_sent(pair, CLIENT, 0, &length), *second = pair_sent(pair, CLIENT, 1, &again);
  assert_int_equal(length, again);
  assert_memory_equal(first, second, length);
}

static void rfc2759_3_challenges_of_other_lengths_are_dropped(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  const guint8 shorter[] = {1, 9, 0, 13, 8, 1, 2, 3, 4, 5, 6, 7, 8};

  pair_start(pair, CLIENT, "User", "clientPass");
  pair_inject(pair, CLIENT, shorter, sizeof shorter);
  assert_int_equal(pair_sent_count(pair, CLIENT), 0);
}

static void a_response_of_a_wrong_length_fails(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);
  guint8 shorter[5 + 48] = {2, 0, 0, 53, 48};

  pair_start(pair, SERVER, "gate", NULL);
  shorter[1] = pair_sent(pair, SERVER, 0, NULL)[1];
  pair_inject(pair, SERVER, shorter, sizeof shorter);
  assert_int_equal(pair->asks, 0);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 4);
  assert_int_equal(pair->end[SERVER].dones, 1);
}

static void rechallenge_while_open(void **unused) {
  g_autoptr(Pair) pair = pair_new(&mschap2_method, 5);

  pair->password = "clientPass";
  pair->end[SERVER].start.rechallenge_ms = 60000;
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "User", "clientPass");
  pair_run(pair, 61000);
  assert_int_equal(pair->end[SERVER].dones, 2);
  assert_int_equal(pair->end[CLIENT].dones, 2);
  pair_assert_ok(pair);
}

static void rfc2433_bad_network(void **unused) {
  pair_bear_bad_network(&mschap1_method, 1000);
}

static void rfc2759_bad_network(void **unused) {
  pair_bear_bad_network(&mschap2_method, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2433_appendix_b),
      cmocka_unit_test(rfc2759_9_2_vectors),
      cmocka_unit_test(rfc2759_8_2_the_domain_is_not_hashed),
      cmocka_unit_test(rfc3079_3_5_v2_keys),
      cmocka_unit_test(rfc3079_2_5_v1_key),
      cmocka_unit_test(rfc2759_8_3_passwords_are_utf16le),
      cmocka_unit_test(rfc2759_4_verify_by_password_and_by_hash),
      cmocka_unit_test(rfc2433_5_verify_and_no_lm),
      cmocka_unit_test(rfc2433_exchange),
      cmocka_unit_test(rfc2759_exchange),
      cmocka_unit_test(rfc3079_3_keys_of_both_ends_agree),
      cmocka_unit_test(rfc3079_2_keys_of_both_ends_agree),
      cmocka_unit_test(rfc2759_5_success_has_upper_case_proof),
      cmocka_unit_test(rfc2759_5_client_wants_the_proof),
      cmocka_unit_test(rfc2759_5_what_follows_the_proof_does_not_matter),
      cmocka_unit_test(rfc2759_5_server_that_does_not_know_the_password),
      cmocka_unit_test(an_accept_without_proof_is_a_failure),
      cmocka_unit_test(rfc2759_6_failure_text),
      cmocka_unit_test(rfc2433_6_failure_text),
      cmocka_unit_test(rfc2759_6_other_error_codes_and_messages),
      cmocka_unit_test(rfc2759_6_what_a_client_is_told),
      cmocka_unit_test(rfc2433_5_lm_response_is_refused_unasked),
      cmocka_unit_test(rfc2759_6_retry_has_a_new_challenge),
      cmocka_unit_test(retries_are_bounded),
      cmocka_unit_test(a_repeated_challenge_gets_the_same_response),
      cmocka_unit_test(rfc2759_3_challenges_of_other_lengths_are_dropped),
      cmocka_unit_test(a_response_of_a_wrong_length_fails),
      cmocka_unit_test(rechallenge_while_open),
      cmocka_unit_test(rfc2433_bad_network),
      cmocka_unit_test(rfc2759_bad_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
