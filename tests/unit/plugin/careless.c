/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A plugin that somebody else wrote, badly: the variable ADIT_TEST_MISTAKE says which of its init()'s mistakes it makes. */
#include <adit/adit.h>
#include <unistd.h>

typedef struct {
  AditPlugin *plugin;
  const AditHost *host;
  const AditAaaService *aaa;
  const AditBusService *bus;
  const AditControlService *control;
  const AditPppService *ppp;
  const AditPathService *path;
  const AditSessionService *session;
  GError **error;
} Careless;

static void source_ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {}
static void sink_record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {}
static void method_call(gpointer state, AditCall *call, const AditValue *parameters) {}
static void on_event(const AditEvent *event, gpointer data) {}
static const char *on_veto(const AditEvent *about, gpointer data) {
  return NULL;
}

/* What is declared is registered rightly with these. */
static const AditAuthSourceOps source = {.size = sizeof source, .name = "careless", .ask = source_ask};

static void undeclared_source(const Careless *c) {
  static const AditAuthSourceOps other = {.size = sizeof other, .name = "other", .ask = source_ask};
  c->aaa->source_add(c->plugin, &other, NULL, NULL);
}

static void undeclared_sink(const Careless *c) {
  static const AditAcctSinkOps other = {.size = sizeof other, .name = "other", .record = sink_record};
  c->aaa->sink_add(c->plugin, &other, NULL, NULL);
}

static void source_without_size(const Careless *c) {
  static const AditAuthSourceOps other = {.name = "careless", .ask = source_ask};
  c->aaa->source_add(c->plugin, &other, NULL, NULL);
}

static void null_source(const Careless *c) {
  c->aaa->source_add(c->plugin, NULL, NULL, NULL);
}

static void source_twice(const Careless *c) {
  c->aaa->source_add(c->plugin, &source, NULL, NULL);
  c->aaa->source_add(c->plugin, &source, NULL, NULL);
}

static void unknown_hook(const Careless *c) {
  c->bus->veto_add(c->plugin, "sessions", 0, on_veto, NULL);
}

static void null_hook(const Careless *c) {
  c->bus->veto_add(c->plugin, ADIT_VETO_SESSION, 0, NULL, NULL);
}

static void unknown_value_hook(const Careless *c) {
  c->bus->value_add(c->plugin, ADIT_VETO_SESSION, 0, NULL, NULL);
}

static void null_subscriber(const Careless *c) {
  c->bus->subscribe(c->plugin, ADIT_EVENT_SESSION_UP, NULL, NULL);
}

static void odd_event_class(const Careless *c) {
  const AditField fields[] = {{"far", ADIT_FIELD_U64, 4096}};
  const AditEventClass klass = {sizeof klass, "odd", sizeof(AditEvent), fields, 1};
  c->bus->event_class(c->plugin, &klass);
}

static void null_actor(const Careless *c) {
  c->session->actor_add(c->plugin, NULL, NULL);
}

static void short_ncp(const Careless *c) {
  static const AditNcpDesc desc = {.size = sizeof desc, .name = "careless"};
  c->ppp->ncp_add(c->plugin, &desc, NULL);
}

static void short_datapath(const Careless *c) {
  static const AditDatapathOps ops = {.name = "careless"};
  c->path->datapath_add(c->plugin, &ops, NULL, NULL);
}

/* ---- management ---- */

static void add_interface(const Careless *c, const char *description, AditMethod method, AditCommand command) {
  method.size = sizeof method;
  command.size = sizeof command;
  method.name = method.name ? method.name : "List";
  method.call = method_call;
  command.verb = command.verb ? command.verb : "show careless";
  command.method = command.method ? command.method : "io.adit.careless.List";
  command.summary = "nothing";
  c->control->interface_add(c->plugin, description, &method, 1, &command, 1, NULL, NULL);
}

#define GOOD "interface io.adit.careless\nmethod List(id: string, what: ?string) -> (things: []object)\n"

static void null_init(gpointer self, const AditEngineEnv *env, const AditLcpFacts *facts) {}
static void null_request(gpointer self, AditBuilder *out) {}
static void null_begin(gpointer self) {}
static AditOptionVerdict null_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static void null_naked(gpointer self, const AditPppOption *option) {}
static gboolean null_rejected(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void null_save(gconstpointer self, AditBuilder *out) {}
static gboolean null_restore(gpointer self, AditCursor *in) {
  return TRUE;
}

static void add_lcp(const Careless *c, AditLcpType type, gboolean whole) {
  static const AditPppOptionOps ops = {.size = sizeof ops,
                                       .request = null_request,
                                       .peer_begin = null_begin,
                                       .peer_option = null_option,
                                       .peer_end = null_request,
                                       .acked = null_begin,
                                       .naked = null_naked,
                                       .rejected = null_rejected};
  static AditLcpType types[1];
  static AditLcpDesc desc = {.size = sizeof desc,
                             .name = "careless",
                             .types = types,
                             .n_types = 1,
                             .options = &ops,
                             .init = null_init,
                             .reset = null_begin,
                             .save = null_save};
  types[0] = type;
  desc.restore = whole ? null_restore : NULL;
  c->ppp->lcp_add(c->plugin, &desc, NULL);
}

static void lcp_of_lcp(const Careless *c) {
  add_lcp(c, (AditLcpType){1, 2, 2}, TRUE);
}

static void lcp_without_function(const Careless *c) {
  add_lcp(c, (AditLcpType){200, 1, 9}, FALSE);
}

static void lcp_too_long(const Careless *c) {
  add_lcp(c, (AditLcpType){200, 1, 255}, TRUE);
}

static void protection_without_ensure(const Careless *c) {
  static const AditProtectionOps ops = {.size = sizeof ops, .name = "careless"};
  c->path->protection_add(c->plugin, &ops, NULL, NULL);
}

static void bundler_without_decide(const Careless *c) {
  static const AditBundlerOps ops = {.size = sizeof ops, .name = "careless"};
  c->session->bundler_add(c->plugin, &ops, NULL, NULL);
}

static void unparsable_description(const Careless *c) {
  add_interface(c, "interface io.adit.careless\nmethod List() -> (things: []thing)\n", (AditMethod){0}, (AditCommand){0});
}

static void unknown_type(const Careless *c) {
  add_interface(c, "interface io.adit.careless\nmethod List() -> (things: []Thing)\n", (AditMethod){0}, (AditCommand){0});
}

static void interface_without_name(const Careless *c) {
  add_interface(c, "interface careless\nmethod List() -> ()\n", (AditMethod){0}, (AditCommand){0});
}

static void described_and_missing(const Careless *c) {
  add_interface(c, GOOD "method Drop() -> ()\n", (AditMethod){0}, (AditCommand){0});
}

static void method_not_described(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){.name = "Lists"}, (AditCommand){0});
}

static void method_without_function(const Careless *c) {
  static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "List"}};
  c->control->interface_add(c->plugin, GOOD, methods, 1, NULL, 0, NULL, NULL);
}

static void method_without_size(const Careless *c) {
  static const AditMethod methods[] = {{.name = "List", .call = method_call}};
  c->control->interface_add(c->plugin, GOOD, methods, 1, NULL, 0, NULL, NULL);
}

static void method_flags(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){.flags = 0x40}, (AditCommand){0});
}

static void command_without_method(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.method = "io.adit.careless.Lost"});
}

static void nonsense_columns(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.rows = "things", .columns = "ID=id AGE=age:years"});
}

static void nonsense_rows(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.rows = "rows"});
}

static void nonsense_arguments(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.arguments = "id name"});
}

static void verb_twice(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.verb = "show info"});
}

static void odd_verb(const Careless *c) {
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.verb = "Show  careless"});
}

/* ---- life ---- */

static void init_that_does_not_return(const Careless *c) {
  for (;;)
    pause();
}

static void nothing(const Careless *c) {
  c->aaa->source_add(c->plugin, &source, NULL, NULL);
  c->bus->veto_add(c->plugin, ADIT_VETO_SESSION, 0, on_veto, NULL);
  c->bus->subscribe(c->plugin, ADIT_EVENT_SESSION_UP, on_event, NULL);
  add_interface(c, GOOD, (AditMethod){0}, (AditCommand){.arguments = "id [what]", .rows = "things", .columns = "ID=id AGE=age:duration"});
}

static const struct {
  const char *name;
  void (*make)(const Careless *c);
} mistakes[] = {
#define MISTAKE(name)                                                                                                                      \
  { #name, name }
    MISTAKE(nothing),
    MISTAKE(undeclared_source),
    MISTAKE(undeclared_sink),
    MISTAKE(source_without_size),
    MISTAKE(null_source),
    MISTAKE(source_twice),
    MISTAKE(unknown_hook),
    MISTAKE(null_hook),
    MISTAKE(unknown_value_hook),
    MISTAKE(null_subscriber),
    MISTAKE(odd_event_class),
    MISTAKE(null_actor),
    MISTAKE(short_ncp),
    MISTAKE(protection_without_ensure),
    MISTAKE(bundler_without_decide),
    MISTAKE(lcp_of_lcp),
    MISTAKE(lcp_without_function),
    MISTAKE(lcp_too_long),
    MISTAKE(short_datapath),
    MISTAKE(unparsable_description),
    MISTAKE(unknown_type),
    MISTAKE(interface_without_name),
    MISTAKE(described_and_missing),
    MISTAKE(method_not_described),
    MISTAKE(method_without_function),
    MISTAKE(method_without_size),
    MISTAKE(method_flags),
    MISTAKE(command_without_method),
    MISTAKE(nonsense_columns),
    MISTAKE(nonsense_rows),
    MISTAKE(nonsense_arguments),
    MISTAKE(verb_twice),
    MISTAKE(odd_verb),
    MISTAKE(init_that_does_not_return),
};

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const char *which = g_getenv("ADIT_TEST_MISTAKE");
  const Careless c = {.plugin = plugin,
                      .host = host,
                      .aaa = host->service(plugin, ADIT_AAA_SERVICE, 1),
                      .bus = host->service(plugin, ADIT_BUS_SERVICE, 1),
                      .control = host->service(plugin, ADIT_CONTROL_SERVICE, 1),
                      .ppp = host->service(plugin, ADIT_PPP_SERVICE, 1),
                      .path = host->service(plugin, ADIT_PATH_SERVICE, 1),
                      .session = host->service(plugin, ADIT_SESSION_SERVICE, 1)};

  for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++)
    if (!g_strcmp0(mistakes[i].name, which ? which : "nothing"))
      mistakes[i].make(&c); /* its answer is not looked at */
  return TRUE;
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:careless"}, {ADIT_PROVIDES, "ncp:careless"}};

ADIT_PLUGIN_DEFINE(careless, .name = "careless", .version = "1", .summary = "makes mistakes", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = init);
