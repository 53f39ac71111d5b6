/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * Ethernet frames in PPP (RFC 3518 4): pure functions of the octets and of what both ends agreed on. [any]
 *
 *     |F|I|Z|B| Pads  |    MAC Type   |  Ethernet frame  |  LAN FCS, 4 octets, if F  |  pads  |
 *
 * I is reserved (4.2). In RFC 1638 it meant a LAN ID: a system without that option discards such frames (RFC 1638 3.4).
 */
#pragma once

#include <adit/ether.h>
#include <adit/ppp.h>

#define BCP_BPDU 0x0201 /**< data protocol: an IEEE 802.1D BPDU in the form of RFC 1638, without MAC and LLC headers */

enum {
  BCP_FLAG_FCS = 0x80,     /**< the LAN FCS is there */
  BCP_FLAG_LAN_ID = 0x40,  /**< RFC 1638 alone: a LAN ID is there; zero in RFC 3518 */
  BCP_FLAG_ZEROS = 0x20,   /**< fill up to 60 octets with zeros (Tinygram) */
  BCP_FLAG_CONTROL = 0x10, /**< a frame between bridges (3.5) */
  BCP_FLAG_PADS = 0x0f,    /**< octets of padding at the end */
};

/** The frames that the peer accepts, and how its own are read: the parameters of the codec. */
typedef struct {
  gboolean tinygram;     /**< frames may lack their trailing zeros */
  gboolean tagged;       /**< IEEE 802.1Q tags */
  gboolean management;   /**< Management-Inline: frames between bridges as they are */
  gboolean indicator;    /**< the B flag */
  gboolean bpdu;         /**< IEEE 802.1D BPDUs may cross the link without MAC header, in both directions */
  guint8 bpdu_source[6]; /**< MAC address of the peer, for a BPDU without one */
} BcpForm;

/** Why a frame is dropped. */
typedef enum {
  BCP_PASS = 0,
  BCP_DROP_SHORT,   /**< no whole frame */
  BCP_DROP_MAC,     /**< a MAC type other than Ethernet */
  BCP_DROP_LAN,     /**< of a LAN ID, which is not negotiated */
  BCP_DROP_FCS,     /**< damaged */
  BCP_DROP_TAGGED,  /**< the peer takes no tagged frames */
  BCP_DROP_CONTROL, /**< the peer takes no such frame between bridges */
  BCP_DROP_PIECES,  /**< the frame is in too many pieces */
} BcpVerdict;

/** An Ethernet frame becomes the payload of a PPP frame, of ADIT_PPP_BRIDGE or BCP_BPDU. */
BcpVerdict bcp_frame_encode(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame);
/** And the other way. */
BcpVerdict bcp_frame_decode(const BcpForm *form, AditEtherIo *io, AditStageFrame *frame);

/** The same for a data path; its parameters are a BcpForm. */
extern const AditEtherOps bcp_codec;

/** The LAN FCS (IEEE 802.3 3.2.9) of a frame and `zeros` behind it; on the wire its least significant octet comes first. */
guint32 bcp_lan_fcs(const AditStageFrame *frame, guint zeros);
