/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/subscriber.h - a subscription or a hook, and lists of them that may change while they are walked. All [main]. */
#pragma once

#include "core/base/owner.h"
#include <adit/event.h>

G_BEGIN_DECLS

/** The function of a subscriber; its list decides which member is valid. */
typedef union {
  AditEventFunc event;
  AditVetoFunc veto;
  AditValueFunc value;
} AditSubscriberFunc;

/** A subscription or a hook: kept alive by its list and by every call that goes through it. */
typedef struct {
  gint refs;
  guint id;
  AditPlugin *plugin;
  int priority;
  gboolean gone; /**< not to be called any more */
  AditSubscriberFunc func;
  gpointer data;
} AditSubscriber;

/** A list of subscribers that may change while it is walked. */
GPtrArray *adit_subscribers_new(void);

/** Adds behind those of the same priority; the id is new among all subscribers. */
guint adit_subscribers_add(GPtrArray *list, AditPlugin *plugin, int priority, AditSubscriberFunc func, gpointer data);

/** Removes the subscriber with this id, or with id 0 all of the plugin. TRUE if there was one. */
gboolean adit_subscribers_remove(GPtrArray *list, guint id, const AditPlugin *plugin);

/** The list to walk: the subscribers of this moment. Each may be gone when its turn comes. */
GPtrArray *adit_subscribers_snapshot(GPtrArray *list);

G_END_DECLS
