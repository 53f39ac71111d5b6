/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/sess.h"
#include "core/base/loop.h"

AditSess *adit_sess_ref(AditSess *session) {
  session->refs++;
  return session;
}

void adit_sess_unref(AditSess *session) {
  if (session && !--session->refs)
    session->ops->free(session);
}

void adit_sess_event(AditSess *session, AditLifeEvent event) {
  session->ops->event(session, event);
}

void adit_sess_mtu_changed(AditSess *session) {
  session->ops->mtu(session);
}

gboolean adit_sess_is_over(const AditSess *session) {
  return adit_life_is_over(session->state);
}

AditSessLink *adit_sess_speaking_link(const AditSess *session) {
  for (guint i = 0; i < session->links->len; i++) {
    AditSessLink *link = session->links->pdata[i];
    if (link->up)
      return link;
  }
  return NULL;
}

void adit_sess_end(AditSess *session, AditCause cause, const char *reason) {
  if (!adit_sess_is_over(session)) {
    session->cause = cause;
    session->reason = g_strdup(reason);
  }
  adit_sess_event(session, ADIT_LIFE_END);
}

guint64 adit_sess_uptime_ms(const AditSess *session) {
  if (!session->up_ms)
    return 0;
  return (session->ended_ms ? session->ended_ms : adit_loop_service()->now()) - session->up_ms;
}

const char *adit_sess_interface(const AditSess *session) {
  return session->port.wanted ? session->port.name : session->ether.port.name;
}

AditLogContext adit_sess_log(const AditSess *session) {
  return (AditLogContext){.session = session->id, .user = session->user};
}
