/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/bridge-address.h"

#include <net/if.h>
#include <string.h>

#define SYS_NET "/sys/class/net/"

enum { ADDRESS_SET = 3 /* NET_ADDR_SET: by an administrator */ };

static gboolean is_file(const char *interface, const char *name) {
  g_autofree char *path = g_build_filename(SYS_NET, interface, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* A daemon in a network namespace may see another one's files there. */
static gboolean is_ours(const char *bridge, guint ifindex) {
  g_autofree char *path = g_build_filename(SYS_NET, bridge, "ifindex", NULL), *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) && g_ascii_strtoull(text, NULL, 10) == ifindex;
}

static gboolean has_set_address(const char *bridge) {
  g_autofree char *path = g_build_filename(SYS_NET, bridge, "addr_assign_type", NULL), *text = NULL;
  return !g_file_get_contents(path, &text, NULL, NULL) || g_ascii_strtoll(text, NULL, 10) == ADDRESS_SET;
}

/* A port that stays: a TAP is a session's. */
static gboolean has_lasting_port(const char *bridge) {
  g_autofree char *path = g_build_filename(SYS_NET, bridge, "brif", NULL);
  g_autoptr(GDir) ports = g_dir_open(path, 0, NULL);
  const char *port;
  while (ports && (port = g_dir_read_name(ports)))
    if (!is_file(port, "tun_flags"))
      return TRUE;
  return FALSE;
}

const char *adit_bridge_lack(const char *bridge) {
  guint ifindex = if_nametoindex(bridge);
  if (!ifindex)
    return "there is no such interface";
  if (!is_ours(bridge, ifindex) || !is_file(bridge, "bridge") || has_set_address(bridge) || has_lasting_port(bridge))
    return NULL;
  return "it takes its MAC address from its ports, of which none lasts";
}
