/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/bus.h - the event bus and the hooks, from the core's side. All [main]. */
#pragma once

#include "core/bus/event-class.h"
#include "core/bus/events.h"
#include "core/bus/hook.h"

G_BEGIN_DECLS

/** Starts the bus and registers the classes of adit/event.h. */
void adit_bus_init(void);

/** Forgets classes, subscriptions, hooks and queued events. */
void adit_bus_fini(void);

/** The table behind ADIT_BUS_SERVICE. */
const AditBusService *adit_bus_service(void);

/** Removes the plugin's subscriptions and hooks, also while one of them runs. Its classes stay: ids are for ever. */
void adit_bus_drop_plugin(AditPlugin *plugin);

/** Publishes: at once, or behind the event that is being handled. `event` must have its class's size. */
void adit_bus_publish(const AditEvent *event);

/** Subscribes to one class; the id is for adit_bus_unsubscribe(). 0 = no such class. */
guint adit_bus_subscribe(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data);

/** Subscribes to every class, those registered later included (for `aditctl monitor`). */
guint adit_bus_subscribe_all(AditEventFunc func, gpointer data);

/** Ends a subscription of either kind; 0 is harmless. */
void adit_bus_unsubscribe(guint id);

G_END_DECLS
