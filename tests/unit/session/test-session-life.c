/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * Sessions from login to last counter, both ends in one process: the null data path joins a server's link with a
 * client's, PAP and IPCP are the real engines, and the kernel is played by a table that remembers what it was told.
 */
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/path/path.h"
#include "core/pool/pool.h"
#include "core/ppp/registry.h"
#include "core/session/session.h"
#include "ipcp.h"
#include "null.h"
#include "pap.h"
#include "tests/lib/loop.h"

#include <adit/auth.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- the kernel ---- */

typedef struct {
  GPtrArray *told; /* char*: "address 10.0.0.1/32 peer 10.0.0.2", "route ...", with "-" in front when taken away */
  int answer;      /* errno for what is added */
} Kernel;

static Kernel kernel;

typedef struct {
  AditNetDone done;
  gpointer user;
  int error;
} Answer;

static void answer(gpointer data) {
  g_autofree Answer *a = data;
  if (a->done)
    a->done(a->user, a->error);
}

static void tell(char *what, AditNetDone done, gpointer user, int error) {
  Answer *a = g_new0(Answer, 1);
  *a = (Answer){done, user, error};
  g_ptr_array_add(kernel.told, what);
  adit_call_main(answer, a);
}

static char *address_text(const char *sign, const AditNetAddress *a) {
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  return g_strdup_printf("%saddress %s peer %s", sign, adit_prefix_format(&a->local, local), adit_address_format(&a->peer, peer));
}

static char *route_text(const char *sign, const AditNetRoute *r) {
  char to[ADIT_PREFIX_TEXT];
  return g_strdup_printf("%sroute %s metric %u", sign, adit_prefix_format(&r->to, to), r->metric);
}

static void address_add(const AditNetAddress *a, AditNetDone done, gpointer user) { tell(address_text("", a), done, user, kernel.answer); }
static void address_delete(const AditNetAddress *a, AditNetDone done, gpointer user) { tell(address_text("-", a), done, user, 0); }
static void route_add(const AditNetRoute *r, AditNetDone done, gpointer user) { tell(route_text("", r), done, user, kernel.answer); }
static void route_delete(const AditNetRoute *r, AditNetDone done, gpointer user) { tell(route_text("-", r), done, user, 0); }

static const AditNetService net = {
    .size = sizeof net, .address_add = address_add, .address_delete = address_delete, .route_add = route_add, .route_delete = route_delete};

static guint told(const char *what) {
  guint n = 0;
  for (guint i = 0; i < kernel.told->len; i++)
    n += strcmp(kernel.told->pdata[i], what) == 0;
  return n;
}

/* ---- the world: one network, a server's and a client's data path ---- */

/* One end of a call, as a transport would hold it. */
typedef struct {
  AditLinkId id;
  gboolean closed;
  AditCause cause;
  char *reason;
} Call;

typedef struct {
  Call server, client;
} Pair;

typedef struct {
  NullDp *dp;
  AditListener *listener;
  AditEndpoint at;
} Side;

typedef struct {
  NullNet *net;
  Side server, client;
  AditPlugin plugin;
  guint up, down;
  AditSessionEvent last_down;
  char *last_reason;
  guint next_call;
  Pair pair[4]; /* outlive the test: links end in teardown */
  Call extra;
} World;

static void run_net(gpointer data) {
  World *w = data;
  while (null_net_run(w->net, 100))
    ;
}

static void pending(gpointer user) { adit_call_main(run_net, user); }
static guint64 now(gpointer user) { return adit_loop_service()->now(); }
static const NullNetOps net_ops = {.now = now, .pending = pending};

static void classify(const guint8 *datagram, gsize length, AditClassified *out) {
  AditCursor in = adit_cursor(datagram, length);
  adit_skip(&in, 2);
  out->klass = ADIT_CLASS_DATA;
  out->tunnel = adit_get_u16(&in);
  out->session = adit_get_u16(&in);
  out->has_sequence = FALSE;
  out->offset = 6;
  out->length = (guint16)adit_left(&in);
  if (in.bad)
    out->klass = ADIT_CLASS_DROP;
}

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};

static void side_open(World *w, Side *side, guint32 address) {
  AditAddress a = adit_address_ipv4(address);
  AditListenerSpec spec = {.size = sizeof spec, .local = adit_endpoint(&a, 1701), .classify = classify};
  side->at = spec.local;
  side->dp = null_dp_new(w->net);
  side->listener = null_datapath_ops.listen(side->dp, &spec, &listener_ops, w, NULL);
  assert_non_null(side->listener);
}

static void on_closed(gpointer user, AditLinkId link, AditCause cause, const char *reason) {
  Call *call = user;
  assert_false(call->closed);
  call->closed = TRUE;
  call->cause = cause;
  g_free(call->reason);
  call->reason = g_strdup(reason);
}

static const AditLinkOps link_ops = {.size = sizeof link_ops, .closed = on_closed};

static AditLinkId call_open(World *w, Call *call, gboolean client, const AditValue *config, guint number, const AditDatapathOps *datapath,
                            GError **error) {
  Side *here = client ? &w->client : &w->server, *there = client ? &w->server : &w->client;
  AditLinkSpec spec = {.size = sizeof spec,
                       .transport = "l2tp",
                       .config = config,
                       .client = client,
                       .datapath = datapath,
                       .dp = here->dp,
                       .listener = here->listener,
                       .path = {.local = here->at, .remote = there->at},
                       .encap = {.kind = ADIT_ENCAP_L2TPV2_UDP,
                                 .local_tunnel = 1,
                                 .local_session = number,
                                 .peer_tunnel = 1,
                                 .peer_session = number},
                       .caller_id = "192.0.2.2",
                       .ops = &link_ops,
                       .user = call};
  call->id = adit_session_service()->link_open(&w->plugin, &spec, error);
  return call->id;
}

static AditValue *config_of(const char *name, const char *user, const char *password) {
  AditValue *map = adit_value_map(), *methods = adit_value_list();
  adit_value_append(methods, adit_value_string("pap"));
  adit_value_set(map, "name", adit_value_string(name));
  adit_value_set(map, user ? "allow" : "authentication", methods);
  if (user) {
    adit_value_set(map, "user", adit_value_string(user));
    adit_value_set(map, "password", adit_value_secret(password));
    adit_value_set(map, "profile", adit_value_string("default"));
  } else {
    adit_value_set(map, "default-profile", adit_value_string("base"));
    adit_value_set(map, "max-sessions", adit_value_int(3));
  }
  return map;
}

static void dial(World *w, Pair *pair, const char *user, const char *password, const AditDatapathOps *datapath) {
  g_autoptr(AditValue) server = config_of("office", NULL, NULL);
  g_autoptr(AditValue) client = config_of("out1", user, password);
  guint number = ++w->next_call;
  g_autoptr(GError) error = NULL;

  assert_true(call_open(w, &pair->server, FALSE, server, number, datapath ? datapath : &null_datapath_ops, &error));
  assert_true(call_open(w, &pair->client, TRUE, client, number, &null_datapath_ops, &error));
}

static void pair_free(Pair *pair) {
  g_free(pair->server.reason);
  g_free(pair->client.reason);
}

/* ---- the users: everybody whose password is "right"; the name says the profile ---- */

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  g_autoptr(AditValue) record = adit_value_map();
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_SECRET, .password = "right", .attributes = record};
  adit_value_set(record, "name", adit_value_string(request->user));
  adit_value_set(record, "profile", adit_value_string(request->user));
  adit_aaa_service()->answer(handle, &reply);
}

static const AditAuthSourceOps source = {.size = sizeof source, .name = "everybody", .ask = ask};

/* ---- events ---- */

static void on_up(const AditEvent *event, gpointer data) { ((World *)data)->up++; }

static void on_down(const AditEvent *event, gpointer data) {
  World *w = data;
  w->down++;
  w->last_down = *(const AditSessionEvent *)event;
  g_free(w->last_reason);
  w->last_reason = g_strdup(w->last_down.reason);
}

/* ---- configuration ---- */

static void profile_add(AditValue *list, const char *name, const char *key, AditValue *value) {
  AditValue *map = adit_value_map();
  adit_value_set(map, "name", adit_value_string(name));
  adit_value_set(map, key, value);
  adit_value_append(list, map);
}

static AditValue *address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return adit_value_address(&a);
}

static AditValue *world_config(void) {
  AditValue *config = adit_value_map(), *profiles = adit_value_list(), *pools = adit_value_list(), *pool = adit_value_map(),
            *ranges = adit_value_list(), *aaa = adit_value_map(), *sources = adit_value_list(), *base = adit_value_map();

  adit_value_set(base, "name", adit_value_string("base"));
  adit_value_set(base, "local-address", address("10.0.0.1"));
  adit_value_set(base, "remote-address", adit_value_string("pool"));
  adit_value_append(profiles, base);
  profile_add(profiles, "only", "only-one", adit_value_string("yes"));
  profile_add(profiles, "short", "session-timeout", adit_value_int(60));
  profile_add(profiles, "idler", "idle-timeout", adit_value_int(60));
  profile_add(profiles, "many", "interface", adit_value_string("shared"));
  profile_add(profiles, "fixed", "remote-address", address("10.0.0.99"));

  adit_value_append(ranges, adit_value_string("10.0.0.10-10.0.0.11"));
  adit_value_set(pool, "name", adit_value_string("pool"));
  adit_value_set(pool, "ranges", ranges);
  adit_value_append(pools, pool);
  adit_value_append(sources, adit_value_string("everybody"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(config, "profiles", profiles);
  adit_value_set(config, "pools", pools);
  adit_value_set(config, "aaa", aaa);
  return config;
}

static int setup(void **state) {
  World *w = g_new0(World, 1);
  g_autoptr(AditValue) config = world_config();
  g_autoptr(GError) error = NULL;
  gpointer staged = NULL;

  kernel = (Kernel){.told = g_ptr_array_new_with_free_func(g_free)};
  w->plugin.name = "test";
  adit_loop_init();
  adit_bus_init();
  adit_path_init();
  adit_ppp_init();
  adit_aaa_init(adit_loop_service());
  adit_session_init(&net);
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipcp_desc, &error));
  assert_true(adit_aaa_service()->method_add(&w->plugin, &pap_method, &error));
  assert_true(adit_aaa_service()->source_add(&w->plugin, &source, NULL, &error));

  adit_pools_commit(adit_pools_prepare(config, &error));
  adit_aaa_commit(adit_aaa_prepare(config, &error));
  assert_true(adit_session_prepare(config, &staged, &error));
  adit_session_commit(staged);
  assert_null(error);

  adit_bus_subscribe(NULL, ADIT_EVENT_SESSION_UP, on_up, w);
  adit_bus_subscribe(NULL, ADIT_EVENT_SESSION_DOWN, on_down, w);
  w->net = null_net_new(&net_ops, w);
  side_open(w, &w->server, 0xc0000201);
  side_open(w, &w->client, 0xc0000202);
  *state = w;
  return 0;
}

static void set_flag(gpointer data) { *(gboolean *)data = TRUE; }

static int teardown(void **state) {
  World *w = *state;
  gboolean none = FALSE;

  adit_session_stop(set_flag, &none);
  assert_true(TEST_LOOP_UNTIL(none, 10000));
  adit_session_drop_plugin(&w->plugin);
  test_loop_drain();
  run_net(w);
  null_datapath_ops.listener_close(w->server.listener);
  null_datapath_ops.listener_close(w->client.listener);
  null_dp_free(w->server.dp);
  null_dp_free(w->client.dp);
  adit_session_fini();
  adit_aaa_fini();
  adit_ppp_fini();
  adit_path_fini();
  adit_pools_fini();
  adit_bus_fini();
  adit_loop_fini();
  null_net_free(w->net);
  g_ptr_array_unref(kernel.told);
  for (guint i = 0; i < G_N_ELEMENTS(w->pair); i++)
    pair_free(&w->pair[i]);
  g_free(w->last_reason);
  g_free(w);
  return 0;
}

/* ---- tests ---- */

static void login_brings_addresses_interfaces_and_traffic(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];
  guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};

  dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(told("address 10.0.0.1/32 peer 10.0.0.10"), 1);
  assert_int_equal(told("address 10.0.0.10/32 peer 10.0.0.1"), 1);

  AditPort *server = null_dp_port(w->server.dp, "l2tp-alice"), *client = null_dp_port(w->client.dp, "out1");
  assert_non_null(server);
  assert_non_null(client);
  assert_true(null_port_inject(client, packet, sizeof packet));
  test_loop_drain();

  g_autoptr(AditValue) one = adit_session_describe("l2tp-alice");
  assert_int_equal(adit_value_get_int(one, "rx-packets", 0), 1);
  assert_int_equal(adit_value_get_int(one, "rx-octets", 0), 20);
  assert_string_equal(adit_value_get_string(one, "source", NULL), "everybody");
  assert_string_equal(adit_value_get_string(one, "state", NULL), "up");
}

static void a_wrong_password_ends_both_links_and_makes_no_session(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  dial(w, pair, "alice", "wrong", NULL);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed, 10000));
  assert_int_equal(pair->server.cause, ADIT_CAUSE_USER_ERROR);
  assert_int_equal(w->up, 0);
  assert_int_equal(kernel.told->len, 0);
}

static void disconnect_withdraws_and_releases_and_tells_the_transport(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0], *again = &w->pair[1];

  dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(adit_session_disconnect("alice", ADIT_CAUSE_ADMIN_RESET, "asked to"), 2); /* both ends know that user */
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed && w->down == 2, 10000));
  assert_int_equal(told("-address 10.0.0.1/32 peer 10.0.0.10"), 1);
  assert_int_equal(pair->server.cause, ADIT_CAUSE_ADMIN_RESET);
  assert_null(null_dp_port(w->server.dp, "l2tp-alice"));

  dial(w, again, "alice", "right", NULL); /* name and address are free again */
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_int_equal(told("address 10.0.0.1/32 peer 10.0.0.10"), 2);
}

static void a_lost_call_ends_the_session_with_its_cause(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  adit_session_service()->link_close(pair->server.id, ADIT_CAUSE_LOST_SERVICE, "tunnel died");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_int_equal(w->last_down.cause, ADIT_CAUSE_LOST_SERVICE);
  assert_string_equal(w->last_reason, "tunnel died");
  assert_false(pair->server.closed); /* the transport knows already */
}

static void only_one_refuses_a_second_session(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  dial(w, first, "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial(w, second, "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed && second->client.closed, 10000));
  assert_int_equal(second->server.cause, ADIT_CAUSE_NAS_REQUEST);
  assert_non_null(strstr(second->server.reason, "only-one"));
  assert_int_equal(w->down, 0);
}

static void a_second_session_gets_a_numbered_interface_and_a_dry_pool_refuses(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = config_of("office", NULL, NULL);
  g_autoptr(GError) error = NULL;

  dial(w, &w->pair[0], "bob", "right", NULL);
  dial(w, &w->pair[1], "bob", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_non_null(null_dp_port(w->server.dp, "l2tp-bob"));
  assert_non_null(null_dp_port(w->server.dp, "l2tp-bob-1"));

  dial(w, &w->pair[2], "bob", "right", NULL); /* the pool has two addresses */
  assert_false(call_open(w, &w->extra, FALSE, server, 77, &null_datapath_ops, &error)); /* max-sessions: 3 */
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
  assert_true(TEST_LOOP_UNTIL(w->pair[2].server.closed, 10000));
  assert_non_null(strstr(w->pair[2].server.reason, "remote-address"));
}

static void a_fixed_address_is_given_once(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  dial(w, first, "fixed", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(told("address 10.0.0.1/32 peer 10.0.0.99"), 1);
  dial(w, second, "fixed", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed, 10000));
  assert_non_null(strstr(second->server.reason, "in use"));
}

static void many_share_one_interface_with_a_route_each(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  dial(w, first, "many", "right", NULL);
  dial(w, second, "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_non_null(null_dp_port(w->server.dp, "shared"));
  assert_int_equal(told("address 10.0.0.1/32 peer -"), 1);
  assert_int_equal(told("route 10.0.0.10/32 metric 0"), 1);
  assert_int_equal(told("route 10.0.0.11/32 metric 0"), 1);

  adit_session_service()->link_close(first->server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_int_equal(told("-address 10.0.0.1/32 peer -"), 0);
  assert_non_null(null_dp_port(w->server.dp, "shared"));
  adit_session_service()->link_close(second->server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  test_loop_drain();
  assert_int_equal(told("-address 10.0.0.1/32 peer -"), 1);
  assert_null(null_dp_port(w->server.dp, "shared"));
}

static void session_and_idle_timeouts_end_it(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  dial(w, first, "short", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(first->server.closed, 10000));
  assert_int_equal(first->server.cause, ADIT_CAUSE_SESSION_TIMEOUT);
  dial(w, second, "idler", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed, 10000));
  assert_int_equal(second->server.cause, ADIT_CAUSE_IDLE_TIMEOUT);
}

static const char *refuse(const AditEvent *event, gpointer data) { return "not today"; }

static void a_veto_refuses_with_its_reason(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  adit_bus_service()->veto_add(NULL, ADIT_VETO_SESSION, 0, refuse, NULL);
  dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed, 10000));
  assert_string_equal(pair->server.reason, "not today");
}

static void no_port(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  g_autoptr(GError) error = g_error_new(ADIT_ERROR, ADIT_ERR_SYSTEM, "no more interfaces");
  done(user, NULL, error);
}

static void no_interface_or_no_address_is_a_port_error(void **state) {
  World *w = *state;
  AditDatapathOps broken = null_datapath_ops;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  broken.port_open = no_port;
  dial(w, first, "alice", "right", &broken);
  assert_true(TEST_LOOP_UNTIL(first->server.closed, 10000));
  assert_int_equal(first->server.cause, ADIT_CAUSE_PORT_ERROR);
  assert_string_equal(first->server.reason, "no more interfaces");

  kernel.answer = ENOBUFS;
  dial(w, second, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed || second->client.closed, 10000));
  assert_int_equal(w->up, 0);
}

/* Clients that are told goodbye dial again at once: they would keep a daemon with many sessions from ever ending. */
static void no_new_link_while_stopping(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = config_of("lns", NULL, NULL);
  g_autoptr(GError) error = NULL;
  gboolean none = FALSE;

  adit_session_stop(set_flag, &none);
  assert_true(TEST_LOOP_UNTIL(none, 5000));
  assert_false(call_open(w, &w->extra, FALSE, server, 77, &null_datapath_ops, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(login_brings_addresses_interfaces_and_traffic),
      test(a_wrong_password_ends_both_links_and_makes_no_session),
      test(disconnect_withdraws_and_releases_and_tells_the_transport),
      test(a_lost_call_ends_the_session_with_its_cause),
      test(only_one_refuses_a_second_session),
      test(a_second_session_gets_a_numbered_interface_and_a_dry_pool_refuses),
      test(a_fixed_address_is_given_once),
      test(many_share_one_interface_with_a_route_each),
      test(session_and_idle_timeouts_end_it),
      test(a_veto_refuses_with_its_reason),
      test(no_interface_or_no_address_is_a_port_error),
      test(no_new_link_while_stopping),
  };
  return cmocka_run_group_tests_name("session life", tests, NULL, NULL);
}
