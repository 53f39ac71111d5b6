/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* sim-mp [--seeds N] [--seed N]: bundles of 2 to 8 links whose delay, loss and MTU differ, on virtual time. Links join, and are cut off
 * with all that is on its way. Each packet has a number: they arrive in order, none twice, none changed, and each whose fragments all
 * arrived arrives. ADIT_SEEDS sets how many. */
#include "tests/unit/mp/bundle.h"
#include <stdio.h>
#include <stdlib.h>

enum {
  MILLISECONDS = 1500,
  SPREAD = 150,  /* of delays; the deadline is longer */
  REST = 5000,   /* afterwards, for what waits */
  PACKET = 3000, /* octets at most */
  RATE = 3,      /* packets in a millisecond at most: what waits for SPREAD fits the share of a bundle */
};

typedef struct {
  guint64 at;
  GBytes *data;
  guint32 number;
  gboolean again;
} Flying;

typedef struct {
  gboolean up;
  guint delay_ms, jitter_ms, loss; /* loss in 1,000 */
  guint64 last;                    /* arrival: a link keeps its order */
  GQueue air;                      /* of Flying */
} Wire;

typedef struct {
  GRand *rand;
  Bundle *from, *to;
  guint n;
  Wire wire[ADIT_STAGE_LINKS];
  GByteArray *broken; /* by packet: it lost a fragment */
  guint32 sent, next; /* packets; the least number that may arrive */
  guint delivered, doubled;
  char fault[200];
} Sim;

static guint draw(Sim *s, guint from, guint to) {
  return (guint)g_rand_int_range(s->rand, (gint32)from, (gint32)to);
}

static void set_fault(Sim *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void set_fault(Sim *s, const char *format, ...) {
  va_list arguments;
  if (s->fault[0])
    return;
  va_start(arguments, format);
  g_vsnprintf(s->fault, sizeof s->fault, format, arguments);
  va_end(arguments);
}

static void flying_free(Flying *f) {
  g_bytes_unref(f->data);
  g_free(f);
}

/* ---- links ---- */

static void wire_begin(Sim *s, guint i) {
  Wire *wire = &s->wire[i];
  wire->up = TRUE;
  wire->delay_ms = draw(s, 1, SPREAD / 2);
  wire->jitter_ms = draw(s, 0, SPREAD / 2);
  wire->loss = draw(s, 0, 3) ? draw(s, 0, 40) : 0;
  wire->last = 0;
  s->from->params.link[i].mtu = draw(s, 300, 1500);
  s->from->links |= 1u << i;
  s->to->links |= 1u << i;
}

/* The peer stops using it, and what was on its way is lost. We know of it at once, or when it comes back. */
static void wire_end(Sim *s, guint i) {
  Wire *wire = &s->wire[i];
  Flying *f;
  wire->up = FALSE;
  s->from->links &= ~(1u << i);
  if (draw(s, 0, 2))
    s->to->links &= ~(1u << i);
  while ((f = g_queue_pop_head(&wire->air))) {
    s->broken->data[f->number] |= !f->again;
    flying_free(f);
  }
}

static void change_links(Sim *s) {
  guint i = draw(s, 0, s->n);
  if (draw(s, 0, 100))
    return;
  if (!s->wire[i].up)
    wire_begin(s, i);
  else if (s->wire[i].up && (s->from->links & (s->from->links - 1)))
    wire_end(s, i);
}

/* ---- packets ---- */

static void send_frame(Sim *s, const Piece *piece, guint32 number) {
  Wire *wire = &s->wire[piece->link];
  if (draw(s, 0, 1000) < wire->loss) {
    s->broken->data[number] = TRUE;
    return;
  }
  wire->last = MAX(wire->last, s->from->now_ms + wire->delay_ms + draw(s, 0, wire->jitter_ms + 1));
  gboolean twice = draw(s, 0, 100) == 0;
  for (gboolean again = FALSE; again <= twice; again++) {
    Flying *f = g_new(Flying, 1);
    *f = (Flying){wire->last, g_bytes_new(piece->data->data, piece->data->len), number, again};
    g_queue_push_tail(&wire->air, f);
  }
  s->doubled += (guint)twice;
}

static void send_packet(Sim *s) {
  Bundle *b = s->from;
  guint8 data[PACKET];
  guint32 length = draw(s, 0, 4) ? draw(s, 8, PACKET) : draw(s, 8, 64), number = s->sent++;
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 1, .length = length};
  g_byte_array_set_size(s->broken, s->sent);
  s->broken->data[number] = FALSE;
  for (guint32 i = 0; i < length; i++)
    data[i] = (guint8)(number + i);
  memcpy(data, &number, sizeof number);
  frame.slice[0] = (AditStageSlice){data, length};
  bundle_send_frame(b, &frame);
  for (guint i = 0; i < b->frames->len; i++)
    send_frame(s, bundle_frame(b, i), number);
  bundle_forget(b);
}

/* Each in its order, unchanged, and those between two that came had lost something. */
static void check_packets(Sim *s) {
  for (guint i = 0; i < s->to->packets->len; i++) {
    const GByteArray *packet = bundle_packet(s->to, i)->data;
    guint32 number = G_MAXUINT32;
    if (packet->len >= sizeof number)
      memcpy(&number, packet->data, sizeof number);
    if (number >= s->sent || number < s->next) {
      set_fault(s, "packet %u after %u of %u", number, s->next, s->sent);
      break;
    }
    for (guint32 k = sizeof number; k < packet->len; k++)
      if (packet->data[k] != (guint8)(number + k))
        set_fault(s, "packet %u is changed", number);
    for (; s->next < number; s->next++)
      if (!s->broken->data[s->next])
        set_fault(s, "packet %u lost no fragment and did not come", s->next);
    s->next = number + 1;
    s->delivered++;
  }
  bundle_forget(s->to);
}

/* What is due now, of all links by turns. */
static void deliver_due(Sim *s) {
  guint first = draw(s, 0, s->n);
  for (guint i = 0; i < s->n; i++) {
    Wire *wire = &s->wire[(first + i) % s->n];
    Flying *f;
    while ((f = g_queue_peek_head(&wire->air)) && f->at <= s->to->now_ms) {
      gsize length;
      const guint8 *data = g_bytes_get_data(f->data, &length);
      bundle_take(s->to, (guint8)((first + i) % s->n), data, length);
      flying_free(g_queue_pop_head(&wire->air));
      check_packets(s);
    }
  }
}

static void check_bounds(Sim *s) {
  guint64 held = bundle_counters(s->to).held;
  if (held > (guint64)MP_BUNDLE_MOST * MP_BLOCK_DATA)
    set_fault(s, "%" G_GUINT64_FORMAT " octets are held", held);
}

static void pass_millisecond(Sim *s, gboolean sending) {
  if (sending) {
    change_links(s);
    for (guint k = draw(s, 0, RATE + 1); k > 0; k--)
      send_packet(s);
  }
  deliver_due(s);
  bundle_wait(s->to, 1);
  check_packets(s);
  check_bounds(s);
  s->from->now_ms = s->to->now_ms;
}

static char *live(guint seed) {
  Sim s = {.rand = g_rand_new_with_seed(seed), .from = bundle_new(), .to = bundle_new(), .broken = g_byte_array_new()};
  s.from->params.send_short = s.to->params.receive_short = seed % 3 == 0;
  s.from->params.pfc = seed & 1;
  s.from->params.peer_mrru = s.to->params.own_mrru = PACKET;
  s.from->links = s.to->links = 0;
  s.n = draw(&s, 2, 9);
  for (guint i = 0; i < s.n; i++)
    wire_begin(&s, i);
  for (guint i = 0; i < MILLISECONDS + REST && !s.fault[0]; i++)
    pass_millisecond(&s, i < MILLISECONDS);
  for (; s.next < s.sent; s.next++)
    if (!s.broken->data[s.next])
      set_fault(&s, "packet %u lost no fragment and did not come at the end", s.next);
  if (bundle_counters(s.to).held || s.to->deadline_ms)
    set_fault(&s, "something is held at the end");
  if (s.delivered < s.sent / 4)
    set_fault(&s, "%u of %u packets came", s.delivered, s.sent);
  for (guint i = 0; i < s.n; i++)
    g_queue_clear_full(&s.wire[i].air, (GDestroyNotify)flying_free);
  g_byte_array_unref(s.broken);
  bundle_free(s.from);
  bundle_free(s.to);
  g_rand_free(s.rand);
  return s.fault[0] ? g_strdup(s.fault) : NULL;
}

int main(int argc, char **argv) {
  const char *wanted = g_getenv("ADIT_SEEDS");
  gint seeds = wanted ? atoi(wanted) : 60, seed = -1, failed = 0;
  const GOptionEntry entries[] = {{"seeds", 0, 0, G_OPTION_ARG_INT, &seeds, "how many bundles", "N"},
                                  {"seed", 0, 0, G_OPTION_ARG_INT, &seed, "only this one", "N"},
                                  {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, NULL))
    return 2;
  for (gint i = seed >= 0 ? seed : 0; i < (seed >= 0 ? seed + 1 : seeds); i++) {
    g_autofree char *fault = live((guint)i);
    failed += fault != NULL;
    if (fault)
      fprintf(stderr, "seed %d: %s\n", i, fault);
  }
  printf("%d seeds, %d faults\n", seed >= 0 ? 1 : seeds, failed);
  return failed != 0;
}
