/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reply-value.h - readers of words that have one value. */
#pragma once

#include "reading.h"

RADIUS_READER(radius_read_ignored); /**< known, and of no consequence here */
RADIUS_READER(radius_read_nothing); /**< zero alone can be honoured: it asks for nothing */
RADIUS_READER(radius_read_number);  /**< INT, within least..most */
RADIUS_READER(radius_read_seconds); /**< INT in milliseconds, kept within least..most seconds */
RADIUS_READER(radius_read_interim); /**< the same; 0 says nothing */
RADIUS_READER(radius_read_text);    /**< STRING */
RADIUS_READER(radius_read_octets);  /**< OCTETS, least..most of them */
RADIUS_READER(radius_read_termination);
RADIUS_READER(radius_read_limit); /**< least: LIMIT_*, most: which half */
RADIUS_READER(radius_read_filter);
RADIUS_READER(radius_read_until); /**< a point in time: the session's end */
RADIUS_READER(radius_read_rate);
RADIUS_READER(radius_read_ascend_rate);
RADIUS_READER(radius_read_ascend_tx);
RADIUS_READER(radius_read_wispr_rate); /**< least: index in RadiusReading.rate.wispr */
void radius_finish_values(RadiusReading *r);
