/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The operating system: service manager, limits, capabilities. */
#include "config.h"
#include "core/plugin/daemon.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

void adit_system_notify(const char *state) {
#ifdef HAVE_SYSTEMD
  sd_notify(0, state);
#endif
}

void adit_system_notify_reloading(void) {
  g_autofree char *state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
  adit_system_notify(state);
}

void adit_system_notify_failure(int number, const char *why) {
  g_autofree char *state = g_strdup_printf("STATUS=%s%s", why, number ? "\nERRNO=" : "");
  g_autofree char *whole = number ? g_strdup_printf("%s%d", state, number) : g_strdup(state);
  adit_system_notify(whole);
}

guint64 adit_system_watchdog_us(void) {
  guint64 us = 0;
#ifdef HAVE_SYSTEMD
  if (sd_watchdog_enabled(0, &us) <= 0)
    us = 0;
#endif
  return us;
}

void adit_system_raise_files(void) {
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
    adit_warning(NULL, "the limit of open files stays low: %s", g_strerror(errno));
}

void adit_system_drop_capabilities(guint64 keep) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];

  if (syscall(SYS_capget, &header, sets) < 0)
    return;
  guint64 have = sets[0].permitted | (guint64)sets[1].permitted << 32;
  guint64 rest = have & (keep | G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN);
  if (!have)
    return;

  for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
    if (!(rest & G_GUINT64_CONSTANT(1) << cap))
      prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* needs CAP_SETPCAP: what can't be bounded is still not held, below */
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (guint i = 0; i < 2; i++) {
    sets[i].permitted = sets[i].effective = (guint32)(rest >> (32 * i));
    sets[i].inheritable = 0;
  }
  if (syscall(SYS_capset, &header, sets) < 0)
    adit_warning(NULL, "capabilities could not be reduced: %s", g_strerror(errno));
}
