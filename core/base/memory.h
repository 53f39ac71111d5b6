/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/memory.h - what the allocator keeps for later, and gives back. [main] */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** Few arenas, and large blocks that are returned when they are freed. Before the first thread. */
void adit_memory_init(void);

/**
 * Much was freed: a moment later the allocator's free pages go back to the system, on another thread. As often as one likes: once in
 * ADIT_MEMORY_PAUSE_MS.
 */
void adit_memory_give_back(void);

/** Forgets a giving back that has not begun. */
void adit_memory_fini(void);

/** How often it was done. */
guint adit_memory_given_back(void);

#define ADIT_MEMORY_PAUSE_MS 5000

G_END_DECLS
