/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** null-listener.h - an endpoint that receives, and the links that come through it */
#pragma once

#include "null-dp.h"

struct AditListener {
  NullDp *dp;
  AditEndpoint local;
  AditClassify classify;
  const AditListenerOps *ops;
  gpointer user;
  GHashTable *links; /**< tunnel << 32 | session -> AditDpLink; ADIT_ENCAP_NULL links are in `plain` */
  GPtrArray *plain;
};

AditListener *null_listen(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error);
void null_listener_local(AditListener *listener, AditEndpoint *local);
void null_listener_close(AditListener *listener);
gboolean null_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length);
