/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/accounting/acct-row.h - one accounting record as octets on disk, and as a packet: pure. [any]
 *
 * A row holds what does not change any more: the facts as RADIUS attributes (the body), and beside them the hour, the time and
 * the counters. Authenticator, identifier, Acct-Delay-Time and NAS-IP-Address belong to the packet: they are made when it is sent.
 */
#pragma once

#include "../wire/radius-packet.h"

#include <adit/auth.h>

/** Zero-initialise; radius_row_clear() frees what it holds. */
typedef struct {
  AditAcctKind kind;
  AditCause cause;      /**< STOP */
  gboolean swap_octets; /**< RouterOS's habit: Input is what went to the user */
  gint64 when_ms;       /**< wall clock of the event, ms since 1970 */
  guint64 born_ms;      /**< the loop's clock then, in memory alone; 0 = in an earlier life */
  guint64 uptime_ms;
  AditCounters counters;
  char *id;        /**< Acct-Session-Id: 1 to 253 octets */
  char *user;      /**< the user that the peer logged in as, by which servers are chosen (the body may have another name); NULL = none */
  char *called_id; /**< Called-Station-Id of the body, by which servers are chosen, too; NULL = none */
  GBytes *body;    /**< attributes, each checked to fit; never NULL once written or read */
} RadiusRow;

enum { RADIUS_BODY_MAX = 3072 /* what a packet has beside it always fits: ids, names and realm at their longest, 850 octets */ };

/** A copy that shares the body. */
RadiusRow radius_row_copy(const RadiusRow *row);
void radius_row_clear(RadiusRow *row);

/** The row as octets (format 1). */
GBytes *radius_row_write(const RadiusRow *row);
/** FALSE when the octets make no sense: nothing is held then. */
gboolean radius_row_read(const guint8 *data, gsize length, RadiusRow *out);

/** Acct-Status-Type and what goes with it, the body, and Acct-Delay-Time at the wall clock `now_ms` (RFC 2866 5.1 to 5.10,
 *  RFC 2869 5.1 to 5.3). `realm` goes out as Mikrotik-Realm in place of the user's own; NULL = the user's. */
void radius_row_put(const RadiusRow *row, gint64 now_ms, const char *realm, RadiusBuilder *b);

/** How long ago it was: by the monotonic clock, or, after a restart, by the real-time clock. */
static inline gint64 radius_row_age_ms(const RadiusRow *row, guint64 loop_ms, gint64 wall_ms) {
  return row->born_ms ? (gint64)(loop_ms - row->born_ms) : MAX(wall_ms - row->when_ms, 0);
}

static inline gboolean radius_row_is_session(const RadiusRow *row) {
  return row->kind == ADIT_ACCT_START || row->kind == ADIT_ACCT_INTERIM || row->kind == ADIT_ACCT_STOP;
}
