/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * dp.h - the data path `tun` as a whole: sockets and TUN interfaces, moved by worker threads.
 *
 * Threads. Everything is made, changed and freed on the main loop. Workers only read: tables (tun-table.h), wires (immutable,
 * replaced by pointer), links, sessions and ports. The main loop frees these after every worker has passed a quiescent point (quiet.h). A
 * worker writes only its own memory: its cells of counters, its rings, and the reorder state of links with it as home.
 */
#pragma once

#include "peer/early.h"
#include "peer/outbox.h"
#include "worker/pace.h"
#include "worker/tun-table.h"
#include "worker/worker.h"
#include <adit/loop.h>
#include <adit/net.h>

typedef struct {
  guint workers;    /**< 0 = one a processor, up to TUN_WORKERS_MAX */
  gboolean offload; /**< FALSE: no GRO, no segmentation, no joining: for comparison and for broken drivers */
} TunConfig;

struct TunDp {
  const AditLoopService *loop;
  const AditNetService *net;
  AditPlugin *plugin;
  /** [any] Is it the mark of an association that is up? NULL = none is. Atomic. */
  gboolean (*is_association)(guint32 mark);
  /** Memory for keys, AditHost's; an older core has none. */
  gpointer (*secret_new)(gsize length);
  void (*secret_free)(gpointer memory, gsize length);
  TunConfig config;
  guint n_workers;
  TunWorker *worker[TUN_WORKERS_MAX];
  guint64 epoch; /**< atomic */
  GQueue retired;
  AditTimer retire_timer;
  GHashTable *listeners;   /**< serial -> AditListener */
  TunTable links;          /**< serial -> AditDpLink.by_serial */
  TunTable sessions;       /**< serial -> AditDpSession.by_serial */
  TunTable endpoints;      /**< hash of an address -> TunEndpoint */
  TunTable sources;        /**< hash of a prefix and a session -> TunSource */
  TunRoutes owned;         /**< all prefixes of sessions: TunRoute.value counts them */
  guint64 sources_version; /**< atomic: one more with each change of the two before */
  guint64 endpoint_seed;
  guint64 next_serial;
  int wake_fd;
  gboolean woken;       /**< atomic: the main loop has been told of something and has not looked yet, or it looks by the clock */
  gboolean dispatching; /**< the main loop is reading the rings */
  TunOutbox *outbox;
  TunPace pace;         /**< of what the main loop reads there */
  AditTimer look_timer; /**< looks by the clock */
  AditWatch *wake_watch;
  TunEarlyStore *early;
  AditRateLimit spoofed_log;
  GHashTable *ports;     /**< set of TunPort that are in use, or that a worker may still see */
  GHashTable *closing;   /**< name -> TunPort that a worker may still see */
  GHashTable *condemned; /**< name -> TunPort with an interface that waits for its deletion */
  AditTimer condemned_timer;
  guint deleting;          /**< ports that the network thread is about to delete */
  gboolean sweeping;       /**< tun_condemned_sweep() of the end is under way */
  void (*idle)(TunDp *dp); /**< called when the last port has gone; NULL = the data path is not stopping */
  void (*stopped)(gpointer data);
  gpointer stopped_data;
};

/** Makes a data path; it can do nothing yet. [main] */
TunDp *tun_dp_new(const AditLoopService *loop, const AditNetService *net, AditPlugin *plugin);
/** Makes the workers: from now on listeners may be opened. Once; later calls change nothing. */
gboolean tun_dp_setup(TunDp *dp, const TunConfig *config, GError **error);
/** Starts the workers, and sweeps away what an earlier process left. Does tun_dp_setup() if that was not done. */
gboolean tun_dp_start(TunDp *dp, const TunConfig *config, GError **error);
/** Waits until all ports are closed, ends the workers, asks for the deletion of all interfaces, and calls `done` (which may be NULL).
 *  The deletion, of a millisecond for each, is the network thread's, and done when that has ended (adit_net_quiesce()). */
void tun_dp_stop(TunDp *dp, void (*done)(gpointer data), gpointer data);
/** After `done`; or before, when the daemon waits no longer: then what may still be in use is left to the end of the process. */
void tun_dp_free(TunDp *dp);
/** Facts for `show datapath`: a MAP. */
AditValue *tun_dp_describe(const TunDp *dp);
extern const AditDatapathOps tun_datapath_ops;
