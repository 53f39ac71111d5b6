/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/actors.h - which attributes have an effect: those that are not only carried, and those that a plugin acts on. [main]
 */
#pragma once

#include <adit/types.h>
#include <adit/value.h>

void adit_actors_init(void);
void adit_actors_fini(void);
/** AditSessionService.actor_add() and actor_exists(). */
gboolean adit_actor_add(AditPlugin *plugin, const char *attribute, GError **error);
gboolean adit_actor_exists(const char *attribute);
void adit_actors_drop_plugin(const AditPlugin *plugin);
/** The words of a MAP of attributes on which nothing acts, in order, separated by `, `; NULL if there are none. The caller's. */
char *adit_actors_missing(const AditValue *attributes);
