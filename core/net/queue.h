/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/queue.h - the network thread and its queue, for the files of this module. */
#pragma once

#include "core/net/rtnl.h"

G_BEGIN_DECLS

#define ADIT_NET_PARTS 2

/** One or two messages that join a batch, and what follows. Embedded at the head of what its owner allocates. */
typedef struct AditNetJob AditNetJob;
struct AditNetJob {
  AditRtnlPart part[ADIT_NET_PARTS];
  guint n_parts;                                   /**< 0: it does not join a batch; `follow` does all */
  int error;                                       /**< of the first part that failed; ESHUTDOWN: nothing was done */
  void (*follow)(AditNetJob *job, AditRtnl *rtnl); /**< [network thread] after its batch; may ask, and change `error`; or NULL */
  void (*done)(AditNetJob *job);                   /**< [main] frees it */
  GList node;                                      /**< private */
};

void adit_net_job_add(AditNetJob *job, struct nl_msg *message, int forgive1, int forgive2);
/** The kernel's words on the first error, or "". */
const char *adit_net_job_text(const AditNetJob *job);
/** Queues it; without a thread it fails with ESHUTDOWN. [main] */
void adit_net_submit(AditNetJob *job);

/** Starts the thread, which also reads what the watch sees. [main] */
gboolean adit_net_queue_open(AditRtnl *rtnl, GError **error);
/** Carries out what is queued, ends the thread, and calls all completions. May be called again. [main] */
void adit_net_queue_quiesce(void);
gboolean adit_net_queue_is_open(void);

G_END_DECLS
