/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "dae-wire.h"

#include "plugins-auth/radius/options.h"
#include <unistd.h>

AditTest *test;
Radius radius;
AditSessionService session;
RadiusDae *dae;
guint16 port, other_port;
guint lines;

GLogWriterOutput count_lines(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n; i++)
    if (!strcmp(fields[i].key, "MESSAGE") && strstr(fields[i].value, "dropped a request"))
      lines++;
  return G_LOG_WRITER_HANDLED;
}

/* ---- configuration ---- */

static AditValue *server_item(const char *name, const Settings *settings, const char *secret) {
  AditValue *item = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius.server");
  adit_value_set(item, "name", adit_value_string(name));
  adit_value_set(item, "address", adit_value_string(settings->server ? settings->server : "127.0.0.1"));
  adit_value_set(item, "secret", adit_value_string(secret));
  if (settings->radsec) {
    adit_value_set(item, "protocol", adit_value_string("radsec"));
    adit_value_set(item, "ca", adit_value_string("ca.pem"));
    adit_value_set(item, "certificate", adit_value_string("cert.pem"));
    adit_value_set(item, "key", adit_value_string("key.pem"));
  }
  return item;
}

static AditValue *incoming_of(const Settings *settings) {
  AditValue *incoming = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius.incoming"), *ports = adit_value_list(), *allowed = adit_value_list();
  AditAddress address = address_of(settings->address ? settings->address : "127.0.0.1");
  AditPrefix prefix;

  adit_value_append(ports, adit_value_int(settings->port ? settings->port : port));
  if (settings->second_port)
    adit_value_append(ports, adit_value_int(other_port));
  adit_value_set(incoming, "accept", adit_value_bool(!settings->closed));
  adit_value_set(incoming, "port", ports);
  if (!adit_address_is_any(&address))
    adit_value_set(incoming, "address", adit_value_address(&address));
  if (settings->allowed) {
    assert_true(adit_prefix_parse(settings->allowed, &prefix));
    adit_value_append(allowed, adit_value_prefix(&prefix));
  }
  adit_value_set(incoming, "allowed", allowed);
  if (settings->secret)
    adit_value_set(incoming, "secret", adit_value_string(settings->secret));
  adit_value_set(incoming, "require-message-auth", adit_value_bool(!settings->may_be_unsigned));
  adit_value_set(incoming, "require-event-timestamp", adit_value_bool(settings->needs_time));
  return incoming;
}

RadiusConfig *config_of(Settings settings) {
  g_autoptr(AditValue) tree = adit_value_map();
  g_autoptr(GError) error = NULL;
  AditValue *own = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius"), *servers = adit_value_list();

  adit_value_append(servers, server_item("one", &settings, SECRET));
  if (settings.second_secret)
    adit_value_append(servers, server_item("two", &settings, settings.second_secret));
  adit_value_set(own, "servers", servers);
  adit_value_set(own, "incoming", incoming_of(&settings));
  adit_value_set(own, "nas-identifier", adit_value_string("lns-1"));
  adit_value_set(tree, "radius", own);
  RadiusConfig *config = radius_config_new(&radius, tree, NULL, &error);
  if (!config)
    fail_msg("%s", error->message);
  return config;
}

void start(Settings settings) {
  g_autoptr(GError) error = NULL;
  radius.config = config_of(settings);
  dae = radius_dae_start(&radius, &error);
  if (!dae)
    fail_msg("%s", error->message);
}

gboolean reload(Settings settings, GError **error) {
  RadiusConfig *next = config_of(settings);
  if (!radius_dae_prepare(dae, next, error)) {
    radius_config_unref(next);
    return FALSE;
  }
  radius_config_unref(radius.config);
  radius.config = next;
  radius_dae_commit(dae);
  return TRUE;
}

/* ---- a server that asks ---- */

int bound(const char *address, guint16 at) {
  AditAddress ip = address_of(address);
  AditEndpoint end = adit_endpoint(&ip, at);
  int fd = socket(ip.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  assert_true(fd >= 0);
  if (bind(fd, &end.any, adit_endpoint_size(&end)) == 0)
    return fd;
  close(fd);
  return -1;
}

Peer *peer_new(const char *address) {
  Peer *peer = g_new0(Peer, 1);
  peer->fd = bound(address, 0);
  assert_true(peer->fd >= 0);
  return peer;
}

void peer_free(Peer *peer) {
  close(peer->fd);
  g_free(peer);
}

void send_octets(Peer *peer, const char *to, guint16 at, const guint8 *data, gsize length) {
  AditAddress ip = address_of(to);
  AditEndpoint end = adit_endpoint(&ip, at);
  assert_int_equal(sendto(peer->fd, data, length, 0, &end.any, adit_endpoint_size(&end)), length);
}

gboolean has_come(Peer *peer) {
  socklen_t size = sizeof peer->from;
  if (peer->length <= 0)
    peer->length = recvfrom(peer->fd, peer->answer, sizeof peer->answer, 0, &peer->from.any, &size);
  return peer->length > 0;
}

gboolean receive(Peer *peer) {
  peer->length = 0;
  return has_come(peer);
}

guint8 answered(Peer *peer, const Ask *ask, const char *secret, guint32 *cause) {
  RadiusAttribute attribute;
  RadiusPacket packet;

  peer->length = 0;
  assert_true(ADIT_TEST_UNTIL(test, has_come(peer), 5000));
  assert_int_equal(radius_check_reply(peer->answer, (gsize)peer->length, ask->packet.authenticator, secret, TRUE), RADIUS_GOOD);
  assert_true(radius_packet_parse(peer->answer, (gsize)peer->length, &packet));
  assert_int_equal(packet.id, ask->packet.id);
  *cause = 0;
  if (radius_packet_find(&packet, 0, ERROR_CAUSE, &attribute))
    assert_true(radius_attribute_int(&attribute, cause));
  return packet.code;
}

Ask *disconnect_of(const char *record, guint8 id, const char *secret) {
  Ask *ask = ask_new(RADIUS_DISCONNECT_REQUEST, TRUE);
  radius_put_string(&ask->b, 0, ACCT_SESSION_ID, record);
  ask_finish(ask, id, secret);
  return ask;
}

void send_ask(Peer *peer, const Ask *ask) {
  send_octets(peer, "127.0.0.1", port, ask->b.data, ask->b.length);
}

gboolean is_believed(Peer *peer, const char *to, guint16 at, guint8 id, const char *secret) {
  g_autofree Ask *ask = disconnect_of("nobody", id, secret);
  guint64 bad = radius_dae_stats(dae)->bad_requests;
  guint32 cause = 0;

  peer->length = 0;
  send_octets(peer, to, at, ask->b.data, ask->b.length);
  assert_true(ADIT_TEST_UNTIL(test, has_come(peer) || radius_dae_stats(dae)->bad_requests > bad, 5000));
  if (peer->length <= 0)
    return FALSE;
  assert_int_equal(radius_check_reply(peer->answer, (gsize)peer->length, ask->packet.authenticator, secret, TRUE), RADIUS_GOOD);
  RadiusPacket packet;
  RadiusAttribute attribute;
  assert_true(radius_packet_parse(peer->answer, (gsize)peer->length, &packet));
  assert_true(radius_packet_find(&packet, 0, ERROR_CAUSE, &attribute) && radius_attribute_int(&attribute, &cause));
  assert_int_equal(cause, RADIUS_DAE_NO_SESSION);
  return TRUE;
}

guint occurrences(const char *text) {
  guint n = 0;
  for (const char *at = adit_test_log(test); (at = strstr(at, text)); at++)
    n++;
  return n;
}

/* ---- setup ---- */

static guint16 free_port(void) {
  AditEndpoint end;
  socklen_t size = sizeof end;
  int fd = bound("127.0.0.1", 0);
  assert_int_equal(getsockname(fd, &end.any, &size), 0);
  close(fd);
  return adit_endpoint_port(&end);
}

int setup(void **state) {
  test = adit_test_new();
  session = *(const AditSessionService *)adit_test_service(test, ADIT_SESSION_SERVICE);
  radius =
      (Radius){.loop = adit_test_service(test, ADIT_LOOP_SERVICE), .bus = adit_test_service(test, ADIT_BUS_SERVICE), .session = &session};
  add_session(test, ALICE, "alice", "8100000a", FALSE);
  add_session(test, BOB, "bob", "8100000b", FALSE);
  port = free_port();
  do
    other_port = free_port();
  while (other_port == port);
  lines = 0;
  return 0;
}

int teardown(void **state) {
  radius_dae_stop(g_steal_pointer(&dae));
  g_clear_pointer(&radius.config, radius_config_unref);
  adit_test_free(test);
  return 0;
}
