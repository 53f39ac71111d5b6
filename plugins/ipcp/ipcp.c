/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ipcp.h"
#include <adit/session-options.h>

/* IP-Addresses (1) and IP-Compression-Protocol (2) of RFC 1332 are rejected: the first is long dead, the second (VJ)
 * needs a link that loses nothing unnoticed, which a tunnel without sequence numbers is not (RFC 2661 8.1). */
enum { ADDRESS = 3, DNS1 = 129, WINS1 = 130, DNS2 = 131, WINS2 = 132 };
enum { REQUEST_ADDRESS = 1, REQUEST_DNS1 = 2, REQUEST_DNS2 = 4 };

typedef struct {
  const AditNcpParams *params;
  guint32 own;    /* host order; 0 = not known */
  guint32 peer;   /* as the peer asked last */
  guint32 dns[2]; /* client: what the peer named */
  guint8 requesting;
} Ipcp;

static void put_address(AditBuilder *out, guint8 type, guint32 address) {
  const guint8 data[4] = {(guint8)(address >> 24), (guint8)(address >> 16), (guint8)(address >> 8), (guint8)address};
  adit_ppp_put_option(out, type, data, 4);
}

static guint32 value_of(const AditPppOption *option) {
  return (guint32)option->data[0] << 24 | (guint32)option->data[1] << 16 | (guint32)option->data[2] << 8 | option->data[3];
}

/** An address that a host may have: not 0/8, 127/8, multicast or beyond. */
static gboolean is_host(guint32 address) {
  guint8 first = (guint8)(address >> 24);
  return first != 0 && first != 127 && first < 224;
}

/** The values for the peer: the address of its first negotiation once there was one, else what is reserved for it. */
static guint32 assigned_to_peer(const Ipcp *ip) {
  const AditNcpResult *in_force = ip->params->in_force;
  return adit_address_to_ipv4(in_force ? &in_force->remote4 : &ip->params->remote4);
}

/* ---- ours ---- */

static void write_request(gpointer self, AditBuilder *out) {
  const Ipcp *ip = self;
  if ((ip->requesting & REQUEST_ADDRESS) && (ip->own || ip->params->client))
    put_address(out, ADDRESS, ip->own);
  if (ip->requesting & REQUEST_DNS1)
    put_address(out, DNS1, ip->dns[0]);
  if (ip->requesting & REQUEST_DNS2)
    put_address(out, DNS2, ip->dns[1]);
}

static void take_ack(gpointer self) {}

static void take_nak(gpointer self, const AditPppOption *option) {
  Ipcp *ip = self;
  if (option->length != 4)
    return;

  guint32 value = value_of(option);
  gboolean may_assign = !ip->params->in_force && (ip->params->client || !adit_address_is_set(&ip->params->local4));
  if (option->type == ADDRESS && is_host(value) && may_assign)
    ip->own = value;
  else if (option->type == DNS1 && (ip->requesting & REQUEST_DNS1))
    ip->dns[0] = value;
  else if (option->type == DNS2 && (ip->requesting & REQUEST_DNS2))
    ip->dns[1] = value;
}

/** A peer that will not talk of addresses can be lived with once we know ours. */
static gboolean take_reject(gpointer self, const AditPppOption *option) {
  Ipcp *ip = self;
  if (option->type == ADDRESS) {
    ip->requesting &= (guint8)~REQUEST_ADDRESS;
    return ip->own != 0;
  }
  if (option->type == DNS1 || option->type == DNS2) {
    ip->requesting &= (guint8) ~(option->type == DNS1 ? REQUEST_DNS1 : REQUEST_DNS2);
    ip->dns[option->type == DNS1 ? 0 : 1] = 0;
  }
  return TRUE;
}

/* ---- the peer's ---- */

static void peer_begin(gpointer self) {
  Ipcp *ip = self;
  ip->peer = 0;
}

/** May the peer have an address that it chose itself? Not after the first negotiation. */
static gboolean may_choose(const Ipcp *ip, guint32 asked) {
  const AditNcpParams *params = ip->params;
  AditAddress address = adit_address_ipv4(asked);

  if (params->in_force || !is_host(asked) || asked == ip->own)
    return FALSE;
  if (params->client)
    return params->accept_remote4 || !adit_address_is_set(&params->remote4);
  return params->accept_remote4 && (!params->choose || params->choose(params->choose_user, &address));
}

static AditOptionVerdict peer_address(Ipcp *ip, guint32 asked, AditBuilder *nak) {
  guint32 assigned = assigned_to_peer(ip);

  if (asked && (asked == assigned || may_choose(ip, asked))) {
    ip->peer = asked;
    return ADIT_OPTION_ACK;
  }
  if (!assigned)
    return ADIT_OPTION_REJECT;
  put_address(nak, ADDRESS, assigned);
  return ADIT_OPTION_NAK;
}

static AditOptionVerdict peer_server(const AditPppOption *option, const AditAddress *ours, AditBuilder *nak) {
  guint32 address = adit_address_to_ipv4(ours);
  if (!address)
    return ADIT_OPTION_REJECT;
  if (value_of(option) == address)
    return ADIT_OPTION_ACK;
  put_address(nak, option->type, address);
  return ADIT_OPTION_NAK;
}

static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Ipcp *ip = self;
  if (option->length != 4)
    return ADIT_OPTION_REJECT;

  switch (option->type) {
  case ADDRESS:
    return peer_address(ip, value_of(option), nak);
  case DNS1:
    return peer_server(option, &ip->params->dns[0], nak);
  case DNS2:
    return peer_server(option, &ip->params->dns[1], nak);
  case WINS1:
    return peer_server(option, &ip->params->wins[0], nak);
  case WINS2:
    return peer_server(option, &ip->params->wins[1], nak);
  }
  return ADIT_OPTION_REJECT;
}

/** A peer that does not name its address is told to ask for the one it has been given. */
static void peer_end(gpointer self, AditBuilder *nak) {
  const Ipcp *ip = self;
  guint32 assigned = assigned_to_peer(ip);
  if (!ip->peer && assigned && !ip->params->client && !adit_built(nak))
    put_address(nak, ADDRESS, assigned);
}

/* ---- life ---- */

static void reset_ipcp(gpointer self) {
  Ipcp *ip = self;
  const AditNcpParams *params = ip->params;
  ip->own = adit_address_to_ipv4(params->in_force ? &params->in_force->local4 : &params->local4);
  ip->peer = 0;
  ip->dns[0] = ip->dns[1] = 0;
  ip->requesting = REQUEST_ADDRESS | (params->want_dns ? REQUEST_DNS1 | REQUEST_DNS2 : 0);
}

static void init_ipcp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Ipcp *ip = self;
  ip->params = params;
  reset_ipcp(ip);
}

static AditAddress as_address(guint32 value) {
  return value ? adit_address_ipv4(value) : (AditAddress){0};
}

static gboolean get_result(gpointer self, AditNcpResult *out, const char **why) {
  const Ipcp *ip = self;
  guint32 peer = ip->peer ? ip->peer : assigned_to_peer(ip);

  if (!ip->own && ip->params->client)
    *why = "the server assigned no address";
  else if (!peer && !ip->params->client)
    *why = "there is no address for the peer";
  else if (peer && peer == ip->own)
    *why = "both ends have the same address";
  else {
    out->local4 = as_address(ip->own);
    out->remote4 = as_address(peer);
    for (guint i = 0; i < 2; i++) {
      out->dns[i] = ip->params->client ? as_address(ip->dns[i]) : ip->params->dns[i];
      if (!ip->params->client)
        out->wins[i] = ip->params->wins[i];
    }
    return TRUE;
  }
  return FALSE;
}

static void save_ipcp(gconstpointer self, AditBuilder *out) {
  const Ipcp *ip = self;
  adit_put_u32(out, ip->own);
  adit_put_u32(out, ip->peer);
  adit_put_u32(out, ip->dns[0]);
  adit_put_u32(out, ip->dns[1]);
  adit_put_u8(out, ip->requesting);
}

static gboolean restore_ipcp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  Ipcp *ip = self;
  ip->params = params;
  ip->own = adit_get_u32(in);
  ip->peer = adit_get_u32(in);
  ip->dns[0] = adit_get_u32(in);
  ip->dns[1] = adit_get_u32(in);
  ip->requesting = adit_get_u8(in);
  return !in->bad;
}

static const AditPppOptionOps option_ops = {sizeof option_ops, write_request, peer_begin, peer_option,
                                            peer_end,          take_ack,      take_nak,   take_reject};

const AditNcpDesc ipcp_desc = {
    .size = sizeof(AditNcpDesc),
    .name = "ipcp",
    .protocol = ADIT_PPP_IPCP,
    .data_protocol = ADIT_PPP_IPV4,
    .kind = ADIT_NCP_NETWORK,
    .enable = adit_option_use_ipv4_key,
    .state_size = sizeof(Ipcp),
    .options = &option_ops,
    .init = init_ipcp,
    .result = get_result,
    .reset = reset_ipcp,
    .save = save_ipcp,
    .restore = restore_ipcp,
};
