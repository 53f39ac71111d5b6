/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * RadSec through libradcli with a real server: FreeRADIUS behind TLS, in a folder of its own with certificates made for the test. Skipped
 * where there is no FreeRADIUS or no openssl.
 */
#include "plugins-auth/radius/servers/radsec-session.h"
#include "tests/unit/radius/net.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REAL_MS = 20000 };

typedef struct {
  Net *net;
  char *folder;
  guint16 port;
  char port_text[6];
  GPid server;
  int stdin_fd, stdout_fd; /* the server's; it may end with the first, and what it says is always read */
  AditWatch *watch;
  GString *said;
} World;

/* ---- a folder with certificates and a configuration ---- */

static char *in_folder(const World *world, const char *name) {
  return g_build_filename(world->folder, name, NULL);
}

static void run(const World *world, const char *line) {
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) words = g_strsplit(line, " ", -1);
  int status = -1;

  if (!g_spawn_sync(world->folder, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                    NULL, NULL, &status, &error))
    fail_msg("%s: %s", line, error->message);
  assert_int_equal(status, 0);
}

static void put(const World *world, const char *name, const char *text) {
  g_autofree char *path = in_folder(world, name);
  assert_true(g_file_set_contents(path, text, -1, NULL));
}

/** A certificate of `who' for these names, by the authority. */
static void certify(const World *world, const char *who, const char *names) {
  g_autofree char *sign =
      g_strdup_printf("openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out %s.pem", who, who);

  put(world, "names", names);
  run(world, sign);
}

static void make_certificates(const World *world) {
  static const char *const who[] = {"server", "client"};

  run(world, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca");
  run(world, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout no.key -out no.pem -days 2 -subj /CN=no");
  for (guint i = 0; i < G_N_ELEMENTS(who); i++) {
    g_autofree char *ask =
        g_strdup_printf("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout %s.key -out %s.csr -subj /CN=%s",
                        who[i], who[i], who[i]);
    run(world, ask);
    certify(world, who[i], "subjectAltName=IP:127.0.0.1\n");
  }
}

static const char configuration[] =
    "name = radiusd\n"
    "prefix = @\nraddbdir = @\nlogdir = @\nrun_dir = @\nlibdir = /usr/lib/freeradius\n"
    "security {\n max_attributes = 200\n reject_delay = 0\n allow_vulnerable_openssl = yes\n}\n"
    "thread pool {\n start_servers = 2\n max_servers = 4\n min_spare_servers = 1\n max_spare_servers = 2\n}\n"
    "modules {\n pap {\n }\n files {\n  usersfile = @/users\n }\n detail {\n  filename = @/detail\n }\n}\n"
    "clients radsec {\n client local {\n  ipaddr = 127.0.0.1\n  proto = tls\n  secret = radsec\n }\n}\n"
    "server test {\n"
    " listen {\n  type = auth+acct\n  ipaddr = 127.0.0.1\n  port = PORT\n  proto = tcp\n  clients = radsec\n"
    "  tls {\n   private_key_file = @/server.key\n   certificate_file = @/server.pem\n   ca_file = @/ca.pem\n"
    "   require_client_cert = yes\n   cipher_list = DEFAULT\n   ecdh_curve = prime256v1\n"
    "   fragment_size = 8192\n  }\n }\n"
    " authorize {\n  files\n  pap\n }\n authenticate {\n  pap\n }\n preacct {\n }\n accounting {\n  detail\n }\n"
    "}\n";

static const char users[] = "bob Cleartext-Password := \"password\"\n"
                            "\tReply-Message = \"hello through TLS\",\n"
                            "\tSession-Timeout = 3600,\n"
                            "\tFramed-IP-Address = 10.9.8.7,\n"
                            "\tFramed-Route = \"192.0.2.0/24 0.0.0.0 1\",\n"
                            "\tFramed-Route += \"198.51.100.0/24 0.0.0.0 1\",\n"
                            "\tClass = 0x00ff01,\n"
                            "\tMikrotik-Rate-Limit = \"1M/2M\",\n"
                            "\tTunnel-Password = \"salted\"\n";

static gboolean is_free_for_tcp(guint16 port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean is_free = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;

  if (fd >= 0)
    close(fd);
  return is_free;
}

static guint16 find_free_port(World *world) {
  for (guint tries = 0; tries < 50; tries++) {
    Fake *fake = fake_new(world->net); /* free for UDP */
    guint16 port = (guint16)fake->port;
    fake_free(fake);
    if (is_free_for_tcp(port))
      return port;
  }
  fail_msg("no port is free for UDP and TCP");
  return 0;
}

static void make_configuration(World *world) {
  g_auto(GStrv) at = g_strsplit(configuration, "@", -1);
  g_autofree char *placed = g_strjoinv(world->folder, at);
  g_auto(GStrv) port = g_strsplit(placed, "PORT", -1);

  world->port = find_free_port(world);
  g_snprintf(world->port_text, sizeof world->port_text, "%u", world->port);
  g_autofree char *whole = g_strjoinv(world->port_text, port);
  put(world, "radiusd.conf", whole);
  put(world, "users", users);
  put(world, "dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n");
}

/* ---- the server ---- */

static gboolean on_said(int fd, guint condition, gpointer data) {
  World *world = data;
  char text[4096];
  gssize length = read(fd, text, sizeof text);

  if (length > 0) {
    g_string_append_len(world->said, text, length);
    return TRUE;
  }
  world->watch = NULL; /* it has ended */
  return FALSE;
}

#define UNTIL(expression) assert_true(ADIT_TEST_UNTIL(world->net->test, (expression), REAL_MS))

/** Starts it, and returns when it says that word: then it listens. */
static void start_program(World *world, const char *const *argv, const char *word) {
  g_autoptr(GError) error = NULL;

  if (!g_spawn_async_with_pipes(world->folder, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &world->server,
                                &world->stdin_fd, &world->stdout_fd, NULL, &error))
    fail_msg("%s", error->message);
  g_string_truncate(world->said, 0);
  world->watch = world->net->radius.loop->watch_add(NULL, world->stdout_fd, G_IO_IN, on_said, world);
  UNTIL(strstr(world->said->str, word) || !world->watch);
  if (!world->watch)
    fail_msg("%s does not start: %s", argv[0], world->said->str);
}

/** One that speaks TLS, and says nothing in it. */
static void start_mute(World *world) {
  const char *argv[] = {"openssl",    "s_server", "-accept", world->port_text, "-cert", "server.pem", "-key",
                        "server.key", "-CAfile",  "ca.pem",  "-Verify",        "1",     NULL};
  start_program(world, argv, "ACCEPT");
}

static void start_server(World *world) {
  const char *argv[] = {"freeradius", "-f", "-l", "stdout", "-d", world->folder, NULL};
  start_program(world, argv, "Ready to process requests");
}

static void stop_server(World *world) {
  if (!world->server)
    return;
  if (world->watch)
    world->net->radius.loop->watch_remove(g_steal_pointer(&world->watch));
  kill(world->server, SIGKILL); /* one that was held does not always end by SIGTERM */
  waitpid(world->server, NULL, 0);
  world->server = 0;
  close(world->stdin_fd);
  close(world->stdout_fd);
}

/** Answers nothing more, once this returns. */
static void hold_server(const World *world) {
  int status = 0;

  kill(world->server, SIGSTOP);
  assert_int_equal(waitpid(world->server, &status, WUNTRACED), world->server);
  assert_true(WIFSTOPPED(status));
}

static int set_up(void **state) {
  World *world = g_new0(World, 1);

  world->net = net_new();
  world->said = g_string_new(NULL);
  world->folder = g_dir_make_tmp("adit-radsec-XXXXXX", NULL);
  make_certificates(world);
  make_configuration(world);
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  World *world = *state;
  g_autoptr(GDir) dir = g_dir_open(world->folder, 0, NULL);
  const char *name;

  stop_server(world);
  net_free(world->net);
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *path = in_folder(world, name);
    g_unlink(path);
  }
  g_rmdir(world->folder);
  g_free(world->folder);
  g_string_free(world->said, TRUE);
  g_free(world);
  return 0;
}

static AditValue *tls_server(const World *world, const char *ca) {
  g_autofree char *authority = in_folder(world, ca), *certificate = in_folder(world, "client.pem"), *key = in_folder(world, "client.key");
  return net_server("protocol", "radsec", "authentication-port", world->port_text, "accounting-port", world->port_text, "ca", authority,
                    "certificate", certificate, "key", key, "radsec-timeout", "5000", NULL);
}

/* ---- asking ---- */

typedef struct {
  const char *password;
  const World *hold; /**< its server, as soon as this one is done */
  guint done;
  RadiusResult result;
  guint8 code;
  guint8 data[RADIUS_MAX];
  RadiusPacket packet;
  guint8 authenticator[16];
} Login;

static void fill(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  const Login *login = data;

  radius_put_string(b, 0, 1, "bob");
  if (login->password) {
    radius_set_authenticator(b, authenticator);
    radius_put_password(b, login->password, server->secret);
    radius_put_int(b, 0, 6, 2); /* Service-Type: Framed */
    radius_put_string(b, 14988, 9, "isp.example");
  } else {
    radius_put_int(b, 0, 40, 1); /* Acct-Status-Type: Start */
    radius_put_int(b, 0, 41, 17);
    radius_put_string(b, 0, 44, "81a00001");
  }
}

static void done(const RadiusAnswer *answer, gpointer data) {
  Login *login = data;

  login->done++;
  login->result = answer->result;
  if (login->hold)
    hold_server(login->hold);
  if (!answer->reply)
    return;
  login->packet = *answer->reply;
  memcpy(login->data, answer->reply->attributes, answer->reply->length);
  login->packet.attributes = login->data;
  memcpy(login->authenticator, answer->request_authenticator, 16);
}

static RadiusExchange *ask(World *world, Login *login) {
  const RadiusRequest request = {
      .code = login->password ? RADIUS_ACCESS_REQUEST : RADIUS_ACCOUNTING_REQUEST, .fill = fill, .done = done, .data = login};
  return radius_exchange(net_get(world->net, 0), &request);
}

static void answered(World *world, Login *login, guint8 code) {
  ask(world, login);
  UNTIL(login->done);
  assert_int_equal(login->result, RADIUS_ANSWERED);
  assert_int_equal(login->packet.code, code);
}

static void assert_value(const Login *login, guint32 vendor, guint8 type, const char *value, gsize length) {
  RadiusAttribute attribute;

  assert_true(radius_packet_find(&login->packet, vendor, type, &attribute));
  assert_int_equal(attribute.length, length);
  assert_memory_equal(attribute.value, value, length);
}

static void rfc6614_logins_and_records_go_through_tls(void **state) {
  World *world = *state;
  Login good = {.password = "password"}, bad = {.password = "wrong"}, record = {0};
  RadiusAttribute attribute;
  RadiusIter iter = {0};
  guint8 clear[249];
  gsize length;
  guint routes = 0;

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  answered(world, &good, RADIUS_ACCESS_ACCEPT);
  assert_value(&good, 0, 18, "hello through TLS", 17);
  assert_value(&good, 0, 27, "\0\0\x0e\x10", 4);
  assert_value(&good, 0, 8, "\x0a\x09\x08\x07", 4);
  assert_value(&good, 0, 25, "\0\xff\x01", 3);
  assert_value(&good, 14988, 8, "1M/2M", 5);
  while (radius_packet_next(&good.packet, &iter, &attribute))
    routes += attribute.type == 22;
  assert_int_equal(routes, 2);
  assert_true(radius_packet_find(&good.packet, 0, 69, &attribute));
  assert_true(radius_unsalt(attribute.value + 1, attribute.length - 1u, good.authenticator, "radsec", clear, &length));
  assert_int_equal(length, 6);
  assert_memory_equal(clear, "salted", 6);

  answered(world, &bad, RADIUS_ACCESS_REJECT);
  answered(world, &record, RADIUS_ACCOUNTING_RESPONSE);
  g_autofree char *path = in_folder(world, "detail"), *detail = NULL;
  assert_true(g_file_get_contents(path, &detail, NULL, NULL));
  assert_non_null(strstr(detail, "Acct-Session-Id = \"81a00001\""));
  assert_non_null(strstr(detail, "Acct-Delay-Time = 17"));
  assert_non_null(strstr(detail, "NAS-IP-Address = 127.0.0.1"));

  const RadiusPeer *peer = net_get(world->net, 0)->peer;
  assert_int_equal(peer->role[RADIUS_AUTH].stats.accepts, 1);
  assert_int_equal(peer->role[RADIUS_AUTH].stats.rejects, 1);
  assert_int_equal(peer->role[RADIUS_ACCT].stats.accepts, 1);
}

/** More at once than there are workers: they wait for their turn. */
static void many_at_once_take_turns(void **state) {
  World *world = *state;
  Login logins[40] = {0};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  for (guint i = 0; i < G_N_ELEMENTS(logins); i++) {
    logins[i].password = "password";
    ask(world, &logins[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS(logins); i++) {
    UNTIL(logins[i].done);
    assert_int_equal(logins[i].result, RADIUS_ANSWERED);
  }
}

/**
 * A worker takes them one after the other: those whose turn does not come say nothing of a server that answers. The second one is sent to a
 * server that is held since it answered the first one.
 */
static void who_waits_too_long_for_his_turn_accuses_nobody(void **state) {
  World *world = *state;
  Login records[40] = {{.hold = world}};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  for (guint i = 0; i < G_N_ELEMENTS(records); i++)
    ask(world, &records[i]);
  UNTIL(records[0].done);
  assert_int_equal(records[0].result, RADIUS_ANSWERED);
  adit_test_advance(world->net->test, 5000);
  for (guint i = 1; i < G_N_ELEMENTS(records); i++) {
    assert_int_equal(records[i].done, 1);
    assert_int_equal(records[i].result, i == 1 ? RADIUS_TIMEOUT : RADIUS_UNSENT);
  }
  const RadiusRoleState *role = &net_get(world->net, 0)->peer->role[RADIUS_ACCT];
  assert_false(role->dead);
  assert_int_equal(role->stats.timeouts, 1);
}

static void a_server_that_restarts_is_found_again(void **state) {
  World *world = *state;
  Login first = {.password = "password"}, gone = {.password = "password"}, back = {.password = "password"};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  answered(world, &first, RADIUS_ACCESS_ACCEPT);
  stop_server(world);
  ask(world, &gone);
  UNTIL(gone.done); /* at once: nobody listens */
  assert_int_equal(gone.result, RADIUS_TIMEOUT);
  start_server(world);
  answered(world, &back, RADIUS_ACCESS_ACCEPT);
}

/** What was lost with a connection that had been good is asked again through another. */
static void a_connection_that_was_cut_costs_no_login(void **state) {
  World *world = *state;
  Login first = {.password = "password"}, second = {.password = "password"};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  answered(world, &first, RADIUS_ACCESS_ACCEPT);
  stop_server(world);
  start_server(world);
  answered(world, &second, RADIUS_ACCESS_ACCEPT);
  assert_int_equal(net_get(world->net, 0)->peer->role[RADIUS_AUTH].stats.resends, 1);
}

static void a_certificate_of_others_is_not_believed(void **state) {
  World *world = *state;
  Login login = {.password = "password"};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "no.pem"), NULL));
  ask(world, &login);
  UNTIL(login.done);
  assert_int_equal(login.result, RADIUS_TIMEOUT);
}

static void a_certificate_for_another_name_is_not_believed(void **state) {
  World *world = *state;
  Login login = {.password = "password"};

  certify(world, "server", "subjectAltName=IP:127.0.0.2,DNS:other.example\n");
  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  ask(world, &login);
  UNTIL(login.done);
  assert_int_equal(login.result, RADIUS_TIMEOUT);
}

/** libradcli does not say why there is no connection. */
static void trouble(World *world, const char *ca, const char *expected) {
  g_autofree char *authority = in_folder(world, ca), *certificate = in_folder(world, "client.pem"), *key = in_folder(world, "client.key");
  AditAddress address = adit_address_ipv4(0x7f000001);
  const RadsecSettings settings = {.at = adit_endpoint(&address, world->port),
                                   .host = (char *)"127.0.0.1",
                                   .certificate = certificate,
                                   .private_key = key,
                                   .ca = authority,
                                   .timeout_ms = 5000};
  RadsecRequest request = {.code = RADIUS_ACCESS_REQUEST, .secret = "radsec"};
  RadsecSession *session = radsec_session_new();
  gboolean fresh = FALSE;

  assert_int_equal(radsec_session_request(session, &settings, &request, &fresh), RADSEC_BROKEN);
  if (!strstr(request.trouble, expected))
    fail_msg("no \"%s\" in: %s", expected, request.trouble);
  radsec_session_retire(session);
}

static void why_there_is_no_connection_is_told(void **state) {
  World *world = *state;

  trouble(world, "ca.pem", "Connection refused");
  start_server(world);
  trouble(world, "nowhere.pem", "nowhere.pem: No such file or directory");
  trouble(world, "no.pem", "no handshake");
}

/** libradcli may wait for ever in a connection that is up: it is interrupted, and the server asked anew when it has come to its senses. */
static void a_mute_server_holds_no_thread(void **state) {
  World *world = *state;
  Login mute = {.password = "password"}, back = {.password = "password"};
  gint64 end = g_get_monotonic_time() + REAL_MS * 1000;

  start_mute(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  ask(world, &mute);
  adit_test_advance(world->net->test, 5000);
  UNTIL(mute.done);
  assert_int_equal(mute.result, RADIUS_TIMEOUT);
  while (world->net->radius.radsec[RADIUS_AUTH].running.length) {
    assert_true(g_get_monotonic_time() < end);
    adit_test_advance(world->net->test, 1000);
    adit_test_iterate(world->net->test, 10);
  }
  stop_server(world);
  start_server(world);
  answered(world, &back, RADIUS_ACCESS_ACCEPT);
}

static void one_that_is_given_up_is_not_told(void **state) {
  World *world = *state;
  Login cancelled = {.password = "password"}, next = {.password = "password"};

  start_server(world);
  net_configure(world->net, net_tree(tls_server(world, "ca.pem"), NULL));
  radius_exchange_cancel(ask(world, &cancelled));
  answered(world, &next, RADIUS_ACCESS_ACCEPT);
  UNTIL(net_get(world->net, 0)->peer->role[RADIUS_AUTH].stats.late == 1);
  assert_int_equal(cancelled.done, 0);
}

int main(void) {
  g_autofree char *server = g_find_program_in_path("freeradius"), *openssl = g_find_program_in_path("openssl");

  if (!server || !openssl)
    return 77; /* automake: skipped */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(rfc6614_logins_and_records_go_through_tls),
      TEST(many_at_once_take_turns),
      TEST(who_waits_too_long_for_his_turn_accuses_nobody),
      TEST(a_server_that_restarts_is_found_again),
      TEST(a_connection_that_was_cut_costs_no_login),
      TEST(a_certificate_of_others_is_not_believed),
      TEST(a_certificate_for_another_name_is_not_believed),
      TEST(why_there_is_no_connection_is_told),
      TEST(a_mute_server_holds_no_thread),
      TEST(one_that_is_given_up_is_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
