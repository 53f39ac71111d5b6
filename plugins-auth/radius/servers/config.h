/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/servers/config.h - the map `radius` as the plugin uses it. All [main]. */
#pragma once

#include "../radius.h"

/** Reads and checks the whole. Servers that are also in `before` (NULL = none) keep their state. NULL and
 *  all that is wrong, a line each. */
RadiusConfig *radius_config_new(Radius *radius, const AditValue *config, const RadiusConfig *before, GError **error);
RadiusConfig *radius_config_ref(RadiusConfig *config);
void radius_config_unref(RadiusConfig *config);
/** Says in the log what of it is unsafe or unwise. */
void radius_config_warn(const RadiusConfig *config);
