/* SPDX-License-Identifier: MIT */
/**
 * adit/path.h - transports, data paths, and what joins them: service "adit.path".
 *
 * A transport (L2TP) runs a tunnel's control protocol. A data path (tun, kernel, null) owns the sockets' reading and
 * carries frames between them and network interfaces. They meet in three plain values: a path (where the peer is), an
 * encap (how frames are wrapped there) and a classify function (what a datagram is).
 *
 * A transport waits for datagrams on a data path:
 *
 *     static void my_classify(const guint8 *datagram, gsize length, AditClassified *out) {
 *       out->klass = length && datagram[0] == 1 ? ADIT_CLASS_CONTROL_NEW : ADIT_CLASS_DROP;
 *     }
 *
 *     static void my_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
 *       char text[ADIT_ENDPOINT_TEXT];
 *       g_print("%zu octets from %s\n", length, adit_endpoint_format(&path->remote, text));
 *     }
 *
 *     static const AditListenerOps my_listener = {.size = sizeof my_listener, .control = my_control};
 *
 *     static AditListener *listen_on(const AditPathService *paths, const AditAddress *address, GError **error) {
 *       gpointer dp = NULL;
 *       const AditDatapathOps *datapath = paths->datapath("tun", &dp);
 *       AditListenerSpec spec = {.size = sizeof spec, .local = adit_endpoint(address, 1701), .classify = my_classify};
 *       return datapath ? datapath->listen(dp, &spec, &my_listener, NULL, error) : NULL;
 *     }
 */
#pragma once

#include <adit/address.h>
#include <adit/ether.h>
#include <adit/plugin.h>
#include <adit/stage.h>

G_BEGIN_DECLS

/** Where a peer is. */
typedef struct {
  AditEndpoint local, remote;
  guint32 association; /**< that it came through, and goes through (adit/protection.h); 0 = in the clear */
  guint32 reserved[3]; /**< zero */
} AditPath;

typedef enum {
  ADIT_ENCAP_NULL = 1,   /**< frames as they are, between two links of one process: tests */
  ADIT_ENCAP_L2TPV2_UDP, /**< RFC 2661 3.1 */
  ADIT_ENCAP_L2TPV3_UDP,
  ADIT_ENCAP_L2TPV3_IP,
  ADIT_ENCAP_PPPOE,
} AditEncapKind;

enum {
  ADIT_SEQUENCE_SEND = 1 << 0,   /**< number what is sent */
  ADIT_SEQUENCE_FOLLOW = 1 << 1, /**< number what is sent as long as the peer numbers (LAC side, RFC 2661 5.4) */
  ADIT_SEQUENCE_REQUIRE = 1 << 2,/**< drop what comes without a number */
};

typedef struct AditEncapLayout AditEncapLayout; /**< see adit/encap.h */

/** How a link's frames are wrapped; plain data, so that user space, kernel and BPF can each run it. */
typedef struct {
  AditEncapKind kind;
  guint32 local_tunnel, local_session; /**< ids in what we receive: tunnel and session, or 0 and session (v3), ... */
  guint32 peer_tunnel, peer_session;   /**< ids in what we send */
  guint8 cookie_length;                /**< l2tpv3: 0, 4, 8 */
  guint8 local_cookie[8], peer_cookie[8];
  guint8 sequence;                     /**< ADIT_SEQUENCE_* */
  guint32 reorder_ms;                  /**< hold a frame this long for a missing one before it; 0 = drop late ones only */
  gboolean length_bit;                 /**< l2tpv2: send the Length field in data */
  guint8 dscp;                         /**< of the outer packet */
  const AditEncapLayout *layout;       /**< of an encapsulation that adit/encap.h does not know; lives as long as the link. NULL = of `kind` */
  guint32 reserved[6];                 /**< zero */
} AditEncap;

/** The result of classify for a datagram. */
typedef enum {
  ADIT_CLASS_DROP = 0,
  ADIT_CLASS_CONTROL,      /**< of a tunnel that says it exists: precedes newcomers */
  ADIT_CLASS_CONTROL_NEW,  /**< asks for a tunnel, or belongs to none */
  ADIT_CLASS_DATA,
} AditClass;

typedef struct {
  AditClass klass;
  guint32 tunnel, session; /**< DATA: local ids in the header; CONTROL: tunnel */
  guint16 offset, length;  /**< DATA: where the frame is */
  gboolean has_sequence;
  guint32 sequence;        /**< wraps at AditEncapLayout.sequence_bits */
  guint32 reserved[4];     /**< the data path gives it zeroed */
} AditClassified;

/** [worker] Pure: looks at octets alone. `length` is the datagram's. */
typedef void (*AditClassify)(const guint8 *datagram, gsize length, AditClassified *out);

typedef struct AditListener AditListener; /**< a data path's socket set for one local address and port */
typedef struct AditDpLink AditDpLink;     /**< a data path's view of a link */
typedef struct AditDpSession AditDpSession;

typedef struct {
  gsize size;
  /** [main] A control datagram, borrowed. */
  void (*control)(gpointer user, const AditPath *path, const guint8 *datagram, gsize length);
  /** [main] Data with known ids from another path than the link's; rate-limited. May be NULL. */
  void (*stray)(gpointer user, const AditPath *path, guint32 tunnel, guint32 session);
} AditListenerOps;

typedef struct {
  gsize size;
  AditEndpoint local;       /**< address may be 0.0.0.0 or ::; port 0 = one that no other listener has */
  AditClassify classify;
  gsize min_receive;        /**< hint: the largest control datagram */
  gboolean announces;       /**< the transport announces its tunnels by tunnel_set(); only their datagrams have precedence over newcomers' */
  const AditEncapLayout *layout; /**< of its data, so that the kernel can bring a link's datagrams to one worker; NULL = any worker */
} AditListenerSpec;

/** Facts about an existing tunnel, by which a data path distinguishes its datagrams from forged ones. */
typedef struct {
  gsize size;
  const AditPath *path;     /**< remote port 0 = any: the peer has not chosen yet (RFC 2661 8.1) */
  gboolean proven;          /**< a session was authenticated in it: its control has precedence over that of tunnels without one */
} AditDpTunnel;

typedef struct {
  gsize size;
  /** [main] A PPP frame that is not data of an open network protocol: it begins with the two octets of its protocol
   *  (address, control and compression are already undone). Borrowed. */
  void (*frame)(gpointer user, const guint8 *frame, gsize length);
} AditDpLinkOps;

typedef struct {
  gsize size;
  AditLinkId id;            /**< as in `show sessions`; 0 = none */
  const AditPath *path;     /**< copied, as is the encap */
  const AditEncap *encap;
  const AditDpLinkOps *ops; /**< outlives the link */
  gpointer user;
} AditDpLinkSpec;

typedef struct {
  AditCounters counters;       /**< of frames: with PPP protocol, without tunnel header */
  guint64 last_rx_ms, last_tx_ms; /**< on adit.loop's clock; 0 = never. Any valid frame counts */
  guint64 last_data_ms;        /**< network data, either way: idle-timeout lives on it */
  guint64 drops, reordered, lost;
  guint64 spoofed;             /**< of a session, in `drops`, too: came from an address that is not the session's */
  guint64 looped;              /**< of a session, in `drops`, too: would have gone to the endpoint of a tunnel */
  guint64 reserved[8];         /**< the data path writes zeroes */
} AditDpStats;

typedef enum { ADIT_PORT_L3 = 1, ADIT_PORT_L2 } AditPortKind;

typedef struct AditPort AditPort;

typedef struct {
  gsize size;
  AditPortKind kind;
  const char *name;     /**< interface name, at most 15 octets, unique */
  const char *alias;    /**< full name when `name` had to be cut; NULL = none */
  guint mtu;
  gboolean shared;      /**< many sessions, told apart by session_add_prefix(): of an L3 port. An L2 port with it is refused: UNSUPPORTED */
  gboolean is_static;   /**< kept without carrier when no session has it */
  /** [main] Once, between opened and port_close(), with port_open()'s `user`: another program has deleted the interface. It carries nothing
   *  from now on; port_close() is still owed, from within this call or later. May be NULL. */
  void (*lost)(gpointer user, AditPort *port);
  guint8 mac[6];        /**< of an L2 port; zeros = any */
} AditPortSpec;

/** An interface: the head of what a data path keeps of it, public and constant while it is open. */
struct AditPort {
  gsize size; /**< of this head */
  guint ifindex;
  char name[16];
  AditPortKind kind;
  gboolean shared;
};

typedef void (*AditPortOpened)(gpointer user, AditPort *port, const GError *error); /**< [main] once; port NULL on error */
typedef void (*AditPortClosed)(gpointer user, const AditCounters *final);           /**< [main] once */

typedef struct {
  gsize size;
  guint16 mss4, mss6;       /**< largest TCP MSS to let pass either way; 0 = leave alone */
  /** PPP protocols of data with an open NCP (0x0021, 0x0057, 0x0031): they pass between ports and links; frames of others go to the main
   *  loop. Those of the codec of session_attach_ether() go to the L2 port, others to the L3 port. Copied. */
  const guint16 *protocols;
  guint n_protocols;
  /** Packets from the peer with a source in none of the session's prefixes are dropped; and so are those with a source in a longer prefix
   *  of another session. IPv6's unspecified address may send to multicast of the link (RFC 4861 4.1, 4.3). */
  gboolean check_source;
  /** A bit (1 << AditStageKind) for each stage without which no data may pass. Until it is in place, the data path keeps the session's first
   *  packets of each direction and drops the rest. */
  guint32 required;
} AditDpSessionParams;

/** The functions of a data path. Everything is [main] unless marked; nothing blocks. `dp` is the state given to datapath_add(). */
typedef struct {
  gsize size;
  const char *name;  /**< `tun`: the word for `data-path:` */
  gboolean (*claims)(gpointer dp, const AditEncap *encap); /**< Can it carry such links? Asked before a call is accepted or dialled */

  AditListener *(*listen)(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error);
  void (*listener_local)(AditListener *listener, AditEndpoint *local); /**< with the port that was chosen */
  void (*listener_close)(AditListener *listener);                     /**< its links must be detached before */
  /** Sends a control datagram from path->local (which must be one of the listener's addresses). False: not sent,
   *  errno says why. */
  gboolean (*send_control)(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length);

  /** Errors: UNSUPPORTED (an encapsulation that claims() refuses), EXISTS (another link has its ids). */
  AditDpLink *(*link_attach)(gpointer dp, AditListener *listener, const AditDpLinkSpec *spec, GError **error);
  void (*link_detach)(AditDpLink *link);                               /**< no callback after it returns */
  void (*link_update)(AditDpLink *link, const AditPath *path, const AditEncap *encap); /**< roaming; sequencing */
  void (*link_framing)(AditDpLink *link, gboolean acfc, gboolean pfc); /**< what may be compressed when sending data */
  /** Sends a frame that begins with its two-octet protocol. LCP always goes out uncompressed. */
  void (*link_send)(AditDpLink *link, const guint8 *frame, gsize length);
  void (*link_stats)(AditDpLink *link, AditDpStats *out);
  /** Joins two links: frames of one go out of the other, untouched (LAC, tunnel switching). NULL `other` undoes it. May be NULL. */
  gboolean (*link_splice)(AditDpLink *link, AditDpLink *other, GError **error);

  void (*port_open)(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user);
  void (*port_close)(AditPort *port, AditPortClosed done, gpointer user); /**< sessions must have left it */
  void (*port_carrier)(AditPort *port, gboolean on);                      /**< static ports, and L2 ports, which open without carrier */

  /** A session's data plane: one or more links on one side, at most one port of each kind on the other. `port` is the L3 port, and may be
   *  NULL; an L2 port is attached by session_attach_ether(). */
  AditDpSession *(*session_open)(gpointer dp, AditSessionId id, AditPort *port, GError **error);
  /** The link's data is the session's from now on; not a frame is lost or overtakes another. A second link needs a bundle stage.
   *  `*index` (or NULL) is what stages know it by. Errors: UNSUPPORTED (no such stage), BUSY (too many links, or it was in another session). */
  gboolean (*session_join)(AditDpSession *session, AditDpLink *link, guint *index, GError **error);
  void (*session_leave)(AditDpSession *session, AditDpLink *link);
  void (*session_set)(AditDpSession *session, const AditDpSessionParams *params);
  /** The session's own traffic may come from `prefix`. On a shared port, traffic to it is this session's, too, and it is an error
   *  (ADIT_ERR_EXISTS) if another session on the port has it; with separate ports many may have the same. */
  gboolean (*session_add_prefix)(AditDpSession *session, const AditPrefix *prefix, GError **error);
  void (*session_stats)(AditDpSession *session, AditDpStats *out); /**< counters of network-layer packets */
  void (*session_close)(AditDpSession *session, AditDpStats *final);  /**< links leave; counters final on return */

  /* Members from here on may be missing (ADIT_HAS) or NULL in an older data path. */

  /** Undoes session_add_prefix(): another session may have it now. False if the session does not have it. */
  gboolean (*session_remove_prefix)(AditDpSession *session, const AditPrefix *prefix);
  /** The listener's tunnel `tunnel` (its id in what we receive) is there, or what was said of it has changed. Its control, and
   *  early data, are told from what strangers send: see AditListenerSpec.announces. False: no memory for it. */
  gboolean (*tunnel_set)(AditListener *listener, guint32 tunnel, const AditDpTunnel *facts);
  void (*tunnel_unset)(AditListener *listener, guint32 tunnel); /**< harmless for one that was never set */
  /** Puts a stage in place: the session's next packet goes through it. A second one of its kind takes the first one's place.
   *  Errors: UNSUPPORTED (this data path has no way to run it: the session is refused by name), INVALID. */
  gboolean (*stage_add)(AditDpSession *session, const AditStageSpec *spec, GError **error);
  /** Publishes new parameters, copied: from the next packet on. FALSE if there is no such stage. */
  gboolean (*stage_set)(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length);
  void (*stage_remove)(AditDpSession *session, AditStageKind kind); /**< no note after it returns; harmless without one */
  /**
   * Attaches an L2 port, which has no other session, to the session, beside its L3 port or alone. Its Ethernet frames pass through the codec
   * (which outlives the session) while params.protocols has the first protocol of it, and nothing passes before session_set_ether(). It is
   * detached with the session. Errors: INVALID (no L2 port, an incomplete codec), BUSY (it has a session, or the session has one).
   */
  gboolean (*session_attach_ether)(AditDpSession *session, AditPort *port, const AditEtherOps *codec, GError **error);
  /** Publishes the parameters of the codec, ADIT_ETHER_PARAMS octets, copied: from the next frame on. Harmless without an L2 port. */
  void (*session_set_ether)(AditDpSession *session, gconstpointer params);
  /** How many frames the codec has refused, by its reasons; all are in AditDpStats.drops, too. Zeros without an L2 port. */
  void (*session_ether_drops)(AditDpSession *session, guint64 drops[ADIT_ETHER_REASONS]);
} AditDatapathOps;

/* ---- transports ---- */

typedef struct AditDial AditDial; /**< a transport's one attempt to reach a server */

typedef struct {
  gsize size;
  const char *name; /**< `l2tp`: also the map of `servers` and `clients` in the configuration, and RouterOS's `service` */
  /** [main] Dials what `client` (an item of NAME.clients, with defaults filled in) says. A link is opened through adit.session when the
   *  call is established; until then failure comes by adit.session's dial_failed(token). */
  AditDial *(*dial)(gpointer state, const AditValue *client, gpointer token, GError **error);
  /** [main] Give up, quietly; the token is not used again. Not after its link was opened. */
  void (*dial_cancel)(AditDial *dial);
  /** [main] The same for one more link of a client, the `nth` from 1: to another address of its server than its other links, where there are
   *  several. May be NULL, or missing: dial() is called. */
  AditDial *(*dial_nth)(gpointer state, const AditValue *client, guint nth, gpointer token, GError **error);
} AditTransportOps;

typedef struct AditProtectionPolicy AditProtectionPolicy;
typedef struct AditAssociationFacts AditAssociationFacts;
typedef struct AditProtectionOps AditProtectionOps; /**< see adit/protection.h, as for what follows in the service */

#define ADIT_PATH_SERVICE "adit.path"
typedef struct {
  gsize size;
  gboolean (*datapath_add)(AditPlugin *plugin, const AditDatapathOps *ops, gpointer dp, GError **error);        /**< [main] in init */
  gboolean (*transport_add)(AditPlugin *plugin, const AditTransportOps *ops, gpointer state, GError **error);  /**< [main] in init */
  /** [main] A data path by name; `*dp` is its state. NULL if there is none. */
  const AditDatapathOps *(*datapath)(const char *name, gpointer *dp);

  /* ---- protection; see adit/protection.h ---- */

  gboolean (*protection_add)(AditPlugin *plugin, const AditProtectionOps *ops, gpointer state, GError **error); /**< [main] in init */
  /** [main] Has a provider protect the way (NULL = the first one): the association's number, for its events; 0 = it can't. It is the
   *  caller's until release. Errors: NOT_FOUND (no such provider), BUSY, the provider's. */
  guint32 (*protection_ensure)(const char *provider, const AditPath *path, const AditProtectionPolicy *policy, GError **error);
  void (*protection_release)(guint32 association); /**< [main] harmless for one that is not there */
  /** [main] Provider: registers an association that a peer has set up and returns its number, 0 with an error. association_event() reports UP
   *  for it, and DOWN when it ends. */
  guint32 (*association_accept)(AditPlugin *plugin, const AditPath *path, GError **error);
  /** [main] Provider: what became of it; published as an event. `path` for MOVED (NULL = the same), `why` for DOWN. */
  void (*association_event)(guint32 association, guint32 state, const AditPath *path, const char *why);
  /** [main] Set facts->size before. FALSE if there is no such association. */
  gboolean (*association_lookup)(guint32 association, AditAssociationFacts *facts);
  gboolean (*association_is_known)(guint32 mark); /**< [any] Is it the mark of an association that is up? Any other means: in the clear */
} AditPathService;

G_END_DECLS
