/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/control/varlink.h - the protocol without its socket: octets in, calls out to the interfaces, octets out.
 *
 * A message is a JSON object and a NUL. Calls of one connection are answered in order, one at a time; input that comes meanwhile, or while
 * answers are not read, waits in the input buffer, which is bounded. A peer that does not read loses its connection instead of the daemon
 * its memory. Messages are handled in turns (turns.h): feeding octets calls no method. [main]
 */
#pragma once

#include "core/control/control.h"

#define ADIT_VARLINK_MESSAGE_MAX (64 * 1024)        /**< longest message that is read */
#define ADIT_VARLINK_STREAM_MAX  (1024 * 1024)      /**< unread octets at which the reader of a stream of events counts as slow */
#define ADIT_VARLINK_ROWS_MAX    (256 * 1024)       /**< unread octets at which a list in pieces waits for its reader */
#define ADIT_VARLINK_REPLY_MAX   (64 * 1024 * 1024) /**< longest single reply, and list in one reply, for users that may change things */
#define ADIT_VARLINK_OTHERS_MAX  (4 * 1024 * 1024)  /**< the same for others */

/** Permissions, each including the one before. */
typedef enum {
  ADIT_ACCESS_PUBLIC, /**< methods with ADIT_METHOD_PUBLIC */
  ADIT_ACCESS_READ,   /**< methods that change nothing */
  ADIT_ACCESS_CHANGE,
} AditAccess;

typedef struct AditConn AditConn;

/** `wake` is told when there is output, input may be fed again, or the connection is done for. */
AditConn *adit_conn_new(AditAccess access, void (*wake)(gpointer data), gpointer data);

/** The words with which a caller is refused for want of access; borrowed, for all connections. NULL = the defaults. */
void adit_conn_set_refusals(const char *read, const char *change);

/** The peer is gone: its call is told, everything is freed. */
void adit_conn_free(AditConn *conn);

/** Takes octets from the peer. FALSE: it does not speak the protocol: close. */
gboolean adit_conn_feed(AditConn *conn, const guint8 *data, gsize length);

/** How many octets may be fed now; 0 while a call runs and the buffer is full. */
gsize adit_conn_room(const AditConn *conn);

/** The output: borrowed until the next call with this connection. NULL = nothing. */
const guint8 *adit_conn_output(const AditConn *conn, gsize *length);

/** `length` octets of it have been sent. */
void adit_conn_sent(AditConn *conn, gsize length);

/** TRUE while a call runs, a whole message waits, or output does. */
gboolean adit_conn_is_busy(const AditConn *conn);

/** TRUE once it has to be closed. */
gboolean adit_conn_is_bad(const AditConn *conn);

/** TRUE while a part of a message has been received and the rest has not. */
gboolean adit_conn_is_halfway(const AditConn *conn);

/** Whole messages so far. */
guint64 adit_conn_messages(const AditConn *conn);

/** For GetStats. */
typedef struct {
  guint connections;
  guint64 accepted, calls, slow, refused, displaced, idle;
} AditControlStats;
extern AditControlStats adit_control_stats;
