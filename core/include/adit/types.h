/* SPDX-License-Identifier: MIT */
/**
 * adit/types.h - ids, counters and words that every other header uses.
 *
 * Threads: each function in the installed headers is marked
 *   [main]    call it, and expect to be called, on the main loop only;
 *   [worker]  on a data path's worker thread only: no GLib object, no lock, no allocation;
 *   [any]     from any thread.
 *
 * How structs grow. A plugin that was built against older headers of the same ABI major goes on working, as members are only ever added:
 *   sized     begins with `gsize size`; its maker sets `.size = sizeof it`, and members are added at its end. A reader asks ADIT_HAS()
 *             for a member that the first headers did not have, or takes a copy with adit_copy_sized();
 *   reserved  ends in `reserved`, which must be zero: a new member takes its place. Such a struct may be inside another;
 *   fixed     never changes: AditAddress, AditPrefix, AditEndpoint, AditCounters, AditWhere, AditValue, AditField, AditEvent, AditTimer,
 *             AditEngineEnv, AditAuthEnv, AditCursor, AditBuilder, AditPppOption, AditStageFrame, AditStageSlice, and what only code in a
 *             header reads (log.h, chap.h);
 *   listed    an array with a length of items that its owner gives: AditFeature and AditOption, in AditPluginInfo.
 * So zero-initialise what you give, and never copy what you are given with `=` or sizeof, unless it is fixed or reserved.
 *
 *     AditSessionInfo info = {.size = sizeof info};
 *     if (ADIT_HAS(session, session_find) && session->session_info(id, &info))
 *       use(info.user);
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/** ABI of the installed headers: the minor grows with each addition, the major when something changes or goes. A plugin's major must be
 *  the core's and its minor no greater. While the major is 0 an incompatible change raises the minor, too, and older ones are refused. */
#define ADIT_ABI_MAJOR 0
#define ADIT_ABI_MINOR 4

/** Identifies a session for the life of the daemon and never again; 0 is no session. */
typedef guint64 AditSessionId;
/** Identifies a link for the life of the daemon and never again; 0 is no link. */
typedef guint64 AditLinkId;

/** A loaded plugin as the core knows it: handed to init(), given back in every call that registers something. */
typedef struct AditPlugin AditPlugin;

/** Traffic as the daemon sees it: rx came from the peer, tx went to the peer. Octets are those of the network
 *  layer (RFC 2866 5.3: what the service carried), without PPP and tunnel headers. */
typedef struct {
  guint64 rx_packets, rx_octets;
  guint64 tx_packets, tx_octets;
} AditCounters;

/** Why a link or session ended. The numbers are Acct-Terminate-Cause's (RFC 2866 5.10). */
typedef enum {
  ADIT_CAUSE_NONE = 0,
  ADIT_CAUSE_USER_REQUEST = 1,     /**< the peer said Terminate-Request, CDN or StopCCN */
  ADIT_CAUSE_LOST_CARRIER = 2,     /**< keepalive failed: echo, or the tunnel's Hello */
  ADIT_CAUSE_LOST_SERVICE = 3,     /**< the transport went away under the link */
  ADIT_CAUSE_IDLE_TIMEOUT = 4,
  ADIT_CAUSE_SESSION_TIMEOUT = 5,
  ADIT_CAUSE_ADMIN_RESET = 6,      /**< aditctl disconnect, Disconnect-Request */
  ADIT_CAUSE_ADMIN_REBOOT = 7,     /**< the daemon is stopping */
  ADIT_CAUSE_PORT_ERROR = 8,       /**< the interface could not be made or set up */
  ADIT_CAUSE_NAS_ERROR = 9,        /**< anything else on our side */
  ADIT_CAUSE_NAS_REQUEST = 10,     /**< we ended it for an internal reason: a veto, a byte limit, a reload */
  ADIT_CAUSE_NAS_REBOOT = 11,      /**< the daemon died under it */
  ADIT_CAUSE_SERVICE_UNAVAILABLE = 15,
  ADIT_CAUSE_USER_ERROR = 17,      /**< wrong credentials, or options that can't be agreed on */
} AditCause;

/** Where start keys of 40 and 56 bits come from (RFC 3079 2.1, 2.2, 3.1, 3.2). */
typedef enum {
  ADIT_MPPE_SHORT_SAME = 0, /**< they are the first 8 octets of those of 128 bits: MS-CHAPv2 */
  ADIT_MPPE_SHORT_OWN,      /**< 8 octets for both directions: of the LM hash, MS-CHAPv1 */
  ADIT_MPPE_SHORT_NONE,     /**< unknown: MS-CHAPv1, and only the NT hash is known */
} AditMppeShort;

/** Result of a completion callback or a verdict. */
typedef enum {
  ADIT_OK = 0,
  ADIT_ERR_INVALID,      /**< malformed or out of range */
  ADIT_ERR_NOT_FOUND,
  ADIT_ERR_EXISTS,
  ADIT_ERR_BUSY,         /**< a limit is reached: try later */
  ADIT_ERR_UNSUPPORTED,  /**< this kernel, data path or peer can't */
  ADIT_ERR_DENIED,
  ADIT_ERR_TIMEOUT,
  ADIT_ERR_SYSTEM,       /**< the system refused; the message says what */
} AditErrorCode;

/** GError domain of everything in adit; the codes are AditErrorCode's. [any] */
#define ADIT_ERROR (g_quark_from_static_string("adit"))

/** True if the struct `s`, that begins with `gsize size`, is large enough to hold member `m`. */
#define ADIT_HAS(s, m) ((s) && (s)->size >= G_STRUCT_OFFSET(__typeof__(*(s)), m) + sizeof((s)->m))

/** Overwrites octets that were a secret, where the compiler would leave that out, as they are freed next. [any] */
static inline void adit_wipe(gpointer octets, gsize length) {
  if (length)
    memset(octets, 0, length);
  __asm__ __volatile__("" : : "r"(octets) : "memory");
}

/** Copies the struct `from`, which begins with its size, to `to`, a buffer of `size` octets. Members beyond the end of `from` are
 *  zero in the copy, and its further members are left out; the copy's size is `size`. [any] */
static inline void adit_copy_sized(gpointer to, gsize size, gconstpointer from) {
  gsize have = *(const gsize *)from;
  memset(to, 0, size);
  memcpy(to, from, MIN(have, size));
  *(gsize *)to = size;
}

G_END_DECLS
