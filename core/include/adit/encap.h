/* SPDX-License-Identifier: MIT */
/** adit/encap.h - headers of the known encapsulations, for data paths that run them in user space. [any] */
#pragma once

#include <adit/cursor.h>
#include <adit/path.h>

G_BEGIN_DECLS

#define ADIT_ENCAP_HEADER_MAX 16

/** Length of the header that adit_encap_write() makes for `encap`; 0 for a kind it does not know. */
static inline guint adit_encap_header_length(const AditEncap *encap, gboolean sequenced) {
  switch (encap->kind) {
  case ADIT_ENCAP_L2TPV2_UDP:
    return 6 + (encap->length_bit ? 2 : 0) + (sequenced ? 4 : 0);
  case ADIT_ENCAP_NULL:
  case ADIT_ENCAP_L2TPV3_UDP:
  case ADIT_ENCAP_L2TPV3_IP:
  case ADIT_ENCAP_PPPOE:
    break;
  }
  return 0;
}

/** Writes the header of a data message (RFC 2661 3.1) in front of `payload` octets and returns its length. */
static inline guint adit_encap_write(const AditEncap *encap, guint8 header[ADIT_ENCAP_HEADER_MAX], gsize payload, gboolean sequenced, guint16 ns) {
  guint length = adit_encap_header_length(encap, sequenced);
  AditBuilder b = adit_builder(header, ADIT_ENCAP_HEADER_MAX);
  if (encap->kind != ADIT_ENCAP_L2TPV2_UDP)
    return 0;
  adit_put_u16(&b, (guint16)((encap->length_bit ? 0x4000 : 0) | (sequenced ? 0x0800 : 0) | 2));
  if (encap->length_bit)
    adit_put_u16(&b, (guint16)(length + payload));
  adit_put_u16(&b, (guint16)encap->peer_tunnel);
  adit_put_u16(&b, (guint16)encap->peer_session);
  if (sequenced) {
    adit_put_u16(&b, ns);
    adit_put_u16(&b, 0); /* Nr is reserved in data messages */
  }
  return length;
}

G_END_DECLS
