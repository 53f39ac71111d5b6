/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** hidden.h - hiding of AVP values (RFC 2661 4.3). */
#pragma once

#include <adit/cursor.h>
#include <glib.h>

#define L2TP_HIDE_MAX 1017 /**< largest value of an AVP */

/** Hides `value` of attribute `type` with `padding` further octets: 2 + length + padding octets go to `out`. False if that
 *  is more than L2TP_HIDE_MAX. `pad` holds the padding's octets (may be NULL if padding is 0). */
gboolean l2tp_hide(guint16 type, const char *secret, const guint8 *vector, gsize vector_length, const guint8 *value, gsize length,
                   const guint8 *pad, gsize padding, guint8 *out);

/** Uncovers `length` octets at `in` into `out` (as large). Returns the length of the original value, which begins at
 *  out + 2; or -1 when what comes out can't be one (a wrong secret, an attack). */
gssize l2tp_unhide(guint16 type, const char *secret, const guint8 *vector, gsize vector_length, const guint8 *in, gsize length,
                   guint8 *out);

#define L2TP_CHALLENGE_RESPONSE 16

/** `message`: L2TP_SCCRP or L2TP_SCCCN, the message that carries the response. */
void l2tp_challenge_response(guint8 message, const char *secret, const guint8 *challenge, gsize length,
                             guint8 out[L2TP_CHALLENGE_RESPONSE]);
/** In constant time. */
gboolean l2tp_challenge_equal(const guint8 a[L2TP_CHALLENGE_RESPONSE], const guint8 b[L2TP_CHALLENGE_RESPONSE]);
