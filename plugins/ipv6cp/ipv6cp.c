/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ipv6cp.h"
#include <adit/session-options.h>

/* IPv6-Compression-Protocol (2) is rejected. */
enum { INTERFACE_IDENTIFIER = 1 };
#define IFID 8

typedef struct {
  const AditNcpParams *params;
  const AditEngineEnv *env;
  guint8 own[IFID];
  guint8 peer[IFID];  /* as the peer asked last; zero = not said */
  guint8 offer[IFID]; /* what a peer without a good one is told: always the same, so that it can agree */
  gboolean requesting;
} Ipv6cp;

static gboolean is_zero(const guint8 *id) {
  static const guint8 zero[IFID];
  return memcmp(id, zero, IFID) == 0;
}

/** The identifier that the peer must have: that of its first negotiation, or the one that a source gave it; NULL = it may choose. */
static const guint8 *fixed_peer(const Ipv6cp *ip) {
  const AditNcpParams *params = ip->params;
  if (params->in_force)
    return params->in_force->remote_ifid;
  return params->client || is_zero(params->remote_ifid) ? NULL : params->remote_ifid;
}

/** Random, not zero, without the universal bit (RFC 5072 4.1), and none of those in use. */
static void choose_identifier(Ipv6cp *ip, guint8 id[IFID]) {
  guint8 fresh[IFID];
  adit_env_random(ip->env, fresh, IFID);
  fresh[0] &= (guint8)~2;
  fresh[IFID - 1] |= 1;
  while (memcmp(fresh, ip->own, IFID) == 0 || memcmp(fresh, ip->peer, IFID) == 0)
    fresh[IFID - 2]++;
  memcpy(id, fresh, IFID);
}

/* ---- ours ---- */

static void write_request(gpointer self, AditBuilder *out) {
  const Ipv6cp *ip = self;
  if (ip->requesting)
    adit_ppp_put_option(out, INTERFACE_IDENTIFIER, ip->own, IFID);
}

static void take_ack(gpointer self) {}

/** RFC 5072 4.1: take what is suggested, unless it is no better. */
static void take_nak(gpointer self, const AditPppOption *option) {
  Ipv6cp *ip = self;
  if (option->type != INTERFACE_IDENTIFIER || option->length != IFID || ip->params->in_force)
    return;
  if (is_zero(option->data) || memcmp(option->data, ip->peer, IFID) == 0)
    choose_identifier(ip, ip->own);
  else
    memcpy(ip->own, option->data, IFID);
}

/** The peer does not talk about identifiers: ours stays. */
static gboolean take_reject(gpointer self, const AditPppOption *option) {
  Ipv6cp *ip = self;
  if (option->type == INTERFACE_IDENTIFIER)
    ip->requesting = FALSE;
  return TRUE;
}

/* ---- the peer's ---- */

static void peer_begin(gpointer self) {
  Ipv6cp *ip = self;
  memset(ip->peer, 0, IFID);
}

static void suggest_identifier(Ipv6cp *ip, AditBuilder *nak) {
  if (is_zero(ip->offer) || memcmp(ip->offer, ip->own, IFID) == 0)
    choose_identifier(ip, ip->offer);
  adit_ppp_put_option(nak, INTERFACE_IDENTIFIER, ip->offer, IFID);
}

static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Ipv6cp *ip = self;
  if (option->type != INTERFACE_IDENTIFIER || option->length != IFID)
    return ADIT_OPTION_REJECT;

  const guint8 *fixed = fixed_peer(ip);
  if (is_zero(option->data) || memcmp(option->data, ip->own, IFID) == 0 || (fixed && memcmp(option->data, fixed, IFID) != 0)) {
    suggest_identifier(ip, nak);
    return ADIT_OPTION_NAK;
  }
  memcpy(ip->peer, option->data, IFID);
  return ADIT_OPTION_ACK;
}

static void peer_end(gpointer self, AditBuilder *nak) {
  Ipv6cp *ip = self;
  if (is_zero(ip->peer) && !adit_built(nak))
    suggest_identifier(ip, nak);
}

/* ---- life ---- */

/** The identifiers stay what they were: other ones would be another address, and the end of the session. */
static void reset_ipv6cp(gpointer self) {
  Ipv6cp *ip = self;
  if (fixed_peer(ip))
    memcpy(ip->offer, fixed_peer(ip), IFID);
  else if (!is_zero(ip->params->remote_ifid))
    memcpy(ip->offer, ip->params->remote_ifid, IFID);
  else if (!is_zero(ip->peer))
    memcpy(ip->offer, ip->peer, IFID);
  memset(ip->peer, 0, IFID);
  if (ip->params->in_force)
    memcpy(ip->own, ip->params->in_force->local_ifid, IFID);
  else if (!is_zero(ip->params->local_ifid))
    memcpy(ip->own, ip->params->local_ifid, IFID);
  else if (is_zero(ip->own))
    choose_identifier(ip, ip->own);
  ip->requesting = TRUE;
}

static void init_ipv6cp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Ipv6cp *ip = self;
  ip->params = params;
  ip->env = env;
  reset_ipv6cp(ip);
}

static gboolean get_result(gpointer self, AditNcpResult *out, const char **why) {
  const Ipv6cp *ip = self;
  const guint8 *peer = !is_zero(ip->peer) ? ip->peer : fixed_peer(ip) ? fixed_peer(ip) : ip->params->remote_ifid;
  if (is_zero(peer) || memcmp(peer, ip->own, IFID) == 0) {
    *why = "the peer has no usable interface identifier";
    return FALSE;
  }
  memcpy(out->local_ifid, ip->own, IFID);
  memcpy(out->remote_ifid, peer, IFID);
  return TRUE;
}

static void save_ipv6cp(gconstpointer self, AditBuilder *out) {
  const Ipv6cp *ip = self;
  adit_put_bytes(out, ip->own, IFID);
  adit_put_bytes(out, ip->peer, IFID);
  adit_put_bytes(out, ip->offer, IFID);
  adit_put_u8(out, ip->requesting ? 1 : 0);
}

static gboolean restore_ipv6cp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  Ipv6cp *ip = self;
  ip->params = params;
  ip->env = env;
  adit_get_copy(in, ip->own, IFID);
  adit_get_copy(in, ip->peer, IFID);
  adit_get_copy(in, ip->offer, IFID);
  ip->requesting = adit_get_u8(in) != 0;
  return !in->bad;
}

static const AditPppOptionOps option_ops = {sizeof option_ops, write_request, peer_begin, peer_option,
                                            peer_end,          take_ack,      take_nak,   take_reject};

const AditNcpDesc ipv6cp_desc = {
    .size = sizeof(AditNcpDesc),
    .name = "ipv6cp",
    .protocol = ADIT_PPP_IPV6CP,
    .data_protocol = ADIT_PPP_IPV6,
    .kind = ADIT_NCP_NETWORK,
    .enable = adit_option_use_ipv6_key,
    .state_size = sizeof(Ipv6cp),
    .options = &option_ops,
    .init = init_ipv6cp,
    .result = get_result,
    .reset = reset_ipv6cp,
    .save = save_ipv6cp,
    .restore = restore_ipv6cp,
};
