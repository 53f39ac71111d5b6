/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "radius-server.h"

#include <nettle/hmac.h>

/* ---- life ---- */

static void peer_unref(RadiusPeer *peer) {
  if (!peer || --peer->refs)
    return;
  for (guint i = 0; i < RADIUS_ROLES; i++)
    if (peer->role[i].transport)
      peer->role[i].transport_free(peer->role[i].transport);
  g_free(peer->key);
  g_free(peer);
}

RadiusServer *radius_server_ref(RadiusServer *server) {
  server->refs++;
  return server;
}

static const char protected_as[] = "a RADIUS server";

void radius_server_protect(RadiusServer *server) {
  const AditNetService *net = server->radius->net;
  AditAddress now = adit_endpoint_address(&server->at[RADIUS_AUTH]);
  RadiusAddresses wanted = server->addresses;

  if (!ADIT_HAS(net, protect))
    return;
  if (!wanted.count && adit_address_is_set(&now))
    radius_addresses_add(&wanted, &now);
  for (guint i = 0; i < wanted.count; i++)
    if (!radius_addresses_have(&server->shielded, &wanted.list[i]))
      net->protect(ADIT_PROTECT_SERVER, &wanted.list[i], protected_as);
  for (guint i = 0; i < server->shielded.count; i++)
    if (!radius_addresses_have(&wanted, &server->shielded.list[i]))
      net->unprotect(ADIT_PROTECT_SERVER, &server->shielded.list[i], protected_as);
  server->shielded = wanted;
}

gboolean radius_server_is_at(const RadiusServer *server, const AditAddress *address) {
  AditAddress at = adit_endpoint_address(&server->at[RADIUS_AUTH]);
  return radius_addresses_have(&server->addresses, address) || (adit_address_is_set(&at) && adit_address_equal(&at, address));
}

void radius_server_move(RadiusServer *server) {
  AditAddress before = adit_endpoint_address(&server->at[RADIUS_AUTH]);
  const AditAddress *address = &server->addresses.list[server->addresses.now];
  char text[ADIT_ADDRESS_TEXT];

  if (!server->addresses.count || adit_address_equal(&before, address))
    return;
  for (guint role = 0; role < RADIUS_ROLES; role++) {
    server->at[role] = adit_endpoint(address, server->port[role]);
    server->peer->role[role].silence = 0;
  }
  adit_info(NULL, "server %s: %s is %s", server->name, server->host, adit_address_format(address, text));
}

gboolean radius_server_turn(RadiusServer *server, const AditAddress *asked) {
  gboolean more = radius_addresses_turn(&server->addresses, asked);

  radius_server_move(server);
  return more;
}

void radius_server_unref(RadiusServer *server) {
  if (!server || --server->refs)
    return;
  for (guint i = 0; i < server->shielded.count; i++)
    server->radius->net->unprotect(ADIT_PROTECT_SERVER, &server->shielded.list[i], protected_as);
  peer_unref(server->peer);
  adit_value_unref(server->shared);
  char *const texts[] = {server->name,   server->host,        server->realm,       server->called_id,
                         server->domain, server->certificate, server->private_key, server->ca};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(texts[i]);
  g_free(server);
}

RadiusServers *radius_servers_new(Radius *radius) {
  RadiusServers *servers = g_new0(RadiusServers, 1);

  servers->refs = 1;
  servers->radius = radius;
  servers->list = g_ptr_array_new_with_free_func((GDestroyNotify)radius_server_unref);
  return servers;
}

RadiusServers *radius_servers_ref(RadiusServers *servers) {
  servers->refs++;
  return servers;
}

void radius_servers_unref(RadiusServers *servers) {
  if (!servers || --servers->refs)
    return;
  servers->radius->loop->timer_cancel(&servers->look_up);
  g_clear_pointer(&servers->groups, g_ptr_array_unref);
  g_ptr_array_unref(servers->list);
  g_free(servers);
}

/** Tells secrets apart in keys, which are no place for a secret: a hash with a key of this process. */
static const char *hash_secret(const RadiusServer *server, char text[2 * SHA256_DIGEST_SIZE + 1]) {
  static guint8 key[16];
  static gboolean has_key;
  struct hmac_sha256_ctx hmac;
  guint8 digest[SHA256_DIGEST_SIZE];

  if (!has_key)
    server->radius->loop->random(key, sizeof key);
  has_key = TRUE;
  hmac_sha256_set_key(&hmac, sizeof key, key);
  hmac_sha256_update(&hmac, strlen(server->secret), (const guint8 *)server->secret);
  hmac_sha256_digest(&hmac, sizeof digest, digest);
  explicit_bzero(&hmac, sizeof hmac);
  for (guint i = 0; i < sizeof digest; i++)
    g_snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return text;
}

/** The settings that make it the same server after a reload. */
static char *peer_key(const RadiusServer *server) {
  char source[ADIT_ADDRESS_TEXT], at[ADIT_ENDPOINT_TEXT], secret[2 * SHA256_DIGEST_SIZE + 1];

  return g_strdup_printf("%d %s %u %u %s %s %s %s %s", (int)server->protocol,
                         server->host ? server->host : adit_endpoint_format(&server->at[RADIUS_AUTH], at), server->port[RADIUS_AUTH],
                         server->port[RADIUS_ACCT], adit_address_format(&server->source, source),
                         server->certificate ? server->certificate : "", server->private_key ? server->private_key : "",
                         server->ca ? server->ca : "", hash_secret(server, secret));
}

static gboolean share_peer(RadiusServer *server, const char *key, const RadiusServers *others) {
  for (guint i = 0; others && i < others->list->len; i++) {
    const RadiusServer *other = others->list->pdata[i];
    if (!g_str_equal(other->peer->key, key))
      continue;
    server->peer = other->peer;
    server->peer->refs++;
    memcpy(server->at, other->at, sizeof server->at);
    server->addresses = other->addresses;
    return TRUE;
  }
  return FALSE;
}

void radius_servers_add(RadiusServers *servers, RadiusServer *server, const RadiusServers *before) {
  server->radius = servers->radius;
  char *key = peer_key(server);

  if (share_peer(server, key, servers) || share_peer(server, key, before)) {
    g_free(key);
  } else {
    server->peer = g_new0(RadiusPeer, 1);
    server->peer->refs = 1;
    server->peer->key = key;
  }
  g_ptr_array_add(servers->list, server);
  g_clear_pointer(&servers->groups, g_ptr_array_unref);
}

guint radius_servers_count(const RadiusServers *servers) {
  return servers->list->len;
}

RadiusServer *radius_servers_get(const RadiusServers *servers, guint index) {
  return servers->list->pdata[index];
}

AditAddress radius_server_nas_address(const RadiusServer *server, RadiusRole role) {
  const RadiusConfig *config = server->radius->config;

  return config && adit_address_is_set(&config->nas_address) ? config->nas_address : server->peer->role[role].local;
}

/* ---- fitting servers ---- */

/** The same text, or the same address written in another way. */
static gboolean same_called(const char *wanted, const char *called) {
  AditAddress a, b;
  return g_str_equal(wanted, called) || (adit_address_parse(wanted, &a) && adit_address_parse(called, &b) && adit_address_equal(&a, &b));
}

/** How much of what the request has is named by the server; -1 when it is for others. */
static gint rate_fitness(const RadiusServer *server, const RadiusWant *want) {
  const char *at = want->user ? strrchr(want->user, '@') : NULL, *slash = want->user ? strchr(want->user, '\\') : NULL;
  gint named = 0;

  if (server->called_id) {
    if (!want->called_id || !same_called(server->called_id, want->called_id))
      return -1;
    named++;
  }
  if (server->domain) {
    if (!slash || strlen(server->domain) != (gsize)(slash - want->user) ||
        g_ascii_strncasecmp(server->domain, want->user, (gsize)(slash - want->user)))
      return -1;
    named++;
  }
  if (server->realm && at) {
    if (g_ascii_strcasecmp(server->realm, at + 1))
      return -1;
    named++;
  }
  return named;
}

static gint best_fitness(const RadiusServers *servers, const RadiusWant *want) {
  gint best = -1;

  for (guint i = 0; i < servers->list->len; i++)
    best = MAX(best, rate_fitness(servers->list->pdata[i], want));
  return best;
}

gboolean radius_servers_serve(const RadiusServers *servers, const RadiusWant *want) {
  return best_fitness(servers, want) >= 0;
}

/* ---- groups ---- */

static gboolean same_word(const char *a, const char *b) {
  return a && b ? !g_ascii_strcasecmp(a, b) : a == b;
}

static gboolean same_group(const RadiusServer *a, const RadiusServer *b) {
  return same_word(a->realm, b->realm) && same_word(a->domain, b->domain) &&
         (a->called_id && b->called_id ? same_called(a->called_id, b->called_id) : a->called_id == b->called_id);
}

static gboolean has_peer(const RadiusServers *servers, const RadiusServer *group, const RadiusPeer *peer) {
  for (guint i = 0; i < servers->list->len; i++) {
    const RadiusServer *server = servers->list->pdata[i];
    if (server->peer == peer && same_group(server, group))
      return TRUE;
  }
  return FALSE;
}

/** All servers of a group are in the other. */
static gboolean is_within(const RadiusServers *servers, const RadiusServer *group, const RadiusServer *other) {
  for (guint i = 0; i < servers->list->len; i++) {
    const RadiusServer *server = servers->list->pdata[i];
    if (same_group(server, group) && !has_peer(servers, other, server->peer))
      return FALSE;
  }
  return TRUE;
}

static gboolean is_of(const RadiusServers *servers, const RadiusServer *server, const RadiusServer *group) {
  return same_group(server, group) || (is_within(servers, server, group) && is_within(servers, group, server));
}

GPtrArray *radius_servers_groups(const RadiusServers *servers) {
  GPtrArray *groups = g_ptr_array_new();

  for (guint i = 0; i < servers->list->len; i++) {
    guint known = 0;
    while (known < groups->len && !is_of(servers, servers->list->pdata[i], groups->pdata[known]))
      known++;
    if (known == groups->len)
      g_ptr_array_add(groups, servers->list->pdata[i]);
  }
  return groups;
}

guint radius_servers_group(RadiusServers *servers, const RadiusWant *want) {
  gint best = best_fitness(servers, want);
  guint first = 0, group = 0;

  if (!servers->groups)
    servers->groups = radius_servers_groups(servers);
  if (best < 0)
    return servers->groups->len;
  while (rate_fitness(servers->list->pdata[first], want) != best)
    first++;
  while (!is_of(servers, servers->list->pdata[first], servers->groups->pdata[group]))
    group++;
  return group;
}

/* ---- the next server ---- */

typedef enum { FIRST = 0, BACKUP, SUSPECT, DEAD, NOT_NOW } Rank;

static gboolean may_begin(const RadiusServer *server, RadiusRole role) {
  const RadiusRoleState *state = &server->peer->role[role];

  return server->at[role].any.sa_family && state->in_flight < (state->dead ? 1 : server->max_in_flight);
}

static Rank rank_server(const RadiusServer *server, RadiusRole role, guint64 now) {
  const RadiusRoleState *state = &server->peer->role[role];

  if (!may_begin(server, role))
    return NOT_NOW;
  if (state->dead && now < state->dead_until_ms)
    return DEAD;
  if (state->in_flight && state->silence >= server->dead_after) /* requests that wait for it will find out */
    return SUSPECT;
  return server->backup || (role == RADIUS_ACCT && server->accounting_backup) ? BACKUP : FIRST;
}

/** One of them by chance, as their weights say; the first when none is written. */
static RadiusServer *by_weight(const RadiusServers *servers, RadiusServer *const *these, guint n) {
  guint total = 0;
  gboolean written = FALSE;
  guint32 dice;

  for (guint i = 0; i < n; i++) {
    total += MAX(these[i]->weight, 1);
    written |= these[i]->weight != 0;
  }
  if (!written)
    return these[0];
  servers->radius->loop->random(&dice, sizeof dice);
  dice = (guint32)((guint64)dice * total >> 32);
  for (guint i = 0; i < n; i++) {
    if (dice < MAX(these[i]->weight, 1))
      return these[i];
    dice -= MAX(these[i]->weight, 1);
  }
  return these[n - 1];
}

RadiusServer *radius_servers_pick(RadiusServers *servers, const RadiusWant *want, const GPtrArray *tried) {
  g_autofree RadiusServer **these = g_new(RadiusServer *, servers->list->len + 1);
  gint best = best_fitness(servers, want);
  guint64 now = servers->radius->loop->now();
  Rank lowest = NOT_NOW;
  guint n = 0;

  for (guint i = 0; best >= 0 && i < servers->list->len; i++) {
    RadiusServer *server = servers->list->pdata[i];
    if (rate_fitness(server, want) != best || (tried && g_ptr_array_find((GPtrArray *)tried, server, NULL)))
      continue;
    Rank here = rank_server(server, want->role, now);
    if (here > lowest || here == NOT_NOW)
      continue;
    if (here < lowest)
      n = 0;
    lowest = here;
    these[n++] = server;
  }
  return n ? by_weight(servers, these, n) : NULL;
}

/* ---- health ---- */

gboolean radius_server_begin(RadiusServer *server, RadiusRole role) {
  if (!may_begin(server, role))
    return FALSE;
  server->peer->role[role].in_flight++;
  return TRUE;
}

static void mark_alive(RadiusServer *server, RadiusRole role) {
  RadiusRoleState *state = &server->peer->role[role];

  state->failures = state->silence = 0;
  if (!state->dead)
    return;
  state->dead = FALSE;
  adit_notice(NULL, "server %s responds to %s again", server->name, role == RADIUS_AUTH ? "authentication" : "accounting");
}

/** Then the cause may be the configuration at either end, and not only an unreachable server. */
static gboolean never_heard(const RadiusServer *server) {
  const RadiusRoleState *role = server->peer->role;

  return server->protocol == RADIUS_UDP && !role[RADIUS_AUTH].stats.accepts && !role[RADIUS_AUTH].stats.rejects &&
         !role[RADIUS_ACCT].stats.accepts;
}

static void failed_again(RadiusServer *server, RadiusRole role) {
  RadiusRoleState *state = &server->peer->role[role];

  state->failures++;
  if (state->failures < server->dead_after)
    return;
  if (!state->dead)
    adit_warning(NULL, "server %s does not respond to %s: dead for %u s%s", server->name,
                 role == RADIUS_AUTH ? "authentication" : "accounting", server->dead_time_ms / 1000,
                 never_heard(server) ? "; a server that has no entry for this machine, or another secret, does not respond either" : "");
  state->dead = TRUE;
  state->dead_until_ms = server->radius->loop->now() + server->dead_time_ms;
}

void radius_server_silent(RadiusServer *server, RadiusRole role) {
  server->peer->role[role].silence++;
}

void radius_server_end(RadiusServer *server, RadiusRole role, gboolean answered, gboolean failed) {
  server->peer->role[role].in_flight--;
  if (answered) {
    server->addresses.silent = 0;
    mark_alive(server, role);
  } else if (failed)
    failed_again(server, role);
}
