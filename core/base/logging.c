/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/logging.h"

#include <adit/log.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static gint threshold = ADIT_LOG_INFO; /* atomic */
static gboolean to_journal;

static const char *const level_words[] = {"error", "warning", "notice", "info", "debug"};

static AditLogLevel level_of(GLogLevelFlags level) {
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | ADIT_LOG_LEVEL_ERROR))
    return ADIT_LOG_ERROR;
  if (level & G_LOG_LEVEL_WARNING)
    return ADIT_LOG_WARNING;
  if (level & G_LOG_LEVEL_MESSAGE)
    return ADIT_LOG_NOTICE;
  return level & G_LOG_LEVEL_INFO ? ADIT_LOG_INFO : ADIT_LOG_DEBUG;
}

static const char *find_field(const GLogField *fields, gsize n, const char *key) {
  for (gsize i = 0; i < n; i++)
    if (fields[i].length < 0 && g_str_equal(fields[i].key, key))
      return fields[i].value;
  return NULL;
}

/* A text from a peer may contain terminal escapes or forge a line. */
static void append_clean(GString *line, const char *text) {
  for (const char *p = text; *p;) {
    gsize plain = 0;
    while (p[plain] >= 0x20 && p[plain] < 0x7f)
      plain++;
    g_string_append_len(line, p, (gssize)plain);
    p += plain;
    if (!*p)
      break;
    gunichar c = g_utf8_get_char_validated(p, -1);
    if (c == (gunichar)-1 || c == (gunichar)-2 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
      g_string_append_printf(line, "\\x%02x", (guint8)*p);
      p++;
    } else {
      const char *next = g_utf8_next_char(p);
      g_string_append_len(line, p, next - p);
      p = next;
    }
  }
}

char *adit_logging_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gint64 time_us) {
  static const char *const about[] = {"ADIT_PEER", "ADIT_TUNNEL", "ADIT_USER", "ADIT_SESSION"};
  const char *domain = find_field(fields, n_fields, "GLIB_DOMAIN"), *message = find_field(fields, n_fields, "MESSAGE");
  time_t seconds = (time_t)(time_us / G_USEC_PER_SEC);
  struct tm tm;
  GString *line = g_string_sized_new(256);

  localtime_r(&seconds, &tm);
  g_string_append_printf(line, "%02d:%02d:%02d.%03d %s %s:", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(time_us % G_USEC_PER_SEC / 1000),
                         level_words[level_of(level)], domain ? domain : "adit");
  gboolean open = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(about); i++) {
    const char *value = find_field(fields, n_fields, about[i]);
    if (!value)
      continue;
    g_string_append(line, open ? " " : " [");
    append_clean(line, value);
    open = TRUE;
  }
  g_string_append(line, open ? "] " : " ");
  append_clean(line, message ? message : "");
  g_string_append_c(line, '\n');
  return g_string_free(line, FALSE);
}

static gboolean is_dropped(GLogLevelFlags level, const GLogField *fields, gsize n) {
  AditLogLevel own = level_of(level);
  if ((gint)own <= g_atomic_int_get(&threshold))
    return FALSE;
  return own != ADIT_LOG_DEBUG || g_log_writer_default_would_drop(level, find_field(fields, n, "GLIB_DOMAIN"));
}

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  if (!is_dropped(level, fields, n) && (!to_journal || g_log_writer_journald(level, fields, n, NULL) != G_LOG_WRITER_HANDLED)) {
    g_autofree char *line = adit_logging_line(level, fields, n, g_get_real_time());
    /* One write a line: threads don't mix theirs. Without stderr there is no place left for an error. */
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
      return G_LOG_WRITER_UNHANDLED;
  }
  /* GLib leaves to the writer what g_error() promises; its older interface aborts by itself. */
  if ((level & G_LOG_LEVEL_ERROR) && !find_field(fields, n, "GLIB_OLD_LOG_API"))
    abort();
  return G_LOG_WRITER_HANDLED;
}

void adit_logging_init(AditLogLevel level) {
  static gsize once;
  if (g_once_init_enter(&once)) {
    to_journal = g_log_writer_is_journald(STDERR_FILENO);
    g_log_set_writer_func(write_log, NULL, NULL);
    g_once_init_leave(&once, 1);
  }
  adit_logging_set_level(level);
}

void adit_logging_set_level(AditLogLevel level) {
  g_atomic_int_set(&threshold, (gint)level);
  /* adit_debug() asks GLib before it formats anything. */
  g_log_set_debug_enabled(level >= ADIT_LOG_DEBUG);
}

gboolean adit_logging_level_parse(const char *text, AditLogLevel *level) {
  for (gsize i = 0; i < G_N_ELEMENTS(level_words); i++) {
    if (g_str_equal(text, level_words[i])) {
      *level = (AditLogLevel)i;
      return TRUE;
    }
  }
  return FALSE;
}
