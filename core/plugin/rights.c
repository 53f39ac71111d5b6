/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From a process that may do everything to one that may change the network: what has to be done before, and the step itself. */
#include "core/plugin/rights.h"
#include "config.h"
#include "core/base/privileges.h"
#include "core/config/config.h"
#include "core/config/defaults.h"
#include "core/config/reader.h"
#include "core/control/control.h"
#include "core/net/device.h"
#include "core/net/lock.h"
#include "core/net/net.h"
#include "core/plugin/options.h"
#include "core/plugin/plugins.h"
#include "core/store/state.h"
#include <adit/log.h>
#include <linux/capability.h>
#include <unistd.h>

#define LOCKED_MEMORY ((gsize)64 << 20)

/* ---- the user ---- */

static const char *user_wanted(const AditDaemonOptions *options, const AditValue *config, gboolean *asked) {
  *asked = options->user || adit_value_is_written(adit_option_daemon_user_value(config));
  return options->user ? options->user : adit_option_daemon_user(config);
}

static void place_error(GError **error, const AditDaemonOptions *options, const AditValue *config) {
  const AditValue *written = options->user ? NULL : adit_option_daemon_user_value(config);
  if (adit_value_is_written(written) && written->where.file)
    g_prefix_error(error, "%s:%u:%u: user: ", written->where.file, written->where.line, written->where.column);
  else
    g_prefix_error(error, "--user: ");
}

gboolean adit_rights_find_user(const AditDaemonOptions *options, const AditValue *config, AditUser *user, gboolean *found, GError **error) {
  gboolean asked;
  const char *name = user_wanted(options, config, &asked);
  g_autoptr(GError) why = NULL;

  *found = adit_user_find(name, user, &why);
  if (*found || !asked)
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&why));
  place_error(error, options, config);
  return FALSE;
}

void adit_rights_know_reader(const AditDaemonOptions *options) {
  g_auto(GStrv) written = options->user ? NULL : adit_config_peek(options->config, adit_option_daemon_user_key);
  g_autoptr(AditValue) defaults = adit_options_defaults(adit_daemon_options, adit_daemon_n_options, ADIT_SCOPE_GLOBAL);
  const char *name = options->user ? options->user : written && written[0] ? written[0] : adit_option_daemon_user(defaults);
  AditUser user;

  if (geteuid() != 0)
    adit_config_set_reader(getegid());
  else if (adit_user_find(name, &user, NULL))
    adit_config_set_reader(user.gid);
}

/* ---- what only one daemon may have ---- */

static gboolean take_state(const AditDaemonOptions *options, const AditValue *config, GError **error) {
  g_autoptr(GError) why = NULL;

  if (adit_state_open(options->state_dir, &why))
    return TRUE;
  if (g_error_matches(why, ADIT_ERROR, ADIT_ERR_EXISTS)) {
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
  }
  return adit_rights_without_state(options, config, why->message, error);
}

gboolean adit_rights_without_state(const AditDaemonOptions *options, const AditValue *config, const char *why, GError **error) {
  if (adit_option_daemon_require_state(config)) {
    g_set_error(
        error, ADIT_ERROR, ADIT_ERR_SYSTEM,
        "%s: accounting records that no server has taken yet can't be kept in the state directory %s: make it writable, set --state-dir "
        "to another, or set `require-state: no` to run without",
        why, options->state_dir);
    return FALSE;
  }
  adit_warning(NULL,
               "%s: running without a state directory, as `require-state` is no: a stop or crash loses accounting records that no server "
               "has taken yet",
               why);
  adit_state_assume(options->state_dir);
  return TRUE;
}

static gboolean take_what_is_ours(const AditDaemonOptions *options, const AditValue *config, const AditUser *user, GError **error) {
  guint32 group = (guint32)adit_option_daemon_interface_group(config);
  const char *socket = options->socket ? options->socket : adit_option_management_socket(adit_option_management(config));

  if (!take_state(options, config, error) || !adit_net_lock(group, user->uid, error) || !adit_control_bind(socket, error))
    return FALSE;
  adit_net_set_group(group);
  adit_net_set_token(adit_state_token());
  return TRUE;
}

/* ---- the step ---- */

static void give_files(const AditDaemonOptions *options, const AditUser *user) {
  g_autoptr(GError) error = NULL;

  adit_control_give(user->uid, user->gid);
  if (adit_state_is_held() && !adit_state_give(options->state_dir, user->uid, user->gid, &error))
    adit_warning(NULL, "%s", error->message); /* the store says so if it matters */
}

gboolean adit_rights_give_up(const AditDaemonOptions *options, const AditValue *config, GError **error) {
  guint64 keep = adit_plugins_capabilities() | G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN;
  AditUser user = {.uid = geteuid(), .gid = getegid()};
  gboolean is_root = geteuid() == 0, found, asked;
  const char *name = user_wanted(options, config, &asked);

  if (!adit_rights_find_user(options, config, &user, &found, error) || !adit_plugins_permitted(adit_privileges_held(), error) ||
      !take_what_is_ours(options, config, &user, error))
    return FALSE;
  gboolean change = is_root && found && user.uid != 0;
  adit_privileges_raise_memlock(LOCKED_MEMORY);
  if (is_root) /* also back to root, which has no right to what was another's any more */
    give_files(options, change ? &user : &(AditUser){.uid = 0, .gid = 0});
  if (change) {
    adit_reader_settle(&user);
    adit_device_settle(&user);
  } else {
    adit_reader_stop();
    adit_device_stop();
  }
  if (!adit_privileges_drop(change ? &user : NULL, keep, error))
    return FALSE;
  gboolean filtered = adit_privileges_filter();
  if (change)
    adit_info(NULL, "running as user %s%s", user.name, filtered ? ", with a system-call filter" : "");
  else if (is_root && !found)
    adit_notice(
        NULL,
        "running as root with few capabilities, as there is no user `%s': create it (systemd-sysusers; useradd --system %s), or set `user`",
        name, name);
  else if (!is_root && asked && (!found || user.uid != geteuid()))
    adit_notice(NULL, "user: only a start as root can become `%s': running as uid %d", name, (int)geteuid());
  return TRUE;
}
