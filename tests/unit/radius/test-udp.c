/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** Requests over UDP to a server on loopback that loses, lies, repeats itself and comes late. Time is virtual, datagrams are real. */
#include "tests/unit/radius/net.h"

#include <unistd.h>

enum { TIMEOUT_MS = 1000, LATEST_MS = 1100, REAL_MS = 5000 };

static int set_up(void **state) {
  *state = net_new();
  return 0;
}

static int tear_down(void **state) {
  net_free(*state);
  return 0;
}

/** A fake server, and the configuration that leads to it, with one option more; timeout 1 s, 3 tries. */
static Fake *server_with(Net *net, const char *key, const char *text) {
  Fake *fake = fake_new(net);

  net_configure(net, net_tree(net_server("authentication-port", fake->port_text, "accounting-port", fake->port_text, "timeout", "1000", key,
                                         text, NULL),
                              NULL));
  return fake;
}

static Fake *one_server(Net *net, FakeMood mood) {
  Fake *fake = server_with(net, NULL, NULL);

  fake->mood = mood;
  return fake;
}

static RadiusRoleState *role_of(Net *net, RadiusRole role) {
  return &net_get(net, 0)->peer->role[role];
}

static RadiusStats *stats(Net *net, RadiusRole role) {
  return &role_of(net, role)->stats;
}

static RadiusExchange *log_in(Net *net, Asked *asked) {
  return net_ask(net, net_get(net, 0), RADIUS_ACCESS_REQUEST, FALSE, asked);
}

static RadiusExchange *keep_record(Net *net, Asked *asked) {
  return net_ask(net, net_get(net, 0), RADIUS_ACCOUNTING_REQUEST, FALSE, asked);
}

static gboolean same_packet(const Fake *fake, guint a, guint b) {
  const FakeRequest *x = fake_request(fake, a), *y = fake_request(fake, b);
  return x->length == y->length && !memcmp(x->data, y->data, x->length) && adit_endpoint_equal(&x->from, &y->from);
}

/* Datagrams on loopback are there at once, but take a pass of the loop. */
#define UNTIL(expression) assert_true(ADIT_TEST_UNTIL(net->test, (expression), REAL_MS))

static void until_answered(Net *net, const Asked *asked) {
  UNTIL(asked->done);
  assert_int_equal(asked->result, RADIUS_ANSWERED);
}

static void answered_login(Net *net, Asked *asked) {
  log_in(net, asked);
  until_answered(net, asked);
}

/** Asks, and waits until the server has seen it. */
static RadiusExchange *ask_and_see(Net *net, Fake *fake, Asked *asked) {
  guint before = fake->requests->len;
  RadiusExchange *exchange = log_in(net, asked);

  UNTIL(fake->requests->len == before + 1);
  return exchange;
}

static void an_answer_ends_it(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_ANSWERS);
  Asked asked = {0};

  answered_login(net, &asked);
  assert_int_equal(asked.code, RADIUS_ACCESS_ACCEPT);
  assert_memory_equal(asked.authenticator, fake_request(fake, 0)->data + 4, 16);
  assert_int_equal(fake_request(fake, 0)->data[RADIUS_HEADER], 80); /* Message-Authenticator is first */
  assert_true(adit_address_is_set(&asked.nas));                     /* known while the attributes are written */
  assert_int_equal(adit_address_to_ipv4(&asked.nas), 0x7f000001);
  assert_int_equal(stats(net, RADIUS_AUTH)->requests, 1);
  assert_int_equal(stats(net, RADIUS_AUTH)->accepts, 1);
  assert_int_equal(role_of(net, RADIUS_AUTH)->in_flight, 0);
  adit_test_advance(net->test, 60000);
  assert_int_equal(asked.done, 1);
  assert_int_equal(fake->requests->len, 1);
}

static void a_reject_is_an_answer(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_ANSWERS);
  Asked asked = {0};

  fake->code = RADIUS_ACCESS_REJECT;
  log_in(net, &asked);
  UNTIL(asked.done);
  assert_int_equal(asked.code, RADIUS_ACCESS_REJECT);
  assert_int_equal(stats(net, RADIUS_AUTH)->rejects, 1);
}

static void rfc5080_2_2_1_resends_are_the_same_octets_and_jittered(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {0};

  ask_and_see(net, fake, &asked);
  adit_test_advance(net->test, TIMEOUT_MS - TIMEOUT_MS / 10 - 1);
  assert_int_equal(fake->requests->len, 1);
  adit_test_advance(net->test, 2 * TIMEOUT_MS / 10 + 1);
  UNTIL(fake->requests->len == 2);
  assert_true(same_packet(fake, 0, 1));
  adit_test_advance(net->test, LATEST_MS);
  UNTIL(fake->requests->len == 3);
  assert_true(same_packet(fake, 0, 2));
  assert_int_equal(asked.filled, 1);
  assert_int_equal(asked.done, 0);
  adit_test_advance(net->test, LATEST_MS);
  assert_int_equal(asked.done, 1);
  assert_int_equal(asked.result, RADIUS_TIMEOUT);
  assert_int_equal(stats(net, RADIUS_AUTH)->resends, 2);
  assert_int_equal(stats(net, RADIUS_AUTH)->timeouts, 1);
  assert_int_equal(role_of(net, RADIUS_AUTH)->failures, 1);
}

static void what_was_lost_is_sent_again(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_ANSWERS);
  Asked asked = {0};

  fake->lose = 2;
  log_in(net, &asked);
  UNTIL(fake->lose == 1);
  adit_test_advance(net->test, LATEST_MS);
  UNTIL(fake->lose == 0);
  adit_test_advance(net->test, LATEST_MS);
  until_answered(net, &asked);
  assert_int_equal(role_of(net, RADIUS_AUTH)->failures, 0);
}

/** Each kind of lie is counted and waited on; the true answer still counts. */
static void lies_are_not_believed(void **state) {
  static const FakeMood lies[] = {FAKE_WRONG_AUTHENTICATOR, FAKE_WRONG_SECRET, FAKE_UNSIGNED, FAKE_TRUNCATED,
                                  FAKE_BIT_FLIPPED,         FAKE_WRONG_ID,     FAKE_EMPTY};
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_ANSWERS);

  for (guint i = 0; i < G_N_ELEMENTS(lies); i++) {
    Asked asked = {0};
    guint before = fake->requests->len;
    fake->mood = lies[i];
    log_in(net, &asked);
    UNTIL(stats(net, RADIUS_AUTH)->bad_replies == i + 1);
    assert_int_equal(asked.done, 0);
    fake_answer(fake, before, FAKE_ANSWERS);
    until_answered(net, &asked);
  }
}

static void only_lies_are_a_timeout(void **state) {
  Net *net = *state;
  Asked asked = {0};

  one_server(net, FAKE_WRONG_AUTHENTICATOR);
  log_in(net, &asked);
  for (guint i = 1; i <= 3; i++) {
    UNTIL(stats(net, RADIUS_AUTH)->bad_replies == i);
    adit_test_advance(net->test, LATEST_MS);
  }
  assert_int_equal(asked.result, RADIUS_TIMEOUT);
  assert_int_equal(asked.done, 1);
}

static void an_answer_from_another_address_is_not_even_seen(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_FROM_ELSEWHERE);
  Asked asked = {0};

  ask_and_see(net, fake, &asked);
  fake->mood = FAKE_SILENT;
  adit_test_advance(net->test, 5 * LATEST_MS);
  UNTIL(asked.done);
  assert_int_equal(asked.result, RADIUS_TIMEOUT);
  assert_int_equal(stats(net, RADIUS_AUTH)->bad_replies, 0);
}

static void unsigned_answers_may_be_allowed(void **state) {
  Net *net = *state;
  Fake *fake = server_with(net, "require-message-auth", "no");
  Asked asked = {0};

  fake->mood = FAKE_UNSIGNED;
  answered_login(net, &asked);
}

static void rfc3579_3_1_eap_is_signed_always(void **state) {
  Net *net = *state;
  Fake *fake = server_with(net, "require-message-auth", "no");
  Asked asked = {0};

  fake->mood = FAKE_UNSIGNED_EAP;
  log_in(net, &asked);
  UNTIL(stats(net, RADIUS_AUTH)->bad_replies == 1);
  assert_false(asked.done);
  fake_answer(fake, 0, FAKE_UNSIGNED);
  UNTIL(asked.done);
}

static void duplicates_and_late_answers_are_counted(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_TWICE);
  Asked asked = {0}, cancelled = {0};

  log_in(net, &asked);
  UNTIL(stats(net, RADIUS_AUTH)->late == 1);
  assert_int_equal(asked.done, 1);

  fake->mood = FAKE_SILENT;
  RadiusExchange *exchange = ask_and_see(net, fake, &cancelled);
  radius_exchange_cancel(exchange);
  assert_int_equal(role_of(net, RADIUS_AUTH)->in_flight, 0);
  fake_answer(fake, 1, FAKE_ANSWERS);
  UNTIL(stats(net, RADIUS_AUTH)->late == 2);
  assert_int_equal(cancelled.done, 0);
  assert_int_equal(stats(net, RADIUS_AUTH)->bad_replies, 0);
}

static guint descriptors(void) {
  g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name(dir))
    n++;
  return n;
}

/** 300 at once: no two of a socket have the same identifier, and a second socket takes what the first can't. It goes when it is idle. */
static void rfc2865_3_identifiers_are_of_a_socket(void **state) {
  enum { MANY = 300 };
  Net *net = *state;
  Fake *fake = server_with(net, "max-in-flight", "300");
  g_autofree Asked *asked = g_new0(Asked, MANY);
  g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
  guint done = 0;

  fake->mood = FAKE_SILENT;
  for (guint i = 0; i < MANY; i++) {
    ask_and_see(net, fake, &asked[i]);
  }
  for (guint i = 0; i < MANY; i++) {
    const FakeRequest *request = fake_request(fake, i);
    guint key = (guint)adit_endpoint_port(&request->from) << 8 | request->data[1];
    assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(key)));
    fake_answer(fake, i, FAKE_ANSWERS);
    UNTIL(asked[i].done);
    done += asked[i].result == RADIUS_ANSWERED;
  }
  assert_int_equal(done, MANY);
  guint before = descriptors();
  Asked last = {0};
  RadiusExchange *exchange = ask_and_see(net, fake, &last);
  assert_int_equal(descriptors(), before - 1);
  radius_exchange_cancel(exchange);
}

static gboolean same_identifier(const Fake *fake, guint a, guint b) {
  const FakeRequest *x = fake_request(fake, a), *y = fake_request(fake, b);
  return x->data[1] == y->data[1] && adit_endpoint_equal(&x->from, &y->from);
}

/** As many requests as a socket has identifiers, each answered; how many of them had that of the first request of all. */
static guint go_round(Net *net, Fake *fake) {
  guint again = 0;

  fake->mood = FAKE_ANSWERS;
  for (guint i = 0; i < 256; i++) {
    Asked asked = {0};
    ask_and_see(net, fake, &asked);
    UNTIL(asked.done);
    again += same_identifier(fake, 0, fake->requests->len - 1);
  }
  return again;
}

/** What a late answer may come to is nobody else's yet: it would look like a forgery. */
static void an_identifier_rests_while_an_answer_may_come(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {0};

  radius_exchange_cancel(ask_and_see(net, fake, &asked));
  assert_int_equal(go_round(net, fake), 0);
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(stats(net, RADIUS_AUTH)->late == 1);
  assert_int_equal(stats(net, RADIUS_AUTH)->bad_replies, 0);
  adit_test_advance(net->test, 10000);
  assert_int_equal(go_round(net, fake), 1);
}

static void identifiers_that_rest_make_room_when_there_is_no_other(void **state) {
  enum { ALL = 64 * 256 };
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {0};

  for (guint i = 0; i < ALL; i++) {
    radius_exchange_cancel(ask_and_see(net, fake, &asked));
    g_array_set_size(fake->requests, 0);
  }
  fake->mood = FAKE_ANSWERS;
  answered_login(net, &asked);
}

/** The address that we asked from may have left this machine, and a socket does not learn of that. */
static void who_counts_as_dead_is_asked_from_a_new_socket(void **state) {
  Net *net = *state;
  Fake *fake = fake_new(net);
  Asked lost = {0}, found = {0}, again = {0};

  net_configure(
      net, net_tree(net_server("authentication-port", fake->port_text, "tries", "1", "timeout", "1000", "dead-after", "1", NULL), NULL));
  fake->mood = FAKE_SILENT;
  ask_and_see(net, fake, &lost);
  adit_test_advance(net->test, LATEST_MS);
  assert_int_equal(lost.result, RADIUS_TIMEOUT);
  fake->mood = FAKE_ANSWERS;
  ask_and_see(net, fake, &found);
  until_answered(net, &found);
  assert_int_not_equal(adit_endpoint_port(&fake_request(fake, 0)->from), adit_endpoint_port(&fake_request(fake, 1)->from));
  ask_and_see(net, fake, &again);
  assert_true(adit_endpoint_equal(&fake_request(fake, 1)->from, &fake_request(fake, 2)->from));
  UNTIL(again.done);
}

static void beyond_the_cap_nothing_is_sent(void **state) {
  Net *net = *state;
  Fake *fake = server_with(net, "max-in-flight", "2");
  Asked asked[3] = {0};

  fake->mood = FAKE_SILENT;
  RadiusExchange *first = log_in(net, &asked[0]);
  RadiusExchange *second = log_in(net, &asked[1]);
  log_in(net, &asked[2]);
  adit_test_advance(net->test, 1);
  assert_int_equal(asked[2].done, 1);
  assert_int_equal(asked[2].result, RADIUS_UNSENT);
  radius_exchange_cancel(first);
  radius_exchange_cancel(second);
}

static void an_unsent_one_can_be_cancelled(void **state) {
  Net *net = *state;
  Asked asked = {0};

  net_configure(net, net_tree(net_server("address", "name.invalid", NULL), NULL));
  radius_exchange_cancel(log_in(net, &asked));
  adit_test_advance(net->test, 10);
  assert_int_equal(asked.done, 0);
}

static void rfc2866_5_2_a_changed_delay_is_a_new_packet(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {.delay = 1};

  keep_record(net, &asked);
  UNTIL(fake->requests->len == 1);
  adit_test_advance(net->test, LATEST_MS); /* nothing has changed: the same octets */
  UNTIL(fake->requests->len == 2);
  assert_true(same_packet(fake, 0, 1));
  asked.delay = 2;
  adit_test_advance(net->test, LATEST_MS);
  UNTIL(fake->requests->len == 3);
  assert_int_not_equal(fake_request(fake, 0)->data[1], fake_request(fake, 2)->data[1]);
  for (guint i = 0; i < 3; i++)
    assert_int_equal(radius_check_request(fake_request(fake, i)->data, fake_request(fake, i)->length, NET_SECRET, FALSE), RADIUS_GOOD);
  fake_answer(fake, 0, FAKE_ANSWERS); /* the first one's answer is as good */
  until_answered(net, &asked);
  fake_answer(fake, 2, FAKE_ANSWERS);
  UNTIL(stats(net, RADIUS_ACCT)->late == 1);
}

static void only_an_accounting_response_ends_accounting(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_ANSWERS);
  Asked asked = {0};

  fake->code = RADIUS_ACCESS_ACCEPT;
  keep_record(net, &asked);
  UNTIL(stats(net, RADIUS_ACCT)->bad_replies == 1);
  fake->code = 0;
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(asked.done);
  assert_int_equal(asked.code, RADIUS_ACCOUNTING_RESPONSE);
}

static void rfc2865_4_no_other_code_ends_a_login(void **state) {
  static const guint8 codes[] = {RADIUS_ACCOUNTING_RESPONSE, RADIUS_ACCESS_REQUEST, RADIUS_DISCONNECT_ACK, 255};
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {0};

  ask_and_see(net, fake, &asked);
  for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
    fake->code = codes[i];
    fake_answer(fake, 0, FAKE_ANSWERS);
    UNTIL(stats(net, RADIUS_AUTH)->bad_replies == i + 1);
  }
  assert_false(asked.done);
  fake->code = RADIUS_ACCESS_REJECT;
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(asked.done);
  assert_int_equal(asked.code, RADIUS_ACCESS_REJECT);
}

/** A port where nobody listens: ICMP says so. */
static guint16 closed_port(Net *net) {
  Fake *fake = fake_new(net);
  guint16 port = fake->port;
  fake_free(fake);
  return port;
}

static void a_refusal_ends_the_attempt_of_who_has_another_server(void **state) {
  Net *net = *state;
  g_autofree char *port = g_strdup_printf("%u", closed_port(net));
  Asked impatient = {0}, patient = {0};

  net_configure(net, net_tree(net_server("authentication-port", port, NULL), NULL));
  net_ask(net, net_get(net, 0), RADIUS_ACCESS_REQUEST, TRUE, &impatient);
  UNTIL(impatient.done); /* without any time having passed */
  assert_int_equal(impatient.result, RADIUS_TIMEOUT);
  assert_int_equal(role_of(net, RADIUS_AUTH)->failures, 1);

  log_in(net, &patient); /* it may come back within three tries */
  gboolean refused = FALSE;
  UNTIL(refused || (refused = adit_test_iterate(net->test, 1)));
  assert_int_equal(patient.done, 0);
  adit_test_advance(net->test, 5 * LATEST_MS);
  assert_int_equal(patient.result, RADIUS_TIMEOUT);
  assert_int_equal(patient.done, 1);
}

/** Accounting that nobody answers takes nothing from logins: sockets, identifiers and caps are apart. */
static void an_outage_of_accounting_delays_no_login(void **state) {
  Net *net = *state;
  Fake *auth = fake_new(net), *acct = fake_new(net);
  g_autofree Asked *records = g_new0(Asked, 200);
  RadiusExchange *exchanges[200];
  Asked login = {0};

  acct->mood = FAKE_SILENT;
  net_configure(net, net_tree(net_server("authentication-port", auth->port_text, "accounting-port", acct->port_text, NULL), NULL));
  for (guint i = 0; i < G_N_ELEMENTS(exchanges); i++)
    exchanges[i] = keep_record(net, &records[i]);
  answered_login(net, &login);
  for (guint i = 0; i < G_N_ELEMENTS(exchanges); i++)
    radius_exchange_cancel(exchanges[i]);
}

/** What is under way ends with the server that it began with, though the configuration has forgotten that one. */
static void a_reload_does_not_lose_what_is_under_way(void **state) {
  Net *net = *state;
  Fake *fake = one_server(net, FAKE_SILENT);
  Asked asked = {0};

  ask_and_see(net, fake, &asked);
  net_configure(net, net_tree(net_server("address", "127.0.0.9", NULL), NULL));
  fake_answer(fake, 0, FAKE_ANSWERS);
  fake_answer(fake, 0, FAKE_ANSWERS); /* the socket goes with the first, in the middle of reading */
  until_answered(net, &asked);
}

static void rfc3162_2_1_a_server_may_have_an_ipv6_address(void **state) {
  Net *net = *state;
  Fake *fake = fake_new_at(net, "::1");
  Asked asked = {0};

  if (!fake)
    skip();
  net_configure(net, net_tree(net_server("address", "::1", "authentication-port", fake->port_text, NULL), NULL));
  answered_login(net, &asked);
  assert_int_equal(asked.nas.family, AF_INET6);
}

static void the_source_address_is_kept(void **state) {
  Net *net = *state;
  Fake *fake = server_with(net, "src-address", "127.0.0.77");
  Asked asked = {0};

  log_in(net, &asked);
  UNTIL(asked.done);
  AditAddress from = adit_endpoint_address(&fake_request(fake, 0)->from);
  assert_int_equal(adit_address_to_ipv4(&from), 0x7f00004d);
  assert_int_equal(adit_address_to_ipv4(&asked.nas), 0x7f00004d);
}

static void a_source_address_of_another_machine_can_not_be_used(void **state) {
  Net *net = *state;
  Asked asked = {0};

  net_configure(net, net_tree(net_server("src-address", "192.0.2.1", NULL), NULL));
  log_in(net, &asked);
  adit_test_advance(net->test, 1);
  assert_int_equal(asked.result, RADIUS_UNSENT);
  assert_int_equal(asked.done, 1);
  assert_int_equal(stats(net, RADIUS_AUTH)->requests, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(an_answer_ends_it),
      TEST(a_reject_is_an_answer),
      TEST(rfc5080_2_2_1_resends_are_the_same_octets_and_jittered),
      TEST(what_was_lost_is_sent_again),
      TEST(lies_are_not_believed),
      TEST(only_lies_are_a_timeout),
      TEST(an_answer_from_another_address_is_not_even_seen),
      TEST(unsigned_answers_may_be_allowed),
      TEST(rfc3579_3_1_eap_is_signed_always),
      TEST(duplicates_and_late_answers_are_counted),
      TEST(rfc2865_3_identifiers_are_of_a_socket),
      TEST(an_identifier_rests_while_an_answer_may_come),
      TEST(identifiers_that_rest_make_room_when_there_is_no_other),
      TEST(who_counts_as_dead_is_asked_from_a_new_socket),
      TEST(beyond_the_cap_nothing_is_sent),
      TEST(an_unsent_one_can_be_cancelled),
      TEST(rfc2866_5_2_a_changed_delay_is_a_new_packet),
      TEST(only_an_accounting_response_ends_accounting),
      TEST(rfc2865_4_no_other_code_ends_a_login),
      TEST(a_refusal_ends_the_attempt_of_who_has_another_server),
      TEST(an_outage_of_accounting_delays_no_login),
      TEST(a_reload_does_not_lose_what_is_under_way),
      TEST(rfc3162_2_1_a_server_may_have_an_ipv6_address),
      TEST(the_source_address_is_kept),
      TEST(a_source_address_of_another_machine_can_not_be_used),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
