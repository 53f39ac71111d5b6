/* SPDX-License-Identifier: MIT */
/**
 * adit/auth.h - authentication is a method and a source; accounting is a sink. Service "adit.aaa".
 *
 * A *method* (PAP, CHAP, MS-CHAP, EAP) speaks with the peer: an engine (adit/engine.h) over PPP payloads. Where it
 * demands authentication it makes an AditAuthRequest. A *source* (a file, RADIUS, yours) answers it: exactly once, from
 * any thread, even after the link has died. Sources know no method's packets, methods know no source.
 *
 * A source that knows its users at once, and a sink:
 *
 *     static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
 *       AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_NOT_MINE};
 *       const char *password = find_password(state, request->user);
 *       if (password) {
 *         reply.outcome = ADIT_AUTH_SECRET; // the method verifies: so PAP, CHAP and MS-CHAP all work
 *         reply.password = password;
 *       }
 *       aaa->answer(handle, &reply);
 *     }
 *     static const AditAuthSourceOps source = {.size = sizeof source, .name = "mine", .ask = ask};
 *
 *     static void record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
 *       done(token, append_line(state, record)); // TRUE: it can't be lost any more
 *     }
 *     static const AditAcctSinkOps sink = {.size = sizeof sink, .name = "mine", .record = record};
 *
 *     static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:mine"}, {ADIT_PROVIDES, "acct-sink:mine"}};
 *     ...
 *     return aaa->source_add(plugin, &source, self, error) && aaa->sink_add(plugin, &sink, self, error); // in init
 */
#pragma once

#include <adit/address.h>
#include <adit/engine.h>
#include <adit/plugin.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_AUTH_PAP = 1,
  ADIT_AUTH_CHAP_MD5,
  ADIT_AUTH_MSCHAPV1,
  ADIT_AUTH_MSCHAPV2,
  ADIT_AUTH_EAP,
} AditAuthKind;

#define ADIT_AUTH_NAME_MAX 255
#define ADIT_AUTH_CHALLENGE_MAX 64

/** A self-contained copy of everything a source may need. Immutable once asked; refcounted, [any]. */
typedef struct AditAuthRequest {
  gsize size;
  gint refs;
  AditAuthKind kind;
  AditLinkId link;
  gboolean again;        /**< a re-challenge of a link that is already authenticated */
  char *user;            /**< as the peer sent it: any octets but NUL */
  char *password;        /**< PAP only; wiped when freed */
  guint8 id;             /**< CHAP identifier */
  guint8 challenge[ADIT_AUTH_CHALLENGE_MAX];
  guint8 challenge_length; /**< CHAP 1.., MS-CHAPv1 8, MS-CHAPv2 16 */
  guint8 peer_challenge[16]; /**< MS-CHAPv2 */
  guint8 response[49];   /**< the CHAP Value as received: 16, or 49 octets for MS-CHAP */
  guint8 response_length;
  GBytes *eap;           /**< EAP packet, else NULL */
  char *transport;       /**< "l2tp": RouterOS's `service` */
  char *server;          /**< name of the server that was called */
  char *caller_id;       /**< the caller: an address, or the Calling Number, by `caller-id-type` */
  char *called_id;
  AditEndpoint peer, local;
  AditValue *attributes; /**< MAP of what else the transport knows (tunnel names, speeds); may be NULL */
  guint64 deadline_ms;   /**< on adit.loop's now(); an answer after it is dropped */
  char *record_id;       /**< what AditAcctRecord.record_id of the session will be: given to the link at its birth */
  guint32 port;          /**< a small number of the link's own, from 1: the smallest that no other link has (NAS-Port) */
  char *source;          /**< EAP: the source that opened the conversation with a CHALLENGE, and is asked alone; NULL = the first round */
  GBytes *state;         /**< EAP: what that source gave with its last CHALLENGE; may be NULL */
  void (*dispose)(struct AditAuthRequest *request); /**< private: the core's, for when the last reference is given back */
} AditAuthRequest;

static inline AditAuthRequest *adit_auth_request_ref(AditAuthRequest *r) {
  g_atomic_int_inc(&r->refs);
  return r;
}

/** private: wipes and frees all that it points to */
static inline void adit_auth_request_clear_(AditAuthRequest *r) {
  if (r->password)
    adit_wipe(r->password, strlen(r->password));
  g_free(r->user);
  g_free(r->password);
  g_clear_pointer(&r->eap, g_bytes_unref);
  g_free(r->transport);
  g_free(r->server);
  g_free(r->caller_id);
  g_free(r->called_id);
  adit_value_unref(r->attributes);
  if (ADIT_HAS(r, state)) {
    g_free(r->record_id);
    g_free(r->source);
    g_clear_pointer(&r->state, g_bytes_unref);
  }
  adit_wipe(r, MIN(r->size, sizeof *r));
}

/** NULL is harmless. One that is given back once too often is noticed, and the log names the source. */
static inline void adit_auth_request_unref(AditAuthRequest *r) {
  if (!r || !g_atomic_int_dec_and_test(&r->refs))
    return;
  if (ADIT_HAS(r, dispose) && r->dispose) {
    r->dispose(r);
    return;
  }
  adit_auth_request_clear_(r);
  g_free(r);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditAuthRequest, adit_auth_request_unref)

static inline AditAuthRequest *adit_auth_request_new(AditAuthKind kind) {
  AditAuthRequest *r = g_new0(AditAuthRequest, 1);
  r->size = sizeof *r;
  r->refs = 1;
  r->kind = kind;
  return r;
}

typedef enum {
  ADIT_AUTH_ACCEPT = 1,
  ADIT_AUTH_REJECT,
  ADIT_AUTH_SECRET,    /**< "here is the secret: let the method verify" */
  ADIT_AUTH_CHALLENGE, /**< another round (EAP) */
  ADIT_AUTH_NOT_MINE,  /**< ask the next source */
  ADIT_AUTH_ERROR,     /**< has no answer: refuses, unless the source is configured with `on-error: next` */
} AditAuthOutcome;

/** A source's answer, and a method's verdict. All pointers are borrowed for the call. */
typedef struct {
  gsize size;
  AditAuthOutcome outcome;
  /** MAP in the words of the scopes secret, profile and session (`profile`, `remote-address`, `class`, ...); may be NULL. A
   *  value of another type than its word has refuses the user; a word that no table has (AditOption, in one of these scopes) is
   *  left out, and so is a `profile` that does not exist: the user then has the service's default profile. The log names the source of each.
   *  Anything else than a MAP counts as ERROR. */
  AditValue *attributes;
  const char *password;    /**< SECRET: cleartext, or NULL when only the hash is known. An empty one refuses the user */
  const guint8 *nt_hash;   /**< SECRET: 16 octets, or NULL. That of an empty password refuses the user */
  const char *message;     /**< text for the peer; for MS-CHAPv2 success `S=...`, without it the method makes its own */
  guint error_code;        /**< MS-CHAP E=: 0 means 691 on reject */
  gboolean retry;          /**< the peer may try again on this link (MS-CHAP R=1) */
  GBytes *eap;             /**< CHALLENGE, ACCEPT, REJECT of EAP */
  const char *why;         /**< for the log alone: "no such user", "wrong password" */
  guint8 mppe_send_key[16], mppe_receive_key[16]; /**< as this side uses them; see has_mppe_keys */
  gboolean has_mppe_keys;
  GBytes *state;           /**< CHALLENGE: octets of the source's own, which the next round's request has again; may be NULL */
  AditMppeShort mppe_short;   /**< with has_mppe_keys */
  guint8 mppe_short_key[8];   /**< ADIT_MPPE_SHORT_OWN */
} AditAuthReply;

/** The way back for one answer; refcounted, holds no link. */
typedef struct AditAuthHandle AditAuthHandle;

typedef struct {
  gsize size;
  const char *name; /**< as in `aaa: { sources: [name] }` */
  /** [main] Answer now or later with adit.aaa's answer(). `request` and `handle` are borrowed: ref to keep. A request that proves
   *  only an empty password is refused by the core, whatever a source answers; PAP's never gets here. */
  void (*ask)(gpointer state, AditAuthRequest *request, AditAuthHandle *handle);
  /** [main] The request is cancelled; an answer is still allowed, and dropped. May be NULL. */
  void (*cancel)(gpointer state, AditAuthHandle *handle);
  gboolean local; /**< its users are this machine's own: RouterOS's `only-one` counts for them alone */
} AditAuthSourceOps;

/* ---- methods ---- */

typedef struct {
  gsize size;
  /** Send a PPP payload (code, identifier, length, ...) in the method's protocol. */
  void (*send)(gpointer host, const guint8 *payload, gsize length);
  /** Demanding side: the peer has answered. Takes over `request`; verdict() follows, in this call or later. */
  void (*ask)(gpointer host, AditAuthRequest *request);
  /** This direction is settled: both sides, once (again after each re-challenge). `why` for the log. */
  void (*done)(gpointer host, gboolean ok, const char *why);
} AditAuthUpOps;

typedef struct {
  AditEngineEnv engine;
  const AditAuthUpOps *up; /**< called with engine.host */
} AditAuthEnv;

typedef struct {
  gsize size;
  gboolean demand;        /**< TRUE: the peer must prove itself; FALSE: we answer */
  const char *name;       /**< demanding: our name in challenges; answering: our user name */
  const char *password;   /**< answering only; stays where it is as long as the state lives: keep the pointer, make no copy */
  guint timeout_ms;       /**< retransmission, RFC 1334 and 1994: 3000 */
  guint tries;            /**< before giving up: 10 */
  guint rechallenge_ms;   /**< demanding CHAP: challenge again this long after success; 0 = never */
} AditAuthStart;

typedef struct AditAuthMethod {
  gsize size;
  const char *name;       /**< RouterOS's word: pap, chap, mschap1, mschap2 */
  AditAuthKind kind;
  guint16 protocol;       /**< PPP protocol number */
  guint8 option[4];       /**< what follows the protocol in LCP's Authentication-Protocol option */
  guint8 option_length;
  guint strength;         /**< methods are offered strongest first */
  gsize state_size;       /**< zeroed by the core before start(), wiped after */
  guint n_slots;          /**< timer slots it uses, from 0 */

  void (*start)(gpointer state, const AditAuthEnv *env, const AditAuthStart *start);
  void (*input)(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length);
  void (*timeout)(gpointer state, const AditAuthEnv *env, guint slot);
  /** Demanding side: ACCEPT or REJECT for the request last asked. Sends it to the peer, then calls done(). */
  void (*verdict)(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply);
  /** [any], pure: `secret` (outcome SECRET) against what the peer sent. Fills `out` with ACCEPT or REJECT; `message`
   *  may point into `text`. */
  void (*verify)(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]);
  void (*save)(gconstpointer state, AditBuilder *out);
  /** After a restart, in place of start(); timers are armed again. False if the octets make no sense. */
  gboolean (*restore)(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in);
  /** Answering side, from done(TRUE) until the next challenge: the start keys of RFC 3079 as this side uses them, which an
   *  AditAuthReply has for the demanding side. FALSE = there are none. NULL = the method makes none. */
  gboolean (*keys)(gconstpointer state, guint8 send[16], guint8 receive[16]);
  /** As keys(): the start key of 40 and 56 bits, where it is not the first octets of those. NULL = it is. */
  AditMppeShort (*short_key)(gconstpointer state, guint8 key[8]);
} AditAuthMethod;

/* ---- accounting ---- */

/** ON: the daemon has started. OFF: it stops, all sessions are over and their STOPs were handed out; before plugins stop. */
typedef enum { ADIT_ACCT_START = 1, ADIT_ACCT_INTERIM, ADIT_ACCT_STOP, ADIT_ACCT_ON, ADIT_ACCT_OFF } AditAcctKind;

/**
 * The event of a session, or of the daemon (ON and OFF: session 0, user NULL, record_id of the daemon's run). Borrowed for
 * the call, values may be kept by reference. While the daemon lives every START is followed by one STOP, also when `accounting` is switched
 * off between them; a session that ended before it was up has neither. A daemon that is killed sends no STOP, and the next one does not
 * know its sessions: ON has the record_id of a new run. A sink that must close them keeps their data in adit.store. It writes the missing
 * STOPs itself, with ADIT_CAUSE_NAS_REBOOT, before it passes ON on, as plugins-auth/radius does. INTERIM comes by the period in force
 * (`interim-update`), and where there is one also when addresses or attributes have changed.
 */
typedef struct {
  gsize size;
  AditAcctKind kind;
  AditSessionId session;
  const char *record_id;        /**< unique over restarts: Acct-Session-Id */
  const char *user;
  const AditValue *attributes;  /**< the session's merged attributes; NULL for ON and OFF */
  AditCounters counters;
  guint64 uptime_ms;
  AditCause cause;              /**< STOP */
  /** MAP of what the core knows beside the attributes, absent what is not known: `service` (the server's name), `transport`,
   *  `interface`, `caller-id`, `called-id`, `method`, `source` STRING; `peer`, `local` (the tunnel's ends), `local-address`,
   *  `remote-address` (inside) ADDRESS; `local-interface-id`, `remote-interface-id` OCTETS of 8; `port`, `peer-port`, `mtu`
   *  INT; `transport-attributes` MAP, AditLinkSpec.attributes. NULL for ON and OFF. */
  const AditValue *facts;
  gint64 when_ms;               /**< wall clock of the event, ms since 1970 (g_get_real_time() / 1000) */
  const char *multi_id;         /**< of the bundle: Acct-Multi-Session-Id; NULL = no bundle */
  guint link_count;             /**< links of the bundle so far; 1 without one */
  gboolean client;              /**< this machine is the one that dialled */
  const char *reason;           /**< STOP: why, for people */
} AditAcctRecord;

/** [any], once. FALSE: the sink could not take the record; it is lost, the log says so, and it is not offered again: a sink that can try again does
 *  that itself, before it answers. A second call for a token is ignored. Tokens that are left when the plugin's fini is over count as lost, and the
 *  log says how many; at the daemon's stop the core waits two seconds for them. */
typedef void (*AditAcctDone)(gpointer token, gboolean kept);

typedef struct {
  gsize size;
  const char *name;
  /** [main] Take the record; it is borrowed. Call done(token, TRUE) once it can't be lost any more. Records come whether
   *  the sink keeps up or not: what piles up, and what of it is dropped first, is the sink's to bound. */
  void (*record)(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token);
} AditAcctSinkOps;

#define ADIT_AAA_SERVICE "adit.aaa"
typedef struct {
  gsize size;
  gboolean (*method_add)(AditPlugin *plugin, const AditAuthMethod *method, GError **error);                   /**< [main] in init */
  gboolean (*source_add)(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error);  /**< [main] in init */
  gboolean (*sink_add)(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error);      /**< [main] in init */
  /** [any] Everything `reply` points to is copied, values by reference. A second answer is dropped, and the log names the source. */
  void (*answer)(AditAuthHandle *handle, const AditAuthReply *reply);
  AditAuthHandle *(*handle_ref)(AditAuthHandle *handle); /**< [any] */
  void (*handle_unref)(AditAuthHandle *handle);          /**< [any] dropped without an answer: counts as ERROR */
} AditAaaService;

G_END_DECLS
