/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "transport.h"

/* ---- what transports keep ---- */

gpointer radius_kept_ref(gpointer kept) {
  ((RadiusKept *)kept)->refs++;
  return kept;
}

void radius_kept_unref(gpointer kept) {
  RadiusKept *self = kept;

  if (!--self->refs)
    self->free(self);
}

static void drop_kept(gpointer kept) {
  ((RadiusKept *)kept)->gone = TRUE;
  radius_kept_unref(kept);
}

gpointer radius_kept(const RadiusExchange *exchange, gpointer (*make)(const RadiusExchange *exchange), GDestroyNotify free) {
  RadiusRoleState *state = radius_exchange_state(exchange);

  if (!state->transport) {
    RadiusKept *kept = make(exchange);
    *kept = (RadiusKept){.refs = 1, .free = free};
    state->transport = kept;
    state->transport_free = drop_kept;
  }
  return state->transport;
}

/* ---- exchanges ---- */

void radius_exchange_free(RadiusExchange *exchange) {
  exchange->server->radius->loop->timer_cancel(&exchange->timer);
  radius_server_unref(exchange->server);
  g_free(exchange);
}

static void count_code(RadiusStats *stats, guint8 code, guint64 rtt_us) {
  stats->last_request_rtt_us = rtt_us;
  if (code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCOUNTING_RESPONSE)
    stats->accepts++;
  else if (code == RADIUS_ACCESS_REJECT)
    stats->rejects++;
}

void radius_exchange_finish(RadiusExchange *exchange, RadiusResult result, const RadiusPacket *reply, const guint8 *authenticator,
                            guint64 rtt_us) {
  const RadiusAnswer answer = {result, reply, authenticator, exchange->server->secret, rtt_us};
  RadiusStats *stats = &radius_exchange_state(exchange)->stats;

  if (exchange->transport) {
    exchange->transport->forget(exchange);
    gboolean failed = result == RADIUS_TIMEOUT && !radius_server_turn(exchange->server, &exchange->asked);
    radius_server_end(exchange->server, exchange->role, result == RADIUS_ANSWERED, failed);
  }
  if (result == RADIUS_ANSWERED)
    count_code(stats, reply->code, rtt_us);
  else if (result == RADIUS_TIMEOUT)
    stats->timeouts++;
  exchange->request.done(&answer, exchange->request.data);
  radius_exchange_free(exchange);
}
