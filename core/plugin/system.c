/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The operating system: service manager, limits. */
#include "core/plugin/system.h"
#include "config.h"
#include <adit/log.h>
#include <errno.h>
#include <sys/resource.h>
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
    adit_warning(NULL, "cannot raise the limit of open files: %s", g_strerror(errno));
}
