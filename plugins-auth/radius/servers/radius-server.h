/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/servers/radius-server.h - the servers of one configuration: their state of health, and which is asked next. All [main].
 *
 * A set belongs to a configuration and is refcounted: requests under way keep their server over a reload. Facts learned about a server
 * (RadiusPeer: health, counters, sockets) is kept over a reload as long as its address, ports, secret and protocol are unchanged.
 */
#pragma once

#include "../radius.h"
#include "server-addresses.h"

typedef enum { RADIUS_AUTH = 0, RADIUS_ACCT = 1 } RadiusRole;
enum { RADIUS_ROLES = 2 };

typedef enum { RADIUS_UDP = 0, RADIUS_TLS, RADIUS_DTLS } RadiusProtocol;

/** RouterOS's `/radius monitor`, for each role; `late`: right, but too late. */
typedef struct {
  guint64 requests, accepts, rejects, resends, timeouts, bad_replies, late;
  guint64 last_request_rtt_us;
} RadiusStats;

/** One role of one server, as the network has shown it. */
typedef struct {
  guint in_flight;       /**< exchanges under way: RouterOS's `pending` */
  guint failures;        /**< exchanges in a row without any answer */
  guint silence;         /**< tries in a row that stayed without one */
  gboolean dead;         /**< one request at a time may look whether it is back */
  guint64 dead_until_ms; /**< before that it is used only when there is no other */
  RadiusStats stats;
  AditAddress local;  /**< the address it was last asked from; family 0 = not asked yet */
  gpointer transport; /**< udp.c's or radsec.c's: sockets, workers */
  GDestroyNotify transport_free;
} RadiusRoleState;

/** The state that outlives a reload. */
typedef struct {
  gint refs;
  char *key; /**< address, ports, secret (a keyed hash of it) and protocol: the same key means the same server */
  RadiusRoleState role[RADIUS_ROLES];
} RadiusPeer;

typedef struct RadiusServer {
  gint refs;
  Radius *radius;
  RadiusPeer *peer;
  char *name;                    /**< as configured, else its address */
  char *host;                    /**< a name that must be resolved, or NULL */
  gboolean nameless;             /**< it could not be resolved when that was last tried */
  AditEndpoint at[RADIUS_ROLES]; /**< family 0 when the name did not resolve yet */
  AditAddress source;            /**< src-address; family 0 = any */
  const char *secret;            /**< of `shared`, or the public one (RadSec) */
  AditValue *shared;             /**< the configuration's own, in locked memory; NULL = none */
  RadiusProtocol protocol;
  guint16 port[RADIUS_ROLES];
  gboolean require_signature, accounting_backup, backup;
  char *realm, *called_id, *domain;                                         /**< selection; NULL = any. `realm` is sent as Mikrotik-Realm */
  char *certificate, *private_key, *ca;                                     /**< RadSec: files, or NULL */
  guint timeout_ms, tries, weight, max_in_flight, dead_time_ms, dead_after; /**< weight 0: none was written */
  RadiusAddresses addresses;                                                /**< of `host`; the one in use is in `at`, too */
  RadiusAddresses shielded;                                                 /**< those that no session may have */
} RadiusServer;

/** No session may have the server's addresses from now on, until the server goes or has others. */
void radius_server_protect(RadiusServer *server);
RadiusServer *radius_server_ref(RadiusServer *server);
void radius_server_unref(RadiusServer *server);
/** The value of NAS-IP-Address or NAS-IPv6-Address: the configured one, else the local address towards that server.
 *  Family 0 when that is not known: in a RadiusFill it is. */
AditAddress radius_server_nas_address(const RadiusServer *server, RadiusRole role);

/* ---- the list, in order of the configuration ---- */

struct RadiusServers {
  gint refs;
  Radius *radius;
  GPtrArray *list;   /**< of RadiusServer, owned */
  GPtrArray *groups; /**< radius_servers_groups(); NULL until first needed */
  AditTimer look_up; /**< names are due again */
};

RadiusServers *radius_servers_new(Radius *radius);
RadiusServers *radius_servers_ref(RadiusServers *servers);
void radius_servers_unref(RadiusServers *servers);
/** Appends; takes over `server`, which has no peer yet: it gets that of the same server in this list or in `before` (NULL = none),
 *  with its resolved address, else a new one. */
void radius_servers_add(RadiusServers *servers, RadiusServer *server, const RadiusServers *before);
guint radius_servers_count(const RadiusServers *servers);
RadiusServer *radius_servers_get(const RadiusServers *servers, guint index); /**< borrowed */

/* ---- resolve.c ---- */

/** Looks names up on the plugin's pool, now, and again every five minutes (10 s after a failure) as long as the list lives. */
void radius_servers_resolve(RadiusServers *servers);

/* ---- selection ---- */

/** The criteria for a server: realm is what follows the last `@` of the user's name, domain what precedes its first `\`. */
typedef struct {
  RadiusRole role;
  const char *user, *called_id; /**< may be NULL */
} RadiusWant;

/** Is there a server at all, dead or alive, that is for such users? */
gboolean radius_servers_serve(const RadiusServers *servers, const RadiusWant *want);
/** The groups of servers with the same users, as the first server of each (borrowed); the same servers are a group once.
 *  The caller owns the array. */
GPtrArray *radius_servers_groups(const RadiusServers *servers);
/** The place in that array of the group that a user's first server is in; its length when no server is for him. */
guint radius_servers_group(RadiusServers *servers, const RadiusWant *want);
/** The next server, after those in `tried` (RadiusServer*; NULL = none): fitting servers that are alive, by weight, then backups,
 *  then those that other requests are already timing out on, then the dead ones. One request at a time probes a dead server. Borrowed.
 *  NULL when no server is left that may be asked now. Changes nothing. */
RadiusServer *radius_servers_pick(RadiusServers *servers, const RadiusWant *want, const GPtrArray *tried);

/* ---- health: for what implements exchange.h ---- */

/** An exchange begins. FALSE: it may not, as too many are under way or another request is probing. */
gboolean radius_server_begin(RadiusServer *server, RadiusRole role);
/** A try of it stayed without an answer; it is sent again. */
void radius_server_silent(RadiusServer *server, RadiusRole role);
/** The address that was asked did not answer. TRUE when the server has another one that may, which is asked from now on: the server itself
 *  has not failed yet. */
gboolean radius_server_turn(RadiusServer *server, const AditAddress *asked);
/** Is this one of the server's addresses? */
gboolean radius_server_is_at(const RadiusServer *server, const AditAddress *address);
/** Asks the address that `addresses` says, if it is another one. */
void radius_server_move(RadiusServer *server);
/** It ends: `answered` when a believable answer came, `failed` when none came though it was asked for long enough; neither when it was
 *  given up. */
void radius_server_end(RadiusServer *server, RadiusRole role, gboolean answered, gboolean failed);
