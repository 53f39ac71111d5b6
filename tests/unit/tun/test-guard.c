/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a peer may not do: send from others' addresses, carry a tunnel in itself, go before those who have logged in, or get a
 * frame of somebody who had its ids before. */
#include "bench.h"
#include "packets.h"
#include "session/source.h"
#include "tests/lib/protocols.h"
#include "traffic/port-read.h"
#include "traffic/rx.h"
#include "traffic/tx.h"
#include "worker/quiet.h"
#include <adit/ppp.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean own(Bench *b, guint n, const char *text) {
  AditPrefix prefix;
  assert_true(adit_prefix_parse(text, &prefix));
  return tun_session_add_prefix(b->member[n].session, &prefix, NULL);
}

static gboolean disown(Bench *b, guint n, const char *text) {
  AditPrefix prefix;
  assert_true(adit_prefix_parse(text, &prefix));
  return tun_session_remove_prefix(b->member[n].session, &prefix);
}

static guint packet_between(guint8 *out, const char *from, const char *to) {
  AditAddress source, destination;
  assert_true(adit_address_parse(from, &source) && adit_address_parse(to, &destination));
  gboolean six = source.family == AF_INET6;
  guint length = packet_make(out, &(PacketSpec){.six = six, .udp = TRUE, .payload = 20});
  memcpy(out + (six ? 8 : 12), source.octet, six ? 16 : 4);
  memcpy(out + (six ? 24 : 16), destination.octet, six ? 16 : 4);
  return length;
}

/* ---- sources ---- */

/* Does a packet of peer `n` with that source come out of the interface? What does not must have been counted. */
static gboolean passes(Bench *b, guint n, const char *from, const char *to) {
  TunWorker *w = b->dp->worker[b->member[n].link->home];
  guint8 datagram[2048] = {0, 2}, got[2048];
  AditPath path = b->member[n].link->wire->path;
  TunWhere where = from_of(&path, 2);
  AditDpStats before, after;
  tun_session_stats(b->member[n].session, &before);
  tun_put16(datagram + 2, (guint16)(TUNNEL + n));
  tun_put16(datagram + 4, 101);
  tun_put16(datagram + 6, 0xff03);
  guint length = packet_between(datagram + 10, from, to);
  tun_put16(datagram + 8, datagram[10] >> 4 == 6 ? 0x57 : 0x21);
  tun_rx_foreign(w);
  tun_rx_datagram(w, b->listener, &where, &path, datagram, length + 10);
  tun_coalesce_flush(&w->join);
  int system = b->system[b->port[0].head.shared ? 0 : n];
  gboolean came = recv(system, got, sizeof got, 0) > 0;
  tun_session_stats(b->member[n].session, &after);
  assert_int_equal(after.spoofed - before.spoofed, !came);
  assert_int_equal(after.drops - before.drops, !came);
  assert_int_equal(after.counters.rx_packets - before.counters.rx_packets, came);
  return came;
}

static void rfc2827_a_session_sends_from_what_is_its_own(void **state) {
  Bench *b = *state;
  for (guint shared = 0; shared < 2; shared++) {
    bench_open_session(b, 0, "198.51.100.2", shared, TRUE);
    bench_open_session(b, 1, "198.51.100.3", shared, TRUE);
    assert_false(passes(b, 0, "10.0.0.2", "10.0.0.1")); /* nothing is its own yet */
    assert_true(own(b, 0, "10.0.0.2/32"));
    assert_true(own(b, 0, "172.20.0.0/16"));
    assert_true(own(b, 0, "fe80::2/128"));
    assert_true(own(b, 0, "2001:db8:1::/48"));
    assert_true(own(b, 1, "10.0.0.3/32"));
    assert_true(own(b, 1, "172.20.5.0/24"));
    for (guint again = 0; again < 2; again++) { /* the second time it is remembered */
      assert_true(passes(b, 0, "10.0.0.2", "10.0.0.1"));
      assert_true(passes(b, 0, "172.20.4.1", "10.0.0.1"));
      assert_true(passes(b, 0, "fe80::2", "ff02::1:2")); /* DHCPv6 */
      assert_true(passes(b, 0, "2001:db8:1:2::3", "2001:db8::1"));
    }
    static const char *const not_its[] = {"10.0.0.3", "8.8.8.8", "0.0.0.0", "172.20.5.1", "172.21.0.1", "192.0.2.1", "127.0.0.1"};
    for (guint i = 0; i < G_N_ELEMENTS(not_its); i++)
      assert_false(passes(b, 0, not_its[i], "10.0.0.1"));
    assert_false(passes(b, 0, "fe80::3", "ff02::2"));
    assert_false(passes(b, 0, "2001:db8:2::1", "2001:db8::1"));
    assert_false(passes(b, 0, "::ffff:10.0.0.2", "2001:db8::1"));
    assert_true(passes(b, 1, "172.20.5.1", "10.0.0.1"));
    assert_false(passes(b, 1, "172.20.4.1", "10.0.0.1"));
    bench_teardown(state);
    bench_setup(state);
    b = *state;
  }
}

static void rfc4861_4_1_the_unspecified_address_may_ask_on_the_link(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  assert_true(passes(b, 0, "::", "ff02::2"));
  assert_true(passes(b, 0, "::", "ff02::1:ff00:2"));
  assert_false(passes(b, 0, "::", "ff05::2"));
  assert_false(passes(b, 0, "::", "2001:db8::1"));
}

static void without_the_check_any_source_passes(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, FALSE);
  assert_true(own(b, 0, "10.0.0.2/32"));
  assert_true(passes(b, 0, "8.8.8.8", "10.0.0.1"));
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2, .check_source = TRUE};
  tun_session_set(b->member[0].session, &params); /* a CoA */
  assert_false(passes(b, 0, "8.8.8.8", "10.0.0.1"));
}

/* A caller that was compiled before the check: shared ports had it always. */
static void an_older_core_gets_what_it_had(void **state) {
  Bench *b = *state;
  for (guint shared = 0; shared < 2; shared++) {
    bench_open_session(b, 0, "198.51.100.2", shared, FALSE);
    AditDpSessionParams params = {.size = G_STRUCT_OFFSET(AditDpSessionParams, check_source), .protocols = adit_test_ip, .n_protocols = 2};
    tun_session_set(b->member[0].session, &params);
    assert_int_equal(passes(b, 0, "8.8.8.8", "10.0.0.1"), !shared);
    bench_teardown(state);
    bench_setup(state);
    b = *state;
  }
}

static void a_prefix_is_handed_over(void **state) {
  Bench *b = *state;
  g_autoptr(GError) error = NULL;
  AditPrefix prefix;
  bench_open_session(b, 0, "198.51.100.2", TRUE, TRUE);
  bench_open_session(b, 1, "198.51.100.3", TRUE, TRUE);
  assert_true(own(b, 0, "172.20.0.0/16"));
  assert_true(own(b, 0, "172.20.0.0/16")); /* twice is once */
  assert_true(adit_prefix_parse("172.20.0.0/16", &prefix));
  assert_false(tun_session_add_prefix(b->member[1].session, &prefix, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
  assert_true(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_false(disown(b, 1, "172.20.0.0/16"));
  assert_true(disown(b, 0, "172.20.0.0/16"));
  assert_false(disown(b, 0, "172.20.0.0/16"));
  assert_false(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_true(own(b, 1, "172.20.0.0/16"));
  assert_true(passes(b, 1, "172.20.0.9", "10.0.0.1"));
}

/* Two lines of one site, an interface each: both may send from it, and neither from what the other alone has. */
static void two_ports_may_have_one_prefix(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  bench_open_session(b, 1, "198.51.100.3", FALSE, TRUE);
  for (guint n = 0; n < 2; n++)
    assert_true(own(b, n, "172.20.0.0/16"));
  for (guint n = 0; n < 2; n++)
    assert_true(passes(b, n, "172.20.0.9", "10.0.0.1"));
  tun_session_remove_prefixes(b->member[0].session);
  assert_false(passes(b, 0, "172.20.0.9", "10.0.0.1"));
  assert_true(passes(b, 1, "172.20.0.9", "10.0.0.1"));
}

static void many_prefixes_come_and_go(void **state) {
  Bench *b = *state;
  char text[ADIT_PREFIX_TEXT];
  bench_open_session(b, 0, "198.51.100.2", TRUE, TRUE);
  for (guint i = 0; i < 5000; i++) {
    g_snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
    assert_true(own(b, 0, text));
  }
  for (guint i = 0; i < 5000; i += 2) {
    g_snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
    assert_true(disown(b, 0, text));
  }
  for (guint i = 0; i < 5000; i += 97) {
    g_snprintf(text, sizeof text, "10.%u.%u.9", i >> 8, i & 255);
    assert_int_equal(passes(b, 0, text, "192.0.2.9"), i & 1);
  }
}

static void the_log_hears_of_it_now_and_then(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  TunWorker *w = b->dp->worker[b->member[0].link->home];
  for (guint i = 0; i < 500; i++)
    assert_false(passes(b, 0, "8.8.8.8", "10.0.0.1"));
  gsize length;
  const TunNote *note = tun_ring_read(&w->main[TUN_TO_LIVE], &length);
  assert_non_null(note);
  assert_int_equal(note->kind, TUN_NOTE_SPOOFED);
  assert_int_equal(note->serial, 1);
  assert_memory_equal(note->data, "\x8\x8\x8\x8", 4);
  assert_null(tun_ring_read(&w->main[TUN_TO_LIVE], &length));
}

/* ---- endpoints ---- */

/* Does a packet from the system through port `n` go out to its peer? */
static gboolean leaves(Bench *b, guint n, const char *from, const char *to) {
  TunWorker *w = b->dp->worker[b->member[n].link->home];
  TunPort *port = &b->port[b->port[0].head.shared ? 0 : n];
  guint8 packet[2048] = {0}, got[2048];
  guint64 before = FACT(b, looped), sent = FACT(b, datagrams_out);
  AditDpStats stats;
  guint length = packet_between(packet + TUN_VNET_LENGTH, from, to);
  int system = b->system[b->port[0].head.shared ? 0 : n];
  tun_session_stats(b->member[n].session, &stats);
  guint64 looped = stats.looped;
  assert_int_equal(send(system, packet, length + TUN_VNET_LENGTH, 0), length + TUN_VNET_LENGTH);
  tun_port_read(w, &port->queue[0]);
  while (recv(b->wire, got, sizeof got, 0) > 0)
    ;
  gboolean left = FACT(b, datagrams_out) > sent;
  assert_int_equal(FACT(b, looped) - before, !left);
  tun_session_stats(b->member[n].session, &stats);
  assert_int_equal(stats.looped - looped, !left);
  return left;
}

/* A datagram of peer `n` comes through that interface. */
static void comes_through(Bench *b, guint n, guint32 ingress) {
  guint8 hello[12] = {0xc8, 2, 0, 12, 0, (guint8)(TUNNEL + n)};
  AditPath path = b->member[n].link->wire->path;
  AditDpTunnel facts = {.size = sizeof facts, .path = &path};
  TunWhere where = from_of(&path, ingress);
  assert_true(tun_tunnel_set(b->listener, TUNNEL + n, &facts));
  tun_rx_datagram(b->dp->worker[0], b->listener, &where, &path, hello, sizeof hello);
}

static void a_tunnel_is_not_carried_in_itself(void **state) {
  Bench *b = *state;
  static const char *const outside[] = {"198.51.100.2", "2001:db8:5::2"}, *const inside[] = {"198.51.100.7", "2001:db8:5::7"},
                           *const here[] = {"192.0.2.1", "2001:db8::1"}, *const prefix[] = {"198.51.100.0/24", "2001:db8:5::/48"};
  for (guint i = 0; i < 4; i++) {
    bench_open_session(b, 0, outside[i & 1], i >> 1, TRUE);
    assert_true(own(b, 0, prefix[i & 1]));
    assert_true(leaves(b, 0, here[i & 1], inside[i & 1]));
    assert_false(leaves(b, 0, here[i & 1], outside[i & 1]));
    comes_through(b, 0, 2);
    assert_false(leaves(b, 0, here[i & 1], outside[i & 1]));
    bench_teardown(state);
    bench_setup(state);
    b = *state;
  }
}

/* Somebody else's outer address was given to a session: it must not get that one's datagrams. */
static void a_session_does_not_get_the_datagrams_of_another_tunnel(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  bench_open_session(b, 1, "198.51.100.3", FALSE, TRUE);
  comes_through(b, 0, 2);
  comes_through(b, 1, 2);
  assert_false(leaves(b, 1, "192.0.2.1", "198.51.100.2"));
  assert_false(leaves(b, 0, "192.0.2.1", "198.51.100.3"));
  assert_true(leaves(b, 0, "192.0.2.1", "198.51.100.4"));
  /* It is nobody's any more. */
  b->member[1].link->session = NULL;
  b->member[1].session->link = NULL;
  tun_session_close(g_steal_pointer(&b->member[1].session), NULL);
  tun_datapath_ops.link_detach(g_steal_pointer(&b->member[1].link));
  tun_tunnel_unset(b->listener, TUNNEL + 1);
  assert_true(leaves(b, 0, "192.0.2.1", "198.51.100.3"));
}

/* A tunnel inside of a session, and one that is being dialled through it, are as good as any. */
static void a_tunnel_may_be_inside_of_another_session(void **state) {
  Bench *b = *state;
  bench_open_session(b, 0, "198.51.100.2", FALSE, TRUE);
  comes_through(b, 0, 2);
  bench_open_session(b, 1, "10.0.0.2", FALSE, TRUE); /* its tunnel ends at what session 0 has */
  assert_true(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
  comes_through(b, 1, b->port[0].head.ifindex);
  assert_true(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
  assert_false(leaves(b, 1, "192.0.2.1", "10.0.0.2"));
  assert_false(leaves(b, 1, "192.0.2.1", "198.51.100.2"));
  comes_through(b, 1, 2); /* it has moved */
  assert_false(leaves(b, 0, "192.0.2.1", "10.0.0.2"));
}

int main(void) {
  const struct CMUnitTest guard[] = {
      BENCH_TEST(rfc2827_a_session_sends_from_what_is_its_own),
      BENCH_TEST(rfc4861_4_1_the_unspecified_address_may_ask_on_the_link),
      BENCH_TEST(without_the_check_any_source_passes),
      BENCH_TEST(an_older_core_gets_what_it_had),
      BENCH_TEST(a_prefix_is_handed_over),
      BENCH_TEST(two_ports_may_have_one_prefix),
      BENCH_TEST(many_prefixes_come_and_go),
      BENCH_TEST(the_log_hears_of_it_now_and_then),
      BENCH_TEST(a_tunnel_is_not_carried_in_itself),
      BENCH_TEST(a_session_does_not_get_the_datagrams_of_another_tunnel),
      BENCH_TEST(a_tunnel_may_be_inside_of_another_session),
  };
  return cmocka_run_group_tests(guard, NULL, NULL);
}
