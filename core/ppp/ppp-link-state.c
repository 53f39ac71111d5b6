/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/ppp-link-state.h"
#include "core/ppp/deadline.h"

/* ---- timers ---- */

static guint64 link_now(gpointer host) {
  return adit_env_now(&((AditPppLink *)host)->outer);
}

static void link_random(gpointer host, gpointer buffer, gsize length) {
  adit_env_random(&((AditPppLink *)host)->outer, buffer, length);
}

void adit_ppp_link_rearm(AditPppLink *link) {
  adit_ppp_wake_at_earliest(&link->outer, link->slots, SLOTS, &link->armed);
}

static void link_wake(gpointer host, guint slot, guint64 deadline_ms) {
  AditPppLink *link = host;
  link->slots[slot] = deadline_ms;
  adit_ppp_link_rearm(link);
}

const AditEngineOps adit_ppp_link_engine_ops = {sizeof(AditEngineOps), link_now, link_wake, link_random};

/* ---- end ---- */

void adit_ppp_link_forget_proxy(AditPppLink *link) {
  AditProxy *proxy = &link->proxy;
  link->has_proxy = FALSE;
  g_clear_pointer(&proxy->initial_received, g_bytes_unref);
  g_clear_pointer(&proxy->last_sent, g_bytes_unref);
  g_clear_pointer(&proxy->last_received, g_bytes_unref);
  g_clear_pointer(&proxy->auth_name, g_bytes_unref);
  g_clear_pointer(&proxy->auth_challenge, g_bytes_unref);
  g_clear_pointer(&proxy->auth_response, g_bytes_unref);
}

void adit_ppp_link_free_now(AditPppLink *link) {
  adit_role_stop(&link->demand);
  adit_role_stop(&link->answer);
  if (link->armed)
    link->outer.ops->wake(link->outer.host, 0, 0);
  adit_ppp_link_forget_proxy(link);
  adit_proxy_auth_free(link->proxy_auth);
  adit_lcp_extras_free(link->lcp_params.extras);
  g_free(link->name);
  g_free(link->user);
  g_free(link->identification);
  g_free(link->reason);
  g_free(link);
}
