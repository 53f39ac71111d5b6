/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Servers with a name: which of its addresses is dialled, and when it is looked up. The resolver is ours. */
#include "world.h"

#include <netdb.h>
#include <stdlib.h>

static const char *answer[20]; /* until NULL */
static guint lookups;
static int asked_family;

/* In place of libc's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
  struct addrinfo **tail = list;

  lookups++;
  asked_family = hints->ai_family;
  *list = NULL;
  for (guint i = 0; answer[i]; i++) {
    AditAddress address;
    assert_true(adit_address_parse(answer[i], &address));
    struct addrinfo *item = calloc(1, sizeof *item + sizeof(AditEndpoint));
    AditEndpoint at = adit_endpoint(&address, 0);
    item->ai_family = address.family;
    item->ai_addr = (struct sockaddr *)(item + 1);
    item->ai_addrlen = adit_endpoint_size(&at);
    memcpy(item + 1, &at, sizeof at);
    *tail = item;
    tail = &item->ai_next;
  }
  return *list ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list) {
  while (list) {
    struct addrinfo *next = list->ai_next;
    free(list);
    list = next;
  }
}

static GString *dialled; /* addresses, in order, each once in a row */

static void tap(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  char text[ADIT_ADDRESS_TEXT];
  AditAddress remote = adit_endpoint_address(&path->remote);

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || h.tunnel || h.ns) /* an SCCRQ */
    return;
  g_autofree char *word = g_strdup_printf("%s ", adit_address_format(&remote, text));
  if (!g_str_has_suffix(dialled->str, word))
    g_string_append(dialled, word);
}

#define NAMED(host) "l2tp: { clients: [ { name: dial, connect-to: " host ", data-path: 'null', user: a, password: b } ] }"

static void begin(const char *const *addresses) {
  world_begin();
  lookups = 0;
  dialled = g_string_new(NULL);
  world_tap = tap;
  memset(answer, 0, sizeof answer);
  for (guint i = 0; addresses[i]; i++)
    answer[i] = addresses[i];
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM " } ] }"));
  assert_true(world_configure(&client, NAMED("lns.example")));
}
#define BEGIN(...) begin((const char *const[]){__VA_ARGS__, NULL})

static void end(void) {
  g_string_free(dialled, TRUE);
  world_end();
}

/** An attempt until its end; what was dialled. */
static void attempt(const char *expected) {
  g_string_truncate(dialled, 0);
  assert_non_null(world_dial(0, &client));
  world_run(70000);
  assert_string_equal(dialled->str, expected);
}

static void each_attempt_takes_the_next_address(void **state) {
  BEGIN("192.0.2.8", "2001:db8::9", "192.0.2.1");
  attempt("192.0.2.8 ");
  attempt("2001:db8::9 ");
  assert_int_equal(client.dials_failed, 2);
  assert_int_equal(lookups, 1);
  attempt("192.0.2.1 ");
  assert_int_equal(world_open_links(&client), 1);
  end();
}

static void a_round_that_is_over_begins_with_a_look_up(void **state) {
  BEGIN("192.0.2.8", "192.0.2.9");
  attempt("192.0.2.8 ");
  attempt("192.0.2.9 ");
  assert_int_equal(lookups, 1);
  answer[0] = "192.0.2.1"; /* it has moved */
  attempt("192.0.2.1 ");
  assert_int_equal(lookups, 2);
  assert_int_equal(world_open_links(&client), 1);
  end();
}

static void a_connection_begins_a_new_round(void **state) {
  BEGIN("192.0.2.1", "192.0.2.9");
  for (guint i = 0; i < 2; i++) {
    attempt("192.0.2.1 ");
    Link *link = world_last_link(&client);
    assert_true(link->open);
    link->open = FALSE;
    link->ops->closed(link->user, link->id, ADIT_CAUSE_ADMIN_RESET, "down");
    world_run(40000);
    assert_int_equal(lookups, i + 1);
  }
  end();
}

static void another_name_is_looked_up(void **state) {
  BEGIN("192.0.2.8", "192.0.2.9");
  attempt("192.0.2.8 ");
  assert_true(world_configure(&client, NAMED("other.example")));
  attempt("192.0.2.8 ");
  assert_int_equal(lookups, 2);
  assert_int_equal(g_hash_table_size(client.l2tp->rounds), 1);
  assert_true(world_configure(&client, "l2tp: { max-tunnels: 10 }"));
  assert_int_equal(g_hash_table_size(client.l2tp->rounds), 0);
  end();
}

static void addresses_are_bounded_and_none_is_an_error(void **state) {
  BEGIN("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.10",
        "10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14", "10.0.0.15", "10.0.0.16", "10.0.0.17", "10.0.0.18");
  for (guint i = 1; i <= 16; i++) {
    g_autofree char *expected = g_strdup_printf("10.0.0.%u ", i);
    attempt(expected);
  }
  assert_int_equal(lookups, 1);
  memset(answer, 0, sizeof answer);
  attempt("");
  assert_int_equal(client.dials_failed, 17);
  assert_true(g_str_has_prefix(client.dial_error, "lns.example: "));
  end();
}

static void src_address_tells_the_family(void **state) {
  BEGIN("192.0.2.1");
  assert_true(world_configure(&client,
                              "l2tp: { clients: [ { name: dial, connect-to: lns.example, src-address: 192.0.2.2, data-path: 'null', user: "
                              "a, password: b } ] }"));
  attempt("192.0.2.1 ");
  assert_int_equal(asked_family, AF_INET);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_attempt_takes_the_next_address),
      cmocka_unit_test(a_round_that_is_over_begins_with_a_look_up),
      cmocka_unit_test(a_connection_begins_a_new_round),
      cmocka_unit_test(another_name_is_looked_up),
      cmocka_unit_test(addresses_are_bounded_and_none_is_an_error),
      cmocka_unit_test(src_address_tells_the_family),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
