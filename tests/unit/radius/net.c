/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tests/unit/radius/net.h"

#include "plugins-auth/radius/options.h"

#include <errno.h>
#include <unistd.h>

/* ---- configuration ---- */

Net *net_new(void) {
  Net *net = g_new0(Net, 1);

  net->test = adit_test_new();
  net->fakes = g_ptr_array_new();
  net->radius.loop = adit_test_service(net->test, ADIT_LOOP_SERVICE);
  net->radius.aaa = adit_test_service(net->test, ADIT_AAA_SERVICE);
  net->radius.net = adit_test_service(net->test, ADIT_NET_SERVICE);
  return net;
}

void net_free(Net *net) {
  while (net->fakes->len)
    fake_free(net->fakes->pdata[0]);
  g_ptr_array_unref(net->fakes);
  radius_config_unref(net->radius.config);
  adit_test_free(net->test);
  g_free(net);
}

static const AditOption *option_of(const char *name) {
  for (guint i = 0; i < RADIUS_N_OPTIONS; i++)
    if (g_str_equal(radius_options[i].scopes, "radius.server") && g_str_equal(radius_options[i].name, name))
      return &radius_options[i];
  g_error("no such option: %s", name);
}

static AditValue *typed(const AditOption *option, const char *text) {
  AditAddress address;

  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return adit_value_bool(g_str_equal(text, "yes"));
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION: /* in ms */
    return adit_value_int(g_ascii_strtoll(text, NULL, 10));
  case ADIT_TYPE_ADDRESS:
    assert_true(adit_address_parse(text, &address));
    return adit_value_address(&address);
  case ADIT_TYPE_SET: {
    AditValue *list = adit_value_list();
    adit_value_append(list, adit_value_string(text));
    return list;
  }
  case ADIT_TYPE_STRING:
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
  case ADIT_TYPE_PREFIX:
  case ADIT_TYPE_ADDRESS_OR_NAME:
  case ADIT_TYPE_RANGE:
  case ADIT_TYPE_MAP:
  case ADIT_TYPE_OCTETS:
    return adit_value_string(text);
  }
  return NULL;
}

AditValue *net_server(const char *key, ...) {
  AditValue *item = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius.server");
  va_list args;

  adit_value_set(item, "address", adit_value_string("127.0.0.1"));
  adit_value_set(item, "secret", adit_value_secret(NET_SECRET));
  va_start(args, key);
  for (; key; key = va_arg(args, const char *)) {
    const char *text = va_arg(args, const char *);
    adit_value_set(item, key, typed(option_of(key), text));
    if (!g_str_equal(key, "name"))
      continue;
    g_autofree char *own = g_strdup_printf("127.0.1.%u", g_str_hash(text) % 250 + 1);
    adit_value_set(item, "address", adit_value_string(own));
  }
  va_end(args);
  return item;
}

AditValue *net_tree(AditValue *first, ...) {
  AditValue *tree = adit_value_map(), *own = adit_test_defaults(radius_options, RADIUS_N_OPTIONS, "radius"), *servers = adit_value_list();
  va_list args;

  va_start(args, first);
  for (AditValue *item = first; item; item = va_arg(args, AditValue *))
    adit_value_append(servers, item);
  va_end(args);
  adit_value_set(own, "servers", servers);
  adit_value_set(tree, "radius", own);
  return tree;
}

void net_configure(Net *net, AditValue *tree) {
  g_autoptr(GError) error = NULL;
  RadiusConfig *config = radius_config_new(&net->radius, tree, net->radius.config, &error);

  assert_null(error);
  radius_config_unref(net->radius.config);
  net->radius.config = config;
  radius_servers_resolve(config->servers);
  adit_value_unref(tree);
}

RadiusServer *net_get(Net *net, guint index) {
  return radius_servers_get(net->radius.config->servers, index);
}

/* ---- a server ---- */

static void put_answer(const Fake *fake, const FakeRequest *request, FakeMood mood, RadiusBuilder *b) {
  const char *secret = mood == FAKE_WRONG_SECRET ? "guessed" : NET_SECRET;
  RadiusPacket packet;

  assert_true(radius_packet_parse(request->data, request->length, &packet));
  guint8 code = fake->code ? fake->code : packet.code == RADIUS_ACCOUNTING_REQUEST ? RADIUS_ACCOUNTING_RESPONSE : RADIUS_ACCESS_ACCEPT;
  radius_build(b, code, packet.code == RADIUS_ACCESS_REQUEST && mood != FAKE_UNSIGNED && mood != FAKE_UNSIGNED_EAP);
  radius_put_string(b, 0, 18, "hello"); /* Reply-Message */
  if (mood == FAKE_UNSIGNED_EAP)
    radius_put(b, 0, 79, "\3\1\0\4", 4); /* EAP-Message: Success */
  radius_finish_reply(b, &packet, secret);
}

void fake_answer(Fake *fake, guint index, FakeMood mood) {
  const FakeRequest *request = fake_request(fake, index);
  RadiusBuilder b;

  if (mood == FAKE_SILENT)
    return;
  put_answer(fake, request, mood, &b);
  if (mood == FAKE_WRONG_AUTHENTICATOR)
    memset(b.data + 4, 0x5a, 16);
  if (mood == FAKE_BIT_FLIPPED)
    b.data[b.length - 1] ^= 1;
  if (mood == FAKE_WRONG_ID)
    b.data[1] ^= 0x80;
  if (mood == FAKE_TRUNCATED)
    b.length -= 3;
  if (mood == FAKE_EMPTY)
    b.length = 0;
  int fd = mood == FAKE_FROM_ELSEWHERE ? fake->other_fd : fake->fd;
  for (guint i = 0; i < (mood == FAKE_TWICE ? 2 : 1); i++)
    assert_int_equal(sendto(fd, b.data, b.length, 0, &request->from.any, adit_endpoint_size(&request->from)), (int)b.length);
}

static gboolean on_request(int fd, guint condition, gpointer data) {
  Fake *fake = data;
  FakeRequest request = {0};
  socklen_t size = sizeof request.from;
  gssize length = recvfrom(fd, request.data, sizeof request.data, MSG_DONTWAIT, &request.from.any, &size);

  if (length < 0)
    return TRUE;
  if (fake->lose) {
    fake->lose--;
    return TRUE;
  }
  request.length = (gsize)length;
  g_array_append_val(fake->requests, request);
  fake_answer(fake, fake->requests->len - 1, fake->mood);
  return TRUE;
}

static int open_loopback(const char *loopback, guint16 *port) {
  AditAddress address;
  assert_true(adit_address_parse(loopback, &address));
  AditEndpoint at = adit_endpoint(&address, 0);
  socklen_t size = adit_endpoint_size(&at);
  int fd = socket(address.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0 || bind(fd, &at.any, size) < 0)
    return -1;
  assert_int_equal(getsockname(fd, &at.any, &size), 0);
  *port = adit_endpoint_port(&at);
  return fd;
}

Fake *fake_new_at(Net *net, const char *loopback) {
  guint16 port, other;
  int fd = open_loopback(loopback, &port);

  if (fd < 0)
    return NULL;
  Fake *fake = g_new0(Fake, 1);
  fake->net = net;
  fake->fd = fd;
  fake->port = port;
  fake->other_fd = open_loopback(loopback, &other);
  g_snprintf(fake->port_text, sizeof fake->port_text, "%u", fake->port);
  fake->requests = g_array_new(FALSE, FALSE, sizeof(FakeRequest));
  fake->watch = net->radius.loop->watch_add(NULL, fake->fd, G_IO_IN, on_request, fake);
  g_ptr_array_add(net->fakes, fake);
  return fake;
}

Fake *fake_new(Net *net) {
  Fake *fake = fake_new_at(net, "127.0.0.1");
  assert_non_null(fake);
  return fake;
}

void fake_free(Fake *fake) {
  g_ptr_array_remove(fake->net->fakes, fake);
  fake->net->radius.loop->watch_remove(fake->watch);
  close(fake->fd);
  close(fake->other_fd);
  g_array_unref(fake->requests);
  g_free(fake);
}

const FakeRequest *fake_request(const Fake *fake, guint index) {
  assert_true(index < fake->requests->len);
  return &g_array_index(fake->requests, FakeRequest, index);
}

/* ---- an exchange ---- */

static void fill(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  Asked *asked = data;

  radius_put_string(b, 0, 1, "bob");
  if (asked->delay)
    radius_put_int(b, 0, 41, asked->delay);
  asked->filled++;
  asked->nas = radius_server_nas_address(server, RADIUS_AUTH);
}

static void done(const RadiusAnswer *answer, gpointer data) {
  Asked *asked = data;

  asked->done++;
  asked->result = answer->result;
  if (answer->reply)
    asked->code = answer->reply->code;
  if (answer->request_authenticator)
    memcpy(asked->authenticator, answer->request_authenticator, 16);
}

RadiusExchange *net_ask(Net *net, RadiusServer *server, guint8 code, gboolean impatient, Asked *asked) {
  const RadiusRequest request = {.code = code, .fill = fill, .done = done, .data = asked, .impatient = impatient};

  RadiusExchange *exchange = radius_exchange(server, &request);
  assert_int_equal(asked->done, 0);
  return exchange;
}
