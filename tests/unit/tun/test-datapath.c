/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Packets and frames across the data path: sockets on one side, interfaces on the other. */
#include "core/base/loop.h"
#include "packets.h"
#include "plugins/l2tp/engine/header.h"
#include "settled.h"
#include "tests/lib/loop.h"
#include "world.h"
#include <adit/ppp.h>

#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void packets_cross_both_ways(void **state) {
  World *w = *state;
  guint8 packet[2048];
  AditEndpoint from;
  AditDpStats stats;
  for (guint n = 0; n < 2; n++) { /* their homes differ */
    session_start(w, n);
    int inside = inside_socket(n);
    peer_packet(w, n, (Wrap){0}, 1);
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(packet[1], 8);
    assert_int_equal(sendto(inside, "answer", 6, 0, &from.any, sizeof from.in), 6);
    assert_int_equal(peer_receive(w, n, packet), 34);
    TunPacket p;
    assert_true(tun_packet_parse(packet, 34, &p));
    assert_true(tun_packet_verify(packet, &p));
    assert_memory_equal(packet + 28, "answer", 6);
    tun_session_stats(w->session[n].session, &stats);
    assert_int_equal(stats.counters.rx_packets, 1);
    assert_int_equal(stats.counters.rx_octets, 128);
    assert_int_equal(stats.counters.tx_octets, 34);
    assert_true(stats.last_data_ms > 0);
    tun_link_stats(w->session[n].link, &stats);
    assert_int_equal(stats.counters.rx_octets, 132);
    assert_int_equal(stats.counters.tx_octets, 38);
    close(inside);
    session_end(&w->session[n]);
    assert_int_equal(w->session[n].final.rx_packets, 1);
    assert_int_equal(w->session[n].final.tx_octets, 34);
  }
}

static void rfc1661_2_all_framings_and_rfc2661_3_1_all_headers_are_taken(void **state) {
  World *w = *state;
  guint8 packet[2048], fill = 0;
  static const char *const framing[] = {"ff030021", "ff0321", "0021", "21"};
  static const guint flags[] = {0, 0x4000, 0x0800, 0x4800, 0x0200, 0x4a00};
  session_start(w, 0);
  int inside = inside_socket(0);
  for (guint i = 0; i < G_N_ELEMENTS(framing); i++)
    for (guint k = 0; k < G_N_ELEMENTS(flags); k++) {
      peer_packet(w, 0, (Wrap){.flags = flags[k], .framing = framing[i], .ns = fill}, fill);
      assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
      assert_int_equal(packet[0], fill++);
    }
  close(inside);
}

static void frames_of_control_protocols_reach_the_link(void **state) {
  World *w = *state;
  guint8 datagram[256];
  const guint8 request[] = {1, 1, 0, 4}, lcp[] = {0xc0, 0x21, 9, 1, 0, 4};
  session_attach(w, 0, 0, 0);
  session_attach(w, 1, 0, 0);
  for (guint n = 0; n < 2; n++) {
    peer_send(w, datagram, wrap(datagram, n, (Wrap){.framing = "c021"}, request, sizeof request));
    assert_true(TEST_LOOP_UNTIL(w->session[n].frames == 1, PATIENCE));
    assert_int_equal(w->session[n].frame->len, 6);
    assert_memory_equal(w->session[n].frame->data, "\xc0\x21\1\1\0\4", 6);
  }
  /* Data of a protocol that is not open, too: for a Protocol-Reject. */
  peer_packet(w, 0, (Wrap){.framing = "21"}, 0);
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 2, PATIENCE));
  assert_memory_equal(w->session[0].frame->data, "\0\x21\x45", 3);

  tun_link_framing(w->session[0].link, TRUE, TRUE); /* LCP is never compressed */
  tun_link_send(w->session[0].link, lcp, sizeof lcp);
  assert_int_equal(receive(w->peer, datagram, sizeof datagram, NULL), 14);
  assert_memory_equal(datagram + 6, "\xff\3\xc0\x21\x09\1\0\4", 8);
}

static void answers_leave_from_the_address_that_was_asked(void **state) {
  World *w = world_new(2, TRUE);
  guint8 buffer[64];
  AditEndpoint from;
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
  world_listen(w, "0.0.0.0", "127.0.0.9", "127.0.0.1");
  peer_send(w, sccrq, sizeof sccrq);
  assert_true(TEST_LOOP_UNTIL(w->controls == 1, PATIENCE));
  assert_true(adit_endpoint_equal(&w->from.local, &w->local));
  assert_true(adit_endpoint_equal(&w->from.remote, &w->peer_at));
  assert_true(tun_send_control(w->listener, &w->from, sccrq, sizeof sccrq));
  assert_int_equal(receive(w->peer, buffer, sizeof buffer, &from), sizeof sccrq);
  assert_true(adit_endpoint_equal(&from, &w->local));
  world_free(w);
}

static void ipv6_outside_and_inside(void **state) {
  World *w = world_new(2, TRUE);
  guint8 packet[2048], datagram[2048];
  AditEndpoint from;
  world_listen(w, "::", "::1", "::1");
  Session *s = &w->session[0];
  session_attach(w, 0, 0, 0);
  port_make(s, "l2tp-six", FALSE, FALSE);
  int settling = settled_open();
  address_add(s->port, "fd01::2/64", NULL); /* packet_make() goes from fd..:1: to fd..::2 */
  session_open(s);
  assert_true(settled_wait(settling, "fd01::2", PATIENCE));
  int inside = udp_socket("fd01::2", 0, &from);
  guint length = packet_make(packet, &(PacketSpec){.six = TRUE, .udp = TRUE, .payload = 60});
  memcpy(packet + 24, &from.in6.sin6_addr, 16);
  memcpy(packet + 8, &from.in6.sin6_addr, 15);
  packet[23] = 9;
  tun_put16(packet + 42, adit_endpoint_port(&from));
  tun_put16(packet + 46, 0);
  tun_put16(packet + 46, plain_checksum(packet + 40, length - 40, plain_pseudo(packet, 17, length - 40)));
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "0057"}, packet, length));
  gssize got = receive(inside, packet, 60, &from);
  assert_int_equal(got, 60);
  assert_int_equal(sendto(inside, "six", 3, 0, &from.any, sizeof from.in6), 3);
  do
    got = receive(w->peer, datagram, sizeof datagram, NULL);
  while (got > 0 && memcmp(datagram + got - 3, "six", 3) != 0); /* neighbour and router discovery, too */
  assert_memory_equal(datagram + 6, "\xff\3\0\x57\x60", 5);
  close(inside);
  world_free(w);
}

enum { GOOD_MARK = 0x2d170001, BAD_MARK = 77 };
static gboolean is_good_mark(guint32 mark) {
  return mark == GOOD_MARK;
}

/* An administrator's mark must never look like IPsec. */
static void an_unknown_mark_means_in_the_clear(void **state) {
  World *w = *state;
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
  static const struct {
    gboolean asked;
    int mark;
    guint32 association;
  } rows[] = {{TRUE, 0, 0}, {TRUE, BAD_MARK, 0}, {TRUE, GOOD_MARK, GOOD_MARK}, {TRUE, BAD_MARK, 0}, {FALSE, GOOD_MARK, 0}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    __atomic_store_n(&w->dp->is_association, rows[i].asked ? is_good_mark : NULL, __ATOMIC_RELEASE);
    w->from.association = 99;
    assert_int_equal(setsockopt(w->peer, SOL_SOCKET, SO_MARK, &rows[i].mark, sizeof rows[i].mark), 0);
    peer_send(w, sccrq, sizeof sccrq);
    assert_true(TEST_LOOP_UNTIL(w->controls == i + 1, PATIENCE));
    assert_int_equal(w->from.association, rows[i].association);
  }
}

static void a_foreign_path_is_dropped_and_told(void **state) {
  World *w = *state;
  guint8 packet[256], datagram[256];
  AditEndpoint other_at;
  AditDpStats stats;
  session_start(w, 0);
  int inside = inside_socket(0), other = udp_socket("127.0.0.1", 0, &other_at);
  guint length = wrap(datagram, 0, (Wrap){0}, packet, inner_packet(packet, 0, 100, 1));
  assert_int_equal(sendto(other, datagram, length, 0, &w->local.any, sizeof w->local.in), length);
  assert_true(TEST_LOOP_UNTIL(w->strays == 1, PATIENCE));
  assert_true(adit_endpoint_equal(&w->from.remote, &other_at));
  tun_link_stats(w->session[0].link, &stats);
  assert_int_equal(stats.drops, 1);
  /* The transport decides to follow. */
  AditPath path = {.local = w->local, .remote = other_at};
  tun_link_update(w->session[0].link, &path, NULL);
  assert_int_equal(sendto(other, datagram, length, 0, &w->local.any, sizeof w->local.in), length);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  close(inside);
  close(other);
}

/* One merged datagram holds frames of sessions whose homes differ. */
static void merged_datagrams_are_told_apart(void **state) {
  World *w = *state;
  enum { EACH = 20 };
  guint8 all[2 * EACH * 200], packet[2048];
  guint size = 0;
  int inside[2];
  for (guint n = 0; n < 2; n++) {
    session_start(w, n);
    inside[n] = inside_socket(n);
  }
  for (guint i = 0; i < 2 * EACH; i++) {
    guint length = inner_packet(packet, i & 1, 100, (guint8)(i / 2));
    size = wrap(all + i * size, i & 1, (Wrap){0}, packet, length);
  }
  int segment = (int)size;
  assert_int_equal(setsockopt(w->peer, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  peer_send(w, all, 2 * EACH * size);
  for (guint n = 0; n < 2; n++)
    for (guint i = 0; i < EACH; i++) {
      assert_int_equal(receive(inside[n], packet, sizeof packet, NULL), 100);
      assert_int_equal(packet[0], i);
    }
  assert_int_equal(FACT(w, gro_in), 2 * EACH);
  assert_int_equal(FACT(w, foreign), EACH);
  for (guint n = 0; n < 2; n++)
    close(inside[n]);
}

/* Sends an inner super-packet (the kernel's own UDP_SEGMENT, which TUN passes whole where it can). */
static void super_packet(World *w, int inside, guint n, guint count, guint size) {
  g_autofree guint8 *data = g_malloc0(count * size);
  g_autofree char *text = g_strdup_printf("10.9.%u.2", n);
  AditEndpoint to = endpoint(text, 9000);
  int segment = (int)size;
  for (guint i = 0; i < count; i++)
    data[i * size] = (guint8)i;
  assert_int_equal(setsockopt(inside, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  assert_int_equal(sendto(inside, data, count * size, 0, &to.any, sizeof to.in), count * size);
  for (guint i = 0; i < count; i++) {
    guint8 packet[2048];
    TunPacket p;
    guint length = peer_receive(w, n, packet);
    assert_int_equal(length, 28 + size);
    assert_true(tun_packet_parse(packet, length, &p));
    assert_true(tun_packet_verify(packet, &p));
    assert_int_equal(packet[28], i);
  }
}

static void a_super_packet_crosses_in_few_calls(void **state) {
  World *w = *state;
  session_start(w, 0);
  int inside = inside_socket(0);
  super_packet(w, inside, 0, 44, 1400);
  assert_int_equal(FACT(w, datagrams_out), 44);
  if (FACT(w, super_in) == 0)
    print_message("this kernel has no USO: single packets from TUN\n");
  else
    assert_true(FACT(w, sends_out) <= 2);
  close(inside);
}

/* Segments that the way does not take are not for the kernel to cut (EMSGSIZE): they go one by one, in fragments. */
static void what_the_kernel_refuses_is_remembered(void **state) {
  World *w = *state;
  session_start(w, 0);
  int inside = inside_socket(0);
  assert_int_equal(system("ip link set lo mtu 1300"), 0);
  super_packet(w, inside, 0, 20, 1400);
  guint64 refused = FACT(w, gso_refused);
  super_packet(w, inside, 0, 20, 1400);
  assert_int_equal(system("ip link set lo mtu 65536"), 0);
  assert_int_equal(FACT(w, gso_refused), refused);
  if (FACT(w, super_in))
    assert_true(refused >= 1);
  close(inside);
}

static void without_offloads_all_arrives_too(void **state) {
  World *w = world_new(1, FALSE);
  world_listen(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  session_start(w, 0);
  int inside = inside_socket(0);
  super_packet(w, inside, 0, 30, 1000);
  assert_int_equal(FACT(w, super_in), 0);
  assert_int_equal(FACT(w, gso_out), 0);
  close(inside);
  world_free(w);
}

static void rfc2661_5_4_numbers(void **state) {
  World *w = *state;
  guint8 packet[2048], datagram[2048];
  AditEndpoint from;
  AditDpStats stats;
  static const guint8 order[] = {0, 2, 1, 4, 3, 3, 5};
  const guint8 lcp[] = {0xc0, 0x21, 9, 1, 0, 4};
  session_attach(w, 0, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE, 2000);
  Session *s = &w->session[0];
  port_make(s, "l2tp-seq", FALSE, FALSE);
  address_add(s->port, "10.9.0.1/32", "10.9.0.2");
  session_open(s);
  int inside = inside_socket(0);
  peer_packet(w, 0, (Wrap){0}, 99); /* not numbered, though required */
  for (guint i = 0; i < G_N_ELEMENTS(order); i++)
    peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = order[i]}, order[i]);
  for (guint i = 0; i < 6; i++) {
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(packet[0], i);
  }
  tun_link_stats(s->link, &stats);
  assert_int_equal(stats.drops, 2);
  assert_int_equal(stats.reordered, 2);

  for (guint i = 0; i < 3; i++) { /* control frames and data are numbered in one row */
    if (i == 1)
      tun_link_send(s->link, lcp, sizeof lcp);
    else
      assert_int_equal(sendto(inside, "x", 1, 0, &from.any, sizeof from.in), 1);
    assert_true(receive(w->peer, datagram, sizeof datagram, NULL) > 0);
    assert_int_equal(tun_get16(datagram), 0x0802);
    assert_int_equal(tun_get16(datagram + 6), i);
    assert_int_equal(tun_get16(datagram + 8), 0);
  }
  close(inside);
}

static void a_missing_frame_is_waited_for_so_long(void **state) {
  World *w = *state;
  guint8 packet[2048];
  session_attach(w, 0, 0, 30);
  Session *s = &w->session[0];
  port_make(s, "l2tp-seq", FALSE, FALSE);
  address_add(s->port, "10.9.0.1/32", "10.9.0.2");
  session_open(s);
  int inside = inside_socket(0);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 10}, 10);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 12}, 12);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  gint64 before = g_get_monotonic_time();
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  assert_int_equal(packet[0], 12);
  assert_true(g_get_monotonic_time() - before < 5 * G_USEC_PER_SEC);
  peer_packet(w, 0, (Wrap){.flags = 0x0800, .ns = 14}, 14); /* held while the link goes */
  const guint8 echo[] = {9, 1, 0, 4};
  guint8 datagram[64];
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, echo, sizeof echo));
  assert_true(TEST_LOOP_UNTIL(s->frames == 1, PATIENCE)); /* so the one before has come, too */
  close(inside);
}

static void splicing_carries_frames_on(void **state) {
  World *w = *state;
  guint8 datagram[256], got[256];
  const guint8 body[] = {1, 2, 3, 4};
  session_attach(w, 0, 0, 0);
  session_attach(w, 1, 0, 0);
  assert_true(tun_link_splice(w->session[0].link, w->session[1].link, NULL));
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, body, sizeof body));
  assert_int_equal(receive(w->peer, got, sizeof got, NULL), 12);
  assert_memory_equal(got, "\0\2\0\x46\0\xc9\xc0\x21\1\2\3\4", 12);
  tun_datapath_ops.link_detach(g_steal_pointer(&w->session[1].link));
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, body, sizeof body));
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 1, PATIENCE));
}

static void a_port_in_use_is_an_error(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;
  AditListenerSpec spec = {.size = sizeof spec, .local = w->local, .classify = l2tp_classify};
  assert_null(tun_listen(w->dp, &spec, &listener_ops, w, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
}

/* Dialling from ports of their own: as many as are asked for, and no two of them the same. */
static void listeners_on_any_port_have_one_each(void **state) {
  enum { MANY = 500 };
  struct rlimit many = {.rlim_cur = 20000};
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &many), 0);
  many.rlim_cur = MIN(MAX(many.rlim_cur, 20000), many.rlim_max);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
  World *w = world_new(4, TRUE);
  g_autoptr(GHashTable) ports = g_hash_table_new(NULL, NULL);
  g_autoptr(GPtrArray) listeners = g_ptr_array_new();
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < MANY; i++) {
    AditListenerSpec spec = {.size = sizeof spec, .local = endpoint(i & 1 ? "127.0.0.1" : "::1", 0), .classify = l2tp_classify};
    AditEndpoint at;
    AditListener *listener = tun_listen(w->dp, &spec, &listener_ops, w, &error);
    assert_non_null(listener);
    tun_listener_local(listener, &at);
    assert_true(g_hash_table_add(ports, GUINT_TO_POINTER(adit_endpoint_port(&at) * 2u + (i & 1))));
    g_ptr_array_add(listeners, listener);
  }
  /* A quarter of the descriptors is for listeners, so that the rest is for sessions. */
  struct rlimit old, low = {.rlim_cur = 2000};
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  low.rlim_max = old.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  AditListenerSpec more = {.size = sizeof more, .local = endpoint("127.0.0.1", 0), .classify = l2tp_classify};
  assert_null(tun_listen(w->dp, &more, &listener_ops, w, &error));
  assert_int_equal(error->code, ADIT_ERR_BUSY);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  for (guint i = 0; i < MANY; i++)
    tun_listener_close(listeners->pdata[i]);
  world_free(w);
}

/* Newcomers may send what they will: what belongs to links is still heard. */
static void a_flood_of_newcomers_does_not_drown_links(void **state) {
  World *w = *state;
  guint8 datagram[256];
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0}, echo[] = {9, 1, 0, 4};
  session_attach(w, 0, 0, 0);
  for (guint i = 0; i < 20000; i++)
    peer_send(w, sccrq, sizeof sccrq);
  peer_send(w, datagram, wrap(datagram, 0, (Wrap){.framing = "c021"}, echo, sizeof echo));
  assert_true(TEST_LOOP_UNTIL(w->session[0].frames == 1, PATIENCE));
  assert_true(FACT(w, main_full) > 0 || w->controls < 20000);
}

/* Ids are few and easily guessed: who sends to all of them does not go before those who have a tunnel. */
static void a_flood_of_guessed_ids_does_not_drown_tunnels(void **state) {
  enum { HELLOS = 20, GUESSES = 5000 };
  World *w = world_new(1, TRUE);
  AditEndpoint stranger_at;
  guint8 hello[12] = {0xc8, 2, 0, 12}, guess[12] = {0xc8, 2, 0, 12};
  world_listen_announced(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  AditPath path = {.local = w->local, .remote = w->peer_at};
  int stranger = udp_socket("127.0.0.1", 0, &stranger_at);
  assert_true(tun_tunnel_set(w->listener, TUNNEL, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &path, .proven = TRUE}));
  tun_put16(hello + 4, TUNNEL);
  for (guint i = 0; i < HELLOS; i++) {
    for (guint k = 0; k < GUESSES; k++) { /* all 65,535 ids, TUNNEL included */
      tun_put16(guess + 4, (guint16)(i * GUESSES + k));
      if (sendto(stranger, guess, sizeof guess, 0, &w->local.any, sizeof w->local.in) < 0)
        break;
    }
    w->known = 0;
    peer_send(w, hello, sizeof hello);
    assert_true(TEST_LOOP_UNTIL(w->known == 1, PATIENCE)); /* while the stranger's wait */
  }
  print_message("%u hellos, %u of %u guesses handled, %" G_GUINT64_FORMAT " dropped\n", HELLOS, w->controls - HELLOS, HELLOS * GUESSES,
                FACT(w, main_full));
  close(stranger);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest datapath[] = {
      WORLD_TEST(packets_cross_both_ways),
      WORLD_TEST(rfc1661_2_all_framings_and_rfc2661_3_1_all_headers_are_taken),
      WORLD_TEST(frames_of_control_protocols_reach_the_link),
      cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
      cmocka_unit_test(ipv6_outside_and_inside),
      WORLD_TEST(an_unknown_mark_means_in_the_clear),
      WORLD_TEST(a_foreign_path_is_dropped_and_told),
      WORLD_TEST(merged_datagrams_are_told_apart),
      WORLD_TEST(a_super_packet_crosses_in_few_calls),
      WORLD_TEST(what_the_kernel_refuses_is_remembered),
      cmocka_unit_test(without_offloads_all_arrives_too),
      WORLD_TEST(rfc2661_5_4_numbers),
      WORLD_TEST(a_missing_frame_is_waited_for_so_long),
      WORLD_TEST(splicing_carries_frames_on),
      WORLD_TEST(a_port_in_use_is_an_error),
      cmocka_unit_test(listeners_on_any_port_have_one_each),
      cmocka_unit_test(a_flood_of_guessed_ids_does_not_drown_tunnels),
      WORLD_TEST(a_flood_of_newcomers_does_not_drown_links),
  };
  return WORLD_MAIN(datapath);
}
