/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** l2tp-request.h - an SCCRQ that is kept */
#pragma once

#include "../engine/header.h"
#include "l2tp-listener.h"

/** An SCCRQ that waits to be answered. */
typedef struct {
  L2tpListener *listener;
  AditPath path;
  L2tpHeader header;
  guint16 length;
  guint8 datagram[];
} L2tpRequest;

L2tpRequest *l2tp_request_new(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram,
                              guint16 length);
void l2tp_request_free(L2tpRequest *request); /**< NULL is fine */
