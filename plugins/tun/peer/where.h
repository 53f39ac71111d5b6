/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** where.h - where a peer is, in a form that compares fast */
#pragma once

#include <adit/path.h>

/** A path in a form that compares fast. */
typedef struct {
  guint8 remote[16];
  guint32 association;
  guint16 port;
  guint8 family;
  guint8 local_any; /**< any local address will do */
  guint8 local[16];
  guint32 ingress; /**< of what has come: the interface; never compared */
} TunWhere;

TunWhere tun_where(const AditPath *path);
/** [any] Does a datagram from `from` belong on the way `where`? */
gboolean tun_where_equal(const TunWhere *where, const TunWhere *from);
/** [any] Writes ancillary data for a path to `control`; returns its length. */
guint tun_path_control(const AditPath *path, guint8 dscp, guint8 control[96]);
