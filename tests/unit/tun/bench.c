/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bench.h"
#include "plugins/l2tp/engine/header.h"
#include "session/source.h"
#include "tests/lib/protocols.h"
#include "traffic/worker-thread.h"
#include "worker/quiet.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

guint64 bench_now_ms;
static guint64 fake_now(void) {
  return bench_now_ms;
}
gboolean bench_armed;
static void fake_arm(AditTimer *timer, guint64 delay) {
  bench_armed = TRUE;
}
static void fake_cancel(AditTimer *timer) {}
static void fake_random(gpointer buffer, gsize length) {
  memset(buffer, 0x5a, length);
}
static const AditLoopService loop = {
    .size = sizeof loop, .now = fake_now, .timer_arm = fake_arm, .timer_cancel = fake_cancel, .random = fake_random};

static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  ((Member *)user)->frames++;
}
static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

static void pair(int fd[2]) {
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
}

AditPath path_of(const char *remote, guint16 port) {
  AditPath path = {0};
  AditAddress address, local;
  assert_true(adit_address_parse(remote, &address));
  assert_true(adit_address_parse(address.family == AF_INET6 ? "2001:db8::1" : "192.0.2.1", &local));
  path.local = adit_endpoint(&local, 1701);
  path.remote = adit_endpoint(&address, port);
  return path;
}

TunWhere from_of(const AditPath *path, guint32 ingress) {
  TunWhere from = tun_where(path);
  from.ingress = ingress;
  return from;
}

int bench_setup(void **state) {
  Bench *b = g_new0(Bench, 1);
  int fd[2];
  bench_now_ms = 1000;
  b->dp = tun_dp_new(&loop, NULL, NULL);
  b->dp->n_workers = 2;
  b->dp->wake_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (guint i = 0; i < b->dp->n_workers; i++) {
    b->dp->worker[i] = tun_worker_new(b->dp, i, NULL);
    assert_non_null(b->dp->worker[i]);
    b->dp->worker[i]->now = bench_now_ms;
  }
  pair(fd);
  b->wire = fd[1];
  b->listener = g_new0(AditListener, 1);
  *b->listener =
      (AditListener){.dp = b->dp, .serial = 1, .classify = l2tp_classify, .ops = &listener_ops, .announced = TRUE, .n_sockets = 2};
  for (guint i = 0; i < 2; i++)
    b->listener->socket[i] = (TunSocket){TUN_EVENT_SOCKET, fd[0], b->listener};
  b->dp->next_serial = 1;
  tun_table_init(&b->listener->links, tun_retire_memory, b->dp);
  tun_table_init(&b->listener->tunnels, tun_retire_memory, b->dp);
  g_hash_table_insert(b->dp->listeners, &b->listener->serial, b->listener);
  for (guint i = 0; i < N; i++) {
    pair(fd);
    b->system[i] = fd[0];
    b->port[i] = (TunPort){.dp = b->dp, .n_queues = 1};
    b->port[i].head.kind = ADIT_PORT_L3;
    b->port[i].head.ifindex = 100 + i;
    b->port[i].queue[0] = (TunQueue){TUN_EVENT_QUEUE, fd[1], &b->port[i], -1};
  }
  b->port[0].routes = g_new0(TunRoutes, 1);
  tun_routes_init(b->port[0].routes, tun_retire_memory, b->dp);
  *state = b;
  return 0;
}

int bench_teardown(void **state) {
  Bench *b = *state;
  for (guint i = 0; i < N; i++) {
    Member *m = &b->member[i];
    if (m->session) {
      if (m->link)
        m->link->session = NULL;
      m->session->link = NULL;
      tun_session_close(m->session, NULL);
    }
    if (m->link)
      tun_datapath_ops.link_detach(m->link);
    close(b->system[i]);
    close(b->port[i].queue[0].fd);
  }
  close(b->wire);
  close(b->listener->socket[0].fd);
  tun_listener_forget_tunnels(b->listener);
  assert_int_equal(b->dp->endpoints.items, 0);
  assert_int_equal(b->dp->sources.items, 0);
  assert_int_equal(b->dp->owned.table.items, 0);
  tun_retire_all(b->dp);
  tun_routes_clear(b->port[0].routes);
  g_free(b->port[0].routes);
  tun_table_clear(&b->listener->links);
  tun_table_clear(&b->listener->tunnels);
  g_free(b->listener);
  b->dp->wake_fd = -1;
  tun_dp_free(b->dp);
  g_free(b);
  return 0;
}

AditDpLink *bench_attach(Bench *b, guint n, const char *remote) {
  AditPath path = path_of(remote, 1701);
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = TUNNEL + n, .peer_tunnel = 70, .peer_session = 200 + n};
  encap.local_session = 101; /* with tunnels 7, 9: home 0 */
  return b->member[n].link = tun_link_attach(b->dp, b->listener,
                                             &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, &b->member[n]}, NULL);
}

void bench_open_session(Bench *b, guint n, const char *remote, gboolean shared, gboolean check) {
  Member *m = &b->member[n];
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2, .check_source = check};
  b->port[0].head.shared = shared;
  assert_non_null(bench_attach(b, n, remote));
  m->session = tun_session_open(b->dp, 1 + n, &b->port[shared ? 0 : n].head, NULL);
  assert_non_null(m->session);
  m->session->link = m->link; /* not session_join(): the queue is read by hand */
  m->link->session = m->session;
  tun_session_set(m->session, &params);
}

guint64 bench_fact(const Bench *b, gsize offset) {
  guint64 sum = 0;
  for (guint i = 0; i < b->dp->n_workers; i++)
    sum += TUN_GET(*(const guint64 *)(gconstpointer)((const guint8 *)&b->dp->worker[i]->stats + offset));
  return sum;
}
