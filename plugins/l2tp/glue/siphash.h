/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** siphash.h - SipHash-2-4: the hash of tables whose keys strangers choose. Without the key nobody can make two keys collide. */
#pragma once

#include <glib.h>

enum { L2TP_SIPHASH_KEY = 16 };

/** Of `length` octets of `data`, under a random `key`. */
guint64 l2tp_siphash(const guint8 key[L2TP_SIPHASH_KEY], gconstpointer data, gsize length);
