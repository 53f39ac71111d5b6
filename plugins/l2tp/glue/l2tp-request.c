/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "l2tp-request.h"

L2tpRequest *l2tp_request_new(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram,
                              guint16 length) {
  L2tpRequest *request = g_malloc(sizeof *request + length);

  *request = (L2tpRequest){.listener = l2tp_listener_ref(listener), .path = *path, .header = *header, .length = length};
  memcpy(request->datagram, datagram, length);
  return request;
}

void l2tp_request_free(L2tpRequest *request) {
  if (request)
    l2tp_listener_unref(request->listener);
  g_free(request);
}
