/* SPDX-License-Identifier: MIT */
/**
 * adit/encap.h - how encapsulations are laid out, for data paths that run them in user space. [any]
 *
 * A layout writes a header once for each link, as octets with places in them for what differs from frame to frame; the data
 * path copies it before each frame and fills the places. The transport classifies received datagrams (AditClassify); the layout's open()
 * checks and strips fields that differ by link, such as a cookie. Nothing else knows where a field is.
 *
 * A transport with an encapsulation that is not here brings its own layout:
 *
 *     static gboolean gtp_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) { ... }
 *     static const AditEncapLayout gtp = {.size = sizeof gtp, .name = "gtp-u", .header = gtp_header};
 *     ...
 *     AditEncap encap = {.layout = &gtp, .local_session = teid, ...};
 */
#pragma once

#include <adit/cursor.h>
#include <adit/path.h>

G_BEGIN_DECLS

#define ADIT_ENCAP_HEADER_MAX 32 /**< longest header of a data message, in front of the PPP frame */
#define ADIT_ENCAP_STEERS 4

/** The header of a link's data messages. */
typedef struct {
  guint8 octets[ADIT_ENCAP_HEADER_MAX];
  guint8 length;
  gboolean has_length;     /**< two octets at length_at: of header and payload together */
  guint8 length_at;
  guint8 sequence_octets;  /**< 0 = frames have no number */
  guint8 sequence_at;
} AditEncapHeader;

/** The place of the ids in a data message with this value of the masked first octet. */
typedef struct {
  guint8 mask, value;
  guint8 octets;           /**< of each id: 2 or 4 */
  guint8 session_at;
  guint8 tunnel_at;        /**< 0 = it has no tunnel id */
} AditEncapSteer;

struct AditEncapLayout {
  gsize size;
  const char *name;        /**< "l2tpv2-udp": for messages */
  guint8 sequence_bits;    /**< frame numbers wrap at so many bits, up to 32; 0 = they have none */
  /** Fills `out` for the link; its octets are zero before. FALSE if `encap` makes no sense. */
  gboolean (*header)(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out);
  /** [worker] Pure. Checks and removes the fields of a data message with values that differ by link, such as a cookie: advances `c->offset`,
   *  reduces `length`, and may set the sequence number. Returns FALSE to drop the message. NULL = there are no such fields. */
  gboolean (*open)(const AditEncap *encap, const guint8 *datagram, AditClassified *c);
  /** A data message that none of these describes is not steered: control, for one. */
  guint8 n_steer;
  AditEncapSteer steer[ADIT_ENCAP_STEERS];
};

/* ---- L2TPv2 over UDP: RFC 2661 3.1 ---- */

static inline gboolean adit_encap_l2tpv2_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) {
  AditBuilder b = adit_builder(out->octets, sizeof out->octets);
  if ((encap->peer_tunnel | encap->peer_session) > G_MAXUINT16)
    return FALSE;
  adit_put_u16(&b, (guint16)((encap->length_bit ? 0x4000 : 0) | (sequenced ? 0x0800 : 0) | 2));
  out->has_length = encap->length_bit;
  out->length_at = (guint8)adit_built(&b);
  if (encap->length_bit)
    adit_put_u16(&b, 0);
  adit_put_u16(&b, (guint16)encap->peer_tunnel);
  adit_put_u16(&b, (guint16)encap->peer_session);
  if (sequenced) {
    out->sequence_at = (guint8)adit_built(&b);
    out->sequence_octets = 2;
    adit_put_u32(&b, 0); /* Ns; Nr is reserved in data messages */
  }
  out->length = (guint8)adit_built(&b);
  return TRUE;
}

/* ---- all of them ---- */

/** The layout of an encapsulation; NULL for a kind that has none here. */
static inline const AditEncapLayout *adit_encap_layout(const AditEncap *encap) {
  static const AditEncapLayout l2tpv2_udp = {sizeof(AditEncapLayout), "l2tpv2-udp", 16, adit_encap_l2tpv2_header, NULL, 2,
                                             {{0xc0, 0x00, 2, 4, 2}, {0xc0, 0x40, 2, 6, 4}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}}};
  if (encap->layout)
    return encap->layout;
  switch (encap->kind) {
  case ADIT_ENCAP_L2TPV2_UDP:
    return &l2tpv2_udp;
  case ADIT_ENCAP_NULL:
  case ADIT_ENCAP_L2TPV3_UDP:
  case ADIT_ENCAP_L2TPV3_IP:
  case ADIT_ENCAP_PPPOE:
    break;
  }
  return NULL;
}

/** The header of the link's data messages. FALSE, and an empty one, if the encapsulation has no layout or makes no sense. */
static inline gboolean adit_encap_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) {
  const AditEncapLayout *layout = adit_encap_layout(encap);
  memset(out, 0, sizeof *out);
  if (!layout || !layout->header)
    return FALSE;
  if (layout->header(encap, sequenced, out) && out->length <= ADIT_ENCAP_HEADER_MAX && out->sequence_octets <= 4 &&
      (!out->has_length || out->length_at + 2 <= out->length) && out->sequence_at + out->sequence_octets <= out->length)
    return TRUE;
  memset(out, 0, sizeof *out);
  return FALSE;
}

/** Can a data path that runs layouts carry it? Its headers fit, with numbers and without. */
static inline gboolean adit_encap_is_carried(const AditEncap *encap) {
  AditEncapHeader header;
  const AditEncapLayout *layout = adit_encap_layout(encap);
  return layout && layout->size >= sizeof *layout && layout->sequence_bits <= 32 && layout->n_steer <= ADIT_ENCAP_STEERS &&
         adit_encap_header(encap, FALSE, &header) && (!layout->sequence_bits || adit_encap_header(encap, TRUE, &header));
}

/** Fills the places of a copy of `header` at `at`, in front of `payload` octets. */
static inline void adit_encap_fill(const AditEncapHeader *header, guint8 *at, gsize payload, guint32 sequence) {
  if (header->has_length) {
    gsize whole = header->length + payload;
    at[header->length_at] = (guint8)(whole >> 8);
    at[header->length_at + 1] = (guint8)whole;
  }
  for (guint i = header->sequence_octets; i-- > 0; sequence >>= 8)
    at[header->sequence_at + i] = (guint8)sequence;
}

/** Writes a whole header in front of `payload` octets and returns its length; 0 without a layout. */
static inline guint adit_encap_write(const AditEncap *encap, guint8 to[ADIT_ENCAP_HEADER_MAX], gsize payload, gboolean sequenced, guint32 ns) {
  AditEncapHeader header;
  if (!adit_encap_header(encap, sequenced, &header))
    return 0;
  memcpy(to, header.octets, header.length);
  adit_encap_fill(&header, to, payload, ns);
  return header.length;
}

/** The key of a listener's links: their ids in what is received. */
static inline guint64 adit_encap_key(guint32 tunnel, guint32 session) { return (guint64)tunnel << 32 | session; }

/** By which of `n` workers a link's data is taken, as AditEncapSteer lets the kernel choose, too. */
static inline guint adit_encap_worker(guint32 tunnel, guint32 session, guint n) { return (guint)((guint32)(tunnel + session) % n); }

G_END_DECLS
