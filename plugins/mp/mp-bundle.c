/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-bundle.h"
#include <adit/session-options.h>

/* ---- what LCP agreed on ---- */

static guint16 read_mrru(const AditSessionService *sessions, AditLinkId link, gboolean peer) {
  AditPppOption option;
  return sessions->link_option(link, MP_LCP_MRRU, peer, &option) ? mp_option_number(&option) : 0;
}

void mp_agreed_read(const AditSessionService *sessions, AditLinkId link, MpAgreed *out) {
  AditPppOption option;
  *out = (MpAgreed){.own_mrru = read_mrru(sessions, link, FALSE),
                    .peer_mrru = read_mrru(sessions, link, TRUE),
                    .send_short = sessions->link_option(link, MP_LCP_SHORT, TRUE, &option),
                    .receive_short = sessions->link_option(link, MP_LCP_SHORT, FALSE, &option)};
  if (sessions->link_option(link, MP_LCP_DISCRIMINATOR, TRUE, &option))
    mp_discriminator_read(&option, &out->peer);
}

const char *mp_agreed_misfit(const MpAgreed *bundle, const MpAgreed *link) {
  if (!mp_agreed_both(link))
    return "the link has no Multilink any more";
  if (bundle->send_short != link->send_short || bundle->receive_short != link->receive_short)
    return "its sequence numbers have another length than the bundle's";
  return NULL;
}

/* ---- links ---- */

char *mp_bundle_key(const AditLinkInfo *link, const MpAgreed *agreed) {
  GString *key = g_string_new(link->client ? "client " : "user ");
  for (guint i = 0; i < agreed->peer.length; i++)
    g_string_append_printf(key, "%02x", agreed->peer.data[i]);
  g_string_append_printf(key, " %s", link->client ? link->server : link->user);
  return g_string_free(key, FALSE);
}

MpBundle *mp_bundle_new(const AditSessionService *sessions, AditSessionId session, const AditLinkInfo *founder) {
  MpBundle *bundle = g_new0(MpBundle, 1);
  MpAgreed agreed;

  mp_agreed_read(sessions, founder->id, &agreed);
  bundle->sessions = sessions;
  bundle->session = session;
  bundle->key = mp_agreed_both(&agreed) ? mp_bundle_key(founder, &agreed) : NULL;
  bundle->client = founder->client ? g_strdup(founder->server) : NULL;
  bundle->members = g_array_new(FALSE, TRUE, sizeof(MpMember));
  bundle->counters = mp_counters_new();
  return bundle;
}

void mp_bundle_free(MpBundle *bundle) {
  if (bundle->loop)
    bundle->loop->timer_cancel(&bundle->timer);
  mp_early_free(bundle->early);
  g_free(bundle->key);
  g_free(bundle->client);
  g_array_unref(bundle->members);
  mp_counters_unref(bundle->counters);
  g_free(bundle);
}

static MpMember *member_at(const MpBundle *bundle, guint i) {
  return &g_array_index(bundle->members, MpMember, i);
}

MpMember *mp_bundle_member(const MpBundle *bundle, AditLinkId link) {
  for (guint i = 0; i < bundle->members->len; i++)
    if (member_at(bundle, i)->id == link)
      return member_at(bundle, i);
  return NULL;
}

guint mp_bundle_place(const MpBundle *bundle, const MpMember *member) {
  return (guint)(member - member_at(bundle, 0));
}

void mp_bundle_refresh(MpBundle *bundle, MpMember *member) {
  AditLinkInfo info = {.size = sizeof info};
  if (!bundle->sessions->link_info(member->id, &info))
    return;
  member->mtu = info.mtu ? info.mtu : info.peer_mru;
  mp_agreed_read(bundle->sessions, member->id, &member->agreed);
}

void mp_bundle_add(MpBundle *bundle, const AditLinkInfo *link) {
  MpMember member = {.id = link->id, .up = TRUE};
  mp_bundle_refresh(bundle, &member);
  g_array_append_val(bundle->members, member);
}

void mp_bundle_remove(MpBundle *bundle, AditLinkId link) {
  for (guint i = 0; i < bundle->members->len; i++)
    if (member_at(bundle, i)->id == link) {
      g_clear_pointer(&bundle->early, mp_early_free); /* it counts links by their places */
      g_array_remove_index(bundle->members, i);
      return;
    }
}

gboolean mp_bundle_is_alive(const MpBundle *bundle) {
  for (guint i = 0; i < bundle->members->len; i++)
    if (member_at(bundle, i)->up)
      return TRUE;
  return FALSE;
}

static void lower_limit(guint *limit, gint64 to) {
  if (to > 0 && to < *limit)
    *limit = (guint)to;
}

guint mp_bundle_limit(const AditValue *session, const AditValue *link) {
  guint limit = ADIT_STAGE_LINKS;
  lower_limit(&limit, mp_option_max_links(session));
  lower_limit(&limit, adit_option_port_limit(session));
  lower_limit(&limit, mp_option_max_links(link));
  lower_limit(&limit, adit_option_port_limit(link));
  return limit;
}

/* ---- do its links answer? ---- */

static void read_link_facts(const MpBundle *bundle, const MpMember *member, MpLinkFacts *out) {
  AditDpStats stats = {.last_rx_ms = 0};
  AditLinkInfo info = {.size = sizeof info};
  if (!member->up || !member->attached || !bundle->sessions->link_stats(member->id, &stats) ||
      !bundle->sessions->link_info(member->id, &info))
    return;
  *out = (MpLinkFacts){.up = TRUE,
                       .heard_ms = stats.last_rx_ms,
                       .sent_ms = stats.last_tx_ms,
                       .data_ms = stats.last_data_ms,
                       .answered_ms = info.answered_ms,
                       .round_trip_ms = info.round_trip_ms};
}

gboolean mp_bundle_watch(MpBundle *bundle, guint64 now_ms, guint32 *changed, guint *wait_ms) {
  MpWatched links[ADIT_STAGE_LINKS] = {0};
  guint n = MIN(bundle->members->len, ADIT_STAGE_LINKS);
  guint32 rested = 0;

  for (guint i = 0; i < n; i++) {
    links[i].state = &member_at(bundle, i)->watch;
    rested |= links[i].state->rests ? 1u << i : 0;
    read_link_facts(bundle, member_at(bundle, i), &links[i].facts);
  }
  gboolean publish = mp_watch_look(links, n, bundle->lost, now_ms);
  bundle->lost = FALSE;
  *changed = 0;
  for (guint i = 0; i < n; i++) {
    *changed |= ((rested >> i & 1) != (guint)links[i].state->rests) ? 1u << i : 0;
    if (links[i].probe)
      bundle->sessions->link_probe(member_at(bundle, i)->id);
  }
  *wait_ms = n > 1 ? mp_watch_wait(links, n, now_ms) : 0;
  return publish;
}

/* ---- the stage ---- */

/* RFC 1990 5.1.1 wants all links to offer one MRRU. Of peers that don't, the smallest is what all of them take. */
static guint16 least_peer_mrru(const MpBundle *bundle) {
  guint16 least = 0;
  for (guint i = 0; i < bundle->members->len; i++) {
    const MpAgreed *agreed = &member_at(bundle, i)->agreed;
    if (mp_agreed_both(agreed) && (!least || agreed->peer_mrru < least))
      least = agreed->peer_mrru;
  }
  return least;
}

void mp_bundle_fill(const MpBundle *bundle, MpParams *params) {
  *params = (MpParams){.counters = bundle->counters, .peer_mrru = least_peer_mrru(bundle)};
  for (guint i = 0; i < bundle->members->len; i++) {
    const MpMember *member = member_at(bundle, i);
    params->own_mrru = MAX(params->own_mrru, member->agreed.own_mrru);
    params->send_short = member->agreed.send_short;
    params->receive_short = member->agreed.receive_short;
    if (!member->attached)
      continue;
    params->link[member->index].mtu = member->mtu;
    params->resting |= member->watch.rests ? 1u << member->index : 0;
    params->silent |= member->watch.silent ? 1u << member->index : 0;
  }
}

/* On one link a packet that fits needs no Multilink, and may be larger than the MRRU. */
guint mp_bundle_mtu(const MpBundle *bundle) {
  guint mrru = least_peer_mrru(bundle);
  if (mrru && bundle->members->len == 1)
    return MAX(mrru, member_at(bundle, 0)->mtu);
  return mrru;
}

/* ---- for people ---- */

static void set_number(AditValue *map, const char *key, guint64 value) {
  adit_value_set(map, key, adit_value_int((gint64)value));
}

static AditValue *describe_member(const MpMember *member, const MpCounters *counters) {
  AditValue *map = adit_value_map();
  const MpLinkCounters *own = &counters->link[member->index];
  g_autofree char *id = g_strdup_printf("%" G_GINT64_MODIFIER "x", member->id);

  adit_value_set(map, "id", adit_value_string(id));
  adit_value_set(map, "running", adit_value_bool(member->up && member->attached && !member->watch.rests));
  set_number(map, "mtu", member->mtu);
  if (!member->attached)
    return map;
  set_number(map, "tx-fragments", own->tx_fragments);
  set_number(map, "tx-octets", own->tx_octets);
  set_number(map, "rx-fragments", own->rx_fragments);
  set_number(map, "rx-octets", own->rx_octets);
  set_number(map, "late", own->late);
  return map;
}

static void describe_counters(AditValue *map, const MpCounters *counters) {
  set_number(map, "tx-packets", counters->tx_packets);
  set_number(map, "tx-fragmented", counters->tx_fragmented);
  set_number(map, "tx-too-long", counters->tx_too_long);
  set_number(map, "tx-dropped", counters->tx_dropped);
  set_number(map, "rx-packets", counters->rx_packets);
  set_number(map, "rx-reassembled", counters->rx_reassembled);
  set_number(map, "lost", counters->lost);
  set_number(map, "expired", counters->expired);
  set_number(map, "broken", counters->broken);
  set_number(map, "too-long", counters->too_long);
  set_number(map, "no-memory", counters->no_memory);
  set_number(map, "malformed", counters->malformed);
  set_number(map, "resyncs", counters->resyncs);
  set_number(map, "held", counters->held);
}

AditValue *mp_bundle_describe(gpointer data) {
  const MpBundle *bundle = data;
  AditValue *map = adit_value_map(), *links = adit_value_list();
  char text[MP_DISCRIMINATOR_TEXT];
  MpCounters counters;
  MpParams params;

  mp_counters_read(bundle->counters, &counters);
  mp_bundle_fill(bundle, &params);
  set_number(map, "mrru", params.own_mrru);
  set_number(map, "peer-mrru", params.peer_mrru);
  adit_value_set(map, "header-to-peer", adit_value_string(params.send_short ? "short" : "long"));
  adit_value_set(map, "header-from-peer", adit_value_string(params.receive_short ? "short" : "long"));
  if (bundle->members->len)
    adit_value_set(map, "peer-discriminator", adit_value_string(mp_discriminator_format(&member_at(bundle, 0)->agreed.peer, text)));
  describe_counters(map, &counters);
  for (guint i = 0; i < bundle->members->len; i++)
    adit_value_append(links, describe_member(member_at(bundle, i), &counters));
  adit_value_set(map, "links", links);
  return map;
}
