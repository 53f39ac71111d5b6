/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** event.h - an event of epoll for a worker: the first member of the struct that it points to */
#pragma once

#include <adit/types.h>

typedef enum { TUN_EVENT_WAKE = 1, TUN_EVENT_SOCKET, TUN_EVENT_QUEUE } TunEventKind;
