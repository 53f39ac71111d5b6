/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages in the data path: packets through them both ways, data that waits for them, and links that join while frames come. */
#include "tests/lib/fake-stages.h"
#include "tests/lib/loop.h"
#include "tests/lib/protocols.h"
#include "world.h"

#include <netinet/udp.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Workers change what is waited for, and wake nobody: looks again and again, and lets the main loop run. */
#define SEEN_WITHIN(expression, ms)                                                                                                        \
  ({                                                                                                                                       \
    gint64 seen_deadline_ = g_get_monotonic_time() + (gint64)(ms)*1000;                                                                    \
    while (test_loop_drain(), !(expression) && g_get_monotonic_time() < seen_deadline_)                                                    \
      g_usleep(200);                                                                                                                       \
    !!(expression);                                                                                                                        \
  })

/* ---- the peer: the same stages, without a data path ---- */

typedef struct {
  World *w;
  FakeCutter cutter;
  FakeCut cut;
  FakeKey key;
  AditPipelineStage stage[2];
  AditPipeline pipeline;
  guint8 room[ADIT_STAGE_ROOM];
  gsize used;
  guint lose; /* the next frames */
  guint frames[2], packets;
  guint8 packet[65536];
  guint32 length;
} Peer;

static guint8 *peer_room(gpointer user, gsize length) {
  Peer *p = user;
  assert_true(p->used + length <= sizeof p->room);
  p->used += length;
  return p->room + p->used - length;
}

static void peer_to_link(gpointer user, AditStageFrame *frame) {
  Peer *p = user;
  guint8 body[4096], datagram[4200];
  if (p->lose) {
    p->lose--;
    return;
  }
  guint32 length = adit_stage_copy(frame, 0, body, sizeof body);
  peer_send(p->w, datagram,
            wrap(datagram, frame->link, (Wrap){.framing = frame->protocol == ADIT_PPP_MP ? "ff03003d" : "ff0300fd"}, body, length));
}

static void peer_to_port(gpointer user, AditStageFrame *frame) {
  Peer *p = user;
  assert_int_equal(frame->protocol, ADIT_PPP_IPV4);
  p->packets++;
  p->length = adit_stage_copy(frame, 0, p->packet, sizeof p->packet);
}

static void peer_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {}
static void peer_dropped(gpointer user) {
  fail();
}
static const AditPipelineOps peer_ops = {sizeof peer_ops, peer_room, peer_to_link, peer_to_port, peer_note, peer_dropped};

static Peer *peer_new(World *w, guint32 piece, guint8 key) {
  Peer *p = g_new0(Peer, 1);
  p->w = w;
  p->cut.piece = piece;
  p->key.key = key;
  p->stage[0] = (AditPipelineStage){.ops = &fake_scrambler, .params = &p->key};
  p->stage[1] = (AditPipelineStage){.ops = &fake_cutter, .state = &p->cutter, .params = &p->cut};
  p->pipeline.stage[ADIT_STAGE_COMPRESSION] = &p->stage[0];
  p->pipeline.stage[ADIT_STAGE_BUNDLE] = piece ? &p->stage[1] : NULL;
  return p;
}

static void peer_begin(Peer *p, AditPipelineRun *run, guint32 links) {
  p->used = 0;
  *run = (AditPipelineRun){.pipeline = &p->pipeline, .ops = &peer_ops, .user = p};
  adit_pipeline_init(run, 1, links);
}

static void peer_says(Peer *p, guint32 links, guint payload, guint8 fill) {
  guint8 packet[2048];
  AditPipelineRun run;
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 1, .length = inner_packet(packet, 0, payload, fill)};
  frame.slice[0] = (AditStageSlice){packet, frame.length};
  peer_begin(p, &run, links);
  adit_pipeline_encode(&run, &frame);
}

/* Reads frames until there is one more packet. */
static void peer_hears(Peer *p) {
  guint before = p->packets;
  while (p->packets == before) {
    guint8 datagram[65536];
    AditPipelineRun run;
    gssize length = receive(p->w->peer, datagram, sizeof datagram, NULL);
    assert_true(length > 10);
    guint n = tun_get16(datagram + 4) - 200u;
    AditStageFrame frame = {.protocol = tun_get16(datagram + 8), .link = (guint8)n, .n = 1, .length = (guint32)length - 10};
    assert_true(n < 2);
    assert_int_equal(tun_get16(datagram + 6), 0xff03);
    p->frames[n]++;
    frame.slice[0] = (AditStageSlice){datagram + 10, frame.length};
    peer_begin(p, &run, 3);
    adit_pipeline_decode(&run, &frame);
  }
}

static void expect_packet(const Peer *p, guint payload, guint8 fill) {
  TunPacket packet;
  assert_true(tun_packet_parse(p->packet, p->length, &packet));
  assert_true(tun_packet_verify(p->packet, &packet));
  assert_int_equal(p->length, 28 + payload);
  for (guint i = 28; i < p->length; i++)
    assert_int_equal(p->packet[i], fill);
}

static void expect_inside(int inside, guint payload, guint8 first) {
  guint8 packet[2048];
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), payload);
  assert_int_equal(packet[0], first);
}

static AditEndpoint there(void) {
  return endpoint("10.9.0.2", 1000);
}

static void inside_says(int inside, guint length, guint8 fill) {
  guint8 data[8192];
  AditEndpoint to = there();
  memset(data, fill, length);
  assert_int_equal(sendto(inside, data, length, 0, &to.any, sizeof to.in), length);
}

static FakeNotes notes;

static void stages_add(Session *s, guint32 piece, guint8 key) {
  notes = (FakeNotes){0};
  if (piece) {
    assert_true(tun_datapath_ops.stage_add(s->session, FAKE_CUTTER(&(FakeCut){piece}, &notes), NULL));
    assert_int_equal(fake_cut_attached, piece);
  }
  assert_true(tun_datapath_ops.stage_add(s->session, FAKE_SCRAMBLER(&(FakeKey){key}, &notes), NULL));
}

static void require(Session *s, guint32 required) {
  tun_session_set(s->session, &(AditDpSessionParams){
                                  .size = sizeof(AditDpSessionParams), .protocols = adit_test_ip, .n_protocols = 2, .required = required});
}

/* ---- both ways ---- */

static void packets_are_scrambled_and_cut_over_both_links(void **state) {
  World *w = *state;
  g_autofree Peer *p = peer_new(w, 200, 0x77);
  guint index;
  session_start(w, 0);
  session_attach(w, 1, 0, 0);
  assert_false(tun_session_join(w->session[0].session, w->session[1].link, NULL, NULL)); /* no bundle yet */
  stages_add(&w->session[0], 200, 0x77);
  assert_true(tun_session_join(w->session[0].session, w->session[1].link, &index, NULL));
  assert_int_equal(index, 1);
  int inside = inside_socket(0);
  for (guint8 i = 1; i < 20; i++) {
    peer_says(p, 3, 1000 + i, 0);
    assert_int_equal(receive(inside, p->packet, sizeof p->packet, NULL), 1000 + i);
    inside_says(inside, 1200 + i, i);
    peer_hears(p);
    expect_packet(p, 1200 + i, i);
  }
  assert_int_equal(p->packets, 19);
  assert_true(p->frames[0] > 60 && p->frames[1] > 60);
  assert_true(FACT(w, gso_out) > 100); /* pieces of one size leave together */
  AditDpStats stats;
  tun_session_stats(w->session[0].session, &stats);
  assert_int_equal(stats.counters.tx_packets, 19);
  assert_int_equal(stats.counters.rx_packets, 19);
  assert_int_equal(stats.drops, 0);
  tun_session_leave(w->session[0].session, w->session[0].link); /* the other one carries on */
  p->frames[0] = 0;
  inside_says(inside, 1000, 7);
  peer_hears(p);
  expect_packet(p, 1000, 7);
  assert_int_equal(p->frames[0], 0);
  peer_says(p, 2, 500, 3);
  expect_inside(inside, 500, 3);
  close(inside);
}

static void super_packets_are_cut_into_packets_first(void **state) {
  World *w = *state;
  g_autofree Peer *p = peer_new(w, 300, 3);
  int size = 1000;
  session_start(w, 0);
  stages_add(&w->session[0], 300, 3);
  int inside = inside_socket(0);
  assert_int_equal(setsockopt(inside, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
  for (guint round = 0; round < 20; round++) {
    inside_says(inside, 4500, 9);
    for (guint i = 0; i < 4; i++) {
      peer_hears(p);
      expect_packet(p, 1000, 9);
    }
    peer_hears(p);
    expect_packet(p, 500, 9);
  }
  close(inside);
}

/* ---- what waits, what is dropped, what is told ---- */

static void data_waits_for_a_required_stage(void **state) {
  World *w = *state;
  g_autofree Peer *p = peer_new(w, 0, 5);
  Session *s = &w->session[0];
  AditDpStats stats;
  session_start(w, 0);
  require(s, 1 << ADIT_STAGE_COMPRESSION);
  int inside = inside_socket(0);
  for (guint8 i = 0; i < 20; i++) {
    peer_says(p, 1, 100, i);
    inside_says(inside, 200, i);
  }
  assert_true(SEEN_WITHIN(FACT(w, datagrams_in) == 20, PATIENCE));
  assert_true(SEEN_WITHIN((tun_session_stats(s->session, &stats), stats.counters.tx_packets == 20), PATIENCE));
  assert_true(SEEN_WITHIN((tun_session_stats(s->session, &stats), stats.drops == 8), PATIENCE)); /* 16 fit, each way */
  assert_int_equal(stats.counters.rx_packets, 0);
  assert_int_equal(FACT(w, datagrams_out), 0);
  stages_add(s, 0, 5);
  for (guint8 i = 0; i < 16; i++) {
    expect_inside(inside, 100, i);
    peer_hears(p);
    expect_packet(p, 200, i);
  }
  peer_says(p, 1, 100, 99);
  expect_inside(inside, 100, 99);
  tun_datapath_ops.stage_remove(s->session, ADIT_STAGE_COMPRESSION); /* it waits again, and goes with the session */
  peer_says(p, 1, 100, 100);
  assert_true(SEEN_WITHIN(FACT(w, datagrams_in) == 22, PATIENCE));
  close(inside);
}

static void clear_data_is_dropped_and_new_keys_are_taken(void **state) {
  World *w = *state;
  g_autofree Peer *p = peer_new(w, 0, 5);
  Session *s = &w->session[0];
  AditDpStats stats;
  session_start(w, 0);
  stages_add(s, 0, 5);
  int inside = inside_socket(0);
  peer_packet(w, 0, (Wrap){0}, 1); /* in clear: the stage is exclusive */
  peer_says(p, 1, 100, 2);
  expect_inside(inside, 100, 2);
  tun_session_stats(s->session, &stats);
  assert_int_equal(stats.drops, 1);
  p->key.key = 6;
  peer_says(p, 1, 100, 3);
  assert_true(SEEN_WITHIN(notes.resets == 1, PATIENCE)); /* the worker told the main loop */
  assert_true(tun_datapath_ops.stage_set(s->session, ADIT_STAGE_COMPRESSION, &p->key, sizeof p->key));
  peer_says(p, 1, 100, 4);
  expect_inside(inside, 100, 4);
  close(inside);
}

static void a_lost_piece_is_noted_and_costs_its_packet_alone(void **state) {
  World *w = *state;
  g_autofree Peer *p = peer_new(w, 100, 5);
  session_start(w, 0);
  stages_add(&w->session[0], 100, 5);
  int inside = inside_socket(0);
  for (guint8 round = 1; round < 6; round++) {
    p->lose = 1;
    peer_says(p, 1, 300, 1);
    peer_says(p, 1, 300, round);
    expect_inside(inside, 300, round); /* after FAKE_GAP_MS, by expire() */
    assert_true(SEEN_WITHIN(notes.lost == round, PATIENCE));
  }
  close(inside);
}

/* ---- a link that joins while its frames come ---- */

enum { JOIN_FRAMES = 3000, JOIN_ROUNDS = 20, JOIN_BATCH = 50, JOIN_AHEAD = 400 };

/* A bundle that writes down what it is given. */
typedef struct {
  guint n; /* atomic */
  pid_t thread;
  gboolean torn;
  guint32 number[JOIN_FRAMES];
} Recorder;

static Recorder *recorder; /* the one in place */

static void record_init(gpointer state) {
  recorder = state;
}
static void record_thread(Recorder *r) {
  if (r->thread && r->thread != gettid())
    __atomic_store_n(&r->torn, TRUE, __ATOMIC_RELAXED);
  r->thread = gettid();
}
static void record_decode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  Recorder *r = state;
  record_thread(r);
  if (frame->length == 4 && r->n < JOIN_FRAMES)
    adit_stage_copy(frame, 0, (guint8 *)&r->number[r->n], 4);
  __atomic_store_n(&r->n, r->n + 1, __ATOMIC_RELEASE);
}
static void record_encode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  record_thread(state);
  frame->protocol = ADIT_PPP_MP;
  frame->link = 0;
  io->emit(io, frame);
}
static void record_fini(gpointer state) {
  recorder = NULL;
}
static const AditStageOps recording = {.size = sizeof recording,
                                       .name = "recorder",
                                       .kind = ADIT_STAGE_BUNDLE,
                                       .protocol = ADIT_PPP_MP,
                                       .state_size = sizeof(Recorder),
                                       .init = record_init,
                                       .encode = record_encode,
                                       .decode = record_decode,
                                       .fini = record_fini};

static guint on_main;
static guint32 main_number[JOIN_FRAMES];

static void on_numbered(gpointer user, const guint8 *frame, gsize length) {
  assert_int_equal(length, 6);
  assert_memory_equal(frame, "\0\x3d", 2);
  memcpy(&main_number[on_main++], frame + 2, 4);
}
static const AditDpLinkOps numbered_ops = {.size = sizeof numbered_ops, .frame = on_numbered};

static guint arrived(void) {
  return on_main + __atomic_load_n(&recorder->n, __ATOMIC_ACQUIRE);
}

static void send_numbered(World *w, guint n, guint32 number) {
  guint8 datagram[64];
  guint32 text = number;
  peer_send(w, datagram, wrap(datagram, n, (Wrap){.flags = 0x0800, .ns = (guint16)number, .framing = "003d"}, (guint8 *)&text, 4));
}

static AditDpLink *numbered_link(World *w, guint n) {
  AditPath path = {.local = w->local, .remote = w->peer_at};
  AditEncap encap = {
      .kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = TUNNEL, .peer_tunnel = 70, .local_session = 100 + n, .peer_session = 200 + n};
  encap.reorder_ms = 10000;
  AditDpLink *link =
      tun_link_attach(w->dp, w->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &numbered_ops, NULL}, NULL);
  assert_non_null(link);
  return link;
}

/* The nth number that is sent: but for the first and the last, pairs come in the wrong order, so that a frame mostly waits when the link
 * moves. */
static guint32 numbered(guint32 nth) {
  return nth == 0 || nth == JOIN_FRAMES - 1 ? nth : ((nth - 1) ^ 1) + 1;
}

static void frames_round(World *w, guint n, guint join_at) {
  AditDpSession *session = w->session[0].session;
  AditDpLink *link = numbered_link(w, n);
  AditDpStats stats;
  gboolean joined = FALSE;
  on_main = recorder->n = 0;
  assert_int_not_equal(link->home, session->home);
  for (guint32 i = 0; i < JOIN_FRAMES; i += JOIN_BATCH) {
    for (guint32 k = 0; k < JOIN_BATCH; k++)
      send_numbered(w, n, numbered(i + k));
    assert_true(SEEN_WITHIN(arrived() + JOIN_AHEAD >= i + JOIN_BATCH, PATIENCE));
    if (!joined && i >= join_at) {
      assert_true(SEEN_WITHIN(on_main > 0, PATIENCE)); /* some come before it joins */
      assert_true(tun_session_join(session, link, NULL, NULL));
      joined = TRUE;
    }
  }
  assert_true(SEEN_WITHIN(arrived() == JOIN_FRAMES, PATIENCE));
  assert_true(on_main > 0 && recorder->n > 0);
  for (guint32 i = 0; i < JOIN_FRAMES; i++)
    assert_int_equal(i < on_main ? main_number[i] : recorder->number[i - on_main], i);
  assert_false(__atomic_load_n(&recorder->torn, __ATOMIC_RELAXED));
  tun_link_stats(link, &stats);
  assert_int_equal(stats.lost + stats.drops, 0);
  assert_int_equal(stats.reordered, JOIN_FRAMES / 2 - 1);
  tun_datapath_ops.link_detach(link);
}

static void a_link_that_joins_moves_without_losing_or_reordering_a_frame(void **state) {
  World *w = *state;
  session_start(w, 0);
  assert_true(tun_datapath_ops.stage_add(w->session[0].session, &(AditStageSpec){.size = sizeof(AditStageSpec), .ops = &recording}, NULL));
  for (guint round = 0; round < JOIN_ROUNDS; round++)
    frames_round(w, 1 + 2 * round, 100 + 60 * round);
  assert_int_equal(FACT(w, foreign_full), 0);
  assert_int_equal(FACT(w, main_full), 0);
}

static void a_link_moves_once(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;
  session_start(w, 0);
  session_start(w, 1);
  for (guint i = 0; i < 2; i++)
    assert_true(
        tun_datapath_ops.stage_add(w->session[i].session, &(AditStageSpec){.size = sizeof(AditStageSpec), .ops = &recording}, NULL));
  session_attach(w, 3, 0, 0); /* its gate is the home of the second session */
  assert_true(tun_session_join(w->session[0].session, w->session[3].link, NULL, NULL));
  tun_session_leave(w->session[0].session, w->session[3].link);
  assert_false(tun_session_join(w->session[1].session, w->session[3].link, NULL, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
  assert_true(tun_session_join(w->session[0].session, w->session[3].link, NULL, NULL));
}

/* ---- a shared interface: each worker reads a queue of it ---- */

static void packets_of_a_shared_port_go_to_the_home_worker(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  AditPrefix prefix;
  int inside[32];
  session_attach(w, 0, 0, 0);
  port_make(s, "l2tp-many", TRUE, FALSE);
  address_add(s->port, "10.9.0.1/32", "10.9.0.2");
  session_open(s);
  assert_true(adit_prefix_parse("10.9.0.2/32", &prefix));
  assert_true(tun_session_add_prefix(s->session, &prefix, NULL));
  assert_true(tun_datapath_ops.stage_add(s->session, &(AditStageSpec){.size = sizeof(AditStageSpec), .ops = &recording}, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(inside); i++) {
    inside[i] = udp_socket("10.9.0.1", 0, NULL);
    inside_says(inside[i], 100, (guint8)i);
  }
  guint32 seen = 0;
  for (guint i = 0; i < G_N_ELEMENTS(inside); i++) {
    guint8 datagram[2048];
    assert_int_equal(receive(w->peer, datagram, sizeof datagram, NULL), 10 + 128);
    assert_int_equal(tun_get16(datagram + 8), ADIT_PPP_MP);
    seen |= 1u << datagram[10 + 28];
    close(inside[i]);
  }
  assert_int_equal(seen, G_MAXUINT32);
  assert_true(FACT(w, foreign) > 0);
  assert_false(__atomic_load_n(&recorder->torn, __ATOMIC_RELAXED));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      WORLD_TEST(packets_are_scrambled_and_cut_over_both_links),
      WORLD_TEST(super_packets_are_cut_into_packets_first),
      WORLD_TEST(data_waits_for_a_required_stage),
      WORLD_TEST(clear_data_is_dropped_and_new_keys_are_taken),
      WORLD_TEST(a_lost_piece_is_noted_and_costs_its_packet_alone),
      WORLD_TEST(a_link_that_joins_moves_without_losing_or_reordering_a_frame),
      WORLD_TEST(a_link_moves_once),
      WORLD_TEST(packets_of_a_shared_port_go_to_the_home_worker),
  };
  return WORLD_MAIN(tests);
}
