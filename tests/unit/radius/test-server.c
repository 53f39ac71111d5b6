/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** Which server is asked, and how one is found dead and alive again; on virtual time, without a network. */
#include "plugins-auth/radius/options.h"
#include "tests/unit/radius/net.h"

static const RadiusWant anybody = {RADIUS_AUTH, "bob", "192.0.2.1"};

static const char *pick(Net *net, const RadiusWant *want, const GPtrArray *tried) {
  RadiusServer *server = radius_servers_pick(net->radius.config->servers, want, tried);
  return server ? server->name : "nobody";
}

/** An exchange of the server that ends so. */
static void use(RadiusServer *server, RadiusRole role, gboolean answered) {
  assert_true(radius_server_begin(server, role));
  radius_server_end(server, role, answered, !answered);
}

static void kill_server(RadiusServer *server, RadiusRole role) {
  for (guint i = 0; i < server->dead_after; i++)
    use(server, role, FALSE);
}

static int set_up(void **state) {
  *state = net_new();
  return 0;
}

static int tear_down(void **state) {
  net_free(*state);
  return 0;
}

static void in_the_order_of_the_list(void **state) {
  Net *net = *state;
  g_autoptr(GPtrArray) tried = g_ptr_array_new();

  net_configure(net, net_tree(net_server("name", "one", NULL), net_server("name", "two", NULL), NULL));
  for (guint i = 0; i < 20; i++)
    assert_string_equal(pick(net, &anybody, tried), "one");
  g_ptr_array_add(tried, net_get(net, 0));
  assert_string_equal(pick(net, &anybody, tried), "two");
  g_ptr_array_add(tried, net_get(net, 1));
  assert_string_equal(pick(net, &anybody, tried), "nobody");
}

static void weights_are_shares(void **state) {
  Net *net = *state;
  guint heavy = 0;

  net_configure(net, net_tree(net_server("name", "light", NULL), net_server("name", "heavy", "weight", "3", NULL), NULL));
  for (guint i = 0; i < 4000; i++)
    heavy += g_str_equal(pick(net, &anybody, NULL), "heavy");
  assert_in_range(heavy, 2800, 3200);
}

static void backup_only_when_the_others_are_dead(void **state) {
  Net *net = *state;
  const RadiusWant accounting = {RADIUS_ACCT, "bob", NULL};

  net_configure(net, net_tree(net_server("name", "spare", "backup", "yes", NULL), net_server("name", "main", NULL),
                              net_server("name", "books", "accounting-backup", "yes", NULL), NULL));
  assert_string_equal(pick(net, &anybody, NULL), "main");
  kill_server(net_get(net, 1), RADIUS_AUTH);
  assert_string_equal(pick(net, &anybody, NULL), "books");   /* accounting-backup says nothing about logins */
  assert_string_equal(pick(net, &accounting, NULL), "main"); /* nor an outage of logins about accounting */
  kill_server(net_get(net, 1), RADIUS_ACCT);
  assert_string_equal(pick(net, &accounting, NULL), "spare");
}

static void called_id_realm_and_domain_choose(void **state) {
  Net *net = *state;
  const struct {
    const char *user, *called_id, *server;
  } cases[] = {
      {"bob", NULL, "any"},
      {"bob", "198.51.100.7", "any"},
      {"bob", "2001:DB8:0::1", "address"},
      {"bob", "isp-7", "text"},
      {"bob", "isp-77", "any"},
      {"bob@isp.example", NULL, "realm"},
      {"bob@ISP.example", NULL, "realm"},
      {"bob@other.example", NULL, "any"},
      {"bob@isp.example.com", NULL, "any"},
      {"a@b@isp.example", NULL, "realm"},
      {"CORP\\bob", NULL, "domain"},
      {"CORPS\\bob", NULL, "any"},
      {"COR\\bob", NULL, "any"},
      {"corp\\bob@isp.example", NULL, "both"},
  };

  net_configure(net,
                net_tree(net_server("name", "any", NULL), net_server("name", "address", "called-id", "2001:db8::1", NULL),
                         net_server("name", "text", "called-id", "isp-7", NULL), net_server("name", "realm", "realm", "isp.example", NULL),
                         net_server("name", "domain", "domain", "corp", NULL),
                         net_server("name", "both", "domain", "corp", "realm", "isp.example", NULL), NULL));
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const RadiusWant want = {RADIUS_AUTH, cases[i].user, cases[i].called_id};
    assert_string_equal(pick(net, &want, NULL), cases[i].server);
  }
}

/** What is meant for one ISP's server must not go to another's, even when that one is dead. */
static void a_realms_server_has_no_stand_in(void **state) {
  Net *net = *state;
  const RadiusWant want = {RADIUS_AUTH, "bob@isp.example", NULL};
  g_autoptr(GPtrArray) tried = g_ptr_array_new();

  net_configure(net, net_tree(net_server("name", "any", NULL), net_server("name", "realm", "realm", "isp.example", NULL), NULL));
  g_ptr_array_add(tried, net_get(net, 1));
  assert_string_equal(pick(net, &want, tried), "nobody");
}

static void groups_are_by_whom_servers_are_for(void **state) {
  Net *net = *state;
  static const char *const names[] = {"any", "a", "b", "called", "domain", "both"};

  net_configure(net, net_tree(net_server("name", "any", NULL), net_server("name", "spare", "backup", "yes", NULL),
                              net_server("name", "a", "realm", "a.example", "address", "192.0.2.1", NULL),
                              net_server("name", "too", "realm", "A.example", "address", "192.0.2.2", NULL),
                              net_server("name", "same", "realm", "same.example", "address", "192.0.2.2", NULL),
                              net_server("name", "them", "realm", "same.example", "address", "192.0.2.1", NULL),
                              net_server("name", "b", "realm", "b.example", "address", "192.0.2.2", NULL),
                              net_server("name", "called", "called-id", "2001:db8::1", "address", "192.0.2.3", NULL),
                              net_server("name", "written", "called-id", "2001:DB8:0::1", "address", "192.0.2.4", NULL),
                              net_server("name", "domain", "domain", "corp", "address", "192.0.2.5", NULL),
                              net_server("name", "both", "domain", "corp", "realm", "a.example", "address", "192.0.2.6", NULL), NULL));
  g_autoptr(GPtrArray) groups = radius_servers_groups(net->radius.config->servers);
  assert_int_equal(groups->len, G_N_ELEMENTS(names));
  for (guint i = 0; i < groups->len; i++)
    assert_string_equal(((const RadiusServer *)groups->pdata[i])->name, names[i]);
}

static void a_realm_alone_serves_users_without_one(void **state) {
  Net *net = *state;
  const RadiusWant other = {RADIUS_AUTH, "bob@other.example", NULL};

  net_configure(net, net_tree(net_server("name", "realm", "realm", "isp.example", NULL), NULL));
  assert_string_equal(pick(net, &anybody, NULL), "realm");
  assert_string_equal(pick(net, &other, NULL), "nobody");
  assert_true(radius_servers_serve(net->radius.config->servers, &anybody));
  assert_false(radius_servers_serve(net->radius.config->servers, &other));
}

static void in_flight_is_bounded_for_each_role(void **state) {
  Net *net = *state;
  const RadiusWant accounting = {RADIUS_ACCT, "bob", NULL};

  net_configure(net, net_tree(net_server("name", "one", "max-in-flight", "2", NULL), net_server("name", "two", NULL), NULL));
  RadiusServer *one = net_get(net, 0);
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  assert_false(radius_server_begin(one, RADIUS_AUTH));
  assert_string_equal(pick(net, &anybody, NULL), "two");
  assert_string_equal(pick(net, &accounting, NULL), "one");
  radius_server_end(one, RADIUS_AUTH, TRUE, FALSE);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  radius_server_end(one, RADIUS_AUTH, TRUE, FALSE);
}

static void silence_in_a_row_is_death(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "one", "dead-after", "3", NULL), net_server("name", "two", NULL), NULL));
  RadiusServer *one = net_get(net, 0);
  use(one, RADIUS_AUTH, FALSE);
  use(one, RADIUS_AUTH, FALSE);
  use(one, RADIUS_AUTH, TRUE); /* not in a row */
  use(one, RADIUS_AUTH, FALSE);
  use(one, RADIUS_AUTH, FALSE);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  assert_true(radius_server_begin(one, RADIUS_AUTH)); /* one that is given up says nothing */
  radius_server_end(one, RADIUS_AUTH, FALSE, FALSE);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  use(one, RADIUS_AUTH, FALSE);
  assert_true(one->peer->role[RADIUS_AUTH].dead);
  assert_false(one->peer->role[RADIUS_ACCT].dead);
  assert_string_equal(pick(net, &anybody, NULL), "two");
}

static void after_dead_time_one_request_probes(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "one", "dead-time", "60000", NULL), net_server("name", "two", NULL), NULL));
  RadiusServer *one = net_get(net, 0);
  kill_server(one, RADIUS_AUTH);
  adit_test_advance(net->test, 59999);
  assert_string_equal(pick(net, &anybody, NULL), "two");
  adit_test_advance(net->test, 1);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  assert_string_equal(pick(net, &anybody, NULL), "two"); /* somebody is looking */
  assert_false(radius_server_begin(one, RADIUS_AUTH));
  radius_server_end(one, RADIUS_AUTH, FALSE, TRUE);
  assert_string_equal(pick(net, &anybody, NULL), "two"); /* dead for another minute */
  adit_test_advance(net->test, 60000);
  use(one, RADIUS_AUTH, TRUE);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  radius_server_end(one, RADIUS_AUTH, TRUE, FALSE);
  radius_server_end(one, RADIUS_AUTH, TRUE, FALSE);
}

static void when_all_are_dead_each_is_probed_at_once(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "one", NULL), net_server("name", "two", NULL), NULL));
  kill_server(net_get(net, 0), RADIUS_AUTH);
  kill_server(net_get(net, 1), RADIUS_AUTH);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  assert_true(radius_server_begin(net_get(net, 0), RADIUS_AUTH));
  assert_string_equal(pick(net, &anybody, NULL), "two");
  assert_true(radius_server_begin(net_get(net, 1), RADIUS_AUTH));
  assert_string_equal(pick(net, &anybody, NULL), "nobody");
  radius_server_end(net_get(net, 0), RADIUS_AUTH, TRUE, FALSE);
  radius_server_end(net_get(net, 1), RADIUS_AUTH, TRUE, FALSE);
  assert_string_equal(pick(net, &anybody, NULL), "one");
}

/** Long before all tries of a request are over, others needn't find out for themselves. */
static void while_others_wait_in_vain_another_is_asked(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "one", NULL), net_server("name", "two", "backup", "yes", NULL), NULL));
  RadiusServer *one = net_get(net, 0);
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  assert_true(radius_server_begin(one, RADIUS_AUTH));
  radius_server_silent(one, RADIUS_AUTH);
  radius_server_silent(one, RADIUS_AUTH);
  assert_string_equal(pick(net, &anybody, NULL), "one");
  radius_server_silent(one, RADIUS_AUTH);
  assert_string_equal(pick(net, &anybody, NULL), "two");
  radius_server_end(one, RADIUS_AUTH, TRUE, FALSE); /* it has only been slow */
  assert_string_equal(pick(net, &anybody, NULL), "one");
  for (guint i = 0; i < 3; i++)
    radius_server_silent(one, RADIUS_AUTH);
  assert_string_equal(pick(net, &anybody, NULL), "two");
  radius_server_end(one, RADIUS_AUTH, FALSE, TRUE); /* nobody waits any more, and it is not dead yet */
  assert_string_equal(pick(net, &anybody, NULL), "one");
}

static void health_outlives_a_reload(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "one", "address", "127.0.0.1", NULL),
                              net_server("name", "two", "address", "127.0.0.2", NULL), NULL));
  kill_server(net_get(net, 0), RADIUS_AUTH);
  RadiusServer *old = radius_server_ref(net_get(net, 0));
  assert_true(radius_server_begin(old, RADIUS_ACCT));
  old->peer->role[RADIUS_AUTH].stats.requests = 3;
  net_configure(net, net_tree(net_server("name", "renamed", "address", "127.0.0.1", "timeout", "500", NULL),
                              net_server("name", "two", "address", "127.0.0.2", "secret", "another", NULL), NULL));
  RadiusServer *now = net_get(net, 0);
  assert_ptr_not_equal(now, old);
  assert_true(now->peer->role[RADIUS_AUTH].dead);
  assert_int_equal(now->peer->role[RADIUS_AUTH].stats.requests, 3);
  assert_int_equal(now->peer->role[RADIUS_ACCT].in_flight, 1);
  radius_server_end(old, RADIUS_ACCT, TRUE, FALSE);
  assert_int_equal(now->peer->role[RADIUS_ACCT].in_flight, 0);
  radius_server_unref(old);

  net_configure(net, net_tree(net_server("name", "renamed", "address", "127.0.0.1", "authentication-port", "1645", NULL), NULL));
  assert_false(net_get(net, 0)->peer->role[RADIUS_AUTH].dead);
}

/* ---- configuration ---- */

/** What is wrong with it, or "". */
static char *refusal(Net *net, AditValue *tree) {
  g_autoptr(GError) error = NULL;
  RadiusConfig *config = radius_config_new(&net->radius, tree, NULL, &error);

  radius_config_unref(config);
  adit_value_unref(tree);
  assert_true(!config == (error != NULL));
  return g_strdup(error ? error->message : "");
}

static AditValue *without_secret(void) {
  AditValue *item = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius.server");
  adit_value_set(item, "address", adit_value_string("192.0.2.1"));
  item->where = (AditWhere){"adit.yaml", 7, 3};
  return item;
}

static void what_is_wrong_is_said_with_its_place(void **state) {
  Net *net = *state;
  g_autofree char *none = refusal(net, net_tree(without_secret(), NULL));
  g_autofree char *two = refusal(net, net_tree(net_server("address", "not/an/address", NULL), net_server("address", "::", NULL), NULL));
  g_autofree char *twice = refusal(net, net_tree(net_server("name", "a", NULL), net_server("name", "a", NULL), NULL));
  g_autofree char *family = refusal(net, net_tree(net_server("src-address", "::1", NULL), NULL));
  g_autofree char *tls = refusal(net, net_tree(net_server("protocol", "radsec", NULL), NULL));

  g_autofree char *route = refusal(
      net,
      net_tree(net_server("protocol", "radsec-dtls", "ca", "a", "certificate", "b", "key", "c", "src-address", "127.0.0.1", NULL), NULL));

  assert_non_null(strstr(route, "not possible with RadSec"));
  assert_string_equal(none, "adit.yaml:7:3: radius.servers: `192.0.2.1' has no secret: set one");
  assert_non_null(strstr(two, "neither an IP address nor a name\n"));
  assert_non_null(strstr(two, "can't be the address of a server"));
  assert_non_null(strstr(twice, "is used twice"));
  assert_non_null(strstr(family, "same family"));
  assert_non_null(strstr(tls, "needs `ca'"));
  assert_non_null(strstr(tls, "needs `certificate' and `key'"));
}

static void entries_for_others_are_left_out(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("name", "off", "disabled", "yes", NULL), net_server("name", "wifi", "service", "wireless", NULL),
                              net_server("name", "vpn", "service", "ppp", NULL), NULL));
  assert_int_equal(radius_servers_count(net->radius.config->servers), 1);
  assert_string_equal(net_get(net, 0)->name, "vpn");
}

static void unnamed_servers_are_told_apart(void **state) {
  Net *net = *state;

  net_configure(
      net, net_tree(net_server("called-id", "1", NULL), net_server("called-id", "2", NULL), net_server("comment", "plain", NULL), NULL));
  assert_string_equal(net_get(net, 0)->name, "127.0.0.1");
  assert_string_equal(net_get(net, 1)->name, "127.0.0.1#2");
  assert_string_equal(net_get(net, 2)->name, "127.0.0.1#3");
  assert_ptr_equal(net_get(net, 0)->peer, net_get(net, 2)->peer); /* the same machine, and alive or dead as such */
}

static void ports_by_protocol(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("comment", "plain", NULL),
                              net_server("protocol", "radsec", "ca", "ca.pem", "certificate", "c.pem", "key", "k.pem", NULL), NULL));
  assert_int_equal(net_get(net, 0)->port[RADIUS_AUTH], 1812);
  assert_int_equal(net_get(net, 0)->port[RADIUS_ACCT], 1813);
  assert_int_equal(net_get(net, 1)->port[RADIUS_AUTH], 2083);
  assert_int_equal(net_get(net, 1)->port[RADIUS_ACCT], 2083);
  assert_string_equal(net_get(net, 1)->secret, "radsec");
}

/** A name is looked up beside the loop; until then the server can't be asked. */
static void names_are_resolved(void **state) {
  Net *net = *state;

  net_configure(net, net_tree(net_server("address", "localhost", "src-address", "127.0.0.1", NULL), NULL));
  assert_string_equal(pick(net, &anybody, NULL), "nobody");
  assert_true(ADIT_TEST_UNTIL(net->test, net_get(net, 0)->at[RADIUS_AUTH].any.sa_family, 10000));
  assert_int_equal(adit_endpoint_port(&net_get(net, 0)->at[RADIUS_ACCT]), 1813);
  assert_string_equal(pick(net, &anybody, NULL), "localhost");
  net_configure(net, net_tree(net_server("address", "localhost", "src-address", "127.0.0.1", "tries", "2", NULL), NULL));
  assert_string_equal(pick(net, &anybody, NULL), "localhost"); /* what was known stays over a reload */
}

static void a_server_has_failed_when_all_its_addresses_have(void **state) {
  RadiusAddresses addresses = {0}, fresh = {0};
  AditAddress a = adit_address_ipv4(0x0a000001), b = adit_address_ipv4(0x0a000002), c = adit_address_ipv4(0x0a000003);

  assert_false(radius_addresses_turn(&addresses, &a)); /* no name: its failures are its own */
  radius_addresses_add(&addresses, &a);
  radius_addresses_add(&addresses, &a);
  assert_int_equal(addresses.count, 1);
  assert_false(radius_addresses_turn(&addresses, &a));
  radius_addresses_add(&addresses, &b);
  radius_addresses_add(&addresses, &c);
  assert_true(radius_addresses_turn(&addresses, &a));
  assert_true(radius_addresses_turn(&addresses, &a)); /* others that were under way there turn nothing */
  assert_int_equal(addresses.now, 1);
  assert_true(radius_addresses_turn(&addresses, &b));
  assert_false(radius_addresses_turn(&addresses, &c)); /* the round is over */
  assert_int_equal(addresses.now, 0);
  assert_true(radius_addresses_turn(&addresses, &a));
  radius_addresses_add(&fresh, &c);
  radius_addresses_add(&fresh, &b);
  radius_addresses_renew(&addresses, &fresh);
  assert_int_equal(addresses.now, 1); /* b is still there, and stays */
  fresh = (RadiusAddresses){0};
  radius_addresses_add(&fresh, &a);
  radius_addresses_renew(&addresses, &fresh);
  assert_int_equal(addresses.now, 0);
  for (guint i = 0; i < 20; i++) {
    AditAddress more = adit_address_ipv4(0x0b000000 + i);
    radius_addresses_add(&addresses, &more);
  }
  assert_int_equal(addresses.count, RADIUS_ADDRESSES);
}

/** From the commit on, until no list holds the server any more; a name from its look-up on. */
static void servers_addresses_are_protected(void **state) {
  Net *net = *state;

  net_configure(
      net, net_tree(net_server("address", "192.0.2.53", NULL), net_server("address", "localhost", "src-address", "127.0.0.1", NULL), NULL));
  assert_true(adit_test_saw(net->test, "net.protect 192.0.2.53: a RADIUS server"));
  assert_true(ADIT_TEST_UNTIL(net->test, adit_test_saw(net->test, "net.protect 127.0.0.1: a RADIUS server"), 10000));
  assert_false(adit_test_saw(net->test, "net.unprotect"));
  net_configure(net, net_tree(net_server("address", "192.0.2.54", NULL), NULL));
  assert_true(ADIT_TEST_UNTIL(net->test,
                              adit_test_saw(net->test, "net.unprotect 192.0.2.53: a RADIUS server") &&
                                  adit_test_saw(net->test, "net.unprotect 127.0.0.1: a RADIUS server"),
                              10000));
  assert_true(adit_test_saw(net->test, "net.protect 192.0.2.54: a RADIUS server"));
}

static GString *told;

static GLogWriterOutput keep_warnings(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; level == G_LOG_LEVEL_WARNING && i < n; i++)
    if (g_str_equal(fields[i].key, "MESSAGE"))
      g_string_append_printf(told, "%s\n", (const char *)fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static const char *warnings(Net *net, AditValue *tree) {
  net_configure(net, tree);
  g_string_truncate(told, 0);
  radius_config_warn(net->radius.config);
  return told->str;
}

static void what_is_unwise_is_warned_of(void **state) {
  Net *net = *state;

  assert_string_equal(warnings(net, net_tree(net_server("name", "one", NULL), NULL)), "");
  assert_non_null(strstr(warnings(net, net_tree(NULL, NULL)), "radius.servers has no enabled server"));
  assert_non_null(strstr(warnings(net, net_tree(net_server("name", "one", "disabled", "yes", NULL), NULL)), "radius.servers has no enabled server"));
  assert_non_null(strstr(warnings(net, net_tree(net_server("name", "one", "timeout", "10000", "tries", "4", NULL), NULL)),
                         "server one: timeout and tries add up to 40 s"));
  assert_non_null(strstr(warnings(net, net_tree(net_server("name", "one", "require-message-auth", "no", NULL), NULL)), "BlastRADIUS"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(in_the_order_of_the_list),
      TEST(weights_are_shares),
      TEST(backup_only_when_the_others_are_dead),
      TEST(called_id_realm_and_domain_choose),
      TEST(a_realms_server_has_no_stand_in),
      TEST(groups_are_by_whom_servers_are_for),
      TEST(a_realm_alone_serves_users_without_one),
      TEST(in_flight_is_bounded_for_each_role),
      TEST(silence_in_a_row_is_death),
      TEST(after_dead_time_one_request_probes),
      TEST(when_all_are_dead_each_is_probed_at_once),
      TEST(while_others_wait_in_vain_another_is_asked),
      TEST(health_outlives_a_reload),
      TEST(what_is_wrong_is_said_with_its_place),
      TEST(what_is_unwise_is_warned_of),
      TEST(entries_for_others_are_left_out),
      TEST(unnamed_servers_are_told_apart),
      TEST(ports_by_protocol),
      TEST(names_are_resolved),
      TEST(a_server_has_failed_when_all_its_addresses_have),
      TEST(servers_addresses_are_protected),
  };
  told = g_string_new(NULL);
  g_log_set_writer_func(keep_warnings, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  g_string_free(told, TRUE);
  return failed;
}
