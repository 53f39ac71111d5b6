/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Whose an interface, a route, a link group is: the sweep and the lock, against the kernel, in a network namespace of the test's own. */
#include "config.h"

#include "core/base/logging.h"
#include "core/net/lock.h"
#include "core/net/net.h"
#include "core/net/rtnl.h"
#include "core/net/sweep.h"
#include "tests/lib/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const AditNetService *net;

/* ---- the sweep ---- */

typedef struct {
  guint n;
  int error;
  AditSweepReport report;
} Swept;

static void on_swept(gpointer user, int error, const AditSweepReport *report) {
  Swept *s = user;
  s->n++;
  s->error = error;
  s->report = *report;
}

static Swept sweep(gboolean alone) {
  Swept s = {0};
  adit_net_sweep(alone, on_swept, &s);
  assert_true(TEST_LOOP_UNTIL(s.n, TEST_NET_PATIENCE));
  assert_int_equal(s.n, 1);
  return s;
}

static guint foreign(const char *name, guint group, const char *alias) {
  guint ifindex = test_link_make(name, "tun");
  g_autofree char *set = g_strdup_printf("ip link set dev %s group %u", name, group);
  g_autofree char *call = g_strdup_printf("ip link set dev %s alias %s", name, alias ? alias : "-");
  g_free(test_run(set));
  if (alias)
    g_free(test_run(call));
  return ifindex;
}

/* One that entered our group by link_change(), as a data path's do. */
static guint ours_made(const char *name) {
  guint ifindex = foreign(name, 0, NULL);
  AditLinkChange change = {.ifindex = ifindex, .set = ADIT_LINK_GROUP | ADIT_LINK_UP, .group = net->group(), .up = TRUE};
  assert_int_equal(TEST_NET_WAIT(net->link_change(&change, test_net_done, &result)), 0);
  return ifindex;
}

static void the_sweep_removes_our_links_and_routes_only(void **state) {
  guint ours = ours_made("s0"), more = ours_made("s1"), theirs = foreign("s2", 1, NULL);
  g_free(test_run("ip route add 198.51.100.1/32 dev s2 proto 173"));
  g_free(test_run("ip -6 route add 2001:db8:2::/48 dev s2 proto 173"));
  g_free(test_run("ip route add 198.51.100.2/32 dev s2 table 1234 proto 173"));
  g_free(test_run("ip route add 198.51.100.3/32 dev s2"));
  g_free(test_run("ip neigh add proxy 198.51.100.4 dev s2 protocol 173"));
  g_free(test_run("ip -6 neigh add proxy 2001:db8::4 dev s2 protocol 173"));
  g_free(test_run("ip neigh add proxy 198.51.100.5 dev s2"));

  Swept s = sweep(TRUE);
  assert_int_equal(s.error, 0);
  assert_int_equal(s.report.links, 2);
  assert_int_equal(s.report.routes, 3);
  assert_false(test_link_exists(ours));
  assert_false(test_link_exists(more));
  assert_true(test_link_exists(theirs));
  g_autofree char *left = test_run("ip route show table all proto 173"), *left6 = test_run("ip -6 route show table all proto 173");
  assert_string_equal(left, "");
  assert_string_equal(left6, "");
  assert_true(test_shows("ip route show", "198.51.100.3 dev s2"));
  assert_false(test_shows("ip neigh show proxy", "proto 173"));
  assert_true(test_shows("ip neigh show proxy", "198.51.100.5 dev s2"));
  s = sweep(TRUE); /* nothing to do is success */
  assert_int_equal(s.error, 0);
  assert_int_equal(s.report.links + s.report.routes + s.report.strangers, 0);
  TEST_NET_WAIT(net->link_delete(theirs, test_net_done, &result));
}

/* The group alone says nothing: another daemon's, or an administrator's, may be in it. Ours may have left it. */
static void the_sweep_tells_ours_by_the_token(void **state) {
  guint group = net->group();
  guint ours = ours_made("t0"), moved = ours_made("t1");
  guint others = foreign("t2", group, ADIT_NET_ALIAS "0123456789abcdef"), admins = foreign("t3", group, NULL),
        dying = foreign("t4", group ^ ADIT_NET_DYING_GROUP, ADIT_NET_ALIAS "fedcba9876543210");
  AditLinkChange out = {.ifindex = moved, .set = ADIT_LINK_GROUP, .group = 7};
  assert_int_equal(TEST_NET_WAIT(net->link_change(&out, test_net_done, &result)), 0);
  g_free(test_run("ip route add 198.51.100.1/32 dev t2 proto 173"));
  g_free(test_run("ip route add 198.51.100.2/32 dev t3 proto 173"));
  g_free(test_run("ip route add 198.51.100.3/32 dev t0 proto 173"));

  Swept s = sweep(FALSE);
  assert_int_equal(s.error, 0);
  assert_int_equal(s.report.links, 2);
  assert_int_equal(s.report.strangers, 3);
  assert_string_equal(s.report.stranger, "t2");
  assert_int_equal(s.report.routes_left, 1);
  assert_false(test_link_exists(ours));
  assert_false(test_link_exists(moved));
  assert_true(test_link_exists(others) && test_link_exists(admins) && test_link_exists(dying));
  assert_true(test_shows("ip route show proto 173", "198.51.100.1 dev t2"));
  assert_true(test_shows("ip route show proto 173", "198.51.100.2 dev t3"));
  assert_false(test_shows("ip route show proto 173", "198.51.100.3"));

  s = sweep(TRUE); /* the other one's routes are its own even if nobody runs it */
  assert_true(test_shows("ip route show proto 173", "198.51.100.1 dev t2"));
  assert_false(test_shows("ip route show proto 173", "198.51.100.2"));
  assert_int_equal(TEST_NET_WAIT(net->link_sweep(test_net_done, &result)), 0);
  assert_true(test_link_exists(others) && test_link_exists(admins) && test_link_exists(dying));
  TEST_NET_WAIT(net->link_delete(others, test_net_done, &result));
  TEST_NET_WAIT(net->link_delete(admins, test_net_done, &result));
  TEST_NET_WAIT(net->link_delete(dying, test_net_done, &result));
}

/* In a child that gave up its capabilities: the kernel says so even if there is nothing to delete. */
static void the_sweep_says_that_it_may_not(void **state) {
  AditSweepReport report;
  const AditSweep wanted = {.token = "0123456789abcdef", .group = net->group(), .routes = TRUE};
  pid_t child = fork();
  if (child == 0) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    AditRtnl *rtnl = syscall(SYS_capset, &header, none) == 0 ? adit_rtnl_open(NULL) : NULL;
    _exit(rtnl ? adit_sweep_run(rtnl, &wanted, &report) : 255);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), EPERM);
}

/* ---- one daemon a group ---- */

/* Locks in a child that then waits for its end of the pipe to close, or tells why it could not. */
static pid_t lock_in_child(guint32 group, uid_t uid, int *hold, char *text, gsize size) {
  int up[2], down[2];
  assert_int_equal(pipe2(up, O_CLOEXEC), 0);
  assert_int_equal(pipe2(down, O_CLOEXEC), 0);
  pid_t child = fork();
  if (child == 0) {
    g_autoptr(GError) error = NULL;
    char c;
    close(down[1]);
    adit_net_unlock(); /* the parent's */
    if (uid && setresuid(uid, uid, uid) < 0)
      _exit(2);
    const char *word = adit_net_lock(group, uid, &error) ? "held" : error->message;
    gboolean ok = write(up[1], word, strlen(word)) > 0;
    close(up[1]);
    _exit(ok && read(down[0], &c, 1) == 0 ? 0 : 1);
  }
  close(up[1]);
  close(down[0]);
  gssize n = read(up[0], text, size - 1);
  text[n > 0 ? n : 0] = 0;
  close(up[0]);
  *hold = down[1];
  return child;
}

static void let_go(pid_t child, int hold) {
  int status;
  close(hold);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void a_group_has_one_daemon(void **state) {
  g_autoptr(GError) error = NULL;
  char text[512];
  int hold, other;

  assert_int_equal(adit_net_lock_holder(4711, 0), 0);
  assert_false(adit_net_lock_others(0));
  pid_t child = lock_in_child(4711, 0, &hold, text, sizeof text);
  assert_string_equal(text, "held");
  assert_int_equal(adit_net_lock_holder(4711, 0), child);
  assert_true(adit_net_lock_others(0));
  assert_false(adit_net_lock(4711, 0, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_EXISTS));
  assert_non_null(strstr(error->message, "interface-group"));
  assert_non_null(strstr(error->message, "--state-dir"));
  assert_non_null(strstr(error->message, "--socket"));
  g_clear_error(&error);
  assert_false(adit_net_lock(4711 ^ ADIT_NET_DYING_GROUP, 0, NULL)); /* its interfaces die there */
  assert_true(adit_net_lock(4712, 0, &error));
  pid_t second = lock_in_child(4712, 0, &other, text, sizeof text);
  assert_non_null(strstr(text, "another aditd"));
  close(other);
  waitpid(second, NULL, 0);
  adit_net_unlock();
  kill(child, SIGKILL); /* a lock dies with its process */
  waitpid(child, NULL, 0);
  close(hold);
  assert_true(adit_net_lock(4711, 0, &error));
  assert_false(adit_net_lock_others(0));
  adit_net_unlock();
}

/* Any user may take a name: that neither keeps the daemon from starting, nor hides it from a second one. */
static void a_stranger_locks_nobody_out(void **state) {
  g_autoptr(GError) error = NULL;
  char text[512];
  int hold, other;

  pid_t stranger = lock_in_child(4711, 65534, &hold, text, sizeof text);
  if (!*text) { /* a user namespace of one user */
    close(hold);
    waitpid(stranger, NULL, 0);
    skip();
  }
  assert_string_equal(text, "held");
  assert_false(adit_net_lock_others(0));
  assert_true(adit_net_lock(4711, 0, &error));
  pid_t second = lock_in_child(4711, 0, &other, text, sizeof text);
  assert_non_null(strstr(text, "another aditd"));
  close(other);
  waitpid(second, NULL, 0);
  adit_net_unlock();
  let_go(stranger, hold);
}

/* ---- life ---- */

static int setup(void **state) {
  test_net_setup(state);
  net = adit_net_service();
  return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, test_net_teardown)
  const struct CMUnitTest tests[] = {
      T(the_sweep_removes_our_links_and_routes_only),
      T(the_sweep_tells_ours_by_the_token),
      T(the_sweep_says_that_it_may_not),
      T(a_group_has_one_daemon),
      T(a_stranger_locks_nobody_out),
  };
  if (!test_netns())
    return 1;
  adit_logging_init(ADIT_LOG_INFO);
  return cmocka_run_group_tests_name("ownership", tests, NULL, NULL);
}
