/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A link as plugins see it. */
#include "core/session/life/sess.h"
#include "core/session/link/link.h"

void adit_link_fill_info(const AditSessLink *link, AditLinkInfo *out) {
  AditPppLinkInfo ppp;

  adit_ppp_link_info(link->ppp, &ppp);
  *out = (AditLinkInfo){.size = sizeof *out,
                        .id = link->id,
                        .session = link->session ? link->session->id : 0,
                        .user = link->user,
                        .transport = link->spec.transport,
                        .server = adit_link_server(link),
                        .caller_id = link->spec.caller_id,
                        .called_id = link->spec.called_id,
                        .record_id = link->record_id,
                        .port = link->number,
                        .peer = link->spec.path.remote,
                        .local = link->spec.path.local,
                        .mru = ppp.mru,
                        .peer_mru = ppp.peer_mru,
                        .client = link->spec.client,
                        .attributes = link->record,
                        .mtu = link->mtu,
                        .answered_ms = ppp.answered_ms,
                        .round_trip_ms = ppp.round_trip_ms};
}
