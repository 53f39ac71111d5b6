/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-net.h - the network between data paths, and what waits in it */
#pragma once

#include "null.h"

typedef struct NullPort NullPort;

/** A datagram on its way, or the completion of a port. */
typedef struct {
  AditPath path;
  NullPort *port; /**< set: the event is this port's completion */
  gsize length;
  guint8 datagram[];
} NullEvent;

struct NullNet {
  NullNetOps ops;
  gpointer user;
  GQueue queue;         /**< of NullEvent */
  GPtrArray *listeners; /**< of AditListener, borrowed */
  GPtrArray *sessions;  /**< of AditDpSession with stages, borrowed */
  guint16 next_port;    /**< for listeners on port 0 */
  guint next_ifindex;
};

static inline guint64 null_now(const NullNet *net) {
  return net->ops.now ? net->ops.now(net->user) : 0;
}

/** Sends by the network's transmit, or queues. */
void null_net_send(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length);
/** Queues the completion of port_open or port_close. */
void null_net_complete(NullNet *net, NullPort *port);
