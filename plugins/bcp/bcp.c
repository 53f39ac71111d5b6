/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bcp.h"
#include "options.h"
#include <adit/session-options.h>

#define MAC 6

enum { ENABLED = 1, DISABLED = 2 };             /* values of Tinygram-Compression and IEEE-802-Tagged-Frame */
enum { ETHERNET = 1 };                          /* of MAC-Support */
enum { NO_SPANNING_TREE = 0, IEEE_802_1D = 1 }; /* of Spanning-Tree-Protocol */
enum { MAC_NAKS_MAX = 3 };                      /* Naks of an address that we announced, until it is not announced */

#define BIT(type) (1u << (type))
#define DEFAULTS                                                                                                                           \
  (BIT(BCP_MAC_SUPPORT) | BIT(BCP_TINYGRAM) | BIT(BCP_MAC_ADDRESS) | BIT(BCP_TAGGED_FRAME) | BIT(BCP_MANAGEMENT_INLINE) |                  \
   BIT(BCP_CONTROL_INDICATOR))

/** One side's words: ours as we ask for them, the peer's as it asked last. */
typedef struct {
  guint16 options;        /* BIT() of those that are there */
  guint16 identification; /* Bridge- or Line- */
  guint8 tinygram, tagged, spanning_tree;
  gboolean ethernet; /* of the MAC types there is Ethernet */
  guint8 mac[MAC];
} Words;

typedef struct {
  const AditNcpParams *params;
  const AditEngineEnv *env;
  Words own, peer;
  guint8 offer[MAC]; /* to a peer without an address: always the same, so that it can agree */
  guint8 mac_naks;
} Bcp;

static gboolean is_zero_mac(const guint8 *mac) {
  static const guint8 zero[MAC];
  return memcmp(mac, zero, MAC) == 0;
}

/** A station's: neither zero nor a group's. */
static gboolean is_station_mac(const guint8 *mac) {
  return !is_zero_mac(mac) && !(mac[0] & 1);
}

static gboolean has_option(const Words *words, BcpOptionType type) {
  return (words->options & BIT(type)) != 0;
}

static void set_option(Words *words, BcpOptionType type) {
  words->options |= (guint16)BIT(type);
}

static void clear_option(Words *words, BcpOptionType type) {
  words->options &= (guint16)~BIT(type);
}

static guint16 read_number(const guint8 *data) {
  return (guint16)(data[0] << 8 | data[1]);
}

/** How long an option's data is; -1 = any other. */
static int length_of_option(guint8 type) {
  switch (type) {
  case BCP_BRIDGE_IDENTIFICATION:
  case BCP_LINE_IDENTIFICATION:
    return 2;
  case BCP_MAC_SUPPORT:
  case BCP_TINYGRAM:
  case BCP_TAGGED_FRAME:
    return 1;
  case BCP_MAC_ADDRESS:
    return MAC;
  case BCP_MANAGEMENT_INLINE:
  case BCP_CONTROL_INDICATOR:
    return 0;
  }
  return -1;
}

/** Locally administered, a station's, and not ours. */
static void choose_mac(const Bcp *bcp, guint8 mac[MAC]) {
  adit_env_random(bcp->env, mac, MAC);
  mac[0] = (guint8)((mac[0] & ~1) | 2);
  if (memcmp(mac, bcp->own.mac, MAC) == 0)
    mac[MAC - 1] ^= 1;
}

/* ---- ours ---- */

static void put_octet(AditBuilder *out, BcpOptionType type, guint8 value) {
  adit_ppp_put_option(out, (guint8)type, &value, 1);
}

static void put_identification(AditBuilder *out, BcpOptionType type, guint16 value) {
  const guint8 data[2] = {(guint8)(value >> 8), (guint8)value};
  adit_ppp_put_option(out, (guint8)type, data, sizeof data);
}

static void write_request(gpointer self, AditBuilder *out) {
  const Words *own = &((const Bcp *)self)->own;
  for (guint type = BCP_BRIDGE_IDENTIFICATION; type <= BCP_CONTROL_INDICATOR; type++) {
    if (!has_option(own, type))
      continue;
    switch ((BcpOptionType)type) {
    case BCP_BRIDGE_IDENTIFICATION:
    case BCP_LINE_IDENTIFICATION:
      put_identification(out, type, own->identification);
      break;
    case BCP_MAC_SUPPORT:
      put_octet(out, type, ETHERNET);
      break;
    case BCP_TINYGRAM:
      put_octet(out, type, own->tinygram);
      break;
    case BCP_MAC_ADDRESS:
      adit_ppp_put_option(out, type, own->mac, MAC);
      break;
    case BCP_SPANNING_TREE:
      put_octet(out, type, own->spanning_tree);
      break;
    case BCP_TAGGED_FRAME:
      put_octet(out, type, own->tagged);
      break;
    case BCP_MANAGEMENT_INLINE:
    case BCP_CONTROL_INDICATOR:
      adit_ppp_put_option(out, type, NULL, 0);
      break;
    }
  }
}

static void take_ack(gpointer self) {}

/** Of two that must be equal the higher one wins (RFC 3518 5.1, 5.2). */
static void take_identification(Words *own, BcpOptionType type, guint16 value) {
  gboolean higher =
      type == BCP_BRIDGE_IDENTIFICATION ? (value & 0x0f) > (own->identification & 0x0f) : value >> 4 > own->identification >> 4;
  if (higher && type == BCP_BRIDGE_IDENTIFICATION)
    own->identification = (guint16)((own->identification & 0xfff0) | (value & 0x0f));
  else if (higher)
    own->identification = (guint16)((value & 0xfff0) | (own->identification & 0x0f));
}

/** RFC 3518 5.5: a Nak of an address that we announced is ignored; of one that we asked for it is the answer. */
static void take_mac(Bcp *bcp, const guint8 *mac) {
  if (is_zero_mac(bcp->own.mac) && is_station_mac(mac))
    memcpy(bcp->own.mac, mac, MAC);
  else if (++bcp->mac_naks >= MAC_NAKS_MAX)
    clear_option(&bcp->own, BCP_MAC_ADDRESS);
}

/** The lower number counts (RFC 3518 5.6): none of ours but 802.1D, or nothing. */
static void take_spanning_tree(Words *own, const AditPppOption *option) {
  own->spanning_tree = option->length == 1 && option->data[0] == IEEE_802_1D ? IEEE_802_1D : NO_SPANNING_TREE;
}

/** A peer without Management-Inline is one of RFC 1638 (RFC 3518 5.8): spanning tree is agreed on in its way. FALSE: nothing goes without
 * the option. */
static gboolean give_up_option(Words *own, BcpOptionType type) {
  clear_option(own, type);
  if (type == BCP_MANAGEMENT_INLINE)
    set_option(own, BCP_SPANNING_TREE);
  if (type == BCP_SPANNING_TREE) /* it has none (4.1.4): no BPDU crosses the link */
    own->spanning_tree = NO_SPANNING_TREE;
  return type != BCP_BRIDGE_IDENTIFICATION && type != BCP_LINE_IDENTIFICATION;
}

static void take_value(Bcp *bcp, const AditPppOption *option) {
  Words *own = &bcp->own;
  switch ((BcpOptionType)option->type) {
  case BCP_BRIDGE_IDENTIFICATION:
  case BCP_LINE_IDENTIFICATION:
    take_identification(own, option->type, read_number(option->data));
    break;
  case BCP_MAC_ADDRESS:
    take_mac(bcp, option->data);
    break;
  case BCP_TINYGRAM:
    own->tinygram = option->data[0] == DISABLED ? DISABLED : own->tinygram;
    break;
  case BCP_TAGGED_FRAME:
    own->tagged = option->data[0] == DISABLED ? DISABLED : own->tagged;
    break;
  case BCP_SPANNING_TREE:
    break;
  case BCP_MAC_SUPPORT: /* these have no other value: a peer that naks them does not want them */
  case BCP_MANAGEMENT_INLINE:
  case BCP_CONTROL_INDICATOR:
    give_up_option(own, option->type);
    break;
  }
}

static void take_nak(gpointer self, const AditPppOption *option) {
  Bcp *bcp = self;
  if (option->type > BCP_CONTROL_INDICATOR || !has_option(&bcp->own, option->type))
    return;
  if (option->type == BCP_SPANNING_TREE)
    take_spanning_tree(&bcp->own, option);
  else if (option->length == length_of_option(option->type))
    take_value(bcp, option);
}

static gboolean take_reject(gpointer self, const AditPppOption *option) {
  Words *own = &((Bcp *)self)->own;
  return option->type > BCP_CONTROL_INDICATOR || !has_option(own, option->type) || give_up_option(own, option->type);
}

/* ---- the peer's ---- */

static void peer_begin(gpointer self) {
  Words *peer = &((Bcp *)self)->peer;
  memset(peer, 0, sizeof *peer);
}

static AditOptionVerdict peer_identification(Bcp *bcp, BcpOptionType type, guint16 value, AditBuilder *nak) {
  guint16 own = bcp->own.identification;
  gboolean lower = type == BCP_BRIDGE_IDENTIFICATION ? (value & 0x0f) < (own & 0x0f) : value >> 4 < own >> 4;
  if (!has_option(&bcp->own, type))
    return ADIT_OPTION_REJECT;
  bcp->peer.identification = value;
  if (!lower)
    return ADIT_OPTION_ACK;
  put_identification(nak, type,
                     type == BCP_BRIDGE_IDENTIFICATION ? (guint16)((value & 0xfff0) | (own & 0x0f))
                                                       : (guint16)((own & 0xfff0) | (value & 0x0f)));
  return ADIT_OPTION_NAK;
}

/** It announces its address, or asks for one with zeros. A Nak of an announced one would be ignored (RFC 3518 5.5). */
static AditOptionVerdict peer_mac(Bcp *bcp, const guint8 *mac, AditBuilder *nak) {
  if (is_zero_mac(mac)) {
    if (is_zero_mac(bcp->offer))
      choose_mac(bcp, bcp->offer);
    adit_ppp_put_option(nak, BCP_MAC_ADDRESS, bcp->offer, MAC);
    return ADIT_OPTION_NAK;
  }
  if (!is_station_mac(mac) || memcmp(mac, bcp->own.mac, MAC) == 0)
    return ADIT_OPTION_REJECT;
  memcpy(bcp->peer.mac, mac, MAC);
  return ADIT_OPTION_ACK;
}

/** The lower-numbered side suggests its own protocol: ours is 802.1D, and of a list that is compared as one number nothing but none is
 * lower. */
static AditOptionVerdict peer_spanning_tree(Words *peer, const AditPppOption *option, AditBuilder *nak) {
  if (option->length == 1 && option->data[0] <= IEEE_802_1D) {
    peer->spanning_tree = option->data[0];
    return ADIT_OPTION_ACK;
  }
  put_octet(nak, BCP_SPANNING_TREE, IEEE_802_1D);
  return ADIT_OPTION_NAK;
}

static AditOptionVerdict peer_switch(guint8 *to, guint8 value) {
  if (value != ENABLED && value != DISABLED)
    return ADIT_OPTION_REJECT;
  *to = value;
  return ADIT_OPTION_ACK;
}

static AditOptionVerdict judge_option(Bcp *bcp, const AditPppOption *option, AditBuilder *nak) {
  switch ((BcpOptionType)option->type) {
  case BCP_BRIDGE_IDENTIFICATION:
  case BCP_LINE_IDENTIFICATION:
    return peer_identification(bcp, option->type, read_number(option->data), nak);
  case BCP_MAC_SUPPORT: /* one option for each type, and only advice */
    bcp->peer.ethernet = bcp->peer.ethernet || option->data[0] == ETHERNET;
    return ADIT_OPTION_ACK;
  case BCP_TINYGRAM:
    return peer_switch(&bcp->peer.tinygram, option->data[0]);
  case BCP_MAC_ADDRESS:
    return peer_mac(bcp, option->data, nak);
  case BCP_SPANNING_TREE:
    return peer_spanning_tree(&bcp->peer, option, nak);
  case BCP_TAGGED_FRAME:
    return peer_switch(&bcp->peer.tagged, option->data[0]);
  case BCP_MANAGEMENT_INLINE:
  case BCP_CONTROL_INDICATOR:
    return ADIT_OPTION_ACK;
  }
  return ADIT_OPTION_REJECT;
}

static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Bcp *bcp = self;
  if (option->type != BCP_SPANNING_TREE && option->length != length_of_option(option->type))
    return ADIT_OPTION_REJECT;
  AditOptionVerdict verdict = judge_option(bcp, option, nak);
  if (verdict == ADIT_OPTION_ACK)
    set_option(&bcp->peer, option->type);
  return verdict;
}

static void peer_end(gpointer self, AditBuilder *nak) {}

/* ---- life ---- */

static guint16 read_identification(const AditValue *octets) {
  gsize length = 0;
  const guint8 *data = octets && octets->type == ADIT_VALUE_OCTETS ? g_bytes_get_data(octets->as.octets, &length) : NULL;
  return length == 2 ? read_number(data) : 0;
}

/** Addresses stay what they were, so that a renegotiation agrees on the same. */
static void reset_bcp(gpointer self) {
  Bcp *bcp = self;
  Words *own = &bcp->own;
  const AditValue *attributes = bcp->params->attributes;
  guint16 bridge = read_identification(bcp_option_bridge_identification(attributes)),
          line = read_identification(bcp_option_line_identification(attributes));

  memset(&bcp->peer, 0, sizeof bcp->peer);
  bcp->mac_naks = 0;
  own->options = DEFAULTS;
  own->tinygram = own->tagged = ENABLED;
  own->spanning_tree = IEEE_802_1D;
  own->identification = bridge ? bridge : line;
  if (own->identification)
    set_option(own, bridge ? BCP_BRIDGE_IDENTIFICATION : BCP_LINE_IDENTIFICATION);
  if (!is_zero_mac(bcp->params->local_mac))
    memcpy(own->mac, bcp->params->local_mac, MAC);
  if (is_zero_mac(own->mac) && !bcp->params->client)
    clear_option(own, BCP_MAC_ADDRESS); /* a server does not ask for one */
}

static void init_bcp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Bcp *bcp = self;
  bcp->params = params;
  bcp->env = env;
  reset_bcp(bcp);
}

/** MPPE does not encrypt BPDUs of the old form (RFC 3078 4), so where encryption is required they would be lost in both directions. */
static gboolean must_encrypt(const Bcp *bcp) {
  return g_strcmp0(adit_option_use_encryption(bcp->params->attributes), "required") == 0 ||
         g_strcmp0(adit_option_mppe_policy(bcp->params->attributes), "required") == 0;
}

static void describe_form(const Bcp *bcp, BcpForm *out) {
  const Words *own = &bcp->own, *peer = &bcp->peer;
  gboolean none =
      (has_option(peer, BCP_SPANNING_TREE) && peer->spanning_tree == NO_SPANNING_TREE) || own->spanning_tree == NO_SPANNING_TREE;
  memset(out, 0, sizeof *out);
  *out = (BcpForm){.tinygram = peer->tinygram == ENABLED,
                   .tagged = peer->tagged == ENABLED,
                   .management = has_option(peer, BCP_MANAGEMENT_INLINE) || (must_encrypt(bcp) && !none),
                   .indicator = has_option(peer, BCP_CONTROL_INDICATOR),
                   .bpdu = !none};
  memcpy(out->bpdu_source, is_zero_mac(peer->mac) ? bcp->offer : peer->mac, MAC);
}

/** Both ends must agree on a number that they share. */
static gboolean agrees_on_identification(const Bcp *bcp) {
  guint16 own = bcp->own.identification, peer = bcp->peer.identification;
  if (has_option(&bcp->peer, BCP_BRIDGE_IDENTIFICATION) && has_option(&bcp->own, BCP_BRIDGE_IDENTIFICATION))
    return (own & 0x0f) == (peer & 0x0f);
  if (has_option(&bcp->peer, BCP_LINE_IDENTIFICATION) && has_option(&bcp->own, BCP_LINE_IDENTIFICATION))
    return own >> 4 == peer >> 4;
  return TRUE;
}

static gboolean get_result(gpointer self, AditNcpResult *out, const char **why) {
  Bcp *bcp = self;
  BcpForm form;
  if (has_option(&bcp->peer, BCP_MAC_SUPPORT) && !bcp->peer.ethernet) {
    *why = "the peer bridges no Ethernet";
    return FALSE;
  }
  if (!agrees_on_identification(bcp)) {
    *why = "the numbers of source routing differ";
    return FALSE;
  }
  if (is_zero_mac(bcp->peer.mac) && is_zero_mac(bcp->offer))
    choose_mac(bcp, bcp->offer); /* its BPDUs have none */
  memcpy(out->local_mac, bcp->own.mac, MAC);
  memcpy(out->remote_mac, bcp->peer.mac, MAC);
  if (bcp->params->bridge)
    g_strlcpy(out->bridge, bcp->params->bridge, sizeof out->bridge);
  describe_form(bcp, &form);
  memcpy(out->ether_params, &form, sizeof form);
  return TRUE;
}

static void show_mac(AditValue *map, const char *key, const guint8 *mac) {
  if (is_zero_mac(mac))
    return;
  g_autofree char *text = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  adit_value_set(map, key, adit_value_string(text));
}

/** The options that the peer gets. */
static AditValue *describe_bcp(gconstpointer self) {
  const Bcp *bcp = self;
  AditValue *map = adit_value_map();
  BcpForm form;

  describe_form(bcp, &form);
  if (bcp->params->bridge)
    adit_value_set(map, "bridge", adit_value_string(bcp->params->bridge));
  show_mac(map, "local-mac", bcp->own.mac);
  show_mac(map, "remote-mac", bcp->peer.mac);
  adit_value_set(map, "tinygram-compression", adit_value_bool(form.tinygram));
  adit_value_set(map, "tagged-frames", adit_value_bool(form.tagged));
  adit_value_set(map, "spanning-tree", adit_value_string(form.management ? "inline" : form.bpdu ? "old-form" : "none"));
  return map;
}

static void save_words(const Words *words, AditBuilder *out) {
  adit_put_u16(out, words->options);
  adit_put_u16(out, words->identification);
  adit_put_u8(out, words->tinygram);
  adit_put_u8(out, words->tagged);
  adit_put_u8(out, words->spanning_tree);
  adit_put_u8(out, words->ethernet ? 1 : 0);
  adit_put_bytes(out, words->mac, MAC);
}

static void restore_words(Words *words, AditCursor *in) {
  words->options = adit_get_u16(in);
  words->identification = adit_get_u16(in);
  words->tinygram = adit_get_u8(in);
  words->tagged = adit_get_u8(in);
  words->spanning_tree = adit_get_u8(in);
  words->ethernet = adit_get_u8(in) != 0;
  adit_get_copy(in, words->mac, MAC);
}

static void save_bcp(gconstpointer self, AditBuilder *out) {
  const Bcp *bcp = self;
  save_words(&bcp->own, out);
  save_words(&bcp->peer, out);
  adit_put_bytes(out, bcp->offer, MAC);
  adit_put_u8(out, bcp->mac_naks);
}

static gboolean restore_bcp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  Bcp *bcp = self;
  bcp->params = params;
  bcp->env = env;
  restore_words(&bcp->own, in);
  restore_words(&bcp->peer, in);
  adit_get_copy(in, bcp->offer, MAC);
  bcp->mac_naks = adit_get_u8(in);
  return !in->bad;
}

static const AditPppOptionOps option_ops = {sizeof option_ops, write_request, peer_begin, peer_option,
                                            peer_end,          take_ack,      take_nak,   take_reject};

const AditNcpDesc bcp_desc = {
    .size = sizeof(AditNcpDesc),
    .name = "bcp",
    .protocol = ADIT_PPP_BCP,
    .data_protocol = ADIT_PPP_BRIDGE,
    .kind = ADIT_NCP_BRIDGE,
    .state_size = sizeof(Bcp),
    .options = &option_ops,
    .init = init_bcp,
    .result = get_result,
    .reset = reset_bcp,
    .save = save_bcp,
    .restore = restore_bcp,
    .ether = &bcp_codec,
    .describe = describe_bcp,
};
