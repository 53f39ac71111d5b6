/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-header.h - the multilink header (RFC 1990 3). Pure. [any]
 *
 *     long    BE000000 ssssssss ssssssss ssssssss     24 bits
 *     short   BE00ssss ssssssss                       12 bits
 */
#pragma once

#include <adit/stage.h>

#define MP_HEADER_MAX 4

typedef struct {
  gboolean begin, end; /**< of a packet */
  guint32 sequence;    /**< as it is on the wire */
} MpHeader;

static inline guint mp_header_length(gboolean is_short) {
  return is_short ? 2 : 4;
}

static inline guint mp_sequence_bits(gboolean is_short) {
  return is_short ? 12 : 24;
}

/** Takes the header off a frame. FALSE: the frame is shorter. Reserved bits are not looked at. */
static inline gboolean mp_header_take(AditStageFrame *frame, gboolean is_short, MpHeader *out) {
  guint8 octet[MP_HEADER_MAX] = {0};
  guint n = mp_header_length(is_short);
  if (adit_stage_copy(frame, 0, octet, n) != n || !adit_stage_skip(frame, n))
    return FALSE;
  out->begin = (octet[0] & 0x80) != 0;
  out->end = (octet[0] & 0x40) != 0;
  out->sequence = is_short ? (guint32)(octet[0] & 0x0f) << 8 | octet[1] : (guint32)octet[1] << 16 | (guint32)octet[2] << 8 | octet[3];
  return TRUE;
}

/** Writes the header, with the low bits of its sequence number; returns its length. */
static inline guint mp_header_write(guint8 *to, gboolean is_short, const MpHeader *header) {
  guint8 flags = (guint8)((header->begin ? 0x80 : 0) | (header->end ? 0x40 : 0));
  if (is_short) {
    adit_stage_put16(to, (guint16)((guint)flags << 8 | (header->sequence & 0xfff)));
  } else {
    to[0] = flags;
    to[1] = (guint8)(header->sequence >> 16);
    adit_stage_put16(to + 2, (guint16)header->sequence);
  }
  return mp_header_length(is_short);
}
