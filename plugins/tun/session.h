/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** session.h - a session of the data path: a link on one side, a port on the other */
#pragma once

#include "link.h"
#include "port.h"

struct AditDpSession {
  TunDp *dp;
  AditSessionId id;
  guint64 serial;
  TunPort *port;
  AditDpLink *link;      /**< atomic: frames to the peer go here. A stage that bundles would choose among several */
  guint64 params;        /**< atomic: TUN_PARAM_*, mss4 << 16, mss6 << 32: read at once */
  GPtrArray *prefixes;   /**< of TunSource */
  guint64 lengths[2][3]; /**< atomic: which lengths its prefixes have or had, a bit each, for IPv4 and IPv6 */
  guint64 host4;         /**< atomic: 1 << 32 | an IPv4 address of it, in the network's order; 0 = none */
  TunCell cell[];
};

#define TUN_PARAM_IPV4  1u
#define TUN_PARAM_IPV6  2u
#define TUN_PARAM_CHECK 4u /**< sources must be the session's own */

AditDpSession *tun_session_open(gpointer dp, AditSessionId id, AditPort *port, GError **error);
gboolean tun_session_join(AditDpSession *session, AditDpLink *link, GError **error);
void tun_session_leave(AditDpSession *session, AditDpLink *link);
void tun_session_set(AditDpSession *session, const AditDpSessionParams *params);
void tun_session_stats(AditDpSession *session, AditDpStats *out);
void tun_session_close(AditDpSession *session, AditDpStats *final);
