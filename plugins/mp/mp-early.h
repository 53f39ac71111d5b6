/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * mp-early.h - control packets that come in fragments before the stage is in place. [main]
 *
 * A peer may divide each packet over its links as soon as it has two of them, those of its NCPs, too (Linux does).
 */
#pragma once

#include "data/mp-stage.h"

G_BEGIN_DECLS

typedef struct MpEarly MpEarly;

/** Takes a multilink frame that came by frame->link, and makes `frame` the control packet that is whole then. FALSE: there is none, or it
 * is data, or LCP. With an empty frame: the next one that is whole. The octets of `frame` live until the next call. `*early` is made when
 * it is NULL; it holds no memory of the pool unless fragments wait. */
gboolean mp_early_input(MpEarly **early, const MpParams *params, guint32 links, guint64 now_ms, AditStageFrame *frame);
void mp_early_free(MpEarly *early); /**< NULL is fine */

G_END_DECLS
