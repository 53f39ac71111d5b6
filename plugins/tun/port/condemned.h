/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** condemned.h - interfaces of closed ports, which are deleted together. [main] */
#pragma once

#include "port.h"

/** No worker knows it, and its owner has been told: the interface is deleted with others, and the port freed. */
void tun_condemned_add(TunPort *port);
/** Has what waits for it deleted at once: what is asked of the network thread after this comes after it. */
void tun_condemned_flush(TunDp *dp);
void tun_condemned_timer(AditTimer *timer, gpointer dp);
/** Deletes all interfaces that this daemon made, or an earlier one left. `done` may be NULL. */
void tun_condemned_sweep(TunDp *dp, AditNetDone done, gpointer user);
