/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/fuzz/auth.h - drives one end of an authentication method by octets: the first says which side, then come steps of
 * a kind, a length and that many octets. Kinds: see AuthFuzzStep. A step may have the identifier and the length of a packet
 * put right, since a fuzzer would guess them too seldom to get behind them.
 */
#pragma once

#include <adit/auth.h>
#include <stdlib.h>

enum {
  AUTH_FUZZ_PACKET = 0, /**< as it is */
  AUTH_FUZZ_FITTING,    /**< with the identifier of the packet sent last, and its own length */
  AUTH_FUZZ_TIME,       /**< the next timer runs */
  AUTH_FUZZ_VERDICT,    /**< on what was asked: first octet chooses */
  AUTH_FUZZ_VERIFY,     /**< by the password that the octets are */
  AUTH_FUZZ_RESTART,    /**< saved and restored */
  AUTH_FUZZ_RESTORE,    /**< restored from the octets */
  AUTH_FUZZ_KINDS,
};

typedef struct {
  const AditAuthMethod *method;
  AditAuthEnv env;
  AditAuthStart start;
  gpointer state;
  guint64 now, wake[4];
  guint32 seed;
  guint8 last_id;
  AditAuthRequest *asked;
} AuthFuzz;

static guint64 auth_fuzz_now(gpointer host) {
  return ((AuthFuzz *)host)->now;
}

static void auth_fuzz_wake(gpointer host, guint slot, guint64 deadline) {
  AuthFuzz *f = (AuthFuzz *)host;
  if (slot >= f->method->n_slots)
    abort();
  f->wake[slot] = deadline;
}

static void auth_fuzz_random(gpointer host, gpointer buffer, gsize length) {
  AuthFuzz *f = (AuthFuzz *)host;
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)((f->seed = f->seed * 1103515245u + 12345u) >> 16);
}

static void auth_fuzz_send(gpointer host, const guint8 *payload, gsize length) {
  if (length < 4 || (gsize)(payload[2] << 8 | payload[3]) != length) /* whatever came in, what goes out is well formed */
    abort();
  ((AuthFuzz *)host)->last_id = payload[1];
}

static void auth_fuzz_ask(gpointer host, AditAuthRequest *request) {
  AuthFuzz *f = (AuthFuzz *)host;
  g_clear_pointer(&f->asked, adit_auth_request_unref);
  f->asked = request;
}

static void auth_fuzz_done(gpointer host, gboolean ok, const char *why) {
  if (why && strlen(why) > 1024)
    abort();
}

static void auth_fuzz_fresh(AuthFuzz *f) {
  g_free(f->state);
  f->state = g_malloc0(f->method->state_size);
  memset(f->wake, 0, sizeof f->wake);
  g_clear_pointer(&f->asked, adit_auth_request_unref);
}

static void auth_fuzz_packet(AuthFuzz *f, const guint8 *data, gsize length, gboolean fit) {
  guint8 *packet = (guint8 *)malloc(MAX(length, 1)); /* exactly as long: ASan sees the octet behind it */
  memcpy(packet, data, length);
  if (fit && length >= 4) {
    packet[1] = f->last_id;
    packet[2] = (guint8)(length >> 8);
    packet[3] = (guint8)length;
  }
  f->method->input(f->state, &f->env, packet, length);
  free(packet);
}

static void auth_fuzz_time(AuthFuzz *f) {
  guint slot = 0;
  for (guint i = 1; i < f->method->n_slots; i++)
    if (f->wake[i] && (!f->wake[slot] || f->wake[i] < f->wake[slot]))
      slot = i;
  if (!f->wake[slot])
    return;
  f->now = MAX(f->now, f->wake[slot]);
  f->wake[slot] = 0;
  f->method->timeout(f->state, &f->env, slot);
}

static void auth_fuzz_verdict(AuthFuzz *f, const guint8 *data, gsize length) {
  g_autofree char *message = length > 1 ? g_strndup((const char *)data + 1, length - 1) : NULL;
  guint8 how = length ? data[0] : 0;
  AditAuthReply reply = {
      .size = sizeof reply, .outcome = how & 1 ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT, .message = message, .retry = how & 2};
  f->method->verdict(f->state, &f->env, &reply);
}

static void auth_fuzz_verify(AuthFuzz *f, const guint8 *data, gsize length) {
  static const guint8 hash[16] = {1, 2, 3};
  g_autofree char *password = length ? g_strndup((const char *)data, length) : NULL;
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = password, .nt_hash = hash},
                reply = {.size = sizeof reply};
  char text[128] = "";
  if (!f->asked)
    return;
  f->method->verify(f->asked, &secret, &reply, text);
  g_clear_pointer(&f->asked, adit_auth_request_unref);
  f->method->verdict(f->state, &f->env, &reply);
}

/** True if the octets made sense; else the state is that of a fresh start. */
static gboolean auth_fuzz_restore(AuthFuzz *f, const guint8 *data, gsize length) {
  AditCursor in = adit_cursor(data, length);
  auth_fuzz_fresh(f);
  if (f->method->restore(f->state, &f->env, &f->start, &in))
    return TRUE;
  auth_fuzz_fresh(f);
  f->method->start(f->state, &f->env, &f->start);
  return FALSE;
}

static void auth_fuzz_restart(AuthFuzz *f) {
  guint8 octets[2048];
  AditBuilder out = adit_builder(octets, sizeof octets);
  f->method->save(f->state, &out);
  if (out.bad || !auth_fuzz_restore(f, octets, adit_built(&out)))
    abort(); /* what was saved can be restored */
}

static void auth_fuzz_step(AuthFuzz *f, guint8 kind, const guint8 *data, gsize length) {
  switch (kind % AUTH_FUZZ_KINDS) {
  case AUTH_FUZZ_PACKET:
  case AUTH_FUZZ_FITTING:
    auth_fuzz_packet(f, data, length, kind % AUTH_FUZZ_KINDS == AUTH_FUZZ_FITTING);
    return;
  case AUTH_FUZZ_TIME:
    auth_fuzz_time(f);
    return;
  case AUTH_FUZZ_VERDICT:
    auth_fuzz_verdict(f, data, length);
    return;
  case AUTH_FUZZ_VERIFY:
    auth_fuzz_verify(f, data, length);
    return;
  case AUTH_FUZZ_RESTART:
    auth_fuzz_restart(f);
    return;
  case AUTH_FUZZ_RESTORE:
    auth_fuzz_restore(f, data, length);
    return;
  }
}

static inline int auth_fuzz(const AditAuthMethod *method, const guint8 *data, gsize size) {
  static const AditEngineOps engine = {sizeof engine, auth_fuzz_now, auth_fuzz_wake, auth_fuzz_random};
  static const AditAuthUpOps up = {sizeof up, auth_fuzz_send, auth_fuzz_ask, auth_fuzz_done};
  AuthFuzz f = {.method = method, .now = 1000};
  AditCursor in = adit_cursor(data, size);

  f.env = (AditAuthEnv){.engine = {&engine, &f}, .up = &up};
  f.start = (AditAuthStart){
      .size = sizeof f.start, .demand = adit_get_u8(&in) & 1, .name = "DOM\\User", .password = "clientPass", .rechallenge_ms = 60000};
  auth_fuzz_fresh(&f);
  method->start(f.state, &f.env, &f.start);
  while (adit_left(&in)) {
    guint8 kind = adit_get_u8(&in);
    gsize length = adit_get_u8(&in);
    length = MIN(length, adit_left(&in));
    const guint8 *octets = adit_get_bytes(&in, length);
    if (octets)
      auth_fuzz_step(&f, kind, octets, length);
  }
  g_free(f.state);
  g_clear_pointer(&f.asked, adit_auth_request_unref);
  return 0;
}
