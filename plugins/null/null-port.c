/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-port.h"

AditPort *null_dp_port(NullDp *dp, const char *name) {
  for (guint i = 0; i < dp->ports->len; i++) {
    NullPort *port = dp->ports->pdata[i];
    if (g_str_equal(port->head.name, name))
      return &port->head;
  }
  return NULL;
}

void null_port_complete(NullPort *port) {
  if (port->opened) {
    AditPortOpened opened = g_steal_pointer(&port->opened);
    g_autoptr(GError) error = NULL;
    if (null_dp_port(port->dp, port->head.name)) {
      error = g_error_new(ADIT_ERROR, ADIT_ERR_EXISTS, "there is an interface %s already", port->head.name);
      opened(port->user, NULL, error);
      g_ptr_array_unref(port->sessions);
      g_free(port);
      return;
    }
    port->head.ifindex = port->dp->net->next_ifindex++;
    g_ptr_array_add(port->dp->ports, port);
    opened(port->user, &port->head, NULL);
    return;
  }
  g_ptr_array_remove(port->dp->ports, port);
  if (port->closed)
    port->closed(port->user, &port->counters);
  g_ptr_array_unref(port->sessions);
  g_free(port);
}

void null_port_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  if (spec->kind == ADIT_PORT_L2 && spec->shared) {
    g_autoptr(GError) error =
        g_error_new(ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "%s: an Ethernet interface has one session, and is not shared", spec->name);
    done(user, NULL, error);
    return;
  }
  NullPort *port = g_new0(NullPort, 1);
  port->dp = dp;
  g_strlcpy(port->head.name, spec->name, sizeof port->head.name);
  port->head.size = sizeof port->head;
  port->head.kind = spec->kind;
  port->head.shared = spec->shared;
  port->carrier = !spec->is_static && spec->kind != ADIT_PORT_L2;
  if (ADIT_HAS(spec, mac))
    memcpy(port->mac, spec->mac, sizeof port->mac);
  port->sessions = g_ptr_array_new();
  port->opened = done;
  port->user = user;
  null_net_complete(port->dp->net, port);
}

void null_port_close(AditPort *head, AditPortClosed done, gpointer user) {
  NullPort *port = (NullPort *)head;
  port->closed = done;
  port->user = user;
  null_net_complete(port->dp->net, port);
}

void null_port_carrier(AditPort *head, gboolean on) {
  ((NullPort *)head)->carrier = on;
}
