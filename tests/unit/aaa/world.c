/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "tests/unit/aaa/world.h"
#include "core/aaa/aaa.h"
#include "core/base/wheel.h"
#include "tests/unit/defaults.h"

typedef struct {
  AditWorkFunc func;
  gpointer data;
} Call;

static struct {
  AditWheel *wheel;
  guint64 now;
  GMutex lock;
  GQueue calls;
  GPtrArray *sources;
  const char *const *names;
  guint verifies;
  guint warnings;
  char *last_warning;
} world;

struct AditPlugin world_plugin = {"test"};

/* ---- the loop ---- */

static guint64 loop_now(void) {
  return world.now;
}

static void loop_arm(AditTimer *timer, guint64 delay) {
  adit_wheel_arm(world.wheel, timer, world.now + MAX(delay, 1));
}

static void loop_cancel(AditTimer *timer) {
  adit_wheel_cancel(world.wheel, timer);
}

static void loop_call(AditWorkFunc func, gpointer data) {
  Call *call = g_new(Call, 1);
  *call = (Call){func, data};
  g_mutex_lock(&world.lock);
  g_queue_push_tail(&world.calls, call);
  g_mutex_unlock(&world.lock);
}

static void loop_random(gpointer buffer, gsize length) {
  memset(buffer, 0x5a, length);
}

static const AditLoopService loop = {.size = sizeof loop,
                                     .now = loop_now,
                                     .timer_arm = loop_arm,
                                     .timer_cancel = loop_cancel,
                                     .call_main = loop_call,
                                     .random = loop_random};

const AditLoopService *world_loop(void) {
  return &loop;
}

guint64 world_now(void) {
  return world.now;
}

static void passes(void) {
  for (;;) {
    g_mutex_lock(&world.lock);
    Call *call = (Call *)g_queue_pop_head(&world.calls);
    g_mutex_unlock(&world.lock);
    if (!call)
      return;
    call->func(call->data);
    g_free(call);
  }
}

void world_run(guint64 ms) {
  passes();
  world.now += ms;
  adit_wheel_advance(world.wheel, world.now);
  passes();
}

/* ---- the log ---- */

static GLogWriterOutput log_line(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  if (!(level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)))
    return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(fields[i].key, "MESSAGE")) {
      g_free(world.last_warning);
      world.last_warning = g_strdup((const char *)fields[i].value);
    }
  world.warnings++;
  return G_LOG_WRITER_HANDLED;
}

guint world_warnings(void) {
  guint n = world.warnings;
  world.warnings = 0;
  return n;
}

const char *world_last_warning(void) {
  return world.last_warning ? world.last_warning : "";
}

/* ---- a method: the password must be equal ---- */

static void verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  gboolean same = secret->password && g_strcmp0(request->password, secret->password) == 0;

  world.verifies += !secret->password || *secret->password; /* what the module looks for an empty password with is not counted */
  out->outcome = same ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT;
  out->why = same ? NULL : "wrong password";
  out->has_mppe_keys = same;
  g_snprintf(text, 128, "%s", same ? "S=proof" : "no");
  out->message = text;
  out->error_code = same ? 0 : 691;
  out->password = secret->password; /* a careless method: the module must not pass it on */
}

static void nothing(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {}

static void no_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {}

static void no_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {}

static void no_timeout(gpointer state, const AditAuthEnv *env, guint slot) {}

static const AditAuthMethod method = {.size = sizeof method,
                                      .name = "pap",
                                      .kind = ADIT_AUTH_PAP,
                                      .strength = 10,
                                      .start = no_start,
                                      .input = no_input,
                                      .timeout = no_timeout,
                                      .verdict = nothing,
                                      .verify = verify};

guint world_verifies(void) {
  return world.verifies;
}

/* ---- sources ---- */

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  WorldSource *source = (WorldSource *)state;

  source->asked++;
  if (source->at_once)
    adit_aaa_service()->answer(handle, source->at_once);
  if (source->at_once || source->drop)
    return;
  g_queue_push_tail(&source->handles, adit_aaa_service()->handle_ref(handle));
  g_queue_push_tail(&source->requests, adit_auth_request_ref(request));
}

static void cancel(gpointer state, AditAuthHandle *handle) {
  ((WorldSource *)state)->cancelled++;
}

static void source_free(WorldSource *source) {
  while (!g_queue_is_empty(&source->handles))
    world_let_go(source);
  g_free(source);
}

WorldSource *world_source(const char *name) {
  for (guint i = 0; i < world.sources->len; i++) {
    WorldSource *source = (WorldSource *)world.sources->pdata[i];
    if (g_str_equal(source->name, name))
      return source;
  }
  fail_msg("no source %s", name);
  return NULL;
}

void world_let_go(WorldSource *source) {
  adit_aaa_service()->handle_unref((AditAuthHandle *)g_queue_pop_head(&source->handles));
  adit_auth_request_unref((AditAuthRequest *)g_queue_pop_head(&source->requests));
}

void world_reply(WorldSource *source, const AditAuthReply *reply) {
  assert_false(g_queue_is_empty(&source->handles));
  adit_aaa_service()->answer((AditAuthHandle *)g_queue_peek_head(&source->handles), reply);
  world_let_go(source);
}

void world_answer(WorldSource *source, AditAuthOutcome outcome) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = outcome, .password = outcome == ADIT_AUTH_SECRET ? "secret" : NULL};
  world_reply(source, &reply);
}

/* ---- asking ---- */

void world_done(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  WorldVerdict *verdict = (WorldVerdict *)data;

  verdict->calls++;
  verdict->id = id;
  verdict->outcome = reply->outcome;
  verdict->retry = reply->retry;
  verdict->keys = reply->has_mppe_keys;
  verdict->secret_leaked = reply->password || reply->nt_hash;
  g_strlcpy(verdict->why, reply->why ? reply->why : "", sizeof verdict->why);
  g_strlcpy(verdict->message, reply->message ? reply->message : "", sizeof verdict->message);
  g_strlcpy(verdict->source, source ? source : "", sizeof verdict->source);
  verdict->attributes = adit_value_ref(reply->attributes);
}

void world_verdict_clear(WorldVerdict *verdict) {
  adit_value_unref(verdict->attributes);
  memset(verdict, 0, sizeof *verdict);
}

guint64 world_ask(const char *user, const char *password, WorldVerdict *verdict) {
  return world_ask_from(NULL, user, password, verdict);
}

guint64 world_ask_from(const char *peer, const char *user, const char *password, WorldVerdict *verdict) {
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  AditAddress address;

  if (peer) {
    assert_true(adit_address_parse(peer, &address));
    request->peer = adit_endpoint(&address, 1701);
  }
  request->user = g_strdup(user);
  request->password = g_strdup(password);
  return adit_aaa_request_begin(request, world_done, verdict);
}

/* ---- life ---- */

void world_configure(AditValue *aaa) {
  g_autoptr(AditValue) config = adit_value_map();
  g_autoptr(GError) error = NULL;
  AditValue *sources = adit_value_list();

  for (guint i = 0; world.names[i]; i++)
    adit_value_append(sources, adit_value_string(world.names[i]));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  AditAaaStaged *staged = adit_aaa_prepare(config, &error);
  assert_null(error);
  adit_aaa_commit(staged);
}

void world_init(const char *const *names) {
  static gboolean logging;

  if (!logging)
    g_log_set_writer_func(log_line, NULL, NULL);
  logging = TRUE;
  world.now = 1000;
  world.wheel = adit_wheel_new(world.now);
  world.names = names;
  world.verifies = world.warnings = 0;
  world.sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
  adit_aaa_init(&loop);
  assert_true(adit_aaa_service()->method_add(&world_plugin, &method, NULL));
  for (guint i = 0; names[i]; i++) {
    WorldSource *source = g_new0(WorldSource, 1);
    source->name = names[i];
    source->ops = (AditAuthSourceOps){.size = sizeof source->ops, .name = names[i], .ask = ask, .cancel = cancel};
    g_ptr_array_add(world.sources, source);
    assert_true(adit_aaa_service()->source_add(&world_plugin, &source->ops, source, NULL));
  }
  world_configure(adit_value_map());
}

void world_fini(void) {
  adit_aaa_fini();
  g_ptr_array_unref(world.sources); /* lets go of handles after the module has gone: that must be harmless */
  adit_wheel_free(world.wheel);
  passes();
  g_clear_pointer(&world.last_warning, g_free);
}
