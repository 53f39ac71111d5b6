/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The part of a session that workers use, and their counters. */
#include "tun-session.h"
#include "../dp.h"
#include <adit/ppp.h>

AditDpSession *tun_session_find(const TunDp *dp, guint64 serial) {
  return (AditDpSession *)tun_table_lookup(&dp->sessions, serial);
}

static guint64 protocol_param(guint16 protocol) {
  return protocol == ADIT_PPP_IPV4 ? TUN_PARAM_IPV4 : protocol == ADIT_PPP_IPV6 ? TUN_PARAM_IPV6 : 0;
}

void tun_session_set(AditDpSession *session, const AditDpSessionParams *params) {
  gboolean check = ADIT_HAS(params, check_source) ? params->check_source : session->port && session->port->head.shared;
  guint64 packed = (check ? TUN_PARAM_CHECK : 0) | (guint64)params->mss4 << 16 | (guint64)params->mss6 << 32;
  for (guint i = 0; i < params->n_protocols; i++)
    packed |=
        session->codec && params->protocols[i] == session->codec->protocols[0] ? TUN_PARAM_BRIDGE : protocol_param(params->protocols[i]);
  session->wanted = packed;
  session->required = ADIT_HAS(params, required) ? params->required : 0;
  tun_session_publish(session);
}

void tun_session_publish(AditDpSession *session) {
  guint32 kinds = adit_pipeline_kinds(&session->pipeline), missing = session->required & ~kinds;
  guint64 flags = (kinds || missing ? TUN_PARAM_STAGED : 0) | (missing ? TUN_PARAM_HELD : 0);
  guint64 wanted = session->wanted & ~(session->ether_params ? 0 : (guint64)TUN_PARAM_BRIDGE);
  __atomic_store_n(&session->params, wanted | flags, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&session->listed, __ATOMIC_SEQ_CST))
    tun_worker_kick(session->dp->worker[session->home]);
}

void tun_session_stats(AditDpSession *session, AditDpStats *out) {
  tun_cells_sum(session->cell, session->dp->n_workers + 1, out);
}
