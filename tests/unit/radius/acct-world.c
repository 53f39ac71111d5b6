/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-world.h"
#include "core/base/loop.h"
#include "core/store/store.h"
#include "plugins-auth/radius/wire/vocabulary.h"
#include "tests/lib/loop.h"

#include <glib/gstdio.h>

enum { PATIENCE = 60000 };

World world;

/* ---- the loop ---- */

static guint64 loop_now(void) {
  return world.now;
}

static void loop_cancel(AditTimer *timer) {
  g_hash_table_remove(world.timers, timer);
}

static void loop_arm(AditTimer *timer, guint64 delay_ms) {
  timer->deadline = world.now + delay_ms;
  g_hash_table_insert(world.timers, timer, GUINT_TO_POINTER(++world.armed));
}

static void loop_random(gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int_range(world.rand, 0, 256);
}

static const AditLoopService loop = {
    .size = sizeof loop, .now = loop_now, .timer_arm = loop_arm, .timer_cancel = loop_cancel, .random = loop_random};

/* The earliest timer up to `limit`; of two the one that was armed first, so that a seed replays the same way. */
static AditTimer *next_timer(guint64 limit) {
  GHashTableIter iter;
  AditTimer *timer, *best = NULL;
  gpointer armed, best_armed = NULL;

  g_hash_table_iter_init(&iter, world.timers);
  while (g_hash_table_iter_next(&iter, (gpointer *)&timer, &armed)) {
    if (timer->deadline > limit || (best && timer->deadline > best->deadline))
      continue;
    if (best && timer->deadline == best->deadline && GPOINTER_TO_UINT(armed) > GPOINTER_TO_UINT(best_armed))
      continue;
    best = timer;
    best_armed = armed;
  }
  return best;
}

/* ---- the disk ---- */

typedef struct {
  enum { PUT, REMOVE, LOAD } kind;
  char *table, *key;
  GBytes *data;
  guint limit;
  AditStoreRow row;
  AditStoreDone done;
  gpointer user;
} Op;

static void op_end(Op *op, const GError *error) {
  if (op->done)
    op->done(op->user, error);
  g_free(op->table);
  g_free(op->key);
  g_clear_pointer(&op->data, g_bytes_unref);
  g_free(op);
}

static void op_fail(Op *op) {
  g_autoptr(GError) error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_SYSTEM, "the disk is full");
  op_end(op, error);
}

static void op_done(gpointer user, const GError *error) {
  world.passed--;
  op_end(user, error);
}

static void op_row(gpointer user, const char *key, const guint8 *data, gsize length) {
  Op *op = user;
  op->row(op->user, key, data, length);
}

static void gate(Op op) {
  g_queue_push_tail(&world.gate, g_memdup2(&op, sizeof op));
}

static void store_put(const char *table, const char *key, const void *data, gsize length, AditStoreDone done, gpointer user) {
  gate((Op){.kind = PUT, .table = g_strdup(table), .key = g_strdup(key), .data = g_bytes_new(data, length), .done = done, .user = user});
}

static void store_remove(const char *table, const char *key, AditStoreDone done, gpointer user) {
  gate((Op){.kind = REMOVE, .table = g_strdup(table), .key = g_strdup(key), .done = done, .user = user});
}

static void store_load(const char *table, const char *after, guint limit, AditStoreRow row, AditStoreDone done, gpointer user) {
  gate((Op){.kind = LOAD, .table = g_strdup(table), .key = g_strdup(after), .limit = limit, .row = row, .done = done, .user = user});
}

static const AditStoreService store = {.size = sizeof store, .put = store_put, .remove = store_remove, .load = store_load};

static void pass(Op *op) {
  const AditStoreService *real = adit_store_service();

  if (op->kind == LOAD ? world.reading_fails : world.disk_fails) {
    op_fail(op);
    return;
  }
  world.passed++;
  switch (op->kind) {
  case PUT:
    real->put(op->table, op->key, g_bytes_get_data(op->data, NULL), g_bytes_get_size(op->data), op_done, op);
    break;
  case REMOVE:
    real->remove(op->table, op->key, op_done, op);
    break;
  case LOAD:
    real->load(op->table, op->key, op->limit, op_row, op_done, op);
    break;
  }
}

void world_pass(guint n) {
  for (Op *op; n-- && (op = g_queue_pop_head(&world.gate));)
    pass(op);
  assert_true(TEST_LOOP_UNTIL(!world.passed, PATIENCE));
}

/* ---- the servers ---- */

struct RadiusExchange {
  RadiusServer *server;
  RadiusRequest request;
  guint tries, index;
  gboolean answered;
  AditTimer timer;
  GList place;
};

static void arrival_free(gpointer data) {
  Arrival *arrival = data;
  g_free(arrival->id);
  g_bytes_unref(arrival->attributes);
  g_bytes_unref(arrival->rest);
  g_free(arrival);
}

gboolean arrival_find(const Arrival *arrival, guint32 vendor, guint8 type, RadiusAttribute *out) {
  RadiusPacket packet = {.code = RADIUS_ACCOUNTING_REQUEST};
  packet.attributes = g_bytes_get_data(arrival->attributes, &packet.length);
  return radius_packet_find(&packet, vendor, type, out);
}

static guint32 number(const Arrival *arrival, guint8 type) {
  RadiusAttribute attribute;
  guint32 value = 0;
  return arrival_find(arrival, 0, type, &attribute) && radius_attribute_int(&attribute, &value) ? value : 0;
}

static void arrive(guint server, const RadiusBuilder *b) {
  RadiusPacket packet = {.attributes = b->data + RADIUS_HEADER, .length = b->length - RADIUS_HEADER};
  g_autoptr(GByteArray) rest = g_byte_array_new();
  Arrival *arrival = g_new0(Arrival, 1);
  RadiusAttribute attribute;

  assert_false(b->overflow);
  for (RadiusIter iter = {0}; radius_packet_next(&packet, &iter, &attribute);) {
    arrival->class_count += !attribute.vendor && attribute.type == CLASS;
    if (!attribute.vendor && (attribute.type == ACCT_DELAY_TIME || attribute.type == EVENT_TIMESTAMP))
      continue;
    g_byte_array_append(rest, &attribute.type, 1);
    g_byte_array_append(rest, attribute.value, attribute.length);
  }
  arrival->attributes = g_bytes_new(packet.attributes, packet.length);
  arrival->rest = g_bytes_new(rest->data, rest->len);
  arrival->server = server;
  arrival->life = world.life;
  arrival->at_ms = world_wall();
  arrival->status = number(arrival, ACCT_STATUS_TYPE);
  assert_true(arrival_find(arrival, 0, ACCT_SESSION_ID, &attribute));
  arrival->id = g_strndup((const char *)attribute.value, attribute.length);
  arrival->in_octets = (guint64)number(arrival, ACCT_INPUT_GIGAWORDS) << 32 | number(arrival, ACCT_INPUT_OCTETS);
  arrival->out_octets = (guint64)number(arrival, ACCT_OUTPUT_GIGAWORDS) << 32 | number(arrival, ACCT_OUTPUT_OCTETS);
  arrival->delay = number(arrival, ACCT_DELAY_TIME);
  arrival->stamp = number(arrival, EVENT_TIMESTAMP);
  arrival->cause = number(arrival, ACCT_TERMINATE_CAUSE);
  arrival->time = number(arrival, ACCT_SESSION_TIME);
  g_ptr_array_add(world.arrivals, arrival);
}

/* Sends once; says when to look again. */
static void transmit(RadiusExchange *exchange) {
  guint8 zeros[16] = {0};
  gboolean is_on;
  RadiusBuilder b;

  world.sends++;
  exchange->tries++;
  radius_build(&b, exchange->request.code, FALSE);
  exchange->request.fill(&b, zeros, exchange->server, exchange->request.data);
  if (world.up[exchange->index]) {
    arrive(exchange->index, &b);
    is_on = ((Arrival *)world.arrivals->pdata[world.arrivals->len - 1])->status >= 7;
    exchange->answered = (guint)g_rand_int_range(world.rand, 0, 100) >= world.lose_percent && !(is_on && world.ignores_on);
  }
  loop_arm(&exchange->timer, exchange->answered ? world.rtt_ms : world.timeout_ms);
}

static void exchange_free(RadiusExchange *exchange) {
  loop_cancel(&exchange->timer);
  g_queue_unlink(&world.exchanges, &exchange->place);
  world.in_flight--;
  g_free(exchange);
}

static void exchange_timer(AditTimer *timer, gpointer data) {
  RadiusExchange *exchange = data;
  RadiusRequest request = exchange->request;
  RadiusPacket reply = {.code = RADIUS_ACCOUNTING_RESPONSE};
  RadiusAnswer answer = {.result = exchange->answered ? RADIUS_ANSWERED : RADIUS_TIMEOUT};

  if (!exchange->answered && exchange->tries < world.tries) {
    transmit(exchange);
    return;
  }
  answer.reply = exchange->answered ? &reply : NULL;
  exchange_free(exchange);
  request.done(&answer, request.data);
}

static RadiusExchange *net_exchange(RadiusServer *server, const RadiusRequest *request) {
  RadiusExchange *exchange = g_new0(RadiusExchange, 1);

  exchange->server = server;
  exchange->request = *request;
  exchange->index = server->port[RADIUS_ACCT] - 1u;
  exchange->timer.func = exchange_timer;
  exchange->timer.data = exchange->place.data = exchange;
  g_queue_push_tail_link(&world.exchanges, &exchange->place);
  world.in_flight++;
  world.most_in_flight = MAX(world.most_in_flight, world.in_flight);
  transmit(exchange);
  return exchange;
}

static gboolean net_serve(const RadiusServers *servers, const RadiusWant *want) {
  return (!world.unserved || g_strcmp0(want->user, world.unserved) != 0) && radius_servers_serve(servers, want);
}

static RadiusServer *net_pick(RadiusServers *servers, const RadiusWant *want, const GPtrArray *tried) {
  return net_serve(servers, want) && world.in_flight < world.most_at_once ? radius_servers_pick(servers, want, tried) : NULL;
}

gint64 world_wall(void) {
  return world.wall_ms + (gint64)world.now;
}

static const RadiusAcctNet net = {net_exchange, exchange_free, net_pick, net_serve, world_wall};

/* ---- life ---- */

static RadiusConfig *config_new(void) {
  RadiusConfig *config = g_new0(RadiusConfig, 1);

  config->refs = 1;
  config->nas_identifier = g_strdup("adit");
  config->nas_address = adit_address_ipv4(0xc0000201);
  config->use_accounting_on = TRUE;
  config->spool_records = world.max_records;
  config->spool_drop_oldest = world.drop_oldest;
  config->incoming.ports = g_array_new(FALSE, FALSE, sizeof(guint16));
  config->incoming.allowed = g_ptr_array_new();
  config->servers = radius_servers_new(&world.radius);
  for (guint i = 0; i < world.servers; i++) {
    RadiusServer *server = g_new0(RadiusServer, 1);
    AditAddress loopback = adit_address_ipv4(0x7f000001 + i);
    server->refs = 1;
    server->name = g_strdup_printf("server %u", i);
    server->secret = "secret";
    server->port[RADIUS_ACCT] = (guint16)(i + 1);
    server->max_in_flight = world.most_at_once;
    server->realm = g_strdup(world.realm[i]);
    server->called_id = g_strdup(world.called_id[i]);
    server->at[RADIUS_AUTH] = server->at[RADIUS_ACCT] = adit_endpoint(&loopback, (guint16)(i + 1));
    radius_servers_add(config->servers, server, NULL);
  }
  return config;
}

void world_begin(guint32 seed) {
  world = (World){.rand = g_rand_new_with_seed(seed),
                  .now = 1000,
                  .wall_ms = 1700000000000,
                  .max_records = 1000000,
                  .open_gate = TRUE,
                  .up = {TRUE, TRUE},
                  .user = "alice",
                  .servers = 1,
                  .most_at_once = 1000,
                  .rtt_ms = 20,
                  .timeout_ms = 1000,
                  .tries = 3,
                  .arrivals = g_ptr_array_new_with_free_func(arrival_free),
                  .timers = g_hash_table_new(NULL, NULL)};
  /* In memory if there is such a place: each write is a transaction of its own here, and syncing is the store's to test. */
  world.dir = g_strdup("/dev/shm/adit-acct-XXXXXX");
  if (!g_mkdtemp(world.dir)) {
    g_free(world.dir);
    world.dir = g_dir_make_tmp("adit-acct-XXXXXX", NULL);
  }
  assert_non_null(world.dir);
  world.path = g_build_filename(world.dir, "adit.db", NULL);
  world.radius.loop = &loop;
  world.radius.store = &store;
}

static void remove_files(void) {
  GDir *d = g_dir_open(world.dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));) {
    g_autofree char *file = g_build_filename(world.dir, name, NULL);
    g_unlink(file);
  }
  g_dir_close(d);
  g_rmdir(world.dir);
}

void world_start(void) {
  world.life++;
  if (!world.radius.config) {
    adit_loop_init();
    assert_true(adit_store_open(world.path, NULL));
    world.radius.config = config_new();
  }
  world.acct = radius_acct_new_with(&world.radius, &net);
  radius_acct_start(world.acct);
}

/* The process is no more. */
static void vanish(void) {
  for (Op *op; (op = g_queue_pop_head(&world.gate));)
    op_fail(op);
  adit_store_close();
  assert_int_equal(world.passed, 0);
  radius_config_unref(world.radius.config);
  world.radius.config = NULL;
  assert_int_equal(g_hash_table_size(world.timers), 0);
  adit_loop_fini();
}

void world_kill(void) {
  radius_acct_free(world.acct);
  world.acct = NULL;
  vanish();
}

static void on_stopped(gpointer data) {
  *(gboolean *)data = TRUE;
}

void world_stop(guint budget_ms) {
  gboolean stopped = FALSE;

  radius_acct_stop(world.acct, budget_ms, on_stopped, &stopped);
  for (guint64 limit = world.now + budget_ms + 1; !stopped && world.now < limit;)
    world_run(1);
  assert_true(stopped);
  world_kill();
}

void world_end(void) {
  if (world.acct)
    world_kill();
  remove_files();
  g_free(world.dir);
  g_free(world.path);
  g_ptr_array_unref(world.arrivals);
  g_hash_table_unref(world.timers);
  g_rand_free(world.rand);
}

int world_setup(void **state) {
  world_begin(1);
  return 0;
}

int world_teardown(void **state) {
  world_end();
  return 0;
}

/* ---- time ---- */

static void pass_all(void) {
  while (world.gate.length && world.open_gate)
    world_pass(G_MAXUINT);
}

static void run_to(guint64 limit, gboolean (*done)(void)) {
  pass_all();
  for (AditTimer *timer; (!done || !done()) && (timer = next_timer(limit));) {
    world.now = MAX(world.now, timer->deadline);
    loop_cancel(timer);
    timer->func(timer, timer->data);
    pass_all();
  }
}

void world_run(guint ms) {
  guint64 limit = world.now + ms;
  run_to(limit, NULL);
  world.now = limit;
}

void world_bound(guint64 records, gboolean drop_oldest) {
  world.radius.config->spool_records = records;
  world.radius.config->spool_drop_oldest = drop_oldest;
  world_run(1); /* until it has been read */
  radius_acct_config(world.acct);
}

gboolean world_run_until(gboolean (*done)(void), guint ms) {
  run_to(world.now + ms, done);
  return done();
}

gboolean world_is_idle(void) {
  g_autoptr(AditValue) shown = radius_acct_describe(world.acct);
  return !world.gate.length && !world.passed && !adit_value_get_int(shown, "records", -1) &&
         !g_str_equal(adit_value_get_string(shown, "state", ""), "reading");
}

gint64 world_shown(const char *key) {
  g_autoptr(AditValue) map = radius_acct_describe(world.acct);
  return adit_value_get_int(map, key, -1);
}

static void count_row(gpointer user, const char *key, const guint8 *data, gsize length) {
  ++*(guint *)user;
}

static void counted(gpointer user, const GError *error) {
  assert_null(error);
  world.passed--;
}

guint world_rows(const char *table) {
  guint n = 0;
  world.passed++;
  adit_store_service()->load(table, NULL, 0, count_row, counted, &n);
  assert_true(TEST_LOOP_UNTIL(!world.passed, PATIENCE));
  return n;
}
