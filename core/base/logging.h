/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/logging.h - where adit's log lines go: the journal when stderr leads there, else lines on stderr. */
#pragma once

#include <adit/log.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_LOG_ERROR,
  ADIT_LOG_WARNING,
  ADIT_LOG_NOTICE,
  ADIT_LOG_INFO,
  ADIT_LOG_DEBUG,
} AditLogLevel;

/** Installs the log writer (once a process; later calls only set the level). Tests of what logs errors need it: GLib's own
 * writer aborts on them under G_DEBUG=fatal-criticals; with this one only g_critical() does, which is a bug. Lines above `level` are
 * dropped, except that G_MESSAGES_DEBUG=domain still lets that domain's debug lines out. */
void adit_logging_init(AditLogLevel level);

/** Changes what is dropped. [any] */
void adit_logging_set_level(AditLogLevel level);

/** `error`, `warning`, `notice`, `info` or `debug`; FALSE for anything else. */
gboolean adit_logging_level_parse(const char *text, AditLogLevel *level);

/** One line as it is written to stderr, newline included: `HH:MM:SS.mmm level domain: [peer user session] message`.
 *  Control octets (users' names come from the wire) are escaped. `time_us`: wall clock. Free with g_free(). [any] */
char *adit_logging_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gint64 time_us);

G_END_DECLS
