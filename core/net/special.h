/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/special.h - addresses that no host on a link can have (RFC 6890, RFC 4291): pure. [any]
 *
 *     const AditSpecial *special = adit_special_find(&address, &address);
 *     if (special)
 *       ... "%s is %s", special->what
 */
#pragma once

#include <adit/address.h>

G_BEGIN_DECLS

typedef struct {
  const char *prefix; /**< as text */
  const char *what;   /**< "a loopback address": follows the word `is` */
  gboolean link;      /**< link-local: fit for a link's ends, unfit to be routed or handed out */
} AditSpecial;

/** A special range that shares an address with `first` to `last` (of one family); NULL = none. Link-local ones count. */
const AditSpecial *adit_special_find(const AditAddress *first, const AditAddress *last);
/** A special range that holds all of the prefix: a default route is in none. */
const AditSpecial *adit_special_holds(const AditPrefix *prefix);

/** The first and the last address of a prefix. */
AditAddress adit_prefix_first(const AditPrefix *prefix);
AditAddress adit_prefix_last(const AditPrefix *prefix);

G_END_DECLS
