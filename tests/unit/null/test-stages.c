/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages in the data path `null`, on virtual time: both ends have the same ones, and two links. */
#include "null.h"
#include "tests/lib/fake-stages.h"
#include "tests/lib/protocols.h"
#include <adit/encap.h>
#include <adit/pipeline.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OPS (&null_datapath_ops)

typedef struct {
  NullDp *dp;
  AditListener *listener;
  AditEndpoint local;
  AditDpLink *link[2];
  AditDpSession *session;
  AditPort *port;
  GByteArray *packet;
  guint packets, frames;
  FakeNotes notes;
} End;

typedef struct {
  NullNet *net;
  guint64 now, wake;
  gint lose; /* this datagram from now on; -1 = none */
  guint sent[2];
  End a, b;
} World;

static guint64 world_now(gpointer user) {
  return ((World *)user)->now;
}
static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  ((End *)user)->frames++;
}
static void on_packet(gpointer user, AditPort *port, const guint8 *packet, gsize length) {
  End *end = user;
  end->packets++;
  g_byte_array_set_size(end->packet, 0);
  g_byte_array_append(end->packet, packet, (guint)length);
}
static void on_opened(gpointer user, AditPort *port, const GError *error) {
  ((End *)user)->port = port;
}
static void on_wake(gpointer user, guint64 deadline_ms) {
  ((World *)user)->wake = deadline_ms;
}

static void classify(const guint8 *datagram, gsize length, AditClassified *c) {
  AditCursor in = adit_cursor(datagram, length);
  memset(c, 0, sizeof *c);
  adit_skip(&in, 2);
  c->tunnel = adit_get_u16(&in);
  c->session = adit_get_u16(&in);
  c->offset = 6;
  c->length = (guint16)adit_left(&in);
  c->klass = in.bad ? ADIT_CLASS_DROP : ADIT_CLASS_DATA;
}

static void on_transmit(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  World *w = user;
  w->sent[datagram[5] & 1]++;
  if (w->lose-- != 0)
    null_net_deliver(w->net, path, datagram, length);
}

static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

static void end_listen(World *w, End *end, const char *text) {
  AditListenerSpec spec = {.size = sizeof spec, .classify = classify};
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  spec.local = adit_endpoint(&a, 1701);
  end->dp = null_dp_new(w->net);
  end->packet = g_byte_array_new();
  null_dp_sink(end->dp, on_packet, end);
  end->listener = OPS->listen(end->dp, &spec, &listener_ops, end, NULL);
  OPS->listener_local(end->listener, &end->local);
}

static void plane_set(End *end, guint32 required) {
  OPS->session_set(
      end->session,
      &(AditDpSessionParams){.size = sizeof(AditDpSessionParams), .protocols = adit_test_ip, .n_protocols = 2, .required = required});
}

static void end_open(World *w, End *end, const End *other) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "x", .mtu = 1460};
  AditPath path = {.local = end->local, .remote = other->local};
  OPS->port_open(end->dp, &spec, on_opened, end);
  null_net_run(w->net, 10);
  end->session = OPS->session_open(end->dp, 1, end->port, NULL);
  for (guint i = 0; i < 2; i++) {
    AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 7, .peer_tunnel = 7, .local_session = 8 + i, .peer_session = 8 + i};
    end->link[i] =
        OPS->link_attach(end->dp, end->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), i, &path, &encap, &link_ops, end}, NULL);
    assert_non_null(end->link[i]);
  }
  assert_true(OPS->session_join(end->session, end->link[0], NULL, NULL));
  plane_set(end, 0);
}

static int setup(void **state) {
  static const NullNetOps ops = {.now = world_now, .transmit = on_transmit, .wake = on_wake};
  World *w = g_new0(World, 1);
  w->now = 1000;
  w->lose = -1;
  w->net = null_net_new(&ops, w);
  end_listen(w, &w->a, "192.0.2.1");
  end_listen(w, &w->b, "192.0.2.2");
  end_open(w, &w->a, &w->b);
  end_open(w, &w->b, &w->a);
  *state = w;
  return 0;
}

static void end_stop(World *w, End *end) {
  OPS->session_close(end->session, NULL);
  for (guint i = 0; i < 2; i++)
    OPS->link_detach(end->link[i]);
  OPS->port_close(end->port, NULL, NULL);
  null_net_run(w->net, 10);
  null_dp_free(end->dp);
  g_byte_array_unref(end->packet);
}

static int teardown(void **state) {
  World *w = *state;
  end_stop(w, &w->a);
  end_stop(w, &w->b);
  null_net_free(w->net);
  g_free(w);
  return 0;
}

static void stages_add(End *end, guint32 piece, guint8 key) {
  guint index = 99;
  assert_true(OPS->stage_add(end->session, FAKE_CUTTER(&(FakeCut){piece}, &end->notes), NULL));
  assert_int_equal(fake_cut_attached, piece);
  assert_true(OPS->stage_add(end->session, FAKE_SCRAMBLER(&(FakeKey){key}, &end->notes), NULL));
  assert_true(OPS->session_join(end->session, end->link[1], &index, NULL));
  assert_int_equal(index, 1);
}

static void say(End *from, guint length, guint8 fill) {
  guint8 packet[2000] = {0x45};
  memset(packet + 20, fill, length - 20);
  null_port_inject(from->port, packet, length);
}

static void expect(End *at, guint packets, guint length, guint8 fill) {
  assert_int_equal(at->packets, packets);
  assert_int_equal(at->packet->len, length);
  assert_int_equal(at->packet->data[0], 0x45);
  for (guint i = 20; i < length; i++)
    assert_int_equal(at->packet->data[i], fill);
}

static void packets_are_scrambled_and_cut_over_both_links(void **state) {
  World *w = *state;
  stages_add(&w->a, 100, 0x5a);
  stages_add(&w->b, 300, 0x5a);
  say(&w->a, 1000, 1);
  expect(&w->b, 1, 1000, 1);
  assert_int_equal(w->sent[1], 6); /* 1000 + 2 + 2 octets in pieces of 100, taking turns */
  assert_int_equal(w->sent[0], 5);
  say(&w->b, 1400, 2);
  expect(&w->a, 1, 1400, 2);
  AditDpStats stats;
  OPS->session_stats(w->a.session, &stats);
  assert_int_equal(stats.counters.tx_packets, 1);
  assert_int_equal(stats.counters.rx_octets, 1400);
}

static void a_lost_piece_costs_its_packet_alone(void **state) {
  World *w = *state;
  stages_add(&w->a, 100, 1);
  stages_add(&w->b, 100, 1);
  w->lose = 1;
  say(&w->a, 300, 1);
  say(&w->a, 300, 2);
  assert_int_equal(w->b.packets, 0);
  assert_int_equal(w->wake, w->now + FAKE_GAP_MS);
  null_net_run(w->net, 10);
  assert_int_equal(w->b.packets, 0);
  w->now = w->wake;
  null_net_run(w->net, 10);
  expect(&w->b, 1, 300, 2);
  assert_int_equal(w->b.notes.lost, 1);
  say(&w->a, 300, 3);
  expect(&w->b, 2, 300, 3);
}

static void required_stages_hold_data_back_both_ways(void **state) {
  World *w = *state;
  const guint32 scrambled = 1 << ADIT_STAGE_COMPRESSION;
  AditDpStats stats;
  plane_set(&w->a, scrambled);
  for (guint8 i = 0; i < 20; i++) /* towards the peer */
    say(&w->a, 40, i);
  assert_int_equal(w->sent[0], 0);
  assert_true(OPS->stage_add(w->b.session, FAKE_SCRAMBLER(&(FakeKey){9}, &w->b.notes), NULL));
  say(&w->b, 60, 77); /* from the peer: it is ahead of us */
  assert_int_equal(w->a.packets, 0);
  assert_true(OPS->stage_add(w->a.session, FAKE_SCRAMBLER(&(FakeKey){9}, &w->a.notes), NULL));
  expect(&w->a, 1, 60, 77);
  expect(&w->b, 16, 40, 15); /* the sixteen that fit, in their order */
  OPS->session_stats(w->a.session, &stats);
  assert_int_equal(stats.drops, 4);
  OPS->stage_remove(w->a.session, ADIT_STAGE_COMPRESSION); /* held back again */
  say(&w->a, 40, 99);
  assert_int_equal(w->b.packets, 16);
}

static void what_comes_around_an_exclusive_stage_is_dropped(void **state) {
  World *w = *state;
  AditDpStats stats;
  assert_true(OPS->stage_add(w->b.session, FAKE_SCRAMBLER(&(FakeKey){9}, &w->b.notes), NULL));
  say(&w->a, 40, 1); /* in clear */
  assert_int_equal(w->b.packets, 0);
  OPS->session_stats(w->b.session, &stats);
  assert_int_equal(stats.drops, 1);
  OPS->link_send(w->a.link[0], (const guint8 *)"\x80\x21\1\1\0\4", 6); /* control goes its own way */
  assert_int_equal(w->b.frames, 1);
}

static void a_stage_is_exclusive_for_its_protocols_alone(void **state) {
  static const guint16 protocols[] = {0x001f, 0x0021, 0x00f9, 0x00fb, 0x0201};
  AditStageSpec spec = *FAKE_SCRAMBLER(&(FakeKey){9}, &((World *)*state)->b.notes);
  World *w = *state;
  AditDpStats stats;

  spec.first = 0x0021;
  spec.last = 0x00fa;
  assert_true(OPS->stage_add(w->b.session, &spec, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
    guint8 frame[] = {(guint8)(protocols[i] >> 8), (guint8)protocols[i], 1, 2};
    OPS->link_send(w->a.link[0], frame, sizeof frame);
  }
  OPS->session_stats(w->b.session, &stats);
  assert_int_equal(stats.drops, 2);
  assert_int_equal(w->b.frames, 3);
}

/* The spec of an older plugin ends before `first`. */
static void an_older_stage_is_exclusive_for_all_data(void **state) {
  World *w = *state;
  AditDpStats stats;
  AditStageSpec spec = *FAKE_SCRAMBLER(&(FakeKey){9}, &w->b.notes);

  spec.size = G_STRUCT_OFFSET(AditStageSpec, first);
  spec.last = 1;
  assert_true(OPS->stage_add(w->b.session, &spec, NULL));
  OPS->link_send(w->a.link[0], (const guint8 *)"\2\1\1\2", 4);
  OPS->session_stats(w->b.session, &stats);
  assert_int_equal(stats.drops, 1);
  assert_int_equal(w->b.frames, 0);
}

static void new_parameters_hold_from_the_next_packet_on(void **state) {
  World *w = *state;
  stages_add(&w->a, 100, 1);
  stages_add(&w->b, 100, 1);
  assert_true(OPS->stage_set(w->a.session, ADIT_STAGE_COMPRESSION, &(FakeKey){2}, sizeof(FakeKey)));
  say(&w->a, 50, 1);
  assert_int_equal(w->b.packets, 0);
  assert_int_equal(w->b.notes.resets, 1);
  assert_true(OPS->stage_set(w->b.session, ADIT_STAGE_COMPRESSION, &(FakeKey){2}, sizeof(FakeKey)));
  say(&w->a, 50, 2);
  expect(&w->b, 1, 50, 2);
  OPS->stage_remove(w->a.session, ADIT_STAGE_COMPRESSION);
  assert_false(OPS->stage_set(w->a.session, ADIT_STAGE_COMPRESSION, &(FakeKey){2}, sizeof(FakeKey)));
}

static void links_join_and_leave(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;
  guint before = fake_cut_ends;
  assert_false(OPS->session_join(w->a.session, w->a.link[1], NULL, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED));
  stages_add(&w->a, 100, 1);
  stages_add(&w->b, 100, 1);
  OPS->session_leave(w->a.session, w->a.link[0]); /* the first one goes, the session goes on */
  say(&w->a, 300, 1);
  expect(&w->b, 1, 300, 1);
  assert_int_equal(w->sent[0], 0);
  assert_int_equal(w->sent[1], 4);
  assert_int_equal(fake_cut_ends, before);
  OPS->stage_remove(w->a.session, ADIT_STAGE_BUNDLE);
  assert_int_equal(fake_cut_ends, before + 1);
}

/* A bundle that asks what is known of its links. */
static guint asked;
static AditStageLink told[3];

static void ask_encode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  asked = 0;
  for (guint i = 0; i < G_N_ELEMENTS(told); i++) {
    told[i] = (AditStageLink){.size = G_STRUCT_OFFSET(AditStageLink, rate)}; /* as an older stage has it */
    asked |= io->link(io, i, &told[i]) ? 1u << i : 0;
  }
  io->emit(io, frame);
}
static void ask_decode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {}
static void ask_fini(gpointer state) {}
static const AditStageOps asking = {.size = sizeof asking,
                                    .name = "asking",
                                    .kind = ADIT_STAGE_BUNDLE,
                                    .protocol = ADIT_PPP_MP,
                                    .encode = ask_encode,
                                    .decode = ask_decode,
                                    .fini = ask_fini};

static void stages_are_told_of_their_links(void **state) {
  World *w = *state;
  AditStageLink facts = {.size = sizeof facts, .mtu = 1400, .queued = 7, .rate = 9};
  assert_true(OPS->stage_add(w->a.session, &(AditStageSpec){.size = sizeof(AditStageSpec), .ops = &asking}, NULL));
  assert_true(OPS->session_join(w->a.session, w->a.link[1], NULL, NULL));
  say(&w->a, 100, 1);
  assert_int_equal(asked, 0); /* nothing is known */
  null_link_tell(w->a.link[1], &facts);
  say(&w->a, 100, 1);
  assert_int_equal(asked, 2);
  assert_int_equal(told[1].mtu, 1400);
  assert_int_equal(told[1].queued, 7);
  assert_int_equal(told[1].rate, 0); /* the caller's struct was too small for it */
}

/* ---- the pipeline itself ---- */

typedef struct {
  guint8 room[4096];
  gsize used;
  guint frames;
  AditStageFrame frame[32];
} Tray;

static guint8 *tray_room(gpointer user, gsize length) {
  Tray *tray = user;
  tray->used += length;
  return tray->room + tray->used - length;
}
static void tray_out(gpointer user, AditStageFrame *frame) {
  ((Tray *)user)->frame[((Tray *)user)->frames++] = *frame;
}
static void tray_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {}
static void tray_dropped(gpointer user) {}

static void fragmenting_copies_nothing(void **state) {
  static const AditPipelineOps ends = {sizeof ends, tray_room, tray_out, tray_out, tray_note, tray_dropped};
  static FakeCutter cutter;
  static const FakeCut cut = {200};
  AditPipelineStage stage = {.ops = &fake_cutter, .state = &cutter, .params = &cut};
  AditPipeline pipeline = {{[ADIT_STAGE_BUNDLE] = &stage}};
  Tray tray = {.used = 0};
  AditPipelineRun run = {.pipeline = &pipeline, .ops = &ends, .user = &tray};
  guint8 head[40], body[1000];
  AditStageFrame packet = {.protocol = ADIT_PPP_IPV4, .n = 2, .length = 1040, .slice = {{head, 40}, {body, 1000}}};
  adit_pipeline_init(&run, 1, 5);
  adit_pipeline_encode(&run, &packet);
  guint32 seen = 0;
  assert_int_equal(tray.frames, 6);
  for (guint i = 0; i < tray.frames; i++) {
    const AditStageFrame *f = &tray.frame[i];
    assert_int_equal(f->link, i & 1 ? 0 : 2);
    assert_int_equal(f->protocol, ADIT_PPP_MP);
    for (guint k = 0; k < f->n; k++) {
      guint8 *at = f->slice[k].data;
      gboolean ours = (at >= head && at < head + 40) || (at >= body && at < body + 1000);
      assert_true(ours || f->slice[k].length <= 4);
      seen += ours ? f->slice[k].length : 0;
    }
  }
  assert_int_equal(seen, 1040);
  assert_int_equal(tray.used, 2 + 6 * 4);
}

static void frames_in_pieces_are_cut_copied_and_skipped(void **state) {
  guint8 a[] = "abc", b[] = "defgh", c[] = "i", out[16];
  AditStageFrame frame = {.n = 3, .length = 9, .slice = {{a, 3}, {b, 5}, {c, 1}}}, cut;
  for (guint32 from = 0; from <= 10; from++)
    for (guint32 length = 0; length <= 10; length++) {
      guint32 want = from >= 9 ? 0 : MIN(length, 9 - from);
      assert_int_equal(adit_stage_copy(&frame, from, out, length), want);
      assert_memory_equal(out, &"abcdefghi"[MIN(from, 9)], want);
      assert_true(adit_stage_cut(&frame, from, length, &cut));
      assert_int_equal(cut.length, want);
      assert_int_equal(adit_stage_copy(&cut, 0, out, sizeof out), want);
      assert_memory_equal(out, &"abcdefghi"[MIN(from, 9)], want);
      AditStageFrame rest = frame;
      assert_int_equal(adit_stage_skip(&rest, from), from <= 9);
      assert_int_equal(rest.length, from <= 9 ? 9 - from : 9);
    }
  AditStageFrame many = {.n = ADIT_STAGE_SLICES, .length = ADIT_STAGE_SLICES};
  for (guint i = 0; i < ADIT_STAGE_SLICES; i++)
    many.slice[i] = (AditStageSlice){a, 1};
  assert_false(adit_stage_prepend(&many, a, 1));
  assert_false(adit_stage_cut(&many, 0, ADIT_STAGE_SLICES, &cut)); /* no piece would be left for a header */
  assert_true(adit_stage_cut(&many, 0, ADIT_STAGE_SLICES - 1, &cut));
}

static void a_stage_that_makes_no_sense_is_refused(void **state) {
  World *w = *state;
  AditStageOps no_decode = fake_cutter, control = fake_cutter, kind = fake_cutter;
  no_decode.decode = NULL;
  control.protocol = ADIT_PPP_CCP;
  kind.kind = ADIT_STAGES_N;
  const AditStageOps *bad[] = {&no_decode, &control, &kind, NULL};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    assert_false(OPS->stage_add(w->a.session, &(AditStageSpec){.size = sizeof(AditStageSpec), .ops = bad[i]}, &error));
    assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_INVALID));
  }
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      STAGE_TEST(packets_are_scrambled_and_cut_over_both_links),
      STAGE_TEST(a_lost_piece_costs_its_packet_alone),
      STAGE_TEST(required_stages_hold_data_back_both_ways),
      STAGE_TEST(what_comes_around_an_exclusive_stage_is_dropped),
      STAGE_TEST(a_stage_is_exclusive_for_its_protocols_alone),
      STAGE_TEST(an_older_stage_is_exclusive_for_all_data),
      STAGE_TEST(new_parameters_hold_from_the_next_packet_on),
      STAGE_TEST(links_join_and_leave),
      STAGE_TEST(stages_are_told_of_their_links),
      STAGE_TEST(a_stage_that_makes_no_sense_is_refused),
      cmocka_unit_test(fragmenting_copies_nothing),
      cmocka_unit_test(frames_in_pieces_are_cut_copied_and_skipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
