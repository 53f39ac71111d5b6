/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/addresses.h - the addresses and prefixes that a session has reserved for its two ends. [main] */
#pragma once

#include "core/session/network/family.h"
#include <adit/net.h>

typedef struct AditSess AditSess;

#define ADIT_SESS_MAX_LEASES 16

typedef enum {
  ADIT_LEASE_TAKEN,  /**< out of a pool */
  ADIT_LEASE_OURS,   /**< our end's, as written: many may have it */
  ADIT_LEASE_THEIRS, /**< the peer's, as written: its own */
  ADIT_LEASE_CHOSEN, /**< the peer's, as it chose: another choice takes its place */
} AditSessLeaseKind;

typedef struct {
  AditPrefix prefix;
  AditSessLeaseKind kind;
} AditSessLease;

typedef struct {
  AditSessLease lease[ADIT_SESS_MAX_LEASES];
  guint n;
  AditNcpParams params;    /**< what the NCPs are told of both ends */
  gboolean choice_refused; /**< that was logged */
} AditSessAddresses;

/** Decides and reserves both ends' IPv4 addresses for the NCPs, and the peer's IPv6 prefixes. False with a reason that says what to
 * configure. */
gboolean adit_sess_reserve(AditSess *session, GError **error);
/** The NCP of a family has agreed on both ends' addresses. A client judges what its server gave it: FALSE if it can't have its own; a peer
 *  to which no route may lead is taken out of `*remote`. */
gboolean adit_sess_accept_ends(AditSess *session, AditSessFamily *family, const AditAddress *local, AditAddress *remote, GError **error);
void adit_sess_release(AditSess *session);
/** A prefix out of an attribute that is a list of them, without bits behind its length; FALSE at the end. */
gboolean adit_sess_prefix_at(const AditSess *session, const char *key, guint index, AditPrefix *out);
void adit_addresses_init(const AditNetService *net);
void adit_addresses_fini(void);
