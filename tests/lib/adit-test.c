/* SPDX-License-Identifier: MIT */
/* The fake core: plugins' life. */
#include "adit-test.h"

AditTest *test_now;

AditTest *adit_test_new(void) {
  g_assert(!test_now);
  AditTest *test = test_now = g_new0(AditTest, 1);
  test->thread = g_thread_self();
  test->plugins = g_ptr_array_new_with_free_func(g_free);
  test->log = g_string_new(NULL);
  test->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  test->lent = g_ptr_array_new_with_free_func((GDestroyNotify)adit_value_unref);
  test->features = g_ptr_array_new_with_free_func(g_free);
  test_loop_begin(test);
  test_bus_begin(test);
  test_aaa_begin(test);
  test_session_begin(test);
  test_control_begin(test);
  test_rest_begin(test);
  return test;
}

/* ---- the log ---- */

int test_log(const char *format, ...) {
  GHashTableIter iter;
  gpointer call, error;
  va_list args;

  va_start(args, format);
  g_autofree char *line = g_strdup_vprintf(format, args);
  va_end(args);
  g_string_append_printf(test_now->log, "%s\n", line);
  g_hash_table_iter_init(&iter, test_now->failures);
  while (g_hash_table_iter_next(&iter, &call, &error))
    if (g_str_has_prefix(line, (const char *)call))
      return GPOINTER_TO_INT(error);
  return 0;
}

gboolean adit_test_saw(AditTest *test, const char *text) {
  return strstr(test->log->str, text) != NULL;
}

const char *adit_test_log(AditTest *test) {
  return test->log->str;
}

void adit_test_clear_log(AditTest *test) {
  g_string_truncate(test->log, 0);
}

void adit_test_fail(AditTest *test, const char *call, int error) {
  if (error)
    g_hash_table_insert(test->failures, g_strdup(call), GINT_TO_POINTER(error));
  else
    g_hash_table_remove(test->failures, call);
}

/* ---- registrations ---- */

TestEntry *test_find(GPtrArray *entries, const char *name) {
  for (guint i = 0; i < entries->len; i++)
    if (!strcmp(((TestEntry *)entries->pdata[i])->name, name))
      return (TestEntry *)entries->pdata[i];
  return NULL;
}

gboolean test_register(GPtrArray *entries, AditPlugin *plugin, const char *name, gconstpointer ops, gpointer state, GError **error) {
  if (!name || test_find(entries, name)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "\"%s\" is registered already", name ? name : "");
    return FALSE;
  }
  TestEntry *entry = g_new0(TestEntry, 1);
  *entry = (TestEntry){plugin, name, ops, state};
  g_ptr_array_add(entries, entry);
  return TRUE;
}

/* ---- services ---- */

static const void *service(AditPlugin *plugin, const char *name, guint version) {
  static const struct {
    const char *name;
    const void *table;
  } all[] = {{ADIT_LOOP_SERVICE, &test_loop_service},       {ADIT_BUS_SERVICE, &test_bus_service},
             {ADIT_AAA_SERVICE, &test_aaa_service},         {ADIT_NET_SERVICE, &test_net_service},
             {ADIT_STORE_SERVICE, &test_store_service},     {ADIT_POOL_SERVICE, &test_pool_service},
             {ADIT_PATH_SERVICE, &test_path_service},       {ADIT_SESSION_SERVICE, &test_session_service},
             {ADIT_CONTROL_SERVICE, &test_control_service}, {ADIT_PPP_SERVICE, &test_ppp_service}};

  for (guint i = 0; version <= 1 && i < G_N_ELEMENTS(all); i++)
    if (!strcmp(all[i].name, name))
      return all[i].table;
  return NULL;
}

const void *adit_test_service(AditTest *test, const char *name) {
  return service(NULL, name, 1);
}

static const AditHost host = {sizeof(AditHost), ADIT_ABI_MAJOR, ADIT_ABI_MINOR, service};

/* ---- life ---- */

/* A refusal has its reason: a test prints it. */
static void expect_reason(const char *plugin, const char *what, GError *why, GError **error) {
  if (why)
    g_propagate_error(error, why);
  else
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s refused without a reason: set the error", plugin, what);
}

void test_main_only(const char *function) {
  if (g_thread_self() != test_now->thread)
    g_error("%s() was called on another thread than the main loop's: use adit.loop call_main()", function);
}

static gboolean declares(const AditPluginInfo *info, const char *kind, const char *name) {
  g_autofree char *feature = g_strdup_printf("%s:%s", kind, name);
  for (guint i = 0; i < info->n_features; i++)
    if (info->features[i].kind == ADIT_PROVIDES && !strcmp(info->features[i].name, feature))
      return TRUE;
  return FALSE;
}

void test_expect_registration(AditPlugin *plugin, const char *function, const char *kind, const char *name) {
  test_main_only(function);
  if (!name || !*name)
    g_error("%s() without a name, or of a table without its size", function);
  if (!plugin) /* the test itself */
    return;
  if (!plugin->in_init)
    g_error("%s() of %s outside of init(): register there", function, name);
  if (kind && !declares(plugin->info, kind, name))
    g_error("%s() of %s, but the plugin does not declare it: add {ADIT_PROVIDES, \"%s:%s\"} to its features", function, name, kind, name);
}

void adit_test_provide(AditTest *test, const char *feature) {
  g_ptr_array_add(test->features, g_strdup(feature));
}

/* As the daemon's loader: its requirements are met, and no other plugin provides its features. */
static gboolean check_neighbours(AditTest *test, const AditPluginInfo *info, GError **error) {
  for (guint i = 0; i < info->n_features; i++) {
    const AditFeature *feature = &info->features[i];
    gboolean there = g_ptr_array_find_with_equal_func(test->features, feature->name, g_str_equal, NULL);
    if (feature->kind == ADIT_REQUIRES && !there) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND,
                  "%s requires %s, which no loaded plugin provides: load one before it, or say adit_test_provide()", info->name,
                  feature->name);
      return FALSE;
    }
    if (feature->kind == ADIT_PROVIDES && there) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "%s provides %s, which another plugin provides", info->name, feature->name);
      return FALSE;
    }
  }
  for (guint i = 0; i < info->n_features; i++)
    if (info->features[i].kind == ADIT_PROVIDES)
      adit_test_provide(test, info->features[i].name);
  return TRUE;
}

gboolean adit_test_use(AditTest *test, const AditPluginInfo *info, GError **error) {
  if (!test_check_info(info, error) || !check_neighbours(test, info, error))
    return FALSE;
  TestPlugin *plugin = g_new0(TestPlugin, 1);
  gboolean good = TRUE;
  GError *why = NULL;
  plugin->owner = (AditPlugin){info->name, info, TRUE};
  plugin->info = info;
  if (info->init)
    good = info->init(&plugin->owner, &host, &plugin->state, &why);
  plugin->owner.in_init = FALSE;
  if (!good) {
    expect_reason(plugin->owner.name, "init()", why, error);
    g_free(plugin);
    return FALSE;
  }
  g_ptr_array_add(test->plugins, plugin);
  return TRUE;
}

gboolean adit_test_load(AditTest *test, const char *path, GError **error) {
  GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
  gpointer info = NULL;

  if (!module || !g_module_symbol(module, "adit_plugin_info", &info)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s", g_module_error());
    return FALSE;
  }
  g_module_make_resident(module);
  return adit_test_use(test, (const AditPluginInfo *)info, error);
}

static void prepared(AditPlugin *owner, gpointer staged, GError *error) {
  TestPlugin *plugin = (TestPlugin *)owner;

  test_main_only("AditPrepared");
  if (!plugin->pending)
    g_error("plugin %s answered a prepare() twice, or one that was not pending", owner->name);
  plugin->pending = FALSE;
  plugin->prepared = !error;
  plugin->staged = staged;
  plugin->refusal = error;
}

static gboolean prepare_one(AditTest *test, TestPlugin *plugin, const AditValue *config, GError **error) {
  gboolean pending = FALSE;

  if (!plugin->info->prepare)
    return TRUE;
  plugin->pending = TRUE;
  GError *why = NULL;
  gboolean ok = plugin->info->prepare(plugin->state, config, &plugin->staged, &pending, prepared, &why);
  if (!ok || !pending) {
    plugin->pending = FALSE;
    plugin->prepared = ok;
    if (!ok)
      expect_reason(plugin->owner.name, "prepare()", why, error);
    else if (why)
      g_error("plugin %s: prepare() says yes and sets an error: %s", plugin->owner.name, why->message);
    return ok;
  }
  if (!ADIT_TEST_UNTIL(test, !plugin->pending, 1000))
    for (guint i = 0; i < 100 && plugin->pending; i++)
      adit_test_advance(test, 100);
  if (plugin->pending)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_TIMEOUT, "%s did not answer prepare() in 10 s", plugin->owner.name);
  else if (plugin->refusal)
    g_propagate_error(error, g_steal_pointer(&plugin->refusal));
  return plugin->prepared;
}

static gboolean two_phases(AditTest *test, const AditValue *config, gboolean commit, GError **error) {
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < test->plugins->len; i++)
    ok = prepare_one(test, (TestPlugin *)test->plugins->pdata[i], config, error);
  for (guint i = 0; i < test->plugins->len; i++) {
    TestPlugin *plugin = (TestPlugin *)test->plugins->pdata[i];
    void (*end)(gpointer, gpointer) = ok && commit ? plugin->info->commit : plugin->info->abort;
    if (plugin->prepared && end)
      end(plugin->state, plugin->staged);
    plugin->prepared = FALSE;
    plugin->staged = NULL;
  }
  return ok;
}

gboolean adit_test_configure(AditTest *test, AditValue *config, GError **error) {
  if (!two_phases(test, config, TRUE, error)) {
    adit_value_unref(config);
    return FALSE;
  }
  adit_value_unref(test->config);
  test->config = config;
  return TRUE;
}

gboolean adit_test_try(AditTest *test, AditValue *config, GError **error) {
  g_autoptr(AditValue) owned = config;
  return two_phases(test, owned, FALSE, error);
}

gboolean adit_test_start(AditTest *test, GError **error) {
  for (guint i = 0; i < test->plugins->len; i++) {
    TestPlugin *plugin = (TestPlugin *)test->plugins->pdata[i];
    GError *why = NULL;
    if (plugin->info->start && !plugin->info->start(plugin->state, &why)) {
      expect_reason(plugin->owner.name, "start()", why, error);
      return FALSE;
    }
    plugin->started = TRUE;
  }
  return TRUE;
}

static void stopped(AditPlugin *owner) {
  TestPlugin *plugin = (TestPlugin *)owner;
  g_assert(plugin->stopping); /* once */
  plugin->stopping = FALSE;
}

gboolean adit_test_stop(AditTest *test, guint limit_ms) {
  gboolean all = TRUE;

  for (guint i = test->plugins->len; i-- > 0;) {
    TestPlugin *plugin = (TestPlugin *)test->plugins->pdata[i];
    if (!plugin->started)
      continue;
    plugin->started = FALSE;
    if (!plugin->info->stop)
      continue;
    plugin->stopping = TRUE;
    plugin->info->stop(plugin->state, stopped, &plugin->owner);
    ADIT_TEST_UNTIL(test, !plugin->stopping, 50);
    for (guint spent = 0; plugin->stopping && spent < limit_ms; spent += 10)
      adit_test_advance(test, 10);
    all &= !plugin->stopping;
  }
  return all;
}

void test_lend_value(AditTest *test, AditValue *value) {
  g_ptr_array_add(test->lent, adit_value_ref(value));
}

static char *value_leaks(AditTest *test) {
  guint held = 0;

  for (guint i = 0; i < test->lent->len; i++)
    held += g_atomic_int_get(&((AditValue *)test->lent->pdata[i])->refs) > 1;
  return held ? g_strdup_printf("%u values: adit_value_unref()\n", held) : g_strdup("");
}

char *adit_test_leaks(AditTest *test) {
  g_autofree char *loop = test_loop_leaks(test), *aaa = test_aaa_leaks(test), *rest = test_rest_leaks(test);
  g_autofree char *session = test_session_leaks(test), *values = value_leaks(test);
  return g_strconcat(loop, aaa, rest, session, values, NULL);
}

static gboolean holds_nothing(AditTest *test) {
  g_autofree char *leaks = adit_test_leaks(test);
  return !*leaks;
}

/* After fini: what is still held is never given back, but for a thread that has answered and is about to. */
static void report_leaks(AditTest *test) {
  for (gint64 end = g_get_monotonic_time() + 2 * G_USEC_PER_SEC; !holds_nothing(test) && g_get_monotonic_time() < end;)
    g_usleep(1000);
  g_autofree char *leaks = adit_test_leaks(test);

  if (test->config && g_atomic_int_get(&test->config->refs) > 1)
    g_critical("%d references of the configuration were not given back: adit_value_unref()", g_atomic_int_get(&test->config->refs) - 1);
  if (*leaks)
    g_critical("the plugins have left and hold:\n%s", leaks);
}

void adit_test_free(AditTest *test) {
  adit_test_stop(test, 5000);
  test_loop_quiesce(test);
  for (guint i = test->plugins->len; i-- > 0;) {
    TestPlugin *plugin = (TestPlugin *)test->plugins->pdata[i];
    if (plugin->info->fini)
      plugin->info->fini(plugin->state);
  }
  report_leaks(test);
  test_loop_end(test); /* what is outstanding may answer the others */
  test_rest_end(test);
  test_control_end(test);
  test_session_end(test);
  test_aaa_end(test);
  test_bus_end(test);
  adit_value_unref(test->config);
  g_string_free(test->log, TRUE);
  g_hash_table_unref(test->failures);
  g_ptr_array_unref(test->lent);
  g_ptr_array_unref(test->features);
  g_ptr_array_unref(test->plugins);
  g_free(test);
  test_now = NULL;
}

/* ---- configuration ---- */

enum { DEPTH_MAX = 8 }; /* of maps within each other */

static gboolean has_scope(const AditOption *option, const char *scope) {
  g_auto(GStrv) scopes = g_strsplit(option->scopes, " ", -1);
  return g_strv_contains((const char *const *)scopes, scope);
}

static const AditOption *find_option(const AditPluginInfo *info, const char *name) {
  for (guint i = 0; i < info->n_options; i++)
    if (has_scope(&info->options[i], info->name) && !strcmp(info->options[i].name, name))
      return &info->options[i];
  return NULL;
}

static gint64 scaled(const char *text, const char *const *units, const gint64 *factors) {
  char *end = NULL;
  gint64 total = 0;

  for (const char *at = text; *at; at = end) {
    gint64 value = g_ascii_strtoll(at, &end, 10);
    if (end == at)
      return -1;
    gsize length = strcspn(end, "0123456789");
    guint u = 0;
    while (units[u] && (strlen(units[u]) != length || strncmp(units[u], end, length)))
      u++;
    if (!units[u])
      return -1;
    total += value * factors[u];
    end += length;
  }
  return total;
}

AditValue *test_type(const AditOption *option, const char *text) {
  static const char *const times[] = {"", "s", "ms", "m", "h", "d", NULL}, *const sizes[] = {"", "k", "M", "G", "KiB", "MiB", "GiB", NULL};
  static const gint64 time_factors[] = {1000, 1000, 1, 60000, 3600000, 86400000},
                      size_factors[] = {1, 1000, 1000000, 1000000000, 1024, 1048576, 1073741824};
  gboolean off = (option->flags & ADIT_OPTION_OFF) &&
                 (!strcmp(text, "none") || !strcmp(text, "disabled") || !strcmp(text, "unlimited") || !strcmp(text, "no"));
  gint64 number = -1;
  AditPrefix prefix;

  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return adit_value_bool(!strcmp(text, "yes") || !strcmp(text, "true"));
  case ADIT_TYPE_INT:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    number = off ? 0 : scaled(text, sizes, size_factors);
    return number < 0 ? NULL : adit_value_int(number);
  case ADIT_TYPE_DURATION:
    number = off ? 0 : scaled(text, times, time_factors);
    return number < 0 ? NULL : adit_value_int(number);
  case ADIT_TYPE_ADDRESS:
  case ADIT_TYPE_PREFIX:
  case ADIT_TYPE_ADDRESS_OR_NAME:
    if (adit_prefix_parse(text, &prefix))
      return option->type == ADIT_TYPE_PREFIX ? adit_value_prefix(&prefix) : adit_value_address(&prefix.address);
    return option->type == ADIT_TYPE_ADDRESS_OR_NAME ? adit_value_string(text) : NULL;
  case ADIT_TYPE_STRING:
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_RANGE:
    return option->flags & ADIT_OPTION_SECRET ? adit_value_secret(text) : adit_value_string(text);
  case ADIT_TYPE_SET:
  case ADIT_TYPE_MAP:
  case ADIT_TYPE_OCTETS:
    break;
  }
  return NULL;
}

static AditValue *type_list(const AditOption *option, const char *text) {
  g_auto(GStrv) parts = g_strsplit_set(text, ", ", -1);
  AditOption one = *option;
  AditValue *list = adit_value_list();

  if (one.type == ADIT_TYPE_SET)
    one.type = ADIT_TYPE_ENUM;
  for (guint i = 0; parts[i]; i++) {
    AditValue *item = *parts[i] ? test_type(&one, parts[i]) : NULL;
    if (item)
      adit_value_append(list, item);
  }
  return list;
}

static AditValue *type_any(const AditOption *option, const char *text) {
  gboolean list = (option->flags & ADIT_OPTION_LIST) || option->type == ADIT_TYPE_SET;
  return list ? type_list(option, text) : test_type(option, text);
}

static AditValue *default_map(const AditOption *options, guint n, const char *scope, guint depth) {
  AditValue *map = adit_value_map();

  map->flags |= ADIT_VALUE_IS_DEFAULT;
  for (guint i = 0; i < n; i++) {
    const AditOption *option = &options[i];
    gboolean is_map = option->type == ADIT_TYPE_MAP && !(option->flags & ADIT_OPTION_LIST) && depth;
    AditValue *value = !has_scope(option, scope) ? NULL
                       : is_map                  ? default_map(options, n, option->words, depth - 1)
                       : option->fallback        ? type_any(option, option->fallback)
                                                 : NULL;
    if (!value)
      continue;
    value->flags |= ADIT_VALUE_IS_DEFAULT;
    adit_value_set(map, option->name, value);
  }
  return map;
}

AditValue *adit_test_defaults(const AditOption *options, guint n, const char *scope) {
  return default_map(options, n, scope, DEPTH_MAX);
}

AditValue *adit_test_config(AditTest *test, const char *name, ...) {
  AditValue *tree = adit_value_map(), *map;
  const AditPluginInfo *info = NULL;
  va_list args;

  for (guint i = 0; i < test->plugins->len; i++)
    if (!strcmp(((TestPlugin *)test->plugins->pdata[i])->owner.name, name))
      info = ((TestPlugin *)test->plugins->pdata[i])->info;
  if (!info)
    g_error("adit_test_config: no plugin \"%s\" is loaded", name);
  map = adit_test_defaults(info->options, info->n_options, name);
  va_start(args, name);
  for (const char *key; (key = va_arg(args, const char *));) {
    const char *text = va_arg(args, const char *);
    const AditOption *option = find_option(info, key);
    AditValue *value = option ? type_any(option, text) : NULL;
    if (!value)
      g_error("adit_test_config: %s: \"%s\" does not fit", key, text);
    adit_value_set(map, key, value);
  }
  va_end(args);
  adit_value_set(tree, name, map);
  return tree;
}
