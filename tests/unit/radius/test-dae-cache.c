/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* RFC 5176 2.3, RFC 5080 2.2.2: a repeat is known by where it comes from, its identifier and its authenticator. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "plugins-auth/radius/dae/dae-decide.h"
#include "plugins-auth/radius/dae/dae-socket.h"
#include "plugins-auth/radius/dae/dae.h"

static AditEndpoint from(const char *text, guint16 port) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return adit_endpoint(&address, port);
}

static RadiusPacket packet(guint8 id, guint32 number) {
  RadiusPacket out = {.code = RADIUS_DISCONNECT_REQUEST, .id = id};
  memcpy(out.authenticator, &number, sizeof number);
  return out;
}

static void answer(RadiusDaeCache *cache, RadiusDaeSeen *seen, gboolean timed, guint64 until) {
  radius_dae_cache_answer(cache, seen, g_bytes_new_static("answer", 6), timed, until);
}

static void rfc5080_2_2_2_only_the_same_packet_is_a_repeat(void **state) {
  RadiusDaeCache *cache = radius_dae_cache_new(10);
  AditEndpoint here = from("192.0.2.1", 5000), other_port = from("192.0.2.1", 5001), there = from("2001:db8::1", 5000);
  RadiusPacket one = packet(1, 1), other_id = packet(2, 1), other_content = packet(1, 2);

  assert_null(radius_dae_cache_find(cache, &here, &one, 0));
  RadiusDaeSeen *seen = radius_dae_cache_add(cache, &here, &one, 0);
  assert_ptr_equal(radius_dae_cache_find(cache, &here, &one, 0), seen);
  assert_null(seen->answer);
  answer(cache, seen, FALSE, 1000);
  assert_ptr_equal(radius_dae_cache_find(cache, &here, &one, 999), seen);
  assert_non_null(seen->answer);
  assert_null(radius_dae_cache_find(cache, &other_port, &one, 0));
  assert_null(radius_dae_cache_find(cache, &there, &one, 0));
  assert_null(radius_dae_cache_find(cache, &here, &other_id, 0));
  assert_null(radius_dae_cache_find(cache, &here, &other_content, 0));
  radius_dae_cache_free(cache);
}

static void rfc5176_6_3_a_packet_with_a_time_is_no_newer_from_another_port(void **state) {
  static const guint8 time[] = {55, 6, 0x65, 0x53, 0xf1, 0}; /* Event-Timestamp */
  RadiusDaeCache *cache = radius_dae_cache_new(10);
  AditEndpoint here = from("192.0.2.1", 5000), other_port = from("192.0.2.1", 5001), there = from("192.0.2.2", 5000);
  RadiusPacket one = packet(1, 1), other_id = packet(2, 1), other_content = packet(1, 2);

  one.attributes = other_id.attributes = other_content.attributes = time;
  one.length = other_id.length = other_content.length = sizeof time;
  RadiusDaeSeen *seen = radius_dae_cache_add(cache, &here, &one, 0);
  answer(cache, seen, TRUE, 600000);
  assert_ptr_equal(radius_dae_cache_find(cache, &here, &one, 0), seen);
  assert_ptr_equal(radius_dae_cache_find(cache, &other_port, &one, 0), seen);
  assert_ptr_equal(radius_dae_cache_find(cache, &there, &one, 0), seen);
  assert_null(radius_dae_cache_find(cache, &here, &other_id, 0));
  assert_null(radius_dae_cache_find(cache, &here, &other_content, 0));
  radius_dae_cache_free(cache);
}

static void an_answer_expires_in_its_own_time(void **state) {
  RadiusDaeCache *cache = radius_dae_cache_new(10);
  AditEndpoint here = from("192.0.2.1", 5000);
  RadiusPacket timed = packet(1, 1), untimed = packet(2, 2), pending = packet(3, 3);

  answer(cache, radius_dae_cache_add(cache, &here, &timed, 0), TRUE, 600000);
  answer(cache, radius_dae_cache_add(cache, &here, &untimed, 0), FALSE, 30000);
  assert_non_null(radius_dae_cache_add(cache, &here, &pending, 0));
  assert_null(radius_dae_cache_find(cache, &here, &untimed, 30000));
  assert_non_null(radius_dae_cache_find(cache, &here, &timed, 30000));
  assert_int_equal(radius_dae_cache_count(cache), 2);
  assert_null(radius_dae_cache_find(cache, &here, &timed, 600000));
  assert_non_null(radius_dae_cache_find(cache, &here, &pending, G_MAXUINT64));
  assert_int_equal(radius_dae_cache_count(cache), 1);
  radius_dae_cache_free(cache);
}

static void room_is_made_by_the_oldest_answer_never_by_what_is_pending(void **state) {
  RadiusDaeCache *cache = radius_dae_cache_new(3);
  AditEndpoint here = from("192.0.2.1", 5000);
  RadiusPacket pending = packet(0, 0), packets[5];

  assert_non_null(radius_dae_cache_add(cache, &here, &pending, 0));
  for (guint8 i = 0; i < G_N_ELEMENTS(packets); i++) {
    packets[i] = packet(i, 10u + i);
    answer(cache, radius_dae_cache_add(cache, &here, &packets[i], 0), FALSE, 1000);
    assert_true(radius_dae_cache_count(cache) <= 3);
  }
  assert_null(radius_dae_cache_find(cache, &here, &packets[2], 0));
  assert_non_null(radius_dae_cache_find(cache, &here, &packets[3], 0));
  assert_non_null(radius_dae_cache_find(cache, &here, &packets[4], 0));
  assert_non_null(radius_dae_cache_find(cache, &here, &pending, 0));
  radius_dae_cache_free(cache);
}

static void nothing_is_added_when_all_is_pending(void **state) {
  RadiusDaeCache *cache = radius_dae_cache_new(2);
  AditEndpoint here = from("192.0.2.1", 5000);
  RadiusPacket packets[3];

  for (guint8 i = 0; i < G_N_ELEMENTS(packets); i++)
    packets[i] = packet(i, i);
  assert_non_null(radius_dae_cache_add(cache, &here, &packets[0], 0));
  assert_non_null(radius_dae_cache_add(cache, &here, &packets[1], 0));
  assert_null(radius_dae_cache_add(cache, &here, &packets[2], 0));
  radius_dae_cache_free(cache);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc5080_2_2_2_only_the_same_packet_is_a_repeat),
      cmocka_unit_test(rfc5176_6_3_a_packet_with_a_time_is_no_newer_from_another_port),
      cmocka_unit_test(an_answer_expires_in_its_own_time),
      cmocka_unit_test(room_is_made_by_the_oldest_answer_never_by_what_is_pending),
      cmocka_unit_test(nothing_is_added_when_all_is_pending),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
