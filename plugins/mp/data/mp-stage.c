/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-stage.h"
#include "fragment.h"
#include "mp-pool.h"
#include "reassembly.h"

typedef struct {
  MpCounters *counters; /* NULL in an older data path, which does not call attach(): nothing passes */
  MpFragmenter send;
  MpReassembly receive;
} MpStage;

static void attach_stage(gpointer state, const AditStageSpec *spec) {
  const MpParams *params = spec->params;
  ((MpStage *)state)->counters = mp_counters_ref(params->counters);
  mp_pool_prepare();
}

static void encode_packet(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  MpStage *stage = state;
  if (stage->counters)
    mp_fragment_packet(&stage->send, params, stage->counters, io, frame);
}

static void decode_frame(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  MpStage *stage = state;
  if (stage->counters)
    mp_reassembly_input(&stage->receive, params, stage->counters, io, frame);
}

static void expire_fragments(gpointer state, gconstpointer params, AditStageIo *io) {
  MpStage *stage = state;
  mp_reassembly_expire(&stage->receive, params, stage->counters, io);
}

static void clear_stage(gpointer state) {
  MpStage *stage = state;
  mp_reassembly_clear(&stage->receive);
  if (stage->counters)
    mp_counters_unref(stage->counters);
}

const AditStageOps mp_stage_ops = {.size = sizeof mp_stage_ops,
                                   .name = "multilink",
                                   .kind = ADIT_STAGE_BUNDLE,
                                   .protocol = ADIT_PPP_MP,
                                   .state_size = sizeof(MpStage),
                                   .encode = encode_packet,
                                   .decode = decode_frame,
                                   .expire = expire_fragments,
                                   .fini = clear_stage,
                                   .attach = attach_stage};
