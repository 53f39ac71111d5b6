/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The fake core is as strict as the daemon: each misuse ends the test, or is reported, in words that say what to do. */
#include <adit/json.h>
#include <adit/mistake.h>
#include <adit/test.h>

static AditPlugin *plugin;
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
