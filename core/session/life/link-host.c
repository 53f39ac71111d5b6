/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/link-host.h"
#include "core/session/client.h"
#include "core/session/life/life.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-links.h"
#include "core/session/network/ncps.h"

static void on_link_opened(AditSessLink *link) {
  if (link->client)
    adit_client_link_opened(link->client, link);
}

static void on_link_network(AditSessLink *link, const char *user) {
  AditSess *session = link->session;

  if (!session)
    adit_life_begin(link);
  else if (user && strcmp(user, session->user) != 0)
    adit_sess_end(session, ADIT_CAUSE_USER_ERROR, "another user after renegotiation");
  else
    adit_session_links_up(session);
}

static void on_link_network_down(AditSessLink *link) {
  if (link->session)
    adit_session_links_down(link->session);
}

/* Without a session (it is being refused) nobody answers, and that is no reason to reject the protocol. */
static gboolean on_link_frame(AditSessLink *link, guint16 protocol, const guint8 *payload, gsize length) {
  return link->session ? adit_sess_frame(link->session, protocol, payload, length) : TRUE;
}

static void on_link_rejected(AditSessLink *link, guint16 protocol) {
  if (link->session)
    adit_sess_rejected(link->session, protocol);
}

static void on_link_mtu(AditSessLink *link) {
  if (link->session)
    adit_life_set_mtu(link->session);
}

static void on_link_lost(AditSessLink *link, AditCause cause, const char *reason) {
  AditSess *session = g_steal_pointer(&link->session);

  if (!session)
    return;
  g_ptr_array_remove(session->links, link);
  adit_sess_end(session, cause, reason);
}

static void on_link_closed(AditSessLink *link, gboolean refused, const char *reason) {
  AditClient *client = g_steal_pointer(&link->client);

  if (client)
    adit_client_link_closed(client, refused, reason);
}

const AditSessLinkOps adit_link_host_ops = {on_link_opened,   on_link_network, on_link_network_down, on_link_frame,
                                            on_link_rejected, on_link_mtu,     on_link_lost,         on_link_closed};
