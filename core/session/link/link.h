/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/link/link.h - one PPP link between a transport's call, AAA and a session. [main] */
#pragma once

#include "core/ppp/ppp-link.h"
#include <adit/session.h>

typedef struct AditClient AditClient;
typedef struct AditClientCall AditClientCall;
typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

struct AditSessLink {
  AditLinkId id;
  AditPlugin *plugin; /**< the transport's */
  AditLinkSpec spec;  /**< strings and values are the link's own; proxy is not kept */
  AditPppLink *ppp;
  AditDpLink *dp_link;
  AditTimer timer;      /**< the engine's one slot */
  guint64 auth_request; /**< open question to AAA; 0 = none */
  AditValue *record;    /**< what the source said of the user */
  char *source;         /**< the source that gave it */
  char *user;           /**< the authenticated peer: proven, or for a client our own name */
  AditSess *session;    /**< borrowed: the session ends its link, or the link reports its end to it */
  AditClientCall *call; /**< the client's call that dialled; NULL on a server */
  guint64 opened_ms;
  char *record_id;    /**< Acct-Session-Id of the session that it will have */
  guint32 number;     /**< the smallest, from 1, that no other link has */
  char *conversation; /**< EAP: the source that answered with a challenge; NULL = none is open */
  GBytes *eap_state;  /**< what it gave along */
  char *proven;       /**< the user that the peer has proven to be first; NULL: it may be any stranger */
  gboolean up;        /**< LCP is open and authentication is done */
  gboolean placed;    /**< it has, or had, a session, and max-sessions counts that */
  gboolean parted;    /**< out of its session's data plane, while LCP renegotiates */
  guint mtu;          /**< as LCP agreed; 0 before */
  AditMppeKeys *mppe; /**< that authentication made, in locked memory; NULL = none, or the session's NCPs have had them */
};

/** Functions of the layer above the links, given to adit_links_init(). */
typedef struct {
  void (*opened)(AditSessLink *link); /**< PPP begins now */
  /** Authentication is done: `user`, which the peer has proven, NULL if it was not asked to. Comes again after network_down(). */
  void (*network)(AditSessLink *link, const char *user);
  void (*network_down)(AditSessLink *link); /**< LCP renegotiates */
  /** A packet of a protocol that is not PPP's own. FALSE = unknown protocol. */
  gboolean (*frame)(AditSessLink *link, guint16 protocol, const guint8 *payload, gsize length);
  void (*rejected)(AditSessLink *link, guint16 protocol);                   /**< the peer does not know the protocol */
  void (*mtu)(AditSessLink *link);                                          /**< LCP has agreed on one */
  void (*rekeyed)(AditSessLink *link);                                      /**< a re-challenge was passed while it is up: `mppe` */
  void (*lost)(AditSessLink *link, AditCause cause, const char *reason);    /**< its session must let go of it; PPP is still there */
  void (*closed)(AditSessLink *link, gboolean refused, const char *reason); /**< `refused`: the peer did not take our user or password */
  /** How many sessions a server has; `*bundles`: how many of them take another link. */
  guint (*sessions)(const char *transport, const char *server, guint *bundles);
} AditSessLinkOps;

/** Wipes the keys: their users have copies. */
void adit_link_wipe_keys(AditSessLink *link);
/** Takes over what a method or source gave for MPPE, in place of what was there. */
void adit_link_keep_keys(AditSessLink *link, const AditAuthReply *reply);
/** The same of our proof, which the peer has accepted. */
void adit_link_keep_own_keys(AditSessLink *link);
AditLinkId adit_link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error);
/** It has been opened, and counts by itself until it is placed. */
void adit_link_waits(AditSessLink *link);
/** The link has a session now, or is gone, and counts no more by itself. */
void adit_link_placed(AditSessLink *link);
/** May the server of that configuration have one more session (max-sessions)? Its links without one are left out. */
gboolean adit_link_may_found(const AditSessLink *link);
/** Has the server of that configuration fewer sessions, and links without one, than its max-sessions? While some sessions take another
 * link, a few more links may come, as they may join. */
gboolean adit_link_has_room(const char *transport, const AditValue *config);
AditSessLink *adit_link_find(AditLinkId id);
/** Terminates PPP politely; the transport hears of it when that is done. */
void adit_link_end(AditSessLink *link, AditCause cause, const char *reason);
/** The transport has lost it: gone at once. */
void adit_link_lost(AditSessLink *link, AditCause cause, const char *reason);
const char *adit_link_server(const AditSessLink *link);
/** Strings and values are borrowed. */
void adit_link_fill_info(const AditSessLink *link, AditLinkInfo *out);
void adit_links_init(const AditSessLinkOps *ops);
void adit_links_fini(void);
void adit_link_limit_init(const AditSessLinkOps *ops); /**< by adit_links_init() */
void adit_link_limit_fini(void);
void adit_links_foreach(void (*each)(AditSessLink *link, gpointer data), gpointer data); /**< each may end its link */
