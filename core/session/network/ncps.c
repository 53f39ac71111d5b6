/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A session's network control protocols: which run, their timers, and what they agree on. */
#include "core/session/network/ncps.h"
#include "core/base/engine.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/ppp/registry.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include "core/session/network/plane.h"
#include <adit/session-options.h>

static void on_ncp_timer(AditTimer *timer, gpointer data) {
  AditSessNcp *self = data;
  adit_ncp_timeout(self->ncp, 0);
}

static void on_ncp_send(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length) {
  AditSessNcp *self = host;
  AditSessLink *link = adit_sess_speaking_link(self->session);
  if (link && length >= 2)
    adit_ppp_link_send(link->ppp, (guint16)(frame[0] << 8 | frame[1]), frame + 2, length - 2);
}

/* The family that an NCP is for; NULL = it is of a kind that has none, or of a network protocol for which there is no interface. */
static AditSessFamily *family_of(AditSess *session, const AditNcpDesc *desc) {
  switch (desc->kind) {
  case ADIT_NCP_NETWORK:
    return adit_family_of(session->family, desc->data_protocol);
  case ADIT_NCP_BRIDGE:
  case ADIT_NCP_COMPRESSION:
    return NULL;
  }
  return NULL;
}

/* Does a session live by it? What only compresses carries nothing. */
static gboolean carries_data(const AditNcp *ncp) {
  switch (adit_ncp_desc(ncp)->kind) {
  case ADIT_NCP_NETWORK:
  case ADIT_NCP_BRIDGE:
    return TRUE;
  case ADIT_NCP_COMPRESSION:
    return FALSE;
  }
  return FALSE;
}

/* Is it worth waiting for? */
static gboolean is_awaited(AditSess *session, const AditSessNcp *self) {
  const AditSessFamily *family = family_of(session, adit_ncp_desc(self->ncp));

  if (!carries_data(self->ncp) && !self->required)
    return FALSE;
  return !(family ? family->open : adit_ncp_is_open(self->ncp)) && !adit_ncp_is_over(self->ncp);
}

gboolean adit_sess_ncps_settled(AditSess *session) {
  for (guint i = 0; i < session->ncps.n; i++)
    if (is_awaited(session, &session->ncps.item[i]))
      return FALSE;
  return TRUE;
}

gboolean adit_sess_ncps_required_open(AditSess *session) {
  for (guint i = 0; i < session->ncps.n; i++)
    if (session->ncps.item[i].required && is_awaited(session, &session->ncps.item[i]))
      return FALSE;
  return TRUE;
}

/* Data that passes before a Start is in no record. Once the session is up, a required NCP that renegotiates does not stop the others. */
static void update_plane(AditSess *session) {
  session->ncps.hold_data = session->state != ADIT_LIFE_UP && !adit_sess_ncps_required_open(session);
  adit_sess_set_plane(session);
}

/* Addresses that the kernel has stay for the session's life; a peer that wants something else has to dial again. */
static gboolean ends_have_changed(const AditSessFamily *family, const AditAddress *local, const AditAddress *remote) {
  return family->applied && (!adit_address_equal(&family->local, local) || !adit_address_equal(&family->remote, remote));
}

static void open_family(AditSess *session, AditSessFamily *family, const AditNcpResult *agreed) {
  AditAddress local, remote;
  g_autoptr(GError) error = NULL;

  adit_family_ends(family, agreed, &local, &remote);
  if (!adit_sess_accept_ends(session, family, &local, &remote, &error)) {
    if (!adit_sess_ncp_give_up(session, family->protocol, error->message))
      adit_sess_end(session, ADIT_CAUSE_USER_ERROR, error->message);
    return;
  }
  if (ends_have_changed(family, &local, &remote)) {
    adit_sess_end(session, ADIT_CAUSE_USER_ERROR, "addresses changed in renegotiation");
    return;
  }
  family->open = TRUE;
  family->local = local;
  family->remote = remote;
  if (family->family == AF_INET) {
    memcpy(session->dns, agreed->dns, sizeof session->dns);
    memcpy(session->wins, agreed->wins, sizeof session->wins);
  }
  adit_sess_event(session, family->applied ? ADIT_LIFE_NCP_SETTLED : ADIT_LIFE_NETWORK_OPENED);
  update_plane(session);
}

static gboolean is_bridge(const AditSessNcp *self) {
  return adit_ncp_desc(self->ncp)->kind == ADIT_NCP_BRIDGE;
}

static void open_ether(AditSess *session, const AditNcpResult *agreed) {
  gboolean news = adit_sess_ether_opened(session, agreed);

  adit_sess_event(session, news ? ADIT_LIFE_NETWORK_OPENED : ADIT_LIFE_NCP_SETTLED);
  update_plane(session);
}

static void on_ncp_opened(gpointer host, AditNcp *ncp, const AditNcpResult *agreed) {
  AditSessNcp *self = host;
  AditSessFamily *family = family_of(self->session, adit_ncp_desc(ncp));

  if (family)
    open_family(self->session, family, agreed);
  else if (is_bridge(self))
    open_ether(self->session, agreed);
  else
    adit_sess_event(self->session, ADIT_LIFE_NCP_SETTLED);
  if (self->required)
    update_plane(self->session);
}

static void on_ncp_down(gpointer host, AditNcp *ncp) {
  AditSessNcp *self = host;
  AditSessFamily *family = family_of(self->session, adit_ncp_desc(ncp));

  if (!family && !is_bridge(self))
    return;
  if (family)
    family->open = FALSE;
  else
    adit_sess_ether_down(self->session);
  update_plane(self->session);
}

/* RFC 1661 3.5: an NCP's end does not end the link, as long as another one is open or still trying. A peer that wants the
 * last one back has the time until its Terminate-Request is settled, as with pppd. */
static void end_if_none_is_left(AditSess *session) {
  g_autoptr(GString) reason = g_string_new(NULL);

  for (guint i = 0; i < session->ncps.n; i++) {
    const AditSessNcp *self = &session->ncps.item[i];
    if (!carries_data(self->ncp))
      continue;
    if (!adit_ncp_is_over(self->ncp))
      return;
    g_string_append_printf(reason, "%s%s: %s", reason->len ? "; " : "no network protocol is left: ", adit_ncp_desc(self->ncp)->name,
                           self->why ? self->why : "closed");
  }
  if (!reason->len) {
    adit_sess_end(session, ADIT_CAUSE_SERVICE_UNAVAILABLE, "no network protocol is enabled");
    return;
  }
  adit_sess_end(session, session->state == ADIT_LIFE_UP ? ADIT_CAUSE_USER_REQUEST : ADIT_CAUSE_USER_ERROR, reason->str);
}

static AditSessNcp *ncp_of(AditSess *session, guint16 data_protocol) {
  for (guint i = 0; i < session->ncps.n; i++)
    if (adit_ncp_desc(session->ncps.item[i].ncp)->data_protocol == data_protocol)
      return &session->ncps.item[i];
  return NULL;
}

gboolean adit_sess_ncp_give_up(AditSess *session, guint16 data_protocol, const char *why) {
  AditSessNcp *self = ncp_of(session, data_protocol);

  if (!self || self->required)
    return FALSE;
  for (guint i = 0; i < session->ncps.n; i++)
    if (&session->ncps.item[i] != self && carries_data(session->ncps.item[i].ncp) && !adit_ncp_is_over(session->ncps.item[i].ncp)) {
      adit_ncp_close(self->ncp, why);
      return TRUE;
    }
  return FALSE;
}

static void on_ncp_closed(gpointer host, AditNcp *ncp, const char *why) {
  AditSessNcp *self = host;
  AditSess *session = self->session;
  AditLogContext log = adit_sess_log(session);

  adit_lines_info(&log, "%s closed: %s", adit_ncp_desc(ncp)->name, why);
  g_free(self->why);
  self->why = g_strdup(why);
  if (self->required) {
    g_autofree char *reason = g_strdup_printf("%s is required: %s", adit_ncp_desc(ncp)->name, why);
    adit_sess_end(session, ADIT_CAUSE_USER_ERROR, reason);
  } else {
    end_if_none_is_left(session);
    adit_sess_event(session, ADIT_LIFE_NCP_SETTLED);
  }
}

static gboolean on_ncp_stage_add(gpointer host, AditNcp *ncp, const AditStageSpec *spec, GError **error) {
  AditSess *session = ((AditSessNcp *)host)->session;

  if (!adit_sess_stage_place(session, spec, error))
    return FALSE;
  adit_sess_mtu_changed(session);
  return TRUE;
}

static void on_ncp_stage_set(gpointer host, AditNcp *ncp, AditStageKind kind, gconstpointer params, gsize length) {
  adit_sess_stage_set(((AditSessNcp *)host)->session, kind, params, length);
}

static void on_ncp_stage_remove(gpointer host, AditNcp *ncp, AditStageKind kind) {
  AditSess *session = ((AditSessNcp *)host)->session;

  adit_sess_stage_remove(session, kind);
  adit_sess_mtu_changed(session);
}

static void on_ncp_warn(gpointer host, AditNcp *ncp, const char *text) {
  AditSess *session = ((AditSessNcp *)host)->session;
  AditLogContext log = adit_sess_log(session);

  adit_lines_warning(&log, "%s: %s", adit_ncp_desc(ncp)->name, text);
}

static const AditNcpOps ncp_ops = {.size = sizeof ncp_ops,
                                   .send = on_ncp_send,
                                   .opened = on_ncp_opened,
                                   .down = on_ncp_down,
                                   .closed = on_ncp_closed,
                                   .stage_add = on_ncp_stage_add,
                                   .stage_set = on_ncp_stage_set,
                                   .stage_remove = on_ncp_stage_remove,
                                   .warn = on_ncp_warn};

/* A server has to say both ends' IPv4 addresses, or let the peer choose. */
static gboolean lacks_address(const AditSess *session) {
  const AditNcpParams *params = &session->addresses.params;

  return !session->is_client &&
         (!adit_address_is_set(&params->local4) || (!adit_address_is_set(&params->remote4) && !params->accept_remote4));
}

static void warn_of_no_address(AditSess *session) {
  AditLogContext log = adit_sess_log(session);
  adit_lines_warning(&log, "no IPv4: neither the user nor the profile has %s",
                     adit_address_is_set(&session->addresses.params.local4) ? "a remote-address" : "a local-address");
}

static gboolean has_bridge(const AditSess *session) {
  const char *bridge = adit_option_bridge(session->attributes);
  return bridge && *bridge;
}

static const char *switch_word(const AditSess *session, const AditNcpDesc *desc) {
  return desc->enable ? adit_value_get_string(session->attributes, desc->enable, NULL) : NULL;
}

/* Is there what an NCP of that kind needs? */
static gboolean can_run(AditSess *session, const AditNcpDesc *desc) {
  const AditSessFamily *family = family_of(session, desc);

  switch (desc->kind) {
  case ADIT_NCP_NETWORK:
    return family && (family->family != AF_INET || !lacks_address(session));
  case ADIT_NCP_COMPRESSION:
    return TRUE;
  case ADIT_NCP_BRIDGE:
    return desc->ether && has_bridge(session) && adit_sess_ether_is_carried(session) &&
           (session->ether.desc == desc || !session->ether.desc);
  }
  return FALSE;
}

/* yes and default switch it on, no leaves it out, unless the NCP knows more. */
static AditNcpNeed find_need(AditSess *session, const AditNcpDesc *desc, const char **why) {
  const char *word = switch_word(session, desc);
  AditNcpNeed need = !g_strcmp0(word, "no") ? ADIT_NCP_OFF : !g_strcmp0(word, "required") ? ADIT_NCP_REQUIRE : ADIT_NCP_OFFER;

  if (desc->need)
    need = ADIT_HOLD_VALUE(NULL, desc->need, "need() of an NCP", desc->need(&session->addresses.params, word, why));
  if (need == ADIT_NCP_OFF || need == ADIT_NCP_REFUSE || can_run(session, desc))
    return need;
  return need == ADIT_NCP_REQUIRE ? ADIT_NCP_REFUSE : ADIT_NCP_OFF;
}

static void refuse_session(AditSess *session, const char *name, const char *why) {
  g_autofree char *reason = g_strdup_printf("%s is required and cannot be offered%s%s", name, why ? ": " : "", why ? why : "");
  adit_sess_end(session, ADIT_CAUSE_SERVICE_UNAVAILABLE, reason);
}

static void add_ncp(AditSess *session, const AditNcpDesc *desc, gboolean required) {
  AditSessNcp *self = &session->ncps.item[session->ncps.n++];
  AditEngineEnv env = adit_loop_engine(&self->timer);

  self->session = session;
  self->required = required;
  session->ncps.hold_data |= required;
  if (required && desc->kind == ADIT_NCP_COMPRESSION)
    session->stages.required_by_ncps |= 1u << ADIT_STAGE_COMPRESSION;
  self->timer.func = on_ncp_timer;
  self->timer.data = self;
  self->ncp = adit_ncp_new(desc, &session->addresses.params, NULL, &ncp_ops, self, &env);
}

/* An option that requires what no plugin has; NULL = there is none. */
static const char *find_unprovided(AditSess *session, const AditNcpDesc *const *descs, guint n) {
  static const char *const keys[] = {adit_option_use_ipv4_key, adit_option_use_ipv6_key, adit_option_use_encryption_key};

  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    gboolean provided = g_strcmp0(adit_value_get_string(session->attributes, keys[i], NULL), "required") != 0;
    for (guint k = 0; k < n && !provided; k++)
      provided = g_strcmp0(descs[k]->enable, keys[i]) == 0;
    if (!provided)
      return keys[i];
  }
  return NULL;
}

void adit_sess_ncps_choose(AditSess *session) {
  guint n;
  const AditNcpDesc *const *descs = adit_ncp_descs(&n);

  for (guint i = 0; i < n; i++) {
    const char *why = NULL;
    AditNcpNeed need = find_need(session, descs[i], &why);
    if (descs[i]->data_protocol == ADIT_PPP_IPV4 && lacks_address(session) && g_strcmp0(switch_word(session, descs[i]), "no"))
      warn_of_no_address(session);
    if (need == ADIT_NCP_OFF || need == ADIT_NCP_REFUSE)
      continue;
    if (descs[i]->kind == ADIT_NCP_BRIDGE)
      adit_sess_ether_want(session, descs[i]);
    else if (descs[i]->kind == ADIT_NCP_NETWORK)
      session->port.wanted = TRUE;
  }
  if (has_bridge(session) && !session->ether.desc) {
    AditLogContext log = adit_sess_log(session);
    adit_lines_warning(&log,
                       "session %" G_GINT64_MODIFIER "x user %s: not in bridge %s: no plugin bridges, or data path %s has no L2 interfaces",
                       session->id, session->user, adit_option_bridge(session->attributes), session->datapath->name);
  }
  if (!session->ether.desc)
    session->port.wanted = TRUE; /* without any NCP it ends with a reason */
}

static void start_ncps(AditSess *session) {
  guint n;
  const AditNcpDesc *const *descs = adit_ncp_descs(&n);
  const char *unprovided = find_unprovided(session, descs, n), *why = "no plugin that is loaded does that";

  session->ncps.item = g_new0(AditSessNcp, n);
  if (unprovided) {
    refuse_session(session, unprovided, why);
    return;
  }
  for (guint i = 0; i < n; i++) {
    why = NULL;
    AditNcpNeed need = find_need(session, descs[i], &why);
    switch (need) {
    case ADIT_NCP_OFF:
      break;
    case ADIT_NCP_OFFER:
    case ADIT_NCP_REQUIRE:
      add_ncp(session, descs[i], need == ADIT_NCP_REQUIRE);
      break;
    case ADIT_NCP_REFUSE:
      refuse_session(session, descs[i]->name, why);
      return;
    }
  }
  adit_sess_network(session, TRUE);
}

/* Keys are for the NCPs' beginning alone: the NCPs that use them have copied them. */
void adit_sess_ncps_start(AditSess *session) {
  AditSessLink *link = adit_sess_speaking_link(session);
  AditNcpParams *params = &session->addresses.params;

  params->mppe = link ? link->mppe : NULL;
  params->session = session->id;
  start_ncps(session);
  params->mppe = NULL;
  link = adit_sess_speaking_link(session);
  if (link)
    adit_link_wipe_keys(link);
}

void adit_sess_ncps_rekey(AditSess *session, AditSessLink *link) {
  gboolean counts = session->links->len && session->links->pdata[0] == link;

  for (guint i = 0; counts && i < session->ncps.n && !adit_sess_is_over(session); i++)
    adit_ncp_rekey(session->ncps.item[i].ncp, link->mppe);
  adit_link_wipe_keys(link);
}

void adit_sess_ncps_stop(AditSess *session) {
  for (guint i = 0; i < session->ncps.n; i++) {
    adit_timer_cancel(&session->ncps.item[i].timer);
    g_clear_pointer(&session->ncps.item[i].ncp, adit_ncp_free);
    g_clear_pointer(&session->ncps.item[i].why, g_free);
  }
  session->ncps.n = 0;
}

void adit_sess_ncps_free(AditSess *session) {
  adit_sess_ncps_stop(session);
  g_free(session->ncps.item);
}

void adit_sess_network(AditSess *session, gboolean up) {
  for (guint i = 0; i < session->ncps.n && !adit_sess_is_over(session); i++)
    if (up)
      adit_ncp_up(session->ncps.item[i].ncp);
    else
      adit_ncp_down(session->ncps.item[i].ncp);
  if (up && !adit_sess_is_over(session))
    end_if_none_is_left(session);
}

gboolean adit_sess_frame(AditSess *session, guint16 protocol, const guint8 *payload, gsize length) {
  for (guint i = 0; i < session->ncps.n; i++) {
    const AditNcp *ncp = session->ncps.item[i].ncp;
    if (!adit_ncp_owns(ncp, protocol) && !adit_ncp_carries(ncp, protocol))
      continue;
    /* Data that came up here raced with its NCP: it is dropped, and is no reason to reject the protocol. */
    if (protocol >= 0x8000)
      adit_ncp_input(session->ncps.item[i].ncp, payload, length);
    return TRUE;
  }
  return FALSE;
}

void adit_sess_rejected(AditSess *session, guint16 protocol) {
  for (guint i = 0; i < session->ncps.n && !adit_sess_is_over(session); i++)
    if (adit_ncp_owns(session->ncps.item[i].ncp, protocol))
      adit_ncp_rejected(session->ncps.item[i].ncp);
}

void adit_sess_ncps_describe(const AditSess *session, AditValue *map) {
  for (guint i = 0; i < session->ncps.n; i++) {
    AditValue *told = adit_ncp_describe(session->ncps.item[i].ncp);
    if (told)
      adit_value_set(map, adit_ncp_desc(session->ncps.item[i].ncp)->name, told);
  }
}
