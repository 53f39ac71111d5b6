/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/source.h - the source of authentication `radius`: a login is asked of one server after another until one answers. All [main].
 */
#pragma once

#include "radius.h"

/** Registers the source with adit.aaa, in the plugin's init. It asks the servers of radius->config. NULL and an error if it can't. */
RadiusSource *radius_source_new(Radius *radius, GError **error);
/** Gives up what is under way: their callers get an error. NULL is allowed. */
void radius_source_free(RadiusSource *source);
