/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-listener.h"

AditListener *null_listen(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error) {
  NullNet *net = ((NullDp *)dp)->net;
  AditEndpoint local = spec->local;
  AditAddress address = adit_endpoint_address(&local);
  if (!adit_endpoint_port(&local))
    local = adit_endpoint(&address, net->next_port++);
  for (guint i = 0; i < net->listeners->len; i++)
    if (adit_endpoint_equal(&((AditListener *)net->listeners->pdata[i])->local, &local)) {
      char text[ADIT_ENDPOINT_TEXT];
      g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "%s is in use", adit_endpoint_format(&local, text));
      return NULL;
    }
  AditListener *listener = g_new0(AditListener, 1);
  *listener = (AditListener){.dp = dp, .local = local, .classify = spec->classify, .ops = ops, .user = user};
  listener->links = g_hash_table_new(g_int64_hash, g_int64_equal);
  listener->plain = g_ptr_array_new();
  g_ptr_array_add(net->listeners, listener);
  return listener;
}

void null_listener_local(AditListener *listener, AditEndpoint *local) {
  *local = listener->local;
}

void null_listener_close(AditListener *listener) {
  g_ptr_array_remove(listener->dp->net->listeners, listener);
  g_hash_table_unref(listener->links);
  g_ptr_array_unref(listener->plain);
  g_free(listener);
}

gboolean null_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length) {
  null_net_send(listener->dp->net, path, datagram, length);
  return TRUE;
}
