/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/bus.h - the event bus and the hooks, from the core's side. All [main]. */
#pragma once

#include "core/base/owner.h"
#include <adit/event.h>

G_BEGIN_DECLS

/** Starts the bus and registers the classes of adit/event.h. */
void adit_bus_init(void);

/** Forgets classes, subscriptions, hooks and queued events. */
void adit_bus_fini(void);

/** The table behind ADIT_BUS_SERVICE. */
const AditBusService *adit_bus_service(void);

/** Removes the plugin's subscriptions and hooks, also while one of them runs. Its classes stay: ids are for ever. */
void adit_bus_drop_plugin(AditPlugin *plugin);

/** The class of events of this type; NULL if there is none. */
const AditEventClass *adit_bus_class(guint type);

/** The type of the class `name`, for AditEvent.type; 0 if there is none. */
guint adit_bus_type(const char *name);

/** Publishes: at once, or behind the event that is being handled. `event` must have its class's size. */
void adit_bus_publish(const AditEvent *event);

/** Subscribes to one class; the id is for adit_bus_unsubscribe(). 0 = no such class. */
guint adit_bus_subscribe(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data);

/** Subscribes to every class, those registered later included (for `aditctl monitor`). */
guint adit_bus_subscribe_all(AditEventFunc func, gpointer data);

/** Ends a subscription of either kind; 0 is harmless. */
void adit_bus_unsubscribe(guint id);

/** Asks the hooks `name` in order of priority. The first reason to refuse, valid until the next adit_hook_veto();
 *  NULL when nobody objects. */
const char *adit_hook_veto(const char *name, const AditEvent *about);

/** The first value that a hook `name` gives, in order of priority; free with adit_value_unref(). NULL = nobody has one. */
AditValue *adit_hook_value(const char *name, const AditEvent *about);

/** The event as a MAP: `event` is the class's name, then one key a field of its table; strings that are NULL, unset addresses and
 *  endpoints are left out; ids are hex STRINGs, endpoints STRINGs, counters MAPs. Free with adit_value_unref(). */
AditValue *adit_event_to_value(const AditEvent *event);

G_END_DECLS
