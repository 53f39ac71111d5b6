/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a peer may not do: send from others' addresses, carry a tunnel in itself, go before those who have logged in, or get a
 * frame of somebody who had its ids before. Workers without threads, an interface and a socket that are socket pairs. */
#include "dp.h"
#include "link.h"
#include "notes.h"
#include "packets.h"
#include "plugins/l2tp/engine/header.h"
#include "quiet.h"
#include "rx.h"
#include "session.h"
#include "source.h"
#include "tx.h"
#include <adit/ppp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TUNNEL = 7, N = 3 };

typedef struct {
  AditDpLink *link;
  AditDpSession *session;
  guint frames;
} Member;

typedef struct {
  TunDp *dp;
  AditListener *listener;
  TunPort port[N]; /* of 0 all sessions, if it is shared */
  int system[N];   /* the other ends of the interfaces */
  int wire;        /* the other end of the sockets */
  Member member[N];
  guint strays;
} Bench;

static guint64 now_ms;
static guint64 fake_now(void) {
  return now_ms;
}
static gboolean armed;
static void fake_arm(AditTimer *timer, guint64 delay) {
  armed = TRUE;
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

static AditPath path_of(const char *remote, guint16 port) {
  AditPath path = {0};
  AditAddress address, local;
  assert_true(adit_address_parse(remote, &address));
  assert_true(adit_address_parse(address.family == AF_INET6 ? "2001:db8::1" : "192.0.2.1", &local));
  path.local = adit_endpoint(&local, 1701);
  path.remote = adit_endpoint(&address, port);
  return path;
}

static TunWhere from_of(const AditPath *path, guint32 ingress) {
  TunWhere from = tun_where(path);
  from.ingress = ingress;
  return from;
}

static int setup(void **state) {
  Bench *b = g_new0(Bench, 1);
  int fd[2];
  now_ms = 1000;
  b->dp = tun_dp_new(&loop, NULL, NULL);
  b->dp->n_workers = 2;
  b->dp->wake_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (guint i = 0; i < b->dp->n_workers; i++) {
    b->dp->worker[i] = tun_worker_new(b->dp, i, NULL);
    assert_non_null(b->dp->worker[i]);
    b->dp->worker[i]->now = now_ms;
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

static int teardown(void **state) {
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
      tun_link_detach(m->link);
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

static AditDpLink *attach(Bench *b, guint n, const char *remote) {
  AditPath path = path_of(remote, 1701);
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = TUNNEL + n, .peer_tunnel = 70, .peer_session = 200 + n};
  encap.local_session = 101; /* with tunnels 7, 9: home 0 */
  return b->member[n].link = tun_link_attach(b->dp, b->listener,
                                             &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, &b->member[n]}, NULL);
}

static void open_session(Bench *b, guint n, const char *remote, gboolean shared, gboolean check) {
  Member *m = &b->member[n];
  AditDpSessionParams params = {.size = sizeof params, .ipv4 = TRUE, .ipv6 = TRUE, .check_source = check};
  b->port[0].head.shared = shared;
  assert_non_null(attach(b, n, remote));
  m->session = tun_session_open(b->dp, 1 + n, &b->port[shared ? 0 : n].head, NULL);
  assert_non_null(m->session);
  m->session->link = m->link; /* not session_join(): the queue is read by hand */
  m->link->session = m->session;
  tun_session_set(m->session, &params);
}

static gboolean own(Bench *b, guint n, const char *text) {
  AditPrefix prefix;
  assert_true(adit_prefix_parse(text, &prefix));
  return tun_session_add_prefix(b->member[n].session, &prefix, NULL);
}

static gboolean disown(Bench *b, guint n, const char *text) {
  AditPrefix prefix;
  assert_true(adit_prefix_parse(text, &prefix));
  return tun_session_remove_prefix(b->member[n].session, &prefix);
}

static guint packet_between(guint8 *out, const char *from, const char *to) {
  AditAddress source, destination;
  assert_true(adit_address_parse(from, &source) && adit_address_parse(to, &destination));
  gboolean six = source.family == AF_INET6;
  guint length = packet_make(out, &(PacketSpec){.six = six, .udp = TRUE, .payload = 20});
  memcpy(out + (six ? 8 : 12), source.octet, six ? 16 : 4);
  memcpy(out + (six ? 24 : 16), destination.octet, six ? 16 : 4);
  return length;
}

static guint64 fact(const Bench *b, gsize offset) {
  guint64 sum = 0;
  for (guint i = 0; i < b->dp->n_workers; i++)
    sum += TUN_GET(*(const guint64 *)(gconstpointer)((const guint8 *)&b->dp->worker[i]->stats + offset));
  return sum;
}
#define FACT(b, field) fact(b, G_STRUCT_OFFSET(TunWorkerStats, field))

/* ---- sources ---- */

/* Does a packet of peer `n` with that source come out of the interface? What does not must have been counted. */
static gboolean passes(Bench *b, guint n, const char *from, const char *to) {
  TunWorker *w = b->dp->worker[b->member[n].link->home];
  guint8 datagram[2048] = {0, 2}, got[2048];
  AditPath path = b->member[n].link->wire->path;
  TunWhere where = from_of(&path, 2);
  AditDpStats before, after;
  tun_session_stats(b->member[n].session, &before);
  tun_put16(datagram + 2, (guint16)(TUNNEL + n));
  tun_put16(datagram + 4, 101);
  tun_put16(datagram + 6, 0xff03);
  guint length = packet_between(datagram + 10, from, to);
  tun_put16(datagram + 8, datagram[10] >> 4 == 6 ? 0x57 : 0x21);
  tun_rx_foreign(w);
  tun_rx_datagram(w, b->listener, &where, &path, datagram, length + 10);
  tun_coalesce_flush(&w->join);
  int system = b->system[b->port[0].head.shared ? 0 : n];
  gboolean came = recv(system, got, sizeof got, 0) > 0;
  tun_session_stats(b->member[n].session, &after);
  assert_int_equal(after.spoofed - before.spoofed, !came);
  assert_int_equal(after.drops - before.drops, !came);
  assert_int_equal(after.counters.rx_packets - before.counters.rx_packets, came);
  return came;
}

static void rfc2827_a_session_sends_from_what_is_its_own(void **state) {
  Bench *b = *state;
  for (guint shared = 0; shared < 2; shared++) {
    open_session(b, 0, "198.51.100.2", shared, TRUE);
    open_session(b, 1, "198.51.100.3", shared, TRUE);
    assert_false(passes(b, 0, "10.0.0.2", "10.0.0.1")); /* nothing is its own yet */
    assert_true(own(b, 0, "10.0.0.2/32"));
    assert_true(own(b, 0, "172.20.0.0/16"));
    assert_true(own(b, 0, "fe80::2/128"));
    assert_true(own(b, 0, "2001:db8:1::/48"));
    assert_true(own(b, 1, "10.0.0.3/32"));
    assert_true(own(b, 1, "172.20.5.0/24"));
    for (guint again = 0; again < 2; again++) { /* the second time it is remembered */
      assert_true(passes(b, 0, "10.0.0.2", "10.0.0.1"));
      assert_true(passes(b, 0, "172.20.4.1", "10.0.0.1"));
      assert_true(passes(b, 0, "fe80::2", "ff02::1:2")); /* DHCPv6 */
      assert_true(passes(b, 0, "2001:db8:1:2::3", "2001:db8::1"));
    }
    static const char *const not_its[] = {"10.0.0.3", "8.8.8.8", "0.0.0.0", "172.20.5.1", "172.21.0.1", "192.0.2.1", "127.0.0.1"};
    for (guint i = 0; i < G_N_ELEMENTS(not_its); i++)
      assert_false(passes(b, 0, not_its[i], "10.0.0.1"));
    assert_false(passes(b, 0, "fe80::3", "ff02::2"));
    assert_false(passes(b, 0, "2001:db8:2::1", "2001:db8::1"));
    assert_false(passes(b, 0, "::ffff:10.0.0.2", "2001:db8::1"));
    assert_true(passes(b, 1, "172.20.5.1", "10.0.0.1"));
    assert_false(passes(b, 1, "172.20.4.1", "10.0.0.1"));
    teardown(state);
    setup(state);
    b = *state;
  }
}

static void rfc4861_4_1_the_unspecified_address_may_ask_on_the_link(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  assert_true(passes(b, 0, "::", "ff02::2"));
  assert_true(passes(b, 0, "::", "ff02::1:ff00:2"));
  assert_false(passes(b, 0, "::", "ff05::2"));
  assert_false(passes(b, 0, "::", "2001:db8::1"));
}

static void without_the_check_any_source_passes(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, FALSE);
  assert_true(own(b, 0, "10.0.0.2/32"));
  assert_true(passes(b, 0, "8.8.8.8", "10.0.0.1"));
  AditDpSessionParams params = {.size = sizeof params, .ipv4 = TRUE, .ipv6 = TRUE, .check_source = TRUE};
  tun_session_set(b->member[0].session, &params); /* a CoA */
  assert_false(passes(b, 0, "8.8.8.8", "10.0.0.1"));
}

/* A caller that was compiled before the check: shared ports had it always. */
static void an_older_core_gets_what_it_had(void **state) {
  Bench *b = *state;
  for (guint shared = 0; shared < 2; shared++) {
    open_session(b, 0, "198.51.100.2", shared, FALSE);
    AditDpSessionParams params = {.size = G_STRUCT_OFFSET(AditDpSessionParams, check_source), .ipv4 = TRUE, .ipv6 = TRUE};
    tun_session_set(b->member[0].session, &params);
    assert_int_equal(passes(b, 0, "8.8.8.8", "10.0.0.1"), !shared);
    teardown(state);
    setup(state);
    b = *state;
  }
}

static void a_prefix_is_handed_over(void **state) {
  Bench *b = *state;
  g_autoptr(GError) error = NULL;
  AditPrefix prefix;
  open_session(b, 0, "198.51.100.2", TRUE, TRUE);
  open_session(b, 1, "198.51.100.3", TRUE, TRUE);
  assert_true(own(b, 0, "172.20.0.0/16"));
  assert_true(own(b, 0, "172.20.0.0/16")); /* twice is once */
  assert_true(adit_prefix_parse("172.20.0.0/16", &prefix));
  assert_false(tun_session_add_prefix(b->member[1].session, &prefix, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
  assert_true(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_false(disown(b, 1, "172.20.0.0/16"));
  assert_true(disown(b, 0, "172.20.0.0/16"));
  assert_false(disown(b, 0, "172.20.0.0/16"));
  assert_false(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_true(own(b, 1, "172.20.0.0/16"));
  assert_true(passes(b, 1, "172.20.0.9", "10.0.0.1"));
}

/* Two lines of one site, an interface each: both may send from it, and neither from what the other alone has. */
static void two_ports_may_have_one_prefix(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  open_session(b, 1, "198.51.100.3", FALSE, TRUE);
  for (guint n = 0; n < 2; n++)
    assert_true(own(b, n, "172.20.0.0/16"));
  for (guint n = 0; n < 2; n++)
    assert_true(passes(b, n, "172.20.0.9", "10.0.0.1"));
  tun_session_remove_prefixes(b->member[0].session);
  assert_false(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_true(passes(b, 1, "172.20.0.9", "10.0.0.1"));
}

static void many_prefixes_come_and_go(void **state) {
  Bench *b = *state;
  char text[ADIT_PREFIX_TEXT];
  open_session(b, 0, "198.51.100.2", TRUE, TRUE);
  for (guint i = 0; i < 5000; i++) {
    g_snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
    assert_true(own(b, 0, text));
  }
  for (guint i = 0; i < 5000; i += 2) {
    g_snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
    assert_true(disown(b, 0, text));
  }
  for (guint i = 0; i < 5000; i += 97) {
    g_snprintf(text, sizeof text, "10.%u.%u.9", i >> 8, i & 255);
    assert_int_equal(passes(b, 0, text, "192.0.2.9"), i & 1);
  }
}

static void the_log_hears_of_it_now_and_then(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  TunWorker *w = b->dp->worker[b->member[0].link->home];
  for (guint i = 0; i < 500; i++)
    assert_false(passes(b, 0, "8.8.8.8", "10.0.0.1"));
  gsize length;
  const TunNote *note = tun_ring_read(&w->main[TUN_TO_LIVE], &length);
  assert_non_null(note);
  assert_int_equal(note->kind, TUN_NOTE_SPOOFED);
  assert_int_equal(note->serial, 1);
  assert_memory_equal(note->data, "\x8\x8\x8\x8", 4);
  assert_null(tun_ring_read(&w->main[TUN_TO_LIVE], &length));
}

/* ---- endpoints ---- */

/* Does a packet from the system through port `n` go out to its peer? */
static gboolean leaves(Bench *b, guint n, const char *from, const char *to) {
  TunWorker *w = b->dp->worker[b->member[n].link->home];
  TunPort *port = &b->port[b->port[0].head.shared ? 0 : n];
  guint8 packet[2048] = {0}, got[2048];
  guint64 before = FACT(b, looped), sent = FACT(b, datagrams_out);
  AditDpStats stats;
  guint length = packet_between(packet + TUN_VNET_LENGTH, from, to);
  int system = b->system[b->port[0].head.shared ? 0 : n];
  tun_session_stats(b->member[n].session, &stats);
  guint64 looped = stats.looped;
  assert_int_equal(send(system, packet, length + TUN_VNET_LENGTH, 0), length + TUN_VNET_LENGTH);
  tun_tx_queue(w, &port->queue[0]);
  while (recv(b->wire, got, sizeof got, 0) > 0)
    ;
  gboolean left = FACT(b, datagrams_out) > sent;
  assert_int_equal(FACT(b, looped) - before, !left);
  tun_session_stats(b->member[n].session, &stats);
  assert_int_equal(stats.looped - looped, !left);
  return left;
}

/* A datagram of peer `n` comes through that interface. */
static void comes_through(Bench *b, guint n, guint32 ingress) {
  guint8 hello[12] = {0xc8, 2, 0, 12, 0, (guint8)(TUNNEL + n)};
  AditPath path = b->member[n].link->wire->path;
  AditDpTunnel facts = {.size = sizeof facts, .path = &path};
  TunWhere where = from_of(&path, ingress);
  assert_true(tun_tunnel_set(b->listener, TUNNEL + n, &facts));
  tun_rx_datagram(b->dp->worker[0], b->listener, &where, &path, hello, sizeof hello);
}

static void a_tunnel_is_not_carried_in_itself(void **state) {
  Bench *b = *state;
  static const char *const outside[] = {"198.51.100.2", "2001:db8:5::2"}, *const inside[] = {"198.51.100.7", "2001:db8:5::7"},
                           *const here[] = {"192.0.2.1", "2001:db8::1"}, *const prefix[] = {"198.51.100.0/24", "2001:db8:5::/48"};
  for (guint i = 0; i < 4; i++) {
    open_session(b, 0, outside[i & 1], i >> 1, TRUE);
    assert_true(own(b, 0, prefix[i & 1]));
    assert_true(leaves(b, 0, here[i & 1], inside[i & 1]));
    assert_false(leaves(b, 0, here[i & 1], outside[i & 1]));
    comes_through(b, 0, 2);
    assert_false(leaves(b, 0, here[i & 1], outside[i & 1]));
    teardown(state);
    setup(state);
    b = *state;
  }
}

/* Somebody else's outer address was given to a session: it must not get that one's datagrams. */
static void a_session_does_not_get_the_datagrams_of_another_tunnel(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  open_session(b, 1, "198.51.100.3", FALSE, TRUE);
  comes_through(b, 0, 2);
  comes_through(b, 1, 2);
  assert_false(leaves(b, 1, "192.0.2.1", "198.51.100.2"));
  assert_false(leaves(b, 0, "192.0.2.1", "198.51.100.3"));
  assert_true(leaves(b, 0, "192.0.2.1", "198.51.100.4"));
  /* It is nobody's any more. */
  b->member[1].link->session = NULL;
  b->member[1].session->link = NULL;
  tun_session_close(g_steal_pointer(&b->member[1].session), NULL);
  tun_link_detach(g_steal_pointer(&b->member[1].link));
  tun_tunnel_unset(b->listener, TUNNEL + 1);
  assert_true(leaves(b, 0, "192.0.2.1", "198.51.100.3"));
}

/* A tunnel inside of a session, and one that is being dialled through it, are as good as any. */
static void a_tunnel_may_be_inside_of_another_session(void **state) {
  Bench *b = *state;
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  comes_through(b, 0, 2);
  open_session(b, 1, "10.0.0.2", FALSE, TRUE); /* its tunnel ends at what session 0 has */
  assert_true(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
  comes_through(b, 1, b->port[0].head.ifindex);
  assert_true(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
  assert_false(leaves(b, 1, "192.0.2.1", "10.0.0.2"));
  assert_false(leaves(b, 1, "192.0.2.1", "198.51.100.2"));
  comes_through(b, 1, 2); /* it has moved */
  assert_false(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
}

/* ---- who goes before whom ---- */

static TunPriority priority_of(Bench *b, guint16 tunnel, const AditPath *path, const guint8 *datagram, gsize length) {
  TunWorker *w = b->dp->worker[0];
  guint8 copy[64];
  TunWhere where = from_of(path, 2);
  memcpy(copy, datagram, length);
  tun_put16(copy + (copy[0] & 0x40 ? 4 : 2), tunnel);
  tun_rx_datagram(w, b->listener, &where, path, copy, length);
  for (guint i = 0; i < TUN_TO_N; i++) {
    gsize size;
    if (!tun_ring_read(&w->main[i], &size))
      continue;
    tun_ring_release(&w->main[i]);
    return i;
  }
  return TUN_TO_N;
}

static const guint8 hello[12] = {0xc8, 2, 0, 12};
static const guint8 lcp[14] = {0, 2, 0, 0, 0, 50, 0xff, 3, 0xc0, 0x21, 1, 1, 0, 4};

static void only_a_known_tunnel_goes_before_newcomers(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701), port = path_of("198.51.100.2", 1702), other = path_of("198.51.100.3", 1701);
  AditDpTunnel facts = {.size = sizeof facts, .path = &path};
  for (guint16 id = 1; id < 2000; id++)
    assert_int_equal(priority_of(b, id, &path, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &path, lcp, sizeof lcp), TUN_TO_N); /* nobody's: dropped */
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &path, lcp, sizeof lcp), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &other, hello, sizeof hello), TUN_TO_NEW);
  assert_int_equal(priority_of(b, TUNNEL, &other, lcp, sizeof lcp), TUN_TO_N);
  assert_int_equal(priority_of(b, TUNNEL + 1, &path, hello, sizeof hello), TUN_TO_NEW);
  facts.proven = TRUE;
  facts.path = &port; /* it has moved, too */
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_LIVE);
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_NEW);
  tun_tunnel_unset(b->listener, TUNNEL);
  tun_tunnel_unset(b->listener, TUNNEL);
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_NEW);
}

/* RFC 2661 8.1: who answers may do so from a port of its own. */
static void a_tunnel_that_is_dialled_may_answer_from_any_port(void **state) {
  Bench *b = *state;
  AditPath any = path_of("198.51.100.2", 0), port = path_of("198.51.100.2", 40000), other = path_of("198.51.100.3", 40000);
  AditDpTunnel facts = {.size = sizeof facts, .path = &any};
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &facts));
  assert_int_equal(priority_of(b, TUNNEL, &port, hello, sizeof hello), TUN_TO_CONTROL);
  assert_int_equal(priority_of(b, TUNNEL, &other, hello, sizeof hello), TUN_TO_NEW);
}

/* One that has logged in must not crowd out the others either. */
static void a_tunnel_has_its_share(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701), other = path_of("198.51.100.3", 1701);
  guint n[TUN_TO_N + 1] = {0};
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &path, .proven = TRUE}));
  assert_true(tun_tunnel_set(b->listener, TUNNEL + 1, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &other, .proven = TRUE}));
  for (guint i = 0; i < 10000; i++)
    n[priority_of(b, TUNNEL, &path, hello, sizeof hello)]++;
  print_message("of 10000 at once, %u went before newcomers\n", n[TUN_TO_LIVE]);
  assert_in_range(n[TUN_TO_LIVE], 100, 2000);
  assert_int_equal(n[TUN_TO_NEW], 10000 - n[TUN_TO_LIVE]);
  assert_int_equal(FACT(b, crowded), n[TUN_TO_NEW]);
  assert_int_equal(priority_of(b, TUNNEL + 1, &other, hello, sizeof hello), TUN_TO_LIVE);
  b->dp->worker[0]->now += 1000;
  assert_int_equal(priority_of(b, TUNNEL, &path, hello, sizeof hello), TUN_TO_LIVE);
}

/* Frames of links nobody has logged in on do not go before those of sessions. */
static void frames_without_a_session_go_behind(void **state) {
  Bench *b = *state;
  guint8 echo[14] = {0, 2, 0, TUNNEL, 0, 101, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
  AditPath path = path_of("198.51.100.2", 1701);
  open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  assert_int_equal(b->member[0].link->home, 0);
  assert_int_equal(priority_of(b, TUNNEL, &path, echo, sizeof echo), TUN_TO_LIVE);
  b->member[0].link->session = NULL;
  assert_int_equal(priority_of(b, TUNNEL, &path, echo, sizeof echo), TUN_TO_CONTROL);
  b->member[0].link->session = b->member[0].session;
}

/* ---- when the main loop looks ---- */

static void read_hellos(Bench *b, const AditPath *path, guint n) {
  for (guint i = 0; i < n; i++) {
    guint8 copy[12];
    TunWhere where = from_of(path, 2);
    memcpy(copy, hello, sizeof copy);
    tun_put16(copy + 4, TUNNEL);
    tun_rx_datagram(b->dp->worker[0], b->listener, &where, path, copy, sizeof copy);
  }
  tun_wake_main(b->dp);
  tun_notes_look(NULL, b->dp);
}

/* Workers wake the main loop when they set `woken`: while it is set, they need not. */
static void a_storm_of_control_is_read_by_the_clock(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701);
  assert_true(tun_tunnel_set(b->listener, TUNNEL, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &path, .proven = TRUE}));
  for (guint i = 0; i < 100; i++, now_ms += TUN_PACE_MS) { /* some, for ever: each wakes it */
    read_hellos(b, &path, TUN_PACE_MANY / 2 - 1);
    assert_false(b->dp->woken);
  }
  read_hellos(b, &path, TUN_PACE_MANY);
  read_hellos(b, &path, 1);
  assert_true(b->dp->woken);
  now_ms += TUN_PACE_MS;
  read_hellos(b, &path, 1); /* a moment later it may go on */
  assert_true(b->dp->woken);
  now_ms += 2 * TUN_PACE_MS;
  tun_notes_look(NULL, b->dp);
  assert_false(b->dp->woken);
  read_hellos(b, &path, 1);
  assert_false(b->dp->woken);
  for (guint i = 0; i < TUN_TO_N; i++)
    assert_true(tun_ring_is_empty(&b->dp->worker[0]->main[i]));
}

/* What is left of a pass is read at once, and not in a millisecond. */
static void a_storm_larger_than_a_pass_is_read_at_once(void **state) {
  Bench *b = *state;
  AditPath path = path_of("198.51.100.2", 1701);
  read_hellos(b, &path, 50);
  read_hellos(b, &path, 50);
  assert_true(b->dp->woken);
  armed = FALSE;
  read_hellos(b, &path, 50);
  assert_false(armed);
  assert_true(b->dp->woken);
  for (guint i = 0; !armed; i++) {
    assert_true(i < 20);
    tun_notes_look(NULL, b->dp);
  }
  assert_true(tun_ring_is_empty(&b->dp->worker[0]->main[TUN_TO_NEW]));
}

/* ---- frames on their way from worker to worker ---- */

/* The link goes while a frame of it waits, and another gets its ids. */
static void a_frame_reaches_the_link_it_was_for_or_none(void **state) {
  Bench *b = *state;
  guint8 echo[14] = {0, 2, 0, TUNNEL, 0, 101, 0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
  AditPath path = path_of("198.51.100.2", 1701);
  TunWhere where = from_of(&path, 2);
  TunWorker *home = b->dp->worker[0], *other = b->dp->worker[1];
  gsize length;
  for (guint stale = 0; stale < 2; stale++) {
    AditDpLink *link = attach(b, 0, "198.51.100.2");
    assert_int_equal(link->home, 0);
    tun_rx_foreign(other);
    tun_rx_datagram(other, b->listener, &where, &path, echo, sizeof echo);
    assert_int_equal(FACT(b, foreign), stale + 1);
    if (stale) {
      tun_link_detach(link);
      attach(b, 0, "198.51.100.2");
    }
    tun_rx_foreign(home);
    assert_int_equal(tun_ring_read(&home->main[TUN_TO_CONTROL], &length) != NULL, !stale);
    tun_ring_release(&home->main[TUN_TO_CONTROL]);
    tun_link_detach(g_steal_pointer(&b->member[0].link));
  }
}

int main(void) {
#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest guard[] = {
      GUARD_TEST(rfc2827_a_session_sends_from_what_is_its_own),
      GUARD_TEST(rfc4861_4_1_the_unspecified_address_may_ask_on_the_link),
      GUARD_TEST(without_the_check_any_source_passes),
      GUARD_TEST(an_older_core_gets_what_it_had),
      GUARD_TEST(a_prefix_is_handed_over),
      GUARD_TEST(two_ports_may_have_one_prefix),
      GUARD_TEST(many_prefixes_come_and_go),
      GUARD_TEST(the_log_hears_of_it_now_and_then),
      GUARD_TEST(a_tunnel_is_not_carried_in_itself),
      GUARD_TEST(a_session_does_not_get_the_datagrams_of_another_tunnel),
      GUARD_TEST(a_tunnel_may_be_inside_of_another_session),
      GUARD_TEST(only_a_known_tunnel_goes_before_newcomers),
      GUARD_TEST(a_tunnel_that_is_dialled_may_answer_from_any_port),
      GUARD_TEST(a_tunnel_has_its_share),
      GUARD_TEST(frames_without_a_session_go_behind),
      GUARD_TEST(a_storm_of_control_is_read_by_the_clock),
      GUARD_TEST(a_storm_larger_than_a_pass_is_read_at_once),
      GUARD_TEST(a_frame_reaches_the_link_it_was_for_or_none),
  };
  return cmocka_run_group_tests(guard, NULL, NULL);
}
