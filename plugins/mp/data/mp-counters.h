/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-counters.h - counters of a bundle's data. The home worker writes, any thread reads. */
#pragma once

#include <adit/stage.h>

typedef struct {
  guint64 tx_fragments, tx_octets; /**< octets of frames' data, with the multilink header */
  guint64 rx_fragments, rx_octets;
  guint64 late; /**< came after they were given up, or twice */
} MpLinkCounters;

/** Written by the home worker alone, read by any thread (mp_counters_read()). */
typedef struct {
  guint64 tx_packets;     /**< into the stage */
  guint64 tx_fragmented;  /**< of them, sent in more than one fragment */
  guint64 tx_too_long;    /**< dropped: longer than the peer's MRRU, and than the link takes */
  guint64 tx_dropped;     /**< dropped: no link, no memory */
  guint64 rx_packets;     /**< whole, out of the stage */
  guint64 rx_reassembled; /**< of them, out of more than one fragment */
  guint64 lost;           /**< fragments that did not come */
  guint64 expired;        /**< of them, given up at the deadline; the others by the rule of RFC 1990 4.1 */
  guint64 broken;         /**< fragments dropped, as their packet lost one, had no begin or no end */
  guint64 too_long;       /**< packets dropped, longer than our MRRU */
  guint64 no_memory;      /**< fragments dropped, as the share of the pool was used up */
  guint64 malformed;      /**< frames too short for their header, packets without a protocol, multilink in multilink */
  guint64 forbidden;      /**< LCP Configure and Terminate inside of multilink, discarded (RFC 1990 2) */
  guint64 resyncs;        /**< the peer restarted its numbering */
  guint64 held;           /**< octets of the pool that the bundle has now */
  MpLinkCounters link[ADIT_STAGE_LINKS];
} MpCounters;

/** Counters for one bundle; the caller has a reference. [main] */
MpCounters *mp_counters_new(void);
MpCounters *mp_counters_ref(MpCounters *counters); /**< [any] */
void mp_counters_unref(MpCounters *counters);      /**< [any] */
/** A copy, in which each member is some value that it had meanwhile. [any] */
void mp_counters_read(const MpCounters *counters, MpCounters *out);
