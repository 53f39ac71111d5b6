/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * world.h - a client and a server of L2TP, all their engines, on a virtual clock with a bad network between them.
 *
 * Nothing here is the daemon's: a host does by the shortest way what listener, session and AAA do there, so that what is
 * on trial is the engines: tunnel and call, link, authentication methods, NCPs. Everything follows from the seed.
 */
#pragma once

#include "core/base/wheel.h"
#include "core/ppp/ppp-link.h"
#include "core/ppp/ncp.h"
#include "plugins/l2tp/engine/tunnel.h"

typedef struct World World;
typedef struct Host Host;
typedef struct Line Line;

#define NCPS 3

/** A wake-up of an engine, or of a host. */
typedef struct {
  AditTimer timer;
  Line *line;
  guint slot;
} Alarm;

typedef struct {
  Line *line;
  AditNcp *ncp;
  AditNcpParams params;
  AditEngineEnv env;
  Alarm alarm;
} Ncp;

/** One tunnel with its call, its link and what runs over it. */
struct Line {
  Host *host;
  guint number;
  L2tpTunnel tunnel;
  L2tpTunnelEnv tunnel_env;
  Alarm tunnel_alarms[L2TP_SLOTS];
  gboolean finished;
  gboolean down; /* the control connection is over */

  guint16 session, peer_session; /* of the call that is up; 0 = none */
  AditPppLink *link;
  gboolean link_over; /* closed; to be freed where nothing of it runs */
  AditEngineEnv link_env;
  Alarm link_alarm;
  gboolean network;
  Ncp ncps[NCPS];
  AditAuthRequest *asked;
  Alarm verdict;
};

struct Host {
  World *world;
  const char *name;
  gboolean client;
  L2tpTunnelConfig config;
  AditPppLinkParams params;
  const char *password; /* what the peer must know; the server's */
  GPtrArray *lines;     /* of Line */
  guint numbers;
  AditTimer traffic, redial;
  guint64 last_data; /* received */
  guint links, ends; /* links begun and ended */
};

struct World {
  guint64 now;
  AditWheel *wheel;
  GRand *rand;
  guint seed, loss, twice, delay_ms;
  gboolean verbose, stopping, wrong;
  GQueue air;  /* packets that fly */
  guint kills; /* done */
  AditTimer killer;
  guint64 kill_until;
  Host client, server;
};

World *world_new(guint seed, gboolean verbose);
void world_free(World *world);
void world_run(World *world, guint64 ms);
/** Data came in on both sides in the last `ms`. */
gboolean world_carries(const World *world, guint64 ms);
/** Nobody dials or sends any more; one side ends what there is. */
void world_stop(World *world);
/** What is left that should not be; NULL = nothing. */
char *world_rest(const World *world);
G_GNUC_PRINTF(2, 3) void world_say(const World *world, const char *format, ...);
guint world_chance(World *world, guint below);

/* world.c's for line.c and back */
void host_transmit(Host *from, const guint8 *datagram, gsize length);
Line *line_new(Host *host, guint16 id);
void line_free(Line *line);
void line_dial(Line *line);
void line_hang_up(Line *line, const char *why);
void line_data(Line *line, const guint8 *frame, gsize length);
void line_send_traffic(Line *line);
/** Dies and lives again, with all its engines. */
void line_reincarnate(Line *line);
/** Frees what ended in the last event; FALSE if the whole line did. */
gboolean line_tidy(Line *line);
