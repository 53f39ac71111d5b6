/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct-private.h"
#include "request.h"
#include "vocabulary.h"

#include <adit/log.h>

enum {
  WINDOW_FIRST = 8,
  WINDOW_MAX = 256,
  PAUSE_FIRST_MS = 1000,
  PAUSE_MAX_MS = 30000,
  STUBBORN = 3, /* tries in vain after which others are given a chance */
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
  char *called_id; /* of want */
  guint64 answers; /* of the sender, when it began */
  gboolean probe;  /* to find out whether servers are back */
  gboolean spy;    /* a probe from behind a barrier: its answer says that, and nothing else */
  GList place;
} Flight;

RadiusWant radius_acct_want(const RadiusRow *row, char **called_id) {
  *called_id = radius_row_text(row, CALLED_STATION_ID);
  return (RadiusWant){.role = RADIUS_ACCT, .user = row->user, .called_id = *called_id};
}

/* Up to a quarter more: many daemons must not come in step. */
static guint64 jittered(const RadiusSender *sender, guint ms) {
  guint32 random;
  sender->radius->loop->random(&random, sizeof random);
  return ms + random % (ms / 4 + 1);
}

static RadiusRecord *head_of(const RadiusLane *lane) {
  return g_queue_peek_head((GQueue *)&lane->records);
}

/* ---- who waits where ---- */

static void unqueue(RadiusLane *lane) {
  if (lane->waits_in)
    g_queue_unlink(lane->waits_in, &lane->place);
  lane->waits_in = NULL;
}

static void queue(RadiusLane *lane, GQueue *where) {
  unqueue(lane);
  lane->waits_in = where;
  g_queue_push_tail_link(where, &lane->place);
}

static gboolean is_barrier(const RadiusRecord *record) {
  return !radius_row_is_session(&record->row);
}

/* May both go to the same server? */
static gboolean concerns(const RadiusSender *sender, const RadiusRecord *barrier, const RadiusRecord *record) {
  g_autofree char *called_id = NULL, *own_called_id = NULL;
  RadiusWant want = radius_acct_want(&barrier->row, &called_id), own = radius_acct_want(&record->row, &own_called_id);

  return radius_servers_shared(sender->radius->config->servers, &want, &own);
}

/* The oldest On or Off that a record has to wait for. */
static RadiusRecord *barrier_before(const RadiusSender *sender, const RadiusRecord *record) {
  for (GList *node = sender->spool->barriers.head; node; node = node->next) {
    RadiusRecord *barrier = node->data;
    if (barrier->number >= record->number)
      break;
    if (concerns(sender, barrier, record))
      return barrier;
  }
  return NULL;
}

/* Lets all look again whether they must wait. */
static void release(RadiusSender *sender) {
  sender->passed = sender->spool->passed;
  for (GList *node; (node = sender->held.head);)
    queue(node->data, &sender->ready);
}

/* The next lane that may go now, still in its queue. On its way there it clears away who must wait. */
static RadiusLane *next_lane(RadiusSender *sender) {
  if (sender->passed != sender->spool->passed) /* one was answered, or dropped */
    release(sender);
  for (GList *node; (node = sender->ready.head);) {
    RadiusLane *lane = node->data;
    const RadiusRecord *head = head_of(lane);
    if (!head || head->writing)
      unqueue(lane); /* it will be said to be ready */
    else if (barrier_before(sender, head))
      queue(lane, &sender->held);
    else
      return lane;
  }
  return NULL;
}

static gboolean flies_past(const RadiusSender *sender, const RadiusRecord *barrier) {
  for (GList *node = sender->flights.head; node; node = node->next)
    if (concerns(sender, barrier, ((const Flight *)node->data)->record))
      return TRUE;
  return FALSE;
}

/* The lane of an On or Off that may go: the head of its lane, and nothing on its way where it goes. The one that was tried least. */
static RadiusLane *barrier_lane(const RadiusSender *sender) {
  RadiusRecord *best = NULL;

  for (GList *node = sender->spool->barriers.head; node; node = node->next) {
    RadiusRecord *barrier = node->data;
    if (barrier->writing || barrier->lane->busy || barrier->lane->pausing || head_of(barrier->lane) != barrier ||
        (best && best->tries <= barrier->tries))
      continue;
    if (!barrier_before(sender, barrier) && !flies_past(sender, barrier))
      best = barrier;
  }
  return best ? best->lane : NULL;
}

/* A lane that waits behind this one; NULL = any. */
static RadiusLane *held_lane(const RadiusSender *sender, const RadiusRecord *barrier) {
  for (GList *node = sender->held.head; node; node = node->next) {
    const RadiusRecord *head = head_of(node->data);
    if (head && !head->writing && (!barrier || barrier_before(sender, head) == barrier))
      return node->data;
  }
  return NULL;
}

/* Who finds out whether the servers are back: the eldest, then the barrier; when both have tried in vain often enough, all take
 * turns, in case that the server answers but not them. */
static RadiusLane *scout(RadiusSender *sender) {
  RadiusLane *lanes[] = {next_lane(sender), barrier_lane(sender), NULL};

  for (guint i = 0; i < G_N_ELEMENTS(lanes); i++)
    if (lanes[i] && head_of(lanes[i])->tries < STUBBORN)
      return lanes[i];
  lanes[2] = held_lane(sender, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(lanes); i++) {
    RadiusLane *lane = lanes[sender->scouts++ % G_N_ELEMENTS(lanes)];
    if (lane)
      return lane;
  }
  return NULL;
}

/* ---- flights ---- */

static void attempt(Flight *flight);
static void pump(RadiusSender *sender);
static void fly(RadiusSender *sender, RadiusLane *lane, gboolean probe);

static void flight_free(Flight *flight) {
  g_queue_unlink(&flight->sender->flights, &flight->place);
  radius_record_unref(flight->record);
  radius_config_unref(flight->config);
  g_ptr_array_unref(flight->tried);
  g_free(flight->called_id);
  g_free(flight);
}

static void fill(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  const Flight *flight = data;
  RadiusNas nas = {.identifier = flight->config->nas_identifier, .address = radius_server_nas_address(server, RADIUS_ACCT)};

  radius_put_nas(b, &nas);
  radius_row_put(&flight->record->row, flight->sender->net->wall_ms(), server->realm, b);
}

static void pause_over(AditTimer *timer, gpointer data) {
  RadiusSender *sender = data;
  sender->due = TRUE;
  pump(sender);
}

static void lane_pause_over(AditTimer *timer, gpointer data) {
  RadiusSender *sender = data;
  RadiusLane *lane = (RadiusLane *)((char *)timer - G_STRUCT_OFFSET(RadiusLane, retry));

  lane->pausing = FALSE;
  radius_sender_ready(sender, lane);
}

static void pause_lane(RadiusSender *sender, RadiusLane *lane, guint ms) {
  lane->pausing = TRUE;
  lane->retry.func = lane_pause_over;
  lane->retry.data = sender;
  sender->radius->loop->timer_arm(&lane->retry, jittered(sender, ms));
}

static void wait_for_servers(RadiusSender *sender) {
  guint kept;

  sender->waiting = TRUE;
  sender->due = FALSE;
  sender->radius->loop->timer_arm(&sender->pause, jittered(sender, sender->pause_ms));
  if (!adit_rate_allows(&sender->complaints, sender->radius->loop->now(), 1, COMPLAIN_EVERY_MS, &kept))
    return;
  sender->complained = TRUE;
  adit_warning(NULL, "accounting: no server answers, %u records wait", sender->spool->records.length);
}

static void servers_are_back(RadiusSender *sender) {
  if (sender->complained)
    adit_notice(NULL, "accounting: servers answer again, %u records wait", sender->spool->records.length);
  sender->complained = sender->waiting = FALSE;
  sender->pause_ms = PAUSE_FIRST_MS;
  sender->window = 1;
  sender->radius->loop->timer_cancel(&sender->pause);
}

static guint pause_after(guint tries) {
  return MIN(PAUSE_FIRST_MS << MIN(tries, 5), PAUSE_MAX_MS);
}

/* All servers were asked in vain. If others were answered meanwhile it is for the record alone, else for all. */
static void failed(Flight *flight) {
  RadiusSender *sender = flight->sender;
  RadiusLane *lane = flight->record->lane;
  gboolean others = sender->answers != flight->answers;

  flight->record->tries++;
  lane->busy = FALSE;
  sender->window = MAX(sender->window / 2, 1);
  if (!sender->net->serve(sender->radius->config->servers, &flight->want)) {
    if (is_barrier(flight->record)) /* all others would wait behind it */
      radius_spool_drop(sender->spool, flight->record);
    else
      pause_lane(sender, lane, PAUSE_MAX_MS);
  } else if (others) {
    pause_lane(sender, lane, pause_after(flight->record->tries));
  } else {
    if (!is_barrier(flight->record))
      queue(lane, &sender->ready);
    sender->pause_ms = flight->probe ? MIN(sender->pause_ms * 2, PAUSE_MAX_MS) : sender->pause_ms;
    if (!sender->waiting)
      wait_for_servers(sender);
  }
  if (flight->probe && sender->waiting)
    wait_for_servers(sender);
  lane = others && is_barrier(flight->record) && flight->record->tries >= STUBBORN ? held_lane(sender, flight->record) : NULL;
  flight_free(flight);
  if (lane)
    fly(sender, lane, FALSE); /* to see whether it is only On or Off that its servers do not answer */
}

/* Nobody was asked: those who could be have as many as they may have at once, or others find out whether they are back. */
static void put_off(Flight *flight) {
  RadiusLane *lane = flight->record->lane;

  lane->busy = FALSE;
  pause_lane(flight->sender, lane, PAUSE_FIRST_MS);
  flight_free(flight);
}

/* From behind the barrier: servers are there. The record stays, as what an On finds is over (RFC 2866 5.1), and goes once more after it.
 * When that happens again and again the server does not know On or Off: such a one must not hold up all. */
static void spied(RadiusSender *sender, RadiusLane *lane) {
  RadiusRecord *barrier = barrier_before(sender, head_of(lane));

  queue(lane, &sender->held);
  if (!barrier) {
    release(sender);
    return;
  }
  if (barrier->lane->busy || ++barrier->spies < STUBBORN)
    return;
  adit_warning(NULL, "accounting: the server answers, but not Accounting-%s: left out", barrier->row.kind == ADIT_ACCT_ON ? "On" : "Off");
  radius_spool_drop(sender->spool, barrier);
}

static void succeeded(Flight *flight) {
  RadiusSender *sender = flight->sender;
  g_autoptr(RadiusRecord) record = radius_record_ref(flight->record);
  gboolean spy = flight->spy;

  flight_free(flight);
  sender->answers++;
  record->lane->busy = FALSE;
  if (sender->waiting)
    servers_are_back(sender);
  if (spy) {
    spied(sender, record->lane);
    return;
  }
  sender->window = MIN(sender->window + 1, WINDOW_MAX);
  sender->count.acknowledged++;
  radius_spool_acknowledged(sender->spool, record);
}

static void exchanged(const RadiusAnswer *answer, gpointer data) {
  Flight *flight = data;
  RadiusSender *sender = flight->sender;
  RadiusRecord *record = flight->record;

  flight->exchange = NULL;
  if (answer->result != RADIUS_UNSENT) {
    sender->count.sent++;
    sender->count.repeats += record->sent;
    record->sent = TRUE;
  }
  if (answer->result == RADIUS_ANSWERED && answer->reply->code == RADIUS_ACCOUNTING_RESPONSE)
    succeeded(flight);
  else
    attempt(flight);
  pump(sender);
  sender->changed(sender->user);
}

/* To the next server; the flight is over when there is none. */
static void attempt(Flight *flight) {
  const RadiusAcctNet *net = flight->sender->net;
  RadiusServers *servers = flight->config->servers;
  RadiusServer *server = net->pick(servers, &flight->want, flight->tried);

  if (!server && !flight->tried->len && flight->sender->flights.length > 1 && net->serve(servers, &flight->want)) {
    put_off(flight);
    return;
  }
  if (!server) {
    failed(flight);
    return;
  }
  g_ptr_array_add(flight->tried, radius_server_ref(server));
  RadiusRequest request = {.code = RADIUS_ACCOUNTING_REQUEST,
                           .fill = fill,
                           .done = exchanged,
                           .data = flight,
                           .impatient = net->pick(servers, &flight->want, flight->tried) != NULL};
  flight->exchange = net->exchange(server, &request);
}

static void fly(RadiusSender *sender, RadiusLane *lane, gboolean probe) {
  Flight *flight = g_new0(Flight, 1);

  unqueue(lane);
  lane->busy = TRUE;
  flight->sender = sender;
  flight->record = radius_record_ref(head_of(lane));
  flight->config = radius_config_ref(sender->radius->config);
  flight->tried = g_ptr_array_new_with_free_func((GDestroyNotify)radius_server_unref);
  flight->answers = sender->answers;
  flight->probe = probe;
  flight->spy = barrier_before(sender, head_of(lane)) != NULL;
  flight->place.data = flight;
  flight->want = radius_acct_want(&flight->record->row, &flight->called_id);
  g_queue_push_tail_link(&sender->flights, &flight->place);
  attempt(flight);
}

/* No more than one server takes at once. */
static guint window_of(const RadiusSender *sender) {
  const RadiusServers *servers = sender->radius->config->servers;
  guint most = 1;

  for (guint i = 0; i < radius_servers_count(servers); i++)
    most = MAX(most, radius_servers_get(servers, i)->max_in_flight);
  return MIN(sender->window, most);
}

/* Sends all that may go now. */
static void pump(RadiusSender *sender) {
  guint window = sender->on ? window_of(sender) : 0;
  RadiusLane *lane;

  while (sender->on && !sender->waiting && sender->flights.length < window && ((lane = next_lane(sender)) || (lane = barrier_lane(sender))))
    fly(sender, lane, FALSE);
  if (sender->on && sender->waiting && sender->due && !sender->flights.length && (lane = scout(sender))) {
    sender->due = FALSE;
    fly(sender, lane, TRUE);
  }
}

/* ---- for acct.c ---- */

void radius_sender_ready(RadiusSender *sender, RadiusLane *lane) {
  if (!head_of(lane) || lane->busy || lane->pausing || lane->waits_in)
    return; /* a pause may end when what it was for has been dropped */
  if (!is_barrier(head_of(lane)))
    queue(lane, &sender->ready);
  pump(sender);
}

void radius_sender_forget(RadiusSender *sender, RadiusLane *lane) {
  unqueue(lane);
  sender->radius->loop->timer_cancel(&lane->retry);
}

void radius_sender_start(RadiusSender *sender) {
  for (GList *node = sender->spool->records.head; node; node = node->next) {
    RadiusLane *lane = ((RadiusRecord *)node->data)->lane;
    if (!lane->waits_in && !lane->busy && !is_barrier(head_of(lane)))
      queue(lane, &sender->ready);
  }
  sender->on = TRUE;
  pump(sender);
}

void radius_sender_stop(RadiusSender *sender) {
  GHashTableIter iter;
  RadiusLane *lane;

  sender->on = FALSE;
  sender->radius->loop->timer_cancel(&sender->pause);
  g_hash_table_iter_init(&iter, sender->spool->lanes);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&lane))
    radius_sender_forget(sender, lane);
  for (Flight *flight; (flight = g_queue_peek_head(&sender->flights));) {
    if (flight->exchange)
      sender->net->cancel(flight->exchange);
    flight->record->lane->busy = FALSE;
    flight_free(flight);
  }
}

void radius_sender_wake(RadiusSender *sender) {
  sender->pause_ms = PAUSE_FIRST_MS;
  sender->due = TRUE;
  release(sender); /* servers may be for others now */
  pump(sender);
}

void radius_sender_init(RadiusSender *sender, const Radius *radius, const RadiusAcctNet *net, RadiusSpool *spool,
                        void (*changed)(gpointer user), gpointer user) {
  *sender = (RadiusSender){
      .radius = radius, .net = net, .spool = spool, .changed = changed, .user = user, .window = WINDOW_FIRST, .pause_ms = PAUSE_FIRST_MS};
  sender->pause.func = pause_over;
  sender->pause.data = sender;
}
