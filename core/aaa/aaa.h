/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/aaa/aaa.h - authentication and accounting: the chain of authentication sources, the registry of methods, the
 * accounting sinks. Serves "adit.aaa" (adit/auth.h) to plugins. Main loop only, unless marked [any].
 */
#pragma once

#include <adit/auth.h>

G_BEGIN_DECLS

/** Starts the module; `loop` is adit_loop_service(), or a test's own with virtual time. It must outlive fini. */
void adit_aaa_init(const AditLoopService *loop);
/** Forgets everything: no done is called any more, and answers that still come from threads are dropped. */
void adit_aaa_fini(void);

/** The service "adit.aaa" for plugins. */
const AditAaaService *adit_aaa_service(void);
/** Removes the plugin's methods, sources and sinks; requests that wait for one of its sources count as ERROR. */
void adit_aaa_drop_plugin(AditPlugin *plugin);

/* ---- configuration: the map `aaa` ---- */

extern const AditOption adit_aaa_options[];
extern const guint adit_aaa_n_options;

typedef struct AditAaaStaged AditAaaStaged;
/** Checks `aaa` of the whole typed tree against the sources that are registered. NULL and an error that says where. */
AditAaaStaged *adit_aaa_prepare(const AditValue *config, GError **error);
/** Takes it over: requests asked from now on use it, those on their way keep the chain they began with. */
void adit_aaa_commit(AditAaaStaged *staged);
void adit_aaa_abort(AditAaaStaged *staged);

/** False when `aaa: { accounting: no }`. */
gboolean adit_aaa_accounting(void);
/** Has any plugin added a sink? Without one, records are dropped. */
gboolean adit_acct_has_sink(void);
/** Period of interim records in milliseconds; 0 = none. */
guint64 adit_aaa_interim_ms(void);

/* ---- methods ---- */

/** A method by RouterOS's word (pap, chap, mschap1, mschap2); NULL if no plugin has it. */
const AditAuthMethod *adit_auth_method_find(const char *name);
/** The method that makes requests of `kind`; NULL if no plugin has it. */
const AditAuthMethod *adit_auth_method_of_kind(AditAuthKind kind);
/** All methods, strongest first; borrowed until one is added or dropped. */
const AditAuthMethod *const *adit_auth_methods(guint *n);

/* ---- requests ---- */

/**
 * The verdict: ACCEPT or REJECT (after the method's verify(), if a source gave a secret), or CHALLENGE for EAP. ERROR: no source could
 * decide; the caller refuses the peer. `reply` and all it points to is borrowed for the call; it holds neither password nor hash.
 * `source` is the name of the source that decided, or NULL. Attributes are those of the source.
 */
typedef void (*AditAaaDone)(guint64 id, const AditAuthReply *reply, const char *source, gpointer data);

/**
 * Asks the configured sources, one after the other, until one decides; or the one that the request names. Takes over `request`, and sets
 * its deadline. Returns an id that is never 0 and never used again. `done` comes exactly once, on the main loop, never inside this call;
 * not after adit_aaa_request_cancel().
 */
guint64 adit_aaa_request_begin(AditAuthRequest *request, AditAaaDone done, gpointer data);
/** The request with all members of these headers, for a method that was built against older ones; takes `request` over. */
AditAuthRequest *adit_aaa_whole(AditAuthRequest *request);
/** Cancels the request, also at the source. Harmless for an id that is done. */
void adit_aaa_request_cancel(guint64 id);
/** Are the users of this source the machine's own? FALSE for NULL, and for a source that is gone. */
gboolean adit_aaa_is_local(const char *source);
/** How many requests wait for a source. */
guint adit_aaa_requests_count(void);

/* ---- failed logins: guard.h ---- */

/** For `show logins`: a LIST of MAPs, of sources and users that have failed lately or wait (the first thousand); and a MAP of counters.
 *  The caller owns them. */
AditValue *adit_aaa_sources_failing(void);
AditValue *adit_aaa_login_counters(void);
/** Ends lockouts of hosts in `source`, of networks that contain it, and of users there; how many sources were forgiven something. */
guint adit_aaa_forgive(const AditPrefix *source);

/* ---- accounting ---- */

/** Hands the record (borrowed) to all sinks. One that can't keep it is logged. While accounting is off nothing begins: START
 *  and ON are dropped; later records of a session that has begun are passed on, so that it ends. */
void adit_acct_record(const AditAcctRecord *record);
/** Records that sinks have taken and not yet acknowledged. [any] */
guint adit_acct_pending(void);
/** Calls `func` on the main loop once nothing is pending: at once if so now. One caller at a time; NULL forgets it. */
void adit_acct_when_idle(AditWorkFunc func, gpointer data);

G_END_DECLS
