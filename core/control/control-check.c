/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* `aditctl check`: what the machine around the daemon does to keep people's traffic from flowing. Blocks a little: off the loop. */
#include "core/control/control.h"
#include "core/net/device.h"
#include "core/net/firewall.h"
#include "core/pool/options.h"
#include <adit/session-options.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/resource.h>
#include <unistd.h>

void adit_control_finding(AditValue *findings, const char *level, const char *what, const char *advice) {
  AditValue *item = adit_value_map();
  adit_value_set(item, "level", adit_value_string(level));
  adit_value_set(item, "what", adit_value_string(what));
  adit_value_set(item, "advice", adit_value_string(advice ? advice : ""));
  adit_value_append(findings, item);
}

/* The number in a file of /proc/sys; -1 when there is none. */
static int sysctl_get(const char *name) {
  g_autofree char *path = g_strconcat("/proc/sys/", name, NULL);
  g_autofree char *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) ? atoi(text) : -1;
}

static void check_forwarding(AditValue *findings) {
  if (sysctl_get("net/ipv4/ip_forward") == 0)
    adit_control_finding(findings, "warning", "IPv4 forwarding is off: sessions reach this machine and nothing behind it",
                         "sysctl -w net.ipv4.ip_forward=1 (permanently: a file in /etc/sysctl.d)");
  else
    adit_control_finding(findings, "ok", "IPv4 forwarding is on", NULL);
  if (sysctl_get("net/ipv6/conf/all/forwarding") == 0)
    adit_control_finding(findings, "note", "IPv6 forwarding is off", "sysctl -w net.ipv6.conf.all.forwarding=1, if sessions carry IPv6");
}

/* The larger of `all` and the interface's value counts, and a session's interface begins with `default`; 1 is strict. */
static void check_rp_filter(AditValue *findings) {
  if (MAX(sysctl_get("net/ipv4/conf/all/rp_filter"), sysctl_get("net/ipv4/conf/default/rp_filter")) == 1)
    adit_control_finding(findings, "warning",
                         "strict reverse-path filtering (rp_filter=1) drops packets that arrive on another interface than replies leave by",
                         "sysctl -w net.ipv4.conf.all.rp_filter=2, if sessions or tunnels use more than one way");
  else
    adit_control_finding(findings, "ok", "reverse-path filtering is not strict", NULL);
}

static void check_tun(AditValue *findings) {
  int fd = adit_device_open();

  if (fd >= 0) {
    close(fd);
    adit_control_finding(findings, "ok", "/dev/net/tun can be opened", NULL);
    return;
  }
  g_autofree char *what = g_strdup_printf("/dev/net/tun: %s: no interface can be made", g_strerror(errno));
  adit_control_finding(findings, "error", what, "modprobe tun; in a container give it the device (--device /dev/net/tun)");
}

static void check_capabilities(AditValue *findings) {
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL) || !(line = strstr(status, "CapEff:")))
    return;
  if (g_ascii_strtoull(line + 7, NULL, 16) & (G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN))
    adit_control_finding(findings, "ok", "the daemon may change the network (CAP_NET_ADMIN)", NULL);
  else
    adit_control_finding(findings, "error", "the daemon may not change the network (CAP_NET_ADMIN is missing)",
                         "run it as root or from its unit; a container needs --cap-add NET_ADMIN");
}

static void check_files(AditValue *findings) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096)
    adit_control_finding(findings, "warning", "fewer than 4096 open files are allowed: each session with its own interface needs one",
                         "LimitNOFILE= in the unit, or ulimit -n");
}

/* ---- ports ---- */

/* The inodes of this process's sockets. */
static GHashTable *own_sockets(void) {
  GHashTable *own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);

  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_strconcat("/proc/self/fd/", name, NULL);
    g_autofree char *target = g_file_read_link(path, NULL);
    if (target && g_str_has_prefix(target, "socket:["))
      g_hash_table_add(own, g_strndup(target + 8, strlen(target) - 9));
  }
  return own;
}

/* How many sockets of this process, and of others, hold the UDP port, by a table of /proc/net. */
static void count_port(const char *table, guint port, GHashTable *own, guint *mine, guint *others) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(table, &text, NULL, NULL))
    return;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 1; lines[0] && lines[i]; i++) {
    unsigned local = 0;
    char inode[32] = "";
    if (sscanf(lines[i], " %*s %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %31s", &local, inode) != 2 || local != port)
      continue;
    *(g_hash_table_contains(own, inode) ? mine : others) += 1;
  }
}

static void check_port(AditValue *findings, const char *section, const char *server, guint port) {
  g_autoptr(GHashTable) own = own_sockets();
  guint mine = 0, others = 0;

  count_port("/proc/net/udp", port, own, &mine, &others);
  count_port("/proc/net/udp6", port, own, &mine, &others);
  if (others) {
    g_autofree char *what = g_strdup_printf("%s server %s: UDP port %u is held by another process", section, server, port);
    g_autofree char *advice = g_strdup_printf("ss -ulpn sport = %u tells which; stop it, or give `port:` another value", port);
    adit_control_finding(findings, mine ? "warning" : "error", what, advice);
  } else if (mine) {
    g_autofree char *what = g_strdup_printf("%s server %s listens on UDP port %u", section, server, port);
    adit_control_finding(findings, "ok", what, NULL);
  } else {
    g_autofree char *what = g_strdup_printf("%s server %s does not listen on UDP port %u", section, server, port);
    adit_control_finding(findings, "warning", what, "see `aditctl show servers` and the daemon's log");
  }
}

/* Every transport keeps its servers under its own name, and whichever has a `port` can be looked for. */
static void check_servers(AditValue *findings, const AditValue *config, guint *first_port) {
  for (guint i = 0; i < adit_value_length(config); i++) {
    const char *section = adit_value_key(config, i);
    const AditValue *servers = adit_transport_servers(adit_value_get(config, section));
    for (guint s = 0; s < adit_value_length(servers); s++) {
      const AditValue *server = adit_value_at(servers, s);
      guint port = adit_transport_port(server);
      if (!port || !adit_option_enabled(server))
        continue;
      check_port(findings, section, adit_option_name(server), port);
      *first_port = *first_port ? *first_port : port;
    }
  }
}

/* ---- firewall ---- */

static void check_firewall(AditValue *findings, guint port) {
  AditFirewall found;

  if (adit_firewall_look(&found))
    return; /* none in this kernel, or no right to look */
  if (port && found.drops_input) {
    g_autofree char *advice = g_strdup_printf("allow the port: nft insert rule inet filter input udp dport %u accept", port);
    adit_control_finding(findings, "note", "a firewall drops unknown incoming packets", advice);
  }
  if (found.drops_forward)
    adit_control_finding(findings, "note", "a firewall drops unknown forwarded packets",
                         "allow sessions: nft insert rule inet filter forward iifname \"l2tp-*\" accept, and oifname for the way back");
}

/* ---- addresses ---- */

static gboolean range_holds(const char *range, const AditAddress *address) {
  g_auto(GStrv) ends = g_strsplit(range, "-", 2);
  AditAddress low, high;
  AditPrefix prefix;

  if (ends[0] && ends[1] && adit_address_parse(g_strstrip(ends[0]), &low) && adit_address_parse(g_strstrip(ends[1]), &high))
    return low.family == address->family && memcmp(address->octet, low.octet, 16) >= 0 && memcmp(address->octet, high.octet, 16) <= 0;
  return adit_prefix_parse(range, &prefix) && adit_prefix_contains(&prefix, address);
}

static AditAddress address_of(const struct ifaddrs *interface) {
  AditEndpoint endpoint;

  memset(&endpoint, 0, sizeof endpoint);
  memcpy(&endpoint, interface->ifa_addr, interface->ifa_addr->sa_family == AF_INET ? sizeof endpoint.in : sizeof endpoint.in6);
  return adit_endpoint_address(&endpoint);
}

static void check_pool(AditValue *findings, const AditValue *pool, const struct ifaddrs *interface) {
  const AditValue *ranges = adit_option_pool_ranges(pool);
  AditAddress address = address_of(interface);
  char text[ADIT_ADDRESS_TEXT];

  for (guint r = 0; r < adit_value_length(ranges); r++) {
    const AditValue *range = adit_value_at(ranges, r);
    if (range->type != ADIT_VALUE_STRING || !range_holds(range->as.string, &address))
      continue;
    g_autofree char *what = g_strdup_printf("pool %s (%s) holds %s, which is this machine's own on %s", adit_option_pool_name(pool),
                                            range->as.string, adit_address_format(&address, text), interface->ifa_name);
    adit_control_finding(findings, "warning", what, "leave it out of the pool's ranges");
  }
}

/* A profile or a secret that gives one of this machine's addresses to a peer: its sessions are refused. */
static void check_peers(AditValue *findings, const AditValue *config, const char *list_name, const struct ifaddrs *interface) {
  const AditValue *list = adit_value_get(config, list_name);
  AditAddress address = address_of(interface);
  char text[ADIT_ADDRESS_TEXT];

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i), *peer = adit_option_remote_address(item);
    if (!peer || peer->type != ADIT_VALUE_ADDRESS || !adit_address_equal(&peer->as.address, &address))
      continue;
    g_autofree char *what = g_strdup_printf("%s %s: remote-address %s is this machine's own on %s", list_name, adit_option_name(item),
                                            adit_address_format(&address, text), interface->ifa_name);
    adit_control_finding(findings, "error", what, "set another address for the peer: its sessions are refused");
  }
}

/* Pools that overlap one another are refused when the configuration is read; with the machine's own addresses they may. Interfaces with a
 * peer are sessions; their local address may well be in a pool. */
static void check_addresses(AditValue *findings, const AditValue *config) {
  const AditValue *pools = adit_option_pool_pools(config);
  struct ifaddrs *all = NULL;
  guint before = adit_value_length(findings);

  if (getifaddrs(&all) < 0)
    return;
  for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
    gboolean ip = i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6);
    if (!ip || (i->ifa_flags & IFF_POINTOPOINT))
      continue;
    for (guint p = 0; p < adit_value_length(pools); p++)
      check_pool(findings, adit_value_at(pools, p), i);
    check_peers(findings, config, adit_option_profiles_key, i);
    check_peers(findings, config, adit_option_secrets_key, i);
  }
  freeifaddrs(all);
  if (adit_value_length(pools) && adit_value_length(findings) == before)
    adit_control_finding(findings, "ok", "pools overlap neither one another nor this machine's addresses", NULL);
}

AditValue *adit_control_check(const AditValue *config) {
  AditValue *findings = adit_value_list();
  guint port = 0;

  check_capabilities(findings);
  check_tun(findings);
  check_forwarding(findings);
  check_rp_filter(findings);
  check_files(findings);
  check_servers(findings, config, &port);
  check_firewall(findings, port);
  check_addresses(findings, config);
  return findings;
}
