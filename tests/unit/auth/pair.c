/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "tests/unit/auth/pair.h"

typedef struct {
  guint64 at;
  int to;
  GBytes *octets;
} Packet;

static void packet_free(Packet *packet) {
  g_bytes_unref(packet->octets);
  g_free(packet);
}

/* ---- what an engine is given ---- */

static guint64 env_now(gpointer host) {
  return ((End *)host)->pair->now;
}

static void env_wake(gpointer host, guint slot, guint64 deadline) {
  End *end = (End *)host;
  assert_true(slot < end->method->n_slots);
  end->wake[slot] = deadline;
}

static void env_random(gpointer host, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = (guint8)g_rand_int_range(((End *)host)->pair->random, 0, 256);
}

static gint by_time(gconstpointer a, gconstpointer b, gpointer data) {
  guint64 x = ((const Packet *)a)->at, y = ((const Packet *)b)->at;
  return x < y ? -1 : x > y;
}

static void up_send(gpointer host, const guint8 *payload, gsize length) {
  End *end = (End *)host;
  Pair *pair = end->pair;
  int to = end == &pair->end[SERVER] ? CLIENT : SERVER;

  g_ptr_array_add(end->sent, g_bytes_new(payload, length));
  guint copies = (guint)g_rand_int_range(pair->random, 0, 100) < pair->twice ? 2 : 1;
  while (copies--) {
    if ((guint)g_rand_int_range(pair->random, 0, 100) < pair->loss)
      continue;
    Packet *packet = g_new(Packet, 1);
    packet->at = pair->now + pair->round_trip / 2 + 1 + (guint)g_rand_int_range(pair->random, 0, (gint32)pair->delay_ms + 1);
    packet->to = to;
    packet->octets = g_bytes_new(payload, length);
    g_queue_insert_sorted(&pair->wire, packet, by_time, NULL);
  }
}

static void up_ask(gpointer host, AditAuthRequest *request) {
  Pair *pair = ((End *)host)->pair;

  pair->asks++;
  g_clear_pointer(&pair->asked, adit_auth_request_unref);
  pair->asked = request;
  pair->verdict_at = pair->now + pair->verdict_ms;
  if (!pair->hold && !pair->verdict_ms)
    pair_judge(pair);
}

static void up_done(gpointer host, gboolean ok, const char *why) {
  End *end = (End *)host;
  end->dones++;
  end->ok = ok;
  g_strlcpy(end->why, why ? why : "", sizeof end->why);
}

static const AditEngineOps engine_ops = {sizeof engine_ops, env_now, env_wake, env_random};
static const AditAuthUpOps up_ops = {sizeof up_ops, up_send, up_ask, up_done};

/* ---- the pair ---- */

Pair *pair_new(const AditAuthMethod *method, guint32 seed) {
  Pair *pair = g_new0(Pair, 1);

  pair->now = 1000;
  pair->random = g_rand_new_with_seed(seed);
  g_queue_init(&pair->wire);
  for (int i = 0; i < 2; i++) {
    pair->end[i].pair = pair;
    pair->end[i].method = method;
    pair->end[i].sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    pair->end[i].env = (AditAuthEnv){.engine = {&engine_ops, &pair->end[i]}, .up = &up_ops};
    pair->end[i].start = (AditAuthStart){.size = sizeof(AditAuthStart), .demand = i == SERVER, .timeout_ms = 3000, .tries = 10};
  }
  return pair;
}

static void end_forget(End *end) {
  if (end->state)
    explicit_bzero(end->state, end->method->state_size);
  g_clear_pointer(&end->state, g_free);
  memset(end->wake, 0, sizeof end->wake);
}

void pair_free(Pair *pair) {
  for (int i = 0; i < 2; i++) {
    end_forget(&pair->end[i]);
    g_ptr_array_unref(pair->end[i].sent);
  }
  g_queue_clear_full(&pair->wire, (GDestroyNotify)packet_free);
  g_clear_pointer(&pair->asked, adit_auth_request_unref);
  g_rand_free(pair->random);
  g_free(pair);
}

void pair_start(Pair *pair, int which, const char *name, const char *password) {
  End *end = &pair->end[which];

  end->start.name = name;
  end->start.password = password;
  end->state = g_malloc0(end->method->state_size);
  end->method->start(end->state, &end->env, &end->start);
}

void pair_judge(Pair *pair) {
  End *end = &pair->end[SERVER];
  AditAuthRequest *request = g_steal_pointer(&pair->asked);
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = pair->password, .nt_hash = pair->nt_hash};

  assert_non_null(request);
  pair->verdict_at = 0;
  pair->last = (AditAuthReply){.size = sizeof pair->last};
  memset(pair->text, 0, sizeof pair->text);
  end->method->verify(request, &secret, &pair->last, pair->text);
  adit_auth_request_unref(request);
  pair->last.retry = pair->retry;
  end->method->verdict(end->state, &end->env, &pair->last);
}

void pair_inject(Pair *pair, int which, const void *payload, gsize length) {
  End *end = &pair->end[which];
  guint8 *exact = (guint8 *)g_memdup2(payload, length);
  end->method->input(end->state, &end->env, exact, length);
  g_free(exact);
}

/** The next thing that happens, and when; 0 if nothing ever does. */
static guint64 next_event(Pair *pair) {
  const Packet *first = (const Packet *)g_queue_peek_head(&pair->wire);
  guint64 next = first ? first->at : 0;

  for (int i = 0; i < 2; i++)
    for (guint slot = 0; slot < G_N_ELEMENTS(pair->end[i].wake); slot++) {
      guint64 at = pair->end[i].wake[slot];
      if (at && (!next || at < next))
        next = at;
    }
  if (pair->asked && !pair->hold && pair->verdict_at && (!next || pair->verdict_at < next))
    next = pair->verdict_at;
  return next;
}

static void happen(Pair *pair) {
  while (!g_queue_is_empty(&pair->wire) && ((Packet *)g_queue_peek_head(&pair->wire))->at <= pair->now) {
    Packet *packet = (Packet *)g_queue_pop_head(&pair->wire);
    gsize length;
    const guint8 *data = (const guint8 *)g_bytes_get_data(packet->octets, &length);
    if (pair->end[packet->to].state)
      pair_inject(pair, packet->to, data, length);
    packet_free(packet);
  }
  if (pair->asked && !pair->hold && pair->verdict_at && pair->verdict_at <= pair->now)
    pair_judge(pair);
  for (int i = 0; i < 2; i++) {
    End *end = &pair->end[i];
    for (guint slot = 0; slot < G_N_ELEMENTS(end->wake); slot++) {
      if (!end->wake[slot] || end->wake[slot] > pair->now)
        continue;
      end->wake[slot] = 0;
      end->method->timeout(end->state, &end->env, slot);
    }
  }
}

void pair_run(Pair *pair, guint64 ms) {
  guint64 end = pair->now + ms;

  for (guint64 next; (next = next_event(pair)) && next <= end;) {
    pair->now = MAX(pair->now, next);
    happen(pair);
  }
  pair->now = end;
}

gboolean pair_restart(Pair *pair, int which) {
  End *end = &pair->end[which];
  guint8 octets[2048];
  AditBuilder out = adit_builder(octets, sizeof octets);

  end->method->save(end->state, &out);
  assert_false(out.bad);
  end_forget(end);
  if (which == SERVER)
    g_clear_pointer(&pair->asked, adit_auth_request_unref); /* what the host knew is gone, too */
  end->state = g_malloc0(end->method->state_size);
  AditCursor in = adit_cursor(octets, adit_built(&out));
  return end->method->restore(end->state, &end->env, &end->start, &in) && !adit_left(&in);
}

guint pair_sent_count(Pair *pair, int which) {
  return pair->end[which].sent->len;
}

const guint8 *pair_sent(Pair *pair, int which, int index, gsize *length) {
  GPtrArray *sent = pair->end[which].sent;
  int at = index < 0 ? (int)sent->len + index : index;

  assert_in_range(at, 0, (int)sent->len - 1);
  gsize n;
  const guint8 *data = (const guint8 *)g_bytes_get_data((GBytes *)sent->pdata[at], &n);
  if (length)
    *length = n;
  return data;
}

GBytes *pair_hex(const char *hex) {
  GByteArray *octets = g_byte_array_new();

  while (*hex) {
    if (*hex == ' ') {
      hex++;
      continue;
    }
    guint8 octet = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    g_byte_array_append(octets, &octet, 1);
    hex += 2;
  }
  return g_byte_array_free_to_bytes(octets);
}

void pair_assert_hex(const guint8 *octets, gsize length, const char *hex) {
  g_autoptr(GBytes) expected = pair_hex(hex);
  assert_int_equal(g_bytes_get_size(expected), length);
  assert_memory_equal(g_bytes_get_data(expected, NULL), octets, length);
}
