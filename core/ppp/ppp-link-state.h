/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** A link's state and timers: ppp-link.c is its behaviour, ppp-link-life.c how it is made, saved and restored. */
#pragma once

#include "core/ppp/lcp.h"
#include "core/ppp/ppp-link.h"
#include "core/ppp/proxy.h"
#include "core/ppp/role.h"

G_BEGIN_DECLS

/* RFC 1661 3.2 */
typedef enum { DEAD = 0, ESTABLISH, AUTHENTICATE, NETWORK, TERMINATE, GONE } Phase;

/* One slot of the host serves all of these: the link keeps their deadlines and asks to be woken at the earliest. */
enum {
  SLOT_LCP = 0,
  SLOT_DEMAND = SLOT_LCP + ADIT_LCP_SLOTS,
  SLOT_ANSWER = SLOT_DEMAND + ADIT_ROLE_SLOTS,
  SLOTS = SLOT_ANSWER + ADIT_ROLE_SLOTS,
};

#define REASON_MAX 200

struct AditPppLink {
  const AditPppLinkOps *ops;
  gpointer host;
  AditEngineEnv outer, env;
  AditLcpParams lcp_params;
  AditRenegotiate renegotiate;
  AditProxyAuth *proxy_auth; /* NULL = none */
  AditProxy proxy;           /* until the link opens */
  gboolean has_proxy;
  guint16 mtu;
  char *name, *user, *identification;

  Phase phase;
  AditLcp lcp;
  AditRole demand, answer;
  gboolean proxied;
  gboolean refused; /* the peer did not take our proof, or went away over it */
  gboolean ending;  /* cause and reason are set */
  AditCause cause;
  char *reason;
  guint64 slots[SLOTS], armed;
  guint64 discarded;

  guint depth; /* of calls into the link that are under way */
  gboolean doomed;
};

/** Callbacks of LCP and the roles, in link.c. */
extern const AditLcpOps adit_ppp_link_lcp_ops;
extern const AditRoleOps adit_ppp_link_role_ops;

/** The link as the host of its engines. */
extern const AditEngineOps adit_ppp_link_engine_ops;

/** Asks the host to be woken at the earliest deadline. */
void adit_ppp_link_rearm(AditPppLink *link);
void adit_ppp_link_forget_proxy(AditPppLink *link);
/** Frees at once: no call may be running. */
void adit_ppp_link_free_now(AditPppLink *link);

G_END_DECLS
