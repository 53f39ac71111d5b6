/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/control/turns.h - the management socket's share of the main loop: work runs in turns, one after the other, for at most a few
 * milliseconds in each pass of the loop, all turns together.
 *
 * All work for callers is done in turns: received messages, rows of lists. So callers, however many, cannot hold the loop. [main]
 */
#pragma once

#include <glib.h>

#define ADIT_TURNS_PASS_US 2000 /**< for all in one pass of the loop */
#define ADIT_TURN_US       500  /**< for one, if others wait */

typedef struct AditTurn AditTurn;
struct AditTurn {
  /** Works until `deadline_us` (g_get_monotonic_time()) or a bit later. TRUE: wants another turn. May cancel or free its own turn, and then
   *  says FALSE. */
  gboolean (*work)(gpointer data, gint64 deadline_us);
  gpointer data;
  GList link;      /**< private */
  gboolean queued; /**< private */
};

void adit_turns_init(void);
void adit_turns_fini(void);

/** Gives it a turn in the next pass; harmless when it has one. */
void adit_turn_request(AditTurn *turn);
/** Harmless when it has none. */
void adit_turn_cancel(AditTurn *turn);

/** One pass, as the main loop makes it. TRUE: there is more to do. */
gboolean adit_turns_pass(void);

/** The longest pass so far, in microseconds of processor time. */
gint64 adit_turns_longest_us(void);
