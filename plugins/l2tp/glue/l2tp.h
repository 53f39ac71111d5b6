/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** l2tp.h - the plugin around the engine. All [main]. */
#pragma once

#include "../strangers/guesses.h"
#include "../strangers/limiter.h"
#include "../strangers/shares.h"
#include "../strangers/stranger-log.h"
#include "setup.h"
#include <adit/adit.h>
#include <adit/log-quota.h>

#define L2TP_TRANSPORT "l2tp" /**< the name of the transport */

typedef struct {
  guint64 control, malformed, unknown_tunnel, wrong_path, stray_data; /**< datagrams */
  guint64 new_tunnels, repeated, no_server, refused, limited, starting_limited, tunnel_limited, half_open_limited, evicted, replaced, ties;
  guint64 displaced_tunnels, displaced_calls; /**< by newcomers; evicted: half-open ones */
  guint64 tunnels_up, tunnels_down, calls_up, calls_refused, calls_down, send_failed, proxy_ignored;
  guint64 evaded; /**< dials that restarted as a stranger guessed their tunnel id */
} L2tpStats;

struct L2tp {
  AditPlugin *plugin;
  const AditLoopService *loop;
  const AditBusService *bus;
  const AditPathService *path;
  const AditSessionService *session;
  const AditControlService *control;
  const AditNetService *net; /**< may be NULL */
  guint tunnel_up_event, tunnel_down_event;

  const L2tpTunnelOps *tunnel_ops;     /**< what tunnels ask of us: tunnel-host.c */
  const AditListenerOps *listener_ops; /**< received datagrams: dispatch.c */

  L2tpSetup *setup;
  GPtrArray *listeners;                                    /**< all that are open, borrowed */
  guint8 challenge_key[ADIT_SIPHASH_KEY];                  /**< recognizes challenges of ours: see tunnel-host.c */
  GHashTable *rounds;                                      /**< addresses of clients' servers: see dial.c */
  GHashTable *tunnels;                                     /**< local tunnel id -> L2tpPeer*, owned by the engine's life */
  GHashTable *links;                                       /**< AditLinkId* -> L2tpLink*, borrowed */
  GHashTable *dialled, *repeats, *unconfirmed, *namesakes; /**< see index.c */
  L2tpShares half_open, strangers, ports; /**< of L2tpPeer: not confirmed; no authenticated link; a separate port as well */
  guint most_half_open;                   /**< since there were none */
  L2tpShares calls;                       /**< of L2tpLink: calls of peers that are not authenticated */
  GQueue opening;                         /**< of L2tpLink: authenticated, not up, and counted in `starting`; in order of authentication */
  guint starting;                         /**< calls of peers with a session that is not up yet */
  L2tpLimiter limiter;
  L2tpGuesses guesses;
  AditLogQuota said[L2TP_SAYS]; /**< lines that strangers cause, by kind */
  L2tpStats stats;

  gboolean running, stopping;
  AditTimer stop_timer, close_timer;
  gpointer *closing; /**< ids of the tunnels that stopping has yet to close */
  guint n_closing;
  void (*stopped)(AditPlugin *plugin);
};
