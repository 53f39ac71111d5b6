/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which links Multilink puts together (RFC 1990 5.1.3), and what it tells its stage: over a fake of the service of sessions. */
#include "plugins/mp/mp-bundle.h"
#include "plugins/mp/mp-bundler.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* ---- the fake: links and sessions that a test makes ---- */

enum { LINKS = 20, SESSIONS = 4 };

typedef struct {
  AditLinkInfo info;
  guint16 mrru[2];      /* of us, of the peer; 0 = not agreed */
  gboolean is_short[2]; /* the same */
  GByteArray *peer;     /* its discriminator; NULL = none */
  gboolean ended;
  char *why;
} FakeLink;

static FakeLink links[LINKS];           /* by id - 1 */
static AditValue *attributes[SESSIONS]; /* of sessions, by id - 1 */
static struct {
  AditStageSpec spec;
  MpParams params; /* that were published last */
  gboolean placed, refuses;
  guint published, mtu;
} stage;
static MpBundler *bundler;

static FakeLink *find_link(AditLinkId id) {
  return id && id <= LINKS && links[id - 1].info.id ? &links[id - 1] : NULL;
}

static gboolean fake_link_info(AditLinkId id, AditLinkInfo *out) {
  if (!find_link(id))
    return FALSE;
  *out = find_link(id)->info;
  return TRUE;
}

static gboolean fake_link_option(AditLinkId id, guint8 type, gboolean peer, AditPppOption *out) {
  static guint8 octets[2];
  const FakeLink *link = find_link(id);
  gboolean is_mrru = type == MP_LCP_MRRU;
  if (type == MP_LCP_DISCRIMINATOR) {
    if (!peer || !link->peer)
      return FALSE;
    *out = (AditPppOption){type, (guint8)link->peer->len, link->peer->data};
    return TRUE;
  }
  octets[0] = (guint8)(link->mrru[peer] >> 8);
  octets[1] = (guint8)link->mrru[peer];
  *out = (AditPppOption){type, is_mrru ? 2 : 0, octets};
  return is_mrru ? link->mrru[peer] != 0 : link->is_short[peer];
}

static gboolean fake_session_info(AditSessionId id, AditSessionInfo *out) {
  out->attributes = attributes[id - 1];
  return TRUE;
}

static gboolean fake_link_end(AditLinkId id, AditCause cause, const char *reason) {
  FakeLink *link = find_link(id);
  assert_false(link->ended);
  link->ended = TRUE;
  link->why = g_strdup(reason);
  return TRUE;
}

static gboolean fake_stage_add(AditSessionId id, const AditStageSpec *spec, GError **error) {
  if (stage.refuses) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "data path kernel runs no stages");
    return FALSE;
  }
  assert_int_equal(spec->params_length, sizeof stage.params);
  assert_ptr_equal(spec->ops, &mp_stage_ops);
  assert_false(spec->exclusive); /* RFC 1990 2: packets may come outside of it */
  stage.spec = *spec;
  memcpy(&stage.params, spec->params, sizeof stage.params);
  stage.placed = TRUE;
  return TRUE;
}

static gboolean fake_stage_set(AditSessionId id, AditStageKind kind, gconstpointer params, gsize length) {
  assert_true(stage.placed);
  assert_int_equal(length, sizeof stage.params);
  memcpy(&stage.params, params, length);
  stage.published++;
  return TRUE;
}

static gboolean fake_stage_set_mtu(AditSessionId id, AditStageKind kind, guint mtu) {
  stage.mtu = mtu;
  return TRUE;
}

static const AditSessionService service = {.size = sizeof service,
                                           .session_info = fake_session_info,
                                           .link_info = fake_link_info,
                                           .link_end = fake_link_end,
                                           .stage_add = fake_stage_add,
                                           .stage_set = fake_stage_set,
                                           .link_option = fake_link_option,
                                           .stage_set_mtu = fake_stage_set_mtu};

static guint64 fake_now(void) {
  return 1000;
}
static void fake_arm(AditTimer *timer, guint64 delay_ms) {}
static const AditLoopService loop = {.size = sizeof loop, .now = fake_now, .timer_arm = fake_arm};

static int setup(void **state) {
  memset(&stage, 0, sizeof stage);
  bundler = mp_bundler_new(&service, &loop);
  return 0;
}

static int teardown(void **state) {
  for (guint i = 0; i < LINKS; i++) {
    g_clear_pointer(&links[i].peer, g_byte_array_unref);
    g_clear_pointer(&links[i].why, g_free);
    g_clear_pointer((AditValue **)&links[i].info.attributes, adit_value_unref);
  }
  memset(links, 0, sizeof links);
  for (guint i = 0; i < SESSIONS; i++)
    g_clear_pointer(&attributes[i], adit_value_unref);
  mp_bundler_free(bundler);
  mp_identity_fini();
  return 0;
}

/* A link of a user on which both ends agreed on Multilink, with a peer's discriminator of class 1; NULL = none. */
static FakeLink *link_of(AditLinkId id, const char *user, const char *peer) {
  FakeLink *link = &links[id - 1];
  link->info = (AditLinkInfo){.size = sizeof link->info, .id = id, .user = user, .server = "office", .peer_mru = 1450, .mtu = 1400};
  link->mrru[0] = 1600;
  link->mrru[1] = 1614;
  if (peer) {
    link->peer = g_byte_array_new();
    g_byte_array_append(link->peer, (const guint8 *)"\1", 1);
    g_byte_array_append(link->peer, (const guint8 *)peer, (guint)strlen(peer));
  }
  return link;
}

/* What becomes of a link: 'n'one, 'r'efused, or the session that it founds or joins; all callbacks are made. */
static char place(AditLinkId id, AditSessionId own) {
  FakeLink *link = find_link(id);
  AditBundleDecision decision = {.size = sizeof decision};
  AditBundleVerdict verdict = mp_bundler_ops.decide(bundler, &link->info, &decision);
  if (verdict == ADIT_BUNDLE_NONE)
    return 'n';
  if (verdict == ADIT_BUNDLE_REFUSE) {
    link->why = g_strdup(decision.reason);
    return 'r';
  }
  AditSessionId session = verdict == ADIT_BUNDLE_JOIN ? decision.session : own;
  link->info.session = session;
  mp_bundler_ops.joined(bundler, session, id);
  if (verdict == ADIT_BUNDLE_FOUND) {
    mp_bundler_ops.attached(bundler, session, id, 0);
    assert_true(mp_bundler_ops.opened(bundler, session, NULL));
  } else {
    mp_bundler_ops.attached(bundler, session, id, (guint)id - 1);
  }
  return (char)('0' + session);
}

static void leave(AditLinkId id, guint left) {
  mp_bundler_ops.left(bundler, find_link(id)->info.session, id, left);
}

/* ---- which bundle ---- */

static void rfc1990_5_1_3_same_user_and_discriminator_join(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one");
  link_of(3, "bob", "one"); /* another user with the same */
  link_of(4, "ann", "two"); /* another machine of the same user */
  link_of(5, "bob", "one");
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 2), '2');
  assert_int_equal(place(4, 3), '3');
  assert_int_equal(place(5, 9), '2');
}

static void names_and_discriminators_are_no_one_text(void **state) {
  link_of(1, "b c", "a");
  link_of(2, "c", "a b");
  link_of(3, "61 b c", NULL);
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 3), '3');
}

static void rfc1990_5_1_3_without_a_discriminator_the_user_decides(void **state) {
  link_of(1, "ann", NULL);
  link_of(2, "ann", NULL);
  link_of(3, "bob", NULL);
  link_of(4, "ann", "one");
  g_byte_array_append((link_of(5, "ann", "")->peer), (const guint8 *)"", 0);
  links[4].peer->data[0] = 0; /* the null class is none */
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 2), '2');
  assert_int_equal(place(4, 3), '3');
  assert_int_equal(place(5, 9), '1');
}

static void a_bundle_that_is_ending_takes_no_link(void **state) {
  link_of(1, "ann", NULL);
  link_of(2, "ann", NULL);
  link_of(3, "ann", NULL);
  assert_int_equal(place(1, 1), '1');
  mp_bundler_ops.changed(bundler, 1, 1, FALSE); /* its only link says goodbye */
  assert_int_equal(place(2, 2), '2');
  leave(1, 0);
  assert_int_equal(place(3, 9), '2'); /* the newer one has its place */
}

static void a_client_and_a_server_are_no_pair(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->info.client = TRUE;
  link_of(3, "ann", "one")->info.client = TRUE;
  links[2].info.server = "out2";
  link_of(4, "ann", "one")->info.client = TRUE;
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 3), '3'); /* another client's */
  assert_int_equal(place(4, 9), '2');
}

static void links_of_other_formats_are_refused(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->is_short[1] = TRUE;
  link_of(3, "ann", "one")->is_short[0] = TRUE;
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), 'r');
  assert_string_equal(links[1].why, "its sequence numbers have another length than the bundle's");
  assert_int_equal(place(3, 9), 'r');
}

static void a_link_without_multilink_is_a_session(void **state) {
  FakeLink *refused = link_of(1, "ann", "one"), *one_way = link_of(2, "ann", "one");
  link_of(3, "ann", "one");
  refused->mrru[0] = 0; /* the peer rejected ours, and has one itself */
  one_way->mrru[1] = 0; /* the peer may send so */
  assert_int_equal(place(1, 1), 'n');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(stage.params.own_mrru, 1600);
  assert_int_equal(stage.params.peer_mrru, 0); /* and gets nothing so */
  assert_int_equal(stage.mtu, 0);
  assert_int_equal(place(3, 3), '3'); /* nobody joins it */
}

/* ---- limits ---- */

static AditValue *limits(gint64 max_links, gint64 port_limit) {
  AditValue *map = adit_value_map();
  if (max_links)
    adit_value_set(map, "max-links", adit_value_int(max_links));
  if (port_limit)
    adit_value_set(map, "port-limit", adit_value_int(port_limit));
  return map;
}

static void rfc2865_5_42_a_user_has_so_many_links(void **state) {
  static const struct {
    gint64 max_links, port_limit;
    guint expected;
  } cases[] = {{0, 0, 16}, {3, 0, 3}, {0, 2, 2}, {3, 2, 2}, {1, 4, 1}, {0, 4000000000, 16}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AditValue) map = limits(cases[i].max_links, cases[i].port_limit);
    assert_int_equal(mp_bundle_limit(map, NULL), cases[i].expected);
    assert_int_equal(mp_bundle_limit(NULL, map), cases[i].expected);
  }
  attributes[0] = limits(0, 2);
  for (AditLinkId id = 1; id <= 3; id++)
    link_of(id, "ann", "one");
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 9), 'r');
  assert_string_equal(links[2].why, "the user may have 2 links (max-links, Port-Limit)");
}

static void a_link_may_bring_a_smaller_limit(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->info.attributes = limits(0, 1);
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), 'r');
}

static void a_limit_that_was_lowered_ends_the_newest(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  mp_bundler_enforce(bundler, 1);
  attributes[0] = limits(0, 1);
  mp_bundler_enforce(bundler, 1);
  assert_false(links[0].ended);
  assert_true(links[1].ended && links[2].ended);
}

static void a_bundle_has_sixteen_links(void **state) {
  for (AditLinkId id = 1; id <= 16; id++) {
    link_of(id, "ann", "one");
    assert_int_equal(place(id, 1), '1');
  }
  link_of(17, "ann", "one");
  assert_int_equal(place(17, 9), 'r');
}

/* ---- the stage ---- */

static void the_stage_is_told_what_was_agreed(void **state) {
  link_of(1, "ann", "one")->is_short[1] = TRUE;
  place(1, 1);
  assert_true(stage.placed);
  assert_int_equal(stage.params.own_mrru, 1600);
  assert_int_equal(stage.params.peer_mrru, 1614);
  assert_int_equal(stage.params.link[0].mtu, 1400);
  assert_true(stage.params.send_short);
  assert_false(stage.params.receive_short);
  assert_int_equal(stage.mtu, 1614);
  g_autoptr(AditValue) shown = stage.spec.describe(stage.spec.user);
  assert_int_equal(adit_value_get_int(shown, "peer-mrru", 0), 1614);
  assert_string_equal(adit_value_get_string(shown, "header-to-peer", ""), "short");
  assert_string_equal(adit_value_get_string(shown, "peer-discriminator", ""), "local 6f6e65");
  assert_int_equal(adit_value_length(adit_value_get(shown, "links")), 1);
}

static void links_come_and_go(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->mrru[1] = 1500; /* RFC 1990 5.1.1 wants the same */
  links[1].info.mtu = 900;
  place(1, 1);
  place(2, 9);
  assert_int_equal(stage.params.link[1].mtu, 900);
  assert_int_equal(stage.params.peer_mrru, 1500);
  assert_int_equal(stage.mtu, 1500);
  leave(2, 1);
  assert_int_equal(stage.params.peer_mrru, 1614);
  assert_int_equal(stage.params.link[1].mtu, 0);
  assert_int_equal(stage.mtu, 1614);
}

static void a_small_mrru_limits_no_single_link(void **state) {
  link_of(1, "ann", "one")->mrru[1] = 600;
  link_of(2, "ann", "one")->mrru[1] = 600;
  place(1, 1);
  assert_int_equal(stage.mtu, 1400);
  place(2, 9);
  assert_int_equal(stage.mtu, 600);
}

static void a_data_path_without_stages_ends_the_session(void **state) {
  g_autoptr(GError) error = NULL;
  AditBundleDecision decision = {.size = sizeof decision};
  FakeLink *link = link_of(1, "ann", "one");
  stage.refuses = TRUE;
  assert_int_equal(mp_bundler_ops.decide(bundler, &link->info, &decision), ADIT_BUNDLE_FOUND);
  mp_bundler_ops.joined(bundler, 1, 1);
  assert_false(mp_bundler_ops.opened(bundler, 1, &error));
  assert_string_equal(error->message, "data path kernel runs no stages");
  link->info.session = 1;
  leave(1, 0);
}

/* The peer dialled again before we missed it: what it sends is of a new bundle. */
static void a_peer_that_begins_a_new_bundle_loses_its_old_links(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  stage.spec.note(stage.spec.user, MP_NOTE_LOST, &(MpNoteLost){7, 3}, sizeof(MpNoteLost));
  assert_false(links[0].ended);
  stage.spec.note(stage.spec.user, MP_NOTE_RESYNC, NULL, 0);
  assert_true(links[0].ended && links[1].ended);
  assert_false(links[2].ended);
}

/* ---- LCP that negotiates again ---- */

static void renegotiate(AditLinkId id) {
  mp_bundler_ops.changed(bundler, 1, id, FALSE);
  mp_bundler_ops.changed(bundler, 1, id, TRUE);
}

static void a_member_with_other_options_is_ended(void **state) {
  for (AditLinkId id = 1; id <= 4; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  renegotiate(1); /* as before */
  assert_false(links[0].ended);
  links[1].mrru[0] = 0;
  renegotiate(2);
  assert_string_equal(links[1].why, "the link has no Multilink any more");
  links[2].is_short[0] = TRUE;
  renegotiate(3);
  assert_true(links[2].ended);
  links[3].peer->data[1] = 'x';
  renegotiate(4);
  assert_string_equal(links[3].why, "the peer has another discriminator");
}

static void the_only_link_takes_its_bundle_along(void **state) {
  link_of(1, "ann", "one");
  place(1, 1);
  links[0].peer->data[1] = 'x';
  links[0].mrru[1] = 8000;
  renegotiate(1);
  assert_int_equal(stage.params.peer_mrru, 8000);
  assert_int_equal(stage.mtu, 8000);
  link_of(2, "ann", "one");
  link_of(3, "ann", "xne");
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 9), '1');
  leave(3, 1);
  links[0].mrru[0] = links[0].mrru[1] = 0; /* without Multilink */
  renegotiate(1);
  assert_int_equal(stage.params.peer_mrru, 0);
  assert_int_equal(stage.mtu, 0);
  link_of(4, "ann", "xne");
  assert_int_equal(place(4, 3), '3');
}

static void a_client_has_another_discriminator_for_each_session(void **state) {
  MpDiscriminator before, same, after;
  mp_identity_init((const guint8[MP_IDENTITY_SEED]){1});
  link_of(1, "ann", "one")->info.client = TRUE;
  link_of(2, "ann", "one")->info.client = TRUE;
  mp_identity_get(TRUE, "office", &before);
  place(1, 1);
  place(2, 9);
  leave(1, 1);
  mp_identity_get(TRUE, "office", &same);
  assert_true(mp_discriminator_equal(&before, &same));
  leave(2, 0);
  mp_identity_get(TRUE, "office", &after);
  assert_false(mp_discriminator_equal(&before, &after));
}

/* ---- before the stage is there ---- */

static guint unwrap(const char *octets, gsize length, guint16 *protocol) {
  static guint8 copy[64];
  memcpy(copy, octets, length);
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){copy, (guint32)length};
  assert_true(mp_bundler_ops.unwrap(bundler, 1, 1, &frame));
  *protocol = frame.protocol;
  return frame.length;
}

static void control_packets_are_read_before_the_stage_is_there(void **state) {
  AditStageFrame ip = {.protocol = 0x0021};
  guint16 protocol;
  link_of(1, "ann", "one");
  place(1, 1);
  assert_int_equal(unwrap("\xc0\0\0\0\x80\x21\1\1\0\4", 10, &protocol), 4);
  assert_int_equal(protocol, 0x8021);
  assert_int_equal(unwrap("\xc0\0\0\1\x21\x45", 6, &protocol), 0);          /* data */
  assert_int_equal(unwrap("\x80\0\0\2\x80\x21\1\1\0\4", 10, &protocol), 0); /* a piece */
  assert_int_equal(unwrap("\xc0\0\0\3\xc0\x21\1\1\0\4", 10, &protocol), 0); /* RFC 1990 2: LCP */
  assert_int_equal(unwrap("\xc0\0\0\4\x00\x3d\xc0\0\0\4", 10, &protocol), 0);
  assert_int_equal(unwrap("\xc0\0\0\5\x80", 5, &protocol), 0);
  assert_int_equal(unwrap("\xc0", 1, &protocol), 0);
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &ip));
  links[0].is_short[0] = TRUE;
  renegotiate(1);
  assert_int_equal(unwrap("\xc0\0\x80\x21\1\1\0\4", 8, &protocol), 4);
}

static void nobody_unwraps_what_was_not_agreed(void **state) {
  guint8 octets[8] = {0xc0};
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .n = 1, .length = 8, .slice = {{octets, 8}}};
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &frame)); /* no bundle */
  link_of(1, "ann", "one");
  place(1, 1);
  links[0].mrru[0] = 0;
  renegotiate(1);
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &frame));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(rfc1990_5_1_3_same_user_and_discriminator_join),
      test(names_and_discriminators_are_no_one_text),
      test(rfc1990_5_1_3_without_a_discriminator_the_user_decides),
      test(a_bundle_that_is_ending_takes_no_link),
      test(a_client_and_a_server_are_no_pair),
      test(links_of_other_formats_are_refused),
      test(a_link_without_multilink_is_a_session),
      test(rfc2865_5_42_a_user_has_so_many_links),
      test(a_link_may_bring_a_smaller_limit),
      test(a_limit_that_was_lowered_ends_the_newest),
      test(a_bundle_has_sixteen_links),
      test(the_stage_is_told_what_was_agreed),
      test(links_come_and_go),
      test(a_small_mrru_limits_no_single_link),
      test(a_data_path_without_stages_ends_the_session),
      test(a_peer_that_begins_a_new_bundle_loses_its_old_links),
      test(a_member_with_other_options_is_ended),
      test(the_only_link_takes_its_bundle_along),
      test(a_client_has_another_discriminator_for_each_session),
      test(control_packets_are_read_before_the_stage_is_there),
      test(nobody_unwraps_what_was_not_agreed),
  };
  return cmocka_run_group_tests_name("mp bundler", tests, NULL, NULL);
}
