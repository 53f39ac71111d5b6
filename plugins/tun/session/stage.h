/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stage.h - the stages of sessions, as the main loop sets them. [main] */
#pragma once

#include "../worker/note.h"
#include "tun-session.h"

gboolean tun_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error);
gboolean tun_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length);
void tun_stage_remove(AditDpSession *session, AditStageKind kind);
/** A stage has noted something: calls its owner. */
void tun_stage_noted(TunDp *dp, const TunNote *note);
