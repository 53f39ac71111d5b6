/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** inbox.h - what workers hand to the main loop, as the main loop reads it: control datagrams, PPP frames, strays. [main] */
#pragma once

#include <adit/loop.h>

/** The watch of TunDp.wake_fd: workers have told the main loop of something. */
gboolean tun_inbox_dispatch(int fd, guint condition, gpointer dp);
/** Of TunDp.look_timer: looks by the clock. */
void tun_inbox_look(AditTimer *timer, gpointer dp);
