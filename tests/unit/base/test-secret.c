/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Locked memory: what is freed is wiped, what is used is kept apart, and all of it is locked. */
#include "core/base/logging.h"
#include "core/base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Whether the kernel keeps the page of `at` in memory, by the flag `lo`; and out of core files, by `dd`. */
static gboolean is_locked(const void *at) {
  g_autofree char *text = NULL;
  gboolean inside = FALSE;
  assert_true(g_file_get_contents("/proc/self/smaps", &text, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    unsigned long low, high;
    if (sscanf(lines[i], "%lx-%lx ", &low, &high) == 2)
      inside = (gsize)at >= low && (gsize)at < high;
    else if (inside && g_str_has_prefix(lines[i], "VmFlags:"))
      return strstr(lines[i], " lo") && strstr(lines[i], " dd");
  }
  return FALSE;
}

static gsize used(void) {
  gsize in_use, locked;
  adit_secret_sizes(&in_use, &locked);
  return in_use;
}

static void a_secret_is_locked_and_wiped(void **state) {
  gsize before = used();
  char *one = adit_secret_copy("correct horse"), *two = adit_secret_copy("battery staple");
  assert_string_equal(one, "correct horse");
  assert_true(is_locked(one) && is_locked(two));
  assert_int_equal(used() - before, sizeof "correct horse" + sizeof "battery staple");
  adit_secret_free(one);
  for (gsize i = sizeof(void *); i < sizeof "correct horse"; i++) /* the first octets are the list's */
    assert_int_equal(((volatile char *)one)[i], 0);
  assert_null(memmem(one, sizeof "correct horse", "correct", 7));
  assert_string_equal(two, "battery staple");
  char *three = adit_secret_copy("again");
  assert_ptr_equal(three, one); /* used again */
  adit_secret_free(two);
  adit_secret_free(three);
  adit_secret_free(NULL);
  assert_int_equal(used(), before);
}

static void octets_are_locked_aligned_and_wiped(void **state) {
  gsize before = used();
  guint8 *one = adit_secret_memory(20), *two = adit_secret_memory(10000);
  static const guint8 zeros[20] = {0};

  assert_true(is_locked((char *)one) && is_locked((char *)two));
  assert_int_equal((gsize)one % 16, 0);
  assert_int_equal((gsize)two % 16, 0);
  assert_memory_equal(one, zeros, 20);
  assert_int_equal(used() - before, 10020);
  memset(one, 0xaa, 20);
  memset(two, 0xbb, 10000);
  adit_secret_memory_free(one, 20);
  assert_memory_equal(one, zeros, 20);
  guint8 *three = adit_secret_memory(20);
  assert_ptr_equal(three, one);
  adit_secret_memory_free(two, 10000);
  adit_secret_memory_free(three, 20);
  adit_secret_memory_free(NULL, 20);
  assert_int_equal(used(), before);
}

/* Every size class, and beyond; seeds print nothing, as the order is fixed by the seed. */
static void many_sizes_keep_apart(void **state) {
  enum { N = 3000 };
  g_autofree char **text = g_new0(char *, N);
  g_autofree guint *length = g_new0(guint, N);
  GRand *rand = g_rand_new_with_seed(7);
  gsize before = used();

  for (guint round = 0; round < 4 * N; round++) {
    guint i = (guint)g_rand_int_range(rand, 0, N);
    if (text[i]) {
      assert_int_equal(strlen(text[i]), length[i]);
      for (guint k = 0; k < length[i]; k++)
        assert_int_equal(text[i][k], (char)('a' + i % 26));
      adit_secret_free(g_steal_pointer(&text[i]));
      continue;
    }
    length[i] = (guint)g_rand_int_range(rand, 0, round % 50 ? 90 : 20000);
    g_autofree char *fill = g_strnfill(length[i], (char)('a' + i % 26));
    text[i] = adit_secret_copy(fill);
  }
  for (guint i = 0; i < N; i++)
    adit_secret_free(text[i]);
  g_rand_free(rand);
  assert_int_equal(used(), before);
}

static void a_value_gives_its_secret_back(void **state) {
  gsize before = used();
  AditValue *value = adit_secret_value("hidden"), *again = adit_value_ref(value);
  assert_true(value->flags & ADIT_VALUE_IS_SECRET);
  assert_true(is_locked(value->as.string));
  adit_value_unref(value);
  assert_string_equal(again->as.string, "hidden");
  adit_value_unref(again);
  assert_int_equal(used(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_secret_is_locked_and_wiped),
      cmocka_unit_test(octets_are_locked_aligned_and_wiped),
      cmocka_unit_test(many_sizes_keep_apart),
      cmocka_unit_test(a_value_gives_its_secret_back),
  };
  adit_logging_init(ADIT_LOG_INFO);
  return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
