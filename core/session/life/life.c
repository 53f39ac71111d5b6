/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/life.h"
#include "core/base/loop.h"
#include "core/session/client.h"
#include "core/session/life/admission.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-attributes.h"
#include "core/session/life/session-event.h"
#include "core/session/life/session-links.h"
#include "core/session/life/sessions.h"
#include "core/session/lines.h"
#include "core/session/network/plane.h"
#include <adit/session-options.h>

enum { PATIENCE_MS = 2000 /* how long optional NCPs may delay session-up once another one is open */ };

/* ---- actions ---- */

static void open_plane(AditSess *session) {
  g_autoptr(GError) error = NULL;
  gboolean open = session->ether.open;

  if (!adit_sess_plane_open(session, &error) || !adit_session_links_attach(session, &error) || !adit_sess_stages_open(session, &error)) {
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, error ? error->message : "data path");
    return;
  }
  adit_sess_ports_mtu(session);
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    open |= session->family[i].open;
  adit_sess_ether_publish(session);
  if (open)
    adit_sess_event(session, ADIT_LIFE_NETWORK_OPENED);
  adit_sess_set_plane(session);
}

static void claim_network(AditSess *session) {
  session->claims.pending++; /* holds the answer until all requests are out */
  adit_sess_bridge_claim(session);
  adit_sess_claim_families(session);
  if (--session->claims.pending == 0)
    adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED);
}

/* One network protocol less, if the session is worth something without it; else its end. */
static void give_up_family(AditSess *session, AditSessFamily *family) {
  g_autofree char *reason = g_strdup_printf("%s: %s", adit_sess_interface(session), g_strerror(adit_family_take_error(family)));

  family->applied = FALSE;
  adit_sess_withdraw_family(session, family);
  if (!adit_sess_ncp_give_up(session, family->protocol, reason))
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, reason);
}

static void give_up_ether(AditSess *session) {
  g_autofree char *reason = g_steal_pointer(&session->ether.failure);

  session->ether.applied = FALSE;
  adit_sess_bridge_withdraw(session);
  if (!adit_sess_ncp_give_up(session, session->ether.desc->data_protocol, reason))
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, reason);
}

static gboolean has_applied(const AditSess *session) {
  return session->ether.applied || adit_families_applied(session->family);
}

static void judge_claims(AditSess *session) {
  if (session->claims.route_failure) {
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, session->claims.route_failure);
    return;
  }
  session->claims.pending++; /* no second look until all errors are handled */
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    if (session->family[i].error && !adit_sess_is_over(session))
      give_up_family(session, &session->family[i]);
  if (session->ether.failure && !adit_sess_is_over(session))
    give_up_ether(session);
  session->claims.pending--;
  if (!adit_sess_is_over(session))
    adit_sess_event(session, has_applied(session) ? ADIT_LIFE_APPLIED : ADIT_LIFE_NOTHING_APPLIED);
}

static void on_patience_over(AditTimer *timer, gpointer data) {
  AditSess *session = data;

  session->impatient = TRUE;
  adit_sess_event(session, ADIT_LIFE_PATIENCE_OVER);
}

/* session-up and Start carry all addresses: IPCP takes a round trip more than IPv6CP when the peer requests an address. An optional NCP
 * that the peer does not answer delays them for PATIENCE_MS. A required one delays them until it opens, or fails and ends the session. */
static void await_ncps(AditSess *session) {
  if (session->claims.pending) /* it is being judged: this comes again */
    return;
  if (adit_sess_ncps_settled(session) || (session->impatient && adit_sess_ncps_required_open(session))) {
    adit_sess_event(session, ADIT_LIFE_SETTLED);
    return;
  }
  if (session->patience.func) /* it is armed once */
    return;
  session->patience.func = on_patience_over;
  session->patience.data = session;
  adit_timer_arm(&session->patience, PATIENCE_MS);
}

#define ENDS_TEXT (2 * ADIT_ADDRESS_TEXT + 16)

/* Both ends' addresses: IPv4 if it is open, else the link-local ones; of a session without IP the bridge. */
static const char *format_ends(const AditSess *session, char text[ENDS_TEXT]) {
  char local[ADIT_ADDRESS_TEXT], remote[ADIT_ADDRESS_TEXT];
  const AditSessFamily *shown = &session->family[session->family[ADIT_SESS_IPV4].open ? ADIT_SESS_IPV4 : ADIT_SESS_IPV6];

  if (session->ether.open && !shown->open) {
    g_snprintf(text, ENDS_TEXT, "bridge %s", session->ether.agreed->bridge[0] ? session->ether.agreed->bridge : "none");
    return text;
  }
  g_snprintf(text, ENDS_TEXT, "%s here, %s there", adit_address_format(&shown->local, local), adit_address_format(&shown->remote, remote));
  return text;
}

static void tell_change(AditSess *session) {
  AditLogContext log = adit_sess_log(session);
  char text[ENDS_TEXT];

  adit_lines_info(&log, "%s on %s", format_ends(session, text), adit_sess_interface(session));
  adit_sess_interim_changed(session);
  adit_session_event_publish(session, ADIT_EVENT_SESSION_UPDATE);
  if (session->client && session->state == ADIT_LIFE_UP)
    adit_client_session_update(session->client, session);
}

static void begin_session(AditSess *session) {
  AditLogContext log = adit_sess_log(session);
  char text[ENDS_TEXT];

  adit_timer_cancel(&session->patience);
  session->up_ms = adit_loop_service()->now();
  adit_lines_info(&log, "session up on %s, %s, %s %s %s", adit_sess_interface(session), format_ends(session, text), session->transport,
                  session->is_client ? "to" : "from", session->caller_id ? session->caller_id : "?");
  adit_sess_ether_check_mtu(session);
  adit_sess_limits_start(session);
  adit_sess_account(session, ADIT_ACCT_START);
  adit_sess_interim_start(session);
  adit_session_event_publish(session, ADIT_EVENT_SESSION_UP);
  if (session->client && session->state == ADIT_LIFE_UP)
    adit_client_session_up(session->client, session);
}

static void close_session(AditSess *session) {
  g_autoptr(GArray) links = adit_session_links_release(session);

  adit_sess_ref(session);
  session->ended_ms = adit_loop_service()->now();
  adit_sessions_retire(session);
  adit_sess_limits_stop(session);
  adit_sess_accounting_stop(session);
  adit_timer_cancel(&session->patience);
  adit_sess_plane_close(session);
  adit_sess_ncps_stop(session);
  if (session->client)
    adit_client_session_down(session->client, session);
  adit_sess_withdraw(session);
  adit_sess_bridge_withdraw(session);
  adit_sess_ports_close(session);
  for (guint i = 0; i < links->len; i++) {
    AditSessLink *link = adit_link_find(g_array_index(links, AditLinkId, i));
    if (link)
      adit_link_end(link, session->cause, session->reason);
  }
  adit_sess_unref(session);
}

static void finish_session(AditSess *session) {
  AditLogContext log = adit_sess_log(session);

  if (session->up_ms) {
    adit_lines_info(&log, "session down on %s after %" G_GUINT64_FORMAT " s: %s", adit_sess_interface(session),
                    adit_sess_uptime_ms(session) / 1000, session->reason);
    adit_sess_account(session, ADIT_ACCT_STOP);
    adit_session_event_publish(session, ADIT_EVENT_SESSION_DOWN);
  } else {
    adit_lines_info(&log, "session ended before it was up: %s", session->reason);
  }
  adit_sess_release(session);
  adit_sessions_remove(session);
}

/* ---- the table ---- */

static void (*const actions[ADIT_LIFE_ACTIONS])(AditSess *session) = {
    [ADIT_LIFE_OPEN_PLANE] = open_plane, [ADIT_LIFE_CLAIM] = claim_network,   [ADIT_LIFE_JUDGE] = judge_claims,
    [ADIT_LIFE_AWAIT_NCPS] = await_ncps, [ADIT_LIFE_BEGIN] = begin_session,   [ADIT_LIFE_TELL_CHANGE] = tell_change,
    [ADIT_LIFE_CLOSE] = close_session,   [ADIT_LIFE_FINISH] = finish_session,
};

static void on_event(AditSess *session, AditLifeEvent event) {
  const AditLifeRow *row = adit_life_row(session->state, event);
  AditLogContext log = adit_sess_log(session);

  if (!row) {
    adit_lines_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: not expected while it is %s", session->id, session->user,
                       adit_life_event_word(event), adit_life_state_word(session->state));
    return;
  }
  session->state = row->to;
  if (actions[row->action])
    actions[row->action](session);
}

/* ---- making and freeing ---- */

/* A part's function that is called for what was never made is harmless. */
static void free_session(AditSess *session) {
  adit_sess_ncps_free(session);
  adit_sess_stages_free(session);
  adit_sess_limits_stop(session);
  adit_sess_accounting_stop(session);
  adit_timer_cancel(&session->patience);
  adit_sess_release(session);
  adit_sess_claims_free(session);
  adit_sess_ether_free(session);
  g_ptr_array_unref(session->links);
  adit_value_unref(session->config);
  adit_value_unref(session->record);
  adit_value_unref(session->attributes);
  adit_value_unref(session->first);
  adit_value_unref(session->link_attributes);
  g_free(session->user);
  g_free(session->record_id);
  g_free(session->multi_id);
  g_free(session->transport);
  g_free(session->server);
  g_free(session->caller_id);
  g_free(session->called_id);
  g_free(session->source);
  g_free(session->method);
  g_free(session->reason);
  g_free(session);
}

/* The path limits frames of links, and the attribute packets of the session, which stages may cut into several frames. */
static guint mtu_of(const AditSess *session, guint links) {
  guint most = (guint)adit_option_mtu(session->attributes);
  guint mtu = adit_sess_stages_mtu(session, session->max_frame ? MIN(links, session->max_frame) : links);
  return most ? MIN(mtu, most) : mtu;
}

void adit_life_set_mtu(AditSess *session) {
  session->mtu = mtu_of(session, adit_session_links_mtu(session));
  adit_sess_ports_mtu(session);
  adit_sess_set_plane(session);
}

static const AditSessOps ops = {on_event, free_session, adit_life_set_mtu};

static AditSess *make_session(AditSessLink *link) {
  AditSess *session = g_new0(AditSess, 1);
  AditPppLinkInfo info;

  adit_ppp_link_info(link->ppp, &info);
  session->refs = 1;
  session->id = adit_sessions_new_id();
  session->ops = &ops;
  session->record_id = g_strdup(link->record_id);
  session->links = g_ptr_array_new();
  session->link_id = link->id;
  session->client = link->call ? adit_client_of(link->call) : NULL;
  session->user = g_strdup(link->user);
  session->transport = g_strdup(link->spec.transport);
  session->server = g_strdup(adit_link_server(link));
  session->caller_id = g_strdup(link->spec.caller_id);
  session->called_id = g_strdup(link->spec.called_id);
  session->source = g_strdup(link->source);
  session->method = g_strdup(link->spec.client ? info.answered : info.demanded);
  session->number = link->number;
  session->is_client = link->spec.client;
  session->config = adit_value_ref(link->spec.config);
  session->link_attributes = adit_value_ref(link->spec.attributes);
  session->peer = link->spec.path.remote;
  session->local = link->spec.path.local;
  session->datapath = link->spec.datapath;
  session->dp = link->spec.dp;
  adit_families_init(session->family);
  adit_sess_port_init(&session->port, session, ADIT_PORT_L3);
  adit_sess_port_init(&session->ether.port, session, ADIT_PORT_L2);
  adit_sess_claims_init(session);
  adit_sess_accounting_init(session);
  adit_sess_limits_init(session);
  adit_session_attributes_merge(session, link);
  session->max_frame = link->spec.max_frame;
  session->mtu = mtu_of(session, info.mtu);
  return session;
}

AditSess *adit_life_begin(AditSessLink *link, const char *multi_id) {
  AditSess *session = make_session(link);
  g_autofree char *why = adit_sess_admit(session);

  if (why) {
    AditLogContext log = adit_sess_log(session);
    adit_lines_warning(&log, "session refused: %s", why);
    adit_sess_unref(session);
    adit_link_end(link, ADIT_CAUSE_NAS_REQUEST, why);
    return NULL;
  }
  session->multi_id = g_strdup(multi_id);
  adit_sessions_add(session);
  adit_link_placed(link);
  adit_session_links_found(session, link);
  adit_sess_ref(session);
  adit_sess_ncps_choose(session);
  adit_sess_ports_open(session);
  if (!adit_sess_is_over(session))
    adit_sess_ncps_start(session);
  adit_sess_unref(session);
  return session;
}
