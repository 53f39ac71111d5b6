/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** source.h - the prefixes that a session may send from */
#pragma once

#include "../worker/tun-table.h"
#include <adit/path.h>

typedef struct TunWorker TunWorker;

/** A prefix that a session may send from. */
typedef struct {
  TunItem item;
  AditPrefix prefix;
  AditDpSession *session;
  TunRoute *route; /**< on a shared port: brings traffic to the session */
  guint index;     /**< in the session's prefixes */
} TunSource;

gboolean tun_session_add_prefix(AditDpSession *session, const AditPrefix *prefix, GError **error);
gboolean tun_session_remove_prefix(AditDpSession *session, const AditPrefix *prefix);
void tun_session_remove_prefixes(AditDpSession *session);
/** May the session send this packet? Its source must be in one of the session's prefixes, and in no longer one of another's.
 *  [worker] */
gboolean tun_source_is_own(TunWorker *w, AditDpSession *session, const guint8 *ip);
