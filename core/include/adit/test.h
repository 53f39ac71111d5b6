/* SPDX-License-Identifier: MIT */
/**
 * adit/test.h - a fake core: runs a plugin in a test program, without root, network, daemon or waiting.
 *
 * Link with `pkg-config --libs adit-plugin-test`. Every service is there. The loop has a virtual clock that only adit_test_advance()
 * moves; the others record what they are asked (adit_test_saw()) and complete it. One at a time in a process.
 *
 *     AditTest *test = adit_test_new();
 *     adit_test_load(test, "./mine.so", &error);
 *     adit_test_configure(test, adit_test_config(test, "mine", "server", "192.0.2.1", NULL), &error);
 *     adit_test_start(test, &error);
 *     AditTestAnswer *answer = adit_test_ask(test, "mine", request);
 *     g_assert_true(ADIT_TEST_UNTIL(test, answer->count, 2000));
 *     adit_test_free(test);
 *
 * It is as strict as the daemon: a mistake that the daemon refuses or logs ends the test with the same words. Such are a [main] function
 * on another thread, a registration without effect, and a second answer to a call; and an interface with methods, commands or columns that
 * do not fit its description. A required feature must be there, and leaked references are reported.
 *
 * All functions are [main]: call them from the test's own thread.
 */
#pragma once

#include <adit/adit.h>

G_BEGIN_DECLS

#define ADIT_TEST_API __attribute__((visibility("default")))

typedef struct AditTest AditTest;

ADIT_TEST_API AditTest *adit_test_new(void);
/** The objects that plugins hold: armed timers, watches, requests, handles, claims, addresses, links, values. One line each, "" = nothing;
 *  free it. */
ADIT_TEST_API char *adit_test_leaks(AditTest *test);
/** Stops what was started (5 s of virtual time), calls fini, and frees everything. Objects that plugins have not given back by then are a
 *  g_critical(). */
ADIT_TEST_API void adit_test_free(AditTest *test);

/* ---- life of plugins; several may be there, in the order in which they came ---- */

/** Opens a plugin's file and calls its init. */
ADIT_TEST_API gboolean adit_test_load(AditTest *test, const char *path, GError **error);
/** Says that something provides a feature which a plugin requires (`datapath:tun`), as if a plugin had been loaded that does. */
ADIT_TEST_API void adit_test_provide(AditTest *test, const char *feature);
/** The same for one that is linked in. */
ADIT_TEST_API gboolean adit_test_use(AditTest *test, const AditPluginInfo *info, GError **error);
/** prepare and commit of all; if one refuses, abort of all. A pending prepare has 10 s, real and virtual. Takes over `config`. */
ADIT_TEST_API gboolean adit_test_configure(AditTest *test, AditValue *config, GError **error);
/** prepare, then abort of all. Takes over `config`. */
ADIT_TEST_API gboolean adit_test_try(AditTest *test, AditValue *config, GError **error);
ADIT_TEST_API gboolean adit_test_start(AditTest *test, GError **error);
/** FALSE if a plugin did not finish within `limit_ms` of virtual time. */
ADIT_TEST_API gboolean adit_test_stop(AditTest *test, guint limit_ms);

/**
 * A configuration { NAME: { ... } } for plugin NAME: the defaults of its options, then pairs of key and text (NULL-terminated), typed
 * by the plugin's own table as the daemon would. A text that can't be typed aborts the test. Items of lists: adit_test_defaults().
 */
ADIT_TEST_API AditValue *adit_test_config(AditTest *test, const char *name, ...) G_GNUC_NULL_TERMINATED;

/**
 * A map of `scope` as the daemon makes it without any written option: each option of the table that has a default, and single maps within.
 * Complete it with adit_value_set(). The caller's.
 */
ADIT_TEST_API AditValue *adit_test_defaults(const AditOption *options, guint n, const char *scope);

/** A service as the plugin gets it, for the test's own use (with plugin NULL). */
ADIT_TEST_API const void *adit_test_service(AditTest *test, const char *name);

/* ---- time ---- */

ADIT_TEST_API guint64 adit_test_now(AditTest *test);
/** Lets virtual time pass: timers run in order, each at its own time. */
ADIT_TEST_API void adit_test_advance(AditTest *test, guint64 ms);
/** Runs what is ready: calls from other threads, descriptors. Waits for it up to `real_ms`. TRUE if anything ran. */
ADIT_TEST_API gboolean adit_test_iterate(AditTest *test, guint real_ms);

/** Runs until the expression is true: TRUE; FALSE when `ms` real milliseconds have passed. For answers from other threads. */
#define ADIT_TEST_UNTIL(test, expression, ms)                                                                                              \
  __extension__({                                                                                                                          \
    gint64 adit_test_end_ = g_get_monotonic_time() + (gint64)(ms)*1000;                                                                    \
    while (!(expression) && g_get_monotonic_time() < adit_test_end_)                                                                       \
      adit_test_iterate((test), 10);                                                                                                       \
    !!(expression);                                                                                                                        \
  })

/* ---- what was asked of the core ---- */

/** Every call to adit.net, .store, .pool, .path, .session and .control is a line: `net.claim_route 192.0.2.0/24 via - dev 3`. True if one
 * contains `text`. */
ADIT_TEST_API gboolean adit_test_saw(AditTest *test, const char *text);
/** All lines, for a failing test to print. */
ADIT_TEST_API const char *adit_test_log(AditTest *test);
ADIT_TEST_API void adit_test_clear_log(AditTest *test);
/** From now on calls with a line that begins with `call` (`net.claim_route`) fail with `error` (a positive errno); 0 = succeed again. */
ADIT_TEST_API void adit_test_fail(AditTest *test, const char *call, int error);
/** How many events of that class were published. */
ADIT_TEST_API guint adit_test_published(AditTest *test, const char *event);

/* ---- hooks and events ---- */

/** Asks the hook's vetoes about `about`, of `size` octets, in order of priority. The first reason to refuse (free it), or NULL. */
ADIT_TEST_API char *adit_test_veto(AditTest *test, const char *hook, AditEvent *about, gsize size);
/** The first value that a hook gives (the caller's), or NULL. */
ADIT_TEST_API AditValue *adit_test_value(AditTest *test, const char *hook, AditEvent *about, gsize size);
/** Publishes an event of class `name`, as the core would. */
ADIT_TEST_API void adit_test_publish(AditTest *test, const char *name, AditEvent *event, gsize size);

/* ---- authentication and accounting ---- */

/** The answer of a source; lives as long as the test. */
typedef struct {
  guint count; /**< answers so far: 1 is right */
  AditAuthOutcome outcome;
  AditValue *attributes;
  char *password, *message, *why;
  gboolean has_nt_hash;
  guint8 nt_hash[16];
  guint error_code;
  gboolean retry;
} AditTestAnswer;

/** Asks a registered source. Takes over `request`. A handle that is dropped without an answer counts as ERROR. NULL: no such source. */
ADIT_TEST_API AditTestAnswer *adit_test_ask(AditTest *test, const char *source, AditAuthRequest *request);
/** As if the link had died while the source was still thinking. */
ADIT_TEST_API void adit_test_cancel(AditTest *test, AditTestAnswer *answer);
/** A request as PAP makes it: service l2tp, a peer in 192.0.2.0/24. */
ADIT_TEST_API AditAuthRequest *adit_test_pap(const char *user, const char *password);
/** Gives `record` to the sink; `*kept` becomes 1 for kept, -1 for not, once the sink says so. FALSE: no such sink. */
ADIT_TEST_API gboolean adit_test_account(AditTest *test, const char *sink, const AditAcctRecord *record, gint *kept);

/* ---- what was registered ---- */

ADIT_TEST_API const AditAuthMethod *adit_test_method(AditTest *test, const char *name);
ADIT_TEST_API const AditNcpDesc *adit_test_ncp(AditTest *test, const char *name);
ADIT_TEST_API const AditLcpDesc *adit_test_lcp(AditTest *test, const char *name);
ADIT_TEST_API const AditDatapathOps *adit_test_datapath(AditTest *test, const char *name, gpointer *dp);
ADIT_TEST_API const AditTransportOps *adit_test_transport(AditTest *test, const char *name, gpointer *state);

/** Calls a management method (`io.adit.mine.List`); `parameters` is taken over, NULL = none. Returns the last reply (a MAP; the caller's),
 *  or NULL with the error's name and text in `error`. Waits up to 5 s of real time. Parameters that the description refuses do not reach the
 *  plugin: `org.varlink.service.InvalidParameter`, as from the daemon. */
ADIT_TEST_API AditValue *adit_test_call(AditTest *test, const char *method, AditValue *parameters, GError **error);

/** The core ends a link that the plugin has opened with adit.session. */
ADIT_TEST_API void adit_test_close_link(AditTest *test, AditLinkId link, AditCause cause, const char *reason);
/** The link that was opened last; 0 = none. */
ADIT_TEST_API AditLinkId adit_test_last_link(AditTest *test);
/** Adds a session that adit.session lists; `info` is copied, strings too, and gets a new id. A plugin's changes to it, and its end by a
 *  plugin, are lines of the log. With adit_test_fail(test, "session.session_update", ENOENT, ENOTSUP or EINVAL) the error is
 *  NOT_FOUND, UNSUPPORTED or INVALID. An ended session stays in the state `ending` until adit_test_end_session(). */
ADIT_TEST_API void adit_test_add_session(AditTest *test, const AditSessionInfo *info);
/** It is gone: session-down is published. */
ADIT_TEST_API void adit_test_end_session(AditTest *test, AditSessionId id, AditCause cause);
/** The verdict of the plugin's bundler about a link, as the core gets it; NONE if it registered none. Strings in `*out` are the plugin's. */
ADIT_TEST_API AditBundleVerdict adit_test_bundle(AditTest *test, const AditLinkInfo *link, AditBundleDecision *out);
/** The value that LCP has agreed on for an option type of the link, as adit.session link_option() says from now on; `data` is copied. */
ADIT_TEST_API void adit_test_agree(AditTest *test, AditLinkId link, guint8 type, gboolean peer, gconstpointer data, guint8 length);
/** The stage that a plugin has put into the session, and its parameters (`params` may be NULL); NULL = none. */
ADIT_TEST_API const AditStageOps *adit_test_stage(AditTest *test, AditSessionId session, AditStageKind kind, gconstpointer *params);
/** Adds a pool of one prefix to adit.pool. */
ADIT_TEST_API void adit_test_add_pool(AditTest *test, const char *name, const char *prefix);

G_END_DECLS
