/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/owner.h - whose a registration is: the head of struct AditPlugin, which core/plugin embeds. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

struct AditPlugin {
  const char *name;
};

/** The plugin's name for logs; a NULL plugin is the core itself. [any] */
static inline const char *adit_plugin_name(const AditPlugin *plugin) {
  return plugin ? plugin->name : "core";
}

G_END_DECLS
