/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/dae/dae-socket.h - the sockets that servers send requests to. All [main]. */
#pragma once

#include "../wire/radius-packet.h"

#include <adit/address.h>

/** Not blocking; refuses a port that is in use. -1 and an error: UNSUPPORTED when the machine lacks that family. */
int radius_dae_socket_open(const AditEndpoint *at, GError **error);
/** While TRUE, radius_dae_socket_open() may open another one that overlaps with it (all addresses, one address). */
void radius_dae_socket_share(int fd, gboolean share);
/** One datagram and the address that it was sent to; -1 and errno. Octets beyond RADIUS_MAX are cut off. */
gssize radius_dae_socket_receive(int fd, guint8 data[RADIUS_MAX], AditEndpoint *from, AditAddress *local);
/** Sends from `local`; family 0 = the kernel chooses. */
gboolean radius_dae_socket_send(int fd, GBytes *datagram, const AditEndpoint *to, const AditAddress *local);
/** Is it an address of this machine? */
gboolean radius_dae_is_local(const AditAddress *address);
