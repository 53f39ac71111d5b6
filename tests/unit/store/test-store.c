/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The store: order, durability across kill -9, damaged files. */
#include "core/base/logging.h"
#include "core/base/loop.h"
#include "core/store/store.h"
#include "tests/lib/loop.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 20000 };

static const AditStoreService *store;
static char *dir, *path;

static int setup(void **state) {
  store = adit_store_service();
  dir = g_dir_make_tmp("adit-store-XXXXXX", NULL);
  path = g_build_filename(dir, "adit.db", NULL);
  return dir ? 0 : -1;
}

static int teardown(void **state) {
  GDir *d = g_dir_open(dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));) {
    g_autofree char *file = g_build_filename(dir, name, NULL);
    g_unlink(file);
  }
  g_dir_close(d);
  g_rmdir(dir);
  g_free(dir);
  g_free(path);
  return 0;
}

static void begin(const char *where) {
  adit_loop_init();
  assert_true(adit_store_open(where, NULL));
}

static void end(void) {
  adit_store_close();
  adit_loop_fini();
}

typedef struct {
  guint n, errors;
} Result;

static void on_done(gpointer user, const GError *error) {
  Result *r = user;
  r->n++;
  r->errors += error != NULL;
}

typedef struct {
  GString *text;
  guint n;
  gboolean end, failed;
} Rows;

static void on_row(gpointer user, const char *key, const guint8 *data, gsize length) {
  Rows *r = user;
  assert_false(r->end);
  r->n++;
  g_string_append_printf(r->text, "%s=%.*s ", key, (int)length, (const char *)data);
}

static void on_loaded(gpointer user, const GError *error) {
  Rows *r = user;
  assert_false(r->end);
  r->end = TRUE;
  r->failed = error != NULL;
}

/* A part of the table as `key=data key=data `. */
static char *some_rows(const char *table, const char *after, guint limit) {
  Rows r = {.text = g_string_new(NULL)};
  store->load(table, after, limit, on_row, on_loaded, &r);
  assert_true(TEST_LOOP_UNTIL(r.end, PATIENCE));
  assert_false(r.failed);
  return g_string_free(r.text, FALSE);
}

static char *rows(const char *table) {
  return some_rows(table, NULL, 0);
}

static void put(const char *table, const char *key, const char *data, Result *result) {
  store->put(table, key, data, strlen(data), result ? on_done : NULL, result);
}

static void assert_rows(const char *table, const char *want) {
  g_autofree char *have = rows(table);
  assert_string_equal(have, want);
}

static void a_load_sees_all_earlier_writes_in_order_of_key(void **state) {
  Result r = {0};
  begin(NULL);
  put("a", "2", "two", NULL);
  put("a", "1", "one", &r);
  put("b", "1", "other", NULL);
  put("a", "3", "three", NULL);
  put("a", "1", "ONE", NULL);
  store->remove("a", "3", on_done, &r);
  store->remove("a", "never", on_done, &r);
  assert_rows("a", "1=ONE 2=two ");
  assert_int_equal(r.n, 3); /* completions come in order, too */
  assert_int_equal(r.errors, 0);
  assert_rows("b", "1=other ");
  assert_rows("none", "");
  end();
}

static void a_table_can_be_read_in_parts(void **state) {
  begin(NULL);
  for (guint i = 0; i < 5; i++)
    put("a", (char[2]){(char)('1' + i), 0}, "x", NULL);
  put("b", "3", "other", NULL);
  static const struct {
    const char *after;
    guint limit;
    const char *want;
  } part[] = {{NULL, 2, "1=x 2=x "}, {"2", 2, "3=x 4=x "}, {"4", 2, "5=x "}, {"5", 2, ""}, {"25", 0, "3=x 4=x 5=x "}};
  for (guint i = 0; i < G_N_ELEMENTS(part); i++) {
    g_autofree char *have = some_rows("a", part[i].after, part[i].limit);
    assert_string_equal(have, part[i].want);
  }
  end();
}

static void a_load_does_not_see_later_writes(void **state) {
  Rows before = {.text = g_string_new(NULL)};
  begin(":memory:");
  put("a", "1", "one", NULL);
  store->load("a", NULL, 0, on_row, on_loaded, &before);
  put("a", "2", "two", NULL);
  assert_rows("a", "1=one 2=two ");
  assert_string_equal(before.text->str, "1=one ");
  g_string_free(before.text, TRUE);
  end();
}

static void on_binary(gpointer user, const char *key, const guint8 *data, gsize length) {
  if (g_str_equal(key, "zero"))
    assert_true(length == 2 && memcmp(data, "\0x", 2) == 0);
  on_row(user, key, data, length);
}

static void binary_and_empty_data(void **state) {
  Rows r = {.text = g_string_new(NULL)};
  begin(NULL);
  store->put("a", "empty", NULL, 0, NULL, NULL);
  store->put("a", "zero", "\0x", 2, NULL, NULL);
  store->load("a", NULL, 0, on_binary, on_loaded, &r);
  assert_true(TEST_LOOP_UNTIL(r.end, PATIENCE));
  assert_string_equal(r.text->str, "empty= zero= "); /* printed up to the zero octet */
  g_string_free(r.text, TRUE);
  end();
}

static void what_was_done_outlives_a_clean_end(void **state) {
  Result r = {0};
  begin(path);
  for (guint i = 0; i < 100; i++) {
    g_autofree char *key = g_strdup_printf("%03u", i);
    put("a", key, "x", &r);
  }
  end(); /* writes and completes what is queued */
  GStatBuf st;
  assert_int_equal(g_stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_int_equal(r.n, 100);
  assert_int_equal(r.errors, 0);
  begin(path);
  g_autofree char *have = rows("a");
  assert_int_equal(strlen(have), 100 * strlen("000=x "));
  end();
}

/* The child: writes, says which writes are done, and waits to be killed. */
static void child_run(int report) {
  Result r = {0};
  adit_loop_init();
  if (!adit_store_open(path, NULL))
    _exit(2);
  for (guint i = 0;; i++) {
    g_autofree char *key = g_strdup_printf("%06u", i);
    put("a", key, "x", &r);
    if (!TEST_LOOP_UNTIL(r.n == i + 1, PATIENCE) || r.errors)
      _exit(3);
    if (write(report, &i, sizeof i) != sizeof i)
      _exit(4);
  }
}

static void what_was_done_outlives_kill_9(void **state) {
  int fd[2], status;
  guint last = 0;
  assert_int_equal(pipe(fd), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    close(fd[0]);
    child_run(fd[1]);
  }
  close(fd[1]);
  while (last < 30)
    assert_int_equal(read(fd[0], &last, sizeof last), sizeof last);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  for (guint more; read(fd[0], &more, sizeof more) == sizeof more;)
    last = more;
  close(fd[0]);

  begin(path);
  g_autofree char *have = rows("a");
  for (guint i = 0; i <= last; i++) {
    g_autofree char *want = g_strdup_printf("%06u=x ", i);
    assert_non_null(strstr(have, want));
  }
  end();
}

static guint moved_aside(void) {
  GDir *d = g_dir_open(dir, 0, NULL);
  guint n = 0;
  for (const char *name; (name = g_dir_read_name(d));)
    n += g_str_has_prefix(name, "adit.db.corrupt-") && !g_str_has_suffix(name, "-wal") && !g_str_has_suffix(name, "-shm");
  g_dir_close(d);
  return n;
}

static void junk_in_place_of_the_file_is_moved_aside(void **state) {
  g_autofree char *junk = g_strnfill(8192, 'J');
  assert_true(g_file_set_contents(path, junk, 8192, NULL));
  begin(path);
  assert_int_equal(moved_aside(), 1);
  put("a", "1", "one", NULL);
  assert_rows("a", "1=one ");
  end();
}

static void a_damaged_page_is_found_at_start(void **state) {
  begin(path);
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *key = g_strdup_printf("%06u", i);
    put("a", key, "some data that fills pages", NULL);
  }
  end();
  g_autofree char *text = NULL;
  gsize length;
  assert_true(g_file_get_contents(path, &text, &length, NULL));
  assert_true(length > 5 * 4096);
  memset(text + 2 * 4096, 0xee, 2 * 4096);
  assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
  begin(path);
  assert_int_equal(moved_aside(), 1);
  assert_rows("a", "");
  end();
}

static void a_path_that_cannot_be_opened_is_an_error(void **state) {
  g_autoptr(GError) error = NULL;
  g_autofree char *nowhere = g_build_filename(dir, "no", "such", "dir", NULL);
  adit_loop_init();
  assert_false(adit_store_open(nowhere, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_SYSTEM));
  adit_loop_fini();
}

static void without_a_store_all_fails(void **state) {
  Result r = {0};
  Rows none = {0};
  adit_loop_init();
  put("a", "1", "one", &r);
  store->load("a", NULL, 0, on_row, on_loaded, &none);
  assert_true(TEST_LOOP_UNTIL(none.end, PATIENCE));
  assert_true(none.failed);
  assert_int_equal(none.n, 0);
  assert_int_equal(r.n, 1);
  assert_int_equal(r.errors, 1);
  adit_loop_fini();
}

static void many_writes_share_few_syncs(void **state) {
  Result r = {0};
  begin(path);
  gint64 start = g_get_monotonic_time();
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *key = g_strdup_printf("%06u", i);
    put("a", key, "x", &r);
  }
  assert_true(TEST_LOOP_UNTIL(r.n == 20000, PATIENCE));
  assert_int_equal(r.errors, 0);
  print_message("20,000 durable writes in %d ms\n", (int)((g_get_monotonic_time() - start) / 1000));
  end();
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_load_sees_all_earlier_writes_in_order_of_key),
      T(a_table_can_be_read_in_parts),
      T(a_load_does_not_see_later_writes),
      T(binary_and_empty_data),
      T(what_was_done_outlives_a_clean_end),
      T(what_was_done_outlives_kill_9),
      T(junk_in_place_of_the_file_is_moved_aside),
      T(a_damaged_page_is_found_at_start),
      T(a_path_that_cannot_be_opened_is_an_error),
      T(without_a_store_all_fails),
      T(many_writes_share_few_syncs),
  };
  adit_logging_init(ADIT_LOG_WARNING);
  return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
