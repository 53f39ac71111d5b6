/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/bus/hook.h - a plugin's say in a decision, asked for synchronously. All [main]. */
#pragma once

#include "core/bus/subscriber.h"

G_BEGIN_DECLS

/** Asks the hooks `name` in order of priority. The first reason to refuse, valid until the next adit_hook_veto();
 *  NULL when no hook objects. */
const char *adit_hook_veto(const char *name, const AditEvent *about);
/** The first value that a hook `name` gives, in order of priority; free with adit_value_unref(). NULL = no hook has one. */
AditValue *adit_hook_value(const char *name, const AditEvent *about);

void adit_hooks_init(void);
void adit_hooks_fini(void);
void adit_hooks_drop(AditPlugin *plugin);
guint adit_hook_add_veto(AditPlugin *plugin, const char *hook, int priority, AditVetoFunc func, gpointer data);
guint adit_hook_add_value(AditPlugin *plugin, const char *hook, int priority, AditValueFunc func, gpointer data);
void adit_hook_remove(guint id);

G_END_DECLS
