/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/bridge.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include <errno.h>
#include <net/if.h>

static const AditNetService *net;

void adit_bridge_serve(const AditNetService *service) {
  net = service;
}

/* Before the port was in the bridge the session is judged by it; afterwards it stays, and the claim is restored when it can be. */
static void refuse_bridge(AditSess *session, const char *why) {
  AditSessEther *ether = &session->ether;
  AditLogContext log = adit_sess_log(session);

  adit_lines_error(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: bridge %s: %s", session->id, session->user, ether->port.name,
                   ether->agreed.bridge, why);
  if (session->bridge.installed)
    return;
  g_free(ether->failure);
  ether->failure = g_strdup_printf("bridge %s: %s", ether->agreed.bridge, why);
}

static void judge_bridge(AditSess *session, AditClaimState state, int error, const char *why) {
  switch (state) {
  case ADIT_CLAIM_PENDING:
    return;
  case ADIT_CLAIM_INSTALLED:
    session->bridge.installed = TRUE;
    return;
  case ADIT_CLAIM_WAITING:
  case ADIT_CLAIM_BLOCKED:
  case ADIT_CLAIM_REFUSED:
  case ADIT_CLAIM_LOST:
    refuse_bridge(session, error == EOPNOTSUPP ? "it is no bridge" : why ? why : g_strerror(error));
    return;
  }
}

static void on_bridge_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  AditSess *session = user;
  gboolean awaited = session->bridge.awaited && state != ADIT_CLAIM_PENDING;

  if (adit_sess_is_over(session))
    return;
  judge_bridge(session, state, error, why);
  if (!awaited)
    return;
  session->bridge.awaited = FALSE;
  if (--session->claims.pending == 0)
    adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED);
}

void adit_sess_bridge_claim(AditSess *session) {
  AditSessEther *ether = &session->ether;
  AditSessBridge *bridge = &session->bridge;
  const char *why = NULL;

  if (!ether->open || ether->applied)
    return;
  ether->applied = TRUE;
  if (!ether->agreed.bridge[0])
    return;
  guint ifindex = if_nametoindex(ether->agreed.bridge);
  if (!ifindex) {
    refuse_bridge(session, "there is no such interface: create it, or correct the option bridge");
    return;
  }
  bridge->claimant = session->claims.claimant;
  bridge->claimant.changed = on_bridge_changed;
  bridge->claim = net->claim_master(ether->port.open->ifindex, ifindex, &bridge->claimant);
  AditClaimState state = net->claim_state(bridge->claim, &why);
  bridge->awaited = state == ADIT_CLAIM_PENDING;
  session->claims.pending += bridge->awaited;
  judge_bridge(session, state, 0, why);
}

void adit_sess_bridge_withdraw(AditSess *session) {
  AditSessBridge *bridge = &session->bridge;
  session->claims.pending -= bridge->awaited;
  bridge->awaited = FALSE;
  net->claim_release(g_steal_pointer(&bridge->claim));
}
