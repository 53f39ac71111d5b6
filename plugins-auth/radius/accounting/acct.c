/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "acct.h"
#include "acct-record.h"

#include <adit/log.h>

enum {
  READ_AGAIN_MS = 5000,
  READ_TRIES = 12, /* then it goes on without what an earlier life left */
};

/** A record that came before the spool had been read. */
typedef struct {
  RadiusRow row;
  AditAcctDone done;
  gpointer token;
} Early;

struct RadiusAcct {
  const Radius *radius;
  const RadiusAcctNet *net;
  RadiusSpool *spool;
  RadiusSenders senders;
  gboolean reading, loaded;
  guint reads; /* that failed */
  AditTimer read_again;
  GQueue early; /* of Early */
  AditTimer budget;
  gboolean stopping, over_budget;
  void (*stopped)(gpointer data);
  gpointer stopped_data;
};

static gint64 wall_ms(void) {
  return g_get_real_time() / 1000;
}

static const RadiusAcctNet real_net = {radius_exchange, radius_exchange_cancel, radius_servers_pick, radius_servers_serve, wall_ms};

/* ---- taking records ---- */

/* Is there a server for it? For a session that has begun the answer stays yes. */
static gboolean is_wanted(const RadiusAcct *acct, const RadiusRow *row) {

  if (radius_spool_knows(acct->spool, row->id))
    return TRUE;
  RadiusWant want = radius_acct_want(row);
  return acct->net->serve(acct->radius->config->servers, &want);
}

/* An On or Off, of which each group of servers gets its own. */
typedef struct {
  guint left;
  gboolean kept; /* all that were told of */
  AditAcctDone done;
  gpointer token;
} Shared;

static void share_done(gpointer token, gboolean kept) {
  Shared *shared = token;

  shared->kept &= kept;
  if (--shared->left)
    return;
  shared->done(shared->token, shared->kept);
  g_free(shared);
}

static void take_for_all(RadiusAcct *acct, const RadiusRow *row, AditAcctDone done, gpointer token) {
  const RadiusConfig *config = acct->radius->config;
  g_autoptr(GPtrArray) groups = config->use_accounting_on ? radius_servers_groups(config->servers) : g_ptr_array_new();
  Shared *shared = g_new(Shared, 1);

  *shared = (Shared){groups->len + 1, TRUE, done, token};
  for (guint i = 0; i < groups->len; i++) {
    RadiusRow own = radius_acct_row_for(row, groups->pdata[i], i);
    radius_spool_add(acct->spool, &own, share_done, shared);
  }
  share_done(shared, TRUE);
}

static void take_row(RadiusAcct *acct, RadiusRow *row, AditAcctDone done, gpointer token) {
  if (radius_row_is_session(row) && is_wanted(acct, row)) {
    radius_spool_add(acct->spool, row, done, token);
    return;
  }
  if (radius_row_is_session(row))
    done(token, TRUE);
  else
    take_for_all(acct, row, done, token);
  radius_row_clear(row);
}

static void take_later(RadiusAcct *acct, RadiusRow *row, AditAcctDone done, gpointer token) {
  Early *early = g_new(Early, 1);
  *early = (Early){*row, done, token};
  g_queue_push_tail(&acct->early, early);
}

static void take_record(gpointer state, const AditAcctRecord *given, AditAcctDone done, gpointer token) {
  RadiusAcct *acct = state;

  if (given->client) {
    done(token, TRUE);
    return;
  }
  if (acct->stopping || !acct->radius->config || !given->record_id || !*given->record_id) {
    done(token, FALSE);
    return;
  }
  RadiusRow row = radius_acct_row(given, acct->radius->config->swap_octets);
  row.born_ms = acct->radius->loop->now();
  if (acct->loaded)
    take_row(acct, &row, done, token);
  else if (row.kind == ADIT_ACCT_STOP || acct->early.length < acct->radius->config->spool_records)
    take_later(acct, &row, done, token);
  else {
    radius_row_clear(&row);
    done(token, FALSE);
  }
}

const AditAcctSinkOps radius_acct_sink = {.size = sizeof(AditAcctSinkOps), .name = "radius", .record = take_record};

static void take_early(RadiusAcct *acct) {
  for (Early *early; (early = g_queue_pop_head(&acct->early));) {
    take_row(acct, &early->row, early->done, early->token);
    g_free(early);
  }
}

static void refuse_early(RadiusAcct *acct) {
  for (Early *early; (early = g_queue_pop_head(&acct->early));) {
    early->done(early->token, FALSE);
    radius_row_clear(&early->row);
    g_free(early);
  }
}

/* ---- the end ---- */

static void end_if_possible(RadiusAcct *acct) {
  if (!acct->stopping || !acct->stopped)
    return;
  gboolean sent = acct->loaded && !acct->spool->records.length;
  gboolean hopeless = radius_senders_wait(&acct->senders) && !radius_senders_in_flight(&acct->senders);
  if (!sent && !hopeless && !acct->over_budget)
    return;
  radius_senders_stop(&acct->senders);
  if (acct->spool->pending)
    return; /* settled() follows */
  void (*stopped)(gpointer) = acct->stopped;
  acct->stopped = NULL;
  acct->radius->loop->timer_cancel(&acct->budget);
  stopped(acct->stopped_data);
}

static void on_senders_changed(gpointer user) {
  end_if_possible(user);
}

static void out_of_budget(AditTimer *timer, gpointer data) {
  RadiusAcct *acct = data;
  acct->over_budget = TRUE;
  take_early(acct); /* to disk at least */
  end_if_possible(acct);
}

/* ---- what the spool says ---- */

static void on_ready(gpointer user, RadiusLane *lane) {
  radius_senders_ready(&((RadiusAcct *)user)->senders, lane);
}

static void on_forget(gpointer user, RadiusLane *lane) {
  radius_senders_forget(&((RadiusAcct *)user)->senders, lane);
}

static const RadiusSpoolOps spool_ops = {.ready = on_ready, .forget = on_forget, .settled = on_senders_changed};

/* ---- life ---- */

static void on_recovered(gpointer user, const GError *error) {
  RadiusAcct *acct = user;

  acct->reading = FALSE;
  if (error && ++acct->reads < READ_TRIES && !acct->stopping) {
    if (acct->reads == 1)
      adit_error(NULL, "accounting: records of an earlier run can't be read: %s", error->message);
    acct->radius->loop->timer_arm(&acct->read_again, READ_AGAIN_MS);
    return;
  }
  if (error)
    adit_error(NULL, "accounting: records of an earlier run remain stored until the next start: %s", error->message);
  acct->loaded = TRUE;
  take_early(acct);
  if (!acct->over_budget)
    radius_senders_start(&acct->senders);
  end_if_possible(acct);
}

static void read_spool(AditTimer *timer, gpointer data) {
  RadiusAcct *acct = data;
  acct->reading = TRUE;
  radius_spool_recover(acct->spool, on_recovered, acct);
}

RadiusAcct *radius_acct_new_with(const Radius *radius, const RadiusAcctNet *net) {
  RadiusAcct *acct = g_new0(RadiusAcct, 1);

  acct->radius = radius;
  acct->net = net;
  acct->spool = radius_spool_new(radius, &spool_ops, acct);
  radius_senders_init(&acct->senders, radius, net, acct->spool, on_senders_changed, acct);
  acct->read_again.func = read_spool;
  acct->budget.func = out_of_budget;
  acct->read_again.data = acct->budget.data = acct;
  return acct;
}

RadiusAcct *radius_acct_new(const Radius *radius) {
  return radius_acct_new_with(radius, &real_net);
}

void radius_acct_config(RadiusAcct *acct) {
  const RadiusConfig *config = acct->radius->config;

  radius_spool_bound(acct->spool, config->spool_records, config->spool_drop_oldest);
  radius_senders_wake(&acct->senders);
}

void radius_acct_start(RadiusAcct *acct) {
  radius_acct_config(acct);
  read_spool(&acct->read_again, acct);
}

void radius_acct_stop(RadiusAcct *acct, guint budget_ms, void (*done)(gpointer data), gpointer data) {
  acct->stopping = TRUE;
  acct->stopped = done;
  acct->stopped_data = data;
  acct->radius->loop->timer_cancel(&acct->read_again);
  acct->radius->loop->timer_arm(&acct->budget, budget_ms);
  if (acct->reads && !acct->reading && !acct->loaded)
    read_spool(&acct->read_again, acct);
  radius_senders_wake(&acct->senders); /* a last attempt, if no server has answered lately */
  end_if_possible(acct);
}

void radius_acct_free(RadiusAcct *acct) {
  if (!acct)
    return;
  acct->radius->loop->timer_cancel(&acct->read_again);
  acct->radius->loop->timer_cancel(&acct->budget);
  radius_senders_stop(&acct->senders);
  radius_spool_close(acct->spool);
  radius_senders_clear(&acct->senders);
  refuse_early(acct);
  g_free(acct);
}

/* ---- show ---- */

static void set_int(AditValue *map, const char *key, guint64 n) {
  adit_value_set(map, key, adit_value_int((gint64)n));
}

AditValue *radius_acct_describe(const RadiusAcct *acct) {
  const RadiusSpool *spool = acct->spool;
  const RadiusSenders *senders = &acct->senders;
  const RadiusRecord *oldest = g_queue_peek_head((GQueue *)&spool->records);
  g_autofree char *alarm = radius_spool_alarm(spool);
  AditValue *map = adit_value_map();

  adit_value_set(map, "state", adit_value_string(!acct->loaded ? "reading" : radius_senders_wait(senders) ? "waiting" : "sending"));
  set_int(map, "records", spool->records.length + acct->early.length);
  set_int(map, "max-records", spool->max_records);
  set_int(map, "sessions", spool->open);
  set_int(map, "in-flight", radius_senders_in_flight(senders));
  set_int(map, "oldest", oldest ? (guint64)radius_row_age_ms(&oldest->row, acct->radius->loop->now(), acct->net->wall_ms()) / 1000 : 0);
  set_int(map, "stored", spool->count.stored);
  set_int(map, "sent", senders->count.sent);
  set_int(map, "repeats", senders->count.repeats);
  set_int(map, "acknowledged", senders->count.acknowledged);
  set_int(map, "superseded", spool->count.superseded);
  set_int(map, "lost", spool->count.lost);
  set_int(map, "recovered", spool->count.recovered);
  if (alarm)
    adit_value_set(map, "alarm", adit_value_string(alarm));
  return map;
}
