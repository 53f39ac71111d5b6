/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * world.h - the data path against the kernel, in a network namespace of the test's own: the peer is a UDP socket, the system
 * behind the interfaces is the kernel.
 */
#pragma once

#include "dp.h"
#include "peer/listener.h"
#include "port/port.h"
#include "session/source.h"
#include "session/tun-link.h"
#include "session/tun-session.h"

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE = 10000, TUNNEL = 7 };

typedef struct World World;

/* A session with what belongs to it. Its inside is 10.9.N.1 here and 10.9.N.2 at the peer's. */
typedef struct {
  World *w;
  guint number;
  AditDpLink *link;
  AditDpSession *session;
  AditPort *port;
  gboolean opened, closed, own_port;
  AditCounters final;
  int error;
  guint frames;
  GByteArray *frame;
} Session;

struct World {
  TunDp *dp;
  AditListener *listener;
  AditEndpoint local; /* where the peer sends to */
  int peer;           /* the peer's socket */
  AditEndpoint peer_at;
  guint controls, strays;
  guint known; /* controls from the peer */
  AditPath from;
  gboolean stopped;
  Session session[4];
};

/** How the peer wraps a packet. */
typedef struct {
  guint flags; /* more bits for the L2TP header: 0x4000 length, 0x0800 numbered, 0x0200 offset */
  guint16 ns;
  const char *framing; /* hex of address, control and protocol */
} Wrap;

extern const AditListenerOps listener_ops;
void on_opened(gpointer session, AditPort *port, const GError *error);
void on_closed(gpointer session, const AditCounters *final);

AditEndpoint endpoint(const char *text, guint16 port);
/** A bound socket; `at` (or NULL) gets where. */
int udp_socket(const char *text, guint16 port, AditEndpoint *at);

World *world_new(guint workers, gboolean offload);
/** Listens there; the peer, at `peer`, sends to `reach`. */
void world_listen(World *w, const char *listen, const char *reach, const char *peer);
/** The same for a transport that announces its tunnels. */
void world_listen_announced(World *w, const char *listen, const char *reach, const char *peer);
/** Ends all that is there, waits for it, and leaves no interface behind. */
void world_free(World *w);
/** The usual world: two workers, all on 127.0.0.1. */
int world_setup(void **state);
int world_teardown(void **state);
/** Runs tests in a network namespace of their own. */
int world_main(const char *name, const struct CMUnitTest *tests, gsize n);
#define WORLD_TEST(name)  cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
#define WORLD_MAIN(tests) world_main(#tests, tests, G_N_ELEMENTS(tests))

void session_attach(World *w, guint n, guint8 sequence, guint reorder_ms);
void port_make(Session *s, const char *name, gboolean shared, gboolean is_static);
void address_add(AditPort *port, const char *local, const char *peer);
void session_open(Session *s);
/** The usual: a link, an interface of its own with addresses, all open. */
void session_start(World *w, guint n);
void session_end(Session *s);

/** Writes a data message to `out`; its length. */
guint wrap(guint8 *out, guint session, Wrap how, const guint8 *body, gsize length);
void peer_send(World *w, const guint8 *data, gsize length);
/** An inner UDP packet from 10.9.N.2:1000 to 10.9.N.1:7000. */
guint inner_packet(guint8 *out, guint n, guint payload, guint8 fill);
void peer_packet(World *w, guint n, Wrap how, guint8 fill);
/** Reads from any socket with a deadline; -1 when nothing comes. */
gssize receive(int fd, guint8 *buffer, gsize size, AditEndpoint *from);
int inside_socket(guint n);
/** What adit sent for session `n`: checks headers, returns the inner packet's length. */
guint peer_receive(World *w, guint n, guint8 *packet);

/** A counter, of all workers. */
guint64 world_fact(const World *w, gsize offset);
#define FACT(w, field) world_fact(w, G_STRUCT_OFFSET(TunWorkerStats, field))
