/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "exchange.h"
#include "radsec.h"
#include "udp.h"

static void on_unsent(AditTimer *timer, gpointer data) {
  radius_exchange_finish(data, RADIUS_UNSENT, NULL, NULL, 0);
}

RadiusExchange *radius_exchange(RadiusServer *server, const RadiusRequest *request) {
  RadiusExchange *exchange = g_new0(RadiusExchange, 1);
  const RadiusTransport *transport = server->protocol == RADIUS_UDP ? &radius_udp_transport : &radius_radsec_transport;

  exchange->server = radius_server_ref(server);
  exchange->role = request->code == RADIUS_ACCOUNTING_REQUEST ? RADIUS_ACCT : RADIUS_AUTH;
  exchange->request = *request;
  exchange->asked = adit_endpoint_address(&server->at[exchange->role]);
  exchange->timer.data = exchange;
  if (radius_server_begin(server, exchange->role)) {
    exchange->transport = transport;
    if (transport->begin(exchange)) {
      radius_exchange_state(exchange)->stats.requests++;
      return exchange;
    }
    transport->forget(exchange);
    radius_server_end(server, exchange->role, FALSE, FALSE);
    exchange->transport = NULL;
  }
  exchange->timer.func = on_unsent;
  server->radius->loop->timer_arm(&exchange->timer, 0);
  return exchange;
}

void radius_exchange_cancel(RadiusExchange *exchange) {
  if (!exchange)
    return;
  if (exchange->transport) {
    exchange->transport->forget(exchange);
    radius_server_end(exchange->server, exchange->role, FALSE, FALSE);
  }
  radius_exchange_free(exchange);
}

void radius_exchange_stop(Radius *radius) {
  radius_radsec_stop(radius);
}
