/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Frames of one flow to an L2 port: joined into super-frames behind their Ethernet header, and what must not be. */
#include "bench.h"
#include "packet/segment.h"
#include "packets.h"
#include "traffic/delivery.h"

#include <adit/ether.h>
#include <sys/socket.h>

enum { FRAMES = 10, SIZE = 1000, ROOM = 2048, TAGS = 2, HEADER_MAX = ADIT_ETHER_HEADER + TAGS * ADIT_ETHER_TAG };

typedef struct {
  guint8 octets[ROOM];
  guint length;
} Frame;

static guint put_header(guint8 *out, guint8 source, guint tags, guint16 type) {
  guint at = ADIT_ETHER_HEADER - 2;
  memset(out, 2, at);
  out[at - 1] = source;
  for (guint i = 0; i < tags; i++, at += ADIT_ETHER_TAG) {
    tun_put16(out + at, i + 1 < tags ? 0x88a8 : 0x8100);
    tun_put16(out + at + 2, (guint16)(7 + i));
  }
  tun_put16(out + at, type);
  return at + 2;
}

static void put_frame(Frame *frame, guint8 source, guint tags, PacketSpec spec) {
  guint header = put_header(frame->octets, source, tags, spec.six ? TUN_TYPE_IPV6 : TUN_TYPE_IPV4);
  frame->length = header + packet_make(frame->octets + header, &spec);
}

/* Segment `i` of a flow. */
static PacketSpec segment(guint i, gboolean six) {
  return (PacketSpec){.six = six, .id = (guint16)i, .seq = i * SIZE, .fill = (guint8)i, .payload = SIZE};
}

static TunPort *l2_port(Bench *b) {
  b->dp->config.offload = TRUE;
  b->port[0].head.kind = ADIT_PORT_L2;
  return &b->port[0];
}

static void deliver(Bench *b, Frame *frames, guint n) {
  TunWorker *w = b->dp->worker[0];
  for (guint i = 0; i < n; i++)
    tun_deliver_ether(w, l2_port(b), frames[i].octets, frames[i].length);
  tun_deliver_flush(w);
}

/* What was written to the port next; its length without the vnet header, 0 = nothing. */
static guint written(Bench *b, TunVnet *vnet, guint8 *out, gsize most) {
  g_autofree guint8 *got = g_malloc(TUN_VNET_LENGTH + most);
  gssize n = recv(b->system[0], got, TUN_VNET_LENGTH + most, 0);
  if (n < TUN_VNET_LENGTH)
    return 0;
  memcpy(vnet, got, sizeof *vnet);
  memcpy(out, got + TUN_VNET_LENGTH, (gsize)n - TUN_VNET_LENGTH);
  return (guint)n - TUN_VNET_LENGTH;
}

static void assert_apart(Bench *b, const Frame *frames, guint n) {
  guint8 got[ROOM];
  TunVnet vnet;
  for (guint i = 0; i < n; i++) {
    assert_int_equal(written(b, &vnet, got, sizeof got), frames[i].length);
    assert_memory_equal(got, frames[i].octets, frames[i].length);
    assert_int_equal(vnet.gso_type, TUN_GSO_NONE);
    assert_int_equal(vnet.flags, 0);
  }
  assert_int_equal(written(b, &vnet, got, sizeof got), 0);
}

static void a_flow_becomes_one_frame_and_comes_apart_again(void **state) {
  Bench *b = *state;
  Frame before[FRAMES], frames[FRAMES];
  guint8 whole[HEADER_MAX + 80 + FRAMES * SIZE], none[ROOM];
  for (guint kind = 0; kind < 2 * (TAGS + 1); kind++) {
    guint tags = kind / 2, header = ADIT_ETHER_HEADER + tags * ADIT_ETHER_TAG;
    TunVnet vnet, rest;
    TunSplit split;
    for (guint i = 0; i < FRAMES; i++)
      put_frame(&frames[i], 1, tags, segment(i, kind & 1));
    memcpy(before, frames, sizeof before);
    deliver(b, frames, FRAMES);
    guint n = written(b, &vnet, whole, sizeof whole);
    assert_int_equal(n, before[0].length + (FRAMES - 1) * SIZE);
    assert_memory_equal(whole, before[0].octets, header);
    assert_int_equal(vnet.hdr_len, before[0].length - SIZE);
    vnet.csum_start = (guint16)(vnet.csum_start - header);
    assert_true(tun_split_begin(&split, &vnet, whole + header, n - header));
    assert_int_equal(split.n, FRAMES);
    for (guint i = 0; i < FRAMES; i++) {
      guint8 head[TUN_SEGMENT_HEADER];
      const guint8 *payload;
      assert_int_equal(tun_split_segment(&split, i, head, &payload), SIZE);
      assert_memory_equal(head, before[i].octets + header, split.header);
      assert_memory_equal(payload, before[i].octets + header + split.header, SIZE);
    }
    assert_int_equal(written(b, &rest, none, sizeof none), 0);
  }
}

/* Stations and VLANs have flows of their own, also with the same addresses inside. */
static void frames_with_another_header_stay_apart(void **state) {
  Bench *b = *state;
  Frame frames[2];
  put_frame(&frames[0], 1, 0, segment(0, FALSE));
  put_frame(&frames[1], 2, 0, segment(1, FALSE));
  deliver(b, frames, 2);
  assert_apart(b, frames, 2);
  put_frame(&frames[0], 1, 0, segment(0, FALSE));
  put_frame(&frames[1], 1, 1, segment(1, FALSE));
  deliver(b, frames, 2);
  assert_apart(b, frames, 2);
  put_frame(&frames[0], 1, 1, segment(0, FALSE));
  put_frame(&frames[1], 1, 1, segment(1, FALSE));
  tun_put16(frames[1].octets + ADIT_ETHER_HEADER, 8);
  deliver(b, frames, 2);
  assert_apart(b, frames, 2);
}

static void a_frame_keeps_its_padding(void **state) {
  Bench *b = *state;
  Frame frames[2];
  for (guint i = 0; i < 2; i++) {
    put_frame(&frames[i], 1, 0, (PacketSpec){.id = (guint16)i, .seq = i, .payload = 1});
    memset(frames[i].octets + frames[i].length, 0, 60 - frames[i].length);
    frames[i].length = 60;
  }
  deliver(b, frames, 2);
  assert_apart(b, frames, 2);
}

/* Not IP, or not of the version that the EtherType says; runts. */
static void what_is_not_ip_passes_as_it_is(void **state) {
  Bench *b = *state;
  Frame frames[4];
  for (guint i = 0; i < 2; i++) {
    put_frame(&frames[i], 1, 0, segment(i, FALSE));
    tun_put16(frames[i].octets + ADIT_ETHER_HEADER - 2, i ? 0x0806 : TUN_TYPE_IPV6);
  }
  frames[2].length = put_header(frames[2].octets, 1, 0, TUN_TYPE_IPV4);
  frames[3].length = put_header(frames[3].octets, 1, 1, 0x8100); /* ends within a second tag */
  deliver(b, frames, 4);
  assert_apart(b, frames, 4);
}

static void a_refused_frame_is_written_in_parts(void **state) {
  Bench *b = *state;
  Frame before[FRAMES], frames[FRAMES];
  int small = 1; /* the least that there is: 4608 */
  for (guint tags = 0; tags <= TAGS; tags++) {
    TunPort *port = l2_port(b);
    for (guint i = 0; i < FRAMES; i++)
      put_frame(&frames[i], 1, tags, segment(i, FALSE));
    memcpy(before, frames, sizeof before);
    assert_int_equal(setsockopt(port->queue[0].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    deliver(b, frames, 3);
    assert_int_equal(FACT(b, join_refused), tags);
    TunVnet vnet;
    guint8 got[4 * ROOM];
    assert_int_equal(written(b, &vnet, got, sizeof got), before[0].length + 2 * SIZE);
    for (guint i = 0; i < FRAMES; i++)
      put_frame(&frames[i], 1, tags, segment(i, FALSE));
    for (guint i = 0; i < FRAMES; i++)
      tun_deliver_ether(b->dp->worker[0], port, frames[i].octets, frames[i].length);
    tun_deliver_flush(b->dp->worker[0]);
    assert_int_equal(FACT(b, join_refused), tags + 1);
    port->no_join = FALSE;
    /* The buffer holds some of them; those are as they were. */
    guint n = 0;
    for (guint length; (length = written(b, &vnet, got, sizeof got)); n++) {
      assert_int_equal(length, before[n].length);
      assert_memory_equal(got, before[n].octets, length);
    }
    assert_true(n >= 1);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      BENCH_TEST(a_flow_becomes_one_frame_and_comes_apart_again),
      BENCH_TEST(frames_with_another_header_stay_apart),
      BENCH_TEST(a_frame_keeps_its_padding),
      BENCH_TEST(what_is_not_ip_passes_as_it_is),
      BENCH_TEST(a_refused_frame_is_written_in_parts),
  };
  return cmocka_run_group_tests_name("frames that are joined", tests, NULL, NULL);
}
