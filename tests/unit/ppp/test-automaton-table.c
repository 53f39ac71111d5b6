/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/ppp/lone-automaton.h"

/* ---- the table of RFC 1661 4.1 ---- */

/* clang-format off */
static const char *const rfc_table[16][10] = {
/*        Initial  Starting    Closed       Stopped         Closing  Stopping  Req-Sent     Ack-Rcvd     Ack-Sent     Opened */
/* Up   */{"2",    "irc,scr/6","-",         "-",            "-",     "-",      "-",         "-",         "-",         "-"},
/* Down */{"-",    "-",        "0",         "tls/1",        "0",     "1",      "1",         "1",         "1",         "tld/1"},
/* Open */{"tls/1","1",        "irc,scr/6", "3",            "5",     "5",      "6",         "7",         "8",         "9"},
/* Close*/{"0",    "tlf/0",    "2",         "2",            "4",     "4",      "irc,str/4", "irc,str/4", "irc,str/4", "tld,irc,str/4"},
/* TO+  */{"-",    "-",        "-",         "-",            "str/4", "str/5",  "scr/6",     "scr/6",     "scr/8",     "-"},
/* TO-  */{"-",    "-",        "-",         "-",            "tlf/2", "tlf/3",  "tlf/3",     "tlf/3",     "tlf/3",     "-"},
/* RCR+ */{"-",    "-",        "sta/2",     "irc,scr,sca/8","4",     "5",      "sca/8",     "sca,tlu/9", "sca/8",     "tld,scr,sca/8"},
/* RCR- */{"-",    "-",        "sta/2",     "irc,scr,scn/6","4",     "5",      "scn/6",     "scn/7",     "scn/6",     "tld,scr,scn/6"},
/* RCA  */{"-",    "-",        "sta/2",     "sta/3",        "4",     "5",      "irc/7",     "scr/6",     "irc,tlu/9", "tld,scr/6"},
/* RCN  */{"-",    "-",        "sta/2",     "sta/3",        "4",     "5",      "irc,scr/6", "scr/6",     "irc,scr/8", "tld,scr/6"},
/* RTR  */{"-",    "-",        "sta/2",     "sta/3",        "sta/4", "sta/5",  "sta/6",     "sta/6",     "sta/6",     "tld,zrc,sta/5"},
/* RTA  */{"-",    "-",        "2",         "3",            "tlf/2", "tlf/3",  "6",         "6",         "8",         "tld,scr/6"},
/* RUC  */{"-",    "-",        "scj/2",     "scj/3",        "scj/4", "scj/5",  "scj/6",     "scj/7",     "scj/8",     "scj/9"},
/* RXJ+ */{"-",    "-",        "2",         "3",            "4",     "5",      "6",         "6",         "8",         "9"},
/* RXJ- */{"-",    "-",        "tlf/2",     "tlf/3",        "tlf/2", "tlf/3",  "tlf/3",     "tlf/3",     "tlf/3",     "tld,irc,str/5"},
/* RXR  */{"-",    "-",        "2",         "3",            "4",     "5",      "6",         "7",         "8",         "ser/9"},
};
/* clang-format on */

/** Raises the event the way it comes in life. */
static void provoke(LoneAutomaton *f, guint event) {
  switch ((AditFsmEvent)event) {
  case ADIT_FSM_UP:
  case ADIT_FSM_DOWN:
  case ADIT_FSM_OPEN:
  case ADIT_FSM_CLOSE:
    adit_automaton_event(&f->fsm, (AditFsmEvent)event);
    break;
  case ADIT_FSM_TO_PLUS:
  case ADIT_FSM_TO_MINUS:
    f->fsm.restarts = event == ADIT_FSM_TO_PLUS ? 77 : 0;
    f->now = MAX(f->now, f->fsm.deadline);
    adit_automaton_timeout(&f->fsm);
    break;
  case ADIT_FSM_RCR_PLUS:
    lone_automaton_input(f, 1, 50, "\x08\x02", 2);
    break;
  case ADIT_FSM_RCR_MINUS:
    lone_automaton_input(f, 1, 50, "\x63\x02", 2);
    break;
  case ADIT_FSM_RCA:
    lone_automaton_input(f, 2, f->fsm.request_id, OURS, OURS_LENGTH);
    break;
  case ADIT_FSM_RCN:
    lone_automaton_input(f, 3, f->fsm.request_id, "\x01\x04\x01\x02", 4);
    break;
  case ADIT_FSM_RTR:
    lone_automaton_input(f, 5, 51, NULL, 0);
    break;
  case ADIT_FSM_RTA:
    lone_automaton_input(f, 6, 52, NULL, 0);
    break;
  case ADIT_FSM_RUC:
    lone_automaton_input(f, 77, 53, NULL, 0);
    break;
  case ADIT_FSM_RXJ_PLUS:
    lone_automaton_input(f, 7, 54, "\x0c\x01\x00\x04", 4);
    break;
  case ADIT_FSM_RXJ_MINUS:
    lone_automaton_input(f, 7, 54, "\x01\x01\x00\x04", 4);
    break;
  case ADIT_FSM_RXR:
    lone_automaton_input(f, 9, 55, "\0\0\0\0", 4);
    break;
  }
}

static gboolean has(char **actions, const char *what) {
  return g_strv_contains((const char *const *)actions, what);
}

static gboolean timer_state(guint state) {
  return state >= 4 && state <= 8;
}

static void check_cell(guint event, guint state) {
  const char *cell = rfc_table[event][state];
  LoneAutomaton f;

  lone_automaton_init(&f);
  f.fsm.state = (AditFsmState)state;
  f.fsm.restarts = 77;
  f.fsm.layer_up = state == 9;
  if (state >= 6) { /* a request of ours is out */
    f.fsm.awaiting = TRUE;
    f.fsm.request_id = 0x42;
    memcpy(f.fsm.request, OURS, OURS_LENGTH);
    f.fsm.request_length = OURS_LENGTH;
  }
  if (timer_state(state))
    f.fsm.deadline = f.now + 1000;
  provoke(&f, event);

  if (strcmp(cell, "-") == 0) {
    lone_automaton_expect(&f, "", (AditFsmState)state);
    lone_automaton_clear(&f);
    return;
  }

  const char *slash = strchr(cell, '/');
  guint next = (guint)atoi(slash ? slash + 1 : cell);
  g_autofree char *list = slash ? g_strndup(cell, (gsize)(slash - cell)) : g_strdup("");
  g_auto(GStrv) actions = g_strsplit(list, ",", -1);
  GString *visible = g_string_new(NULL);
  for (guint i = 0; actions[i]; i++)
    if (strcmp(actions[i], "irc") != 0 && strcmp(actions[i], "zrc") != 0)
      g_string_append_printf(visible, "%s%s", visible->len ? "," : "", actions[i]);
  lone_automaton_expect(&f, visible->str, (AditFsmState)next);
  g_string_free(visible, TRUE);

  /* the restart counter, and the timer with it */
  gboolean sends = has(actions, "scr") || has(actions, "str");
  guint counter = has(actions, "irc") ? (has(actions, "str") ? 2 : 10) : has(actions, "zrc") ? 0 : event == ADIT_FSM_TO_MINUS ? 0 : 77;
  assert_int_equal(f.fsm.restarts, counter - (sends ? 1 : 0));
  if (sends || has(actions, "zrc"))
    assert_int_equal(f.fsm.deadline, f.now + 3000);
  else
    assert_int_equal(f.fsm.deadline != 0, timer_state(next));
  lone_automaton_clear(&f);
}

static void rfc1661_4_1_every_state_and_event(void **state) {
  for (guint event = 0; event < ADIT_FSM_EVENTS; event++)
    for (guint s = 0; s < ADIT_FSM_STATES; s++)
      check_cell(event, s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rfc1661_4_1_every_state_and_event)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
