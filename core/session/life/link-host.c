/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/link-host.h"
#include "core/session/client.h"
#include "core/session/life/life.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-links.h"
#include "core/session/life/sessions.h"
#include "core/session/lines.h"
#include "core/session/link/bundler.h"
#include "core/session/network/ncps.h"

#define UNWRAPPED_MOST 16 /* control packets that one fragment makes whole */

static void on_link_opened(AditSessLink *link) {
  if (link->call)
    adit_client_link_opened(link->call, link);
}

static void join_session(AditSessLink *link, AditSessionId id) {
  AditSess *session = adit_sess_find(id);
  AditLogContext log = {.session = id, .user = link->user};
  g_autoptr(GError) error = NULL;

  if (!session)
    g_set_error_literal(&error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no such session");
  if (!session || !adit_session_links_join(session, link, &error)) {
    adit_lines_warning(&log, "link refused: it cannot join session %" G_GINT64_MODIFIER "x: %s", id, error->message);
    adit_link_end(link, ADIT_CAUSE_NAS_REQUEST, error->message);
    return;
  }
  adit_lines_info(&log, "session %" G_GINT64_MODIFIER "x user %s: a link has joined: %u links", id, session->user, session->links->len);
  adit_sess_ncps_rekey(session, link);
  adit_link_placed(link);
  if (link->call)
    adit_client_link_joined(link->call);
  adit_life_set_mtu(session);
  adit_session_links_joined(session);
  adit_session_links_tell(session);
}

static void refuse_link(AditSessLink *link, AditCause cause, const char *reason) {
  AditLogContext log = {.user = link->user};

  adit_lines_warning(&log, "link refused: %s", reason);
  adit_link_end(link, cause, reason);
}

/* A client has one session, and a server so many. */
static void found_session(AditSessLink *link, const char *multi_id) {
  if (link->call && adit_client_has_session(adit_client_of(link->call)))
    refuse_link(link, ADIT_CAUSE_NAS_REQUEST, "it does not belong to the bundle of the client's other links");
  else if (!adit_link_may_found(link))
    refuse_link(link, ADIT_CAUSE_NAS_REQUEST, "max-sessions reached");
  else
    adit_life_begin(link, multi_id);
}

/* The link is authenticated, and in no session yet. */
static void place_link(AditSessLink *link) {
  AditBundleChoice choice;

  adit_bundler_decide(link, &choice);
  switch (choice.verdict) {
  case ADIT_BUNDLE_NONE:
  case ADIT_BUNDLE_FOUND:
    found_session(link, choice.multi_id);
    break;
  case ADIT_BUNDLE_JOIN:
    join_session(link, choice.session);
    break;
  case ADIT_BUNDLE_REFUSE:
    refuse_link(link, ADIT_CAUSE_NAS_REQUEST, choice.reason);
    break;
  }
  adit_bundler_clear(&choice);
}

static void on_link_network(AditSessLink *link, const char *user) {
  static const char another[] = "another user after renegotiation";
  AditSess *session = link->session;

  if (!session)
    place_link(link);
  else if (!user || strcmp(user, session->user) == 0) {
    adit_sess_ncps_rekey(session, link);
    adit_session_links_up(session, link);
  } else if (session->links->len > 1)
    adit_link_end(link, ADIT_CAUSE_USER_ERROR, another);
  else
    adit_sess_end(session, ADIT_CAUSE_USER_ERROR, another);
}

static void on_link_network_down(AditSessLink *link) {
  if (link->session)
    adit_session_links_down(link->session, link);
}

/* Without a session (the link is being refused) there is no answer, and no reason to reject the protocol. */
static gboolean on_link_frame(AditSessLink *link, guint16 protocol, const guint8 *payload, gsize length) {
  AditStageFrame frame = {.protocol = protocol, .n = 1, .length = (guint32)length};

  if (!link->session || adit_sess_frame(link->session, protocol, payload, length))
    return TRUE;
  frame.slice[0] = (AditStageSlice){(guint8 *)payload, (guint32)length};
  if (!link->session || !link->session->multi_id || !adit_bundler_unwrap(link->session->id, link->id, &frame))
    return FALSE;
  AditLinkId id = link->id; /* a packet may end it */
  for (guint n = 0; frame.length && n < UNWRAPPED_MOST; n++) {
    adit_sess_frame(link->session, frame.protocol, frame.slice[0].data, frame.slice[0].length);
    frame = (AditStageFrame){.protocol = protocol};
    link = adit_link_find(id);
    if (!link || !link->session || !adit_bundler_unwrap(link->session->id, id, &frame))
      break;
  }
  return TRUE;
}

static void on_link_rejected(AditSessLink *link, guint16 protocol) {
  if (link->session)
    adit_sess_rejected(link->session, protocol);
}

static void on_link_rekeyed(AditSessLink *link) {
  if (link->session)
    adit_sess_ncps_rekey(link->session, link);
}

static void on_link_mtu(AditSessLink *link) {
  if (link->session)
    adit_life_set_mtu(link->session);
}

static void on_link_lost(AditSessLink *link, AditCause cause, const char *reason) {
  AditSess *session = link->session;

  if (!session)
    return;
  AditLogContext log = adit_sess_log(session);
  adit_session_links_leave(session, link);
  if (!session->links->len) {
    adit_sess_end(session, cause, reason);
    return;
  }
  adit_lines_info(&log, "session %" G_GINT64_MODIFIER "x user %s: a link has left: %s: %u links", session->id, session->user, reason,
                  session->links->len);
  adit_life_set_mtu(session);
  adit_session_links_tell(session);
}

static void on_link_closed(AditSessLink *link, gboolean refused, const char *reason) {
  AditClientCall *call = g_steal_pointer(&link->call);

  if (call)
    adit_client_link_closed(call, refused, reason);
}

const AditSessLinkOps adit_link_host_ops = {on_link_opened, on_link_network, on_link_network_down, on_link_frame,  on_link_rejected,
                                            on_link_mtu,    on_link_rekeyed, on_link_lost,         on_link_closed, adit_sessions_count_on};
