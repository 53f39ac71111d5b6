/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The network and its listeners. */
#include "internal.h"
#include <adit/encap.h>

typedef struct {
  AditPath path;
  NullPort *port; /* set: the event is this port's completion */
  gsize length;
  guint8 datagram[];
} NullEvent;

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

void null_net_push(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length, NullPort *port) {
  NullEvent *event = g_malloc(sizeof *event + length);
  memset(event, 0, sizeof *event);
  if (path)
    event->path = *path;
  event->port = port;
  event->length = length;
  if (length)
    memcpy(event->datagram, datagram, length);
  g_queue_push_tail(&net->queue, event);
  if (net->queue.length == 1 && net->ops.pending)
    net->ops.pending(net->user);
}

void null_net_send(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length) {
  if (net->ops.transmit)
    net->ops.transmit(net->user, path, datagram, length);
  else
    null_net_push(net, path, datagram, length, NULL);
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

gboolean null_net_deliver(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length) {
  AditListener *listener = listener_find(net, &path->remote);
  AditPath here = {.local = path->remote, .remote = path->local, .association = path->association};
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

static AditListener *null_listen(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error) {
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

static void null_listener_local(AditListener *listener, AditEndpoint *local) {
  *local = listener->local;
}

static void null_listener_close(AditListener *listener) {
  g_ptr_array_remove(listener->dp->net->listeners, listener);
  g_hash_table_unref(listener->links);
  g_ptr_array_unref(listener->plain);
  g_free(listener);
}

static gboolean null_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length) {
  null_net_send(listener->dp->net, path, datagram, length);
  return TRUE;
}

NullDp *null_dp_new(NullNet *net) {
  NullDp *dp = g_new0(NullDp, 1);
  dp->net = net;
  dp->ports = g_ptr_array_new();
  return dp;
}

void null_dp_free(NullDp *dp) {
  for (guint i = dp->net->listeners->len; i-- > 0;) {
    AditListener *listener = dp->net->listeners->pdata[i];
    if (listener->dp == dp)
      null_listener_close(listener);
  }
  g_ptr_array_unref(dp->ports);
  g_free(dp);
}

void null_dp_sink(NullDp *dp, NullSink sink, gpointer user) {
  dp->sink = sink;
  dp->sink_user = user;
}

const AditDatapathOps null_datapath_ops = {
    .size = sizeof(AditDatapathOps),
    .name = "null",
    .claims = null_claims,
    .listen = null_listen,
    .listener_local = null_listener_local,
    .listener_close = null_listener_close,
    .send_control = null_send_control,
    .link_attach = null_link_attach,
    .link_detach = null_link_detach,
    .link_update = null_link_update,
    .link_framing = null_link_framing,
    .link_send = null_link_send,
    .link_stats = null_link_stats,
    .link_splice = null_link_splice,
    .port_open = null_port_open,
    .port_close = null_port_close,
    .port_carrier = null_port_carrier,
    .session_open = null_session_open,
    .session_join = null_session_join,
    .session_leave = null_session_leave,
    .session_set = null_session_set,
    .session_add_prefix = null_session_add_prefix,
    .session_stats = null_session_stats,
    .session_close = null_session_close,
    .session_remove_prefix = null_session_remove_prefix,
    .stage_add = null_stage_add,
    .stage_set = null_stage_set,
    .stage_remove = null_stage_remove,
};
