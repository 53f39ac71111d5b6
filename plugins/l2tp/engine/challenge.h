/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** challenge.h - tunnel authentication (RFC 2661 5.1.1): MD5 of message type, secret and challenge. */
#pragma once

#include <glib.h>

#define L2TP_CHALLENGE_RESPONSE 16

/** `message`: L2TP_SCCRP or L2TP_SCCCN, the message that carries the response. */
void l2tp_challenge_response(guint8 message, const char *secret, const guint8 *challenge, gsize length,
                             guint8 out[L2TP_CHALLENGE_RESPONSE]);
/** In constant time. */
gboolean l2tp_challenge_equal(const guint8 a[L2TP_CHALLENGE_RESPONSE], const guint8 b[L2TP_CHALLENGE_RESPONSE]);
