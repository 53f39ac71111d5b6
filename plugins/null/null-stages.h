/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-stages.h - the stages of sessions, and the data that waits for those that are required */
#pragma once

#include "null-session.h"

gboolean null_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error);
gboolean null_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length);
void null_stage_remove(AditDpSession *session, AditStageKind kind);
/** Does its data go through null_stage_data()? */
gboolean null_session_is_staged(const AditDpSession *session);
/** A packet of the port's (`link` NULL), or a frame of data that came by the link. */
void null_stage_data(AditDpSession *session, const AditDpLink *link, guint16 protocol, const guint8 *data, gsize length);
/** The required stages have changed: what waited goes on, if it can. */
void null_stages_look(AditDpSession *session);
void null_stages_expire(NullNet *net);
void null_stages_free(AditDpSession *session);
