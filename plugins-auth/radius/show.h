/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/show.h - what `aditctl show radius` tells. All [main]. */
#pragma once

#include "radius.h"

gboolean radius_show_init(Radius *radius, GError **error);
