/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The network: brings what was sent to the listener that it is for. */
#include "null-net.h"
#include "null-listener.h"
#include "null-port.h"
#include "null-stages.h"
#include "null-traffic.h"
#include <adit/encap.h>

NullNet *null_net_new(const NullNetOps *ops, gpointer user) {
  NullNet *net = g_new0(NullNet, 1);
  net->ops = *ops;
  net->user = user;
  g_queue_init(&net->queue);
  net->listeners = g_ptr_array_new();
  net->sessions = g_ptr_array_new();
  net->next_port = 49152;
  net->next_ifindex = 1000;
  return net;
}

void null_net_free(NullNet *net) {
  g_queue_clear_full(&net->queue, g_free);
  g_ptr_array_unref(net->listeners);
  g_ptr_array_unref(net->sessions);
  g_free(net);
}

guint null_net_run(NullNet *net, guint budget) {
  NullEvent *event;
  null_stages_expire(net);
  while (budget-- > 0 && (event = g_queue_pop_head(&net->queue))) {
    if (event->port)
      null_port_complete(event->port);
    else
      null_net_deliver(net, &event->path, event->datagram, event->length);
    g_free(event);
  }
  return net->queue.length;
}

/* The most specific listener that `to` reaches: its own address before the wildcard. */
static AditListener *listener_find(const NullNet *net, const AditEndpoint *to) {
  AditListener *any = NULL;
  for (guint i = 0; i < net->listeners->len; i++) {
    AditListener *listener = net->listeners->pdata[i];
    AditAddress address = adit_endpoint_address(&listener->local);
    if (adit_endpoint_equal(&listener->local, to))
      return listener;
    if (listener->local.any.sa_family == to->any.sa_family && adit_address_is_any(&address) &&
        adit_endpoint_port(&listener->local) == adit_endpoint_port(to))
      any = listener;
  }
  return any;
}

static gboolean path_equal(const AditPath *a, const AditPath *b) {
  AditAddress local = adit_endpoint_address(&a->local);
  return adit_endpoint_equal(&a->remote, &b->remote) && a->association == b->association &&
         (adit_address_is_any(&local) || adit_endpoint_equal(&a->local, &b->local));
}

/* A mark that no association has, of an administrator's rule or a forger's, is none. */
static guint32 association_of(const NullNet *net, guint32 mark) {
  return mark && net->ops.is_protected && net->ops.is_protected(net->user, mark) ? mark : 0;
}

gboolean null_net_deliver(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length) {
  AditListener *listener = listener_find(net, &path->remote);
  AditPath here = {.local = path->remote, .remote = path->local, .association = association_of(net, path->association)};
  if (!listener)
    return FALSE;

  for (guint i = 0; i < listener->plain->len; i++) {
    AditDpLink *link = listener->plain->pdata[i];
    if (path_equal(&link->path, &here)) {
      null_link_input(link, datagram, length, NULL);
      return TRUE;
    }
  }

  AditClassified c = {0};
  listener->classify(datagram, length, &c);
  switch (c.klass) {
  case ADIT_CLASS_DROP:
    break;
  case ADIT_CLASS_CONTROL:
  case ADIT_CLASS_CONTROL_NEW:
    listener->ops->control(listener->user, &here, datagram, length);
    break;
  case ADIT_CLASS_DATA: {
    guint64 key = adit_encap_key(c.tunnel, c.session);
    AditDpLink *link = g_hash_table_lookup(listener->links, &key);
    if ((gsize)c.offset + c.length > length)
      break;
    if (link && path_equal(&link->path, &here)) {
      const AditEncapLayout *layout = adit_encap_layout(&link->encap);
      if (layout && layout->open && (!layout->open(&link->encap, datagram, &c) || (gsize)c.offset + c.length > length))
        link->stats.drops++;
      else
        null_link_input(link, datagram + c.offset, c.length, &c);
    } else if (link) {
      link->stats.drops++;
      if (ADIT_HAS(listener->ops, stray) && listener->ops->stray)
        listener->ops->stray(listener->user, &here, c.tunnel, c.session);
    }
    break;
  }
  }
  return TRUE;
}
