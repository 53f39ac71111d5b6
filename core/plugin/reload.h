/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/reload.h - a configuration that is read while the daemon runs. All [main]. */
#pragma once

#include "core/config/config.h"

/** The end of a reload. `errors`: what was wrong and what is unwise; `refusal` if plugins refused; `changed`: top-level names, LIST. */
typedef void (*AditReloaded)(AditConfigErrors *errors, const GError *refusal, const AditValue *changed, gpointer data);

/** Reads the configuration off the loop, then applies it and logs the outcome; after those reloads that were asked for before. */
void adit_reload(const AditSchema *schema, const char *path, AditReloaded done, gpointer data);
