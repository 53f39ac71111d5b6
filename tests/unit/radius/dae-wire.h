/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/radius/dae-wire.h - the listener of dynamic authorization on loopback, and servers that ask it. */
#pragma once

#include "dae-world.h"
#include "plugins-auth/radius/servers/config.h"
#include "plugins-auth/radius/servers/radius-server.h"

extern AditTest *test;
extern Radius radius;
extern AditSessionService session; /**< the fake core's; a test may change it before start() */
extern RadiusDae *dae;
extern guint16 port, other_port; /**< that nobody has */
extern guint lines;              /**< of the log about what was dropped */

GLogWriterOutput count_lines(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data);

typedef struct {
  gboolean closed, may_be_unsigned, needs_time, second_port, radsec;
  const char *server, *second_secret, *address, *allowed, *secret;
  guint16 port; /* 0 = `port` */
} Settings;

RadiusConfig *config_of(Settings settings);
void start(Settings settings);
gboolean reload(Settings settings, GError **error);

/** A server that asks. */
typedef struct {
  int fd;
  guint8 answer[RADIUS_MAX];
  gssize length;
  AditEndpoint from;
} Peer;

/** A socket; -1 when the port is taken. */
int bound(const char *address, guint16 at);
Peer *peer_new(const char *address);
void peer_free(Peer *peer);
void send_octets(Peer *peer, const char *to, guint16 at, const guint8 *data, gsize length);
/** To `port`. */
void send_ask(Peer *peer, const Ask *ask);
/** For ADIT_TEST_UNTIL, which asks twice: what has come stays until receive(). */
gboolean has_come(Peer *peer);
gboolean receive(Peer *peer);
/** The code of the answer to `ask`, which must be the next to come; its Error-Cause in `cause` (0 = none). */
guint8 answered(Peer *peer, const Ask *ask, const char *secret, guint32 *cause);
/** Asks about nobody: is this one believed at all? */
gboolean is_believed(Peer *peer, const char *to, guint16 at, guint8 id, const char *secret);
/** A signed Disconnect-Request. */
Ask *disconnect_of(const char *record, guint8 id, const char *secret);
/** In the fake core's log. */
guint occurrences(const char *text);

int setup(void **state);
int teardown(void **state);
