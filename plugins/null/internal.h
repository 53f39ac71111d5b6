/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** internal.h - what the files of this folder share. */
#pragma once

#include "null.h"
#include <adit/pipeline.h>

#define NULL_PROTOCOLS_MAX 8

typedef struct NullPort NullPort;

struct NullNet {
  NullNetOps ops;
  gpointer user;
  GQueue queue;         /* of NullEvent */
  GPtrArray *listeners; /* of AditListener, borrowed */
  GPtrArray *sessions;  /* of AditDpSession with stages, borrowed */
  guint16 next_port;    /* for listeners on port 0 */
  guint next_ifindex;
};

struct NullDp {
  NullNet *net;
  NullSink sink;
  gpointer sink_user;
  GPtrArray *ports; /* of NullPort, owned */
};

struct AditListener {
  NullDp *dp;
  AditEndpoint local;
  AditClassify classify;
  const AditListenerOps *ops;
  gpointer user;
  GHashTable *links; /* tunnel << 32 | session -> AditDpLink; ADIT_ENCAP_NULL links are in `plain` */
  GPtrArray *plain;
};

struct AditDpLink {
  AditLinkId id; /* the core's; 0 = none */
  AditListener *listener;
  AditPath path;
  AditEncap encap;
  const AditDpLinkOps *ops;
  gpointer user;
  AditDpSession *session;
  guint index; /* in the session's links */
  AditDpLink *splice, *spliced_by;
  gboolean acfc, pfc;
  gboolean peer_numbers, synced;
  guint32 ns, nr;
  AditDpStats stats;
  guint64 key;
};

struct AditDpSession {
  NullDp *dp;
  AditSessionId id;
  NullPort *port;
  AditDpLink *link; /* one of them, or NULL */
  AditDpLink *links[ADIT_STAGE_LINKS];
  guint32 link_bits;
  AditPipeline pipeline;
  GQueue held[2];             /* of NullHeld: from the peer, to the peer */
  AditDpSessionParams params; /* protocols is NULL: they are in `open` */
  guint16 open[NULL_PROTOCOLS_MAX];
  GArray *prefixes; /* of AditPrefix */
  AditDpStats stats;
};

struct NullPort {
  AditPort head;
  NullDp *dp;
  gboolean carrier;
  GPtrArray *sessions; /* borrowed */
  AditCounters counters;
  AditPortOpened opened;
  AditPortClosed closed;
  gpointer user;
};

static inline guint64 null_now(const NullNet *net) {
  return net->ops.now ? net->ops.now(net->user) : 0;
}

/** Queues a datagram, or (datagram NULL) the completion of a port. */
void null_net_push(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length, NullPort *port);
/** Sends by the network's transmit, or queues. */
void null_net_send(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length);
/** A frame arrived for `link`, with or without address and control. */
void null_link_input(AditDpLink *link, const guint8 *frame, gsize length, const AditClassified *c);
/** Sends a network-layer packet of the given PPP protocol. */
void null_link_data(AditDpLink *link, guint16 protocol, const guint8 *packet, gsize length);
/** A packet from the peer, to go out of the session's port. */
void null_session_input(AditDpSession *session, guint16 protocol, const guint8 *packet, gsize length);
/** May data of this protocol pass? */
gboolean null_session_is_open(const AditDpSession *session, guint16 protocol);
/** A frame that is no data of an open protocol, for the core. */
void null_link_frame(AditDpLink *link, guint16 protocol, const guint8 *payload, gsize length);

/* ---- null-stages.c ---- */

gboolean null_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error);
gboolean null_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length);
void null_stage_remove(AditDpSession *session, AditStageKind kind);
/** Does its data go through null_stage_data()? */
gboolean null_session_is_staged(const AditDpSession *session);
/** A packet of the port's (`link` NULL), or a frame of data that came by the link. */
void null_stage_data(AditDpSession *session, const AditDpLink *link, guint16 protocol, const guint8 *data, gsize length);
/** The required stages have changed: what waited goes on, if it can. */
void null_stages_look(AditDpSession *session);
void null_stages_expire(NullNet *net);
void null_stages_free(AditDpSession *session);

/** Completion of port_open or port_close. */
void null_port_complete(NullPort *port);

gboolean null_claims(gpointer dp, const AditEncap *encap);
AditDpLink *null_link_attach(gpointer dp, AditListener *listener, const AditDpLinkSpec *spec, GError **error);
void null_link_detach(AditDpLink *link);
void null_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap);
void null_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc);
void null_link_send(AditDpLink *link, const guint8 *frame, gsize length);
void null_link_stats(AditDpLink *link, AditDpStats *out);
gboolean null_link_splice(AditDpLink *link, AditDpLink *other, GError **error);

void null_port_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user);
void null_port_close(AditPort *port, AditPortClosed done, gpointer user);
void null_port_carrier(AditPort *port, gboolean on);
AditDpSession *null_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error);
gboolean null_session_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error);
void null_session_leave(AditDpSession *session, AditDpLink *link);
void null_session_set(AditDpSession *session, const AditDpSessionParams *params);
gboolean null_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error);
gboolean null_session_remove_prefix(AditDpSession *session, const AditPrefix *prefix);
void null_session_stats(AditDpSession *session, AditDpStats *out);
void null_session_close(AditDpSession *session, AditDpStats *final);
