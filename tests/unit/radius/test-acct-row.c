/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The row of a record on disk: what was written is read, and nothing else is. */
#include "hex.h"
#include "plugins-auth/radius/accounting/acct-row.h"
#include "plugins-auth/radius/wire/vocabulary.h"

static RadiusRow sample(void) {
  static const guint8 body[] = {USER_NAME, 7, 'a', 'l', 'i', 'c', 'e', CLASS, 2, 26, 12, 0, 0, 0x3a, 0x8c, 9, 6, 'i', 's', 'p', '!'};
  return (RadiusRow){.kind = ADIT_ACCT_STOP,
                     .cause = ADIT_CAUSE_IDLE_TIMEOUT,
                     .swap_octets = TRUE,
                     .when_ms = 1700000000123,
                     .uptime_ms = 4000,
                     .counters = {1, G_GUINT64_CONSTANT(0x1234567890), 3, 4},
                     .id = g_strdup("80000001"),
                     .user = g_strdup("alice@isp"),
                     .body = g_bytes_new(body, sizeof body)};
}

static void what_is_written_is_read(void **state) {
  RadiusRow row = sample(), again;
  g_autoptr(GBytes) octets = radius_row_write(&row);
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);

  assert_true(radius_row_read(data, length, &again));
  assert_int_equal(again.kind, row.kind);
  assert_int_equal(again.cause, row.cause);
  assert_true(again.swap_octets);
  assert_int_equal(again.when_ms, row.when_ms);
  assert_int_equal(again.uptime_ms, row.uptime_ms);
  assert_memory_equal(&again.counters, &row.counters, sizeof row.counters);
  assert_string_equal(again.id, row.id);
  assert_string_equal(again.user, row.user);
  assert_true(g_bytes_equal(again.body, row.body));
  assert_null(again.called_id);
  radius_row_clear(&again);
  radius_row_clear(&row);
}

/* It chooses the servers: found once, when the row is read. */
static void called_station_is_found_in_what_is_read(void **state) {
  static const guint8 body[] = {USER_NAME, 3, 'a', CALLED_STATION_ID, 6, '1', '2', '3', '4', CALLED_STATION_ID, 3, '5'};
  RadiusRow row = sample(), again;

  g_bytes_unref(row.body);
  row.body = g_bytes_new(body, sizeof body);
  g_autoptr(GBytes) octets = radius_row_write(&row);
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);
  assert_true(radius_row_read(data, length, &again));
  assert_string_equal(again.called_id, "1234");
  RadiusRow copy = radius_row_copy(&again);
  radius_row_clear(&again);
  assert_string_equal(copy.called_id, "1234");
  radius_row_clear(&copy);
  radius_row_clear(&row);
}

/* In a buffer of exactly that size, so that one octet too far is found. */
static gboolean reads(const guint8 *data, gsize length) {
  g_autofree guint8 *exact = g_memdup2(data, length ? length : 1);
  RadiusRow row;
  gboolean good = radius_row_read(exact, length, &row);
  radius_row_clear(&row);
  return good;
}

static void what_is_cut_or_longer_is_refused(void **state) {
  RadiusRow row = sample();
  g_autoptr(GBytes) octets = radius_row_write(&row);
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);
  g_autofree guint8 *longer = g_malloc0(length + 1);

  memcpy(longer, data, length);
  for (gsize n = 0; n < length; n++)
    assert_false(reads(data, n));
  assert_false(reads(longer, length + 1));
  radius_row_clear(&row);
}

static void what_makes_no_sense_is_refused(void **state) {
  enum { KIND = 1, ID_LENGTH = 4 + 6 * 8, ID = ID_LENGTH + 1, USER = ID + 8 + 1, BODY = USER + 9 + 2 };
  static const struct {
    gsize at;
    guint8 octet;
  } wrong[] = {{0, 2},    {KIND, 0},       {KIND, 6},     {ID_LENGTH, 0}, {ID_LENGTH, 9}, {ID, 0},
               {USER, 0}, {USER - 1, 200}, {BODY + 1, 1}, {BODY + 1, 8},  {BODY + 8, 0},  {4, 0x80}};
  RadiusRow row = sample();
  g_autoptr(GBytes) octets = radius_row_write(&row);
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);

  assert_true(reads(data, length));
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree guint8 *copy = g_memdup2(data, length);
    copy[wrong[i].at] = wrong[i].octet;
    if (reads(copy, length))
      fail_msg("octet %u at %u was believed", wrong[i].octet, (guint)wrong[i].at);
  }
  radius_row_clear(&row);
}

/* A name is at most what an attribute holds: longer ones could not be written again. */
static void names_are_as_long_as_attributes(void **state) {
  enum { ID_LENGTH = 4 + 6 * 8 };
  RadiusRow row = sample();
  g_free(row.id);
  row.id = g_strnfill(253, 'i');
  g_autoptr(GBytes) octets = radius_row_write(&row);
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);
  g_autofree guint8 *longer = g_malloc(length + 1);

  assert_true(reads(data, length));
  memcpy(longer, data, ID_LENGTH + 1);
  longer[ID_LENGTH] = 254;
  longer[ID_LENGTH + 1] = 'i';
  memcpy(longer + ID_LENGTH + 2, data + ID_LENGTH + 1, length - ID_LENGTH - 1);
  assert_false(reads(longer, length + 1));
  radius_row_clear(&row);
}

static void a_servers_own_realm_goes_before_the_users(void **state) {
  RadiusRow row = sample();
  RadiusBuilder b;
  RadiusPacket packet;
  RadiusAttribute attribute;
  guint n = 0;

  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_row_put(&row, row.when_ms + 5999, "other", &b);
  packet = (RadiusPacket){.attributes = b.data + RADIUS_HEADER, .length = b.length - RADIUS_HEADER};
  for (RadiusIter iter = {0}; radius_packet_next(&packet, &iter, &attribute);)
    if (attribute.vendor == VENDOR_MIKROTIK && attribute.type == MIKROTIK_REALM) {
      assert_int_equal(attribute.length, 5);
      assert_memory_equal(attribute.value, "other", 5);
      n++;
    }
  assert_int_equal(n, 1);
  guint32 delay = 0;
  assert_true(radius_packet_find(&packet, 0, ACCT_DELAY_TIME, &attribute) && radius_attribute_int(&attribute, &delay));
  assert_int_equal(delay, 5);
  radius_row_clear(&row);
}

static void rfc2866_5_10_a_cause_is_of_a_stop_alone(void **state) {
  static const AditAcctKind kinds[] = {ADIT_ACCT_START, ADIT_ACCT_INTERIM, ADIT_ACCT_STOP, ADIT_ACCT_ON, ADIT_ACCT_OFF};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    RadiusRow row = sample();
    RadiusAttribute attribute;
    RadiusBuilder b;

    row.kind = kinds[i];
    radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
    radius_row_put(&row, row.when_ms, NULL, &b);
    RadiusPacket packet = {.attributes = b.data + RADIUS_HEADER, .length = b.length - RADIUS_HEADER};
    assert_int_equal(radius_packet_find(&packet, 0, ACCT_TERMINATE_CAUSE, &attribute), kinds[i] == ADIT_ACCT_STOP);
    radius_row_clear(&row);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(called_station_is_found_in_what_is_read),
      cmocka_unit_test(what_is_cut_or_longer_is_refused),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(names_are_as_long_as_attributes),
      cmocka_unit_test(a_servers_own_realm_goes_before_the_users),
      cmocka_unit_test(rfc2866_5_10_a_cause_is_of_a_stop_alone),
  };
  return cmocka_run_group_tests_name("rows of accounting", tests, NULL, NULL);
}
