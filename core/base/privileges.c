/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/base/privileges.h"

#include <adit/log.h>
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- accounts ---- */

gboolean adit_user_find(const char *name, AditUser *user, GError **error) {
  errno = 0;
  const struct passwd *entry = getpwnam(name);

  if (!entry || strlen(name) >= sizeof user->name) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no user `%s'%s%s", name, errno ? ": " : "",
                errno ? g_strerror(errno) : "");
    return FALSE;
  }
  *user = (AditUser){.uid = entry->pw_uid, .gid = entry->pw_gid};
  g_strlcpy(user->name, name, sizeof user->name);
  return TRUE;
}

/* ---- capabilities ---- */

static gboolean is_in(guint64 set, guint capability) {
  return capability < 64 && (set & G_GUINT64_CONSTANT(1) << capability);
}

guint64 adit_privileges_held(void) {
  guint64 held = 0;
  if (capng_get_caps_process() < 0)
    return 0;
  for (guint cap = 0; cap <= (guint)CAP_LAST_CAP; cap++)
    if (capng_have_capability(CAPNG_EFFECTIVE, cap))
      held |= G_GUINT64_CONSTANT(1) << cap;
  return held;
}

const char *adit_privileges_name(guint capability) {
  static char name[32];
  const char *word = capng_capability_to_name(capability);
  g_autofree char *upper = g_ascii_strup(word ? word : "?", -1);
  g_snprintf(name, sizeof name, "CAP_%s", upper);
  return name;
}

static gboolean set_privilege_error(GError **error, const char *what, int code) {
  g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: %s (%d)", what, errno ? g_strerror(errno) : "refused", code);
  return FALSE;
}

/* A capability that root of a container lacks is no reason to stop: it has it no more. */
static gboolean reduce_capabilities(guint64 keep) {
  guint64 held = adit_privileges_held();

  if (is_in(held, CAP_SETPCAP)) {
    capng_clear(CAPNG_SELECT_BOUNDS);
    capng_apply(CAPNG_SELECT_BOUNDS);
  } else if (held) {
    adit_debug(NULL, "the bounding set of capabilities stays: CAP_SETPCAP is missing");
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  capng_clear(CAPNG_SELECT_CAPS);
  for (guint cap = 0; cap <= (guint)CAP_LAST_CAP; cap++)
    if (is_in(keep & held, cap))
      capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
  if (capng_apply(CAPNG_SELECT_CAPS) == 0)
    return TRUE;
  return !(adit_privileges_held() & ~keep); /* a unit's filter may deny capset(), where there is nothing left to give up */
}

static gboolean change_user(const AditUser *user, guint64 keep, GError **error) {
  guint64 held = adit_privileges_held();

  capng_clear(CAPNG_SELECT_BOTH);
  for (guint cap = 0; cap <= (guint)CAP_LAST_CAP; cap++)
    if (is_in(keep & held, cap))
      capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
  errno = 0;
  int code = capng_change_id((int)user->uid, (int)user->gid, CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
  if (code == 0 && getuid() == user->uid && geteuid() == user->uid && getegid() == user->gid)
    return TRUE;
  g_autofree char *what = g_strdup_printf("the process can't become user %s", user->name);
  return set_privilege_error(error, what, code);
}

gboolean adit_privileges_drop(const AditUser *user, guint64 keep, GError **error) {
  const struct rlimit none = {0, 0};
  struct rlimit limit;

  errno = 0;
  if (user ? !change_user(user, keep, error) : !reduce_capabilities(keep))
    return user ? FALSE : set_privilege_error(error, "capabilities can't be given up", 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return set_privilege_error(error, "no_new_privs", 0);
  if (setrlimit(RLIMIT_CORE, &none) < 0 && (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur))
    return set_privilege_error(error, "limit of core files", 0);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return set_privilege_error(error, "dumpable", 0);
  return TRUE;
}

void adit_privileges_raise_memlock(gsize octets) {
  struct rlimit limit;

  if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur >= octets) ||
      limit.rlim_cur == RLIM_INFINITY)
    return;
  limit.rlim_cur = octets;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < octets) {
    struct rlimit more = {octets, octets};
    if (setrlimit(RLIMIT_MEMLOCK, &more) == 0)
      return;
    limit.rlim_cur = limit.rlim_max;
  }
  setrlimit(RLIMIT_MEMLOCK, &limit); /* what can't be locked is wiped all the same */
}
