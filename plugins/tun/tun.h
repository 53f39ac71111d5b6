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
#include "early.h"
#include "reorder.h"
#include "ring.h"
#include "table.h"
#include <adit/encap.h>
#include <adit/net.h>
#include <adit/path.h>
#include <sys/epoll.h>

#define TUN_WORKERS_MAX 8
#define TUN_LEAD        (ADIT_ENCAP_HEADER_MAX + 4) /**< longest tunnel and PPP header */

typedef struct TunDp TunDp;
typedef struct TunWorker TunWorker;
typedef struct TunPort TunPort;
typedef struct TunEndpoint TunEndpoint;

typedef struct {
  guint workers;    /**< 0 = one a processor, up to TUN_WORKERS_MAX */
  gboolean offload; /**< FALSE: no GRO, no segmentation, no joining: for comparison and for broken drivers */
} TunConfig;

/* ---- counters: one cell for each worker and one for the main loop, summed when asked ---- */

/** Sources that a worker has found to be a session's, so that it need not look again; its own, and read by nobody else. */
typedef struct {
  guint64 as_of4, as_of6; /**< TunDp.sources_version then; 0 = nothing is remembered */
  guint8 ip4[4], ip6[16];
} TunSourceSeen;

typedef struct {
  guint64 rx_packets, rx_octets, tx_packets, tx_octets;
  guint64 last_rx, last_tx, last_data;
  guint64 drops, lost, reordered;
  guint32 spoofed, looped;
  TunSourceSeen seen;
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
  guint64 early;                              /**< LCP without a link, of a tunnel that there is: kept for a moment */
  guint64 unknown, malformed, stray, spoofed; /**< dropped on the way in */
  guint64 looped;                             /**< from TUN, to the endpoint of a tunnel: dropped */
  guint64 crowded;                            /**< control of one tunnel past its share: handled after that of others */
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
  guint32 ingress; /**< of what has come: the interface; never compared */
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
  guint64 serial;
  AditEndpoint local;
  AditClassify classify;
  const AditListenerOps *ops;
  gpointer user;
  gboolean announced; /**< the transport says which tunnels there are (AditListenerSpec.announces) */
  TunTable links;     /**< tunnel << 16 | session */
  TunTable tunnels;   /**< id -> TunTunnel */
  guint n_sockets;
  TunSocket socket[TUN_WORKERS_MAX];
};

/** An address at which tunnels end, for as long as one does. */
struct TunEndpoint {
  TunItem item;
  AditAddress address;
  guint refs;      /**< main loop's */
  guint32 ingress; /**< atomic: the interface that its last datagram came through; 0 = none has come */
};

/** A tunnel that the transport has announced. Immutable, but for what workers count. */
typedef struct {
  TunItem item;
  TunWhere where; /**< port 0: any */
  gboolean proven;
  TunEndpoint *endpoint;
  struct {
    guint64 since; /**< when its share began to be counted */
    guint used;
  } share[]; /**< each worker's own */
} TunTunnel;

/** A prefix that a session may send from. */
typedef struct {
  TunItem item;
  AditPrefix prefix;
  AditDpSession *session;
  TunRoute *route; /**< on a shared port: brings traffic to the session */
  guint index;     /**< in the session's prefixes */
} TunSource;

struct AditDpLink {
  TunItem item;      /**< of the listener's links */
  TunItem by_serial; /**< of TunDp.links; its key is never used twice */
  AditListener *listener;
  TunEndpoint *endpoint;  /**< atomic: of its wire */
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
  guint64 serial;
  TunPort *port;
  AditDpLink *link;      /**< atomic: frames to the peer go here. A stage that bundles would choose among several */
  guint64 params;        /**< atomic: TUN_PARAM_*, mss4 << 16, mss6 << 32: read at once */
  GPtrArray *prefixes;   /**< of TunSource */
  guint64 lengths[2][3]; /**< atomic: which lengths its prefixes have or had, a bit each, for IPv4 and IPv6 */
  guint64 host4;         /**< atomic: 1 << 32 | an IPv4 address of it, in the network's order; 0 = none */
  TunCell cell[];
};

#define TUN_PARAM_IPV4  1u
#define TUN_PARAM_IPV6  2u
#define TUN_PARAM_CHECK 4u /**< sources must be the session's own */

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

typedef enum { TUN_NOTE_FRAME = 1, TUN_NOTE_CONTROL, TUN_NOTE_STRAY, TUN_NOTE_EARLY, TUN_NOTE_GONE, TUN_NOTE_SPOOFED } TunNoteKind;
/** LIVE: of sessions, and control of tunnels that the transport calls proven. CONTROL: of the other tunnels and links that there
 *  are. NEW: anybody's. */
typedef enum { TUN_TO_LIVE, TUN_TO_CONTROL, TUN_TO_NEW, TUN_TO_N } TunPriority;

typedef struct {
  TunNoteKind kind;
  guint64 serial; /**< FRAME: link; SPOOFED: the session's id; else: listener */
  guint32 tunnel, session;
  AditPath path;
  guint32 length;
  guint8 data[];
} TunNote;

/** worker <- worker: a frame whose link lives elsewhere. */
typedef struct {
  guint64 serial; /**< the link's: whoever has its ids when this is read may be another */
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
  AditRateLimit stray_limit, spoofed_limit;
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
  GHashTable *listeners;   /**< serial -> AditListener */
  TunTable links;          /**< serial -> AditDpLink.by_serial */
  TunTable endpoints;      /**< hash of an address -> TunEndpoint */
  TunTable sources;        /**< hash of a prefix and a session -> TunSource */
  TunRoutes owned;         /**< all prefixes of sessions: TunRoute.value counts them */
  guint64 sources_version; /**< atomic: one more with each change of the two before */
  guint64 endpoint_seed;
  guint64 next_serial;
  int wake_fd;
  gboolean woken;       /**< atomic: the main loop has been told of something and has not looked yet */
  gboolean dispatching; /**< the main loop is reading the rings */
  AditWatch *wake_watch;
  TunEarlyStore *early;
  AditRateLimit spoofed_log;
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
void tun_wake_main(TunDp *dp);      /**< [any] Makes the main loop look at the rings, unless it is about to. */
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

/* tunnel.c */
gboolean tun_tunnel_set(AditListener *listener, guint32 tunnel, const AditDpTunnel *facts);
void tun_tunnel_unset(AditListener *listener, guint32 tunnel);
void tun_listener_forget_tunnels(AditListener *listener);
/** A reference for each link and tunnel that ends there. [main] */
TunEndpoint *tun_endpoint_ref(TunDp *dp, const AditAddress *address);
void tun_endpoint_unref(TunDp *dp, TunEndpoint *endpoint);
/** The tunnels' endpoint at that address (4 or 16 octets), or NULL. [any] */
TunEndpoint *tun_endpoint_find(const TunDp *dp, guint version, const guint8 *address);
/** The tunnel `id` if a datagram from `from` belongs to it, or NULL. [worker] */
TunTunnel *tun_tunnel_find(const AditListener *listener, guint32 id, const TunWhere *from);
/** Which ring takes a control datagram of this tunnel (or NULL). [worker] */
TunPriority tun_tunnel_priority(TunWorker *w, TunTunnel *tunnel);
/** [worker] A datagram from there has come through this interface. */
static inline void tun_endpoint_seen(TunEndpoint *endpoint, guint32 ingress) {
  if (endpoint && TUN_GET(endpoint->ingress) != ingress)
    TUN_SET(endpoint->ingress, ingress);
}

/* source.c */
gboolean tun_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error);
gboolean tun_session_remove_prefix(AditDpSession *session, const AditPrefix *prefix);
void tun_session_remove_prefixes(AditDpSession *session);
/** May the session send this packet? Its source must be in one of the session's prefixes, and in no longer one of another's.
 *  [worker] */
gboolean tun_source_is_own(TunWorker *w, AditDpSession *session, const guint8 *ip);

/* notes.c */
/** [worker] Hands something to the main loop, or counts that there was no room. */
void tun_note(TunWorker *w, TunPriority priority, const TunNote *note, const guint8 *head, gsize head_length, const guint8 *data,
              gsize length);
gboolean tun_notes_dispatch(int fd, guint condition, gpointer dp); /**< [main] */
/** [main] A link has been attached: the frame that was early for it is handed over in the next pass. */
void tun_early_attached(TunDp *dp, const AditListener *listener, guint64 key);
/** [main] The link with this serial number, or NULL. */
AditDpLink *tun_link_find(const TunDp *dp, guint64 serial);

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
void tun_session_stats(AditDpSession *session, AditDpStats *out);
void tun_session_close(AditDpSession *session, AditDpStats *final);

/* port.c */
/** A descriptor of /dev/net/tun, by the core where only root may open it; -1 with errno. Not on the main loop, but at the start. */
int tun_device_open(const AditNetService *net);
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
