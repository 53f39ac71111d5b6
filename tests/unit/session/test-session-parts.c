/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The pure parts of a session: names, routes, and RouterOS's merging rule. */
#include "core/config/schema.h"
#include "core/session/config/attributes.h"
#include "core/session/config/options.h"
#include "core/session/config/profile.h"
#include "core/session/network/name.h"
#include "core/session/network/names.h"
#include "core/session/network/route.h"
#include <adit/session-options.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void short_plain_names_are_kept(void **state) {
  char out[ADIT_INTERFACE_NAME];
  assert_null(adit_interface_name("l2tp", "alice", 0, out));
  assert_string_equal(out, "l2tp-alice");
  assert_null(adit_interface_name("l2tp", "alice", 1, out));
  assert_string_equal(out, "l2tp-alice-1");
  assert_null(adit_interface_name("l2tp", "tenletters", 0, out));
  assert_string_equal(out, "l2tp-tenletters");
}

static void long_and_odd_names_are_cut_hashed_and_kept_in_full_beside(void **state) {
  char out[ADIT_INTERFACE_NAME], again[ADIT_INTERFACE_NAME], other[ADIT_INTERFACE_NAME];

  g_autofree char *full = adit_interface_name("l2tp", "someone@example.com", 0, out);
  assert_string_equal(full, "l2tp-someone@example.com");
  assert_int_equal(strlen(out), 15);
  g_autofree char *full2 = adit_interface_name("l2tp", "someone@example.com", 0, again);
  assert_string_equal(out, again);
  g_autofree char *full3 = adit_interface_name("l2tp", "someone@example.org", 0, other);
  assert_string_not_equal(out, other);

  g_autofree char *odd = adit_interface_name("l2tp", "a/b c", 0, out);
  assert_string_equal(odd, "l2tp-a_b_c");
  assert_null(strchr(out, '/'));
  assert_null(strchr(out, ' '));
  g_autofree char *utf8 = adit_interface_name("l2tp", "j\xc3\xbcrgen", 123, out);
  assert_non_null(utf8);
  assert_true(strlen(out) <= 15);
  assert_true(g_str_has_suffix(out, "-123"));

  g_autofree char *endless = g_strnfill(300, 'x');
  g_autofree char *cut = adit_interface_name("l2tp", endless, 0, out);
  assert_int_equal(strlen(cut), 127);
}

/* Each attempt to find a free one used to begin at the first, and to end at the thousandth. */
static void one_user_has_as_many_interfaces_as_it_likes(void **state) {
  enum { MANY = 50000 };
  g_autofree AditNameHold *hold = g_new0(AditNameHold, MANY);
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  gint64 since = g_get_monotonic_time();
  adit_names_init();
  for (guint i = 0; i < MANY; i++) {
    g_free(adit_names_take(&hold[i], "l2tp", i & 1 ? "someone@example.com" : "alice"));
    assert_true(g_hash_table_add(seen, hold[i].name));
  }
  print_message("%u names in %.1f ms\n", MANY, (double)(g_get_monotonic_time() - since) / 1e3);
  g_hash_table_remove_all(seen);
  assert_string_equal(hold[0].name, "l2tp-alice");
  assert_string_equal(hold[2].name, "l2tp-alice-1");
  /* The smallest number that is free is used again. */
  adit_names_give_back(&hold[2000]);
  adit_names_give_back(&hold[200]);
  assert_null(adit_names_take(&hold[200], "l2tp", "alice"));
  assert_string_equal(hold[200].name, "l2tp-alice-100");
  for (guint i = 0; i < MANY; i++)
    adit_names_give_back(&hold[i]);
  adit_names_give_back(&hold[0]);
  assert_null(adit_names_take(&hold[0], "l2tp", "alice"));
  assert_string_equal(hold[0].name, "l2tp-alice");
  adit_names_give_back(&hold[0]);
  adit_names_fini();
}

static void names_of_others_are_passed_over(void **state) {
  AditNameHold user = {.base = NULL}, first = {.base = NULL}, second = {.base = NULL}, third = {.base = NULL}, chosen = {.base = NULL};
  adit_names_init();
  assert_null(adit_names_take(&user, "l2tp", "ann-1"));
  assert_null(adit_names_take(&first, "l2tp", "ann"));
  assert_string_equal(first.name, "l2tp-ann");
  assert_null(adit_names_take(&second, "l2tp", "ann"));
  assert_string_equal(second.name, "l2tp-ann-2"); /* -1 is another user's */
  /* The kernel has one of that name: the next is tried, and that one not again. */
  assert_null(adit_names_take(&third, "l2tp", "ann"));
  assert_string_equal(third.name, "l2tp-ann-3");
  adit_names_refuse(&second);
  assert_null(adit_names_take(&second, "l2tp", "ann"));
  assert_string_equal(second.name, "l2tp-ann-4");
  assert_true(adit_names_take_chosen(&chosen, "customer7"));
  assert_false(adit_names_take_chosen(&(AditNameHold){.base = NULL}, "customer7"));
  assert_false(adit_names_take_chosen(&(AditNameHold){.base = NULL}, "l2tp-ann"));
  adit_names_give_back(&chosen);
  assert_true(adit_names_take_chosen(&chosen, "customer7"));
  AditNameHold *all[] = {&user, &first, &second, &third, &chosen};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++)
    adit_names_give_back(all[i]);
  adit_names_fini();
}

static void routes_have_one_syntax(void **state) {
  g_autoptr(GError) error = NULL;
  AditNetRoute route;

  assert_true(adit_route_parse("10.1.0.0/16", &route, NULL));
  assert_int_equal(route.to.length, 16);
  assert_false(adit_address_is_set(&route.via));
  assert_true(adit_route_parse("10.1.0.0/16  0.0.0.0 5", &route, NULL));
  assert_false(adit_address_is_set(&route.via));
  assert_int_equal(route.metric, 5);
  assert_true(adit_route_parse("2001:db8::/32 fe80::1", &route, NULL));
  assert_int_equal(route.via.family, AF_INET6);

  const char *const wrong[] = {"",           "x", "10.1.0.1/16", "10.0.0.0/8 fe80::1", "10.0.0.0/8 10.0.0.1 x", "10.0.0.0/8 10.0.0.1 1 2",
                               "10.0.0.0/33"};
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    assert_false(adit_route_parse(wrong[i], &route, &error));
    assert_non_null(error);
    g_clear_error(&error);
  }
}

static AditValue *address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return adit_value_address(&a);
}

static AditValue *defaulted(AditValue *v) {
  v->flags |= ADIT_VALUE_IS_DEFAULT;
  return v;
}

/* RouterOS: record over its profile over the service's default profile. */
static AditProfiles *three_levels(void) {
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *list = adit_value_list(), *gold = adit_value_map(), *base = adit_value_map();

  adit_value_set(gold, "name", adit_value_string("gold"));
  adit_value_set(gold, "remote-address", adit_value_string("gold-pool"));
  adit_value_set(gold, "idle-timeout", adit_value_int(1000));
  adit_value_set(gold, "only-one", adit_value_string("default"));
  adit_value_set(gold, "session-timeout", defaulted(adit_value_int(0)));
  adit_value_set(base, "name", adit_value_string("base"));
  adit_value_set(base, "local-address", address("192.0.2.1"));
  adit_value_set(base, "remote-address", adit_value_string("base-pool"));
  adit_value_set(base, "only-one", adit_value_string("yes"));
  adit_value_set(base, "session-timeout", adit_value_int(7000));
  adit_value_append(list, gold);
  adit_value_append(list, base);
  adit_value_set(config, "profiles", list);
  return adit_profiles_new(config);
}

static void record_beats_profile_beats_default_profile(void **state) {
  g_autoptr(AditProfiles) profiles = three_levels();
  g_autoptr(AditValue) record = adit_value_map();
  adit_value_set(record, "name", adit_value_string("alice"));
  adit_value_set(record, "password", adit_value_secret("x"));
  adit_value_set(record, "profile", adit_value_string("gold"));

  g_autoptr(AditValue) merged = adit_profiles_merge(profiles, record, "base");
  assert_string_equal(adit_value_get_string(merged, "remote-address", NULL), "gold-pool");
  assert_int_equal(adit_value_get_int(merged, "idle-timeout", 0), 1000);
  assert_int_equal(adit_value_get_int(merged, "session-timeout", 0), 7000); /* a default passes */
  assert_true(adit_attribute_yes(adit_option_only_one(merged), FALSE));     /* so does the word default */
  assert_null(adit_value_get(merged, "password"));
  assert_null(adit_value_get(merged, "name"));
}

/* Sixty thousand users of one profile have one map. */
static void sessions_without_attributes_of_their_own_share_a_map(void **state) {
  g_autoptr(AditProfiles) profiles = three_levels();
  g_autoptr(AditValue) alice = adit_value_map(), bob = adit_value_map(), carol = adit_value_map();
  AditValue *const records[] = {alice, bob, carol};

  for (guint i = 0; i < G_N_ELEMENTS(records); i++) {
    adit_value_set(records[i], "password", adit_value_secret("x"));
    adit_value_set(records[i], "profile", adit_value_string("gold"));
    adit_value_set(records[i], "session-timeout", defaulted(adit_value_int(0)));
  }
  adit_value_set(carol, "idle-timeout", adit_value_int(2000));
  g_autoptr(AditValue) of_alice = adit_profiles_merge(profiles, alice, "base"), of_bob = adit_profiles_merge(profiles, bob, "base");
  g_autoptr(AditValue) of_carol = adit_profiles_merge(profiles, carol, "base");
  g_autoptr(AditValue) elsewhere = adit_profiles_merge(profiles, alice, "default");
  assert_ptr_equal(of_alice, of_bob);
  assert_ptr_not_equal(of_alice, of_carol);
  assert_int_equal(adit_value_get_int(of_alice, "idle-timeout", 0), 1000);
  assert_int_equal(adit_value_get_int(of_carol, "idle-timeout", 0), 2000);
  assert_int_equal(adit_value_get_int(of_carol, "session-timeout", 0), 7000);
  assert_int_equal(adit_value_get_int(elsewhere, "session-timeout", 1), 0);
}

static void an_address_beats_a_pool_wherever_it_stands(void **state) {
  g_autoptr(AditProfiles) profiles = three_levels();
  g_autoptr(AditValue) record = adit_value_map();
  adit_value_set(record, "profile", adit_value_string("gold"));
  adit_value_set(record, "local-address", adit_value_string("record-pool"));

  g_autoptr(AditValue) merged = adit_profiles_merge(profiles, record, "base");
  AditAddress a;
  char text[ADIT_ADDRESS_TEXT];
  assert_true(adit_value_get_address(merged, "local-address", &a));
  assert_string_equal(adit_address_format(&a, text), "192.0.2.1");
}

static void unknown_profiles_and_no_record_fall_through(void **state) {
  g_autoptr(AditProfiles) profiles = three_levels();
  g_autoptr(AditValue) merged = adit_profiles_merge(profiles, NULL, "base");
  assert_string_equal(adit_value_get_string(merged, "remote-address", NULL), "base-pool");
  g_autoptr(AditValue) nothing = adit_profiles_merge(profiles, NULL, "default");
  assert_int_equal(adit_value_length(nothing), 0);
  assert_false(adit_attribute_yes(adit_option_only_one(nothing), FALSE));
  assert_true(adit_attribute_yes(adit_option_change_tcp_mss(nothing), TRUE));
}

/* As RouterOS's: an administrator who changes something else in it does not switch encryption off by that. */
static void default_encryption_encrypts_unless_it_says_otherwise(void **state) {
  static const char *const said[] = {NULL, "default", "no", "required"}, *const want[] = {"yes", "yes", "no", "required"};
  g_autoptr(AditValue) empty = adit_value_map();
  g_autoptr(AditProfiles) built_in = adit_profiles_new(empty);
  g_autoptr(AditValue) own = adit_profiles_merge(built_in, NULL, "default-encryption");
  assert_string_equal(adit_option_use_encryption(own), "yes");

  for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
    g_autoptr(AditValue) config = adit_value_map();
    AditValue *list = adit_value_list(), *item = adit_value_map();
    adit_value_set(item, "name", adit_value_string("default-encryption"));
    adit_value_set(item, "session-timeout", adit_value_int(60));
    if (said[i])
      adit_value_set(item, "use-encryption", adit_value_string(said[i]));
    adit_value_append(list, item);
    adit_value_set(config, "profiles", list);
    g_autoptr(AditProfiles) profiles = adit_profiles_new(config);
    g_autoptr(AditValue) merged = adit_profiles_merge(profiles, NULL, "default-encryption");
    assert_string_equal(adit_option_use_encryption(merged), want[i]);
    assert_int_equal(adit_value_get_int(merged, "session-timeout", 0), 60);
  }
}

/* A plugin's own option has its default in profiles that nobody wrote, too. */
static void built_in_profiles_have_all_defaults(void **state) {
  static const AditOption own = {.name = "colour", .scopes = "profile", .type = ADIT_TYPE_STRING, .fallback = "blue"};
  g_autoptr(AditSchema) schema = adit_schema_new();
  g_autoptr(AditValue) empty = adit_value_map();

  assert_true(adit_schema_add(schema, "core", adit_session_options, adit_session_n_options));
  assert_true(adit_schema_add(schema, "plugin", &own, 1));
  adit_session_set_schema(schema);
  g_autoptr(AditProfiles) profiles = adit_profiles_new(empty);
  g_autoptr(AditValue) merged = adit_profiles_merge(profiles, NULL, "default-encryption");
  adit_session_set_schema(NULL);
  assert_string_equal(adit_value_get_string(merged, "colour", NULL), "blue");
  assert_string_equal(adit_option_use_ipv4(merged), "default");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_plain_names_are_kept),
      cmocka_unit_test(long_and_odd_names_are_cut_hashed_and_kept_in_full_beside),
      cmocka_unit_test(one_user_has_as_many_interfaces_as_it_likes),
      cmocka_unit_test(names_of_others_are_passed_over),
      cmocka_unit_test(routes_have_one_syntax),
      cmocka_unit_test(record_beats_profile_beats_default_profile),
      cmocka_unit_test(sessions_without_attributes_of_their_own_share_a_map),
      cmocka_unit_test(an_address_beats_a_pool_wherever_it_stands),
      cmocka_unit_test(unknown_profiles_and_no_record_fall_through),
      cmocka_unit_test(default_encryption_encrypts_unless_it_says_otherwise),
      cmocka_unit_test(built_in_profiles_have_all_defaults),
  };
  return cmocka_run_group_tests_name("session parts", tests, NULL, NULL);
}
