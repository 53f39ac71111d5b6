/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The plugin as the daemon meets it: from init to fini, with the real loop and network thread. */
#include "config.h"
#include "session/tun-link.h"

#include "core/base/loop.h"
#include "core/net/net.h"
#include "core/path/path.h"
#include "plugins/l2tp/engine/header.h"
#include "tests/lib/loop.h"
#include <adit/adit.h>

#include <net/if.h>
#include <sched.h>
#include <unistd.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE = 10000 };

extern const AditPluginInfo adit_plugin_info_tun;
static struct AditPlugin plugin = {"tun"};
static const AditMethod *method;
static AditValue *reply;
static gboolean stopped, closed;
static AditPort *port;

static gboolean fake_interface(AditPlugin *owner, const char *description, const AditMethod *methods, guint n, const AditCommand *commands,
                               guint n_commands, gpointer state, GError **error) {
  method = methods;
  return TRUE;
}
static gboolean fake_reply(AditCall *call, AditValue *result, gboolean more) {
  reply = result;
  return TRUE;
}
static const AditControlService control = {.size = sizeof control, .interface_add = fake_interface, .reply = fake_reply};

static const void *service(AditPlugin *owner, const char *name, guint version) {
  return g_str_equal(name, ADIT_LOOP_SERVICE)      ? (const void *)adit_loop_service()
         : g_str_equal(name, ADIT_NET_SERVICE)     ? (const void *)adit_net_service()
         : g_str_equal(name, ADIT_PATH_SERVICE)    ? (const void *)adit_path_service()
         : g_str_equal(name, ADIT_CONTROL_SERVICE) ? (const void *)&control
                                                   : NULL;
}
static const AditHost host = {.size = sizeof host, .service = service};

static void on_stopped(AditPlugin *owner) {
  stopped = TRUE;
}
static void on_opened(gpointer user, AditPort *opened, const GError *error) {
  port = opened;
}
static void on_closed(gpointer user, const AditCounters *final) {
  closed = TRUE;
}
static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};

static void init_to_fini(void **state) {
  const AditPluginInfo *info = &adit_plugin_info_tun;
  gpointer self = NULL, dp = NULL, staged = NULL;
  gboolean pending = FALSE;
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *own = adit_value_map();
  AditAddress here;

  adit_value_set(own, "workers", adit_value_int(3));
  adit_value_set(own, "offload", adit_value_bool(FALSE));
  adit_value_set(config, "tun", own);
  adit_loop_init();
  assert_true(adit_net_init(NULL));
  adit_path_init();

  assert_true(info->init(&plugin, &host, &self, NULL));
  const AditDatapathOps *ops = adit_path_service()->datapath("tun", &dp);
  assert_non_null(ops);
  assert_true(ops->claims(dp, &(AditEncap){.kind = ADIT_ENCAP_L2TPV2_UDP}));
  assert_false(ops->claims(dp, &(AditEncap){.kind = ADIT_ENCAP_PPPOE}));

  /* Transports take their sockets in prepare, before anything has started. */
  assert_true(adit_address_parse("127.0.0.1", &here));
  AditListenerSpec listen = {.size = sizeof listen, .local = adit_endpoint(&here, 0), .classify = l2tp_classify};
  assert_null(ops->listen(dp, &listen, &listener_ops, NULL, NULL));
  assert_true(info->prepare(self, config, &staged, &pending, NULL, NULL));
  AditListener *listener = ops->listen(dp, &listen, &listener_ops, NULL, NULL);
  assert_non_null(listener);
  info->commit(self, staged);
  assert_true(info->start(self, NULL));

  method->call(self, NULL, NULL);
  assert_int_equal(adit_value_length(adit_value_get(reply, "workers")), 3);
  g_clear_pointer(&reply, adit_value_unref);

  /* Its links are listed by the ids that `show sessions` tells. */
  AditPath there = {.remote = adit_endpoint(&here, 1701)};
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 1, .local_session = 2};
  static const AditDpLinkOps no_ops = {.size = sizeof no_ops};
  AditDpLink *link = ops->link_attach(dp, listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0x4711, &there, &encap, &no_ops, NULL}, NULL);
  AditDpSession *session = ops->session_open(dp, 0xabc, NULL, NULL);
  assert_true(ops->session_join(session, link, NULL, NULL));
  g_autoptr(AditValue) row = tun_link_describe(link);
  assert_string_equal(adit_value_get_string(row, "link", NULL), "4711");
  assert_string_equal(adit_value_get_string(row, "session", NULL), "abc");
  assert_string_equal(adit_value_get_string(row, "peer", NULL), "127.0.0.1:1701");
  ops->session_close(session, NULL);
  ops->link_detach(link);

  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "l2tp-plugin", .mtu = 1400};
  ops->port_open(dp, &spec, on_opened, NULL);
  assert_true(TEST_LOOP_UNTIL(port, PATIENCE));

  /* It stops when the last port is closed. */
  info->stop(self, on_stopped, &plugin);
  test_loop_drain();
  assert_false(stopped);
  ops->listener_close(listener);
  ops->port_close(port, on_closed, NULL);
  assert_true(TEST_LOOP_UNTIL(stopped, PATIENCE));
  assert_true(closed);
  adit_net_quiesce(); /* which has the rest to do */
  assert_int_equal(if_nametoindex("l2tp-plugin"), 0);
  info->fini(self);
  adit_path_drop_plugin(&plugin);
  adit_net_fini();
  adit_path_fini();
  adit_loop_fini();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(init_to_fini)};
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
    puts("skipped: needs root and /dev/net/tun");
    return 77;
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
