/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stranger.h - a peer at 198.51.100.1 that is written by hand, and what the server says to it. */
#pragma once

#include "world.h"

#define STRANGER "198.51.100.1"

/** What the server (192.0.2.1) said to anybody else than the client. */
typedef struct {
  guint datagrams, zlbs, sent[L2TP_MESSAGE_MAX + 1]; /**< messages by type */
  guint16 tunnel;                                    /**< header's tunnel id of the last message */
  guint16 id;                                        /**< Assigned Tunnel ID of the last SCCRP */
  guint16 session;                                   /**< Assigned Session ID of the last ICRP */
  guint8 challenge[16];                              /**< of the last SCCRP */
  L2tpResult result;                                 /**< of the last StopCCN or CDN */
} Heard;

extern Heard heard;

/** Both ends, the server with these options; from now on `heard` is kept. */
void stranger_begin(const char *server_options);
/** The same, with the whole YAML of the server. */
void stranger_begin_with(const char *yaml);

void stranger_sccrq(L2tpWriter *w, const char *host, guint16 id);
/** Finishes `w`, sends it from `port` with these numbers and lets 3 ms pass. */
void stranger_send(L2tpWriter *w, guint16 port, guint16 ns, guint16 nr);
/** SCCRQ; then SCCCN to the tunnel that was answered: its id at the server. `secret` NULL: no Challenge Response. */
void stranger_knock(guint16 port, const char *host, guint16 id);
guint16 stranger_come(guint16 port, const char *host, guint16 id, const char *secret);
/** The server's tunnel, or NULL. */
L2tpPeer *stranger_tunnel(guint16 id);
