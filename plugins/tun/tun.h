/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tun.h - the data path `tun`: sockets and TUN interfaces, moved by worker threads. What the files of this folder share.
 *
 * Threads. Everything is made, changed and freed on the main loop. Workers only look: at tables (table.h), at wires
 * (immutable, replaced by pointer), at links, sessions and ports, which the main loop frees after every worker has
 * passed a quiescent point (quiet.c). What a worker writes is its own: its cells of counters, its rings, and the
 * reorder state of links whose home it is.
 */
#pragma once

#include "coalesce.h"
#include "reorder.h"
#include "ring.h"
#include "table.h"
#include <adit/encap.h>
#include <adit/net.h>
#include <adit/path.h>
#include <sys/epoll.h>

#define TUN_WORKERS_MAX   8
#define TUN_LISTENERS_MAX 64
#define TUN_LEAD          (ADIT_ENCAP_HEADER_MAX + 4) /**< longest tunnel and PPP header */

typedef struct TunDp TunDp;
typedef struct TunWorker TunWorker;
typedef struct TunPort TunPort;

typedef struct {
  guint workers;    /**< 0 = one a processor, up to TUN_WORKERS_MAX */
  gboolean offload; /**< FALSE: no GRO, no segmentation, no joining: for comparison and for broken drivers */
} TunConfig;

/* ---- counters: one cell for each worker and one for the main loop, summed when asked ---- */

typedef struct {
  guint64 rx_packets, rx_octets, tx_packets, tx_octets;
  guint64 last_rx, last_tx, last_data;
  guint64 drops, lost, reordered;
} __attribute__((aligned(64))) TunCell;

/** Adds to a number that this thread alone writes and others read. */
#define TUN_ADD(field, n) __atomic_store_n(&(field), (field) + (guint64)(n), __ATOMIC_RELAXED)
#define TUN_SET(field, v) __atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define TUN_GET(field)    __atomic_load_n(&(field), __ATOMIC_RELAXED)

/** What a worker did, for `show datapath`. */
typedef struct {
  guint64 datagrams_in, reads_in, gro_in;     /**< datagrams, those that came merged, system calls for them */
  guint64 datagrams_out, sends_out, gso_out;  /**< datagrams, system calls for them, those that went out merged */
  guint64 packets_in, super_in;               /**< read from TUN; those of them that were super-packets */
  guint64 packets_out, joined_out;            /**< written to TUN: system calls, packets that went in super-packets */
  guint64 foreign, foreign_full;              /**< frames handed to their home; those that found its ring full */
  guint64 unknown, malformed, stray, spoofed; /**< dropped on the way in */
  guint64 main_full;                          /**< control or frames for the main loop that found its ring full */
  guint64 send_full, send_failed;             /**< datagrams that the kernel did not take */
  guint64 write_failed;                       /**< packets that TUN did not take */
  guint64 gso_refused, join_refused;          /**< fall-backs: the kernel refused an offload */
} TunWorkerStats;

/* ---- where a peer is, and how it is written to ---- */

/** A path in a form that compares fast. */
typedef struct {
  guint8 remote[16];
  guint32 association;
  guint16 port;
  guint8 family;
  guint8 local_any; /**< any local address will do */
  guint8 local[16];
} TunWhere;

/** Immutable: replaced as a whole, and retired. */
typedef struct {
  AditPath path;
  AditEncap encap;
  TunWhere where;
  gboolean acfc, pfc;
  guint8 lead[2][2][TUN_LEAD]; /**< tunnel and PPP header of a data frame: [IPv6?][numbered?] */
  guint8 lead_length[2][2];
  guint8 control[96]; /**< ancillary data for sendmsg: source address, mark, DSCP */
  guint control_length;
} TunWire;

typedef enum { TUN_EVENT_WAKE = 1, TUN_EVENT_SOCKET, TUN_EVENT_QUEUE } TunEventKind;

typedef struct {
  TunEventKind kind;
  int fd;
  AditListener *listener;
} TunSocket;

typedef struct {
  TunEventKind kind;
  int fd;
  TunPort *port;
  int watcher; /**< index of the worker that reads it, -1 = none */
} TunQueue;

struct AditListener {
  TunDp *dp;
  guint slot;
  guint64 serial;
  AditEndpoint local;
  AditClassify classify;
  const AditListenerOps *ops;
  gpointer user;
  TunTable links; /**< tunnel << 16 | session */
  guint n_sockets;
  TunSocket socket[TUN_WORKERS_MAX];
};

struct AditDpLink {
  TunItem item;
  guint64 serial;
  AditListener *listener;
  const TunWire *wire;    /**< atomic */
  AditDpSession *session; /**< atomic */
  AditDpLink *splice;     /**< atomic */
  AditDpLink *spliced_by;
  guint home;
  guint32 ns;            /**< atomic: number of the next frame sent */
  gboolean peer_numbers; /**< atomic: the last frame that came had a number */
  gboolean no_gso;       /**< atomic: the kernel refused UDP_SEGMENT on this way */
  gboolean dead;         /**< atomic: the home worker should let go */
  gboolean waiting;      /**< atomic: the home worker holds it in its list */
  AditDpLink *wait_next; /**< home worker's */
  TunReorder reorder;    /**< home worker's */
  const AditDpLinkOps *ops;
  gpointer user;
  TunCell cell[];
};

struct AditDpSession {
  TunDp *dp;
  AditSessionId id;
  TunPort *port;
  AditDpLink *link;  /**< atomic: frames to the peer go here. A stage that bundles would choose among several */
  guint64 params;    /**< atomic: TUN_PARAM_*, mss4 << 16, mss6 << 32: read at once */
  GPtrArray *routes; /**< of TunRoute */
  TunCell cell[];
};

#define TUN_PARAM_IPV4 1u
#define TUN_PARAM_IPV6 2u

struct TunPort {
  AditPort head;
  TunDp *dp;
  gboolean is_static, uso;
  gboolean no_join;       /**< atomic: the kernel refused a super-packet */
  gboolean gone;          /**< atomic: a worker saw that somebody has deleted the interface; the main loop says so */
  AditDpSession *session; /**< atomic: of a port that is not shared */
  TunRoutes *routes;      /**< of a shared one: TunRoute.value is an AditDpSession */
  guint sessions;
  AditCounters counters; /**< of sessions that have left */
  AditPortOpened opened;
  void (*lost)(gpointer user, AditPort *port); /**< AditPortSpec.lost; NULL once it was called, or the port is being closed */
  AditPortClosed closed;
  gpointer user;
  char alias[128]; /**< as long as the kernel takes one (ALTIFNAMSIZ) */
  guint mtu;
  char *failure;      /**< network thread's: why it could not be opened */
  gboolean exists;    /**< ... because there is one of that name */
  int error;          /**< network thread's: errno of what came after that */
  TunPort *successor; /**< waits for this one's name */
  guint n_queues;
  TunQueue queue[TUN_WORKERS_MAX];
};

/* ---- main <- worker ---- */

typedef enum { TUN_NOTE_FRAME = 1, TUN_NOTE_CONTROL, TUN_NOTE_STRAY, TUN_NOTE_EARLY, TUN_NOTE_GONE } TunNoteKind;
typedef enum { TUN_TO_LIVE, TUN_TO_CONTROL, TUN_TO_NEW, TUN_TO_N } TunPriority;

typedef struct {
  TunNoteKind kind;
  guint slot;     /**< listener */
  guint64 serial; /**< FRAME: link; else: listener's serial */
  guint32 tunnel, session;
  AditPath path;
  guint32 length;
  guint8 data[];
} TunNote;

/** LCP that came before the main loop had read the control message that makes its link: kept for a moment, since the peer asks
 *  again only after three seconds (RFC 1661 4.6). */
enum { TUN_EARLY_MAX = 256, TUN_EARLY = 32 };
typedef struct {
  guint64 listener; /**< serial; 0 = free */
  guint64 key;
  TunWhere where;
  guint length;
  guint8 frame[TUN_EARLY_MAX];
} TunEarly;

/** worker <- worker: a frame whose link lives elsewhere. */
typedef struct {
  guint32 slot;
  guint32 key;
  guint16 sequence;
  guint8 has_sequence;
  guint32 length;
  guint8 data[];
} TunForeign;

typedef struct TunRx TunRx;
typedef struct TunTx TunTx;

struct TunWorker {
  TunDp *dp;
  guint index;
  GThread *thread;
  int epoll_fd, wake_fd;
  TunSocket wake;                             /**< what epoll says for wake_fd */
  gboolean stop;                              /**< atomic */
  guint64 epoch __attribute__((aligned(64))); /**< atomic; 0 = asleep: sees nothing */
  guint64 now;
  gboolean told_main;
  guint told; /**< workers whose rings were filled in this pass: a bit each */
  AditDpLink *waiting;
  TunHoldPool pool;
  TunCoalescer join;
  TunRx *rx;
  TunTx *tx;
  AditRateLimit stray_limit;
  TunWorkerStats stats;
  TunRing main[TUN_TO_N];
  TunRing from[TUN_WORKERS_MAX];
};

typedef struct {
  void (*reclaim)(gpointer memory);
  gpointer memory;
  const gboolean *busy; /**< not before this is FALSE, too; NULL = nothing else to wait for */
  guint64 epoch;
} TunRetired;

struct TunDp {
  const AditLoopService *loop;
  const AditNetService *net;
  AditPlugin *plugin;
  TunConfig config;
  guint n_workers;
  TunWorker *worker[TUN_WORKERS_MAX];
  guint64 epoch; /**< atomic */
  GQueue retired;
  AditTimer retire_timer;
  AditListener *listener[TUN_LISTENERS_MAX]; /**< atomic */
  GHashTable *links;                         /**< serial -> AditDpLink */
  guint64 next_serial;
  int wake_fd;
  AditWatch *wake_watch;
  TunEarly early[TUN_EARLY];
  guint next_early;
  gboolean early_due;    /**< a link was attached for one of them */
  GHashTable *ports;     /**< set of TunPort that are in use, or that a worker may still see */
  GHashTable *closing;   /**< name -> TunPort that a worker may still see */
  GHashTable *condemned; /**< name -> TunPort whose interface waits for its deletion */
  AditTimer condemned_timer;
  guint deleting;    /**< ports that the network thread is about to delete */
  gboolean sweeping; /**< tun_ports_sweep() of the end is under way */
  gboolean stopping;
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

/* quiet.c */
/** Calls reclaim(memory) on the main loop once no worker can see it, and `busy` (or NULL) is FALSE. */
void tun_retire(TunDp *dp, void (*reclaim)(gpointer), gpointer memory, const gboolean *busy);
void tun_retire_memory(gpointer dp, gpointer memory);
void tun_retire_timer(AditTimer *timer, gpointer dp);
/** No worker runs any more: reclaims everything. */
void tun_retire_all(TunDp *dp);
/** [worker] */
void tun_worker_sleeps(TunWorker *w);
void tun_worker_wakes(TunWorker *w);

/* worker.c */
TunWorker *tun_worker_new(TunDp *dp, guint index, GError **error);
gboolean tun_worker_start(TunWorker *w, GError **error);
void tun_worker_stop(TunWorker *w);
void tun_worker_free(TunWorker *w);
void tun_worker_kick(TunWorker *w); /**< [any] */
/** [any] FALSE with errno: this descriptor would not be heard. */
gboolean tun_worker_watch(TunWorker *w, int fd, gpointer event);
void tun_worker_unwatch(TunWorker *w, int fd);

/* rx.c [worker] */
TunRx *tun_rx_new(void);
void tun_rx_free(TunRx *rx);
void tun_rx_socket(TunWorker *w, TunSocket *socket);
void tun_rx_foreign(TunWorker *w);
/** Delivers what waited too long; returns milliseconds to the next deadline, -1 = none. */
int tun_rx_reorder(TunWorker *w);
void tun_rx_write(gpointer worker, gpointer port, struct iovec *pieces, guint n, guint packets);
/** From the classified datagram on: the part that a fuzzer can reach without a socket. */
void tun_rx_datagram(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, guint8 *datagram, gsize length);

/* tx.c [worker] */
TunTx *tun_tx_new(void);
void tun_tx_free(TunTx *tx);
void tun_tx_queue(TunWorker *w, TunQueue *queue);
/** Sends a frame as it is out of another link; it must stay until tun_tx_flush(). */
void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length);
void tun_tx_flush(TunWorker *w);

/* notes.c */
/** [worker] Hands something to the main loop, or counts that there was no room. */
void tun_note(TunWorker *w, TunPriority priority, const TunNote *note, const guint8 *head, gsize head_length, const guint8 *data,
              gsize length);
gboolean tun_notes_dispatch(int fd, guint condition, gpointer dp); /**< [main] */
/** [main] A link has been attached: frames that were early for it are handed over in the next pass. */
void tun_early_attached(TunDp *dp, const AditListener *listener, guint64 key);

/* listener.c */
AditListener *tun_listen(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error);
void tun_listener_local(AditListener *listener, AditEndpoint *local);
void tun_listener_close(AditListener *listener);
gboolean tun_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length);
/** [any] Writes ancillary data for a path to `control`; returns its length. */
guint tun_path_control(const AditPath *path, guint8 dscp, guint8 control[96]);
TunWhere tun_where(const AditPath *path);
/** [any] Does a datagram from `from` belong on the way `where`? */
gboolean tun_where_equal(const TunWhere *where, const TunWhere *from);

/* link.c */
AditDpLink *tun_link_attach(gpointer dp, AditListener *listener, const AditPath *path, const AditEncap *encap, const AditDpLinkOps *ops,
                            gpointer user, GError **error);
void tun_link_detach(AditDpLink *link);
void tun_link_update(AditDpLink *link, const AditPath *path, const AditEncap *encap);
void tun_link_framing(AditDpLink *link, gboolean acfc, gboolean pfc);
void tun_link_send(AditDpLink *link, const guint8 *frame, gsize length);
void tun_link_stats(AditDpLink *link, AditDpStats *out);
gboolean tun_link_splice(AditDpLink *link, AditDpLink *other, GError **error);
void tun_cells_sum(const TunCell *cell, guint n, AditDpStats *out);
/** [any] Is the next frame to be numbered? */
static inline gboolean tun_link_numbers(const AditDpLink *link, const TunWire *wire) {
  return (wire->encap.sequence & ADIT_SEQUENCE_SEND) || ((wire->encap.sequence & ADIT_SEQUENCE_FOLLOW) && TUN_GET(link->peer_numbers));
}

/* session.c */
AditDpSession *tun_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error);
gboolean tun_session_join(AditDpSession *session, AditDpLink *link, GError **error);
void tun_session_leave(AditDpSession *session, AditDpLink *link);
void tun_session_set(AditDpSession *session, const AditDpSessionParams *params);
gboolean tun_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error);
void tun_session_stats(AditDpSession *session, AditDpStats *out);
void tun_session_close(AditDpSession *session, AditDpStats *final);

/* port.c */
void tun_port_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user);
void tun_port_carrier(AditPort *port, gboolean on);
/** Opens it, in its turn, after others that had its name. */
void tun_port_begin(TunPort *port);
/** Nobody uses it any more, or it could not be opened. */
void tun_port_gone(TunPort *port);

/* close.c */
void tun_port_close(AditPort *port, AditPortClosed done, gpointer user);
void tun_port_free(TunPort *port);
void tun_port_close_queues(TunPort *port); /**< [network thread] */
/** Has what waits for it deleted at once: what is asked of the network thread after this comes after it. */
void tun_condemned_flush(TunDp *dp);
void tun_condemned_timer(AditTimer *timer, gpointer dp);
/** Deletes all interfaces that this daemon made, or an earlier one left. `done` may be NULL. */
void tun_ports_sweep(TunDp *dp, AditNetDone done, gpointer user);
/** The last port has gone while the data path is stopping. */
void tun_dp_idle(TunDp *dp);
