/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "door.h"

/* ---- what doors keep ---- */

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

  if (!state->door) {
    RadiusKept *kept = make(exchange);
    *kept = (RadiusKept){.refs = 1, .free = free};
    state->door = kept;
    state->door_free = drop_kept;
  }
  return state->door;
}

/* ---- exchanges ---- */

static void exchange_free(RadiusExchange *exchange) {
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

  if (exchange->door) {
    exchange->door->forget(exchange);
    gboolean failed = result == RADIUS_TIMEOUT && !radius_server_turn(exchange->server, &exchange->asked);
    radius_server_end(exchange->server, exchange->role, result == RADIUS_ANSWERED, failed);
  }
  if (result == RADIUS_ANSWERED)
    count_code(stats, reply->code, rtt_us);
  else if (result == RADIUS_TIMEOUT)
    stats->timeouts++;
  exchange->request.done(&answer, exchange->request.data);
  exchange_free(exchange);
}

static void on_unsent(AditTimer *timer, gpointer data) {
  radius_exchange_finish(data, RADIUS_UNSENT, NULL, NULL, 0);
}

RadiusExchange *radius_exchange(RadiusServer *server, const RadiusRequest *request) {
  RadiusExchange *exchange = g_new0(RadiusExchange, 1);
  const RadiusDoor *door = server->protocol == RADIUS_UDP ? &radius_udp_door : &radius_radsec_door;

  exchange->server = radius_server_ref(server);
  exchange->role = request->code == RADIUS_ACCOUNTING_REQUEST ? RADIUS_ACCT : RADIUS_AUTH;
  exchange->request = *request;
  exchange->asked = adit_endpoint_address(&server->at[exchange->role]);
  exchange->timer.data = exchange;
  if (radius_server_begin(server, exchange->role)) {
    exchange->door = door;
    if (door->begin(exchange)) {
      radius_exchange_state(exchange)->stats.requests++;
      return exchange;
    }
    door->forget(exchange);
    radius_server_end(server, exchange->role, FALSE, FALSE);
    exchange->door = NULL;
  }
  exchange->timer.func = on_unsent;
  server->radius->loop->timer_arm(&exchange->timer, 0);
  return exchange;
}

void radius_exchange_cancel(RadiusExchange *exchange) {
  if (!exchange)
    return;
  if (exchange->door) {
    exchange->door->forget(exchange);
    radius_server_end(exchange->server, exchange->role, FALSE, FALSE);
  }
  exchange_free(exchange);
}
