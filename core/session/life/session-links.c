/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/session-links.h"
#include "core/session/life/sess.h"
#include "core/session/network/ncps.h"
#include "core/session/network/plane.h"

static AditSessLink *link_at(const AditSess *session, guint index) {
  return session->links->pdata[index];
}

void adit_session_links_add(AditSess *session, AditSessLink *link) {
  link->session = session;
  g_ptr_array_add(session->links, link);
}

gboolean adit_session_links_attach(AditSess *session, GError **error) {
  for (guint i = 0; i < session->links->len; i++)
    if (!adit_sess_plane_join(session, link_at(session, i), error))
      return FALSE;
  return TRUE;
}

static guint count_up(const AditSess *session) {
  guint n = 0;
  for (guint i = 0; i < session->links->len; i++)
    n += link_at(session, i)->up;
  return n;
}

void adit_session_links_up(AditSess *session) {
  if (count_up(session) == 1)
    adit_sess_network(session, TRUE);
}

void adit_session_links_down(AditSess *session) {
  if (count_up(session) == 0)
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

  for (guint i = 0; i < session->links->len; i++) {
    link_at(session, i)->session = NULL;
    g_array_append_val(ids, link_at(session, i)->id);
  }
  g_ptr_array_set_size(session->links, 0);
  return ids;
}
