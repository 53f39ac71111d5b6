/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null.h"
#include "tests/lib/protocols.h"
#include <adit/encap.h>
#include <adit/ppp.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OPS (&null_datapath_ops)

/* One end: a data path with a listener, a link to the other end, a session and a port. */
typedef struct {
  NullDp *dp;
  AditListener *listener;
  AditEndpoint local;
  AditDpLink *link;
  AditDpSession *session;
  AditPort *port;
  AditCounters port_final;
  GByteArray *frame, *control, *packet;
  guint strays;
  AditPath from;
} End;

typedef struct {
  NullNet *net;
  guint64 now;
  End a, b;
} World;

static guint64 world_now(gpointer user) {
  return ((World *)user)->now;
}

static void keep(GByteArray *to, const guint8 *data, gsize length) {
  g_byte_array_set_size(to, 0);
  g_byte_array_append(to, data, length);
}

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  ((End *)user)->from = *path;
  keep(((End *)user)->control, datagram, length);
}
static void on_stray(gpointer user, const AditPath *path, guint32 tunnel, guint32 session) {
  ((End *)user)->strays++;
}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  keep(((End *)user)->frame, frame, length);
}
static void on_packet(gpointer user, AditPort *port, const guint8 *packet, gsize length) {
  keep(((End *)user)->packet, packet, length);
}
static void on_opened(gpointer user, AditPort *port, const GError *error) {
  ((End *)user)->port = port;
}
static void on_closed(gpointer user, const AditCounters *final) {
  ((End *)user)->port_final = *final;
}

static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control, .stray = on_stray};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

/* As small as a classifier can be: T bit = control, else a header without options. */
static void classify(const guint8 *datagram, gsize length, AditClassified *out) {
  AditCursor in = adit_cursor(datagram, length);
  guint16 flags = adit_get_u16(&in);
  out->klass = flags & 0x8000 ? ADIT_CLASS_CONTROL_NEW : ADIT_CLASS_DATA;
  out->tunnel = adit_get_u16(&in);
  out->session = adit_get_u16(&in);
  out->has_sequence = flags & 0x0800;
  if (out->has_sequence) {
    out->sequence = adit_get_u16(&in);
    adit_skip(&in, 2);
  }
  out->offset = (guint16)(in.at - datagram);
  out->length = (guint16)adit_left(&in);
  if (in.bad)
    out->klass = ADIT_CLASS_DROP;
}

static void end_start(World *w, End *end, const char *address) {
  AditAddress a;
  AditListenerSpec spec = {.size = sizeof spec, .classify = classify};
  assert_true(adit_address_parse(address, &a));
  spec.local = adit_endpoint(&a, 1701);
  end->dp = null_dp_new(w->net);
  end->frame = g_byte_array_new();
  end->control = g_byte_array_new();
  end->packet = g_byte_array_new();
  null_dp_sink(end->dp, on_packet, end);
  end->listener = OPS->listen(end->dp, &spec, &listener_ops, end, NULL);
  assert_non_null(end->listener);
  OPS->listener_local(end->listener, &end->local);
}

static AditDpLink *end_attach(End *end, const End *other, guint16 session, guint8 sequence) {
  AditPath path = {.local = end->local, .remote = other->local};
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 7, .peer_tunnel = 7, .local_session = session, .peer_session = session};
  encap.sequence = sequence;
  return OPS->link_attach(end->dp, end->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, end}, NULL);
}

static void end_open(World *w, End *end, const End *other) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "l2tp-x", .mtu = 1460};
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 1};
  end->link = end_attach(end, other, 9, 0);
  OPS->port_open(end->dp, &spec, on_opened, end);
  assert_null(end->port);
  null_net_run(w->net, 100);
  assert_non_null(end->port);
  end->session = OPS->session_open(end->dp, 1, end->port, NULL);
  assert_true(OPS->session_join(end->session, end->link, NULL, NULL));
  OPS->session_set(end->session, &params);
}

static void end_stop(World *w, End *end) {
  if (end->session)
    OPS->session_close(end->session, NULL);
  if (end->link)
    OPS->link_detach(end->link);
  if (end->port)
    OPS->port_close(end->port, on_closed, end);
  null_net_run(w->net, 100);
  null_dp_free(end->dp);
  g_byte_array_unref(end->frame);
  g_byte_array_unref(end->control);
  g_byte_array_unref(end->packet);
}

static int setup(void **state) {
  World *w = g_new0(World, 1);
  w->now = 1000;
  w->net = null_net_new(&(NullNetOps){.now = world_now}, w);
  end_start(w, &w->a, "192.0.2.1");
  end_start(w, &w->b, "192.0.2.2");
  *state = w;
  return 0;
}

static int teardown(void **state) {
  World *w = *state;
  end_stop(w, &w->a);
  end_stop(w, &w->b);
  null_net_free(w->net);
  g_free(w);
  return 0;
}

static const guint8 packet4[] = {0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 'd', 'a', 't', 'a'};

static void control_reaches_the_other_listener_with_its_path(void **state) {
  World *w = *state;
  const guint8 hello[] = {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
  AditPath path = {.local = w->a.local, .remote = w->b.local};
  assert_true(OPS->send_control(w->a.listener, &path, hello, sizeof hello));
  assert_int_equal(w->b.control->len, 0);
  assert_int_equal(null_net_run(w->net, 10), 0);
  assert_memory_equal(w->b.control->data, hello, sizeof hello);
  assert_true(adit_endpoint_equal(&w->b.from.remote, &w->a.local));
}

static void frames_that_are_not_open_data_go_to_the_link(void **state) {
  World *w = *state;
  const guint8 lcp[] = {0xc0, 0x21, 1, 1, 0, 4};
  end_open(w, &w->a, &w->b);
  end_open(w, &w->b, &w->a);
  OPS->link_send(w->a.link, lcp, sizeof lcp);
  null_net_run(w->net, 10);
  assert_int_equal(w->b.frame->len, sizeof lcp);
  assert_memory_equal(w->b.frame->data, lcp, sizeof lcp);
}

static void packets_cross_with_any_framing_and_are_counted(void **state) {
  World *w = *state;
  AditDpStats stats;
  end_open(w, &w->a, &w->b);
  end_open(w, &w->b, &w->a);
  for (guint i = 0; i < 4; i++) {
    OPS->link_framing(w->a.link, i & 1, i & 2);
    g_byte_array_set_size(w->b.packet, 0);
    w->now++;
    assert_true(null_port_inject(w->a.port, packet4, sizeof packet4));
    null_net_run(w->net, 10);
    assert_int_equal(w->b.packet->len, sizeof packet4);
    assert_memory_equal(w->b.packet->data, packet4, sizeof packet4);
  }
  OPS->session_stats(w->b.session, &stats);
  assert_int_equal(stats.counters.rx_packets, 4);
  assert_int_equal(stats.counters.rx_octets, 4 * sizeof packet4);
  assert_int_equal(stats.last_data_ms, w->now);
  OPS->link_stats(w->a.link, &stats);
  assert_int_equal(stats.counters.tx_octets, 4 * sizeof packet4 + 4 + 2 + 3 + 1);
}

static void closed_protocols_carry_nothing(void **state) {
  World *w = *state;
  AditDpSessionParams closed = {.size = sizeof closed};
  end_open(w, &w->a, &w->b);
  end_open(w, &w->b, &w->a);
  OPS->session_set(w->b.session, &closed);
  assert_true(null_port_inject(w->a.port, packet4, sizeof packet4));
  null_net_run(w->net, 10);
  assert_int_equal(w->b.packet->len, 0);
  assert_int_equal(w->b.frame->len, sizeof packet4 + 2); /* for a Protocol-Reject */
  assert_false(null_port_inject(w->b.port, packet4, sizeof packet4));
}

static void a_foreign_path_is_stray(void **state) {
  World *w = *state;
  const guint8 data[] = {0, 2, 0, 7, 0, 9, 0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4};
  AditAddress a;
  AditPath path = {.remote = w->b.local};
  adit_address_parse("198.51.100.9", &a);
  path.local = adit_endpoint(&a, 4000);
  end_open(w, &w->b, &w->a);
  assert_true(null_net_deliver(w->net, &path, data, sizeof data));
  assert_int_equal(w->b.strays, 1);
  assert_int_equal(w->b.frame->len, 0);
}

static void rfc2661_5_4_late_frames_are_dropped(void **state) {
  World *w = *state;
  AditDpStats stats;
  AditPath path = {.local = w->b.local, .remote = w->a.local};
  guint8 data[] = {0x08, 2, 0, 7, 0, 5, 0, 0, 0, 0, 0xc0, 0x21, 9, 0, 0, 4};
  AditDpLink *link = end_attach(&w->a, &w->b, 5, ADIT_SEQUENCE_REQUIRE);
  static const guint8 order[] = {0, 1, 3, 2, 4};
  for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
    data[7] = data[13] = order[i];
    null_net_deliver(w->net, &path, data, sizeof data);
    assert_int_equal(w->a.frame->data[3], order[i] == 2 ? 3 : order[i]);
  }
  data[0] = 0; /* not numbered, though required */
  null_net_deliver(w->net, &path, data, sizeof data);
  OPS->link_stats(link, &stats);
  assert_int_equal(stats.drops, 2);
  assert_int_equal(stats.lost, 1);
  OPS->link_detach(link);
}

static void shared_ports_tell_sessions_apart_by_prefix(void **state) {
  World *w = *state;
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "shared", .shared = TRUE};
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 1};
  AditPrefix wide, narrow;
  adit_prefix_parse("10.0.0.0/24", &wide);
  adit_prefix_parse("10.0.0.2", &narrow);
  OPS->port_open(w->a.dp, &spec, on_opened, &w->a);
  null_net_run(w->net, 10);
  AditDpLink *link[2];
  AditDpSession *session[2];
  for (guint i = 0; i < 2; i++) {
    link[i] = end_attach(&w->a, &w->b, (guint16)(20 + i), 0);
    session[i] = OPS->session_open(w->a.dp, 10 + i, w->a.port, NULL);
    assert_true(OPS->session_join(session[i], link[i], NULL, NULL));
    OPS->session_set(session[i], &params);
    assert_true(OPS->session_add_prefix(session[i], i ? &narrow : &wide, NULL));
  }
  assert_true(null_port_inject(w->a.port, packet4, sizeof packet4)); /* to 10.0.0.2 */
  AditDpStats stats;
  OPS->session_close(session[0], &stats);
  assert_int_equal(stats.counters.tx_packets, 0);
  OPS->session_close(session[1], &stats);
  assert_int_equal(stats.counters.tx_packets, 1);
  OPS->link_detach(link[0]);
  OPS->link_detach(link[1]);
}

static void rfc2827_sources_are_checked_and_handed_over(void **state) {
  World *w = *state;
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 1, .check_source = TRUE};
  AditPrefix own, other;
  AditDpStats stats;
  guint8 packet[sizeof packet4];
  end_open(w, &w->a, &w->b);
  end_open(w, &w->b, &w->a);
  OPS->session_set(w->a.session, &params);
  adit_prefix_parse("10.0.0.1", &own);
  adit_prefix_parse("10.0.0.0/24", &other);
  assert_true(OPS->session_add_prefix(w->a.session, &own, NULL));
  memcpy(packet, packet4, sizeof packet);
  for (guint i = 0; i < 4; i++) {
    packet[15] = i & 1 ? 9 : 1;
    if (i == 2) { /* both are its own now */
      assert_true(OPS->session_add_prefix(w->a.session, &other, NULL));
      assert_true(OPS->session_remove_prefix(w->a.session, &own));
      assert_false(OPS->session_remove_prefix(w->a.session, &own));
    }
    assert_true(null_port_inject(w->b.port, packet, sizeof packet));
    null_net_run(w->net, 10);
    OPS->session_stats(w->a.session, &stats);
    assert_int_equal(stats.spoofed, i > 0);
    assert_int_equal(stats.drops, i > 0);
    assert_int_equal(stats.counters.rx_packets, i ? i : 1);
  }
}

static void splicing_joins_two_links_untouched(void **state) {
  World *w = *state;
  const guint8 pap[] = {0xc0, 0x23, 1, 1, 0, 4};
  AditDpLink *in = end_attach(&w->a, &w->b, 30, 0), *out = end_attach(&w->a, &w->b, 31, 0);
  AditDpLink *from = end_attach(&w->b, &w->a, 30, 0), *to = end_attach(&w->b, &w->a, 31, 0);
  assert_true(OPS->link_splice(in, out, NULL));
  OPS->link_send(from, pap, sizeof pap);
  null_net_run(w->net, 10);
  assert_int_equal(w->a.frame->len, 0);
  assert_memory_equal(w->b.frame->data, pap, sizeof pap);
  OPS->link_detach(out);
  OPS->link_send(from, pap, sizeof pap);
  null_net_run(w->net, 10);
  assert_memory_equal(w->a.frame->data, pap, sizeof pap);
  OPS->link_detach(in);
  OPS->link_detach(from);
  OPS->link_detach(to);
}

/* ---- protection ---- */

static gboolean knows_4711(gpointer user, guint32 mark) {
  return mark == 4711;
}

/* A mark that no association has is none: an administrator's, or that of an association which is gone. */
static void a_mark_counts_only_while_an_association_has_it(void **state) {
  static const NullNetOps ops = {.now = world_now, .is_protected = knows_4711};
  World w = {0};

  w.net = null_net_new(&ops, &w);
  end_start(&w, &w.a, "192.0.2.1");
  AditPath path = {.local = w.a.local, .remote = w.a.local};
  const guint32 marks[][2] = {{0, 0}, {4711, 4711}, {4712, 0}};
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
    path.association = marks[i][0];
    assert_true(null_net_deliver(w.net, &path, (const guint8 *)"\x80\0\0\0\0\0", 6));
    assert_int_equal(w.a.from.association, marks[i][1]);
  }

  /* A link of the protected path is reached by that mark alone. */
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 7, .peer_tunnel = 7, .local_session = 8, .peer_session = 8};
  path.association = 4711;
  AditDpLink *link =
      OPS->link_attach(w.a.dp, w.a.listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, &w.a}, NULL);
  assert_non_null(link);
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
    g_byte_array_set_size(w.a.frame, 0);
    path.association = marks[i][0];
    null_net_deliver(w.net, &path, (const guint8 *)"\0\0\0\7\0\10\xc0\x21x", 9);
    assert_int_equal(w.a.frame->len, marks[i][1] ? 3 : 0);
  }
  assert_int_equal(w.a.strays, 2);
  OPS->link_detach(link);
  end_stop(&w, &w.a);
  null_net_free(w.net);
}

static void a_protected_path_is_refused_where_none_can_be(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;
  AditPath path = {.local = w->a.local, .remote = w->b.local, .association = 4711};
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 7, .peer_tunnel = 7, .local_session = 99, .peer_session = 99};

  assert_null(
      OPS->link_attach(w->a.dp, w->a.listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, &w->a}, &error));
  assert_string_equal(error->message, "the data path null carries no protected paths here: association 4711");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static void on_refused(gpointer user, AditPort *port, const GError *error) {
  assert_null(port);
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED));
  *(gboolean *)user = TRUE;
}

static void sessions_do_not_share_an_l2_port(void **state) {
  World *w = *state;
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L2, .name = "eth-all", .shared = TRUE};
  gboolean refused = FALSE;

  OPS->port_open(w->a.dp, &spec, on_refused, &refused);
  assert_true(refused);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      T(control_reaches_the_other_listener_with_its_path),
      T(frames_that_are_not_open_data_go_to_the_link),
      T(packets_cross_with_any_framing_and_are_counted),
      T(closed_protocols_carry_nothing),
      T(a_foreign_path_is_stray),
      T(rfc2661_5_4_late_frames_are_dropped),
      T(shared_ports_tell_sessions_apart_by_prefix),
      T(sessions_do_not_share_an_l2_port),
      T(rfc2827_sources_are_checked_and_handed_over),
      T(a_mark_counts_only_while_an_association_has_it),
      T(a_protected_path_is_refused_where_none_can_be),
      T(splicing_joins_two_links_untouched),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
