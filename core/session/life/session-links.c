/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/session-links.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-event.h"
#include "core/session/link/bundler.h"
#include "core/session/network/ncps.h"
#include "core/session/network/plane.h"

static AditSessLink *link_at(const AditSess *session, guint index) {
  return session->links->pdata[index];
}

static void add_link_to(AditSess *session, AditSessLink *link) {
  link->session = session;
  g_ptr_array_add(session->links, link);
  session->links_seen++;
  if (session->multi_id)
    adit_bundler_joined(session->id, link->id);
}

void adit_session_links_found(AditSess *session, AditSessLink *link) {
  add_link_to(session, link);
}

/* A link that joins a session shares its addresses and its accounting. */
static const char *why_not(const AditSess *session, const AditSessLink *link) {
  if (adit_sess_is_over(session))
    return "the session is ending";
  if (!session->multi_id)
    return "the session takes no other link";
  if (session->is_client != link->spec.client || strcmp(session->user, link->user) != 0)
    return "the session is another user's";
  if (session->datapath != link->spec.datapath || session->dp != link->spec.dp)
    return "the session uses another data path";
  return NULL;
}

gboolean adit_session_links_join(AditSess *session, AditSessLink *link, GError **error) {
  const char *why = why_not(session, link);

  if (why) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_DENIED, why);
    return FALSE;
  }
  guint index = 0;
  if (session->plane && !adit_sess_plane_join(session, link, &index, error))
    return FALSE;
  add_link_to(session, link);
  if (session->plane)
    adit_bundler_attached(session->id, link->id, index);
  return TRUE;
}

void adit_session_links_leave(AditSess *session, AditSessLink *link) {
  link->session = NULL;
  g_ptr_array_remove(session->links, link);
  if (session->links->len && !link->parted) /* with the last one the data plane is closed, and has the final counters */
    adit_sess_plane_leave(session, link);
  if (session->multi_id)
    adit_bundler_left(session->id, link->id, session->links->len);
}

void adit_session_links_tell(AditSess *session) {
  if (session->state != ADIT_LIFE_UP)
    return;
  adit_sess_interim_changed(session);
  adit_session_event_publish(session, ADIT_EVENT_SESSION_UPDATE);
}

static gboolean join_plane_of(AditSess *session, const AditSessLink *link, GError **error) {
  guint index = 0;

  if (!adit_sess_plane_join(session, link, &index, error))
    return FALSE;
  if (session->multi_id)
    adit_bundler_attached(session->id, link->id, index);
  return TRUE;
}

gboolean adit_session_links_attach(AditSess *session, GError **error) {
  if (!join_plane_of(session, link_at(session, 0), error))
    return FALSE;
  if (session->multi_id && !adit_bundler_opened(session->id, error))
    return FALSE;
  for (guint i = 1; i < session->links->len; i++)
    if (!join_plane_of(session, link_at(session, i), error))
      return FALSE;
  return TRUE;
}

static guint count_up(const AditSess *session) {
  guint n = 0;
  for (guint i = 0; i < session->links->len; i++)
    n += link_at(session, i)->up;
  return n;
}

/* Data that is sent on a link while its LCP negotiates is lost (RFC 1661 3.4), and the other links can carry it. */
static void part_link(AditSess *session, AditSessLink *link) {
  guint others = 0;
  for (guint i = 0; i < session->links->len; i++)
    others += link_at(session, i) != link && !link_at(session, i)->parted;
  if (!session->plane || !others)
    return;
  link->parted = TRUE;
  adit_sess_plane_leave(session, link);
}

static void rejoin_link(AditSess *session, AditSessLink *link) {
  g_autoptr(GError) error = NULL;

  link->parted = FALSE;
  if (session->plane && !join_plane_of(session, link, &error))
    adit_link_end(link, ADIT_CAUSE_NAS_ERROR, error->message);
}

void adit_session_links_joined(AditSess *session) {
  if (count_up(session) == 1)
    adit_sess_network(session, TRUE);
}

void adit_session_links_up(AditSess *session, AditSessLink *link) {
  if (link->parted)
    rejoin_link(session, link);
  if (session->multi_id)
    adit_bundler_changed(session->id, link->id, TRUE);
  if (!adit_sess_is_over(session) && count_up(session) == 1)
    adit_sess_network(session, TRUE);
}

void adit_session_links_down(AditSess *session, AditSessLink *link) {
  part_link(session, link);
  if (session->multi_id)
    adit_bundler_changed(session->id, link->id, FALSE);
  if (!adit_sess_is_over(session) && count_up(session) == 0)
    adit_sess_network(session, FALSE);
}

guint adit_session_links_mtu(const AditSess *session) {
  guint least = 0;
  for (guint i = 0; i < session->links->len; i++)
    if (link_at(session, i)->mtu && (!least || link_at(session, i)->mtu < least))
      least = link_at(session, i)->mtu;
  return least;
}

GArray *adit_session_links_release(AditSess *session) {
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(AditLinkId));

  while (session->links->len) {
    AditSessLink *link = g_ptr_array_steal_index(session->links, 0);
    link->session = NULL;
    g_array_append_val(ids, link->id);
    if (session->multi_id)
      adit_bundler_left(session->id, link->id, session->links->len);
  }
  return ids;
}
