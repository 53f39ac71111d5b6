/* SPDX-License-Identifier: MIT */
/**
 * adit/mistake.h - a mistake in the configuration that only the plugin can find, with its place. [any]
 *
 * In prepare(); each further one is a line more, so that an administrator sees all at once:
 *
 *     const AditValue *path = mine_option_file_value(map);
 *     if (*path->as.string != '/')
 *       adit_mistake(error, path, "file", "`%s` is not an absolute path: begin it with /", path->as.string);
 *     ...
 *     return !*error;
 *
 * `aditd --check`, the log and `aditctl reload` then say `/etc/adit/adit.yaml:12:9: plugin mine: file: ...`.
 */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

/** As adit_mistake(), of a place that was copied from a value; `where` may be NULL. */
G_GNUC_PRINTF(4, 0)
static inline void adit_mistake_va(GError **error, const AditWhere *where, const char *option, const char *format, va_list args) {
  GString *line = g_string_new(NULL);

  if (where && where->file)
    g_string_append_printf(line, "%s:%u:%u: ", where->file, where->line, where->column);
  if (option)
    g_string_append_printf(line, "%s: ", option);
  g_string_append_vprintf(line, format, args);
  if (error && *error) {
    char *before = (*error)->message;
    (*error)->message = g_strconcat(before, "\n", line->str, NULL);
    g_free(before);
  } else {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, line->str);
  }
  g_string_free(line, TRUE);
}

/** Sets `*error`, or adds a line to it. `value` says where (NULL: nowhere), `option` which option (may be NULL); the words say what is wrong
 *  and what to do. Never the value of a secret. */
G_GNUC_PRINTF(4, 5)
static inline void adit_mistake(GError **error, const AditValue *value, const char *option, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adit_mistake_va(error, value ? &value->where : NULL, option, format, args);
  va_end(args);
}

/** The same for a place that outlives its value. */
G_GNUC_PRINTF(4, 5)
static inline void adit_mistake_at(GError **error, const AditWhere *where, const char *option, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adit_mistake_va(error, where, option, format, args);
  va_end(args);
}

G_END_DECLS
