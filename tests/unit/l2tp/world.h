/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** world.h - two instances of the whole plugin, a server's and a client's, on services made up for tests: virtual time, the
 * null data path's network, and a core that only notes what it is told. */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "core/base/owner.h"
#include "plugins/l2tp/glue/dial.h"
#include "plugins/l2tp/glue/index.h"
#include "plugins/l2tp/glue/l2tp-link.h"
#include "plugins/l2tp/glue/l2tp.h"
#include "plugins/null/null.h"

/** What the core was told of one link. */
typedef struct {
  AditLinkId id;
  AditPlugin *plugin;
  gboolean open;
  AditCause cause;
  char *caller_id, *called_id, *service, *closed_why;
  gpointer token, user;
  const AditLinkOps *ops;
  AditPath path;
  AditEncap encap;
  gboolean client, proxied;
} Link;

typedef struct {
  struct AditPlugin plugin;
  gpointer state;
  L2tp *l2tp;
  const AditTransportOps *transport;
  const AditMethod *methods;
  guint n_methods;
  AditValue *config, *reply;
  char *error_name;
  guint ups, downs, dials_failed, stopped;
  char *dial_error, *prepare_error;
} Side;

extern Side server, client;
extern guint64 world_now;
extern GPtrArray *world_links;                     /**< of Link */
extern gboolean world_refuse;                      /**< link_open() says no */
extern guint world_loss;                           /**< percent */
extern guint world_sent;                           /**< datagrams */
extern guint world_memory_freed;                   /**< times that the core was told so */
extern guint world_listeners, world_listeners_max; /**< that are open, and may be */
extern const char *world_misfit;                   /**< a server's link ends inside link_open(), with this reason; NULL = it does not */
extern void (*world_tap)(const AditPath *path, const guint8 *datagram, gsize length);

void world_begin(void);
void world_end(void);
/** Begins to stop a side's plugin: `stopped` counts. world_end() does it otherwise. */
void world_stop(Side *side);
/** Reads YAML with the options of the module session and of l2tp, and gives it to the plugin (prepare, commit). */
gboolean world_configure(Side *side, const char *yaml);
void world_run(guint64 ms);
/** Sends octets from an address as a stranger would. */
void world_send(const char *from, guint16 port, const char *to, const guint8 *datagram, gsize length);
/** Calls a management method; the reply is in side->reply. */
const AditValue *world_call(Side *side, const char *method, AditValue *parameters);
/** The client's dial; its token is `token`. */
AditDial *world_dial(guint index, gpointer token);
/** Links of a side that are open. */
guint world_open_links(Side *side);
/** PPP of each open link of `side` ends, by `percent` of them: as the core says it to the transport. */
void world_core_ends(Side *side, guint percent);
/** The loop is held up: time passes, and all that is due comes at once afterwards. */
void world_hold_up(guint64 ms);
/** A number below `end`, by the world's seed. */
guint world_random(guint end);
void world_seed(guint32 seed);
Link *world_last_link(Side *side);

/* A server at 192.0.2.1 and a client at 192.0.2.2, as items of the configuration. */
#define SERVER_ITEM "name: lns, addresses: [192.0.2.1], data-path: 'null', access-concentrator: adit-lns"
#define CLIENT_ITEM                                                                                                                        \
  "name: dial, connect-to: 192.0.2.1, src-address: 192.0.2.2, data-path: 'null', user: anna, password: x, access-concentrator: adit-lac"

/** Begins the world with both; what more their items say (", name: value ..."). */
void world_both(const char *server_more, const char *client_more);
/** Dials, and expects the link on both sides. */
void world_dial_up(void);
