/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The stage in the data path tun: full frames and jumbos over a short path, two links, and a hostile peer. The peer has the same stage. */
#include "bundle.h"
#include "peer/path-mtu.h"
#include "session/link-facts.h"
#include "tests/unit/tun/world.h"

#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { JUMBO = 65507, SHORT_PATH = 1450, SUPER = 40 };

typedef struct {
  World *w;
  Bundle *peer;
  MpParams params;
  guint frames[2];
  guint longest;
} Site;

static void site_add_stage(Site *site, guint n) {
  AditStageSpec spec = {.size = sizeof spec, .ops = &mp_stage_ops, .params = &site->params, .params_length = sizeof site->params};
  g_autoptr(GError) error = NULL;
  assert_true(tun_datapath_ops.stage_add(site->w->session[n].session, &spec, &error));
}

/* Session 0 with MRRUs of 65535; the interface takes all that IP can carry. */
static int site_setup(void **state) {
  Site *site = g_new0(Site, 1);
  world_setup((void **)&site->w);
  site->peer = bundle_new();
  site->params = site->peer->params;
  site->params.own_mrru = site->params.peer_mrru = 65535;
  site->params.counters = mp_counters_new();
  for (guint i = 0; i < 2; i++)
    site->params.link[i].mtu = SHORT_PATH;
  site->peer->params.own_mrru = site->peer->params.peer_mrru = 65535;
  site->peer->params.link[0].mtu = site->peer->params.link[1].mtu = SHORT_PATH;
  session_start(site->w, 0);
  assert_int_equal(system("ip link set l2tp-t0 mtu 65535"), 0);
  *state = site;
  return 0;
}

static int site_teardown(void **state) {
  Site *site = *state;
  world_teardown((void **)&site->w);
  mp_counters_unref(site->params.counters);
  bundle_free(site->peer);
  g_free(site);
  return 0;
}

/* Frames until there is one more packet. */
static const Piece *peer_hears(Site *site) {
  bundle_forget(site->peer);
  while (!site->peer->packets->len) {
    guint8 datagram[65536];
    gssize length = receive(site->w->peer, datagram, sizeof datagram, NULL);
    assert_true(length > 10);
    AditStageFrame frame = {.protocol = tun_get16(datagram + 8), .link = (guint8)(tun_get16(datagram + 4) - 200), .n = 1};
    assert_true(frame.link < 2);
    site->frames[frame.link]++;
    site->longest = MAX(site->longest, (guint)length - 10);
    frame.length = (guint32)length - 10;
    frame.slice[0] = (AditStageSlice){datagram + 10, frame.length};
    bundle_take_frame(site->peer, &frame);
  }
  return bundle_packet(site->peer, 0);
}

static void peer_says(Site *site, const guint8 *packet, guint length) {
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 1, .length = length};
  frame.slice[0] = (AditStageSlice){(guint8 *)packet, length};
  bundle_send_frame(site->peer, &frame);
  for (guint i = 0; i < site->peer->frames->len; i++) {
    const Piece *piece = bundle_frame(site->peer, i);
    guint8 datagram[4096];
    const char *framing = piece->protocol == ADIT_PPP_MP ? "ff03003d" : "ff030021";
    peer_send(site->w, datagram, wrap(datagram, piece->link, (Wrap){.framing = framing}, piece->data->data, piece->data->len));
  }
  bundle_forget(site->peer);
}

static void inside_says(int inside, guint length, guint8 fill) {
  g_autofree guint8 *data = g_malloc(length);
  AditEndpoint to = endpoint("10.9.0.2", 1000);
  memset(data, fill, length);
  assert_int_equal(sendto(inside, data, length, 0, &to.any, sizeof to.in), length);
}

static void expect_packet(const Piece *piece, guint payload, guint8 fill) {
  assert_int_equal(piece->protocol, ADIT_PPP_IPV4);
  assert_int_equal(piece->data->len, payload + 28);
  for (guint i = 28; i < piece->data->len; i++)
    assert_int_equal(piece->data->data[i], fill);
}

static void expect_inside(int inside, guint payload, guint8 fill) {
  g_autofree guint8 *data = g_malloc(65536);
  assert_int_equal(receive(inside, data, 65536, NULL), payload);
  for (guint i = 0; i < payload; i++)
    assert_int_equal(data[i], (guint8)(fill + 7 * i));
}

static void there_and_back(Site *site, int inside, guint payload, guint8 fill) {
  static guint8 packet[65536];
  inside_says(inside, payload, fill);
  expect_packet(peer_hears(site), payload, fill);
  peer_says(site, packet, inner_packet(packet, 0, payload, fill));
  expect_inside(inside, payload, fill);
}

static void full_frames_and_jumbos_over_a_short_path(void **state) {
  static const guint payload[] = {1, 1416, 1417, 1472, 2000, 7972, 30000, JUMBO};
  Site *site = *state;
  site_add_stage(site, 0);
  int inside = inside_socket(0), df = IP_PMTUDISC_DO;
  assert_int_equal(setsockopt(inside, IPPROTO_IP, IP_MTU_DISCOVER, &df, sizeof df), 0);
  for (guint8 round = 0; round < 3; round++)
    for (guint i = 0; i < G_N_ELEMENTS(payload); i++)
      there_and_back(site, inside, payload[i], (guint8)(i + round));
  assert_true(site->longest <= SHORT_PATH);
  MpCounters counters;
  mp_counters_read(site->params.counters, &counters);
  assert_int_equal(counters.tx_fragmented, 18);
  assert_int_equal(counters.rx_reassembled, 18);
  assert_int_equal(counters.held + counters.lost + counters.tx_dropped, 0);
  assert_int_equal(counters.link[0].tx_fragments, site->frames[0]);
  close(inside);
}

/* What the data path sends of a super-packet of full frames: each frame is two fragments, and many leave in one message. */
static void fragments_leave_together(void **state) {
  Site *site = *state;
  int size = 1472;
  site_add_stage(site, 0);
  int inside = inside_socket(0);
  assert_int_equal(setsockopt(inside, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
  guint64 sends = FACT(site->w, sends_out), out = FACT(site->w, datagrams_out), gso = FACT(site->w, gso_out);
  inside_says(inside, SUPER * 1472, 7);
  for (guint i = 0; i < SUPER; i++)
    expect_packet(peer_hears(site), 1472, 7);
  assert_int_equal(FACT(site->w, datagrams_out) - out, 2 * SUPER);
  assert_int_equal(FACT(site->w, gso_out) - gso, 2 * SUPER);
  assert_in_range(FACT(site->w, sends_out) - sends, 1, 4);
  sends = FACT(site->w, sends_out);
  size = 0;
  assert_int_equal(setsockopt(inside, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
  inside_says(inside, JUMBO, 8); /* 46 fragments */
  expect_packet(peer_hears(site), JUMBO, 8);
  assert_in_range(FACT(site->w, sends_out) - sends, 1, 2);
  close(inside);
}

static void fragments_fit_the_path(void **state) {
  Site *site = *state;
  site->params.link[0].mtu = 1500; /* the peer takes more than the path carries */
  assert_int_equal(system("ip link set lo mtu 1300"), 0);
  site_add_stage(site, 0);
  int inside = inside_socket(0);
  inside_says(inside, 1400, 3);
  expect_packet(peer_hears(site), 1400, 3);
  assert_in_range(site->longest, 600, 1300 - 20 - 8 - 8);
  inside_says(inside, 1300 - 40 - 34 + 1, 3); /* what just does not fit */
  expect_packet(peer_hears(site), 1300 - 40 - 34 + 1, 3);
  assert_int_equal(site->frames[0], 4);
  assert_int_equal(system("ip link set lo mtu 65536"), 0);
  assert_true(tun_datapath_ops.stage_set(site->w->session[0].session, ADIT_STAGE_BUNDLE, &site->params, sizeof site->params));
  inside_says(inside, 1400, 4);
  expect_packet(peer_hears(site), 1400, 4);
  assert_int_equal(site->frames[0], 5);
  close(inside);
}

static void the_mtu_of_a_path_is_the_kernels(void **state) {
  AditPath four = {.local = endpoint("127.0.0.1", 1701), .remote = endpoint("127.0.0.1", 1)},
           away = {.remote = endpoint("192.0.2.9", 1701)};
  AditPath six = {.local = endpoint("::1", 1701), .remote = endpoint("::1", 1)},
           any = {.local = endpoint("::", 1701), .remote = six.remote};
  assert_int_equal(system("ip link set lo mtu 1400"), 0);
  assert_int_equal(tun_path_mtu(&four), 1400);
  assert_int_equal(tun_path_mtu(&six), 1400);
  assert_int_equal(tun_path_mtu(&any), 1400);
  assert_int_equal(tun_path_mtu(&away), 0); /* there is no way */
  assert_int_equal(system("ip link set lo mtu 65536 && ip route add 192.0.2.9 dev lo mtu lock 1333"), 0);
  assert_int_equal(tun_path_mtu(&away), 1333);
}

static void two_links_share_and_one_carries_on(void **state) {
  Site *site = *state;
  World *w = site->w;
  session_attach(w, 1, 0, 0);
  site_add_stage(site, 0);
  assert_true(tun_session_join(w->session[0].session, w->session[1].link, NULL, NULL));
  site->peer->links = 3;
  int inside = inside_socket(0);
  for (guint8 i = 0; i < 60; i++)
    there_and_back(site, inside, 1472, i);
  assert_in_range(site->frames[0], 50, 70);
  assert_in_range(site->frames[1], 50, 70);
  tun_session_leave(w->session[0].session, w->session[0].link);
  site->peer->links = 2;
  site->frames[0] = 0;
  for (guint8 i = 0; i < 20; i++)
    there_and_back(site, inside, 1472, i);
  assert_int_equal(site->frames[0], 0);
  close(inside);
}

/* Session 0 sends fragments without end, as fast as the peer can; session 1 and the memory do not notice. */
static void a_flood_of_fragments_harms_nobody_else(void **state) {
  enum { FLOOD = 60000 };
  Site *site = *state;
  World *w = site->w;
  guint8 body[1000] = {0x80}, datagram[2048], packet[2048];
  guint64 now, most;
  session_start(w, 1);
  site_add_stage(site, 0);
  int inside = inside_socket(1);
  for (guint32 i = 0; i < FLOOD; i++) {
    guint32 sequence = i % 4 == 3 ? i * 7 : 2 * i; /* gaps, begins without end, and some from far away */
    body[0] = i % 3 ? 0x80 : 0;
    body[1] = (guint8)(sequence >> 16);
    tun_put16(body + 2, (guint16)sequence);
    peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "ff03003d"}, body, i % 2 ? sizeof body : 5));
    if (i % 1000 == 0) {
      peer_send(w, datagram, wrap(datagram, 1, (Wrap){0}, packet, inner_packet(packet, 1, 100, (guint8)(i / 1000))));
      expect_inside(inside, 100, (guint8)(i / 1000));
    }
  }
  mp_pool_usage(&now, &most);
  assert_in_range(most, 1, MP_BUNDLE_MOST);
  AditDpStats stats;
  tun_session_stats(w->session[1].session, &stats);
  assert_int_equal(stats.counters.rx_packets, FLOOD / 1000);
  assert_int_equal(stats.drops, 0);
  close(inside);
}

/* The kernel's queue of a shaped path is seen, and how fast it drains. */
static void queues_and_rates_are_seen(void **state) {
  Site *site = *state;
  World *w = site->w;
  session_attach(w, 1, 0, 0);
  site_add_stage(site, 0);
  assert_true(tun_session_join(w->session[0].session, w->session[1].link, NULL, NULL));
  if (system("tc qdisc add dev lo root tbf rate 80mbit burst 20k latency 2s") != 0)
    skip();
  int inside = inside_socket(0);
  gint64 deadline = g_get_monotonic_time() + PATIENCE * 1000;
  const TunSocketLoad *load = &w->listener->socket[w->session[0].session->home].load;
  while (!TUN_GET(load->rate) && g_get_monotonic_time() < deadline)
    inside_says(inside, 1000, 1);
  assert_int_equal(system("tc qdisc del dev lo root"), 0);
  assert_in_range(TUN_GET(load->rate), 1000000, 40000000); /* 10 MB/s */
  close(inside);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      SITE_TEST(full_frames_and_jumbos_over_a_short_path),
      SITE_TEST(fragments_leave_together),
      SITE_TEST(fragments_fit_the_path),
      SITE_TEST(the_mtu_of_a_path_is_the_kernels),
      SITE_TEST(two_links_share_and_one_carries_on),
      SITE_TEST(a_flood_of_fragments_harms_nobody_else),
      SITE_TEST(queues_and_rates_are_seen),
  };
  return WORLD_MAIN(tests);
}
