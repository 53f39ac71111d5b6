/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/owner.h - the owner of a registration: the head of struct AditPlugin, which core/plugin embeds. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_OWNER_FREE = 0, /**< of a test: may register at any time */
  ADIT_OWNER_LOADING,  /**< its init() runs, or comes: it may register, and each mistake refuses it */
  ADIT_OWNER_LOADED,   /**< registrations are over */
} AditOwnerStage;

struct AditPlugin {
  const char *name;
  AditOwnerStage stage;
  const char *const *provides; /**< features that it declares, `kind:name`, NULL-terminated; NULL = it is not asked */
  GPtrArray *mistakes;         /**< of char*: what it did wrong while it was loaded; NULL = nothing */
};

/** The plugin's name for logs; a NULL plugin is the core itself. [any] */
static inline const char *adit_plugin_name(const AditPlugin *plugin) {
  return plugin ? plugin->name : "core";
}

G_END_DECLS
