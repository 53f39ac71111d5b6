/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The data path as a whole. */
#include "null-dp.h"
#include "null-link.h"
#include "null-listener.h"
#include "null-port.h"
#include "null-session.h"
#include "null-stages.h"

NullDp *null_dp_new(NullNet *net) {
  NullDp *dp = g_new0(NullDp, 1);
  dp->net = net;
  dp->ports = g_ptr_array_new();
  return dp;
}

void null_dp_free(NullDp *dp) {
  for (guint i = dp->net->listeners->len; i-- > 0;) {
    AditListener *listener = dp->net->listeners->pdata[i];
    if (listener->dp == dp)
      null_listener_close(listener);
  }
  g_ptr_array_unref(dp->ports);
  g_free(dp);
}

void null_dp_sink(NullDp *dp, NullSink sink, gpointer user) {
  dp->sink = sink;
  dp->sink_user = user;
}

static void detach_link(AditDpLink *link) {
  if (link->session)
    null_session_leave(link->session, link);
  null_link_detach(link);
}

/* Sends packets that waited for a required stage, if it is in place. */
static void set_session(AditDpSession *session, const AditDpSessionParams *params) {
  null_session_set(session, params);
  null_stages_look(session);
}

static void close_session(AditDpSession *session, AditDpStats *final) {
  if (final)
    *final = session->stats;
  while (session->link)
    null_session_leave(session, session->link);
  null_stages_free(session);
  null_session_free(session);
}

const AditDatapathOps null_datapath_ops = {
    .size = sizeof(AditDatapathOps),
    .name = "null",
    .claims = null_claims,
    .listen = null_listen,
    .listener_local = null_listener_local,
    .listener_close = null_listener_close,
    .send_control = null_send_control,
    .link_attach = null_link_attach,
    .link_detach = detach_link,
    .link_update = null_link_update,
    .link_framing = null_link_framing,
    .link_send = null_link_send,
    .link_stats = null_link_stats,
    .link_splice = null_link_splice,
    .port_open = null_port_open,
    .port_close = null_port_close,
    .port_carrier = null_port_carrier,
    .session_open = null_session_open,
    .session_join = null_session_join,
    .session_leave = null_session_leave,
    .session_set = set_session,
    .session_add_prefix = null_session_add_prefix,
    .session_stats = null_session_stats,
    .session_close = close_session,
    .session_remove_prefix = null_session_remove_prefix,
    .stage_add = null_stage_add,
    .stage_set = null_stage_set,
    .stage_remove = null_stage_remove,
    .session_attach_ether = null_session_attach_ether,
    .session_set_ether = null_session_set_ether,
    .session_ether_drops = null_session_ether_drops,
};
