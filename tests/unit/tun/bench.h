/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * bench.h - the data path without threads: its workers are called by hand, an interface and a socket are socket pairs, and the clock is the
 * test's.
 */
#pragma once

#include "dp.h"
#include "peer/listener.h"
#include "port/port.h"
#include "session/tun-link.h"
#include "session/tun-session.h"

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TUNNEL = 7, N = 3 };

typedef struct {
  AditDpLink *link;
  AditDpSession *session;
  guint frames;
} Member;

typedef struct {
  TunDp *dp;
  AditListener *listener;
  TunPort port[N]; /* of 0 all sessions, if it is shared */
  int system[N];   /* the other ends of the interfaces */
  int wire;        /* the other end of the sockets */
  Member member[N];
  guint strays;
} Bench;

extern guint64 bench_now_ms;
extern gboolean bench_armed; /**< somebody has armed a timer */

int bench_setup(void **state);
int bench_teardown(void **state);
AditPath path_of(const char *remote, guint16 port);
TunWhere from_of(const AditPath *path, guint32 ingress);
/** Attaches link `n`, of tunnel TUNNEL + n. */
AditDpLink *bench_attach(Bench *b, guint n, const char *remote);
void bench_open_session(Bench *b, guint n, const char *remote, gboolean shared, gboolean check);
guint64 bench_fact(const Bench *b, gsize offset);
/** A counter of all workers together. */
#define FACT(b, field)   bench_fact(b, G_STRUCT_OFFSET(TunWorkerStats, field))
#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
