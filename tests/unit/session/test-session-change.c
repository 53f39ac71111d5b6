/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What others may say of a session while it lives, and what a source may say before it does. */
#include "core/ppp/registry.h"
#include "core/session/describe.h"
#include "ipv6cp.h"
#include "tests/unit/session/world.h"

static const AditSessionService *service(void) {
  return adit_session_service();
}

/* The server's session of the pair that came up last. */
static AditSessionId server_session(void) {
  const Record *start = NULL;
  assert_true(world_recorded(ADIT_ACCT_START, FALSE, &start));
  AditSessionId id = service()->session_find(start->record_id);
  assert_true(id);
  return id;
}

static AditSessionId session_up(World *w, const char *user) {
  guint up = w->up;
  world_dial(w, &w->pair[0], user, "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == up + 2, 5000));
  return server_session();
}

static AditValue *one(const char *key, AditValue *value) {
  AditValue *map = adit_value_map();
  adit_value_set(map, key, value);
  return map;
}

static AditValue *list_of(AditValue *value) {
  AditValue *list = adit_value_list();
  adit_value_append(list, value);
  return list;
}

static AditValue *prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return adit_value_prefix(&p);
}

static gboolean update(AditSessionId id, AditValue *taken, AditErrorCode expected, const char *begins) {
  g_autoptr(AditValue) changes = taken;
  g_autoptr(GError) error = NULL;
  gboolean ok = service()->session_update(id, changes, &error);
  if (!ok) {
    assert_true(g_error_matches(error, ADIT_ERROR, expected));
    assert_true(g_str_has_prefix(error->message, begins));
  }
  return ok;
}

static gint64 attribute(AditSessionId id, const char *key) {
  AditSessionInfo info = {.size = sizeof info};
  assert_true(service()->session_info(id, &info));
  return adit_value_get_int(info.attributes, key, -1);
}

/* ---- session_info, session_find, disconnect ---- */

static void a_session_is_found_by_its_record_and_told_by_heart(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "alice");
  AditSessionInfo info = {.size = sizeof info};

  assert_true(service()->session_info(id, &info));
  assert_int_equal(service()->session_find(info.record_id), id);
  assert_string_equal(info.source, "everybody");
  assert_string_equal(info.method, "pap");
  assert_string_equal(info.server, "office");
  assert_false(info.client);
  assert_int_equal(info.port, 1);
  assert_true(adit_endpoint_equal(&info.peer, &w->client.at));
  assert_int_equal(service()->session_find("nobody's"), 0);

  struct {
    AditSessionInfo info;
    guint8 beyond;
  } shorter = {.info.size = G_STRUCT_OFFSET(AditSessionInfo, record_id)};
  shorter.info.port = 77;
  assert_true(service()->session_info(id, &shorter.info));
  assert_string_equal(shorter.info.user, "alice");
  assert_int_equal(shorter.info.port, 77); /* was not written */
}

static void a_session_that_is_ending_is_none(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "alice");
  AditSessionInfo info = {.size = sizeof info};

  service()->session_info(id, &info);
  g_autofree char *record = g_strdup(info.record_id);
  assert_true(service()->disconnect(id, ADIT_CAUSE_ADMIN_RESET, "told to"));
  assert_false(service()->disconnect(id, ADIT_CAUSE_ADMIN_RESET, "told to"));
  assert_int_equal(service()->session_find(record), 0);
  assert_false(update(id, one("session-timeout", adit_value_int(1000)), ADIT_ERR_NOT_FOUND, "there is no"));
}

/* ---- session_update ---- */

static void changes_are_all_made_or_none(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "alice");
  AditValue *changes = one("session-timeout", adit_value_int(3600000));

  adit_value_set(changes, "remote-address", adit_value_string("pool"));
  assert_false(update(id, changes, ADIT_ERR_UNSUPPORTED, "remote-address: "));
  assert_int_equal(attribute(id, "session-timeout"), -1);
  changes = one("session-timeout", adit_value_int(3600000));
  adit_value_set(changes, "class", adit_value_string("text"));
  assert_false(update(id, changes, ADIT_ERR_INVALID, "class: "));
  assert_int_equal(attribute(id, "session-timeout"), -1);
  assert_false(update(id, one("colour", adit_value_int(1)), ADIT_ERR_UNSUPPORTED, "colour: "));
  assert_false(update(id, one("profile", adit_value_string("nowhere")), ADIT_ERR_INVALID, "profile: "));

  changes = one("session-timeout", adit_value_int(3600000));
  adit_value_set(changes, "class", list_of(adit_value_octets("a\0b", 3)));
  assert_true(update(id, changes, 0, NULL));
  assert_int_equal(attribute(id, "session-timeout"), 3600000);
}

/* RFC 2865 5.27: the maximum number of seconds of service, not from when it was changed. */
static void rfc2865_5_27_a_new_timeout_counts_from_the_start(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "alice");

  assert_true(TEST_LOOP_UNTIL(({
                                AditSessionInfo info = {.size = sizeof info};
                                service()->session_info(id, &info) && info.uptime_ms >= 30;
                              }),
                              5000));
  assert_true(update(id, one("session-timeout", adit_value_int(20)), 0, NULL));
  assert_false(w->pair[0].server.closed); /* not within the call */
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 5000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_SESSION_TIMEOUT);
}

static void a_timeout_may_be_taken_away(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "gold");
  guint64 began = adit_loop_service()->now();

  assert_true(update(id, one("session-timeout", adit_value_int(0)), 0, NULL));
  assert_true(TEST_LOOP_UNTIL(adit_loop_service()->now() > began + 700, 5000));
  assert_false(w->pair[0].server.closed);
}

static void another_profile_gives_what_may_change_and_no_more(void **state) {
  World *w = *state;
  AditSessionId id = session_up(w, "alice");
  AditValue *changes = one("profile", adit_value_string("gold"));
  AditSessionInfo info = {.size = sizeof info};

  adit_value_set(changes, "idle-timeout", adit_value_int(90000));
  assert_true(update(id, changes, 0, NULL));
  assert_int_equal(attribute(id, "session-timeout"), 500);
  assert_int_equal(attribute(id, "idle-timeout"), 90000);
  assert_true(update(id, one("profile", adit_value_string("fixed")), 0, NULL));
  assert_int_equal(attribute(id, "session-timeout"), -1);
  assert_int_equal(attribute(id, "idle-timeout"), 90000); /* was said of this session */
  assert_true(service()->session_info(id, &info));
  assert_string_equal(adit_value_get_string(info.attributes, "remote-address", ""), "pool");
}

/* ---- limits on what is carried ---- */

static void a_spent_quota_ends_the_session(void **state) {
  World *w = *state;
  guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};
  const Record *stop = NULL;

  world_extra = one("limit-bytes-in", adit_value_int(39));
  session_up(w, "alice");
  AditPort *client = null_dp_port(w->client.dp, "out1");
  assert_true(null_port_inject(client, packet, sizeof packet));
  test_loop_drain();
  assert_false(w->pair[0].server.closed);
  assert_true(null_port_inject(client, packet, sizeof packet));
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_NAS_REQUEST);
  assert_string_equal(w->pair[0].server.reason, "limit-bytes-in");
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, &stop), 1);
  assert_int_equal(stop->counters.rx_octets, 40);
}

static void a_quota_may_come_later_and_count_both_ways(void **state) {
  World *w = *state;
  guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};
  AditSessionId id = session_up(w, "alice");

  assert_true(null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet));
  test_loop_drain();
  assert_true(update(id, one("limit-bytes-out", adit_value_int(20)), 0, NULL));
  assert_true(update(id, one("limit-bytes-total", adit_value_int(20)), 0, NULL));
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_string_equal(w->pair[0].server.reason, "limit-bytes-total");
}

/* ---- what a source gives ---- */

static void a_value_of_another_type_refuses_the_user(void **state) {
  World *w = *state;

  world_extra = one("remote-address", adit_value_string("10.0.0.50")); /* no pool has such a name */
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_USER_ERROR);
  assert_int_equal(w->up, 0);
}

static void a_word_that_nobody_knows_is_left_out(void **state) {
  World *w = *state;
  AditSessionInfo info = {.size = sizeof info};

  world_extra = one("colour", adit_value_string("blue"));
  adit_value_set(world_extra, "class", list_of(adit_value_octets("a\0b", 3)));
  AditSessionId id = session_up(w, "alice");
  assert_true(service()->session_info(id, &info));
  assert_null(adit_value_get(info.attributes, "colour"));
  g_autoptr(AditValue) shown = adit_session_describe("l2tp-alice");
  const AditValue *octets = adit_value_at(adit_value_get(adit_value_get(shown, "attributes"), "class"), 0);
  assert_int_equal(octets->type, ADIT_VALUE_OCTETS);
  assert_int_equal(g_bytes_get_size(octets->as.octets), 3);
}

static guint warnings;
static char last_warning[300];

static GLogWriterOutput note_warning(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n; i++)
    if (level == G_LOG_LEVEL_WARNING && strcmp(fields[i].key, "MESSAGE") == 0 && strstr(fields[i].value, "without effect")) {
      warnings++;
      g_strlcpy(last_warning, fields[i].value, sizeof last_warning);
    }
  return G_LOG_WRITER_HANDLED;
}

/* A billing system must not take a throttle for one that is in force. */
static void what_nothing_acts_on_is_refused_until_a_plugin_does(void **state) {
  static const char *const carried[] = {"rate-limit", "mark", "incoming-filter", "outgoing-filter"};
  World *w = *state;
  AditPlugin shaper = {"shaper"};
  g_autoptr(GError) error = NULL;
  AditSessionId id = session_up(w, "alice");

  for (gsize i = 0; i < G_N_ELEMENTS(carried); i++) {
    assert_false(service()->actor_exists(carried[i]));
    assert_false(update(id, one(carried[i], adit_value_string("1M")), ADIT_ERR_UNSUPPORTED, carried[i]));
  }
  assert_false(update(id, one("port-limit", adit_value_int(1)), ADIT_ERR_UNSUPPORTED, "port-limit: no loaded plugin acts on it"));
  assert_false(update(id, one("filter", list_of(adit_value_string("a"))), ADIT_ERR_UNSUPPORTED, "filter: "));
  assert_false(update(id, one("address-list", list_of(adit_value_string("a"))), ADIT_ERR_UNSUPPORTED, "address-list: "));
  AditValue *both = one("session-timeout", adit_value_int(3600000)); /* all or nothing */
  adit_value_set(both, "rate-limit", adit_value_string("1M"));
  assert_false(update(id, both, ADIT_ERR_UNSUPPORTED, "rate-limit: "));
  assert_int_equal(attribute(id, "session-timeout"), -1);
  assert_true(service()->actor_exists("session-timeout") && service()->actor_exists("class"));
  assert_false(service()->actor_exists("colour"));

  assert_false(service()->actor_add(&shaper, "", &error));
  assert_true(service()->actor_add(&shaper, "rate-limit", NULL)); /* a plugin of somebody else's, in its init */
  assert_true(service()->actor_add(&w->plugin, "rate-limit", NULL));
  assert_true(update(id, one("rate-limit", adit_value_string("1M")), 0, NULL));
  assert_false(update(id, one("mark", adit_value_string("1")), ADIT_ERR_UNSUPPORTED, "mark: "));
  adit_session_drop_plugin(&shaper);
  assert_true(update(id, one("rate-limit", adit_value_string("2M")), 0, NULL)); /* the other one is still there */
}

static void a_source_that_gives_what_nothing_acts_on_is_told_of_once(void **state) {
  World *w = *state;

  g_log_set_writer_func(note_warning, NULL, NULL);
  world_extra = one("rate-limit", adit_value_string("1M/2M"));
  adit_value_set(world_extra, "port-limit", adit_value_int(1));
  adit_value_set(world_extra, "session-timeout", adit_value_int(3600000));
  AditSessionId id = session_up(w, "alice");
  assert_true(update(id, one("idle-timeout", adit_value_int(3600000)), 0, NULL));
  assert_int_equal(warnings, 1);
  assert_string_equal(last_warning,
                      "source everybody returned attributes without effect: rate-limit, port-limit: no loaded plugin acts on them");
  g_autoptr(AditValue) shown = adit_session_describe("l2tp-alice");
  assert_string_equal(adit_value_get_string(shown, "attributes-without-effect", ""), "rate-limit, port-limit");
}

static void the_interface_has_the_mtu_of_the_source(void **state) {
  World *w = *state;

  world_extra = one("mtu", adit_value_int(1300));
  session_up(w, "alice");
  g_autoptr(AditValue) shown = adit_session_describe("l2tp-alice");
  assert_int_equal(adit_value_get_int(shown, "mtu", 0), 1300);
}

static void ipv6_prefixes_and_identifier_of_the_source_take_effect(void **state) {
  World *w = *state;
  static const guint8 id[8] = {2, 0, 0, 0, 0, 0, 0, 7};
  AditSessionInfo info = {.size = sizeof info};

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, NULL));
  world_extra = one("remote-interface-id", adit_value_octets(id, 8));
  adit_value_set(world_extra, "remote-ipv6-prefix", list_of(prefix("2001:db8:1::/64")));
  adit_value_set(world_extra, "delegated-ipv6-prefix", list_of(prefix("2001:db8:8000::1/48")));
  AditSessionId session = session_up(w, "alice");
  assert_true(TEST_LOOP_UNTIL(world_told("route 2001:db8:8000::/48 metric 0") == 1, 5000));
  assert_int_equal(world_told("route 2001:db8:1::/64 metric 0"), 1);
  assert_true(service()->session_info(session, &info));
  assert_memory_equal(info.remote_ifid, id, 8);

  world_dial(w, &w->pair[1], "bob", "right", NULL); /* is given the same */
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed, 10000));
  assert_string_equal(w->pair[1].server.reason, "remote-ipv6-prefix 2001:db8:1::/64 is in use");
  service()->link_close(w->pair[0].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(world_told("-route 2001:db8:8000::/48 metric 0") == 1, 5000));
}

/* ---- only-one ---- */

static void only_one_is_for_local_users_unless_it_says_all(void **state) {
  World *w = *state;

  world_source.local = FALSE;
  world_dial(w, &w->pair[0], "only", "right", NULL);
  world_dial(w, &w->pair[1], "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  world_extra = one("only-one-scope", adit_value_string("all"));
  world_dial(w, &w->pair[2], "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[2].server.closed, 10000));
  assert_non_null(strstr(w->pair[2].server.reason, "only-one"));
}

static void only_one_may_replace_and_the_address_goes_over(void **state) {
  World *w = *state;
  AditAddress fixed;

  assert_true(adit_address_parse("10.0.0.99", &fixed));
  world_extra = one("only-one-policy", adit_value_string("replace"));
  adit_value_set(world_extra, "remote-address", adit_value_address(&fixed));
  AditSessionId first = session_up(w, "only");
  world_dial(w, &w->pair[1], "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4 && w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_NAS_REQUEST);
  assert_int_not_equal(server_session(), first);
  assert_false(w->pair[1].server.closed);
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.99"), 2);
}

/* ---- interfaces ---- */

static AditPortSpec last_spec;
static gpointer last_user;
static AditPort *last_port;

static void noting_port(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  last_spec = *spec;
  last_user = user;
  null_datapath_ops.port_open(dp, spec, done, user);
}

static void a_deleted_interface_ends_all_that_are_on_it(void **state) {
  World *w = *state;
  static AditDatapathOps datapath; /* used until the links end, in teardown */

  datapath = null_datapath_ops;
  datapath.port_open = noting_port;
  world_dial(w, &w->pair[0], "alice", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  last_port = null_dp_port(w->server.dp, "l2tp-alice");
  last_spec.lost(last_user, last_port);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_PORT_ERROR);
  assert_int_equal(world_told("-address 10.0.0.1/32 peer 10.0.0.10"), 0); /* went with it */

  world_dial(w, &w->pair[1], "many", "right", &datapath);
  world_dial(w, &w->pair[2], "many", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(w->up == 6, 5000));
  last_port = null_dp_port(w->server.dp, "shared");
  last_spec.lost(last_user, last_port);
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed && w->pair[2].server.closed, 10000));
  assert_null(null_dp_port(w->server.dp, "shared"));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_session_is_found_by_its_record_and_told_by_heart),
      test(a_session_that_is_ending_is_none),
      test(changes_are_all_made_or_none),
      test(rfc2865_5_27_a_new_timeout_counts_from_the_start),
      test(a_timeout_may_be_taken_away),
      test(another_profile_gives_what_may_change_and_no_more),
      test(a_spent_quota_ends_the_session),
      test(a_quota_may_come_later_and_count_both_ways),
      test(a_value_of_another_type_refuses_the_user),
      test(a_word_that_nobody_knows_is_left_out),
      test(what_nothing_acts_on_is_refused_until_a_plugin_does),
      test(a_source_that_gives_what_nothing_acts_on_is_told_of_once),
      test(the_interface_has_the_mtu_of_the_source),
      test(ipv6_prefixes_and_identifier_of_the_source_take_effect),
      test(only_one_is_for_local_users_unless_it_says_all),
      test(only_one_may_replace_and_the_address_goes_over),
      test(a_deleted_interface_ends_all_that_are_on_it),
  };
  return cmocka_run_group_tests_name("session change", tests, NULL, NULL);
}
