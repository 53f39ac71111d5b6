/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Interfaces: their names, their sessions, their end. */
#include "core/base/loop.h"
#include "core/net/net.h"
#include "packets.h"
#include "tests/lib/loop.h"
#include "world.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void shared_ports_know_their_sessions(void **state) {
  World *w = *state;
  guint8 packet[2048];
  AditEndpoint from;
  AditPrefix prefix;
  int inside;
  port_make(&w->session[0], "l2tp-all", TRUE, FALSE);
  address_add(w->session[0].port, "10.9.0.1/16", NULL);
  inside = udp_socket("0.0.0.0", 7000, NULL);
  for (guint n = 0; n < 3; n++) {
    g_autofree char *text = g_strdup_printf("10.9.%u.2", n), *own = g_strdup_printf("10.9.%u.1/32", n);
    Session *s = &w->session[n];
    session_attach(w, n, 0, 0);
    s->port = w->session[0].port;
    if (n)
      address_add(s->port, own, NULL);
    session_open(s);
    assert_true(adit_prefix_parse(text, &prefix));
    assert_true(tun_session_add_prefix(s->session, &prefix, NULL));
  }
  assert_false(tun_session_add_prefix(w->session[0].session, &prefix, NULL));
  for (guint n = 0; n < 3; n++) {
    peer_packet(w, n, (Wrap){0}, (guint8)n);
    assert_int_equal(receive(inside, packet, sizeof packet, &from), 100);
    assert_int_equal(sendto(inside, "back", 4, 0, &from.any, sizeof from.in), 4);
    assert_int_equal(peer_receive(w, n, packet), 32);
  }
  /* Session 1 speaks with session 0's address. */
  guint8 datagram[2048];
  guint length = inner_packet(packet, 0, 100, 9);
  peer_send(w, datagram, wrap(datagram, 1, (Wrap){0}, packet, length));
  peer_packet(w, 1, (Wrap){0}, 10);
  assert_int_equal(receive(inside, packet, sizeof packet, NULL), 100);
  assert_int_equal(packet[0], 10);
  assert_int_equal(FACT(w, spoofed), 1);
  close(inside);
}

static void a_name_is_free_again_at_once(void **state) {
  World *w = *state;
  for (guint i = 0; i < 5; i++) {
    session_start(w, 0);
    assert_int_equal(if_nametoindex("l2tp-t0"), w->session[0].port->ifindex);
    session_end(&w->session[0]);
  }
  assert_true(TEST_LOOP_UNTIL(!if_nametoindex("l2tp-t0"), PATIENCE));
}

/* The old one is still on its way out; the new one waits for it. */
static void a_name_may_be_taken_over(void **state) {
  World *w = *state;
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "l2tp-same", .mtu = 1400};
  port_make(&w->session[0], "l2tp-same", FALSE, FALSE);
  tun_port_close(g_steal_pointer(&w->session[0].port), on_closed, &w->session[0]);
  tun_port_open(w->dp, &spec, on_opened, &w->session[1]);
  assert_true(TEST_LOOP_UNTIL(w->session[1].opened, PATIENCE));
  assert_true(w->session[0].closed);
  assert_non_null(w->session[1].port);
  w->session[1].own_port = TRUE;
}

static void a_name_that_is_taken_is_an_error(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = "lo", .mtu = 1460};
  tun_port_open(w->dp, &spec, on_opened, s);
  assert_true(TEST_LOOP_UNTIL(s->opened, PATIENCE));
  assert_null(s->port);
  assert_int_equal(s->error, ADIT_ERR_EXISTS);
}

/* The kernel puts a number for the format: the interface would have another name than the session. */
static void a_name_with_a_format_is_an_error(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  tun_port_open(w->dp, &(AditPortSpec){.size = sizeof(AditPortSpec), .kind = ADIT_PORT_L3, .name = "l2tp%d"}, on_opened, s);
  assert_true(TEST_LOOP_UNTIL(s->opened, PATIENCE));
  assert_null(s->port);
  assert_int_equal(s->error, ADIT_ERR_INVALID);
}

static gboolean is_persistent(const TunPort *port) {
  struct ifreq request = {0};
  assert_int_equal(ioctl(port->queue[0].fd, TUNGETIFF, &request), 0);
  return (request.ifr_flags & IFF_PERSIST) != 0;
}

static guint lines_of(const char *command) {
  FILE *pipe = popen(command, "r");
  guint lines = 0;
  assert_non_null(pipe);
  for (int c; (c = fgetc(pipe)) != EOF;)
    lines += c == '\n';
  assert_int_equal(pclose(pipe), 0);
  return lines;
}

/* Each had a multicast route, and each set-up walked them all. With a link-local address it has all that IPv6 needs. */
static void an_own_interface_pays_for_ipv6_when_it_has_it(void **state) {
  World *w = *state;
  guint before = lines_of("ip -6 route show table all");
  for (guint n = 0; n < 3; n++)
    session_start(w, n);
  assert_int_equal(lines_of("ip -6 route show table all"), before);
  assert_int_equal(lines_of("ip -6 address show dev l2tp-t0"), 0);
  assert_true(TEST_LOOP_UNTIL(lines_of("ip -o link show dev l2tp-t2 | grep MULTICAST || true") == 1, PATIENCE));
  assert_int_equal(lines_of("ip -6 route show table all"), before);
  address_add(w->session[0].port, "fe80::1/64", NULL);
  assert_true(TEST_LOOP_UNTIL(lines_of("ip -6 route show table all dev l2tp-t0") == 3, PATIENCE)); /* its own, fe80::/64, ff00::/8 */
  assert_int_equal(lines_of("ip -6 route show table local dev l2tp-t0 | grep ff00::/8"), 1);
}

static gboolean grouped_before_persistent;

static void spy_link_change(const AditLinkChange *change, AditNetDone done, gpointer user) {
  if (change->set & ADIT_LINK_GROUP && done)
    grouped_before_persistent = !is_persistent(user);
  adit_net_service()->link_change(change, done, user);
}

/* Who is killed between the two leaves nothing: the next start finds what is persistent by its group. */
static void an_interface_outlives_nobody_before_it_is_in_its_group(void **state) {
  World *w = *state;
  AditNetService spy = *adit_net_service();
  spy.link_change = spy_link_change;
  w->dp->net = &spy;
  port_make(&w->session[0], "l2tp-group", FALSE, FALSE);
  w->dp->net = adit_net_service();
  assert_true(grouped_before_persistent);
  assert_true(is_persistent((const TunPort *)w->session[0].port));
}

static gboolean has_carrier(const char *name) {
  struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
  struct ifreq request = {.ifr_data = (gpointer)&value};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
  assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
  close(fd);
  return value.data != 0;
}

static void static_ports_have_carrier_when_told(void **state) {
  World *w = *state;
  port_make(&w->session[0], "l2tp-static", FALSE, TRUE);
  assert_false(has_carrier("l2tp-static"));
  tun_port_carrier(w->session[0].port, TRUE);
  assert_true(TEST_LOOP_UNTIL(has_carrier("l2tp-static"), PATIENCE));
  tun_port_carrier(w->session[0].port, FALSE);
  assert_true(TEST_LOOP_UNTIL(!has_carrier("l2tp-static"), PATIENCE));
}

/* ---- their end ---- */

static void on_done(gpointer user, int error) {
  *(int *)user = error;
}

static gboolean workers_sleep(const TunDp *dp) {
  for (guint i = 0; i < dp->n_workers; i++)
    if (__atomic_load_n(&dp->worker[i]->epoch, __ATOMIC_SEQ_CST))
      return FALSE;
  return TRUE;
}

/* A descriptor without an interface is always ready, for an error: nobody may wait for it. */
static void an_interface_that_somebody_deletes_keeps_nobody_awake(void **state) {
  World *w = *state;
  session_start(w, 0);
  int error = -1;
  adit_net_service()->link_delete(w->session[0].port->ifindex, on_done, &error);
  assert_true(TEST_LOOP_UNTIL(error >= 0, PATIENCE));
  assert_int_equal(error, 0);
  assert_true(TEST_LOOP_UNTIL(workers_sleep(w->dp), PATIENCE));
}

static guint lost_ports;

/* As a session does: leaves the port, and closes it, within the call. */
static void on_lost(gpointer user, AditPort *port) {
  Session *s = user;
  lost_ports++;
  assert_ptr_equal(port, s->port);
  if (s->session)
    tun_session_close(g_steal_pointer(&s->session), NULL);
  tun_port_close(g_steal_pointer(&s->port), on_closed, s);
}

static void whoever_opened_an_interface_hears_of_its_loss(void **state) {
  World *w = *state;
  lost_ports = 0;
  for (guint n = 0; n < 3; n++) {
    g_autofree char *name = g_strdup_printf("l2tp-lost%u", n);
    AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = name, .mtu = 1400, .shared = n > 0, .lost = on_lost};
    tun_port_open(w->dp, &spec, on_opened, &w->session[n]);
    assert_true(TEST_LOOP_UNTIL(w->session[n].opened, PATIENCE));
    assert_non_null(w->session[n].port);
  }
  session_attach(w, 0, 0, 0);
  session_open(&w->session[0]);
  for (guint n = 0; n < 3; n++)
    adit_net_service()->link_delete(w->session[n].port->ifindex, NULL, NULL);
  assert_true(TEST_LOOP_UNTIL(w->session[0].closed && w->session[1].closed && w->session[2].closed, PATIENCE));
  assert_int_equal(lost_ports, 3);
}

/* The kernel limits how many descriptors are watched: a session that cannot be heard is none. */
static void a_queue_that_cannot_be_watched_is_an_error(void **state) {
  World *w = *state;
  Session *s = &w->session[0];
  g_autoptr(GError) error = NULL;
  session_attach(w, 0, 0, 0);
  port_make(s, "l2tp-deaf", FALSE, FALSE);
  TunQueue *queue = &((TunPort *)s->port)->queue[0];
  int own = queue->fd;
  queue->fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* epoll refuses it */
  s->session = tun_session_open(w->dp, 1, s->port, NULL);
  assert_false(tun_session_join(s->session, s->link, NULL, &error));
  assert_int_equal(error->code, ADIT_ERR_SYSTEM);
  close(queue->fd);
  queue->fd = own;
  assert_true(tun_session_join(s->session, s->link, NULL, NULL));
}

/* Keeps the network thread from its work, as the kernel does while it deletes thousands of interfaces. */
typedef struct {
  GMutex lock;
  gboolean done;
} Block;

static void block_work(gpointer data) {
  g_mutex_lock(&((Block *)data)->lock);
  g_mutex_unlock(&((Block *)data)->lock);
}

static void block_done(gpointer data) {
  ((Block *)data)->done = TRUE;
}

static void stopped(gpointer data) {
  *(gboolean *)data = TRUE;
}

/* The end of a session, and of the daemon, completes as soon as no frame is moved any more. */
static void closing_and_stopping_do_not_wait_for_the_kernel(void **state) {
  World *w = world_new(2, TRUE);
  Block block = {0};
  gboolean has_stopped = FALSE;
  for (guint n = 0; n < 3; n++) {
    g_autofree char *name = g_strdup_printf("l2tp-end%u", n);
    port_make(&w->session[n], name, n == 2, FALSE);
  }
  g_mutex_lock(&block.lock);
  adit_net_service()->call(block_work, block_done, &block);
  for (guint n = 0; n < 3; n++)
    tun_port_close(g_steal_pointer(&w->session[n].port), on_closed, &w->session[n]);
  for (guint n = 0; n < 3; n++)
    assert_true(TEST_LOOP_UNTIL(w->session[n].closed, PATIENCE));
  tun_dp_stop(w->dp, stopped, &has_stopped);
  assert_true(TEST_LOOP_UNTIL(has_stopped, PATIENCE));
  assert_int_not_equal(if_nametoindex("l2tp-end0"), 0);
  g_mutex_unlock(&block.lock);
  assert_true(TEST_LOOP_UNTIL(block.done, PATIENCE));
  assert_true(TEST_LOOP_UNTIL(!w->dp->sweeping && !w->dp->deleting, PATIENCE));
  for (guint n = 0; n < 3; n++) {
    g_autofree char *name = g_strdup_printf("l2tp-end%u", n);
    assert_int_equal(if_nametoindex(name), 0);
  }
  world_free(w);
}

static void on_opened_of_many(gpointer user, AditPort *port, const GError *error) {
  assert_non_null(port);
  g_ptr_array_add(user, port);
}

static void on_closed_of_many(gpointer user, const AditCounters *final) {
  ++*(guint *)user;
}

/* All sessions of a tunnel at once: their interfaces go together, some hundred at a time, and none stays. */
static void many_go_together(void **state) {
  enum { MANY = 600 };
  World *w = *state;
  g_autoptr(GPtrArray) ports = g_ptr_array_new();
  guint closed = 0;
  for (guint i = 0; i < MANY; i++) {
    g_autofree char *name = g_strdup_printf("l2tp-m%u", i);
    tun_port_open(w->dp, &(AditPortSpec){.size = sizeof(AditPortSpec), .kind = ADIT_PORT_L3, .name = name}, on_opened_of_many, ports);
  }
  assert_true(TEST_LOOP_UNTIL(ports->len == MANY, PATIENCE));
  for (guint i = 0; i < MANY; i++)
    tun_port_close(ports->pdata[i], on_closed_of_many, &closed);
  assert_true(TEST_LOOP_UNTIL(closed == MANY, PATIENCE));
  assert_true(TEST_LOOP_UNTIL(w->dp->deleting == 0 && g_hash_table_size(w->dp->condemned) == 0, PATIENCE));
  for (guint i = 0; i < MANY; i++) {
    g_autofree char *name = g_strdup_printf("l2tp-m%u", i);
    assert_int_equal(if_nametoindex(name), 0);
  }
}

int main(void) {
  const struct CMUnitTest ports[] = {
      WORLD_TEST(shared_ports_know_their_sessions),
      WORLD_TEST(a_name_is_free_again_at_once),
      WORLD_TEST(a_name_may_be_taken_over),
      WORLD_TEST(a_name_that_is_taken_is_an_error),
      WORLD_TEST(a_name_with_a_format_is_an_error),
      WORLD_TEST(an_own_interface_pays_for_ipv6_when_it_has_it),
      WORLD_TEST(an_interface_outlives_nobody_before_it_is_in_its_group),
      WORLD_TEST(static_ports_have_carrier_when_told),
      WORLD_TEST(an_interface_that_somebody_deletes_keeps_nobody_awake),
      WORLD_TEST(whoever_opened_an_interface_hears_of_its_loss),
      WORLD_TEST(a_queue_that_cannot_be_watched_is_an_error),
      cmocka_unit_test(closing_and_stopping_do_not_wait_for_the_kernel),
      WORLD_TEST(many_go_together),
  };
  return WORLD_MAIN(ports);
}
