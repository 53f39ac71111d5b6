/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Listeners: one UDP socket for each worker, all on one address and port. */
#include "listener.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include "../worker/worker.h"
#include "tun-tunnel.h"
#include "where.h"
#include <adit/encap.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

enum { SOCKET_BUFFER = 4 * 1024 * 1024, LISTENERS_MAX = 8192 };

/* Appends an instruction to a program that is not full. */
static void steer_put(struct sock_fprog *program, struct sock_filter instruction) {
  program->filter[program->len++] = instruction;
}

/* If the first octet is as `steer` says: (tunnel + session) mod n chooses the socket, as adit_encap_worker() does. */
static void steer_add(struct sock_fprog *program, const AditEncapSteer *steer, guint n) {
  guint16 load = BPF_LD | BPF_ABS | (steer->octets == 4 ? BPF_W : BPF_H);
  steer_put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0));
  steer_put(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, steer->mask));
  steer_put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, steer->value, 0, steer->tunnel_at ? 6 : 3));
  steer_put(program, (struct sock_filter)BPF_STMT(load, steer->session_at));
  if (steer->tunnel_at) {
    steer_put(program, (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0));
    steer_put(program, (struct sock_filter)BPF_STMT(load, steer->tunnel_at));
    steer_put(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0));
  }
  steer_put(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n));
  steer_put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0));
}

/* Brings data straight to its home worker. A datagram that is no data gets an index that does not exist, which makes the kernel choose by
 * the sender. */
static void attach_steering(int fd, guint n, const AditEncapLayout *layout) {
  struct sock_filter code[9 * ADIT_ENCAP_STEERS + 1];
  struct sock_fprog program;
  if (n < 2 || !layout || !layout->n_steer)
    return;
  memset(&program, 0, sizeof program); /* its padding goes to the kernel, too */
  program.filter = code;
  for (guint i = 0; i < MIN(layout->n_steer, ADIT_ENCAP_STEERS); i++)
    steer_add(&program, &layout->steer[i], n);
  steer_put(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0)
    adit_debug(NULL, "packets are not steered to their worker: %s", g_strerror(errno));
}

static void socket_options(const TunDp *dp, int fd, int family) {
  int one = 1, buffer = SOCKET_BUFFER, pmtu = IP_PMTUDISC_DONT;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &one, sizeof one); /* Linux 5.19; without it all is association 0 */
  /* A frame that is too long for the way is better cut by IP than lost: the peer's MRU decides, not our path. */
  if (family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &pmtu, sizeof pmtu);
  } else {
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtu, sizeof pmtu);
  }
  if (dp->config.offload)
    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one); /* Linux 5.0 */
}

static gboolean socket_fail(const AditEndpoint *local, const char *what, GError **error) {
  char text[ADIT_ENDPOINT_TEXT];
  int code = errno;
  g_set_error(error, ADIT_ERROR, code == EADDRINUSE ? ADIT_ERR_EXISTS : ADIT_ERR_SYSTEM, "%s: %s: %s", adit_endpoint_format(local, text),
              what, g_strerror(code));
  return FALSE;
}

static gboolean listener_sockets(AditListener *listener, const AditEncapLayout *layout, GError **error) {
  TunDp *dp = listener->dp;
  int family = listener->local.any.sa_family, one = 1;
  socklen_t size = sizeof listener->local;
  for (guint i = 0; i < dp->n_workers; i++) {
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
      return socket_fail(&listener->local, "socket", error);
    listener->socket[listener->n_sockets++] = (TunSocket){TUN_EVENT_SOCKET, fd, listener};
    socket_options(dp, fd, family);
    /* With SO_REUSEPORT two listeners, or two daemons, would share a port and half the peers each; and the kernel would choose one
     * that others of ours have. So the first socket is bound without it: no other socket has the port. */
    if (i > 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0)
      return socket_fail(&listener->local, "SO_REUSEPORT", error);
    if (bind(fd, &listener->local.any, adit_endpoint_size(&listener->local)) < 0)
      return socket_fail(&listener->local, "bind", error);
    if (i == 0 && dp->n_workers > 1 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0)
      return socket_fail(&listener->local, "SO_REUSEPORT", error);
    if (getsockname(fd, &listener->local.any, &size) < 0)
      return socket_fail(&listener->local, "getsockname", error);
  }
  attach_steering(listener->socket[0].fd, dp->n_workers, layout);
  return TRUE;
}

static void listener_reclaim(gpointer memory) {
  AditListener *listener = memory;
  for (guint i = 0; i < listener->n_sockets; i++)
    close(listener->socket[i].fd);
  tun_table_clear(&listener->links);
  tun_table_clear(&listener->tunnels);
  g_free(listener);
}

void tun_listener_close(AditListener *listener) {
  TunDp *dp = listener->dp;
  tun_outbox_flush(dp->outbox); /* what goes out of its sockets */
  g_hash_table_remove(dp->listeners, &listener->serial);
  tun_listener_forget_tunnels(listener);
  for (guint i = 0; i < listener->n_sockets; i++)
    if (i < dp->n_workers)
      tun_worker_unwatch(dp->worker[i], listener->socket[i].fd);
  tun_retire(dp, listener_reclaim, listener, NULL);
}

/* A listener takes a descriptor for each worker. Peers cause listeners where `use-ephemeral-ports` is set, before they have proven
 * anything: a quarter of what the process may have is left to all of them together. */
static guint listeners_max(const TunDp *dp) {
  struct rlimit limit = {.rlim_cur = 1024};
  getrlimit(RLIMIT_NOFILE, &limit);
  return (guint)CLAMP(limit.rlim_cur / 4 / dp->n_workers, 16, LISTENERS_MAX);
}

AditListener *tun_listen(gpointer data, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error) {
  TunDp *dp = data;
  if (!dp->n_workers) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "the data path is not running");
    return NULL;
  }
  if (g_hash_table_size(dp->listeners) >= listeners_max(dp)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%u ports are open, as many as a quarter of the descriptors (LimitNOFILE) allows for",
                g_hash_table_size(dp->listeners));
    return NULL;
  }
  AditListener *listener = g_new0(AditListener, 1);
  *listener = (AditListener){.dp = dp,
                             .serial = ++dp->next_serial,
                             .local = spec->local,
                             .classify = spec->classify,
                             .announced = ADIT_HAS(spec, announces) && spec->announces,
                             .ops = ops,
                             .user = user};
  tun_table_init(&listener->links, tun_retire_memory, dp);
  tun_table_init(&listener->tunnels, tun_retire_memory, dp);
  if (!listener_sockets(listener, ADIT_HAS(spec, layout) ? spec->layout : NULL, error)) {
    listener_reclaim(listener);
    return NULL;
  }
  g_hash_table_insert(dp->listeners, &listener->serial, listener);
  for (guint i = 0; i < listener->n_sockets; i++)
    if (!tun_worker_watch(dp->worker[i], listener->socket[i].fd, &listener->socket[i])) {
      socket_fail(&listener->local, "epoll", error);
      tun_listener_close(listener);
      return NULL;
    }
  return listener;
}

void tun_listener_local(AditListener *listener, AditEndpoint *local) {
  *local = listener->local;
}

gboolean tun_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length) {
  guint8 control[96] __attribute__((aligned(8)));
  struct iovec piece = {(gpointer)datagram, length};
  guint n = tun_path_control(path, 0, control);
  return tun_outbox_send(listener->dp->outbox, listener, &path->remote, control, n, &piece, 1);
}
