/* SPDX-License-Identifier: MIT */
/**
 * adit/ether.h - how the Ethernet frames of a session's L2 port travel in PPP frames, such as BCP's (RFC 3518 4).
 *
 * A network control protocol of the kind ADIT_NCP_BRIDGE brings a codec (AditNcpDesc.ether): two pure functions of the octets and of the
 * parameters that it agreed on (AditNcpResult.ether_params). A data path calls them on its workers, so they take no lock, allocate
 * nothing and keep nothing. It knows no encapsulation itself:
 *
 * - L2 port -> encode() -> stages (adit/stage.h) -> links
 * - L2 port <- decode() <- stages <- links
 *
 * A codec that puts a flags octet before each frame:
 *
 *     static gboolean my_encode(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
 *       guint8 *head = io->room(io, 1);
 *       if (!head || !adit_stage_prepend(frame, head, 1))
 *         return FALSE;
 *       head[0] = 0;
 *       frame->protocol = 0x0031;
 *       return TRUE;
 *     }
 *
 *     static gboolean my_decode(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
 *       return adit_stage_skip(frame, 1);
 *     }
 *
 *     static const guint16 my_protocols[] = {0x0031};
 *     static const AditEtherOps my_codec = {.size = sizeof my_codec, .name = "mine", .protocols = my_protocols, .n_protocols = 1,
 *                                           .overhead = 1, .encode = my_encode, .decode = my_decode};
 */
#pragma once

#include <adit/stage.h>

G_BEGIN_DECLS

#define ADIT_ETHER_HEADER    14  /**< addresses and EtherType */
#define ADIT_ETHER_TAG       4   /**< of IEEE 802.1Q */
#define ADIT_ETHER_PROTOCOLS 8   /**< PPP protocols of a codec at most */
#define ADIT_ETHER_PARAMS    64  /**< octets of parameters */
#define ADIT_ETHER_ROOM      128 /**< octets of memory for one call of encode() or decode() at least, see room() */
#define ADIT_ETHER_REASONS   16  /**< reasons of a codec to drop a frame at most */

/** The context of a codec's call; the data path's. */
typedef struct AditEtherIo AditEtherIo;
struct AditEtherIo {
  gsize size;
  /** Allocates memory that lives as long as the frame. NULL: none is left; return FALSE then. */
  guint8 *(*room)(AditEtherIo *io, gsize length);
  guint reason; /**< the codec's, when it returns FALSE: an index of AditEtherOps.reasons. May be missing (ADIT_HAS). It is 0 before */
};

/** Constant. */
typedef struct {
  gsize size;
  const char *name;         /**< for messages */
  const guint16 *protocols; /**< PPP protocols (below 0x8000) with frames for decode() */
  guint n_protocols;
  guint16 overhead; /**< octets that encode() adds to an Ethernet frame at most, without the PPP protocol */
  /**
   * [worker] `frame` is an Ethernet frame from its destination address on, without FCS: it becomes the payload of a PPP frame, and
   * frame->protocol the PPP protocol. Its first slice holds the addresses, tags and EtherType, or all of it. `params` are the
   * ADIT_ETHER_PARAMS octets of the last result, aligned to 8. FALSE: it may not pass; it is counted as dropped.
   */
  gboolean (*encode)(gconstpointer params, AditEtherIo *io, AditStageFrame *frame);
  /** [worker] The other way: from the payload of a PPP frame of frame->protocol to an Ethernet frame of 14 octets at least, without FCS. */
  gboolean (*decode)(gconstpointer params, AditEtherIo *io, AditStageFrame *frame);
  /** Names of the reasons why frames are dropped, for `show session`, or NULL. The first one is also that of a data path which finds that a
   *  frame from decode() is too short. */
  const char *const *reasons;
  guint n_reasons; /**< up to ADIT_ETHER_REASONS */
} AditEtherOps;

/** Is the protocol one of the codec's? [any] */
static inline gboolean adit_ether_has_protocol(const AditEtherOps *ops, guint16 protocol) {
  for (guint i = 0; i < ops->n_protocols; i++)
    if (ops->protocols[i] == protocol)
      return TRUE;
  return FALSE;
}

/** Is the description whole, with protocols of data? [any] */
static inline gboolean adit_ether_is_complete(const AditEtherOps *ops) {
  if (!ADIT_HAS(ops, decode) || !ops->name || !ops->encode || !ops->decode || !ops->protocols || !ops->n_protocols ||
      ops->n_protocols > ADIT_ETHER_PROTOCOLS)
    return FALSE;
  for (guint i = 0; i < ops->n_protocols; i++)
    if (!ops->protocols[i] || ops->protocols[i] >= 0x8000)
      return FALSE;
  return TRUE;
}

G_END_DECLS
