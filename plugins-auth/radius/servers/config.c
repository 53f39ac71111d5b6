/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"
#include "../options.h"
#include "radius-server.h"
#include <adit/mistake.h>

enum { AUTH_PORT = 1812, ACCT_PORT = 1813, RADSEC_PORT = 2083, PATIENCE_MS = 30000 };
/* RFC 6614 2.3, RFC 7360 2.1: what is hidden inside TLS is hidden with these */
static const char *const tls_secrets[] = {[RADIUS_TLS] = "radsec", [RADIUS_DTLS] = "radius/dtls"};

/* ---- a server ---- */

static RadiusProtocol protocol_of(const char *word) {
  return !g_strcmp0(word, "radsec") ? RADIUS_TLS : !g_strcmp0(word, "radsec-dtls") ? RADIUS_DTLS : RADIUS_UDP;
}

/** RFC 1123 2.1, and the underscore that people use. */
static gboolean is_host_name(const char *text) {
  return g_ascii_isalnum(*text) && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")];
}

static void read_address(RadiusServer *server, const AditValue *item, GError **wrong) {
  const AditValue *value = radius_option_server_address_value(item);
  const char *text = value ? value->as.string : "";
  const AditAddress *source = radius_option_server_src_address(item);
  gint64 auth_port = radius_option_server_authentication_port(item), acct_port = radius_option_server_accounting_port(item);
  AditAddress address;

  server->port[RADIUS_AUTH] = (guint16)(auth_port ? auth_port : server->protocol ? RADSEC_PORT : AUTH_PORT);
  server->port[RADIUS_ACCT] = (guint16)(acct_port ? acct_port : server->protocol ? RADSEC_PORT : ACCT_PORT);
  if (source && !adit_address_is_any(source))
    server->source = *source;

  if (!adit_address_parse(text, &address)) {
    if (is_host_name(text))
      server->host = g_strdup(text);
    else
      adit_mistake(wrong, value ? value : item, "radius.servers", "address: `%s' is neither an IP address nor a name", text);
    return;
  }
  if (adit_address_is_any(&address))
    adit_mistake(wrong, value, "radius.servers", "address: %s can't be the address of a server", text);
  if (server->source.family && server->source.family != address.family)
    adit_mistake(wrong, radius_option_server_src_address_value(item), "radius.servers", "src-address is not of the same family as address");
  for (guint role = 0; role < RADIUS_ROLES; role++)
    server->at[role] = adit_endpoint(&address, server->port[role]);
}

static void read_secret(RadiusServer *server, const AditValue *item, GError **wrong) {
  const AditValue *secret = radius_option_server_secret_value(item);

  server->shared = adit_value_ref(secret);
  server->secret = server->protocol != RADIUS_UDP ? tls_secrets[server->protocol] : secret ? secret->as.string : "";
  if (server->protocol == RADIUS_UDP && !secret)
    adit_mistake(wrong, item, "radius.servers", "`%s' has no secret: set one", server->name);
}

static void read_tls(RadiusServer *server, const AditValue *item, GError **wrong) {
  server->certificate = g_strdup(radius_option_server_certificate(item));
  server->private_key = g_strdup(radius_option_server_key(item));
  server->ca = g_strdup(radius_option_server_ca(item));
  if (server->protocol == RADIUS_UDP)
    return;
  if (server->source.family)
    adit_mistake(wrong, radius_option_server_src_address_value(item), "radius.servers", "src-address: not possible with RadSec: remove it");
  if (!server->ca)
    adit_mistake(wrong, item, "radius.servers", "`%s' needs `ca': set the file of the CA certificates", server->name);
  if (!server->certificate || !server->private_key)
    adit_mistake(wrong, item, "radius.servers", "`%s' needs `certificate' and `key': set the files of the client certificate",
                 server->name);
}

/** The name it is given, else its address; in a list where that is there already, with a number behind. */
static char *name_of(const AditValue *item, const RadiusServers *servers, GError **wrong) {
  const AditValue *written = radius_option_server_name_value(item);
  const char *base = written ? written->as.string : radius_option_server_address(item);
  g_autofree char *name = g_strdup(base ? base : "-");

  for (guint i = 0, number = 2; i < radius_servers_count(servers); i++) {
    if (strcmp(radius_servers_get(servers, i)->name, name))
      continue;
    if (written) {
      adit_mistake(wrong, written, "radius.servers", "name: `%s' is used twice", base);
      break;
    }
    g_free(name);
    name = g_strdup_printf("%s#%u", base, number++);
    i = (guint)-1;
  }
  return g_steal_pointer(&name);
}

static RadiusServer *read_server(const AditValue *item, const RadiusServers *servers, GError **wrong) {
  RadiusServer *server = g_new0(RadiusServer, 1);

  server->refs = 1;
  server->name = name_of(item, servers, wrong);
  server->protocol = protocol_of(radius_option_server_protocol(item));
  read_address(server, item, wrong);
  read_secret(server, item, wrong);
  read_tls(server, item, wrong);
  server->require_signature = g_strcmp0(radius_option_server_require_message_auth(item), "no") != 0;
  server->accounting_backup = radius_option_server_accounting_backup(item);
  server->backup = radius_option_server_backup(item);
  server->realm = g_strdup(radius_option_server_realm(item));
  server->called_id = g_strdup(radius_option_server_called_id(item));
  server->domain = g_strdup(radius_option_server_domain(item));
  server->timeout_ms = (guint)radius_option_server_timeout(item);
  server->tries = (guint)radius_option_server_tries(item);
  if (server->protocol != RADIUS_UDP) {
    server->timeout_ms = (guint)radius_option_server_radsec_timeout(item);
    server->tries = 1;
  }
  server->weight = (guint)radius_option_server_weight(item);
  server->max_in_flight = (guint)radius_option_server_max_in_flight(item);
  server->dead_time_ms = (guint)radius_option_server_dead_time(item);
  server->dead_after = (guint)radius_option_server_dead_after(item);
  return server;
}

/** Not every entry of a RouterOS's list is for us. */
static gboolean is_for_ppp(const AditValue *item) {
  const AditValue *services = radius_option_server_service(item);

  for (guint i = 0; i < adit_value_length(services); i++) {
    const char *word = adit_value_at(services, i)->as.string;
    if (g_str_equal(word, "ppp") || g_str_equal(word, "l2tp"))
      return TRUE;
  }
  return FALSE;
}

static void read_servers(RadiusConfig *config, const AditValue *list, const RadiusConfig *before, GError **wrong) {
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    if (!radius_option_server_disabled(item) && is_for_ppp(item))
      radius_servers_add(config->servers, read_server(item, config->servers, wrong), before ? before->servers : NULL);
  }
}

/* ---- dynamic authorization ---- */

static void read_incoming(RadiusConfig *config, const AditValue *incoming, GError **wrong) {
  const AditValue *ports = radius_option_incoming_port(incoming), *allowed = radius_option_incoming_allowed(incoming);
  const AditAddress *address = radius_option_incoming_address(incoming);

  config->incoming.accept = radius_option_incoming_accept(incoming);
  config->incoming.ports = g_array_new(FALSE, FALSE, sizeof(guint16));
  for (guint i = 0; i < adit_value_length(ports); i++) {
    guint16 port = (guint16)adit_value_at(ports, i)->as.integer;
    g_array_append_val(config->incoming.ports, port);
  }
  if (address)
    config->incoming.address = *address;
  config->incoming.allowed = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < adit_value_length(allowed); i++)
    g_ptr_array_add(config->incoming.allowed, g_memdup2(&adit_value_at(allowed, i)->as.prefix, sizeof(AditPrefix)));
  config->incoming.shared = adit_value_ref(radius_option_incoming_secret_value(incoming));
  config->incoming.secret = config->incoming.shared ? config->incoming.shared->as.string : NULL;
  config->incoming.require_signature = radius_option_incoming_require_message_auth(incoming);
  config->incoming.require_timestamp = radius_option_incoming_require_event_timestamp(incoming);
  config->incoming.window_s = (guint)(radius_option_incoming_event_timestamp_window(incoming) / 1000);
  if (config->incoming.accept && !config->incoming.secret && !radius_servers_count(config->servers))
    adit_mistake(wrong, incoming, "radius.incoming", "accept needs a secret or a server: set `secret', or add a server");
}

/* ---- the whole ---- */

RadiusConfig *radius_config_new(Radius *radius, const AditValue *tree, const RadiusConfig *before, GError **error) {
  const AditValue *own = radius_option(tree), *spool = radius_option_spool(own);
  const char *identifier = radius_option_nas_identifier(own);
  const AditAddress *nas = radius_option_nas_address(own);
  RadiusConfig *config = g_new0(RadiusConfig, 1);
  GError *wrong = NULL;

  config->refs = 1;
  config->servers = radius_servers_new(radius);
  config->nas_identifier = g_strdup(identifier ? identifier : g_get_host_name());
  if (nas)
    config->nas_address = *nas;
  config->framed_mtu = radius_option_accept_framed_mtu(own);
  config->swap_octets = !g_strcmp0(radius_option_accounting_direction(own), "routeros");
  config->use_accounting_on = radius_option_accounting_on(own);
  config->spool_records = (guint64)radius_option_spool_max_records(spool);
  config->spool_drop_oldest = !g_strcmp0(radius_option_spool_when_full(spool), "drop-oldest");
  read_servers(config, radius_option_servers(own), before, &wrong);
  read_incoming(config, radius_option_incoming(own), &wrong);
  if (!wrong)
    return config;
  g_propagate_error(error, wrong);
  radius_config_unref(config);
  return NULL;
}

RadiusConfig *radius_config_ref(RadiusConfig *config) {
  config->refs++;
  return config;
}

void radius_config_unref(RadiusConfig *config) {
  if (!config || --config->refs)
    return;
  radius_servers_unref(config->servers);
  g_free(config->nas_identifier);
  g_array_unref(config->incoming.ports);
  g_ptr_array_unref(config->incoming.allowed);
  adit_value_unref(config->incoming.shared);
  g_free(config);
}

/** A peer has hung up by then. */
static void warn_of_patience(const RadiusServer *server) {
  guint64 wait_ms = (guint64)server->timeout_ms * server->tries;

  if (wait_ms > PATIENCE_MS)
    adit_warning(NULL, "server %s: timeout and tries add up to %" G_GUINT64_FORMAT " s, and clients give up after half a minute",
                 server->name, wait_ms / 1000);
}

void radius_config_warn(const RadiusConfig *config) {
  if (!radius_servers_count(config->servers))
    adit_warning(NULL, "radius.servers has no enabled server for ppp: no user can be authenticated");
  for (guint i = 0; i < radius_servers_count(config->servers); i++) {
    const RadiusServer *server = radius_servers_get(config->servers, i);
    if (!server->require_signature && server->protocol == RADIUS_UDP)
      adit_warning(NULL,
                   "server %s: require-message-auth is `no': an attacker on the path can forge its replies (BlastRADIUS, CVE-2024-3596)",
                   server->name);
    warn_of_patience(server);
  }
}
