/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-net.h"

static void push_event(NullNet *net, const AditPath *path, const guint8 *datagram, gsize length, NullPort *port) {
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
    push_event(net, path, datagram, length, NULL);
}

void null_net_complete(NullNet *net, NullPort *port) {
  push_event(net, NULL, NULL, 0, port);
}
