/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-session.h - a session of the data path: links on one side, a port on the other */
#pragma once

#include "null-ether.h"
#include <adit/pipeline.h>

#define NULL_PROTOCOLS_MAX 8

struct AditDpSession {
  NullDp *dp;
  AditSessionId id;
  NullPort *port;
  AditDpLink *link; /**< one of them, or NULL */
  AditDpLink *links[ADIT_STAGE_LINKS];
  guint32 link_bits;
  AditPipeline pipeline;
  GQueue held[2];             /**< of NullHeld: from the peer, to the peer */
  AditDpSessionParams params; /**< protocols is NULL: they are in `open` */
  guint16 open[NULL_PROTOCOLS_MAX];
  GArray *prefixes; /**< of AditPrefix */
  NullEther ether;
  AditDpStats stats;
};

AditDpSession *null_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error);
gboolean null_session_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error);
void null_session_leave(AditDpSession *session, AditDpLink *link);
void null_session_set(AditDpSession *session, const AditDpSessionParams *params);
gboolean null_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error);
gboolean null_session_remove_prefix(AditDpSession *session, const AditPrefix *prefix);
void null_session_stats(AditDpSession *session, AditDpStats *out);
gboolean null_session_attach_ether(AditDpSession *session, AditPort *port, const AditEtherOps *codec, GError **error);
void null_session_set_ether(AditDpSession *session, gconstpointer params);
void null_session_ether_drops(AditDpSession *session, guint64 drops[ADIT_ETHER_REASONS]);
/** Its links have left it, and its stages are gone. */
void null_session_free(AditDpSession *session);

/** May data of this protocol pass? */
gboolean null_session_is_open(const AditDpSession *session, guint16 protocol);
/** Data from the peer, to go out of the port that its protocol is for. */
void null_session_input(AditDpSession *session, guint16 protocol, const guint8 *packet, gsize length);
/** The session that a packet to `address` out of the port is for, or NULL. */
AditDpSession *null_session_find(const NullPort *port, const AditAddress *address);
/** Source (or destination) address of an IP packet; unset when it is none. */
AditAddress null_packet_address(const guint8 *packet, gsize length, gboolean source);
