/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* To close the descriptor of an interface that is there costs milliseconds under RTNL, each time; so the
 * interface goes first, with many others through a link group, and then the descriptor, which costs nothing any more. */
#include "condemned.h"
#include "../dp.h"
#include <errno.h>

enum {
  CONDEMNED_MS = 50,   /* how long interfaces wait for others to be deleted with them */
  CONDEMNED_MAX = 256, /* how many go at once: RTNL is shared by all programs, and is held for about a millisecond each */
};

/* The group of interfaces that wait for their deletion. */
static guint32 condemned_group(const TunDp *dp) {
  guint32 group = dp->net->group();
  return group ? group ^ 0x40000000 : 0;
}

static void group_delete(const TunDp *dp, guint32 group, AditNetDone done, gpointer user) {
  if (group) /* 0 is the default group */
    dp->net->link_delete_group(group, done, user);
  else if (done)
    done(user, 0);
}

/* A core that has no tokens has groups alone. */
void tun_condemned_sweep(TunDp *dp, AditNetDone done, gpointer user) {
  if (ADIT_HAS(dp->net, link_sweep)) {
    dp->net->link_sweep(done, user);
    return;
  }
  group_delete(dp, condemned_group(dp), NULL, NULL);
  group_delete(dp, dp->net->group(), done, user);
}

/* ---- those that are deleted together ---- */

typedef struct {
  TunDp *dp;
  guint n;
  TunPort *port[CONDEMNED_MAX];
} Batch;

static void batch_work(gpointer data) {
  const Batch *batch = data;
  for (guint i = 0; i < batch->n; i++)
    tun_port_close_queues(batch->port[i]);
}

static void batch_done(gpointer data) {
  Batch *batch = data;
  for (guint i = 0; i < batch->n; i++)
    tun_port_free(batch->port[i]);
  batch->dp->deleting -= batch->n;
  g_free(batch);
}

void tun_condemned_flush(TunDp *dp) {
  GHashTableIter iter;
  gpointer port;
  dp->loop->timer_cancel(&dp->condemned_timer);
  if (!g_hash_table_size(dp->condemned))
    return;
  Batch *batch = g_new(Batch, 1);
  batch->dp = dp;
  batch->n = 0;
  g_hash_table_iter_init(&iter, dp->condemned);
  while (g_hash_table_iter_next(&iter, NULL, &port))
    batch->port[batch->n++] = port;
  g_hash_table_remove_all(dp->condemned);
  dp->deleting += batch->n;
  group_delete(dp, condemned_group(dp), NULL, NULL);
  dp->net->call(batch_work, batch_done, batch);
}

void tun_condemned_timer(AditTimer *timer, gpointer dp) {
  tun_condemned_flush(dp);
}

static void on_condemned(gpointer user, int error) {
  const TunPort *port = user;
  if (error && error != ENODEV) /* another program was faster */
    adit_warning(NULL, "%s: link group: %s", port->head.name, g_strerror(error));
}

void tun_condemned_add(TunPort *port) {
  TunDp *dp = port->dp;
  AditLinkChange change = {.ifindex = port->head.ifindex, .set = ADIT_LINK_GROUP, .group = condemned_group(dp)};
  if (change.group)
    dp->net->link_change(&change, on_condemned, port);
  if (g_hash_table_contains(dp->condemned, port->head.name)) /* renamed meanwhile by an administrator */
    tun_condemned_flush(dp);
  if (!g_hash_table_size(dp->condemned))
    dp->loop->timer_arm(&dp->condemned_timer, CONDEMNED_MS);
  g_hash_table_insert(dp->condemned, port->head.name, port);
  if (g_hash_table_size(dp->condemned) == CONDEMNED_MAX)
    tun_condemned_flush(dp);
}
