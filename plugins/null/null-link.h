/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-link.h - a link of the data path: framing, numbering, splicing */
#pragma once

#include "null-listener.h"
#include <adit/encap.h>

struct AditDpLink {
  AditLinkId id; /**< the core's; 0 = none */
  AditListener *listener;
  AditPath path;
  AditEncap encap;
  const AditDpLinkOps *ops;
  gpointer user;
  AditDpSession *session;
  guint index; /**< in the session's links */
  AditDpLink *splice, *spliced_by;
  gboolean acfc, pfc;
  gboolean peer_numbers, synced;
  guint32 ns, nr;
  AditDpStats stats;
  guint64 key;
  AditStageLink facts; /* of no size: nothing is known */
};

gboolean null_claims(gpointer dp, const AditEncap *encap);
AditDpLink *null_link_attach(gpointer dp, AditListener *listener, const AditDpLinkSpec *spec, GError **error);
/** It has left its session. */
void null_link_detach(AditDpLink *link);
void null_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap);
void null_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc);
void null_link_send(AditDpLink *link, const guint8 *frame, gsize length);
void null_link_stats(AditDpLink *link, AditDpStats *out);
gboolean null_link_splice(AditDpLink *link, AditDpLink *other, GError **error);

/** Sends a network-layer packet of the given PPP protocol. */
void null_link_data(AditDpLink *link, guint16 protocol, const guint8 *packet, gsize length);
/** Sends a frame of another link as it is. */
void null_link_forward(AditDpLink *link, const guint8 *frame, gsize length);
/** A frame that is no data of an open protocol, for the core. */
void null_link_frame(AditDpLink *link, guint16 protocol, const guint8 *payload, gsize length);
