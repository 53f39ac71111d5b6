/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages run on the home worker of their session (stage-run.c). The main loop puts them in place and takes them away by one pointer,
 * publishes their parameters as a block by another, and frees both when every worker has passed a quiescent point. */
#include "stage.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include "link-facts.h"

/* Parameters with their length, to be wiped: they may hold keys. */
typedef struct {
  const TunDp *dp; /* gives and takes back its secret memory; NULL = it is ordinary memory */
  gsize length;
  _Alignas(16) guint8 data[];
} Block;

typedef struct {
  AditPipelineStage head;
  const TunDp *keeper; /* as Block.dp */
  void (*note)(gpointer user, guint32 what, gconstpointer data, gsize length);
  gpointer user;
  _Alignas(16) guint8 state[];
} Stage;

/* Keys are in what encrypts. A bundle's state is large, and has none. */
static const TunDp *find_keeper(const TunDp *dp, AditStageKind kind) {
  return kind == ADIT_STAGE_COMPRESSION && dp->secret_free ? dp : NULL;
}

static gpointer memory_new(const TunDp *keeper, gsize length) {
  return keeper ? keeper->secret_new(length) : g_malloc0(length);
}

static void memory_free(const TunDp *keeper, gpointer memory, gsize length) {
  if (keeper) {
    keeper->secret_free(memory, length);
    return;
  }
  explicit_bzero(memory, length);
  g_free(memory);
}

static gconstpointer block_new(const TunDp *keeper, gconstpointer params, gsize length) {
  Block *block = memory_new(keeper, sizeof *block + length);
  block->dp = keeper;
  block->length = length;
  if (length)
    memcpy(block->data, params, length);
  return block->data;
}

static void block_free(gpointer memory) {
  Block *block = memory;
  memory_free(block->dp, block, sizeof *block + block->length);
}

static Block *block_of(gconstpointer params) {
  return (Block *)(gpointer)((guint8 *)(gpointer)params - G_STRUCT_OFFSET(Block, data));
}

static void stage_free(gpointer memory) {
  Stage *stage = memory;
  const AditStageOps *ops = stage->head.ops;
  if (ops->fini)
    ops->fini(stage->state);
  block_free(block_of(stage->head.params));
  memory_free(stage->keeper, stage, sizeof *stage + ops->state_size);
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
  const TunDp *keeper = find_keeper(session->dp, spec->ops->kind);
  Stage *stage = memory_new(keeper, sizeof *stage + spec->ops->state_size);
  stage->keeper = keeper;
  stage->head = adit_pipeline_new_stage(spec, stage->state, block_new(keeper, spec->params, spec->params_length));
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
  __atomic_store_n(&stage->params, block_new(find_keeper(session->dp, kind), params, length), __ATOMIC_RELEASE);
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
