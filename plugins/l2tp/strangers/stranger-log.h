/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stranger-log.h - lines that strangers cause, at a bounded rate */
#pragma once

#include <adit/path.h>

typedef struct L2tp L2tp;

/** Kinds of lines that strangers cause. */
typedef enum {
  L2TP_SAYS_TUNNEL_UP,
  L2TP_SAYS_TUNNEL_DOWN,
  L2TP_SAYS_USERS_TUNNEL_DOWN, /**< a user was authenticated in it */
  L2TP_SAYS_NO_TUNNEL,
  L2TP_SAYS_TUNNEL_REFUSED,
  L2TP_SAYS_CALL_REFUSED,
  L2TP_SAYS_NO_PORT,
  L2TP_SAYS_PROXY_IGNORED,
  L2TP_SAYS
} L2tpSays;

/** A line that a stranger caused, at a bounded rate. */
void l2tp_log_stranger(L2tp *l2tp, L2tpSays kind, const AditPath *path, const char *format, ...) G_GNUC_PRINTF(4, 5);
