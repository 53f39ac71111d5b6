/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-send.h"
#include "../servers/config.h"
#include "../wire/request.h"
#include "../wire/vocabulary.h"

#include <adit/log.h>

enum {
  WINDOW_FIRST = 8,
  WINDOW_MAX = 256,
  PAUSE_FIRST_MS = 1000,
  PAUSE_MAX_MS = 30000,
  STUBBORN = 3, /* failed attempts after which other records have their turn */
  COMPLAIN_EVERY_MS = 600000,
};

/** One record on its way: first to this server, then to the next. */
typedef struct {
  RadiusSender *sender;
  RadiusRecord *record;
  RadiusConfig *config; /* its servers may be others than today's */
  GPtrArray *tried;     /* of RadiusServer */
  RadiusExchange *exchange;
  RadiusWant want;
  guint64 answers; /* of the sender, when it began */
  gboolean probe;  /* to find out whether servers are back */
  gboolean spy;    /* a probe from behind a barrier: its answer says that, and nothing else */
  GList place;
} Flight;

RadiusWant radius_acct_want(const RadiusRow *row) {
  return (RadiusWant){.role = RADIUS_ACCT, .user = row->user, .called_id = row->called_id};
}

/* Up to a quarter more: many daemons must not come in step. */
static guint64 add_jitter(const RadiusSender *sender, guint ms) {
  guint32 random;
  sender->all->radius->loop->random(&random, sizeof random);
  return ms + random % (ms / 4 + 1);
}

static RadiusRecord *head_of(const RadiusLane *lane) {
  return g_queue_peek_head((GQueue *)&lane->records);
}

/* ---- the queues ---- */

static void unqueue_lane(RadiusLane *lane) {
  if (lane->waits_in)
    g_queue_unlink(lane->waits_in, &lane->place);
  lane->waits_in = NULL;
}

static void queue_lane(RadiusLane *lane, GQueue *where) {
  unqueue_lane(lane);
  lane->waits_in = where;
  g_queue_push_tail_link(where, &lane->place);
}

static gboolean is_barrier(const RadiusRecord *record) {
  return !radius_row_is_session(&record->row);
}

static RadiusSender *sender_new(RadiusSenders *all);

/* The lane that sends a record. */
static RadiusSender *sender_of(RadiusSenders *all, const RadiusRecord *record) {
  RadiusWant want = radius_acct_want(&record->row);
  guint index = radius_servers_group(all->radius->config->servers, &want);

  while (all->list->len <= index)
    g_ptr_array_add(all->list, sender_new(all));
  return all->list->pdata[index];
}

/* The oldest On or Off that this one sends. */
static RadiusRecord *first_barrier(const RadiusSender *sender) {
  for (GList *node = sender->all->spool->barriers.head; node; node = node->next)
    if (sender_of(sender->all, node->data) == sender)
      return node->data;
  return NULL;
}

/* Lets those go on that waited behind a barrier which is gone. */
static void release_held(RadiusSender *sender) {
  for (GList *node; (node = sender->held.head);)
    queue_lane(node->data, &sender->ready);
}

/* The next lane that may go now, still in its queue. On its way there it removes records that must wait. */
static RadiusLane *next_lane(RadiusSender *sender) {
  const RadiusRecord *barrier = first_barrier(sender);
  guint64 number = barrier ? barrier->number : 0;

  if (number != sender->barrier) /* it was answered, or a full spool has dropped it */
    release_held(sender);
  sender->barrier = number;
  for (GList *node; (node = sender->ready.head);) {
    RadiusLane *lane = node->data;
    const RadiusRecord *head = head_of(lane);
    if (!head || head->writing)
      unqueue_lane(lane); /* it will be said to be ready */
    else if (barrier && head->number > barrier->number)
      queue_lane(lane, &sender->held);
    else
      return lane;
  }
  return NULL;
}

/* The lane of the oldest On or Off, if that is the head of its lane and free to go. */
static RadiusLane *barrier_lane(const RadiusSender *sender) {
  RadiusRecord *barrier = first_barrier(sender);

  return barrier && !barrier->writing && !barrier->lane->busy && !barrier->lane->pausing && head_of(barrier->lane) == barrier
             ? barrier->lane
             : NULL;
}

static RadiusLane *held_lane(const RadiusSender *sender) {
  RadiusLane *lane = sender->held.head ? sender->held.head->data : NULL;
  return lane && head_of(lane) && !head_of(lane)->writing ? lane : NULL;
}

/* The record that probes whether the servers are back: the oldest, then the barrier; when both have failed often enough, all take turns, in
 * case the server answers other records only. */
static RadiusLane *choose_probe(RadiusSender *sender) {
  RadiusLane *lanes[] = {next_lane(sender), barrier_lane(sender), NULL};

  for (guint i = 0; i < G_N_ELEMENTS(lanes); i++)
    if (lanes[i] && head_of(lanes[i])->tries < STUBBORN)
      return lanes[i];
  lanes[2] = held_lane(sender);
  for (guint i = 0; i < G_N_ELEMENTS(lanes); i++) {
    RadiusLane *lane = lanes[sender->scouts++ % G_N_ELEMENTS(lanes)];
    if (lane)
      return lane;
  }
  return NULL;
}

/* ---- flights ---- */

static void attempt_flight(Flight *flight);
static void send_ready(RadiusSender *sender);

static void flight_free(Flight *flight) {
  g_queue_unlink(&flight->sender->flights, &flight->place);
  radius_record_unref(flight->record);
  radius_config_unref(flight->config);
  g_ptr_array_unref(flight->tried);
  g_free(flight);
}

static void fill_record(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  const Flight *flight = data;
  const RadiusSenders *all = flight->sender->all;
  const RadiusRow *row = &flight->record->row;
  RadiusNas nas = {.identifier = flight->config->nas_identifier, .address = radius_server_nas_address(server, RADIUS_ACCT)};

  radius_put_nas(b, &nas);
  radius_row_put(row, row->when_ms + radius_row_age_ms(row, all->radius->loop->now(), all->net->wall_ms()), server->realm, b);
}

static void pause_over(AditTimer *timer, gpointer data) {
  RadiusSender *sender = data;
  sender->due = TRUE;
  send_ready(sender);
}

static void lane_pause_over(AditTimer *timer, gpointer data) {
  RadiusLane *lane = (RadiusLane *)((char *)timer - G_STRUCT_OFFSET(RadiusLane, retry));

  lane->pausing = FALSE;
  radius_senders_ready(data, lane);
}

static void pause_lane(RadiusSender *sender, RadiusLane *lane, guint ms) {
  lane->pausing = TRUE;
  lane->retry.func = lane_pause_over;
  lane->retry.data = sender->all;
  sender->all->radius->loop->timer_arm(&lane->retry, add_jitter(sender, ms));
}

static void wait_for_servers(RadiusSender *sender) {
  guint kept;

  sender->waiting = TRUE;
  sender->due = FALSE;
  sender->all->radius->loop->timer_arm(&sender->pause, add_jitter(sender, sender->pause_ms));
  if (!adit_rate_allows(&sender->complaints, sender->all->radius->loop->now(), 1, COMPLAIN_EVERY_MS, &kept))
    return;
  sender->complained = TRUE;
  adit_warning(NULL, "accounting: no server responds, %u records wait", sender->all->spool->records.length);
}

static void servers_are_back(RadiusSender *sender) {
  if (sender->complained)
    adit_notice(NULL, "accounting: a server responds again, %u records wait", sender->all->spool->records.length);
  sender->complained = sender->waiting = FALSE;
  sender->pause_ms = PAUSE_FIRST_MS;
  sender->window = 1;
  sender->all->radius->loop->timer_cancel(&sender->pause);
}

static guint pause_after(guint tries) {
  return MIN(PAUSE_FIRST_MS << MIN(tries, 5), PAUSE_MAX_MS);
}

/* There is no server for it, dead or alive. */
static void note_no_server(const Flight *flight) {
  if (is_barrier(flight->record)) /* all others would wait behind it */
    radius_spool_drop(flight->sender->all->spool, flight->record);
  else
    pause_lane(flight->sender, flight->record->lane, PAUSE_MAX_MS);
}

/* If others were answered meanwhile it is for the record alone, else for all. */
static void note_no_answer(const Flight *flight) {
  RadiusSender *sender = flight->sender;

  sender->window = MAX(sender->window / 2, 1);
  if (sender->answers != flight->answers) {
    pause_lane(sender, flight->record->lane, pause_after(flight->record->tries));
    return;
  }
  if (!is_barrier(flight->record))
    queue_lane(flight->record->lane, &sender->ready);
  if (flight->probe)
    sender->pause_ms = MIN(sender->pause_ms * 2, PAUSE_MAX_MS);
  if (!sender->waiting)
    wait_for_servers(sender);
}

/* All servers have failed. */
static void end_in_vain(Flight *flight) {
  RadiusSender *sender = flight->sender;

  flight->record->tries++;
  flight->record->lane->busy = FALSE;
  if (sender->all->net->serve(sender->all->radius->config->servers, &flight->want))
    note_no_answer(flight);
  else
    note_no_server(flight);
  if (flight->probe && sender->waiting)
    wait_for_servers(sender);
  flight_free(flight);
}

/* No server was asked: the possible ones have max-in-flight requests, or are being probed. */
static void put_off(Flight *flight) {
  RadiusLane *lane = flight->record->lane;

  lane->busy = FALSE;
  pause_lane(flight->sender, lane, PAUSE_FIRST_MS);
  flight_free(flight);
}

/* From behind the barrier: servers are there. The record stays, as what an On finds is over (RFC 2866 5.1), and goes once more after it.
 * When that happens again and again the server does not know On or Off: such a one must not hold up all. */
static void count_ignored_barrier(RadiusSender *sender, RadiusLane *lane) {
  RadiusRecord *barrier = first_barrier(sender);

  queue_lane(lane, &sender->held);
  if (!barrier || barrier->lane->busy || ++sender->spies < STUBBORN)
    return;
  adit_warning(NULL, "accounting: the server responds, but not to Accounting-%s: skipped",
               barrier->row.kind == ADIT_ACCT_ON ? "On" : "Off");
  sender->spies = 0;
  radius_spool_drop(sender->all->spool, barrier);
  release_held(sender);
}

static void end_answered(Flight *flight) {
  RadiusSender *sender = flight->sender;
  g_autoptr(RadiusRecord) record = radius_record_ref(flight->record);
  gboolean spy = flight->spy;

  flight_free(flight);
  sender->answers++;
  record->lane->busy = FALSE;
  if (sender->waiting)
    servers_are_back(sender);
  if (spy) {
    count_ignored_barrier(sender, record->lane);
    return;
  }
  sender->window = MIN(sender->window + 1, WINDOW_MAX);
  sender->all->count.acknowledged++;
  radius_spool_acknowledged(sender->all->spool, record);
  if (is_barrier(record)) {
    sender->spies = 0;
    release_held(sender);
  }
}

static void on_exchanged(const RadiusAnswer *answer, gpointer data) {
  Flight *flight = data;
  RadiusSender *sender = flight->sender;
  RadiusRecord *record = flight->record;

  flight->exchange = NULL;
  if (answer->result != RADIUS_UNSENT) {
    sender->all->count.sent++;
    sender->all->count.repeats += record->sent;
    record->sent = TRUE;
  }
  if (answer->result == RADIUS_ANSWERED && answer->reply->code == RADIUS_ACCOUNTING_RESPONSE)
    end_answered(flight);
  else
    attempt_flight(flight);
  send_ready(sender);
  sender->all->changed(sender->all->user);
}

/* To the next server; the flight is over when there is none. */
static void attempt_flight(Flight *flight) {
  const RadiusAcctNet *net = flight->sender->all->net;
  RadiusServers *servers = flight->config->servers;
  RadiusServer *server = net->pick(servers, &flight->want, flight->tried);

  if (!server && !flight->tried->len && flight->sender->flights.length > 1 && net->serve(servers, &flight->want)) {
    put_off(flight);
    return;
  }
  if (!server) {
    end_in_vain(flight);
    return;
  }
  g_ptr_array_add(flight->tried, radius_server_ref(server));
  RadiusRequest request = {.code = RADIUS_ACCOUNTING_REQUEST,
                           .fill = fill_record,
                           .done = on_exchanged,
                           .data = flight,
                           .impatient = net->pick(servers, &flight->want, flight->tried) != NULL};
  flight->exchange = net->exchange(server, &request);
}

static void start_flight(RadiusSender *sender, RadiusLane *lane, gboolean probe) {
  const RadiusRecord *barrier = first_barrier(sender);
  Flight *flight = g_new0(Flight, 1);

  unqueue_lane(lane);
  lane->busy = TRUE;
  flight->sender = sender;
  flight->record = radius_record_ref(head_of(lane));
  flight->config = radius_config_ref(sender->all->radius->config);
  flight->tried = g_ptr_array_new_with_free_func((GDestroyNotify)radius_server_unref);
  flight->answers = sender->answers;
  flight->probe = probe;
  flight->spy = barrier && head_of(lane)->number > barrier->number;
  flight->place.data = flight;
  flight->want = radius_acct_want(&flight->record->row);
  g_queue_push_tail_link(&sender->flights, &flight->place);
  attempt_flight(flight);
}

/* No more than one server takes at once. */
static guint window_of(const RadiusSender *sender) {
  const RadiusServers *servers = sender->all->radius->config->servers;
  guint most = 1;

  for (guint i = 0; i < radius_servers_count(servers); i++)
    most = MAX(most, radius_servers_get(servers, i)->max_in_flight);
  return MIN(sender->window, most);
}

/* Sends all that may go now. */
static void send_ready(RadiusSender *sender) {
  guint window = sender->all->on ? window_of(sender) : 0;
  RadiusLane *lane;

  while (sender->all->on && !sender->waiting && sender->flights.length < window && (lane = next_lane(sender)))
    start_flight(sender, lane, FALSE);
  if (!sender->all->on || sender->flights.length)
    return;
  if (!sender->waiting && !next_lane(sender) && (lane = barrier_lane(sender)))
    start_flight(sender, lane, FALSE);
  else if (sender->waiting && sender->due && (lane = choose_probe(sender))) {
    sender->due = FALSE;
    start_flight(sender, lane, TRUE);
  }
}

/* ---- all of them ---- */

static RadiusSender *sender_new(RadiusSenders *all) {
  RadiusSender *sender = g_new(RadiusSender, 1);

  *sender = (RadiusSender){.all = all, .window = WINDOW_FIRST, .pause_ms = PAUSE_FIRST_MS};
  sender->pause.func = pause_over;
  sender->pause.data = sender;
  return sender;
}

void radius_senders_ready(RadiusSenders *all, RadiusLane *lane) {
  if (!head_of(lane) || lane->busy || lane->pausing || lane->waits_in)
    return; /* a pause may end when what it was for has been dropped */
  RadiusSender *sender = sender_of(all, head_of(lane));
  if (!is_barrier(head_of(lane)))
    queue_lane(lane, &sender->ready);
  send_ready(sender);
}

void radius_senders_forget(RadiusSenders *all, RadiusLane *lane) {
  unqueue_lane(lane);
  all->radius->loop->timer_cancel(&lane->retry);
}

/* Gives all records that only wait for their turn, by age, to the lane that sends them. */
static void queue_all(RadiusSenders *all) {
  for (GList *node = all->spool->records.head; node; node = node->next) {
    RadiusRecord *record = node->data;
    RadiusLane *lane = record->lane;
    if (head_of(lane) == record && !lane->busy && !lane->pausing && !is_barrier(record))
      queue_lane(lane, &sender_of(all, record)->ready);
  }
}

static void pump_all(RadiusSenders *all) {
  for (guint i = 0; i < all->list->len; i++)
    send_ready(all->list->pdata[i]);
}

void radius_senders_start(RadiusSenders *all) {
  queue_all(all);
  for (GList *node = all->spool->barriers.head; node; node = node->next)
    sender_of(all, node->data);
  all->on = TRUE;
  pump_all(all);
}

void radius_senders_stop(RadiusSenders *all) {
  GHashTableIter iter;
  RadiusLane *lane;

  all->on = FALSE;
  g_hash_table_iter_init(&iter, all->spool->lanes);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&lane))
    radius_senders_forget(all, lane);
  for (guint i = 0; i < all->list->len; i++) {
    RadiusSender *sender = all->list->pdata[i];
    all->radius->loop->timer_cancel(&sender->pause);
    for (Flight *flight; (flight = g_queue_peek_head(&sender->flights));) {
      if (flight->exchange)
        all->net->cancel(flight->exchange);
      flight->record->lane->busy = FALSE;
      flight_free(flight);
    }
  }
}

void radius_senders_wake(RadiusSenders *all) {
  if (all->on)
    queue_all(all);
  for (guint i = 0; i < all->list->len; i++) {
    RadiusSender *sender = all->list->pdata[i];
    sender->pause_ms = PAUSE_FIRST_MS;
    sender->due = TRUE;
  }
  pump_all(all);
}

guint radius_senders_in_flight(const RadiusSenders *all) {
  guint n = 0;
  for (guint i = 0; i < all->list->len; i++)
    n += ((const RadiusSender *)all->list->pdata[i])->flights.length;
  return n;
}

gboolean radius_senders_wait(const RadiusSenders *all) {
  for (guint i = 0; i < all->list->len; i++)
    if (((const RadiusSender *)all->list->pdata[i])->waiting)
      return TRUE;
  return FALSE;
}

void radius_senders_init(RadiusSenders *all, const Radius *radius, const RadiusAcctNet *net, RadiusSpool *spool,
                         void (*changed)(gpointer user), gpointer user) {
  *all = (RadiusSenders){.radius = radius, .net = net, .spool = spool, .changed = changed, .user = user};
  all->list = g_ptr_array_new_with_free_func(g_free);
}

void radius_senders_clear(RadiusSenders *all) {
  g_ptr_array_unref(all->list);
}
