/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A plugin of somebody who never builds it again: against the headers in abi-0.3, or against such as had fewer members still. */
#include <adit/adit.h>

typedef struct {
  AditPlugin *plugin;
  const AditAaaService *aaa;
  const AditBusService *bus;
  const AditControlService *control;
  const AditLoopService *loop;
  const AditSessionService *session;
  AditTimer timer;
  guint ticks, records, heard;
  gint64 limit;
} Old;

/* ---- a source: it changes nothing of what it gets, and gives what its headers know ---- */

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  Old *old = (Old *)state;
  g_autoptr(AditAuthRequest) mine = adit_auth_request_ref(request);
  g_autoptr(AditValue) attributes = adit_value_map();
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_NOT_MINE};

  if (!g_strcmp0(mine->user, "old")) {
    reply.outcome = ADIT_AUTH_SECRET;
    reply.password = "secret";
    adit_value_set(attributes, "comment", adit_value_string("old"));
    reply.attributes = attributes;
  }
  old->aaa->answer(handle, &reply);
}

static const AditAuthSourceOps source = {.size = sizeof source, .name = PLUGIN_NAME, .ask = ask};

/* ---- a sink ---- */

static void record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
  ((Old *)state)->records++;
  done(token, TRUE);
}

static const AditAcctSinkOps sink = {.size = sizeof sink, .name = PLUGIN_NAME, .record = record};

/* ---- management ---- */

static void call_get(gpointer state, AditCall *call, const AditValue *parameters) {
  Old *old = (Old *)state;
  AditSessionInfo info = {.size = sizeof info};
  AditValue *result = adit_value_map();

  adit_value_set(result, "limit", adit_value_int(old->limit));
  adit_value_set(result, "ticks", adit_value_int(old->ticks));
  adit_value_set(result, "records", adit_value_int(old->records));
  adit_value_set(result, "heard", adit_value_int(old->heard));
  adit_value_set(result, "session", adit_value_bool(old->session->session_info(1, &info)));
  old->control->reply(call, result, FALSE);
}

static void call_list(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_values(((Old *)state)->control, call, "things", adit_value_list());
}

#define INTERFACE "io.adit." PLUGIN_NAME

static const char description[] = "interface " INTERFACE "\n"
                                  "method Get() -> (limit: int, ticks: int, records: int, heard: int, session: bool)\n"
                                  "method List() -> (things: []object)\n";

static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "Get", .call = call_get},
                                     {.size = sizeof(AditMethod), .name = "List", .changes = TRUE, .call = call_list}};
static const AditCommand commands[] = {
    {.size = sizeof(AditCommand), .verb = "show " PLUGIN_NAME, .method = INTERFACE ".Get", .summary = "one"},
    {.size = sizeof(AditCommand), .verb = "list " PLUGIN_NAME, .method = INTERFACE ".List", .rows = "things", .summary = "two"}};

/* ---- life ---- */

static void on_loaded(const AditEvent *event, gpointer data) {
  ((Old *)data)->heard++;
}

static void on_timer(AditTimer *timer, gpointer data) {
  ((Old *)data)->ticks++;
}

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  Old *old = g_new0(Old, 1);

  *state = old;
  old->plugin = plugin;
  old->aaa = (const AditAaaService *)host->service(plugin, ADIT_AAA_SERVICE, 1);
  old->bus = (const AditBusService *)host->service(plugin, ADIT_BUS_SERVICE, 1);
  old->control = (const AditControlService *)host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  old->loop = (const AditLoopService *)host->service(plugin, ADIT_LOOP_SERVICE, 1);
  old->session = (const AditSessionService *)host->service(plugin, ADIT_SESSION_SERVICE, 1);
  old->bus->subscribe(plugin, ADIT_EVENT_CONFIG_LOADED, on_loaded, old);
  return old->aaa->source_add(plugin, &source, old, error) && old->aaa->sink_add(plugin, &sink, old, error) &&
         old->control->interface_add(plugin, description, methods, 2, commands, 2, old, error);
}

static gboolean prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error) {
  *staged = GINT_TO_POINTER(adit_value_get_int(adit_value_get(config, PLUGIN_NAME), "limit", -1));
  return TRUE;
}

static void commit(gpointer state, gpointer staged) {
  ((Old *)state)->limit = GPOINTER_TO_INT(staged);
}

static gboolean start(gpointer state, GError **error) {
  Old *old = (Old *)state;
  AditEvent event = {.size = sizeof event};
  const AditEventClass klass = {.size = sizeof klass, .name = ADIT_EVENT_CONFIG_LOADED, .event_size = sizeof event};

  event.type = old->bus->event_class(old->plugin, &klass);
  old->bus->publish(&event);
  old->timer.func = on_timer;
  old->timer.data = old;
  old->loop->timer_arm(&old->timer, 1);
  return TRUE;
}

static void fini(gpointer state) {
  Old *old = (Old *)state;
  old->loop->timer_cancel(&old->timer);
  g_free(old);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:" PLUGIN_NAME}, {ADIT_PROVIDES, "acct-sink:" PLUGIN_NAME}};
static const AditOption options[] = {
    {.name = "limit", .scopes = PLUGIN_NAME, .type = ADIT_TYPE_INT, .min = 1, .max = 9, .fallback = "3", .help = "One."},
    {.name = "more", .scopes = PLUGIN_NAME, .type = ADIT_TYPE_BOOL, .fallback = "no", .help = "Two."},
    {.name = PLUGIN_NAME, .scopes = ADIT_SCOPE_GLOBAL, .type = ADIT_TYPE_MAP, .words = PLUGIN_NAME, .help = "Three."},
};

ADIT_PLUGIN_DEFINE(old, .name = PLUGIN_NAME, .version = "1", .summary = "built long ago", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = options, .n_options = G_N_ELEMENTS(options), .init = init,
                   .start = start, .prepare = prepare, .commit = commit, .fini = fini);
