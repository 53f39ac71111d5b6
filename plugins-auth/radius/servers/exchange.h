/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/servers/exchange.h - one request to one server and what came back. The only transport to the network for authentication and
 * accounting: behind it are UDP on the main loop (udp.c) and RadSec through libradcli in workers (radsec.c). All [main].
 */
#pragma once

#include "../wire/radius-packet.h"
#include "radius-server.h"

typedef enum {
  RADIUS_ANSWERED = 0, /**< `reply` is there, verified */
  RADIUS_TIMEOUT,      /**< sent `tries` times, nothing believable came */
  RADIUS_UNSENT,       /**< too many in flight there, or it can't be reached at all */
} RadiusResult;

typedef struct {
  RadiusResult result;
  const RadiusPacket *reply;           /**< borrowed; NULL unless answered */
  const guint8 *request_authenticator; /**< 16 octets: for radius_unsalt() */
  const char *secret;
  guint64 rtt_us;
} RadiusAnswer;

typedef void (*RadiusDone)(const RadiusAnswer *answer, gpointer data);

/** Writes the request's attributes. For accounting it is called again before each resend: when what it writes has changed
 *  (Acct-Delay-Time), a new packet goes out, else the same octets (RFC 2866 5.2). `authenticator` is the Access-Request's, for
 *  User-Password. In here radius_server_nas_address() knows where the server is asked from. An Access-Request that ends with
 *  `overflow` set is not sent (RADIUS_UNSENT). */
typedef void (*RadiusFill)(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data);

typedef struct {
  guint8 code; /**< RADIUS_ACCESS_REQUEST or RADIUS_ACCOUNTING_REQUEST */
  RadiusFill fill;
  RadiusDone done;    /**< exactly once, never from within radius_exchange() */
  gpointer data;      /**< must live until done or cancelled */
  gboolean impatient; /**< another server can be asked: end at once when this one's host reports a closed port */
} RadiusRequest;

typedef struct RadiusExchange RadiusExchange;

/** Sends and resends by the server's timeout and tries (RFC 5080 2.2.1: jittered), and calls done. */
RadiusExchange *radius_exchange(RadiusServer *server, const RadiusRequest *request);
/** Forgets it: done() is not called any more; a late answer is dropped and counted. */
void radius_exchange_cancel(RadiusExchange *exchange);
/** The plugin stops, and nothing is to be asked any more: ends what threads are waiting for, so that they can be joined. */
void radius_exchange_stop(Radius *radius);
