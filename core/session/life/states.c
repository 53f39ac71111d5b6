/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/states.h"

#define ROW(from, event, to, action)                                                                                                       \
  { ADIT_LIFE_##from, ADIT_LIFE_##event, ADIT_LIFE_##to, ADIT_LIFE_##action }

static const AditLifeRow rows[] = {
    ROW(OPENING, PORT_OPENED, NEGOTIATING, OPEN_PLANE),
    ROW(OPENING, NETWORK_OPENED, OPENING, IGNORE), /* it is claimed when the interface is there */
    ROW(OPENING, NCP_SETTLED, OPENING, IGNORE),
    ROW(OPENING, END, ENDING, CLOSE),

    ROW(NEGOTIATING, NETWORK_OPENED, APPLYING, CLAIM),
    ROW(NEGOTIATING, NCP_SETTLED, NEGOTIATING, IGNORE),
    ROW(NEGOTIATING, PATIENCE_OVER, NEGOTIATING, IGNORE), /* what was settled, the kernel has refused since */
    ROW(NEGOTIATING, END, ENDING, CLOSE),

    ROW(APPLYING, NETWORK_OPENED, APPLYING, CLAIM),
    ROW(APPLYING, NCP_SETTLED, APPLYING, IGNORE),
    ROW(APPLYING, PATIENCE_OVER, APPLYING, IGNORE),
    ROW(APPLYING, KERNEL_ANSWERED, APPLYING, JUDGE),
    ROW(APPLYING, APPLIED, SETTLING, AWAIT_NCPS),
    ROW(APPLYING, NOTHING_APPLIED, NEGOTIATING, IGNORE),
    ROW(APPLYING, END, ENDING, CLOSE),

    ROW(SETTLING, NETWORK_OPENED, APPLYING, CLAIM),
    ROW(SETTLING, NCP_SETTLED, SETTLING, AWAIT_NCPS),
    ROW(SETTLING, PATIENCE_OVER, SETTLING, AWAIT_NCPS),
    ROW(SETTLING, KERNEL_ANSWERED, SETTLING, JUDGE), /* another program removed its address or route */
    ROW(SETTLING, APPLIED, SETTLING, AWAIT_NCPS),
    ROW(SETTLING, NOTHING_APPLIED, NEGOTIATING, IGNORE),
    ROW(SETTLING, SETTLED, UP, BEGIN),
    ROW(SETTLING, END, ENDING, CLOSE),

    ROW(UP, NETWORK_OPENED, UP, CLAIM),
    ROW(UP, NCP_SETTLED, UP, IGNORE),
    ROW(UP, KERNEL_ANSWERED, UP, JUDGE),
    ROW(UP, APPLIED, UP, TELL_CHANGE),
    ROW(UP, NOTHING_APPLIED, UP, IGNORE), /* an NCP is still trying, and a session begins once */
    ROW(UP, END, ENDING, CLOSE),

    ROW(ENDING, NCP_SETTLED, ENDING, IGNORE),
    ROW(ENDING, END, ENDING, IGNORE), /* the first cause counts */
    ROW(ENDING, PORT_CLOSED, GONE, FINISH),

    ROW(GONE, END, GONE, IGNORE),
};

const AditLifeRow *adit_life_rows(guint *n) {
  *n = G_N_ELEMENTS(rows);
  return rows;
}

const AditLifeRow *adit_life_row(AditLifeState from, AditLifeEvent event) {
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].from == from && rows[i].event == event)
      return &rows[i];
  return NULL;
}

gboolean adit_life_is_over(AditLifeState state) {
  return state == ADIT_LIFE_ENDING || state == ADIT_LIFE_GONE;
}

const char *adit_life_state_word(AditLifeState state) {
  static const char *const words[ADIT_LIFE_STATES] = {"opening", "negotiating", "applying", "settling", "up", "ending", "gone"};
  return state < ADIT_LIFE_STATES ? words[state] : "?";
}

const char *adit_life_event_word(AditLifeEvent event) {
  static const char *const words[ADIT_LIFE_EVENTS] = {"port-opened", "network-opened",  "ncp-settled", "patience-over", "kernel-answered",
                                                      "applied",     "nothing-applied", "settled",     "end",           "port-closed"};
  return event < ADIT_LIFE_EVENTS ? words[event] : "?";
}
