/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/base/loop.h"
#include "core/net/bridge-message.h"
#include "core/net/net.h"
#include "core/net/watch.h"

#include <adit/log.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

enum {
  MESSAGES = 32, /* in one system call */
  OCTETS = 8192, /* of one of them: what is behind is not needed */
  READS = 64,    /* system calls before requests have their turn */
  RECEIVE_BUFFER = 8 << 20,
  EVENTS_MAX = 65536, /* that wait for the main loop; more are an overrun */
};

static struct {
  const AditWatchOps *ops; /* NULL = closed */
  struct nl_sock *sock;
  int fd;
  guint32 ours; /* netlink address of our requests */
  guint8 *buffer;
  GHashTable *suspects; /* ifindex: something was said of it in this pass; the thread's */
  GMutex lock;          /* of what follows */
  GHashTable *used;     /* ifindex -> AditIfaceUse */
  GArray *events;       /* of AditWatched */
  guint next;           /* the first that the main loop has not seen */
  gboolean queued, overrun, changed;
  guint overruns, most;
} self = {.fd = -1};

/* ---- to the main loop ---- */

static void drain_watched(gpointer data) {
  AditWatched batch[ADIT_WATCH_BUDGET];
  g_mutex_lock(&self.lock);
  guint n = self.events ? MIN(self.events->len - self.next, ADIT_WATCH_BUDGET) : 0;
  gboolean overrun = self.overrun, changed = self.changed;
  if (n)
    memcpy(batch, &g_array_index(self.events, AditWatched, self.next), n * sizeof *batch);
  self.next += n;
  self.overrun = self.changed = FALSE;
  self.queued = self.events && self.next < self.events->len;
  if (self.events && !self.queued) {
    g_array_set_size(self.events, 0);
    self.next = 0;
  }
  gboolean again = self.queued;
  self.most = MAX(self.most, n);
  g_mutex_unlock(&self.lock);
  if (!self.ops)
    return;
  if (overrun) {
    adit_notice(NULL, "the kernel reported changes faster than they were read: all claims are checked again");
    self.ops->overrun();
  }
  for (guint i = 0; i < n; i++)
    self.ops->event(&batch[i]);
  if (changed || overrun)
    self.ops->changed();
  if (again)
    adit_call_main(drain_watched, NULL);
}

/* With the lock held. */
static void wake_main(void) {
  if (!self.queued)
    adit_call_main(drain_watched, NULL);
  self.queued = TRUE;
}

static void push_watched(const AditWatched *watched) {
  g_mutex_lock(&self.lock);
  if (self.events->len - self.next >= EVENTS_MAX)
    self.overrun = TRUE;
  else
    g_array_append_val(self.events, *watched);
  wake_main();
  g_mutex_unlock(&self.lock);
}

static void note_change(void) {
  g_mutex_lock(&self.lock);
  self.changed = TRUE;
  wake_main();
  g_mutex_unlock(&self.lock);
}

void adit_watcher_use(guint ifindex, AditIfaceUse use) {
  g_mutex_lock(&self.lock);
  if (self.used && use != ADIT_IFACE_UNUSED)
    g_hash_table_insert(self.used, GUINT_TO_POINTER(ifindex), GINT_TO_POINTER(use));
  else if (self.used)
    g_hash_table_remove(self.used, GUINT_TO_POINTER(ifindex));
  g_mutex_unlock(&self.lock);
}

AditIfaceUse adit_watcher_used(guint ifindex) {
  g_mutex_lock(&self.lock);
  AditIfaceUse use = self.used ? GPOINTER_TO_INT(g_hash_table_lookup(self.used, GUINT_TO_POINTER(ifindex))) : ADIT_IFACE_UNUSED;
  g_mutex_unlock(&self.lock);
  return use;
}

/* ---- messages, on the network thread ---- */

/* Just now, and not as one that has never been up. */
static gboolean is_gone_down(const struct ifinfomsg *ifi) {
  return !(ifi->ifi_flags & IFF_UP) && ifi->ifi_change & IFF_UP && ifi->ifi_change != G_MAXUINT32;
}

/* Others' interfaces matter to facts and pins. */
static void note_link(const struct ifinfomsg *ifi, struct nlattr **attr, gboolean gone) {
  guint32 group = attr[IFLA_GROUP] ? nla_get_u32(attr[IFLA_GROUP]) : 0, ours = self.ops->group();
  if (group == ours || group == (ours ^ ADIT_NET_DYING_GROUP))
    return; /* a session's that begins or ends */
  AditWatched watched = {.event = {.kind = ADIT_KERNEL_CHANGED, .ifindex = (guint32)ifi->ifi_index}, .down = gone || is_gone_down(ifi)};
  if (watched.down)
    push_watched(&watched);
  else
    note_change();
}

static void add_suspect(guint32 ifindex, gboolean went_down) {
  gpointer key = GUINT_TO_POINTER(ifindex);
  went_down |= GPOINTER_TO_INT(g_hash_table_lookup(self.suspects, key));
  g_hash_table_insert(self.suspects, key, GINT_TO_POINTER(went_down));
}

static void read_link(struct nlmsghdr *h) {
  const struct ifinfomsg *ifi = nlmsg_data(h);
  struct nlattr *attr[IFLA_MAX + 1];
  if (nlmsg_datalen(h) < (int)sizeof *ifi)
    return;
  if (ifi->ifi_family == AF_BRIDGE && adit_watcher_used((guint)ifi->ifi_index) != ADIT_IFACE_UNUSED)
    add_suspect((guint)ifi->ifi_index, FALSE); /* its attributes as a port, or it has left the bridge */
  if (ifi->ifi_family != AF_UNSPEC)
    return;
  gboolean gone = h->nlmsg_type == RTM_DELLINK;
  AditWatched watched = {.event = {.ifindex = (guint32)ifi->ifi_index}};
  AditIfaceUse use = adit_watcher_used(watched.event.ifindex);
  if (nlmsg_parse(h, sizeof *ifi, attr, IFLA_MAX, NULL) < 0)
    memset(attr, 0, sizeof attr);
  if (use != ADIT_IFACE_OWN)
    note_link(ifi, attr, gone);
  if (use == ADIT_IFACE_UNUSED)
    return;
  if (!gone) { /* the message may be older than the claim: what holds now is asked for */
    add_suspect(watched.event.ifindex, is_gone_down(ifi));
    return;
  }
  watched.event.kind = ADIT_KERNEL_LINK_GONE;
  watched.event.moved = attr[IFLA_NEW_NETNSID] != NULL;
  push_watched(&watched);
}

/* The state of one of our interfaces. */
static void parse_link(struct nlmsghdr *h, gpointer data) {
  const struct ifinfomsg *ifi = nlmsg_data(h);
  AditWatched *watched = data;
  struct nlattr *attr[IFLA_MAX + 1];
  if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof *ifi, attr, IFLA_MAX, NULL) < 0)
    return;
  watched->event = (AditKernelEvent){.kind = ADIT_KERNEL_LINK,
                                     .ifindex = (guint32)ifi->ifi_index,
                                     .up = (ifi->ifi_flags & IFF_UP) != 0,
                                     .mtu = attr[IFLA_MTU] ? nla_get_u32(attr[IFLA_MTU]) : 0,
                                     .master = attr[IFLA_MASTER] ? nla_get_u32(attr[IFLA_MASTER]) : 0};
  adit_bridge_port_parse(attr[IFLA_LINKINFO], &watched->event.port);
}

static void parse_vlan(struct nlmsghdr *h, gpointer data) {
  adit_bridge_port_parse_vlan(h, &((AditWatched *)data)->event.port);
}

static void request_link(AditRtnl *rtnl, guint32 ifindex) {
  AditWatched watched = {.event.ifindex = 0};
  adit_rtnl_request(rtnl, adit_rtnl_link_get(ifindex), parse_link, &watched);
  if (!watched.event.ifindex) /* it is gone, which is reported by itself */
    return;
  if (watched.event.port.set && adit_rtnl_request(rtnl, adit_bridge_port_vlans(ifindex), parse_vlan, &watched) == 0)
    watched.event.port.set |= ADIT_BRIDGE_PORT_PVID; /* it may have none */
  push_watched(&watched);
}

static void request_suspects(AditRtnl *rtnl) {
  GHashTableIter iter;
  gpointer ifindex, went_down;
  g_hash_table_iter_init(&iter, self.suspects);
  while (g_hash_table_iter_next(&iter, &ifindex, &went_down)) {
    /* It may be up again: what was on it is gone all the same. */
    AditWatched down = {.event = {.kind = ADIT_KERNEL_LINK_DIPPED, .ifindex = GPOINTER_TO_UINT(ifindex)}};
    if (went_down)
      push_watched(&down);
    request_link(rtnl, GPOINTER_TO_UINT(ifindex));
  }
  g_hash_table_remove_all(self.suspects);
}

static void copy_address(struct nlattr *attr, int family, AditAddress *out) {
  memset(out, 0, sizeof *out);
  if (!attr || nla_len(attr) != (family == AF_INET6 ? 16 : 4))
    return;
  out->family = (guint8)family;
  memcpy(out->octet, nla_data(attr), (gsize)nla_len(attr));
}

gboolean adit_watch_parse_address(struct nlmsghdr *h, AditNetAddress *out) {
  const struct ifaddrmsg *ifa = nlmsg_data(h);
  struct nlattr *attr[IFA_MAX + 1];
  memset(out, 0, sizeof *out);
  if (nlmsg_parse(h, sizeof *ifa, attr, IFA_MAX, NULL) < 0 || (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
    return FALSE;
  out->ifindex = ifa->ifa_index;
  out->local.length = ifa->ifa_prefixlen;
  copy_address(attr[IFA_LOCAL] ? attr[IFA_LOCAL] : attr[IFA_ADDRESS], ifa->ifa_family, &out->local.address);
  copy_address(attr[IFA_ADDRESS], ifa->ifa_family, &out->peer);
  if (adit_address_equal(&out->peer, &out->local.address))
    out->peer = (AditAddress){0};
  return adit_address_is_set(&out->local.address);
}

static void read_address(struct nlmsghdr *h) {
  AditNetAddress address;
  if (!adit_watch_parse_address(h, &address))
    return;
  gboolean gone = h->nlmsg_type == RTM_DELADDR;
  if (!gone && adit_watcher_used(address.ifindex) == ADIT_IFACE_OWN)
    return; /* one more does not matter */
  AditWatched watched = {.event = {.kind = gone ? ADIT_KERNEL_ADDRESS_GONE : ADIT_KERNEL_CHANGED,
                                   .ifindex = address.ifindex,
                                   .key = adit_object_key_address(&address)},
                         .local = address.local.address,
                         .gone = gone};
  push_watched(&watched);
}

static void read_route(struct nlmsghdr *h) {
  const struct rtmsg *rtm = nlmsg_data(h);
  AditNetRoute route;
  AditAddress source;
  if (!adit_rtnl_route_parse(h, &route, &source) || rtm->rtm_flags & RTM_F_CLONED || rtm->rtm_type == RTN_LOCAL ||
      rtm->rtm_type == RTN_BROADCAST || rtm->rtm_type == RTN_MULTICAST || rtm->rtm_type == RTN_ANYCAST)
    return;
  gboolean gone = h->nlmsg_type == RTM_DELROUTE;
  /* IPv4 takes the deletion of a route of metric 0 that is gone already for one of any metric: then another of ours is missing. */
  if (h->nlmsg_pid == self.ours && (rtm->rtm_family != AF_INET || !route.metric))
    return;
  AditWatched watched = {.event = {.kind = gone ? ADIT_KERNEL_ROUTE_GONE : ADIT_KERNEL_ROUTE_NEW,
                                   .ifindex = route.ifindex,
                                   .protocol = rtm->rtm_protocol,
                                   .key = adit_object_key_route(&route)},
                         .gone = gone};
  if (rtm->rtm_protocol != ADIT_NET_PROTOCOL) {
    watched.via = route.via;
    note_change();
  }
  push_watched(&watched);
}

static void read_message(struct nlmsghdr *h) {
  switch (h->nlmsg_type) {
  case RTM_NEWLINK:
  case RTM_DELLINK:
    read_link(h);
    break;
  case RTM_NEWADDR:
  case RTM_DELADDR:
    read_address(h);
    break;
  case RTM_NEWROUTE:
  case RTM_DELROUTE:
    read_route(h);
    break;
  }
}

/* ---- after an overrun ---- */

static void see_link(struct nlmsghdr *h, gpointer data) {
  const struct ifinfomsg *ifi = nlmsg_data(h);
  if (h->nlmsg_type != RTM_NEWLINK || adit_watcher_used((guint)ifi->ifi_index) == ADIT_IFACE_UNUSED)
    return;
  g_hash_table_remove(data, GUINT_TO_POINTER((guint)ifi->ifi_index));
  AditWatched watched = {.event.ifindex = 0};
  parse_link(h, &watched);
  if (watched.event.ifindex)
    push_watched(&watched);
}

static void resynchronise_watch(AditRtnl *rtnl) {
  g_autoptr(GHashTable) missing = g_hash_table_new(NULL, NULL);
  GHashTableIter iter;
  gpointer ifindex;
  g_mutex_lock(&self.lock);
  self.overruns++;
  self.overrun = TRUE;
  g_hash_table_iter_init(&iter, self.used);
  while (g_hash_table_iter_next(&iter, &ifindex, NULL))
    g_hash_table_add(missing, ifindex);
  wake_main();
  g_mutex_unlock(&self.lock);
  if (adit_rtnl_request(rtnl, adit_rtnl_link_dump(AF_UNSPEC), see_link, missing))
    return; /* not whole: what is not in it may be there */
  g_hash_table_iter_init(&iter, missing);
  while (g_hash_table_iter_next(&iter, &ifindex, NULL)) {
    AditWatched watched = {.event = {.kind = ADIT_KERNEL_LINK_GONE, .ifindex = GPOINTER_TO_UINT(ifindex)}};
    push_watched(&watched);
  }
}

static void read_datagram(guint8 *octets, gsize length, gboolean cut) {
  int left = (int)length;
  for (struct nlmsghdr *h = (gpointer)octets; left >= (int)sizeof *h; h = nlmsg_next(h, &left)) {
    if (cut && h->nlmsg_len > (guint)left)
      h->nlmsg_len = (guint)left;
    if (!nlmsg_ok(h, left))
      return;
    read_message(h);
  }
}

static void read_all(AditRtnl *rtnl) {
  for (guint i = 0; i < READS && self.fd >= 0; i++) {
    struct mmsghdr message[MESSAGES];
    struct iovec iov[MESSAGES];
    memset(message, 0, sizeof message);
    for (guint k = 0; k < MESSAGES; k++) {
      iov[k] = (struct iovec){self.buffer + (gsize)k * OCTETS, OCTETS};
      message[k].msg_hdr.msg_iov = &iov[k];
      message[k].msg_hdr.msg_iovlen = 1;
    }
    int n = recvmmsg(self.fd, message, MESSAGES, MSG_DONTWAIT, NULL);
    if (n < 0 && errno == ENOBUFS)
      resynchronise_watch(rtnl);
    else if (n < 0 && errno != EINTR)
      return;
    for (int k = 0; k < n; k++)
      read_datagram(iov[k].iov_base, message[k].msg_len, (message[k].msg_hdr.msg_flags & MSG_TRUNC) != 0);
    if (n > 0 && n < MESSAGES)
      return;
  }
}

void adit_watcher_read(AditRtnl *rtnl) {
  if (self.fd < 0)
    return;
  read_all(rtnl);
  request_suspects(rtnl);
}

/* ---- life ---- */

/* Leaves out routes and addresses that our own requests change, and routes that the kernel makes of addresses: tens of thousands of
 * sessions would wake us several times each. Loads are in network order. */
static gboolean attach_filter(guint32 ours) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWLINK), 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 8, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 5, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(ours), 6, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELADDR), 2, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPROT_KERNEL, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, (guint32)-1),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {G_N_ELEMENTS(code), code};
  return setsockopt(self.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

gboolean adit_watcher_open(const AditRtnl *ours, const AditWatchOps *ops, GError **error) {
  static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
  int size = RECEIVE_BUFFER;
  self.sock = nl_socket_alloc();
  int failed = nl_connect(self.sock, NETLINK_ROUTE);
  for (guint i = 0; !failed && i < G_N_ELEMENTS(groups); i++)
    failed = nl_socket_add_membership(self.sock, groups[i]);
  if (failed < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "rtnetlink: %s", nl_geterror(failed));
    g_clear_pointer(&self.sock, nl_socket_free);
    return FALSE;
  }
  self.fd = nl_socket_get_fd(self.sock);
  if (setsockopt(self.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
    setsockopt(self.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  self.ours = adit_rtnl_port(ours);
  if (!attach_filter(self.ours))
    adit_warning(NULL, "rtnetlink: no filter: %s", g_strerror(errno)); /* it works, and wakes us more often */
  self.buffer = g_malloc((gsize)MESSAGES * OCTETS);
  self.used = g_hash_table_new(NULL, NULL);
  self.suspects = g_hash_table_new(NULL, NULL);
  self.events = g_array_new(FALSE, FALSE, sizeof(AditWatched));
  self.next = self.overruns = self.most = 0;
  self.ops = ops;
  return TRUE;
}

void adit_watcher_close(void) {
  self.ops = NULL;
  g_mutex_lock(&self.lock);
  g_clear_pointer(&self.used, g_hash_table_unref);
  g_clear_pointer(&self.events, g_array_unref);
  self.next = 0;
  g_mutex_unlock(&self.lock);
  g_clear_pointer(&self.sock, nl_socket_free);
  g_clear_pointer(&self.suspects, g_hash_table_unref);
  g_clear_pointer(&self.buffer, g_free);
  self.fd = -1;
}

int adit_watcher_fd(void) {
  return self.fd;
}

guint adit_watcher_overruns(void) {
  g_mutex_lock(&self.lock);
  guint n = self.overruns;
  g_mutex_unlock(&self.lock);
  return n;
}

guint adit_watcher_most(void) {
  g_mutex_lock(&self.lock);
  guint n = self.most;
  g_mutex_unlock(&self.lock);
  return n;
}
