/* SPDX-License-Identifier: MIT */
/**
 * adit/log.h - structured logging. [any]
 *
 * Levels have a meaning: error - an administrator must act, something does not work; warning - works, but not as asked;
 * info - life of tunnels, sessions and configuration, one line each; debug - each frame and state. g_warning() and
 * g_critical() are for bugs alone. Whatever a stranger can cause goes through an AditRateLimit.
 *
 * A line about a session, and one that a stranger can cause:
 *
 *     static void log_quota_exceeded(AditSessionId id, const char *user) {
 *       AditLogContext about = {.session = id, .user = user};
 *       adit_notice(&about, "user %s: quota exceeded: session ends", user);
 *     }
 *
 *     static void log_bad_packet(const char *peer, guint64 now_ms) {
 *       static AditRateLimit limit;
 *       guint kept = 0;
 *       if (adit_rate_allows(&limit, now_ms, 10, 1000, &kept))
 *         adit_warning(NULL, "peer %s: malformed packet: dropped (%u such lines were suppressed)", peer, kept);
 *     }
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/** The object of a line; fields that are NULL or 0 are left out. They become journal fields ADIT_SESSION, ADIT_USER, ... */
typedef struct {
  AditSessionId session;
  const char *user;
  const char *peer;
  const char *tunnel;
} AditLogContext;

/** The level of adit_error(): GLib's own critical would end a daemon that runs with G_DEBUG=fatal-criticals. */
#define ADIT_LOG_LEVEL_ERROR ((GLogLevelFlags)(1 << G_LOG_LEVEL_USER_SHIFT))

#define adit_log_at(level, context, ...) adit_log_write(G_LOG_DOMAIN, level, context, __VA_ARGS__)
#define adit_error(context, ...) adit_log_at(ADIT_LOG_LEVEL_ERROR, context, __VA_ARGS__)
#define adit_warning(context, ...) adit_log_at(G_LOG_LEVEL_WARNING, context, __VA_ARGS__)
#define adit_notice(context, ...) adit_log_at(G_LOG_LEVEL_MESSAGE, context, __VA_ARGS__)
#define adit_info(context, ...) adit_log_at(G_LOG_LEVEL_INFO, context, __VA_ARGS__)
#define adit_debug(context, ...) adit_log_at(G_LOG_LEVEL_DEBUG, context, __VA_ARGS__)

/** private */
static inline void adit_log_field_(GLogField *field, const char *key, const char *text) {
  field->key = key;
  field->value = text;
  field->length = -1;
}

G_GNUC_PRINTF(4, 5)
static inline void adit_log_write(const char *domain, GLogLevelFlags level, const AditLogContext *context, const char *format, ...) {
  if (level == G_LOG_LEVEL_DEBUG && g_log_writer_default_would_drop(level, domain))
    return;

  va_list args;
  va_start(args, format);
  char *text = g_strdup_vprintf(format, args);
  va_end(args);

  char session[17] = "";
  static const char *const priority[] = {"3", "4", "5", "6", "7"};
  int index = level == ADIT_LOG_LEVEL_ERROR  ? 0
              : level == G_LOG_LEVEL_WARNING ? 1
              : level == G_LOG_LEVEL_MESSAGE ? 2
              : level == G_LOG_LEVEL_INFO    ? 3
                                             : 4;
  GLogField fields[8] = {{"MESSAGE", text, -1}, {"PRIORITY", priority[index], -1}, {"GLIB_DOMAIN", domain ? domain : "adit", -1}};
  gsize n = 3;
  if (context && context->session) {
    g_snprintf(session, sizeof session, "%" G_GINT64_MODIFIER "x", context->session);
    adit_log_field_(&fields[n++], "ADIT_SESSION", session);
  }
  if (context && context->user)
    adit_log_field_(&fields[n++], "ADIT_USER", context->user);
  if (context && context->peer)
    adit_log_field_(&fields[n++], "ADIT_PEER", context->peer);
  if (context && context->tunnel)
    adit_log_field_(&fields[n++], "ADIT_TUNNEL", context->tunnel);
  g_log_structured_array(level, fields, n);
  g_free(text);
}

/** A token bucket for one kind of line: `burst` lines at once, then one each `interval_ms`. Zero-initialise; not
 *  thread-safe: one for each thread. */
typedef struct {
  guint64 next_ms;
  guint32 used;
  guint32 suppressed; /**< lines kept back since the last one that went out: print and it is reset */
} AditRateLimit;

/** True if a line may go out at `now_ms` (monotonic milliseconds); `*kept` is how many were kept back before it. */
static inline gboolean adit_rate_allows(AditRateLimit *limit, guint64 now_ms, guint burst, guint interval_ms, guint *kept) {
  if (now_ms >= limit->next_ms) {
    guint64 refill = interval_ms ? 1 + (now_ms - limit->next_ms) / interval_ms : burst;
    limit->used = refill >= limit->used ? 0 : limit->used - (guint32)refill;
    limit->next_ms = now_ms + interval_ms;
  }
  if (limit->used >= burst) {
    limit->suppressed++;
    return FALSE;
  }
  limit->used++;
  if (kept)
    *kept = limit->suppressed;
  limit->suppressed = 0;
  return TRUE;
}

G_END_DECLS
