/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The data path as a whole. */
#include "dp.h"
#include "inbox.h"
#include "peer/listener.h"
#include "peer/tun-tunnel.h"
#include "port/condemned.h"
#include "port/port.h"
#include "session/tun-ether.h"
#include "session/source.h"
#include "session/stage.h"
#include "session/tun-link.h"
#include "session/tun-session.h"
#include "traffic/worker-thread.h"
#include "worker/quiet.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

TunDp *tun_dp_new(const AditLoopService *loop, const AditNetService *net, AditPlugin *plugin) {
  TunDp *dp = g_new0(TunDp, 1);
  dp->loop = loop;
  dp->net = net;
  dp->plugin = plugin;
  dp->epoch = 1;
  dp->wake_fd = -1;
  g_queue_init(&dp->retired);
  dp->retire_timer.func = tun_retire_timer;
  dp->retire_timer.data = dp;
  dp->look_timer.func = tun_inbox_look;
  dp->look_timer.data = dp;
  dp->condemned_timer.func = tun_condemned_timer;
  dp->condemned_timer.data = dp;
  dp->sources_version = 1;
  loop->random(&dp->endpoint_seed, sizeof dp->endpoint_seed);
  tun_table_init(&dp->links, tun_retire_memory, dp);
  tun_table_init(&dp->sessions, tun_retire_memory, dp);
  tun_table_init(&dp->endpoints, tun_retire_memory, dp);
  tun_table_init(&dp->sources, tun_retire_memory, dp);
  tun_routes_init(&dp->owned, tun_retire_memory, dp);
  dp->early = tun_early_new(TUN_EARLY_MAX);
  dp->outbox = tun_outbox_new(&dp->config.offload);
  dp->listeners = g_hash_table_new(g_int64_hash, g_int64_equal);
  dp->ports = g_hash_table_new(NULL, NULL);
  dp->closing = g_hash_table_new(g_str_hash, g_str_equal);
  dp->condemned = g_hash_table_new(g_str_hash, g_str_equal);
  return dp;
}

gboolean tun_dp_setup(TunDp *dp, const TunConfig *config, GError **error) {
  guint n = config->workers ? config->workers : g_get_num_processors();
  if (dp->n_workers)
    return TRUE;
  dp->config = *config;
  dp->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (dp->wake_fd < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "eventfd: %s", g_strerror(errno));
    return FALSE;
  }
  dp->n_workers = CLAMP(n, 1, TUN_WORKERS_MAX);
  for (guint i = 0; i < dp->n_workers; i++)
    if (!(dp->worker[i] = tun_worker_new(dp, i, error))) {
      while (i-- > 0)
        tun_worker_free(g_steal_pointer(&dp->worker[i]));
      dp->n_workers = 0; /* none is not few: another attempt begins again */
      close(dp->wake_fd);
      dp->wake_fd = -1;
      return FALSE;
    }
  dp->wake_watch = dp->loop->watch_add(dp->plugin, dp->wake_fd, G_IO_IN, tun_inbox_dispatch, dp);
  return TRUE;
}

gboolean tun_dp_start(TunDp *dp, const TunConfig *config, GError **error) {
  if (!tun_dp_setup(dp, config, error))
    return FALSE;
  for (guint i = 0; i < dp->n_workers; i++)
    if (!tun_worker_start(dp->worker[i], error))
      return FALSE;
  tun_condemned_sweep(dp, NULL, NULL);
  return TRUE;
}

static void end_workers(TunDp *dp) {
  for (guint i = 0; i < dp->n_workers; i++)
    tun_worker_stop(dp->worker[i]);
  if (dp->wake_watch)
    dp->loop->watch_remove(g_steal_pointer(&dp->wake_watch));
  dp->loop->timer_cancel(&dp->look_timer);
  tun_outbox_hold(dp->outbox, FALSE);
  if (dp->wake_fd >= 0)
    close(dp->wake_fd);
  dp->wake_fd = -1;
}

static void on_swept(gpointer user, int error) {
  TunDp *dp = user;
  dp->sweeping = FALSE;
}

/* The last port has gone while the data path is stopping. */
static void end_idle(TunDp *dp) {
  dp->idle = NULL;
  end_workers(dp);
  tun_retire_all(dp);
  dp->sweeping = TRUE;
  tun_condemned_flush(dp);
  tun_condemned_sweep(dp, on_swept, dp);
  if (dp->stopped)
    dp->stopped(dp->stopped_data);
}

void tun_dp_stop(TunDp *dp, void (*done)(gpointer), gpointer data) {
  dp->idle = end_idle;
  dp->stopped = done;
  dp->stopped_data = data;
  if (!g_hash_table_size(dp->ports))
    end_idle(dp);
}

void tun_dp_free(TunDp *dp) {
  static TunDp *abandoned; /* reachable, so that it is no leak */

  dp->idle = NULL;
  end_workers(dp);
  tun_retire_all(dp);
  tun_condemned_flush(dp);
  if (g_hash_table_size(dp->ports) || dp->deleting || dp->sweeping) {
    adit_debug(NULL, "%u interfaces are still open, %u are being deleted", g_hash_table_size(dp->ports), dp->deleting);
    g_atomic_pointer_set(&abandoned, dp); /* the network thread may be at work on them: the end of the process frees it */
    return;
  }
  for (guint i = 0; i < TUN_WORKERS_MAX; i++)
    if (dp->worker[i])
      tun_worker_free(dp->worker[i]);
  tun_table_clear(&dp->links);
  tun_table_clear(&dp->sessions);
  tun_table_clear(&dp->endpoints);
  tun_table_clear(&dp->sources);
  tun_routes_clear(&dp->owned);
  tun_early_free(dp->early);
  tun_outbox_free(dp->outbox);
  g_hash_table_unref(dp->listeners);
  g_hash_table_unref(dp->ports);
  g_hash_table_unref(dp->closing);
  g_hash_table_unref(dp->condemned);
  g_free(dp);
}

static void detach_link(AditDpLink *link) {
  if (link->session)
    tun_session_leave(link->session, link);
  tun_link_detach(link);
}

const AditDatapathOps tun_datapath_ops = {
    .size = sizeof(AditDatapathOps),
    .name = "tun",
    .claims = tun_claims,
    .listen = tun_listen,
    .listener_local = tun_listener_local,
    .listener_close = tun_listener_close,
    .send_control = tun_send_control,
    .link_attach = tun_link_attach,
    .link_detach = detach_link,
    .link_update = tun_link_update,
    .link_framing = tun_link_framing,
    .link_send = tun_link_send,
    .link_stats = tun_link_stats,
    .link_splice = tun_link_splice,
    .port_open = tun_port_open,
    .port_close = tun_port_close,
    .port_carrier = tun_port_carrier,
    .session_open = tun_session_open,
    .session_join = tun_session_join,
    .session_leave = tun_session_leave,
    .session_set = tun_session_set,
    .session_add_prefix = tun_session_add_prefix,
    .session_stats = tun_session_stats,
    .session_close = tun_session_close,
    .session_remove_prefix = tun_session_remove_prefix,
    .tunnel_set = tun_tunnel_set,
    .tunnel_unset = tun_tunnel_unset,
    .stage_add = tun_stage_add,
    .stage_set = tun_stage_set,
    .stage_remove = tun_stage_remove,
    .session_attach_ether = tun_ether_attach,
    .session_set_ether = tun_ether_set,
    .session_ether_drops = tun_ether_drops,
};

/* The counters of a worker by the words that people read. */
static const struct {
  const char *name;
  gsize offset;
} facts[] = {
#define FACT(name, field)                                                                                                                  \
  { name, G_STRUCT_OFFSET(TunWorkerStats, field) }
    FACT("datagrams-in", datagrams_in),
    FACT("reads", reads_in),
    FACT("gro", gro_in),
    FACT("datagrams-out", datagrams_out),
    FACT("sends", sends_out),
    FACT("gso", gso_out),
    FACT("packets-in", packets_in),
    FACT("super-in", super_in),
    FACT("packets-out", packets_out),
    FACT("joined-out", joined_out),
    FACT("foreign", foreign),
    FACT("foreign-full", foreign_full),
    FACT("early", early),
    FACT("unknown", unknown),
    FACT("malformed", malformed),
    FACT("stray", stray),
    FACT("spoofed", spoofed),
    FACT("looped", looped),
    FACT("crowded", crowded),
    FACT("main-full", main_full),
    FACT("send-full", send_full),
    FACT("send-failed", send_failed),
    FACT("write-failed", write_failed),
    FACT("gso-refused", gso_refused),
    FACT("join-refused", join_refused),
#undef FACT
};

AditValue *tun_dp_describe(const TunDp *dp) {
  AditValue *result = adit_value_map(), *workers = adit_value_list();
  for (guint i = 0; i < dp->n_workers; i++) {
    AditValue *row = adit_value_map();
    adit_value_set(row, "worker", adit_value_int(i));
    for (guint f = 0; f < G_N_ELEMENTS(facts); f++) {
      const guint64 *field = (const guint64 *)(gconstpointer)((const guint8 *)&dp->worker[i]->stats + facts[f].offset);
      adit_value_set(row, facts[f].name, adit_value_int((gint64)TUN_GET(*field)));
    }
    adit_value_append(workers, row);
  }
  adit_value_set(result, "workers", workers);
  adit_value_set(result, "links", adit_value_int(dp->links.items));
  adit_value_set(result, "control-failed", adit_value_int((gint64)tun_outbox_failed(dp->outbox)));
  adit_value_set(result, "ports", adit_value_int(g_hash_table_size(dp->ports)));
  return result;
}
