/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Limits on a session's life: its age, its silence, and what it may carry. */
#include "core/session/life/limits.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/session/life/sess.h"
#include "core/session/network/plane.h"
#include <adit/session-options.h>

enum {
  LOOK_MS_MIN = 1000, /* counters are looked at no more often */
  LOOK_MS_MAX = 60000,
  FASTEST = 125000, /* octets in a millisecond: at 1 Gbit/s a limit is passed by what one second carries, at most */
};

/** A limit on what is carried: which of the counters, by its attribute. */
typedef struct {
  const char *attribute;
  gboolean rx, tx;
} Quota;

static const Quota quotas[] = {{adit_option_limit_bytes_in_key, TRUE, FALSE},
                               {adit_option_limit_bytes_out_key, FALSE, TRUE},
                               {adit_option_limit_bytes_total_key, TRUE, TRUE}};

static void on_age(AditTimer *timer, gpointer data) {
  adit_sess_end(data, ADIT_CAUSE_SESSION_TIMEOUT, "session-timeout");
}

/* How long it has been silent. */
static guint64 silent_ms(AditSess *session) {
  AditDpStats stats = {0};

  ADIT_HOLD(NULL, session->datapath->session_stats, "session_stats()", session->datapath->session_stats(session->plane, &stats));
  /* A worker reads the clock itself, and may be ahead of this pass. */
  guint64 now = adit_loop_service()->now(), last = MIN(MAX(stats.last_data_ms, session->up_ms), now);
  return now - last;
}

static void on_idle(AditTimer *timer, gpointer data) {
  AditSess *session = data;
  guint64 limit = (guint64)adit_option_idle_timeout(session->attributes), since = silent_ms(session);

  if (since >= limit)
    adit_sess_end(session, ADIT_CAUSE_IDLE_TIMEOUT, "idle-timeout");
  else
    adit_timer_arm(&session->limits.idle, limit - since);
}

/* Octets that may still pass until the nearest quota; G_MAXUINT64 without one. `*which` is the nearest. */
static guint64 quota_left(AditSess *session, const AditCounters *counters, const char **which) {
  guint64 least = G_MAXUINT64;

  for (gsize i = 0; i < G_N_ELEMENTS(quotas); i++) {
    guint64 limit = (guint64)adit_value_get_int(session->attributes, quotas[i].attribute, 0);
    guint64 used = (quotas[i].rx ? counters->rx_octets : 0) + (quotas[i].tx ? counters->tx_octets : 0);
    guint64 left = limit > used ? limit - used : 0;
    if (!limit || left >= least)
      continue;
    least = left;
    *which = quotas[i].attribute;
  }
  return least;
}

static void on_quota(AditTimer *timer, gpointer data) {
  AditSess *session = data;
  AditCounters counters = adit_sess_counters(session);
  const char *which = NULL;
  guint64 left = quota_left(session, &counters, &which);

  if (left == G_MAXUINT64)
    return;
  if (!left)
    adit_sess_end(session, ADIT_CAUSE_NAS_REQUEST, which);
  else
    adit_timer_arm(&session->limits.quota, CLAMP(left / FASTEST, LOOK_MS_MIN, LOOK_MS_MAX));
}

static void set_timer(AditTimer *timer, AditTimerFunc func, AditSess *session) {
  timer->func = func;
  timer->data = session;
}

void adit_sess_limits_init(AditSess *session) {
  set_timer(&session->limits.age, on_age, session);
  set_timer(&session->limits.idle, on_idle, session);
  set_timer(&session->limits.quota, on_quota, session);
}

/* A limit that is passed already ends the session when the loop comes round: the caller that changed it may still use the session. */
static void arm_limit(AditTimer *timer, gint64 limit, guint64 used) {
  if (limit <= 0)
    adit_timer_cancel(timer);
  else
    adit_timer_arm(timer, (guint64)limit > used ? (guint64)limit - used : 1);
}

void adit_sess_limits_start(AditSess *session) {
  AditCounters none = {0};
  const char *which;

  arm_limit(&session->limits.age, adit_option_session_timeout(session->attributes), adit_sess_uptime_ms(session));
  gint64 idle = adit_option_idle_timeout(session->attributes);
  arm_limit(&session->limits.idle, idle, idle ? silent_ms(session) : 0);
  arm_limit(&session->limits.quota, quota_left(session, &none, &which) == G_MAXUINT64 ? 0 : 1, 0);
}

void adit_sess_limits_stop(AditSess *session) {
  adit_timer_cancel(&session->limits.age);
  adit_timer_cancel(&session->limits.idle);
  adit_timer_cancel(&session->limits.quota);
}
