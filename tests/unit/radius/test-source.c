/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** The whole plugin on a fake core: logins through servers on loopback that answer, refuse, are silent or lie; what `show` tells.
 */
#include "tests/unit/radius/net.h"

#include <netdb.h>
#include <unistd.h>

enum { LATEST_MS = 1100, REAL_MS = 5000 };

/* ---- names: a fake of the C library's resolver, which returns a test's addresses in their order ---- */

static const char *name_addresses[8];

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  struct addrinfo **end = found;

  *found = NULL;
  for (guint i = 0; name_addresses[i]; i++) {
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(AditEndpoint)); /* freed by the C library's freeaddrinfo() */
    AditAddress address;
    assert_true(adit_address_parse(name_addresses[i], &address));
    AditEndpoint at = adit_endpoint(&address, 0);
    info->ai_family = address.family;
    info->ai_addr = (struct sockaddr *)(info + 1);
    info->ai_addrlen = adit_endpoint_size(&at);
    memcpy(info->ai_addr, &at, info->ai_addrlen);
    *end = info;
    end = &info->ai_next;
  }
  return *found ? 0 : EAI_NONAME;
}

extern const AditPluginInfo adit_plugin_info_radius;

static int set_up(void **state) {
  Net *net = net_new();
  g_autoptr(GError) error = NULL;

  assert_true(adit_test_use(net->test, &adit_plugin_info_radius, &error));
  *state = net;
  return 0;
}

static int tear_down(void **state) {
  net_free(*state);
  return 0;
}

static void configure(Net *net, AditValue *tree) {
  g_autoptr(GError) error = NULL;

  if (!adit_test_configure(net->test, tree, &error))
    fail_msg("%s", error->message);
}

static void start(Net *net, AditValue *tree) {
  g_autoptr(GError) error = NULL;

  configure(net, tree);
  if (!adit_test_start(net->test, &error))
    fail_msg("%s", error->message);
}

static AditTestAnswer *ask(Net *net, const char *user) {
  return adit_test_ask(net->test, "radius", adit_test_pap(user, "password"));
}

#define UNTIL(expression) assert_true(ADIT_TEST_UNTIL(net->test, (expression), REAL_MS))

static void until_told(Net *net, const AditTestAnswer *answer, AditAuthOutcome outcome) {
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, outcome);
}

static AditTestAnswer *told(Net *net, const char *user, AditAuthOutcome outcome) {
  AditTestAnswer *answer = ask(net, user);

  until_told(net, answer, outcome);
  return answer;
}

/** A server of the configuration that leads to the fake one. */
static AditValue *leads_to(const Fake *fake, const char *name) {
  return net_server("name", name, "address", "127.0.0.1", "authentication-port", fake->port_text, "timeout", "1000", NULL);
}

/** The plugin with one server, which is as it is told to be. */
static Fake *start_one(Net *net, FakeMood mood, guint8 code) {
  Fake *fake = fake_new(net);

  fake->mood = mood;
  fake->code = code;
  start(net, net_tree(leads_to(fake, "one"), NULL));
  return fake;
}

/** The plugin with a server that is silent, and then one that is not. */
static Fake *start_two(Net *net) {
  Fake *silent = fake_new(net), *good = fake_new(net);

  silent->mood = FAKE_SILENT;
  start(net, net_tree(leads_to(silent, "silent"), leads_to(good, "good"), NULL));
  return silent;
}

static gint64 counter(Net *net, const char *key) {
  g_autoptr(GError) error = NULL;
  g_autoptr(AditValue) reply = adit_test_call(net->test, "io.adit.radius.ListServers", NULL, &error);
  assert_null(error);
  return adit_value_get_int(adit_value_at(adit_value_get(reply, "servers"), 0), key, -1);
}

static void an_accept_comes_through(void **state) {
  Net *net = *state;
  Fake *fake = start_one(net, FAKE_ANSWERS, 0);
  char clear[129];

  AditTestAnswer *answer = told(net, "bob", ADIT_AUTH_ACCEPT);
  assert_string_equal(answer->message, "hello");

  const FakeRequest *request = fake_request(fake, 0);
  RadiusPacket packet;
  RadiusAttribute attribute;
  assert_true(radius_packet_parse(request->data, request->length, &packet));
  assert_true(radius_packet_find(&packet, 0, 1, &attribute));
  assert_memory_equal(attribute.value, "bob", 3);
  assert_true(radius_packet_find(&packet, 0, 2, &attribute));
  assert_true(radius_unhide(attribute.value, attribute.length, packet.authenticator, NET_SECRET, clear));
  assert_string_equal(clear, "password");
  assert_true(radius_packet_find(&packet, 0, 4, &attribute)); /* NAS-IP-Address: where we ask from */
  assert_memory_equal(attribute.value, "\x7f\0\0\1", 4);
}

static void a_reject_is_a_reject(void **state) {
  Net *net = *state;

  start_one(net, FAKE_ANSWERS, RADIUS_ACCESS_REJECT);
  told(net, "bob", ADIT_AUTH_REJECT);
}

static void rfc2865_4_4_a_challenge_without_eap_is_a_reject(void **state) {
  Net *net = *state;

  start_one(net, FAKE_ANSWERS, RADIUS_ACCESS_CHALLENGE);
  told(net, "bob", ADIT_AUTH_REJECT);
}

static void another_server_is_asked_when_one_is_silent(void **state) {
  Net *net = *state;
  Fake *silent = start_two(net);

  AditTestAnswer *answer = ask(net, "bob");
  for (guint tries = 1; tries <= 3; tries++) {
    UNTIL(silent->requests->len == tries);
    assert_int_equal(answer->count, 0);
    adit_test_advance(net->test, LATEST_MS);
  }
  until_told(net, answer, ADIT_AUTH_ACCEPT);
}

static void a_refused_port_costs_no_time(void **state) {
  Net *net = *state;
  Fake *gone = fake_new(net), *good = fake_new(net);
  AditValue *tree = net_tree(leads_to(gone, "gone"), leads_to(good, "good"), NULL);

  fake_free(gone);
  start(net, tree);
  told(net, "bob", ADIT_AUTH_ACCEPT); /* no virtual time has passed */
}

/* A socket that takes everything and says nothing, at an address of loopback and the fake's port. */
static int mute_at(const char *address, const Fake *fake) {
  AditAddress at;
  assert_true(adit_address_parse(address, &at));
  AditEndpoint endpoint = adit_endpoint(&at, fake->port);
  int fd = socket(at.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, &endpoint.any, adit_endpoint_size(&endpoint)), 0);
  return fd;
}

static Fake *start_named(Net *net) {
  Fake *fake = fake_new(net);
  start(net,
        net_tree(net_server("name", "named", "address", "radius.example", "authentication-port", fake->port_text, "timeout", "1000", NULL),
                 NULL));
  UNTIL(adit_test_saw(net->test, "net.protect 127.0.0.1"));
  return fake;
}

/* A name with a dead address in front: a login goes on to the next one, and the server is not dead for that. */
static void all_addresses_of_a_name_are_asked_in_one_login(void **state) {
  Net *net = *state;
  static const char *const addresses[] = {"127.0.0.9", "127.0.0.8", "127.0.0.1", NULL};

  memcpy(name_addresses, addresses, sizeof addresses);
  Fake *fake = start_named(net);
  assert_true(adit_test_saw(net->test, "net.protect 127.0.0.9")); /* no session may have any of them */
  int mute = mute_at("127.0.0.9", fake);                          /* the first is silent, nobody listens at the second */
  AditTestAnswer *answer = ask(net, "bob");
  for (guint tries = 0; tries < 3; tries++)
    adit_test_advance(net->test, LATEST_MS);
  until_told(net, answer, ADIT_AUTH_ACCEPT);
  told(net, "ann", ADIT_AUTH_ACCEPT); /* at once: the good one is kept */
  assert_int_equal(fake->requests->len, 2);
  close(mute);
}

static void a_name_whose_addresses_are_all_silent_is_dead_in_the_end(void **state) {
  Net *net = *state;
  static const char *const addresses[] = {"127.0.0.9", "127.0.0.1", NULL};

  memcpy(name_addresses, addresses, sizeof addresses);
  Fake *fake = start_named(net);
  fake->mood = FAKE_SILENT;
  AditTestAnswer *answer = ask(net, "bob");
  for (guint tries = 0; tries < 8 && !answer->count; tries++) {
    adit_test_iterate(net->test, 20);
    adit_test_advance(net->test, LATEST_MS);
  }
  until_told(net, answer, ADIT_AUTH_ERROR);
  assert_int_equal(fake->requests->len, 3); /* its tries, once */
}

/* The name has moved: looked up again, the old address is left. */
static void a_name_is_looked_up_again(void **state) {
  Net *net = *state;
  static const char *const before[] = {"127.0.0.9", "127.0.0.1", NULL}, *const after[] = {"127.0.0.1", NULL};

  memcpy(name_addresses, before, sizeof before);
  Fake *fake = start_named(net);
  memcpy(name_addresses, after, sizeof after);
  adit_test_advance(net->test, 300001);
  UNTIL(adit_test_saw(net->test, "net.unprotect 127.0.0.9"));
  told(net, "bob", ADIT_AUTH_ACCEPT);
  assert_int_equal(fake->requests->len, 1);
}

static void once_dead_it_delays_nobody(void **state) {
  Net *net = *state;
  Fake *silent = start_two(net);

  for (guint i = 0; i < 3; i++) {
    AditTestAnswer *answer = ask(net, "bob");
    UNTIL(silent->requests->len > 3 * i);
    adit_test_advance(net->test, 5 * LATEST_MS);
    until_told(net, answer, ADIT_AUTH_ACCEPT);
  }
  guint before = silent->requests->len;
  told(net, "bob", ADIT_AUTH_ACCEPT);
  assert_int_equal(silent->requests->len, before);
}

static void nobody_answers_is_an_error(void **state) {
  Net *net = *state;

  start_one(net, FAKE_WRONG_SECRET, 0);
  AditTestAnswer *answer = ask(net, "bob");
  for (guint tries = 1; tries <= 3; tries++) {
    UNTIL(counter(net, "bad-replies") == tries);
    assert_int_equal(answer->count, 0);
    adit_test_advance(net->test, LATEST_MS);
  }
  until_told(net, answer, ADIT_AUTH_ERROR);
  assert_string_equal(answer->why, "no RADIUS server has answered");
}

static void users_of_other_realms_are_not_ours(void **state) {
  Net *net = *state;

  start(net, net_tree(net_server("realm", "isp.example", NULL), NULL));
  told(net, "bob@other.example", ADIT_AUTH_NOT_MINE);
}

static void without_servers_nobody_is_ours(void **state) {
  Net *net = *state;

  start(net, adit_value_map());
  told(net, "bob", ADIT_AUTH_NOT_MINE);
}

/** The fake core's deadline is 30 s. */
static void no_server_is_asked_after_the_deadline(void **state) {
  Net *net = *state;
  Fake *silent = fake_new(net), *good = fake_new(net);
  AditValue *slow =
      net_server("name", "slow", "address", "127.0.0.1", "authentication-port", silent->port_text, "timeout", "4000", "tries", "10", NULL);

  silent->mood = FAKE_SILENT;
  start(net, net_tree(slow, leads_to(good, "good"), NULL));
  AditTestAnswer *answer = ask(net, "bob");
  UNTIL(silent->requests->len);
  adit_test_advance(net->test, 50000);
  until_told(net, answer, ADIT_AUTH_ERROR);
  assert_int_equal(good->requests->len, 0);
}

static void an_answer_for_the_dead_is_dropped_and_counted(void **state) {
  Net *net = *state;
  Fake *fake = start_one(net, FAKE_SILENT, 0);

  AditTestAnswer *answer = ask(net, "bob");
  UNTIL(fake->requests->len);
  adit_test_cancel(net->test, answer);
  assert_int_equal(counter(net, "pending"), 0);
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(counter(net, "late-replies") == 1);
  adit_test_advance(net->test, 10 * LATEST_MS);
  assert_int_equal(fake->requests->len, 1);
}

static void show_has_routeros_counters(void **state) {
  Net *net = *state;
  g_autoptr(GError) error = NULL;

  start_one(net, FAKE_ANSWERS, 0);
  told(net, "bob", ADIT_AUTH_ACCEPT);
  g_autoptr(AditValue) reply = adit_test_call(net->test, "io.adit.radius.ListServers", NULL, &error);
  const AditValue *servers = adit_value_get(reply, "servers"), *one = adit_value_at(servers, 0);
  assert_int_equal(adit_value_length(servers), 2); /* a line for each role */
  assert_string_equal(adit_value_get_string(one, "name", ""), "one");
  assert_string_equal(adit_value_get_string(one, "role", ""), "authentication");
  assert_string_equal(adit_value_get_string(one, "state", ""), "alive");
  assert_string_not_equal(adit_value_get_string(one, "last-request-rtt", "-"), "-");
  static const struct {
    const char *key;
    gint64 value;
  } rows[] = {{"pending", 0}, {"requests", 1}, {"accepts", 1}, {"rejects", 0}, {"resends", 0}, {"timeouts", 0}, {"bad-replies", 0}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    assert_int_equal(adit_value_get_int(one, rows[i].key, -1), rows[i].value);

  adit_value_unref(adit_test_call(net->test, "io.adit.radius.ResetCounters", NULL, &error));
  assert_null(error);
  assert_int_equal(counter(net, "requests"), 0);
}

static void a_reload_in_the_middle_of_a_login(void **state) {
  Net *net = *state;
  Fake *fake = start_one(net, FAKE_SILENT, 0);

  AditTestAnswer *answer = ask(net, "bob");
  UNTIL(fake->requests->len);
  configure(net, net_tree(net_server("address", "192.0.2.1", NULL), NULL));
  fake_answer(fake, 0, FAKE_ANSWERS);
  until_told(net, answer, ADIT_AUTH_ACCEPT);
}

static void stopping_in_the_middle_of_a_login(void **state) {
  Net *net = *state;
  Fake *fake = start_one(net, FAKE_SILENT, 0);

  ask(net, "bob");
  UNTIL(fake->requests->len);
}

int main(void) {
  g_setenv("ADIT_RADIUS_DICTIONARY", SRCDIR "/plugins-auth/radius/dictionary", TRUE);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(an_accept_comes_through),
      TEST(a_reject_is_a_reject),
      TEST(rfc2865_4_4_a_challenge_without_eap_is_a_reject),
      TEST(another_server_is_asked_when_one_is_silent),
      TEST(a_refused_port_costs_no_time),
      TEST(all_addresses_of_a_name_are_asked_in_one_login),
      TEST(a_name_whose_addresses_are_all_silent_is_dead_in_the_end),
      TEST(a_name_is_looked_up_again),
      TEST(once_dead_it_delays_nobody),
      TEST(nobody_answers_is_an_error),
      TEST(users_of_other_realms_are_not_ours),
      TEST(without_servers_nobody_is_ours),
      TEST(no_server_is_asked_after_the_deadline),
      TEST(an_answer_for_the_dead_is_dropped_and_counted),
      TEST(show_has_routeros_counters),
      TEST(a_reload_in_the_middle_of_a_login),
      TEST(stopping_in_the_middle_of_a_login),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
