/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What accounting hears of sessions and of the daemon, and what clients of one server share. */
#include "core/aaa/aaa.h"
#include "core/path/path.h"
#include "core/ppp/registry.h"
#include "core/session/client.h"
#include "core/session/life/accounting.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "ipv6cp.h"
#include "tests/unit/defaults.h"
#include "tests/unit/session/world.h"

static void session_up(World *w, guint n, const char *user) {
  guint up = w->up;
  world_dial(w, &w->pair[n], user, "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == up + 2, 5000));
}

static void hang_up(World *w, guint n) {
  guint down = w->down;
  adit_session_service()->link_close(w->pair[n].server.id, ADIT_CAUSE_LOST_SERVICE, "tunnel died");
  assert_true(TEST_LOOP_UNTIL(w->down > down, 5000));
}

static void accounting(gboolean on) {
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map(), *sources = adit_value_list();
  adit_value_append(sources, adit_value_string("everybody"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(aaa, "accounting", adit_value_bool(on));
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
}

static void a_record_has_the_facts(void **state) {
  World *w = *state;
  const Record *start = NULL, *stop = NULL;
  AditAddress address;
  char text[ADIT_ADDRESS_TEXT];
  gint64 before = g_get_real_time() / 1000;

  session_up(w, 0, "alice");
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &start), 1);
  const AditValue *facts = start->facts;
  assert_string_equal(adit_value_get_string(facts, "service", ""), "office");
  assert_string_equal(adit_value_get_string(facts, "transport", ""), "l2tp");
  assert_string_equal(adit_value_get_string(facts, "interface", ""), "l2tp-alice");
  assert_string_equal(adit_value_get_string(facts, "caller-id", ""), "192.0.2.2");
  assert_string_equal(adit_value_get_string(facts, "method", ""), "pap");
  assert_string_equal(adit_value_get_string(facts, "source", ""), "everybody");
  assert_null(adit_value_get(facts, "called-id"));
  assert_null(adit_value_get(facts, "remote-interface-id"));
  assert_true(adit_value_get_address(facts, "remote-address", &address));
  assert_string_equal(adit_address_format(&address, text), "10.0.0.10");
  assert_true(adit_value_get_address(facts, "peer", &address));
  assert_string_equal(adit_address_format(&address, text), "192.0.2.2");
  assert_int_equal(adit_value_get_int(facts, "peer-port", 0), 1701);
  assert_int_equal(adit_value_get_int(facts, "port", 0), 1);
  assert_int_equal(adit_value_get_int(facts, "mtu", 0), 1450);
  assert_true(start->when_ms >= before && start->when_ms <= g_get_real_time() / 1000);
  assert_string_equal(start->user, "alice");
  assert_int_equal(world_recorded(ADIT_ACCT_START, TRUE, NULL), 1); /* the client's own says so */

  hang_up(w, 0);
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, &stop), 1);
  assert_string_equal(stop->record_id, start->record_id);
  assert_string_equal(stop->reason, "tunnel died");
  assert_int_equal(stop->cause, ADIT_CAUSE_LOST_SERVICE);
  assert_int_equal(adit_value_get_int(stop->facts, "port", 0), 1);
}

static void ports_are_small_and_used_again_and_record_ids_never(void **state) {
  World *w = *state;
  const Record *first = NULL, *second = NULL, *third = NULL;

  session_up(w, 0, "alice");
  world_recorded(ADIT_ACCT_START, FALSE, &first);
  session_up(w, 1, "bob");
  world_recorded(ADIT_ACCT_START, FALSE, &second);
  assert_int_equal(adit_value_get_int(first->facts, "port", 0), 1); /* 2 is its client's, in the same process */
  assert_int_equal(adit_value_get_int(second->facts, "port", 0), 3);
  hang_up(w, 0);
  session_up(w, 2, "alice");
  world_recorded(ADIT_ACCT_START, FALSE, &third);
  assert_int_equal(adit_value_get_int(third->facts, "port", 0), 1);
  assert_string_not_equal(third->record_id, first->record_id);
  assert_string_not_equal(third->record_id, second->record_id);
}

static void a_stop_follows_its_start_whatever_was_reloaded(void **state) {
  World *w = *state;

  session_up(w, 0, "alice");
  accounting(FALSE);
  session_up(w, 1, "bob");
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, NULL), 1);
  accounting(TRUE);
  hang_up(w, 1);
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, NULL), 0);
  accounting(FALSE);
  hang_up(w, 0);
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, NULL), 1);
}

/* RFC 2869 5.16: the period of one session overrides the configured one. */
static void rfc2869_5_16_interim_records_come_by_the_sessions_own_period(void **state) {
  World *w = *state;
  const Record *last = NULL;

  session_up(w, 0, "counted"); /* 40 ms; aaa has none */
  session_up(w, 1, "alice");
  assert_true(TEST_LOOP_UNTIL(world_recorded(ADIT_ACCT_INTERIM, FALSE, &last) >= 3, 5000));
  assert_string_equal(last->user, "counted");
}

static void a_change_of_the_period_tells_at_once_and_begins_anew(void **state) {
  World *w = *state;
  const Record *start = NULL, *last = NULL;
  g_autoptr(AditValue) changes = adit_value_map(), off = adit_value_map();

  session_up(w, 0, "alice");
  world_recorded(ADIT_ACCT_START, FALSE, &start);
  AditSessionId id = adit_session_service()->session_find(start->record_id);
  adit_value_set(changes, "idle-timeout", adit_value_int(100000));
  assert_true(adit_session_service()->session_update(id, changes, NULL));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL), 0); /* nobody wants any */
  adit_value_set(changes, "interim-update", adit_value_int(30));
  assert_true(adit_session_service()->session_update(id, changes, NULL));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, &last), 1);
  assert_int_equal(adit_value_get_int(last->attributes, "idle-timeout", 0), 100000);
  assert_true(TEST_LOOP_UNTIL(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL) >= 3, 5000));
  adit_value_set(off, "interim-update", adit_value_int(0));
  assert_true(adit_session_service()->session_update(id, off, NULL));
  guint n = world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL);
  guint64 since = adit_loop_service()->now();
  assert_true(TEST_LOOP_UNTIL(adit_loop_service()->now() > since + 100, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL), n);
}

/* Ten thousand that a server changes in one go, or whose second protocol opens at the same time, must not report together for ever. */
static void a_change_keeps_periods_apart(void **state) {
  enum { HOUR = 3600000, CHANGES = 8 };
  World *w = *state;
  const Record *start = NULL;
  g_autoptr(GHashTable) ends = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr(AditValue) changes = adit_value_map();

  world_extra = adit_value_map();
  adit_value_set(world_extra, "interim-update", adit_value_int(HOUR));
  session_up(w, 0, "alice");
  world_recorded(ADIT_ACCT_START, FALSE, &start);
  AditSess *session = adit_sess_find_record(start->record_id);
  guint64 deadline = session->accounting.timer.deadline;
  adit_value_set(changes, "idle-timeout", adit_value_int(HOUR));
  assert_true(adit_session_service()->session_update(session->id, changes, NULL));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL), 1);
  assert_int_equal(session->accounting.timer.deadline, deadline);
  for (guint i = 1; i <= CHANGES; i++) {
    adit_value_set(changes, "interim-update", adit_value_int(HOUR + i % 2));
    assert_true(adit_session_service()->session_update(session->id, changes, NULL));
    guint64 pause = session->accounting.timer.deadline - adit_loop_service()->now();
    assert_in_range(pause, 0, HOUR + 2);
    pause /= 1000;
    g_hash_table_add(ends, g_memdup2(&pause, sizeof pause));
  }
  assert_true(g_hash_table_size(ends) > 1);
}

/* A data path that loses what begins with these octets, while it is told to. */
static const guint8 *lost_octets;
static gsize n_lost_octets;

static void losing_send(AditDpLink *link, const guint8 *frame, gsize length) {
  if (lost_octets && length >= n_lost_octets && memcmp(frame, lost_octets, n_lost_octets) == 0)
    return;
  null_datapath_ops.link_send(link, frame, length);
}

static void another_address_is_told_where_there_is_a_period(void **state) {
  World *w = *state;
  const Record *last = NULL;
  static const guint8 ipv6cp[] = {0x80, 0x57};
  static AditDatapathOps datapath; /* used until the links end, in teardown */

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, NULL));
  datapath = null_datapath_ops;
  datapath.link_send = losing_send;
  lost_octets = ipv6cp;
  n_lost_octets = sizeof ipv6cp;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "interim-update", adit_value_int(3600000));
  world_dial(w, &w->pair[0], "alice", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL), 0);
  lost_octets = NULL; /* the next retransmission gets through */
  assert_true(TEST_LOOP_UNTIL(world_recorded(ADIT_ACCT_INTERIM, FALSE, &last) == 1, 10000));
  assert_non_null(adit_value_get(last->facts, "remote-interface-id"));
  assert_non_null(adit_value_get(last->facts, "remote-address"));
}

/* Somebody removes the address, and the kernel does not take it back. */
static void lose_address(guint ifindex, const char *local, const char *peer) {
  AditNetAddress address = {.ifindex = ifindex, .local = {.length = 32}};
  AditKernelEvent gone = {.kind = ADIT_KERNEL_ADDRESS_GONE, .ifindex = ifindex};

  assert_true(adit_address_parse(local, &address.local.address));
  assert_true(adit_address_parse(peer, &address.peer));
  gone.key = adit_object_key_address(&address);
  adit_claims_event(world_claims(), &gone);
}

/* IPv4 goes while IPv6CP still tries: when that opens, it is a change of the session, and no second beginning. */
static void a_session_without_any_address_for_a_while_begins_once(void **state) {
  World *w = *state;
  const Record *start = NULL;
  static const guint8 ipv6cp[] = {0x80, 0x57};
  static AditDatapathOps datapath; /* used until the links end, in teardown */

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, NULL));
  datapath = null_datapath_ops;
  datapath.link_send = losing_send;
  lost_octets = ipv6cp;
  n_lost_octets = sizeof ipv6cp;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "interim-update", adit_value_int(3600000));
  world_dial(w, &w->pair[0], "alice", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &start), 1);
  AditSess *session = adit_sess_find_record(start->record_id);

  world_kernel.answer = EACCES;
  lose_address(null_dp_port(w->server.dp, "l2tp-alice")->ifindex, "10.0.0.1", "10.0.0.10");
  assert_true(TEST_LOOP_UNTIL(!session->family[ADIT_SESS_IPV4].applied, 10000));
  world_kernel.answer = 0;
  lost_octets = NULL; /* the next retransmission gets through */
  assert_true(TEST_LOOP_UNTIL(session->family[ADIT_SESS_IPV6].applied && !session->claims.pending, 10000));
  assert_true(TEST_LOOP_UNTIL(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL) == 1, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, NULL), 1);
  assert_int_equal(w->up, 2);
}

/* A data path that takes its time for IPCP, as if the peer had to be told its address over a long way. */
typedef struct {
  AditTimer timer;
  AditDpLink *link;
  gsize length;
  guint8 frame[];
} Late;

static void late_arrives(AditTimer *timer, gpointer data) {
  Late *late = data;
  null_datapath_ops.link_send(late->link, late->frame, late->length);
  g_free(late);
}

static void slow_send(AditDpLink *link, const guint8 *frame, gsize length) {
  if (length < 2 || (frame[0] << 8 | frame[1]) != ADIT_PPP_IPCP) {
    null_datapath_ops.link_send(link, frame, length);
    return;
  }
  Late *late = g_malloc0(sizeof *late + length);
  *late = (Late){.timer = {.func = late_arrives, .data = late}, .link = link, .length = length};
  memcpy(late->frame, frame, length);
  adit_timer_arm(&late->timer, 200);
}

/* Both protocols are open before anybody hears of the session: who bills by address needs it in the Start. */
static void a_start_waits_for_the_address_that_comes_second(void **state) {
  World *w = *state;
  const Record *start = NULL;
  static AditDatapathOps datapath; /* used until the links end, in teardown */

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, NULL));
  datapath = null_datapath_ops;
  datapath.link_send = slow_send;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "interim-update", adit_value_int(3600000));
  world_dial(w, &w->pair[0], "alice", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &start), 1);
  assert_non_null(adit_value_get(start->facts, "remote-interface-id"));
  assert_non_null(adit_value_get(start->facts, "remote-address"));
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, NULL), 0);
}

static void on_and_off_embrace_the_daemons_run(void **state) {
  World *w = *state;
  const Record *on = NULL, *off = NULL, *stop = NULL;
  gboolean none = FALSE;

  adit_session_account(FALSE); /* it never started: nothing to take back */
  assert_int_equal(world_records->len, 0);
  adit_session_start();
  adit_session_start();
  assert_int_equal(world_recorded(ADIT_ACCT_ON, FALSE, &on), 1);
  assert_null(on->user);
  assert_null(on->facts);
  session_up(w, 0, "alice");
  accounting(FALSE);
  adit_session_stop(world_set_flag, &none);
  assert_true(TEST_LOOP_UNTIL(none, 10000));
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, &stop), 1);
  adit_session_account(FALSE);
  assert_int_equal(world_recorded(ADIT_ACCT_OFF, FALSE, &off), 1);
  assert_ptr_equal(world_records->pdata[world_records->len - 1], off);
  assert_string_equal(off->record_id, on->record_id);
}

/* ---- MTU ---- */

/* A Configure-Request of the peer's with another MRU, as after it has found a narrower path. */
static void a_renegotiated_mru_reaches_the_interface(void **state) {
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};
  const guint8 datagram[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 1, 200, 0, 8, 1, 4, 1200 >> 8, 1200 & 0xff};
  static const guint8 configure_request[] = {0xc0, 0x21, 1};
  static AditDatapathOps datapath; /* used until the links end, in teardown */
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL), client = world_config_of("out1", "alice", "right");

  datapath = null_datapath_ops;
  datapath.link_send = losing_send;
  assert_true(world_call_open(w, &w->pair[0].server, FALSE, server, 1, &null_datapath_ops, NULL));
  assert_true(world_call_open(w, &w->pair[0].client, TRUE, client, 1, &datapath, NULL));
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  lost_octets = configure_request; /* the real client's own, with the old MRU */
  n_lost_octets = sizeof configure_request;
  assert_true(null_net_deliver(w->net, &path, datagram, sizeof datagram));
  assert_true(TEST_LOOP_UNTIL(world_told("mtu 1200") > 0, 10000));
  lost_octets = NULL;
}

/* ---- the way to a server that two clients call ---- */

typedef struct {
  World *w;
  guint n;
} Dialler;

static AditDial *dial(gpointer state, const AditValue *client, gpointer token, GError **error) {
  Dialler *dialler = state;
  World *w = dialler->w;
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  guint n = dialler->n++;

  world_token = token;
  assert_true(world_call_open(w, &w->pair[n].server, FALSE, server, n + 1, &null_datapath_ops, error));
  assert_true(world_call_open(w, &w->pair[n].client, TRUE, client, n + 1, &null_datapath_ops, error));
  return (AditDial *)dialler;
}

static void dial_cancel(AditDial *dialled) {}

static AditValue *client_of(const char *name) {
  AditValue *client = world_config_of(name, name, "right");
  adit_value_set(client, "add-default-route", adit_value_bool(TRUE));
  adit_value_set(client, "default-route-distance", adit_value_int(5));
  return client;
}

/* Which of the clients has the default route. */
static const char *routed_client(void) {
  g_autoptr(AditValue) list = adit_claims_describe(world_claims());
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *claim = adit_value_at(list, i);
    if (g_str_has_prefix(adit_value_get_string(claim, "object", ""), "route 0.0.0.0/0") &&
        strcmp(adit_value_get_string(claim, "state", ""), "installed") == 0)
      return strstr(adit_value_get_string(claim, "claimant", ""), "one") ? "one" : "two";
  }
  return "none";
}

static void the_way_to_a_server_stays_until_its_last_client_leaves(void **state) {
  static const AditTransportOps ops = {.size = sizeof ops, .name = "l2tp", .dial = dial, .dial_cancel = dial_cancel};
  World *w = *state;
  Dialler dialler = {w, 0};
  g_autoptr(AditValue) config = world_config();
  AditValue *l2tp = adit_value_map(), *clients = adit_value_list();
  gpointer staged = NULL;
  AditAddress end = adit_address_ipv4(0xc0000201);

  world_net()->protect(ADIT_PROTECT_ENDPOINT, &end, "the outer address of a tunnel"); /* as a transport does */
  adit_value_append(clients, client_of("one"));
  adit_value_append(clients, client_of("two"));
  adit_value_set(l2tp, "clients", clients);
  adit_value_set(config, "l2tp", l2tp);
  assert_true(adit_path_service()->transport_add(&w->plugin, &ops, &dialler, NULL));
  assert_true(adit_session_prepare(config, &staged, NULL));
  adit_session_commit(staged);
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(world_told("route 0.0.0.0/0 metric 5") == 1 && w->up == 4, 10000));
  assert_int_equal(world_told("route 192.0.2.1/32 metric 0"), 1); /* first the way to the server */
  const char *first = routed_client(), *second = strcmp(first, "one") == 0 ? "two" : "one";
  assert_true(adit_client_down(first, NULL));
  assert_true(TEST_LOOP_UNTIL(world_told("route 0.0.0.0/0 metric 5") == 2, 10000)); /* the other one's takes its place */
  assert_int_equal(world_told("-route 0.0.0.0/0 metric 5"), 0);
  assert_int_equal(world_told("-route 192.0.2.1/32 metric 0"), 0);
  assert_true(TEST_LOOP_UNTIL(strcmp(routed_client(), second) == 0, 10000));
  assert_true(adit_client_down(second, NULL));
  assert_true(TEST_LOOP_UNTIL(world_told("-route 0.0.0.0/0 metric 5") == 1, 10000));
  assert_true(TEST_LOOP_UNTIL(world_told("-route 192.0.2.1/32 metric 0") == 1, 10000));
  world_net()->unprotect(ADIT_PROTECT_ENDPOINT, &end, "the outer address of a tunnel");
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_record_has_the_facts),
      test(ports_are_small_and_used_again_and_record_ids_never),
      test(a_stop_follows_its_start_whatever_was_reloaded),
      test(rfc2869_5_16_interim_records_come_by_the_sessions_own_period),
      test(a_change_of_the_period_tells_at_once_and_begins_anew),
      test(a_change_keeps_periods_apart),
      test(another_address_is_told_where_there_is_a_period),
      test(a_session_without_any_address_for_a_while_begins_once),
      test(a_start_waits_for_the_address_that_comes_second),
      test(on_and_off_embrace_the_daemons_run),
      test(a_renegotiated_mru_reaches_the_interface),
      test(the_way_to_a_server_stays_until_its_last_client_leaves),
  };
  return cmocka_run_group_tests_name("session account", tests, NULL, NULL);
}
