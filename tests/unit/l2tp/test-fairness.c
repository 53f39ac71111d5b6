/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A stranger takes all that can be had without a password; a client with one gets in all the same. */
#include "outsider.h"

#define STRANGER "203.0.113.9"

/** The server with these options of `l2tp`, and of the server; and a client that dials it. */
static void begin(const char *global, const char *options) {
  g_autofree char *s = g_strdup_printf("l2tp: { %s, servers: [ { %s%s } ] }", global, SERVER_ITEM, options);
  world_begin();
  assert_true(world_configure(&server, s));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM ", random-source-port: yes } ] }"));
  world_tap = outsider_tap;
}

/** A client gets its link. */
static Link *client_dials(void) {
  guint before = world_open_links(&client);
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&client), before + 1);
  Link *link = world_last_link(&server);
  assert_true(link->open);
  assert_string_equal(link->caller_id, "192.0.2.2");
  return link;
}

/** And is authenticated in it. */
static Link *client_gets_in(void) {
  Link *link = client_dials();
  l2tp_link_authenticated(server.l2tp, link->id);
  l2tp_link_started(server.l2tp, link->id);
  return link;
}

static void calls_that_never_speak_are_displaced(void **state) {
  begin("max-starting: 20", "");
  Link *first = client_gets_in();
  for (guint16 t = 0; t < 4; t++) {
    guint16 id = come_from(STRANGER, (guint16)(4000 + t), (guint16)(t + 1));
    for (guint i = 0; i < 12; i++)
      connect_call(STRANGER, (guint16)(4000 + t), id);
  }
  assert_int_equal(server.l2tp->starting, 20); /* over all tunnels together */
  assert_int_equal(server.l2tp->calls.count, 20);
  assert_true(server.l2tp->stats.starting_limited > 0);
  assert_int_equal(server.l2tp->stats.displaced_calls, 0); /* it does not displace itself at once */
  for (guint i = 0; i < 5; i++)
    client_dials();
  assert_int_equal(server.l2tp->stats.displaced_calls, 5);
  assert_true(first->open);
  assert_int_equal(world_open_links(&client), 6);
  assert_int_equal(server.l2tp->starting, 20);
  world_end();
}

/* Nobody holds more than others: then a call that is older than any login takes gives way, and only such a one. */
static void between_equals_the_old_give_way(void **state) {
  begin("max-starting: 5", "");
  for (guint i = 0; i < 5; i++) {
    g_autofree char *from = g_strdup_printf("10.0.%u.1", i);
    connect_call(from, 4000, come_from(from, 4000, 1));
  }
  assert_int_equal(server.l2tp->starting, 5);
  assert_non_null(world_dial(0, &client));
  world_run(2000);
  assert_int_equal(world_open_links(&client), 0); /* it waits, as all do in a storm */
  assert_int_equal(server.l2tp->stats.displaced_calls, 0);
  world_run(15000);
  assert_int_equal(world_open_links(&client), 1);
  assert_int_equal(server.l2tp->stats.displaced_calls, 1);
  world_end();
}

/* A user with a password who never gets a session up: he is not displaced, and does not keep others out. */
static void authenticated_links_that_never_come_up_keep_nobody_out(void **state) {
  begin("max-starting: 5", "");
  guint16 id = come_from(STRANGER, 4000, 1);
  for (guint i = 0; i < 5; i++) {
    connect_call(STRANGER, 4000, id);
    l2tp_link_authenticated(server.l2tp, world_last_link(&server)->id);
  }
  assert_int_equal(server.l2tp->starting, 5);
  assert_int_equal(server.l2tp->calls.count, 0);
  assert_non_null(world_dial(0, &client));
  world_run(2000);
  assert_int_equal(world_open_links(&client), 0);
  world_run(15000);
  assert_int_equal(world_open_links(&client), 1);
  assert_int_equal(world_open_links(&server), 6);
  assert_int_equal(server.l2tp->stats.displaced_calls, 0);
  assert_int_equal(server.l2tp->starting, 1);
  world_end();
}

/* The one whose turn it is to go may be a call of the very tunnel that asks. */
static void a_tunnel_may_displace_its_own_call(void **state) {
  begin("max-starting: 3", "");
  guint16 id = come_from(STRANGER, 4000, 1);
  for (guint i = 0; i < 3; i++)
    connect_call(STRANGER, 4000, id);
  world_run(10000);
  connect_call(STRANGER, 4000, id);
  assert_int_equal(server.l2tp->starting, 3);
  assert_int_equal(server.l2tp->stats.displaced_calls, 1);
  assert_int_equal(world_open_links(&server), 3);
  world_end();
}

static void links_that_never_authenticate_leave_max_sessions_to_others(void **state) {
  begin("max-starting: none", ", max-sessions: 6");
  Link *first = client_gets_in();
  guint16 id = come_from(STRANGER, 4000, 1);
  for (guint i = 0; i < 12; i++)
    connect_call(STRANGER, 4000, id);
  assert_int_equal(world_open_links(&server), 6);
  for (guint i = 0; i < 4; i++)
    client_gets_in();
  world_run(10000); /* the stranger has only one left */
  client_gets_in();
  assert_int_equal(world_open_links(&server), 6);
  assert_int_equal(world_open_links(&client), 6);
  assert_true(first->open);
  /* all are authenticated now: nobody gives way */
  guint64 before = server.l2tp->stats.calls_refused;
  connect_call(STRANGER, 4000, come_from(STRANGER, 4001, 2));
  assert_non_null(world_dial(0, &client));
  world_run(12000);
  assert_int_equal(world_open_links(&client), 6);
  assert_true(server.l2tp->stats.calls_refused > before);
  world_end();
}

static void tunnels_without_a_session_are_displaced(void **state) {
  begin("max-tunnels: 30", ", no-session-timeout: none");
  Link *first = client_gets_in();
  for (guint16 i = 0; i < 60; i++)
    come_from(STRANGER, (guint16)(4000 + i % 7), (guint16)(i + 1));
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 30);
  assert_int_equal(server.l2tp->strangers.count, 29);
  for (guint i = 0; i < 10; i++)
    client_gets_in();
  assert_int_equal(server.l2tp->stats.displaced_tunnels, 10);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 30);
  assert_int_equal(server.l2tp->strangers.count, 19);
  assert_true(first->open);
  world_end();
}

/* Its last session gone, a tunnel is anybody's again. */
static void a_tunnel_counts_again_after_its_last_session(void **state) {
  begin("max-tunnels: 30", "");
  Link *link = client_gets_in();
  assert_int_equal(server.l2tp->strangers.count, 0);
  link->open = FALSE;
  link->ops->closed(link->user, link->id, ADIT_CAUSE_USER_REQUEST, "over");
  assert_int_equal(server.l2tp->strangers.count, 1);
  world_run(40000);
  assert_int_equal(server.l2tp->strangers.count, 0);
  world_end();
}

/* A reload may lower the limits far below what is there: each newcomer displaces a few. */
static void a_lower_limit_is_reached_in_small_steps(void **state) {
  begin("max-tunnels: 100", ", no-session-timeout: none");
  for (guint16 i = 0; i < 50; i++)
    come_from(STRANGER, 4000, (guint16)(i + 1));
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 50);
  assert_true(world_configure(&server, "l2tp: { max-tunnels: 10, servers: [ { " SERVER_ITEM ", no-session-timeout: none } ] }"));
  for (guint i = 0; i < 25; i++) {
    guint before = g_hash_table_size(server.l2tp->tunnels);
    knock("10.0.0.1", 4000, "lac", (guint16)(i + 1));
    assert_true(before - g_hash_table_size(server.l2tp->tunnels) <= 2);
  }
  assert_true(g_hash_table_size(server.l2tp->tunnels) <= 10);
  client_gets_in();
  world_end();
}

static void ports_of_their_own_are_shared(void **state) {
  begin("max-tunnels: 1000", ", use-ephemeral-ports: yes, no-session-timeout: none");
  world_listeners_max = 6; /* the server's, the client's of each dial, four more */
  for (guint16 i = 0; i < 20; i++)
    come_from(STRANGER, 4000, (guint16)(i + 1));
  assert_int_equal(server.l2tp->ports.count, 5);
  assert_true(world_listeners == 6);
  world_listeners_max = 7;
  Link *link = client_gets_in();
  assert_int_not_equal(adit_endpoint_port(&link->path.local), 1701);
  assert_int_equal(server.l2tp->stats.evicted, 1);
  assert_int_equal(server.l2tp->ports.count, 4); /* the client's tunnel counts no more */
  world_end();
}

/* Where max-tunnels is below max-half-open, a flood with forged sources fills all tunnels: they give way as half-open ones do. */
static void half_open_tunnels_do_not_hold_the_last_places(void **state) {
  begin("max-tunnels: 50", "");
  for (guint i = 0; i < 200; i++) {
    g_autofree char *from = g_strdup_printf("10.%u.%u.1", i / 200, i % 200);
    knock(from, 1701, "flood", (guint16)(i + 1));
  }
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 50);
  assert_non_null(world_dial(0, &client));
  world_run(2000);
  assert_int_equal(world_open_links(&client), 1);
  world_end();
}

/* Stopping does not wait for peers that may not exist, and says nothing to them. */
static void stopping_in_a_flood_takes_no_time(void **state) {
  begin("max-half-open: 1000", "");
  for (guint i = 0; i < 500; i++) {
    g_autofree char *from = g_strdup_printf("10.%u.%u.1", i / 200, i % 200);
    knock(from, 1701, "flood", (guint16)(i + 1));
  }
  assert_int_equal(server.l2tp->half_open.count, 500);
  answers = 0;
  world_stop(&server);
  world_run(100);
  assert_int_equal(server.stopped, 1);
  assert_true(answers < 10); /* SCCRPs whose repeat was due */
  world_end();
}

/* ---- memory ---- */

/** So many half-open tunnels from everywhere, which end with the time that they have. */
static void flood_and_wait(guint tunnels) {
  for (guint i = 0; i < tunnels; i++) {
    g_autofree char *from = g_strdup_printf("10.%u.%u.1", i / 200, i % 200);
    knock(from, 1701, "flood", (guint16)(i + 1));
  }
  assert_int_equal(server.l2tp->half_open.count, tunnels);
  world_run(60000);
  assert_int_equal(server.l2tp->half_open.count, 0);
}

/* Once a flood; a few tunnels are not worth it. */
static void the_core_is_told_of_the_memory_that_a_flood_leaves(void **state) {
  begin("max-half-open: 2000", "");
  world_memory_freed = 0;
  flood_and_wait(100);
  assert_int_equal(world_memory_freed, 0);
  flood_and_wait(1500);
  assert_int_equal(world_memory_freed, 1);
  flood_and_wait(100);
  assert_int_equal(world_memory_freed, 1);
  flood_and_wait(1500);
  assert_int_equal(world_memory_freed, 2);
  world_end();
}

static gsize list_octets(const L2tpItem *item) {
  gsize octets = 0;
  for (; item; item = item->next)
    octets += sizeof *item + item->length + 16; /* and malloc's part */
  return octets;
}

/** What one tunnel of a stranger holds. */
static gsize peer_octets(const L2tpPeer *peer) {
  return sizeof *peer + list_octets(peer->tunnel.channel.send) + list_octets(peer->tunnel.channel.early);
}

static void send_hello(guint16 id, guint16 ns, gsize length) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_HELLO, id, 0, NULL, NULL);
  guint8 pad[1000] = {0};
  while ((gsize)(w.b.at - w.b.start) + 6 + sizeof pad < length) { /* AVPs of another vendor, not mandatory */
    adit_put_u16(&w.b, 6 + sizeof pad);
    adit_put_u16(&w.b, 4711);
    adit_put_u16(&w.b, 1);
    adit_put_bytes(&w.b, pad, sizeof pad);
  }
  gsize n = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, ns, 1);
  world_send(STRANGER, 4000, "192.0.2.1", w.buffer, n);
  world_run(2);
}

static void the_memory_of_a_strangers_tunnel_is_bounded(void **state) {
  begin("max-starting: none", ", receive-window: 1024");
  guint16 id = come_from(STRANGER, 4000, 1);
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(id));
  for (guint16 i = 0; i < 1000; i++) /* ahead of their turn: large, then small */
    send_hello(id, (guint16)(1000 - i), i < 500 ? 4000 : 20);
  assert_true(peer->tunnel.channel.early != NULL);
  assert_true(peer->tunnel.channel.dropped > 900);
  print_message("parked: %zu octets of a tunnel\n", peer_octets(peer));
  assert_true(peer_octets(peer) <= 4096);

  guint16 other = come_from(STRANGER, 4001, 2); /* asks for much, and never acknowledges */
  peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(other));
  for (guint16 i = 0; i < 1000; i++) {
    L2tpWriter w;
    l2tp_write_begin(&w, L2TP_ICRQ, other, 0, NULL, NULL);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, (guint16)(i + 1));
    l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, i + 1u);
    gsize length = l2tp_write_end(&w);
    l2tp_header_set_sequence(w.buffer, (guint16)(2 + i), 1);
    world_send(STRANGER, 4001, "192.0.2.1", w.buffer, length);
    if (i % 100 == 0)
      world_run(2);
  }
  world_run(2);
  print_message("not acknowledged: %zu octets of a tunnel\n", peer_octets(peer));
  assert_true(peer_octets(peer) <= 4096);

  /* An authenticated peer may use the window that was announced to it. */
  Link *link = client_gets_in();
  peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(link->encap.local_tunnel));
  assert_int_equal(peer->config.channel.parked_octets, 0);
  assert_int_equal(peer->config.channel.unacked_octets, 0);
  world_end();
}

/* ---- log ---- */

static guint lines, summaries, summed_up;

static GLogWriterOutput count_line(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n; i++) {
    const char *text = fields[i].value, *sum;
    if (strcmp(fields[i].key, "MESSAGE") != 0)
      continue;
    sum = strstr(text, " more like this were suppressed in the last ");
    lines++;
    if (!sum)
      continue;
    summaries++;
    while (sum > text && g_ascii_isdigit(sum[-1]))
      sum--;
    summed_up += (guint)g_ascii_strtoull(sum, NULL, 10);
  }
  return G_LOG_WRITER_HANDLED;
}

static void what_strangers_cause_is_logged_at_a_bounded_rate(void **state) {
  enum { TUNNELS = 1000 };
  begin("max-starting: none", "");
  lines = summaries = summed_up = 0;
  for (guint16 i = 0; i < TUNNELS; i++) { /* up, a call that is refused, down: 9 ms each */
    guint16 id = come_from(STRANGER, 4000, (guint16)(i + 1));
    L2tpWriter w;
    l2tp_write_begin(&w, L2TP_STOPCCN, id, 0, NULL, NULL);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, (guint16)(i + 1));
    l2tp_write_result(&w, 1, 0, NULL);
    gsize length = l2tp_write_end(&w);
    l2tp_header_set_sequence(w.buffer, 2, 1);
    world_send(STRANGER, 4000, "192.0.2.1", w.buffer, length);
    world_run(3);
  }
  assert_int_equal(server.downs, TUNNELS);
  assert_true(lines >= 100);
  assert_true(lines <= 2 * (50 + 9 * TUNNELS / 200 + 1)); /* of 2000 */
  assert_int_equal(summaries, 0);
  guint said = lines;
  world_run(60000);
  assert_int_equal(summaries, 2);                  /* tunnel up, tunnel down */
  assert_int_equal(said + summed_up, 2 * TUNNELS); /* none is forgotten */
  world_end();
}

/* A user with a valid login dials and hangs up, again and again. */
static void what_users_cause_is_logged_at_a_bounded_rate(void **state) {
  enum { TUNNELS = 400 };
  begin("max-starting: none", "");
  guint said = 0;
  for (guint16 i = 0; i < TUNNELS; i++) {
    guint16 id = come_from(STRANGER, 4000, (guint16)(i + 1));
    L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(id));
    L2tpWriter w;
    connect_call(STRANGER, 4000, id);
    l2tp_link_authenticated(server.l2tp, world_last_link(&server)->id);
    assert_true(peer->proven);
    l2tp_write_begin(&w, L2TP_STOPCCN, id, 0, NULL, NULL);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, (guint16)(i + 1));
    l2tp_write_result(&w, 1, 0, NULL);
    gsize length = l2tp_write_end(&w);
    l2tp_header_set_sequence(w.buffer, peer->tunnel.channel.nr, peer->tunnel.channel.ns);
    world_send(STRANGER, 4000, "192.0.2.1", w.buffer, length);
    lines = 0; /* of the tunnel's end alone */
    world_run(3);
    said += lines;
  }
  assert_int_equal(server.downs, TUNNELS);
  assert_in_range(said, 50, 50 + 20 * TUNNELS / 200 + 2);
  summaries = 0;
  world_run(60000);
  assert_int_equal(summaries, 2);
  world_end();
}

int main(void) {
  g_log_set_writer_func(count_line, NULL, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_that_never_speak_are_displaced),
      cmocka_unit_test(between_equals_the_old_give_way),
      cmocka_unit_test(authenticated_links_that_never_come_up_keep_nobody_out),
      cmocka_unit_test(a_tunnel_may_displace_its_own_call),
      cmocka_unit_test(links_that_never_authenticate_leave_max_sessions_to_others),
      cmocka_unit_test(tunnels_without_a_session_are_displaced),
      cmocka_unit_test(a_tunnel_counts_again_after_its_last_session),
      cmocka_unit_test(a_lower_limit_is_reached_in_small_steps),
      cmocka_unit_test(ports_of_their_own_are_shared),
      cmocka_unit_test(half_open_tunnels_do_not_hold_the_last_places),
      cmocka_unit_test(stopping_in_a_flood_takes_no_time),
      cmocka_unit_test(the_core_is_told_of_the_memory_that_a_flood_leaves),
      cmocka_unit_test(the_memory_of_a_strangers_tunnel_is_bounded),
      cmocka_unit_test(what_strangers_cause_is_logged_at_a_bounded_rate),
      cmocka_unit_test(what_users_cause_is_logged_at_a_bounded_rate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
