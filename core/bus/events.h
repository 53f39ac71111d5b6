/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/events.h - the events of adit/event.h, and any event as a value. All [main]. */
#pragma once

#include <adit/event.h>
#include <adit/value.h>

G_BEGIN_DECLS

/** The event as a MAP: `event` is the class's name, then one key a field of its table; strings that are NULL, unset addresses and
 *  endpoints are left out; ids are hex STRINGs, endpoints STRINGs, counters MAPs. Free with adit_value_unref(). */
AditValue *adit_event_to_value(const AditEvent *event);

/** Registers the classes of adit/event.h. */
void adit_event_add_classes(void);

G_END_DECLS
