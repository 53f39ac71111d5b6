/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/ppp/lone-automaton.h"

static const char *const names[] = {"?", "scr", "sca", "scn", "scn", "str", "sta", "scj"};

static void note(LoneAutomaton *f, const char *what) {
  g_string_append_printf(f->did, "%s%s", f->did->len ? "," : "", what);
}

static void on_send(gpointer user, guint8 code, guint8 id, const void *data, gsize length) {
  LoneAutomaton *f = user;
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
  LoneAutomaton *f = user;
  g_strlcpy(f->failure, why, sizeof f->failure);
  adit_automaton_event(&f->fsm, ADIT_FSM_CLOSE);
}
static const AditAutomatonOps ops = {on_send, on_up, on_down, on_started, on_finished, on_knows, on_extra, on_failed};

static void request(gpointer self, AditBuilder *out) {
  adit_ppp_put_option(out, 1, "\x05\xaa", 2);
  adit_ppp_put_option(out, 7, NULL, 0);
}
static void peer_begin(gpointer self) {
  ((LoneAutomaton *)self)->begins++;
}
static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  LoneAutomaton *f = self;
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
  ((LoneAutomaton *)self)->acks++;
}
static void naked(gpointer self, const AditPppOption *option) {
  ((LoneAutomaton *)self)->naks++;
}
static gboolean rejected(gpointer self, const AditPppOption *option) {
  ((LoneAutomaton *)self)->rejects++;
  return ((LoneAutomaton *)self)->keep_asking;
}
static const AditPppOptionOps options = {sizeof options, request, peer_begin, peer_option, peer_end, acked, naked, rejected};

static guint64 env_now(gpointer host) {
  return ((LoneAutomaton *)host)->now;
}
static void env_wake(gpointer host, guint slot, guint64 deadline) {
  ((LoneAutomaton *)host)->woken = deadline;
}
static void env_random(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, 0x10, length);
}
static const AditEngineOps engine = {sizeof engine, env_now, env_wake, env_random};

void lone_automaton_init(LoneAutomaton *f) {
  memset(f, 0, sizeof *f);
  f->now = 5000;
  f->env = (AditEngineEnv){&engine, f};
  f->did = g_string_new(NULL);
  f->data = g_byte_array_new();
  f->verdict = ADIT_OPTION_ACK;
  f->keep_asking = TRUE;
  adit_automaton_init(&f->fsm, &ops, f, &options, f, &f->env, 0, NULL);
}

void lone_automaton_clear(LoneAutomaton *f) {
  g_string_free(f->did, TRUE);
  g_byte_array_unref(f->data);
}

void lone_automaton_expect(LoneAutomaton *f, const char *did, AditFsmState state) {
  assert_string_equal(f->did->str, did);
  assert_int_equal(f->fsm.state, state);
  g_string_truncate(f->did, 0);
}

void lone_automaton_input(LoneAutomaton *f, guint8 code, guint8 id, const void *data, gsize length) {
  g_autofree guint8 *packet = g_malloc(length + 4);
  packet[0] = code;
  packet[1] = id;
  packet[2] = (guint8)((length + 4) >> 8);
  packet[3] = (guint8)(length + 4);
  if (length)
    memcpy(packet + 4, data, length);
  adit_automaton_input(&f->fsm, packet, length + 4);
}
