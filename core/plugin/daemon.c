/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The daemon's life, from the command line to the last farewell. */
#include "core/plugin/daemon.h"
#include "config.h"
#include "core/aaa/aaa.h"
#include "core/base/hold.h"
#include "core/base/logging.h"
#include "core/base/loop.h"
#include "core/base/stall.h"
#include "core/config/reader.h"
#include "core/config/reference.h"
#include "core/control/commands.h"
#include "core/control/control.h"
#include "core/net/device.h"
#include "core/net/lock.h"
#include "core/net/net.h"
#include "core/plugin/modules.h"
#include "core/plugin/options.h"
#include "core/plugin/plugins.h"
#include "core/plugin/reload.h"
#include "core/plugin/rights.h"
#include "core/plugin/system.h"
#include "core/plugin/trial.h"
#include "core/session/config/attributes.h"
#include "core/session/life/accounting.h"
#include "core/session/session.h"
#include "core/store/state.h"
#include "core/store/store.h"
#include <errno.h>
#include <glib-unix.h>
#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

#define SESSIONS_LIMIT_MS 3000 /* to say goodbye to all peers */
#define PLUGINS_LIMIT_MS  5000 /* for StopCCN and its acknowledgement */
#define ACCT_LIMIT_MS     2000 /* for the last accounting records */

typedef enum { STARTING, RUNNING, STOPPING_SESSIONS, STOPPING_PLUGINS, STOPPING_ACCT, STOPPED } Phase;

static struct {
  const AditDaemonOptions *options;
  AditSchema *schema;
  AditValue *config; /* the first, until it is applied */
  GMainLoop *loop;
  GSource *hangup, *term, *interrupt;
  Phase phase;
  gboolean failed;
  AditTimer limit, watchdog;
} self;

/* ---- stop ---- */

static void stop_next_phase(Phase next);

static void sessions_gone(gpointer data) {
  if (self.phase == STOPPING_SESSIONS)
    stop_next_phase(STOPPING_PLUGINS);
}

static void plugins_gone(gpointer data) {
  if (self.phase == STOPPING_PLUGINS)
    stop_next_phase(STOPPING_ACCT);
}

static void acct_idle(gpointer data) {
  if (self.phase == STOPPING_ACCT)
    stop_next_phase(STOPPED);
}

static void limit_reached(AditTimer *timer, gpointer data) {
  adit_warning(NULL, "stopping takes too long: continuing without the rest");
  stop_next_phase(self.phase == STOPPING_SESSIONS ? STOPPING_PLUGINS : STOPPED);
}

/* Each stage may end before its call returns; `self.phase` tells which part has ended. */
static void stop_next_phase(Phase next) {
  self.phase = next;
  adit_timer_cancel(&self.limit);
  self.limit = (AditTimer){.func = limit_reached};
  switch (next) {
  case STARTING:
  case RUNNING:
    break;
  case STOPPING_SESSIONS:
    adit_timer_arm(&self.limit, SESSIONS_LIMIT_MS);
    adit_session_stop(sessions_gone, NULL);
    break;
  case STOPPING_PLUGINS:
    adit_session_account(FALSE);
    adit_plugins_stop(PLUGINS_LIMIT_MS, plugins_gone, NULL); /* keeps its own limit */
    break;
  case STOPPING_ACCT:
    adit_timer_arm(&self.limit, ACCT_LIMIT_MS);
    adit_acct_when_idle(acct_idle, NULL);
    break;
  case STOPPED:
    g_main_loop_quit(self.loop);
    break;
  }
}

static void stop_daemon(void) {
  if (self.phase >= STOPPING_SESSIONS)
    return;
  adit_system_notify("STOPPING=1");
  adit_plugins_freeze();
  stop_next_phase(STOPPING_SESSIONS);
}

static gboolean on_term(gpointer data) {
  if (self.phase >= STOPPING_SESSIONS) {
    adit_warning(NULL, "second stop signal: exiting at once");
    adit_timer_cancel(&self.limit);
    self.phase = STOPPED;
    g_main_loop_quit(self.loop);
  } else {
    adit_notice(NULL, "stopping");
    stop_daemon();
  }
  return G_SOURCE_CONTINUE;
}

/* ---- reload ---- */

static void hangup_done(AditConfigErrors *errors, const GError *refusal, const AditValue *changed, gpointer data) {
  if (self.phase == RUNNING)
    adit_system_notify("READY=1");
}

static gboolean on_hangup(gpointer data) {
  if (self.phase == RUNNING) {
    adit_system_notify_reloading();
    adit_reload(self.schema, self.options->config, hangup_done, NULL);
  }
  return G_SOURCE_CONTINUE;
}

/* ---- start ---- */

/* `number`: the errno to tell the service manager; 0 = none. */
static void fail_start(int number, const char *why) {
  g_auto(GStrv) lines = g_strsplit(why, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      adit_error(NULL, "%s", lines[i]);
  adit_system_notify_failure(number, lines[0]);
  self.failed = TRUE;
  stop_daemon();
}

static void notify_watchdog(AditTimer *timer, gpointer data) {
  adit_system_notify("WATCHDOG=1");
  adit_timer_arm(timer, adit_system_watchdog_us() / 2000);
}

static void on_started(const GError *error, gpointer data) {
  const AditValue *management;
  g_autoptr(GError) why = NULL;
  const char *path;
  gboolean read_all;

  if (self.phase != STARTING) /* told to stop meanwhile */
    return;
  if (error) {
    fail_start(0, error->message);
    return;
  }
  management = adit_option_management(adit_plugins_config());
  path = self.options->socket ? self.options->socket : adit_option_management_socket(management);
  read_all = !strcmp(adit_option_management_read(management), "all");
  if (!adit_control_start(path, adit_option_management_group(management), read_all, &why)) {
    fail_start(0, why->message);
    return;
  }
  adit_session_start();
  self.phase = RUNNING;
  adit_notice(NULL, "adit %s is ready", PACKAGE_VERSION);
  adit_system_notify("READY=1");
  if (adit_system_watchdog_us()) {
    self.watchdog = (AditTimer){.func = notify_watchdog};
    notify_watchdog(&self.watchdog, NULL);
  }
}

static void log_sweep(const AditSweepReport *report) {
  if (report->links || report->routes)
    adit_notice(NULL, "deleted %u interfaces and %u routes of an earlier run", report->links, report->routes);
  if (report->strangers)
    adit_warning(
        NULL,
        "%u interfaces of this aditd's interface-group are not its own (the first: %s) and are left alone: they were made with another "
        "--state-dir, or by another program; `ip link delete NAME` removes one",
        report->strangers, report->stranger);
  if (report->routes_left)
    adit_info(NULL, "%u routes of protocol %d are left alone, as another aditd runs in this network namespace", report->routes_left,
              ADIT_NET_PROTOCOL);
}

static void on_swept(gpointer user, int error, const AditSweepReport *report) {
  g_autoptr(AditValue) config = g_steal_pointer(&self.config);

  log_sweep(report);
  if (error == EPERM && adit_plugins_capabilities() & (G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN)) {
    if (self.phase == STARTING)
      fail_start(
          error,
          "this process has no right to change the network (CAP_NET_ADMIN in this network namespace is missing): start it as root or "
          "from its unit; a container needs --cap-add NET_ADMIN");
    return;
  }
  if (error)
    adit_warning(NULL, "interfaces or routes of an earlier run could not be deleted: %s", g_strerror(error));
  if (self.phase == STARTING)
    adit_plugins_start(config, on_started, NULL);
}

static void print_problems(const GPtrArray *problems) {
  for (guint i = 0; i < problems->len; i++)
    adit_error(NULL, "%s", (const char *)problems->pdata[i]);
}

static void print_text(GLogLevelFlags level, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      adit_log_at(level, NULL, "%s", lines[i]);
}

/* Plugins, schema, configuration, commands: all that can be wrong before anything is opened. */
static gboolean read_everything(void) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(GError) error = NULL;

  if (!adit_modules_load_plugins(self.options, problems)) {
    print_problems(problems);
    return FALSE;
  }
  self.schema = adit_modules_schema(self.options);
  adit_session_set_schema(self.schema);
  adit_rights_know_reader(self.options);
  self.config = adit_config_load(self.schema, self.options->config, errors);
  g_autofree char *wrong = adit_config_errors_text(errors), *unwise = adit_config_warnings_text(errors);
  print_text(G_LOG_LEVEL_WARNING, unwise);
  if (!self.config) {
    print_text(G_LOG_LEVEL_CRITICAL, wrong);
    return FALSE;
  }
  if (!adit_control_session_commands(&error) || !adit_control_net_commands(&error) ||
      !adit_daemon_commands(self.schema, self.options->config, &error)) {
    adit_error(NULL, "%s", error->message);
    return FALSE;
  }
  return TRUE;
}

static GSource *on_signal(int number, GSourceFunc func) {
  GSource *source = g_unix_signal_source_new(number);
  g_source_set_callback(source, func, NULL, NULL);
  g_source_attach(source, NULL);
  return source;
}

static void forget_signal(GSource **source) {
  g_source_destroy(*source);
  g_clear_pointer(source, g_source_unref);
}

static gboolean open_store(const char *path, GError **error) {
  g_autoptr(GError) why = NULL;

  if (!adit_state_is_held()) /* told already */
    return adit_store_open(NULL, error);
  return adit_store_open(path, &why) ||
         (adit_rights_without_state(self.options, self.config, why->message, error) && adit_store_open(NULL, error));
}

static void start_daemon(void) {
  AditLogLevel level;
  g_autoptr(GError) error = NULL;
  g_autofree char *store = g_build_filename(self.options->state_dir, "adit.db", NULL);

  if (!self.options->verbose && adit_logging_level_parse(adit_option_daemon_log_level(self.config), &level))
    adit_logging_set_level(level);
  if (!open_store(store, &error) || !adit_net_init(&error)) {
    fail_start(0, error->message);
    return;
  }
  adit_net_sweep(!adit_net_lock_others(geteuid()), on_swept, NULL);
}

static void look_for_stalls(void) {
  adit_stall_start(ADIT_STALL_FIRST_MS, ADIT_STALL_AGAIN_MS);
}

/* While there is one thread: the first signal source starts another. */
static gboolean give_up_rights(void) {
  g_autoptr(GError) error = NULL;

  adit_stall_stop();
  if (adit_rights_give_up(self.options, self.config, &error)) {
    look_for_stalls();
    return TRUE;
  }
  print_text(G_LOG_LEVEL_CRITICAL, error->message);
  adit_system_notify_failure(0, error->message);
  return FALSE;
}

static void clean_up(void) {
  adit_timer_cancel(&self.watchdog);
  adit_timer_cancel(&self.limit);
  adit_acct_when_idle(NULL, NULL);
  adit_control_stop();
  adit_work_drop(NULL); /* reloads and checks that are under way end while their callers still exist */
  adit_modules_fini();
  adit_control_unbind();
  adit_net_unlock();
  adit_state_close();
  adit_reader_stop();
  adit_device_stop();
  adit_stall_stop();
  g_clear_pointer(&self.config, adit_value_unref);
  g_clear_pointer(&self.schema, adit_schema_free);
}

int adit_daemon_run(const AditDaemonOptions *options) {
  self.options = options;
  adit_logging_init(options->verbose ? ADIT_LOG_DEBUG : ADIT_LOG_INFO);
  adit_system_raise_files();
  if (geteuid() == 0) { /* before there is a secret in memory that they would have, too */
    adit_reader_start(options->config);
    adit_device_start();
  }
  look_for_stalls();
  adit_modules_init();
  self.failed = !read_everything() || !give_up_rights();
  if (!self.failed) {
    self.loop = g_main_loop_new(NULL, FALSE);
    self.hangup = on_signal(SIGHUP, on_hangup);
    self.term = on_signal(SIGTERM, on_term);
    self.interrupt = on_signal(SIGINT, on_term);
    start_daemon();
    if (self.phase != STOPPED)
      g_main_loop_run(self.loop);
    adit_hold_set_pass(0); /* the last pass does not end by itself */
  }
  clean_up();
  if (self.loop) { /* not before: a further signal would end what cleans up */
    forget_signal(&self.hangup);
    forget_signal(&self.term);
    forget_signal(&self.interrupt);
    g_clear_pointer(&self.loop, g_main_loop_unref);
  }
  return self.failed ? 1 : 0;
}

/* ---- check ---- */

static void on_tried(const GError *error, gpointer data) {
  if (error) {
    printf("%s\n", error->message);
    self.failed = TRUE;
  }
  self.phase = STOPPED;
}

static gboolean try_on(void) {
  g_autoptr(GError) error = NULL;

  if (!adit_store_open(NULL, &error) || !adit_net_init(&error)) {
    printf("%s\n", error->message);
    return FALSE;
  }
  self.phase = STARTING;
  adit_plugins_try(self.config, on_tried, NULL);
  while (self.phase != STOPPED)
    g_main_context_iteration(NULL, TRUE);
  return !self.failed && adit_trial_run(self.options, self.config);
}

int adit_daemon_check(const AditDaemonOptions *options) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  gboolean good = FALSE;

  self.options = options;
  adit_logging_init(options->verbose ? ADIT_LOG_DEBUG : ADIT_LOG_WARNING);
  look_for_stalls();
  adit_modules_init();
  if (adit_modules_load_plugins(options, problems)) {
    self.schema = adit_modules_schema(options);
    adit_rights_know_reader(options);
    self.config = adit_config_load(self.schema, options->config, errors);
    g_autofree char *wrong = adit_config_errors_text(errors), *unwise = adit_config_warnings_text(errors);
    printf("%s%s", wrong, unwise);
    good = self.config && try_on();
  }
  for (guint i = 0; i < problems->len; i++)
    printf("%s\n", (const char *)problems->pdata[i]);
  if (good)
    printf("%s: good\n", options->config);
  clean_up();
  return good ? 0 : 1;
}

int adit_daemon_print_schema(const AditDaemonOptions *options, const char *what) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) words = g_strsplit(what, ":", 2);
  const char *plugin = words[0] ? words[1] : NULL;
  gboolean alone = words[0] && !strcmp(words[0], "schema"); /* that plugin's options and no others */
  g_autofree char *text = NULL;

  self.options = options;
  adit_logging_init(ADIT_LOG_WARNING);
  adit_modules_init();
  adit_modules_add_dirs(options);
  if (adit_plugins_peruse(g_strcmp0(plugin, "core") ? plugin : NULL, problems)) {
    self.schema = adit_modules_schema(options);
    text = adit_reference_print(self.schema, alone || !plugin ? what : words[0], &error);
    if (text)
      fputs(text, stdout);
    else
      fprintf(stderr, "%s\n", error->message);
  }
  for (guint i = 0; i < problems->len; i++)
    fprintf(stderr, "%s\n", (const char *)problems->pdata[i]);
  clean_up();
  return text ? 0 : 1;
}
