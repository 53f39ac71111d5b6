/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** port-read.h - reads packets of the system from ports. [worker] */
#pragma once

#include "../port/port.h"
#include "../worker/worker.h"

/** Reads what waits in a queue of a port, and sends it. */
void tun_port_read(TunWorker *w, TunQueue *queue);
