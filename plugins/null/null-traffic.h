/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-traffic.h - what comes in from both sides */
#pragma once

#include "null-link.h"

/** A frame arrived for `link`, with or without address and control; `c` is NULL for one without encapsulation. */
void null_link_input(AditDpLink *link, const guint8 *frame, gsize length, const AditClassified *c);
