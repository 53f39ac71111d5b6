/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/ppp/lone-automaton.h"

/* ---- the rest of chapter 4 and 5 ---- */

static void open_it(LoneAutomaton *f) {
  adit_automaton_event(&f->fsm, ADIT_FSM_OPEN);
  adit_automaton_event(&f->fsm, ADIT_FSM_UP);
  lone_automaton_expect(f, "tls,scr", ADIT_FSM_REQ_SENT);
}

static void fully_open(LoneAutomaton *f) {
  open_it(f);
  lone_automaton_input(f, 1, 1, "\x08\x02", 2);
  lone_automaton_input(f, 2, f->fsm.request_id, OURS, OURS_LENGTH);
  lone_automaton_expect(f, "sca,tlu", ADIT_FSM_OPENED);
}

static void rfc1661_4_6_restart_timer_and_max_configure(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  guint8 id = f.id;
  for (guint i = 0; i < 9; i++) {
    f.now += 2999;
    adit_automaton_timeout(&f.fsm); /* too early */
    lone_automaton_expect(&f, "", ADIT_FSM_REQ_SENT);
    f.now += 1;
    adit_automaton_timeout(&f.fsm);
    lone_automaton_expect(&f, "scr", ADIT_FSM_REQ_SENT);
    assert_int_equal(f.id, id);
  }
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  lone_automaton_expect(&f, "tlf", ADIT_FSM_STOPPED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_SILENT);
  assert_int_equal(f.fsm.deadline, 0);
  lone_automaton_clear(&f);
}

static void rfc1661_4_6_max_terminate(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  adit_automaton_event(&f.fsm, ADIT_FSM_CLOSE);
  lone_automaton_expect(&f, "tld,str", ADIT_FSM_CLOSING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  lone_automaton_expect(&f, "str", ADIT_FSM_CLOSING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  lone_automaton_expect(&f, "tlf", ADIT_FSM_CLOSED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_CLOSED);
  lone_automaton_clear(&f);
}

static void rfc1661_4_6_max_failure_turns_nak_to_reject(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  f.verdict = ADIT_OPTION_NAK;
  for (guint i = 0; i < 5; i++) {
    lone_automaton_input(&f, 1, (guint8)i, "\x08\x02\x05\x04\xca\xfe", 6);
    assert_int_equal(f.code, ADIT_PPP_CONF_NAK);
    assert_memory_equal(f.data->data, "\x05\x04\x01\x02", 4);
  }
  lone_automaton_input(&f, 1, 9, "\x08\x02\x05\x04\xca\xfe", 6);
  assert_int_equal(f.code, ADIT_PPP_CONF_REJ);
  assert_int_equal(f.data->len, 4);
  assert_memory_equal(f.data->data, "\x05\x04\xca\xfe", 4); /* as it came */
  lone_automaton_input(&f, 1, 10, "\x08\x02", 2);
  assert_int_equal(f.code, ADIT_PPP_CONF_ACK);
  lone_automaton_input(&f, 1, 11, "\x05\x04\xca\xfe", 4); /* counted anew */
  assert_int_equal(f.code, ADIT_PPP_CONF_NAK);
  lone_automaton_clear(&f);
}

static void rfc1661_5_2_ack_repeats_options_verbatim(void **state) {
  static const char odd[] = "\x08\x02\x05\x06\xde\xad\xbe\xef\x08\x02";
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  lone_automaton_input(&f, 1, 200, odd, 10);
  assert_int_equal(f.code, ADIT_PPP_CONF_ACK);
  assert_int_equal(f.id, 200);
  assert_int_equal(f.data->len, 10);
  assert_memory_equal(f.data->data, odd, 10);
  lone_automaton_clear(&f);
}

static void rfc1661_5_2_ack_that_differs_is_discarded(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  lone_automaton_input(&f, 2, (guint8)(f.fsm.request_id + 1), OURS, OURS_LENGTH);         /* another identifier */
  lone_automaton_input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH - 2);                   /* an option short */
  lone_automaton_input(&f, 2, f.fsm.request_id, "\x07\x02\x01\x04\x05\xaa", OURS_LENGTH); /* another order */
  lone_automaton_expect(&f, "", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.acks, 0);
  assert_int_equal(f.fsm.discarded, 3);
  lone_automaton_input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  lone_automaton_expect(&f, "", ADIT_FSM_ACK_RCVD);
  assert_int_equal(f.acks, 1);
  lone_automaton_input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH); /* the network doubled it: the id is used up */
  lone_automaton_expect(&f, "", ADIT_FSM_ACK_RCVD);
  lone_automaton_clear(&f);
}

static void rfc1661_5_4_reject_lists_only_the_bad_ones_unchanged(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  f.verdict = ADIT_OPTION_NAK; /* a Reject goes first */
  lone_automaton_input(&f, 1, 3, "\x08\x02\x63\x05\x01\x02\x03\x05\x04\x11\x22\x63\x03\x09", 14);
  assert_int_equal(f.code, ADIT_PPP_CONF_REJ);
  assert_int_equal(f.data->len, 8);
  assert_memory_equal(f.data->data, "\x63\x05\x01\x02\x03\x63\x03\x09", 8);
  lone_automaton_clear(&f);
}

static void rfc1661_5_4_reject_of_what_was_not_asked_is_discarded(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  lone_automaton_input(&f, 4, f.fsm.request_id, "\x01\x04\x05\xab", 4); /* another value */
  lone_automaton_input(&f, 4, f.fsm.request_id, "\x05\x02", 2);         /* another option */
  lone_automaton_expect(&f, "", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.rejects, 0);
  lone_automaton_input(&f, 4, f.fsm.request_id, "\x07\x02", 2);
  lone_automaton_expect(&f, "scr", ADIT_FSM_REQ_SENT);
  assert_int_equal(f.rejects, 1);
  lone_automaton_clear(&f);
}

static void an_option_that_is_needed_ends_it_when_rejected(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  f.keep_asking = FALSE;
  lone_automaton_input(&f, 4, f.fsm.request_id, "\x07\x02", 2);
  lone_automaton_expect(&f, "str", ADIT_FSM_CLOSING);
  assert_string_equal(f.failure, "the peer refuses an option that is needed");
  lone_automaton_clear(&f);
}

static void a_peer_that_naks_for_ever_is_left(void **state) {
  LoneAutomaton f;
  guint rounds = 0;
  lone_automaton_init(&f);
  open_it(&f);
  while (f.fsm.state == ADIT_FSM_REQ_SENT && rounds < 100) {
    lone_automaton_input(&f, 3, f.fsm.request_id, "\x01\x04\x01\x02", 4);
    rounds++;
  }
  assert_int_equal(rounds, 21);
  assert_string_equal(f.failure, "the peer and we can't agree on options");
  lone_automaton_clear(&f);
}

/* It acknowledges all of ours, so that the restart counter never runs out, and asks for nothing, or for what is refused. */
static void a_peer_that_acks_for_ever_without_opening_is_left(void **state) {
  for (guint refused = 0; refused < 2; refused++) {
    LoneAutomaton f;
    guint rounds = 0;
    lone_automaton_init(&f);
    open_it(&f);
    for (; f.fsm.state >= ADIT_FSM_REQ_SENT && rounds < 200; rounds++) {
      lone_automaton_input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
      if (refused)
        lone_automaton_input(&f, 1, (guint8)rounds, "\x63\x02", 2);
      f.now += 3000;
      adit_automaton_timeout(&f.fsm);
    }
    assert_int_equal(f.fsm.state, ADIT_FSM_CLOSING);
    assert_int_equal(rounds, 40);
    assert_string_equal(f.failure, "the peer and we can't agree on options");
    lone_automaton_clear(&f);
  }
}

static void rfc1661_5_1_new_id_after_an_answer_same_id_in_a_retransmission(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  open_it(&f);
  guint8 first = f.id;
  f.now += 3000;
  adit_automaton_timeout(&f.fsm);
  assert_int_equal(f.id, first);
  lone_automaton_input(&f, 3, first, "\x01\x04\x01\x02", 4);
  assert_int_equal(f.code, ADIT_PPP_CONF_REQ);
  assert_int_not_equal(f.id, first);
  lone_automaton_input(&f, 3, first, "\x01\x04\x01\x02", 4); /* late: discarded */
  assert_int_equal(f.naks, 1);
  lone_automaton_clear(&f);
}

static void rfc1661_4_3_renegotiation_while_open(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  lone_automaton_input(&f, 1, 9, "\x08\x02", 2); /* another identifier: a new request */
  lone_automaton_expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  lone_automaton_input(&f, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  lone_automaton_expect(&f, "tlu", ADIT_FSM_OPENED);
  lone_automaton_clear(&f);
}

/* Our Ack was lost, or the network doubled the request: nothing has changed, so nothing goes down. */
static void a_retransmission_while_open_is_acked_again(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  lone_automaton_input(&f, 1, 1, "\x08\x02", 2);
  lone_automaton_expect(&f, "sca", ADIT_FSM_OPENED);
  lone_automaton_input(&f, 1, 1, "\x08\x02\x08\x02", 4); /* the same id, but other options */
  lone_automaton_expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  lone_automaton_clear(&f);
}

/* One who begins anew may by chance use the same id and options: it must not be put off for ever. */
static void the_same_request_later_renegotiates(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  f.now += 6000;
  lone_automaton_input(&f, 1, 1, "\x08\x02", 2);
  lone_automaton_expect(&f, "tld,scr,sca", ADIT_FSM_ACK_SENT);
  lone_automaton_clear(&f);
}

static void rfc1661_5_5_terminate_ack_copies_the_id(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  lone_automaton_input(&f, 5, 0xee, "bye", 3);
  lone_automaton_expect(&f, "tld,sta", ADIT_FSM_STOPPING);
  assert_int_equal(f.id, 0xee);
  lone_automaton_input(&f, 5, 0xef, NULL, 0); /* our answer was lost */
  lone_automaton_expect(&f, "sta", ADIT_FSM_STOPPING);
  f.now += 3000;
  adit_automaton_timeout(&f.fsm); /* zrc: one restart period, no Terminate-Request of ours */
  lone_automaton_expect(&f, "tlf", ADIT_FSM_STOPPED);
  assert_int_equal(f.fsm.end, ADIT_FSM_END_TERMINATED);
  lone_automaton_clear(&f);
}

static void rfc1661_5_6_code_reject_carries_the_packet_up_to_the_mru(void **state) {
  guint8 big[1000];
  LoneAutomaton f;
  memset(big, 0x5a, sizeof big);
  lone_automaton_init(&f);
  fully_open(&f);
  f.fsm.mtu = 128;
  lone_automaton_input(&f, 99, 7, big, sizeof big);
  lone_automaton_expect(&f, "scj", ADIT_FSM_OPENED);
  assert_int_equal(f.data->len, 124);
  assert_memory_equal(f.data->data, "\x63\x07\x03\xec\x5a", 5);
  lone_automaton_clear(&f);
}

static void rfc1661_5_malformed_packets_are_silently_discarded(void **state) {
  LoneAutomaton f;
  lone_automaton_init(&f);
  fully_open(&f);
  guint begins = f.begins;
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00", 3);         /* no header */
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00\x03", 4);     /* length under 4 */
  adit_automaton_input(&f.fsm, (const guint8 *)"\x01\x05\x00\x06\x08", 5); /* length over what came */
  lone_automaton_input(&f, 1, 5, "\x08\x00", 2);                           /* option length 0 */
  lone_automaton_input(&f, 1, 5, "\x08\x02\x05\x09\x01", 5);               /* option past the end */
  lone_automaton_input(&f, 7, 5, NULL, 0);                                 /* Code-Reject of nothing */
  lone_automaton_expect(&f, "", ADIT_FSM_OPENED);
  assert_int_equal(f.begins, begins);
  assert_int_equal(f.fsm.discarded, 6);
  adit_automaton_input(&f.fsm, (const guint8 *)"\x05\x05\x00\x04pad", 7); /* padding is none of its business */
  lone_automaton_expect(&f, "tld,sta", ADIT_FSM_STOPPING);
  lone_automaton_clear(&f);
}

static void survives_save_and_restore(void **state) {
  guint8 buffer[600];
  LoneAutomaton f, g;
  lone_automaton_init(&f);
  lone_automaton_init(&g);
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
  lone_automaton_input(&g, 2, f.fsm.request_id, OURS, OURS_LENGTH);
  lone_automaton_expect(&g, "", ADIT_FSM_ACK_RCVD);

  for (gsize n = 0; n < adit_built(&out); n++) { /* cut short anywhere */
    LoneAutomaton h;
    lone_automaton_init(&h);
    g_autofree guint8 *copy = g_memdup2(buffer, MAX(n, 1));
    in = adit_cursor(copy, n);
    assert_false(adit_automaton_restore(&h.fsm, &in));
    lone_automaton_clear(&h);
  }
  lone_automaton_clear(&f);
  lone_automaton_clear(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
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
