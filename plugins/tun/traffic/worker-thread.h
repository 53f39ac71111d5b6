/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** worker-thread.h - the thread of a worker, from its making to its end. [main] */
#pragma once

#include "../worker/worker.h"

TunWorker *tun_worker_new(TunDp *dp, guint index, GError **error);
gboolean tun_worker_start(TunWorker *w, GError **error);
void tun_worker_stop(TunWorker *w);
void tun_worker_free(TunWorker *w);
