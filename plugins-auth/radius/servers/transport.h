/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/servers/transport.h - what is behind exchange.h: a way to a server (udp.c, radsec.c). All [main]. */
#pragma once

#include "exchange.h"

/** A kind of way to a server. */
typedef struct {
  /** Takes the first step of an exchange. FALSE: it can't be asked at all. Must not finish it. */
  gboolean (*begin)(RadiusExchange *exchange);
  /** It is over, or given up: forget it. */
  void (*forget)(RadiusExchange *exchange);
} RadiusTransport;

struct RadiusExchange {
  const RadiusTransport *transport; /**< NULL: it never began */
  RadiusServer *server;
  RadiusRole role;
  RadiusRequest request;
  AditAddress asked; /**< the server's address when it began */
  AditTimer timer;   /**< the transport's, once it has begun */
  gpointer own;      /**< the transport's */
};

/** Head of what a transport keeps for one role of one server: as long as the role and its users live. */
typedef struct {
  gint refs;
  gboolean gone;       /**< the role is no more */
  GDestroyNotify free; /**< of the whole */
} RadiusKept;

/** State of the exchange's transport; made by `make` for the first that asks, and freed by `free`. */
gpointer radius_kept(const RadiusExchange *exchange, gpointer (*make)(const RadiusExchange *exchange), GDestroyNotify free);
gpointer radius_kept_ref(gpointer kept);
void radius_kept_unref(gpointer kept);

static inline RadiusRoleState *radius_exchange_state(const RadiusExchange *exchange) {
  return &exchange->server->peer->role[exchange->role];
}

/** The end: forgets it, counts it, calls done(), frees it. `reply`, verified, and the authenticator of its request are borrowed, and
 *  both NULL without an answer. The server and its sockets may be gone afterwards. */
void radius_exchange_finish(RadiusExchange *exchange, RadiusResult result, const RadiusPacket *reply, const guint8 *authenticator,
                            guint64 rtt_us);
/** Forgets it without a word. */
void radius_exchange_free(RadiusExchange *exchange);
