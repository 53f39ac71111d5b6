/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* An encapsulation that the data path has never heard of: its header, its cookie, its numbers and its steering come from a layout. */
#include "core/base/loop.h"
#include "packets.h"
#include "tests/lib/fake-layout.h"
#include "tests/lib/loop.h"
#include "world.h"

#include <unistd.h>

/* 16 bits are the same for both; homes differ. */
enum { SESSION0 = 0x00050064, SESSION1 = 0x00060065 };
static const guint32 ids[] = {SESSION0, SESSION1};

static const AditDpLinkOps no_ops = {.size = sizeof no_ops};

static int layout_setup(void **state) {
  World *w = world_new(2, TRUE);
  AditListenerSpec spec = {
      .size = sizeof spec, .local = endpoint("127.0.0.1", 0), .classify = fake_layout_classify, .layout = &fake_layout};
  w->listener = tun_listen(w->dp, &spec, &listener_ops, w, NULL);
  assert_non_null(w->listener);
  tun_listener_local(w->listener, &w->local);
  w->peer = udp_socket("127.0.0.1", 0, &w->peer_at);
  *state = w;
  return 0;
}

static AditDpLink *attach(World *w, const AditEncap *encap, gpointer user, GError **error) {
  AditPath path = {.local = w->local, .remote = w->peer_at};
  return tun_link_attach(w->dp, w->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 4711, &path, encap, &no_ops, user}, error);
}

static void start(World *w, guint n, guint8 sequence, guint reorder_ms) {
  Session *s = &w->session[n];
  g_autofree char *name = g_strdup_printf("fake-%u", n), *local = g_strdup_printf("10.9.%u.1/32", n),
                  *peer = g_strdup_printf("10.9.%u.2", n);
  AditEncap encap = fake_layout_encap(ids[n], sequence);
  encap.reorder_ms = reorder_ms;
  s->link = attach(w, &encap, s, NULL);
  assert_non_null(s->link);
  port_make(s, name, FALSE, FALSE);
  address_add(s->port, local, peer);
  session_open(s);
}

static void peer_says(World *w, guint n, const char *cookie, gint64 number, guint8 fill) {
  guint8 frame[512] = {0xff, 3, 0, 0x21}, datagram[1024];
  guint length = inner_packet(frame + 4, n, 100, fill);
  peer_send(w, datagram, fake_layout_wrap(datagram, sizeof datagram, ids[n], cookie, number, frame, length + 4));
}

static void expect(int inside, guint8 fill) {
  guint8 packet[2048];
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  assert_int_equal(packet[0], fill);
}

static void packets_cross_both_ways(void **state) {
  World *w = *state;
  guint8 datagram[65536];
  AditEndpoint from;
  for (guint n = 0; n < 2; n++) {
    start(w, n, ADIT_SEQUENCE_SEND, 0);
    int inside = inside_socket(n);
    peer_says(w, n, "mycookie", -1, 1);
    assert_int_equal(receive(inside, datagram, sizeof datagram, &from), 100);
    for (guint i = 0; i < 3; i++) {
      assert_int_equal(sendto(inside, "answer", 6, 0, &from.any, sizeof from.in), 6);
      assert_int_equal(receive(w->peer, datagram, sizeof datagram, NULL), FAKE_LAYOUT_HEADER + 4 + 34);
      assert_int_equal(tun_get32(datagram), 0x00030000);
      assert_int_equal(tun_get32(datagram + 4), ids[n]);
      assert_memory_equal(datagram + 8, "yourcook", 8);
      assert_int_equal(tun_get32(datagram + 16), 0x40000000 | i);
      assert_int_equal(tun_get32(datagram + 20), 0xff030021);
      assert_memory_equal(datagram + FAKE_LAYOUT_HEADER + 4 + 28, "answer", 6);
    }
    /* What the main loop sends has the same header. */
    tun_link_send(w->session[n].link, (const guint8 *)"\xc0\x21\x09\1\0\4", 6);
    assert_int_equal(receive(w->peer, datagram, sizeof datagram, NULL), FAKE_LAYOUT_HEADER + 8);
    assert_int_equal(tun_get32(datagram + 16), 0x40000003);
    assert_memory_equal(datagram + FAKE_LAYOUT_HEADER, "\xff\3\xc0\x21\x09\1\0\4", 8);
    close(inside);
  }
}

/* Each frame came to the worker that its link lives on: the layout says where the kernel finds the id. */
static void the_kernel_steers_by_the_layout(void **state) {
  World *w = *state;
  for (guint n = 0; n < 2; n++) {
    start(w, n, 0, 0);
    int inside = inside_socket(n);
    for (guint8 i = 0; i < 50; i++) {
      peer_says(w, n, "mycookie", -1, i);
      expect(inside, i);
    }
    close(inside);
  }
  assert_int_not_equal(w->session[0].link->home, w->session[1].link->home);
  assert_int_equal(FACT(w, foreign), 0);
  for (guint i = 0; i < 2; i++)
    assert_int_equal(TUN_GET(w->dp->worker[i]->stats.datagrams_in), 50);
}

static void what_the_link_does_not_open_is_dropped(void **state) {
  World *w = *state;
  AditDpStats stats;
  guint8 datagram[64];
  start(w, 0, 0, 0);
  int inside = inside_socket(0);
  peer_says(w, 0, "bakedbad", -1, 1);
  gsize length = fake_layout_wrap(datagram, sizeof datagram, SESSION0, "mycookie", -1, NULL, 0);
  for (gsize n = 8; n < length; n++) /* cut short */
    peer_send(w, datagram, n);
  peer_says(w, 0, "mycookie", -1, 2);
  expect(inside, 2);
  tun_link_stats(w->session[0].link, &stats);
  assert_int_equal(stats.drops, 1 + length - 8);
  close(inside);
}

static void numbers_of_24_bits_are_put_in_order_across_their_wrap(void **state) {
  World *w = *state;
  AditDpStats stats;
  start(w, 0, 0, 10000);
  int inside = inside_socket(0);
  static const gint64 came[] = {0xfffffd, 0xffffff, 0xfffffe, 1, 0, 2};
  static const guint8 order[] = {0, 2, 1, 4, 3, 5};
  for (guint8 i = 0; i < G_N_ELEMENTS(came); i++)
    peer_says(w, 0, "mycookie", came[i], i);
  for (guint i = 0; i < G_N_ELEMENTS(order); i++)
    expect(inside, order[i]);
  tun_link_stats(w->session[0].link, &stats);
  assert_int_equal(stats.reordered, 2);
  assert_int_equal(stats.lost, 0);
  peer_says(w, 0, "mycookie", 0x10000 + 3, 9); /* 16 bits would take it for the next one: here 65,536 are missing */
  expect(inside, 9);
  tun_link_stats(w->session[0].link, &stats);
  assert_int_equal(stats.lost, 0x10000);
  close(inside);
}

/* ---- what cannot be carried ---- */

static gboolean long_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) {
  out->length = sequenced ? ADIT_ENCAP_HEADER_MAX + 1 : ADIT_ENCAP_HEADER_MAX;
  return TRUE;
}

static gboolean loose_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) {
  out->length = 8;
  out->has_length = TRUE;
  out->length_at = 7;
  return TRUE;
}

static void an_encapsulation_that_does_not_fit_is_refused(void **state) {
  World *w = *state;
  const AditEncapLayout too_long = {.size = sizeof too_long, .name = "long", .sequence_bits = 16, .header = long_header};
  const AditEncapLayout unnumbered = {.size = sizeof unnumbered, .name = "unnumbered", .header = long_header};
  const AditEncapLayout loose = {.size = sizeof loose, .name = "loose", .header = loose_header};
  const AditEncapLayout wide = {.size = sizeof wide, .name = "wide", .sequence_bits = 33, .header = fake_layout_header};
  AditEncap good = fake_layout_encap(1, 0), no_cookie = good;
  no_cookie.cookie_length = 0;
  const AditEncap bad[] = {{.kind = ADIT_ENCAP_NULL},
                           {.kind = ADIT_ENCAP_PPPOE},
                           {.kind = ADIT_ENCAP_L2TPV2_UDP, .peer_session = 0x10000},
                           {.layout = &too_long},
                           {.layout = &loose},
                           {.layout = &wide, .cookie_length = 8},
                           no_cookie};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    assert_false(tun_datapath_ops.claims(w->dp, &bad[i]));
    assert_null(attach(w, &bad[i], NULL, &error));
    assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED));
  }
  assert_true(tun_datapath_ops.claims(w->dp, &good));
  assert_true(tun_datapath_ops.claims(w->dp, &(AditEncap){.layout = &unnumbered}));
}

#define LAYOUT_TEST(name) cmocka_unit_test_setup_teardown(name, layout_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      LAYOUT_TEST(packets_cross_both_ways),
      LAYOUT_TEST(the_kernel_steers_by_the_layout),
      LAYOUT_TEST(what_the_link_does_not_open_is_dropped),
      LAYOUT_TEST(numbers_of_24_bits_are_put_in_order_across_their_wrap),
      LAYOUT_TEST(an_encapsulation_that_does_not_fit_is_refused),
  };
  return WORLD_MAIN(tests);
}
