/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** l2tp-listener.h - a local address and port */
#pragma once

#include <adit/path.h>

typedef struct L2tp L2tp;
typedef struct L2tpPeer L2tpPeer;

typedef struct L2tpListener {
  gint refs;
  L2tp *l2tp;
  char *data_path;
  AditEndpoint asked, local; /**< as asked for; with the port it got */
  gboolean any_tunnel;
  GHashTable *sessions; /**< ids in use, where all its tunnels share them; NULL = each tunnel has its own */
  AditListener *listener;
  const AditDatapathOps *ops;
  gpointer dp;
} L2tpListener;

/** The listener for an address and port, shared if there is one (port 0: always a new one). */
L2tpListener *l2tp_listener_get(L2tp *l2tp, const char *data_path, const AditEndpoint *at, gboolean any_tunnel, GError **error);
L2tpListener *l2tp_listener_ref(L2tpListener *listener);
void l2tp_listener_unref(L2tpListener *listener);
/** 0, or errno. */
int l2tp_listener_send(L2tpListener *listener, const AditPath *path, const guint8 *datagram, gsize length);
/** Tells the data path which tunnel is there, and where, so that what strangers send in its name is told from it. */
void l2tp_listener_announce(L2tpListener *listener, const L2tpPeer *peer);
void l2tp_listener_withdraw(L2tpListener *listener, const L2tpPeer *peer);
