/* SPDX-License-Identifier: MIT */
/**
 * adit/log-quota.h - log lines that strangers can cause, at a bounded rate. [main]
 *
 * Lines within the quota go out as they are; the others are counted, and one line a minute says how many there were.
 *
 *   static AditLogQuota refused = ADIT_LOG_QUOTA("login refused");
 *   if (adit_log_quota_allows(&refused, loop))
 *     adit_notice(&about, "login refused: %s", why);
 *   ...
 *   adit_log_quota_stop(&refused); // before the loop or the plugin goes
 */
#pragma once

#include <adit/log.h>
#include <adit/loop.h>

G_BEGIN_DECLS

enum {
  ADIT_LOG_QUOTA_BURST = 50,            /**< lines at once */
  ADIT_LOG_QUOTA_INTERVAL_MS = 200,     /**< then one each */
  ADIT_LOG_QUOTA_SUMMARY_MS = 60 * 1000 /**< from the first line that was kept back to the summary */
};

/** One kind of line. */
typedef struct {
  const char *what; /**< the kind, as the summary calls it; static */
  const AditLoopService *loop;
  AditRateLimit rate;
  guint32 suppressed; /**< lines since the last summary */
  guint64 since_ms;   /**< when the first of them was kept back */
  guint64 total;      /**< lines ever kept back */
  AditTimer timer;
} AditLogQuota;

#define ADIT_LOG_QUOTA(kind) \
  { .what = kind }

/** Prints the summary now, if there is one to print. */
static inline void adit_log_quota_stop(AditLogQuota *quota) {
  if (!quota->loop || !quota->suppressed)
    return;
  quota->loop->timer_cancel(&quota->timer);
  adit_notice(NULL, "%s: %u more like this were suppressed in the last %" G_GUINT64_FORMAT " s", quota->what, quota->suppressed,
              (quota->loop->now() - quota->since_ms + 999) / 1000);
  quota->suppressed = 0;
}

static inline void adit_log_quota_due(AditTimer *timer, gpointer data) {
  (void)timer;
  adit_log_quota_stop((AditLogQuota *)data);
}

/** True if the line may go out. */
static inline gboolean adit_log_quota_allows(AditLogQuota *quota, const AditLoopService *loop) {
  guint64 now = loop->now();

  if (adit_rate_allows(&quota->rate, now, ADIT_LOG_QUOTA_BURST, ADIT_LOG_QUOTA_INTERVAL_MS, NULL))
    return TRUE;
  quota->loop = loop;
  quota->total++;
  if (quota->suppressed++)
    return FALSE;
  quota->since_ms = now;
  quota->timer.func = adit_log_quota_due;
  quota->timer.data = quota;
  loop->timer_arm(&quota->timer, ADIT_LOG_QUOTA_SUMMARY_MS);
  return FALSE;
}

G_END_DECLS
