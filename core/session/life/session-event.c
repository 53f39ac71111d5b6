/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/session-event.h"
#include "core/bus/bus.h"
#include "core/session/life/sess.h"
#include "core/session/network/plane.h"

void adit_session_event_fill(AditSess *session, AditSessionEvent *event) {
  *event = (AditSessionEvent){.session = session->id,
                              .link = session->link_id,
                              .user = session->user,
                              .interface = adit_sess_interface(session)[0] ? adit_sess_interface(session) : NULL,
                              .service = session->server,
                              .caller_id = session->caller_id,
                              .local4 = session->family[ADIT_SESS_IPV4].local,
                              .remote4 = session->family[ADIT_SESS_IPV4].remote,
                              .peer = session->peer,
                              .cause = session->cause,
                              .reason = session->reason,
                              .uptime_ms = adit_sess_uptime_ms(session)};
  event->event.size = sizeof *event;
  event->counters = adit_sess_counters(session);
}

void adit_session_event_publish(AditSess *session, const char *name) {
  AditSessionEvent event;
  adit_session_event_fill(session, &event);
  event.event.type = adit_bus_type(name);
  adit_bus_publish(&event.event);
}
