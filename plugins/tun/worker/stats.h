/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stats.h - what a worker did, for `show datapath` */
#pragma once

#include <adit/types.h>

/** The counters of a worker, for `show datapath`. */
typedef struct {
  guint64 datagrams_in, reads_in, gro_in;     /**< datagrams, those that came merged, system calls for them */
  guint64 datagrams_out, sends_out, gso_out;  /**< datagrams, system calls for them, those that went out merged */
  guint64 packets_in, super_in;               /**< read from TUN; those of them that were super-packets */
  guint64 packets_out, joined_out;            /**< written to TUN: system calls, packets that went in super-packets */
  guint64 foreign, foreign_full;              /**< frames handed to their home; those that found its ring full */
  guint64 early;                              /**< LCP without a link, of a tunnel that there is: kept for a moment */
  guint64 unknown, malformed, stray, spoofed; /**< dropped on the way in */
  guint64 looped;                             /**< from TUN, to the endpoint of a tunnel: dropped */
  guint64 crowded;                            /**< control of one tunnel past its share: handled after that of others */
  guint64 main_full;                          /**< control or frames for the main loop that found its ring full */
  guint64 send_full, send_failed;             /**< datagrams that the kernel did not take */
  guint64 write_failed;                       /**< packets that TUN did not take */
  guint64 gso_refused, join_refused;          /**< fall-backs: the kernel refused an offload */
} TunWorkerStats;
