/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The automaton as octets, and back: deadlines are relative. */
#include "core/ppp/automaton.h"

void adit_ppp_save_deadline(const AditEngineEnv *env, guint64 deadline, AditBuilder *out) {
  guint64 now = adit_env_now(env);
  adit_put_u64(out, !deadline ? 0 : deadline > now ? deadline - now : 1);
}

guint64 adit_ppp_restore_deadline(const AditEngineEnv *env, AditCursor *in) {
  guint64 left = adit_get_u64(in);
  return !left ? 0 : adit_env_now(env) + MIN(left, G_GUINT64_CONSTANT(1) << 40);
}

void adit_automaton_save(const AditAutomaton *a, AditBuilder *out) {
  adit_put_u8(out, (guint8)a->state);
  adit_put_u8(out, (guint8)a->end);
  adit_put_u8(out, (guint8)((a->layer_up ? 1 : 0) | (a->awaiting ? 2 : 0)));
  adit_put_u8(out, a->id);
  adit_put_u8(out, a->request_id);
  adit_put_u8(out, (guint8)MIN(a->restarts, 255));
  adit_put_u8(out, (guint8)MIN(a->naks, 255));
  adit_put_u8(out, (guint8)MIN(a->refusals, 255));
  adit_put_u16(out, a->mtu);
  adit_put_u8(out, a->request_length);
  adit_put_bytes(out, a->request, a->request_length);
  adit_put_u8(out, a->acked_id);
  adit_put_u32(out, a->acked_length);
  adit_put_u32(out, a->acked_digest);
  adit_ppp_save_deadline(a->env, a->reack_until, out);
  adit_ppp_save_deadline(a->env, a->deadline, out);
}

gboolean adit_automaton_restore(AditAutomaton *a, AditCursor *in) {
  guint8 state = adit_get_u8(in), end = adit_get_u8(in), flags = adit_get_u8(in);
  a->id = adit_get_u8(in);
  a->request_id = adit_get_u8(in);
  a->restarts = adit_get_u8(in);
  a->naks = adit_get_u8(in);
  a->refusals = adit_get_u8(in);
  a->mtu = adit_get_u16(in);
  a->request_length = adit_get_u8(in);
  if (a->request_length > sizeof a->request)
    return FALSE;
  adit_get_copy(in, a->request, a->request_length);
  a->acked_id = adit_get_u8(in);
  a->acked_length = adit_get_u32(in);
  a->acked_digest = adit_get_u32(in);
  a->reack_until = adit_ppp_restore_deadline(a->env, in);
  a->deadline = adit_ppp_restore_deadline(a->env, in);
  if (in->bad || a->mtu < 64 || state >= ADIT_FSM_STATES || end > ADIT_FSM_END_REJECTED) {
    a->deadline = 0;
    return FALSE;
  }
  a->state = (AditFsmState)state;
  a->end = (AditFsmEnd)end;
  a->layer_up = flags & 1;
  a->awaiting = (flags >> 1) & 1;
  if (a->deadline)
    a->env->ops->wake(a->env->host, a->slot, a->deadline);
  return TRUE;
}
