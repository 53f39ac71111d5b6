/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "radius-server.h"

#include <netdb.h>

enum { AGAIN_MS = 300000, RETRY_MS = 10000 };

/** One name: its addresses of the family that is wanted, in order of RFC 6724. */
typedef struct {
  char *host;
  int family; /* AF_UNSPEC = any */
  RadiusAddresses found;
} Name;

/** All names of a list, looked up one after another on one of the plugin's threads. */
typedef struct {
  RadiusServers *servers; /* main loop only */
  GArray *names;
} LookUp;

static void name_clear(gpointer name) {
  g_free(((Name *)name)->host);
}

static void look_up(gpointer data) {
  LookUp *job = data;

  for (guint i = 0; i < job->names->len; i++) {
    Name *name = &g_array_index(job->names, Name, i);
    struct addrinfo hints = {.ai_family = name->family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    if (getaddrinfo(name->host, NULL, &hints, &found))
      continue;
    for (struct addrinfo *at = found; at; at = at->ai_next) {
      AditEndpoint endpoint = {0};
      memcpy(&endpoint, at->ai_addr, MIN(at->ai_addrlen, sizeof endpoint));
      AditAddress address = adit_endpoint_address(&endpoint);
      if (adit_address_is_set(&address))
        radius_addresses_add(&name->found, &address);
    }
    freeaddrinfo(found);
  }
}

/** Known addresses stay when a name can't be looked up now. */
static gboolean apply_names(RadiusServer *server, const GArray *names) {
  for (guint i = 0; i < names->len; i++) {
    const Name *name = &g_array_index(names, Name, i);
    if (strcmp(name->host, server->host) || name->family != (server->source.family ? server->source.family : AF_UNSPEC))
      continue;
    if (name->found.count) {
      radius_addresses_renew(&server->addresses, &name->found);
      radius_server_move(server);
      radius_server_protect(server);
    } else if (!server->nameless) {
      adit_warning(NULL, "server %s: %s does not resolve to an address", server->name, server->host);
    }
    server->nameless = !name->found.count;
    return name->found.count != 0;
  }
  return FALSE;
}

static void looked_up(gpointer data) {
  LookUp *job = data;
  RadiusServers *servers = job->servers;
  gboolean all = TRUE;

  for (guint i = 0; i < servers->list->len; i++) {
    RadiusServer *server = servers->list->pdata[i];
    if (server->host)
      all &= apply_names(server, job->names);
  }
  servers->radius->loop->timer_arm(&servers->look_up, all ? AGAIN_MS : RETRY_MS);
  g_array_unref(job->names);
  g_free(job);
  radius_servers_unref(servers);
}

static void on_resolve_due(AditTimer *timer, gpointer data) {
  radius_servers_resolve(data);
}

void radius_servers_resolve(RadiusServers *servers) {
  GArray *names = g_array_new(FALSE, TRUE, sizeof(Name));

  g_array_set_clear_func(names, name_clear);
  for (guint i = 0; i < servers->list->len; i++) {
    RadiusServer *server = servers->list->pdata[i];
    Name name = {.family = server->source.family ? server->source.family : AF_UNSPEC};
    radius_server_protect(server);
    if (!server->host)
      continue;
    name.host = g_strdup(server->host);
    g_array_append_val(names, name);
  }
  servers->look_up.func = on_resolve_due;
  servers->look_up.data = servers;
  LookUp *job = g_new0(LookUp, 1);
  *job = (LookUp){radius_servers_ref(servers), names};
  if (names->len && servers->radius->loop->run_blocking(servers->radius->plugin, look_up, looked_up, job))
    return;
  if (names->len)
    servers->radius->loop->timer_arm(&servers->look_up, RETRY_MS);
  g_array_unref(names);
  g_free(job);
  radius_servers_unref(servers);
}
