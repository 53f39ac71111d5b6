/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A reload: files read and checked on another thread, then given to all modules and plugins, then reported. */
#include "core/plugin/reload.h"
#include "core/base/logging.h"
#include "core/base/loop.h"
#include "core/base/memory.h"
#include "core/bus/bus.h"
#include "core/plugin/options.h"
#include "core/plugin/plugins.h"

typedef struct {
  const AditSchema *schema;
  char *path;
  AditConfigErrors *errors;
  AditValue *config;
  AditValue *before;
  AditReloaded done;
  gpointer data;
} Reload;

/* One at a time, and those that come meanwhile after it: it may have read the files before they were changed again. */
static GQueue waiting = G_QUEUE_INIT; /* of Reload*; the first one runs */

static void begin_reload(Reload *reload);

static void finish_reload(Reload *reload, const GError *refusal, const AditValue *changed) {
  reload->done(reload->errors, refusal, changed, reload->data);
  g_queue_remove(&waiting, reload);
  adit_value_unref(reload->before);
  adit_value_unref(reload->config);
  adit_config_errors_free(reload->errors);
  g_free(reload->path);
  g_free(reload);
  adit_memory_give_back();
  if (waiting.head)
    begin_reload((Reload *)waiting.head->data);
}

static void log_lines(GLogLevelFlags level, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      adit_log_at(level, NULL, "%s", lines[i]);
}

static void add_changed(AditValue *changed, const AditValue *one, const AditValue *other) {
  for (guint i = 0; i < adit_value_length(one); i++) {
    const char *key = adit_value_key(one, i);
    gboolean told = FALSE;
    for (guint n = 0; n < adit_value_length(changed); n++)
      told |= !strcmp(adit_value_at(changed, n)->as.string, key);
    if (!told && !adit_value_equal(adit_value_get(one, key), adit_value_get(other, key)))
      adit_value_append(changed, adit_value_string(key));
  }
}

static void publish_loaded(void) {
  AditEvent event = {.type = adit_bus_type(ADIT_EVENT_CONFIG_LOADED), .size = sizeof event};
  if (event.type)
    adit_bus_publish(&event);
}

static void on_applied(const GError *error, gpointer data) {
  Reload *reload = (Reload *)data;
  g_autoptr(AditValue) changed = adit_value_list();

  if (!error) {
    add_changed(changed, reload->before, reload->config);
    add_changed(changed, reload->config, reload->before);
    if (reload->before)
      adit_config_warn_restart(reload->schema, reload->before, reload->config, reload->errors);
  }
  g_autofree char *warnings = adit_config_warnings_text(reload->errors);
  if (error) {
    log_lines(G_LOG_LEVEL_CRITICAL, error->message);
    adit_error(NULL, "the configuration was refused: nothing has changed");
  } else {
    AditLogLevel level;
    log_lines(G_LOG_LEVEL_WARNING, warnings);
    if (adit_logging_level_parse(adit_option_daemon_log_level(reload->config), &level) && reload->before)
      adit_logging_set_level(level);
    adit_notice(NULL, "configuration loaded from %s%s", reload->path, adit_value_length(changed) ? "" : ": nothing has changed");
    publish_loaded();
  }
  finish_reload(reload, error, changed);
}

static void read_files(gpointer data) {
  Reload *reload = (Reload *)data;
  reload->config = adit_config_share(adit_config_load(reload->schema, reload->path, reload->errors), reload->before);
}

static void files_read(gpointer data) {
  Reload *reload = (Reload *)data;

  if (!reload->config && !adit_config_errors_count(reload->errors)) { /* never read */
    g_autoptr(GError) error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, "the daemon is stopping");
    finish_reload(reload, error, NULL);
  } else if (!reload->config) {
    g_autofree char *text = adit_config_errors_text(reload->errors);
    log_lines(G_LOG_LEVEL_CRITICAL, text);
    adit_error(NULL, "the configuration is wrong: nothing has changed");
    finish_reload(reload, NULL, NULL);
  } else {
    adit_plugins_apply(reload->config, on_applied, reload);
  }
}

static void begin_reload(Reload *reload) {
  reload->before = adit_value_ref(adit_plugins_config());
  if (!adit_run_blocking(NULL, read_files, files_read, reload)) {
    g_autoptr(GError) error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, "too many operations in progress: try again");
    finish_reload(reload, error, NULL);
  }
}

void adit_reload(const AditSchema *schema, const char *path, AditReloaded done, gpointer data) {
  Reload *reload = g_new0(Reload, 1);

  reload->schema = schema;
  reload->path = g_strdup(path);
  reload->errors = adit_config_errors_new();
  reload->done = done;
  reload->data = data;
  g_queue_push_tail(&waiting, reload);
  if (waiting.length == 1)
    begin_reload(reload);
}
