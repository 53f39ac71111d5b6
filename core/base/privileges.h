/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/privileges.h - another user, few capabilities, no way back. For a process that has one thread: capabilities belong to threads.
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/** An account of the machine. */
typedef struct {
  uid_t uid;
  gid_t gid; /**< its primary group */
  char name[64];
} AditUser;

/** Finds an account by its name. ADIT_ERR_NOT_FOUND. */
gboolean adit_user_find(const char *name, AditUser *user, GError **error);

/** Capabilities that this process may use, as bits (1 << CAP_...). */
guint64 adit_privileges_held(void);

/** The name of a capability, as CAP_NET_ADMIN; static. */
const char *adit_privileges_name(guint capability);

/**
 * Becomes `user` (NULL = keeps its user) with at most the capabilities `keep`, permitted and effective. Empties the inheritable,
 * ambient and bounding sets (the bounding set only if the process has CAP_SETPCAP) and sets no-new-privs. The process then leaves no core
 * file, and other processes of the same user cannot trace it. FALSE: the process must exit.
 */
gboolean adit_privileges_drop(const AditUser *user, guint64 keep, GError **error);

/**
 * Denies system calls that a network daemon has no use for: starting programs, tracing, mounting, loading modules, entering namespaces,
 * setting the clock. They fail with EPERM. FALSE when it can't be had: without libseccomp, or in a kernel without filters.
 */
gboolean adit_privileges_filter(void);

/** Allows up to `octets` of locked memory, as far as the limits let it. Before adit_privileges_drop(). */
void adit_privileges_raise_memlock(gsize octets);

G_END_DECLS
