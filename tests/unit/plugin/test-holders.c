/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Each call into a plugin is known by plugin and function while it lasts: then a slow one is named in the log. */
#include "core/aaa/aaa.h"
#include "core/aaa/empty.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/path/path.h"
#include "core/path/protection.h"
#include "core/plugin/plugins.h"
#include "core/ppp/frame.h"
#include "core/ppp/ncp.h"
#include "core/ppp/registry.h"
#include "core/ppp/role.h"
#include "core/session/client.h"
#include "core/session/life/sess.h"
#include "core/session/link/bundler.h"
#include "core/session/link/link.h"
#include "core/session/network/plane.h"
#include "core/session/network/stages.h"
#include "core/session/session.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *folder, *file;
static GHashTable *holders; /* what the plugin logs -> "plugin: function" of the innermost hold */

static GLogWriterOutput keep_holder(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  AditHolder holder;

  for (gsize i = 0; i < n; i++) {
    const char *line = fields[i].value;
    if (strcmp(fields[i].key, "MESSAGE") != 0 || !g_str_has_prefix(line, "in "))
      continue;
    assert_true(adit_hold_look(&holder));
    const char *plugin = holder.begun_us ? adit_hold_plugin(holder.plugin, holder.func) : NULL;
    g_hash_table_insert(holders, g_strdup(line + 3), g_strdup_printf("%s: %s", plugin ? plugin : "core", holder.what ? holder.what : "-"));
  }
  return G_LOG_WRITER_HANDLED;
}

static void expect_held(const char *call, const char *what) {
  const char *holder = g_hash_table_lookup(holders, call);
  g_autofree char *expected = g_strdup_printf("everycall: %s", what);

  if (!holder)
    fail_msg("%s was not called", call);
  assert_string_equal(holder, expected);
}

static int setup(void **state) {
  static AditServed served[] = {{.name = ADIT_AAA_SERVICE, .version = 1, .drop_plugin = adit_aaa_drop_plugin},
                                {.name = ADIT_LOOP_SERVICE, .version = 1, .drop_plugin = adit_loop_drop_plugin},
                                {.name = ADIT_PPP_SERVICE, .version = 1, .drop_plugin = adit_ppp_drop_plugin},
                                {.name = ADIT_PATH_SERVICE, .version = 1, .drop_plugin = adit_path_drop_plugin},
                                {.name = ADIT_SESSION_SERVICE, .version = 1, .drop_plugin = adit_session_drop_plugin}};
  static const char *const names[] = {"everycall", NULL};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *code = NULL;
  gsize length;

  holders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  folder = g_dir_make_tmp("adit-holders-XXXXXX", NULL);
  file = g_build_filename(folder, "everycall.so", NULL);
  assert_true(g_file_get_contents(BUILDDIR "/tests/unit/plugin/.libs/every-call.so", &code, &length, NULL));
  assert_true(g_file_set_contents(file, code, (gssize)length, NULL));
  assert_int_equal(g_chmod(file, 0644), 0);

  adit_loop_init();
  adit_bus_init();
  adit_path_init();
  adit_aaa_init(adit_loop_service());
  adit_session_init(NULL);
  served[0].table = adit_aaa_service();
  served[1].table = adit_loop_service();
  served[2].table = adit_ppp_service();
  served[3].table = adit_path_service();
  served[4].table = adit_session_service();
  adit_plugins_init(served, G_N_ELEMENTS(served), NULL, 0);
  adit_plugins_add_dir(folder);
  if (!adit_plugins_load(names, problems))
    fail_msg("%s", (const char *)problems->pdata[0]);
  return 0;
}

static int teardown(void **state) {
  adit_plugins_fini();
  adit_session_fini();
  adit_aaa_fini();
  adit_path_fini();
  adit_ppp_fini();
  adit_bus_fini();
  adit_loop_fini();
  g_remove(file);
  g_rmdir(folder);
  g_free(file);
  g_free(folder);
  g_hash_table_unref(holders);
  return 0;
}

/* ---- an environment of engines with a clock of its own ---- */

static guint64 now_ms;

static guint64 env_now(gpointer host) {
  return now_ms;
}
static void env_wake(gpointer host, guint slot, guint64 deadline_ms) {}
static void env_random(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, 1, length);
}
static const AditEngineOps engine_ops = {sizeof engine_ops, env_now, env_wake, env_random};
static const AditEngineEnv env = {&engine_ops, NULL};

/* ---- an NCP ---- */

static GByteArray *sent; /* its last packet, from code on */
static AditStageSpec stage;

static void ncp_send(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length) {
  g_byte_array_set_size(sent, 0);
  g_byte_array_append(sent, frame + 2, (guint)length - 2);
}
static void ncp_opened(gpointer host, AditNcp *ncp, const AditNcpResult *result) {}
static void ncp_down(gpointer host, AditNcp *ncp) {}
static void ncp_closed(gpointer host, AditNcp *ncp, const char *why) {}
static gboolean ncp_stage_add(gpointer host, AditNcp *ncp, const AditStageSpec *spec, GError **error) {
  stage = *spec;
  return TRUE;
}
static const AditNcpOps ncp_ops = {
    .size = sizeof ncp_ops, .send = ncp_send, .opened = ncp_opened, .down = ncp_down, .closed = ncp_closed, .stage_add = ncp_stage_add};

static void answer_request(AditNcp *ncp, guint8 code) {
  g_autofree guint8 *packet = g_memdup2(sent->data, sent->len);
  packet[0] = code;
  adit_ncp_input(ncp, packet, sent->len);
}

static void calls_of_an_ncp_are_known(void **state) {
  static const guint8 peer_request[] = {1, 7, 0, 7, 9, 3, 'y'}, own_code[] = {14, 1, 0, 4};
  static const char *const calls[] = {"init", "attach",  "reset",    "result", "code", "timeout",
                                      "save", "restore", "describe", "rekey",  "wipe"};
  static const char *const options[] = {"request", "peer_begin", "peer_option", "peer_end", "acked", "rejected"};
  const AditNcpDesc *desc = adit_ncp_find(0x8fff);
  const AditNcpParams params = {.size = sizeof params};
  const AditMppeKeys keys = {.size = sizeof keys};
  guint8 octets[512];
  AditBuilder out = adit_builder(octets, sizeof octets);

  sent = g_byte_array_new();
  now_ms = 1;
  AditNcp *ncp = adit_ncp_new(desc, &params, NULL, &ncp_ops, NULL, &env);
  adit_ncp_up(ncp);
  answer_request(ncp, ADIT_PPP_CONF_REJ);
  answer_request(ncp, ADIT_PPP_CONF_ACK);
  adit_ncp_input(ncp, peer_request, sizeof peer_request);
  assert_true(adit_ncp_is_open(ncp));
  adit_ncp_input(ncp, own_code, sizeof own_code);
  adit_ncp_describe(ncp);
  adit_ncp_rekey(ncp, &keys);
  now_ms = 2000;
  adit_ncp_timeout(ncp, 0);
  stage.note(stage.user, 1, NULL, 0);
  stage.describe(stage.user);
  stage.encoding(stage.user);
  adit_ncp_save(ncp, &out);
  adit_ncp_free(ncp);
  AditCursor in = adit_cursor(octets, adit_built(&out));
  ncp = adit_ncp_restore(desc, &params, NULL, &ncp_ops, NULL, &env, &in);
  assert_non_null(ncp);
  adit_ncp_free(ncp);
  g_byte_array_unref(sent);

  for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_autofree char *call = g_strdup_printf("ncp %s", calls[i]), *what = g_strdup_printf("%s() of an NCP", calls[i]);
    expect_held(call, what);
  }
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    g_autofree char *what = g_strdup_printf("%s()", options[i]);
    expect_held(options[i], what);
  }
  expect_held("stage note", "note() of a stage");
  expect_held("stage describe", "describe() of a stage");
  expect_held("stage encoding", "encoding() of a stage");
}

/* ---- a method ---- */

static void role_send(gpointer user, guint16 protocol, const guint8 *payload, gsize length) {}
static void role_request_begin(gpointer user, AditAuthRequest *request) {
  adit_auth_request_unref(request);
}
static void role_request_cancel(gpointer user) {}
static void role_settled(gpointer user, AditRole *role, const char *why) {}
static const AditRoleOps role_ops = {role_send, role_request_begin, role_request_cancel, role_settled, role_settled};

static void calls_of_a_method_are_known(void **state) {
  static const char *const calls[] = {"start", "input", "timeout", "verdict", "verify", "save", "restore", "keys", "short_key"};
  const AditAuthMethod *method = adit_auth_method_find("everycall");
  const AditAuthStart start = {.size = sizeof start, .name = "ann", .password = "x", .timeout_ms = 3000, .tries = 10};
  const AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT};
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_CHAP_MD5);
  AditMppeKeys keys = {.size = sizeof keys};
  AditRole role = {0}, again = {0};
  guint8 octets[512];
  AditBuilder out = adit_builder(octets, sizeof octets);

  now_ms = 1;
  adit_role_init(&role, &role_ops, NULL, &env, 0, &start, 60000);
  adit_role_start(&role, method);
  adit_role_timeout(&role, ADIT_ROLE_SLOT_METHOD);
  adit_role_input(&role, method->protocol, (const guint8 *)"x", 1);
  assert_true(adit_role_keys(&role, &keys));
  adit_role_save(&role, &out);
  AditCursor in = adit_cursor(octets, adit_built(&out));
  adit_role_init(&again, &role_ops, NULL, &env, 0, &start, 60000);
  assert_true(adit_role_restore(&again, method, &in));
  adit_role_stop(&again);
  adit_role_request_begin(&role, adit_auth_request_new(ADIT_AUTH_CHAP_MD5));
  adit_role_verdict(&role, &reply);
  adit_role_stop(&role);
  aaa_proves_empty(request);
  adit_auth_request_unref(request);

  for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_autofree char *call = g_strdup_printf("method %s", calls[i]), *what = g_strdup_printf("%s() of a method", calls[i]);
    expect_held(call, what);
  }
}

/* ---- the session layer ---- */

static void calls_of_a_transport_are_known(void **state) {
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *own = adit_value_map(), *list = adit_value_list(), *client = adit_value_map();

  adit_value_set(client, "name", adit_value_string("office"));
  adit_value_append(list, client);
  adit_value_set(own, "clients", list);
  adit_value_set(config, "everycall", own);
  adit_clients_commit(adit_clients_prepare(config, NULL));
  assert_true(adit_client_up("office", NULL));
  assert_true(adit_client_down("office", NULL));
  expect_held("dial", "dial()");
  expect_held("dial_cancel", "dial_cancel()");
}

static void calls_of_a_data_path_are_known(void **state) {
  static const char *const calls[] = {"session_open",  "session_join", "session_leave", "session_stats",
                                      "session_close", "stage_add",    "stage_set",     "stage_remove"};
  const AditStageSpec spec = {.size = sizeof spec};
  AditSess session = {.datapath = adit_datapath_find("everycall", NULL)};
  AditSessLink link = {0};
  guint index;

  assert_true(adit_sess_plane_open(&session, NULL));
  adit_sess_plane_join(&session, &link, &index, NULL);
  adit_sess_counters(&session);
  adit_sess_stage_add(&session, &spec, NULL);
  adit_sess_stage_set(&session, ADIT_STAGE_COMPRESSION, NULL, 0);
  adit_sess_stage_remove(&session, ADIT_STAGE_COMPRESSION);
  adit_sess_plane_leave(&session, &link);
  adit_sess_plane_close(&session);
  for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
    g_autofree char *what = g_strdup_printf("%s()", calls[i]);
    expect_held(calls[i], what);
  }
}

static void calls_of_a_bundler_are_known(void **state) {
  adit_bundler_attached(1, 1, 0);
  adit_bundler_opened(1, NULL);
  adit_bundler_joined(1, 1);
  adit_bundler_changed(1, 1, FALSE);
  adit_bundler_left(1, 1, 0);
  expect_held("attached", "attached()");
  expect_held("opened", "opened()");
  expect_held("joined", "joined()");
  expect_held("changed", "changed()");
  expect_held("left", "left()");
}

static void calls_of_a_provider_of_protection_are_known(void **state) {
  const AditPath path = {0};
  const AditProtectionPolicy policy = {.size = sizeof policy};
  AditAssociationFacts facts = {.size = sizeof facts};
  guint32 id = adit_protection_ensure("everycall", &path, &policy, NULL);

  assert_true(id);
  adit_protection_lookup(id, &facts);
  adit_protection_release(id);
  expect_held("ensure", "ensure()");
  expect_held("lookup", "lookup()");
  expect_held("release", "release()");
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(calls_of_an_ncp_are_known),      test(calls_of_a_method_are_known),  test(calls_of_a_transport_are_known),
      test(calls_of_a_data_path_are_known), test(calls_of_a_bundler_are_known), test(calls_of_a_provider_of_protection_are_known),
  };
  g_log_set_writer_func(keep_holder, NULL, NULL);
  return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}
