/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** crypto.h - the arithmetic of RFC 2433, 2759 and 3079. Pure. User names are octets; a domain before a backslash is no part of a hash. */
#pragma once

#include <adit/types.h>

#define MSCHAP_HASH        16 /**< an NT hash */
#define MSCHAP_CHALLENGE   8  /**< what DES encrypts */
#define MSCHAP_NT_RESPONSE 24
#define MSCHAP_PROOF       43 /**< `S=` and 40 digits, ended by NUL */
#define MSCHAP_KEY         16
#define MSCHAP_SHORT_KEY   8

/** Writes 2 * `length` capital hexadecimal digits and NUL to `text`. */
void mschap_hex(const guint8 *octets, gsize length, char *text);
/** RFC 2759 8.3: MD4 of the password in UTF-16LE. Text that is not valid UTF-8 is taken octet by octet. */
void mschap_nt_hash(const char *password, guint8 hash[MSCHAP_HASH]);
/** RFC 2759 8.5: the 8 octets under a response, with a bare challenge of 8 octets in version 1. */
void mschap_nt_response(const guint8 challenge[MSCHAP_CHALLENGE], const guint8 hash[MSCHAP_HASH], guint8 response[MSCHAP_NT_RESPONSE]);
/** RFC 2759 8.2: what version 2 encrypts. */
void mschap_v2_challenge(const guint8 peer_challenge[16], const guint8 challenge[16], const char *user, guint8 out[MSCHAP_CHALLENGE]);
/** RFC 2759 8.7: what the server proves itself with. */
void mschap_v2_proof(const guint8 hash[MSCHAP_HASH], const guint8 nt_response[MSCHAP_NT_RESPONSE], const guint8 peer_challenge[16],
                     const guint8 challenge[16], const char *user, char proof[MSCHAP_PROOF]);
/** RFC 3079 2.1: version 1's start key of 40 and 56 bits, the same both ways: 8 octets of the LM hash. FALSE = the password has characters
 * that are none of ASCII. */
gboolean mschap_v1_short_key(const char *password, guint8 key[MSCHAP_SHORT_KEY]);
/** RFC 3079 2.4: version 1's 128-bit start key, the same both ways. */
void mschap_v1_start_key(const guint8 hash[MSCHAP_HASH], const guint8 challenge[MSCHAP_CHALLENGE], guint8 key[MSCHAP_KEY]);
/** RFC 3079 3.4: version 2's master key. */
void mschap_v2_master_key(const guint8 hash[MSCHAP_HASH], const guint8 nt_response[MSCHAP_NT_RESPONSE], guint8 key[MSCHAP_KEY]);
/** RFC 3079 3.4: a 128-bit start key, to send or to receive with, of the server or the client. */
void mschap_v2_start_key(const guint8 master[MSCHAP_KEY], gboolean send, gboolean server, guint8 key[MSCHAP_KEY]);
