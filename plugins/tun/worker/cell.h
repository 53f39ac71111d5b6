/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** cell.h - counters of a link or a session: one cell for each worker and one for the main loop, summed when asked */
#pragma once

#include <adit/path.h>

/** Sources that a worker has found to be a session's, so that it need not look again; its own, and only it reads them. */
typedef struct {
  guint64 as_of4, as_of6; /**< TunDp.sources_version then; 0 = nothing is remembered */
  guint8 ip4[4], ip6[16];
} TunSourceSeen;

typedef struct {
  guint64 rx_packets, rx_octets, tx_packets, tx_octets;
  guint64 last_rx, last_tx, last_data;
  guint64 drops, lost, reordered;
  guint32 spoofed, looped;
  TunSourceSeen seen;
} __attribute__((aligned(64))) TunCell;

/** Adds to a number that this thread alone writes and others read. */
#define TUN_ADD(field, n) __atomic_store_n(&(field), (field) + (guint64)(n), __ATOMIC_RELAXED)
#define TUN_SET(field, v) __atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define TUN_GET(field)    __atomic_load_n(&(field), __ATOMIC_RELAXED)

/** Sums `n` cells. [main] */
void tun_cells_sum(const TunCell *cell, guint n, AditDpStats *out);
