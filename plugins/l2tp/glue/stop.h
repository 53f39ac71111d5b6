/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stop.h - the end of all tunnels, when the plugin stops */
#pragma once

#include <adit/plugin.h>

typedef struct L2tp L2tp;

/** Closes all tunnels; calls `done` when that is done, or time is up. */
void l2tp_stop_begin(L2tp *l2tp, void (*done)(AditPlugin *plugin));
/** A tunnel has gone, or lingers only: stopping may be over. */
void l2tp_stop_check(L2tp *l2tp);
/** Frees all tunnels at once. */
void l2tp_stop_free_peers(L2tp *l2tp);
