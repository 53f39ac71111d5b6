/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-discriminator.h - endpoint discriminators (RFC 1990 5.1.3): ours, and what a peer says. [main] */
#pragma once

#include <adit/ppp.h>

G_BEGIN_DECLS

#define MP_DISCRIMINATOR_MAX  21 /**< octets: class, and an address of 20 at most */
#define MP_IDENTITY_SEED      16
#define MP_DISCRIMINATOR_TEXT 64 /**< octets of mp_discriminator_format(), with the final zero */

/** The data of the option: its class, then the address. Length 0 = none. */
typedef struct {
  guint8 length;
  guint8 data[MP_DISCRIMINATOR_MAX];
} MpDiscriminator;

/** Does the address have a length that its class allows? Classes that RFC 1990 does not name may have any: they are compared, not read. */
gboolean mp_discriminator_is_valid(const AditPppOption *option);
/** Copies an option's data; the null class, and NULL, are none. */
void mp_discriminator_read(const AditPppOption *option, MpDiscriminator *out);
gboolean mp_discriminator_equal(const MpDiscriminator *a, const MpDiscriminator *b);
/** For people: `mac 02:00:00:00:00:01`, `local 0123...`; returns `text`. */
const char *mp_discriminator_format(const MpDiscriminator *discriminator, char text[MP_DISCRIMINATOR_TEXT]);

/* ---- ours ---- */

/** Forgets all names. Our discriminators are made of the random seed: no two runs of the daemon have the same. */
void mp_identity_init(const guint8 seed[MP_IDENTITY_SEED]);
void mp_identity_fini(void);
/** Ours as server, or as the client of that name. A client's is another one after mp_identity_renew(), so that a server never takes a link
 *  of a new session for one of the session before. */
void mp_identity_get(gboolean client, const char *name, MpDiscriminator *out);
void mp_identity_renew(const char *client);

G_END_DECLS
