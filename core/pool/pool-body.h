/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/pool/pool-body.h - ranges and their entries: what a pool hands out. All [main]. */
#pragma once

#include <adit/address.h>

G_BEGIN_DECLS

/** An address as a number: IPv4 in the low 32 bits. */
typedef unsigned __int128 AditNumber;

AditNumber adit_number(const AditAddress *address);
AditAddress adit_number_address(AditNumber number, guint8 family);

/** A run of entries of equal size. */
typedef struct {
  guint8 family, length;            /**< of what is handed out */
  AditNumber low, high;             /**< first and last address of the entries */
  AditNumber cover_low, cover_high; /**< as written: with an IPv4 prefix's first and last address */
  guint64 first, count;             /**< its entries' indices in the pool */
  guint written;                    /**< its index in the option `ranges` */
} AditPoolRange;

/** Entries of one range that are tracked: those behind are never handed out. */
#define ADIT_POOL_RANGE_MAX (G_GUINT64_CONSTANT(1) << 48)
/** Owners with a remembered last entry, for each pool. */
#define ADIT_POOL_OWNERS 65536
/** As long as there are unused entries, at least this many free entries without an owner to remember are left to rest. */
#define ADIT_POOL_REST 64

/** Leased and remembered entries: costs memory for entries in use and for remembered ones only, whatever the pool's size. */
typedef struct AditPoolBody AditPoolBody;

AditPoolBody *adit_pool_body_new(void);
void adit_pool_body_free(AditPoolBody *body);
/** Appends a range; its `first` and `count` are filled in. */
void adit_pool_body_add_range(AditPoolBody *body, const AditPoolRange *range);
const AditPoolRange *adit_pool_body_ranges(const AditPoolBody *body, guint *n);
/** True if both have the same ranges, in the same order. */
gboolean adit_pool_body_equal(const AditPoolBody *a, const AditPoolBody *b);
guint64 adit_pool_body_total(const AditPoolBody *body);
guint64 adit_pool_body_used(const AditPoolBody *body);
/** The last entry of `owner`, if it is free. */
gboolean adit_pool_body_take_remembered(AditPoolBody *body, const char *owner, AditPrefix *out);
/** A free entry; FALSE when there is none. */
gboolean adit_pool_body_take(AditPoolBody *body, AditPrefix *out);
gboolean adit_pool_body_is_used(const AditPoolBody *body, guint64 index);
/** One user more, or one less, of an entry; `owner` (may be NULL) is remembered when it was the last. */
void adit_pool_body_claim(AditPoolBody *body, guint64 index);
void adit_pool_body_release(AditPoolBody *body, guint64 index, const char *owner);
/** Sets an entry aside, or puts it back: take() passes over it, used or not, and reserve() finds it. */
void adit_pool_body_set_aside(AditPoolBody *body, guint64 index, gboolean aside);
guint64 adit_pool_body_aside(const AditPoolBody *body); /**< how many are */
/** Calls `each` for every free entry with its owner, oldest first. */
void adit_pool_body_remembered(const AditPoolBody *body, void (*each)(const AditPrefix *which, const char *owner, gpointer data),
                               gpointer data);
/** Remembers that `owner` had the entry, which must be free. */
void adit_pool_body_remember(AditPoolBody *body, guint64 index, const char *owner);

G_END_DECLS
