/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null.h"
#include <adit/adit.h>

#define RUN_BUDGET 256 /* datagrams in one pass of the loop */

typedef struct {
  const AditLoopService *loop;
  const AditPathService *path;
  NullNet *net;
  NullDp *dp;
  AditTimer timer, stage_timer;
  guint64 deadline_ms; /* of stages; 0 = none */
} NullPlugin;

static guint64 plugin_now(gpointer user) {
  return ((NullPlugin *)user)->loop->now();
}

static void plugin_pending(gpointer user) {
  NullPlugin *self = user;
  self->loop->timer_arm(&self->timer, 0);
}

static void plugin_wake(gpointer user, guint64 deadline_ms) {
  NullPlugin *self = user;
  guint64 now = self->loop->now();
  if (!self->deadline_ms || deadline_ms < self->deadline_ms) {
    self->deadline_ms = deadline_ms;
    self->loop->timer_arm(&self->stage_timer, deadline_ms > now ? deadline_ms - now : 0);
  }
}

static gboolean plugin_is_protected(gpointer user, guint32 mark) {
  const AditPathService *path = ((NullPlugin *)user)->path;
  return ADIT_HAS(path, association_is_known) && path->association_is_known(mark);
}

static void plugin_stages(AditTimer *timer, gpointer user) {
  NullPlugin *self = user;
  self->deadline_ms = 0;
  if (null_net_run(self->net, RUN_BUDGET))
    self->loop->timer_arm(&self->timer, 0);
}

static void plugin_run(AditTimer *timer, gpointer user) {
  NullPlugin *self = user;
  if (null_net_run(self->net, RUN_BUDGET))
    self->loop->timer_arm(&self->timer, 0);
}

static gboolean plugin_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditLoopService *loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  const AditPathService *path = host->service(plugin, ADIT_PATH_SERVICE, 1);
  if (!loop || !path) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "needs services %s and %s", ADIT_LOOP_SERVICE, ADIT_PATH_SERVICE);
    return FALSE;
  }
  NullPlugin *self = g_new0(NullPlugin, 1);
  self->loop = loop;
  self->path = path;
  self->timer.func = plugin_run;
  self->timer.data = self;
  self->stage_timer.func = plugin_stages;
  self->stage_timer.data = self;
  self->net = null_net_new(
      &(NullNetOps){.now = plugin_now, .pending = plugin_pending, .wake = plugin_wake, .is_protected = plugin_is_protected}, self);
  self->dp = null_dp_new(self->net);
  *state = self;
  return path->datapath_add(plugin, &null_datapath_ops, self->dp, error);
}

static void plugin_fini(gpointer state) {
  NullPlugin *self = state;
  if (!self)
    return;
  self->loop->timer_cancel(&self->timer);
  self->loop->timer_cancel(&self->stage_timer);
  null_dp_free(self->dp);
  null_net_free(self->net);
  g_free(self);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "datapath:null"}};

ADIT_PLUGIN_DEFINE(null, .name = "null", .version = ADIT_VERSION, .summary = "data path inside one process, for tests",
                   .features = features, .n_features = G_N_ELEMENTS(features), .init = plugin_init, .fini = plugin_fini);
