/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/bus-private.h - between bus.c, hook.c and event.c. All [main]. */
#pragma once

#include "core/bus/bus.h"

G_BEGIN_DECLS

/** What a listener is called by: the list it stands in says which. */
typedef union {
  AditEventFunc event;
  AditVetoFunc veto;
  AditValueFunc value;
} AditListenerFunc;

/** A subscription or a hook: kept alive by its list and by every call that goes through it. */
typedef struct {
  gint refs;
  guint id;
  AditPlugin *plugin;
  int priority;
  gboolean gone; /**< not to be called any more */
  AditListenerFunc func;
  gpointer data;
} AditListener;

/** A list of listeners that may change while it is walked. */
GPtrArray *adit_listeners_new(void);

/** Adds behind those of the same priority; the id is new among all listeners. */
guint adit_listeners_add(GPtrArray *list, AditPlugin *plugin, int priority, AditListenerFunc func, gpointer data);

/** Marks gone and removes whoever has that id, or (with id 0) is the plugin's. TRUE if somebody was. */
gboolean adit_listeners_remove(GPtrArray *list, guint id, const AditPlugin *plugin);

/** What to walk: the listeners of this moment. Each may be gone when its turn comes. */
GPtrArray *adit_listeners_snapshot(GPtrArray *list);

/** Registers the classes of adit/event.h. */
void adit_bus_register_standard(void);

void adit_hooks_init(void);
void adit_hooks_fini(void);
void adit_hooks_drop(AditPlugin *plugin);
guint adit_hook_add_veto(AditPlugin *plugin, const char *hook, int priority, AditVetoFunc func, gpointer data);
guint adit_hook_add_value(AditPlugin *plugin, const char *hook, int priority, AditValueFunc func, gpointer data);
void adit_hook_remove(guint id);

G_END_DECLS
