/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/store/state.h - the state directory: locked by one aditd; its token identifies that daemon's kernel objects.
 *
 * Files: `lock` (held by flock(2), with the process's number), `token` (16 hexadecimal digits), and the store's. [main]
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

#define ADIT_STATE_TOKEN 16 /**< digits */

/**
 * Makes `dir` (mode 0700), locks it for the life of this process, and reads its token or makes one. ADIT_ERR_EXISTS when another process
 * has the lock; ADIT_ERR_SYSTEM when it can't be written: the message begins with the path. A file of the directory that is a link, or no
 * file, is refused.
 */
gboolean adit_state_open(const char *dir, GError **error);

/** The place to use when the directory can't be written: a token made of its path, so that a restart has the same. */
void adit_state_assume(const char *dir);

/** Whether `dir` could be used, without making or changing anything; for `aditd --check`. A lock that is held is no error. */
gboolean adit_state_look(const char *dir, GError **error);

/** Whether the directory is open, and its lock ours. */
gboolean adit_state_is_held(void);

/** The token, valid until adit_state_close(). "" before either of the above. */
const char *adit_state_token(void);

/** Gives the directory and adit's own files in it to a user. For root, before it gives up its rights. */
gboolean adit_state_give(const char *dir, uid_t uid, gid_t gid, GError **error);

/** Gives up the lock. */
void adit_state_close(void);

G_END_DECLS
