/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-config.h"
#include "core/aaa/aaa-gate.h"
#include "core/aaa/aaa-registry.h"
#include "core/config/defaults.h"
#include "core/config/schema.h"
#include <adit/mistake.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "core/aaa/options.def"
#undef ADIT_OPTION_ROW

const AditOption adit_aaa_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "core/aaa/options.def"
#undef ADIT_OPTION_ROW
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
  config->guard_exempt = g_array_new(FALSE, FALSE, sizeof(AditPrefix));
  return config;
}

static gboolean sources_have(const AaaConfig *config, const char *name) {
  return g_ptr_array_find(config->sources, g_intern_string(name), NULL);
}

/** Says that `name` is no source, where that was written, and what there is instead. */
static void no_such_source(const AditValue *value, const char *option, const char *name, GError **error) {
  const GPtrArray *sources = aaa_sources();
  g_autoptr(GString) names = g_string_new(NULL);

  for (guint i = 0; i < sources->len; i++)
    g_string_append_printf(names, "%s%s", i ? ", " : sources->len > 1 ? "are " : "is ", ((AaaSource *)sources->pdata[i])->name);
  adit_mistake(error, value, option, "no plugin provides the source %s (there %s): is it in `plugins'?", name,
               sources->len ? names->str : "is none");
}

static gboolean read_sources(AaaConfig *config, const AditValue *aaa, GError **error) {
  const AditValue *list = adit_option_aaa_sources(aaa);

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    const char *name = item->as.string;
    /* The default is not written: a daemon that only dials needs no source at all. */
    if (!aaa_source_find(name) && ((list->flags | item->flags) & ADIT_VALUE_IS_DEFAULT))
      continue;
    if (!aaa_source_find(name)) {
      no_such_source(item, "aaa.sources", name, error);
      return FALSE;
    }
    if (!sources_have(config, name))
      g_ptr_array_add(config->sources, (gpointer)g_intern_string(name));
  }

  if (adit_option_aaa_use_radius(aaa) && !sources_have(config, "radius")) {
    if (!aaa_source_find("radius")) {
      no_such_source(adit_option_aaa_use_radius_value(aaa), "aaa.use-radius", "radius", error);
      return FALSE;
    }
    g_ptr_array_add(config->sources, (gpointer)g_intern_static_string("radius"));
  }
  return TRUE;
}

static void read_guard(AaaConfig *config, const AditValue *aaa) {
  const AditValue *list = adit_option_aaa_login_guard_exempt(aaa);
  AaaGuardRules *guard = &config->guard;

  guard->on = adit_option_aaa_login_guard(aaa);
  guard->failures = (guint)adit_option_aaa_login_failures(aaa);
  guard->lockout_ms = (guint64)adit_option_aaa_login_lockout(aaa);
  guard->lockout_max_ms = (guint64)adit_option_aaa_login_lockout_max(aaa);
  for (guint i = 0; i < adit_value_length(list); i++)
    g_array_append_val(config->guard_exempt, adit_value_at(list, i)->as.prefix);
}

static void read_rest(AaaConfig *config, const AditValue *aaa) {
  config->next_on_error = !g_strcmp0(adit_option_aaa_on_error(aaa), "next");
  config->timeout_ms = (guint64)adit_option_aaa_timeout(aaa);
  config->accounting = adit_option_aaa_accounting(aaa);
  config->interim_ms = (guint64)adit_option_aaa_interim_update(aaa);
  read_guard(config, aaa);
}

AditAaaStaged *adit_aaa_prepare(const AditValue *config, GError **error) {
  const AditValue *aaa = adit_option_aaa(config);
  AaaConfig *made = config_new();

  if (!read_sources(made, aaa, error)) {
    aaa_config_unref(made);
    return NULL;
  }
  read_rest(made, aaa);

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
  g_autoptr(AditValue) defaults = adit_options_defaults(adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA);

  current = config_new();
  read_rest(current, defaults);
}

void aaa_config_fini(void) {
  g_clear_pointer(&current, aaa_config_unref);
}
