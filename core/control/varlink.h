/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/control/varlink.h - the protocol without its socket: octets in, calls out to the interfaces, octets out.
 *
 * A message is a JSON object and a NUL. Calls of one connection are answered in order, one at a time; what comes meanwhile, or while
 * answers are not read, waits in the input buffer, which is bounded. A peer that does not read loses its connection instead of the
 * daemon its memory.
 */
#pragma once

#include "core/control/control.h"

#define ADIT_VARLINK_MESSAGE_MAX (64 * 1024)        /**< longest message that is read */
#define ADIT_VARLINK_STREAM_MAX  (1024 * 1024)      /**< unread octets at which a stream's reader counts as slow */
#define ADIT_VARLINK_REPLY_MAX   (64 * 1024 * 1024) /**< unread octets at which any reader does */
#define ADIT_VARLINK_PIECE       200                /**< items in one piece of a streamed list */

typedef struct AditConn AditConn;

/** `may_change`: the peer may call methods that change things. `wake` is told when there is output, or the connection is done for. */
AditConn *adit_conn_new(gboolean may_change, void (*wake)(gpointer data), gpointer data);

/** The peer is gone: its call is told, everything is freed. */
void adit_conn_free(AditConn *conn);

/** Takes octets from the peer. FALSE: it does not speak the protocol, or does not read: close. */
gboolean adit_conn_feed(AditConn *conn, const guint8 *data, gsize length);

/** How many octets may be fed now; 0 while a call runs and the buffer is full. */
gsize adit_conn_room(const AditConn *conn);

/** What is to be sent: borrowed until the next call with this connection. NULL = nothing. */
const guint8 *adit_conn_output(const AditConn *conn, gsize *length);

/** `length` octets of it have been sent. */
void adit_conn_sent(AditConn *conn, gsize length);

/** TRUE while a call runs or output waits. */
gboolean adit_conn_is_busy(const AditConn *conn);

/** TRUE once it has to be closed. */
gboolean adit_conn_is_bad(const AditConn *conn);

/** A registered interface. */
typedef struct {
  AditPlugin *plugin;
  char *name;
  const char *description;
  const AditMethod *methods;
  guint n_methods;
  const AditCommand *commands;
  guint n_commands;
  gpointer state;
} AditInterface;

/** All of them, in order of registration; borrowed, [main]. */
const GPtrArray *adit_control_interfaces(void);

/** The method called `name` in full, and its interface; NULL with `*interface` NULL or set for what is missing. */
const AditMethod *adit_control_find(const char *name, const AditInterface **interface);

/** Adds org.varlink.service and io.adit.core. */
gboolean adit_control_core_add(GError **error);
/** Ends the bus subscription of monitors. */
void adit_control_core_fini(void);

/** For GetStats. */
typedef struct {
  guint connections;
  guint64 accepted, calls, slow, refused;
} AditControlStats;
extern AditControlStats adit_control_stats;
