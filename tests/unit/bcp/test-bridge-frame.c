/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins/bcp/bridge-frame.h"
#include "tests/unit/ppp/pair.h"

/* What the RFC's figures are made of: addresses, a type, and what is behind. */
#define TO        "020000000002"
#define FROM      "020000000001"
#define ADDRESSES TO FROM
#define GROUP     "0180c2000000"
#define BPDU      "0000 00 00 00 8000020000000001 00000000 8000020000000001 8001 0000 1400 0200 0f00" /* 35 octets, of IEEE 802.1D 9.3.1 */

typedef struct {
  AditEtherIo io;
  guint8 octets[ADIT_ETHER_ROOM];
  gsize used;
} Room;

static guint8 *room_for(AditEtherIo *io, gsize length) {
  Room *room = (Room *)(gpointer)io;
  if (room->used + length > sizeof room->octets)
    return NULL;
  guint8 *at = room->octets + room->used;
  room->used += length;
  return at;
}

typedef BcpVerdict (*Way)(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame);

/** Runs octets through the codec, cut into `pieces` pieces; NULL = dropped, with *verdict saying why. */
static GByteArray *run_octets(Way way, const BcpForm *form, guint16 *protocol, const GByteArray *in, guint pieces, BcpVerdict *verdict) {
  Room room = {.io = {.size = sizeof room.io, .room = room_for}};
  AditStageFrame frame = {.protocol = *protocol, .length = in->len};
  g_autofree guint8 *copy = g_memdup2(in->data, in->len); /* of its own size, so that a sanitizer sees a read past it */
  guint32 at = 0;

  for (guint i = 0; i < pieces && at < in->len; i++) {
    guint32 length = i + 1 == pieces ? in->len - at : MIN(in->len - at, i ? (in->len - at) / 2 : MAX(18, in->len / pieces));
    frame.slice[frame.n].data = copy + at;
    frame.slice[frame.n++].length = length;
    at += length;
  }
  *verdict = way(form, &room.io, &frame);
  if (*verdict != BCP_PASS)
    return NULL;
  GByteArray *out = g_byte_array_new();
  for (guint i = 0; i < frame.n; i++)
    g_byte_array_append(out, frame.slice[i].data, frame.slice[i].length);
  assert_int_equal(out->len, frame.length);
  *protocol = frame.protocol;
  return out;
}

static GByteArray *zeros_behind(const char *hex, guint zeros) {
  GByteArray *octets = from_hex(hex);
  guint length = octets->len;
  g_byte_array_set_size(octets, length + zeros);
  if (zeros)
    memset(octets->data + length, 0, zeros);
  return octets;
}

/** `in` and `zeros` zeros behind it become `want` and `want_zeros`, in however many pieces. */
static void expect(Way way, const BcpForm *form, guint16 protocol, const char *in, guint zeros, guint16 want_protocol, const char *want,
                   guint want_zeros) {
  g_autoptr(GByteArray) from = zeros_behind(in, zeros), to = zeros_behind(want, want_zeros);
  for (guint pieces = 1; pieces <= 3; pieces++) {
    guint16 got_protocol = protocol;
    BcpVerdict verdict;
    g_autoptr(GByteArray) got = run_octets(way, form, &got_protocol, from, pieces, &verdict);
    assert_int_equal(verdict, BCP_PASS);
    assert_int_equal(got_protocol, want_protocol);
    assert_int_equal(got->len, to->len);
    assert_memory_equal(got->data, to->data, to->len);
  }
}

static void expect_drop(Way way, const BcpForm *form, guint16 protocol, const char *in, guint zeros, BcpVerdict why) {
  g_autoptr(GByteArray) from = zeros_behind(in, zeros);
  for (guint pieces = 1; pieces <= 3; pieces++) {
    guint16 got_protocol = protocol;
    BcpVerdict verdict;
    g_autoptr(GByteArray) got = run_octets(way, form, &got_protocol, from, pieces, &verdict);
    assert_null(got);
    assert_int_equal(verdict, why);
  }
}

static void expect_sent(const BcpForm *form, const char *in, guint zeros, guint16 protocol, const char *want, guint want_zeros) {
  expect(bcp_frame_encode, form, 0, in, zeros, protocol, want, want_zeros);
}

static void expect_received(const BcpForm *form, guint16 protocol, const char *in, guint zeros, const char *want, guint want_zeros) {
  expect(bcp_frame_decode, form, protocol, in, zeros, protocol, want, want_zeros);
}

static const BcpForm nothing = {.bpdu = TRUE, .bpdu_source = {2, 0, 0, 0, 0, 2}};
static const BcpForm all = {TRUE, TRUE, TRUE, TRUE, TRUE, {2, 0, 0, 0, 0, 2}};

/* RFC 3518 4.2, the figure of an IEEE 802.3 frame: flags and pads, MAC type, addresses, length or type, data. */
static void rfc3518_4_2_an_ethernet_frame(void **state) {
  expect_sent(&all, ADDRESSES "0800 45aa", 100, 0x0031, "0001" ADDRESSES "0800 45aa", 100);
  expect_received(&all, 0x0031, "0001" ADDRESSES "0800 45aa", 100, ADDRESSES "0800 45aa", 100);
}

static void rfc3518_4_2_frames_of_60_and_of_1514_octets(void **state) {
  expect_sent(&nothing, ADDRESSES "0800 45aa", 44, 0x0031, "0001" ADDRESSES "0800 45aa", 44);
  expect_received(&nothing, 0x0031, "0001" ADDRESSES "0800 45aa", 44, ADDRESSES "0800 45aa", 44);
  expect_sent(&all, ADDRESSES "0800 45aa", 1498, 0x0031, "0001" ADDRESSES "0800 45aa", 1498);
  expect_received(&all, 0x0031, "0001" ADDRESSES "0800 45aa", 1498, ADDRESSES "0800 45aa", 1498);
}

static void rfc3518_4_2_padding_is_taken_off(void **state) {
  expect_received(&all, 0x0031,
                  "0f01" ADDRESSES "0800 45"
                  "0102030405060708090a0b0c0d0e0f",
                  0, ADDRESSES "0800 45", 0);
  expect_received(&all, 0x0031, "0101" ADDRESSES "0800 45", 1, ADDRESSES "0800 45", 0);
  expect_drop(bcp_frame_decode, &all, 0x0031, "0f01" ADDRESSES "0800", 1, BCP_DROP_SHORT);
  expect_drop(bcp_frame_decode, &all, 0x0031, "0f01", 0, BCP_DROP_SHORT);
}

static void rfc3518_4_2_other_mac_types_are_dropped(void **state) {
  static const char *const others[] = {"0000", "0002", "0003", "0004", "000b", "000c", "00ff"};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autofree char *frame = g_strdup_printf("%s" ADDRESSES "0800", others[i]);
    expect_drop(bcp_frame_decode, &all, 0x0031, frame, 46, BCP_DROP_MAC);
  }
}

static void frames_that_are_cut_short_are_dropped(void **state) {
  static const char whole[] = "0001" ADDRESSES "0800";
  for (guint octets = 0; octets < 16; octets++) {
    g_autofree char *cut = g_strndup(whole, 2 * octets);
    expect_drop(bcp_frame_decode, &all, 0x0031, cut, 0, BCP_DROP_SHORT);
  }
  for (guint octets = 0; octets < 14; octets++) {
    g_autofree char *cut = g_strndup(ADDRESSES "0800", 2 * octets);
    expect_drop(bcp_frame_encode, &all, 0, cut, 0, BCP_DROP_SHORT);
  }
  expect_received(&all, 0x0031, whole, 0, ADDRESSES "0800", 0);
}

/* ---- LAN FCS ---- */

/* The check value of CRC-32 (IEEE 802.3 3.2.9 in the order of bits of the wire), as every book has it. */
static void ieee802_3_3_2_9_check_value(void **state) {
  guint8 digits[] = "123456789";
  const AditStageFrame frame = {.n = 1, .length = 9, .slice = {{digits, 9}}};
  assert_int_equal(bcp_lan_fcs(&frame, 0), 0xcbf43926);
}

/* ARP who-has of 42 octets, padded to 60; its FCS as a NIC puts it on the wire. */
#define ARP     "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202"
#define ARP_FCS "51a78d1c"

static void rfc3518_3_1_a_right_fcs_passes_and_goes(void **state) {
  expect_received(&all, 0x0031, "8001" ARP "000000000000000000000000000000000000" ARP_FCS, 0, ARP, 18);
  expect_received(&all, 0x0031, "8301" ARP "000000000000000000000000000000000000" ARP_FCS "aabbcc", 0, ARP, 18); /* and padding behind it */
}

static void rfc3518_3_1_a_wrong_fcs_is_dropped(void **state) {
  expect_drop(bcp_frame_decode, &all, 0x0031, "8001" ARP "000000000000000000000000000000000001" ARP_FCS, 0, BCP_DROP_FCS);
  expect_drop(bcp_frame_decode, &all, 0x0031,
              "8001" ARP "000000000000000000000000000000000000"
              "00000000",
              0, BCP_DROP_FCS);
  expect_drop(bcp_frame_decode, &all, 0x0031, "8001" ADDRESSES "0800 aabb", 0, BCP_DROP_SHORT);
}

/* RFC 3518 3.3: the FCS is that of the frame with its zeros. */
static void rfc3518_3_3_the_fcs_counts_the_zeros_that_are_missing(void **state) {
  expect_received(&all, 0x0031, "a001" ARP ARP_FCS, 0, ARP, 18);
  expect_drop(bcp_frame_decode, &all, 0x0031, "8001" ARP ARP_FCS, 0, BCP_DROP_FCS);
}

/* ---- Tinygram ---- */

static void rfc3518_3_3_zeros_are_left_out_for_a_peer_that_restores_them(void **state) {
  expect_sent(&all, ARP, 18, 0x0031, "2001" ARP, 0);
  expect_sent(&all, ARP, 0, 0x0031, "2001" ARP, 0); /* one that the kernel did not pad */
  expect_sent(&nothing, ARP, 18, 0x0031, "0001" ARP, 18);
  expect_sent(&nothing, ARP, 0, 0x0031, "0001" ARP, 18);
}

static void rfc3518_3_3_longer_frames_keep_their_zeros(void **state) {
  expect_sent(&all, ARP, 19, 0x0031, "0001" ARP, 19);
  expect_sent(&all, ADDRESSES "0800 45aa", 1498, 0x0031, "0001" ADDRESSES "0800 45aa", 1498);
}

static void rfc3518_3_3_not_a_zero_of_the_mac_header_is_left_out(void **state) {
  expect_sent(&all, "020000000000 020000000000 0000", 46, 0x0031, "2001 020000000000 020000000000 0000", 0);
  expect_sent(&all, ADDRESSES "8100 0000", 44, 0x0031, "2001" ADDRESSES "8100 0000 0000", 0);
}

static void rfc3518_3_3_a_full_frame_without_zeros_has_no_flag(void **state) {
  expect_sent(&all,
              ARP "0000000000000000000000000000000000"
                  "01",
              0, 0x0031,
              "0001" ARP "0000000000000000000000000000000000"
              "01",
              0);
}

static void rfc3518_3_3_zeros_are_restored(void **state) {
  expect_received(&all, 0x0031, "2001" ARP, 0, ARP, 18);
  expect_received(&nothing, 0x0031, "2001" ARP, 0, ARP, 18); /* it is our offer that counts */
  expect_received(&all, 0x0031, "2301" ARP "010203", 0, ARP, 18);
  expect_received(&all, 0x0031, "2001" ADDRESSES "0800", 0, ADDRESSES "0800", 46);
  expect_received(&all, 0x0031, "2001" ARP, 30, ARP, 30); /* nothing is missing */
}

/* ---- tags ---- */

static void rfc3518_4_3_tagged_frames(void **state) {
  expect_sent(&all, ADDRESSES "8100 6064 0800 45aa", 1498, 0x0031, "0001" ADDRESSES "8100 6064 0800 45aa", 1498);
  expect_received(&all, 0x0031, "0001" ADDRESSES "8100 6064 0800 45aa", 1498, ADDRESSES "8100 6064 0800 45aa", 1498);
}

static void a_peer_that_takes_no_tags_gets_none(void **state) {
  expect_drop(bcp_frame_encode, &nothing, 0, ADDRESSES "8100 6064 0800 45aa", 50, BCP_DROP_TAGGED);
  expect_drop(bcp_frame_encode, &nothing, 0, ADDRESSES "8100 0100 0800 45aa", 50, BCP_DROP_TAGGED);
  expect_drop(bcp_frame_encode, &nothing, 0, ADDRESSES "88a8 0000 0800 45aa", 50, BCP_DROP_TAGGED);
  expect_drop(bcp_frame_encode, &nothing, 0, ADDRESSES "8100 e000", 0, BCP_DROP_SHORT);
}

/* IEEE 802.1Q: a tag with VLAN 0 only has a priority. */
static void a_priority_tag_is_taken_off_for_a_peer_that_takes_no_tags(void **state) {
  expect_sent(&nothing, ADDRESSES "8100 e000 0800 45aa", 50, 0x0031, "0001" ADDRESSES "0800 45aa", 50);
  expect_sent(&nothing, ADDRESSES "8100 e000 0800 45aa", 20, 0x0031, "0001" ADDRESSES "0800 45aa", 44);
  expect_sent(&all, ADDRESSES "8100 e000 0800 45aa", 50, 0x0031, "0001" ADDRESSES "8100 e000 0800 45aa", 50);
  BcpForm tiny = nothing;
  tiny.tinygram = TRUE;
  expect_sent(&tiny, ADDRESSES "8100 e000 0800 45aa", 40, 0x0031, "2001" ADDRESSES "0800 45aa", 0);
}

/* ---- between bridges ---- */

static void management_inline_passes_bpdus_as_they_are_with_the_b_flag(void **state) {
  expect_sent(&all, GROUP FROM "0026 424203" BPDU, 8, 0x0031,
              "3001" GROUP FROM "0026 424203"
              "0000 00 00 00 8000020000000001 00000000 8000020000000001 8001 0000 1400 0200 0f",
              0);
  BcpForm plain = all;
  plain.indicator = plain.tinygram = FALSE;
  expect_sent(&plain, GROUP FROM "0026 424203" BPDU, 8, 0x0031, "0001" GROUP FROM "0026 424203" BPDU, 8);
  expect_sent(&all, "0180c2000021" FROM "0026 424203" BPDU, 200, 0x0031, "1001 0180c2000021" FROM "0026 424203" BPDU, 200); /* GVRP */
  expect_sent(&all, "0180c2000030" FROM "0026 424203" BPDU, 200, 0x0031, "0001 0180c2000030" FROM "0026 424203" BPDU, 200); /* any group */
  expect_received(&all, 0x0031, "1001" GROUP FROM "0026 424203" BPDU, 8, GROUP FROM "0026 424203" BPDU, 8);
}

/* Each address of that list is of a frame between bridges. */
static void rfc3518_4_4_frames_between_bridges_have_the_b_flag(void **state) {
  static const char *const addresses[] = {GROUP, "0180c2000001", "0180c2000010", "0180c2000020", "0180c2000021"};
  for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
    g_autofree char *frame = g_strconcat(addresses[i], FROM "0800 45aa", NULL), *sent = g_strconcat("1001", frame, NULL);
    expect_sent(&all, frame, 50, 0x0031, sent, 50);
    expect_drop(bcp_frame_encode, &nothing, 0, frame, 50, BCP_DROP_CONTROL);
  }
}

/* RFC 1638's form: a BPDU without MAC and LLC headers and padding, under a protocol of its own. */
static void a_peer_without_management_inline_gets_bpdus_in_the_old_form(void **state) {
  expect_sent(&nothing, GROUP FROM "0026 424203" BPDU, 8, BCP_BPDU, BPDU, 0);
  expect_sent(&nothing, GROUP FROM "0026 424203" BPDU, 0, BCP_BPDU, BPDU, 0);
  expect_sent(&nothing, GROUP FROM "0007 424203 00000080", 39, BCP_BPDU, "00000080", 0); /* topology change */
}

static void what_has_no_old_form_is_not_sent(void **state) {
  expect_drop(bcp_frame_encode, &nothing, 0, "0180c2000021" FROM "0026 424203" BPDU, 8, BCP_DROP_CONTROL); /* GVRP */
  expect_drop(bcp_frame_encode, &nothing, 0, "0180c200000e" FROM "88cc 0207", 50, BCP_DROP_CONTROL);       /* LLDP */
  expect_drop(bcp_frame_encode, &nothing, 0, GROUP FROM "0026 aaaa03" BPDU, 8, BCP_DROP_CONTROL);
  expect_drop(bcp_frame_encode, &nothing, 0, GROUP FROM "0800 424203" BPDU, 8, BCP_DROP_CONTROL);
  expect_drop(bcp_frame_encode, &nothing, 0, GROUP FROM "0006 424203 000000", 41, BCP_DROP_SHORT);
  expect_drop(bcp_frame_encode, &nothing, 0, GROUP FROM "0100 424203" BPDU, 8, BCP_DROP_SHORT);
  BcpForm none = nothing;
  none.bpdu = FALSE;
  expect_drop(bcp_frame_encode, &none, 0, GROUP FROM "0026 424203" BPDU, 8, BCP_DROP_CONTROL);
  expect_drop(bcp_frame_decode, &none, BCP_BPDU, BPDU, 0, BCP_DROP_CONTROL);
}

static void bpdus_in_the_old_form_become_frames_of_the_peer(void **state) {
  expect_received(&all, BCP_BPDU, BPDU, 0, GROUP TO "0026 424203" BPDU, 8);
  expect_received(&all, BCP_BPDU, "00000080", 0, GROUP TO "0007 424203 00000080", 39);
  expect_received(&all, BCP_BPDU, "00000302", 1400, GROUP TO "057f 424203 00000302", 1400);
  expect_drop(bcp_frame_decode, &all, BCP_BPDU, "000000", 0, BCP_DROP_SHORT);
  expect_drop(bcp_frame_decode, &all, BCP_BPDU, "00000302", 1494, BCP_DROP_SHORT);
}

/* ---- RFC 1638 ---- */

/* RFC 1638 3.4 and 5.5: without the option a LAN ID, of whatever value, is of another community; in RFC 3518 4.2 the bit is reserved. */
static void rfc1638_3_4_a_frame_with_a_lan_id_is_dropped(void **state) {
  expect_drop(bcp_frame_decode, &all, 0x0031, "4001 00000000" ADDRESSES "0800 45aa", 50, BCP_DROP_LAN);
  expect_drop(bcp_frame_decode, &all, 0x0031, "4001 00000007" ADDRESSES "0800 45aa", 50, BCP_DROP_LAN);
  expect_drop(bcp_frame_decode, &all, 0x0031, "4001" ADDRESSES "0800 45aa", 50, BCP_DROP_LAN);
  expect_drop(bcp_frame_decode, &all, 0x0031, "4f01 000000", 0, BCP_DROP_SHORT);
}

/* ---- pieces ---- */

static void a_frame_in_too_many_pieces_is_dropped(void **state) {
  Room room = {.io = {.size = sizeof room.io, .room = room_for}};
  guint8 octets[120] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
  AditStageFrame frame = {.n = ADIT_STAGE_SLICES, .length = sizeof octets};
  for (guint i = 0; i < frame.n; i++)
    frame.slice[i] = (AditStageSlice){octets + 20 * i, 20};
  assert_int_equal(bcp_frame_encode(&all, &room.io, &frame), BCP_DROP_PIECES);
}

static void the_codec_for_data_paths_is_complete_and_says_the_same(void **state) {
  Room room = {.io = {.size = sizeof room.io, .room = room_for}};
  g_autoptr(GByteArray) octets = zeros_behind(ADDRESSES "0800", 46);
  AditStageFrame frame = {.n = 1, .length = octets->len, .slice = {{octets->data, octets->len}}};
  assert_true(adit_ether_is_complete(&bcp_codec));
  assert_true(adit_ether_has_protocol(&bcp_codec, 0x0031) && adit_ether_has_protocol(&bcp_codec, 0x0201));
  assert_false(adit_ether_has_protocol(&bcp_codec, 0x0021));
  assert_true(bcp_codec.encode(&nothing, &room.io, &frame));
  assert_int_equal(frame.length, 62);
  assert_true(bcp_codec.decode(&nothing, &room.io, &frame));
  assert_int_equal(frame.length, 60);
  frame.slice[0].length = frame.length = 13;
  frame.n = 1;
  assert_false(bcp_codec.encode(&nothing, &room.io, &frame));
  assert_false(bcp_codec.decode(&nothing, &room.io, &frame));
}

/* Whatever frame, and whatever was agreed on: what arrives is the frame, filled up to 60 octets; and never more than two octets are added
 * to it. */
static void any_frame_arrives_as_it_was(void **state) {
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  for (guint i = 0; i < 20000; i++) {
    const BcpForm form = {g_rand_boolean(rand), TRUE, TRUE, g_rand_boolean(rand), TRUE, {2, 0, 0, 0, 0, 2}};
    guint length = 14 + (guint)g_rand_int_range(rand, 0, i % 2 ? 60 : 1505), zeros = (guint)g_rand_int_range(rand, 0, (gint32)length);
    g_autoptr(GByteArray) frame = g_byte_array_new();
    for (guint k = 0; k < length; k++) {
      guint8 octet = k < length - zeros ? (guint8)g_rand_int(rand) : 0;
      g_byte_array_append(frame, &octet, 1);
    }
    guint16 protocol = 0;
    BcpVerdict verdict;
    g_autoptr(GByteArray) sent = run_octets(bcp_frame_encode, &form, &protocol, frame, 1 + i % 3, &verdict);
    assert_non_null(sent);
    assert_int_equal(protocol, 0x0031);
    assert_true(sent->len <= MAX(frame->len, 60) + bcp_codec.overhead);
    g_autoptr(GByteArray) back = run_octets(bcp_frame_decode, &form, &protocol, sent, 1 + (i / 3) % 3, &verdict);
    assert_non_null(back);
    assert_int_equal(back->len, MAX(frame->len, 60));
    assert_memory_equal(back->data, frame->data, frame->len);
    for (guint k = frame->len; k < back->len; k++)
      assert_int_equal(back->data[k], 0);
  }
}

/* A data path counts by them, and an older one has no place for them. */
static void refused_frames_have_a_reason(void **state) {
  static const struct {
    gboolean encode;
    guint16 protocol;
    const char *hex, *reason;
  } rows[] = {
      {FALSE, ADIT_PPP_BRIDGE, "0001" TO, "too-short"},
      {FALSE, ADIT_PPP_BRIDGE, "0003" ADDRESSES "88b5", "mac-type"},
      {FALSE, ADIT_PPP_BRIDGE, "4001 00000007" ADDRESSES "88b5", "lan-id"},
      {FALSE, ADIT_PPP_BRIDGE, "8001" ADDRESSES "88b5 00000000", "fcs"},
      {FALSE, BCP_BPDU, BPDU, "bridge-control"},
      {TRUE, 0, TO, "too-short"},
      {TRUE, 0, ADDRESSES "81000007 88b5", "tagged"},
      {TRUE, 0, GROUP FROM "0026 424203" BPDU, "bridge-control"},
  };
  const BcpForm form = {0};

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GByteArray) octets = from_hex(rows[i].hex);
    for (guint older = 0; older < 2; older++) {
      Room room = {.io = {.size = older ? G_STRUCT_OFFSET(AditEtherIo, reason) : sizeof room.io, .room = room_for, .reason = 99}};
      AditStageFrame frame = {.protocol = rows[i].protocol, .n = 1, .length = octets->len};
      frame.slice[0] = (AditStageSlice){octets->data, octets->len};
      assert_false((rows[i].encode ? bcp_codec.encode : bcp_codec.decode)(&form, &room.io, &frame));
      if (older)
        assert_int_equal(room.io.reason, 99);
      else
        assert_string_equal(room.io.reason < bcp_codec.n_reasons ? bcp_codec.reasons[room.io.reason] : "none", rows[i].reason);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refused_frames_have_a_reason),
      cmocka_unit_test(rfc3518_4_2_an_ethernet_frame),
      cmocka_unit_test(rfc3518_4_2_frames_of_60_and_of_1514_octets),
      cmocka_unit_test(rfc3518_4_2_padding_is_taken_off),
      cmocka_unit_test(rfc3518_4_2_other_mac_types_are_dropped),
      cmocka_unit_test(frames_that_are_cut_short_are_dropped),
      cmocka_unit_test(ieee802_3_3_2_9_check_value),
      cmocka_unit_test(rfc3518_3_1_a_right_fcs_passes_and_goes),
      cmocka_unit_test(rfc3518_3_1_a_wrong_fcs_is_dropped),
      cmocka_unit_test(rfc3518_3_3_the_fcs_counts_the_zeros_that_are_missing),
      cmocka_unit_test(rfc3518_3_3_zeros_are_left_out_for_a_peer_that_restores_them),
      cmocka_unit_test(rfc3518_3_3_longer_frames_keep_their_zeros),
      cmocka_unit_test(rfc3518_3_3_not_a_zero_of_the_mac_header_is_left_out),
      cmocka_unit_test(rfc3518_3_3_a_full_frame_without_zeros_has_no_flag),
      cmocka_unit_test(rfc3518_3_3_zeros_are_restored),
      cmocka_unit_test(rfc3518_4_3_tagged_frames),
      cmocka_unit_test(a_peer_that_takes_no_tags_gets_none),
      cmocka_unit_test(a_priority_tag_is_taken_off_for_a_peer_that_takes_no_tags),
      cmocka_unit_test(management_inline_passes_bpdus_as_they_are_with_the_b_flag),
      cmocka_unit_test(rfc3518_4_4_frames_between_bridges_have_the_b_flag),
      cmocka_unit_test(a_peer_without_management_inline_gets_bpdus_in_the_old_form),
      cmocka_unit_test(what_has_no_old_form_is_not_sent),
      cmocka_unit_test(bpdus_in_the_old_form_become_frames_of_the_peer),
      cmocka_unit_test(rfc1638_3_4_a_frame_with_a_lan_id_is_dropped),
      cmocka_unit_test(a_frame_in_too_many_pieces_is_dropped),
      cmocka_unit_test(the_codec_for_data_paths_is_complete_and_says_the_same),
      cmocka_unit_test(any_frame_arrives_as_it_was),
  };
  return cmocka_run_group_tests_name("bridge-frame", tests, NULL, NULL);
}
