/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/gate.h"
#include "core/aaa/internal.h"

#define DEFAULT_TIMEOUT_MS 30000

const AditOption adit_aaa_options[] = {
    {.name = "aaa",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_MAP,
     .words = ADIT_SCOPE_AAA,
     .help = "Who decides about users, and what is recorded of their sessions.",
     .reference = "/ppp aaa"},
    {.name = "sources",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_STRING,
     .flags = ADIT_OPTION_LIST,
     .min = 1,
     .max = 64,
     .fallback = "secrets",
     .help = "Where users are looked up, in this order. The next one is asked only when the one before does not know the name."},
    {.name = "use-radius",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_BOOL,
     .fallback = "no",
     .help = "Ask RADIUS for names that are not in the local secrets: the same as `radius` at the end of `sources`.",
     .reference = "/ppp aaa use-radius"},
    {.name = "accounting",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_BOOL,
     .fallback = "yes",
     .help = "Record the start and the end of sessions wherever a plugin can.",
     .reference = "/ppp aaa accounting"},
    {.name = "interim-update",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_DURATION,
     .flags = ADIT_OPTION_OFF,
     .fallback = "0s",
     .help = "Also record a session's counters this often. A period given by RADIUS goes before it.",
     .reference = "/ppp aaa interim-update; RFC 2869 2.1"},
    {.name = "on-error",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_ENUM,
     .words = "refuse next",
     .fallback = "refuse",
     .help = "What to do when a source fails or is silent: refuse the user, or ask the next source."},
    {.name = "timeout",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_DURATION,
     .min = 1000,
     .max = 600000,
     .fallback = "30s",
     .help = "How long each source may take for an answer."},
    {.name = "login-guard",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_BOOL,
     .fallback = "yes",
     .help = "Delay logins of sources that fail often, then lock them out. Failures are counted by user and host (an IPv4 address, an IPv6 "
             "/64), by host, and by network (an IPv4 /24, an IPv6 /48). Of wrong logins, 3 of one user and 20 of one host reach the "
             "sources at once, then one a second and fewer. Users who have logged in from a network in the last week are held to "
             "their own failures alone. `aditctl show logins` lists failing sources, `aditctl forgive` ends a lockout."},
    {.name = "login-failures",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_INT,
     .min = 3,
     .max = 10000,
     .fallback = "10",
     .help = "After so many failed logins a user is locked out from a host; a host after 6 times, a network after 24 times as many. A good "
             "login ends the count of its user, and takes 5 off its host's and network's, once an hour for each user."},
    {.name = "login-lockout",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_DURATION,
     .flags = ADIT_OPTION_OFF,
     .min = 1000,
     .max = 86400000,
     .fallback = "1m",
     .help = "How long the first lockout lasts; each further one twice as long. `no`: failing logins are delayed, and never locked out."},
    {.name = "login-lockout-max",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_DURATION,
     .min = 1000,
     .max = 86400000,
     .fallback = "30m",
     .help = "Longest lockout."},
    {.name = "login-guard-exempt",
     .scopes = ADIT_SCOPE_AAA,
     .type = ADIT_TYPE_PREFIX,
     .flags = ADIT_OPTION_LIST,
     .help = "Peers that `login-guard` never holds up, such as a provider's LACs that check the caller themselves."},
};
const guint adit_aaa_n_options = G_N_ELEMENTS(adit_aaa_options);

struct AditAaaStaged {
  AaaConfig *config;
};

static AaaConfig *current;

static AaaConfig *config_new(void) {
  AaaConfig *config = g_new0(AaaConfig, 1);
  config->refs = 1;
  config->sources = g_ptr_array_new();
  config->timeout_ms = DEFAULT_TIMEOUT_MS;
  config->accounting = TRUE;
  config->guard = (AaaGuardRules){.on = TRUE, .failures = 10, .lockout_ms = 60000, .lockout_max_ms = 1800000};
  config->guard_exempt = g_array_new(FALSE, FALSE, sizeof(AditPrefix));
  return config;
}

static gboolean sources_have(const AaaConfig *config, const char *name) {
  return g_ptr_array_find(config->sources, g_intern_string(name), NULL);
}

/** Says that `name` is no source, where that was written, and what there is instead. */
static void no_such_source(const AditValue *value, const char *key, const char *name, GError **error) {
  const GPtrArray *sources = aaa_sources();
  g_autoptr(GString) text = g_string_new(NULL);

  if (value->where.file)
    g_string_append_printf(text, "%s:%u:%u: ", value->where.file, value->where.line, value->where.column);
  g_string_append_printf(text, "aaa.%s: no plugin provides the source %s (there ", key, name);
  for (guint i = 0; i < sources->len; i++)
    g_string_append_printf(text, "%s%s", i ? ", " : sources->len > 1 ? "are " : "is ", ((AaaSource *)sources->pdata[i])->name);
  g_string_append(text, sources->len ? "): is it in `plugins'?" : "is none): is it in `plugins'?");
  g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, text->str);
}

static gboolean read_sources(AaaConfig *config, const AditValue *aaa, GError **error) {
  const AditValue *list = adit_value_get(aaa, "sources");

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    const char *name = item->as.string;
    /* Nobody wrote the default: a daemon that only dials needs no source at all. */
    if (!aaa_source_find(name) && ((list->flags | item->flags) & ADIT_VALUE_IS_DEFAULT))
      continue;
    if (!aaa_source_find(name)) {
      no_such_source(item, "sources", name, error);
      return FALSE;
    }
    if (!sources_have(config, name))
      g_ptr_array_add(config->sources, (gpointer)g_intern_string(name));
  }
  if (!list && aaa_source_find("secrets"))
    g_ptr_array_add(config->sources, (gpointer)g_intern_static_string("secrets"));

  if (adit_value_get_bool(aaa, "use-radius", FALSE) && !sources_have(config, "radius")) {
    if (!aaa_source_find("radius")) {
      no_such_source(adit_value_get(aaa, "use-radius"), "use-radius", "radius", error);
      return FALSE;
    }
    g_ptr_array_add(config->sources, (gpointer)g_intern_static_string("radius"));
  }
  return TRUE;
}

static void read_guard(AaaConfig *config, const AditValue *aaa) {
  const AditValue *list = adit_value_get(aaa, "login-guard-exempt");
  AaaGuardRules *guard = &config->guard;

  guard->on = adit_value_get_bool(aaa, "login-guard", TRUE);
  guard->failures = (guint)adit_value_get_int(aaa, "login-failures", guard->failures);
  guard->lockout_ms = (guint64)adit_value_get_int(aaa, "login-lockout", (gint64)guard->lockout_ms);
  guard->lockout_max_ms = (guint64)adit_value_get_int(aaa, "login-lockout-max", (gint64)guard->lockout_max_ms);
  for (guint i = 0; i < adit_value_length(list); i++)
    g_array_append_val(config->guard_exempt, adit_value_at(list, i)->as.prefix);
}

AditAaaStaged *adit_aaa_prepare(const AditValue *config, GError **error) {
  const AditValue *aaa = adit_value_get(config, "aaa");
  AaaConfig *made = config_new();

  if (!read_sources(made, aaa, error)) {
    aaa_config_unref(made);
    return NULL;
  }
  made->next_on_error = g_str_equal(adit_value_get_string(aaa, "on-error", "refuse"), "next");
  made->timeout_ms = (guint64)adit_value_get_int(aaa, "timeout", DEFAULT_TIMEOUT_MS);
  made->accounting = adit_value_get_bool(aaa, "accounting", TRUE);
  made->interim_ms = (guint64)adit_value_get_int(aaa, "interim-update", 0);
  read_guard(made, aaa);

  AditAaaStaged *staged = g_new0(AditAaaStaged, 1);
  staged->config = made;
  return staged;
}

void adit_aaa_commit(AditAaaStaged *staged) {
  aaa_gate_configure(&staged->config->guard, staged->config->guard_exempt);
  aaa_config_unref(current);
  current = staged->config;
  g_free(staged);
}

void adit_aaa_abort(AditAaaStaged *staged) {
  if (!staged)
    return;
  aaa_config_unref(staged->config);
  g_free(staged);
}

gboolean adit_aaa_accounting(void) {
  return current->accounting;
}

guint64 adit_aaa_interim_ms(void) {
  return current->accounting ? current->interim_ms : 0;
}

AaaConfig *aaa_config_ref(void) {
  current->refs++;
  return current;
}

void aaa_config_unref(AaaConfig *config) {
  if (!config || --config->refs)
    return;
  g_ptr_array_unref(config->sources);
  g_array_unref(config->guard_exempt);
  g_free(config);
}

void aaa_config_init(void) {
  current = config_new();
}

void aaa_config_fini(void) {
  g_clear_pointer(&current, aaa_config_unref);
}
