/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/radius.h - what the parts of this plugin share: services of the core, the configuration at hand.
 */
#pragma once

#include <adit/adit.h>
#include <adit/auth.h>
#include <adit/control.h>
#include <adit/session.h>
#include <adit/store.h>

typedef struct RadiusServers RadiusServers; /* server.h */
typedef struct RadiusSource RadiusSource;   /* source.h */

/** One configuration; refcounted, immutable. */
typedef struct {
  gint refs;
  RadiusServers *servers;
  char *nas_identifier;    /**< default: the host name */
  AditAddress nas_address; /**< NAS-IP-Address or NAS-IPv6-Address; family 0 = the address the server is asked from */
  gboolean framed_mtu;     /**< honour Framed-MTU */
  gboolean swap_octets;    /**< `accounting-direction: routeros` */
  gboolean use_accounting_on;
  struct {
    gboolean accept;     /**< `incoming: { accept }` */
    GArray *ports;       /**< of guint16: `port`, a list */
    AditAddress address; /**< family 0 = all of this machine */
    GPtrArray *allowed;  /**< AditPrefix*; empty = the configured servers */
    const char *secret;  /**< of `shared`; NULL = the secret of the server that the request comes from */
    AditValue *shared;   /**< the configuration's own, in locked memory; NULL = none */
    gboolean require_signature, require_timestamp;
    guint window_s;
  } incoming;
  guint64 spool_records; /**< bound of the spool */
  gboolean spool_drop_oldest;
} RadiusConfig;

/** The plugin's state. [main] */
typedef struct {
  AditPlugin *plugin;
  const AditAaaService *aaa;
  const AditLoopService *loop;
  const AditSessionService *session;
  const AditStoreService *store;
  const AditControlService *control;
  const AditBusService *bus;
  const AditNetService *net;          /**< may be NULL */
  RadiusConfig *config;               /**< never NULL once there was a commit */
  int (*open_file)(const char *path); /**< AditHost's; may be NULL */
  RadiusSource *source;
  struct {
    GQueue running, waiting; /**< of radsec.c's jobs */
  } radsec[2];               /**< for authentication and accounting */
  struct RadiusAcct *acct;   /**< acct.h */
  struct RadiusDae *dae;     /**< dae.h; NULL before start */
} Radius;
