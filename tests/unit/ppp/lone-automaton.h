/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** One automaton with two options, on a clock that the test turns; what it does is written down: `scr,tlu`, in RFC 1661's words. */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "core/ppp/automaton.h"

typedef struct {
  AditAutomaton fsm;
  AditEngineEnv env;
  guint64 now, woken;
  GString *did;
  AditOptionVerdict verdict;
  gboolean keep_asking; /* what rejected() says */
  guint acks, naks, rejects, begins;
  guint8 code, id; /* of the last packet sent */
  GByteArray *data;
  char failure[100];
} LoneAutomaton;

/* Our own request, as it goes over the wire. */
#define OURS        "\x01\x04\x05\xaa\x07\x02"
#define OURS_LENGTH 6

void lone_automaton_init(LoneAutomaton *f);
void lone_automaton_clear(LoneAutomaton *f);
/** What it did since the last look, and where it is now. */
void lone_automaton_expect(LoneAutomaton *f, const char *did, AditFsmState state);
/** A packet from the peer. */
void lone_automaton_input(LoneAutomaton *f, guint8 code, guint8 id, const void *data, gsize length);
