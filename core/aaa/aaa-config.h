/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/aaa-config.h - the map `aaa` in force. Main loop only. */
#pragma once

#include "core/aaa/guard.h"
#include <adit/auth.h>

G_BEGIN_DECLS

/** The map `aaa` in force; requests keep the one they began with. */
typedef struct {
  guint refs;
  GPtrArray *sources; /**< of interned names, in order */
  gboolean next_on_error;
  guint64 timeout_ms;
  gboolean accounting;
  guint64 interim_ms;
  AaaGuardRules guard;
  GArray *guard_exempt; /**< of AditPrefix */
} AaaConfig;

void aaa_config_init(void);
void aaa_config_fini(void);
AaaConfig *aaa_config_ref(void);
void aaa_config_unref(AaaConfig *config);

G_END_DECLS
