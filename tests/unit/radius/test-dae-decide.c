/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* RFC 5176: which session is meant, what is refused and why, and what the answer looks like. */
#include "dae-world.h"

enum { NOW = 1700000000 };

static AditTest *test;
static RadiusDaeRules rules;

static gboolean is_ours(const AditAddress *address, gpointer data) {
  const AditAddress ours[] = {address_of("203.0.113.5"), address_of("2001:db8::5")};
  return adit_address_equal(address, &ours[0]) || adit_address_equal(address, &ours[1]);
}

static int setup(void **state) {
  test = adit_test_new();
  rules = (RadiusDaeRules){.session = adit_test_service(test, ADIT_SESSION_SERVICE),
                           .nas_identifier = "lns-1",
                           .is_ours = is_ours,
                           .window_s = 300,
                           .now_s = NOW};
  add_session(test, ALICE, "alice", "8100000a", FALSE);
  add_session(test, BOB, "bob", "8100000b", FALSE);
  return 0;
}

static int teardown(void **state) {
  adit_test_free(test);
  return 0;
}

static void put_address(Ask *ask, guint8 type, const char *text) {
  AditAddress address = address_of(text);
  radius_put(&ask->b, 0, type, address.octet, adit_address_size(&address));
}

/* One right key of Alice's; `wrong`: one that is nobody's. */
static void put_key(Ask *ask, guint8 type, gboolean wrong) {
  const guint8 prefix[] = {0, 64, 0x20, 1, 0xd, 0xb8, 0, wrong ? 9 : ALICE, 0, 0}, ifid[8] = {[7] = wrong ? 9 : ALICE};
  const AditSessionId alice = ALICE, nobody = 9;

  switch (type) {
  case USER_NAME:
    radius_put_string(&ask->b, 0, type, wrong ? "alic" : "alice");
    break;
  case NAS_PORT:
    radius_put_int(&ask->b, 0, type, wrong ? 9 : ALICE);
    break;
  case FRAMED_IP_ADDRESS:
    put_address(ask, type, wrong ? "10.0.0.9" : "10.0.0.1");
    break;
  case CALLED_STATION_ID: /* Bob has called the same */
    radius_put_string(&ask->b, 0, type, wrong ? "198.51.100.9" : "198.51.100.1");
    break;
  case CALLING_STATION_ID:
    radius_put_string(&ask->b, 0, type, wrong ? "192.0.2.9" : "192.0.2.1");
    break;
  case ACCT_SESSION_ID:
    radius_put_string(&ask->b, 0, type, wrong ? "8100000c" : "8100000a");
    break;
  case NAS_PORT_ID:
    radius_put_string(&ask->b, 0, type, wrong ? "l2tp-9" : "l2tp-1");
    break;
  case CHARGEABLE_USER_IDENTITY:
    radius_put(&ask->b, 0, type, wrong ? &nobody : &alice, sizeof alice);
    break;
  case FRAMED_INTERFACE_ID:
    radius_put(&ask->b, 0, type, ifid, sizeof ifid);
    break;
  case FRAMED_IPV6_PREFIX:
    radius_put(&ask->b, 0, type, prefix, sizeof prefix);
    break;
  default:
    fail();
  }
}

static const guint8 keys[] = {USER_NAME,       NAS_PORT,    FRAMED_IP_ADDRESS,   CALLED_STATION_ID,  CALLING_STATION_ID,
                              ACCT_SESSION_ID, NAS_PORT_ID, FRAMED_INTERFACE_ID, FRAMED_IPV6_PREFIX, CHARGEABLE_USER_IDENTITY};

static Ask *begin(guint8 code) {
  return ask_new(code, FALSE);
}

/* Decides, and frees it. */
static RadiusDaeVerdict end(Ask *ask) {
  ask_finish(ask, 1, SECRET);
  radius_dae_decide(&rules, &ask->packet, &ask->verdict);
  RadiusDaeVerdict verdict = ask->verdict;
  g_free(ask);
  return verdict;
}

static void expect_refusal(Ask *ask, RadiusDaeError error) {
  adit_test_clear_log(test);
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.outcome, RADIUS_DAE_NAK);
  assert_int_equal(verdict.error, error);
  assert_false(adit_test_saw(test, "session.disconnect"));
  assert_false(adit_test_saw(test, "session.session_update"));
}

static void expect_end(Ask *ask, AditSessionId session) {
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.outcome, RADIUS_DAE_WAIT);
  assert_int_equal(verdict.session, session);
  assert_true(adit_test_saw(test, "cause 6 Disconnect-Request"));
}

/* ---- which session ---- */

static void rfc5176_3_each_key_alone_finds_its_session(void **state) {
  teardown(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    if (keys[i] == CALLED_STATION_ID)
      continue;
    setup(NULL);
    Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
    put_key(ask, keys[i], FALSE);
    expect_end(ask, ALICE);
    teardown(NULL);
  }
  setup(NULL);
}

/* A session that is still being made has neither port nor interface: zeros are not theirs. */
static void what_a_session_has_not_does_not_find_it(void **state) {
  static const guint8 zeros[8];
  const AditSessionInfo bare = {.size = sizeof bare, .id = 7, .user = "carol", .record_id = "8100000c"};

  adit_test_add_session(test, &bare);
  Ask *port = begin(RADIUS_DISCONNECT_REQUEST), *interface = begin(RADIUS_DISCONNECT_REQUEST), *address = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_int(&port->b, 0, NAS_PORT, 0);
  expect_refusal(port, RADIUS_DAE_NO_SESSION);
  radius_put(&interface->b, 0, FRAMED_INTERFACE_ID, zeros, 8);
  expect_refusal(interface, RADIUS_DAE_NO_SESSION);
  radius_put(&address->b, 0, FRAMED_IP_ADDRESS, zeros, 4);
  expect_refusal(address, RADIUS_DAE_NO_SESSION);
}

static void rfc5176_3_all_keys_together_find_it(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
    put_key(ask, keys[i], FALSE);
  expect_end(ask, ALICE);
}

static void rfc5176_3_one_key_that_does_not_match_is_enough(void **state) {
  for (guint right = 0; right < G_N_ELEMENTS(keys); right++)
    for (guint wrong = 0; wrong < G_N_ELEMENTS(keys); wrong++) {
      if (wrong == right)
        continue;
      Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
      put_key(ask, keys[right], FALSE);
      put_key(ask, keys[wrong], TRUE);
      expect_refusal(ask, RADIUS_DAE_NO_SESSION);
    }
}

static void rfc5176_3_no_key_is_a_missing_attribute(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, NAS_IDENTIFIER, "lns-1");
  expect_refusal(ask, RADIUS_DAE_MISSING_ATTRIBUTE);
}

static void rfc5176_2_3_many_sessions_are_refused(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, CALLED_STATION_ID, FALSE);
  expect_refusal(ask, RADIUS_DAE_MANY_SESSIONS);
  ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, CALLED_STATION_ID, FALSE);
  radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 60);
  expect_refusal(ask, RADIUS_DAE_MANY_SESSIONS);
}

static void a_user_who_is_back_is_found_beside_what_is_ending(void **state) {
  assert_true(rules.session->disconnect(ALICE, ADIT_CAUSE_LOST_CARRIER, "gone"));
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
  add_session(test, 3, "alice", "8100000d", FALSE);
  ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, USER_NAME, FALSE);
  expect_end(ask, 3);
}

static void sessions_that_we_dialled_are_nobodys(void **state) {
  add_session(test, 4, "carol", "8100000e", TRUE);
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, USER_NAME, "carol");
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
  ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, ACCT_SESSION_ID, "8100000e");
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
}

static void nothing_belongs_to_a_bundle(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, USER_NAME, FALSE);
  radius_put_string(&ask->b, 0, ACCT_MULTI_SESSION_ID, "8100000a");
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
}

static void a_bundle_is_found_by_its_id(void **state) {
  AditSessionInfo info = {.size = sizeof info, .id = 4, .user = "dora", .record_id = "8100000d", .multi_id = "81000bbb", .links = 2};
  adit_test_add_session(test, &info);
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, ACCT_MULTI_SESSION_ID, "81000bbb");
  expect_end(ask, 4);
}

static void rfc2865_5_1_the_name_of_accounting_is_the_users_too(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, USER_NAME, "8100000b");
  expect_end(ask, BOB);
}

static void a_zero_interface_identifier_is_nobodys(void **state) {
  static const guint8 zeros[8] = {0};
  AditSessionInfo info = {.size = sizeof info, .id = 3, .user = "v4only", .record_id = "8100000c", .port = 3};
  adit_test_add_session(test, &info);
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put(&ask->b, 0, FRAMED_INTERFACE_ID, zeros, sizeof zeros);
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
}

static void keys_that_are_malformed_or_doubled_are_invalid(void **state) {
  static const struct {
    guint8 type, length, value[20];
  } bad[] = {
      {NAS_PORT, 3, {0}},
      {FRAMED_IP_ADDRESS, 5, {10, 0, 0, 1}},
      {FRAMED_INTERFACE_ID, 7, {0}},
      {USER_NAME, 0, {0}},
      {FRAMED_IPV6_PREFIX, 1, {0}},
      {FRAMED_IPV6_PREFIX, 10, {0, 129, 0x20, 1}},
      {FRAMED_IPV6_PREFIX, 6, {0, 64, 0x20, 1, 0xd, 0xb8}}, /* too short for its length */
      {FRAMED_IPV6_PREFIX, 6, {0, 16, 0x20, 1, 0xd, 0xb8}}, /* RFC 3162 2.3: beyond the length, zeros */
      {FRAMED_IPV6_PREFIX, 19, {0, 128, 0x20, 1, 0xd, 0xb8, [17] = 1}},
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
    put_key(ask, ACCT_SESSION_ID, FALSE);
    radius_put(&ask->b, 0, bad[i].type, bad[i].value, bad[i].length);
    expect_refusal(ask, RADIUS_DAE_INVALID_REQUEST);
  }
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
    put_key(ask, keys[i], FALSE);
    put_key(ask, keys[i], FALSE);
    expect_refusal(ask, RADIUS_DAE_INVALID_REQUEST);
  }
}

static void an_id_with_a_nul_in_it_is_not_its_beginning(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put(&ask->b, 0, ACCT_SESSION_ID, "8100000a\0x", 10);
  expect_refusal(ask, RADIUS_DAE_NO_SESSION);
}

/* ---- who we are ---- */

static void rfc5176_3_a_request_for_another_nas_is_refused(void **state) {
  static const struct {
    guint8 type;
    const char *ours, *other;
  } nas[] = {{NAS_IP_ADDRESS, "203.0.113.5", "203.0.113.6"}, {NAS_IPV6_ADDRESS, "2001:db8::5", "2001:db8::6"}};

  for (guint i = 0; i < G_N_ELEMENTS(nas); i++) {
    Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
    put_address(ask, nas[i].type, nas[i].other);
    put_key(ask, ACCT_SESSION_ID, FALSE);
    expect_refusal(ask, RADIUS_DAE_OTHER_NAS);
  }
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  radius_put_string(&ask->b, 0, NAS_IDENTIFIER, "lns-11");
  put_key(ask, ACCT_SESSION_ID, FALSE);
  expect_refusal(ask, RADIUS_DAE_OTHER_NAS);
  ask = begin(RADIUS_DISCONNECT_REQUEST);
  for (guint i = 0; i < G_N_ELEMENTS(nas); i++)
    put_address(ask, nas[i].type, nas[i].ours);
  radius_put_string(&ask->b, 0, NAS_IDENTIFIER, "lns-1");
  put_key(ask, ACCT_SESSION_ID, FALSE);
  expect_end(ask, ALICE);
}

/* ---- what is in a request ---- */

static void rfc5176_3_a_disconnect_has_nothing_but_identification(void **state) {
  static const guint8 others[] = {SERVICE_TYPE, FILTER_ID, STATE, CLASS, SESSION_TIMEOUT, IDLE_TIMEOUT, REPLY_MESSAGE, NAS_PORT_TYPE};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
    put_key(ask, ACCT_SESSION_ID, FALSE);
    radius_put_int(&ask->b, 0, others[i], 2);
    expect_refusal(ask, RADIUS_DAE_UNSUPPORTED_ATTRIBUTE);
  }
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_string(&ask->b, VENDOR_MIKROTIK, MIKROTIK_RATE_LIMIT, "1M");
  expect_refusal(ask, RADIUS_DAE_UNSUPPORTED_ATTRIBUTE);
}

static void rfc5176_3_6_a_disconnect_may_say_admin_reset(void **state) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, 0, ACCT_TERMINATE_CAUSE, 10);
  expect_refusal(ask, RADIUS_DAE_INVALID_VALUE);
  ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, 0, ACCT_TERMINATE_CAUSE, 6);
  expect_end(ask, ALICE);
}

static void rfc5176_3_2_authorize_only_is_an_unsupported_service(void **state) {
  Ask *ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, 0, SERVICE_TYPE, 17);
  radius_put_string(&ask->b, 0, STATE, "s");
  expect_refusal(ask, RADIUS_DAE_UNSUPPORTED_SERVICE);
  ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, 0, SERVICE_TYPE, SERVICE_FRAMED);
  radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 60);
  assert_int_equal(end(ask).outcome, RADIUS_DAE_ACK);
}

/* RFC 5176 2.3: all attributes are mandatory. What nobody here knows is refused, whatever its value. */
static void rfc5176_2_3_no_attribute_is_ignored(void **state) {
  static const guint8 known[] = {NAS_IP_ADDRESS,
                                 SERVICE_TYPE,
                                 FILTER_ID,
                                 STATE,
                                 CLASS,
                                 SESSION_TIMEOUT,
                                 IDLE_TIMEOUT,
                                 TERMINATION_ACTION,
                                 NAS_IDENTIFIER,
                                 PROXY_STATE,
                                 PORT_LIMIT,
                                 MESSAGE_AUTHENTICATOR,
                                 EVENT_TIMESTAMP,
                                 NAS_IPV6_ADDRESS,
                                 ACCT_INTERIM_INTERVAL};
  for (guint type = 1; type < 256; type++) {
    static const guint8 value[16] = {0, 0, 0, 1};
    gboolean skip = memchr(known, (int)type, sizeof known) != NULL || memchr(keys, (int)type, sizeof keys) != NULL;
    for (guint length = 1; !skip && length <= sizeof value; length++) {
      Ask *ask = begin(RADIUS_COA_REQUEST);
      put_key(ask, ACCT_SESSION_ID, FALSE);
      radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 60);
      radius_put(&ask->b, 0, (guint8)type, value, length);
      adit_test_clear_log(test);
      RadiusDaeVerdict verdict = end(ask);
      if (verdict.outcome != RADIUS_DAE_NAK || adit_test_saw(test, "session_update"))
        fail_msg("attribute %u with %u octets was ignored", type, length);
    }
  }
}

/* ---- changes ---- */

static void rfc5176_2_2_a_change_reaches_the_session(void **state) {
  Ask *ask = begin(RADIUS_COA_REQUEST);
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) /* they identify, and that is all: RFC 5176 3.6, note 1 */
    put_key(ask, keys[i], FALSE);
  radius_put_string(&ask->b, 0, NAS_IDENTIFIER, "lns-1");
  put_address(ask, NAS_IP_ADDRESS, "203.0.113.5");
  radius_put_int(&ask->b, 0, EVENT_TIMESTAMP, NOW);
  radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 3600);
  radius_put_int(&ask->b, 0, IDLE_TIMEOUT, 300);
  radius_put_int(&ask->b, 0, ACCT_INTERIM_INTERVAL, 120);
  radius_put_string(&ask->b, 0, FILTER_ID, "guests");
  radius_put(&ask->b, 0, CLASS, "\1\2", 2);
  radius_put_string(&ask->b, VENDOR_MIKROTIK, MIKROTIK_RATE_LIMIT, "2M/8M");
  radius_put_string(&ask->b, VENDOR_MIKROTIK, MIKROTIK_GROUP, "gold");
  radius_put_int(&ask->b, VENDOR_MIKROTIK, MIKROTIK_TOTAL_LIMIT, 5000);
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.outcome, RADIUS_DAE_ACK);
  assert_int_equal(verdict.session, ALICE);
  static const char *const words[] = {"session.session_update 1 ",
                                      " session-timeout=3600000",
                                      " idle-timeout=300000",
                                      " interim-update=120000",
                                      "=guests",
                                      " class=0x0102",
                                      " rate-limit=2M/8M",
                                      " profile=gold",
                                      " limit-bytes-total=5000"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (!adit_test_saw(test, words[i]))
      fail_msg("no `%s' in %s", words[i], adit_test_log(test));
  assert_false(adit_test_saw(test, "address="));
  assert_false(adit_test_saw(test, "ipv6"));
}

static void mikrotiks_rate_goes_before_ascends_and_that_before_wisprs(void **state) {
  Ask *ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, VENDOR_WISPR, WISPR_DOWN, 3000000);
  radius_put_int(&ask->b, VENDOR_ASCEND, ASCEND_DATA_RATE, 4000000);
  radius_put_string(&ask->b, VENDOR_MIKROTIK, MIKROTIK_RATE_LIMIT, "5M");
  assert_int_equal(end(ask).outcome, RADIUS_DAE_ACK);
  assert_true(adit_test_saw(test, "rate-limit=5M"));
  ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, VENDOR_WISPR, WISPR_DOWN, 3000000);
  radius_put_int(&ask->b, VENDOR_ASCEND, ASCEND_DATA_RATE, 4000000);
  adit_test_clear_log(test);
  assert_int_equal(end(ask).outcome, RADIUS_DAE_ACK);
  assert_true(adit_test_saw(test, "rate-limit="));
  assert_null(strstr(adit_test_log(test), "3000000"));
}

static void rfc5176_2_3_one_bad_change_undoes_them_all(void **state) {
  Ask *ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 3600);
  radius_put_string(&ask->b, 0, FRAMED_ROUTE, "192.0.2.0/24");
  expect_refusal(ask, RADIUS_DAE_UNSUPPORTED_ATTRIBUTE);
  ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put(&ask->b, 0, SESSION_TIMEOUT, "\0\1", 2);
  radius_put_int(&ask->b, 0, IDLE_TIMEOUT, 300);
  expect_refusal(ask, RADIUS_DAE_INVALID_VALUE);
}

static void a_change_of_nothing_is_a_missing_attribute(void **state) {
  Ask *ask = begin(RADIUS_COA_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  expect_refusal(ask, RADIUS_DAE_MISSING_ATTRIBUTE);
}

static void what_the_core_refuses_is_refused_in_the_rfcs_words(void **state) {
  static const struct {
    int error;
    RadiusDaeError cause;
  } refusals[] = {{ENOENT, RADIUS_DAE_NO_SESSION},
                  {ENOTSUP, RADIUS_DAE_UNSUPPORTED_ATTRIBUTE},
                  {EINVAL, RADIUS_DAE_INVALID_VALUE},
                  {EIO, RADIUS_DAE_NO_RESOURCES}};
  for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
    Ask *ask = begin(RADIUS_COA_REQUEST);
    put_key(ask, ACCT_SESSION_ID, FALSE);
    radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 60);
    adit_test_fail(test, "session.session_update", refusals[i].error);
    RadiusDaeVerdict verdict = end(ask);
    assert_int_equal(verdict.outcome, RADIUS_DAE_NAK);
    assert_int_equal(verdict.error, refusals[i].cause);
  }
  adit_test_fail(test, "session.disconnect", EPERM);
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.error, RADIUS_DAE_NOT_REMOVABLE);
}

/* ---- time ---- */

static RadiusDaeVerdict at_time(guint32 when) {
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, TRUE);
  radius_put_int(&ask->b, 0, EVENT_TIMESTAMP, when);
  return end(ask);
}

static void rfc5176_6_3_a_stale_or_early_request_is_dropped(void **state) {
  assert_int_equal(at_time(NOW - 300).outcome, RADIUS_DAE_NAK);
  assert_int_equal(at_time(NOW + 300).outcome, RADIUS_DAE_NAK);
  assert_int_equal(at_time(NOW - 301).outcome, RADIUS_DAE_DROP);
  assert_int_equal(at_time(NOW + 301).outcome, RADIUS_DAE_DROP);
  assert_int_equal(at_time(0).outcome, RADIUS_DAE_DROP);
  assert_int_equal(at_time(G_MAXUINT32).outcome, RADIUS_DAE_DROP);
  assert_true(at_time(NOW).timed);
}

static void rfc5176_6_3_a_request_without_time_is_dropped_when_it_is_required(void **state) {
  rules.require_timestamp = TRUE;
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.outcome, RADIUS_DAE_DROP);
  assert_false(adit_test_saw(test, "session.disconnect"));
  ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  radius_put(&ask->b, 0, EVENT_TIMESTAMP, "now", 3);
  expect_refusal(ask, RADIUS_DAE_INVALID_REQUEST);
}

/* ---- answers ---- */

static void rfc5176_3_1_proxy_state_and_state_come_back_in_order(void **state) {
  static const guint8 expected[] = {MESSAGE_AUTHENTICATOR, ERROR_CAUSE, PROXY_STATE, STATE, PROXY_STATE, PROXY_STATE};
  static const char *const values[] = {NULL, NULL, "first", "the state", "second", "first"};
  RadiusAttribute attribute;
  RadiusIter iter = {0};
  RadiusPacket answer;
  RadiusBuilder b;
  guint n = 0;
  guint32 cause;

  g_autofree Ask *ask = begin(RADIUS_COA_REQUEST);
  radius_put_string(&ask->b, 0, PROXY_STATE, "first");
  radius_put_string(&ask->b, 0, STATE, "the state");
  radius_put_string(&ask->b, 0, PROXY_STATE, "second");
  radius_put_string(&ask->b, 0, PROXY_STATE, "first");
  ask_finish(ask, 77, SECRET);
  radius_dae_decide(&rules, &ask->packet, &ask->verdict);
  radius_dae_answer(&b, &ask->packet, &ask->verdict, SECRET);
  assert_int_equal(radius_check_reply(b.data, b.length, ask->packet.authenticator, SECRET, TRUE), RADIUS_GOOD);
  assert_true(radius_packet_parse(b.data, b.length, &answer));
  assert_int_equal(answer.code, RADIUS_COA_NAK);
  assert_int_equal(answer.id, 77);
  for (; radius_packet_next(&answer, &iter, &attribute); n++) {
    assert_true(n < G_N_ELEMENTS(expected));
    assert_int_equal(attribute.type, expected[n]);
    if (values[n])
      assert_memory_equal(attribute.value, values[n], strlen(values[n]));
  }
  assert_int_equal(n, G_N_ELEMENTS(expected));
  assert_true(radius_packet_find(&answer, 0, ERROR_CAUSE, &attribute) && radius_attribute_int(&attribute, &cause));
  assert_int_equal(cause, RADIUS_DAE_MISSING_ATTRIBUTE);
}

static void rfc5176_2_1_a_disconnect_ack_tells_the_cause(void **state) {
  RadiusAttribute attribute;
  RadiusPacket answer;
  RadiusBuilder b;
  guint32 cause;

  g_autofree Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  ask_finish(ask, 5, SECRET);
  radius_dae_decide(&rules, &ask->packet, &ask->verdict);
  radius_dae_answer(&b, &ask->packet, &ask->verdict, SECRET);
  assert_true(radius_packet_parse(b.data, b.length, &answer));
  assert_int_equal(answer.code, RADIUS_DISCONNECT_ACK);
  assert_true(radius_packet_find(&answer, 0, ACCT_TERMINATE_CAUSE, &attribute) && radius_attribute_int(&attribute, &cause));
  assert_int_equal(cause, 6);
  assert_false(radius_packet_find(&answer, 0, ERROR_CAUSE, &attribute)); /* RFC 5176 3.5: none of 400 and up in an ACK */
}

static void what_could_not_be_answered_is_not_done(void **state) {
  static const guint8 filler[253] = {0};
  Ask *ask = begin(RADIUS_DISCONNECT_REQUEST);
  put_key(ask, ACCT_SESSION_ID, FALSE);
  while (ask->b.length + 255 <= RADIUS_MAX)
    radius_put(&ask->b, 0, PROXY_STATE, filler, sizeof filler);
  gsize left = RADIUS_MAX - ask->b.length;
  radius_put(&ask->b, 0, PROXY_STATE, filler, left > 2 ? left - 2 : 0);
  RadiusDaeVerdict verdict = end(ask);
  assert_int_equal(verdict.outcome, RADIUS_DAE_DROP);
  assert_false(adit_test_saw(test, "session.disconnect"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(rfc5176_3_each_key_alone_finds_its_session),
      T(what_a_session_has_not_does_not_find_it),
      T(rfc5176_3_all_keys_together_find_it),
      T(rfc5176_3_one_key_that_does_not_match_is_enough),
      T(rfc5176_3_no_key_is_a_missing_attribute),
      T(rfc5176_2_3_many_sessions_are_refused),
      T(a_user_who_is_back_is_found_beside_what_is_ending),
      T(sessions_that_we_dialled_are_nobodys),
      T(nothing_belongs_to_a_bundle),
      T(a_bundle_is_found_by_its_id),
      T(rfc2865_5_1_the_name_of_accounting_is_the_users_too),
      T(a_zero_interface_identifier_is_nobodys),
      T(keys_that_are_malformed_or_doubled_are_invalid),
      T(an_id_with_a_nul_in_it_is_not_its_beginning),
      T(rfc5176_3_a_request_for_another_nas_is_refused),
      T(rfc5176_3_a_disconnect_has_nothing_but_identification),
      T(rfc5176_3_6_a_disconnect_may_say_admin_reset),
      T(rfc5176_3_2_authorize_only_is_an_unsupported_service),
      T(rfc5176_2_3_no_attribute_is_ignored),
      T(rfc5176_2_2_a_change_reaches_the_session),
      T(mikrotiks_rate_goes_before_ascends_and_that_before_wisprs),
      T(rfc5176_2_3_one_bad_change_undoes_them_all),
      T(a_change_of_nothing_is_a_missing_attribute),
      T(what_the_core_refuses_is_refused_in_the_rfcs_words),
      T(rfc5176_6_3_a_stale_or_early_request_is_dropped),
      T(rfc5176_6_3_a_request_without_time_is_dropped_when_it_is_required),
      T(rfc5176_3_1_proxy_state_and_state_come_back_in_order),
      T(rfc5176_2_1_a_disconnect_ack_tells_the_cause),
      T(what_could_not_be_answered_is_not_done),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
