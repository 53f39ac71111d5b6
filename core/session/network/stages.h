/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/stages.h - the stages that plugins put into a session's data path. [main] */
#pragma once

#include <adit/stage.h>

typedef struct AditSess AditSess;

typedef struct {
  guint32 required;                /**< a bit (1 << AditStageKind) for each one without which no data may pass */
  guint16 headroom[ADIT_STAGES_N]; /**< of those in place */
} AditSessStages;

/** The data plane must be open. Errors: NOT_FOUND, UNSUPPORTED, INVALID. */
gboolean adit_sess_stage_add(AditSess *session, const AditStageSpec *spec, GError **error);
gboolean adit_sess_stage_set(AditSess *session, AditStageKind kind, gconstpointer params, gsize length);
void adit_sess_stage_remove(AditSess *session, AditStageKind kind);
/** Octets that all of them add to a packet at most. */
guint adit_sess_stages_headroom(const AditSess *session);
