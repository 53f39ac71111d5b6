/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#define _GNU_SOURCE /* dladdr */
#include "core/base/misuse.h"
#include "core/base/clock.h"

#include <adit/log.h>
#include <dlfcn.h>

static GMutex lock; /* guards the limit: every thread may log */
static AditRateLimit lines;

static gboolean may_log(guint *suppressed) {
  g_mutex_lock(&lock);
  gboolean may = adit_rate_allows(&lines, adit_clock_ms(), 10, 10000, suppressed);
  g_mutex_unlock(&lock);
  return may;
}

static void log_misuse(const char *plugin, const char *text) {
  guint suppressed = 0;

  if (may_log(&suppressed))
    adit_warning(NULL, "plugin %s: %s%s", plugin, text, suppressed ? " (more such lines were suppressed)" : "");
}

static void take_misuse(AditPlugin *plugin, const char *text) {
  if (!plugin || plugin->stage != ADIT_OWNER_LOADING || !adit_main_thread_is()) {
    log_misuse(adit_plugin_name(plugin), text);
    return;
  }
  if (!plugin->mistakes)
    plugin->mistakes = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(plugin->mistakes, g_strdup(text));
}

void adit_misuse(AditPlugin *plugin, const char *format, ...) {
  va_list args;

  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  take_misuse(plugin, text);
}

gboolean adit_registration_refuse(AditPlugin *plugin, GError **error, AditErrorCode code, const char *format, ...) {
  va_list args;

  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  if (plugin && plugin->stage != ADIT_OWNER_FREE)
    take_misuse(plugin, text);
  g_set_error_literal(error, ADIT_ERROR, code, text);
  return FALSE;
}

gboolean adit_registration_allowed(AditPlugin *plugin, const char *function, const char *kind, const char *name, GError **error) {
  if (!plugin || plugin->stage == ADIT_OWNER_FREE)
    return TRUE;
  if (plugin->stage != ADIT_OWNER_LOADING)
    return adit_registration_refuse(plugin, error, ADIT_ERR_DENIED, "%s() of %s outside of init(): register there", function,
                                    name ? name : "(NULL)");
  if (!kind || !name || !plugin->provides)
    return TRUE;
  g_autofree char *feature = g_strdup_printf("%s:%s", kind, name);
  if (g_strv_contains(plugin->provides, feature))
    return TRUE;
  return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID,
                                  "%s() of %s, but the plugin does not declare it: add {ADIT_PROVIDES, \"%s\"} to its features", function,
                                  name, feature);
}

/* ---- threads ---- */

static gint main_known; /* atomic */
static __thread gboolean main_here;

void adit_main_thread_set(gboolean is) {
  main_here = is;
  g_atomic_int_set(&main_known, is);
}

gboolean adit_main_thread_is(void) {
  return main_here || !g_atomic_int_get(&main_known);
}

const char *adit_code_owner(gconstpointer code) {
  static const char here;
  Dl_info found, own;

  if (!code || !dladdr(code, &found) || (dladdr(&here, &own) && own.dli_fbase == found.dli_fbase))
    return NULL;
  g_autofree char *file = g_path_get_basename(found.dli_fname);
  if (!g_str_has_suffix(file, ".so")) /* a library that the program is linked to */
    return NULL;
  file[strlen(file) - 3] = 0;
  return g_intern_string(file);
}

void adit_misuse_thread(const char *function, gconstpointer caller) {
  const char *plugin = adit_code_owner(caller);
  g_autofree char *text =
      g_strdup_printf("%s() was called on another thread than the main loop's: refused; use adit.loop call_main()", function);
  log_misuse(plugin ? plugin : "core", text);
}
