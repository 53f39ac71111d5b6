/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The stage against itself: what it sends, what it loses, and what it never passes on. */
#include "frames.h"

#include <nettle/arcfour.h>

static const guint32 strengths[] = {MPPE_40, MPPE_56, MPPE_128};

typedef struct {
  Stage *a, *b;
  guint32 number; /* of the next packet */
  guint passed;
} Ends;

static Ends ends_of(guint32 strength, gboolean stateless) {
  MppeParams a = params_of(strength, stateless, FALSE), b = params_of(strength, stateless, TRUE);
  return (Ends){.a = stage_new(&a), .b = stage_new(&b)};
}

static void ends_free(Ends *e) {
  stage_free(e->a);
  stage_free(e->b);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ends, ends_free)

/* The next packet, encrypted. */
static Octets next_frame(Ends *e) {
  Octets packet = packet_of(64, e->number++);
  assert_true(encode(e->a, &packet));
  return e->a->last;
}

/* TRUE: it came out as it went in. Whatever else comes out is an error. */
static gboolean deliver(Ends *e, const Octets *frame, guint32 number) {
  if (!decode(e->b, frame))
    return FALSE;
  Octets want = packet_of(64, number);
  assert_octets(&e->b->last, &want);
  e->passed++;
  return TRUE;
}

static guint send_many(Ends *e, guint n) {
  guint passed = 0;
  for (guint i = 0; i < n; i++) {
    Octets frame = next_frame(e);
    passed += deliver(e, &frame, e->number - 1);
  }
  return passed;
}

static void lose_many(Ends *e, guint n) {
  for (guint i = 0; i < n; i++)
    next_frame(e);
}

/* ---- what is on the wire ---- */

static void rfc3078_3_1_stateless_packets_are_all_flushed(void **unused) {
  for (gsize i = 0; i < G_N_ELEMENTS(strengths); i++) {
    g_auto(Ends) e = ends_of(strengths[i], TRUE);
    for (guint n = 0; n < 5000; n++) { /* over the wrap of the count */
      Octets frame = next_frame(&e), packet = packet_of(64, n);
      assert_int_equal(frame.protocol, ADIT_PPP_COMPRESSED);
      assert_int_equal(frame.length, 64 + MPPE_HEADROOM);
      assert_int_equal(bits_of(&frame), 0x9000);
      assert_int_equal(count_of(&frame), n & 0xfff);
      assert_memory_not_equal(frame.data + 4, packet.data, 64);
      assert_true(deliver(&e, &frame, n));
    }
  }
}

/* Linux takes no first packet that is flushed. */
static void rfc3078_7_1_stateful_packets_are_flushed_where_the_key_changes(void **unused) {
  for (gsize i = 0; i < G_N_ELEMENTS(strengths); i++) {
    g_auto(Ends) e = ends_of(strengths[i], FALSE);
    for (guint n = 0; n < 9000; n++) {
      Octets frame = next_frame(&e);
      assert_int_equal(bits_of(&frame), (n & 0xff) == 0xff ? 0x9000 : 0x1000);
      assert_int_equal(count_of(&frame), n & 0xfff);
      assert_true(deliver(&e, &frame, n));
    }
  }
}

static void frames_in_pieces_are_the_same(void **unused) {
  for (guint length = 20; length < 200; length += 7)
    for (guint pieces = 1; pieces < ADIT_STAGE_SLICES; pieces++) {
      g_auto(Ends) e = ends_of(MPPE_128, length & 1);
      Octets packet = packet_of(length, length);
      run_stage(e.a, TRUE, &packet, pieces);
      assert_int_equal(e.a->emitted, 1);
      run_stage(e.b, FALSE, &e.a->last, pieces);
      assert_int_equal(e.b->emitted, 1);
      assert_octets(&e.b->last, &packet);
    }
}

static void without_room_a_packet_is_lost_and_nothing_else(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  Octets packet = packet_of(64, 0);
  AditStageFrame frame = frame_of(&packet, 1);

  send_many(&e, 3);
  e.a->used = ROOM;
  mppe_stage.encode(e.a->state, &e.a->params, &e.a->io, &frame);
  assert_int_equal(e.a->emitted, 3);
  assert_int_equal(send_many(&e, 3), 3);
}

static void rfc3078_4_what_is_no_network_protocol_stays_clear(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  Octets bpdu = {.protocol = 0x0201, .length = 4, .data = {1, 2, 3, 4}};
  assert_true(encode(e.a, &bpdu));
  assert_octets(&e.a->last, &bpdu);
}

/* Where encryption is required, nothing leaves in clear. */
static void rfc3078_4_strict_drops_what_it_cannot_encrypt(void **unused) {
  static const guint16 outside[] = {0x0001, 0x0020, 0x00fb, 0x0201, 0x4021}, inside[] = {0x0021, 0x0031, 0x00fa};
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  e.a->params.strict = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(outside); i++)
    assert_false(encode(e.a, &(Octets){.protocol = outside[i], .length = 4}));
  for (gsize i = 0; i < G_N_ELEMENTS(inside); i++) {
    assert_true(encode(e.a, &(Octets){.protocol = inside[i], .length = 4}));
    assert_int_equal(e.a->last.protocol, ADIT_PPP_COMPRESSED);
    assert_int_equal(count_of(&e.a->last), i); /* the dropped ones have taken no count */
  }
}

static void keys_of_both_directions_differ(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  Octets frame = next_frame(&e);
  assert_false(decode(e.a, &frame)); /* its own */
  assert_true(deliver(&e, &frame, 0));
}

static void other_parameters_begin_anew(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_40, FALSE);
  MppeParams a = params_of(MPPE_128, TRUE, FALSE), b = params_of(MPPE_128, TRUE, TRUE);

  send_many(&e, 700);
  a.epoch = b.epoch = 2;
  e.a->params = a;
  e.b->params = b;
  Octets frame = next_frame(&e);
  assert_int_equal(count_of(&frame), 0);
  assert_true(deliver(&e, &frame, 700));
}

/* RFC 1661 6.5 allows it inside, too. */
static void a_compressed_protocol_is_understood(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  Octets packet = packet_of(64, 1), frame = {.protocol = ADIT_PPP_COMPRESSED, .length = 2 + 1 + 64, .data = {0x90, 0}};
  struct arcfour_ctx rc4;
  MppeKey key;

  mppe_key_init(&key, e.a->params.send.start, MPPE_128);
  mppe_key_change(&key);
  arcfour_set_key(&rc4, key.length, key.current);
  arcfour_crypt(&rc4, 1, frame.data + 2, (const guint8[]){0x21});
  arcfour_crypt(&rc4, 64, frame.data + 3, packet.data);
  assert_true(decode(e.b, &frame));
  assert_octets(&e.b->last, &packet);
}

/* ---- loss ---- */

static const guint losses[] = {1, 255, 256, 300};

static void rfc3078_8_1_stateless_goes_on_after_a_loss(void **unused) {
  for (gsize i = 0; i < G_N_ELEMENTS(losses); i++)
    for (guint before = 0; before < 600; before += 37) {
      g_auto(Ends) e = ends_of(MPPE_128, TRUE);
      assert_int_equal(send_many(&e, before), before);
      lose_many(&e, losses[i]);
      assert_int_equal(send_many(&e, 500), 500);
      assert_int_equal(e.b->resets, 0);
    }
}

static void stateless_goes_on_after_an_outage(void **unused) {
  static const guint outages[] = {2047, 2048, 3000, 4095, 4096, 4097, 8192, 20000, 100000};

  for (gsize i = 0; i < G_N_ELEMENTS(outages); i++) {
    g_auto(Ends) e = ends_of(MPPE_128, TRUE);
    send_many(&e, 10);
    lose_many(&e, outages[i]);
    guint lost = 0;
    for (gboolean back = FALSE; !back; lost += !back) {
      e.b->io.now_ms += 100;
      back = send_many(&e, 1) == 1;
      assert_true(lost < 200);
    }
    assert_int_equal(send_many(&e, 500), 500);
  }
}

/* Loses, is asked for a reset, and goes on: how many packets pass of the 500 that follow. */
static guint recover(Ends *e, guint lost) {
  lose_many(e, lost);
  assert_int_equal(send_many(e, 1), 0);
  assert_true(e->b->resets >= 1);
  e->a->params.flush++;
  return send_many(e, 500);
}

static void rfc3078_8_3_stateful_goes_on_after_a_reset(void **unused) {
  for (gsize i = 0; i < G_N_ELEMENTS(losses); i++)
    for (guint before = 0; before < 600; before += 37) {
      g_auto(Ends) e = ends_of(MPPE_128, FALSE);
      assert_int_equal(send_many(&e, before), before);
      guint flag = (before & 0xff) + losses[i]; /* a flag packet is flushed anyway */
      if ((flag & 0xff) == 0xff)
        continue;
      assert_int_equal(recover(&e, losses[i]), 500);
      assert_int_equal(e.b->resets, 1);
    }
}

static void rfc3078_8_3_flag_packets_are_lost(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, FALSE);
  send_many(&e, 255);
  assert_int_equal(recover(&e, 1), 500);
  g_auto(Ends) many = ends_of(MPPE_128, FALSE);
  send_many(&many, 200);
  assert_int_equal(recover(&many, 1000), 500);
}

/* The next flag packet brings it back without a reset. */
static void a_lost_reset_costs_the_rest_of_256(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, FALSE);
  send_many(&e, 10);
  lose_many(&e, 1);
  assert_int_equal(send_many(&e, 255 - 11), 0);
  assert_int_equal(send_many(&e, 500), 500);
}

static void flushed_packets_are_lost_too(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, FALSE);
  send_many(&e, 10);
  for (guint i = 0; i < 9; i++) {
    lose_many(&e, 1);
    assert_int_equal(send_many(&e, 1), 0);
    e.a->params.flush++;
  }
  assert_int_equal(send_many(&e, 300), 300);
}

static void resets_are_asked_for_at_a_bounded_rate(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, FALSE);
  send_many(&e, 1);
  lose_many(&e, 1);
  for (guint i = 0; i < 200; i++) {
    send_many(&e, 1);
    e.b->io.now_ms += 1;
  }
  assert_int_equal(e.b->resets, 2);
}

/* How long nothing has made sense: CCP negotiates again after many. */
static void notes_are_counted_until_a_frame_makes_sense(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, FALSE);
  send_many(&e, 1);
  for (guint round = 0; round < 2; round++) {
    lose_many(&e, 1);
    for (guint i = 1; i <= 9; i++) {
      e.b->io.now_ms += MPPE_RESET_MS;
      assert_int_equal(send_many(&e, 1), 0);
      assert_int_equal(e.b->reset.run, i);
      assert_true(e.b->reset.proven);
    }
    e.a->params.flush++;
    assert_int_equal(send_many(&e, 300), 300);
  }
  g_auto(Ends) wrong = ends_of(MPPE_128, TRUE);
  wrong.b->params.receive.start[0] ^= 1;
  for (guint i = 1; i <= 50; i++) {
    wrong.b->io.now_ms += MPPE_NOISE_MS;
    assert_int_equal(send_many(&wrong, 3), 0);
    assert_int_equal(wrong.b->noise.run, i);
    assert_false(wrong.b->noise.proven);
  }
}

/* ---- order ---- */

static void stateless_takes_overtaken_packets_once(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);
  Octets frame[8];

  send_many(&e, 4094); /* the wrap is among them */
  for (guint i = 0; i < 8; i++)
    frame[i] = next_frame(&e);
  assert_true(deliver(&e, &frame[7], 4094 + 7));
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < 8; i++)
      assert_int_equal(deliver(&e, &frame[i], 4094 + i), round == 0 && i != 7);
  assert_int_equal(send_many(&e, 100), 100);
}

static void nothing_is_taken_twice(void **unused) {
  for (guint stateless = 0; stateless < 2; stateless++) {
    g_auto(Ends) e = ends_of(MPPE_128, stateless);
    for (guint n = 0; n < 600; n++) {
      Octets frame = next_frame(&e);
      assert_true(deliver(&e, &frame, n));
      assert_false(deliver(&e, &frame, n));
    }
    assert_int_equal(e.b->resets, 0);
  }
}

/* ---- noise ---- */

/* Not one of them is passed on, and the log hears of them at a bounded rate. */
static void a_wrong_key_passes_nothing(void **unused) {
  for (guint stateless = 0; stateless < 2; stateless++) {
    g_auto(Ends) e = ends_of(MPPE_128, stateless);
    e.b->params.receive.start[3] ^= 1;
    assert_int_equal(send_many(&e, 20000), 0);
    assert_int_equal(e.b->noises, 1);
    assert_false(e.b->noise.proven);
    e.b->io.now_ms += MPPE_NOISE_MS;
    send_many(&e, 256);
    assert_int_equal(e.b->noises, 2);
    assert_true(e.b->noise.dropped > 70);
  }
}

static void a_wrong_strength_passes_nothing(void **unused) {
  g_auto(Ends) e = ends_of(MPPE_40, TRUE);
  e.b->params.receive.strength = MPPE_56;
  assert_int_equal(send_many(&e, 5000), 0);
}

/* Forged counts neither move the key nor keep the worker busy: a frame that comes in its turn is taken. */
static void noise_between_frames_costs_itself_alone(void **unused) {
  GRand *rand = g_rand_new_with_seed(3);
  for (guint stateless = 0; stateless < 2; stateless++) {
    g_auto(Ends) e = ends_of(MPPE_128, stateless);
    for (guint n = 0; n < 2000; n++) {
      Octets noise = {.protocol = ADIT_PPP_COMPRESSED, .length = 40};
      for (guint i = 0; i < noise.length; i++)
        noise.data[i] = (guint8)g_rand_int(rand);
      if (!stateless) /* one that seems flushed, or to be the next, has it wait for a reset */
        noise.data[0] = (guint8)((noise.data[0] & 0x0f) | 0x20);
      assert_false(deliver(&e, &noise, 0));
      assert_int_equal(send_many(&e, 1), 1);
    }
    assert_int_equal(e.b->resets, 0);
  }
  g_rand_free(rand);
}

static void rfc3078_4_control_protocols_inside_are_refused(void **unused) {
  static const guint16 protocols[] = {ADIT_PPP_LCP,        ADIT_PPP_IPCP, ADIT_PPP_CCP, ADIT_PPP_CHAP,
                                      ADIT_PPP_COMPRESSED, ADIT_PPP_MP,   0x0201,       0x002b};
  Octets inside = packet_of(64, 1);

  for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
    g_auto(Ends) e = ends_of(MPPE_128, TRUE);
    Octets frame = {.protocol = ADIT_PPP_COMPRESSED, .length = 68, .data = {0x90, 0}};
    struct arcfour_ctx rc4;
    MppeKey key;
    mppe_key_init(&key, e.a->params.send.start, MPPE_128);
    mppe_key_change(&key);
    arcfour_set_key(&rc4, key.length, key.current);
    adit_stage_put16(frame.data + 2, protocols[i]);
    memcpy(frame.data + 4, inside.data, 64);
    arcfour_crypt(&rc4, 66, frame.data + 2, frame.data + 2);
    assert_false(decode(e.b, &frame));
    assert_int_equal(e.b->noises, 1);
  }
}

static void frames_that_are_none_are_dropped(void **unused) {
  static const struct {
    guint length;
    guint8 data[8];
  } bad[] = {{0, {0}}, {1, {0x90}}, {2, {0x90, 0}}, {3, {0x90, 0, 1}}, {8, {0x80, 0}}, {8, {0xb0, 0}}, {8, {0x00, 0}}};
  g_auto(Ends) e = ends_of(MPPE_128, TRUE);

  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    Octets frame = {.protocol = ADIT_PPP_COMPRESSED, .length = bad[i].length};
    memcpy(frame.data, bad[i].data, 8);
    assert_false(decode(e.b, &frame));
  }
  assert_int_equal(send_many(&e, 10), 10);
}

/* ---- what is judged ---- */

static Octets bridged(guint16 type, const guint8 *inner, guint32 length) {
  Octets frame = {.protocol = ADIT_PPP_BRIDGE, .length = 2 + 14 + length, .data = {0, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}};
  adit_stage_put16(frame.data + 14, type);
  memcpy(frame.data + 16, inner, length);
  return frame;
}

static void bridged_frames_pass(void **unused) {
  static const guint8 arp[28] = {0, 1, 8, 0, 6, 4, 0, 1};
  guint8 ip6[48] = {0x60, 0, 0, 0, 0, 8};
  Octets ip = packet_of(40, 1);
  guint8 tagged[44] = {0xe0, 7, 8, 0};
  memcpy(tagged + 4, ip.data, 40);
  Octets bpdu = bridged(7, (const guint8[]){0x42, 0x42, 3, 0, 0, 0, 0x80}, 7), padi = bridged(0x8863, arp, 28);
  memcpy(bpdu.data + 2, (const guint8[]){0x01, 0x80, 0xc2, 0, 0, 0}, 6);
  bpdu.data[0] = 0x10; /* the flag of bridge control (RFC 3518 4.2) */
  memset(padi.data + 2, 0xff, 6);
  const Octets proof[] = {
      bridged(0x0806, arp, 28), bridged(0x0800, ip.data, 40), bridged(0x86dd, ip6, 48), bridged(0x8100, tagged, 44), bpdu, padi};
  Octets other = bridged(0x88cc, arp, 28), six = {.protocol = ADIT_PPP_IPV6, .length = 48};

  memcpy(six.data, ip6, 48);
  for (gsize i = 0; i < G_N_ELEMENTS(proof); i++) {
    g_auto(Ends) e = ends_of(MPPE_128, TRUE);
    assert_true(encode(e.a, &other));
    assert_false(decode(e.b, &e.a->last)); /* nothing has proven the key */
    assert_true(encode(e.a, &proof[i]));
    assert_true(decode(e.b, &e.a->last));
    assert_octets(&e.b->last, &proof[i]);
    assert_true(encode(e.a, &other));
    assert_true(decode(e.b, &e.a->last));
    assert_octets(&e.b->last, &other);
    assert_true(encode(e.a, &six));
    assert_true(decode(e.b, &e.a->last));
    assert_octets(&e.b->last, &six);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc3078_3_1_stateless_packets_are_all_flushed),
      cmocka_unit_test(rfc3078_7_1_stateful_packets_are_flushed_where_the_key_changes),
      cmocka_unit_test(frames_in_pieces_are_the_same),
      cmocka_unit_test(without_room_a_packet_is_lost_and_nothing_else),
      cmocka_unit_test(rfc3078_4_what_is_no_network_protocol_stays_clear),
      cmocka_unit_test(rfc3078_4_strict_drops_what_it_cannot_encrypt),
      cmocka_unit_test(keys_of_both_directions_differ),
      cmocka_unit_test(other_parameters_begin_anew),
      cmocka_unit_test(a_compressed_protocol_is_understood),
      cmocka_unit_test(rfc3078_8_1_stateless_goes_on_after_a_loss),
      cmocka_unit_test(stateless_goes_on_after_an_outage),
      cmocka_unit_test(rfc3078_8_3_stateful_goes_on_after_a_reset),
      cmocka_unit_test(rfc3078_8_3_flag_packets_are_lost),
      cmocka_unit_test(a_lost_reset_costs_the_rest_of_256),
      cmocka_unit_test(flushed_packets_are_lost_too),
      cmocka_unit_test(resets_are_asked_for_at_a_bounded_rate),
      cmocka_unit_test(notes_are_counted_until_a_frame_makes_sense),
      cmocka_unit_test(stateless_takes_overtaken_packets_once),
      cmocka_unit_test(nothing_is_taken_twice),
      cmocka_unit_test(a_wrong_key_passes_nothing),
      cmocka_unit_test(a_wrong_strength_passes_nothing),
      cmocka_unit_test(noise_between_frames_costs_itself_alone),
      cmocka_unit_test(rfc3078_4_control_protocols_inside_are_refused),
      cmocka_unit_test(frames_that_are_none_are_dropped),
      cmocka_unit_test(bridged_frames_pass),
  };
  return cmocka_run_group_tests_name("mppe", tests, NULL, NULL);
}
