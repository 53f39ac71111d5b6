/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** index.h - tunnels by where their peer is, in constant time */
#pragma once

#include "peer.h"

/** Draws the key of all hashes of what strangers choose, once in a process. */
void l2tp_index_init(const AditLoopService *loop);
const guint8 *l2tp_index_key(void);
guint l2tp_index_hash_address(const AditAddress *address);
void l2tp_index_add_dialled(L2tpPeer *peer);
/** For an SCCRQ with Assigned Tunnel ID `id` and that Host Name. */
void l2tp_index_add_accepted(L2tpPeer *peer, guint16 id, const char *host_name);
/** The tunnel is established: its peer knows our id. */
void l2tp_index_confirm(L2tpPeer *peer);
/** An SCCRQ like the one it was made for begins a new tunnel from now on. */
void l2tp_index_forget_request(L2tpPeer *peer);
void l2tp_index_remove(L2tpPeer *peer);
/** Our dials to that remote, one after the other: `after` is the one before, NULL at first. */
L2tpPeer *l2tp_index_find_dialled(L2tp *l2tp, const AditPath *path, const L2tpPeer *after);
/** The tunnel that this very SCCRQ has made already (RFC 2661 5.8: its acknowledgement was lost). */
L2tpPeer *l2tp_index_find_repeated(L2tp *l2tp, const AditPath *path, guint16 id, const char *host_name);
/** The accepted tunnel that is not established yet, by the id that its peer has assigned. */
L2tpPeer *l2tp_index_find_unconfirmed(L2tp *l2tp, const AditPath *path, guint16 id);
/** Calls `each` for up to `limit` other accepted tunnels of the same remote and Host Name: with each call for the next ones. */
void l2tp_index_each_namesake(L2tpPeer *peer, guint limit, void (*each)(L2tpPeer *other));
