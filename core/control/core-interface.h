/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/core-interface.h - what every daemon answers: org.varlink.service and io.adit.core. All [main]. */
#pragma once

#include <adit/types.h>

/** Adds org.varlink.service and io.adit.core. */
gboolean adit_control_core_add(GError **error);
/** Ends the bus subscription of monitors. */
void adit_control_core_fini(void);
