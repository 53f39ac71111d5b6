/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** show.h - `show tunnels` and its like */
#pragma once

#include <glib.h>

typedef struct L2tp L2tp;

gboolean l2tp_show_init(L2tp *l2tp, GError **error);
