/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Checksums, MSS, cutting and joining. */
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "packets.h"

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- checksums ---- */

static void rfc1071_3_example(void **state) {
  const guint8 data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  guint16 sum = tun_sum_fold(tun_sum(0, data, sizeof data));
  guint8 wire[2];
  memcpy(wire, &sum, 2);
  assert_int_equal(tun_get16(wire), (guint16)~0xddf2);
}

static void sums_of_all_lengths_and_alignments(void **state) {
  guint8 data[300];
  for (guint i = 0; i < sizeof data; i++)
    data[i] = (guint8)(i * 37 + 250);
  for (guint from = 0; from < 5; from++)
    for (guint length = 0; length < 290; length++) {
      guint16 sum = tun_sum_fold(tun_sum(0, data + from, length));
      guint8 wire[2];
      memcpy(wire, &sum, 2);
      assert_int_equal(tun_get16(wire), plain_checksum(data + from, length, 0));
    }
  memset(data, 0xff, sizeof data);
  assert_int_equal(tun_sum_fold(tun_sum(0, data, sizeof data)), 0);
}

static void checksums_are_verified(void **state) {
  guint8 packet[256];
  for (guint i = 0; i < 4; i++) {
    TunPacket p;
    guint length = packet_make(packet, &(PacketSpec){.six = i & 1, .udp = i & 2, .payload = 33});
    assert_true(tun_packet_parse(packet, sizeof packet, &p)); /* what is behind the packet is padding */
    assert_int_equal(p.length, length);
    assert_true(tun_packet_verify(packet, &p));
    packet[length - 1] ^= 1;
    assert_false(tun_packet_verify(packet, &p));
  }
}

static void left_checksums_are_completed(void **state) {
  guint8 packet[256], expected[256];
  for (guint i = 0; i < 4; i++) {
    gboolean udp = i & 2;
    guint length = packet_make(expected, &(PacketSpec){.six = i & 1, .udp = udp, .payload = 51});
    guint l4 = i & 1 ? 40 : 20;
    TunVnet vnet = {.flags = TUN_VNET_NEEDS_CSUM, .csum_start = (guint16)l4, .csum_offset = udp ? 6 : 16};
    memcpy(packet, expected, length);
    tun_put16(packet + l4 + vnet.csum_offset, (guint16)~plain_checksum(NULL, 0, plain_pseudo(packet, udp ? 17 : 6, length - l4)));
    assert_true(tun_vnet_complete(&vnet, packet, length));
    assert_memory_equal(packet, expected, length);
    vnet.csum_start = (guint16)(length - 1);
    assert_false(tun_vnet_complete(&vnet, packet, length));
  }
}

/* ---- what is a packet ---- */

static void fragments_options_and_runts_are_not_parsed(void **state) {
  guint8 packet[256];
  TunPacket p;
  guint length = packet_make(packet, &(PacketSpec){.payload = 40});
  for (guint cut = 0; cut < length; cut++)
    assert_false(tun_packet_parse(packet, cut, &p));
  packet[6] = 0x20; /* more fragments */
  assert_false(tun_packet_parse(packet, length, &p));
  packet[6] = 0x00;
  packet[7] = 1; /* an offset */
  assert_false(tun_packet_parse(packet, length, &p));
  packet_make(packet, &(PacketSpec){.payload = 40});
  packet[32] = 0x40; /* data offset of 16 octets */
  assert_false(tun_packet_parse(packet, length, &p));
  packet[32] = 0xf0; /* headers longer than the packet */
  tun_put16(packet + 2, 50);
  assert_false(tun_packet_parse(packet, length, &p));
  length = packet_make(packet, &(PacketSpec){.udp = TRUE, .payload = 40});
  tun_put16(packet + 24, 47); /* UDP's length differs */
  assert_false(tun_packet_parse(packet, length, &p));
}

/* ---- MSS ---- */

/* A SYN behind IPv6 extension headers (RFC 8200 4), which begin with `headers`: the MSS that comes out. */
static guint16 clamp_behind(const guint8 *headers, guint n, guint8 first) {
  guint8 plain[256], packet[512];
  const guint8 options[] = {2, 4, 0x05, 0xb4};
  guint length = packet_make(plain, &(PacketSpec){.six = TRUE, .flags = TUN_TCP_SYN, .options = options, .n_options = 4});
  memcpy(packet, plain, 40);
  memcpy(packet + 40, headers, n);
  memcpy(packet + 40 + n, plain + 40, length - 40);
  packet[6] = first;
  tun_put16(packet + 4, (guint16)(length - 40 + n));
  gboolean changed = tun_clamp_mss(packet, length + n, 1400, 1380, FALSE);
  guint16 mss = tun_get16(packet + 40 + n + 22);
  assert_int_equal(changed, mss != 0x05b4);
  guint16 sum = plain_checksum(packet + 40 + n, length - 40, plain_pseudo(plain, 6, length - 40));
  assert_int_equal(sum, 0);
  for (guint cut = 0; cut < n + 20; cut++) { /* in an exact buffer, so that a sanitizer sees what is read behind it */
    g_autofree guint8 *exact = g_memdup2(packet, 40 + cut);
    tun_put16(exact + 4, (guint16)cut);
    assert_false(tun_clamp_mss(exact, 40 + cut, 1400, 1380, FALSE));
  }
  return mss;
}

static void rfc8200_4_mss_behind_extension_headers(void **state) {
  const guint8 options[] = {6, 0, 1, 4, 0, 0, 0, 0}, long_options[] = {6, 1, 1, 12, [15] = 0}, fragment[] = {6, 0, 0, 1, 0, 0, 0, 1},
               later[] = {6, 0, 0, 8, 0, 0, 0, 1}, ah[] = {6, 0, 1, 4, 0, 0, 0, 0},
               chain[] = {60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 1};
  guint8 endless[80];
  assert_int_equal(clamp_behind(options, 8, 0), 1380);
  assert_int_equal(clamp_behind(long_options, 16, 60), 1380);
  assert_int_equal(clamp_behind(options, 8, 43), 1380);
  assert_int_equal(clamp_behind(fragment, 8, 44), 1380);
  assert_int_equal(clamp_behind(chain, sizeof chain, 0), 1380);
  assert_int_equal(clamp_behind(later, 8, 44), 0x05b4); /* no header in it */
  assert_int_equal(clamp_behind(ah, 8, 51), 0x05b4);
  assert_int_equal(clamp_behind(ah, 8, 50), 0x05b4);
  memset(endless, 0, sizeof endless);
  for (guint i = 0; i < sizeof endless; i += 8)
    endless[i] = 60;
  endless[72] = 6;
  assert_int_equal(clamp_behind(endless, sizeof endless, 60), 0x05b4); /* ten of them */
}

static void check_clamp(gboolean six, const guint8 *options, guint n, guint at, guint16 expected) {
  guint8 packet[256];
  TunPacket p;
  guint length = packet_make(packet, &(PacketSpec){.six = six, .flags = TUN_TCP_SYN, .options = options, .n_options = n});
  gboolean changed = tun_get16(options + at) != expected;
  assert_int_equal(tun_clamp_mss(packet, length, 1400, 1380, FALSE), changed);
  assert_int_equal(tun_get16(packet + (six ? 60 : 40) + at), expected);
  assert_true(tun_packet_parse(packet, length, &p));
  assert_true(tun_packet_verify(packet, &p));
}

static void mss_is_lowered_and_never_raised(void **state) {
  check_clamp(FALSE, (const guint8[]){2, 4, 0x05, 0xb4}, 4, 2, 1400);
  check_clamp(TRUE, (const guint8[]){2, 4, 0x05, 0xb4}, 4, 2, 1380);
  check_clamp(FALSE, (const guint8[]){2, 4, 0x02, 0x00}, 4, 2, 512);
  check_clamp(FALSE, (const guint8[]){1, 2, 4, 0xff, 0xff, 1, 1, 1}, 8, 3, 1400); /* at an odd offset */
  check_clamp(FALSE, (const guint8[]){4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 0x05, 0xb4}, 16, 14, 1400);
  check_clamp(FALSE, (const guint8[]){0, 2, 4, 0x05, 0xb4, 0, 0, 0}, 8, 3, 0x05b4); /* behind the end of options */
}

static void mss_of_others_is_left_alone(void **state) {
  const guint8 mss[] = {2, 4, 0x05, 0xb4}, broken[] = {3, 0, 2, 4}, beyond[] = {1, 1, 2, 44};
  guint8 packet[256];
  guint length = packet_make(packet, &(PacketSpec){.options = mss, .n_options = 4}); /* not a SYN */
  assert_false(tun_clamp_mss(packet, length, 1400, 1400, FALSE));
  length = packet_make(packet, &(PacketSpec){.flags = TUN_TCP_SYN, .options = broken, .n_options = 4});
  assert_false(tun_clamp_mss(packet, length, 1400, 1400, FALSE));
  length = packet_make(packet, &(PacketSpec){.flags = TUN_TCP_SYN, .options = beyond, .n_options = 4});
  assert_false(tun_clamp_mss(packet, length, 1400, 1400, FALSE));
  length = packet_make(packet, &(PacketSpec){.flags = TUN_TCP_SYN, .options = mss, .n_options = 4});
  assert_false(tun_clamp_mss(packet, length, 0, 0, FALSE));
}

/* ---- joining ---- */

enum { WRITES = 64, BIG = 70000 };

typedef struct {
  guint n, packets[WRITES], pieces[WRITES], length[WRITES];
  TunVnet vnet[WRITES];
  guint8 *data[WRITES];
} Writes;

static void on_write(gpointer user, gpointer port, struct iovec *pieces, guint n, guint packets) {
  Writes *w = user;
  guint at = 0;
  assert_true(w->n < WRITES);
  assert_int_equal(pieces[0].iov_len, TUN_VNET_LENGTH);
  memcpy(&w->vnet[w->n], pieces[0].iov_base, TUN_VNET_LENGTH);
  w->packets[w->n] = packets;
  w->pieces[w->n] = n;
  w->data[w->n] = g_malloc(BIG);
  for (guint i = 1; i < n; i++) {
    memcpy(w->data[w->n] + at, pieces[i].iov_base, pieces[i].iov_len);
    at += (guint)pieces[i].iov_len;
  }
  w->length[w->n++] = at;
}

static void writes_clear(Writes *w) {
  for (guint i = 0; i < w->n; i++)
    g_free(w->data[i]);
  w->n = 0;
}

typedef struct {
  TunCoalescer c;
  Writes w;
  guint8 packet[80][2048];
  guint length[80];
} Joiner;

static int setup(void **state) {
  Joiner *j = g_new0(Joiner, 1);
  tun_coalesce_init(&j->c, on_write, &j->w);
  *state = j;
  return 0;
}

static int teardown(void **state) {
  Joiner *j = *state;
  writes_clear(&j->w);
  g_free(j);
  return 0;
}

static void put(Joiner *j, guint i, PacketSpec spec) {
  j->length[i] = packet_make(j->packet[i], &spec);
}

/* Gives the packets `0..n` to the coalescer and looks how many writes come of it. */
static void join(Joiner *j, guint n, guint expected) {
  for (guint i = 0; i < n; i++)
    tun_coalesce_add(&j->c, j, j->packet[i], j->length[i], 0, TUN_JOIN_TCP | TUN_JOIN_UDP);
  tun_coalesce_flush(&j->c);
  assert_int_equal(j->w.n, expected);
}

/* What was joined comes apart again into what it was made of. */
static void joined_and_cut_is_the_same(void **state) {
  Joiner *j = *state;
  for (guint kind = 0; kind < 4; kind++) {
    guint8 before[20][2048];
    for (guint i = 0; i < 20; i++) {
      gboolean last = i == 19;
      put(j, i,
          (PacketSpec){.six = kind & 1,
                       .udp = kind & 2,
                       .id = (guint16)(65530 + i), /* wraps */
                       .seq = 0xffffff00 + i * 1000,
                       .flags = last ? TUN_TCP_ACK | TUN_TCP_PSH : TUN_TCP_ACK,
                       .fill = (guint8)i,
                       .options = (const guint8[]){1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2},
                       .n_options = kind & 2 ? 0 : 12,
                       .payload = last ? 333 : 1000});
      memcpy(before[i], j->packet[i], j->length[i]);
    }
    join(j, 20, 1);
    TunSplit split;
    assert_int_equal(j->w.packets[0], 20);
    assert_int_equal(j->w.vnet[0].gso_size, 1000);
    assert_true(tun_split_begin(&split, &j->w.vnet[0], j->w.data[0], j->w.length[0]));
    assert_int_equal(split.n, 20);
    for (guint i = 0; i < 20; i++) {
      guint8 header[TUN_SEGMENT_HEADER];
      const guint8 *payload;
      guint length = tun_split_segment(&split, i, header, &payload);
      assert_int_equal(split.header + length, j->length[i]);
      assert_memory_equal(header, before[i], split.header);
      assert_memory_equal(payload, before[i] + split.header, length);
    }
    writes_clear(&j->w);
  }
}

static void a_lone_packet_is_written_as_it_came(void **state) {
  Joiner *j = *state;
  guint8 before[2048];
  put(j, 0, (PacketSpec){.payload = 100});
  memcpy(before, j->packet[0], j->length[0]);
  join(j, 1, 1);
  assert_int_equal(j->w.vnet[0].flags, 0);
  assert_int_equal(j->w.vnet[0].gso_type, TUN_GSO_NONE);
  assert_int_equal(j->w.length[0], j->length[0]);
  assert_memory_equal(j->w.data[0], before, j->length[0]);
}

/* Two packets that differ in one thing and must not be joined. */
static void two_stay_two(Joiner *j, PacketSpec a, PacketSpec b) {
  put(j, 0, a);
  put(j, 1, b);
  join(j, 2, 2);
  assert_int_equal(j->w.packets[0], 1);
  assert_memory_equal(j->w.data[0], j->packet[0], j->length[0]);
  assert_memory_equal(j->w.data[1], j->packet[1], j->length[1]);
  writes_clear(&j->w);
}

static void what_differs_is_not_joined(void **state) {
  Joiner *j = *state;
  PacketSpec a = {.id = 1, .seq = 5000, .payload = 500}, next = {.id = 2, .seq = 5500, .payload = 500}, b;
  const guint8 stamp[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, other[] = {1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 2};
  put(j, 0, a);
  put(j, 1, next);
  join(j, 2, 1); /* the pair itself is one */
  writes_clear(&j->w);

  two_stay_two(j, a, (b = next, b.seq = 5501, b));
  two_stay_two(j, a, (b = next, b.id = 9, b));
  two_stay_two(j, a, (b = next, b.window = 99, b));
  two_stay_two(j, a, (b = next, b.port = 2000, b));
  two_stay_two(j, a, (b = next, b.payload = 501, b));
  two_stay_two(j, a, (b = next, b.payload = 0, b));
  two_stay_two(j, a, (b = next, b.six = TRUE, b));
  two_stay_two(j, a, (b = next, b.flags = TUN_TCP_ACK | TUN_TCP_FIN, b));
  two_stay_two(j, a, (b = next, b.options = stamp, b.n_options = 12, b));
  two_stay_two(j, (b = a, b.flags = TUN_TCP_ACK | TUN_TCP_PSH, b), next);
  a.options = stamp;
  next.options = other;
  a.n_options = next.n_options = 12;
  two_stay_two(j, a, next);
}

static void a_wrong_checksum_is_not_laundered(void **state) {
  Joiner *j = *state;
  for (guint broken = 0; broken < 2; broken++) {
    put(j, 0, (PacketSpec){.id = 1, .seq = 0, .payload = 500});
    put(j, 1, (PacketSpec){.id = 2, .seq = 500, .payload = 500});
    j->packet[broken][100] ^= 4;
    join(j, 2, 2);
    assert_memory_equal(j->w.data[broken], j->packet[broken], j->length[broken]);
    assert_int_equal(j->w.vnet[broken].flags, 0);
    writes_clear(&j->w);
  }
}

static void udp_without_checksum_is_not_joined(void **state) {
  Joiner *j = *state;
  for (guint i = 0; i < 2; i++) {
    put(j, i, (PacketSpec){.udp = TRUE, .id = (guint16)i, .payload = 300});
    tun_put16(j->packet[i] + 26, 0);
  }
  join(j, 2, 2);
}

static void udp_is_joined_only_where_the_kernel_takes_it(void **state) {
  Joiner *j = *state;
  for (guint i = 0; i < 3; i++) {
    put(j, i, (PacketSpec){.udp = TRUE, .id = (guint16)i, .payload = 300});
    tun_coalesce_add(&j->c, j, j->packet[i], j->length[i], 0, TUN_JOIN_TCP);
  }
  tun_coalesce_flush(&j->c);
  assert_int_equal(j->w.n, 3);
}

static void rfc6864_4_ids_that_stand_still_may_be_joined(void **state) {
  Joiner *j = *state;
  for (guint i = 0; i < 3; i++)
    put(j, i, (PacketSpec){.id = 0, .seq = i * 100, .payload = 100});
  join(j, 3, 1);
  writes_clear(&j->w);
  for (guint i = 0; i < 3; i++) { /* without DF they are needed */
    put(j, i, (PacketSpec){.id = 0, .seq = i * 100, .payload = 100});
    j->packet[i][6] = 0;
    tun_put16(j->packet[i] + 10, 0);
    tun_put16(j->packet[i] + 10, plain_checksum(j->packet[i], 20, 0));
  }
  join(j, 3, 3);
}

static void flows_are_kept_apart_and_in_order(void **state) {
  Joiner *j = *state;
  enum { FLOWS = 20, EACH = 3 }; /* more flows than are held at once */
  for (guint i = 0; i < FLOWS * EACH; i++)
    put(j, i, (PacketSpec){.id = (guint16)(i / FLOWS), .port = (guint16)(1000 + i % FLOWS), .seq = i / FLOWS * 100, .payload = 100});
  for (guint i = 0; i < FLOWS * EACH; i++)
    tun_coalesce_add(&j->c, j, j->packet[i], j->length[i], 0, TUN_JOIN_TCP);
  tun_coalesce_flush(&j->c);
  guint32 next[FLOWS] = {0};
  guint packets = 0;
  for (guint i = 0; i < j->w.n; i++) {
    guint flow = tun_get16(j->w.data[i] + 20) - 1000u;
    assert_int_equal(tun_get32(j->w.data[i] + 24), next[flow]);
    next[flow] += j->w.length[i] - 40;
    packets += j->w.packets[i];
  }
  assert_int_equal(packets, FLOWS * EACH);
}

static void a_super_packet_stays_within_its_bounds(void **state) {
  Joiner *j = *state;
  guint packets = 0;
  for (guint i = 0; i < 80; i++)
    put(j, i, (PacketSpec){.id = (guint16)i, .seq = i * 1400, .payload = 1400});
  join(j, 80, 2);
  for (guint i = 0; i < j->w.n; i++) {
    assert_true(j->w.length[i] <= 65535);
    assert_int_equal(tun_get16(j->w.data[i] + 2), j->w.length[i]);
    packets += j->w.packets[i];
  }
  assert_int_equal(packets, 80);
  writes_clear(&j->w);
  for (guint i = 0; i < 80; i++)
    put(j, i, (PacketSpec){.id = (guint16)i, .seq = i * 10, .payload = 10});
  join(j, 80, 2);
}

/* ---- cutting ---- */

static void flags_go_where_they_belong(void **state) {
  guint8 ip[4096];
  TunSplit split;
  guint length = packet_make(ip, &(PacketSpec){.payload = 2500, .flags = TUN_TCP_ACK | TUN_TCP_PSH | TUN_TCP_FIN | TUN_TCP_CWR});
  TunVnet vnet = {
      .flags = TUN_VNET_NEEDS_CSUM, .gso_type = TUN_GSO_TCPV4 | TUN_GSO_ECN, .gso_size = 1000, .csum_start = 20, .csum_offset = 16};
  assert_true(tun_split_begin(&split, &vnet, ip, length));
  assert_int_equal(split.n, 3);
  const guint8 expected[] = {TUN_TCP_ACK | TUN_TCP_CWR, TUN_TCP_ACK, TUN_TCP_ACK | TUN_TCP_PSH | TUN_TCP_FIN};
  for (guint i = 0; i < 3; i++) {
    guint8 whole[2048];
    const guint8 *payload;
    TunPacket p;
    guint n = tun_split_segment(&split, i, whole, &payload);
    memcpy(whole + split.header, payload, n);
    assert_int_equal(whole[33], expected[i]);
    assert_int_equal(tun_get32(whole + 24), i * 1000);
    assert_int_equal(tun_get16(whole + 4), i);
    assert_true(tun_packet_parse(whole, split.header + n, &p));
    assert_true(tun_packet_verify(whole, &p));
  }
}

static void nonsense_is_not_cut(void **state) {
  guint8 ip[4096];
  TunSplit split;
  guint length = packet_make(ip, &(PacketSpec){.payload = 2500});
  const TunVnet good = {.flags = TUN_VNET_NEEDS_CSUM, .gso_type = TUN_GSO_TCPV4, .gso_size = 1000, .csum_start = 20, .csum_offset = 16};
  TunVnet bad;
  assert_true(tun_split_begin(&split, &good, ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.gso_size = 0, &bad), ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.flags = 0, &bad), ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.gso_type = TUN_GSO_TCPV6, &bad), ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.gso_type = 3, &bad), ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.csum_start = 24, &bad), ip, length));
  assert_false(tun_split_begin(&split, (bad = good, bad.csum_start = 65535, &bad), ip, length));
  assert_false(tun_split_begin(&split, &good, ip, 39));
  assert_false(tun_split_begin(&split, &good, ip, 0));
}

#define J(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc1071_3_example),
      cmocka_unit_test(sums_of_all_lengths_and_alignments),
      cmocka_unit_test(checksums_are_verified),
      cmocka_unit_test(left_checksums_are_completed),
      cmocka_unit_test(fragments_options_and_runts_are_not_parsed),
      cmocka_unit_test(rfc8200_4_mss_behind_extension_headers),
      cmocka_unit_test(mss_is_lowered_and_never_raised),
      cmocka_unit_test(mss_of_others_is_left_alone),
      J(joined_and_cut_is_the_same),
      J(a_lone_packet_is_written_as_it_came),
      J(what_differs_is_not_joined),
      J(a_wrong_checksum_is_not_laundered),
      J(udp_without_checksum_is_not_joined),
      J(udp_is_joined_only_where_the_kernel_takes_it),
      J(rfc6864_4_ids_that_stand_still_may_be_joined),
      J(flows_are_kept_apart_and_in_order),
      J(a_super_packet_stays_within_its_bounds),
      cmocka_unit_test(flags_go_where_they_belong),
      cmocka_unit_test(nonsense_is_not_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
