/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * One network control protocol of a session: the automaton joined to a plugin's AditNcpDesc. A pure engine.
 *
 * All functions are [main], or called by one thread at a time in tests. Callbacks may call back, and may free the NCP:
 * the memory then goes when the outermost call returns.
 */
#pragma once

#include <adit/ppp.h>

G_BEGIN_DECLS

typedef struct AditNcp AditNcp;

typedef struct {
  gsize size;
  /** Send a frame: two octets of protocol, then the packet. */
  void (*send)(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length);
  /** Opened; `result` is borrowed. */
  void (*opened)(gpointer host, AditNcp *ncp, const AditNcpResult *result);
  /** It has left Opened: its data must not pass. opened() or closed() may follow. */
  void (*down)(gpointer host, AditNcp *ncp);
  /** It has ended (`why`: the peer rejected the protocol, terminated, did not answer, ...); the link goes on.
   *  If the peer begins again later, opened() comes. Not called after adit_ncp_down(). */
  void (*closed)(gpointer host, AditNcp *ncp, const char *why);
  /** AditNcpHost's, of which spec->note() may be called while it lives. NULL = there are no stages. */
  gboolean (*stage_add)(gpointer host, AditNcp *ncp, const AditStageSpec *spec, GError **error);
  void (*stage_set)(gpointer host, AditNcp *ncp, AditStageKind kind, gconstpointer params, gsize length);
  void (*stage_remove)(gpointer host, AditNcp *ncp, AditStageKind kind);
  void (*warn)(gpointer host, AditNcp *ncp, const char *text); /**< NULL = not read */
} AditNcpOps;

/** Restart timer and counters (RFC 1661 4.6); zero = 3000 ms, 10, 2, 5. */
typedef struct {
  guint restart_ms, max_configure, max_terminate, max_failure;
} AditNcpTiming;

/** `desc`, `ops`, what `env` points to, and `params->attributes` must outlive the NCP; the rest of `params` is copied.
 *  `timing` may be NULL. */
AditNcp *adit_ncp_new(const AditNcpDesc *desc, const AditNcpParams *params, const AditNcpTiming *timing, const AditNcpOps *ops,
                      gpointer host, const AditEngineEnv *env);
void adit_ncp_free(AditNcp *ncp); /**< quietly; NULL is fine */

const AditNcpDesc *adit_ncp_desc(const AditNcp *ncp);
gboolean adit_ncp_is_open(const AditNcp *ncp);
/** True if it neither is open nor tries to be, while the network phase goes on; the peer may still begin again. */
gboolean adit_ncp_is_over(const AditNcp *ncp);
/** True if `protocol` is this NCP's, its own or its data's: when the peer rejects it, the NCP is over. */
gboolean adit_ncp_owns(const AditNcp *ncp, guint16 protocol);
/** True if frames of `protocol` are its data; a codec of Ethernet frames may have more of them than the one that it lives by. */
gboolean adit_ncp_carries(const AditNcp *ncp, guint16 protocol);

void adit_ncp_up(AditNcp *ncp);   /**< the network phase begins: negotiate. Opens it, too, unless it was closed */
void adit_ncp_down(AditNcp *ncp); /**< the network phase ends; down() if it was open. A later up() starts afresh */
/** Terminate this protocol alone; closed(why) when done. A later up() does not open it again. */
void adit_ncp_close(AditNcp *ncp, const char *why);
/** A packet of its protocol, from code on. Data protocol packets must not come here. */
void adit_ncp_input(AditNcp *ncp, const guint8 *payload, gsize length);
void adit_ncp_timeout(AditNcp *ncp, guint slot);
/** The peer does not know the protocol (RFC 1661 5.7): stops at once. */
void adit_ncp_rejected(AditNcp *ncp);

/** Authentication has run again; NULL = it made no keys. Borrowed. */
void adit_ncp_rekey(AditNcp *ncp, const AditMppeKeys *keys);

void adit_ncp_save(const AditNcp *ncp, AditBuilder *out);
/** As saved, with timers armed and no callback made. NULL if the octets make no sense. */
AditNcp *adit_ncp_restore(const AditNcpDesc *desc, const AditNcpParams *params, const AditNcpTiming *timing, const AditNcpOps *ops,
                          gpointer host, const AditEngineEnv *env, AditCursor *in);
/** The result; FALSE unless open. After a restore, this is the result that opened() reported before. */
gboolean adit_ncp_result(AditNcp *ncp, AditNcpResult *out);
/** Its part of `show session`, under its name: a MAP of the caller's. NULL unless it is open and has something to show. */
AditValue *adit_ncp_describe(const AditNcp *ncp);

G_END_DECLS
