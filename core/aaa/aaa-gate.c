/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-gate.h"
#include "core/aaa/aaa-registry.h"
#include "core/base/random.h"
#include "core/bus/bus.h"

enum { SHOWN_MAX = 1000 };

static AaaGuard *guard;
static const GArray *exempt; /* of AditPrefix */
static AditTimer timer;
static gboolean opening;
static void (*open_attempt)(AaaAttempt *attempt, gboolean refused);
static AditRateLimit lines;

static const char *text_of(const AditPrefix *source, char text[ADIT_PREFIX_TEXT]) {
  if (source->length == adit_address_size(&source->address) * 8)
    return adit_address_format(&source->address, text);
  return adit_prefix_format(source, text);
}

static void on_locked(const AaaGuardView *view, gpointer data) {
  char source[ADIT_PREFIX_TEXT];
  guint kept = 0;
  AditLogContext about = {.user = view->user, .peer = text_of(&view->source, source)};
  AditLockoutEvent event = {.event = {adit_bus_type(ADIT_EVENT_LOGIN_LOCKOUT), sizeof event},
                            .source = source,
                            .user = view->user,
                            .failures = view->failures,
                            .lockout_ms = view->locked_ms};

  if (event.event.type)
    adit_bus_publish(&event.event);
  if (!adit_rate_allows(&lines, aaa_loop->now(), 5, 10000, &kept))
    return;
  g_autofree char *more = kept ? g_strdup_printf(" (and %u other lockouts)", kept) : g_strdup("");
  if (view->user)
    adit_warning(&about, "source %s: %u failed logins of user %s: it is locked out there for %" G_GUINT64_FORMAT " s%s", source,
                 view->failures, view->user, view->locked_ms / 1000, more);
  else
    adit_warning(&about, "source %s: %u failed logins: users who are not known there are locked out for %" G_GUINT64_FORMAT " s%s", source,
                 view->failures, view->locked_ms / 1000, more);
}

/* ---- the end of a delay ---- */

static void open_ready(void) {
  AaaAttempt *attempt;

  if (opening)
    return;
  opening = TRUE;
  while ((attempt = aaa_guard_next(guard)))
    open_attempt(attempt, attempt->state == AAA_ATTEMPT_REFUSED);
  opening = FALSE;
  guint due = aaa_guard_due(guard);
  if (due)
    aaa_loop->timer_arm(&timer, due);
}

static void on_tick(AditTimer *tick, gpointer data) {
  aaa_guard_tick(guard, aaa_loop->now());
  open_ready();
}

/* ---- requests ---- */

static gboolean is_exempt(const AditAddress *address) {
  for (guint i = 0; exempt && i < exempt->len; i++)
    if (adit_prefix_contains(&g_array_index(exempt, AditPrefix, i), address))
      return TRUE;
  return FALSE;
}

AaaGuardAnswer aaa_gate_enter(AaaAttempt *attempt, const AditAuthRequest *request) {
  AditAddress source = adit_endpoint_address(&request->peer);

  if (!adit_address_is_set(&source) || request->again || is_exempt(&source))
    return AAA_GUARD_GO;
  AaaGuardAnswer answer = aaa_guard_begin(guard, attempt, &source, request->user ? request->user : "", aaa_loop->now());
  guint due = answer == AAA_GUARD_WAIT ? aaa_guard_due(guard) : 0;
  if (due)
    aaa_loop->timer_arm(&timer, due);
  return answer;
}

void aaa_gate_leave(AaaAttempt *attempt, AaaLogin outcome) {
  if (!guard || attempt->state == AAA_ATTEMPT_IDLE)
    return;
  aaa_guard_end(guard, attempt, outcome, aaa_loop->now());
  open_ready();
}

/* ---- for people ---- */

static void add_row(const AaaGuardView *view, gpointer data) {
  AditValue *list = (AditValue *)data, *row = adit_value_map();
  char source[ADIT_PREFIX_TEXT];

  if (adit_value_length(list) >= SHOWN_MAX)
    return;
  adit_value_set(row, "source", adit_value_string(text_of(&view->source, source)));
  if (view->user) {
    g_autofree char *user = g_utf8_make_valid(view->user, -1);
    adit_value_set(row, "user", adit_value_string(user));
  }
  adit_value_set(row, "state",
                 adit_value_string(view->locked_ms  ? "locked"
                                   : view->waiting  ? "delayed"
                                   : view->failures ? "failing"
                                                    : "busy"));
  adit_value_set(row, "failures", adit_value_int(view->failures));
  if (view->locked_ms)
    adit_value_set(row, "locked", adit_value_int((gint64)view->locked_ms));
  adit_value_set(row, "running", adit_value_int(view->running));
  adit_value_set(row, "waiting", adit_value_int(view->waiting));
  adit_value_append(list, row);
}

AditValue *adit_aaa_sources_failing(void) {
  AditValue *list = adit_value_list();
  aaa_guard_foreach(guard, aaa_loop->now(), add_row, list);
  return list;
}

AditValue *adit_aaa_login_counters(void) {
  const AaaGuardStats *stats = aaa_guard_stats(guard);
  const struct {
    const char *name;
    guint64 value;
  } counters[] = {{"logins", stats->asked},    {"accepted", stats->good},     {"failed", stats->bad},      {"delayed", stats->delayed},
                  {"refused", stats->refused}, {"lockouts", stats->lockouts}, {"running", stats->running}, {"waiting", stats->waiting}};
  AditValue *map = adit_value_map();

  for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
    adit_value_set(map, counters[i].name, adit_value_int((gint64)counters[i].value));
  return map;
}

guint adit_aaa_forgive(const AditPrefix *source) {
  guint n = aaa_guard_forgive(guard, source, aaa_loop->now());
  aaa_guard_tick(guard, aaa_loop->now());
  open_ready();
  return n;
}

/* ---- life ---- */

void aaa_gate_configure(const AaaGuardRules *rules, const GArray *never_held) {
  exempt = never_held;
  aaa_guard_set_rules(guard, rules);
}

void aaa_gate_init(void (*open)(AaaAttempt *attempt, gboolean refused)) {
  const AaaGuardRules off = {0};
  guint8 key[16];

  adit_random(key, sizeof key);
  guard = aaa_guard_new(&off, key, on_locked, NULL);
  open_attempt = open;
  opening = FALSE;
  timer.func = on_tick;
}

void aaa_gate_close(void) {
  opening = TRUE;
}

void aaa_gate_fini(void) {
  aaa_loop->timer_cancel(&timer);
  exempt = NULL;
  g_clear_pointer(&guard, aaa_guard_free);
}
