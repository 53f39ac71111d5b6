/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/errors.h - what is wrong with a configuration, collected and told in one go. Not thread-safe: one owner at a time. */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

typedef struct AditConfigErrors AditConfigErrors;

AditConfigErrors *adit_config_errors_new(void);
void adit_config_errors_free(AditConfigErrors *errors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditConfigErrors, adit_config_errors_free)

/**
 * Adds `FILE:LINE:COLUMN: PATH: message`. Without a file the place is left out, without a line it is only the file;
 * `path` (such as `l2tp.servers[0].max-mtu`) may be NULL. An error makes the configuration unusable.
 */
void adit_config_error(AditConfigErrors *errors, AditWhere where, const char *path, const char *format, ...) G_GNUC_PRINTF(4, 5);

/** The same for what is usable but not wise. */
void adit_config_warning(AditConfigErrors *errors, AditWhere where, const char *path, const char *format, ...) G_GNUC_PRINTF(4, 5);

/** Ranks an interned file name now, so that errors come in the order in which files were read. */
void adit_config_errors_file(AditConfigErrors *errors, const char *file);

guint adit_config_errors_count(const AditConfigErrors *errors);
guint adit_config_warnings_count(const AditConfigErrors *errors);

/** All errors (warnings), sorted by file (in the order they were read), line and column; one a line. "" if none. */
char *adit_config_errors_text(const AditConfigErrors *errors);
char *adit_config_warnings_text(const AditConfigErrors *errors);

/**
 * The one of `candidates` (NULL-terminated) that `word` was probably meant to be; NULL when none is near.
 * For "; did you mean %s?" in cross-checks. Borrowed from `candidates`.
 */
const char *adit_config_nearest(const char *word, const char *const *candidates);

G_END_DECLS
