/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/stages.h"
#include "core/session/life/sess.h"

static gboolean runs_stages(const AditDatapathOps *ops) {
  return ADIT_HAS(ops, stage_remove) && ops->stage_add && ops->stage_set && ops->stage_remove;
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
  session->stages.headroom[spec->ops->kind] = spec->ops->headroom;
  return TRUE;
}

gboolean adit_sess_stage_set(AditSess *session, AditStageKind kind, gconstpointer params, gsize length) {
  return session->plane && runs_stages(session->datapath) && session->datapath->stage_set(session->plane, kind, params, length);
}

void adit_sess_stage_remove(AditSess *session, AditStageKind kind) {
  if (!session->plane || !runs_stages(session->datapath) || (guint)kind >= ADIT_STAGES_N)
    return;
  session->datapath->stage_remove(session->plane, kind);
  session->stages.headroom[kind] = 0;
}

guint adit_sess_stages_headroom(const AditSess *session) {
  guint sum = 0;
  for (guint i = 0; i < ADIT_STAGES_N; i++)
    sum += session->stages.headroom[i];
  return sum;
}
