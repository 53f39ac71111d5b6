/* SPDX-License-Identifier: MIT */
/**
 * adit/pipeline.h - runs a session's stages, for data paths that do so in user space.
 *
 * A data path makes an AditPipelineRun for each packet or frame (it lives on the stack), with functions for both ends:
 *
 *     AditPipelineRun run = {.pipeline = &session->pipeline, .ops = &ends, .user = worker};
 *     adit_pipeline_init(&run, now_ms, links);
 *     adit_pipeline_encode(&run, &packet);   // ops->to_link() is called for each frame
 *     if (run.deadline_ms) ...               // call adit_pipeline_expire() then
 */
#pragma once

#include <adit/stage.h>

G_BEGIN_DECLS

/** A stage in place. */
typedef struct {
  const AditStageOps *ops;
  gpointer state;
  gconstpointer params; /**< atomic */
  gboolean exclusive;
  guint64 deadline_ms; /**< home worker's */

  guint16 first, last; /**< protocols for which it is exclusive; 0 = all of data */
} AditPipelineStage;

typedef struct {
  AditPipelineStage *stage[ADIT_STAGES_N]; /**< atomic; NULL = none */
} AditPipeline;

typedef struct {
  gsize size;
  guint8 *(*room)(gpointer user, gsize length);
  void (*to_link)(gpointer user, AditStageFrame *frame);
  void (*to_port)(gpointer user, AditStageFrame *frame); /**< of any protocol that no stage has taken */
  void (*note)(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length);
  void (*dropped)(gpointer user);                                   /**< it came around an exclusive stage */
  gboolean (*link)(gpointer user, guint index, AditStageLink *out); /**< as AditStageIo.link; NULL = nothing is known of links */
} AditPipelineOps;

typedef struct {
  AditStageIo io; /**< first: a stage is given it */
  const AditPipeline *pipeline;
  const AditPipelineOps *ops;
  gpointer user;
  int at; /**< the stage that runs */
  gboolean encoding;
  guint64 deadline_ms; /**< the earliest of those that were set in this run; 0 = none */
} AditPipelineRun;

static inline AditPipelineStage *adit_pipeline_stage(const AditPipeline *pipeline, int at) {
  return __atomic_load_n(&pipeline->stage[at], __ATOMIC_ACQUIRE);
}

/** Must data of this protocol come through the stage? */
static inline gboolean adit_pipeline_excludes(const AditPipelineStage *stage, guint16 protocol) {
  if (!stage->exclusive || protocol >= 0x8000)
    return FALSE;
  return !stage->last || (protocol >= stage->first && protocol <= stage->last);
}

static inline void adit_pipeline_call(AditPipelineRun *run, AditPipelineStage *stage, AditStageFrame *frame) {
  gconstpointer params = __atomic_load_n(&stage->params, __ATOMIC_ACQUIRE);
  run->io.deadline_ms = stage->deadline_ms;
  if (!frame)
    stage->ops->expire(stage->state, params, &run->io);
  else if (run->encoding)
    stage->ops->encode(stage->state, params, &run->io, frame);
  else
    stage->ops->decode(stage->state, params, &run->io, frame);
  stage->deadline_ms = run->io.deadline_ms;
  if (stage->deadline_ms && (!run->deadline_ms || stage->deadline_ms < run->deadline_ms))
    run->deadline_ms = stage->deadline_ms;
}

/** From stage run->at on. */
static inline void adit_pipeline_step(AditPipelineRun *run, AditStageFrame *frame) {
  for (; run->at >= 0 && run->at < ADIT_STAGES_N; run->at += run->encoding ? 1 : -1) {
    AditPipelineStage *stage = adit_pipeline_stage(run->pipeline, run->at);
    if (!stage)
      continue;
    if (run->encoding || frame->protocol == stage->ops->protocol) {
      adit_pipeline_call(run, stage, frame);
      return;
    }
    if (adit_pipeline_excludes(stage, frame->protocol)) {
      run->ops->dropped(run->user);
      return;
    }
  }
  if (run->encoding)
    run->ops->to_link(run->user, frame);
  else
    run->ops->to_port(run->user, frame);
}

static inline void adit_pipeline_emit(AditStageIo *io, const AditStageFrame *frame) {
  AditPipelineRun *run = (AditPipelineRun *)(gpointer)io;
  AditStageFrame next = *frame;
  guint64 deadline_ms = io->deadline_ms;
  int at = run->at;
  run->at += run->encoding ? 1 : -1;
  adit_pipeline_step(run, &next);
  run->at = at;
  io->deadline_ms = deadline_ms;
}

static inline guint8 *adit_pipeline_room(AditStageIo *io, gsize length) {
  AditPipelineRun *run = (AditPipelineRun *)(gpointer)io;
  return run->ops->room(run->user, length);
}

static inline void adit_pipeline_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {
  AditPipelineRun *run = (AditPipelineRun *)(gpointer)io;
  run->ops->note(run->user, (AditStageKind)run->at, what, data, length);
}

static inline gboolean adit_pipeline_link(AditStageIo *io, guint index, AditStageLink *out) {
  AditPipelineRun *run = (AditPipelineRun *)(gpointer)io;
  return run->ops->link && run->ops->link(run->user, index, out);
}

/** Fills what the stages are given; `pipeline`, `ops` and `user` are the caller's. */
static inline void adit_pipeline_init(AditPipelineRun *run, guint64 now_ms, guint32 links) {
  run->io.size = sizeof run->io;
  run->io.now_ms = now_ms;
  run->io.links = links;
  run->io.room = adit_pipeline_room;
  run->io.emit = adit_pipeline_emit;
  run->io.note = adit_pipeline_note;
  run->io.link = adit_pipeline_link;
}

/** A packet towards the peer: to_link() gets frames. */
static inline void adit_pipeline_encode(AditPipelineRun *run, AditStageFrame *packet) {
  run->encoding = TRUE;
  run->at = 0;
  adit_pipeline_step(run, packet);
}

/** A frame from the peer: to_port() gets packets. */
static inline void adit_pipeline_decode(AditPipelineRun *run, AditStageFrame *frame) {
  run->encoding = FALSE;
  run->at = ADIT_STAGES_N - 1;
  adit_pipeline_step(run, frame);
}

/** Runs the stages with an expired deadline; afterwards run->deadline_ms is the next one of all. */
static inline void adit_pipeline_expire(AditPipelineRun *run) {
  run->deadline_ms = 0;
  run->encoding = FALSE;
  for (int at = ADIT_STAGES_N - 1; at >= 0; at--) {
    AditPipelineStage *stage = adit_pipeline_stage(run->pipeline, at);
    if (!stage || !stage->deadline_ms)
      continue;
    run->at = at;
    if (stage->deadline_ms > run->io.now_ms) {
      run->deadline_ms = run->deadline_ms ? MIN(run->deadline_ms, stage->deadline_ms) : stage->deadline_ms;
      continue;
    }
    stage->deadline_ms = 0;
    if (stage->ops->expire)
      adit_pipeline_call(run, stage, NULL);
  }
}

/** The kinds that are in place, a bit each. */
static inline guint32 adit_pipeline_kinds(const AditPipeline *pipeline) {
  guint32 kinds = 0;
  for (int at = 0; at < ADIT_STAGES_N; at++)
    kinds |= adit_pipeline_stage(pipeline, at) ? 1u << at : 0;
  return kinds;
}

/** Readies the state of a stage that is about to be put in place. */
static inline void adit_pipeline_attach(const AditStageSpec *spec, gpointer state) {
  const AditStageOps *ops = spec->ops;
  if (ops->init)
    ops->init(state);
  if (ADIT_HAS(ops, attach) && ops->attach)
    ops->attach(state, spec);
}

/** A stage that is about to be put in place, with `state` and `params` as the data path keeps them. */
static inline AditPipelineStage adit_pipeline_new_stage(const AditStageSpec *spec, gpointer state, gconstpointer params) {
  AditPipelineStage stage;
  memset(&stage, 0, sizeof stage);
  stage.ops = spec->ops;
  stage.state = state;
  stage.params = params;
  stage.exclusive = spec->exclusive;
  stage.first = ADIT_HAS(spec, last) ? spec->first : 0;
  stage.last = ADIT_HAS(spec, last) ? spec->last : 0;
  return stage;
}

/** Can it be run? `why` (not NULL) is told what is missing. */
static inline gboolean adit_pipeline_runs(const AditStageSpec *spec, const char **why) {
  const AditStageOps *ops = spec->ops;
  *why = !ADIT_HAS(ops, fini) || !ops->name || !ops->encode || !ops->decode ? "its description is not complete"
         : (guint)ops->kind >= ADIT_STAGES_N                                ? "its kind is unknown"
         : !ops->protocol || ops->protocol >= 0x8000                        ? "its protocol is none of data"
                                                                            : NULL;
  return *why == NULL;
}

/** The same, for a data path's stage_add(). */
static inline gboolean adit_pipeline_accepts(const AditStageSpec *spec, GError **error) {
  const char *why;
  if (adit_pipeline_runs(spec, &why))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "stage %s: %s", spec->ops && spec->ops->name ? spec->ops->name : "?", why);
  return FALSE;
}

G_END_DECLS
