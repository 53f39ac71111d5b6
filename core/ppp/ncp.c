/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/ncp.h"
#include "core/base/hold.h"
#include "core/base/secret.h"
#include "core/ppp/deadline.h"

#include "core/ppp/automaton.h"

#define SAVE_VERSION 2
#define WHY_MAX      200

struct AditNcp {
  const AditNcpDesc *desc;
  const AditNcpOps *ops;
  gpointer host;
  AditEngineEnv outer, env;                 /* slot 0 of outer serves all of env's */
  AditNcpHost callbacks;                    /* what the plugin is given */
  guint64 slots[1 + ADIT_NCP_SLOTS], armed; /* deadlines: the automaton's, then the plugin's */
  AditEngineEnv plugin_env;                 /* counts its slots from 0 */
  AditNcpParams params;
  AditNcpResult in_force; /* once params.in_force points to it */
  AditAutomaton fsm;
  gboolean barred; /* closed for good: a later up() does not open it */
  char *why;       /* for closed(), when the reason is ours */
  guint depth;
  gboolean doomed;
  AditStageSpec *stage; /* as the plugin gave it, but for the parameters; NULL = none */
  char *stage_why;      /* it was refused last */
  guint8 *state;        /* the plugin's: `room`, or in locked memory */
  _Alignas(16) guint8 room[];
};

static void free_now(AditNcp *ncp) {
  if (ncp->armed)
    ncp->outer.ops->wake(ncp->outer.host, 0, 0);
  if (ncp->desc->wipe) {
    ADIT_HOLD(NULL, ncp->desc->wipe, "wipe() of an NCP", ncp->desc->wipe(ncp->state));
    adit_secret_memory_free(ncp->state, ncp->desc->state_size);
  }
  g_free(ncp->why);
  g_free(ncp->stage);
  g_free(ncp->stage_why);
  g_free(ncp);
}

static void enter_ncp(AditNcp *ncp) {
  ncp->depth++;
}

static void leave_ncp(AditNcp *ncp) {
  if (!--ncp->depth && ncp->doomed)
    free_now(ncp);
}

/* ---- timers ---- */

static guint64 read_ncp_clock(gpointer host) {
  return adit_env_now(&((AditNcp *)host)->outer);
}

static void draw_ncp_octets(gpointer host, gpointer buffer, gsize length) {
  adit_env_random(&((AditNcp *)host)->outer, buffer, length);
}

static void rearm_ncp(AditNcp *ncp) {
  adit_ppp_wake_at_earliest(&ncp->outer, ncp->slots, G_N_ELEMENTS(ncp->slots), &ncp->armed);
}

static void set_automaton_slot(gpointer host, guint slot, guint64 deadline_ms) {
  AditNcp *ncp = host;
  ncp->slots[slot] = deadline_ms;
  rearm_ncp(ncp);
}

static void set_plugin_slot(gpointer host, guint slot, guint64 deadline_ms) {
  AditNcp *ncp = host;
  if (slot >= MIN(ncp->desc->n_slots, ADIT_NCP_SLOTS))
    return; /* it said that it has no such slot */
  ncp->slots[1 + slot] = deadline_ms;
  rearm_ncp(ncp);
}

static const AditEngineOps automaton_engine = {sizeof automaton_engine, read_ncp_clock, set_automaton_slot, draw_ncp_octets};
static const AditEngineOps plugin_engine = {sizeof plugin_engine, read_ncp_clock, set_plugin_slot, draw_ncp_octets};

/* ---- the automaton's callbacks ---- */

static void send_ncp_packet(gpointer user, guint8 code, guint8 id, const void *data, gsize length) {
  AditNcp *ncp = user;
  guint8 frame[ADIT_PPP_FRAME_MAX];
  gsize size = adit_ppp_packet_frame(frame, sizeof frame, ncp->desc->protocol, code, id, data, length);
  if (size && !ncp->doomed)
    ncp->ops->send(ncp->host, ncp, frame, size);
}

gboolean adit_ncp_result(AditNcp *ncp, AditNcpResult *out) {
  const char *why = NULL;
  memset(out, 0, sizeof *out);
  out->size = sizeof *out;
  return adit_ncp_is_open(ncp) &&
         (!ncp->desc->result || ADIT_HOLD_VALUE(NULL, ncp->desc->result, "result() of an NCP", ncp->desc->result(ncp->state, out, &why)));
}

static void on_ncp_up(gpointer user) {
  AditNcp *ncp = user;
  AditNcpResult result = {.size = sizeof result};
  const char *why = "nothing usable was agreed on";

  if (ncp->doomed)
    return;
  if (ncp->desc->result && !ADIT_HOLD_VALUE(NULL, ncp->desc->result, "result() of an NCP", ncp->desc->result(ncp->state, &result, &why))) {
    ncp->fsm.layer_up = FALSE; /* opened() has not been called */
    adit_ncp_close(ncp, why);
    return;
  }
  if (!ncp->params.in_force) {
    ncp->in_force = result;
    ncp->params.in_force = &ncp->in_force;
  }
  ncp->ops->opened(ncp->host, ncp, &result);
}

static void on_ncp_down(gpointer user) {
  AditNcp *ncp = user;
  ADIT_HOLD(NULL, ncp->desc->reset, "reset() of an NCP", ncp->desc->reset(ncp->state));
  if (!ncp->doomed)
    ncp->ops->down(ncp->host, ncp);
}

static void on_ncp_finished(gpointer user) {
  AditNcp *ncp = user;
  g_autofree char *why = g_steal_pointer(&ncp->why);
  ADIT_HOLD(NULL, ncp->desc->reset, "reset() of an NCP", ncp->desc->reset(ncp->state)); /* the peer may begin again */
  if (!ncp->doomed)
    ncp->ops->closed(ncp->host, ncp, why ? why : adit_fsm_end_text(ncp->fsm.end));
}

static gboolean knows_ncp_code(gpointer user, const AditPppPacket *packet) {
  AditNcp *ncp = user;
  return ncp->desc->code && ADIT_HOLD_VALUE(NULL, ncp->desc->code, "code() of an NCP",
                                            ncp->desc->code(ncp->state, packet->code, packet->id, packet->data, packet->length));
}

static void on_ncp_failed(gpointer user, const char *why) {
  adit_ncp_close(user, why);
}

/* ---- what the plugin may ask ---- */

static AditNcp *ncp_of_host(const AditNcpHost *host) {
  return (AditNcp *)(gpointer)((guint8 *)(gpointer)host - G_STRUCT_OFFSET(AditNcp, callbacks));
}

static gboolean send_own_code(const AditNcpHost *host, guint8 code, guint8 id, gconstpointer data, gsize length) {
  AditNcp *ncp = ncp_of_host(host);
  if (!adit_ncp_is_open(ncp) || code < 8)
    return FALSE;
  send_ncp_packet(ncp, code, id, data, length);
  return TRUE;
}

static guint8 take_next_id(const AditNcpHost *host) {
  return adit_automaton_next_id(&ncp_of_host(host)->fsm);
}

static void close_by_plugin(const AditNcpHost *host, const char *why) {
  adit_ncp_close(ncp_of_host(host), why);
}

/* The plugin's note may close the protocol, and that may free it, or take the stage out. */
static void on_stage_note(gpointer user, guint32 what, gconstpointer data, gsize length) {
  AditNcp *ncp = user;
  AditStageSpec stage = ncp->stage ? *ncp->stage : (AditStageSpec){0};

  if (!stage.note)
    return;
  enter_ncp(ncp);
  ADIT_HOLD(NULL, stage.note, "note() of a stage", stage.note(stage.user, what, data, length));
  leave_ncp(ncp);
}

static AditValue *describe_stage(gpointer user) {
  const AditStageSpec *stage = ((const AditNcp *)user)->stage;
  return stage && stage->describe ? ADIT_HOLD_VALUE(NULL, stage->describe, "describe() of a stage", stage->describe(stage->user)) : NULL;
}

static const char *name_stage_encoding(gpointer user) {
  const AditStageSpec *stage = ((const AditNcp *)user)->stage;
  return stage && stage->encoding ? ADIT_HOLD_VALUE(NULL, stage->encoding, "encoding() of a stage", stage->encoding(stage->user)) : NULL;
}

static void forget_stage(AditNcp *ncp) {
  g_clear_pointer(&ncp->stage, g_free);
}

static gboolean add_stage(const AditNcpHost *host, const AditStageSpec *spec, const char **why) {
  AditNcp *ncp = ncp_of_host(host);
  g_autoptr(GError) error = NULL;
  AditStageSpec own;

  adit_copy_sized(&own, sizeof own, spec);
  forget_stage(ncp);
  ncp->stage = g_memdup2(&own, sizeof own);
  ncp->stage->params = NULL;
  own.note = on_stage_note;
  own.describe = describe_stage;
  own.encoding = name_stage_encoding;
  own.user = ncp;
  if (ncp->ops->stage_add && ncp->ops->stage_add(ncp->host, ncp, &own, &error))
    return TRUE;
  forget_stage(ncp);
  g_free(ncp->stage_why);
  ncp->stage_why = g_strdup(error ? error->message : "there are no stages");
  *why = ncp->stage_why;
  return FALSE;
}

static void set_stage(const AditNcpHost *host, AditStageKind kind, gconstpointer params, gsize length) {
  AditNcp *ncp = ncp_of_host(host);
  if (ncp->ops->stage_set)
    ncp->ops->stage_set(ncp->host, ncp, kind, params, length);
}

static void remove_stage(const AditNcpHost *host, AditStageKind kind) {
  AditNcp *ncp = ncp_of_host(host);
  forget_stage(ncp);
  if (ncp->ops->stage_remove)
    ncp->ops->stage_remove(ncp->host, ncp, kind);
}

static void warn_of_ncp(const AditNcpHost *host, const char *text) {
  AditNcp *ncp = ncp_of_host(host);
  if (ncp->ops->warn)
    ncp->ops->warn(ncp->host, ncp, text);
}

static void renegotiate_ncp(const AditNcpHost *host) {
  AditNcp *ncp = ncp_of_host(host);
  adit_ncp_down(ncp);
  adit_ncp_up(ncp);
}

static void attach_plugin(AditNcp *ncp) {
  ncp->params.mppe = NULL; /* it was init()'s to take */
  if (ncp->desc->attach)
    ADIT_HOLD(NULL, ncp->desc->attach, "attach() of an NCP", ncp->desc->attach(ncp->state, &ncp->callbacks));
}

static const AditAutomatonOps automaton_ops = {.send = send_ncp_packet,
                                               .up = on_ncp_up,
                                               .down = on_ncp_down,
                                               .finished = on_ncp_finished,
                                               .knows = knows_ncp_code,
                                               .failed = on_ncp_failed};

/* ---- life ---- */

static AditNcp *make_ncp(const AditNcpDesc *desc, const AditNcpParams *params, const AditNcpTiming *timing, const AditNcpOps *ops,
                         gpointer host, const AditEngineEnv *env) {
  AditNcp *ncp = g_malloc0(sizeof *ncp + (desc->wipe ? 0 : desc->state_size));
  AditFsmConfig config = {0};
  ncp->state = desc->wipe ? adit_secret_memory(desc->state_size) : ncp->room;
  ncp->desc = desc;
  ncp->ops = ops;
  ncp->host = host;
  ncp->outer = *env;
  ncp->env = (AditEngineEnv){&automaton_engine, ncp};
  ncp->plugin_env = (AditEngineEnv){&plugin_engine, ncp};
  ncp->callbacks = (AditNcpHost){.size = sizeof ncp->callbacks,
                                 .send = send_own_code,
                                 .next_id = take_next_id,
                                 .close = close_by_plugin,
                                 .stage_add = add_stage,
                                 .stage_set = set_stage,
                                 .stage_remove = remove_stage,
                                 .warn = warn_of_ncp,
                                 .renegotiate = renegotiate_ncp};
  memcpy(&ncp->params, params, MIN(params->size, sizeof ncp->params));
  ncp->params.size = sizeof ncp->params;
  ncp->params.in_force = NULL;
  if (timing)
    config = (AditFsmConfig){timing->restart_ms, timing->max_configure, timing->max_terminate, timing->max_failure};
  adit_automaton_init(&ncp->fsm, &automaton_ops, ncp, desc->options, ncp->state, &ncp->env, 0, &config);
  return ncp;
}

AditNcp *adit_ncp_new(const AditNcpDesc *desc, const AditNcpParams *params, const AditNcpTiming *timing, const AditNcpOps *ops,
                      gpointer host, const AditEngineEnv *env) {
  AditNcp *ncp = make_ncp(desc, params, timing, ops, host, env);
  ADIT_HOLD(NULL, desc->init, "init() of an NCP", desc->init(ncp->state, &ncp->plugin_env, &ncp->params));
  attach_plugin(ncp);
  return ncp;
}

void adit_ncp_free(AditNcp *ncp) {
  if (!ncp)
    return;
  ncp->doomed = TRUE;
  if (!ncp->depth)
    free_now(ncp);
}

const AditNcpDesc *adit_ncp_desc(const AditNcp *ncp) {
  return ncp->desc;
}

gboolean adit_ncp_is_open(const AditNcp *ncp) {
  return ncp->fsm.state == ADIT_FSM_OPENED;
}

gboolean adit_ncp_is_over(const AditNcp *ncp) {
  return ncp->fsm.state == ADIT_FSM_CLOSED || ncp->fsm.state == ADIT_FSM_STOPPED;
}

gboolean adit_ncp_owns(const AditNcp *ncp, guint16 protocol) {
  return protocol == ncp->desc->protocol || (protocol && protocol == ncp->desc->data_protocol);
}

gboolean adit_ncp_carries(const AditNcp *ncp, guint16 protocol) {
  return protocol && (protocol == ncp->desc->data_protocol || (ncp->desc->ether && adit_ether_has_protocol(ncp->desc->ether, protocol)));
}

AditValue *adit_ncp_describe(const AditNcp *ncp) {
  return ncp->desc->describe && adit_ncp_is_open(ncp)
             ? ADIT_HOLD_VALUE(NULL, ncp->desc->describe, "describe() of an NCP", ncp->desc->describe(ncp->state))
             : NULL;
}

void adit_ncp_up(AditNcp *ncp) {
  enter_ncp(ncp);
  ADIT_HOLD(NULL, ncp->desc->reset, "reset() of an NCP", ncp->desc->reset(ncp->state));
  if (!ncp->barred)
    adit_automaton_event(&ncp->fsm, ADIT_FSM_OPEN);
  adit_automaton_event(&ncp->fsm, ADIT_FSM_UP);
  leave_ncp(ncp);
}

void adit_ncp_down(AditNcp *ncp) {
  enter_ncp(ncp);
  adit_automaton_event(&ncp->fsm, ADIT_FSM_DOWN);
  leave_ncp(ncp);
}

void adit_ncp_close(AditNcp *ncp, const char *why) {
  enter_ncp(ncp);
  if (!ncp->barred) {
    ncp->barred = TRUE;
    g_free(ncp->why);
    ncp->why = g_strndup(why ? why : "", WHY_MAX);
  }
  adit_automaton_event(&ncp->fsm, ADIT_FSM_CLOSE);
  leave_ncp(ncp);
}

void adit_ncp_input(AditNcp *ncp, const guint8 *payload, gsize length) {
  enter_ncp(ncp);
  if (!ncp->barred)
    adit_automaton_reopen(&ncp->fsm, payload, length);
  adit_automaton_input(&ncp->fsm, payload, length);
  leave_ncp(ncp);
}

void adit_ncp_timeout(AditNcp *ncp, guint slot) {
  guint64 now = adit_env_now(&ncp->outer);
  enter_ncp(ncp);
  ncp->armed = 0;
  for (guint i = 0; i < G_N_ELEMENTS(ncp->slots) && !ncp->doomed; i++) {
    if (!ncp->slots[i] || ncp->slots[i] > now)
      continue;
    ncp->slots[i] = 0;
    if (i == 0)
      adit_automaton_timeout(&ncp->fsm);
    else
      ADIT_HOLD(NULL, ncp->desc->timeout, "timeout() of an NCP", ncp->desc->timeout(ncp->state, i - 1));
  }
  if (!ncp->doomed)
    rearm_ncp(ncp);
  leave_ncp(ncp);
}

void adit_ncp_rejected(AditNcp *ncp) {
  enter_ncp(ncp);
  adit_automaton_event(&ncp->fsm, ADIT_FSM_RXJ_MINUS);
  leave_ncp(ncp);
}

void adit_ncp_rekey(AditNcp *ncp, const AditMppeKeys *keys) {
  if (!ncp->desc->rekey)
    return;
  enter_ncp(ncp);
  ADIT_HOLD(NULL, ncp->desc->rekey, "rekey() of an NCP", ncp->desc->rekey(ncp->state, keys));
  leave_ncp(ncp);
}

static void save_address(AditBuilder *out, const AditAddress *address) {
  adit_put_u8(out, address->family);
  adit_put_bytes(out, address->octet, sizeof address->octet);
}

static AditAddress restore_address(AditCursor *in) {
  AditAddress address = {.family = adit_get_u8(in)};
  adit_get_copy(in, address.octet, sizeof address.octet);
  return address;
}

/* Name servers are not kept: they may change in a renegotiation. */
static void save_in_force(const AditNcp *ncp, AditBuilder *out) {
  adit_put_u8(out, ncp->params.in_force ? 1 : 0);
  save_address(out, &ncp->in_force.local4);
  save_address(out, &ncp->in_force.remote4);
  adit_put_bytes(out, ncp->in_force.local_ifid, sizeof ncp->in_force.local_ifid);
  adit_put_bytes(out, ncp->in_force.remote_ifid, sizeof ncp->in_force.remote_ifid);
}

static void restore_in_force(AditNcp *ncp, AditCursor *in) {
  gboolean known = adit_get_u8(in) != 0;
  ncp->in_force = (AditNcpResult){.size = sizeof ncp->in_force, .local4 = restore_address(in)};
  ncp->in_force.remote4 = restore_address(in);
  adit_get_copy(in, ncp->in_force.local_ifid, sizeof ncp->in_force.local_ifid);
  adit_get_copy(in, ncp->in_force.remote_ifid, sizeof ncp->in_force.remote_ifid);
  ncp->params.in_force = known ? &ncp->in_force : NULL;
}

void adit_ncp_save(const AditNcp *ncp, AditBuilder *out) {
  gsize why = ncp->why ? strlen(ncp->why) : 0;
  adit_put_u8(out, SAVE_VERSION);
  adit_put_u8(out, ncp->barred ? 1 : 0);
  adit_put_u8(out, (guint8)why);
  adit_put_bytes(out, ncp->why, why);
  save_in_force(ncp, out);
  adit_automaton_save(&ncp->fsm, out);
  gsize mark = adit_built(out);
  adit_put_u16(out, 0);
  ADIT_HOLD(NULL, ncp->desc->save, "save() of an NCP", ncp->desc->save(ncp->state, out));
  adit_patch_u16(out, mark, (guint16)(adit_built(out) - mark - 2));
}

AditNcp *adit_ncp_restore(const AditNcpDesc *desc, const AditNcpParams *params, const AditNcpTiming *timing, const AditNcpOps *ops,
                          gpointer host, const AditEngineEnv *env, AditCursor *in) {
  AditNcp *ncp = make_ncp(desc, params, timing, ops, host, env);
  guint8 version = adit_get_u8(in);
  ncp->barred = adit_get_u8(in) != 0;
  guint8 why = adit_get_u8(in);
  const guint8 *text = adit_get_bytes(in, why);
  if (why && text)
    ncp->why = g_strndup((const char *)text, why);
  restore_in_force(ncp, in);

  gboolean fine = version == SAVE_VERSION && !in->bad && adit_automaton_restore(&ncp->fsm, in);
  AditCursor state = adit_get_sub(in, adit_get_u16(in));
  if (fine && !in->bad &&
      ADIT_HOLD_VALUE(NULL, desc->restore, "restore() of an NCP", desc->restore(ncp->state, &ncp->plugin_env, &ncp->params, &state))) {
    attach_plugin(ncp);
    return ncp;
  }
  adit_ncp_free(ncp);
  return NULL;
}
