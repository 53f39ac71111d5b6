/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
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
} Fixture;

static const char *const names[] = {"?", "scr", "sca", "scn", "scn", "str", "sta", "scj"};

static void note(Fixture *f, const char *what) {
  g_string_append_printf(f->did, "%s%s", f->did->len ? "," : "", what);
}

static void on_send(gpointer user, guint8 code, guint8 id, const void *data, gsize length) {
  Fixture *f = user;
  note(f, names[code]);
  f->code = code;
  f->id = id;
  g_byte_array_set_size(f->data, 0);
  if (length)
    g_byte_array_append(f->data, data, (guint)length);
}
static void on_up(gpointer user) {
  note(user, "tlu");
}
static void on_down(gpointer user) {
  note(user, "tld");
}
static void on_started(gpointer user) {
  note(user, "tls");
}
static void on_finished(gpointer user) {
  note(user, "tlf");
}
static gboolean on_knows(gpointer user, const AditPppPacket *packet) {
  return packet->code == 9;
}
static void on_extra(gpointer user, const AditPppPacket *packet) {
  note(user, "ser");
}
static void on_failed(gpointer user, const char *why) {
  Fixture *f = user;
  g_strlcpy(f->failure, why, sizeof f->failure);
  adit_automaton_event(&f->fsm, ADIT_FSM_CLOSE);
}
static const AditAutomatonOps ops = {on_send, on_up, on_down, on_started, on_finished, on_knows, on_extra, on_failed};

static void request(gpointer self, AditBuilder *out) {
  adit_ppp_put_option(out, 1, "\x05\xaa", 2);
  adit_ppp_put_option(out, 7, NULL, 0);
}
static void peer_begin(gpointer self) {
  ((Fixture *)self)->begins++;
}
static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Fixture *f = self;
  if (option->type == 99)
    return ADIT_OPTION_REJECT;
  if (option->type == 8)
    return ADIT_OPTION_ACK;
  if (f->verdict == ADIT_OPTION_NAK)
    adit_ppp_put_option(nak, option->type, "\x01\x02", 2);
  return f->verdict;
}
static void peer_end(gpointer self, AditBuilder *nak) {}
static void acked(gpointer self) {
  ((Fixture *)self)->acks++;
}
static void naked(gpointer self, const AditPppOption *option) {
  ((Fixture *)self)->naks++;
}
static gboolean rejected(gpointer self, const AditPppOption *option) {
  ((Fixture *)self)->rejects++;
  return ((Fixture *)self)->keep_asking;
}
static const AditPppOptionOps options = {sizeof options, request, peer_begin, peer_option, peer_end, acked, naked, rejected};

static guint64 env_now(gpointer host) {
  return ((Fixture *)host)->now;
}
static void env_wake(gpointer host, guint slot, guint64 deadline) {
  ((Fixture *)host)->woken = deadline;
}
static void env_random(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, 0x10, length);
}
static const AditEngineOps engine = {sizeof engine, env_now, env_wake, env_random};

static void fixture_init(Fixture *f) {
  memset(f, 0, sizeof *f);
  f->now = 5000;
  f->env = (AditEngineEnv){&engine, f};
  f->did = g_string_new(NULL);
  f->data = g_byte_array_new();
  f->verdict = ADIT_OPTION_ACK;
  f->keep_asking = TRUE;
  adit_automaton_init(&f->fsm, &ops, f, &options, f, &f->env, 0, NULL);
}

static void fixture_clear(Fixture *f) {
  g_string_free(f->did, TRUE);
  g_byte_array_unref(f->data);
}

static void expect(Fixture *f, const char *did, AditFsmState state) {
  assert_string_equal(f->did->str, did);
  assert_int_equal(f->fsm.state, state);
  g_string_truncate(f->did, 0);
}

static void input(Fixture *f, guint8 code, guint8 id, const void *data, gsize length) {
  g_autofree guint8 *packet = g_malloc(length + 4);
  packet[0] = code;
  packet[1] = id;
  packet[2] = (guint8)((length + 4) >> 8);
  packet[3] = (guint8)(length + 4);
  if (length)
    memcpy(packet + 4, data, length);
  adit_automaton_input(&f->fsm, packet, length + 4);
}

/* Our own request, as it goes over the wire. */
#define OURS        "\x01\x04\x05\xaa\x07\x02"
#define OURS_LENGTH 6

/* ---- RFC 1661 4.1, as it stands there ---- */

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
static void provoke(Fixture *f, guint event) {
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
    input(f, 1, 50, "\x08\x02", 2);
    break;
  case ADIT_FSM_RCR_MINUS:
    input(f, 1, 50, "\x63\x02", 2);
    break;
  case ADIT_FSM_RCA:
    input(f, 2, f->fsm.request_id, OURS, OURS_LENGTH);
    break;
  case ADIT_FSM_RCN:
    input(f, 3, f->fsm.request_id, "\x01\x04\x01\x02", 4);
    break;
  case ADIT_FSM_RTR:
    input(f, 5, 51, NULL, 0);
    break;
  case ADIT_FSM_RTA:
    input(f, 6, 52, NULL, 0);
    break;
  case ADIT_FSM_RUC:
    input(f, 77, 53, NULL, 0);
    break;
  case ADIT_FSM_RXJ_PLUS:
    input(f, 7, 54, "\x0c\x01\x00\x04", 4);
    break;
  case ADIT_FSM_RXJ_MINUS:
    input(f, 7, 54, "\x01\x01\x00\x04", 4);
    break;
  case ADIT_FSM_RXR:
    input(f, 9, 55, "\0\0\0\0", 4);
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
  Fixture f;

  fixture_init(&f);
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
    expect(&f, "", (AditFsmState)state);
    fixture_clear(&f);
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
  expect(&f, visible->str, (AditFsmState)next);
  g_string_free(visible, TRUE);

  /* the restart counter, and the timer with it */
  gboolean sends = has(actions, "scr") || has(actions, "str");
  guint counter = has(actions, "irc") ? (has(actions, "str") ? 2 : 10) : has(actions, "zrc") ? 0 : event == ADIT_FSM_TO_MINUS ? 0 : 77;
  assert_int_equal(f.fsm.restarts, counter - (sends ? 1 : 0));
  if (sends || has(actions, "zrc"))
    assert_int_equal(f.fsm.deadline, f.now + 3000);
  else
    assert_int_equal(f.fsm.deadline != 0, timer_state(next));
  fixture_clear(&f);
}

static void rfc1661_4_1_every_state_and_event(void **state) {
  for (guint event = 0; event < ADIT_FSM_EVENTS; event++)
    for (guint s = 0; s < ADIT_FSM_STATES; s++)
      check_cell(event, s);
}

/* ---- the rest of chapter 4 and 5 ---- */

static void open_it(Fixture *f) {
  adit_automaton_event(&f->fsm, ADIT_FSM_OPEN);
  adit_automaton_event(&f->fsm, ADIT_FSM_UP);
  expect(f, "tls,scr", ADIT_FSM_REQ_SENT);
}

static void fully_open(Fixture *f) {
  open_it(f);
  input(f, 1, 1, "\x08\x02", 2);
  input(f, 2, f->fsm.request_id, OURS, OURS_LENGTH);
  expect(f, "sca,tlu", ADIT_FSM_OPENED);
}

static void rfc1661_4_6_restart_timer_and_max_configure(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  guint8 id = f.id;
  for (guint i = 0; i < 9; i++) {
    f.now += 2999;
    adit_automaton_timeout(&f.fsm); /* too early */
    expect(&f, "", ADIT_FSM_REQ_SENT);
    f.now += 1;
    adit_automaton_timeout(&f.fsm);
    expect(&f, "scr", ADIT_FSM_REQ_SENT);
    assert_int_equal(f.id, id);
  }
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  expect(&f, "tlf", ADIT_FSM_STOPPED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_SILENT);
  assert_int_equal(f.fsm.deadline, 0);
  fixture_clear(&f);
}

static void rfc1661_4_6_max_terminate(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  adit_automaton_event(&f.fsm, ADIT_FSM_CLOSE);
  expect(&f, "tld,str", ADIT_FSM_CLOSING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  expect(&f, "str", ADIT_FSM_CLOSING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  expect(&f, "tlf", ADIT_FSM_CLOSED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_CLOSED);
  fixture_clear(&f);
}

static void rfc1661_4_6_max_failure_turns_nak_to_reject(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  f.verdict = ADIT_OPTION_NAK;
  for (guint i = 0; i < 5; i++) {
    input(&f, 1, (guint8)i, "\x08\x02\x05\x04\xca\xfe", 6);
    assert_int_equal(f.code, ADIT_PPP_CONF_NAK);
    assert_memory_equal(f.data->data, "\x05\x04\x01\x02", 4);
  }
  input(&f, 1, 9, "\x08\x02\x05\x04\xca\xfe", 6);
  assert_int_equal(f.code, ADIT_PPP_CONF_REJ);
  assert_int_equal(f.data->len, 4);
  assert_memory_equal(f.data->data, "\x05\x04\xca\xfe", 4); /* as it came */
  input(&f, 1, 10, "\x08\x02", 2);
  assert_int_equal(f.code, ADIT_PPP_CONF_ACK);
  input(&f, 1, 11, "\x05\x04\xca\xfe", 4); /* counted anew */
  assert_int_equal(f.code, ADIT_PPP_CONF_NAK);
  fixture_clear(&f);
}

static void rfc1661_5_2_ack_repeats_options_verbatim(void **state) {
  static const char odd[] = "\x08\x02\x05\x06\xde\xad\xbe\xef\x08\x02";
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  input(&f, 1, 200, odd, 10);
  assert_int_equal(f.code, ADIT_PPP_CONF_ACK);
  assert_int_equal(f.id, 200);
  assert_int_equal(f.data->len, 10);
  assert_memory_equal(f.data->data, odd, 10);
  fixture_clear(&f);
}

static void rfc1661_5_2_ack_that_differs_is_discarded(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  input(&f, 2, (guint8)(f.fsm.request_id + 1), OURS, OURS_LENGTH);         /* another identifier */
  input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH - 2);                   /* an option short */
  input(&f, 2, f.fsm.request_id, "\x07\x02\x01\x04\x05\xaa", OURS_LENGTH); /* another order */
  expect(&f, "", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.acks, 0);
  assert_int_equal(f.fsm.discarded, 3);
  input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  expect(&f, "", ADIT_FSM_ACK_RCVD);
  assert_int_equal(f.acks, 1);
  input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH); /* the network doubled it: the id is used up */
  expect(&f, "", ADIT_FSM_ACK_RCVD);
  fixture_clear(&f);
}

static void rfc1661_5_4_reject_lists_only_the_bad_ones_unchanged(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  f.verdict = ADIT_OPTION_NAK; /* a Reject goes first */
  input(&f, 1, 3, "\x08\x02\x63\x05\x01\x02\x03\x05\x04\x11\x22\x63\x03\x09", 14);
  assert_int_equal(f.code, ADIT_PPP_CONF_REJ);
  assert_int_equal(f.data->len, 8);
  assert_memory_equal(f.data->data, "\x63\x05\x01\x02\x03\x63\x03\x09", 8);
  fixture_clear(&f);
}

static void rfc1661_5_4_reject_of_what_was_not_asked_is_discarded(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  input(&f, 4, f.fsm.request_id, "\x01\x04\x05\xab", 4); /* another value */
  input(&f, 4, f.fsm.request_id, "\x05\x02", 2);         /* another option */
  expect(&f, "", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.rejects, 0);
  input(&f, 4, f.fsm.request_id, "\x07\x02", 2);
  expect(&f, "scr", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.rejects, 1);
  fixture_clear(&f);
}

static void an_option_that_is_needed_ends_it_when_rejected(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  f.keep_asking = FALSE;
  input(&f, 4, f.fsm.request_id, "\x07\x02", 2);
  expect(&f, "str", ADIT_FSM_CLOSING);
  assert_string_equal(f.failure, "the peer refuses an option that is needed");
  fixture_clear(&f);
}

static void a_peer_that_naks_for_ever_is_left(void **state) {
  Fixture f;
  guint rounds = 0;
  fixture_init(&f);
  open_it(&f);
  while (f.fsm.state == ADIT_FSM_REQ_SENT && rounds < 100) {
    input(&f, 3, f.fsm.request_id, "\x01\x04\x01\x02", 4);
    rounds++;
  }
  assert_int_equal(rounds, 21);
  assert_string_equal(f.failure, "the peer and we can't agree on options");
  fixture_clear(&f);
}

/* It acknowledges all of ours, so that the restart counter never runs out, and asks for nothing, or for what is refused. */
static void a_peer_that_acks_for_ever_without_opening_is_left(void **state) {
  for (guint refused = 0; refused < 2; refused++) {
    Fixture f;
    guint rounds = 0;
    fixture_init(&f);
    open_it(&f);
    for (; f.fsm.state >= ADIT_FSM_REQ_SENT && rounds < 200; rounds++) {
      input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
      if (refused)
        input(&f, 1, (guint8)rounds, "\x63\x02", 2);
      f.now += 3000;
      adit_automaton_timeout(&f.fsm);
    }
    assert_int_equal(f.fsm.state, ADIT_FSM_CLOSING);
    assert_int_equal(rounds, 40);
    assert_string_equal(f.failure, "the peer and we can't agree on options");
    fixture_clear(&f);
  }
}

static void rfc1661_5_1_new_id_after_an_answer_same_id_in_a_retransmission(void **state) {
  Fixture f;
  fixture_init(&f);
  open_it(&f);
  guint8 first = f.id;
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  assert_int_equal(f.id, first);
  input(&f, 3, first, "\x01\x04\x01\x02", 4);
  assert_int_equal(f.code, ADIT_PPP_CONF_REQ);
  assert_int_not_equal(f.id, first);
  input(&f, 3, first, "\x01\x04\x01\x02", 4); /* late: discarded */
  assert_int_equal(f.naks, 1);
  fixture_clear(&f);
}

static void rfc1661_4_3_renegotiation_while_open(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  input(&f, 1, 9, "\x08\x02", 2); /* another identifier: a new request */
  expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  expect(&f, "tlu", ADIT_FSM_OPENED);
  fixture_clear(&f);
}

/* Our Ack was lost, or the network doubled the request: nothing has changed, so nothing goes down. */
static void a_retransmission_while_open_is_acked_again(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  input(&f, 1, 1, "\x08\x02", 2);
  expect(&f, "sca", ADIT_FSM_OPENED);
  input(&f, 1, 1, "\x08\x02\x08\x02", 4); /* the same id, but other options */
  expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  fixture_clear(&f);
}

/* One who begins anew may by chance use the same id and options: it must not be put off for ever. */
static void the_same_request_later_renegotiates(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  f.now += 6000;
  input(&f, 1, 1, "\x08\x02", 2);
  expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  fixture_clear(&f);
}

static void rfc1661_5_5_terminate_ack_copies_the_id(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  input(&f, 5, 0xee, "bye", 3);
  expect(&f, "tld,sta", ADIT_FSM_STOPPING);
  assert_int_equal(f.id, 0xee);
  input(&f, 5, 0xef, NULL, 0); /* our answer was lost */
  expect(&f, "sta", ADIT_FSM_STOPPING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm); /* zrc: one restart period, no Terminate-Request of ours */
  expect(&f, "tlf", ADIT_FSM_STOPPED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_TERMINATED);
  fixture_clear(&f);
}

static void rfc1661_5_6_code_reject_carries_the_packet_up_to_the_mru(void **state) {
  guint8 big[1000];
  Fixture f;
  memset(big, 0x5a, sizeof big);
  fixture_init(&f);
  fully_open(&f);
  f.fsm.mtu = 128;
  input(&f, 99, 7, big, sizeof big);
  expect(&f, "scj", ADIT_FSM_OPENED);
  assert_int_equal(f.data->len, 124);
  assert_memory_equal(f.data->data, "\x63\x07\x03\xec\x5a", 5);
  fixture_clear(&f);
}

static void rfc1661_5_malformed_packets_are_silently_discarded(void **state) {
  Fixture f;
  fixture_init(&f);
  fully_open(&f);
  guint begins = f.begins;
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00", 3);         /* no header */
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00\x03", 4);     /* length under 4 */
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00\x06\x08", 5); /* length over what came */
  input(&f, 1, 5, "\x08\x00", 2);                                          /* option length 0 */
  input(&f, 1, 5, "\x08\x02\x05\x09\x01", 5);                              /* option past the end */
  input(&f, 7, 5, NULL, 0);                                                /* Code-Reject of nothing */
  expect(&f, "", ADIT_FSM_OPENED);
  assert_int_equal(f.begins, begins);
  assert_int_equal(f.fsm.discarded, 6);
  adit_automaton_input(&f.fsm, (const guint8 *)"\x05\x05\x00\x04pad", 7); /* padding is none of its business */
  expect(&f, "tld,sta", ADIT_FSM_STOPPING);
  fixture_clear(&f);
}

static void survives_save_and_restore(void **state) {
  guint8 buffer[600];
  Fixture f, g;
  fixture_init(&f);
  fixture_init(&g);
  open_it(&f);
  f.now += 1000;
  AditBuilder out = adit_builder(buffer, sizeof buffer);
  adit_automaton_save(&f.fsm, &out);
  assert_false(out.bad);

  g.now = 777777; /* another clock */
  AditCursor in = adit_cursor(buffer, adit_built(&out));
  assert_true(adit_automaton_restore(&g.fsm, &in));
  assert_int_equal(adit_left(&in), 0);
  assert_int_equal(g.woken, 777777 + 2000);
  input(&g, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  expect(&g, "", ADIT_FSM_ACK_RCVD);

  for (gsize n = 0; n < adit_built(&out); n++) { /* cut short anywhere */
    Fixture h;
    fixture_init(&h);
    g_autofree guint8 *copy = g_memdup2(buffer, MAX(n, 1));
    in = adit_cursor(copy, n);
    assert_false(adit_automaton_restore(&h.fsm, &in));
    fixture_clear(&h);
  }
  fixture_clear(&f);
  fixture_clear(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc1661_4_1_every_state_and_event),
      cmocka_unit_test(rfc1661_4_6_restart_timer_and_max_configure),
      cmocka_unit_test(rfc1661_4_6_max_terminate),
      cmocka_unit_test(rfc1661_4_6_max_failure_turns_nak_to_reject),
      cmocka_unit_test(rfc1661_5_2_ack_repeats_options_verbatim),
      cmocka_unit_test(rfc1661_5_2_ack_that_differs_is_discarded),
      cmocka_unit_test(rfc1661_5_4_reject_lists_only_the_bad_ones_unchanged),
      cmocka_unit_test(rfc1661_5_4_reject_of_what_was_not_asked_is_discarded),
      cmocka_unit_test(an_option_that_is_needed_ends_it_when_rejected),
      cmocka_unit_test(a_peer_that_naks_for_ever_is_left),
      cmocka_unit_test(a_peer_that_acks_for_ever_without_opening_is_left),
      cmocka_unit_test(rfc1661_5_1_new_id_after_an_answer_same_id_in_a_retransmission),
      cmocka_unit_test(rfc1661_4_3_renegotiation_while_open),
      cmocka_unit_test(a_retransmission_while_open_is_acked_again),
      cmocka_unit_test(the_same_request_later_renegotiates),
      cmocka_unit_test(rfc1661_5_5_terminate_ack_copies_the_id),
      cmocka_unit_test(rfc1661_5_6_code_reject_carries_the_packet_up_to_the_mru),
      cmocka_unit_test(rfc1661_5_malformed_packets_are_silently_discarded),
      cmocka_unit_test(survives_save_and_restore),
  };
  return cmocka_run_group_tests_name("automaton", tests, NULL, NULL);
}
