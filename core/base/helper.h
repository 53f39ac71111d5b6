/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/helper.h - a child process that opens files for a daemon which has given up its rights.
 *
 * It is forked while the daemon is root, before it has read any secret. It takes on the daemon's user, keeps the capabilities that its
 * task needs, and answers requests with descriptors until the daemon ends. Only the task's `open` decides which files it opens.
 */
#pragma once

#include "core/base/privileges.h"

G_BEGIN_DECLS

#define ADIT_HELPER_REQUEST 4096 /**< longest request, with its zero octet */

/** In the child: a descriptor for `request`, or -1 with errno. */
typedef int (*AditHelperOpen)(const char *request);

typedef struct AditHelper AditHelper;

/** Forks. `name` (up to 15 octets) is the child's. NULL, with a warning, when it can't be. Before threads. */
AditHelper *adit_helper_start(const char *name, guint64 keep, AditHelperOpen open);

/** Sends the child its user and group; from then on it answers. FALSE: it has ended. */
gboolean adit_helper_settle(AditHelper *helper, const AditUser *user);

/** A descriptor (close-on-exec), or -1 with errno; EACCES without a helper (NULL), or one that has ended. [any] */
int adit_helper_request(AditHelper *helper, const char *request);

/** Ends the child and waits for that. NULL is harmless. */
void adit_helper_stop(AditHelper *helper);

G_END_DECLS
