/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages, on the calling thread: each packet goes through all of them at once. */
#include "null-stages.h"
#include "null-link.h"

enum { HELD_MAX = 16 }; /* packets that wait for a required stage, each way */

typedef struct {
  AditPipelineStage head;
  void (*note)(gpointer user, guint32 what, gconstpointer data, gsize length);
  gpointer user;
  gsize params_length;
  _Alignas(16) guint8 state[];
} Stage;

/* A packet that waits. */
typedef struct {
  guint16 protocol;
  guint8 link;
  gsize length;
  guint8 data[];
} NullHeld;

typedef struct {
  AditPipelineRun run;
  AditDpSession *session;
  GPtrArray *rooms;
} Run;

/* ---- the ends of the pipeline ---- */

static guint8 *run_room(gpointer user, gsize length) {
  guint8 *room = g_malloc(MAX(length, 1));
  g_ptr_array_add(((Run *)user)->rooms, room);
  return room;
}

static guint8 *frame_whole(Run *run, const AditStageFrame *frame) {
  guint8 *whole = run_room(run, frame->length);
  adit_stage_copy(frame, 0, whole, frame->length);
  return whole;
}

static void run_to_link(gpointer user, AditStageFrame *frame) {
  Run *run = user;
  AditDpLink *link = frame->link < ADIT_STAGE_LINKS ? run->session->links[frame->link] : NULL;
  if (link)
    null_link_data(link, frame->protocol, frame_whole(run, frame), frame->length);
  else
    run->session->stats.drops++;
}

static void run_to_port(gpointer user, AditStageFrame *frame) {
  Run *run = user;
  AditDpSession *session = run->session;
  AditDpLink *link = frame->link < ADIT_STAGE_LINKS ? session->links[frame->link] : NULL;
  if (null_session_is_open(session, frame->protocol))
    null_session_input(session, frame->protocol, frame_whole(run, frame), frame->length);
  else if (link)
    null_link_frame(link, frame->protocol, frame_whole(run, frame), frame->length);
}

static void run_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {
  const Stage *stage = (const Stage *)(gconstpointer)((Run *)user)->session->pipeline.stage[kind];
  if (stage->note)
    stage->note(stage->user, what, data, length);
}

static void run_dropped(gpointer user) {
  ((Run *)user)->session->stats.drops++;
}

static gboolean run_link(gpointer user, guint index, AditStageLink *out) {
  const AditDpSession *session = ((Run *)user)->session;
  const AditDpLink *link = index < ADIT_STAGE_LINKS ? session->links[index] : NULL;
  if (!link || !link->facts.size)
    return FALSE;
  adit_copy_sized(out, out->size, &link->facts);
  return TRUE;
}

static const AditPipelineOps pipeline_ops = {sizeof pipeline_ops, run_room, run_to_link, run_to_port, run_note, run_dropped, run_link};

static void run_begin(Run *run, AditDpSession *session) {
  *run = (Run){.run = {.pipeline = &session->pipeline, .ops = &pipeline_ops, .user = run}, .session = session};
  run->rooms = g_ptr_array_new_with_free_func(g_free);
  adit_pipeline_init(&run->run, null_now(session->dp->net), session->link_bits);
}

static void run_end(Run *run) {
  const NullNet *net = run->session->dp->net;
  if (run->run.deadline_ms && net->ops.wake)
    net->ops.wake(net->user, run->run.deadline_ms);
  g_ptr_array_unref(run->rooms);
}

/* ---- data ---- */

static gboolean is_held(const AditDpSession *session) {
  return (session->params.required & ~adit_pipeline_kinds(&session->pipeline)) != 0;
}

gboolean null_session_is_staged(const AditDpSession *session) {
  return session->params.required || adit_pipeline_kinds(&session->pipeline);
}

static void data_run(AditDpSession *session, gboolean encoding, guint16 protocol, guint8 link, guint8 *data, gsize length) {
  AditStageFrame frame = {.protocol = protocol, .link = link, .n = 1, .length = (guint32)length};
  Run run;
  frame.slice[0] = (AditStageSlice){data, (guint32)length};
  run_begin(&run, session);
  if (encoding)
    adit_pipeline_encode(&run.run, &frame);
  else
    adit_pipeline_decode(&run.run, &frame);
  run_end(&run);
}

void null_stage_data(AditDpSession *session, const AditDpLink *link, guint16 protocol, const guint8 *data, gsize length) {
  GQueue *held = &session->held[!link];
  guint8 index = link ? (guint8)link->index : 0;
  if (is_held(session) && held->length >= HELD_MAX) {
    session->stats.drops++;
    return;
  }
  NullHeld *packet = g_malloc(sizeof *packet + length);
  *packet = (NullHeld){protocol, index, length};
  memcpy(packet->data, data, length);
  if (is_held(session)) {
    g_queue_push_tail(held, packet);
    return;
  }
  data_run(session, !link, protocol, index, packet->data, length);
  g_free(packet);
}

void null_stages_look(AditDpSession *session) {
  for (guint encoding = 0; encoding < 2; encoding++) {
    NullHeld *packet;
    while (!is_held(session) && (packet = g_queue_pop_head(&session->held[encoding]))) {
      data_run(session, encoding, packet->protocol, packet->link, packet->data, packet->length);
      g_free(packet);
    }
  }
}

void null_stages_expire(NullNet *net) {
  for (guint i = 0; i < net->sessions->len; i++) {
    Run run;
    run_begin(&run, net->sessions->pdata[i]);
    adit_pipeline_expire(&run.run);
    run_end(&run);
  }
}

/* ---- setting up ---- */

static void stage_free(Stage *stage) {
  if (!stage)
    return;
  if (stage->head.ops->fini)
    stage->head.ops->fini(stage->state);
  adit_wipe(stage->state, stage->head.ops->state_size);
  adit_wipe((gpointer)stage->head.params, stage->params_length);
  g_free((gpointer)stage->head.params);
  g_free(stage);
}

static void stage_publish(AditDpSession *session, AditStageKind kind, Stage *stage) {
  GPtrArray *sessions = session->dp->net->sessions;
  Stage *old = (Stage *)(gpointer)session->pipeline.stage[kind];
  g_ptr_array_remove_fast(sessions, session);
  session->pipeline.stage[kind] = stage ? &stage->head : NULL;
  if (adit_pipeline_kinds(&session->pipeline))
    g_ptr_array_add(sessions, session);
  stage_free(old);
  null_stages_look(session);
}

gboolean null_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error) {
  if (!adit_pipeline_accepts(spec, error))
    return FALSE;
  Stage *stage = g_malloc0(sizeof *stage + spec->ops->state_size);
  stage->head = adit_pipeline_new_stage(spec, stage->state, g_memdup2(spec->params, spec->params_length));
  stage->params_length = spec->params_length;
  stage->note = spec->note;
  stage->user = spec->user;
  adit_pipeline_attach(spec, stage->state);
  stage_publish(session, spec->ops->kind, stage);
  return TRUE;
}

gboolean null_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length) {
  Stage *stage = (guint)kind < ADIT_STAGES_N ? (Stage *)(gpointer)session->pipeline.stage[kind] : NULL;
  if (!stage)
    return FALSE;
  adit_wipe((gpointer)stage->head.params, stage->params_length);
  g_free((gpointer)stage->head.params);
  stage->head.params = g_memdup2(params, length);
  stage->params_length = length;
  return TRUE;
}

void null_stage_remove(AditDpSession *session, AditStageKind kind) {
  if ((guint)kind < ADIT_STAGES_N && session->pipeline.stage[kind])
    stage_publish(session, kind, NULL);
}

void null_stages_free(AditDpSession *session) {
  for (guint encoding = 0; encoding < 2; encoding++)
    g_queue_clear_full(&session->held[encoding], g_free);
  for (guint kind = 0; kind < ADIT_STAGES_N; kind++)
    null_stage_remove(session, (AditStageKind)kind);
}
