/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/life/states.h - the states of a session, and what leads from one to the next. Pure. [any]
 *
 *     opening -> negotiating -> applying -> settling -> up -> ending -> gone
 *
 * Any state before `ending` leads there, too. A session goes back to negotiating when the kernel refuses all that was agreed on, and
 * back to applying when another NCP opens.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_LIFE_OPENING,     /**< the interface is being opened; NCPs negotiate meanwhile */
  ADIT_LIFE_NEGOTIATING, /**< the interface is open, and the kernel has nothing to be told */
  ADIT_LIFE_APPLYING,    /**< the kernel is being told what an NCP agreed on */
  ADIT_LIFE_SETTLING,    /**< the kernel has it; optional NCPs have two seconds to open, required ones until they fail */
  ADIT_LIFE_UP,
  ADIT_LIFE_ENDING, /**< the interface is being closed */
  ADIT_LIFE_GONE,   /**< the last counters are told */
  ADIT_LIFE_STATES, /**< how many there are */
} AditLifeState;

typedef enum {
  ADIT_LIFE_PORT_OPENED,     /**< the interface is open */
  ADIT_LIFE_NETWORK_OPENED,  /**< an NCP is open, and the kernel has not been told of its addresses */
  ADIT_LIFE_NCP_SETTLED,     /**< an NCP is over, or open as it was: no wait for it is needed */
  ADIT_LIFE_PATIENCE_OVER,   /**< optional NCPs delay the session no longer */
  ADIT_LIFE_KERNEL_ANSWERED, /**< nothing that was asked of the kernel is open */
  ADIT_LIFE_APPLIED,         /**< judged: the kernel has the addresses of one NCP at least */
  ADIT_LIFE_NOTHING_APPLIED, /**< judged: it has none, and another NCP may still open */
  ADIT_LIFE_SETTLED,         /**< no NCP delays the session */
  ADIT_LIFE_END,             /**< the session is to end; the session has cause and reason */
  ADIT_LIFE_PORT_CLOSED,     /**< the interface is closed or left */
  ADIT_LIFE_EVENTS,          /**< how many there are */
} AditLifeEvent;

/** The action in the state that was entered. */
typedef enum {
  ADIT_LIFE_IGNORE,      /**< expected, and nothing to do */
  ADIT_LIFE_OPEN_PLANE,  /**< NETWORK_OPENED, if an NCP opened before the interface did */
  ADIT_LIFE_CLAIM,       /**< claim addresses and routes of the kernel */
  ADIT_LIFE_JUDGE,       /**< look at what the kernel refused: APPLIED, NOTHING_APPLIED or END */
  ADIT_LIFE_AWAIT_NCPS,  /**< SETTLED, unless the session waits for an NCP */
  ADIT_LIFE_BEGIN,       /**< limits, accounting's Start, session-up */
  ADIT_LIFE_TELL_CHANGE, /**< accounting's Interim, session-update */
  ADIT_LIFE_CLOSE,       /**< data plane, NCPs, claims and interface; the links say goodbye */
  ADIT_LIFE_FINISH,      /**< accounting's Stop, session-down; addresses are released */
  ADIT_LIFE_ACTIONS,     /**< how many there are */
} AditLifeAction;

typedef struct {
  AditLifeState from;
  AditLifeEvent event;
  AditLifeState to;
  AditLifeAction action;
} AditLifeRow;

/** All rows, one for each event that may come in a state. */
const AditLifeRow *adit_life_rows(guint *n);
/** The row of an event in a state; NULL = it must not come there. */
const AditLifeRow *adit_life_row(AditLifeState from, AditLifeEvent event);
/** Is it over, or about to be? */
gboolean adit_life_is_over(AditLifeState state);
/** For people: `up`, `opening`. */
const char *adit_life_state_word(AditLifeState state);
const char *adit_life_event_word(AditLifeEvent event);

G_END_DECLS
