/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/dae/dae.h - dynamic authorization (RFC 5176): servers end sessions (Disconnect-Request) and change them (CoA-Request). All [main].
 *
 * It listens while `incoming: { accept: yes }`. It reads from the configuration: `incoming`, the servers (allowed clients, with their
 * secrets) and our identity (nas_identifier, nas_address).
 */
#pragma once

#include "../radius.h"
#include "dae-cache.h"

typedef struct RadiusDae RadiusDae;

/** RouterOS's `/radius incoming monitor`, and what it leaves out. */
typedef struct {
  guint64 requests;     /**< believed and new */
  guint64 bad_requests; /**< dropped in silence: from a stranger, malformed, not signed, forged, out of the time window */
  guint64 acks, naks;   /**< answers to `requests` */
  guint64 duplicates;   /**< answered from the cache, or on their way to an answer */
} RadiusDaeStats;

/** From the plugin's start(): opens the sockets that radius->config asks for; none with `accept: no`. NULL and an error when a
 *  port is taken. `radius` must outlive it; its config is read at each datagram. */
RadiusDae *radius_dae_start(Radius *radius, GError **error);
/** From prepare(), once started: opens the sockets that `next` needs beside those that are open. FALSE and an error: nothing was changed.
 *  One of commit and abort must follow. */
gboolean radius_dae_prepare(RadiusDae *dae, const RadiusConfig *next, GError **error);
/** After radius->config has become what was prepared: closes the sockets that it does not need. */
void radius_dae_commit(RadiusDae *dae);
void radius_dae_abort(RadiusDae *dae);
/** Closes all and frees it; Disconnect-Requests are not answered before their session is gone. NULL is allowed. */
void radius_dae_stop(RadiusDae *dae);
/** Since start; kept over reloads. Borrowed. */
const RadiusDaeStats *radius_dae_stats(const RadiusDae *dae);

/** The cache of a listener, for tests of its bound. */
RadiusDaeCache *radius_dae_cache_of(RadiusDae *dae);
