/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** bundler-world.h - the bundler over a fake of the service of sessions: links and sessions that a test makes. */
#pragma once

#include "plugins/mp/mp-bundle.h"
#include "plugins/mp/mp-bundler.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

enum { LINKS = 20, SESSIONS = 4 };

typedef struct {
  AditLinkInfo info;
  guint16 mrru[2];      /* of us, of the peer; 0 = not agreed */
  gboolean is_short[2]; /* the same */
  GByteArray *peer;     /* its discriminator; NULL = none */
  gboolean ended;
  char *why;
  gboolean dead; /* answers no echo, and nothing comes by it */
  guint64 heard_ms;
  guint probes;
} FakeLink;

typedef struct {
  AditStageSpec spec;
  MpParams params; /* that were published last */
  gboolean placed, refuses;
  guint published, mtu;
} FakeStage;

extern FakeLink links[LINKS];           /* by id - 1 */
extern AditValue *attributes[SESSIONS]; /* of sessions, by id - 1 */
extern FakeStage stage;
extern MpBundler *bundler;
extern gboolean stays_closed; /* place() does not open sessions: their stages are not in place */
extern guint64 now_ms;
extern AditTimer *due; /* that is armed */

int setup(void **state);
int teardown(void **state);
/* Time passes for the one timer that is armed. */
void pass(guint64 ms);
/* A link of a user on which both ends agreed on Multilink, with a peer's discriminator of class 1; NULL = none. */
FakeLink *link_of(AditLinkId id, const char *user, const char *peer);
/* What becomes of a link: 'n'one, 'r'efused, or the session that it founds or joins; all callbacks are made. */
char place(AditLinkId id, AditSessionId own);
/* Its data plane is there. */
void open_session(AditSessionId session);
void leave(AditLinkId id, guint left);
/* LCP of a link of session 1 goes down and up. */
void renegotiate(AditLinkId id);
