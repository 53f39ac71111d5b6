/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The socket: who may come, how many, and what becomes of those who do not read. */
#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/control/varlink.h"
#include "tests/lib/loop.h"
#include "tests/unit/control/sample.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
  char *dir, *path;
} Ctx;

static int setup(void **state) {
  Ctx *ctx = g_new0(Ctx, 1);
  ctx->dir = g_dir_make_tmp("adit-control-XXXXXX", NULL);
  g_chmod(ctx->dir, 0755);
  ctx->path = g_build_filename(ctx->dir, "run", "s", NULL);
  adit_loop_init();
  adit_bus_init();
  adit_control_init();
  sample_add();
  *state = ctx;
  return 0;
}

static int teardown(void **state) {
  Ctx *ctx = *state;
  g_autofree char *run = g_build_filename(ctx->dir, "run", NULL);
  adit_control_fini();
  adit_bus_fini();
  adit_loop_fini();
  assert_int_equal(g_access(ctx->path, F_OK), -1); /* it is gone with the daemon */
  g_rmdir(run);
  g_rmdir(ctx->dir);
  g_free(ctx->path);
  g_free(ctx->dir);
  g_free(ctx);
  return 0;
}

static void begin(Ctx *ctx, const char *group) {
  g_autoptr(GError) error = NULL;
  if (!adit_control_start(ctx->path, group, FALSE, &error))
    fail_msg("%s", error->message);
}

static int dial(Ctx *ctx) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_strlcpy(address.sun_path, ctx->path, sizeof address.sun_path);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static void say(int fd, const char *message) {
  assert_int_equal(send(fd, message, strlen(message) + 1, MSG_NOSIGNAL), strlen(message) + 1);
}

/* What has come so far; "EOF" at the end. */
static gboolean take(int fd, GString *heard) {
  char buffer[65536];
  for (;;) {
    gssize got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN)
      return FALSE;
    if (got <= 0) {
      g_string_append(heard, "EOF");
      return TRUE;
    }
    for (gssize i = 0; i < got; i++)
      g_string_append_c(heard, buffer[i] ? buffer[i] : '\n');
  }
}

static void expect(int fd, const char *part) {
  g_autoptr(GString) heard = g_string_new(NULL);
  if (!TEST_LOOP_UNTIL((take(fd, heard), strstr(heard->str, part)), 5000))
    fail_msg("no %s in %.200s", part, heard->str);
}

static void a_call_over_the_socket(void **state) {
  begin(*state, NULL);
  int fd = dial(*state);
  say(fd, "{\"method\":\"io.adit.sample.Change\"}");
  expect(fd, "{\"parameters\":{}}");
  assert_int_equal(adit_control_stats.connections, 1);
  close(fd);
  assert_true(TEST_LOOP_UNTIL(!adit_control_stats.connections, 2000));
}

static void a_half_closed_caller_still_gets_its_answer(void **state) {
  begin(*state, NULL);
  int fd = dial(*state);
  say(fd, "{\"method\":\"io.adit.sample.Later\"}");
  shutdown(fd, SHUT_WR);
  assert_true(TEST_LOOP_UNTIL(sample_call, 2000));
  test_loop_drain();
  adit_control_service()->reply(sample_call, adit_value_map(), FALSE);
  expect(fd, "{\"parameters\":{}}\nEOF");
  close(fd);
}

static void must_be_root(void) {
  if (geteuid() != 0) {
    print_message("only root can be somebody else: skipped\n");
    skip();
  }
}

/* Connects as another user. */
static int dial_as(Ctx *ctx, uid_t uid) {
  assert_int_equal(seteuid(uid), 0);
  int fd = dial(ctx);
  assert_int_equal(seteuid(0), 0);
  return fd;
}

static void a_stranger_may_neither_look_nor_touch(void **state) {
  Ctx *ctx = *state;
  g_autoptr(GError) error = NULL;

  must_be_root();
  assert_true(adit_control_start(ctx->path, "no-such-group-here", FALSE, &error));
  int fd = dial_as(ctx, 65534);
  say(fd, "{\"method\":\"io.adit.sample.Change\"}");
  expect(fd, "PermissionDenied");
  say(fd, "{\"method\":\"io.adit.sample.Echo\"}");
  expect(fd, "usermod -aG no-such-group-here USER");
  say(fd, "{\"method\":\"io.adit.sample.Public\"}");
  expect(fd, "echo");
  close(fd);
}

static void a_stranger_may_look_where_all_may_read(void **state) {
  Ctx *ctx = *state;
  g_autoptr(GError) error = NULL;

  must_be_root();
  assert_true(adit_control_start(ctx->path, NULL, TRUE, &error));
  int fd = dial_as(ctx, 65534);
  say(fd, "{\"method\":\"io.adit.sample.Change\"}");
  expect(fd, "PermissionDenied");
  say(fd, "{\"method\":\"io.adit.sample.Echo\"}");
  expect(fd, "echo");
  close(fd);
}

static void the_admin_group_may_touch(void **state) {
  const struct group *group = getgrgid(65534);
  gid_t before = getegid();
  if (geteuid() != 0 || !group) {
    print_message("needs root, and a group 65534: skipped\n");
    skip();
  }
  begin(*state, group->gr_name);
  assert_int_equal(setegid(65534), 0);
  assert_int_equal(seteuid(65534), 0);
  int fd = dial(*state);
  assert_int_equal(seteuid(0), 0);
  assert_int_equal(setegid(before), 0);
  say(fd, "{\"method\":\"io.adit.sample.Change\"}");
  expect(fd, "{\"parameters\":{}}");
  close(fd);
}

static void who_does_not_read_a_stream_is_dropped(void **state) {
  g_autofree char *text = g_strnfill(50000, 'x');
  begin(*state, NULL);
  int fd = dial(*state);
  say(fd, "{\"method\":\"io.adit.sample.Stream\",\"more\":true}");
  assert_true(TEST_LOOP_UNTIL(sample_call, 2000));
  for (guint i = 0; i < 1000 && sample_call; i++) {
    AditValue *result = adit_value_map();
    adit_value_set(result, "text", adit_value_string(text));
    adit_control_service()->reply(sample_call, result, TRUE);
    test_loop_drain();
  }
  assert_int_equal(sample_gone, 1);
  assert_int_equal(adit_control_stats.slow, 1);
  assert_int_equal(adit_control_stats.connections, 0);
  close(fd);
}

static void who_reads_gets_a_list_of_any_length(void **state) {
  g_autoptr(GString) heard = g_string_new(NULL);
  begin(*state, NULL);
  int fd = dial(*state);
  say(fd, "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":3000},\"more\":true}");
  assert_true(TEST_LOOP_UNTIL((take(fd, heard), g_str_has_suffix(heard->str, "]}}\n")), 10000));
  assert_true(heard->len > 3000000);
  close(fd);
}

static void junk_is_hung_up_on(void **state) {
  begin(*state, NULL);
  int fd = dial(*state);
  say(fd, "GET / HTTP/1.0");
  expect(fd, "EOF");
  close(fd);
}

static guint64 displaced(void) {
  return adit_control_stats.displaced;
}

/* 80 of root, none of which ever asks: as many as there may be stay, and a further one always gets in. */
static void root_always_gets_in(void **state) {
  int fds[80];

  must_be_root();
  begin(*state, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
    fds[i] = dial(*state);
    test_loop_drain();
  }
  assert_int_equal(adit_control_stats.connections, 64);
  assert_int_equal(displaced(), 16);
  expect(fds[0], "EOF"); /* the one that was idle for longest */
  say(fds[79], "{\"method\":\"io.adit.sample.Echo\"}");
  expect(fds[79], "echo");
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
    close(fds[i]);
}

/* Half a request and then silence, on 48 connections of one user, and calls without an end on as many: another user gets in, and so does
 * root. */
static void one_user_takes_no_more_than_a_share(void **state) {
  int fds[96];
  guint refused = 0;

  must_be_root();
  begin(*state, NULL);
  for (guint i = 0; i < 48; i++) {
    fds[i] = dial_as(*state, 65534);
    assert_int_equal(send(fds[i], "{\"method\":", 10, MSG_NOSIGNAL), 10);
    test_loop_drain();
  }
  assert_int_equal(adit_control_stats.connections, 8); /* its oldest idle ones made place */
  for (guint i = 48; i < 96; i++) {
    fds[i] = dial_as(*state, 65533);
    test_loop_drain();
    send(fds[i], "{\"method\":\"io.adit.sample.Public\"}", 35, MSG_NOSIGNAL);
    test_loop_drain();
  }
  assert_in_range(adit_control_stats.connections, 8, 16);
  int other = dial_as(*state, 65532), root = dial(*state);
  say(other, "{\"method\":\"io.adit.sample.Public\"}");
  expect(other, "echo");
  say(root, "{\"method\":\"io.adit.sample.Change\"}");
  expect(root, "{\"parameters\":{}}");
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
    GString *heard = g_string_new(NULL);
    take(fds[i], heard);
    refused += strstr(heard->str, "EOF") != NULL;
    g_string_free(heard, TRUE);
    close(fds[i]);
  }
  print_message("96 connections of two users: %u closed, root and a third user served\n", refused);
  assert_in_range(refused, 80, 96);
  close(other);
  close(root);
}

/* Connections at work are not displaced by their own user's next one: that is refused, with a reason. */
static void a_user_whose_connections_all_work_is_told(void **state) {
  Ctx *ctx = *state;
  g_autoptr(GError) error = NULL;
  int fds[9];

  must_be_root();
  assert_true(adit_control_start(ctx->path, NULL, TRUE, &error));
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
    fds[i] = dial_as(ctx, 65534);
    test_loop_drain();
    if (i < 8)
      say(fds[i], "{\"method\":\"io.adit.sample.Stream\",\"more\":true}");
    test_loop_drain();
  }
  expect(fds[8], "io.adit.TooManyConnections");
  assert_int_equal(adit_control_stats.connections, 8);
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
    close(fds[i]);
}

/* Everything is full of eight users' connections: a ninth user's newcomer takes one from the user that has most. */
static void a_newcomer_displaces_the_greediest(void **state) {
  GPtrArray *fds = g_ptr_array_new();

  must_be_root();
  begin(*state, NULL);
  for (guint i = 0; i < 64; i++) {
    g_ptr_array_add(fds, GINT_TO_POINTER(dial_as(*state, 60000 + i / 8)));
    test_loop_drain();
  }
  assert_int_equal(adit_control_stats.connections, 64);
  int fd = dial_as(*state, 60100);
  say(fd, "{\"method\":\"io.adit.sample.Public\"}");
  expect(fd, "echo");
  assert_int_equal(adit_control_stats.connections, 64);
  assert_int_equal(displaced(), 1);
  close(fd);
  for (guint i = 0; i < fds->len; i++)
    close(GPOINTER_TO_INT(fds->pdata[i]));
  g_ptr_array_unref(fds);
}

/* A peer that stalls twice: the first time it reads in the end, the second time it is dropped (its timer is armed again). */
static void who_stalls_again_is_dropped_again(void **state) {
  g_autoptr(GString) heard = g_string_new(NULL);
  static const char list[] = "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":3000},\"more\":true}";

  begin(*state, NULL);
  adit_control_set_patience(10);
  int fd = dial(*state);
  say(fd, list);
  test_loop_drain();
  assert_true(TEST_LOOP_UNTIL((take(fd, heard), g_str_has_suffix(heard->str, "]}}\n")), 10000));
  say(fd, list);
  assert_true(TEST_LOOP_UNTIL(adit_control_stats.slow == 1, 10000));
  assert_int_equal(adit_control_stats.connections, 0);
  close(fd);
}

/* Reads an octet now and then: that is no progress. */
static void who_reads_by_drops_is_dropped(void **state) {
  char octet;

  begin(*state, NULL);
  adit_control_set_patience(10);
  int fd = dial(*state);
  say(fd, "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":3000},\"more\":true}");
  assert_true(TEST_LOOP_UNTIL((recv(fd, &octet, 1, MSG_DONTWAIT), adit_control_stats.slow == 1), 10000));
  close(fd);
}

static void silence_is_hung_up_on(void **state) {
  begin(*state, NULL);
  adit_control_set_patience(100);
  int mute = dial(*state), half = dial(*state), between = dial(*state), streaming = dial(*state);
  assert_int_equal(send(half, "{\"meth", 6, MSG_NOSIGNAL), 6);
  say(between, "{\"method\":\"io.adit.sample.Echo\"}");
  expect(between, "echo");
  assert_int_equal(send(between, "{\"meth", 6, MSG_NOSIGNAL), 6);
  say(streaming, "{\"method\":\"io.adit.sample.Stream\",\"more\":true}");
  assert_true(TEST_LOOP_UNTIL(adit_control_stats.idle == 3, 10000));
  assert_int_equal(adit_control_stats.connections, 1); /* a monitor waits for events as long as it likes */
  assert_int_equal(sample_gone, 0);
  close(mute);
  close(half);
  close(between);
  close(streaming);
}

/* A reader that takes one piece and then pauses does not hold up others, nor the loop. */
static void a_slow_reader_holds_up_nobody(void **state) {
  g_autoptr(GString) heard = g_string_new(NULL);

  begin(*state, NULL);
  sample_things = g_hash_table_new(NULL, NULL);
  for (guint i = 1; i <= 60000; i++)
    g_hash_table_add(sample_things, GUINT_TO_POINTER(i));
  int slow = dial(*state), quick = dial(*state);
  say(slow, "{\"method\":\"io.adit.sample.Things\",\"more\":true}");
  assert_true(TEST_LOOP_UNTIL(sample_rows_made > 0, 5000));
  test_loop_drain();
  assert_in_range(sample_rows_made, 1, 10000); /* the socket's buffer and ours are full */
  for (guint i = 0; i < 100; i++) {
    say(quick, "{\"method\":\"io.adit.sample.Echo\"}");
    expect(quick, "echo");
  }
  g_hash_table_remove_all(sample_things);
  assert_true(TEST_LOOP_UNTIL((take(slow, heard), g_str_has_suffix(heard->str, "]}}\n")), 10000));
  close(slow);
  close(quick);
  g_clear_pointer(&sample_things, g_hash_table_unref);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state) {
  Ctx *ctx = *state;
  g_autoptr(GError) error = NULL;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_autofree char *folder = g_path_get_dirname(ctx->path);
  int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_mkdir_with_parents(folder, 0755);
  g_strlcpy(address.sun_path, ctx->path, sizeof address.sun_path);
  assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(other, 1), 0);
  assert_false(adit_control_start(ctx->path, NULL, FALSE, &error));
  assert_non_null(strstr(error->message, "another aditd answers"));
  close(other);
  begin(ctx, NULL);
}

static void a_file_in_the_way_is_left_alone(void **state) {
  Ctx *ctx = *state;
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_path_get_dirname(ctx->path);
  g_mkdir_with_parents(folder, 0755);
  assert_true(g_file_set_contents(ctx->path, "precious", -1, NULL));
  assert_false(adit_control_start(ctx->path, NULL, FALSE, &error));
  assert_non_null(strstr(error->message, "is no socket"));
  g_unlink(ctx->path);
}

static void a_path_that_is_too_long_is_refused(void **state) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_strnfill(200, 'x');
  assert_false(adit_control_start(path, NULL, FALSE, &error));
  assert_non_null(strstr(error->message, "too long"));
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_call_over_the_socket),
      T(a_half_closed_caller_still_gets_its_answer),
      T(a_stranger_may_neither_look_nor_touch),
      T(a_stranger_may_look_where_all_may_read),
      T(the_admin_group_may_touch),
      T(who_does_not_read_a_stream_is_dropped),
      T(who_reads_gets_a_list_of_any_length),
      T(junk_is_hung_up_on),
      T(root_always_gets_in),
      T(one_user_takes_no_more_than_a_share),
      T(a_user_whose_connections_all_work_is_told),
      T(a_newcomer_displaces_the_greediest),
      T(who_stalls_again_is_dropped_again),
      T(who_reads_by_drops_is_dropped),
      T(silence_is_hung_up_on),
      T(a_slow_reader_holds_up_nobody),
      T(a_stale_socket_is_replaced_and_a_live_one_is_not),
      T(a_file_in_the_way_is_left_alone),
      T(a_path_that_is_too_long_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
