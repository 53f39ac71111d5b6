/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** cases.h - what the tests of all methods begin with, and what all methods have to bear. */
#pragma once

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "tests/unit/auth/pair.h"

/** A pair whose server `gate` has started; `password` is the right one, NULL = none is known. */
Pair *pair_serve(const AditAuthMethod *method, guint32 seed, const char *password);
/** The same with a client that says `user` and `given`. */
Pair *pair_log_in(const AditAuthMethod *method, guint32 seed, const char *password, const char *user, const char *given);
void pair_inject_bytes(Pair *pair, int which, GBytes *packet);
/** Both ends are of one mind, and it is a good one. */
void pair_assert_ok(Pair *pair);
/** Logins with right and with wrong passwords over a network that loses and doubles, with slow sources, and with daemons
 *  that restart: each ends once, the wrong ones never well, the right ones nearly always. */
void pair_bear_bad_network(const AditAuthMethod *method, guint seeds);
