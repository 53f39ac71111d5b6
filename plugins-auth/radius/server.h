/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/server.h - the servers of one configuration: their state of health, and which is asked next. All [main].
 *
 * A set belongs to a configuration and is refcounted: requests under way keep theirs over a reload. Health and counters
 * are kept over a reload for a server whose address, ports and secret are unchanged.
 */
#pragma once

#include "radius.h"

typedef enum { RADIUS_AUTH = 0, RADIUS_ACCT = 1 } RadiusRole;

/** RouterOS's `/radius monitor`, for each role. */
typedef struct {
  guint64 pending, requests, accepts, rejects, resends, timeouts, bad_replies, late;
  guint64 last_request_rtt_us;
} RadiusStats;

typedef struct RadiusServer RadiusServer;

struct RadiusServer {
  gint refs;
  char *name;                 /**< as configured, else its address */
  AditEndpoint auth, acct;    /**< resolved; length 0 when the name did not resolve yet */
  AditEndpoint source;        /**< src-address, length 0 = any */
  char *secret;               /**< wiped */
  gboolean radsec, dtls, require_signature, accounting_backup, backup;
  char *realm, *called_id, *domain; /**< selection; NULL = any */
  guint timeout_ms, tries, weight, max_in_flight, dead_time_ms, dead_after;
  struct {
    guint in_flight, failures; /**< failures: exchanges in a row without any answer */
    guint64 dead_until_ms;     /**< 0 = alive */
    RadiusStats stats;
  } role[2];
};

typedef struct RadiusServers RadiusServers; /**< the list, in order of the configuration */

/** What a server is chosen by. */
typedef struct {
  RadiusRole role;
  const char *realm, *called_id, *domain; /**< may be NULL */
} RadiusWant;

/** An order of attempts: fitting servers that are alive, by weight, then backups, then the dead ones (someone must find out
 *  that they are back; at most one request at a time probes a dead server). The n-th attempt; NULL when there is none left. */
RadiusServer *radius_servers_pick(RadiusServers *servers, const RadiusWant *want, GPtrArray *tried);

/** The `n`th server (from 0) at this address, for authentication or accounting, in order of the configuration; borrowed. NULL: no more. */
RadiusServer *radius_servers_at(RadiusServers *servers, const AditAddress *address, guint n);
