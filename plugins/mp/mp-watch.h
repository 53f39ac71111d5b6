/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-watch.h - finds links of a bundle that died without a word. Pure: facts and the time go in, decisions come out. [main]
 *
 * A link on which data is sent must bring something back. If it does not, an LCP Echo-Request asks at once; a link that does not answer
 * while another one does rests: nothing is sent on it until it answers. Its LCP keepalive alone ends it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MP_WATCH_SILENCE_MS 250 /**< silence after which a link that is sent on is asked, and least time between two questions */
#define MP_WATCH_PROOF_MS                                                                                                                  \
  1000 /**< a link that carries data must answer so often, although frames come by it; and one that rests is asked */
#define MP_WATCH_PATIENCE_MS 400 /**< wait for an answer: twice the round trip, within these */
#define MP_WATCH_LONGEST_MS  3000
#define MP_WATCH_UNKNOWN_MS  1000 /**< the same before a round trip is known */
#define MP_WATCH_DOUBTS      3    /**< a link by which frames come, but no answers, gets the wait so many times */
#define MP_WATCH_HURRIED     8    /**< questions without an answer after which they are asked once a second */

/** Times are on one clock; 0 = never. */
typedef struct {
  gboolean up;               /**< its LCP is open, and it is in the data plane */
  guint64 heard_ms, sent_ms; /**< the last frame from and to the peer */
  guint64 data_ms;           /**< the last frame of data, either way */
  guint64 answered_ms;       /**< the last Echo-Reply */
  guint round_trip_ms;       /**< that it took */
} MpLinkFacts;

/** Zero at first. */
typedef struct {
  guint64 asked_ms;   /**< the first Echo-Request without an answer; 0 = there is none */
  guint64 unheard_ms; /**< the first one of them since which no frame came */
  guint64 probed_ms;  /**< the last Echo-Request */
  guint asks;         /**< Echo-Requests since asked_ms */
  guint rtt_ms;       /**< the longest round trip lately; 0 = it never answered */
  gboolean rests;     /**< nothing is sent on it */
  gboolean silent;    /**< and nothing comes by it */
} MpLinkWatch;

typedef struct {
  MpLinkFacts facts;
  MpLinkWatch *state;
  gboolean probe; /**< result: send an Echo-Request now */
} MpWatched;

/** Looks at all links of a bundle; `lost`: fragments were lost since the last look. TRUE: a link began or ceased to rest. */
gboolean mp_watch_look(MpWatched *links, guint n, gboolean lost, guint64 now_ms);
/** Milliseconds until the next look is due. */
guint mp_watch_wait(const MpWatched *links, guint n, guint64 now_ms);

G_END_DECLS
