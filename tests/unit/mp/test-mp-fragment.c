/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Packets to fragments: headers, sizes, and that nothing is copied. */
#include "bundle.h"

/* What came out of one end goes into another. */
static void carry_frames(Bundle *from, Bundle *to) {
  for (guint i = 0; i < from->frames->len; i++) {
    const Piece *piece = bundle_frame(from, i);
    AditStageFrame frame = {.protocol = piece->protocol, .link = piece->link, .n = 1, .length = piece->data->len};
    frame.slice[0] = (AditStageSlice){piece->data->data, piece->data->len};
    bundle_take_frame(to, &frame);
  }
  g_ptr_array_set_size(from->frames, 0);
}

static void long_headers_3(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_send(b, ADIT_PPP_IPV4, 3, 0x45);
  bundle_send(b, ADIT_PPP_IPV6, 1, 0x60);
  piece_expect(bundle_frame(b, 0), bundle_frame(b, 0)->link, ADIT_PPP_MP, "c0 000000 0021 454647");
  piece_expect(bundle_frame(b, 1), bundle_frame(b, 1)->link, ADIT_PPP_MP, "c0 000001 0057 60");
}

static void short_headers_3(void **state) {
  Bundle *b = *state;
  b->params.send_short = TRUE;
  b->params.link[0].mtu = 64;
  b->links = 1;
  bundle_send(b, ADIT_PPP_IPV4, 122, 0);
  assert_int_equal(b->frames->len, 2);
  assert_memory_equal(bundle_frame(b, 0)->data->data, "\x80\x00\x00\x21\x00", 5);
  assert_memory_equal(bundle_frame(b, 1)->data->data, "\x40\x01\x3c", 3);
  assert_int_equal(bundle_frame(b, 0)->data->len, 64);
  assert_int_equal(bundle_frame(b, 1)->data->len, 64);
}

static void numbers_wrap_at(Bundle *b, guint32 packets, guint bytes) {
  b->links = 3;
  for (guint32 i = 0; i < packets; i++) {
    bundle_send(b, ADIT_PPP_IPV4, 1, 0);
    const guint8 *head = bundle_frame(b, 0)->data->data;
    guint32 number = bytes == 2 ? (guint32)(head[0] & 0x3f) << 8 | head[1] : (guint32)head[1] << 16 | (guint32)head[2] << 8 | head[3];
    assert_int_equal(number, i & (bytes == 2 ? 0xfff : 0xffffff));
    bundle_forget(b);
  }
}

static void short_numbers_wrap(void **state) {
  ((Bundle *)*state)->params.send_short = TRUE;
  numbers_wrap_at(*state, 4096 + 10, 2);
}

static void long_numbers_go_on_past_12_bits(void **state) {
  numbers_wrap_at(*state, 66000, 4);
}

static void packets_on_one_link_have_numbers_too(void **state) {
  Bundle *b = *state;
  b->params.link[0].mtu = 1450;
  bundle_send(b, ADIT_PPP_IPV4, 1444, 1);
  assert_int_equal(b->frames->len, 1); /* it just fits, with protocol and header */
  assert_memory_equal(bundle_frame(b, 0)->data->data, "\xc0\0\0\0\0\x21\1\2", 8);
  bundle_forget(b);
  bundle_send(b, ADIT_PPP_IPV4, 1445, 1);
  assert_int_equal(b->frames->len, 2);
}

static void sizes_are_even(void **state) {
  static const struct {
    guint32 mtu, packet, n, size; /* `size` of all fragments with header, but for the last */
    gboolean pfc;
  } row[] = {
      {1450, 1500, 2, 755, FALSE},                                                              /* (1500 + 2) / 2 + 4 */
      {1450, 1500, 2, 755, TRUE},                                                               /* not compressed, as it is even */
      {1450, 1501, 2, 755, TRUE},                                                               /* compressed, to make it even */
      {1450, 8000, 6, 1338, FALSE},                                                             /* 8002 / 6 = 1333.7 */
      {1450, 65535, 46, 1429, FALSE}, {1004, 2000, 3, 672, FALSE}, {1004, 1999, 2, 1004, TRUE}, /* which saves one */
      {64, 6000, 101, 64, FALSE},     {3, 100, 2, 55, FALSE},                                   /* MP_MTU_MIN */
  };
  Bundle *b = *state;
  b->params.peer_mrru = b->params.own_mrru = 65535;
  for (guint i = 0; i < G_N_ELEMENTS(row); i++) {
    b->params.pfc = row[i].pfc;
    b->params.link[0].mtu = row[i].mtu;
    b->now_ms++;
    bundle_send(b, ADIT_PPP_IPV4, row[i].packet, 0);
    assert_int_equal(b->frames->len, row[i].n);
    for (guint k = 0; k + 1 < row[i].n; k++)
      assert_int_equal(bundle_frame(b, k)->data->len, row[i].size);
    assert_in_range(bundle_frame(b, row[i].n - 1)->data->len, row[i].size - MIN(row[i].n, row[i].size - 5), row[i].size);
    carry_frames(b, b);
    assert_int_equal(b->packets->len, 1);
    piece_expect_count(bundle_packet(b, 0), row[i].packet, 0);
    bundle_forget(b);
  }
}

static void each_size_there_and_back(void **state) {
  Bundle *b = *state;
  b->params.peer_mrru = b->params.own_mrru = 4000;
  b->params.link[0].mtu = 100;
  b->params.link[1].mtu = 777;
  b->links = 3;
  for (guint32 length = 1; length <= 4000; length += length < 300 ? 1 : 37) {
    b->params.pfc = length & 1;
    b->params.send_short = b->params.receive_short = FALSE;
    bundle_send(b, ADIT_PPP_IPV6, length, (guint8)length);
    for (guint i = 0; i < b->frames->len; i++)
      assert_true(bundle_frame(b, i)->data->len <= b->params.link[bundle_frame(b, i)->link].mtu);
    carry_frames(b, b);
    assert_int_equal(b->packets->len, 1);
    assert_int_equal(bundle_packet(b, 0)->protocol, ADIT_PPP_IPV6);
    piece_expect_count(bundle_packet(b, 0), length, (guint8)length);
    bundle_forget(b);
    b->now_ms += length % 3;
  }
  MpCounters counters = bundle_counters(b);
  assert_int_equal(counters.lost + counters.broken + counters.malformed, 0);
  assert_int_equal(counters.tx_packets, counters.rx_packets);
  assert_int_equal(counters.link[0].tx_fragments, counters.link[0].rx_fragments);
  assert_int_equal(counters.link[1].tx_octets, counters.link[1].rx_octets);
  assert_true(counters.tx_fragmented >= counters.rx_reassembled && counters.rx_reassembled > 0);
}

/* ---- nothing is copied ---- */

static guint8 *piece_of_packet, *header_of_packet;
static guint slices_seen;

static guint8 *plain_room(gpointer user, gsize length) {
  static guint8 room[ADIT_STAGE_ROOM];
  static gsize used;
  if (used + length > sizeof room)
    used = 0;
  used += length;
  assert_true(length <= 8); /* headers only */
  return room + used - length;
}
static void slices_to_link(gpointer user, AditStageFrame *frame) {
  for (guint i = 1; i < frame->n; i++) {
    gboolean in_header = frame->slice[i].data >= header_of_packet && frame->slice[i].data + frame->slice[i].length <= header_of_packet + 40;
    gboolean in_piece = frame->slice[i].data >= piece_of_packet && frame->slice[i].data + frame->slice[i].length <= piece_of_packet + 3000;
    assert_true(in_header || in_piece);
    slices_seen++;
  }
}
static void never_to_port(gpointer user, AditStageFrame *frame) {
  fail();
}
static const AditPipelineOps slices = {.size = sizeof slices, .room = plain_room, .to_link = slices_to_link, .to_port = never_to_port};

static void fragments_are_pieces_of_the_packet(void **state) {
  Bundle *b = *state;
  guint8 header[40] = {0}, piece[3000] = {0};
  header_of_packet = header;
  piece_of_packet = piece;
  slices_seen = 0;
  b->params.peer_mrru = 4000;
  b->params.link[0].mtu = 1450;
  AditPipelineRun run = {.pipeline = &b->pipeline, .ops = &slices, .user = b};
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 2, .length = 3040, .slice = {{header, 40}, {piece, 3000}}};
  adit_pipeline_init(&run, 1000, 1);
  adit_pipeline_encode(&run, &frame);
  assert_int_equal(slices_seen, 4); /* three fragments, the first one with a piece of each slice */
}

/* ---- what is not sent ---- */

static void an_mrru_that_is_too_small_is_not_used(void **state) {
  static const guint32 mrru[] = {0, 1, 63};
  Bundle *b = *state;
  for (guint i = 0; i < G_N_ELEMENTS(mrru); i++) {
    b->params.peer_mrru = mrru[i];
    bundle_send(b, ADIT_PPP_IPV4, 1800, 0);
    assert_int_equal(b->frames->len, 1);
    assert_int_equal(bundle_frame(b, 0)->protocol, ADIT_PPP_IPV4);
    bundle_forget(b);
  }
}

static void packets_up_to_the_peers_mrru_are_sent(void **state) {
  static const guint32 mrru[] = {64, 1500, 1614, 65535};
  Bundle *b = *state;
  b->params.link[0].mtu = 64;
  b->links = 3;
  for (guint i = 0; i < G_N_ELEMENTS(mrru); i++) {
    b->params.peer_mrru = b->params.own_mrru = mrru[i];
    bundle_send(b, ADIT_PPP_IPV4, mrru[i], 0);
    carry_frames(b, b);
    piece_expect_count(bundle_packet(b, 0), mrru[i], 0);
    bundle_forget(b);
    bundle_send(b, ADIT_PPP_IPV4, mrru[i] + 1, 0);
    assert_int_equal(b->frames->len, 0);
    assert_int_equal(bundle_counters(b).tx_too_long, i + 1);
    b->now_ms++;
  }
}

static void a_packet_longer_than_the_mrru_goes_as_it_is_where_it_fits(void **state) {
  Bundle *b = *state;
  b->params.peer_mrru = 1300;
  b->params.link[0].mtu = 1450;
  bundle_send(b, ADIT_PPP_IPV4, 1300, 0);
  bundle_send(b, ADIT_PPP_IPV4, 1301, 0);
  bundle_send(b, ADIT_PPP_IPV4, 1450, 0);
  bundle_send(b, ADIT_PPP_IPV4, 1451, 0);
  assert_int_equal(b->frames->len, 3);
  assert_int_equal(bundle_frame(b, 0)->protocol, ADIT_PPP_MP);
  assert_int_equal(bundle_frame(b, 1)->protocol, ADIT_PPP_IPV4);
  piece_expect_count(bundle_frame(b, 2), 1450, 0);
  assert_int_equal(bundle_counters(b).tx_too_long, 1);
}

static void without_links_or_memory_packets_are_dropped(void **state) {
  Bundle *b = *state;
  b->links = 0;
  bundle_send(b, ADIT_PPP_IPV4, 1, 0);
  b->links = 1;
  b->room_most = 16;
  b->params.link[0].mtu = 100;
  bundle_send(b, ADIT_PPP_IPV4, 1000, 0);
  assert_int_equal(bundle_counters(b).tx_dropped, 2);
  b->room_most = ADIT_STAGE_ROOM;
  guint before = b->frames->len;
  bundle_send(b, ADIT_PPP_IPV4, 1000, 0);
  assert_int_equal(b->frames->len - before, 11);
  carry_frames(b, b); /* the peer takes the next one */
  assert_int_equal(b->packets->len, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      BUNDLE_TEST(long_headers_3),
      BUNDLE_TEST(short_headers_3),
      BUNDLE_TEST(short_numbers_wrap),
      BUNDLE_TEST(long_numbers_go_on_past_12_bits),
      BUNDLE_TEST(packets_on_one_link_have_numbers_too),
      BUNDLE_TEST(sizes_are_even),
      BUNDLE_TEST(each_size_there_and_back),
      BUNDLE_TEST(fragments_are_pieces_of_the_packet),
      BUNDLE_TEST(an_mrru_that_is_too_small_is_not_used),
      BUNDLE_TEST(packets_up_to_the_peers_mrru_are_sent),
      BUNDLE_TEST(a_packet_longer_than_the_mrru_goes_as_it_is_where_it_fits),
      BUNDLE_TEST(without_links_or_memory_packets_are_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
