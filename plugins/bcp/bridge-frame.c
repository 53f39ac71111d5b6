/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bridge-frame.h"

G_STATIC_ASSERT(sizeof(BcpForm) <= ADIT_ETHER_PARAMS);

enum { MAC_ETHERNET = 1, LAN_FCS = 4, HEADER = 2, ADDRESSES = 12, LLC = 3, LEAST = 60, LENGTH_MAX = 1500, BPDU_LEAST = 4 };
enum { BRIDGE_MANAGEMENT = 0x10 }; /* last octet of the Bridge Management Group Address */
enum { TYPE_TAG = 0x8100, TYPE_SERVICE_TAG = 0x88a8 };

static const guint8 bridge_group[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};
static const guint8 bridge_llc[LLC] = {0x42, 0x42, 0x03};

static guint32 add_octet(guint32 fcs, guint8 octet) {
  static const guint32 nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                     0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  fcs ^= octet;
  fcs = fcs >> 4 ^ nibble[fcs & 15];
  return fcs >> 4 ^ nibble[fcs & 15];
}

guint32 bcp_lan_fcs(const AditStageFrame *frame, guint zeros) {
  guint32 fcs = 0xffffffff;
  for (guint i = 0; i < frame->n; i++)
    for (guint32 k = 0; k < frame->slice[i].length; k++)
      fcs = add_octet(fcs, frame->slice[i].data[k]);
  while (zeros--)
    fcs = add_octet(fcs, 0);
  return ~fcs;
}

static guint16 read_u16(const guint8 *at) {
  return (guint16)(at[0] << 8 | at[1]);
}

static BcpVerdict prepend_octets(AditEtherIo *io, AditStageFrame *frame, const guint8 *octets, guint32 length) {
  guint8 *head = io->room(io, length);
  if (!head || !adit_stage_prepend(frame, head, length))
    return BCP_DROP_PIECES;
  memcpy(head, octets, length);
  return BCP_PASS;
}

/** Fills up to the least length of an Ethernet frame. */
static BcpVerdict append_zeros(AditEtherIo *io, AditStageFrame *frame) {
  if (frame->length >= LEAST)
    return BCP_PASS;
  guint32 missing = LEAST - frame->length;
  guint8 *tail = io->room(io, missing);
  if (!tail || !adit_stage_append(frame, tail, missing))
    return BCP_DROP_PIECES;
  memset(tail, 0, missing);
  return BCP_PASS;
}

/* ---- to the peer ---- */

/** The addresses of RFC 3518 4.4, and the blocks that IEEE 802.1D reserves around them: 00 to 0f, which no bridge forwards, and 20 to 2f,
 * of GARP. */
static gboolean is_between_bridges(const guint8 *head) {
  if (memcmp(head, bridge_group, 5) != 0)
    return FALSE;
  return head[5] == BRIDGE_MANAGEMENT || (head[5] & 0xf0) == 0x00 || (head[5] & 0xf0) == 0x20;
}

static gboolean is_tagged(const guint8 *head) {
  return read_u16(head + ADDRESSES) == TYPE_TAG || read_u16(head + ADDRESSES) == TYPE_SERVICE_TAG;
}

/** Takes the BPDU out of its frame: the form of RFC 1638 (RFC 3518 appendix A), for a peer that knows no other. */
static BcpVerdict encode_bpdu(const BcpForm *form, const guint8 *head, AditStageFrame *frame) {
  guint32 said = read_u16(head + ADDRESSES);
  if (!form->bpdu || head[5] != bridge_group[5] || said > LENGTH_MAX || memcmp(head + ADIT_ETHER_HEADER, bridge_llc, LLC) != 0)
    return BCP_DROP_CONTROL;
  if (said < LLC + BPDU_LEAST || ADIT_ETHER_HEADER + said > frame->length)
    return BCP_DROP_SHORT;
  adit_stage_skip(frame, ADIT_ETHER_HEADER + LLC);
  adit_stage_cut_end(frame, said - LLC);
  frame->protocol = BCP_BPDU;
  return BCP_PASS;
}

/** A priority tag names no VLAN: the frame is the same one without it, for a peer that takes no tags. */
static BcpVerdict strip_tag(const guint8 *head, AditEtherIo *io, AditStageFrame *frame) {
  gboolean of_vlan = (head[ADIT_ETHER_HEADER] & 0x0f) || head[ADIT_ETHER_HEADER + 1];
  if (read_u16(head + ADDRESSES) != TYPE_TAG || of_vlan)
    return BCP_DROP_TAGGED;
  if (frame->length < ADIT_ETHER_HEADER + ADIT_ETHER_TAG)
    return BCP_DROP_SHORT;
  adit_stage_skip(frame, ADDRESSES + ADIT_ETHER_TAG);
  return prepend_octets(io, frame, head, ADDRESSES);
}

/** RFC 3518 3.3 and appendix B: takes zeros off the end, but none off the MAC header. TRUE if some are missing then. */
static gboolean compress_tinygram(AditStageFrame *frame, guint32 header) {
  guint8 octets[LEAST];
  guint32 length = frame->length;
  if (length > LEAST)
    return FALSE;
  adit_stage_copy(frame, 0, octets, length);
  while (length > header && octets[length - 1] == 0)
    length--;
  adit_stage_cut_end(frame, length);
  return length < LEAST;
}

BcpVerdict bcp_frame_encode(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame) {
  guint8 head[ADIT_ETHER_HEADER + ADIT_ETHER_TAG] = {0}, flags[HEADER] = {0, MAC_ETHERNET};
  BcpVerdict verdict = BCP_PASS;

  if (adit_stage_copy(frame, 0, head, sizeof head) < ADIT_ETHER_HEADER)
    return BCP_DROP_SHORT;
  gboolean control = is_between_bridges(head), tagged = is_tagged(head);
  if (control && !form->management)
    return encode_bpdu(form, head, frame);
  if (tagged && !form->tagged) {
    verdict = strip_tag(head, io, frame);
    tagged = FALSE;
  }
  if (verdict == BCP_PASS && !form->tinygram)
    verdict = append_zeros(io, frame);
  if (verdict != BCP_PASS)
    return verdict;
  if (form->tinygram && compress_tinygram(frame, ADIT_ETHER_HEADER + (tagged ? ADIT_ETHER_TAG : 0)))
    flags[0] |= BCP_FLAG_ZEROS;
  if (control && form->indicator)
    flags[0] |= BCP_FLAG_CONTROL;
  frame->protocol = ADIT_PPP_BRIDGE;
  return prepend_octets(io, frame, flags, sizeof flags);
}

/* ---- from the peer ---- */

static BcpVerdict decode_bpdu(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame) {
  guint8 octets[ADIT_ETHER_HEADER + LLC];
  AditBuilder head = adit_builder(octets, sizeof octets);

  if (!form->bpdu)
    return BCP_DROP_CONTROL;
  if (frame->length < BPDU_LEAST || frame->length > LENGTH_MAX - LLC)
    return BCP_DROP_SHORT;
  adit_put_bytes(&head, bridge_group, sizeof bridge_group);
  adit_put_bytes(&head, form->bpdu_source, sizeof form->bpdu_source);
  adit_put_u16(&head, (guint16)(frame->length + LLC));
  adit_put_bytes(&head, bridge_llc, LLC);
  BcpVerdict verdict = prepend_octets(io, frame, octets, sizeof octets);
  return verdict == BCP_PASS ? append_zeros(io, frame) : verdict;
}

/** Takes the LAN FCS off, which counts the zeros that are missing. */
static BcpVerdict check_lan_fcs(AditStageFrame *frame, gboolean zeros) {
  guint8 octets[LAN_FCS];

  if (frame->length < ADIT_ETHER_HEADER + LAN_FCS)
    return BCP_DROP_SHORT;
  adit_stage_copy(frame, frame->length - LAN_FCS, octets, LAN_FCS);
  adit_stage_cut_end(frame, frame->length - LAN_FCS);
  guint32 said = (guint32)octets[3] << 24 | (guint32)octets[2] << 16 | (guint32)octets[1] << 8 | octets[0];
  return bcp_lan_fcs(frame, zeros && frame->length < LEAST ? LEAST - frame->length : 0) == said ? BCP_PASS : BCP_DROP_FCS;
}

/** Takes off what is before the Ethernet frame, and the padding behind it. */
static BcpVerdict strip_bridge_header(AditStageFrame *frame, guint8 *flags) {
  guint8 head[HEADER] = {0};

  adit_stage_copy(frame, 0, head, sizeof head);
  *flags = head[0];
  guint32 pads = head[0] & BCP_FLAG_PADS;
  if (frame->length < HEADER + pads)
    return BCP_DROP_SHORT;
  if (head[1] != MAC_ETHERNET)
    return BCP_DROP_MAC;
  if (head[0] & BCP_FLAG_LAN_ID)
    return BCP_DROP_LAN;
  adit_stage_cut_end(frame, frame->length - pads);
  adit_stage_skip(frame, HEADER);
  return BCP_PASS;
}

BcpVerdict bcp_frame_decode(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame) {
  guint8 flags;

  if (frame->protocol == BCP_BPDU)
    return decode_bpdu(form, io, frame);
  BcpVerdict verdict = strip_bridge_header(frame, &flags);
  if (verdict == BCP_PASS && flags & BCP_FLAG_FCS)
    verdict = check_lan_fcs(frame, flags & BCP_FLAG_ZEROS);
  if (verdict == BCP_PASS && frame->length < ADIT_ETHER_HEADER)
    verdict = BCP_DROP_SHORT;
  return verdict == BCP_PASS && flags & BCP_FLAG_ZEROS ? append_zeros(io, frame) : verdict;
}

/* ---- for a data path ---- */

static gboolean report_verdict(AditEtherIo *io, BcpVerdict verdict) {
  if (verdict != BCP_PASS && ADIT_HAS(io, reason))
    io->reason = verdict;
  return verdict == BCP_PASS;
}

static gboolean encode_for_data_path(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
  return report_verdict(io, bcp_frame_encode(params, io, frame));
}

static gboolean decode_for_data_path(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
  return report_verdict(io, bcp_frame_decode(params, io, frame));
}

static const char *const reasons[] = {[BCP_PASS] = "other",
                                      [BCP_DROP_SHORT] = "too-short",
                                      [BCP_DROP_MAC] = "mac-type",
                                      [BCP_DROP_LAN] = "lan-id",
                                      [BCP_DROP_FCS] = "fcs",
                                      [BCP_DROP_TAGGED] = "tagged",
                                      [BCP_DROP_CONTROL] = "bridge-control",
                                      [BCP_DROP_PIECES] = "pieces"};
G_STATIC_ASSERT(G_N_ELEMENTS(reasons) <= ADIT_ETHER_REASONS);

static const guint16 protocols[] = {ADIT_PPP_BRIDGE, BCP_BPDU};
const AditEtherOps bcp_codec = {.size = sizeof bcp_codec,
                                .name = "bcp",
                                .protocols = protocols,
                                .n_protocols = G_N_ELEMENTS(protocols),
                                .overhead = HEADER,
                                .encode = encode_for_data_path,
                                .decode = decode_for_data_path,
                                .reasons = reasons,
                                .n_reasons = G_N_ELEMENTS(reasons)};
