/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/session/world.h"
#include "core/aaa/aaa.h"
#include "core/net/claims/pins.h"
#include "core/net/protected.h"
#include "core/path/path.h"
#include "core/ppp/registry.h"
#include "core/session/config/attributes.h"
#include "core/session/config/options.h"
#include "ipcp.h"
#include "pap.h"
#include "tests/unit/defaults.h"

#include <net/if.h>

/* ---- the kernel ---- */

Kernel world_kernel;

typedef struct {
  AditNetDone done;
  gpointer user;
  int error;
  AditObject *object;
  AditAddress to;
} Answer;

static AditClaims *claims;

static void tell(char *what) {
  g_ptr_array_add(world_kernel.told, what);
}

static char *address_text(const char *sign, const AditNetAddress *a) {
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  return g_strdup_printf("%saddress %s peer %s", sign, adit_prefix_format(&a->local, local), adit_address_format(&a->peer, peer));
}

static char *route_text(const char *sign, const AditNetRoute *r) {
  char to[ADIT_PREFIX_TEXT];
  g_autofree char *mtu = r->mtu ? g_strdup_printf(" mtu %u", r->mtu) : g_strdup("");
  guint metric = r->to.address.family == AF_INET6 && r->metric == 1024 ? 0 : r->metric; /* the kernel's, if none is given */
  return g_strdup_printf("%sroute %s metric %u%s", sign, adit_prefix_format(&r->to, to), metric, mtu);
}

static char *master_text(const char *sign, const AditObjectValue *v) {
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%smaster %u", sign, v->master);
  if (*sign)
    return g_strdup(text->str);
  g_string_append_printf(text, "%s%s", v->port.learning ? "" : " deaf", v->port.isolated ? " isolated" : "");
  if (v->port.cost)
    g_string_append_printf(text, " cost %u", v->port.cost);
  if (v->port.set & ADIT_BRIDGE_PORT_PRIORITY)
    g_string_append_printf(text, " priority %u", v->port.priority);
  if (v->port.pvid)
    g_string_append_printf(text, " pvid %u", v->port.pvid);
  return g_strdup(text->str);
}

static void change_text(const AditChange *change) {
  gboolean away = change->kind == ADIT_CHANGE_REMOVE;
  AditNetAddress address;
  AditNetRoute route;
  switch ((AditObjectKind)change->key.kind) {
  case ADIT_OBJECT_LINK:
    tell(g_strdup_printf("mtu %u", change->value.mtu));
    break;
  case ADIT_OBJECT_ADDRESS:
    address = adit_object_address(&change->key);
    tell(address_text(away ? "-" : "", &address));
    break;
  case ADIT_OBJECT_ROUTE:
    route = adit_object_route(&change->key, away ? &change->old : &change->value);
    tell(route_text(away ? "-" : "", &route));
    break;
  case ADIT_OBJECT_MASTER:
    tell(master_text(away ? "-" : "", away ? &change->old : &change->value));
    break;
  case ADIT_OBJECT_NEIGHBOUR:
    break; /* no session claims them */
  }
}

static void answer(gpointer data) {
  g_autofree Answer *a = data;
  if (claims)
    adit_claims_finished(claims, a->object, a->error ? ADIT_RESULT_FAILED : ADIT_RESULT_DONE, a->error, "");
}

static void start(gpointer user, const AditChange *change, AditObject *object) {
  Answer *a = g_new0(Answer, 1);
  gboolean adds = change->kind != ADIT_CHANGE_REMOVE && change->key.kind != ADIT_OBJECT_LINK;
  int error = change->key.family == AF_INET6 && world_kernel.answer6 ? world_kernel.answer6 : world_kernel.answer;
  if (change->key.kind == ADIT_OBJECT_ROUTE && world_kernel.answer_route)
    error = world_kernel.answer_route;
  if (change->key.kind == ADIT_OBJECT_MASTER)
    error = world_kernel.answer_master;
  *a = (Answer){.object = object, .error = adds ? error : 0};
  change_text(change);
  adit_call_main(answer, a);
}

/* Everything outside is reached through one gateway. */
static void way(gpointer data) {
  g_autofree Answer *a = data;
  AditNetRoute route = {.to = {a->to, 32}, .via = adit_address_ipv4(0xc00002fe), .ifindex = 2};
  if (claims)
    adit_claims_resolved(claims, &a->to, 0, &route);
}

static void resolve(gpointer user, const AditAddress *to) {
  Answer *a = g_new0(Answer, 1);
  a->to = *to;
  adit_call_main(way, a);
}

static void refresh(gpointer user, const AditAddress *to, guint n) {}

static AditTimer wake_timer;

static void run(AditTimer *timer, gpointer data) {
  if (claims)
    adit_claims_run(claims);
}

static void wake(gpointer user, guint64 delay_ms) {
  wake_timer.func = run;
  adit_timer_arm(&wake_timer, delay_ms);
}

static guint64 claims_now(gpointer user) {
  return adit_loop_service()->now();
}

static void protect(AditProtectKind kind, const AditAddress *address, const char *what) {
  adit_protected_add(kind, address, what);
  if (kind == ADIT_PROTECT_ENDPOINT)
    adit_claims_guard(claims, address);
}

static void unprotect(AditProtectKind kind, const AditAddress *address, const char *what) {
  adit_protected_remove(kind, address, what);
  if (kind == ADIT_PROTECT_ENDPOINT)
    adit_claims_unguard(claims, address);
}

static AditNetService net = {.size = sizeof net,
                             .protect = protect,
                             .unprotect = unprotect,
                             .protected_by = adit_protected_by,
                             .protected_within = adit_protected_within};

AditClaims *world_claims(void) {
  return claims;
}

const AditNetService *world_net(void) {
  return &net;
}

static guint32 find_index(gpointer user, const char *name) {
  return if_nametoindex(name);
}

static void claims_begin(void) {
  static const AditClaimsOps ops = {sizeof ops, start, resolve, refresh, wake, claims_now, NULL, find_index};
  claims = adit_claims_new(&ops, NULL);
  adit_claims_serve(claims, &net);
}

static void claims_end(void) {
  adit_timer_cancel(&wake_timer);
  test_loop_drain();
  adit_timer_cancel(&wake_timer);
  adit_claims_serve(NULL, &net);
  g_clear_pointer(&claims, adit_claims_free);
}

guint world_told(const char *what) {
  guint n = 0;
  for (guint i = 0; i < world_kernel.told->len; i++)
    n += strcmp(world_kernel.told->pdata[i], what) == 0;
  return n;
}

/* ---- the world: one network, a server's and a client's data path ---- */

void world_run_net(gpointer data) {
  World *w = data;
  while (null_net_run(w->net, 100))
    ;
}

static void pending(gpointer user) {
  adit_call_main(world_run_net, user);
}
static guint64 now(gpointer user) {
  return adit_loop_service()->now();
}
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

void world_side_open(World *w, Side *side, guint32 address) {
  AditAddress a = adit_address_ipv4(address);
  AditListenerSpec spec = {.size = sizeof spec, .local = adit_endpoint(&a, 1701), .classify = classify};
  side->at = spec.local;
  side->dp = null_dp_new(w->net);
  side->listener = null_datapath_ops.listen(side->dp, &spec, &listener_ops, w, NULL);
  assert_non_null(side->listener);
}

void world_side_close(Side *side) {
  null_datapath_ops.listener_close(side->listener);
  null_dp_free(side->dp);
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

gpointer world_token;

AditLinkId world_call_open(World *w, Call *call, gboolean client, const AditValue *config, guint number, const AditDatapathOps *datapath,
                           GError **error) {
  Side *here = client ? &w->client : &w->server, *there = client ? &w->server : &w->client;
  AditLinkSpec spec = {
      .size = sizeof spec,
      .transport = "l2tp",
      .config = config,
      .client = client,
      .token = client ? world_token : NULL,
      .datapath = datapath,
      .dp = here->dp,
      .listener = here->listener,
      .path = {.local = here->at, .remote = there->at},
      .encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 1, .local_session = number, .peer_tunnel = 1, .peer_session = number},
      .caller_id = "192.0.2.2",
      .ops = &link_ops,
      .user = call};
  call->id = adit_session_service()->link_open(&w->plugin, &spec, error);
  return call->id;
}

AditValue *world_config_of(const char *name, const char *user, const char *password) {
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
  return fill_defaults(map, adit_session_options, adit_session_n_options, user ? ADIT_SCOPE_CLIENT : ADIT_SCOPE_SERVER);
}

void world_dial(World *w, Pair *pair, const char *user, const char *password, const AditDatapathOps *datapath) {
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  g_autoptr(AditValue) client = world_config_of("out1", user, password);
  guint number = ++w->next_call;
  g_autoptr(GError) error = NULL;

  assert_true(world_call_open(w, &pair->server, FALSE, server, number, datapath ? datapath : &null_datapath_ops, &error));
  assert_true(world_call_open(w, &pair->client, TRUE, client, number, &null_datapath_ops, &error));
}

static void pair_free(Pair *pair) {
  g_free(pair->server.reason);
  g_free(pair->client.reason);
}

/* ---- the users: everybody whose password is "right"; the name says the profile ---- */

AditValue *world_extra;

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  g_autoptr(AditValue) record = adit_value_map();
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_SECRET, .password = "right", .attributes = record};
  adit_value_set(record, "name", adit_value_string(request->user));
  adit_value_set(record, "profile", adit_value_string(request->user));
  for (guint i = 0; i < adit_value_length(world_extra); i++) {
    const char *key = adit_value_key(world_extra, i);
    adit_value_set(record, key, adit_value_ref(adit_value_get(world_extra, key)));
  }
  adit_aaa_service()->answer(handle, &reply);
}

AditAuthSourceOps world_source;

/* ---- records ---- */

GPtrArray *world_records;

static void record_free(gpointer data) {
  Record *record = data;
  g_free(record->record_id);
  g_free(record->user);
  g_free(record->reason);
  g_free(record->multi_id);
  adit_value_unref(record->attributes);
  adit_value_unref(record->facts);
  g_free(record);
}

static void take_record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
  Record *own = g_new0(Record, 1);
  *own = (Record){.kind = record->kind,
                  .record_id = g_strdup(record->record_id),
                  .user = g_strdup(record->user),
                  .reason = g_strdup(record->reason),
                  .attributes = adit_value_ref(record->attributes),
                  .facts = adit_value_ref(record->facts),
                  .counters = record->counters,
                  .cause = record->cause,
                  .when_ms = record->when_ms,
                  .multi_id = g_strdup(record->multi_id),
                  .link_count = record->link_count,
                  .client = record->client};
  g_ptr_array_add(world_records, own);
  done(token, TRUE);
}

static const AditAcctSinkOps sink = {.size = sizeof sink, .name = "book", .record = take_record};

guint world_recorded(AditAcctKind kind, gboolean client, const Record **last) {
  guint n = 0;
  for (guint i = 0; i < world_records->len; i++) {
    const Record *record = world_records->pdata[i];
    if (record->kind != kind || record->client != client)
      continue;
    n++;
    if (last)
      *last = record;
  }
  return n;
}

/* ---- events ---- */

static void on_up(const AditEvent *event, gpointer data) {
  ((World *)data)->up++;
}

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

static void pool_add(AditValue *list, const char *name, const char *range) {
  AditValue *map = adit_value_map(), *ranges = adit_value_list();
  adit_value_append(ranges, adit_value_string(range));
  adit_value_set(map, "name", adit_value_string(name));
  adit_value_set(map, "ranges", ranges);
  adit_value_append(list, map);
}

static AditValue *address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return adit_value_address(&a);
}

static AditValue *prefixes(const char *first, const char *second) {
  const char *const texts[] = {first, second};
  AditValue *list = adit_value_list();
  for (gsize i = 0; i < G_N_ELEMENTS(texts) && texts[i]; i++) {
    AditPrefix prefix;
    assert_true(adit_prefix_parse(texts[i], &prefix));
    adit_value_append(list, adit_value_prefix(&prefix));
  }
  return list;
}

AditValue *world_config(void) {
  AditValue *config = adit_value_map(), *profiles = adit_value_list(), *pools = adit_value_list(), *aaa = adit_value_map(),
            *sources = adit_value_list(), *base = adit_value_map();

  adit_value_set(base, "name", adit_value_string("base"));
  adit_value_set(base, "local-address", address("10.0.0.1"));
  adit_value_set(base, "remote-address", adit_value_string("pool"));
  adit_value_append(profiles, base);
  profile_add(profiles, "only", "only-one", adit_value_string("yes"));
  profile_add(profiles, "short", "session-timeout", adit_value_int(60));
  profile_add(profiles, "idler", "idle-timeout", adit_value_int(60));
  profile_add(profiles, "many", "interface", adit_value_string("shared"));
  profile_add(profiles, "fixed", "remote-address", address("10.0.0.99"));
  profile_add(profiles, "no4", "use-ipv4", adit_value_string("no"));
  profile_add(profiles, "crypt", "use-encryption", adit_value_string("yes"));
  profile_add(profiles, "mustcrypt", "use-encryption", adit_value_string("required"));
  profile_add(profiles, "need4", "use-ipv4", adit_value_string("required"));
  profile_add(profiles, "chooser", "accept-remote-address", prefixes("10.9.0.0/24", "0.0.0.0/0"));
  profile_add(profiles, "bounded", "accept-remote-address", prefixes("10.9.0.0/24", NULL));
  profile_add(profiles, "wants99", "local-address", address("10.0.0.99"));
  profile_add(profiles, "wants77", "local-address", address("10.0.0.77"));
  profile_add(profiles, "inside", "remote-address", adit_value_string("around")); /* it holds the local address, too */
  profile_add(profiles, "gold", "session-timeout", adit_value_int(500));
  profile_add(profiles, "counted", "interim-update", adit_value_int(40));
  profile_add(profiles, "self", "remote-address", address("10.0.0.1"));

  pool_add(pools, "pool", "10.0.0.10-10.0.0.11");
  pool_add(pools, "around", "10.0.0.0/30");
  adit_value_append(sources, adit_value_string("everybody"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(config, "profiles", profiles);
  adit_value_set(config, "pools", pools);
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  return config;
}

int world_setup(void **state) {
  World *w = g_new0(World, 1);
  g_autoptr(AditValue) config = world_config();
  g_autoptr(GError) error = NULL;
  gpointer staged = NULL;

  world_kernel = (Kernel){.told = g_ptr_array_new_with_free_func(g_free)};
  world_records = g_ptr_array_new_with_free_func(record_free);
  world_source = (AditAuthSourceOps){.size = sizeof world_source, .name = "everybody", .ask = ask, .local = TRUE};
  world_token = NULL;
  w->plugin.name = "test";
  adit_loop_init();
  adit_bus_init();
  adit_path_init();
  adit_ppp_init();
  adit_aaa_init(adit_loop_service());
  claims_begin();
  adit_session_init(&net);
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipcp_desc, &error));
  assert_true(adit_aaa_service()->method_add(&w->plugin, &pap_method, &error));
  assert_true(adit_aaa_service()->source_add(&w->plugin, &world_source, NULL, &error));
  assert_true(adit_aaa_service()->sink_add(&w->plugin, &sink, NULL, &error));
  w->schema = adit_schema_new();
  adit_schema_add(w->schema, "core", adit_session_options, adit_session_n_options);
  adit_schema_add(w->schema, "core", adit_session_attributes, adit_session_n_attributes);
  assert_null(adit_schema_error(w->schema));
  adit_session_set_schema(w->schema);

  adit_pools_commit(adit_pools_prepare(config, &error));
  adit_aaa_commit(adit_aaa_prepare(config, &error));
  assert_true(adit_session_prepare(config, &staged, &error));
  adit_session_commit(staged);
  assert_null(error);

  adit_bus_subscribe(NULL, ADIT_EVENT_SESSION_UP, on_up, w);
  adit_bus_subscribe(NULL, ADIT_EVENT_SESSION_DOWN, on_down, w);
  w->net = null_net_new(&net_ops, w);
  world_side_open(w, &w->server, 0xc0000201);
  world_side_open(w, &w->client, 0xc0000202);
  *state = w;
  return 0;
}

void world_set_flag(gpointer data) {
  *(gboolean *)data = TRUE;
}

int world_teardown(void **state) {
  World *w = *state;
  gboolean none = FALSE;

  adit_session_stop(world_set_flag, &none);
  assert_true(TEST_LOOP_UNTIL(none, 10000));
  adit_session_drop_plugin(&w->plugin);
  test_loop_drain();
  world_run_net(w);
  world_side_close(&w->server);
  world_side_close(&w->client);
  claims_end();
  adit_session_fini();
  adit_protected_fini();
  adit_aaa_fini();
  adit_ppp_fini();
  adit_path_fini();
  adit_pools_fini();
  adit_bus_fini();
  adit_loop_fini();
  null_net_free(w->net);
  adit_schema_free(w->schema);
  g_clear_pointer(&world_extra, adit_value_unref);
  g_ptr_array_unref(world_records);
  g_ptr_array_unref(world_kernel.told);
  for (guint i = 0; i < G_N_ELEMENTS(w->pair); i++)
    pair_free(&w->pair[i]);
  g_free(w->last_reason);
  g_free(w);
  return 0;
}
