/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/lines.h"

#include "core/base/loop.h"

#include <adit/log-quota.h>

enum { SHARES = 4096 }; /* users are spread over so many */

static AditLogQuota quotas[ADIT_LINES_KINDS] = {
    [ADIT_LINES_LOGIN_REFUSED] = ADIT_LOG_QUOTA("login refused"),
    [ADIT_LINES_LINK_CLOSED] = ADIT_LOG_QUOTA("link closed"),
    [ADIT_LINES_SESSION] = ADIT_LOG_QUOTA("sessions of users who come and go all the time"),
};
static AditRateLimit shares[SHARES];

gboolean adit_lines_allow(AditLinesKind kind, const char *who) {
  AditRateLimit *share = who ? &shares[g_str_hash(who) % SHARES] : NULL;
  const AditLoopService *loop = adit_loop_service();

  if (share && adit_rate_allows(share, loop->now(), ADIT_LINES_BURST, ADIT_LINES_INTERVAL_MS, NULL))
    return TRUE;
  return adit_log_quota_allows(&quotas[kind], loop);
}

void adit_lines_fini(void) {
  for (guint i = 0; i < ADIT_LINES_KINDS; i++) {
    adit_log_quota_stop(&quotas[i]);
    quotas[i].rate = (AditRateLimit){0};
  }
  memset(shares, 0, sizeof shares);
}
