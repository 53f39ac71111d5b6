/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* sim-mppe: two ends of a PPP link with CCP and MPPE, on virtual time, over a network that loses, doubles, delays and so reorders frames of
 * data and of control alike. An end may be killed and restored, and CCP may begin again. Whatever comes out has gone in, unchanged; and
 * once the network is good again packets flow. ADIT_SEEDS sets how many. */
#include "plugins/ccp/ccp.h"
#include "plugins/ccp/mppe.h"
#include "tests/unit/ppp/pair.h"
#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 200, MILLISECONDS = 4000, REST = 30000, FINAL = 50, PACKET = 64 };

typedef struct {
  guint64 at;
  guint8 data[PACKET + 8];
  guint32 length;
} Flying;

typedef struct Sim Sim;
typedef struct {
  AditStageIo io; /* first */
  Sim *sim;
  NodeNcp *ncp;
  guint adds; /* of the stage that `state` is of */
  guint8 *state, room[4096];
  gsize used;
  GQueue air; /* of Flying, towards this end */
  gboolean encoding;
  guint32 sent, got;
} End;

struct Sim {
  Pair *pair;
  GRand *rand;
  guint loss, twice, delay_ms;
  End end[2];
  AditValue *attributes[2];
};

static guint8 *take_room(AditStageIo *io, gsize length) {
  End *e = (End *)(gpointer)io;
  if (length > sizeof e->room - e->used)
    return NULL;
  e->used += length;
  return e->room + e->used - length;
}

static gboolean chance(Sim *s, guint percent) {
  return (guint)g_rand_int_range(s->rand, 0, 100) < percent;
}

static gint by_time(gconstpointer a, gconstpointer b, gpointer user) {
  const Flying *x = a, *y = b;
  return x->at < y->at ? -1 : x->at > y->at;
}

static void fly(Sim *s, End *to, const Flying *frame) {
  for (guint copies = chance(s, s->loss) ? 0 : chance(s, s->twice) ? 2 : 1; copies; copies--) {
    Flying *f = g_memdup2(frame, sizeof *frame);
    f->at = s->pair->now + (s->delay_ms ? (guint)g_rand_int_range(s->rand, 0, (gint32)s->delay_ms) : 0);
    g_queue_insert_sorted(&to->air, f, by_time, NULL);
  }
}

/* An IPv4 packet that tells its sender and number, and whose every octet follows from them. */
static void write_packet(guint8 *ip, guint from, guint32 number) {
  guint32 sum = 0;
  for (guint i = 20; i < PACKET; i++)
    ip[i] = (guint8)(number * 7 + i + from);
  memcpy(ip, (guint8[20]){0x45, 0, 0,  PACKET,       (guint8)(number >> 24), (guint8)(number >> 16), 0,  0, 64, 17,
                          0,    0, 10, (guint8)from, (guint8)(number >> 8),  (guint8)number,         10, 0, 0,  2},
         20);
  for (guint i = 0; i < 20; i += 2)
    sum += (guint32)(ip[i] << 8 | ip[i + 1]);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = (guint8)(~sum >> 8);
  ip[11] = (guint8)~sum;
}

static void take_frame(AditStageIo *io, const AditStageFrame *frame) {
  End *e = (End *)(gpointer)io;
  Sim *s = e->sim;
  guint here = e == &s->end[1];
  Flying f = {.length = frame->length};

  assert_true(frame->length <= sizeof f.data);
  adit_stage_copy(frame, 0, f.data, sizeof f.data);
  if (e->encoding) {
    assert_int_equal(frame->protocol, ADIT_PPP_COMPRESSED);
    fly(s, &s->end[!here], &f);
    return;
  }
  guint8 want[PACKET];
  guint32 number = (guint32)f.data[4] << 24 | (guint32)f.data[5] << 16 | (guint32)f.data[14] << 8 | f.data[15];
  assert_int_equal(frame->protocol, ADIT_PPP_IPV4);
  assert_int_equal(frame->length, PACKET);
  assert_true(number < s->end[!here].sent);
  write_packet(want, !here, number);
  assert_memory_equal(f.data, want, PACKET);
  e->got++;
}

static void take_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {
  const End *e = (const End *)(gconstpointer)io;
  e->ncp->stage.note(e->ncp->stage.user, what, data, length);
}

/* The data path: whether a stage is in place, and a new one's state. */
static gboolean has_stage(End *e) {
  if (!adit_ncp_is_open(e->ncp->ncp) || e->ncp->stage.adds == e->ncp->stage.removes)
    return FALSE;
  if (e->adds != e->ncp->stage.adds) {
    e->adds = e->ncp->stage.adds;
    memset(e->state, 0, mppe_stage.state_size);
  }
  return TRUE;
}

static void run_stage(End *e, gboolean encode, guint16 protocol, guint8 *octets, guint32 length) {
  AditStageFrame frame = {.protocol = protocol, .n = 1, .length = length};
  frame.slice[0] = (AditStageSlice){octets, length};
  if (!has_stage(e))
    return;
  e->used = 0;
  e->encoding = encode;
  e->io.now_ms = e->sim->pair->now;
  (encode ? mppe_stage.encode : mppe_stage.decode)(e->state, e->ncp->stage.params, &e->io, &frame);
}

static void deliver_due(Sim *s) {
  for (guint i = 0; i < 2; i++)
    for (Flying *f; (f = g_queue_peek_head(&s->end[i].air)) && f->at <= s->pair->now;) {
      g_queue_pop_head(&s->end[i].air);
      run_stage(&s->end[i], FALSE, ADIT_PPP_COMPRESSED, f->data, f->length);
      g_free(f);
    }
}

static void send_packets(Sim *s, guint n) {
  for (guint i = 0; i < 2; i++)
    for (guint k = 0; k < n; k++) {
      guint8 packet[PACKET];
      write_packet(packet, i, s->end[i].sent++);
      run_stage(&s->end[i], TRUE, ADIT_PPP_IPV4, packet, PACKET);
    }
}

static void run_for(Sim *s, guint ms, guint packets_per_ms) {
  for (guint t = 0; t < ms; t++) {
    deliver_due(s);
    if (packets_per_ms)
      send_packets(s, (guint)g_rand_int_range(s->rand, 0, (gint32)packets_per_ms + 1));
    pair_run(s->pair, 1);
  }
}

static void disturb(Sim *s) {
  Node *node = chance(s, 50) ? &s->pair->a : &s->pair->b;
  switch (g_rand_int_range(s->rand, 0, 4)) {
  case 0:
    node_reincarnate(node);
    node->ncps[0].stage.removes = node->ncps[0].stage.adds; /* the data path went with the process */
    break;
  case 1:
    node_inject_text(node, "80fd 01 e1 000a 120601000040");
    break;
  case 2:
    node_inject_text(node, "80fd 0e e2 0004");
    break;
  case 3: /* noise that looks encrypted */
    for (guint k = 0; k < 20; k++) {
      Flying f = {.length = PACKET};
      for (guint i = 0; i < f.length; i++)
        f.data[i] = (guint8)g_rand_int(s->rand);
      f.data[0] = (guint8)((f.data[0] & 0x8f) | 0x10);
      fly(s, &s->end[chance(s, 50)], &f);
    }
    break;
  }
}

static void begin(Sim *s, guint32 seed) {
  AditMppeKeys keys[2] = {{.size = sizeof keys[0]}, {.size = sizeof keys[0]}};
  const char *mode = seed & 1 ? "stateful" : "stateless";

  *s = (Sim){.pair = pair_new(seed), .rand = g_rand_new_with_seed(seed)};
  pair_open(s->pair);
  pair_run(s->pair, 100);
  for (guint i = 0; i < 2; i++) {
    Node *node = i ? &s->pair->b : &s->pair->a;
    End *e = &s->end[i];
    s->attributes[i] = adit_value_map();
    adit_value_set(s->attributes[i], "encryption-mode", adit_value_string(mode));
    memset(keys[i].send, i ? 0x22 : 0x11, 16);
    memset(keys[i].receive, i ? 0x11 : 0x22, 16);
    AditNcpParams params = {.size = sizeof params, .attributes = s->attributes[i], .mppe = &keys[i]};
    node_add_ncp(node, &ccp_desc, &params);
    e->io = (AditStageIo){.size = sizeof e->io, .room = take_room, .emit = take_frame, .note = take_note};
    e->sim = s;
    e->ncp = &node->ncps[0];
    e->state = g_malloc0(mppe_stage.state_size);
    adit_ncp_up(e->ncp->ncp);
  }
}

static void end(Sim *s) {
  pair_free(s->pair);
  for (guint i = 0; i < 2; i++) {
    g_queue_clear_full(&s->end[i].air, g_free);
    g_free(s->end[i].state);
    adit_value_unref(s->attributes[i]);
  }
  g_rand_free(s->rand);
}

static guint32 at_work; /* the seed, for a debugger */

static void live(guint32 seed) {
  Sim s;
  begin(&s, seed);
  s.pair->loss = s.loss = (guint)g_rand_int_range(s.rand, 0, 25);
  s.pair->twice = s.twice = (guint)g_rand_int_range(s.rand, 0, 10);
  s.pair->delay_ms = s.delay_ms = (guint)g_rand_int_range(s.rand, 0, 40);
  for (guint n = (guint)g_rand_int_range(s.rand, 1, 6); n; n--) {
    run_for(&s, MILLISECONDS / 4, 2);
    disturb(&s);
  }
  s.pair->loss = s.loss = s.pair->twice = s.twice = s.pair->delay_ms = s.delay_ms = 0;
  run_for(&s, REST, 0); /* retransmissions of CCP have 3 s between them */
  run_for(&s, 2000, 1); /* a reset, if one is due */
  run_for(&s, 5, 0);    /* what is on its way */
  guint32 got[2] = {s.end[0].got, s.end[1].got};
  for (guint k = 0; k < FINAL; k++) {
    send_packets(&s, 1);
    run_for(&s, 1, 0);
  }
  deliver_due(&s);
  for (guint i = 0; i < 2; i++)
    if (s.end[i].got - got[i] != FINAL)
      fail_msg("seed %u: end %u got %u of %u packets on a good network; open %d %d, over %d %d: %s, %s", seed, i, s.end[i].got - got[i],
               FINAL, adit_ncp_is_open(s.end[0].ncp->ncp), adit_ncp_is_open(s.end[1].ncp->ncp), adit_ncp_is_over(s.end[0].ncp->ncp),
               adit_ncp_is_over(s.end[1].ncp->ncp), s.end[0].ncp->why, s.end[1].ncp->why);
  end(&s);
}

static void nothing_is_garbled_and_all_lives_recover(void **state) {
  const char *text = g_getenv("ADIT_SEEDS"), *one = g_getenv("ADIT_SEED");
  guint32 seeds = text ? (guint32)atoi(text) : SEEDS;

  if (one) {
    live((guint32)atoi(one));
    return;
  }
  for (at_work = 1; at_work <= seeds; at_work++)
    live(at_work);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_garbled_and_all_lives_recover)};
  return cmocka_run_group_tests_name("sim-mppe", tests, NULL, NULL);
}
