/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/memory.h - what the allocator keeps for later, and gives back. [main] */
#pragma once

#include <adit/loop.h>

G_BEGIN_DECLS

enum {
  ADIT_MEMORY_SOON_MS = 500,
  ADIT_MEMORY_PAUSE_MS = 5000,
};

/** Few arenas, and large blocks that are returned when they are freed. Before the first thread. `loop` stays the caller's. */
void adit_memory_init(const AditLoopService *loop);

/**
 * Much was freed: ADIT_MEMORY_SOON_MS later the allocator's free pages go back to the system, on another thread. As often as one likes:
 * once in ADIT_MEMORY_PAUSE_MS. Before adit_memory_init() it does nothing.
 */
void adit_memory_give_back(void);

/** Forgets a giving back that has not begun. */
void adit_memory_fini(void);

G_END_DECLS
