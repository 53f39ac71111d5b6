/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Two data paths, each a process in a network namespace of its own, joined by veth: TCP through both, both ways, each octet
 * checked. Super-packets are cut and joined on the way. */
#include "config.h"
#include "tests/lib/protocols.h"

#include "core/base/loop.h"
#include "core/net/net.h"
#include "dp.h"
#include "plugins/l2tp/engine/header.h"
#include "session/source.h"
#include "session/tun-link.h"
#include "session/tun-session.h"
#include "settled.h"
#include "tests/lib/claims.h"
#include "tests/lib/loop.h"
#include "traffic/rx.h"
#include "traffic/tx.h"
#include "worker/quiet.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE = 20000, OCTETS = 24 << 20, CHUNK = 128 * 1024, PORT = 5000 };

typedef struct {
  gboolean server; /* ends with .2, accepts */
  TunDp *dp;
  AditListener *listener;
  AditDpLink *link;
  AditDpSession *session;
  AditPort *port;
  int errors;
  gboolean closed, stopped, finished, right;
  guint inside; /* the server's address in the transfer at hand */
  int listening[2];
} End;

static const char *const insides[] = {"10.8.0.2", "fd08::2"}; /* of the server */

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {}
static void on_opened(gpointer user, AditPort *port, const GError *error) {
  ((End *)user)->port = port;
}
static void on_closed(gpointer user, const AditCounters *final) {
  ((End *)user)->closed = TRUE;
}
static void on_stopped(gpointer user) {
  ((End *)user)->stopped = TRUE;
}
static void on_finished(gpointer user) {
  ((End *)user)->finished = TRUE;
}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

static void end_address(End *end, const char *local, const char *peer) {
  AditNetAddress address = {.ifindex = end->port->ifindex};
  adit_prefix_parse(local, &address.local);
  if (peer)
    adit_address_parse(peer, &address.peer);
  end->errors += test_claim_address(&address) != 0;
}

static gboolean end_start(End *end) {
  AditAddress own = adit_address_ipv4(end->server ? 0xc0000202 : 0xc0000201),
              other = adit_address_ipv4(end->server ? 0xc0000201 : 0xc0000202);
  AditListenerSpec spec = {.size = sizeof spec, .local = adit_endpoint(&own, 1701), .classify = l2tp_classify};
  spec.layout = adit_encap_layout(&(AditEncap){.kind = ADIT_ENCAP_L2TPV2_UDP});
  AditPortSpec port = {.size = sizeof port, .kind = ADIT_PORT_L3, .name = "l2tp-bulk", .mtu = 1450};
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2, .mss4 = 1300, .mss6 = 1280};
  AditPath path = {.local = spec.local, .remote = adit_endpoint(&other, 1701)};
  AditEncap encap = {
      .kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 5, .peer_tunnel = 5, .local_session = 6, .peer_session = 6, .length_bit = TRUE};
  adit_loop_init();
  if (!adit_net_init(NULL))
    return FALSE;
  end->dp = tun_dp_new(adit_loop_service(), adit_net_service(), NULL);
  if (!tun_dp_start(end->dp, &(TunConfig){.workers = 2, .offload = TRUE}, NULL) ||
      !(end->listener = tun_listen(end->dp, &spec, &listener_ops, NULL, NULL)))
    return FALSE;
  end->link = tun_link_attach(end->dp, end->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, NULL}, NULL);
  tun_link_framing(end->link, TRUE, TRUE);
  tun_port_open(end->dp, &port, on_opened, end);
  if (!TEST_LOOP_UNTIL(end->port, PATIENCE))
    return FALSE;
  int settling = settled_open();
  end->session = tun_session_open(end->dp, 1, end->port, NULL);
  tun_session_set(end->session, &params);
  end_address(end, end->server ? "10.8.0.2/32" : "10.8.0.1/32", end->server ? "10.8.0.1" : "10.8.0.2");
  end_address(end, end->server ? "fd08::2/64" : "fd08::1/64", NULL);
  return tun_session_join(end->session, end->link, NULL, NULL) && !end->errors &&
         settled_wait(settling, end->server ? "fd08::2" : "fd08::1", PATIENCE);
}

static void end_stop(End *end) {
  tun_session_close(end->session, NULL);
  tun_datapath_ops.link_detach(end->link);
  tun_port_close(end->port, on_closed, end);
  TEST_LOOP_UNTIL(end->closed, PATIENCE);
  tun_listener_close(end->listener);
  tun_dp_stop(end->dp, on_stopped, end);
  TEST_LOOP_UNTIL(end->stopped, PATIENCE);
  adit_net_fini();
  tun_dp_free(end->dp);
  adit_loop_fini();
  test_loop_drain();
}

/* ---- the transfer, on a thread of its own ---- */

static void pattern(guint8 *out, gsize from, gsize length) {
  for (gsize i = 0; i < length; i++)
    out[i] = (guint8)((from + i) * 31 + ((from + i) >> 11));
}

static gboolean send_all(int fd) {
  g_autofree guint8 *chunk = g_malloc(CHUNK);
  for (gsize at = 0; at < OCTETS; at += CHUNK) {
    pattern(chunk, at, CHUNK);
    for (gsize done = 0; done < CHUNK;) {
      gssize n = send(fd, chunk + done, CHUNK - done, MSG_NOSIGNAL);
      if (n <= 0)
        return FALSE;
      done += (gsize)n;
    }
  }
  return TRUE;
}

static gboolean receive_all(int fd) {
  g_autofree guint8 *chunk = g_malloc(CHUNK), *expected = g_malloc(CHUNK);
  for (gsize at = 0; at < OCTETS;) {
    gssize n = recv(fd, chunk, MIN(CHUNK, OCTETS - at), 0);
    if (n <= 0)
      return FALSE;
    pattern(expected, at, (gsize)n);
    if (memcmp(chunk, expected, (gsize)n) != 0)
      return FALSE;
    at += (gsize)n;
  }
  return TRUE;
}

static void patience(int fd) {
  struct timeval time = {PATIENCE / 1000, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

static int inside_socket(const char *inside, AditEndpoint *at) {
  AditAddress address;
  adit_address_parse(inside, &address);
  *at = adit_endpoint(&address, PORT);
  int fd = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  patience(fd);
  return fd;
}

/* Before the client is told to begin, so that nobody is refused. */
static gboolean listen_inside(End *end) {
  for (guint i = 0; i < G_N_ELEMENTS(insides); i++) {
    AditEndpoint at;
    end->listening[i] = inside_socket(insides[i], &at);
    if (bind(end->listening[i], &at.any, adit_endpoint_size(&at)) != 0 || listen(end->listening[i], 1) != 0)
      return FALSE;
  }
  return TRUE;
}

/* A connection made or taken. */
static int connection(const End *end) {
  AditEndpoint at;
  if (end->server) {
    int taken = accept(end->listening[end->inside], NULL, NULL);
    if (taken >= 0)
      patience(taken);
    return taken;
  }
  int fd = inside_socket(insides[end->inside], &at);
  if (connect(fd, &at.any, adit_endpoint_size(&at)) == 0)
    return fd;
  close(fd);
  return -1;
}

static gpointer transfer_run(gpointer data) {
  End *end = data;
  int fd = connection(end);
  end->right = fd >= 0 && (end->server ? receive_all(fd) && send_all(fd) : send_all(fd) && receive_all(fd));
  char c;
  if (end->server && end->right) /* the client closes first: then all has arrived, and the data path may go */
    end->right = recv(fd, &c, 1, 0) == 0;
  if (fd >= 0)
    close(fd);
  adit_call_main(on_finished, end);
  return NULL;
}

static gboolean transfer(End *end, guint inside) {
  end->finished = end->right = FALSE;
  end->inside = inside;
  GThread *thread = g_thread_new("transfer", transfer_run, end);
  gboolean in_time = TEST_LOOP_UNTIL(end->finished, 4 * PATIENCE);
  g_thread_join(thread);
  return in_time && end->right;
}

/* ---- both ends ---- */

static gboolean both_transfers(End *end) {
  return transfer(end, 0) && transfer(end, 1);
}

/* The other process. */
static int server_main(int ready, int go) {
  End end = {.server = TRUE};
  char c = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (unshare(CLONE_NEWNET) != 0 || write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
    return 2;
  if (system("ip link set lo up && ip address add 192.0.2.2/24 dev bulk1 && ip link set bulk1 up") != 0 || !end_start(&end))
    return 3;
  if (!listen_inside(&end) || write(ready, &c, 1) != 1)
    return 2;
  gboolean ok = both_transfers(&end);
  for (guint i = 0; i < G_N_ELEMENTS(insides); i++)
    close(end.listening[i]);
  end_stop(&end);
  return ok ? 0 : 4;
}

static guint64 fact(const End *end, gsize offset) {
  guint64 sum = 0;
  for (guint i = 0; i < end->dp->n_workers; i++)
    sum += TUN_GET(*(const guint64 *)(gconstpointer)((const guint8 *)&end->dp->worker[i]->stats + offset));
  return sum;
}
#define FACT(end, field) fact(end, G_STRUCT_OFFSET(TunWorkerStats, field))

static void tcp_arrives_whole_both_ways(void **state) {
  int ready[2], go[2], status = -1;
  char c = 0;
  assert_int_equal(pipe(ready) | pipe(go), 0);
  pid_t child = fork();
  if (child == 0)
    _exit(server_main(ready[1], go[0]));
  assert_int_equal(read(ready[0], &c, 1), 1);
  g_autofree char *links = g_strdup_printf(
      "ip link add bulk0 type veth peer name bulk1 netns %d && ip address add 192.0.2.1/24 dev bulk0 && ip link set bulk0 up", child);
  assert_int_equal(system(links), 0);
  assert_int_equal(write(go[1], &c, 1), 1);

  End end = {0};
  assert_true(end_start(&end));
  assert_int_equal(read(ready[0], &c, 1), 1);
  assert_true(both_transfers(&end));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  /* Both ways went in super-packets, mostly. */
  assert_true(FACT(&end, super_in) > 0);
  assert_true(FACT(&end, gso_out) > FACT(&end, datagrams_out) / 2);
  assert_true(FACT(&end, sends_out) < FACT(&end, datagrams_out) / 2);
  assert_true(FACT(&end, joined_out) > 0);
  assert_int_equal(FACT(&end, malformed), 0);
  assert_int_equal(FACT(&end, foreign), 0); /* the kernel brings each session to its home */
  end_stop(&end);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tcp_arrives_whole_both_ways)};
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
    puts("skipped: needs root and /dev/net/tun");
    return 77;
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
