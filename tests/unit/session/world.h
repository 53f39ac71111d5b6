/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * world.h - sessions with both ends in one process: the null data path joins a server's link with a client's, PAP and
 * IPCP are the real engines, and the kernel is played by a table that remembers what it was told.
 */
#pragma once

#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/config/schema.h"
#include "core/net/claims/claims.h"
#include "core/pool/pool.h"
#include "core/session/session.h"
#include "null.h"
#include "tests/lib/loop.h"

#include <adit/auth.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
  GPtrArray *told;     /* char*: "address 10.0.0.1/32 peer 10.0.0.2", "route ...", with "-" in front when taken away */
  int answer, answer6; /* errno for what is added: of any family; of IPv6 */
  int answer_route;    /* errno for routes */
  int answer_master;   /* errno for what joins a bridge */
} Kernel;

/** A record as the sink of the world took it; everything is its own. */
typedef struct {
  AditAcctKind kind;
  char *record_id, *user, *reason, *multi_id;
  guint link_count;
  AditValue *attributes, *facts;
  AditCounters counters;
  AditCause cause;
  gint64 when_ms;
  gboolean client;
} Record;

extern Kernel world_kernel;
extern AditAuthSourceOps world_source;
extern AditValue *world_extra;   /* what the source gives everybody beside the profile; NULL = nothing. Dropped in teardown */
extern gpointer world_token;     /* of client calls that are opened from now on: AditLinkSpec.token */
extern GPtrArray *world_records; /* of Record*, in order */
/** How many records of that kind there are for sessions of servers (or, with `client`, of clients); `*last` (may be NULL) is the last one.
 */
guint world_recorded(AditAcctKind kind, gboolean client, const Record **last);
AditClaims *world_claims(void);
const AditNetService *world_net(void);
/** How often the kernel was told exactly that. */
guint world_told(const char *what);

/* One end of a call, as a transport would hold it. */
typedef struct {
  AditLinkId id;
  gboolean closed;
  AditCause cause;
  char *reason;
} Call;

typedef struct {
  Call server, client;
} Pair;

typedef struct {
  NullDp *dp;
  AditListener *listener;
  AditEndpoint at;
} Side;

typedef struct {
  NullNet *net;
  Side server, client;
  AditPlugin plugin;
  guint up, down;
  AditSessionEvent last_down;
  char *last_reason;
  guint next_call;
  AditSchema *schema;
  Pair pair[4]; /* outlive the test: links end in teardown */
  Call extra;
} World;

int world_setup(void **state);
int world_teardown(void **state);

/** The configuration that the world begins with: profiles, pools, aaa; the caller's. */
AditValue *world_config(void);
/** A server's item with its name alone, or a client's with the user that it logs in as. */
AditValue *world_config_of(const char *name, const char *user, const char *password);
/** Everybody whose password is "right" may come in, with the profile of that name. */
void world_dial(World *w, Pair *pair, const char *user, const char *password, const AditDatapathOps *datapath);
AditLinkId world_call_open(World *w, Call *call, gboolean client, const AditValue *config, guint number, const AditDatapathOps *datapath,
                           GError **error);
/** Another server: a data path of its own on the same network, at that address, for world_dial() in the place of `server`. */
void world_side_open(World *w, Side *side, guint32 address);
void world_side_close(Side *side);
void world_run_net(gpointer world);
/** For callbacks: sets the gboolean that `flag` points to. */
void world_set_flag(gpointer flag);
