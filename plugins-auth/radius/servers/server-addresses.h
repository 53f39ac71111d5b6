/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/servers/server-addresses.h - the addresses of a server's name, in order of RFC 6724; one of them is asked. */
#pragma once

#include <adit/address.h>

enum { RADIUS_ADDRESSES = 8 };

typedef struct {
  AditAddress list[RADIUS_ADDRESSES];
  guint count;  /**< 0 = no name, or not looked up yet */
  guint now;    /**< place of the one that is asked */
  guint silent; /**< of them, in a row, without an answer */
} RadiusAddresses;

/** Appends, unless it is there or the list is full. */
void radius_addresses_add(RadiusAddresses *addresses, const AditAddress *address);
gboolean radius_addresses_have(const RadiusAddresses *addresses, const AditAddress *address);
/** A new look-up has found `fresh` (not empty): the one that is asked stays if it is still there, else it is the first. */
void radius_addresses_renew(RadiusAddresses *addresses, const RadiusAddresses *fresh);
/** `asked` did not answer. TRUE: another one may (and is asked from now on). FALSE: all of them have been silent; a new round begins. */
gboolean radius_addresses_turn(RadiusAddresses *addresses, const AditAddress *asked);
