/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** outsider.h - a scripted peer of the world's server: says what it is told to, at 192.0.2.1, and never acknowledges by itself. */
#pragma once

#include "world.h"

extern guint16 answered_id; /**< tunnel id of the server's latest SCCRP */
extern guint answers;       /**< datagrams of the server since listen_to() */

/** To be world_tap: notes what the server says. */
void outsider_tap(const AditPath *path, const guint8 *datagram, gsize length);
/** Both ends, the server with these options; what it says to strangers is noted. */
void listen_to(const char *options);
/** Writes an SCCRQ; `tie` may be NULL. */
gsize sccrq(L2tpWriter *w, const char *host, guint16 id, const guint8 *tie);
void knock(const char *from, guint16 port, const char *host, guint16 id);
/** Completes the tunnel that knock() began. */
void confirm(const char *from, guint16 port, guint16 id);
/** A peer at 198.51.100.1 makes a tunnel: its id at the server. */
guint16 come(guint16 port, guint16 id);
/** The same from anywhere. */
guint16 come_from(const char *from, guint16 port, guint16 id);
/** The `n`th ICRQ (from 0) in the latest tunnel, if nothing but ICRQs was sent in it. */
void request_call(const char *from, guint16 port, guint16 n);
/** ICRQ and ICCN of a call in tunnel `id`, in which nothing but such calls and their acknowledgements was sent. */
void connect_call(const char *from, guint16 port, guint16 id);
