/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* aditd(8): the command line; the rest is core/plugin/daemon.c. */
#include "config.h"
#include "core/plugin/daemon.h"
#include <stdio.h>

int main(int argc, char **argv) {
  g_autofree char *config = NULL, *socket = NULL, *state_dir = NULL, *user = NULL, *schema = NULL;
  g_auto(GStrv) dirs = NULL;
  gboolean check = FALSE, version = FALSE, verbose = FALSE;
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config,
       "the configuration (default " SYSCONFDIR "/adit/adit.yaml; conf.d/*.yaml beside it)", "FILE"},
      {"check", 0, 0, G_OPTION_ARG_NONE, &check, "check the configuration, print every error, and exit with 0 (valid) or 1", NULL},
      {"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &dirs, "search for plugins here before " PLUGINDIR "; may be repeated", "DIR"},
      {"socket", 0, 0, G_OPTION_ARG_FILENAME, &socket, "the management socket (overrides the configuration)", "PATH"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &state_dir,
       "folder for state that survives a restart (default " LOCALSTATEDIR "/lib/adit)", "DIR"},
      {"user", 0, 0, G_OPTION_ARG_STRING, &user, "user to run as when started as root (default: `user' of the configuration, else adit)",
       "NAME"},
      {"print-schema", 0, 0, G_OPTION_ARG_STRING, &schema,
       "print all options and exit, as: man, sample or json (with :PLUGIN for one that is not loaded by itself), or schema:PLUGIN", "AS"},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "log at level debug", NULL},
      {"version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version and exit", NULL},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("- modular access concentrator");
  g_autoptr(GError) error = NULL;

  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_description(
      context, "aditctl(1) controls the running daemon. SIGHUP reloads the configuration, SIGTERM ends all sessions and stops.");
  if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
    fprintf(stderr, "aditd: %s: see aditd --help\n", error ? error->message : "too many arguments");
    return 2;
  }
  if (version) {
    printf("aditd %s (plugin ABI %d.%d)\n", PACKAGE_VERSION, ADIT_ABI_MAJOR, ADIT_ABI_MINOR);
    return 0;
  }

  const AditDaemonOptions options = {
      .config = config ? config : SYSCONFDIR "/adit/adit.yaml",
      .plugin_dirs = (const char *const *)dirs,
      .socket = socket,
      .state_dir = state_dir ? state_dir : LOCALSTATEDIR "/lib/adit",
      .user = user,
      .verbose = verbose,
  };
  if (schema)
    return adit_daemon_print_schema(&options, schema);
  return check ? adit_daemon_check(&options) : adit_daemon_run(&options);
}
