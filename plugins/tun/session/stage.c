/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages run on the home worker of their session (stage-run.c). The main loop puts them in place and takes them away by one pointer,
 * publishes their parameters as a block by another, and frees both when every worker has passed a quiescent point. */
#include "stage.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include "link-facts.h"

typedef struct {
  AditPipelineStage head;
  void (*note)(gpointer user, guint32 what, gconstpointer data, gsize length);
  gpointer user;
  _Alignas(16) guint8 state[];
} Stage;

/* Parameters with their length, to be wiped: they may hold keys. */
typedef struct {
  gsize length;
  _Alignas(16) guint8 data[];
} Block;

static gconstpointer block_new(gconstpointer params, gsize length) {
  Block *block = g_malloc(sizeof *block + length);
  block->length = length;
  if (length)
    memcpy(block->data, params, length);
  return block->data;
}

static void block_free(gpointer memory) {
  Block *block = memory;
  explicit_bzero(block->data, block->length);
  g_free(block);
}

static Block *block_of(gconstpointer params) {
  return (Block *)(gpointer)((guint8 *)(gpointer)params - G_STRUCT_OFFSET(Block, data));
}

static void stage_free(gpointer memory) {
  Stage *stage = memory;
  const AditStageOps *ops = stage->head.ops;
  if (ops->fini)
    ops->fini(stage->state);
  explicit_bzero(stage->state, ops->state_size);
  block_free(block_of(stage->head.params));
  g_free(stage);
}

static void stage_publish(AditDpSession *session, AditStageKind kind, Stage *stage) {
  AditPipelineStage *old = session->pipeline.stage[kind];
  __atomic_store_n(&session->pipeline.stage[kind], stage ? &stage->head : NULL, __ATOMIC_RELEASE);
  if (old)
    tun_retire(session->dp, stage_free, old, NULL);
  tun_session_publish(session);
}

gboolean tun_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error) {
  if (!adit_pipeline_accepts(spec, error))
    return FALSE;
  Stage *stage = g_malloc0(sizeof *stage + spec->ops->state_size);
  stage->head = (AditPipelineStage){
      .ops = spec->ops, .state = stage->state, .params = block_new(spec->params, spec->params_length), .exclusive = spec->exclusive};
  stage->note = spec->note;
  stage->user = spec->user;
  adit_pipeline_attach(spec, stage->state);
  if (spec->ops->kind == ADIT_STAGE_BUNDLE)
    tun_link_facts_learn_all(session);
  stage_publish(session, spec->ops->kind, stage);
  return TRUE;
}

gboolean tun_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length) {
  AditPipelineStage *stage = (guint)kind < ADIT_STAGES_N ? session->pipeline.stage[kind] : NULL;
  if (!stage)
    return FALSE;
  gconstpointer old = stage->params;
  if (kind == ADIT_STAGE_BUNDLE)
    tun_link_facts_learn_all(session);
  __atomic_store_n(&stage->params, block_new(params, length), __ATOMIC_RELEASE);
  tun_retire(session->dp, block_free, block_of(old), NULL);
  return TRUE;
}

void tun_stage_remove(AditDpSession *session, AditStageKind kind) {
  if ((guint)kind < ADIT_STAGES_N && session->pipeline.stage[kind])
    stage_publish(session, kind, NULL);
}

void tun_stage_noted(TunDp *dp, const TunNote *note) {
  const AditDpSession *session = tun_session_find(dp, note->serial);
  const Stage *stage = session && note->tunnel < ADIT_STAGES_N ? (const Stage *)(gconstpointer)session->pipeline.stage[note->tunnel] : NULL;
  if (stage && stage->note)
    stage->note(stage->user, note->session, note->data, note->length);
}
