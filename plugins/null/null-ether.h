/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-ether.h - Ethernet frames through the codec of a session's L2 port */
#pragma once

#include "null-dp.h"

/** Zero-initialise. */
typedef struct {
  NullPort *port;            /**< NULL = the session has none */
  const AditEtherOps *codec; /**< of its frames */
  gboolean published;        /**< there are parameters */
  guint64 params[ADIT_ETHER_PARAMS / 8];
  guint64 drops[ADIT_ETHER_REASONS]; /**< of the codec */
} NullEther;

/** The PPP payload of an Ethernet frame, and its protocol; NULL = it may not pass. The caller's. */
GByteArray *null_ether_encode(NullEther *ether, const guint8 *octets, gsize length, guint16 *protocol);
/** The other way. */
GByteArray *null_ether_decode(NullEther *ether, guint16 protocol, const guint8 *octets, gsize length);
