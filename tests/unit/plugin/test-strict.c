/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The fake core is as strict as the daemon: each misuse ends the test, or is reported, in words that say what to do. */
#include <adit/json.h>
#include <adit/mistake.h>
#include <adit/test.h>

static AditPlugin *plugin;
static const AditHost *the_host;
static const AditAaaService *aaa;
static const AditBusService *bus;
static const AditLoopService *loop;
static void (*in_init)(void);
static gboolean refuses;
static AditTimer timer;

static void source_ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ACCEPT};

  if (!strcmp(request->user, "lets-go")) {
    aaa->handle_unref(handle);
    aaa->handle_unref(handle);
  } else if (!strcmp(request->user, "gives-back")) {
    adit_auth_request_unref(request);
    adit_auth_request_unref(request);
    adit_auth_request_unref(request);
  } else if (!strcmp(request->user, "keeps")) {
    aaa->handle_ref(handle);
    adit_auth_request_ref(request);
  } else if (!strcmp(request->user, "list")) {
    reply.attributes = adit_value_list();
    aaa->answer(handle, &reply);
  }
}

static const AditAuthSourceOps source = {.size = sizeof source, .name = "strict", .ask = source_ask},
                               undeclared = {.size = sizeof undeclared, .name = "other", .ask = source_ask};

static gboolean init(AditPlugin *owner, const AditHost *host, gpointer *state, GError **error) {
  plugin = owner;
  the_host = host;
  aaa = host->service(owner, ADIT_AAA_SERVICE, 1);
  bus = host->service(owner, ADIT_BUS_SERVICE, 1);
  loop = host->service(owner, ADIT_LOOP_SERVICE, 1);
  if (in_init)
    in_init();
  return aaa->source_add(owner, &source, NULL, error);
}

static gboolean prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error) {
  return !refuses;
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:strict"}};
static const AditPluginInfo info = {ADIT_PLUGIN_HEAD, .name = "strict", .features = features,
                                    .n_features = 1,  .init = init,     .prepare = prepare};

static AditTest *begin(void (*what)(void)) {
  g_autoptr(GError) error = NULL;
  AditTest *test = adit_test_new();

  in_init = what;
  if (!adit_test_use(test, &info, &error))
    g_error("%s", error->message);
  return test;
}

/* Runs `what` in a process of its own, which must not live through it. */
static void ends_with(void (*what)(void), const char *words) {
  if (g_test_subprocess()) {
    what();
    return;
  }
  g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr(words);
}

static void add_undeclared(void) {
  aaa->source_add(plugin, &undeclared, NULL, NULL);
}
static void run_undeclared(void) {
  begin(add_undeclared);
}
static void an_undeclared_source(void) {
  ends_with(run_undeclared, "*source_add() of other, but the plugin does not declare it: add {ADIT_PROVIDES, \"auth-source:other\"}*");
}

static void run_late(void) {
  begin(NULL);
  aaa->source_add(plugin, &source, NULL, NULL);
}
static void a_registration_outside_of_init(void) {
  ends_with(run_late, "*source_add() of strict outside of init(): register there*");
}

static void add_hook(void) {
  bus->veto_add(plugin, "sessions", 0, NULL, NULL);
}
static void run_hook(void) {
  begin(add_hook);
}
static void an_unknown_hook(void) {
  ends_with(run_hook, "*veto_add() of the hook \"sessions\": there is no such hook*");
}

static gpointer arm_timer(gpointer data) {
  loop->timer_arm(&timer, 1);
  return NULL;
}
static void run_thread(void) {
  begin(NULL);
  g_thread_join(g_thread_new("strict", arm_timer, NULL));
}
static void a_call_from_a_thread(void) {
  ends_with(run_thread, "*adit.loop timer_arm() was called on another thread than the main loop's*");
}

/* ---- each service's [main] functions ---- */

static void call_net(void) {
  ((const AditNetService *)the_host->service(plugin, ADIT_NET_SERVICE, 1))->link_delete(7, NULL, NULL);
}
static void call_session(void) {
  ((const AditSessionService *)the_host->service(plugin, ADIT_SESSION_SERVICE, 1))->session_find("x");
}
static void call_store(void) {
  ((const AditStoreService *)the_host->service(plugin, ADIT_STORE_SERVICE, 1))->remove("table", "key", NULL, NULL);
}
static void call_pool(void) {
  AditPrefix prefix;
  ((const AditPoolService *)the_host->service(plugin, ADIT_POOL_SERVICE, 1))->take("pool", NULL, &prefix, NULL);
}
static void call_control(void) {
  ((const AditControlService *)the_host->service(plugin, ADIT_CONTROL_SERVICE, 1))->wants_more(NULL);
}
static void call_path(void) {
  ((const AditPathService *)the_host->service(plugin, ADIT_PATH_SERVICE, 1))->datapath("tun", NULL);
}

static const struct {
  const char *path, *words;
  void (*call)(void);
} threaded[] = {
    {"/strict/thread/net", "*adit.net link_delete() was called on another thread*", call_net},
    {"/strict/thread/session", "*adit.session session_find() was called on another thread*", call_session},
    {"/strict/thread/store", "*adit.store remove() was called on another thread*", call_store},
    {"/strict/thread/pool", "*adit.pool take() was called on another thread*", call_pool},
    {"/strict/thread/control", "*adit.control wants_more() was called on another thread*", call_control},
    {"/strict/thread/path", "*adit.path datapath() was called on another thread*", call_path},
};

static gpointer call_on_thread(gpointer data) {
  threaded[GPOINTER_TO_UINT(data)].call();
  return NULL;
}

static void a_service_on_a_thread(gconstpointer data) {
  if (g_test_subprocess()) {
    begin(NULL);
    g_thread_join(g_thread_new("strict", call_on_thread, (gpointer)data));
    return;
  }
  g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr(threaded[GPOINTER_TO_UINT(data)].words);
}

/* ---- interfaces ---- */

static guint32 seen_count;
static AditValue *kept_parameters;

static void call_count(gpointer state, AditCall *call, const AditValue *parameters) {
  const AditControlService *control = the_host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  seen_count = (guint32)adit_value_get_int(parameters, "count", 0);
  if (adit_value_get_bool(parameters, "keep", FALSE))
    kept_parameters = adit_value_ref((AditValue *)parameters);
  control->reply(call, adit_value_map(), FALSE);
}

static const AditMethod count_methods[] = {{.size = sizeof(AditMethod), .name = "Count", .call = call_count}};

static void add_interface(const char *description, AditCommand command) {
  const AditControlService *control = the_host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  command.size = sizeof command;
  command.summary = "counts";
  if (!command.verb)
    command.verb = "strict count";
  if (!command.method)
    command.method = "io.adit.strict.Count";
  control->interface_add(plugin, description, count_methods, 1, &command, 1, NULL, NULL);
}

#define COUNT "interface io.adit.strict\nmethod Count(count: int, word: ?(one, two), keep: ?bool) -> (counts: []object)\n"

static void add_good(void) {
  add_interface(COUNT, (AditCommand){.arguments = "count [word]", .rows = "counts", .columns = "ID=id AGE=age:duration"});
}
static void add_unparsable(void) {
  add_interface("interface io.adit.strict\nmethod Count(count: number) -> ()\n", (AditCommand){0});
}
static void add_undescribed(void) {
  add_interface("interface io.adit.strict\nmethod Counts() -> ()\n", (AditCommand){0});
}
static void add_missing(void) {
  add_interface(COUNT "method Drop() -> ()\n", (AditCommand){0});
}
static void add_lost_method(void) {
  add_interface(COUNT, (AditCommand){.method = "io.adit.strict.Lost"});
}
static void add_columns(void) {
  add_interface(COUNT, (AditCommand){.rows = "counts", .columns = "ID=id AGE=age:years"});
}
static void add_rows(void) {
  add_interface(COUNT, (AditCommand){.rows = "rows"});
}
static void add_arguments(void) {
  add_interface(COUNT, (AditCommand){.arguments = "number"});
}
static void add_verb(void) {
  add_interface(COUNT, (AditCommand){.verb = "Strict  count"});
}
static void add_twice(void) {
  add_good();
  add_good();
}

/* The words are those of the daemon: tests/unit/plugin/test-careless.c. */
static const struct {
  const char *path, *words;
  void (*add)(void);
} interfaces[] = {
    {"/strict/interface/unparsable", "*interface_add(): the description: 2:21: a type is due, not \"number)\"*", add_unparsable},
    {"/strict/interface/undescribed", "*interface io.adit.strict: the description has no method Count*", add_undescribed},
    {"/strict/interface/missing", "*interface io.adit.strict: method Drop is described and is not among the methods*", add_missing},
    {"/strict/interface/lost", "*command `strict count`: io.adit.strict.Lost is no method of this interface*", add_lost_method},
    {"/strict/interface/columns", "*command `strict count`: column `AGE=age:years` is not TITLE=key*", add_columns},
    {"/strict/interface/rows", "*command `strict count`: the reply of Count has no list `rows`*", add_rows},
    {"/strict/interface/arguments", "*command `strict count`: argument `number` is no parameter of Count*", add_arguments},
    {"/strict/interface/verb", "*command `Strict  count`: a verb is words of small letters*", add_verb},
    {"/strict/interface/twice", "*interface io.adit.strict: it exists already*", add_twice},
};

static void an_interface_that_means_nothing(gconstpointer data) {
  if (g_test_subprocess()) {
    begin(interfaces[GPOINTER_TO_UINT(data)].add);
    return;
  }
  g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr(interfaces[GPOINTER_TO_UINT(data)].words);
}

static char *refusal_of(AditTest *test, const char *key, AditValue *value) {
  g_autoptr(GError) error = NULL;
  AditValue *parameters = adit_value_map();

  if (key)
    adit_value_set(parameters, key, value);
  g_autoptr(AditValue) reply = adit_test_call(test, "io.adit.strict.Count", parameters, &error);
  return error ? g_strdup(error->message) : NULL;
}

static void parameters_are_checked_before_the_plugin_sees_them(void) {
  AditTest *test = begin(add_good);
  g_autofree char *missing = refusal_of(test, NULL, NULL), *wrong = refusal_of(test, "count", adit_value_string("many")),
                  *list = refusal_of(test, "count", adit_value_list());

  g_assert_cmpstr(missing, ==, "org.varlink.service.InvalidParameter: parameter `count` is missing");
  g_assert_cmpstr(wrong, ==, "org.varlink.service.InvalidParameter: parameter `count` is not an int");
  g_assert_cmpstr(list, ==, wrong);
  g_assert_cmpuint(seen_count, ==, 0);
  g_assert_null(refusal_of(test, "count", adit_value_string("12"))); /* as aditctl sends it */
  g_assert_cmpuint(seen_count, ==, 12);
  adit_test_free(test);
}

/* ---- what it requires ---- */

static const AditFeature needy_features[] = {{ADIT_REQUIRES, "auth-source:strict"}, {ADIT_PROVIDES, "x:needy"}};
static const AditPluginInfo needy = {ADIT_PLUGIN_HEAD, .name = "needy", .features = needy_features, .n_features = 2};

static void what_is_required_must_be_there(void) {
  g_autoptr(GError) error = NULL, twice = NULL;
  AditTest *test = adit_test_new();

  g_assert_false(adit_test_use(test, &needy, &error));
  g_assert_nonnull(strstr(error->message, "needy requires auth-source:strict, which no loaded plugin provides"));
  in_init = NULL;
  g_assert_true(adit_test_use(test, &info, NULL));
  g_assert_true(adit_test_use(test, &needy, NULL));
  g_assert_false(adit_test_use(test, &needy, &twice));
  g_assert_nonnull(strstr(twice->message, "needy provides x:needy, which another plugin provides"));
  adit_test_free(test);

  test = adit_test_new();
  adit_test_provide(test, "auth-source:strict");
  g_assert_true(adit_test_use(test, &needy, NULL));
  adit_test_free(test);
}

static void run_kept_values(void) {
  AditTest *test = begin(add_good);
  AditValue *parameters = adit_value_map();
  const AditPoolService *pool = adit_test_service(test, ADIT_POOL_SERVICE);
  AditPrefix lease;

  adit_value_set(parameters, "count", adit_value_int(1));
  adit_value_set(parameters, "keep", adit_value_bool(TRUE));
  adit_value_unref(adit_test_call(test, "io.adit.strict.Count", parameters, NULL));
  adit_test_add_pool(test, "pool", "192.0.2.0/24");
  pool->take("pool", NULL, &lease, NULL);
  adit_test_free(test);
}
static void values_and_addresses_that_are_not_given_back(void) {
  ends_with(run_kept_values, "*the plugins have left and hold:*1 addresses: adit.pool give_back()*1 values: adit_value_unref()*");
}

static void run_lets_go(void) {
  adit_test_ask(begin(NULL), "strict", adit_test_pap("lets-go", ""));
}
static void a_handle_too_often(void) {
  ends_with(run_lets_go, "*handle_unref() once too often*");
}

static void run_gives_back(void) {
  adit_test_ask(begin(NULL), "strict", adit_test_pap("gives-back", ""));
}
static void a_request_too_often(void) {
  ends_with(run_gives_back, "*adit_auth_request_unref() once too often*");
}

static void run_list(void) {
  adit_test_ask(begin(NULL), "strict", adit_test_pap("list", ""));
}
static void attributes_that_are_no_map(void) {
  ends_with(run_list, "*the attributes are no MAP*");
}

static void run_leaks(void) {
  AditTest *test = begin(NULL);
  adit_test_ask(test, "strict", adit_test_pap("keeps", ""));
  loop->timer_arm(&timer, 1000000);
  adit_test_free(test);
}
static void what_is_not_given_back(void) {
  ends_with(run_leaks,
            "*the plugins have left and hold:*1 timers that are armed*1 handles of requests*1 requests: adit_auth_request_unref()*");
}

static void a_refusal_has_a_reason(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = begin(NULL);

  refuses = TRUE;
  g_assert_false(adit_test_configure(test, adit_value_map(), &error));
  refuses = FALSE;
  g_assert_cmpstr(error->message, ==, "plugin strict: prepare() refused without a reason: set the error");
  adit_test_free(test);
}

static void unknown_events_are_not_there(void) {
  AditTest *test = begin(NULL);
  g_assert_cmpuint(bus->subscribe(plugin, "session-upp", (AditEventFunc)(void (*)(void))init, NULL), ==, 0);
  adit_test_free(test);
}

static void tables_that_make_no_sense(void) {
  static const struct {
    AditOption option;
    const char *words;
  } rows[] = {
      {{.name = "odd", .scopes = "profiles", .type = ADIT_TYPE_BOOL}, "there is no scope `profiles`"},
      {{.name = "Odd", .scopes = "strict", .type = ADIT_TYPE_BOOL}, "its name is not in kebab-case"},
      {{.name = "odd", .scopes = "strict"}, "has no type"},
      {{.name = "odd", .scopes = "strict", .type = ADIT_TYPE_BOOL, .flags = 1 << 20}, "has flags 0x100000"},
      {{.name = "odd", .scopes = "strict", .type = ADIT_TYPE_ENUM}, "has no words"},
      {{.name = "odd", .scopes = "strict", .type = ADIT_TYPE_INT, .min = 2, .max = 1}, "min is over max"},
  };
  AditTest *test = adit_test_new();

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    AditPluginInfo wrong = info;
    wrong.options = &rows[i].option;
    wrong.n_options = 1;
    g_assert_false(adit_test_use(test, &wrong, &error));
    g_assert_nonnull(strstr(error->message, rows[i].words));
  }
  g_autoptr(GError) error = NULL;
  AditPluginInfo none = info;
  none.size = 0;
  g_assert_false(adit_test_use(test, &none, &error));
  g_assert_nonnull(strstr(error->message, "is 0 octets long"));
  adit_test_free(test);
}

/* ---- adit/mistake.h and adit/json.h ---- */

static void mistakes_have_their_place_and_a_line_each(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(AditValue) value = adit_value_string("x");

  value->where = (AditWhere){"/etc/adit.yaml", 3, 7};
  adit_mistake(&error, value, "file", "`%s` is wrong", "x");
  adit_mistake(&error, NULL, NULL, "nowhere");
  g_assert_cmpstr(error->message, ==, "/etc/adit.yaml:3:7: file: `x` is wrong\nnowhere");
}

static void values_are_written_as_json(void) {
  g_autoptr(AditValue) map = adit_value_map();
  AditAddress address = adit_address_ipv4(0xc0000201);
  AditValue *list = adit_value_list();

  adit_value_append(list, adit_value_bool(TRUE));
  adit_value_append(list, adit_value_octets("\0\xff", 2));
  adit_value_append(list, adit_value_secret("hidden"));
  adit_value_set(map, "a\"b", adit_value_string("line\n\x01"));
  adit_value_set(map, "at", adit_value_address(&address));
  adit_value_set(map, "list", list);
  g_autofree char *text = adit_value_to_json(map);
  g_assert_cmpstr(text, ==, "{\"a\\\"b\":\"line\\n\\u0001\",\"at\":\"192.0.2.1\",\"list\":[true,\"0x00ff\",\"(hidden)\"]}");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/strict/undeclared", an_undeclared_source);
  g_test_add_func("/strict/late", a_registration_outside_of_init);
  g_test_add_func("/strict/hook", an_unknown_hook);
  g_test_add_func("/strict/thread", a_call_from_a_thread);
  for (guint i = 0; i < G_N_ELEMENTS(threaded); i++)
    g_test_add_data_func(threaded[i].path, GUINT_TO_POINTER(i), a_service_on_a_thread);
  for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++)
    g_test_add_data_func(interfaces[i].path, GUINT_TO_POINTER(i), an_interface_that_means_nothing);
  g_test_add_func("/strict/parameters", parameters_are_checked_before_the_plugin_sees_them);
  g_test_add_func("/strict/requires", what_is_required_must_be_there);
  g_test_add_func("/strict/values", values_and_addresses_that_are_not_given_back);
  g_test_add_func("/strict/handle", a_handle_too_often);
  g_test_add_func("/strict/request", a_request_too_often);
  g_test_add_func("/strict/map", attributes_that_are_no_map);
  g_test_add_func("/strict/leaks", what_is_not_given_back);
  g_test_add_func("/strict/reason", a_refusal_has_a_reason);
  g_test_add_func("/strict/events", unknown_events_are_not_there);
  g_test_add_func("/strict/tables", tables_that_make_no_sense);
  g_test_add_func("/mistake", mistakes_have_their_place_and_a_line_each);
  g_test_add_func("/json", values_are_written_as_json);
  return g_test_run();
}
