/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* `aditd --check` on the machine: what a start would stumble over, tried without a trace. */
#include "core/plugin/trial.h"
#include "config.h"
#include "core/control/control.h"
#include "core/net/lock.h"
#include "core/net/net.h"
#include "core/net/sweep.h"
#include "core/plugin/options.h"
#include "core/plugin/plugins.h"
#include "core/plugin/rights.h"
#include "core/store/state.h"
#include <adit/session-options.h>
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
  guint problems;
  gboolean running; /* a daemon answers on the management socket */
} self;

G_GNUC_PRINTF(3, 4)
static void add_complaint(const AditValue *value, const char *option, const char *format, ...) {
  g_autofree char *text = NULL;
  va_list args;

  va_start(args, format);
  text = g_strdup_vprintf(format, args);
  va_end(args);
  if (value && value->where.file)
    printf("%s:%u:%u: ", value->where.file, value->where.line, value->where.column);
  printf("%s%s%s\n", option ? option : "", option ? ": " : "", text);
  self.problems++;
}

/* ---- for plugins ---- */

static void try_udp(const AditValue *value, const AditEndpoint *at) {
  int fd = socket(at->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), only = 1;
  char text[ADIT_ENDPOINT_TEXT], address[ADIT_ADDRESS_TEXT];
  AditAddress bare = adit_endpoint_address(at);
  guint port = adit_endpoint_port(at);

  if (at->any.sa_family == AF_INET6 && fd >= 0)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  int why = fd < 0 || bind(fd, &at->any, adit_endpoint_size(at)) < 0 ? errno : 0;
  if (fd >= 0)
    close(fd);
  switch (why) {
  case 0:
    break;
  case EADDRINUSE:
    if (!self.running)
      add_complaint(value, NULL, "UDP port %u of %s is in use: `ss -ulpn sport = %u` shows the process; stop it, or set another port", port,
                    adit_address_format(&bare, address), port);
    break;
  case EADDRNOTAVAIL:
    add_complaint(value, NULL, "%s is not an address of this machine: `ip address` lists them", adit_address_format(&bare, address));
    break;
  case EACCES: /* the user that checks may not; the daemon may, if it is started as root */
    if (geteuid() == 0)
      add_complaint(value, NULL, "UDP port %u is below 1024 and needs CAP_NET_BIND_SERVICE: set another port, or give the capability",
                    port);
    break;
  default:
    add_complaint(value, NULL, "%s: %s", adit_endpoint_format(at, text), g_strerror(why));
  }
}

static void try_file(const AditValue *value, const char *path) {
  if (access(path, R_OK) < 0 && (errno != EACCES || geteuid() == 0))
    add_complaint(value, NULL, "%s: %s: set the path of an existing file", path, g_strerror(errno));
}

static void tell_problem(const AditValue *value, const char *text) {
  add_complaint(value, NULL, "%s", text);
}

/* ---- the core's own ---- */

/* Ours carries the token of the state directory. */
static gboolean is_ours(const char *name) {
  AditRtnl *rtnl = adit_rtnl_open(NULL);
  gboolean ours = rtnl && *adit_state_token() && adit_sweep_is_ours(rtnl, if_nametoindex(name), adit_state_token());
  adit_rtnl_close(rtnl);
  return ours;
}

/* `interface` is one option in all scopes that have it: profiles, users, servers. */
static void try_interfaces(const AditValue *value) {
  const AditValue *name = adit_option_interface_value(value);

  if (adit_value_is_written(name) && name->type == ADIT_VALUE_STRING && strcmp(name->as.string, "own") && if_nametoindex(name->as.string) &&
      !is_ours(name->as.string) && !self.running)
    add_complaint(name, "interface", "interface %s exists already and is not adit's: set another name, or delete it (ip link delete %s)",
                  name->as.string, name->as.string);
  for (guint i = 0; i < adit_value_length(value); i++)
    try_interfaces(value->type == ADIT_VALUE_MAP ? adit_value_get(value, adit_value_key(value, i)) : adit_value_at(value, i));
}

static void try_accounts(const AditDaemonOptions *options, const AditValue *config, AditUser *user) {
  const AditValue *group = adit_option_management_group_value(adit_option_management(config));
  g_autoptr(GError) error = NULL;
  gboolean found;

  *user = (AditUser){.uid = geteuid(), .gid = getegid()};
  if (!adit_rights_find_user(options, config, user, &found, &error))
    add_complaint(NULL, NULL, "%s", error->message);
  if (adit_value_is_written(group) && !getgrnam(group->as.string))
    add_complaint(group, "management.group", "there is no group `%s': create it (groupadd --system %s), or remove the option",
                  group->as.string, group->as.string);
}

static void try_group(const AditValue *config, const AditUser *user) {
  guint32 group = (guint32)adit_option_daemon_interface_group(config);
  pid_t holder = adit_net_lock_holder(group, user->uid);

  if (holder && !self.running)
    add_complaint(
        adit_option_daemon_interface_group_value(config), "interface-group",
        "another aditd (process %d) runs in this network namespace with %u: set another number, and give each its own --state-dir and "
        "--socket",
        (int)holder, group);
}

static void try_state(const AditDaemonOptions *options, const AditValue *config) {
  g_autoptr(GError) error = NULL, why = NULL;

  /* Another user than the daemon's can't tell. */
  if (adit_state_look(options->state_dir, &why) || (geteuid() != 0 && !options->user))
    return;
  if (adit_option_daemon_require_state(config) && !adit_rights_without_state(options, config, why->message, &error))
    add_complaint(NULL, NULL, "%s", error->message);
}

gboolean adit_trial_run(const AditDaemonOptions *options, const AditValue *config) {
  const AditTrial trial = {.size = sizeof trial, .udp = try_udp, .file = try_file, .problem = tell_problem};
  const char *socket = adit_option_management_socket(adit_option_management(config));
  AditUser user;

  self.problems = 0;
  self.running = adit_control_answers(options->socket ? options->socket : socket);
  try_state(options, config);
  try_accounts(options, config, &user);
  try_group(config, &user);
  try_interfaces(config);
  adit_plugins_check(config, &trial);
  return self.problems == 0;
}
