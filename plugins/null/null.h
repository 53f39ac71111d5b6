/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * null.h - a data path without a kernel: datagrams go from one listener to another inside the process, ports are
 * counters. Everything is on the calling thread and in order, so a test that drives it is deterministic.
 *
 * A `NullNet` is the network. Several data paths (one for each daemon under test) may hang on one. Sent datagrams wait in the network's
 * queue until null_net_run(); a test with its own network (loss, delay) takes each datagram in `transmit` instead and hands it back by
 * null_net_deliver().
 */
#pragma once

#include <adit/path.h>

typedef struct NullNet NullNet;
typedef struct NullDp NullDp;

typedef struct {
  guint64 (*now)(gpointer user); /**< milliseconds, for last_rx_ms and its like; virtual in simulations */
  /** A listener sends from path->local to path->remote; the datagram is borrowed. NULL = queue it. */
  void (*transmit)(gpointer user, const AditPath *path, const guint8 *datagram, gsize length);
  /** The queue was empty and is no longer: call null_net_run() soon, but not from here. May be NULL. */
  void (*pending)(gpointer user);
  /** Call null_net_run() at this time at the latest: a stage has a deadline. May be NULL. */
  void (*wake)(gpointer user, guint64 deadline_ms);
  /** Has an association that is up this mark (AditPathService.association_is_known())? Any other mark means in the clear. NULL: no path is
   *  protected here, and a link of a protected path is refused. */
  gboolean (*is_protected)(gpointer user, guint32 mark);
} NullNetOps;

NullNet *null_net_new(const NullNetOps *ops, gpointer user);
/** All data paths on it must be gone. Completions that still wait are dropped. */
void null_net_free(NullNet *net);
/** Delivers up to `budget` queued datagrams and completions of ports, and returns how many are left. */
guint null_net_run(NullNet *net, guint budget);
/** Brings a datagram that was sent on `path` (as transmit() told it) to its listener now. False if there is none. */
gboolean null_net_deliver(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length);

/** A packet leaves a port, towards the system; borrowed. */
typedef void (*NullSink)(gpointer user, AditPort *port, const guint8 *packet, gsize length);

NullDp *null_dp_new(NullNet *net);
/** Its links, sessions and ports must be closed; listeners are closed with it. */
void null_dp_free(NullDp *dp);
/** Where packets that come out of any port of `dp` go; NULL = they are only counted. */
void null_dp_sink(NullDp *dp, NullSink sink, gpointer user);
/** An open port by name, or NULL. */
AditPort *null_dp_port(NullDp *dp, const char *name);
/** A packet from the system enters an L3 port, or an Ethernet frame an L2 port. False (and dropped) when no session takes it. */
gboolean null_port_inject(AditPort *port, const guint8 *packet, gsize length);

/** The facts about the link for stages from now on: the network knows nothing of it itself. */
void null_link_tell(AditDpLink *link, const AditStageLink *facts);

/** The operations, for adit.path's datapath_add() or for calling directly; `dp` is a NullDp. */
extern const AditDatapathOps null_datapath_ops;
