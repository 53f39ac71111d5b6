/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Workers see the port by its session, the codec by TUN_PARAM_BRIDGE, and parameters as a block that is replaced as a whole. */
#include "tun-ether.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include <errno.h>

gboolean tun_ether_attach(AditDpSession *session, AditPort *head, const AditEtherOps *codec, GError **error) {
  TunPort *port = (TunPort *)head;
  if (head->kind != ADIT_PORT_L2 || !adit_ether_is_complete(codec)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s: %s", head->name,
                head->kind != ADIT_PORT_L2 ? "no L2 port" : "the codec of its frames is not complete");
    return FALSE;
  }
  if (session->l2 || port->session) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s: %s", head->name, port->session ? "it has a session" : "the session has an L2 port");
    return FALSE;
  }
  if (session->link_bits && !tun_port_watch(port, session->dp->worker[session->home])) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s cannot be watched: %s", head->name, g_strerror(errno));
    return FALSE;
  }
  port->sessions++;
  session->l2 = port;
  session->codec = codec;
  session->ether_drops = g_aligned_alloc0(session->dp->n_workers, sizeof *session->ether_drops, 64);
  __atomic_store_n(&port->session, session, __ATOMIC_RELEASE);
  return TRUE;
}

void tun_ether_set(AditDpSession *session, gconstpointer params) {
  gpointer old = (gpointer)session->ether_params;
  if (!session->codec)
    return;
  __atomic_store_n(&session->ether_params, g_memdup2(params, ADIT_ETHER_PARAMS), __ATOMIC_RELEASE);
  tun_session_publish(session);
  if (old)
    tun_retire_memory(session->dp, old);
}

void tun_ether_drops(AditDpSession *session, guint64 drops[ADIT_ETHER_REASONS]) {
  memset(drops, 0, ADIT_ETHER_REASONS * sizeof *drops);
  for (guint i = 0; session->ether_drops && i < session->dp->n_workers; i++)
    for (guint reason = 0; reason < ADIT_ETHER_REASONS; reason++)
      drops[reason] += TUN_GET(session->ether_drops[i][reason]);
}

void tun_ether_detach(AditDpSession *session) {
  TunPort *port = session->l2;
  if (!port)
    return;
  tun_port_unwatch(port);
  if (port->session == session)
    __atomic_store_n(&port->session, NULL, __ATOMIC_RELEASE);
  port->sessions--;
}
