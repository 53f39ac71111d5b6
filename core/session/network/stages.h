/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/stages.h - the stages that plugins put into a session's data path. [main] */
#pragma once

#include <adit/stage.h>
#include <adit/value.h>

typedef struct AditSess AditSess;

typedef struct AditSessStageWaiting AditSessStageWaiting;

typedef struct {
  guint32 required_by_ncps;                     /**< as `required`: an NCP that is required brings them */
  AditSessStageWaiting *waiting[ADIT_STAGES_N]; /**< for the data plane to open; NULL = none */
  guint32 required; /**< a bit (1 << AditStageKind) for each one without which no data may pass */
  gboolean placed[ADIT_STAGES_N];
  guint16 headroom[ADIT_STAGES_N];
  guint mtu[ADIT_STAGES_N]; /**< the largest packet that it takes, whatever the links carry; 0 = what they carry, less its headroom */
  struct {
    AditValue *(*describe)(gpointer user);
    const char *(*encoding)(gpointer user);
    gpointer user;
    const char *name;
  } view[ADIT_STAGES_N]; /**< of those that are placed; each function may be NULL */
} AditSessStages;

/** The data plane must be open. Errors: NOT_FOUND, UNSUPPORTED, INVALID. */
gboolean adit_sess_stage_add(AditSess *session, const AditStageSpec *spec, GError **error);
gboolean adit_sess_stage_set(AditSess *session, AditStageKind kind, gconstpointer params, gsize length);
void adit_sess_stage_remove(AditSess *session, AditStageKind kind);
/** As adit_sess_stage_add(), but waits for the data plane if that is not open yet. */
gboolean adit_sess_stage_place(AditSess *session, const AditStageSpec *spec, GError **error);
/** The data plane is open: what waits for that is put in place. */
gboolean adit_sess_stages_open(AditSess *session, GError **error);
/** Those that wait are given up. */
void adit_sess_stages_free(AditSess *session);
/** The largest packet of a session with links that carry `mtu`. */
guint adit_sess_stages_mtu(const AditSess *session, guint mtu);
/** Adds the values that each stage describes (AditStageSpec.describe) to `map`, under the stage's name. */
void adit_sess_stages_describe(const AditSess *session, AditValue *map);
/** RouterOS's word for what the stages do to packets; NULL = nothing. Borrowed. */
const char *adit_sess_stages_encoding(const AditSess *session);
