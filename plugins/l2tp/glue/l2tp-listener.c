/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "l2tp-listener.h"
#include "l2tp.h"
#include "peer.h"

static L2tpListener *listener_find(L2tp *l2tp, const char *data_path, const AditEndpoint *at) {
  for (guint i = 0; i < l2tp->listeners->len; i++) {
    L2tpListener *listener = l2tp->listeners->pdata[i];
    if (!strcmp(listener->data_path, data_path) && adit_endpoint_equal(&listener->asked, at))
      return listener;
  }
  return NULL;
}

L2tpListener *l2tp_listener_get(L2tp *l2tp, const char *data_path, const AditEndpoint *at, gboolean any_tunnel, GError **error) {
  L2tpListener *listener = adit_endpoint_port(at) ? listener_find(l2tp, data_path, at) : NULL;
  AditListenerSpec spec = {.size = sizeof spec,
                           .local = *at,
                           .classify = any_tunnel ? l2tp_classify_any_tunnel : l2tp_classify,
                           .layout = adit_encap_layout(&(AditEncap){.kind = ADIT_ENCAP_L2TPV2_UDP}),
                           .min_receive = L2TP_CONTROL_MAX,
                           .announces = TRUE};
  gpointer dp = NULL;

  if (listener)
    return l2tp_listener_ref(listener);
  const AditDatapathOps *ops = l2tp->path->datapath(data_path, &dp);
  if (!ops) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no data path `%s' (is its plugin loaded?)", data_path);
    return NULL;
  }
  listener = g_new0(L2tpListener, 1);
  listener->refs = 1;
  listener->l2tp = l2tp;
  listener->listener = ops->listen(dp, &spec, l2tp->listener_ops, listener, error);
  if (!listener->listener) {
    g_free(listener);
    return NULL;
  }
  listener->data_path = g_strdup(data_path);
  listener->any_tunnel = any_tunnel;
  listener->sessions = any_tunnel ? g_hash_table_new(NULL, NULL) : NULL;
  listener->asked = listener->local = *at;
  listener->ops = ops;
  listener->dp = dp;
  ops->listener_local(listener->listener, &listener->local);
  g_ptr_array_add(l2tp->listeners, listener);
  return listener;
}

L2tpListener *l2tp_listener_ref(L2tpListener *listener) {
  listener->refs++;
  return listener;
}

void l2tp_listener_unref(L2tpListener *listener) {
  if (!listener || --listener->refs)
    return;
  g_ptr_array_remove_fast(listener->l2tp->listeners, listener);
  listener->ops->listener_close(listener->listener);
  g_clear_pointer(&listener->sessions, g_hash_table_unref);
  g_free(listener->data_path);
  g_free(listener);
}

int l2tp_listener_send(L2tpListener *listener, const AditPath *path, const guint8 *datagram, gsize length) {
  errno = 0;
  if (listener->ops->send_control(listener->listener, path, datagram, length))
    return 0;
  listener->l2tp->stats.send_failed++;
  return errno ? errno : EIO;
}

void l2tp_listener_announce(L2tpListener *listener, const L2tpPeer *peer) {
  const AditDatapathOps *ops = listener->ops;
  AditPath path = peer->path;
  AditDpTunnel facts = {.size = sizeof facts, .path = &path, .proven = peer->proven};

  if (peer->service->client && !peer->tunnel.was_up) { /* the server may answer from another port: RFC 2661 8.1 */
    AditAddress remote = adit_endpoint_address(&path.remote);
    path.remote = adit_endpoint(&remote, 0);
  }
  if (ADIT_HAS(ops, tunnel_set) && ops->tunnel_set)
    ops->tunnel_set(listener->listener, peer->tunnel.local, &facts);
}

void l2tp_listener_withdraw(L2tpListener *listener, const L2tpPeer *peer) {
  const AditDatapathOps *ops = listener->ops;

  if (ADIT_HAS(ops, tunnel_unset) && ops->tunnel_unset)
    ops->tunnel_unset(listener->listener, peer->tunnel.local);
}
