/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/bridge.h"
#include "core/session/config/profile.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include "core/session/network/bridge-address.h"
#include <adit/session-options.h>
#include <errno.h>
#include <net/if.h>

enum {
  COST_MOST = 65535, /* in Linux */
  PRIORITY_STEP = 4, /* Linux has the upper six of eight bits */
};

static const AditNetService *net;

void adit_bridge_serve(const AditNetService *service) {
  net = service;
}

/* Before the port was in the bridge the session is judged by it; afterwards it stays, and the claim is restored when it can be. */
static void refuse_bridge(AditSess *session, const char *why) {
  AditSessEther *ether = &session->ether;
  AditLogContext log = adit_sess_log(session);

  adit_lines_error(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: bridge %s: %s", session->id, session->user, ether->port.name,
                   ether->agreed->bridge, why);
  session->bridge.refused = TRUE;
  if (session->bridge.installed)
    return;
  g_free(ether->failure);
  ether->failure = g_strdup_printf("bridge %s: %s", ether->agreed->bridge, why);
}

static void judge_bridge(AditSess *session, AditClaimState state, int error, const char *why) {
  switch (state) {
  case ADIT_CLAIM_PENDING:
    return;
  case ADIT_CLAIM_INSTALLED:
    if (session->bridge.refused) {
      AditLogContext log = adit_sess_log(session);
      adit_lines_notice(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: in bridge %s again", session->id, session->user,
                        session->ether.port.name, session->ether.agreed->bridge);
    }
    session->bridge.refused = FALSE;
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

/* An integer that profile or secret has. */
static gboolean has_number(const AditSess *session, const char *key) {
  const AditValue *value = adit_value_get(session->attributes, key);
  return value && value->type == ADIT_VALUE_INT;
}

static AditBridgePortWish make_wish(const AditSess *session) {
  const AditValue *attributes = session->attributes;
  AditBridgePortWish wish = {.size = sizeof wish, .ifindex = session->ether.port.open->ifindex, .bridge = session->ether.agreed->bridge};

  wish.set |= ADIT_BRIDGE_PORT_LEARNING | ADIT_BRIDGE_PORT_ISOLATED; /* without an option as the kernel has them: yes, and no */
  wish.learning = adit_attribute_yes(adit_option_bridge_learning(attributes), TRUE);
  wish.isolated = has_number(session, adit_option_bridge_horizon_key);
  if (has_number(session, adit_option_bridge_path_cost_key)) {
    wish.set |= ADIT_BRIDGE_PORT_COST;
    wish.cost = (guint32)MIN(adit_option_bridge_path_cost(attributes), COST_MOST);
  }
  if (has_number(session, adit_option_bridge_port_priority_key)) {
    wish.set |= ADIT_BRIDGE_PORT_PRIORITY;
    wish.priority = (guint16)(adit_option_bridge_port_priority(attributes) / PRIORITY_STEP);
  }
  if (has_number(session, adit_option_bridge_port_vid_key)) {
    wish.set |= ADIT_BRIDGE_PORT_PVID;
    wish.pvid = (guint16)adit_option_bridge_port_vid(attributes);
  }
  return wish;
}

/* The session works in such a bridge, and not as well as it could. */
static void warn_of_bridge(const AditSess *session) {
  AditLogContext log = adit_sess_log(session);
  const AditSessEther *ether = &session->ether;
  const char *lack = adit_bridge_lack(ether->agreed->bridge);

  if (lack)
    adit_lines_warning(
        &log, "session %" G_GINT64_MODIFIER "x user %s: bridge %s: %s: it changes with sessions; set one with ip link set %s address",
        session->id, session->user, ether->agreed->bridge, lack, ether->agreed->bridge);
}

void adit_sess_bridge_claim(AditSess *session) {
  AditSessEther *ether = &session->ether;
  AditSessBridge *bridge = &session->bridge;
  const char *why = NULL;

  if (!ether->open || ether->applied)
    return;
  ether->applied = TRUE;
  if (!ether->agreed->bridge[0])
    return;
  if (!if_nametoindex(ether->agreed->bridge)) {
    refuse_bridge(session, "there is no such interface: create it, or correct the option bridge");
    return;
  }
  bridge->claimant = session->claims.claimant;
  bridge->claimant.changed = on_bridge_changed;
  AditBridgePortWish wish = make_wish(session);
  warn_of_bridge(session);
  bridge->claim = net->claim_bridge_port(&wish, &bridge->claimant);
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
