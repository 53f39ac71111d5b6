/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/automaton.h"
#include "core/base/hold.h"

/* ---- the table of RFC 1661 4.1 ---- */

typedef enum { NONE = 0, TLU, TLD, TLS, TLF, IRC, ZRC, SCR, SCA, SCN, STR, STA, SCJ, SER } Action;

typedef struct {
  guint8 impossible; /* "-" in the RFC's table */
  guint8 next;
  guint8 actions[3];
} Cell;

#define GO(state, ...)                                                                                                                     \
  {                                                                                                                                        \
    0, state, {                                                                                                                            \
      __VA_ARGS__                                                                                                                          \
    }                                                                                                                                      \
  }
#define NO                                                                                                                                 \
  {                                                                                                                                        \
    1, 0, {                                                                                                                                \
      0                                                                                                                                    \
    }                                                                                                                                      \
  }

enum { S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 };

/* The restart and passive options of the RFC (marks r and p) are not taken: Open in an open state does nothing, and a
 * peer that stays silent finishes the layer, though the automaton still answers it afterwards. */
static const Cell table[ADIT_FSM_EVENTS][ADIT_FSM_STATES] = {
    /*        Initial      Starting           Closed             Stopped                  Closing            */
    /*        Stopping     Req-Sent           Ack-Rcvd           Ack-Sent                 Opened             */
    [ADIT_FSM_UP] = {GO(S2), GO(S6, IRC, SCR), NO, NO, NO, /**/ NO, NO, NO, NO, NO},
    [ADIT_FSM_DOWN] = {NO, NO, GO(S0), GO(S1, TLS), GO(S0), /**/ GO(S1), GO(S1), GO(S1), GO(S1), GO(S1, TLD)},
    [ADIT_FSM_OPEN] = {GO(S1, TLS), GO(S1), GO(S6, IRC, SCR), GO(S3), GO(S5), /**/ GO(S5), GO(S6), GO(S7), GO(S8), GO(S9)},
    [ADIT_FSM_CLOSE] = {GO(S0), GO(S0, TLF), GO(S2), GO(S2), GO(S4), /**/
                        GO(S4), GO(S4, IRC, STR), GO(S4, IRC, STR), GO(S4, IRC, STR), GO(S4, TLD, IRC, STR)},
    [ADIT_FSM_TO_PLUS] = {NO, NO, NO, NO, GO(S4, STR), /**/ GO(S5, STR), GO(S6, SCR), GO(S6, SCR), GO(S8, SCR), NO},
    [ADIT_FSM_TO_MINUS] = {NO, NO, NO, NO, GO(S2, TLF), /**/ GO(S3, TLF), GO(S3, TLF), GO(S3, TLF), GO(S3, TLF), NO},
    [ADIT_FSM_RCR_PLUS] = {NO, NO, GO(S2, STA), GO(S8, IRC, SCR, SCA), GO(S4), /**/
                           GO(S5), GO(S8, SCA), GO(S9, SCA, TLU), GO(S8, SCA), GO(S8, TLD, SCR, SCA)},
    [ADIT_FSM_RCR_MINUS] = {NO, NO, GO(S2, STA), GO(S6, IRC, SCR, SCN), GO(S4), /**/
                            GO(S5), GO(S6, SCN), GO(S7, SCN), GO(S6, SCN), GO(S6, TLD, SCR, SCN)},
    [ADIT_FSM_RCA] = {NO, NO, GO(S2, STA), GO(S3, STA), GO(S4), /**/ GO(S5), GO(S7, IRC), GO(S6, SCR), GO(S9, IRC, TLU), GO(S6, TLD, SCR)},
    [ADIT_FSM_RCN] = {NO, NO, GO(S2, STA), GO(S3, STA), GO(S4), /**/
                      GO(S5), GO(S6, IRC, SCR), GO(S6, SCR), GO(S8, IRC, SCR), GO(S6, TLD, SCR)},
    [ADIT_FSM_RTR] = {NO, NO, GO(S2, STA), GO(S3, STA), GO(S4, STA), /**/ GO(S5, STA), GO(S6, STA), GO(S6, STA), GO(S6, STA),
                      GO(S5, TLD, ZRC, STA)},
    [ADIT_FSM_RTA] = {NO, NO, GO(S2), GO(S3), GO(S2, TLF), /**/ GO(S3, TLF), GO(S6), GO(S6), GO(S8), GO(S6, TLD, SCR)},
    [ADIT_FSM_RUC] = {NO, NO, GO(S2, SCJ), GO(S3, SCJ), GO(S4, SCJ), /**/ GO(S5, SCJ), GO(S6, SCJ), GO(S7, SCJ), GO(S8, SCJ), GO(S9, SCJ)},
    [ADIT_FSM_RXJ_PLUS] = {NO, NO, GO(S2), GO(S3), GO(S4), /**/ GO(S5), GO(S6), GO(S6), GO(S8), GO(S9)},
    [ADIT_FSM_RXJ_MINUS] = {NO, NO, GO(S2, TLF), GO(S3, TLF), GO(S2, TLF), /**/
                            GO(S3, TLF), GO(S3, TLF), GO(S3, TLF), GO(S3, TLF), GO(S5, TLD, IRC, STR)},
    [ADIT_FSM_RXR] = {NO, NO, GO(S2), GO(S3), GO(S4), /**/ GO(S5), GO(S6), GO(S7), GO(S8), GO(S9, SER)},
};

/* ---- actions ---- */

/** The packet that caused an event, and the reply to it. */
typedef struct {
  const AditPppPacket *packet;
  const guint8 *whole; /* the packet with its header, for Code-Reject */
  gsize whole_length;
  guint8 reply_code; /* of SCA and SCN */
  const guint8 *reply;
  gsize reply_length;
} Step;

/* Each answer resets the restart counter (RFC 1661 4.1), so that a peer could keep us negotiating for ever: no
 * negotiation that means to end takes this many times Max-Configure. */
#define NEGOTIATION_MAX 4

/** A retransmission keeps identifier and options (RFC 1661 5.1), so that a late answer to either copy counts. */
static void send_request(AditAutomaton *a) {
  if (++a->requests > NEGOTIATION_MAX * a->config.max_configure) {
    a->ops->failed(a->user, "the peer and we can't agree on options");
    return;
  }
  if (a->restarts)
    a->restarts--;
  adit_env_arm(a->env, &a->deadline, a->slot, a->config.restart_ms);
  if (!a->awaiting) {
    AditBuilder out = adit_builder(a->request, sizeof a->request);
    ADIT_HOLD(NULL, a->options->request, "request()", a->options->request(a->self, &out));
    a->request_length = (guint8)adit_built(&out);
    a->awaiting = TRUE;
    adit_automaton_next_id(a);
    a->request_id = a->id;
  }
  a->ops->send(a->user, ADIT_PPP_CONF_REQ, a->request_id, a->request, a->request_length);
}

static void send_terminate(AditAutomaton *a) {
  if (a->restarts)
    a->restarts--;
  adit_env_arm(a->env, &a->deadline, a->slot, a->config.restart_ms);
  a->ops->send(a->user, ADIT_PPP_TERM_REQ, adit_automaton_next_id(a), NULL, 0);
}

static void send_code_reject(AditAutomaton *a, const Step *step) {
  gsize room = (gsize)MIN(a->mtu, ADIT_PPP_CONTROL_MAX) - 4;
  a->ops->send(a->user, ADIT_PPP_CODE_REJ, adit_automaton_next_id(a), step->whole, MIN(step->whole_length, room));
}

static void tell_layer_down(AditAutomaton *a) {
  if (!a->layer_up)
    return;
  a->layer_up = FALSE;
  a->ops->down(a->user);
}

static void tell_layer_up(AditAutomaton *a) {
  a->layer_up = TRUE;
  a->end = ADIT_FSM_END_NONE;
  a->requests = 0;
  a->reack_until = adit_env_now(a->env) + 2 * (guint64)a->config.restart_ms;
  a->ops->up(a->user);
}

static void do_action(AditAutomaton *a, Action action, const Step *step, gboolean terminating) {
  switch (action) {
  case NONE:
    break;
  case TLU:
    tell_layer_up(a);
    break;
  case TLD:
    tell_layer_down(a);
    break;
  case TLS:
    if (a->ops->started)
      a->ops->started(a->user);
    break;
  case TLF:
    a->ops->finished(a->user);
    break;
  case IRC:
    a->restarts = terminating ? a->config.max_terminate : a->config.max_configure;
    break;
  case ZRC:
    a->restarts = 0;
    adit_env_arm(a->env, &a->deadline, a->slot, a->config.restart_ms);
    break;
  case SCR:
    send_request(a);
    break;
  case SCA:
  case SCN:
    if (step->packet)
      a->ops->send(a->user, step->reply_code, step->packet->id, step->reply, step->reply_length);
    break;
  case STR:
    send_terminate(a);
    break;
  case STA: /* the identifier of what it answers, if that was a Terminate-Request (RFC 1661 5.5) */
    a->ops->send(a->user, ADIT_PPP_TERM_ACK, step->packet ? step->packet->id : adit_automaton_next_id(a), NULL, 0);
    break;
  case SCJ:
    if (step->whole)
      send_code_reject(a, step);
    break;
  case SER:
    if (step->packet && a->ops->extra)
      a->ops->extra(a->user, step->packet);
    break;
  }
}

/** Remembers why the layer is about to finish. */
static void note_end(AditAutomaton *a, AditFsmEvent event) {
  if (event == ADIT_FSM_RXJ_MINUS)
    a->end = ADIT_FSM_END_REJECTED;
  else if (event == ADIT_FSM_CLOSE && a->state != ADIT_FSM_STOPPING && a->state != ADIT_FSM_STOPPED)
    a->end = ADIT_FSM_END_CLOSED;
  else if (event == ADIT_FSM_RTR && a->state == ADIT_FSM_OPENED)
    a->end = ADIT_FSM_END_TERMINATED;
  else if (event == ADIT_FSM_TO_MINUS && a->state >= ADIT_FSM_REQ_SENT)
    a->end = ADIT_FSM_END_SILENT;
}

static void run_event(AditAutomaton *a, AditFsmEvent event, const Step *step) {
  const Cell *cell = &table[event][a->state];
  gboolean terminating = cell->next == ADIT_FSM_CLOSING || cell->next == ADIT_FSM_STOPPING;

  if (cell->impossible)
    return;
  if (cell->next != a->state || cell->actions[0])
    a->serial++;
  guint serial = a->serial;
  note_end(a, event);

  AditFsmState before = a->state;
  a->state = (AditFsmState)cell->next;
  if (a->state < ADIT_FSM_CLOSING || a->state == ADIT_FSM_OPENED)
    adit_env_disarm(a->env, &a->deadline, a->slot);
  if (a->state < ADIT_FSM_REQ_SENT)
    a->awaiting = FALSE;
  if (before < ADIT_FSM_REQ_SENT && a->state >= ADIT_FSM_REQ_SENT)
    a->naks = a->refusals = a->requests = 0;

  /* A callback may raise another event; the remaining actions of this one are then out of date. */
  for (guint i = 0; i < G_N_ELEMENTS(cell->actions) && a->serial == serial; i++)
    do_action(a, (Action)cell->actions[i], step, terminating);
}

void adit_automaton_event(AditAutomaton *a, AditFsmEvent event) {
  const Step none = {NULL};
  run_event(a, event, &none);
}

void adit_automaton_timeout(AditAutomaton *a) {
  if (adit_env_due(a->env, &a->deadline, a->slot))
    adit_automaton_event(a, a->restarts ? ADIT_FSM_TO_PLUS : ADIT_FSM_TO_MINUS);
}

/* ---- Configure-Request ---- */

static gboolean well_formed(const AditPppPacket *packet) {
  AditCursor in = adit_cursor(packet->data, packet->length);
  AditPppOption option;
  while (adit_ppp_next_option(&in, &option))
    ;
  return !in.bad;
}

/** FNV-1a: tells a retransmission from a new request; a peer that fakes one only fools itself. */
static guint32 digest_options(const guint8 *data, gsize length) {
  guint32 h = 2166136261u;
  for (gsize i = 0; i < length; i++)
    h = (h ^ data[i]) * 16777619u;
  return h;
}

/** Asks the hooks about each option; writes the answer to `buffer`. False if it does not fit. */
static gboolean judge_request(AditAutomaton *a, const AditPppPacket *packet, Step *step, guint8 buffer[ADIT_PPP_CONTROL_MAX]) {
  guint8 rejected[ADIT_PPP_CONTROL_MAX];
  AditBuilder nak = adit_builder(buffer, ADIT_PPP_CONTROL_MAX - 4), reject = adit_builder(rejected, ADIT_PPP_CONTROL_MAX - 4);
  gboolean stubborn = a->naks >= a->config.max_failure;
  AditCursor in = adit_cursor(packet->data, packet->length);
  AditPppOption option;

  ADIT_HOLD(NULL, a->options->peer_begin, "peer_begin()", a->options->peer_begin(a->self));
  while (adit_ppp_next_option(&in, &option)) {
    guint8 *mark = nak.at;
    AditOptionVerdict verdict;
    ADIT_HOLD(NULL, a->options->peer_option, "peer_option()", verdict = a->options->peer_option(a->self, &option, &nak));
    if (verdict != ADIT_OPTION_NAK || stubborn)
      nak.at = mark;
    if (verdict == ADIT_OPTION_REJECT || (verdict == ADIT_OPTION_NAK && stubborn)) /* RFC 1661 4.6 Max-Failure */
      adit_ppp_put_option(&reject, option.type, option.data, option.length);
  }
  if (!stubborn)
    ADIT_HOLD(NULL, a->options->peer_end, "peer_end()", a->options->peer_end(a->self, &nak));
  if (nak.bad || reject.bad)
    return FALSE;

  if (adit_built(&reject)) {
    memcpy(buffer, rejected, adit_built(&reject));
    step->reply_code = ADIT_PPP_CONF_REJ;
    step->reply_length = adit_built(&reject);
  } else if (adit_built(&nak)) {
    step->reply_code = ADIT_PPP_CONF_NAK;
    step->reply_length = adit_built(&nak);
    a->naks++;
  } else {
    step->reply_code = ADIT_PPP_CONF_ACK;
    step->reply_length = packet->length;
    a->naks = 0;
    a->acked_id = packet->id;
    a->acked_length = (guint32)packet->length;
    a->acked_digest = digest_options(packet->data, packet->length);
  }
  step->reply = step->reply_code == ADIT_PPP_CONF_ACK ? packet->data : buffer;
  return TRUE;
}

/** Our Ack was lost, or the network has doubled the request: in either case the peer means what we have agreed to, and
 *  to start all over would only make both of us do so in turn. Only for a while: a peer that begins again with the same request must get
 * its renegotiation. */
static gboolean is_retransmission(const AditAutomaton *a, const AditPppPacket *packet) {
  return a->state == ADIT_FSM_OPENED && packet->id == a->acked_id && packet->length == a->acked_length &&
         adit_env_now(a->env) < a->reack_until && digest_options(packet->data, packet->length) == a->acked_digest;
}

static gboolean input_request(AditAutomaton *a, const AditPppPacket *packet, Step *step) {
  guint8 buffer[ADIT_PPP_CONTROL_MAX];

  if (!well_formed(packet))
    return FALSE;
  if (is_retransmission(a, packet)) {
    a->ops->send(a->user, ADIT_PPP_CONF_ACK, packet->id, packet->data, packet->length);
    return TRUE;
  }
  if (a->state != ADIT_FSM_STOPPED && a->state < ADIT_FSM_REQ_SENT) {
    run_event(a, ADIT_FSM_RCR_PLUS, step); /* the options don't matter there */
    return TRUE;
  }

  /* From Opened both ways lead down first; the hooks must meet the state that follows. */
  guint serial = a->serial;
  if (a->state == ADIT_FSM_OPENED)
    tell_layer_down(a);
  if (a->serial != serial)
    return TRUE;
  if (a->state == ADIT_FSM_STOPPED)
    a->naks = 0;
  if (!judge_request(a, packet, step, buffer))
    return FALSE;
  run_event(a, step->reply_code == ADIT_PPP_CONF_ACK ? ADIT_FSM_RCR_PLUS : ADIT_FSM_RCR_MINUS, step);
  return TRUE;
}

/* ---- answers to ours ---- */

static gboolean input_ack(AditAutomaton *a, const AditPppPacket *packet, const Step *step) {
  if (a->state >= ADIT_FSM_REQ_SENT) {
    if (!a->awaiting || packet->id != a->request_id || packet->length != a->request_length ||
        memcmp(packet->data, a->request, packet->length) != 0)
      return FALSE;
    a->awaiting = FALSE;
    a->refusals = 0;
    ADIT_HOLD(NULL, a->options->acked, "acked()", a->options->acked(a->self));
  }
  run_event(a, ADIT_FSM_RCA, step);
  return TRUE;
}

/** RFC 1661 5.4: a Reject repeats options of ours verbatim. */
static gboolean was_requested(const AditAutomaton *a, const AditPppOption *option) {
  AditCursor in = adit_cursor(a->request, a->request_length);
  AditPppOption ours;
  while (adit_ppp_next_option(&in, &ours))
    if (ours.type == option->type && ours.length == option->length && memcmp(ours.data, option->data, ours.length) == 0)
      return TRUE;
  return FALSE;
}

static gboolean rejects_only_ours(const AditAutomaton *a, const AditPppPacket *packet) {
  AditCursor in = adit_cursor(packet->data, packet->length);
  AditPppOption option;
  while (adit_ppp_next_option(&in, &option))
    if (!was_requested(a, &option))
      return FALSE;
  return TRUE;
}

static gboolean input_refusal(AditAutomaton *a, const AditPppPacket *packet, const Step *step) {
  if (a->state < ADIT_FSM_REQ_SENT) {
    run_event(a, ADIT_FSM_RCN, step);
    return TRUE;
  }

  gboolean reject = packet->code == ADIT_PPP_CONF_REJ;
  if (!a->awaiting || packet->id != a->request_id || !well_formed(packet) || (reject && !rejects_only_ours(a, packet)))
    return FALSE;
  a->awaiting = FALSE;

  guint serial = a->serial;
  const char *why = NULL;
  AditCursor in = adit_cursor(packet->data, packet->length);
  AditPppOption option;
  while (adit_ppp_next_option(&in, &option)) {
    if (!reject)
      ADIT_HOLD(NULL, a->options->naked, "naked()", a->options->naked(a->self, &option));
    else if (!ADIT_HOLD_VALUE(NULL, a->options->rejected, "rejected()", a->options->rejected(a->self, &option)))
      why = "the peer refuses an option that is needed";
  }
  if (++a->refusals > 2 * a->config.max_configure)
    why = "the peer and we can't agree on options";

  if (why && a->serial == serial)
    a->ops->failed(a->user, why);
  if (a->serial == serial)
    run_event(a, ADIT_FSM_RCN, step);
  return TRUE;
}

static gboolean input_code_reject(AditAutomaton *a, const AditPppPacket *packet) {
  if (!packet->length)
    return FALSE;
  guint8 code = packet->data[0];
  adit_automaton_event(a, code >= ADIT_PPP_CONF_REQ && code <= ADIT_PPP_CODE_REJ ? ADIT_FSM_RXJ_MINUS : ADIT_FSM_RXJ_PLUS);
  return TRUE;
}

static gboolean input_packet(AditAutomaton *a, const guint8 *payload, gsize length) {
  AditPppPacket packet;

  if (a->state < ADIT_FSM_CLOSED || length > ADIT_PPP_CONTROL_MAX || !adit_ppp_packet_parse(payload, length, &packet))
    return FALSE;

  Step step = {.packet = &packet, .whole = payload, .whole_length = packet.length + 4};
  switch (packet.code) {
  case ADIT_PPP_CONF_REQ:
    return input_request(a, &packet, &step);
  case ADIT_PPP_CONF_ACK:
    return input_ack(a, &packet, &step);
  case ADIT_PPP_CONF_NAK:
  case ADIT_PPP_CONF_REJ:
    return input_refusal(a, &packet, &step);
  case ADIT_PPP_TERM_REQ:
    run_event(a, ADIT_FSM_RTR, &step);
    return TRUE;
  case ADIT_PPP_TERM_ACK:
    run_event(a, ADIT_FSM_RTA, &step);
    return TRUE;
  case ADIT_PPP_CODE_REJ:
    return input_code_reject(a, &packet);
  }
  run_event(a, a->ops->knows && a->ops->knows(a->user, &packet) ? ADIT_FSM_RXR : ADIT_FSM_RUC, &step);
  return TRUE;
}

void adit_automaton_reopen(AditAutomaton *a, const guint8 *payload, gsize length) {
  AditPppPacket packet;

  if (a->state != ADIT_FSM_STOPPING || a->end != ADIT_FSM_END_TERMINATED || !adit_ppp_packet_parse(payload, length, &packet) ||
      packet.code != ADIT_PPP_CONF_REQ || !well_formed(&packet))
    return;
  a->serial++;
  a->state = ADIT_FSM_STOPPED;
  adit_env_disarm(a->env, &a->deadline, a->slot);
}

void adit_automaton_input(AditAutomaton *a, const guint8 *payload, gsize length) {
  if (!input_packet(a, payload, length))
    a->discarded++;
}

/* ---- life ---- */

void adit_automaton_init(AditAutomaton *a, const AditAutomatonOps *ops, gpointer user, const AditPppOptionOps *options, gpointer self,
                         const AditEngineEnv *env, guint slot, const AditFsmConfig *config) {
  a->ops = ops;
  a->user = user;
  a->options = options;
  a->self = self;
  a->env = env;
  a->slot = slot;
  if (config)
    a->config = *config;
  if (!a->config.restart_ms)
    a->config.restart_ms = 3000;
  if (!a->config.max_configure)
    a->config.max_configure = 10;
  if (!a->config.max_terminate)
    a->config.max_terminate = 2;
  if (!a->config.max_failure)
    a->config.max_failure = 5;
  a->mtu = ADIT_PPP_CONTROL_MAX;
  adit_env_random(env, &a->id, 1);
}

void adit_automaton_adopt(AditAutomaton *a) {
  a->serial++;
  a->restarts = a->config.max_configure; /* as an Ack would have left it: the peer may renegotiate */
  a->state = ADIT_FSM_OPENED;
  tell_layer_up(a);
}

guint8 adit_automaton_next_id(AditAutomaton *a) {
  return ++a->id;
}

const char *adit_fsm_end_text(AditFsmEnd end) {
  switch (end) {
  case ADIT_FSM_END_NONE:
    return "not open";
  case ADIT_FSM_END_CLOSED:
    return "closed";
  case ADIT_FSM_END_TERMINATED:
    return "the peer terminated it";
  case ADIT_FSM_END_SILENT:
    return "the peer does not answer";
  case ADIT_FSM_END_REJECTED:
    return "the peer rejected it";
  }
  return "";
}
