/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A session from its authenticated link to its last counter; see session.h for the order of things. */
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/base/memory.h"
#include "core/bus/bus.h"
#include "core/session/client.h"
#include "core/session/config/actors.h"
#include "core/session/life/accounting.h"
#include "core/session/life/limits.h"
#include "core/session/life/sess.h"
#include "core/session/network/plane.h"
#include "core/session/session.h"
#include "core/session/tally.h"

enum {
  SETTLE_MS = 2000,     /* between the first NCP that is open and session-up, at most */
  MANY_SESSIONS = 2000, /* below, memory is not worth a thought */
};

static GHashTable *sessions; /* id -> AditSess*, one reference */
static GHashTable *records;  /* the same by record_id, borrowed */
static AditTally *users;     /* name: server's sessions that are not ending, for only-one */
static AditProfiles *profiles;
static AditSessionId last_id;
static guint living;        /* that are not ending */
static guint most_sessions; /* since memory was given back */
static void (*none_func)(gpointer data);
static gpointer none_data;

void adit_sessions_init(void) {
  living = most_sessions = 0;
  sessions = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)adit_sess_unref);
  records = g_hash_table_new(g_str_hash, g_str_equal);
  users = adit_tally_new(g_str_hash, g_str_equal, 0);
}

void adit_sessions_fini(void) {
  g_clear_pointer(&records, g_hash_table_unref);
  g_clear_pointer(&sessions, g_hash_table_unref);
  g_clear_pointer(&users, adit_tally_free);
  g_clear_pointer(&profiles, adit_profiles_free);
  none_func = NULL;
}

void adit_sessions_set_profiles(AditProfiles *now) {
  g_clear_pointer(&profiles, adit_profiles_free);
  profiles = now;
}

/* Once half of very many sessions are gone, what they had is worth giving back. */
static void give_memory_back(void) {
  guint now = g_hash_table_size(sessions);
  most_sessions = MAX(most_sessions, now);
  if (most_sessions >= MANY_SESSIONS && now <= most_sessions / 2) {
    most_sessions = now;
    adit_memory_give_back();
  }
}

AditSess *adit_sess_ref(AditSess *session) {
  session->refs++;
  return session;
}

void adit_sess_unref(AditSess *session) {
  if (!session || --session->refs)
    return;
  adit_sess_ncps_free(session);
  adit_sess_limits_stop(session);
  adit_timer_cancel(&session->interim_timer);
  adit_timer_cancel(&session->settle_timer);
  adit_sess_release(session);
  g_array_unref(session->claims);
  adit_value_unref(session->bad_routes);
  g_free(session->who);
  g_free(session->route_failure);
  adit_value_unref(session->config);
  adit_value_unref(session->record);
  adit_value_unref(session->attributes);
  adit_value_unref(session->first);
  adit_value_unref(session->link_attributes);
  g_free(session->user);
  g_free(session->record_id);
  g_free(session->transport);
  g_free(session->server);
  g_free(session->caller_id);
  g_free(session->called_id);
  g_free(session->source);
  g_free(session->method);
  g_free(session->reason);
  g_free(session);
}

AditSess *adit_sess_find(AditSessionId id) {
  return sessions ? g_hash_table_lookup(sessions, &id) : NULL;
}

AditSess *adit_sess_find_record(const char *record_id) {
  AditSess *session = g_hash_table_lookup(records, record_id);
  return session && session->state != ADIT_SESS_ENDING ? session : NULL;
}

const AditProfiles *adit_sess_profiles(void) {
  return profiles;
}

void adit_sess_foreach(void (*each)(AditSess *session, gpointer data), gpointer data) {
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
  GHashTableIter iter;
  gpointer session;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &session))
    g_ptr_array_add(all, adit_sess_ref(session));
  for (guint i = 0; i < all->len; i++)
    each(all->pdata[i], data);
}

GPtrArray *adit_sess_matching(gboolean (*matches)(const AditSess *session, const char *text), const char *text) {
  GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    if (((AditSess *)value)->state != ADIT_SESS_ENDING && matches((AditSess *)value, text))
      g_ptr_array_add(found, adit_sess_ref((AditSess *)value));
  return found;
}

GArray *adit_session_ids(void) {
  GArray *ids = g_array_sized_new(FALSE, FALSE, sizeof(guint64), g_hash_table_size(sessions));
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_array_append_val(ids, ((AditSess *)value)->id);
  return ids;
}

guint adit_sess_count(const char *transport, const char *server) {
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  if (!transport && !server)
    return living;
  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AditSess *session = value;
    n += session->state != ADIT_SESS_ENDING && (!transport || strcmp(transport, session->transport) == 0) &&
         (!server || strcmp(server, session->server) == 0);
  }
  return n;
}

void adit_sessions_when_none(void (*done)(gpointer data), gpointer data) {
  none_func = done;
  none_data = data;
  if (!g_hash_table_size(sessions)) {
    none_func = NULL;
    done(data);
  }
}

AditLogContext adit_sess_log(const AditSess *session) {
  return (AditLogContext){.session = session->id, .user = session->user};
}

AditCounters adit_sess_counters(AditSess *session) {
  AditDpStats stats = {0};
  if (!session->plane)
    return session->final;
  session->datapath->session_stats(session->plane, &stats);
  return stats.counters;
}

guint64 adit_sess_uptime_ms(const AditSess *session) {
  if (!session->up_ms)
    return 0;
  return (session->ended_ms ? session->ended_ms : adit_loop_service()->now()) - session->up_ms;
}

/* ---- events ---- */

void adit_sess_fill_event(AditSess *session, AditSessionEvent *event) {
  *event = (AditSessionEvent){.session = session->id,
                              .link = session->link_id,
                              .user = session->user,
                              .interface = session->name[0] ? session->name : NULL,
                              .service = session->server,
                              .caller_id = session->caller_id,
                              .local4 = session->family[ADIT_SESS_IPV4].local,
                              .remote4 = session->family[ADIT_SESS_IPV4].remote,
                              .peer = session->peer,
                              .cause = session->cause,
                              .reason = session->reason,
                              .uptime_ms = adit_sess_uptime_ms(session)};
  event->event.size = sizeof *event;
  event->counters = adit_sess_counters(session);
}

void adit_sess_publish(AditSess *session, const char *name) {
  AditSessionEvent event;
  adit_sess_fill_event(session, &event);
  event.event.type = adit_bus_type(name);
  adit_bus_publish(&event.event);
}

/* ---- start ---- */

static gboolean is_only_one(const AditSess *session) {
  if (session->is_client || !adit_attribute_yes(session->attributes, "only-one", FALSE))
    return FALSE;
  return strcmp(adit_value_get_string(session->attributes, "only-one-scope", "local"), "all") == 0 || adit_aaa_is_local(session->source);
}

/* Its addresses are free at once: what takes them away from the old interface goes before what gives them to a new one. */
static void replace_one(AditSess *old, gpointer data) {
  const AditSess *session = data;

  if (old->is_client || old->state == ADIT_SESS_ENDING || strcmp(old->user, session->user) != 0)
    return;
  adit_sess_end(old, ADIT_CAUSE_NAS_REQUEST, "only-one: replaced by a newer session of the user");
  adit_sess_release(old);
}

/* Why this session must not start, to be freed; NULL when it may. */
static char *refusal(AditSess *session) {
  AditSessionEvent event;
  g_autoptr(GError) error = NULL;
  gboolean another = is_only_one(session) && adit_tally_count(users, session->user);

  if (another && strcmp(adit_value_get_string(session->attributes, "only-one-policy", "refuse"), "replace") != 0)
    return g_strdup("only-one: the user has a session already");
  adit_sess_fill_event(session, &event);
  const char *veto = adit_hook_veto(ADIT_VETO_SESSION, &event.event);
  if (veto)
    return g_strdup(veto);
  if (another)
    adit_sess_foreach(replace_one, session);
  if (!adit_sess_reserve(session, &error))
    return g_strdup(error->message);
  return NULL;
}

const char *adit_sess_default_profile(const AditSess *session) {
  return session->is_client ? NULL : adit_value_get_string(session->config, "default-profile", "default");
}

static void merge(AditSess *session, AditSessLink *link) {
  if (session->is_client) {
    session->record = adit_value_map();
    adit_value_set(session->record, "profile", adit_value_ref(adit_value_get(session->config, "profile")));
  } else {
    const char *profile = adit_value_get_string(link->record, "profile", NULL);
    AditLogContext log = adit_sess_log(session);
    session->record = adit_value_ref(link->record);
    if (profile && !adit_profiles_have(profiles, profile))
      adit_warning(&log, "source %s gave the profile %s, and there is none of that name", session->source, profile);
    g_autofree char *missing = adit_actors_missing(link->record);
    if (missing)
      adit_warning(&log, "source %s gave attributes without effect: %s: no plugin that is loaded acts on them", session->source, missing);
  }
  session->attributes = adit_profiles_merge(profiles, session->record, adit_sess_default_profile(session));
  session->first = adit_value_ref(session->attributes);
}

/* What path and attributes allow, whatever LCP agrees on. */
static guint max_mtu(const AditSess *session, guint path) {
  guint most = (guint)adit_value_get_int(session->attributes, "mtu", 0);
  return path && most ? MIN(path, most) : path ? path : most;
}

void adit_sess_set_mtu(AditSess *session, guint mtu) {
  session->mtu = session->max_mtu ? MIN(mtu, session->max_mtu) : mtu;
  adit_sess_port_mtu(session);
  adit_sess_set_plane(session);
}

AditSess *adit_sess_new(AditSessLink *link) {
  AditSess *session = g_new0(AditSess, 1);
  AditPppLinkInfo info;

  adit_ppp_link_info(link->ppp, &info);
  session->refs = 1;
  session->id = ++last_id;
  session->record_id = g_strdup(link->record_id);
  session->link = link;
  session->link_id = link->id;
  session->client = link->client;
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
  session->claims = g_array_new(FALSE, FALSE, sizeof(AditSessClaim));
  session->who = g_strdup_printf("session %" G_GINT64_MODIFIER "x user %s", session->id, session->user);
  session->claimant = (AditClaimant){.size = sizeof session->claimant,
                                     .who = session->who,
                                     .party = session->is_client ? NULL : session->user,
                                     .endpoint = adit_endpoint_address(&session->peer),
                                     .changed = adit_sess_claim_changed,
                                     .user = session};
  session->port_claimant = session->claimant;
  session->port_claimant.changed = adit_sess_port_changed;
  adit_families_init(session->family);
  session->started_ms = adit_loop_service()->now();
  adit_sess_limits_init(session);
  session->interim_timer.func = adit_sess_interim;
  session->interim_timer.data = session;
  merge(session, link);
  session->max_mtu = max_mtu(session, link->spec.max_frame);
  adit_sess_set_mtu(session, info.mtu);

  g_autofree char *why = refusal(session);
  if (why) {
    AditLogContext log = adit_sess_log(session);
    adit_warning(&log, "session refused: %s", why);
    adit_sess_unref(session);
    adit_link_end(link, ADIT_CAUSE_NAS_REQUEST, why);
    return NULL;
  }
  g_hash_table_insert(sessions, &session->id, session);
  living++;
  g_hash_table_insert(records, session->record_id, session);
  if (!session->is_client)
    adit_tally_add(users, session->user);
  link->session = session;
  adit_sess_ref(session);
  adit_sess_port_open(session);
  if (session->state != ADIT_SESS_ENDING)
    adit_sess_ncps_start(session);
  adit_sess_unref(session);
  return session;
}

void adit_sess_port_ready(AditSess *session, const GError *error) {
  g_autoptr(GError) problem = NULL;

  if (error) {
    AditLogContext log = adit_sess_log(session);
    adit_error(&log, "interface %s: %s", session->name, error->message);
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, error->message);
    return;
  }
  if (!session->link) {
    adit_sess_end(session, ADIT_CAUSE_LOST_CARRIER, "the link is gone");
    return;
  }
  session->plane = session->datapath->session_open(session->dp, session->id, session->port, &problem);
  if (!session->plane || !session->datapath->session_join(session->plane, session->link->dp_link, &problem)) {
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, problem ? problem->message : "data path");
    return;
  }
  adit_sess_port_mtu(session);
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    if (session->family[i].open)
      adit_sess_apply(session, &session->family[i]);
  adit_sess_set_plane(session);
}

#define ENDS_TEXT (2 * ADIT_ADDRESS_TEXT + 16)

/* Both ends' addresses: IPv4 if it is open, else the link-local ones. */
static const char *ends(const AditSess *session, char text[ENDS_TEXT]) {
  char local[ADIT_ADDRESS_TEXT], remote[ADIT_ADDRESS_TEXT];
  const AditSessFamily *shown = &session->family[session->family[ADIT_SESS_IPV4].open ? ADIT_SESS_IPV4 : ADIT_SESS_IPV6];

  g_snprintf(text, ENDS_TEXT, "%s here, %s there", adit_address_format(&shown->local, local), adit_address_format(&shown->remote, remote));
  return text;
}

/* One network protocol less, if the session is worth something without it; else its end. */
static void give_up_family(AditSess *session, AditSessFamily *family, int error) {
  g_autofree char *reason = g_strdup_printf("%s: %s", session->name, g_strerror(error));

  family->applied = FALSE;
  adit_sess_withdraw_family(session, family);
  if (!adit_sess_ncp_give_up(session, family, reason))
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, reason);
}

void adit_sess_look_again(AditSess *session) {
  if (session->state == ADIT_SESS_APPLYING && !session->pending)
    adit_sess_applied(session);
}

static void on_settled(AditTimer *timer, gpointer data) {
  AditSess *session = data;

  session->settled = TRUE;
  adit_sess_look_again(session);
}

/* Who is told of a session is to hear all its addresses at once: IPCP takes a round trip more than IPV6CP when the peer asks for an
 * address. But a peer that never answers about one of them holds nothing up for long. */
static gboolean waits_for_others(AditSess *session) {
  if (session->settled || adit_sess_ncps_settled(session))
    return FALSE;
  if (!session->settle_timer.func) {
    session->settle_timer.func = on_settled;
    session->settle_timer.data = session;
    adit_timer_arm(&session->settle_timer, SETTLE_MS);
  }
  return TRUE;
}

void adit_sess_applied(AditSess *session) {
  AditLogContext log = adit_sess_log(session);
  char text[ENDS_TEXT];

  if (session->route_failure && session->state != ADIT_SESS_ENDING) {
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, session->route_failure);
    return;
  }
  session->pending++; /* until all errors are dealt with nobody looks again */
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    if (session->family[i].error && session->state != ADIT_SESS_ENDING)
      give_up_family(session, &session->family[i], adit_family_take_error(&session->family[i]));
  session->pending--;
  if (session->state == ADIT_SESS_ENDING)
    return;
  if (!adit_families_applied(session->family)) {
    session->state = ADIT_SESS_STARTING; /* another one is still trying */
    return;
  }
  if (session->state == ADIT_SESS_UP) {
    adit_info(&log, "%s on %s", ends(session, text), session->name);
    adit_sess_interim_changed(session);
    adit_sess_publish(session, ADIT_EVENT_SESSION_UPDATE);
    if (session->client && session->state == ADIT_SESS_UP)
      adit_client_session_update(session->client, session);
    return;
  }
  if (waits_for_others(session))
    return;
  adit_timer_cancel(&session->settle_timer);
  session->state = ADIT_SESS_UP;
  session->up_ms = adit_loop_service()->now();
  adit_info(&log, "session up on %s, %s, %s %s %s", session->name, ends(session, text), session->transport,
            session->is_client ? "to" : "from", session->caller_id ? session->caller_id : "?");
  adit_sess_limits_start(session);
  adit_sess_account(session, ADIT_ACCT_START);
  adit_sess_interim_start(session);
  adit_sess_publish(session, ADIT_EVENT_SESSION_UP);
  if (session->client && session->state == ADIT_SESS_UP)
    adit_client_session_up(session->client, session);
}

/* ---- end ---- */

static void unref_later(gpointer data) {
  adit_sess_unref(data);
}

void adit_sess_end(AditSess *session, AditCause cause, const char *reason) {
  AditDpStats final = {0};

  if (session->state == ADIT_SESS_ENDING)
    return;
  session->state = ADIT_SESS_ENDING;
  living--;
  session->ended_ms = adit_loop_service()->now();
  if (!session->is_client)
    adit_tally_remove(users, session->user);
  session->cause = cause;
  session->reason = g_strdup(reason);
  adit_sess_limits_stop(session);
  adit_timer_cancel(&session->interim_timer);
  adit_timer_cancel(&session->settle_timer);
  adit_sess_ref(session);

  AditSessLink *link = g_steal_pointer(&session->link);
  if (link)
    link->session = NULL;
  if (session->plane) {
    session->datapath->session_close(g_steal_pointer(&session->plane), &final);
    session->final = final.counters;
  }
  adit_sess_ncps_free(session);
  if (session->client)
    adit_client_session_down(session->client, session);
  adit_sess_withdraw(session);
  adit_sess_port_close(session);
  if (link)
    adit_link_end(link, cause, reason);
  adit_sess_unref(session);
}

void adit_sess_port_lost(AditSess *session, const char *why) {
  AditLogContext log = adit_sess_log(session);
  if (session->state == ADIT_SESS_ENDING)
    return;
  adit_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: %s", session->id, session->user, session->name, why);
  adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, why);
}

void adit_sess_link_lost(AditSess *session, AditCause cause, const char *reason) {
  session->link = NULL;
  adit_sess_end(session, cause, reason);
}

void adit_sess_port_gone(AditSess *session) {
  AditLogContext log = adit_sess_log(session);

  if (session->up_ms) {
    adit_info(&log, "session down on %s after %" G_GUINT64_FORMAT " s: %s", session->name, adit_sess_uptime_ms(session) / 1000,
              session->reason);
    adit_sess_account(session, ADIT_ACCT_STOP);
    adit_sess_publish(session, ADIT_EVENT_SESSION_DOWN);
  } else {
    adit_info(&log, "session ended before it was up: %s", session->reason);
  }
  adit_sess_release(session);

  /* The caller may be deep in this session: the memory goes when the loop comes round. */
  g_hash_table_remove(records, session->record_id);
  g_hash_table_steal(sessions, &session->id);
  give_memory_back();
  adit_call_main(unref_later, session);
  if (!g_hash_table_size(sessions) && none_func) {
    void (*done)(gpointer) = g_steal_pointer(&none_func);
    done(none_data);
  }
}
