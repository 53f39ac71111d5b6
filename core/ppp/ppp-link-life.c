/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/ppp-link-state.h"

#define SAVE_VERSION 2

static void copy_methods(AditLcpMethods *to, const AditAuthMethod *const *from, guint n) {
  to->n = MIN(n, ADIT_LCP_METHODS);
  for (guint i = 0; i < to->n; i++) { /* strongest first; in the order given where equal */
    guint at = i;
    for (; at > 0 && to->method[at - 1]->strength < from[i]->strength; at--)
      to->method[at] = to->method[at - 1];
    to->method[at] = from[i];
  }
}

static GBytes *copy_bytes(GBytes *bytes) {
  return bytes ? g_bytes_ref(bytes) : NULL;
}

static void copy_proxy(AditPppLink *link, const AditProxy *proxy) {
  link->has_proxy = TRUE;
  link->proxy = *proxy;
  copy_bytes(link->proxy.initial_received);
  copy_bytes(link->proxy.last_sent);
  copy_bytes(link->proxy.last_received);
  copy_bytes(link->proxy.auth_name);
  copy_bytes(link->proxy.auth_challenge);
  copy_bytes(link->proxy.auth_response);
  link->proxy_auth = adit_proxy_auth_new(proxy);
}

AditPppLink *adit_ppp_link_new(const AditPppLinkParams *params, const AditPppLinkOps *ops, gpointer host, const AditEngineEnv *env) {
  AditPppLink *link = g_new0(AditPppLink, 1);
  link->ops = ops;
  link->host = host;
  link->outer = *env;
  link->env = (AditEngineEnv){&adit_ppp_link_engine_ops, link};
  link->renegotiate = params->renegotiate;
  link->mtu = params->mtu ? params->mtu : 1500;
  link->name = g_strdup(params->name ? params->name : "adit");
  link->user = g_strdup(params->user);
  link->identification = g_strdup(params->identification);
  if (params->proxy)
    copy_proxy(link, params->proxy);

  AditLcpParams *lcp = &link->lcp_params;
  lcp->mru = params->mru ? params->mru : 1500;
  copy_methods(&lcp->demand, params->demand, params->n_demand);
  copy_methods(&lcp->answer, params->answer, params->n_answer);
  lcp->keepalive_ms = params->keepalive_ms;
  lcp->no_pfc = params->no_pfc;
  lcp->no_acfc = params->no_acfc;
  lcp->no_magic = params->no_magic;
  lcp->identification = link->identification;
  lcp->extras = adit_lcp_extras_new(params->options, params->n_options, &link->env, params->facts);
  lcp->fsm = (AditFsmConfig){params->restart_ms, params->max_configure, params->max_terminate, params->max_failure};
  adit_lcp_init(&link->lcp, lcp, &adit_ppp_link_lcp_ops, link, &link->env);

  guint restart = params->restart_ms ? params->restart_ms : 3000, tries = params->max_configure ? params->max_configure : 10;
  guint timeout = params->auth_timeout_ms ? params->auth_timeout_ms : 30000;
  AditAuthStart demand = {sizeof demand, TRUE, link->name, NULL, restart, tries, params->rechallenge_ms};
  AditAuthStart answer = {sizeof answer, FALSE, link->user ? link->user : "", params->password ? params->password : "", restart, tries, 0};
  adit_role_init(&link->demand, &adit_ppp_link_role_ops, link, &link->env, SLOT_DEMAND, &demand, timeout);
  adit_role_init(&link->answer, &adit_ppp_link_role_ops, link, &link->env, SLOT_ANSWER, &answer, timeout);
  return link;
}

gboolean adit_ppp_link_option(const AditPppLink *link, guint8 type, gboolean peer, AditPppOption *out) {
  return adit_lcp_agreed(&link->lcp, type, peer, out);
}

gboolean adit_ppp_link_keys(const AditPppLink *link, AditMppeKeys *out) {
  return adit_role_keys(&link->answer, out);
}

void adit_ppp_link_info(const AditPppLink *link, AditPppLinkInfo *out) {
  const AditAuthMethod *demanded = adit_lcp_demanded(&link->lcp), *answered = adit_lcp_answered(&link->lcp);
  *out = (AditPppLinkInfo){
      .lcp_open = adit_lcp_is_open(&link->lcp),
      .network = link->phase == NETWORK,
      .mru = link->lcp.mru,
      .peer_mru = link->lcp.peer_mru,
      .mtu = MIN(link->mtu, link->lcp.peer_mru),
      .pfc = link->lcp.peer_pfc,
      .acfc = link->lcp.peer_acfc,
      .demanded = demanded ? demanded->name : NULL,
      .answered = answered ? answered->name : NULL,
      .user = link->demand.status == ADIT_ROLE_OK ? link->demand.name : NULL,
      .refused = link->refused,
      .proxied = link->proxied,
      .discarded = link->discarded + link->lcp.fsm.discarded,
      .answered_ms = link->lcp.answered_ms,
      .round_trip_ms = link->lcp.round_trip_ms,
  };
}

/* ---- save and restore ---- */

void adit_ppp_link_save(const AditPppLink *link, AditBuilder *out) {
  gsize reason = link->reason ? strlen(link->reason) : 0;
  adit_put_u8(out, SAVE_VERSION);
  adit_put_u8(out, (guint8)link->phase);
  adit_put_u8(out, (guint8)((link->proxied ? 1 : 0) | (link->ending ? 2 : 0)));
  adit_put_u8(out, (guint8)link->cause);
  adit_put_u8(out, (guint8)reason);
  adit_put_bytes(out, link->reason, reason);
  adit_lcp_save(&link->lcp, out);
  adit_role_save(&link->demand, out);
  adit_role_save(&link->answer, out);
  adit_proxy_auth_save(link->proxied ? link->proxy_auth : NULL, out);
}

/** An image is ours, but may have been damaged: parts that contradict each other are not worked with. */
static gboolean is_consistent(const AditPppLink *link) {
  gboolean open = link->lcp.fsm.state == ADIT_FSM_OPENED;
  return open == (link->phase == AUTHENTICATE || link->phase == NETWORK) && open == link->lcp.fsm.layer_up &&
         link->ending == (link->phase == TERMINATE) && (link->phase == DEAD) == (link->lcp.fsm.state == ADIT_FSM_INITIAL) &&
         (link->phase != NETWORK || (adit_role_has_passed(&link->demand) && adit_role_has_passed(&link->answer))) &&
         (!link->proxied || link->proxy_auth || link->demand.box || !adit_lcp_demanded(&link->lcp));
}

static gboolean restore_link(AditPppLink *link, AditCursor *in) {
  guint8 version = adit_get_u8(in), phase = adit_get_u8(in), flags = adit_get_u8(in);
  link->cause = (AditCause)adit_get_u8(in);
  gsize reason = adit_get_u8(in);
  const guint8 *text = adit_get_bytes(in, reason);
  if (in->bad || version != SAVE_VERSION || phase >= GONE)
    return FALSE;

  link->phase = (Phase)phase;
  link->proxied = flags & 1;
  link->ending = (flags >> 1) & 1;
  if (link->ending)
    link->reason = g_strndup((const char *)text, reason);
  if (link->phase != DEAD) {
    adit_ppp_link_forget_proxy(link);
    g_clear_pointer(&link->proxy_auth, adit_proxy_auth_free);
  }
  return adit_lcp_restore(&link->lcp, in) && adit_role_restore(&link->demand, adit_lcp_demanded(&link->lcp), in) &&
         adit_role_restore(&link->answer, adit_lcp_answered(&link->lcp), in) && adit_proxy_auth_restore(&link->proxy_auth, in) &&
         is_consistent(link);
}

AditPppLink *adit_ppp_link_restore(const AditPppLinkParams *params, const AditPppLinkOps *ops, gpointer host, const AditEngineEnv *env,
                                   AditCursor *in) {
  AditPppLink *link = adit_ppp_link_new(params, ops, host, env);
  if (restore_link(link, in))
    return link;
  adit_ppp_link_free(link);
  return NULL;
}
