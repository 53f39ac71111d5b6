/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "world.h"
#include "core/base/loop.h"
#include "core/net/net.h"
#include "packets.h"
#include "plugins/l2tp/engine/header.h"
#include "tests/lib/claims.h"
#include "tests/lib/loop.h"
#include "tests/lib/protocols.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- callbacks ---- */

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  ((World *)user)->controls++;
  ((World *)user)->known += adit_endpoint_equal(&path->remote, &((World *)user)->peer_at);
  ((World *)user)->from = *path;
}
static void on_stray(gpointer user, const AditPath *path, guint32 tunnel, guint32 session) {
  ((World *)user)->strays++;
  ((World *)user)->from = *path;
}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  Session *s = user;
  g_byte_array_set_size(s->frame, 0);
  g_byte_array_append(s->frame, frame, (guint)length);
  s->frames++;
}
void on_opened(gpointer user, AditPort *port, const GError *error) {
  Session *s = user;
  s->error = error ? error->code : 0;
  s->port = port;
  s->opened = TRUE;
}
void on_closed(gpointer user, const AditCounters *final) {
  Session *s = user;
  s->final = *final;
  s->closed = TRUE;
}
static void on_stopped(gpointer user) {
  ((World *)user)->stopped = TRUE;
}
const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control, .stray = on_stray};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

/* ---- making things ---- */

AditEndpoint endpoint(const char *text, guint16 port) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return adit_endpoint(&a, port);
}

int udp_socket(const char *text, guint16 port, AditEndpoint *at) {
  AditEndpoint e = endpoint(text, port);
  socklen_t size = sizeof *at;
  int fd = socket(e.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), buffer = 4 << 20;
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  assert_int_equal(bind(fd, &e.any, adit_endpoint_size(&e)), 0);
  if (at)
    assert_int_equal(getsockname(fd, &at->any, &size), 0);
  return fd;
}

static void listen_at(World *w, const char *listen, const char *reach, const char *peer, gboolean announces) {
  AditListenerSpec spec = {.size = sizeof spec, .local = endpoint(listen, 0), .classify = l2tp_classify, .announces = announces};
  spec.layout = adit_encap_layout(&(AditEncap){.kind = ADIT_ENCAP_L2TPV2_UDP});
  AditEndpoint at;
  g_autoptr(GError) error = NULL;
  w->listener = tun_listen(w->dp, &spec, &listener_ops, w, &error);
  assert_non_null(w->listener);
  tun_listener_local(w->listener, &at);
  assert_int_not_equal(adit_endpoint_port(&at), 0);
  w->local = endpoint(reach, adit_endpoint_port(&at));
  w->peer = udp_socket(peer, 0, &w->peer_at);
}

void world_listen(World *w, const char *listen, const char *reach, const char *peer) {
  listen_at(w, listen, reach, peer, FALSE);
}

void world_listen_announced(World *w, const char *listen, const char *reach, const char *peer) {
  listen_at(w, listen, reach, peer, TRUE);
}

World *world_new(guint workers, gboolean offload) {
  World *w = g_new0(World, 1);
  TunConfig config = {.workers = workers, .offload = offload};
  g_autoptr(GError) error = NULL;
  adit_loop_init();
  assert_true(adit_net_init(&error));
  w->dp = tun_dp_new(adit_loop_service(), adit_net_service(), NULL);
  assert_true(tun_dp_start(w->dp, &config, &error));
  w->peer = -1;
  for (guint i = 0; i < G_N_ELEMENTS(w->session); i++) {
    w->session[i].w = w;
    w->session[i].number = i;
    w->session[i].frame = g_byte_array_new();
  }
  return w;
}

void session_attach(World *w, guint n, guint8 sequence, guint reorder_ms) {
  Session *s = &w->session[n];
  AditPath path = {.local = w->local, .remote = w->peer_at};
  AditEncap encap = {
      .kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = TUNNEL, .peer_tunnel = 70, .sequence = sequence, .reorder_ms = reorder_ms};
  encap.local_session = 100 + n;
  encap.peer_session = 200 + n;
  s->link = tun_link_attach(w->dp, w->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, s}, NULL);
  assert_non_null(s->link);
}

void port_make(Session *s, const char *name, gboolean shared, gboolean is_static) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = name, .mtu = 1460, .shared = shared, .is_static = is_static};
  s->opened = FALSE;
  tun_port_open(s->w->dp, &spec, on_opened, s);
  assert_true(TEST_LOOP_UNTIL(s->opened, PATIENCE));
  assert_non_null(s->port);
  s->own_port = TRUE;
}

void address_add(AditPort *port, const char *local, const char *peer) {
  AditNetAddress address = {.ifindex = port->ifindex};
  assert_true(adit_prefix_parse(local, &address.local));
  if (peer)
    assert_true(adit_address_parse(peer, &address.peer));
  assert_int_equal(test_claim_address(&address), 0);
}

void session_open(Session *s) {
  AditDpSessionParams params = {
      .size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2, .check_source = s->port && s->port->shared};
  s->session = tun_session_open(s->w->dp, 1 + s->number, s->port, NULL);
  assert_non_null(s->session);
  assert_true(tun_session_join(s->session, s->link, NULL, NULL));
  tun_session_set(s->session, &params);
}

/* The usual: a link, an interface of its own with addresses, all open. */
void session_start(World *w, guint n) {
  Session *s = &w->session[n];
  g_autofree char *name = g_strdup_printf("l2tp-t%u", n), *local = g_strdup_printf("10.9.%u.1/32", n),
                  *peer = g_strdup_printf("10.9.%u.2", n);
  session_attach(w, n, 0, 0);
  port_make(s, name, FALSE, FALSE);
  address_add(s->port, local, peer);
  session_open(s);
}

void session_end(Session *s) {
  if (s->session)
    tun_session_close(g_steal_pointer(&s->session), NULL);
  if (s->link)
    tun_datapath_ops.link_detach(g_steal_pointer(&s->link));
  if (s->port && s->own_port) {
    s->closed = FALSE;
    tun_port_close(g_steal_pointer(&s->port), on_closed, s);
    assert_true(TEST_LOOP_UNTIL(s->closed, PATIENCE));
  }
}

void world_free(World *w) {
  for (guint i = G_N_ELEMENTS(w->session); i-- > 0;) {
    session_end(&w->session[i]);
    g_byte_array_unref(w->session[i].frame);
  }
  if (w->listener)
    tun_listener_close(w->listener);
  if (w->peer >= 0)
    close(w->peer);
  w->stopped = FALSE;
  tun_dp_stop(w->dp, on_stopped, w);
  assert_true(TEST_LOOP_UNTIL(w->stopped, PATIENCE));
  adit_net_fini();
  tun_dp_free(w->dp);
  adit_loop_fini();
  test_loop_drain();
  g_free(w);
}

/* ---- the peer ---- */

static guint hex(guint8 *out, const char *text) {
  guint n = 0;
  for (; text[0]; text += 2)
    out[n++] = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
  return n;
}

guint wrap(guint8 *out, guint session, Wrap how, const guint8 *body, gsize length) {
  guint8 lead[8];
  guint n = hex(lead, how.framing ? how.framing : "ff030021");
  AditBuilder b = adit_builder(out, 65536);
  adit_put_u16(&b, (guint16)(2 | how.flags));
  gsize at = adit_built(&b);
  if (how.flags & 0x4000)
    adit_put_u16(&b, 0);
  adit_put_u16(&b, TUNNEL);
  adit_put_u16(&b, (guint16)(100 + session));
  if (how.flags & 0x0800)
    adit_put_u32(&b, (guint32)how.ns << 16);
  if (how.flags & 0x0200)
    adit_put_bytes(&b, "\0\3xyz", 5);
  adit_put_bytes(&b, lead, n);
  adit_put_bytes(&b, body, length);
  if (how.flags & 0x4000)
    adit_patch_u16(&b, at, (guint16)adit_built(&b));
  assert_false(b.bad);
  return (guint)adit_built(&b);
}

void peer_send(World *w, const guint8 *data, gsize length) {
  assert_int_equal(sendto(w->peer, data, length, 0, &w->local.any, adit_endpoint_size(&w->local)), length);
}

/* An inner UDP packet from 10.9.N.2:1000 to 10.9.N.1:7000. */
guint inner_packet(guint8 *out, guint n, guint payload, guint8 fill) {
  guint length = packet_make(out, &(PacketSpec){.udp = TRUE, .payload = payload, .fill = fill});
  tun_put32(out + 12, 0x0a090002 | n << 8);
  tun_put32(out + 16, 0x0a090001 | n << 8);
  tun_put16(out + 22, 7000);
  memset(out + 10, 0, 2);
  memset(out + 26, 0, 2);
  tun_put16(out + 10, plain_checksum(out, 20, 0));
  tun_put16(out + 26, plain_checksum(out + 20, length - 20, plain_pseudo(out, 17, length - 20)));
  return length;
}

void peer_packet(World *w, guint n, Wrap how, guint8 fill) {
  guint8 packet[2048], datagram[2048];
  guint length = inner_packet(packet, n, 100, fill);
  peer_send(w, datagram, wrap(datagram, n, how, packet, length));
}

/* Reads from any socket with a deadline; -1 when nothing comes. */
gssize receive(int fd, guint8 *buffer, gsize size, AditEndpoint *from) {
  struct pollfd p = {fd, POLLIN, 0};
  socklen_t length = sizeof *from;
  if (poll(&p, 1, PATIENCE) <= 0)
    return -1;
  return recvfrom(fd, buffer, size, 0, from ? &from->any : NULL, from ? &length : NULL);
}

int inside_socket(guint n) {
  g_autofree char *text = g_strdup_printf("10.9.%u.1", n);
  return udp_socket(text, 7000, NULL);
}

/* What adit sent for session `n`: checks headers, returns the inner packet's length. */
guint peer_receive(World *w, guint n, guint8 *packet) {
  guint8 datagram[65536];
  gssize length = receive(w->peer, datagram, sizeof datagram, NULL);
  assert_true(length > 10);
  assert_int_equal(tun_get16(datagram), 0x0002);
  assert_int_equal(tun_get16(datagram + 2), 70);
  assert_int_equal(tun_get16(datagram + 4), 200 + n);
  assert_int_equal(tun_get32(datagram + 6), 0xff030021);
  memcpy(packet, datagram + 10, (gsize)length - 10);
  return (guint)length - 10;
}

guint64 world_fact(const World *w, gsize offset) {
  guint64 sum = 0;
  for (guint i = 0; i < w->dp->n_workers; i++)
    sum += TUN_GET(*(const guint64 *)(gconstpointer)((const guint8 *)&w->dp->worker[i]->stats + offset));
  return sum;
}
int world_setup(void **state) {
  World *w = world_new(2, TRUE);
  world_listen(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  *state = w;
  return 0;
}

int world_teardown(void **state) {
  world_free(*state);
  return 0;
}

int world_main(const char *name, const struct CMUnitTest *tests, gsize n) {
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
    puts("skipped: needs root and /dev/net/tun");
    return 77;
  }
  if (system("ip link set lo up") != 0)
    return 1;
  return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
