/* SPDX-License-Identifier: MIT */
/**
 * adit/ppp.h - how a plugin adds a network control protocol, or options to LCP: service "adit.ppp".
 *
 * The core runs the RFC 1661 automaton and the option codec; the plugin supplies what is its own: which options to ask
 * for, what to say to the peer's, and what was agreed. All of it is an engine (adit/engine.h): plain state, no I/O.
 */
#pragma once

#include <adit/address.h>
#include <adit/engine.h>
#include <adit/ether.h>
#include <adit/plugin.h>
#include <adit/stage.h>

G_BEGIN_DECLS

#define ADIT_PPP_IPV4 0x0021
#define ADIT_PPP_MP 0x003d
#define ADIT_PPP_IPV6 0x0057
#define ADIT_PPP_BRIDGE 0x0031
#define ADIT_PPP_COMPRESSED 0x00fd
#define ADIT_PPP_IPCP 0x8021
#define ADIT_PPP_BCP 0x8031
#define ADIT_PPP_IPV6CP 0x8057
#define ADIT_PPP_CCP 0x80fd
#define ADIT_PPP_LCP 0xc021
#define ADIT_PPP_PAP 0xc023
#define ADIT_PPP_CHAP 0xc223
#define ADIT_PPP_EAP 0xc227

/** One configuration option of a packet (RFC 1661 6). */
typedef struct {
  guint8 type;
  guint8 length; /**< of data: the option's length less 2 */
  const guint8 *data;
} AditPppOption;

/** Writes an option; a no-op that sets bad if it does not fit. */
static inline void adit_ppp_put_option(AditBuilder *b, guint8 type, const void *data, guint8 length) {
  adit_put_u8(b, type);
  adit_put_u8(b, (guint8)(length + 2));
  adit_put_bytes(b, data, length);
}

/** Next option of a Configure packet's body. False at its end; `in->bad` if it is malformed. */
static inline gboolean adit_ppp_next_option(AditCursor *in, AditPppOption *out) {
  if (in->bad || !adit_left(in))
    return FALSE;
  out->type = adit_get_u8(in);
  guint8 length = adit_get_u8(in);
  if (in->bad || length < 2) {
    in->bad = TRUE;
    return FALSE;
  }
  out->length = (guint8)(length - 2);
  out->data = adit_get_bytes(in, out->length);
  return !in->bad;
}

typedef enum {
  ADIT_OPTION_ACK = 1,
  ADIT_OPTION_NAK,    /**< the hook has put what it would accept into `nak` */
  ADIT_OPTION_REJECT,
} AditOptionVerdict;

/** The option side of a control protocol: LCP has one, and each NCP. `self` is the protocol's state. */
typedef struct {
  gsize size;
  /** Put the options to ask for now; called for each new Configure-Request. */
  void (*request)(gpointer self, AditBuilder *out);
  /** A Configure-Request begins; forget what an earlier one said. */
  void (*peer_begin)(gpointer self);
  AditOptionVerdict (*peer_option)(gpointer self, const AditPppOption *option, AditBuilder *nak);
  /** It was read to its end: put options that are missing and wanted into `nak` (which makes the answer a Nak). */
  void (*peer_end)(gpointer self, AditBuilder *nak);
  /** The peer acknowledged request() verbatim: the values in it are agreed. */
  void (*acked)(gpointer self);
  /** The peer suggests another value; take it or keep asking. */
  void (*naked)(gpointer self, const AditPppOption *option);
  /** The peer does not know the option; stop asking. Return FALSE if we can't live without it: the protocol finishes. */
  gboolean (*rejected)(gpointer self, const AditPppOption *option);
} AditPppOptionOps;

typedef enum {
  ADIT_NCP_NETWORK = 1, /**< carries a network layer over the L3 port: IPCP, IPV6CP */
  ADIT_NCP_BRIDGE,      /**< carries Ethernet over the L2 port: BCP. Runs where the session has a `bridge` */
  ADIT_NCP_COMPRESSION, /**< CCP, ECP: delays session-up and data only if it is required */
} AditNcpKind;

typedef struct AditNcpResult AditNcpResult;

/** Session keys that authentication made (RFC 3079), as this side uses them. */
typedef struct {
  gsize size;
  guint8 send[16], receive[16];
  AditMppeShort shorter;  /**< where those of 40 and 56 bits come from */
  guint8 short_key[8];    /**< ADIT_MPPE_SHORT_OWN */
} AditMppeKeys;

#define ADIT_NCP_SLOTS 4 /**< timer slots that an NCP may have */

/** The functions of the link for an NCP; the core's. */
typedef struct AditNcpHost AditNcpHost;
struct AditNcpHost {
  gsize size;
  /** Sends a packet of the protocol with a code of the NCP's own (8 and above): Reset-Request, Reset-Ack. FALSE, and nothing is sent,
   *  unless the protocol is open. */
  gboolean (*send)(const AditNcpHost *host, guint8 code, guint8 id, gconstpointer data, gsize length);
  guint8 (*next_id)(const AditNcpHost *host); /**< a fresh identifier for a request */
  /** Closes the protocol, with a reason for the log. */
  void (*close)(const AditNcpHost *host, const char *why);

  /* Members from here on may be missing (ADIT_HAS) in an older core. */

  /** Puts a stage into the session's data path: now, or as soon as that is open. Notes of its worker reach spec->note() on the main loop
   *  until stage_remove(), and so do questions for views. Call it from result(), which fails if this does: FALSE with `*why`, which is
   *  borrowed until the next call. */
  gboolean (*stage_add)(const AditNcpHost *host, const AditStageSpec *spec, const char **why);
  void (*stage_set)(const AditNcpHost *host, AditStageKind kind, gconstpointer params, gsize length);
  void (*stage_remove)(const AditNcpHost *host, AditStageKind kind); /**< harmless without one */
  void (*warn)(const AditNcpHost *host, const char *text);          /**< a line in the log, at a bounded rate */
  void (*renegotiate)(const AditNcpHost *host);                     /**< leaves Opened and sends a new Configure-Request */
};

/** The parameters of the session for an NCP; addresses are already reserved. */
typedef struct {
  gsize size;
  gboolean client;           /**< we dialled: take what the peer assigns */
  AditAddress local4;        /**< our end; unset = any (client) */
  AditAddress remote4;       /**< the peer's; unset = let the peer say (client) */
  gboolean accept_remote4;   /**< the peer may choose its own address */
  AditAddress dns[2], wins[2]; /**< to hand out; unset = none (Reject) */
  gboolean want_dns;         /**< client: ask for them */
  guint8 local_ifid[8], remote_ifid[8]; /**< IPv6 interface identifiers; zero = choose */
  const AditValue *attributes; /**< the session's merged attributes */
  /** [main] With accept_remote4: may the peer have this address, which it chose itself? TRUE reserves it for the peer, in place of an
   *  earlier choice. NULL = any that a host may have. */
  gboolean (*choose)(gpointer choose_user, const AditAddress *address);
  gpointer choose_user;
  /** The result when the protocol opened first; NULL before. The kernel has these addresses, so that a renegotiation can only
   *  agree on the same: another value is answered with a Configure-Nak that holds the old one (RFC 1661 5.3). */
  const AditNcpResult *in_force;
  /** NULL = authentication made none. Valid in init() and restore() alone, and wiped afterwards: what an NCP copies it wipes itself in
   *  wipe(). Later ones come by rekey(). */
  const AditMppeKeys *mppe;
  guint8 local_mac[6];       /**< of the L2 port; zeros = none */
  const char *bridge;        /**< that the L2 port is in; NULL = none */
  AditSessionId session;     /**< the session, for state outside the engine, and for stage_add(); 0 in tests */
} AditNcpParams;

/** The result of the negotiation; each NCP fills its own part. */
struct AditNcpResult {
  gsize size;
  AditAddress local4, remote4, dns[2], wins[2];
  guint8 local_ifid[8], remote_ifid[8];
  guint8 local_mac[6], remote_mac[6];
  char bridge[16];          /**< to put the L2 port into; empty = none */
  guint64 ether_params[ADIT_ETHER_PARAMS / 8]; /**< for the codec of AditNcpDesc.ether: octets of the NCP's own layout */
};

/** The use of a protocol in a session. */
typedef enum {
  ADIT_NCP_OFF = 0, /**< a peer that asks for it gets a Protocol-Reject */
  ADIT_NCP_OFFER,   /**< the session goes on without it if the peer does not want it */
  ADIT_NCP_REQUIRE, /**< no data passes before it is open, and the session ends without it */
  ADIT_NCP_REFUSE,  /**< it is required, and cannot be had: the session ends */
} AditNcpNeed;

typedef struct AditNcpDesc {
  gsize size;
  const char *name;       /**< `ipcp`, also the feature `ncp:ipcp` */
  guint16 protocol;       /**< 0x8021 */
  guint16 data_protocol;  /**< 0x0021 */
  AditNcpKind kind;
  /** Attribute yes/no/default/required that switches it, such as `use-ipv6`; NULL = always on. With `required`, the session is up, and data
   *  passes, once this NCP is open; it ends when this NCP fails or times out. */
  const char *enable;
  gsize state_size;       /**< zeroed by the core */
  const AditPppOptionOps *options;
  /** `env` may be kept until the state is freed: random() for identifiers. */
  void (*init)(gpointer self, const AditEngineEnv *env, const AditNcpParams *params);
  /** Opened: fill what was agreed. False closes the protocol again, with `*why` for the log. */
  gboolean (*result)(gpointer self, AditNcpResult *out, const char **why);
  /** Back to the start: the automaton left Opened, or LCP came up again. Keep what params said. */
  void (*reset)(gpointer self);
  /** A code the automaton does not know (CCP Reset-Request). True if it was one of its codes. May be NULL. */
  gboolean (*code)(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length);
  void (*save)(gconstpointer self, AditBuilder *out);
  gboolean (*restore)(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in);
  /** After init() or restore(): `host` may be kept until the state is freed. May be NULL. */
  void (*attach)(gpointer self, const AditNcpHost *host);
  /** Timer slots 0 to n_slots - 1 of `env` are the NCP's; the core calls timeout() at the deadline that it set. */
  guint n_slots;
  void (*timeout)(gpointer self, guint slot);
  void (*wipe)(gpointer self); /**< before the state is freed: keys. May be NULL; the state of an NCP that has it is in locked memory */
  const AditEtherOps *ether;   /**< ADIT_NCP_BRIDGE: how frames of the L2 port go over the links; its first protocol is data_protocol */
  /** A MAP for `show session`, under the protocol's name, while it is open: what was agreed. The caller's; NULL = nothing. May be NULL. */
  AditValue *(*describe)(gconstpointer self);
  /** Authentication has run again: a re-challenge, or LCP has started again. These keys count from the next negotiation of the protocol on.
   *  NULL = it made none. Wiped afterwards. May be NULL */
  void (*rekey)(gpointer self, const AditMppeKeys *keys);
  /** Before init(): what the session is to do with the protocol, where the word of `enable` is not all: it needs keys, or a source has a
   *  say. `word` is that word, NULL = there is none; REFUSE has `*why`, for the log and the peer. NULL = no is OFF, required is REQUIRE, anything
   *  else is OFFER. */
  AditNcpNeed (*need)(const AditNcpParams *params, const char *word, const char **why);
} AditNcpDesc;

/* ---- options of LCP ---- */

/** An LCP option type that a plugin owns, and how long its data may be; a peer's of another length is rejected. */
typedef struct {
  guint8 type, min_length, max_length;
} AditLcpType;

/** Facts by which the options of a link can be decided. */
typedef struct {
  gsize size;
  gboolean client;         /**< we dialled */
  const AditValue *config; /**< the server's or client's item; lives as long as the link. NULL in tests */
  guint16 mru;             /**< that we ask for */
} AditLcpFacts;

/**
 * LCP options that a plugin adds; Multilink adds MRRU (17), short sequence (18) and endpoint discriminator (19):
 *
 *     static const AditLcpType types[] = {{17, 2, 2}, {18, 0, 0}, {19, 1, 21}};
 *     static const AditLcpDesc desc = {.size = sizeof desc, .name = "mp", .types = types, .n_types = 3, .state_size = sizeof(Mp),
 *                                      .options = &mp_options, .init = mp_init, .reset = mp_reset, .save = mp_save, .restore = mp_restore};
 *     ...
 *     if (!ADIT_HAS(ppp, lcp_add) || !ppp->lcp_add(plugin, &desc, error)) // in init
 *       return FALSE;
 *
 * `options` is called for its own types alone, but for request() and peer_end(), which may put any of them.
 * AditSessionService.link_option() reads the agreed value by type.
 */
typedef struct {
  gsize size;
  const char *name;
  const AditLcpType *types;
  guint n_types;
  gsize state_size;        /**< for each link; zeroed by the core */
  const AditPppOptionOps *options;
  void (*init)(gpointer self, const AditEngineEnv *env, const AditLcpFacts *facts);
  void (*reset)(gpointer self); /**< LCP starts afresh. Keep what the facts said */
  void (*save)(gconstpointer self, AditBuilder *out);
  gboolean (*restore)(gpointer self, AditCursor *in); /**< after init() */
} AditLcpDesc;


#define ADIT_PPP_SERVICE "adit.ppp"
typedef struct {
  gsize size;
  /** [main] in init; `desc` must live as long as the plugin. */
  gboolean (*ncp_add)(AditPlugin *plugin, const AditNcpDesc *desc, GError **error);
  /** [main] in init; for links that open later. `desc` must live as long as the plugin. Errors: INVALID (not complete), EXISTS (a type is
   *  LCP's own or another plugin's). */
  gboolean (*lcp_add)(AditPlugin *plugin, const AditLcpDesc *desc, GError **error);
} AditPppService;

G_END_DECLS
