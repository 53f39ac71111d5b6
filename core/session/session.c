/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The services of the module: service "adit.session" for plugins, configuration, and the daemon's end. */
#include "core/session/session.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"
#include "core/base/owner.h"
#include "core/path/path.h"
#include "core/pool/pool.h"
#include "core/session/client.h"
#include "core/session/config/actors.h"
#include "core/session/config/attributes.h"
#include "core/session/config/check-addresses.h"
#include "core/session/life/accounting.h"
#include "core/session/life/life.h"
#include "core/session/life/link-host.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-attributes.h"
#include "core/session/life/sessions.h"
#include "core/session/life/update.h"
#include "core/session/lines.h"
#include "core/session/link/bundler.h"
#include "core/session/network/plane.h"

static gboolean stopping; /* no new links */

void adit_session_init(const AditNetService *net) {
  g_autoptr(AditValue) empty = adit_value_map();

  adit_sess_claims_serve(net);
  stopping = FALSE;
  adit_actors_init();
  adit_account_init();
  adit_links_init(&adit_link_host_ops);
  adit_sessions_init();
  adit_addresses_init(net);
  adit_ports_init(net);
  adit_bridge_serve(net);
  adit_clients_init(net);
  adit_session_attributes_set_profiles(adit_profiles_new(empty));
}

void adit_session_fini(void) {
  adit_clients_fini();
  adit_ports_fini();
  adit_sessions_fini();
  adit_session_attributes_set_profiles(NULL);
  adit_addresses_fini();
  adit_links_fini();
  adit_bundler_fini();
  adit_lines_fini();
  adit_actors_fini();
  adit_session_set_schema(NULL);
}

/* ---- service ---- */

/* Clients that were told goodbye come back at once. */
static AditLinkId service_link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error) {
  ADIT_MAIN_ONLY("adit.session link_open", 0);
  if (!stopping)
    return adit_link_open(plugin, spec, error);
  g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "the daemon is stopping");
  return 0;
}

static void service_link_close(AditLinkId id, AditCause cause, const char *reason) {
  ADIT_MAIN_ONLY("adit.session link_close");
  AditSessLink *link = adit_link_find(id);
  if (link)
    adit_link_lost(link, cause, reason);
}

static void service_link_update(AditLinkId id, const AditPath *path, const AditEncap *encap) {
  ADIT_MAIN_ONLY("adit.session link_update");
  AditSessLink *link = adit_link_find(id);
  if (!link)
    return;
  link->spec.path = *path;
  link->spec.encap = *encap;
  if (link->session && link->session->links->pdata[0] == link) {
    link->session->peer = path->remote;
    link->session->local = path->local;
  }
  ADIT_HOLD(NULL, link->spec.datapath->link_update, "link_update()", link->spec.datapath->link_update(link->dp_link, path, encap));
}

static gboolean service_link_stats(AditLinkId id, AditDpStats *out) {
  ADIT_MAIN_ONLY("adit.session link_stats", FALSE);
  AditSessLink *link = adit_link_find(id);
  if (!link)
    return FALSE;
  ADIT_HOLD(NULL, link->spec.datapath->link_stats, "link_stats()", link->spec.datapath->link_stats(link->dp_link, out));
  return TRUE;
}

static gboolean service_link_option(AditLinkId id, guint8 type, gboolean peer, AditPppOption *out) {
  ADIT_MAIN_ONLY("adit.session link_option", FALSE);
  const AditSessLink *link = adit_link_find(id);
  return link && adit_ppp_link_option(link->ppp, type, peer, out);
}

/* The caller's struct may be an older, shorter one. */
static gboolean service_link_info(AditLinkId id, AditLinkInfo *out) {
  ADIT_MAIN_ONLY("adit.session link_info", FALSE);
  const AditSessLink *link = adit_link_find(id);
  AditLinkInfo info;

  if (!link)
    return FALSE;
  adit_link_fill_info(link, &info);
  adit_copy_sized(out, out->size, &info);
  return TRUE;
}

static gboolean service_link_probe(AditLinkId id) {
  ADIT_MAIN_ONLY("adit.session link_probe", FALSE);
  AditSessLink *link = adit_link_find(id);
  return link && adit_ppp_link_probe(link->ppp);
}

static gboolean service_link_end(AditLinkId id, AditCause cause, const char *reason) {
  ADIT_MAIN_ONLY("adit.session link_end", FALSE);
  AditSessLink *link = adit_link_find(id);
  if (link)
    adit_link_end(link, cause, reason);
  return link != NULL;
}

static AditSess *find_live(AditSessionId id, GError **error) {
  AditSess *session = adit_sess_find(id);
  if (session && !adit_sess_is_over(session))
    return session;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no such session");
  return NULL;
}

static gboolean service_stage_add(AditSessionId id, const AditStageSpec *spec, GError **error) {
  ADIT_MAIN_ONLY("adit.session stage_add", FALSE);
  AditSess *session = find_live(id, error);
  if (!session || !adit_sess_stage_add(session, spec, error))
    return FALSE;
  adit_life_set_mtu(session);
  return TRUE;
}

static gboolean service_stage_set(AditSessionId id, AditStageKind kind, gconstpointer params, gsize length) {
  ADIT_MAIN_ONLY("adit.session stage_set", FALSE);
  AditSess *session = find_live(id, NULL);
  return session && adit_sess_stage_set(session, kind, params, length);
}

static void service_stage_remove(AditSessionId id, AditStageKind kind) {
  ADIT_MAIN_ONLY("adit.session stage_remove");
  AditSess *session = find_live(id, NULL);
  if (!session)
    return;
  adit_sess_stage_remove(session, kind);
  adit_life_set_mtu(session);
}

static gboolean service_stage_set_mtu(AditSessionId id, AditStageKind kind, guint mtu) {
  ADIT_MAIN_ONLY("adit.session stage_set_mtu", FALSE);
  AditSess *session = find_live(id, NULL);
  if (!session || (guint)kind >= ADIT_STAGES_N)
    return FALSE;
  if (session->stages.mtu[kind] == mtu)
    return TRUE;
  session->stages.mtu[kind] = mtu;
  adit_life_set_mtu(session);
  return TRUE;
}

static gboolean service_stages_require(AditSessionId id, guint32 kinds) {
  ADIT_MAIN_ONLY("adit.session stages_require", FALSE);
  AditSess *session = find_live(id, NULL);
  if (!session)
    return FALSE;
  session->stages.required = kinds;
  adit_sess_set_plane(session);
  return TRUE;
}

static void fill_info(AditSess *session, AditSessionInfo *out) {
  *out = (AditSessionInfo){.size = sizeof *out,
                           .id = session->id,
                           .user = session->user,
                           .interface = adit_sess_interface(session),
                           .service = session->server,
                           .caller_id = session->caller_id,
                           .transport = session->transport,
                           .local4 = session->family[ADIT_SESS_IPV4].local,
                           .remote4 = session->family[ADIT_SESS_IPV4].remote,
                           .uptime_ms = adit_sess_uptime_ms(session),
                           .counters = adit_sess_counters(session),
                           .attributes = session->attributes,
                           .record_id = session->record_id,
                           .called_id = session->called_id,
                           .server = session->server,
                           .source = session->source,
                           .method = session->method,
                           .port = session->number,
                           .peer = session->peer,
                           .client = session->is_client,
                           .multi_id = session->multi_id,
                           .links = session->links->len};
  adit_family_identifier(&session->family[ADIT_SESS_IPV6].remote, out->remote_ifid);
}

/* The caller's struct may be an older, shorter one. */
static gboolean service_session_info(AditSessionId id, AditSessionInfo *out) {
  ADIT_MAIN_ONLY("adit.session session_info", FALSE);
  AditSess *session = adit_sess_find(id);
  gsize size = MIN(out->size, sizeof *out);
  AditSessionInfo info;

  if (!session || !size)
    return FALSE;
  fill_info(session, &info);
  info.size = size;
  memcpy(out, &info, size);
  return TRUE;
}

typedef struct {
  void (*each)(const AditSessionInfo *info, gpointer data);
  gpointer data;
} Each;

static void each_info(AditSess *session, gpointer data) {
  Each *each = data;
  AditSessionInfo info;
  fill_info(session, &info);
  each->each(&info, each->data);
}

static void service_session_foreach(void (*each)(const AditSessionInfo *info, gpointer data), gpointer data) {
  ADIT_MAIN_ONLY("adit.session session_foreach");
  Each both = {each, data};
  adit_sess_foreach(each_info, &both);
}

static gboolean service_disconnect(AditSessionId id, AditCause cause, const char *reason) {
  ADIT_MAIN_ONLY("adit.session disconnect", FALSE);
  AditSess *session = adit_sess_find(id);
  if (!session || adit_sess_is_over(session))
    return FALSE;
  adit_sess_end(session, cause, reason);
  return TRUE;
}

static AditSessionId service_session_find(const char *record_id) {
  ADIT_MAIN_ONLY("adit.session session_find", 0);
  const AditSess *session = adit_sess_find_record(record_id);
  return session ? session->id : 0;
}

static gboolean service_session_update(AditSessionId id, const AditValue *changes, GError **error) {
  ADIT_MAIN_ONLY("adit.session session_update", FALSE);
  AditSess *session = find_live(id, error);
  return session && adit_sess_update(session, changes, error);
}

static const AditSessionService service = {
    .size = sizeof service,
    .link_open = service_link_open,
    .has_room = adit_link_has_room,
    .link_close = service_link_close,
    .link_update = service_link_update,
    .link_stats = service_link_stats,
    .dial_failed = adit_client_dial_failed,
    .session_count = adit_sess_count,
    .session_info = service_session_info,
    .session_foreach = service_session_foreach,
    .disconnect = service_disconnect,
    .session_find = service_session_find,
    .session_update = service_session_update,
    .actor_add = adit_actor_add,
    .actor_exists = adit_actor_exists,
    .bundler_add = adit_bundler_add,
    .link_info = service_link_info,
    .link_end = service_link_end,
    .stage_add = service_stage_add,
    .stage_set = service_stage_set,
    .stage_remove = service_stage_remove,
    .stages_require = service_stages_require,
    .link_option = service_link_option,
    .stage_set_mtu = service_stage_set_mtu,
    .link_probe = service_link_probe,
};

const AditSessionService *adit_session_service(void) {
  return &service;
}

typedef struct {
  const AditPlugin *plugin;
  guint closed;
} Owned;

static void close_if_owned(AditSessLink *link, gpointer data) {
  Owned *owned = data;
  if (link->plugin != owned->plugin)
    return;
  owned->closed++;
  adit_link_lost(link, ADIT_CAUSE_ADMIN_REBOOT, "the transport has stopped");
}

void adit_session_drop_plugin(AditPlugin *plugin) {
  Owned owned = {plugin, 0};
  adit_links_foreach(close_if_owned, &owned);
  adit_actors_drop_plugin(plugin);
  adit_bundler_drop_plugin(plugin);
}

void adit_session_plugin_stopped(AditPlugin *plugin) {
  Owned owned = {plugin, 0};
  adit_links_foreach(close_if_owned, &owned);
  if (owned.closed)
    adit_warning(NULL, "plugin %s: stopped with %u links open: closed them", adit_plugin_name(plugin), owned.closed);
}

/* ---- configuration ---- */

typedef struct {
  AditProfiles *profiles;
  gpointer clients;
  GArray *fixed; /* AditPrefix: addresses that pools must not hand out */
} Staged;

gboolean adit_session_prepare(const AditValue *config, gpointer *staged, GError **error) {
  gpointer clients = adit_clients_prepare(config, error);
  if (!clients)
    return FALSE;
  Staged *s = g_new0(Staged, 1);
  s->profiles = adit_profiles_new(config);
  s->fixed = adit_session_fixed_addresses(config);
  s->clients = clients;
  *staged = s;
  return TRUE;
}

void adit_session_commit(gpointer staged) {
  g_autofree Staged *s = staged;
  adit_session_attributes_set_profiles(s->profiles);
  adit_pools_set_aside((const AditPrefix *)(gpointer)s->fixed->data, s->fixed->len);
  g_array_unref(s->fixed);
  adit_clients_commit(s->clients);
}

void adit_session_abort(gpointer staged) {
  g_autofree Staged *s = staged;
  adit_profiles_free(s->profiles);
  g_array_unref(s->fixed);
  adit_clients_abort(s->clients);
}

/* ---- start and stop ---- */

void adit_session_start(void) {
  adit_session_account(TRUE);
  adit_clients_start();
}

static void end_link(AditSessLink *link, gpointer data) {
  if (link->session)
    adit_sess_end(link->session, ADIT_CAUSE_ADMIN_REBOOT, "the daemon is stopping");
  else
    adit_link_end(link, ADIT_CAUSE_ADMIN_REBOOT, "the daemon is stopping");
}

void adit_session_stop(void (*done)(gpointer data), gpointer data) {
  stopping = TRUE;
  adit_clients_stop();
  adit_links_foreach(end_link, NULL);
  adit_sessions_when_none(done, data);
}
