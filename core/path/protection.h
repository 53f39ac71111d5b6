/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/path/protection.h - providers of protection and their associations, behind service "adit.path". All [main] unless marked. */
#pragma once

#include <adit/protection.h>

void adit_protection_init(void);
void adit_protection_fini(void);
/** The plugin's providers go: their associations are down. */
void adit_protection_drop_plugin(AditPlugin *plugin);

/* AditPathService's. */
gboolean adit_protection_add(AditPlugin *plugin, const AditProtectionOps *ops, gpointer state, GError **error);
guint32 adit_protection_ensure(const char *provider, const AditPath *path, const AditProtectionPolicy *policy, GError **error);
void adit_protection_release(guint32 association);
guint32 adit_protection_accept(AditPlugin *plugin, const AditPath *path, GError **error);
void adit_protection_event(guint32 association, guint32 state, const AditPath *path, const char *why); /**< AditAssociationState */
gboolean adit_protection_lookup(guint32 association, AditAssociationFacts *facts);
gboolean adit_protection_is_known(guint32 mark); /**< [any] */
