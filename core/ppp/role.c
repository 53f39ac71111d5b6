/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/role.h"
#include "core/base/hold.h"

struct AditRoleBox {
  AditRoleBox *next;
  gsize size;
  _Alignas(16) guint8 state[];
};

static void box_free(AditRoleBox *box) {
  explicit_bzero(box->state, box->size);
  g_free(box);
}

/* ---- what a method sees ---- */

static guint64 method_now(gpointer host) {
  return adit_env_now(((AditRole *)host)->outer);
}

static void method_wake(gpointer host, guint slot, guint64 deadline_ms) {
  AditRole *role = host;
  if (slot < ADIT_ROLE_SLOTS - ADIT_ROLE_SLOT_METHOD)
    role->outer->ops->wake(role->outer->host, role->base + ADIT_ROLE_SLOT_METHOD + slot, deadline_ms);
}

static void method_random(gpointer host, gpointer buffer, gsize length) {
  adit_env_random(((AditRole *)host)->outer, buffer, length);
}

static const AditEngineOps method_engine = {sizeof(AditEngineOps), method_now, method_wake, method_random};

static void method_send(gpointer host, const guint8 *payload, gsize length) {
  AditRole *role = host;
  if (role->method)
    role->ops->send(role->user, role->method->protocol, payload, length);
}

static void cancel_request(AditRole *role) {
  if (role->requesting) {
    role->requesting = FALSE;
    role->ops->request_cancel(role->user);
  }
  g_clear_pointer(&role->requested_user, g_free);
}

void adit_role_request_begin(AditRole *role, AditAuthRequest *request) {
  cancel_request(role);
  request->again = role->status == ADIT_ROLE_OK;
  role->requested_user = g_strdup(request->user ? request->user : "");
  role->requesting = TRUE;
  role->ops->request_begin(role->user, request);
}

/** A role that has passed keeps that user: a re-challenge answered in another name is refused unasked, right or wrong. */
static void method_request_begin(gpointer host, AditAuthRequest *request) {
  static const AditAuthReply no = {.size = sizeof no, .outcome = ADIT_AUTH_REJECT, .why = "the peer answers as another user than before"};
  AditRole *role = host;

  if (role->status != ADIT_ROLE_OK || !role->name || g_strcmp0(request->user, role->name) == 0) {
    adit_role_request_begin(role, request);
    return;
  }
  adit_auth_request_unref(request);
  ADIT_HOLD(NULL, role->method->verdict, "verdict() of a method", role->method->verdict(role->box->state, &role->env, &no));
}

void adit_role_settle(AditRole *role, gboolean ok, const char *why) {
  adit_env_disarm(role->outer, &role->deadline, role->base + ADIT_ROLE_SLOT_DEADLINE);
  if (ok && role->requested_user) {
    g_free(role->name);
    role->name = g_steal_pointer(&role->requested_user);
  }
  role->status = ok ? ADIT_ROLE_OK : ADIT_ROLE_FAILED;
  role->by_peer = role->hearing;
  role->judged = TRUE;
  role->ops->settled(role->user, role, why);
}

static void method_done(gpointer host, gboolean ok, const char *why) {
  adit_role_settle(host, ok, why);
}

static const AditAuthUpOps method_up = {sizeof(AditAuthUpOps), method_send, method_request_begin, method_done};

/* ---- life ---- */

void adit_role_init(AditRole *role, const AditRoleOps *ops, gpointer user, const AditEngineEnv *env, guint base, const AditAuthStart *start,
                    guint timeout_ms) {
  role->ops = ops;
  role->user = user;
  role->outer = env;
  role->base = base;
  role->start = *start;
  role->timeout_ms = timeout_ms;
  role->env.engine.ops = &method_engine;
  role->env.engine.host = role;
  role->env.up = &method_up;
}

static void drop_method(AditRole *role) {
  cancel_request(role);
  for (guint i = 0; i < ADIT_ROLE_SLOTS; i++)
    role->outer->ops->wake(role->outer->host, role->base + i, 0);
  role->deadline = 0;
  role->stale = FALSE;
  role->method = NULL;
  AditRoleBox *box = g_steal_pointer(&role->box);
  if (box && role->busy) {
    box->next = role->grave;
    role->grave = box;
  } else if (box) {
    box_free(box);
  }
}

/* A method's callbacks may end it: its state must then outlast the call that is under way. */
static void enter_role(AditRole *role) {
  role->busy++;
}

static void leave_role(AditRole *role) {
  if (--role->busy)
    return;
  while (role->grave) {
    AditRoleBox *box = role->grave;
    role->grave = box->next;
    box_free(box);
  }
}

static void take_method(AditRole *role, const AditAuthMethod *method) {
  role->method = method;
  role->box = g_malloc0(sizeof *role->box + method->state_size);
  role->box->size = method->state_size;
}

/** An empty password proves nothing of us, and with MS-CHAPv2 nothing of a server that would answer to it. */
static gboolean has_nothing_to_prove(const AditRole *role) {
  return !role->start.demand && (!role->start.password || !*role->start.password);
}

void adit_role_start(AditRole *role, const AditAuthMethod *method) {
  drop_method(role);
  take_method(role, method);
  if (role->status != ADIT_ROLE_OK)
    role->status = ADIT_ROLE_RUNNING;
  adit_env_arm(role->outer, &role->deadline, role->base + ADIT_ROLE_SLOT_DEADLINE, role->timeout_ms);
  if (has_nothing_to_prove(role)) {
    adit_role_settle(role, FALSE, "the peer asks for a login, and the configuration has no password for it");
    return;
  }
  enter_role(role);
  ADIT_HOLD(NULL, method->start, "start() of a method", method->start(role->box->state, &role->env, &role->start));
  leave_role(role);
}

void adit_role_stop(AditRole *role) {
  drop_method(role);
  g_clear_pointer(&role->name, g_free);
  role->status = ADIT_ROLE_IDLE;
}

void adit_role_timeout(AditRole *role, guint slot) {
  if (slot >= ADIT_ROLE_SLOT_METHOD) {
    if (!role->box)
      return;
    enter_role(role);
    ADIT_HOLD(NULL, role->method->timeout, "timeout() of a method",
              role->method->timeout(role->box->state, &role->env, slot - ADIT_ROLE_SLOT_METHOD));
    leave_role(role);
    return;
  }
  if (!adit_env_due(role->outer, &role->deadline, role->base + ADIT_ROLE_SLOT_DEADLINE))
    return;
  if (role->stale && role->method)
    adit_role_start(role, role->method);
  else
    adit_role_settle(role, FALSE,
                     role->start.demand ? "the peer did not authenticate in time" : "the peer did not finish authentication in time");
}

void adit_role_input(AditRole *role, guint16 protocol, const guint8 *payload, gsize length) {
  if (!role->box || role->method->protocol != protocol)
    return;
  enter_role(role);
  role->hearing = TRUE;
  ADIT_HOLD(NULL, role->method->input, "input() of a method", role->method->input(role->box->state, &role->env, payload, length));
  role->hearing = FALSE;
  leave_role(role);
}

void adit_role_verdict(AditRole *role, const AditAuthReply *reply) {
  if (!role->requesting)
    return;
  role->requesting = FALSE;
  if (!role->box)
    return;
  role->judged = FALSE;
  enter_role(role);
  ADIT_HOLD(NULL, role->method->verdict, "verdict() of a method", role->method->verdict(role->box->state, &role->env, reply));
  leave_role(role);
  if (!role->judged && reply->retry && reply->outcome != ADIT_AUTH_ACCEPT)
    role->ops->refused(role->user, role, reply->why);
}

gboolean adit_role_keys(const AditRole *role, AditMppeKeys *out) {
  const AditAuthMethod *method = role->method;

  if (!role->box || role->status != ADIT_ROLE_OK || role->start.demand || !method->keys)
    return FALSE;
  if (!ADIT_HOLD_VALUE(NULL, method->keys, "keys() of a method", method->keys(role->box->state, out->send, out->receive)))
    return FALSE;
  out->shorter = method->short_key ? ADIT_HOLD_VALUE(NULL, method->short_key, "short_key() of a method",
                                                     method->short_key(role->box->state, out->short_key))
                                   : ADIT_MPPE_SHORT_SAME;
  return TRUE;
}

/* ---- save and restore ---- */

static void save_text(const char *text, AditBuilder *out) {
  gsize length = text ? MIN(strlen(text), ADIT_AUTH_NAME_MAX) : 0;
  adit_put_u8(out, text != NULL);
  adit_put_u8(out, (guint8)length);
  adit_put_bytes(out, text, length);
}

static char *restore_text(AditCursor *in) {
  gboolean set = adit_get_u8(in) != 0;
  guint8 length = adit_get_u8(in);
  const guint8 *text = adit_get_bytes(in, length);
  return set && text ? g_strndup((const char *)text, length) : NULL;
}

void adit_role_save(const AditRole *role, AditBuilder *out) {
  adit_put_u8(out, (guint8)role->status);
  adit_put_u8(out, (guint8)((role->box ? 1 : 0) | (role->requesting || role->stale ? 2 : 0)));
  save_text(role->name, out);
  adit_ppp_save_deadline(role->outer, role->deadline, out);
  gsize mark = adit_built(out);
  adit_put_u16(out, 0);
  if (role->box && !role->requesting && !role->stale)
    ADIT_HOLD(NULL, role->method->save, "save() of a method", role->method->save(role->box->state, out));
  adit_patch_u16(out, mark, (guint16)(adit_built(out) - mark - 2));
}

gboolean adit_role_restore(AditRole *role, const AditAuthMethod *method, AditCursor *in) {
  guint8 status = adit_get_u8(in), flags = adit_get_u8(in);
  role->name = restore_text(in);
  guint64 deadline = adit_ppp_restore_deadline(role->outer, in);
  AditCursor state = adit_get_sub(in, adit_get_u16(in));
  if (in->bad || status > ADIT_ROLE_FAILED)
    return FALSE;

  role->status = (AditRoleStatus)status;
  if (flags & 2) { /* the request died with the process */
    role->stale = TRUE;
    deadline = adit_env_now(role->outer) + 1;
  }
  if (flags) {
    if (!method)
      return FALSE;
    take_method(role, method);
    if (!role->stale && !ADIT_HOLD_VALUE(NULL, method->restore, "restore() of a method",
                                         method->restore(role->box->state, &role->env, &role->start, &state)))
      return FALSE;
  }
  role->deadline = deadline;
  if (deadline)
    role->outer->ops->wake(role->outer->host, role->base + ADIT_ROLE_SLOT_DEADLINE, deadline);
  return TRUE;
}
