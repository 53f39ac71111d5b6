/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/lib/netns.h - a network namespace of the test's own with the network thread in it, and `ip` to look at what is there. For tests
 * of core/net with cmocka.
 *
 *     if (!test_netns())
 *       return 1;
 *     ...
 *     assert_int_equal(TEST_NET_WAIT(net->link_delete(ifindex, test_net_done, &result)), 0);
 *     assert_true(test_shows("ip route show", "198.51.100.0/24 dev r0"));
 */
#pragma once

#include "core/base/loop.h"
#include "core/net/net.h"
#include "tests/lib/loop.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_NET_PATIENCE 10000 /**< ms until something has to have happened */

typedef struct {
  guint n;
  int error;
} TestNetResult;

static inline void test_net_done(gpointer user, int error) {
  TestNetResult *r = (TestNetResult *)user;
  r->n++;
  r->error = error;
}

/** The error of a request made with `test_net_done` and `&result`. */
#define TEST_NET_WAIT(request)                                                                                                             \
  ({                                                                                                                                       \
    TestNetResult result = {0};                                                                                                            \
    request;                                                                                                                               \
    assert_true(TEST_LOOP_UNTIL(result.n, TEST_NET_PATIENCE));                                                                             \
    assert_int_equal(result.n, 1);                                                                                                         \
    result.error;                                                                                                                          \
  })

/** The output of a command. */
static inline char *test_run(const char *command) {
  char *out = NULL;
  assert_true(g_spawn_command_line_sync(command, &out, NULL, NULL, NULL));
  return out;
}

static inline gboolean test_shows(const char *command, const char *words) {
  g_autofree char *out = test_run(command);
  return strstr(out, words) != NULL;
}

static inline gboolean test_link_exists(guint ifindex) {
  char name[IF_NAMESIZE];
  return if_indextoname(ifindex, name) != NULL;
}

/** An interface as `ip` makes it, that is up; `mode` is `tun` or `tap`. */
static inline guint test_link_make(const char *name, const char *mode) {
  g_autofree char *make = g_strdup_printf("ip tuntap add dev %s mode %s", name, mode), *up = g_strdup_printf("ip link set dev %s up", name);
  g_free(test_run(make));
  g_free(test_run(up));
  guint ifindex = if_nametoindex(name);
  assert_int_not_equal(ifindex, 0);
  return ifindex;
}

/** For cmocka: the main loop and the network thread. */
static inline int test_net_setup(void **state) {
  adit_loop_init();
  assert_true(adit_net_init(NULL));
  return 0;
}

static inline int test_net_teardown(void **state) {
  adit_net_fini();
  adit_loop_fini();
  return 0;
}

static inline gboolean test_netns_enter_(void) {
  if (unshare(CLONE_NEWNET) == 0)
    return TRUE;
  uid_t uid = getuid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
    return FALSE;
  g_autofree char *map = g_strdup_printf("0 %u 1", uid);
  return g_file_set_contents_full("/proc/self/uid_map", map, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

/** Enters a new network namespace, in which `lo` is up; FALSE, and says why, when that is not allowed. */
static inline gboolean test_netns(void) {
  if (!test_netns_enter_()) {
    g_printerr("no network namespace of its own: %s\n", g_strerror(errno));
    return FALSE;
  }
  g_free(test_run("ip link set lo up"));
  return TRUE;
}
