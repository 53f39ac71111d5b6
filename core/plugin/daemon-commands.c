/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* io.adit.daemon: what only the uppermost module can answer. */
#include "core/base/loop.h"
#include "core/control/control.h"
#include "core/plugin/daemon.h"
#include "core/plugin/plugins.h"
#include "core/plugin/reload.h"

static const char description[] =
    "# Plugins and configuration.\n"
    "interface io.adit.daemon\n"
    "method ListPlugins() -> (plugins: []object)\n"
    "# Reads the configuration again. Either all of it takes effect, or nothing changes and BadConfiguration holds the errors.\n"
    "method Reload() -> (changed: []string, warnings: []string)\n"
    "# Looks for common errors. `level`: ok, note, warning, error.\n"
    "method Check() -> (findings: []object)\n"
    "error BadConfiguration (text: string, problems: []string)\n";

static struct {
  const AditSchema *schema;
  const char *path;
} self;

static void list_plugins(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_list(call, "plugins", adit_plugins_describe());
}

/* ---- reload ---- */

static AditValue *lines_value(const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  AditValue *list = adit_value_list();
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      adit_value_append(list, adit_value_string(lines[i]));
  return list;
}

static void answer_reload(AditConfigErrors *errors, const GError *refusal, const AditValue *changed, gpointer data) {
  AditCall *call = (AditCall *)data;
  g_autofree char *wrong = adit_config_errors_text(errors), *unwise = adit_config_warnings_text(errors);

  if (refusal || *wrong) {
    g_autofree char *text = g_strdup_printf("%s%s", wrong, refusal ? refusal->message : "");
    adit_control_service()->error(call, "io.adit.daemon.BadConfiguration", g_strchomp(text));
    return;
  }
  AditValue *result = adit_value_map();
  adit_value_set(result, "changed", adit_value_ref(changed));
  adit_value_set(result, "warnings", lines_value(unwise));
  adit_control_service()->reply(call, result, FALSE);
}

static void handle_reload(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_reload(self.schema, self.path, answer_reload, call);
}

/* ---- check ---- */

typedef struct {
  AditCall *call;
  AditValue *config, *findings;
} Check;

static void add_lines(AditValue *findings, const char *level, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      adit_control_finding(findings, level, lines[i], NULL);
}

static void look_at_config(gpointer data) {
  Check *check = (Check *)data;
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) fresh = adit_config_load(self.schema, self.path, errors);
  g_autofree char *wrong = adit_config_errors_text(errors), *unwise = adit_config_warnings_text(errors);

  check->findings = adit_control_check(check->config);
  add_lines(check->findings, "error", wrong);
  add_lines(check->findings, "warning", unwise);
  if (fresh && !adit_value_equal(fresh, check->config))
    adit_control_finding(check->findings, "note", "the configuration files differ from what is in force", "aditctl reload");
}

static void answer_check(gpointer data) {
  Check *check = (Check *)data;
  adit_control_reply_list(check->call, "findings", check->findings ? check->findings : adit_value_list());
  adit_value_unref(check->config);
  g_free(check);
}

static void check_machine(gpointer state, AditCall *call, const AditValue *parameters) {
  Check *check = g_new0(Check, 1);

  check->call = call;
  check->config = adit_value_ref(adit_plugins_config());
  if (adit_run_blocking(NULL, look_at_config, answer_check, check))
    return;
  adit_control_service()->error(call, "io.adit.daemon.Busy", "too many operations in progress: try again");
  adit_value_unref(check->config);
  g_free(check);
}

static const AditMethod methods[] = {
    {.size = sizeof(AditMethod), .name = "ListPlugins", .call = list_plugins},
    {.size = sizeof(AditMethod), .name = "Reload", .changes = TRUE, .call = handle_reload, .limit_s = 300},
    {.size = sizeof(AditMethod), .name = "Check", .call = check_machine, .limit_s = 300},
};

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show plugins",
     .method = "io.adit.daemon.ListPlugins",
     .rows = "plugins",
     .columns = "NAME=name VERSION=version STATE=state PROVIDES=provides SUMMARY=summary",
     .summary = "list plugins and the features of each",
     .help = "In the order in which plugins start. `plugins:` in the configuration is the list that is loaded; see adit-plugin(7) to write "
             "one."},
    {.size = sizeof(AditCommand),
     .verb = "reload",
     .method = "io.adit.daemon.Reload",
     .summary = "reload the configuration",
     .help = "All of it takes effect, or, if anything is wrong, nothing: then every mistake is printed with its file, line and column. "
             "Sessions stay "
             "up; only a server or client that was removed or disabled drops its own. The same as SIGHUP; `aditd --check` looks without "
             "changing anything."},
    {.size = sizeof(AditCommand),
     .verb = "check",
     .method = "io.adit.daemon.Check",
     .rows = "findings",
     .columns = "LEVEL=level WHAT=what ADVICE=advice",
     .summary = "look for common errors in the set-up of the machine",
     .help = "Forwarding that is off, reverse-path filters, ports that are taken, a missing /dev/net/tun, firewalls that drop, pools that "
             "hold this "
             "machine's own addresses, mistakes in the configuration files; each with what to do about it."},
};

gboolean adit_daemon_commands(const AditSchema *schema, const char *path, GError **error) {
  self.schema = schema;
  self.path = path;
  return adit_control_service()->interface_add(NULL, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), NULL,
                                               error);
}
