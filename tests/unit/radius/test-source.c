/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** The whole plugin on a core of cardboard: logins through servers on loopback that answer, refuse, are silent or lie; what `show` tells.
 */
#include "tests/unit/radius/net.h"

enum { LATEST_MS = 1100, REAL_MS = 5000 };

extern const AditPluginInfo adit_plugin_info_radius;

typedef struct {
  Net net; /* first: for the fake servers */
} World;

static int set_up(void **state) {
  World *world = g_new0(World, 1);
  g_autoptr(GError) error = NULL;

  world->net.test = adit_test_new();
  world->net.radius.loop = adit_test_service(world->net.test, ADIT_LOOP_SERVICE);
  assert_true(adit_test_use(world->net.test, &adit_plugin_info_radius, &error));
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  World *world = *state;

  adit_test_free(world->net.test);
  g_free(world);
  return 0;
}

static void configure(World *world, AditValue *tree) {
  g_autoptr(GError) error = NULL;

  if (!adit_test_configure(world->net.test, tree, &error))
    fail_msg("%s", error->message);
}

static void start(World *world, AditValue *tree) {
  g_autoptr(GError) error = NULL;

  configure(world, tree);
  if (!adit_test_start(world->net.test, &error))
    fail_msg("%s", error->message);
}

static AditTestAnswer *ask(World *world, const char *user) {
  return adit_test_ask(world->net.test, "radius", adit_test_pap(user, "password"));
}

#define UNTIL(expression) assert_true(ADIT_TEST_UNTIL(world->net.test, (expression), REAL_MS))

/** A server of the configuration that leads to the fake one. */
static AditValue *leads_to(const Fake *fake, const char *name) {
  return net_server("name", name, "address", "127.0.0.1", "authentication-port", fake->port_text, "timeout", "1000", NULL);
}

static void an_accept_comes_through(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);
  char clear[129];

  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
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
  fake_free(fake);
}

static void a_reject_is_a_reject(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);

  fake->code = RADIUS_ACCESS_REJECT;
  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_REJECT);
  fake_free(fake);
}

static void rfc2865_4_4_a_challenge_without_eap_is_a_reject(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);

  fake->code = RADIUS_ACCESS_CHALLENGE;
  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_REJECT);
  fake_free(fake);
}

static void another_server_is_asked_when_one_is_silent(void **state) {
  World *world = *state;
  Fake *silent = fake_new(&world->net), *good = fake_new(&world->net);

  silent->mood = FAKE_SILENT;
  start(world, net_tree(leads_to(silent, "silent"), leads_to(good, "good"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  for (guint tries = 1; tries <= 3; tries++) {
    UNTIL(silent->requests->len == tries);
    assert_int_equal(answer->count, 0);
    adit_test_advance(world->net.test, LATEST_MS);
  }
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
  fake_free(silent);
  fake_free(good);
}

static void a_refused_port_costs_no_time(void **state) {
  World *world = *state;
  Fake *gone = fake_new(&world->net), *good = fake_new(&world->net);
  AditValue *tree = net_tree(leads_to(gone, "gone"), leads_to(good, "good"), NULL);

  fake_free(gone);
  start(world, tree);
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count); /* no virtual time has passed */
  assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
  fake_free(good);
}

static void once_dead_it_delays_nobody(void **state) {
  World *world = *state;
  Fake *silent = fake_new(&world->net), *good = fake_new(&world->net);

  silent->mood = FAKE_SILENT;
  start(world, net_tree(leads_to(silent, "silent"), leads_to(good, "good"), NULL));
  for (guint i = 0; i < 3; i++) {
    AditTestAnswer *answer = ask(world, "bob");
    UNTIL(silent->requests->len > 3 * i);
    adit_test_advance(world->net.test, 5 * LATEST_MS);
    UNTIL(answer->count);
    assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
  }
  guint before = silent->requests->len;
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
  assert_int_equal(silent->requests->len, before);
  fake_free(silent);
  fake_free(good);
}

static void nobody_answers_is_an_error(void **state) {
  World *world = *state;
  Fake *liar = fake_new(&world->net);

  liar->mood = FAKE_WRONG_SECRET;
  start(world, net_tree(leads_to(liar, "liar"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  for (guint tries = 1; tries <= 3; tries++) {
    UNTIL(liar->requests->len == tries);
    for (guint i = 0; i < 20; i++)
      adit_test_iterate(world->net.test, 1);
    assert_int_equal(answer->count, 0);
    adit_test_advance(world->net.test, LATEST_MS);
  }
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ERROR);
  assert_string_equal(answer->why, "no RADIUS server has answered");
  fake_free(liar);
}

static void users_of_other_realms_are_not_ours(void **state) {
  World *world = *state;

  start(world, net_tree(net_server("realm", "isp.example", NULL), NULL));
  AditTestAnswer *answer = ask(world, "bob@other.example");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_NOT_MINE);
}

static void without_servers_nobody_is_ours(void **state) {
  World *world = *state;

  start(world, adit_value_map());
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_NOT_MINE);
}

/** The cardboard core's deadline is 30 s. */
static void no_server_is_asked_after_the_deadline(void **state) {
  World *world = *state;
  Fake *silent = fake_new(&world->net), *good = fake_new(&world->net);
  AditValue *slow =
      net_server("name", "slow", "address", "127.0.0.1", "authentication-port", silent->port_text, "timeout", "4000", "tries", "10", NULL);

  silent->mood = FAKE_SILENT;
  start(world, net_tree(slow, leads_to(good, "good"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(silent->requests->len);
  adit_test_advance(world->net.test, 50000);
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ERROR);
  assert_int_equal(good->requests->len, 0);
  fake_free(silent);
  fake_free(good);
}

static gint64 counter(World *world, const char *key) {
  g_autoptr(GError) error = NULL;
  g_autoptr(AditValue) reply = adit_test_call(world->net.test, "io.adit.radius.ListServers", NULL, &error);
  assert_null(error);
  return adit_value_get_int(adit_value_at(adit_value_get(reply, "servers"), 0), key, -1);
}

static void an_answer_for_the_dead_is_dropped_and_counted(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);

  fake->mood = FAKE_SILENT;
  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(fake->requests->len);
  adit_test_cancel(world->net.test, answer);
  assert_int_equal(counter(world, "pending"), 0);
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(counter(world, "late-replies") == 1);
  adit_test_advance(world->net.test, 10 * LATEST_MS);
  assert_int_equal(fake->requests->len, 1);
  fake_free(fake);
}

static void show_has_routeros_counters(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);
  g_autoptr(GError) error = NULL;

  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(answer->count);
  g_autoptr(AditValue) reply = adit_test_call(world->net.test, "io.adit.radius.ListServers", NULL, &error);
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

  adit_value_unref(adit_test_call(world->net.test, "io.adit.radius.ResetCounters", NULL, &error));
  assert_null(error);
  assert_int_equal(counter(world, "requests"), 0);
  fake_free(fake);
}

static void a_reload_in_the_middle_of_a_login(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);

  fake->mood = FAKE_SILENT;
  start(world, net_tree(leads_to(fake, "one"), NULL));
  AditTestAnswer *answer = ask(world, "bob");
  UNTIL(fake->requests->len);
  configure(world, net_tree(net_server("address", "192.0.2.1", NULL), NULL));
  fake_answer(fake, 0, FAKE_ANSWERS);
  UNTIL(answer->count);
  assert_int_equal(answer->outcome, ADIT_AUTH_ACCEPT);
  fake_free(fake);
}

static void stopping_in_the_middle_of_a_login(void **state) {
  World *world = *state;
  Fake *fake = fake_new(&world->net);

  fake->mood = FAKE_SILENT;
  start(world, net_tree(leads_to(fake, "one"), NULL));
  ask(world, "bob");
  UNTIL(fake->requests->len);
  fake_free(fake);
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
