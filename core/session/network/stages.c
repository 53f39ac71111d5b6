/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/stages.h"
#include "core/base/hold.h"
#include "core/base/secret.h"
#include "core/session/life/sess.h"

struct AditSessStageWaiting {
  AditStageSpec spec; /* its parameters are the waiting stage's own, in locked memory: they may hold keys */
};

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
  if (!ADIT_HOLD_VALUE(NULL, session->datapath->stage_add, "stage_add()", session->datapath->stage_add(session->plane, spec, error)))
    return FALSE;
  note_placed(&session->stages, spec);
  return TRUE;
}

/* ---- before the data plane is open ---- */

static void set_waiting_params(AditSessStageWaiting *waiting, gconstpointer params, gsize length) {
  adit_secret_memory_free((gpointer)waiting->spec.params, waiting->spec.params_length);
  waiting->spec.params = memcpy(adit_secret_memory(length), params, length);
  waiting->spec.params_length = length;
}

static void drop_waiting(AditSess *session, AditStageKind kind) {
  AditSessStageWaiting *waiting = g_steal_pointer(&session->stages.waiting[kind]);
  if (!waiting)
    return;
  adit_secret_memory_free((gpointer)waiting->spec.params, waiting->spec.params_length);
  g_free(waiting);
}

gboolean adit_sess_stage_place(AditSess *session, const AditStageSpec *spec, GError **error) {
  if (session->plane)
    return adit_sess_stage_add(session, spec, error);
  if (!runs_stages(session->datapath)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "data path %s runs no stages", session->datapath->name);
    return FALSE;
  }
  AditStageKind kind = spec->ops->kind;
  drop_waiting(session, kind);
  session->stages.waiting[kind] = g_new0(AditSessStageWaiting, 1);
  adit_copy_sized(&session->stages.waiting[kind]->spec, sizeof session->stages.waiting[kind]->spec, spec);
  session->stages.waiting[kind]->spec.params = NULL;
  session->stages.waiting[kind]->spec.params_length = 0;
  set_waiting_params(session->stages.waiting[kind], spec->params, spec->params_length);
  note_placed(&session->stages, spec);
  return TRUE;
}

gboolean adit_sess_stages_open(AditSess *session, GError **error) {
  for (guint kind = 0; kind < ADIT_STAGES_N; kind++) {
    if (session->stages.waiting[kind] && !adit_sess_stage_add(session, &session->stages.waiting[kind]->spec, error))
      return FALSE;
    drop_waiting(session, (AditStageKind)kind);
  }
  return TRUE;
}

void adit_sess_stages_free(AditSess *session) {
  for (guint kind = 0; kind < ADIT_STAGES_N; kind++)
    drop_waiting(session, (AditStageKind)kind);
}

/* ---- afterwards ---- */

gboolean adit_sess_stage_set(AditSess *session, AditStageKind kind, gconstpointer params, gsize length) {
  if ((guint)kind < ADIT_STAGES_N && session->stages.waiting[kind]) {
    set_waiting_params(session->stages.waiting[kind], params, length);
    return TRUE;
  }
  return session->plane && runs_stages(session->datapath) &&
         ADIT_HOLD_VALUE(NULL, session->datapath->stage_set, "stage_set()",
                         session->datapath->stage_set(session->plane, kind, params, length));
}

void adit_sess_stage_remove(AditSess *session, AditStageKind kind) {
  if (!runs_stages(session->datapath) || (guint)kind >= ADIT_STAGES_N)
    return;
  drop_waiting(session, kind);
  if (session->plane)
    ADIT_HOLD(NULL, session->datapath->stage_remove, "stage_remove()", session->datapath->stage_remove(session->plane, kind));
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
