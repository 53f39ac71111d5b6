/* SPDX-License-Identifier: MIT */
/** tests/lib/adit-test.h - what the files of libadit-test share. It uses the installed headers alone. */
#pragma once

#include <adit/test.h>

struct AditPlugin {
  const char *name;
  const AditPluginInfo *info;
  gboolean in_init;
};

typedef struct {
  AditPlugin owner; /* head */
  const AditPluginInfo *info;
  gpointer state, staged;
  gboolean started, prepared, pending, stopping;
  GError *refusal;
} TestPlugin;

/** A registration: its plugin, table and state. */
typedef struct {
  AditPlugin *plugin;
  const char *name;
  gconstpointer ops;
  gpointer state;
} TestEntry;

struct AditTest {
  GThread *thread;     /* the test's own: the main loop */
  guint claims;        /* not released */
  GPtrArray *lent;     /* of AditValue*: what plugins were given */
  GPtrArray *features; /* of char*: that plugins of the test provide, and adit_test_provide() */
  GPtrArray *plugins;  /* of TestPlugin* */
  AditValue *config;
  GString *log;
  GHashTable *failures; /* call -> errno */

  /* loop */
  guint64 now;
  GPtrArray *timers;  /* of AditTimer*, armed */
  GPtrArray *watches; /* of AditWatch* */
  GAsyncQueue *calls; /* of TestCall*, from any thread */
  GThreadPool *threads;

  GPtrArray *classes; /* of TestClass* */
  GPtrArray *handlers;
  GQueue events;
  gboolean publishing;
  guint last_id;

  GPtrArray *sources, *sinks, *methods, *ncps, *lcps, *datapaths, *transports; /* of TestEntry* */
  GPtrArray *answers;                                                          /* of TestAsk* */
  GPtrArray *interfaces;
  GPtrArray *links, *sessions;
  GPtrArray *agreed;             /* of what LCP agreed on */
  const AditBundlerOps *bundler; /* NULL = none was registered */
  gpointer bundler_state;
  GPtrArray *pools;
  GHashTable *store; /* "table\nkey" -> GBytes */
  guint64 last_link;
};

/** The one that is there. */
extern AditTest *test_now;

/** A mistake that the daemon logs and refuses ends the test: a [main] function on another thread. */
void test_main_only(const char *function);
/** Ends the test if the plugin registers outside of init(), or what it does not declare as KIND:NAME (kind NULL: nothing to declare). */
void test_expect_registration(AditPlugin *plugin, const char *function, const char *kind, const char *name);
/** Checks the plugin's description and options as the daemon's loader does. */
gboolean test_check_info(const AditPluginInfo *info, GError **error);
/** References that plugins have not given back, one line each; the caller's. */
char *test_aaa_leaks(AditTest *test);
char *test_rest_leaks(AditTest *test);
char *test_loop_leaks(AditTest *test);
char *test_session_leaks(AditTest *test);
/** A plugin gets the value for a call alone: what it still holds of it at the end is reported. */
void test_lend_value(AditTest *test, AditValue *value);

/** Adds a line to the log; returns the errno it shall fail with, or 0. */
int test_log(const char *format, ...) G_GNUC_PRINTF(1, 2);
/** Calls `func` from the loop. [any] */
void test_later(AditWorkFunc func, gpointer data);

TestEntry *test_find(GPtrArray *entries, const char *name);
gboolean test_register(GPtrArray *entries, AditPlugin *plugin, const char *name, gconstpointer ops, gpointer state, GError **error);

void test_loop_begin(AditTest *test);
/** Ends work on threads and runs what came of it: plugins' fini may count on it. */
void test_loop_quiesce(AditTest *test);
void test_loop_end(AditTest *test);
void test_bus_begin(AditTest *test);
void test_bus_end(AditTest *test);
void test_aaa_begin(AditTest *test);
void test_aaa_end(AditTest *test);
void test_session_begin(AditTest *test);
void test_session_end(AditTest *test);
void test_control_begin(AditTest *test);
void test_control_end(AditTest *test);
void test_rest_begin(AditTest *test);
void test_rest_end(AditTest *test);

extern const AditLoopService test_loop_service;
extern const AditBusService test_bus_service;
extern const AditAaaService test_aaa_service;
extern const AditNetService test_net_service;
extern const AditStoreService test_store_service;
extern const AditPoolService test_pool_service;
extern const AditPathService test_path_service;
extern const AditSessionService test_session_service;
extern const AditControlService test_control_service;
extern const AditPppService test_ppp_service;

/** Types `text` by the option; NULL if it does not fit. */
AditValue *test_type(const AditOption *option, const char *text);
