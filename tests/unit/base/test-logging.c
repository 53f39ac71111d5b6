/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Log lines: their form, what is dropped, and that a user's name cannot forge one. */
#define G_LOG_DOMAIN "adit-test"
#include "core/base/logging.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static int saved, reader;

static int capture(void **state) {
  int fd[2];
  assert_true(g_unix_open_pipe(fd, FD_CLOEXEC, NULL));
  assert_true(g_unix_set_fd_nonblocking(fd[0], TRUE, NULL));
  saved = dup(STDERR_FILENO);
  assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
  close(fd[1]);
  reader = fd[0];
  adit_logging_init(ADIT_LOG_INFO);
  return 0;
}

static int release(void **state) {
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(reader);
  return 0;
}

static char *caught(void) {
  char buffer[4096];
  gssize n = read(reader, buffer, sizeof buffer);
  return g_strndup(buffer, n > 0 ? (gsize)n : 0);
}

static void a_line_has_time_level_domain_context_and_message(void **state) {
  AditLogContext context = {.session = 0x1f, .user = "alice", .peer = "192.0.2.7:1701"};
  adit_info(&context, "up after %d ms", 12);
  g_autofree char *line = caught();
  assert_true(g_regex_match_simple("^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} info adit-test: \\[192\\.0\\.2\\.7:1701 alice 1f\\] up after 12 ms\n$",
                                   line, 0, 0));
}

static void without_context_there_are_no_brackets(void **state) {
  adit_error(NULL, "broken");
  g_autofree char *line = caught();
  assert_true(g_regex_match_simple("^\\S+ error adit-test: broken\n$", line, 0, 0));
}

static void levels_are_dropped_as_set(void **state) {
  adit_debug(NULL, "no");
  adit_logging_set_level(ADIT_LOG_WARNING);
  adit_info(NULL, "no");
  adit_notice(NULL, "no");
  adit_warning(NULL, "yes1");
  adit_logging_set_level(ADIT_LOG_DEBUG);
  adit_debug(NULL, "yes2");
  adit_logging_set_level(ADIT_LOG_INFO);
  adit_debug(NULL, "no");
  g_message("yes3");
  g_autofree char *lines = caught();
  assert_null(strstr(lines, "no\n"));
  assert_non_null(strstr(lines, "warning adit-test: yes1\n"));
  assert_non_null(strstr(lines, "debug adit-test: yes2\n"));
  assert_non_null(strstr(lines, "notice adit-test: yes3\n"));
}

static void control_octets_from_the_wire_are_escaped(void **state) {
  AditLogContext context = {.user = "eve\n12:00:00.000 info adit: [root] all is well\x1b[2J"};
  adit_info(&context, "caf\xc3\xa9 \xff");
  g_autofree char *line = caught();
  assert_non_null(strstr(line, "[eve\\x0a12:00:00.000 info adit: [root] all is well\\x1b[2J] caf\xc3\xa9 \\xff\n"));
  assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void level_words_are_parsed(void **state) {
  AditLogLevel level = ADIT_LOG_INFO;
  assert_true(adit_logging_level_parse("debug", &level));
  assert_int_equal(level, ADIT_LOG_DEBUG);
  assert_true(adit_logging_level_parse("error", &level));
  assert_int_equal(level, ADIT_LOG_ERROR);
  assert_false(adit_logging_level_parse("loud", &level));
}

static void the_line_has_the_wall_clock(void **state) {
  GLogField fields[] = {{"MESSAGE", "x", -1}};
  g_setenv("TZ", "UTC", TRUE);
  g_autofree char *line = adit_logging_line(G_LOG_LEVEL_WARNING, fields, 1, (12 * 3600 + 34 * 60 + 56) * (gint64)G_USEC_PER_SEC + 7000);
  assert_string_equal(line, "12:34:56.007 warning adit: x\n");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, capture, release)
  const struct CMUnitTest tests[] = {
      T(a_line_has_time_level_domain_context_and_message),
      T(without_context_there_are_no_brackets),
      T(levels_are_dropped_as_set),
      T(control_octets_from_the_wire_are_escaped),
      cmocka_unit_test(level_words_are_parsed),
      cmocka_unit_test(the_line_has_the_wall_clock),
  };
  return cmocka_run_group_tests_name("logging", tests, NULL, NULL);
}
