/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/engine.h - the world as the main loop has it, for engines (adit/engine.h) with one timer slot. All [main]. */
#pragma once

#include <adit/engine.h>
#include <adit/loop.h>

G_BEGIN_DECLS

/** Real time, real randomness, and `timer` for the engine's slot 0: its `func` and `data` are the caller's to set, and it has
 *  to outlive the engine. */
AditEngineEnv adit_loop_engine(AditTimer *timer);

G_END_DECLS
