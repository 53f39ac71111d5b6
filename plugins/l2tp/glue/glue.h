/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** glue.h - the plugin around the engine: configuration, listeners, tunnels and their links. All [main]. */
#pragma once

#include <adit/adit.h>
#include <adit/log-quota.h>

#include "../engine/tunnel.h"
#include "../options.h"
#include "../strangers/guesses.h"
#include "../strangers/kin.h"
#include "../strangers/limiter.h"
#include "../strangers/shares.h"

typedef struct L2tp L2tp;
typedef struct L2tpPeer L2tpPeer;

/* ---- setup.c: what the configuration says ---- */

typedef enum { L2TP_SEQUENCE_ALLOW = 1, L2TP_SEQUENCE_DENY, L2TP_SEQUENCE_PREFER, L2TP_SEQUENCE_REQUIRE } L2tpSequencing;

/** Which peers something is for: both must match; the longer prefix, then the more exact name, goes first. */
typedef struct {
  AditPrefix prefix; /**< family 0 = any address */
  char *host;        /**< glob over the Host Name; NULL = any */
  AditValue *secret; /**< of `secrets`: the configuration's own, in locked memory; NULL = none */
  AditWhere where;
} L2tpRule;

/** The links of a server that stand; it goes over to the next setup's server of that name (a g_rc_box). */
typedef struct {
  guint links;
  GHashTable *hosts;    /**< AditAddress of a peer -> how many of them */
  L2tpShares strangers; /**< of L2tpLink: those that are not authenticated */
} L2tpLoad;

/** An item of `servers` or `clients`, immutable and counted: tunnels keep the one they began with. */
typedef struct {
  gint refs;
  char *name, *host_name, *data_path;
  AditValue *config;
  GArray *addresses;       /**< server: AditEndpoint */
  GArray *rules;           /**< server: L2tpRule, of `peers`; empty = everybody */
  GArray *proxy_peers;     /**< server: L2tpRule, whose proxy LCP and authentication are believed */
  L2tpTunnelConfig tunnel; /**< without secret */
  L2tpSequencing sequencing;
  guint32 reorder_ms, idle_ms;
  gboolean client, ephemeral, one_per_host, by_number, replace_stale, any_tunnel;
  L2tpLoad *load;
} L2tpService;

typedef struct {
  GPtrArray *servers;   /**< of L2tpService: the enabled ones */
  GPtrArray *listeners; /**< of L2tpListener: what they claim */
  GArray *secrets;      /**< of L2tpRule */
  guint max_tunnels, max_half_open, max_starting, new_rate, new_burst;
} L2tpSetup;

L2tpService *l2tp_service_ref(L2tpService *service);
void l2tp_service_unref(L2tpService *service);
/** An item of `servers` or `clients`, defaults filled in. */
L2tpService *l2tp_service_new(const AditValue *config, gboolean client);
/** Reads and checks the whole; once the plugin runs, opens listeners that are new. NULL and all that is wrong, a line each. */
L2tpSetup *l2tp_setup_new(L2tp *l2tp, const AditValue *config, GError **error);
/** A server that is enabled, a client that is not disabled. */
gboolean l2tp_item_is_on(const AditValue *item);
/** Opens its listeners, or none. */
gboolean l2tp_setup_listen(L2tp *l2tp, L2tpSetup *setup, GError **error);
void l2tp_setup_free(L2tpSetup *setup);
/** The enabled server of that name, or NULL. */
L2tpService *l2tp_setup_server(const L2tpSetup *setup, const char *name);
/** The server for a caller on `local` (the listener's address), or NULL. */
L2tpService *l2tp_setup_choose(const L2tpSetup *setup, const AditEndpoint *local, const AditAddress *remote, const char *host_name);
/** True if `proxy-peers` of the server names the peer, once it proved the secret that is for it. */
gboolean l2tp_setup_names_proxy(const L2tpSetup *setup, const L2tpService *service, const AditAddress *remote, const char *host_name);
/** The secret for a peer, or NULL; borrowed from the setup. `host_name` may be NULL: not known yet. */
const AditValue *l2tp_setup_secret(const L2tpSetup *setup, const AditAddress *remote, const char *host_name);

/* ---- listener.c ---- */

typedef struct L2tpListener {
  gint refs;
  L2tp *l2tp;
  char *data_path;
  AditEndpoint asked, local; /**< as asked for; with the port it got */
  gboolean any_tunnel;
  GHashTable *sessions; /**< ids in use, where all its tunnels share them; NULL = each tunnel has its own */
  AditListener *listener;
  const AditDatapathOps *ops;
  gpointer dp;
} L2tpListener;

/** The listener for an address and port, shared if there is one (port 0: always a new one). */
L2tpListener *l2tp_listener_get(L2tp *l2tp, const char *data_path, const AditEndpoint *at, gboolean any_tunnel, GError **error);
L2tpListener *l2tp_listener_ref(L2tpListener *listener);
void l2tp_listener_unref(L2tpListener *listener);
/** 0, or errno. */
int l2tp_listener_send(L2tpListener *listener, const AditPath *path, const guint8 *datagram, gsize length);
/** Tells the data path which tunnel is there, and where, so that what strangers send in its name is told from it. */
void l2tp_listener_announce(L2tpListener *listener, const L2tpPeer *peer);
void l2tp_listener_withdraw(L2tpListener *listener, const L2tpPeer *peer);

/* ---- peer.c, link.c: a tunnel and its links ---- */

/** A call, and once it is connected the link that the core makes of it. */
typedef struct {
  L2tpPeer *peer;
  guint16 session;
  gboolean connected;     /**< counted in the server's L2tpLoad */
  gboolean opening;       /**< inside link_open() */
  char *ended;            /**< why it ended in there; NULL = it did not */
  guint16 result;         /**< CDN's result code for that */
  gboolean starting;      /**< counted in L2tp.starting */
  gboolean authenticated; /**< counted in its tunnel's `authenticated`; before, in L2tp.calls */
  guint64 authenticated_ms;
  GList opening_node;   /**< in L2tp.opening while data is not NULL */
  L2tpShare call, link; /**< in L2tp.calls; once it is connected in L2tpLoad.strangers */
  AditLinkId id;        /**< 0 = the core has no link of it */
} L2tpLink;

/** An SCCRQ that waits to be answered. */
typedef struct {
  L2tpListener *listener;
  AditPath path;
  L2tpHeader header;
  guint16 length;
  guint8 datagram[];
} L2tpRequest;

struct L2tpPeer {
  L2tp *l2tp;
  L2tpTunnel tunnel;
  L2tpTunnelConfig config;
  AditValue *secret; /**< the configuration's own; NULL = none */
  L2tpService *service;
  L2tpListener *listener;
  AditPath path;
  AditTimer timers[L2TP_SLOTS], idle, probe;
  GHashTable *links;                                /**< session id -> L2tpLink*, one for each call; made with the first */
  AditDial *dial;                                   /**< client, until its link is open */
  L2tpKin dialled, repeats, unconfirmed, namesakes; /**< see index.c */
  L2tpShare half_open, stranger, own_port;          /**< in the shares of L2tp with these names */
  guint authenticated;                              /**< links whose peer is authenticated */
  guint64 since_ms;
  guint64 probed_ms;            /**< when it was asked whether it is still there; 0 = it is not being asked */
  gboolean stopping;            /**< we end it for a reason of our own */
  int unsent;                   /**< errno of the last datagram, if it was not sent */
  AditAddress protected_remote; /**< its outer address, once no session may have it; unset before */
  gboolean proven;              /**< somebody was authenticated in it */
  gboolean proxy;               /**< `proxy-peers` names it: see l2tp_peer_may_proxy() */
  L2tpRequest *kept;            /**< with the id of this tunnel, which is being asked whether it is still there; NULL = none */
};

L2tpTunnelEnv l2tp_peer_env(L2tpPeer *peer);
/** A tunnel on a path; `secret` (NULL = none) is kept by reference. NULL when there is no room. */
L2tpPeer *l2tp_peer_new(L2tp *l2tp, L2tpService *service, L2tpListener *listener, const AditPath *path, const AditValue *secret);
void l2tp_peer_free(L2tpPeer *peer);
void l2tp_peer_close(L2tpPeer *peer, guint16 result, const char *why);
void l2tp_peer_discard(L2tpPeer *peer, const char *why);
/** A datagram with this tunnel's id: is it from where the tunnel is? Follows a responder to its own port. */
gboolean l2tp_peer_path_ok(L2tpPeer *peer, const L2tpListener *listener, const AditPath *path, const L2tpHeader *header,
                           const guint8 *datagram);
AditCause l2tp_cause(const L2tpPeer *peer, const L2tpReason *reason);
/** True if what the peer says of its callers is believed (RFC 2661 4.4.5): its callers need no proof of their own then. */
gboolean l2tp_peer_may_proxy(const L2tpPeer *peer);

/** For a call that has just got its id. */
void l2tp_link_new(L2tpPeer *peer, guint16 session);

/** Ends a call, and its link if there is one, for a reason of ours. */
void l2tp_link_drop(L2tpLink *link, AditCause cause, const char *why);
/** Those that were authenticated so long ago and are still not up count as starting no more. */
void l2tp_links_settle(L2tp *l2tp, guint64 patience_ms);
/** The peer of link `id` is authenticated. */
void l2tp_link_authenticated(L2tp *l2tp, AditLinkId id);

/* ops of the engine that concern calls */
guint16 l2tp_link_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why);
void l2tp_link_up(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info);
void l2tp_link_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason);
guint64 l2tp_link_last_data(gpointer host);
/** Closes all links of a tunnel that is about to be freed: the core must not call them afterwards. */
void l2tp_links_close(L2tpPeer *peer, AditCause cause, const char *reason);
/** The session of link `id` is up: it counts as starting no more. */
void l2tp_link_started(L2tp *l2tp, AditLinkId id);

/* ---- index.c: tunnels by where their peer is, in constant time ---- */

/** Draws the key of all hashes of what strangers choose, once in a process. */
void l2tp_index_init(const AditLoopService *loop);
const guint8 *l2tp_index_key(void);
guint l2tp_index_hash_address(const AditAddress *address);
void l2tp_index_add_dialled(L2tpPeer *peer);
/** For an SCCRQ with Assigned Tunnel ID `id` and that Host Name. */
void l2tp_index_add_accepted(L2tpPeer *peer, guint16 id, const char *host_name);
/** The tunnel stands: its peer knows our id. */
void l2tp_index_confirm(L2tpPeer *peer);
/** An SCCRQ like the one it was made for begins a new tunnel from now on. */
void l2tp_index_forget_request(L2tpPeer *peer);
void l2tp_index_remove(L2tpPeer *peer);
/** Our dials to that remote, one after the other: `after` is the one before, NULL at first. */
L2tpPeer *l2tp_index_find_dialled(L2tp *l2tp, const AditPath *path, const L2tpPeer *after);
/** The tunnel that this very SCCRQ has made already (RFC 2661 5.8: its acknowledgement was lost). */
L2tpPeer *l2tp_index_find_repeated(L2tp *l2tp, const AditPath *path, guint16 id, const char *host_name);
/** The accepted tunnel that does not stand yet, by the id that its peer has assigned. */
L2tpPeer *l2tp_index_find_unconfirmed(L2tp *l2tp, const AditPath *path, guint16 id);
/** Calls `each` for up to `limit` other accepted tunnels of the same remote and Host Name: with each call for the next ones. */
void l2tp_index_each_namesake(L2tpPeer *peer, guint limit, void (*each)(L2tpPeer *other));

/* ---- strangers.c: what peers hold before they are authenticated ---- */

/** A tunnel that an SCCRQ began. */
void l2tp_strangers_add(L2tpPeer *peer);
/** It has a port of its own. */
void l2tp_strangers_add_port(L2tpPeer *peer);
/** It stands: its peer's address is proven. */
void l2tp_strangers_confirm(L2tpPeer *peer);
/** It counts no more. */
void l2tp_strangers_remove(L2tpPeer *peer);
/** So many more, or (-1) less, of its links are authenticated. */
void l2tp_strangers_authenticated(L2tpPeer *peer, gint links);
/** Makes place for one more tunnel of `remote`, displacing others. FALSE: it has to ask again. */
gboolean l2tp_strangers_make_place(L2tp *l2tp, const AditAddress *remote);
/** Displaces a tunnel that has a port of its own. FALSE if there is none that may go. */
gboolean l2tp_strangers_free_port(L2tp *l2tp, const AditAddress *remote);
/** Could a call of `remote` begin now? Nothing is displaced yet. */
gboolean l2tp_strangers_may_start(L2tp *l2tp, const AditAddress *remote);
/** `max-starting`: makes place for one more call. */
gboolean l2tp_strangers_admit_call(L2tpPeer *peer);
/** `max-sessions`: could a link of the peer be made now, and is there place for it, displacing others? */
gboolean l2tp_strangers_may_connect(L2tpPeer *peer);
gboolean l2tp_strangers_admit_link(L2tpPeer *peer);

/* ---- server.c: newcomers ---- */

/** A control datagram without tunnel id. */
void l2tp_server_newcomer(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram, gsize length);
/** The tunnel stands: what was before it on the same path and does not answer any more is stale. */
void l2tp_server_probe_stale(L2tpPeer *peer);
/** The tunnel stands: a dial of ours to its peer, not answered yet, gives way if its tie breaker loses (RFC 2661 4.4.3). */
void l2tp_server_judge_tie(L2tpPeer *peer);
void l2tp_request_free(L2tpRequest *request); /**< NULL is fine */
/** Time to answer is over. An AditTimerFunc; `data' is the L2tpPeer. */
void l2tp_server_probed(AditTimer *timer, gpointer data);

/* ---- client.c ---- */

extern const AditTransportOps l2tp_transport_ops;
/** The addresses of clients' servers, by the client's name. */
GHashTable *l2tp_rounds_new(void);
/** Forgets those of clients that `config` has no more. */
void l2tp_rounds_prune(L2tp *l2tp, const AditValue *config);
/** The tunnel or call has failed before the link was open. Harmless without a dial. */
void l2tp_dial_failed(L2tpPeer *peer, AditCause cause, const char *reason);
/** The dial of `peer` has come to its link: its token; the dial is freed. */
gpointer l2tp_dial_done(L2tpPeer *peer);

/** A datagram with the id of a client's tunnel. TRUE: strangers look for that id, or one of them has answered; the dial has begun anew with
 *  another id, from another port, and the datagram is to be dropped. */
gboolean l2tp_dial_evades(L2tpPeer *peer, const AditPath *path, const L2tpHeader *header, const guint8 *datagram);

/* ---- show.c ---- */

gboolean l2tp_show_init(L2tp *l2tp, GError **error);

/* ---- plugin.c ---- */

typedef struct {
  guint64 control, malformed, unknown_tunnel, wrong_path, stray_data; /**< datagrams */
  guint64 new_tunnels, repeated, no_server, refused, limited, starting_limited, tunnel_limited, half_open_limited, evicted, replaced, ties;
  guint64 displaced_tunnels, displaced_calls; /**< by newcomers; evicted: half-open ones */
  guint64 tunnels_up, tunnels_down, calls_up, calls_refused, calls_down, send_failed, proxy_ignored;
  guint64 evaded; /**< dials that began anew as a stranger guessed their tunnel id */
} L2tpStats;

/** Kinds of lines that strangers cause: see peer.c. */
typedef enum {
  L2TP_SAYS_TUNNEL_UP,
  L2TP_SAYS_TUNNEL_DOWN,
  L2TP_SAYS_USERS_TUNNEL_DOWN, /**< somebody was authenticated in it */
  L2TP_SAYS_NO_TUNNEL,
  L2TP_SAYS_TUNNEL_REFUSED,
  L2TP_SAYS_CALL_REFUSED,
  L2TP_SAYS_NO_PORT,
  L2TP_SAYS_PROXY_IGNORED,
  L2TP_SAYS
} L2tpSays;

struct L2tp {
  AditPlugin *plugin;
  const AditLoopService *loop;
  const AditBusService *bus;
  const AditPathService *path;
  const AditSessionService *session;
  const AditControlService *control;
  const AditNetService *net; /**< may be NULL */
  guint tunnel_up_event, tunnel_down_event;

  L2tpSetup *setup;
  GPtrArray *listeners;                                    /**< all that are open, borrowed */
  guint8 challenge_key[ADIT_SIPHASH_KEY];                  /**< tells challenges of ours: see peer.c */
  GHashTable *rounds;                                      /**< addresses of clients' servers: see client.c */
  GHashTable *tunnels;                                     /**< local tunnel id -> L2tpPeer*, owned by the engine's life */
  GHashTable *links;                                       /**< AditLinkId* -> L2tpLink*, borrowed */
  GHashTable *dialled, *repeats, *unconfirmed, *namesakes; /**< see index.c */
  L2tpShares half_open, strangers, ports; /**< of L2tpPeer: not confirmed; no authenticated link; a port of its own as well */
  guint most_half_open;                   /**< since there were none */
  L2tpShares calls;                       /**< of L2tpLink: calls of peers that are not authenticated */
  GQueue opening;                         /**< of L2tpLink: authenticated, not up, and counted in `starting`; in order of authentication */
  guint starting;                         /**< calls of peers whose session is not up yet */
  L2tpLimiter limiter;
  L2tpGuesses guesses;
  AditLogQuota said[L2TP_SAYS]; /**< lines that strangers cause, by kind */
  L2tpStats stats;

  gboolean running, stopping;
  AditTimer stop_timer, close_timer;
  gpointer *closing; /**< ids of the tunnels that stopping has yet to close */
  guint n_closing;
  void (*stopped)(AditPlugin *plugin);
};

/** A tunnel has gone, or lingers only: stopping may be over. */
void l2tp_stop_check(L2tp *l2tp);
/** A line that a stranger caused, at a bounded rate. */
void l2tp_log_stranger(L2tp *l2tp, L2tpSays kind, const AditPath *path, const char *format, ...) G_GNUC_PRINTF(4, 5);
