/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/unit/ccp/habits.h - peers of MPPE as they are, each direction by itself and as simple as theirs: RFC 3078 to the letter, and the
 * kernel of Linux (drivers/net/ppp/ppp_mppe.c), which changes the key at each flushed packet and does not flush its first one.
 */
#pragma once

#include "frames.h"

#include <nettle/arcfour.h>

typedef struct {
  gboolean linux_like, stateless;
  MppeKey key;
  struct arcfour_ctx rc4;
  guint count;      /* sender: the next one; receiver: the last one */
  gboolean flush;   /* sender: a Reset-Request has come, or this is the first packet */
  gboolean discard; /* receiver */
} Peer;

static inline void peer_restart(Peer *p, gboolean change) {
  if (change)
    mppe_key_change(&p->key);
  arcfour_set_key(&p->rc4, p->key.length, p->key.current);
}

static inline void peer_init(Peer *p, gboolean linux_like, const MppeDirection *with, gboolean sends) {
  *p = (Peer){.linux_like = linux_like, .stateless = with->stateless, .count = sends ? 0 : 0xfff, .flush = sends && !linux_like};
  mppe_key_init(&p->key, with->start, with->strength);
  peer_restart(p, FALSE);
}

static inline Octets peer_send(Peer *p, const Octets *packet) {
  Octets frame = {.protocol = ADIT_PPP_COMPRESSED, .length = packet->length + 4};
  gboolean flag = (p->count & 0xff) == 0xff, flushed = p->stateless || flag || p->flush;

  if (flushed)
    peer_restart(p, p->stateless || flag || p->linux_like);
  p->flush = FALSE;
  adit_stage_put16(frame.data, (guint16)(0x1000 | (flushed ? 0x8000 : 0) | p->count));
  adit_stage_put16(frame.data + 2, packet->protocol);
  memcpy(frame.data + 4, packet->data, packet->length);
  arcfour_crypt(&p->rc4, packet->length + 2, frame.data + 2, frame.data + 2);
  p->count = (p->count + 1) & 0xfff;
  return frame;
}

typedef enum { PEER_TOOK, PEER_DROPPED, PEER_RESET /* it sends a Reset-Request */ } PeerResult;

static inline PeerResult peer_decrypt(Peer *p, const Octets *frame, Octets *packet) {
  packet->length = frame->length - 4;
  guint8 protocol[2];
  arcfour_crypt(&p->rc4, 2, protocol, frame->data + 2);
  arcfour_crypt(&p->rc4, packet->length, packet->data, frame->data + 4);
  packet->protocol = (guint16)(protocol[0] << 8 | protocol[1]);
  return PEER_TOOK;
}

static inline PeerResult linux_receive_stateful(Peer *p, guint count, gboolean flushed, const Octets *frame, Octets *packet) {
  if (!p->discard) {
    p->count = (p->count + 1) & 0xfff;
    if (count != p->count) {
      p->discard = TRUE;
      return PEER_RESET;
    }
  } else if (!flushed) {
    return PEER_DROPPED;
  } else {
    while ((count & 0xf00) != (p->count & 0xf00)) {
      mppe_key_change(&p->key);
      p->count = (p->count + 256) & 0xfff;
    }
    p->discard = FALSE;
    p->count = count;
  }
  if (flushed)
    peer_restart(p, TRUE);
  return peer_decrypt(p, frame, packet);
}

static inline PeerResult rfc_receive_stateful(Peer *p, guint count, gboolean flushed, const Octets *frame, Octets *packet) {
  guint expected = (p->count + 1) & 0xfff;

  if (!flushed && (p->discard || count != expected)) {
    PeerResult result = p->discard ? PEER_DROPPED : PEER_RESET;
    p->discard = TRUE;
    return result;
  }
  for (guint i = expected; flushed; i = (i + 1) & 0xfff) { /* flag packets, lost ones too */
    if ((i & 0xff) == 0xff)
      mppe_key_change(&p->key);
    if (i == count)
      break;
  }
  if (flushed)
    peer_restart(p, FALSE);
  p->discard = FALSE;
  p->count = count;
  return peer_decrypt(p, frame, packet);
}

static inline PeerResult peer_receive(Peer *p, const Octets *frame, Octets *packet) {
  guint count = count_of(frame);
  gboolean flushed = (bits_of(frame) & 0x8000) != 0;

  if (!(bits_of(frame) & 0x1000) || frame->length < 4)
    return PEER_DROPPED;
  if (!p->stateless)
    return (p->linux_like ? linux_receive_stateful : rfc_receive_stateful)(p, count, flushed, frame, packet);
  if (!flushed || ((count - p->count) & 0xfff) > 0x800)
    return PEER_DROPPED;
  while (p->count != count) {
    mppe_key_change(&p->key);
    p->count = (p->count + 1) & 0xfff;
  }
  peer_restart(p, FALSE);
  return peer_decrypt(p, frame, packet);
}
