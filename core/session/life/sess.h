/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/life/sess.h - a session: one authenticated subscriber, put together from parts that each have a file. [main]
 *
 * A part never calls what is above it: it sends an event to the session's life (adit_sess_event()), or ends the session.
 */
#pragma once

#include "core/session/life/accounting.h"
#include "core/session/life/limits.h"
#include "core/session/life/states.h"
#include "core/session/link/link.h"
#include "core/session/network/addresses.h"
#include "core/session/network/bridge.h"
#include "core/session/network/ether.h"
#include "core/session/network/family.h"
#include "core/session/network/ncps.h"
#include "core/session/network/ports.h"
#include "core/session/network/session-claims.h"
#include "core/session/network/stages.h"
#include <adit/event.h>
#include <adit/log.h>

/** Functions of the layer above a session, given to it when it is made. */
typedef struct {
  void (*event)(AditSess *session, AditLifeEvent event);
  void (*free)(AditSess *session); /**< the last reference is gone */
  void (*mtu)(AditSess *session);  /**< what its MTU depends on has changed */
} AditSessOps;

struct AditSess {
  gint refs;
  AditSessionId id;
  const AditSessOps *ops;

  AditLifeState state;
  guint64 up_ms, ended_ms;
  AditTimer patience; /**< with optional NCPs that are still trying, once the first one is open */
  gboolean impatient; /**< it has expired */
  AditCause cause;    /**< of its end */
  char *reason;

  char *user;
  char *record_id;    /**< Acct-Session-Id: unique over restarts */
  GPtrArray *links;   /**< of AditSessLink, borrowed, the oldest first; empty once it ends */
  AditLinkId link_id; /**< of the one that it began with */
  guint links_seen;   /**< how many it has had */
  char *multi_id;     /**< Acct-Multi-Session-Id; NULL = no other link may join */
  AditClient *client;
  gboolean is_client;
  char *transport, *server, *caller_id, *called_id, *source, *method;
  guint32 number;             /**< the link's */
  AditEndpoint peer, local;   /**< the tunnel's ends */
  AditValue *config;          /**< the server's or client's item */
  AditValue *record;          /**< what the source said, with what was changed since; may be NULL */
  AditValue *attributes;      /**< merged */
  AditValue *first;           /**< as they were when it began: the NCPs keep a pointer into them */
  AditValue *link_attributes; /**< what the transport knows; may be NULL */

  const AditDatapathOps *datapath;
  gpointer dp;
  AditDpSession *plane; /**< its data plane; NULL before the interface is open, and once it ends */
  AditCounters final;   /**< of its data plane, once that is closed */
  guint mtu;
  guint max_frame; /**< what the path carries, whatever LCP says; 0 = anything */

  AditSessFamily family[ADIT_SESS_FAMILIES];
  AditAddress dns[2], wins[2]; /**< name servers that IPCP told of */
  AditSessAddresses addresses;
  AditSessNcps ncps;
  AditSessPort port; /**< the L3 one */
  AditSessEther ether;
  AditSessBridge bridge;
  AditSessStages stages;
  AditSessClaims claims;
  AditSessAccounting accounting;
  AditSessLimits limits;
};

AditSess *adit_sess_ref(AditSess *session);
void adit_sess_unref(AditSess *session);
/** Something has happened to a part of it. */
void adit_sess_event(AditSess *session, AditLifeEvent event);
/** Stages make its packets smaller, or no longer. */
void adit_sess_mtu_changed(AditSess *session);
/** Ends it; harmless when it is ending. The link, if it lives, says goodbye by itself. */
void adit_sess_end(AditSess *session, AditCause cause, const char *reason);
gboolean adit_sess_is_over(const AditSess *session);
/** The link by which it speaks: the oldest one that is in the network phase; NULL = none. Borrowed. */
AditSessLink *adit_sess_speaking_link(const AditSess *session);
/** Since it came up, until it ended; 0 before. */
guint64 adit_sess_uptime_ms(const AditSess *session);
/** The interface that people and records know the session by: the L3 one, or its only one. */
const char *adit_sess_interface(const AditSess *session);
AditLogContext adit_sess_log(const AditSess *session);
