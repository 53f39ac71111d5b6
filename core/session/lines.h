/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/lines.h - log lines that peers cause, at a bounded rate. [main]
 *
 * Strangers share one quota a kind. Each authenticated user, and each client, has its own share: ADIT_LINES_BURST at once, then
 * one each ADIT_LINES_INTERVAL_MS. Lines beyond a share go into the quota of their kind (adit/log-quota.h), which prints how many lines
 * were suppressed.
 */
#pragma once

#include <adit/log.h>

G_BEGIN_DECLS

enum {
  ADIT_LINES_BURST = 100,
  ADIT_LINES_INTERVAL_MS = 500,
};

typedef enum {
  ADIT_LINES_LOGIN_REFUSED,
  ADIT_LINES_LINK_CLOSED,
  ADIT_LINES_SESSION, /**< all lines about sessions: up, down, refused, what they do without */
  ADIT_LINES_KINDS,
} AditLinesKind;

/** True if the line may go out. `who`: the user or client that is known to cause it; NULL = a stranger. */
gboolean adit_lines_allow(AditLinesKind kind, const char *who);
/** Prints the summaries that are due; before the loop goes. */
void adit_lines_fini(void);

/** A line about a session; `context` has its user. */
#define adit_lines_at(level, context, ...)                                                                                                 \
  do {                                                                                                                                     \
    if (adit_lines_allow(ADIT_LINES_SESSION, (context)->user))                                                                             \
      adit_log_at(level, context, __VA_ARGS__);                                                                                            \
  } while (0)
#define adit_lines_error(context, ...)   adit_lines_at(ADIT_LOG_LEVEL_ERROR, context, __VA_ARGS__)
#define adit_lines_warning(context, ...) adit_lines_at(G_LOG_LEVEL_WARNING, context, __VA_ARGS__)
#define adit_lines_notice(context, ...)  adit_lines_at(G_LOG_LEVEL_MESSAGE, context, __VA_ARGS__)
#define adit_lines_info(context, ...)    adit_lines_at(G_LOG_LEVEL_INFO, context, __VA_ARGS__)

G_END_DECLS
