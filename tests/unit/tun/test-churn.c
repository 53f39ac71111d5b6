/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links, sessions and the data path that end under traffic. */
#include "packets.h"
#include "tests/lib/loop.h"
#include "tests/lib/protocols.h"
#include "world.h"
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
  World *w;
  int reused;
  guint controls;
} Stopper;

static void on_control_stop(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  Stopper *stopper = user;
  if (stopper->controls++)
    return;
  stopper->reused = stopper->w->dp->wake_fd;
  tun_dp_stop(stopper->w->dp, NULL, NULL);
  int other = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); /* somebody gets its number */
  if (other != stopper->reused) {
    dup2(other, stopper->reused);
    close(other);
  }
}

/* The last acknowledgement lets the daemon stop, with more to read behind it. */
static void stopping_while_control_is_read(void **state) {
  World *w = world_new(1, TRUE);
  Stopper stopper = {.w = w, .reused = -1};
  static const AditListenerOps ops = {.size = sizeof ops, .control = on_control_stop};
  const guint8 sccrq[] = {0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
  guint64 count;
  world_listen(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
  w->listener->ops = &ops;
  w->listener->user = &stopper;
  for (guint i = 0; i < 200; i++)
    peer_send(w, sccrq, sizeof sccrq);
  assert_true(TEST_LOOP_UNTIL(stopper.controls > 0, PATIENCE));
  assert_int_equal(read(stopper.reused, &count, sizeof count), -1);
  close(stopper.reused);
  world_free(w);
}

/* Links and sessions come and go under full traffic: nothing is touched after it was freed. */
static void coming_and_going_under_traffic(void **state) {
  World *w = *state;
  session_start(w, 1);
  for (guint i = 0; i < 300; i++) {
    AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = i & 1};
    Session *s = &w->session[0];
    session_attach(w, 0, 0, i & 2 ? 50 : 0);
    s->session = tun_session_open(w->dp, 1, NULL, NULL);
    assert_true(tun_session_join(s->session, s->link, NULL, NULL));
    tun_session_set(s->session, &params);
    for (guint k = 0; k < 30; k++)
      peer_packet(w, k & 1, (Wrap){.flags = 0x0800, .ns = (guint16)(k * 2)}, 0);
    tun_link_framing(s->link, i & 1, i & 2);
    test_loop_drain();
    tun_session_close(g_steal_pointer(&s->session), NULL);
    tun_datapath_ops.link_detach(g_steal_pointer(&s->link));
  }
  assert_true(TEST_LOOP_UNTIL(w->dp->retired.length == 0, PATIENCE));
}

int main(void) {
  const struct CMUnitTest churn[] = {
      cmocka_unit_test(stopping_while_control_is_read),
      WORLD_TEST(coming_and_going_under_traffic),
  };
  return WORLD_MAIN(churn);
}
