/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions as people and programs see them. */
#include "core/session/describe.h"
#include "core/base/hold.h"
#include "core/config/format.h"
#include "core/session/config/actors.h"
#include "core/session/config/attributes.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "core/session/network/plane.h"
#include "core/session/session.h"

static const char *session_state_word(const AditSess *session) {
  switch (session->state) {
  case ADIT_LIFE_OPENING:
  case ADIT_LIFE_NEGOTIATING:
    return "starting";
  case ADIT_LIFE_APPLYING:
  case ADIT_LIFE_SETTLING:
    return "applying";
  case ADIT_LIFE_UP:
    return "up";
  case ADIT_LIFE_ENDING:
  case ADIT_LIFE_GONE:
    return "ending";
  case ADIT_LIFE_STATES:
    break;
  }
  return "?";
}

static void set_text(AditValue *map, const char *key, const char *text) {
  if (text && *text)
    adit_value_set(map, key, adit_value_string(text));
}

static void set_address(AditValue *map, const char *key, const AditAddress *address) {
  char text[ADIT_ADDRESS_TEXT];
  if (adit_address_is_set(address))
    adit_value_set(map, key, adit_value_string(adit_address_format(address, text)));
}

/* The columns of `show sessions`. */
static AditValue *summarize_session(AditSess *session) {
  AditValue *map = adit_value_map();
  g_autofree char *id = g_strdup_printf("%" G_GINT64_MODIFIER "x", session->id);
  char peer[ADIT_ENDPOINT_TEXT];
  AditCounters counters = adit_sess_counters(session);

  set_text(map, "id", id);
  set_text(map, "user", session->user);
  set_text(map, "interface", adit_sess_interface(session));
  set_text(map, "service", session->transport);
  set_text(map, session->is_client ? "client" : "server", session->server);
  set_text(map, "caller-id", session->caller_id);
  set_text(map, "state", session_state_word(session));
  set_address(map, "local-address", &session->family[ADIT_SESS_IPV4].local);
  set_address(map, "remote-address", &session->family[ADIT_SESS_IPV4].remote);
  set_text(map, "bridge", session->ether.open ? session->ether.agreed->bridge : NULL);
  set_text(map, "peer", adit_endpoint_format(&session->peer, peer));
  adit_value_set(map, "links", adit_value_int(session->links->len));
  set_text(map, "encoding", adit_sess_stages_encoding(session));
  adit_value_set(map, "uptime", adit_value_int((gint64)adit_sess_uptime_ms(session)));
  adit_value_set(map, "rx-octets", adit_value_int((gint64)counters.rx_octets));
  adit_value_set(map, "tx-octets", adit_value_int((gint64)counters.tx_octets));
  adit_value_set(map, "rx-packets", adit_value_int((gint64)counters.rx_packets));
  adit_value_set(map, "tx-packets", adit_value_int((gint64)counters.tx_packets));
  return map;
}

AditValue *adit_session_row(AditSessionId id) {
  AditSess *session = adit_sess_find(id);
  return session ? summarize_session(session) : NULL;
}

/* ---- which one is meant ---- */

/* The session of an id in hex as it is shown; 0 = it is none. */
static AditSessionId parse_id(const char *text) {
  char *end = NULL;
  guint64 id = g_ascii_isxdigit(*text) && *text != '0' ? g_ascii_strtoull(text, &end, 16) : 0;
  return end && !*end ? id : 0;
}

static gboolean has_interface(const AditSess *session, const char *name) {
  return (!session->port.shared && strcmp(name, session->port.name) == 0) || strcmp(name, session->ether.port.name) == 0;
}

static gboolean has_user(const AditSess *session, const char *name) {
  return strcmp(name, session->user) == 0;
}

/* An id or interface before a user name. */
static GPtrArray *find_named(const char *which) {
  AditSess *named = adit_sess_find(parse_id(which));
  if (named && !adit_sess_is_over(named)) {
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
    g_ptr_array_add(found, adit_sess_ref(named));
    return found;
  }
  GPtrArray *found = adit_sess_matching(has_interface, which);
  if (found->len)
    return found;
  g_ptr_array_unref(found);
  return adit_sess_matching(has_user, which);
}

guint adit_session_disconnect(const char *which, AditCause cause, const char *reason) {
  g_autoptr(GPtrArray) found = find_named(which);
  for (guint i = 0; i < found->len; i++)
    adit_sess_end(found->pdata[i], cause, reason);
  return found->len;
}

/* ---- everything about one ---- */

/* A number means nothing without its unit, and octets are no text: those are shown as one would write them. */
static AditValue *as_written(const char *key, const AditValue *value) {
  const AditOption *option = adit_attribute_option(key);
  if (!option || value->type != ADIT_VALUE_INT || option->type == ADIT_TYPE_INT)
    return adit_value_ref(value);
  g_autofree char *text = adit_option_format(option, value);
  return adit_value_string(text);
}

static void add_attributes(AditValue *map, const AditValue *attributes) {
  AditValue *shown = adit_value_map();
  for (guint i = 0; i < adit_value_length(attributes); i++) {
    const char *key = adit_value_key(attributes, i);
    adit_value_set(shown, key, as_written(key, adit_value_get(attributes, key)));
  }
  adit_value_set(map, "attributes", shown);
}

static AditValue *describe_link(const AditSessLink *link) {
  AditPppLinkInfo info;
  AditDpStats stats = {0};
  AditValue *item = adit_value_map();

  adit_ppp_link_info(link->ppp, &info);
  ADIT_HOLD(NULL, link->spec.datapath->link_stats, "link_stats()", link->spec.datapath->link_stats(link->dp_link, &stats));
  adit_value_set(item, "mru", adit_value_int(info.mru));
  adit_value_set(item, "peer-mru", adit_value_int(info.peer_mru));
  adit_value_set(item, "protocol-field-compression", adit_value_bool(info.pfc));
  adit_value_set(item, "address-and-control-field-compression", adit_value_bool(info.acfc));
  set_text(item, "authenticated-by", info.demanded);
  set_text(item, "authenticates-by", info.answered);
  adit_value_set(item, "proxied-lcp", adit_value_bool(info.proxied));
  adit_value_set(item, "discarded", adit_value_int((gint64)info.discarded));
  adit_value_set(item, "drops", adit_value_int((gint64)stats.drops));
  adit_value_set(item, "lost", adit_value_int((gint64)stats.lost));
  adit_value_set(item, "reordered", adit_value_int((gint64)stats.reordered));
  g_autofree char *id = g_strdup_printf("%" G_GINT64_MODIFIER "x", link->id);
  set_text(item, "id", id);
  adit_value_set(item, "data-path", adit_value_string(link->spec.datapath->name));
  for (guint i = 0; i < adit_value_length(link->spec.attributes); i++) {
    const char *key = adit_value_key(link->spec.attributes, i);
    adit_value_set(item, key, adit_value_ref(adit_value_get(link->spec.attributes, key)));
  }
  return item;
}

static void add_links(AditValue *map, const AditSess *session) {
  adit_value_set(map, "link", describe_link(session->links->pdata[0]));
  if (!session->multi_id)
    return;
  AditValue *list = adit_value_list();
  for (guint i = 0; i < session->links->len; i++)
    adit_value_append(list, describe_link(session->links->pdata[i]));
  adit_value_set(map, "links", list);
  set_text(map, "multi-session-id", session->multi_id);
}

/* Packets that the data path dropped. */
static void add_plane(AditValue *map, const AditSess *session) {
  AditDpStats stats = {0};
  if (!session->plane)
    return;
  ADIT_HOLD(NULL, session->datapath->session_stats, "session_stats()", session->datapath->session_stats(session->plane, &stats));
  adit_value_set(map, "drops", adit_value_int((gint64)stats.drops));
  adit_value_set(map, "spoofed", adit_value_int((gint64)stats.spoofed));
  adit_value_set(map, "looped", adit_value_int((gint64)stats.looped));
}

AditValue *adit_session_describe(const char *which) {
  g_autoptr(GPtrArray) found = find_named(which);
  if (!found->len)
    return NULL;

  AditSess *session = found->pdata[0];
  AditValue *map = summarize_session(session);
  set_text(map, "called-id", session->called_id);
  set_text(map, "accounting-id", session->record_id);
  set_text(map, "source", session->source);
  set_text(map, "method", session->method);
  adit_value_set(map, "port", adit_value_int(session->number));
  adit_value_set(map, "mtu", adit_value_int(session->mtu));
  set_text(map, "bridge-interface", session->ether.port.name);
  add_plane(map, session);
  if (session->family[ADIT_SESS_IPV6].open) {
    set_address(map, "local-ipv6-address", &session->family[ADIT_SESS_IPV6].local);
    set_address(map, "remote-ipv6-address", &session->family[ADIT_SESS_IPV6].remote);
  }
  for (guint i = 0; i < 2; i++) {
    set_address(map, i ? "dns-2" : "dns-1", &session->dns[i]);
    set_address(map, i ? "wins-2" : "wins-1", &session->wins[i]);
  }
  adit_value_set(map, "routes", adit_sess_describe_routes(session));
  add_attributes(map, session->attributes);
  g_autofree char *missing = adit_actors_missing(session->attributes);
  set_text(map, "attributes-without-effect", missing);
  if (session->links->len)
    add_links(map, session);
  adit_sess_ncps_describe(session, map);
  adit_sess_ether_describe(session, map);
  adit_sess_stages_describe(session, map);
  return map;
}
