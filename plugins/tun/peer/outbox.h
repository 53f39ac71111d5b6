/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** outbox.h - what the main loop sends: control datagrams and PPP frames that are no data. At once, or, while there is much of it,
 *  together with what else is sent in the same millisecond. */
#pragma once

#include "listener.h"
#include <sys/uio.h>

#define TUN_OUTBOX_PIECES 3

typedef struct TunOutbox TunOutbox;

/** While `*merge`, neighbours that go the same way are one message for the kernel to cut (UDP_SEGMENT). [main] */
TunOutbox *tun_outbox_new(const gboolean *merge);
void tun_outbox_free(TunOutbox *outbox);
/** While it holds, datagrams wait for tun_outbox_flush(); or for more than fit. A caller that passes TRUE must call the flush. [main]
 */
void tun_outbox_hold(TunOutbox *outbox, gboolean hold);
/** Sends out of the listener's first socket, to `to`, with ancillary data as tun_path_control() makes it. TRUE: the kernel took it, or it
 *  waits. FALSE with errno. [main] */
gboolean tun_outbox_send(TunOutbox *outbox, const AditListener *listener, const AditEndpoint *to, const guint8 *control,
                         guint control_length, const struct iovec *pieces, guint n);
void tun_outbox_flush(TunOutbox *outbox); /**< [main] */
/** Datagrams that waited and that the kernel did not take. */
guint64 tun_outbox_failed(const TunOutbox *outbox);
