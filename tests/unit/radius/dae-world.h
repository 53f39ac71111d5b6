/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/radius/dae-world.h - a server's requests, and two users who are here: what the tests of dynamic authorization share. */
#pragma once

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
#include "plugins-auth/radius/wire/vocabulary.h"
#include <adit/test.h>

#define SECRET "a shared secret"
enum { ALICE = 1, BOB = 2, WISPR_DOWN = 8 };

static inline AditAddress address_of(const char *text) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return address;
}

/* Alice has all that a session can have; `id` and what tells sessions apart follows from `number`. */
static inline void add_session(AditTest *test, AditSessionId id, const char *user, const char *record, gboolean client) {
  g_autofree char *remote = g_strdup_printf("10.0.0.%u", (guint)id), *interface = g_strdup_printf("l2tp-%u", (guint)id);
  g_autofree char *caller = g_strdup_printf("192.0.2.%u", (guint)id), *prefix = g_strdup_printf("2001:db8:%u::/64", (guint)id);
  g_autoptr(AditValue) attributes = adit_value_map();
  AditValue *prefixes = adit_value_list();
  AditPrefix net = {.address = {.family = AF_INET6, .octet = {0x3f, 0xff}}, .length = 64};
  AditSessionInfo info = {.size = sizeof info,
                          .id = id,
                          .user = user,
                          .interface = interface,
                          .caller_id = caller,
                          .called_id = "198.51.100.1",
                          .record_id = record,
                          .transport = "l2tp",
                          .remote4 = address_of(remote),
                          .port = (guint32)id,
                          .remote_ifid = {0, 0, 0, 0, 0, 0, 0, (guint8)id},
                          .client = client,
                          .attributes = attributes};

  adit_value_append(prefixes, adit_value_prefix(&net));
  assert_true(adit_prefix_parse(prefix, &net));
  adit_value_append(prefixes, adit_value_prefix(&net));
  adit_value_set(attributes, "remote-ipv6-prefix", prefixes); /* a list, as sources give it */
  adit_value_set(attributes, "accounting-name", adit_value_string(record));
  adit_value_set(attributes, "chargeable-user-identity", adit_value_octets(&id, sizeof id));
  adit_test_add_session(test, &info);
}

/** A request being written, then taken apart. */
typedef struct {
  RadiusBuilder b;
  RadiusPacket packet;
  RadiusDaeVerdict verdict;
} Ask;

static inline Ask *ask_new(guint8 code, gboolean sign) {
  Ask *ask = g_new0(Ask, 1);
  radius_build(&ask->b, code, sign);
  return ask;
}

static inline void ask_finish(Ask *ask, guint8 id, const char *secret) {
  radius_finish_request(&ask->b, id, NULL, secret);
  assert_false(ask->b.overflow);
  assert_true(radius_packet_parse(ask->b.data, ask->b.length, &ask->packet));
}
