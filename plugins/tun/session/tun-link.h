/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tun-link.h - a link of the data path */
#pragma once

#include "../packet/reorder.h"
#include "../peer/listener.h"
#include "../peer/tun-tunnel.h"
#include "../peer/wire.h"
#include "../worker/cell.h"

struct AditDpLink {
  TunItem item;      /**< of the listener's links */
  TunItem by_serial; /**< of TunDp.links; its key is never used twice */
  AditLinkId id;     /**< the core's; 0 = none */
  AditListener *listener;
  TunEndpoint *endpoint;  /**< atomic: of its wire */
  const TunWire *wire;    /**< atomic */
  AditDpSession *session; /**< atomic */
  AditDpLink *splice;     /**< atomic */
  AditDpLink *spliced_by;
  guint gate;            /**< the worker that takes its frames first, in the order they came in; by its ids */
  guint home;            /**< atomic: the worker that handles them: its gate, or the session's, to which the gate passes them on */
  gboolean moved;        /**< gate worker's: the home worker has the reorder state */
  guint index;           /**< in the session's links */
  guint32 ns;            /**< atomic: number of the next frame sent */
  gboolean peer_numbers; /**< atomic: the last frame that came had a number */
  gboolean no_gso;       /**< atomic: the kernel refused UDP_SEGMENT on this way */
  guint32 path_mtu;      /**< atomic: IP packet that its path carries in one piece, as far as stages need to know; 0 = unknown */
  gboolean dead;         /**< atomic: the home worker should let go */
  gboolean waiting;      /**< atomic: the home worker holds it in its list */
  AditDpLink *wait_next; /**< home worker's */
  TunReorder reorder;    /**< home worker's */
  const AditDpLinkOps *ops;
  gpointer user;
  TunCell cell[];
};

gboolean tun_claims(gpointer dp, const AditEncap *encap);
AditDpLink *tun_link_attach(gpointer dp, AditListener *listener, const AditDpLinkSpec *spec, GError **error);
/** It has left its session. */
void tun_link_detach(AditDpLink *link);
/** Its frames are handled by that worker from now on; once in the link's life it may be another than its gate. */
void tun_link_move(AditDpLink *link, guint home);
void tun_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap);
void tun_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc);
void tun_link_send(AditDpLink *link, const guint8 *frame, gsize length);
void tun_link_stats(AditDpLink *link, AditDpStats *out);
gboolean tun_link_splice(AditDpLink *link, AditDpLink *other, GError **error);
/** One row of `show datapath-links`: a MAP. [main] */
AditValue *tun_link_describe(AditDpLink *link);
/** [any] The number of the next frame; more bits than are sent. */
static inline guint32 tun_link_next_number(AditDpLink *link) {
  return __atomic_fetch_add(&link->ns, 1, __ATOMIC_RELAXED);
}
/** [any] Is the next frame to be numbered? */
static inline gboolean tun_link_numbers(const AditDpLink *link, const TunWire *wire) {
  return (wire->encap.sequence & ADIT_SEQUENCE_SEND) || ((wire->encap.sequence & ADIT_SEQUENCE_FOLLOW) && TUN_GET(link->peer_numbers));
}

/** The link with this serial number, or NULL. [any] */
AditDpLink *tun_link_find(const TunDp *dp, guint64 serial);
