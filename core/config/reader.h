/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/config/reader.h - configuration files that only root may read, read by a daemon that is root no more.
 *
 * A helper process (core/base/helper.h) with the one capability CAP_DAC_READ_SEARCH opens, read-only: the configuration file, the files of
 * conf.d beside it, and files that these name by absolute paths (certificates, keys). It reads no contents but those of the configuration.
 */
#pragma once

#include "core/base/helper.h"

G_BEGIN_DECLS

/** Starts the helper for the configuration at `path`. Before threads; when it can't be, reading takes the user's own rights. */
void adit_reader_start(const char *path);

/** Sends the helper its user and group; from then on it answers. */
void adit_reader_settle(const AditUser *user);

/** Opens `path` for reading: by itself, and through the helper where that is denied. A descriptor (close-on-exec), or -1 with errno. [any]
 */
int adit_reader_open(const char *path);

/** Ends the helper. */
void adit_reader_stop(void);

G_END_DECLS
