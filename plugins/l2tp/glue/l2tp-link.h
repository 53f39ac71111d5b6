/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** l2tp-link.h - a call, and the link that the core makes of it */
#pragma once

#include "peer.h"

/** A call, and once it is connected the link that the core makes of it. */
typedef struct {
  L2tpPeer *peer;
  guint16 session;
  gboolean connected;     /**< counted in the server's L2tpLoad */
  gboolean opening;       /**< inside link_open() */
  char *ended;            /**< why it ended in there; NULL = it did not */
  guint16 result;         /**< CDN's result code for that */
  gboolean starting;      /**< counted in L2tp.starting */
  gboolean authenticated; /**< counted in its tunnel's `authenticated`; before, in L2tp.calls */
  guint64 authenticated_ms;
  GList opening_node;   /**< in L2tp.opening while data is not NULL */
  L2tpShare call, link; /**< in L2tp.calls; once it is connected in L2tpLoad.strangers */
  AditLinkId id;        /**< 0 = the core has no link of it */
} L2tpLink;

/** For a call that has just got its id. */
void l2tp_link_new(L2tpPeer *peer, guint16 session);

/** Ends a call, and its link if there is one, for a reason of ours. */
void l2tp_link_drop(L2tpLink *link, AditCause cause, const char *why);
/** Those that were authenticated so long ago and are still not up count as starting no more. */
void l2tp_links_settle(L2tp *l2tp, guint64 patience_ms);
/** The peer of link `id` is authenticated. */
void l2tp_link_authenticated(L2tp *l2tp, AditLinkId id);

/** A link of that tunnel, or NULL. */
L2tpLink *l2tp_link_find(const L2tpPeer *peer, guint16 session);
/** Closes all links of a tunnel that is about to be freed: the core must not call them afterwards. */
void l2tp_links_close(L2tpPeer *peer, AditCause cause, const char *reason);
/** The session of link `id` is up: it counts as starting no more. */
void l2tp_link_started(L2tp *l2tp, AditLinkId id);
/** When data came by one of the tunnel's links; 0 = never. */
guint64 l2tp_link_last_data(gpointer host);
/** Counts a link of the peer's server in, or (-1) out. */
void l2tp_link_count(L2tpPeer *peer, gint links);
/** The link is over on our side: hang up, and with a client's only call its tunnel. */
void l2tp_link_hang_up(L2tpPeer *peer, guint16 session, guint16 result, guint16 error, const char *why);
/** CDN's result code for the end of a link. */
guint16 l2tp_link_result(AditCause cause);
