/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/stages.h"
#include "core/session/life/sess.h"

static gboolean runs_stages(const AditDatapathOps *ops) {
  return ADIT_HAS(ops, stage_remove) && ops->stage_add && ops->stage_set && ops->stage_remove;
}

static void note_placed(AditSessStages *stages, const AditStageSpec *spec) {
  AditStageKind kind = spec->ops->kind;

  stages->placed[kind] = TRUE;
  stages->headroom[kind] = spec->ops->headroom;
  stages->view[kind].describe = ADIT_HAS(spec, describe) ? spec->describe : NULL;
  stages->view[kind].encoding = ADIT_HAS(spec, encoding) ? spec->encoding : NULL;
  stages->view[kind].user = spec->user;
  stages->view[kind].name = spec->ops->name;
}

gboolean adit_sess_stage_add(AditSess *session, const AditStageSpec *spec, GError **error) {
  if (!session->plane) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "the session's data path is not open");
    return FALSE;
  }
  if (!runs_stages(session->datapath)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "data path %s runs no stages", session->datapath->name);
    return FALSE;
  }
  if (!session->datapath->stage_add(session->plane, spec, error))
    return FALSE;
  note_placed(&session->stages, spec);
  return TRUE;
}

gboolean adit_sess_stage_set(AditSess *session, AditStageKind kind, gconstpointer params, gsize length) {
  return session->plane && runs_stages(session->datapath) && session->datapath->stage_set(session->plane, kind, params, length);
}

void adit_sess_stage_remove(AditSess *session, AditStageKind kind) {
  if (!session->plane || !runs_stages(session->datapath) || (guint)kind >= ADIT_STAGES_N)
    return;
  session->datapath->stage_remove(session->plane, kind);
  session->stages.placed[kind] = FALSE;
  session->stages.mtu[kind] = 0;
  memset(&session->stages.view[kind], 0, sizeof session->stages.view[kind]);
}

guint adit_sess_stages_mtu(const AditSess *session, guint mtu) {
  const AditSessStages *stages = &session->stages;

  for (guint i = ADIT_STAGES_N; i > 0; i--)
    if (stages->placed[i - 1])
      mtu = stages->mtu[i - 1] ? stages->mtu[i - 1] : mtu - MIN(mtu, stages->headroom[i - 1]);
  return mtu;
}

/* After the end of the data plane, which frees the stages, there is nothing to call. */
void adit_sess_stages_describe(const AditSess *session, AditValue *map) {
  for (guint i = 0; session->plane && i < ADIT_STAGES_N; i++) {
    AditValue *told = session->stages.view[i].describe ? session->stages.view[i].describe(session->stages.view[i].user) : NULL;
    if (told)
      adit_value_set(map, session->stages.view[i].name, told);
  }
}

const char *adit_sess_stages_encoding(const AditSess *session) {
  for (guint i = 0; session->plane && i < ADIT_STAGES_N; i++) {
    const char *word = session->stages.view[i].encoding ? session->stages.view[i].encoding(session->stages.view[i].user) : NULL;
    if (word)
      return word;
  }
  return NULL;
}
