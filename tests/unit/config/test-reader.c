/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Rights given up, and the helper that opens configuration files afterwards: for root; as another user there is nothing to test. */
#include <config.h>

#include "core/base/logging.h"
#include "core/config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;

static char *path_of(const char *name) {
  return g_build_filename(folder, name, NULL);
}

static void write_file(const char *name, const char *text) {
  g_autofree char *path = path_of(name);
  assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* What comes of opening `name`, which is below the folder unless it begins with a slash: its contents, or an errno's name. */
static char *opened(const char *name) {
  g_autofree char *path = *name == '/' ? g_strdup(name) : path_of(name);
  char text[256] = "";
  int fd = adit_reader_open(path);
  if (fd < 0)
    return g_strdup(g_strerror(errno));
  if (read(fd, text, sizeof text - 1) < 0)
    text[0] = 0;
  gboolean read_only = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY && (fcntl(fd, F_GETFD) & FD_CLOEXEC);
  close(fd);
  return g_strdup(read_only ? text : "may be written, or is inherited");
}

/* Exits with the number of the first line that is not so; 0 = all are. In a child that can't go back to root. */
#define EXPECT(condition)                                                                                                                  \
  do {                                                                                                                                     \
    if (!(condition)) {                                                                                                                    \
      g_printerr("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                                                   \
      _exit(__LINE__ % 200 + 1);                                                                                                           \
    }                                                                                                                                      \
  } while (0)
#define OPENED(name, expected)                                                                                                             \
  do {                                                                                                                                     \
    g_autofree char *got_ = opened(name);                                                                                                  \
    if (!g_str_equal(got_, expected))                                                                                                      \
      g_printerr("%s: %s\n", name, got_);                                                                                                  \
    EXPECT(g_str_equal(got_, expected));                                                                                                   \
  } while (0)

#define DENIED "Permission denied"

static void become_nobody(void) {
  AditUser nobody;
  EXPECT(adit_user_find("nobody", &nobody, NULL));
  adit_reader_settle(&nobody);
  EXPECT(adit_privileges_drop(&nobody, G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN, NULL));
  EXPECT(getuid() == nobody.uid);
}

static void run_in_child(void (*body)(void)) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void ask_for_files(void) {
  g_autofree char *config = path_of("adit.yaml");

  adit_reader_start(config);
  become_nobody();
  OPENED("adit.yaml", "a: [{key: /nowhere}]\n");
  OPENED("conf.d/b.yaml", "secret: word\n");
  OPENED("./conf.d/../conf.d/b.yaml", "secret: word\n");
  OPENED("conf.d/.hidden.yaml", DENIED);
  OPENED("conf.d/notes.txt", DENIED);
  OPENED("conf.d/deeper/c.yaml", DENIED);
  OPENED("conf.d/absent.yaml", "No such file or directory");
  OPENED("key.pem", DENIED); /* which nothing names */
  OPENED("/etc/shadow", DENIED);
  OPENED("conf.d/../../../../../etc/shadow", DENIED);
  OPENED("", DENIED); /* the folder itself */

  int dir = adit_reader_open("conf.d");
  EXPECT(dir < 0); /* relative to another folder than this process's */
  adit_reader_stop();
  OPENED("adit.yaml", DENIED);
}

static void the_helper_opens_what_is_configured(void **state) {
  run_in_child(ask_for_files);
}

static void ask_for_a_key(void) {
  g_autofree char *config = path_of("adit.yaml");

  adit_reader_start(config);
  become_nobody();
  OPENED("key.pem", "PRIVATE\n");
  OPENED("fragment.pem", "FRAGMENT\n");
  OPENED("conf.d/notes.txt", DENIED);
  adit_reader_stop();
}

static void the_helper_opens_what_the_configuration_names(void **state) {
  g_autofree char *key = path_of("key.pem"), *fragment = path_of("fragment.pem");
  g_autofree char *text = g_strdup_printf("radius: {servers: [{name: a, key: %s}]}\n", key);
  g_autofree char *more = g_strdup_printf("radius:\n  servers:\n    - name: b\n      key: \"%s\"\n", fragment);
  write_file("adit.yaml", text);
  write_file("conf.d/b.yaml", more);
  write_file("fragment.pem", "FRAGMENT\n");
  run_in_child(ask_for_a_key);
}

static void try_everything(void) {
  char *const argv[] = {(char *)"true", NULL};
  const struct timespec now = {1, 0};

  become_nobody();
  EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
  EXPECT(adit_privileges_held() == G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN);
  EXPECT(prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) == 0);
  EXPECT(setuid(0) < 0);
  if (!adit_privileges_filter())
    return;
  EXPECT(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
  EXPECT(mount("none", "/", "tmpfs", 0, NULL) < 0 && errno == EPERM);
  EXPECT(clock_settime(CLOCK_REALTIME, &now) < 0 && errno == EPERM);
  GThread *thread = g_thread_new("t", (GThreadFunc)g_strdup, NULL); /* threads are still made */
  g_thread_join(thread);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT(execv("/bin/true", argv) < 0 && errno == EPERM);
#else
  EXPECT(argv[0]);
#endif
}

static void what_is_given_up_is_gone(void **state) {
  run_in_child(try_everything);
}

static int setup(void **state) {
  folder = g_dir_make_tmp("adit-reader-XXXXXX", NULL);
  g_autofree char *conf_d = path_of("conf.d"), *deeper = path_of("conf.d/deeper");
  if (!folder || g_mkdir(conf_d, 0700) < 0 || g_mkdir(deeper, 0700) < 0)
    return -1;
  write_file("adit.yaml", "a: [{key: /nowhere}]\n");
  write_file("conf.d/b.yaml", "secret: word\n");
  write_file("conf.d/.hidden.yaml", "hidden\n");
  write_file("conf.d/notes.txt", "notes\n");
  write_file("conf.d/deeper/c.yaml", "deeper\n");
  write_file("key.pem", "PRIVATE\n");
  return 0;
}

static int teardown(void **state) {
  g_autofree char *command = g_strdup_printf("rm -rf %s", folder);
  int failed = g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL) ? 0 : -1;
  g_clear_pointer(&folder, g_free);
  return failed;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_helper_opens_what_is_configured, setup, teardown),
      cmocka_unit_test_setup_teardown(the_helper_opens_what_the_configuration_names, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_given_up_is_gone, setup, teardown),
  };
  const guint64 needed =
      G_GUINT64_CONSTANT(1) << CAP_SETUID | G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN | G_GUINT64_CONSTANT(1) << CAP_DAC_READ_SEARCH;
  if (geteuid() != 0 || (adit_privileges_held() & needed) != needed) {
    g_printerr("not root: nothing to give up\n");
    return 77;
  }
  adit_logging_init(ADIT_LOG_INFO);
  return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
