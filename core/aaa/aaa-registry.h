/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/aaa-registry.h - what plugins have registered: methods, sources, sinks; and the loop. Main loop only. */
#pragma once

#include "core/aaa/aaa.h"

G_BEGIN_DECLS

/** A source as a plugin registered it; freed when that plugin is dropped. */
typedef struct {
  AditPlugin *plugin;
  const AditAuthSourceOps *ops;
  gpointer state;
  const char *name; /**< interned: outlives the plugin, for the log */
} AaaSource;

typedef struct {
  AditPlugin *plugin;
  const AditAcctSinkOps *ops;
  gpointer state;
  const char *name; /**< interned */
} AaaSink;

/** The loop that was given to adit_aaa_init(); NULL before it and after adit_aaa_fini(). */
extern const AditLoopService *aaa_loop;

AaaSource *aaa_source_find(const char *name);
const GPtrArray *aaa_sources(void);
const GPtrArray *aaa_sinks(void);
gboolean aaa_method_add(AditPlugin *plugin, const AditAuthMethod *method, GError **error);
gboolean aaa_source_add(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error);
gboolean aaa_sink_add(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error);
void aaa_registry_init(const AditLoopService *loop);
void aaa_registry_drop(AditPlugin *plugin);
void aaa_registry_fini(void);

G_END_DECLS
