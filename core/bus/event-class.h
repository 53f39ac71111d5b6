/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/event-class.h - the classes of events, and the subscribers of each. All [main]. */
#pragma once

#include "core/bus/subscriber.h"

G_BEGIN_DECLS

/** The class of events of this type; NULL if there is none. */
const AditEventClass *adit_bus_class(guint type);
/** The type of the class `name`, for AditEvent.type; 0 if there is none. */
guint adit_bus_type(const char *name);

/** As AditBusService.event_class: registers a class, or finds the one of that name which has these fields. 0 = there is another one. */
guint adit_bus_class_add(AditPlugin *plugin, const AditEventClass *klass);

/** The subscribers of this type, which must exist: of AditSubscriber. */
GPtrArray *adit_bus_class_subscribers(guint type);

/** How many types there are: the last one. */
guint adit_bus_class_count(void);

void adit_bus_classes_init(void);
void adit_bus_classes_fini(void);

G_END_DECLS
