/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tun-session.h - a session of the data path: a link on one side, a port on the other */
#pragma once

#include "../port/port.h"
#include "tun-link.h"
#include <adit/pipeline.h>

#define TUN_PARAM_IPV4   1u
#define TUN_PARAM_IPV6   2u
#define TUN_PARAM_CHECK  4u  /**< sources must be the session's own */
#define TUN_PARAM_BRIDGE 8u  /**< Ethernet frames: of the session's codec */
#define TUN_PARAM_STAGED 16u /**< a stage is in place, or the next one is set: */
#define TUN_PARAM_HELD   32u /**< a required stage is missing */
#define TUN_HELD_MAX     16  /**< packets that wait for it, each way; they take memory that the links of a worker share */

/** Packets in the worker's pool, oldest first. */
typedef struct {
  guint8 n;
  guint16 slot[TUN_HELD_MAX];
} TunHeld;

struct AditDpSession {
  TunItem by_serial; /**< of TunDp.sessions; its key is never used twice */
  TunDp *dp;
  AditSessionId id;
  TunPort *port;
  gboolean homed;                      /**< main loop's: it has had a link */
  guint home;                          /**< of its links: set once, before the first one joins */
  AditDpLink *link;                    /**< atomic: frames to the peer go here, unless a stage chooses */
  guint64 wanted;                      /**< params as the core set them: main loop's */
  guint64 params;                      /**< atomic: TUN_PARAM_*, mss4 << 16, mss6 << 32: read at once */
  GPtrArray *prefixes;                 /**< of TunSource */
  guint64 lengths[2][3];               /**< atomic: which lengths its prefixes have or had, a bit each, for IPv4 and IPv6 */
  AditDpLink *links[ADIT_STAGE_LINKS]; /**< atomic: all of them, by their index */
  guint32 link_bits;                   /**< atomic: which there are */
  AditPipeline pipeline;
  guint32 required;           /**< stages without which no data may pass: main loop's */
  gboolean dead;              /**< atomic: the home worker should let go */
  gboolean listed;            /**< atomic: the home worker holds it in its list */
  AditDpSession *list_next;   /**< home worker's, as are these */
  guint64 deadline_ms;        /**< of its stages */
  TunHeld held[2];            /**< data that waits for a required stage: from the peer, to the peer */
  TunPort *l2;                /**< the L2 port; main loop's, and read by workers that see `codec` */
  const AditEtherOps *codec;  /**< of its frames, as are the next: looked at with TUN_PARAM_BRIDGE alone */
  gconstpointer ether_params; /**< atomic: a block of ADIT_ETHER_PARAMS octets; NULL = none was published */
  guint64 (*ether_drops)[ADIT_ETHER_REASONS]; /**< of the codec: one row for each worker */
  guint64 host4;              /**< atomic: 1 << 32 | an IPv4 address of it, in the network's order; 0 = none */
  TunCell cell[];
};

AditDpSession *tun_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error);
gboolean tun_session_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error);
void tun_session_leave(AditDpSession *session, AditDpLink *link);
void tun_session_set(AditDpSession *session, const AditDpSessionParams *params);
void tun_session_stats(AditDpSession *session, AditDpStats *out);
/** The workers' copy of params, required stages and those in place. [main] */
void tun_session_publish(AditDpSession *session);
/** The session with this serial number, or NULL. [any] */
AditDpSession *tun_session_find(const TunDp *dp, guint64 serial);
void tun_session_close(AditDpSession *session, AditDpStats *final);
