/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#define DEVICE "/dev/net/tun"

static AditHelper *helper;

static int open_device(const char *request) {
  return open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void adit_device_start(void) {
  g_return_if_fail(!helper);
  helper = adit_helper_start("adit-device", G_GUINT64_CONSTANT(1) << CAP_DAC_OVERRIDE, open_device);
}

static gboolean may_open(const AditUser *user) {
  struct stat st;
  mode_t wanted = S_IROTH | S_IWOTH;

  if (stat(DEVICE, &st) < 0)
    return TRUE; /* it can't be opened */
  if (st.st_uid == user->uid)
    wanted = S_IRUSR | S_IWUSR;
  else if (st.st_gid == user->gid)
    wanted = S_IRGRP | S_IWGRP;
  return (st.st_mode & wanted) == wanted;
}

void adit_device_settle(const AditUser *user) {
  if (may_open(user))
    adit_device_stop();
  else
    adit_helper_settle(helper, user);
}

int adit_device_open(void) {
  int fd = open_device(NULL);
  return fd >= 0 || errno != EACCES ? fd : adit_helper_request(helper, DEVICE);
}

void adit_device_stop(void) {
  g_clear_pointer(&helper, adit_helper_stop);
}
