/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions as the main loop handles them. */
#include "session.h"
#include "dp.h"
#include "quiet.h"
#include "source.h"
#include <errno.h>

static void session_reclaim(gpointer memory) {
  AditDpSession *session = memory;
  g_ptr_array_unref(session->prefixes);
  g_aligned_free(session);
}

AditDpSession *tun_session_open(gpointer data, AditSessionId id, AditPort *head, GError **error) {
  TunDp *dp = data;
  TunPort *port = (TunPort *)head;
  if (port && !port->head.shared && port->session) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s has a session", port->head.name);
    return NULL;
  }
  AditDpSession *session = g_aligned_alloc0(1, sizeof *session + (dp->n_workers + 1) * sizeof(TunCell), 64);
  session->dp = dp;
  session->id = id;
  session->serial = ++dp->next_serial;
  session->port = port;
  session->prefixes = g_ptr_array_new();
  if (port) {
    port->sessions++;
    if (!port->head.shared)
      __atomic_store_n(&port->session, session, __ATOMIC_RELEASE);
  }
  return session;
}

/* A port of its own is read by the home worker of its link, and by nobody without a link. */
static gboolean port_watch(AditDpSession *session, const AditDpLink *link) {
  TunPort *port = session->port;
  if (!port || port->head.shared)
    return TRUE;
  TunQueue *queue = &port->queue[0];
  if (queue->watcher >= 0)
    tun_worker_unwatch(session->dp->worker[queue->watcher], queue->fd);
  queue->watcher = -1;
  if (!link)
    return TRUE;
  if (!tun_worker_watch(session->dp->worker[link->home], queue->fd, queue))
    return FALSE;
  queue->watcher = (int)link->home;
  return TRUE;
}

gboolean tun_session_join(AditDpSession *session, AditDpLink *link, GError **error) {
  if (session->link) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "a second link needs a stage that bundles");
    return FALSE;
  }
  if (!port_watch(session, link)) { /* the kernel limits how many are watched */
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s cannot be watched: %s", session->port->head.name, g_strerror(errno));
    return FALSE;
  }
  __atomic_store_n(&session->link, link, __ATOMIC_RELEASE);
  __atomic_store_n(&link->session, session, __ATOMIC_RELEASE);
  return TRUE;
}

void tun_session_leave(AditDpSession *session, AditDpLink *link) {
  if (session->link != link)
    return;
  __atomic_store_n(&session->link, NULL, __ATOMIC_RELEASE);
  __atomic_store_n(&link->session, NULL, __ATOMIC_RELEASE);
  port_watch(session, NULL);
}

void tun_session_set(AditDpSession *session, const AditDpSessionParams *params) {
  gboolean check = ADIT_HAS(params, check_source) ? params->check_source : session->port && session->port->head.shared;
  guint64 packed = (params->ipv4 ? TUN_PARAM_IPV4 : 0) | (params->ipv6 ? TUN_PARAM_IPV6 : 0) | (check ? TUN_PARAM_CHECK : 0) |
                   (guint64)params->mss4 << 16 | (guint64)params->mss6 << 32;
  __atomic_store_n(&session->params, packed, __ATOMIC_RELEASE);
}

void tun_session_stats(AditDpSession *session, AditDpStats *out) {
  tun_cells_sum(session->cell, session->dp->n_workers + 1, out);
}

void tun_session_close(AditDpSession *session, AditDpStats *final) {
  TunPort *port = session->port;
  AditDpStats stats;
  if (session->link)
    tun_session_leave(session, session->link);
  tun_session_remove_prefixes(session);
  if (port && port->session == session)
    __atomic_store_n(&port->session, NULL, __ATOMIC_RELEASE);
  tun_session_stats(session, &stats);
  if (port) {
    port->sessions--;
    port->counters.rx_packets += stats.counters.rx_packets;
    port->counters.rx_octets += stats.counters.rx_octets;
    port->counters.tx_packets += stats.counters.tx_packets;
    port->counters.tx_octets += stats.counters.tx_octets;
  }
  if (final)
    *final = stats;
  tun_retire(session->dp, session_reclaim, session, NULL);
}
