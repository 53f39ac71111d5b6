/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/ppp-link-state.h"

static void enter_link(AditPppLink *link) {
  link->depth++;
}

static void leave_link(AditPppLink *link) {
  if (!--link->depth && link->doomed)
    adit_ppp_link_free_now(link);
}

static gboolean is_over(const AditPppLink *link) {
  return link->doomed || link->phase == GONE;
}

static void dispatch_timer(AditPppLink *link, guint slot) {
  if (slot >= SLOT_ANSWER)
    adit_role_timeout(&link->answer, slot - SLOT_ANSWER);
  else if (slot >= SLOT_DEMAND)
    adit_role_timeout(&link->demand, slot - SLOT_DEMAND);
  else
    adit_lcp_timeout(&link->lcp, slot - SLOT_LCP);
}

void adit_ppp_link_timeout(AditPppLink *link, guint slot) {
  if (is_over(link))
    return;
  enter_link(link);
  guint64 now = adit_env_now(&link->outer);
  link->armed = 0;
  for (guint i = 0; i < SLOTS && !is_over(link); i++)
    if (link->slots[i] && link->slots[i] <= now) {
      link->slots[i] = 0;
      dispatch_timer(link, i);
    }
  if (!is_over(link))
    adit_ppp_link_rearm(link);
  leave_link(link);
}

/* ---- the end ---- */

static void set_end(AditPppLink *link, AditCause cause, const char *reason) {
  if (link->ending)
    return;
  link->ending = TRUE;
  link->cause = cause;
  link->reason = g_strndup(reason ? reason : "", REASON_MAX);
}

/** Everything stops; nothing is reported. */
static void go_silent(AditPppLink *link) {
  link->phase = GONE;
  adit_role_stop(&link->demand);
  adit_role_stop(&link->answer);
  memset(link->slots, 0, sizeof link->slots);
  adit_ppp_link_rearm(link);
}

static void finish_link(AditPppLink *link) {
  if (is_over(link))
    return;
  gboolean was_network = link->phase == NETWORK;
  go_silent(link);
  if (was_network)
    link->ops->network_down(link->host);
  if (!link->doomed)
    link->ops->closed(link->host, link->cause, link->reason);
}

static void end_link(AditPppLink *link, AditCause cause, const char *reason) {
  if (is_over(link))
    return;
  set_end(link, cause, reason);
  if (link->lcp.fsm.state < ADIT_FSM_CLOSING) {
    finish_link(link);
    return;
  }
  if (link->phase != NETWORK) /* else LCP's down does it, once network_down() is said */
    link->phase = TERMINATE;
  adit_lcp_close(&link->lcp);
}

/* ---- phases ---- */

static void begin_network(AditPppLink *link) {
  if (link->phase != AUTHENTICATE || link->ending)
    return;
  link->phase = NETWORK;
  link->ops->network_phase(link->host, link->demand.name);
}

static void tell_result(AditPppLink *link, const AditRole *role, gboolean ok, const char *why) {
  if (link->ops->auth_done)
    link->ops->auth_done(link->host, role->start.demand, ok, role->method ? role->method->name : "proxy", why);
}

static void role_settled(gpointer user, AditRole *role, const char *why) {
  AditPppLink *link = user;
  gboolean ok = role->status == ADIT_ROLE_OK;

  if (is_over(link))
    return;
  if (role == &link->answer)
    link->refused = !ok && role->by_peer;
  tell_result(link, role, ok, why);
  if (is_over(link))
    return;
  if (!ok)
    end_link(link, ADIT_CAUSE_USER_ERROR, why ? why : "authentication failed");
  else if (adit_role_has_passed(&link->demand) && adit_role_has_passed(&link->answer))
    begin_network(link);
}

static void role_refused(gpointer user, AditRole *role, const char *why) {
  AditPppLink *link = user;
  if (!is_over(link))
    tell_result(link, role, FALSE, why);
}

static void begin_demand(AditPppLink *link) {
  const AditAuthMethod *method = adit_lcp_demanded(&link->lcp);
  AditAuthRequest *known = NULL;

  if (!method)
    return;
  if (link->proxied && link->proxy_auth)
    known = adit_proxy_auth_request(link->proxy_auth, method);
  link->demand.status = ADIT_ROLE_RUNNING;
  if (known)
    adit_role_request_begin(&link->demand, known);
  else
    adit_role_start(&link->demand, method);
}

static void lcp_up(gpointer user) {
  AditPppLink *link = user;
  const AditAuthMethod *answer = adit_lcp_answered(&link->lcp);

  link->phase = AUTHENTICATE;
  if (link->ops->framing)
    link->ops->framing(link->host, link->lcp.peer_acfc, link->lcp.peer_pfc, MIN(link->mtu, link->lcp.peer_mru));
  if (link->ops->lcp_up && link->phase == AUTHENTICATE)
    link->ops->lcp_up(link->host);

  /* Both are marked first: one that is settled at once must not think that the other is not needed. */
  if (link->phase != AUTHENTICATE)
    return;
  if (answer)
    link->answer.status = ADIT_ROLE_RUNNING;
  begin_demand(link);
  if (answer && link->phase == AUTHENTICATE && !is_over(link))
    adit_role_start(&link->answer, answer);
  if (link->phase == AUTHENTICATE && !is_over(link) && adit_role_has_passed(&link->demand) && adit_role_has_passed(&link->answer))
    begin_network(link);
}

static void lcp_down(gpointer user) {
  AditPppLink *link = user;
  gboolean was_network = link->phase == NETWORK;

  if (is_over(link))
    return;
  link->phase = link->ending ? TERMINATE : ESTABLISH;
  link->refused |= link->answer.status == ADIT_ROLE_RUNNING && link->answer.method != NULL;
  link->proxied = FALSE;
  adit_role_stop(&link->demand);
  adit_role_stop(&link->answer);
  if (was_network)
    link->ops->network_down(link->host);
}

static void lcp_finished(gpointer user, AditFsmEnd how) {
  AditPppLink *link = user;

  switch (how) {
  case ADIT_FSM_END_TERMINATED:
    set_end(link, ADIT_CAUSE_USER_REQUEST, "the peer terminated the link");
    break;
  case ADIT_FSM_END_SILENT:
    set_end(link, ADIT_CAUSE_LOST_CARRIER, "the peer does not answer LCP");
    break;
  case ADIT_FSM_END_REJECTED:
    set_end(link, ADIT_CAUSE_USER_ERROR, "the peer rejected LCP");
    break;
  case ADIT_FSM_END_NONE:
  case ADIT_FSM_END_CLOSED:
    set_end(link, ADIT_CAUSE_NAS_ERROR, "LCP closed");
    break;
  }
  finish_link(link);
}

static void lcp_failed(gpointer user, AditCause cause, const char *why) {
  end_link(user, cause, why);
}

/** No host is left for a report. */
static void lcp_dead(gpointer user) {
  AditPppLink *link = user;
  set_end(link, ADIT_CAUSE_LOST_CARRIER, "the peer does not answer echoes");
  finish_link(link);
}

static void lcp_protocol_rejected(gpointer user, guint16 protocol) {
  AditPppLink *link = user;
  if ((link->demand.method && link->demand.method->protocol == protocol && link->demand.status == ADIT_ROLE_RUNNING) ||
      (link->answer.method && link->answer.method->protocol == protocol && link->answer.status == ADIT_ROLE_RUNNING))
    end_link(link, ADIT_CAUSE_USER_ERROR, "the peer rejects the authentication protocol that it agreed to");
  else if (link->ops->protocol_rejected)
    link->ops->protocol_rejected(link->host, protocol);
}

static void lcp_told(gpointer user, const char *what, const char *text) {
  AditPppLink *link = user;
  if (link->ops->told)
    link->ops->told(link->host, what, text);
}

static void lcp_send(gpointer user, const guint8 *frame, gsize length) {
  AditPppLink *link = user;
  if (!is_over(link))
    link->ops->send(link->host, frame, length);
}

static guint64 lcp_last_rx(gpointer user) {
  AditPppLink *link = user;
  return link->ops->last_rx_ms ? link->ops->last_rx_ms(link->host) : 0;
}

const AditLcpOps adit_ppp_link_lcp_ops = {
    .send = lcp_send,
    .up = lcp_up,
    .down = lcp_down,
    .finished = lcp_finished,
    .failed = lcp_failed,
    .dead = lcp_dead,
    .protocol_rejected = lcp_protocol_rejected,
    .told = lcp_told,
    .last_rx_ms = lcp_last_rx,
};

/* ---- authentication ---- */

static void send_protocol(AditPppLink *link, guint16 protocol, const guint8 *payload, gsize length) {
  g_autofree guint8 *large = NULL;
  guint8 small[512];
  guint8 *frame = length + 2 <= sizeof small ? small : (large = g_malloc(length + 2));

  frame[0] = (guint8)(protocol >> 8);
  frame[1] = (guint8)protocol;
  memcpy(frame + 2, payload, length);
  link->ops->send(link->host, frame, length + 2);
}

static void role_send(gpointer user, guint16 protocol, const guint8 *payload, gsize length) {
  AditPppLink *link = user;
  if (!is_over(link) && length <= ADIT_PPP_CONTROL_MAX)
    send_protocol(link, protocol, payload, length);
}

static void role_request_begin(gpointer user, AditAuthRequest *request) {
  AditPppLink *link = user;
  if (is_over(link))
    adit_auth_request_unref(request);
  else
    link->ops->request_begin(link->host, request);
}

static void role_request_cancel(gpointer user) {
  AditPppLink *link = user;
  if (link->ops->request_cancel)
    link->ops->request_cancel(link->host);
}

const AditRoleOps adit_ppp_link_role_ops = {role_send, role_request_begin, role_request_cancel, role_settled, role_refused};

void adit_ppp_link_verdict(AditPppLink *link, const AditAuthReply *reply) {
  if (is_over(link) || !link->demand.requesting)
    return;
  enter_link(link);
  if (link->demand.box) {
    adit_role_verdict(&link->demand, reply);
  } else { /* a LAC's request: the method never ran, so the answer to the peer is made here */
    guint8 packet[ADIT_PROXY_ANSWER_MAX];
    gboolean ok = reply->outcome == ADIT_AUTH_ACCEPT;
    link->demand.requesting = FALSE;
    gsize length = adit_proxy_auth_settle(link->proxy_auth, ok, reply->message, packet);
    role_send(link, adit_proxy_auth_protocol(link->proxy_auth), packet, length);
    adit_role_settle(&link->demand, ok, ok ? NULL : reply->why);
  }
  leave_link(link);
}

/** The peer did not see the answer to what it told the LAC, and says it again (RFC 1334 2.2.1, RFC 1994 4.1). */
static void proxied_again(AditPppLink *link, guint16 protocol, AditCursor payload) {
  guint8 packet[ADIT_PROXY_ANSWER_MAX];
  if (!link->proxied || link->demand.box || link->demand.status != ADIT_ROLE_OK || adit_proxy_auth_protocol(link->proxy_auth) != protocol)
    return;
  gsize length = adit_proxy_auth_repeat(link->proxy_auth, payload, packet);
  if (length)
    role_send(link, protocol, packet, length);
}

gboolean adit_ppp_link_rechallenge(AditPppLink *link) {
  const AditAuthMethod *method = link->demand.method;
  if (is_over(link) || link->phase != NETWORK || !link->demand.box || method->kind == ADIT_AUTH_PAP)
    return FALSE;
  enter_link(link);
  adit_role_start(&link->demand, method);
  leave_link(link);
  return TRUE;
}

/* ---- input and output ---- */

static gboolean is_auth_protocol(guint16 protocol) {
  return protocol == ADIT_PPP_PAP || protocol == ADIT_PPP_CHAP || protocol == ADIT_PPP_EAP;
}

static void input_frame(AditPppLink *link, guint16 protocol, AditCursor payload) {
  gsize length = adit_left(&payload);

  if (protocol == ADIT_PPP_LCP) {
    adit_lcp_input(&link->lcp, payload.at, length);
    return;
  }
  if (link->phase != AUTHENTICATE && link->phase != NETWORK) { /* RFC 1661 3.4 */
    link->discarded++;
    return;
  }
  if (is_auth_protocol(protocol) || (link->demand.method && link->demand.method->protocol == protocol) ||
      (link->answer.method && link->answer.method->protocol == protocol)) {
    /* A frame may be for either: a method passes over codes of the other direction. */
    proxied_again(link, protocol, payload);
    adit_role_input(&link->demand, protocol, payload.at, length);
    if (!is_over(link))
      adit_role_input(&link->answer, protocol, payload.at, length);
    return;
  }
  if (link->phase != NETWORK)
    link->discarded++;
  else if (!link->ops->network_frame(link->host, protocol, payload.at, length) && !is_over(link))
    adit_lcp_reject_protocol(&link->lcp, protocol, payload.at, length);
}

void adit_ppp_link_frame(AditPppLink *link, const guint8 *frame, gsize length) {
  guint16 protocol;
  AditCursor payload;

  if (is_over(link) || link->phase == DEAD)
    return;
  if (!adit_ppp_frame_parse(frame, length, &protocol, &payload)) {
    link->discarded++;
    return;
  }
  enter_link(link);
  adit_lcp_heard(&link->lcp);
  input_frame(link, protocol, payload);
  leave_link(link);
}

void adit_ppp_link_send(AditPppLink *link, guint16 protocol, const guint8 *payload, gsize length) {
  if (!is_over(link) && link->phase == NETWORK)
    send_protocol(link, protocol, payload, length);
}

gboolean adit_ppp_link_probe(AditPppLink *link) {
  if (is_over(link) || link->ending)
    return FALSE;
  enter_link(link);
  gboolean sent = adit_lcp_probe(&link->lcp);
  leave_link(link);
  return sent;
}

void adit_ppp_link_free(AditPppLink *link) {
  if (!link)
    return;
  link->doomed = TRUE;
  if (!link->depth)
    adit_ppp_link_free_now(link);
}

void adit_ppp_link_open(AditPppLink *link) {
  const char *why = NULL;
  AditLcpFit fit = ADIT_LCP_NOTHING;

  if (is_over(link) || link->phase != DEAD)
    return;
  enter_link(link);
  link->phase = ESTABLISH;
  if (link->has_proxy && link->renegotiate != ADIT_RENEGOTIATE_ALWAYS)
    fit = adit_lcp_take_proxy(&link->lcp, &link->proxy, link->renegotiate == ADIT_RENEGOTIATE_NEVER, &why);
  adit_ppp_link_forget_proxy(link);

  if (fit == ADIT_LCP_FITS) {
    link->proxied = TRUE;
    adit_lcp_adopt(&link->lcp);
  } else if (fit != ADIT_LCP_NOTHING && link->renegotiate == ADIT_RENEGOTIATE_NEVER) {
    end_link(link, ADIT_CAUSE_USER_ERROR, why);
  } else {
    adit_lcp_open(&link->lcp);
  }
  leave_link(link);
}

void adit_ppp_link_close(AditPppLink *link, AditCause cause, const char *reason) {
  if (is_over(link))
    return;
  enter_link(link);
  end_link(link, cause, reason);
  leave_link(link);
}

void adit_ppp_link_lost(AditPppLink *link) {
  if (is_over(link))
    return;
  enter_link(link);
  gboolean was_network = link->phase == NETWORK;
  go_silent(link);
  if (was_network)
    link->ops->network_down(link->host);
  leave_link(link);
}
