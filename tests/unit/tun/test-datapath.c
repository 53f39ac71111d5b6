/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The data path against the kernel, in a network namespace of the test's own: the peer is a UDP socket, the system behind the
 * interfaces is the kernel. */
#include "config.h"

#include "core/base/loop.h"
#include "core/net/net.h"
#include "header.h"
#include "packets.h"
#include "tests/lib/loop.h"
#include "tun.h"
#include <adit/ppp.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE = 10000, TUNNEL = 7 };

typedef struct World World;

/* A session with what belongs to it. Its inside is 10.9.N.1 here and 10.9.N.2 at the peer's. */
typedef struct {
  World *w;
  guint number;
  AditDpLink *link;
  AditDpSession *session;
  AditPort *port;
  gboolean opened, closed, own_port;
  AditCounters final;
  int error;
  guint frames;
  GByteArray *frame;
} Session;

struct World {
  TunDp *dp;
  AditListener *listener;
  AditEndpoint local; /* where the peer sends to */
  int peer;           /* the peer's socket */
  AditEndpoint peer_at;
  guint controls, strays;
  AditPath from;
  gboolean stopped;
  Session session[4];
};

/* ---- callbacks ---- */

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  ((World *)user)->controls++;
  ((World *)user)->from = *path;
}
static void on_stray(gpointer user, const AditPath *path, guint32 tunnel, guint32 session) {
  ((World *)user)->strays++;
  ((World *)user)->from = *path;
}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  Session *s = user;
  g_byte_array_set_size(s->frame, 0);
  g_byte_array_append(s->frame, frame, (guint)length);
  s->frames++;
}
static void on_opened(gpointer user, AditPort *port, const GError *error) {
  Session *s = user;
  s->error = error ? error->code : 0;
  s->port = port;
  s->opened = TRUE;
}
static void on_closed(gpointer user, const AditCounters *final) {
  Session *s = user;
  s->final = *final;
  s->closed = TRUE;
}
static void on_stopped(gpointer user) {
  ((World *)user)->stopped = TRUE;
}
static void on_address(gpointer user, int error) {
  *(int *)user = error;
}

static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control, .stray = on_stray};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

/* ---- making things ---- */

static AditEndpoint endpoint(const char *text, guint16 port) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return adit_endpoint(&a, port);
}

static int udp_socket(const char *text, guint16 port, AditEndpoint *at) {
  AditEndpoint e = endpoint(text, port);
  socklen_t size = sizeof *at;
  int fd = socket(e.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), buffer = 4 << 20;
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  assert_int_equal(bind(fd, &e.any, adit_endpoint_size(&e)), 0);
  if (at)
    assert_int_equal(getsockname(fd, &at->any, &size), 0);
  return fd;
}

static void world_listen(World *w, const char *listen, const char *reach, const char *peer) {
  AditListenerSpec spec = {.size = sizeof spec, .local = endpoint(listen, 0), .classify = l2tp_classify};
  AditEndpoint at;
  g_autoptr(GError) error = NULL;
  w->listener = tun_listen(w->dp, &spec, &listener_ops, w, &error);
  assert_non_null(w->listener);
  tun_listener_local(w->listener, &at);
  assert_int_not_equal(adit_endpoint_port(&at), 0);
  w->local = endpoint(reach, adit_endpoint_port(&at));
  w->peer = udp_socket(peer, 0, &w->peer_at);
}

static World *world_new(guint workers, gboolean offload) {
  World *w = g_new0(World, 1);
  TunConfig config = {.workers = workers, .offload = offload};
  g_autoptr(GError) error = NULL;
  adit_loop_init();
  assert_true(adit_net_init(&error));
  w->dp = tun_dp_new(adit_loop_service(), adit_net_service(), NULL);
  assert_true(tun_dp_start(w->dp, &config, &error));
  w->peer = -1;
  for (guint i = 0; i < G_N_ELEMENTS(w->session); i++) {
    w->session[i].w = w;
    w->session[i].number = i;
    w->session[i].frame = g_byte_array_new();
  }
  return w;
}

static void session_attach(World *w, guint n, guint8 sequence, guint reorder_ms) {
  Session *s = &w->session[n];
  AditPath path = {.local = w->local, .remote = w->peer_at};
  AditEncap encap = {
      .kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = TUNNEL, .peer_tunnel = 70, .sequence = sequence, .reorder_ms = reorder_ms};
  encap.local_session = 100 + n;
  encap.peer_session = 200 + n;
  s->link = tun_link_attach(w->dp, w->listener, &path, &encap, &link_ops, s, NULL);
  assert_non_null(s->link);
}

static void port_make(Session *s, const char *name, gboolean shared, gboolean is_static) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = name, .mtu = 1460, .shared = shared, .is_static = is_static};
  s->opened = FALSE;
  tun_port_open(s->w->dp, &spec, on_opened, s);
  assert_true(TEST_LOOP_UNTIL(s->opened, PATIENCE));
  assert_non_null(s->port);
  s->own_port = TRUE;
}

static void address_add(AditPort *port, const char *local, const char *peer) {
  AditNetAddress address = {.ifindex = port->ifindex};
  int error = -1;
  assert_true(adit_prefix_parse(local, &address.local));
  if (peer)
    assert_true(adit_address_parse(peer, &address.peer));
  adit_net_service()->address_add(&address, on_address, &error);
  assert_true(TEST_LOOP_UNTIL(error >= 0, PATIENCE));
  assert_int_equal(error, 0);
}

static void session_open(Session *s) {
  AditDpSessionParams params = {.size = sizeof params, .ipv4 = TRUE, .ipv6 = TRUE};
  s->session = tun_session_open(s->w->dp, 1 + s->number, s->port, NULL);
  assert_non_null(s->session);
  assert_true(tun_session_join(s->session, s->link, NULL));
  tun_session_set(s->session, &params);
}

/* The usual: a link, an interface of its own with addresses, all open. */
static void session_start(World *w, guint n) {
  Session *s = &w->session[n];
  g_autofree char *name = g_strdup_printf("l2tp-t%u", n), *local = g_strdup_printf("10.9.%u.1/32", n),
                  *peer = g_strdup_printf("10.9.%u.2", n);
  session_attach(w, n, 0, 0);
  port_make(s, name, FALSE, FALSE);
  address_add(s->port, local, peer);
  session_open(s);
}

static void session_end(Session *s) {
  if (s->session)
    tun_session_close(g_steal_pointer(&s->session), NULL);
  if (s->link)
    tun_link_detach(g_steal_pointer(&s->link));
  if (s->port && s->own_port) {
    s->closed = FALSE;
    tun_port_close(g_steal_pointer(&s->port), on_closed, s);
    assert_true(TEST_LOOP_UNTIL(s->closed, PATIENCE));
  }
}

static void world_free(World *w) {
  for (guint i = G_N_ELEMENTS(w->session); i-- > 0;) {
    session_end(&w->session[i]);
    g_byte_array_unref(w->session[i].frame);
  }
  if (w->listener)
    tun_listener_close(w->listener);
  if (w->peer >= 0)
    close(w->peer);
  w->stopped = FALSE;
  tun_dp_stop(w->dp, on_stopped, w);
  assert_true(TEST_LOOP_UNTIL(w->stopped, PATIENCE));
  adit_net_fini();
  tun_dp_free(w->dp);
  adit_loop_fini();
  test_loop_drain();
  g_free(w);
}

/* ---- the peer ---- */

typedef struct {
  guint flags; /* more bits for the L2TP header: 0x4000 length, 0x0800 numbered, 0x0200 offset */
  guint16 ns;
  const char *framing; /* hex of address, control and protocol */
} Wrap;

static guint hex(guint8 *out, const char *text) {
  guint n = 0;
  for (; text[0]; text += 2)
    out[n++] = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
  return n;
}

static guint wrap(guint8 *out, guint session, Wrap how, const guint8 *body, gsize length) {
  guint8 lead[8];
  guint n = hex(lead, how.framing ? how.framing : "ff030021");
  AditBuilder b = adit_builder(out, 65536);
  adit_put_u16(&b, (guint16)(2 | how.flags));
  gsize at = adit_built(&b);
  if (how.flags & 0x4000)
    adit_put_u16(&b, 0);
  adit_put_u16(&b, TUNNEL);
  adit_put_u16(&b, (guint16)(100 + session));
  if (how.flags & 0x0800)
    adit_put_u32(&b, (guint32)how.ns << 16);
  if (how.flags & 0x0200)
    adit_put_bytes(&b, "\0\3xyz", 5);
  adit_put_bytes(&b, lead, n);
  adit_put_bytes(&b, body, length);
  if (how.flags & 0x4000)
    adit_patch_u16(&b, at, (guint16)adit_built(&b));
  assert_false(b.bad);
  return (guint)adit_built(&b);
}

static void peer_send(World *w, const guint8 *data, gsize length) {
  assert_int_equal(sendto(w->peer, data, length, 0, &w->local.any, adit_endpoint_size(&w->local)), length);
}

/* An inner UDP packet from 10.9.N.2:1000 to 10.9.N.1:7000. */
static guint inner_packet(guint8 *out, guint n, guint payload, guint8 fill) {
  guint length = packet_make(out, &(PacketSpec){.udp = TRUE, .payload = payload, .fill = fill});
  tun_put32(out + 12, 0x0a090002 | n << 8);
  tun_put32(out + 16, 0x0a090001 | n << 8);
  tun_put16(out + 22, 7000);
  memset(out + 10, 0, 2);
  memset(out + 26, 0, 2);
  tun_put16(out + 10, plain_checksum(out, 20, 0));
  tun_put16(out + 26, plain_checksum(out + 20, length - 20, plain_pseudo(out, 17, length - 20)));
  return length;
}

static void peer_packet(World *w, guint n, Wrap how, guint8 fill) {
  guint8 packet[2048], datagram[2048];
  guint length = inner_packet(packet, n, 100, fill);
  peer_send(w, datagram, wrap(datagram, n, how, packet, length));
}

/* Reads from any socket with a deadline; -1 when nothing comes. */
static gssize receive_within(int fd, guint8 *buffer, gsize size, AditEndpoint *from, int ms) {
  struct pollfd p = {fd, POLLIN, 0};
  socklen_t length = sizeof *from;
  if (poll(&p, 1, ms) <= 0)
    return -1;
  return recvfrom(fd, buffer, size, 0, from ? &from->any : NULL, from ? &length : NULL);
}

static gssize receive(int fd, guint8 *buffer, gsize size, AditEndpoint *from) {
  return receive_within(fd, buffer, size, from, PATIENCE);
}

static int inside_socket(guint n) {
  g_autofree char *text = g_strdup_printf("10.9.%u.1", n);
  return udp_socket(text, 7000, NULL);
}

/* What adit sent for session `n`: checks headers, returns the inner packet's length. */
static guint peer_receive(World *w, guint n, guint8 *packet) {
  guint8 datagram[65536];
  gssize length = receive(w->peer, datagram, sizeof datagram, NULL);
  assert_true(length > 10);
  assert_int_equal(tun_get16(datagram), 0x0002);
  assert_int_equal(tun_get16(datagram + 2), 70);
  assert_int_equal(tun_get16(datagram + 4), 200 + n);
  assert_int_equal(tun_get32(datagram + 6), 0xff030021);
  memcpy(packet, datagram + 10, (gsize)length - 10);
  return (guint)length - 10;
}

static guint64 fact(const World *w, gsize offset) {
  guint64 sum = 0;
  for (guint i = 0; i < w->dp->n_workers; i++)
    sum += TUN_GET(*(const guint64 *)(gconstpointer)((const guint8 *)&w->dp->worker[i]->stats + offset));
  return sum;
}
#define FACT(w, field) fact(w, G_STRUCT_OFFSET(TunWorkerStats, field))

/* ---- tests ---- */

static int setup(void **state) {
  World *w = world_new(2, TRUE);
  world_listen(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  *state = w;
  return 0;
}

static int teardown(void **state) {
  world_free(*state);
  return 0;
}

static void packets_cross_both_ways(void **state) {
  World *w = *state;
  guint8 packet[2048];
  AditEndpoint from;
  AditDpStats stats;
  for (guint n = 0; n < 2; n++) { /* their homes differ */
    session_start(w, n);
    int inside = inside_socket(n);
    peer_packet(w, n, (Wrap){0}, 1);
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(packet[1], 8);
    assert_int_equal(sendto(inside, "answer", 6, 0, &from.any, sizeof from.in), 6);
    assert_int_equal(peer_receive(w, n, packet), 34);
    TunPacket p;
    assert_true(tun_packet_parse(packet, 34, &p));
    assert_true(tun_packet_verify(packet, &p));
    assert_memory_equal(packet + 28, "answer", 6);
    tun_session_stats(w->session[n].session, &stats);
    assert_int_equal(stats.counters.rx_packets, 1);
    assert_int_equal(stats.counters.rx_octets, 128);
    assert_int_equal(stats.counters.tx_octets, 34);
    assert_true(stats.last_data_ms > 0);
    tun_link_stats(w->session[n].link, &stats);
    assert_int_equal(stats.counters.rx_octets, 132);
    assert_int_equal(stats.counters.tx_octets, 38);
    close(inside);
    session_end(&w->session[n]);
    assert_int_equal(w->session[n].final.rx_packets, 1);
    assert_int_equal(w->session[n].final.tx_octets, 34);
  }
}

static void rfc1661_2_all_framings_and_rfc2661_3_1_all_headers_are_taken(void **state) {
  World *w = *state;
  guint8 packet[2048], fill = 0;
  static const char *const framing[] = {"ff030021", "ff0321", "0021", "21"};
  static const guint flags[] = {0, 0x4000, 0x0800, 0x4800, 0x0200, 0x4a00};
  session_start(w, 0);
  int inside = inside_socket(0);
  for (guint i = 0; i < G_N_ELEMENTS(framing); i++)
    for (guint k = 0; k < G_N_ELEMENTS(flags); k++) {
      peer_packet(w, 0, (Wrap){.flags = flags[k], .framing = framing[i], .ns = fill}, fill);
      assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
      assert_int_equal(packet[0], fill++);
    }
  close(inside);
}

static void frames_of_control_protocols_reach_the_link(void **state) {
  World *w = *state;
  guint8 datagram[256];
  const guint8 request[] = {1, 1, 0, 4}, lcp[] = {0xc0, 0x21, 9, 1, 0, 4};
  session_attach(w, 0, 0, 0);
  session_attach(w, 1, 0, 0);
  for (guint n = 0; n < 2; n++) {
    peer_send(w, datagram, wrap(datagram, n, (Wrap){.framing = "c021"}, request, sizeof request));
    assert_true(TEST_LOOP_UNTIL(w->session[n].frames == 1, PATIENCE));
    assert_int_equal(w->session[n].frame->len, 6);
    assert_memory_equal(w->session[n].frame->data, "\xc0\x21\1\1\0\4", 6);
  }
  /* Data of a protocol that is not open, too: for a Protocol-Reject. */
  peer_packet(w, 0, (Wrap){.framing = "21"}, 0);
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 2, PATIENCE));
  assert_memory_equal(w->session[0].frame->data, "\0\x21\x45", 3);

  tun_link_framing(w->session[0].link, TRUE, TRUE); /* LCP is never compressed */
  tun_link_send(w->session[0].link, lcp, sizeof lcp);
  assert_int_equal(receive(w->peer, datagram, sizeof datagram, NULL), 14);
  assert_memory_equal(datagram + 6, "\xff\3\xc0\x21\x09\1\0\4", 8);
}

static void answers_leave_from_the_address_that_was_asked(void **state) {
  World *w = world_new(2, TRUE);
  guint8 buffer[64];
  AditEndpoint from;
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
  world_listen(w, "0.0.0.0", "127.0.0.9", "127.0.0.1");
  peer_send(w, sccrq, sizeof sccrq);
  assert_true(TEST_LOOP_UNTIL(w->controls == 1, PATIENCE));
  assert_true(adit_endpoint_equal(&w->from.local, &w->local));
  assert_true(adit_endpoint_equal(&w->from.remote, &w->peer_at));
  assert_true(tun_send_control(w->listener, &w->from, sccrq, sizeof sccrq));
  assert_int_equal(receive(w->peer, buffer, sizeof buffer, &from), sizeof sccrq);
  assert_true(adit_endpoint_equal(&from, &w->local));
  world_free(w);
}

static void ipv6_outside_and_inside(void **state) {
  World *w = world_new(2, TRUE);
  guint8 packet[2048], datagram[2048];
  AditEndpoint from;
  world_listen(w, "::", "::1", "::1");
  Session *s = &w->session[0];
  session_attach(w, 0, 0, 0);
  port_make(s, "l2tp-six", FALSE, FALSE);
  address_add(s->port, "fd01::2/64", NULL); /* packet_make() goes from fd..:1: to fd..::2 */
  session_open(s);
  int inside = udp_socket("fd01::2", 0, &from);
  guint length = packet_make(packet, &(PacketSpec){.six = TRUE, .udp = TRUE, .payload = 60});
  memcpy(packet + 24, &from.in6.sin6_addr, 16);
  memcpy(packet + 8, &from.in6.sin6_addr, 15);
  packet[23] = 9;
  tun_put16(packet + 42, adit_endpoint_port(&from));
  tun_put16(packet + 46, 0);
  tun_put16(packet + 46, plain_checksum(packet + 40, length - 40, plain_pseudo(packet, 17, length - 40)));
  /* An address is tentative for a moment: repeat until it is taken. */
  gint64 deadline = g_get_monotonic_time() + PATIENCE * 1000;
  gssize got = -1;
  while (got < 0 && g_get_monotonic_time() < deadline) {
    peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "0057"}, packet, length));
    got = receive_within(inside, packet, 60, &from, 100);
  }
  assert_int_equal(got, 60);
  assert_int_equal(sendto(inside, "six", 3, 0, &from.any, sizeof from.in6), 3);
  do
    got = receive(w->peer, datagram, sizeof datagram, NULL);
  while (got > 0 && memcmp(datagram + got - 3, "six", 3) != 0); /* neighbour and router discovery, too */
  assert_memory_equal(datagram + 6, "\xff\3\0\x57\x60", 5);
  close(inside);
  world_free(w);
}

static void a_foreign_path_is_dropped_and_told(void **state) {
  World *w = *state;
  guint8 packet[256], datagram[256];
  AditEndpoint other_at;
  AditDpStats stats;
  session_start(w, 0);
  int inside = inside_socket(0), other = udp_socket("127.0.0.1", 0, &other_at);
  guint length = wrap(datagram, 0, (Wrap){0}, packet, inner_packet(packet, 0, 100, 1));
  assert_int_equal(sendto(other, datagram, length, 0, &w->local.any, sizeof w->local.in), length);
  assert_true(TEST_LOOP_UNTIL(w->strays == 1, PATIENCE));
  assert_true(adit_endpoint_equal(&w->from.remote, &other_at));
  tun_link_stats(w->session[0].link, &stats);
  assert_int_equal(stats.drops, 1);
  /* The transport decides to follow. */
  AditPath path = {.local = w->local, .remote = other_at};
  tun_link_update(w->session[0].link, &path, NULL);
  assert_int_equal(sendto(other, datagram, length, 0, &w->local.any, sizeof w->local.in), length);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  close(inside);
  close(other);
}

/* One merged datagram holds frames of sessions whose homes differ. */
static void merged_datagrams_are_told_apart(void **state) {
  World *w = *state;
  enum { EACH = 20 };
  guint8 all[2 * EACH * 200], packet[2048];
  guint size = 0;
  int inside[2];
  for (guint n = 0; n < 2; n++) {
    session_start(w, n);
    inside[n] = inside_socket(n);
  }
  for (guint i = 0; i < 2 * EACH; i++) {
    guint length = inner_packet(packet, i & 1, 100, (guint8)(i / 2));
    size = wrap(all + i * size, i & 1, (Wrap){0}, packet, length);
  }
  int segment = (int)size;
  assert_int_equal(setsockopt(w->peer, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  peer_send(w, all, 2 * EACH * size);
  for (guint n = 0; n < 2; n++)
    for (guint i = 0; i < EACH; i++) {
      assert_int_equal(receive(inside[n], packet, sizeof packet, NULL), 100);
      assert_int_equal(packet[0], i);
    }
  assert_int_equal(FACT(w, gro_in), 2 * EACH);
  assert_int_equal(FACT(w, foreign), EACH);
  for (guint n = 0; n < 2; n++)
    close(inside[n]);
}

/* Sends an inner super-packet (the kernel's own UDP_SEGMENT, which TUN passes whole where it can). */
static void super_packet(World *w, int inside, guint n, guint count, guint size) {
  g_autofree guint8 *data = g_malloc0(count * size);
  g_autofree char *text = g_strdup_printf("10.9.%u.2", n);
  AditEndpoint to = endpoint(text, 9000);
  int segment = (int)size;
  for (guint i = 0; i < count; i++)
    data[i * size] = (guint8)i;
  assert_int_equal(setsockopt(inside, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  assert_int_equal(sendto(inside, data, count * size, 0, &to.any, sizeof to.in), count * size);
  for (guint i = 0; i < count; i++) {
    guint8 packet[2048];
    TunPacket p;
    guint length = peer_receive(w, n, packet);
    assert_int_equal(length, 28 + size);
    assert_true(tun_packet_parse(packet, length, &p));
    assert_true(tun_packet_verify(packet, &p));
    assert_int_equal(packet[28], i);
  }
}

static void a_super_packet_crosses_in_few_calls(void **state) {
  World *w = *state;
  session_start(w, 0);
  int inside = inside_socket(0);
  super_packet(w, inside, 0, 44, 1400);
  assert_int_equal(FACT(w, datagrams_out), 44);
  if (FACT(w, super_in) == 0)
    print_message("this kernel has no USO: single packets from TUN\n");
  else
    assert_true(FACT(w, sends_out) <= 2);
  close(inside);
}

/* Segments that the way does not take are not for the kernel to cut (EMSGSIZE): they go one by one, in fragments. */
static void what_the_kernel_refuses_is_remembered(void **state) {
  World *w = *state;
  session_start(w, 0);
  int inside = inside_socket(0);
  assert_int_equal(system("ip link set lo mtu 1300"), 0);
  super_packet(w, inside, 0, 20, 1400);
  guint64 refused = FACT(w, gso_refused);
  super_packet(w, inside, 0, 20, 1400);
  assert_int_equal(system("ip link set lo mtu 65536"), 0);
  assert_int_equal(FACT(w, gso_refused), refused);
  if (FACT(w, super_in))
    assert_true(refused >= 1);
  close(inside);
}

static void without_offloads_all_arrives_too(void **state) {
  World *w = world_new(1, FALSE);
  world_listen(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  session_start(w, 0);
  int inside = inside_socket(0);
  super_packet(w, inside, 0, 30, 1000);
  assert_int_equal(FACT(w, super_in), 0);
  assert_int_equal(FACT(w, gso_out), 0);
  close(inside);
  world_free(w);
}

static void rfc2661_5_4_numbers(void **state) {
  World *w = *state;
  guint8 packet[2048], datagram[2048];
  AditEndpoint from;
  AditDpStats stats;
  static const guint8 order[] = {0, 2, 1, 4, 3, 3, 5};
  const guint8 lcp[] = {0xc0, 0x21, 9, 1, 0, 4};
  session_attach(w, 0, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE, 2000);
  Session *s = &w->session[0];
  port_make(s, "l2tp-seq", FALSE, FALSE);
  address_add(s->port, "10.9.0.1/32", "10.9.0.2");
  session_open(s);
  int inside = inside_socket(0);
  peer_packet(w, 0, (Wrap){0}, 99); /* not numbered, though required */
  for (guint i = 0; i < G_N_ELEMENTS(order); i++)
    peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = order[i]}, order[i]);
  for (guint i = 0; i < 6; i++) {
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(packet[0], i);
  }
  tun_link_stats(s->link, &stats);
  assert_int_equal(stats.drops, 2);
  assert_int_equal(stats.reordered, 2);

  for (guint i = 0; i < 3; i++) { /* control frames and data are numbered in one row */
    if (i == 1)
      tun_link_send(s->link, lcp, sizeof lcp);
    else
      assert_int_equal(sendto(inside, "x", 1, 0, &from.any, sizeof from.in), 1);
    assert_true(receive(w->peer, datagram, sizeof datagram, NULL) > 0);
    assert_int_equal(tun_get16(datagram), 0x0802);
    assert_int_equal(tun_get16(datagram + 6), i);
    assert_int_equal(tun_get16(datagram + 8), 0);
  }
  close(inside);
}

static void a_missing_frame_is_waited_for_so_long(void **state) {
  World *w = *state;
  guint8 packet[2048];
  session_attach(w, 0, 0, 30);
  Session *s = &w->session[0];
  port_make(s, "l2tp-seq", FALSE, FALSE);
  address_add(s->port, "10.9.0.1/32", "10.9.0.2");
  session_open(s);
  int inside = inside_socket(0);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 10}, 10);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 12}, 12);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  gint64 before = g_get_monotonic_time();
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  assert_int_equal(packet[0], 12);
  assert_true(g_get_monotonic_time() - before < 5 * G_USEC_PER_SEC);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 14}, 14); /* held while the link goes */
  const guint8 echo[] = {9, 1, 0, 4};
  guint8 datagram[64];
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, echo, sizeof echo));
  assert_true(TEST_LOOP_UNTIL(s->frames == 1, PATIENCE)); /* so the one before has come, too */
  close(inside);
}

static void shared_ports_know_their_sessions(void **state) {
  World *w = *state;
  guint8 packet[2048];
  AditEndpoint from;
  AditPrefix prefix;
  int inside;
  port_make(&w->session[0], "l2tp-all", TRUE, FALSE);
  address_add(w->session[0].port, "10.9.0.1/16", NULL);
  inside = udp_socket("0.0.0.0", 7000, NULL);
  for (guint n = 0; n < 3; n++) {
    g_autofree char *text = g_strdup_printf("10.9.%u.2", n), *own = g_strdup_printf("10.9.%u.1/32", n);
    Session *s = &w->session[n];
    session_attach(w, n, 0, 0);
    s->port = w->session[0].port;
    if (n)
      address_add(s->port, own, NULL);
    session_open(s);
    assert_true(adit_prefix_parse(text, &prefix));
    assert_true(tun_session_add_prefix(s->session, &prefix, NULL));
  }
  assert_false(tun_session_add_prefix(w->session[0].session, &prefix, NULL));
  for (guint n = 0; n < 3; n++) {
    peer_packet(w, n, (Wrap){0}, (guint8)n);
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(sendto(inside, "back", 4, 0, &from.any, sizeof from.in), 4);
    assert_int_equal(peer_receive(w, n, packet), 32);
  }
  /* Session 1 speaks with session 0's address. */
  guint8 datagram[2048];
  guint length = inner_packet(packet, 0, 100, 9);
  peer_send(w, datagram, wrap(datagram, 1, (Wrap){0}, packet, length));
  peer_packet(w, 1, (Wrap){0}, 10);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  assert_int_equal(packet[0], 10);
  assert_int_equal(FACT(w, spoofed), 1);
  close(inside);
}

static void splicing_carries_frames_on(void **state) {
  World *w = *state;
  guint8 datagram[256], got[256];
  const guint8 body[] = {1, 2, 3, 4};
  session_attach(w, 0, 0, 0);
  session_attach(w, 1, 0, 0);
  assert_true(tun_link_splice(w->session[0].link, w->session[1].link, NULL));
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, body, sizeof body));
  assert_int_equal(receive(w->peer, got, sizeof got, NULL), 12);
  assert_memory_equal(got, "\0\2\0\x46\0\xc9\xc0\x21\1\2\3\4", 12);
  tun_link_detach(g_steal_pointer(&w->session[1].link));
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, body, sizeof body));
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 1, PATIENCE));
}

static void a_name_is_free_again_at_once(void **state) {
  World *w = *state;
  for (guint i = 0; i < 5; i++) {
    session_start(w, 0);
    assert_int_equal(if_nametoindex("l2tp-t0"), w->session[0].port->ifindex);
    session_end(&w->session[0]);
  }
  assert_true(TEST_LOOP_UNTIL(!if_nametoindex("l2tp-t0"), PATIENCE));
}

/* The old one is still on its way out; the new one waits for it. */
static void a_name_may_be_taken_over(void **state) {
  World *w = *state;
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "l2tp-same", .mtu = 1400};
  port_make(&w->session[0], "l2tp-same", FALSE, FALSE);
  tun_port_close(g_steal_pointer(&w->session[0].port), on_closed, &w->session[0]);
  tun_port_open(w->dp, &spec, on_opened, &w->session[1]);
  assert_true(TEST_LOOP_UNTIL(w->session[1].opened, PATIENCE));
  assert_true(w->session[0].closed);
  assert_non_null(w->session[1].port);
  w->session[1].own_port = TRUE;
}

static void a_name_that_is_taken_is_an_error(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "lo", .mtu = 1460};
  tun_port_open(w->dp, &spec, on_opened, s);
  assert_true(TEST_LOOP_UNTIL(s->opened, PATIENCE));
  assert_null(s->port);
  assert_int_equal(s->error, ADIT_ERR_EXISTS);
}

static gboolean has_carrier(const char *name) {
  struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
  struct ifreq request = {.ifr_data = (gpointer)&value};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
  assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
  close(fd);
  return value.data != 0;
}

static void static_ports_have_carrier_when_told(void **state) {
  World *w = *state;
  port_make(&w->session[0], "l2tp-static", FALSE, TRUE);
  assert_false(has_carrier("l2tp-static"));
  tun_port_carrier(w->session[0].port, TRUE);
  assert_true(TEST_LOOP_UNTIL(has_carrier("l2tp-static"), PATIENCE));
  tun_port_carrier(w->session[0].port, FALSE);
  assert_true(TEST_LOOP_UNTIL(!has_carrier("l2tp-static"), PATIENCE));
}

static void a_port_in_use_is_an_error(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;
  AditListenerSpec spec = {.size = sizeof spec, .local = w->local, .classify = l2tp_classify};
  assert_null(tun_listen(w->dp, &spec, &listener_ops, w, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
}

/* Newcomers may send what they will: what belongs to links is still heard. */
static void a_flood_of_newcomers_does_not_drown_links(void **state) {
  World *w = *state;
  guint8 datagram[256];
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0}, echo[] = {9, 1, 0, 4};
  session_attach(w, 0, 0, 0);
  for (guint i = 0; i < 20000; i++)
    peer_send(w, sccrq, sizeof sccrq);
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, echo, sizeof echo));
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 1, PATIENCE));
  assert_true(FACT(w, main_full) > 0 || w->controls < 20000);
}

/* Links and sessions come and go under full traffic: nothing is touched after it was freed. */
static void coming_and_going_under_traffic(void **state) {
  World *w = *state;
  session_start(w, 1);
  for (guint i = 0; i < 300; i++) {
    AditDpSessionParams params = {.size = sizeof params, .ipv4 = i & 1};
    Session *s = &w->session[0];
    session_attach(w, 0, 0, i & 2 ? 50 : 0);
    s->session = tun_session_open(w->dp, 1, NULL, NULL);
    assert_true(tun_session_join(s->session, s->link, NULL));
    tun_session_set(s->session, &params);
    for (guint k = 0; k < 30; k++)
      peer_packet(w, k & 1, (Wrap){.flags = 0x0800, .ns = (guint16)(k * 2)}, 0);
    tun_link_framing(s->link, i & 1, i & 2);
    test_loop_drain();
    tun_session_close(g_steal_pointer(&s->session), NULL);
    tun_link_detach(g_steal_pointer(&s->link));
  }
  assert_true(TEST_LOOP_UNTIL(w->dp->retired.length == 0, PATIENCE));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(packets_cross_both_ways),
      T(rfc1661_2_all_framings_and_rfc2661_3_1_all_headers_are_taken),
      T(frames_of_control_protocols_reach_the_link),
      cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
      cmocka_unit_test(ipv6_outside_and_inside),
      T(a_foreign_path_is_dropped_and_told),
      T(merged_datagrams_are_told_apart),
      T(a_super_packet_crosses_in_few_calls),
      T(what_the_kernel_refuses_is_remembered),
      cmocka_unit_test(without_offloads_all_arrives_too),
      T(rfc2661_5_4_numbers),
      T(a_missing_frame_is_waited_for_so_long),
      T(shared_ports_know_their_sessions),
      T(splicing_carries_frames_on),
      T(a_name_is_free_again_at_once),
      T(a_name_may_be_taken_over),
      T(a_name_that_is_taken_is_an_error),
      T(static_ports_have_carrier_when_told),
      T(a_port_in_use_is_an_error),
      T(a_flood_of_newcomers_does_not_drown_links),
      T(coming_and_going_under_traffic),
  };
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
    puts("skipped: needs root and /dev/net/tun");
    return 77;
  }
  if (system("ip link set lo up") != 0)
    return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
