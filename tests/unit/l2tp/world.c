/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "world.h"

#include "core/base/wheel.h"
#include "core/config/config.h"
#include "core/net/protected.h"
#include "core/session/config/options.h"

extern const AditPluginInfo adit_plugin_info;

Side server, client;
guint64 world_now;
GPtrArray *world_links;
gboolean world_refuse;
const char *world_misfit;
guint world_loss, world_sent, world_listeners, world_listeners_max;
void (*world_tap)(const AditPath *path, const guint8 *datagram, gsize length);

static AditWheel *wheel;
guint world_memory_freed;
static GRand *dice;
static NullNet *net;
static NullDp *dp;
static AditEventFunc session_up_func[2];
static gpointer session_up_data[2];
static AditLinkId last_id;

typedef struct {
  AditPath path;
  GBytes *bytes;
} Datagram;
static GQueue wire = G_QUEUE_INIT; /* of Datagram: all arrive a millisecond later */

typedef struct {
  AditWorkFunc func;
  gpointer data;
} Work;
static GQueue later = G_QUEUE_INIT;

static Side *side_of(AditPlugin *plugin) {
  return plugin == (AditPlugin *)&server.plugin ? &server : &client;
}

/* ---- adit.loop ---- */

static guint64 loop_now(void) {
  return world_now;
}
static void loop_arm(AditTimer *timer, guint64 delay) {
  adit_wheel_arm(wheel, timer, world_now + MAX(delay, 1));
}
static void loop_cancel(AditTimer *timer) {
  adit_wheel_cancel(wheel, timer);
}
static void loop_random(gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int(dice);
}
static void loop_call_main(AditWorkFunc func, gpointer data) {
  Work *work = g_new(Work, 1);
  *work = (Work){func, data};
  g_queue_push_tail(&later, work);
}
static gboolean loop_run_blocking(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data) {
  work(data);
  loop_call_main(done, data);
  return TRUE;
}
static void loop_memory_freed(void) {
  world_memory_freed++;
}
static const AditLoopService loop_service = {.size = sizeof loop_service,
                                             .now = loop_now,
                                             .timer_arm = loop_arm,
                                             .timer_cancel = loop_cancel,
                                             .run_blocking = loop_run_blocking,
                                             .call_main = loop_call_main,
                                             .random = loop_random,
                                             .memory_freed = loop_memory_freed};

/* ---- adit.bus ---- */

enum { EVENT_TUNNEL_UP = 1, EVENT_TUNNEL_DOWN };

static guint bus_class(AditPlugin *plugin, const AditEventClass *klass) {
  return !strcmp(klass->name, ADIT_EVENT_TUNNEL_UP) ? EVENT_TUNNEL_UP : EVENT_TUNNEL_DOWN;
}
static void bus_publish(const AditEvent *event) {
  const AditTunnelEvent *tunnel = (const AditTunnelEvent *)event;
  Side *side = !strcmp(tunnel->service, "dial") ? &client : &server;
  if (event->type == EVENT_TUNNEL_UP)
    side->ups++;
  else
    side->downs++;
}
static guint bus_subscribe(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data) {
  if (!strcmp(name, ADIT_EVENT_SESSION_UP)) {
    session_up_func[side_of(plugin) == &client] = func;
    session_up_data[side_of(plugin) == &client] = data;
  }
  return 1;
}
static const AditBusService bus_service = {
    .size = sizeof bus_service, .event_class = bus_class, .publish = bus_publish, .subscribe = bus_subscribe};

/* ---- adit.path ---- */

static gboolean path_transport_add(AditPlugin *plugin, const AditTransportOps *ops, gpointer state, GError **error) {
  side_of(plugin)->transport = ops;
  return TRUE;
}
/* The null data path, with as many listeners as the test allows. */
static AditListener *limited_listen(gpointer datapath, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user,
                                    GError **error) {
  if (world_listeners < world_listeners_max) {
    world_listeners++;
    return null_datapath_ops.listen(datapath, spec, ops, user, error);
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "no listener is left");
  return NULL;
}
static void limited_listener_close(AditListener *listener) {
  world_listeners--;
  null_datapath_ops.listener_close(listener);
}
static const AditDatapathOps *path_datapath(const char *name, gpointer *out) {
  static AditDatapathOps ops;
  ops = null_datapath_ops;
  ops.listen = limited_listen;
  ops.listener_close = limited_listener_close;
  *out = dp;
  return !strcmp(name, "null") ? &ops : NULL;
}
static const AditPathService path_service = {.size = sizeof path_service, .transport_add = path_transport_add, .datapath = path_datapath};

/* ---- adit.session ---- */

static void link_free(gpointer data) {
  Link *link = data;
  g_free(link->caller_id);
  g_free(link->called_id);
  g_free(link->service);
  g_free(link->closed_why);
  g_free(link);
}

static Link *find_link(AditLinkId id) {
  for (guint i = 0; i < world_links->len; i++)
    if (((Link *)world_links->pdata[i])->id == id)
      return world_links->pdata[i];
  return NULL;
}

static AditLinkId session_link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error) {
  if (world_refuse) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "vetoed by the test");
    return 0;
  }
  Link *link = g_new0(Link, 1);
  link->id = ++last_id;
  link->plugin = plugin;
  link->open = TRUE;
  link->caller_id = g_strdup(spec->caller_id);
  link->called_id = g_strdup(spec->called_id);
  link->service = g_strdup(adit_option_name(spec->config));
  link->token = spec->token;
  link->user = spec->user;
  link->ops = spec->ops;
  link->path = spec->path;
  link->encap = spec->encap;
  link->client = spec->client;
  link->proxied = spec->proxy != NULL;
  g_ptr_array_add(world_links, link);
  if (world_misfit && !link->client) {
    link->open = FALSE;
    link->ops->closed(link->user, link->id, ADIT_CAUSE_USER_ERROR, world_misfit);
  }
  return link->id;
}
static void session_link_close(AditLinkId id, AditCause cause, const char *reason) {
  Link *link = find_link(id);
  assert_non_null(link);
  assert_true(link->open);
  link->open = FALSE;
  link->cause = cause;
  link->closed_why = g_strdup(reason);
}
static gboolean session_link_stats(AditLinkId id, AditDpStats *out) {
  return FALSE;
}
static void session_dial_failed(gpointer token, AditCause cause, const char *reason) {
  client.dials_failed++;
  g_free(client.dial_error);
  client.dial_error = g_strdup(reason);
}
static gboolean session_has_room(const char *transport, const AditValue *config) {
  gint64 open = 0;

  for (guint i = 0; i < world_links->len; i++) {
    const Link *link = world_links->pdata[i];
    open += link->open && !g_strcmp0(link->service, adit_option_name(config));
  }
  return !adit_option_max_sessions(config) || open < adit_option_max_sessions(config);
}
static const AditSessionService session_service = {.size = sizeof session_service,
                                                   .has_room = session_has_room,
                                                   .link_open = session_link_open,
                                                   .link_close = session_link_close,
                                                   .link_stats = session_link_stats,
                                                   .dial_failed = session_dial_failed};

/* ---- adit.control ---- */

static gboolean control_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                            const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  side_of(plugin)->methods = methods;
  side_of(plugin)->n_methods = n_methods;
  return TRUE;
}
static gboolean control_reply(AditCall *call, AditValue *result, gboolean more) {
  Side *side = (Side *)call;
  adit_value_unref(side->reply);
  side->reply = result;
  return TRUE;
}
static void control_error(AditCall *call, const char *name, const char *text) {
  Side *side = (Side *)call;
  g_free(side->error_name);
  side->error_name = g_strdup(name);
}
static void control_reply_rows(AditCall *call, const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state) {
  AditValue *list = adit_value_list(), *map = adit_value_map(), *row;
  while ((row = next(state)))
    if (row->type == ADIT_VALUE_BOOL)
      adit_value_unref(row);
    else
      adit_value_append(list, row);
  if (free_state)
    free_state(state);
  adit_value_set(map, key, list);
  control_reply(call, map, FALSE);
}
static gboolean control_wants_more(AditCall *call) {
  return FALSE;
}
static const AditControlService control_service = {.size = sizeof control_service,
                                                   .interface_add = control_add,
                                                   .reply = control_reply,
                                                   .error = control_error,
                                                   .wants_more = control_wants_more,
                                                   .reply_rows = control_reply_rows};

/* ---- adit.net: the table of protected addresses alone ---- */

static const AditNetService net_service = {
    .size = sizeof net_service, .protect = adit_protected_add, .unprotect = adit_protected_remove, .protected_by = adit_protected_by};

static const void *host_service(AditPlugin *plugin, const char *name, guint version) {
  static const struct {
    const char *name;
    const void *service;
  } all[] = {{ADIT_LOOP_SERVICE, &loop_service},       {ADIT_BUS_SERVICE, &bus_service},         {ADIT_PATH_SERVICE, &path_service},
             {ADIT_SESSION_SERVICE, &session_service}, {ADIT_CONTROL_SERVICE, &control_service}, {ADIT_NET_SERVICE, &net_service}};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++)
    if (!strcmp(all[i].name, name))
      return all[i].service;
  return NULL;
}
static const AditHost host = {sizeof host, ADIT_ABI_MAJOR, ADIT_ABI_MINOR, host_service};

/* ---- the network ---- */

static guint64 net_now(gpointer user) {
  return world_now;
}

static void wire_put(const AditPath *path, const guint8 *datagram, gsize length) {
  Datagram *d = g_new(Datagram, 1);
  *d = (Datagram){*path, g_bytes_new(datagram, length)};
  g_queue_push_tail(&wire, d);
}

static void net_transmit(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  world_sent++;
  if (world_tap)
    world_tap(path, datagram, length);
  if ((guint)g_rand_int_range(dice, 0, 100) >= world_loss)
    wire_put(path, datagram, length);
}

void world_send(const char *from, guint16 port, const char *to, const guint8 *datagram, gsize length) {
  AditAddress a, b;
  assert_true(adit_address_parse(from, &a) && adit_address_parse(to, &b));
  AditPath path = {.local = adit_endpoint(&a, port), .remote = adit_endpoint(&b, L2TP_PORT)};
  wire_put(&path, datagram, length);
}

void world_run(guint64 ms) {
  for (guint64 end = world_now + ms; world_now < end;) {
    Work *work;
    guint arrived = wire.length;
    world_now++;
    while (arrived--) {
      Datagram *d = g_queue_pop_head(&wire);
      null_net_deliver(net, &d->path, g_bytes_get_data(d->bytes, NULL), g_bytes_get_size(d->bytes));
      g_bytes_unref(d->bytes);
      g_free(d);
    }
    while ((work = g_queue_pop_head(&later))) {
      work->func(work->data);
      g_free(work);
    }
    adit_wheel_advance(wheel, world_now);
  }
}

/* ---- the plugins' life ---- */

static void on_stopped(AditPlugin *plugin) {
  side_of(plugin)->stopped++;
}

static void side_begin(Side *side, const char *name) {
  GError *error = NULL;
  memset(side, 0, sizeof *side);
  side->plugin.name = name;
  assert_true(adit_plugin_info.init((AditPlugin *)&side->plugin, &host, &side->state, &error));
  side->l2tp = side->state;
  assert_true(adit_plugin_info.start(side->state, &error));
}

void world_begin(void) {
  static const NullNetOps net_ops = {.now = net_now, .transmit = net_transmit};
  world_now = 1000000;
  world_refuse = FALSE;
  world_misfit = NULL;
  world_loss = world_sent = world_listeners = 0;
  world_listeners_max = G_MAXUINT;
  world_tap = NULL;
  wheel = adit_wheel_new(world_now);
  dice = g_rand_new_with_seed(1);
  net = null_net_new(&net_ops, NULL);
  dp = null_dp_new(net);
  world_links = g_ptr_array_new_with_free_func(link_free);
  side_begin(&server, "server");
  side_begin(&client, "client");
}

void world_stop(Side *side) {
  adit_plugin_info.stop(side->state, on_stopped, (AditPlugin *)&side->plugin);
}

static void side_end(Side *side) {
  if (!side->stopped)
    world_stop(side);
  world_run(6000);
  assert_int_equal(side->stopped, 1);
  assert_int_equal(g_hash_table_size(side->l2tp->tunnels), 0);
  assert_int_equal(side->l2tp->listeners->len, 0);
  adit_plugin_info.fini(side->state);
  adit_value_unref(side->config);
  adit_value_unref(side->reply);
  g_free(side->error_name);
  g_free(side->dial_error);
  g_free(side->prepare_error);
}

void world_end(void) {
  world_loss = 0;
  side_end(&client);
  side_end(&server);
  g_ptr_array_unref(world_links);
  while (wire.length) {
    Datagram *d = g_queue_pop_head(&wire);
    g_bytes_unref(d->bytes);
    g_free(d);
  }
  assert_int_equal(adit_wheel_count(wheel), 0);
  null_dp_free(dp);
  null_net_free(net);
  adit_wheel_free(wheel);
  g_rand_free(dice);
}

gboolean world_configure(Side *side, const char *yaml) {
  g_autoptr(AditSchema) schema = adit_schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(GError) error = NULL;
  gpointer staged = NULL;
  gboolean pending = FALSE;

  if (!adit_schema_add(schema, "core", adit_session_options, adit_session_n_options) ||
      !adit_schema_add(schema, "l2tp", adit_plugin_info.options, adit_plugin_info.n_options))
    fail_msg("%s", adit_schema_error(schema));
  g_autoptr(AditValue) config = adit_config_load_text(schema, "adit.yaml", yaml, -1, errors);
  if (!config) {
    g_autofree char *text = adit_config_errors_text(errors);
    fail_msg("%s", text);
  }
  g_clear_pointer(&side->prepare_error, g_free);
  if (!adit_plugin_info.prepare(side->state, config, &staged, &pending, NULL, &error)) {
    side->prepare_error = g_strdup(error->message);
    return FALSE;
  }
  adit_plugin_info.commit(side->state, staged);
  adit_value_unref(side->config);
  side->config = g_steal_pointer(&config);
  return TRUE;
}

const AditValue *world_call(Side *side, const char *method, AditValue *parameters) {
  g_autoptr(AditValue) own = parameters ? parameters : adit_value_map();
  g_clear_pointer(&side->reply, adit_value_unref);
  g_clear_pointer(&side->error_name, g_free);
  for (guint i = 0; i < side->n_methods; i++)
    if (!strcmp(side->methods[i].name, method))
      side->methods[i].call(side->state, (AditCall *)side, own);
  return side->reply;
}

AditDial *world_dial(guint index, gpointer token) {
  const AditValue *clients = adit_value_get(adit_value_get(client.config, "l2tp"), "clients");
  g_autoptr(GError) error = NULL;
  AditDial *dial = client.transport->dial(client.state, adit_value_at(clients, index), token, &error);
  g_free(client.dial_error);
  client.dial_error = error ? g_strdup(error->message) : NULL;
  return dial;
}

guint world_open_links(Side *side) {
  guint n = 0;
  for (guint i = 0; i < world_links->len; i++) {
    Link *link = world_links->pdata[i];
    n += link->open && link->plugin == (AditPlugin *)&side->plugin;
  }
  return n;
}

void world_core_ends(Side *side, guint percent) {
  for (guint i = 0; i < world_links->len; i++) {
    Link *link = world_links->pdata[i];
    if (!link->open || link->plugin != (AditPlugin *)&side->plugin || world_random(100) >= percent)
      continue;
    link->open = FALSE;
    link->cause = ADIT_CAUSE_ADMIN_REBOOT;
    link->ops->closed(link->user, link->id, link->cause, "Terminate-Ack");
  }
}

void world_hold_up(guint64 ms) {
  world_now += ms;
  adit_wheel_advance(wheel, world_now);
}

guint world_random(guint end) {
  return (guint)g_rand_int_range(dice, 0, (gint32)end);
}

void world_seed(guint32 seed) {
  g_rand_set_seed(dice, seed);
}

Link *world_last_link(Side *side) {
  for (guint i = world_links->len; i--;)
    if (((Link *)world_links->pdata[i])->plugin == (AditPlugin *)&side->plugin)
      return world_links->pdata[i];
  return NULL;
}

void world_both(const char *server_more, const char *client_more) {
  g_autofree char *s = g_strdup_printf("l2tp: { servers: [ { %s%s } ] }", SERVER_ITEM, server_more);
  g_autofree char *c = g_strdup_printf("l2tp: { clients: [ { %s%s } ] }", CLIENT_ITEM, client_more);
  world_begin();
  assert_true(world_configure(&server, s));
  assert_true(world_configure(&client, c));
}

void world_dial_up(void) {
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&server), 1);
  assert_int_equal(world_open_links(&client), 1);
}
