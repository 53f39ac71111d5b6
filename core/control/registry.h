/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/registry.h - the interfaces that the core and plugins have added. [main] */
#pragma once

#include "core/control/idl.h"
#include <adit/control.h>

typedef struct {
  AditPlugin *plugin;
  char *name;
  AditIdl *idl; /**< what the description says */
  const char *description;
  AditMethod *methods; /**< copied: a plugin's struct may be older and shorter */
  guint n_methods;
  AditCommand *commands;
  guint n_commands;
  gpointer state;
} AditInterface;

void adit_registry_init(void);
void adit_registry_fini(void);

/** AditControlService.interface_add(). */
gboolean adit_registry_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                           const AditCommand *commands, guint n_commands, gpointer state, GError **error);
void adit_registry_drop_plugin(AditPlugin *plugin);

/** All of them, in order of registration; borrowed. */
const GPtrArray *adit_registry_interfaces(void);

/** The method called `name` in full, and its interface; NULL with `*interface` NULL or set for what is missing. */
const AditMethod *adit_registry_find(const char *name, const AditInterface **interface);
