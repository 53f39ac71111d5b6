/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** What tests of the network side share: a configuration of servers on a fake core, and a server on loopback that does as it is told. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "plugins-auth/radius/servers/config.h"
#include "plugins-auth/radius/servers/exchange.h"
#include "tests/lib/adit-test.h"

#define NET_SECRET "testing123"

typedef struct {
  AditTest *test;
  Radius radius;
  GPtrArray *fakes; /**< servers that are there: they go with it */
} Net;

Net *net_new(void);
void net_free(Net *net);
/** An item of `servers`: pairs of option and text, ended by NULL. Address 127.0.0.1 (with a name: one
 *  of its own) and NET_SECRET if they are not given. */
AditValue *net_server(const char *key, ...) G_GNUC_NULL_TERMINATED;
/** { radius: { servers: [...] } } of those, ended by NULL, which are taken over. */
AditValue *net_tree(AditValue *first, ...) G_GNUC_NULL_TERMINATED;
/** Makes that tree (taken over) the configuration, as a load or reload does. */
void net_configure(Net *net, AditValue *tree);
RadiusServer *net_get(Net *net, guint index);

/* ---- a server ---- */

typedef enum {
  FAKE_ANSWERS = 0,
  FAKE_SILENT,
  FAKE_WRONG_AUTHENTICATOR,
  FAKE_WRONG_SECRET,
  FAKE_UNSIGNED,
  FAKE_TRUNCATED,
  FAKE_BIT_FLIPPED,
  FAKE_WRONG_ID,
  FAKE_FROM_ELSEWHERE,
  FAKE_TWICE,
  FAKE_EMPTY,
  FAKE_UNSIGNED_EAP,
} FakeMood;

typedef struct {
  guint8 data[RADIUS_MAX];
  gsize length;
  AditEndpoint from;
} FakeRequest;

typedef struct {
  Net *net;
  int fd, other_fd;
  guint16 port;
  char port_text[6];
  AditWatch *watch;
  FakeMood mood;
  guint8 code;      /**< of answers; 0 = Accept or Accounting-Response, as fits */
  guint lose;       /**< so many requests are not even seen, first */
  GArray *requests; /**< of FakeRequest */
} Fake;

Fake *fake_new(Net *net); /**< on 127.0.0.1; goes with `net`, if not before */
/** NULL where this machine has no such address. */
Fake *fake_new_at(Net *net, const char *loopback);
void fake_free(Fake *fake);
const FakeRequest *fake_request(const Fake *fake, guint index);
/** Answers one that came before. */
void fake_answer(Fake *fake, guint index, FakeMood mood);

/* ---- an exchange ---- */

typedef struct {
  guint done; /**< times that it was called */
  RadiusResult result;
  guint8 code;
  guint8 authenticator[16];
  guint32 delay; /**< what it writes as Acct-Delay-Time */
  guint filled;
  AditAddress nas;
} Asked;

/** Asks it as `asked`, which must stay. */
RadiusExchange *net_ask(Net *net, RadiusServer *server, guint8 code, gboolean impatient, Asked *asked);
