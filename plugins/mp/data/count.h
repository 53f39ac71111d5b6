/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** count.h - adding to counters that one worker writes and others read. */
#pragma once

#define MP_ADD(field, n) __atomic_store_n(&(field), (field) + (n), __ATOMIC_RELAXED)
