/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* RFC 3079's keys. Its 2.5.3 step 3 has CA for C1, and its 3.5.2 has 58 for the last octet B8: misprints. */
#include "frames.h"
#include "plugins/ccp/mppe-rc4.h"

static void unhex(const char *text, guint8 *out) {
  for (; *text; text += 2)
    *out++ = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
}

static void assert_hex(const guint8 *got, const char *want) {
  guint8 octets[64];
  unhex(want, octets);
  assert_memory_equal(got, octets, strlen(want) / 2);
}

typedef struct {
  const char *start;
  guint32 strength;
  const char *key, *message; /* RC4 of "test message"; NULL = the RFC has none */
} Vector;

static void assert_vectors(const Vector *vectors, gsize n) {
  for (gsize i = 0; i < n; i++) {
    guint8 start[MPPE_KEY] = {0}, message[12];
    struct arcfour_ctx rc4;
    MppeKey key;
    unhex(vectors[i].start, start);
    mppe_key_init(&key, start, vectors[i].strength);
    assert_int_equal(key.length, strlen(vectors[i].key) / 2);
    assert_hex(key.current, vectors[i].key);
    if (!vectors[i].message)
      continue;
    arcfour_set_key(&rc4, key.length, key.current);
    arcfour_crypt(&rc4, sizeof message, message, (const guint8 *)"test message");
    assert_hex(message, vectors[i].message);
  }
}

static void rfc3079_3_5_keys_of_mschap2(void **unused) {
  static const Vector vectors[] = {
      {"8B7CDC149B993A1B", MPPE_40, "D1269EC49FA62E3E", "929137917E5803D668D75898"},
      {"8B7CDC149B993A1B", MPPE_56, "D15C00C49FA62E3E", "3F106833FA448DA842BC57B8"},
      {"8B7CDC149B993A1BA118CB153F56DCCB", MPPE_128, "405CB2247A7956E6E211007AE27B22D4", "81848317DF68846272FB5ABE"}};
  assert_vectors(vectors, G_N_ELEMENTS(vectors));
}

static void rfc3079_2_5_keys_of_mschap1(void **unused) {
  static const Vector vectors[] = {{"76A152936096D783", MPPE_40, "D1269E538CEC4A08", NULL},
                                   {"76A152936096D783", MPPE_56, "D10801538CEC4A08", NULL},
                                   {"A8947850CFC0ACC1D1789FB62DDCDDB0", MPPE_128, "59D159BC09F76F1DA2A86A28FFEC0B1E", NULL}};
  assert_vectors(vectors, G_N_ELEMENTS(vectors));
}

/* Short keys stay as short as they are. */
static void rfc3078_7_3_changed_keys_stay_as_weak(void **unused) {
  static const guint8 start[MPPE_KEY] = "0123456789abcdef";
  MppeKey key40, key56, key128;

  mppe_key_init(&key40, start, MPPE_40);
  mppe_key_init(&key56, start, MPPE_56);
  mppe_key_init(&key128, start, MPPE_128);
  for (guint i = 0; i < 1000; i++) {
    guint8 before[MPPE_KEY];
    memcpy(before, key128.current, MPPE_KEY);
    mppe_key_change(&key40);
    mppe_key_change(&key56);
    mppe_key_change(&key128);
    assert_hex(key40.current, "D1269E");
    assert_hex(key56.current, "D1");
    assert_memory_not_equal(before, key128.current, MPPE_KEY);
  }
  assert_memory_not_equal(key40.current + 3, key56.current + 3, 5);
}

static void keys_of_rc4_are_set_as_nettle_does(void **unused) {
  g_autoptr(GRand) random = g_rand_new_with_seed(3079);
  for (guint length = 8; length <= MPPE_KEY; length *= 2)
    for (guint i = 0; i < 1000; i++) {
      guint8 key[MPPE_KEY];
      struct arcfour_ctx ours, theirs;
      for (guint k = 0; k < length; k++)
        key[k] = (guint8)g_rand_int(random);
      mppe_rc4_set_key(&ours, length, key);
      arcfour_set_key(&theirs, length, key);
      assert_memory_equal(&ours, &theirs, sizeof ours);
    }
}

static void strengths_have_an_order(void **unused) {
  assert_int_equal(mppe_strongest(MPPE_40 | MPPE_56 | MPPE_128 | MPPE_STATELESS), MPPE_128);
  assert_int_equal(mppe_strongest(MPPE_40 | MPPE_56), MPPE_56);
  assert_int_equal(mppe_strongest(MPPE_40 | MPPE_MPPC), MPPE_40);
  assert_int_equal(mppe_strongest(MPPE_OBSOLETE | MPPE_STATELESS), 0);
  assert_int_equal(mppe_strength_bits(MPPE_40), 40);
  assert_int_equal(mppe_strength_bits(MPPE_56), 56);
  assert_int_equal(mppe_strength_bits(MPPE_128), 128);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc3079_3_5_keys_of_mschap2),
      cmocka_unit_test(rfc3079_2_5_keys_of_mschap1),
      cmocka_unit_test(rfc3078_7_3_changed_keys_stay_as_weak),
      cmocka_unit_test(keys_of_rc4_are_set_as_nettle_does),
      cmocka_unit_test(strengths_have_an_order),
  };
  return cmocka_run_group_tests_name("mppe keys", tests, NULL, NULL);
}
