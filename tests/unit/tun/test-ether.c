/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* L2 ports: Ethernet frames between a TAP interface and the links of its session, by a codec that the data path does not know. */
#include "core/base/secret.h"
#include "packets.h"
#include "session/tun-ether.h"
#include "tests/lib/fake-ether.h"
#include "tests/lib/fake-stages.h"
#include "tests/lib/loop.h"
#include "world.h"

#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MARK = 0x5a, EXPERIMENT = 0x88b5, LEAD = 11 /* L2TP header, address, control, protocol, mark */ };

/* The kernel changes what is waited for, and wakes nobody: looks again and again, and lets the main loop run. */
#define SEEN(expression)                                                                                                                   \
  ({                                                                                                                                       \
    gint64 seen_deadline_ = g_get_monotonic_time() + (gint64)PATIENCE * 1000;                                                              \
    while (test_loop_drain(), !(expression) && g_get_monotonic_time() < seen_deadline_)                                                    \
      g_usleep(1000);                                                                                                                      \
    !!(expression);                                                                                                                        \
  })

static const guint16 protocols[] = {ADIT_PPP_IPV4, ADIT_PPP_IPV6, ADIT_PPP_BRIDGE};
static const guint8 own_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

typedef struct {
  Session *s;
  AditPort *port;
  gboolean opened, closed;
  int wire; /* what the kernel sees of the interface */
} Ether;

static void on_ether_opened(gpointer user, AditPort *port, const GError *error) {
  Ether *e = user;
  e->port = port;
  e->opened = TRUE;
}

static void on_ether_closed(gpointer user, const AditCounters *final) {
  ((Ether *)user)->closed = TRUE;
}

static int packet_socket(guint ifindex, guint16 type) {
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(type), .sll_ifindex = (int)ifindex};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(type));
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  return fd;
}

static void set_open(Session *s, guint n) {
  AditDpSessionParams params = {.size = sizeof params, .protocols = protocols, .n_protocols = n};
  tun_session_set(s->session, &params);
}

static void publish(Session *s) {
  guint64 params[ADIT_ETHER_PARAMS / 8];
  fake_ether_params(MARK, params);
  tun_ether_set(s->session, params);
}

static gboolean is_running(const AditPort *port) {
  struct ifreq request = {0};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_strlcpy(request.ifr_name, port->name, sizeof request.ifr_name);
  assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
  close(fd);
  return (request.ifr_flags & IFF_RUNNING) != 0;
}

static void ether_open(Ether *e, Session *s, const char *name) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L2, .name = name, .mtu = 1500};
  memcpy(spec.mac, own_mac, sizeof spec.mac);
  *e = (Ether){.s = s};
  tun_port_open(s->w->dp, &spec, on_ether_opened, e);
  assert_true(TEST_LOOP_UNTIL(e->opened, PATIENCE));
  assert_non_null(e->port);
  e->wire = packet_socket(e->port->ifindex, EXPERIMENT);
}

static guint make_frame(guint8 *out, const guint8 to[6], const guint8 from[6], guint16 type, guint payload, guint8 fill) {
  memcpy(out, to, 6);
  memcpy(out + 6, from, 6);
  tun_put16(out + 12, type);
  memset(out + ADIT_ETHER_HEADER, fill, payload);
  return ADIT_ETHER_HEADER + payload;
}

/* The kernel says that there is a carrier a moment before it sends anything, and nothing tells when it does: until the last one of
 * numbered frames has come. */
static void await_carrier(Ether *e) {
  World *w = e->s->w;
  guint8 frame[64], datagram[2048];
  gboolean arrived = FALSE;

  assert_true(SEEN(is_running(e->port)));
  gint64 deadline = g_get_monotonic_time() + (gint64)PATIENCE * 1000;
  for (guint8 number = 1; !arrived; number++) {
    struct pollfd p = {w->peer, POLLIN, 0};
    guint n = make_frame(frame, peer_mac, own_mac, EXPERIMENT, 46, number);
    assert_true(g_get_monotonic_time() < deadline);
    test_loop_drain(); /* what is asked of the network thread is handed over there */
    assert_int_equal(send(e->wire, frame, n, 0), n);
    while (!arrived && poll(&p, 1, 50) > 0) {
      gssize length = recv(w->peer, datagram, sizeof datagram, 0);
      arrived = length == LEAD + (gssize)n && datagram[length - 1] == number;
    }
  }
}

/* Session 0 with both kinds of ports, all open. */
static void ether_start(World *w, Ether *e) {
  Session *s = &w->session[0];
  session_start(w, 0);
  ether_open(e, s, "eth-t0");
  assert_true(tun_ether_attach(s->session, e->port, &fake_ether, NULL));
  publish(s);
  set_open(s, 3);
  tun_port_carrier(e->port, TRUE);
  await_carrier(e);
}

static void ether_end(Ether *e) {
  close(e->wire);
  if (e->s->session)
    tun_session_close(g_steal_pointer(&e->s->session), NULL);
  tun_port_close(e->port, on_ether_closed, e);
  assert_true(TEST_LOOP_UNTIL(e->closed, PATIENCE));
}

static void peer_frame(World *w, const char *framing, guint8 mark, const guint8 *frame, guint length) {
  guint8 body[2048] = {mark}, datagram[2100];
  memcpy(body + 1, frame, length);
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = framing}, body, length + 1));
}

/* The next Ethernet frame that the peer gets: of that PPP protocol. */
static guint peer_ether(World *w, guint16 protocol, guint8 *frame) {
  guint8 datagram[65536];
  gssize length = receive(w->peer, datagram, sizeof datagram, NULL);
  assert_true(length >= LEAD);
  assert_int_equal(tun_get32(datagram + 6), 0xff030000u | protocol);
  assert_int_equal(datagram[10], MARK);
  memcpy(frame, datagram + LEAD, (gsize)length - LEAD);
  return (guint)length - LEAD;
}

static void frames_pass_both_ways(void **state) {
  World *w = *state;
  Ether e;
  guint8 frame[2048], got[2048];
  AditDpStats stats, before;

  ether_start(w, &e);
  tun_session_stats(e.s->session, &before);
  static const guint payloads[] = {46, 100, 1500};
  guint64 octets = 0;
  for (guint i = 0; i < G_N_ELEMENTS(payloads); i++) {
    guint n = make_frame(frame, own_mac, peer_mac, EXPERIMENT, payloads[i], (guint8)i);
    octets += n;
    peer_frame(w, "ff030031", MARK, frame, n);
    assert_int_equal(receive(e.wire, got, sizeof got, NULL), n);
    assert_memory_equal(got, frame, n);
    make_frame(frame, peer_mac, own_mac, EXPERIMENT, payloads[i], (guint8)(100 + i));
    assert_int_equal(send(e.wire, frame, n, 0), n);
    assert_int_equal(peer_ether(w, FAKE_ETHER_DATA, got), n);
    assert_memory_equal(got, frame, n);
  }
  tun_session_stats(e.s->session, &stats);
  assert_int_equal(stats.counters.rx_packets, 3);
  assert_int_equal(stats.counters.rx_octets, octets);
  assert_int_equal(stats.counters.tx_packets - before.counters.tx_packets, 3);
  assert_int_equal(stats.counters.tx_octets - before.counters.tx_octets, octets);
  assert_int_equal(stats.drops, 0);
  ether_end(&e);
}

/* What the codec says: another protocol, padding, and what it refuses. */
static void the_codec_decides_how_frames_look(void **state) {
  World *w = *state;
  Ether e;
  guint8 frame[2048], got[2048];
  AditDpStats stats;

  ether_start(w, &e);
  guint n = make_frame(frame, fake_ether_tree, own_mac, EXPERIMENT, 20, 1);
  assert_int_equal(send(e.wire, frame, n, 0), n);
  assert_int_equal(peer_ether(w, FAKE_ETHER_TREE, got), FAKE_ETHER_LEAST);
  assert_memory_equal(got, frame, n);

  peer_frame(w, "ff030031", MARK + 1, frame, n); /* another mark */
  peer_frame(w, "ff030031", MARK, frame, 13);    /* no frame */
  n = make_frame(frame, fake_ether_tree, peer_mac, EXPERIMENT, 46, 2);
  peer_frame(w, "ff030201", MARK, frame, n);
  assert_int_equal(receive(e.wire, got, sizeof got, NULL), n);
  assert_memory_equal(got, frame, n);
  tun_session_stats(e.s->session, &stats);
  assert_int_equal(stats.drops, 2);
  assert_int_equal(stats.counters.rx_packets, 1);
  guint64 drops[ADIT_ETHER_REASONS];
  tun_ether_drops(e.s->session, drops);
  assert_int_equal(drops[FAKE_ETHER_MARK], 1);
  assert_int_equal(drops[FAKE_ETHER_OTHER], 1);
  ether_end(&e);
}

static void both_ports_of_a_session_work_at_once(void **state) {
  World *w = *state;
  Ether e;
  guint8 frame[2048], got[2048];
  AditEndpoint from;

  ether_start(w, &e);
  int inside = inside_socket(0);
  for (guint i = 0; i < 3; i++) {
    peer_packet(w, 0, (Wrap){0}, (guint8)i);
    guint n = make_frame(frame, own_mac, peer_mac, EXPERIMENT, 64, (guint8)i);
    peer_frame(w, "ff030031", MARK, frame, n);
    assert_int_equal(receive(inside, got, sizeof got, &from), 100);
    assert_int_equal(receive(e.wire, got, sizeof got, NULL), n);
    assert_int_equal(sendto(inside, "back", 4, 0, &from.any, sizeof from.in), 4);
    assert_int_equal(peer_receive(w, 0, got), 32);
  }
  /* One protocol closes, and the other goes on. */
  set_open(e.s, 2);
  guint n = make_frame(frame, own_mac, peer_mac, EXPERIMENT, 64, 9);
  peer_frame(w, "ff030031", MARK, frame, n);
  assert_true(TEST_LOOP_UNTIL(e.s->frames == 1, PATIENCE)); /* it goes to the main loop */
  peer_packet(w, 0, (Wrap){0}, 7);
  assert_int_equal(receive(inside, got, sizeof got, &from), 100);
  close(inside);
  ether_end(&e);
}

static void nothing_passes_before_parameters_are_published(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  Ether e;
  guint8 frame[2048], got[2048];

  session_start(w, 0);
  ether_open(&e, s, "eth-t0");
  assert_true(SEEN(!is_running(e.port)));
  assert_true(tun_ether_attach(s->session, e.port, &fake_ether, NULL));
  set_open(s, 3);
  guint n = make_frame(frame, own_mac, peer_mac, EXPERIMENT, 64, 1);
  peer_frame(w, "ff030031", MARK, frame, n);
  assert_true(TEST_LOOP_UNTIL(s->frames == 1, PATIENCE));
  publish(s);
  tun_port_carrier(e.port, TRUE);
  await_carrier(&e);
  peer_frame(w, "ff030031", MARK, frame, n);
  assert_int_equal(receive(e.wire, got, sizeof got, NULL), n);
  assert_int_equal(s->frames, 1);
  tun_port_carrier(e.port, FALSE);
  assert_true(SEEN(!is_running(e.port)));
  ether_end(&e);
}

static void a_port_has_the_address_that_was_asked_for(void **state) {
  World *w = *state;
  Ether e;
  struct ifreq request = {0};

  ether_open(&e, &w->session[0], "eth-t0");
  g_strlcpy(request.ifr_name, "eth-t0", sizeof request.ifr_name);
  assert_int_equal(ioctl(e.wire, SIOCGIFHWADDR, &request), 0);
  assert_memory_equal(request.ifr_hwaddr.sa_data, own_mac, sizeof own_mac);
  assert_int_equal(ioctl(e.wire, SIOCGIFMTU, &request), 0);
  assert_int_equal(request.ifr_mtu, 1500);
  ether_end(&e);
}

static void attaching_has_its_rules(void **state) {
  World *w = *state;
  Session *s = &w->session[0], *other = &w->session[1];
  AditEtherOps bad = fake_ether;
  static const guint16 control[] = {ADIT_PPP_BCP};
  Ether e;

  session_start(w, 0);
  session_start(w, 1);
  ether_open(&e, s, "eth-t0");
  g_autoptr(GError) error = NULL;
  bad.protocols = control;
  bad.n_protocols = 1;
  assert_false(tun_ether_attach(s->session, e.port, &bad, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  g_clear_error(&error);
  assert_false(tun_ether_attach(s->session, s->port, &fake_ether, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  g_clear_error(&error);
  assert_true(tun_ether_attach(s->session, e.port, &fake_ether, NULL));
  assert_false(tun_ether_attach(other->session, e.port, &fake_ether, &error));
  assert_int_equal(error->code, ADIT_ERR_BUSY);
  g_clear_error(&error);
  tun_session_close(g_steal_pointer(&s->session), NULL); /* it is free again */
  assert_true(tun_ether_attach(other->session, e.port, &fake_ether, NULL));
  tun_session_close(g_steal_pointer(&other->session), NULL);
  ether_end(&e);
}

static void on_shared_refused(gpointer user, AditPort *port, const GError *error) {
  assert_null(port);
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED));
  assert_string_equal(error->message, "eth-all: an Ethernet interface has one session, and is not shared");
  *(gboolean *)user = TRUE;
}

static void sessions_do_not_share_an_l2_port(void **state) {
  World *w = *state;
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L2, .name = "eth-all", .mtu = 1500, .shared = TRUE};
  gboolean refused = FALSE;

  tun_port_open(w->dp, &spec, on_shared_refused, &refused);
  assert_true(refused);
  assert_int_equal(if_nametoindex("eth-all"), 0);
}

/* Checksums and segments are left to be done by TUN, behind the Ethernet header and a VLAN tag. */
static void super_frames_are_cut(void **state) {
  enum { HEADER = 18, TCP = HEADER + 20, DATA = TCP + 20, SIZE = 1000, TOTAL = 2500 };
  World *w = *state;
  Ether e;
  guint8 out[sizeof(struct virtio_net_hdr) + DATA + TOTAL], *frame = out + sizeof(struct virtio_net_hdr), got[4096];
  struct virtio_net_hdr head = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                .hdr_len = DATA,
                                .gso_size = SIZE,
                                .csum_start = TCP,
                                .csum_offset = 16};
  int on = 1;

  ether_start(w, &e);
  int raw = packet_socket(e.port->ifindex, ETH_P_8021Q);
  assert_int_equal(setsockopt(raw, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), 0);
  make_frame(frame, peer_mac, own_mac, ETH_P_8021Q, DATA + TOTAL - ADIT_ETHER_HEADER, 0);
  tun_put16(frame + 14, 7);
  tun_put16(frame + 16, ETH_P_IP);
  frame[HEADER] = 0x45;
  tun_put16(frame + HEADER + 2, DATA - HEADER + TOTAL);
  tun_put16(frame + HEADER + 6, 0x4000);
  frame[HEADER + 8] = 64;
  frame[HEADER + 9] = 6;
  tun_put32(frame + HEADER + 12, 0x0a090001);
  tun_put32(frame + HEADER + 16, 0x0a090002);
  tun_put32(frame + TCP + 4, 1);
  frame[TCP + 12] = 5 << 4;
  frame[TCP + 13] = TUN_TCP_ACK;
  for (guint i = 0; i < TOTAL; i++)
    frame[DATA + i] = (guint8)(i * 7);
  memcpy(out, &head, sizeof head);
  assert_int_equal(send(raw, out, sizeof out, 0), sizeof out);
  for (guint at = 0; at < TOTAL; at += SIZE) {
    guint n = peer_ether(w, FAKE_ETHER_DATA, got), length = MIN(SIZE, TOTAL - at);
    TunPacket packet;
    assert_int_equal(n, DATA + length);
    assert_memory_equal(got, frame, HEADER);
    assert_true(tun_packet_parse(got + HEADER, n - HEADER, &packet));
    assert_true(tun_packet_verify(got + HEADER, &packet));
    assert_int_equal(tun_get32(got + TCP + 4), 1 + at);
    assert_memory_equal(got + DATA, frame + DATA + at, length);
  }
  close(raw);
  ether_end(&e);
}

/* A burst of one flow reaches the kernel as one frame, tagged or not. */
static void a_burst_becomes_a_super_frame(void **state) {
  enum { FRAMES = 8, SIZE = 500 };
  World *w = *state;
  Ether e;

  ether_start(w, &e);
  for (guint tagged = 0; tagged < 2; tagged++) {
    guint header = ADIT_ETHER_HEADER + (tagged ? ADIT_ETHER_TAG : 0), each = 0;
    guint8 body[2048] = {MARK}, *frame = body + 1, burst[FRAMES * 2048], got[65536];
    int raw = packet_socket(e.port->ifindex, ETH_P_ALL), segment;
    for (guint i = 0; i < FRAMES; i++) {
      make_frame(frame, own_mac, peer_mac, tagged ? ETH_P_8021Q : ETH_P_IP, 4, 0);
      tun_put16(frame + header - 2, ETH_P_IP);
      guint n = packet_make(frame + header, &(PacketSpec){.id = (guint16)i, .seq = i * SIZE, .fill = (guint8)i, .payload = SIZE});
      each = (guint)wrap(burst + i * each, 0, (Wrap){.framing = "ff030031"}, body, 1 + header + n);
    }
    segment = (int)each;
    assert_int_equal(setsockopt(w->peer, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
    peer_send(w, burst, FRAMES * each);
    guint n; /* the kernel takes a tag off */
    do
      n = (guint)receive(raw, got, sizeof got, NULL);
    while (n < 14 + 40 + SIZE);
    assert_int_equal(n, ADIT_ETHER_HEADER + 40 + FRAMES * SIZE);
    assert_memory_equal(got, own_mac, sizeof own_mac);
    for (guint i = 0; i < FRAMES; i++)
      assert_int_equal(got[ADIT_ETHER_HEADER + 40 + i * SIZE], (guint8)i);
    segment = 0;
    assert_int_equal(setsockopt(w->peer, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
    close(raw);
  }
  assert_int_equal(FACT(w, join_refused), 0);
  ether_end(&e);
}

/* As a bridge does that has not learned where the peer is: the tunnel's own datagram is flooded to the tunnel. */
static void a_tunnel_does_not_carry_itself(void **state) {
  World *w = *state;
  Ether e;
  guint8 frame[2048], got[2048];

  ether_start(w, &e);
  int raw = packet_socket(e.port->ifindex, ETH_P_IP);
  make_frame(frame, peer_mac, own_mac, ETH_P_IP, 60, 0);
  frame[14] = 0x45;
  tun_put16(frame + 16, 60);
  tun_put32(frame + 14 + 16, 0x7f000001); /* where the peer is */
  assert_int_equal(send(raw, frame, 74, 0), 74);
  tun_put32(frame + 14 + 16, 0x0a000001);
  assert_int_equal(send(raw, frame, 74, 0), 74);
  assert_int_equal(peer_ether(w, FAKE_ETHER_DATA, got), 74);
  assert_int_equal(tun_get32(got + 14 + 16), 0x0a000001);
  assert_int_equal(FACT(w, looped), 1);
  close(raw);
  ether_end(&e);
}

static void frames_go_through_stages(void **state) {
  World *w = *state;
  Ether e;
  guint8 frame[2048], got[2048], datagram[4096];
  FakeNotes notes = {0};
  FakeKey key = {.key = 0x33};
  AditStageSpec spec = {
      .size = sizeof spec, .ops = &fake_scrambler, .params = &key, .params_length = sizeof key, .note = fake_noted, .user = &notes};

  ether_start(w, &e);
  assert_true(tun_datapath_ops.stage_add(e.s->session, &spec, NULL));
  guint n = make_frame(frame, peer_mac, own_mac, EXPERIMENT, 64, 1);
  assert_int_equal(send(e.wire, frame, n, 0), n);
  gssize length = receive(w->peer, datagram, sizeof datagram, NULL);
  assert_int_equal(length, 10 + 2 + 1 + n);
  assert_int_equal(tun_get32(datagram + 6), 0xff0300fd);
  /* What was scrambled comes back as it was sent. */
  guint8 back[4096];
  peer_send(w, back, wrap(back, 0, (Wrap){.framing = "ff0300fd"}, datagram + 10, (gsize)length - 10));
  for (;;) {
    gssize m = receive(e.wire, got, sizeof got, NULL);
    assert_int_equal(m, n);
    if (!memcmp(got, frame, n)) /* a packet socket sees what it has sent, too, but as outgoing */
      break;
  }
  AditDpStats stats;
  tun_session_stats(e.s->session, &stats);
  assert_int_equal(stats.counters.rx_packets, 1);
  ether_end(&e);
}

static gsize secret_octets(void) {
  gsize used, locked;
  adit_secret_sizes(&used, &locked);
  return used;
}

/* State and parameters of what encrypts; a bundle has no keys. */
static void keys_are_in_secret_memory(void **state) {
  World *w = *state;
  Ether e;
  FakeNotes notes = {0};
  gsize before = secret_octets();

  w->dp->secret_new = adit_secret_memory;
  w->dp->secret_free = adit_secret_memory_free;
  ether_start(w, &e);
  assert_true(tun_datapath_ops.stage_add(e.s->session, FAKE_CUTTER(&(FakeCut){100}, &notes), NULL));
  assert_int_equal(secret_octets(), before);
  assert_true(tun_datapath_ops.stage_add(e.s->session, FAKE_SCRAMBLER(&(FakeKey){1}, &notes), NULL));
  gsize with_keys = secret_octets();
  assert_true(with_keys > before);
  for (guint8 key = 2; key < 9; key++)
    assert_true(tun_datapath_ops.stage_set(e.s->session, ADIT_STAGE_COMPRESSION, &(FakeKey){key}, sizeof(FakeKey)));
  assert_true(TEST_LOOP_UNTIL(w->dp->retired.length == 0, PATIENCE));
  assert_int_equal(secret_octets(), with_keys);
  tun_datapath_ops.stage_remove(e.s->session, ADIT_STAGE_COMPRESSION);
  assert_true(TEST_LOOP_UNTIL(w->dp->retired.length == 0, PATIENCE));
  assert_int_equal(secret_octets(), before); /* freeing it wipes it */
  ether_end(&e);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      WORLD_TEST(frames_pass_both_ways),
      WORLD_TEST(the_codec_decides_how_frames_look),
      WORLD_TEST(both_ports_of_a_session_work_at_once),
      WORLD_TEST(nothing_passes_before_parameters_are_published),
      WORLD_TEST(a_port_has_the_address_that_was_asked_for),
      WORLD_TEST(attaching_has_its_rules),
      WORLD_TEST(sessions_do_not_share_an_l2_port),
      WORLD_TEST(super_frames_are_cut),
      WORLD_TEST(a_burst_becomes_a_super_frame),
      WORLD_TEST(a_tunnel_does_not_carry_itself),
      WORLD_TEST(frames_go_through_stages),
      WORLD_TEST(keys_are_in_secret_memory),
  };
  return WORLD_MAIN(tests);
}
