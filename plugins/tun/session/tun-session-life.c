/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions from their opening to their end, and the links that join and leave them. [main] */
#include "../dp.h"
#include "../worker/quiet.h"
#include "link-facts.h"
#include "source.h"
#include "stage.h"
#include "tun-ether.h"
#include "tun-session.h"
#include <errno.h>

static void session_reclaim(gpointer memory) {
  AditDpSession *session = memory;
  g_ptr_array_unref(session->prefixes);
  g_free((gpointer)session->ether_params);
  g_aligned_free(session->ether_drops);
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
  session->by_serial.key = ++dp->next_serial;
  tun_table_insert(&dp->sessions, &session->by_serial);
  session->port = port;
  session->prefixes = g_ptr_array_new();
  if (port) {
    port->sessions++;
    if (!port->head.shared)
      __atomic_store_n(&port->session, session, __ATOMIC_RELEASE);
  }
  return session;
}

/* Separate ports are read by the session's home worker, and by none without a link. Returns the one that cannot be, with errno. */
static const TunPort *watch_ports(AditDpSession *session, gboolean on) {
  TunPort *const ports[] = {session->port, session->l2};
  for (guint i = 0; i < G_N_ELEMENTS(ports); i++) {
    if (!ports[i] || ports[i]->head.shared)
      continue;
    tun_port_unwatch(ports[i]);
    if (on && !tun_port_watch(ports[i], session->dp->worker[session->home]))
      return ports[i];
  }
  return NULL;
}

static gboolean may_join(const AditDpSession *session, const AditDpLink *link, GError **error) {
  if (session->link_bits && !session->pipeline.stage[ADIT_STAGE_BUNDLE]) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "a second link needs a stage that bundles");
    return FALSE;
  }
  if (session->link_bits == (1u << ADIT_STAGE_LINKS) - 1) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "the session has %u links, which is all it can have", ADIT_STAGE_LINKS);
    return FALSE;
  }
  if (session->homed && link->home != session->home && link->home != link->gate) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "the link was in another session and cannot move again");
    return FALSE;
  }
  return TRUE;
}

gboolean tun_session_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error) {
  guint at = (guint)__builtin_ctz(~session->link_bits);
  if (!may_join(session, link, error))
    return FALSE;
  if (!session->homed) {
    session->homed = TRUE;
    session->home = link->home;
  }
  if (!session->link_bits) {
    const TunPort *unheard = watch_ports(session, TRUE);
    if (unheard) { /* the kernel limits how many are watched */
      g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s cannot be watched: %s", unheard->head.name, g_strerror(errno));
      return FALSE;
    }
    __atomic_store_n(&session->link, link, __ATOMIC_RELEASE);
  }
  link->index = at;
  if (session->pipeline.stage[ADIT_STAGE_BUNDLE])
    tun_link_facts_learn(link);
  __atomic_store_n(&session->links[at], link, __ATOMIC_RELEASE);
  __atomic_store_n(&session->link_bits, session->link_bits | 1u << at, __ATOMIC_RELEASE);
  tun_link_move(link, session->home); /* a worker that sees the session sees this first */
  __atomic_store_n(&link->session, session, __ATOMIC_RELEASE);
  if (index)
    *index = at;
  return TRUE;
}

void tun_session_leave(AditDpSession *session, AditDpLink *link) {
  if (link->session != session)
    return;
  guint32 left = session->link_bits & ~(1u << link->index);
  AditDpLink *other = left ? session->links[__builtin_ctz(left)] : NULL;
  if (session->link == link)
    __atomic_store_n(&session->link, other, __ATOMIC_RELEASE);
  __atomic_store_n(&session->links[link->index], NULL, __ATOMIC_RELEASE);
  __atomic_store_n(&session->link_bits, left, __ATOMIC_RELEASE);
  __atomic_store_n(&link->session, NULL, __ATOMIC_RELEASE);
  if (!left)
    watch_ports(session, FALSE);
}

void tun_session_close(AditDpSession *session, AditDpStats *final) {
  TunPort *port = session->port;
  AditDpStats stats;
  while (session->link_bits)
    tun_session_leave(session, session->links[__builtin_ctz(session->link_bits)]);
  for (guint kind = 0; kind < ADIT_STAGES_N; kind++)
    tun_stage_remove(session, (AditStageKind)kind);
  tun_session_remove_prefixes(session);
  tun_table_remove(&session->dp->sessions, &session->by_serial);
  if (port && port->session == session)
    __atomic_store_n(&port->session, NULL, __ATOMIC_RELEASE);
  tun_ether_detach(session);
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
  __atomic_store_n(&session->dead, TRUE, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&session->listed, __ATOMIC_SEQ_CST))
    tun_worker_kick(session->dp->worker[session->home]);
  tun_retire(session->dp, session_reclaim, session, &session->listed);
}
