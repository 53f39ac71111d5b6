/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/show.h - the document of `aditctl show radius`. All [main]. */
#pragma once

#include "radius.h"

gboolean radius_show_init(Radius *radius, GError **error);
