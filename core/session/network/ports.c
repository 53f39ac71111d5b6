/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Interfaces of sessions: one each, named after the user, or one that many share. */
#include "core/session/network/ports.h"
#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/net/claims/claims.h"
#include "core/session/life/sess.h"
#include "core/session/life/session-event.h"
#include "core/session/life/sessions.h"
#include "core/session/lines.h"
#include "core/session/network/session-claims.h"
#include <adit/session-options.h>

#define MAX_REFUSED 1000 /* names in a row that foreign interfaces have */
#define IPV6_LEAST  1280 /* an interface with less has no IPv6: RFC 8200 5 */

/** A shared interface is of one data path: another one's of the same name is another interface. */
typedef struct {
  const AditDatapathOps *datapath;
  gpointer dp;
  char *name;
} SharedKey;

struct AditSharedPort {
  SharedKey key;
  AditPort *port;
  gboolean opening;
  guint users;
  guint mtu;          /* the largest that a session on it has had */
  GPtrArray *waiting; /* AditSess*, a reference each: to be told when it is open */
  AditClaim *claim;   /* of the interface's state */
  AditClaimant claimant;
  char *who;
};

static const AditNetService *net;
static GHashTable *shared; /* SharedKey -> AditSharedPort* */

static guint shared_hash(gconstpointer data) {
  const SharedKey *key = data;
  return g_str_hash(key->name) ^ g_direct_hash(key->dp) ^ g_direct_hash(key->datapath);
}

static gboolean shared_equal(gconstpointer a, gconstpointer b) {
  const SharedKey *one = a, *other = b;
  return one->datapath == other->datapath && one->dp == other->dp && strcmp(one->name, other->name) == 0;
}

void adit_ports_init(const AditNetService *service) {
  net = service;
  adit_names_init();
  shared = g_hash_table_new(shared_hash, shared_equal);
}

void adit_ports_fini(void) {
  adit_names_fini();
  g_clear_pointer(&shared, g_hash_table_unref);
}

/* It is up with this MTU, and stays so. */
static AditClaim *claim_link(const AditPort *port, guint mtu, const AditClaimant *claimant) {
  AditLinkWish wish = {.size = sizeof wish, .ifindex = port->ifindex, .up = TRUE, .mtu = mtu};
  return net->claim_link(&wish, claimant);
}

static void tell_opened(AditSess *session, const GError *error) {
  AditLogContext log = adit_sess_log(session);

  if (!error) {
    adit_sess_event(session, ADIT_LIFE_PORT_OPENED);
    return;
  }
  adit_lines_error(&log, "interface %s: %s", session->port.name, error->message);
  adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, error->message);
}

/* Another program deleted or moved it. */
static void lose_port(AditSess *session, const char *why) {
  AditLogContext log = adit_sess_log(session);

  if (adit_sess_is_over(session))
    return;
  adit_lines_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: %s", session->id, session->user, session->port.name, why);
  adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, why);
}

/* ---- a separate interface ---- */

static void own_opened(gpointer user, AditPort *port, const GError *error);

static void own_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  if (state == ADIT_CLAIM_LOST)
    lose_port(user, why);
}

/* The data path may know before the watch does: nothing on it has to be removed any more. */
static void note_gone(const AditPort *port) {
  adit_claims_event(adit_claims_served(), &(AditKernelEvent){.kind = ADIT_KERNEL_LINK_GONE, .ifindex = port->ifindex});
}

static void own_lost(gpointer user, AditPort *port) {
  note_gone(port);
  lose_port(user, "the interface was deleted");
}

/* Its name; returns the full one if that is longer. */
static char *own_name(AditSess *session, AditNameHold *hold) {
  AditSessionEvent event;

  if (session->is_client) /* RouterOS: the client's interface has the client's name */
    return adit_names_take(hold, NULL, adit_option_name(session->config));
  adit_session_event_fill(session, &event);
  g_autoptr(AditValue) chosen = session->port.refused ? NULL : adit_hook_value(ADIT_VALUE_INTERFACE_NAME, &event.event);
  if (chosen && chosen->type == ADIT_VALUE_STRING && adit_names_take_chosen(hold, chosen->as.string))
    return NULL;
  return adit_names_take(hold, session->transport, session->user);
}

static void own_open(AditSess *session) {
  AditNameHold hold = {.base = NULL};
  g_autofree char *full = own_name(session, &hold);

  adit_names_refuse(&session->port.hold); /* the one before, if this is another attempt */
  session->port.hold = hold;
  g_strlcpy(session->port.name, hold.name, sizeof session->port.name);
  AditPortSpec spec = {
      .size = sizeof spec, .kind = ADIT_PORT_L3, .name = session->port.name, .alias = full, .mtu = session->mtu, .lost = own_lost};
  session->port.mtu = session->mtu;
  session->port.pending = TRUE;
  session->port.claimant = session->claims.claimant;
  session->port.claimant.changed = own_changed;
  session->datapath->port_open(session->dp, &spec, own_opened, adit_sess_ref(session));
}

static void own_closed(gpointer user, const AditCounters *final) {
  AditSess *session = user;
  adit_sess_event(session, ADIT_LIFE_PORT_CLOSED);
  adit_sess_unref(session);
}

static void own_opened(gpointer user, AditPort *port, const GError *error) {
  AditSess *session = user;

  session->port.pending = FALSE;
  session->port.open = port;
  if (!adit_sess_is_over(session) && !port && g_error_matches(error, ADIT_ERROR, ADIT_ERR_EXISTS) &&
      ++session->port.refused < MAX_REFUSED) {
    own_open(session); /* a foreign interface has that name */
    adit_sess_unref(session);
    return;
  }
  if (port)
    session->port.claim = claim_link(port, session->port.mtu, &session->port.claimant);
  else
    adit_names_give_back(&session->port.hold);
  if (adit_sess_is_over(session))
    adit_sess_port_close(session);
  else
    tell_opened(session, error);
  adit_sess_unref(session);
}

/* ---- one for many ---- */

static void shared_free(AditSharedPort *port) {
  g_hash_table_remove(shared, &port->key);
  g_ptr_array_unref(port->waiting);
  g_free(port->who);
  g_free(port->key.name);
  g_free(port);
}

static void shared_closed(gpointer user, const AditCounters *final) {}

/* Given up once it is unused and not being opened. */
static void shared_leave(AditSharedPort *port) {
  if (port->users || port->opening)
    return;
  net->claim_release(g_steal_pointer(&port->claim));
  if (port->port)
    port->key.datapath->port_close(port->port, shared_closed, NULL);
  shared_free(port);
}

static void shared_opened(gpointer user, AditPort *opened, const GError *error) {
  AditSharedPort *port = user;
  g_autoptr(GPtrArray) waiting = g_steal_pointer(&port->waiting);

  port->waiting = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
  port->port = opened;
  if (opened)
    port->claim = claim_link(opened, port->mtu, &port->claimant);
  port->users++; /* holds it while the waiting are told */
  port->opening = FALSE;
  for (guint i = 0; i < waiting->len; i++) {
    AditSess *session = waiting->pdata[i];
    session->port.pending = FALSE;
    session->port.open = opened;
    if (adit_sess_is_over(session))
      adit_sess_port_close(session);
    else
      tell_opened(session, error);
  }
  port->users--;
  shared_leave(port);
}

typedef struct {
  AditSharedPort *port;
  const char *why;
} Lost;

static void end_if_on(AditSess *session, gpointer data) {
  const Lost *lost = data;
  if (session->port.shared == lost->port)
    lose_port(session, lost->why);
}

/* All that are on it end; the next one opens it again. */
static void lose_shared(AditSharedPort *port, const char *why) {
  Lost lost = {port, why};
  port->users++; /* holds it while they end */
  adit_sess_foreach(end_if_on, &lost);
  port->users--;
  shared_leave(port);
}

static void shared_lost(gpointer user, AditPort *lost) {
  note_gone(lost);
  lose_shared(user, "the interface was deleted");
}

static void shared_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  if (state == ADIT_CLAIM_LOST)
    lose_shared(user, why);
}

static void shared_open(AditSess *session, const char *name) {
  AditSharedPort *port = g_hash_table_lookup(shared, &(SharedKey){session->datapath, session->dp, (char *)name});

  if (!port) {
    port = g_new0(AditSharedPort, 1);
    port->key = (SharedKey){session->datapath, session->dp, g_strdup(name)};
    port->waiting = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
    port->who = g_strdup_printf("shared interface %s", name);
    port->claimant = (AditClaimant){.size = sizeof port->claimant, .who = port->who, .changed = shared_changed, .user = port};
    g_hash_table_insert(shared, &port->key, port);
  }
  g_strlcpy(session->port.name, name, sizeof session->port.name);
  session->port.shared = port;
  port->users++;
  if (port->port) {
    session->port.open = port->port;
    tell_opened(session, NULL);
    return;
  }
  session->port.pending = TRUE;
  g_ptr_array_add(port->waiting, adit_sess_ref(session));
  if (port->opening)
    return;
  port->opening = TRUE;
  port->mtu = MAX(session->mtu, IPV6_LEAST);
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = name, .mtu = port->mtu, .shared = TRUE, .lost = shared_lost};
  session->datapath->port_open(session->dp, &spec, shared_opened, port);
}

/* ---- either ---- */

static void set_mtu(AditClaim *claim, guint *now, guint mtu) {
  *now = mtu;
  net->claim_set_mtu(claim, mtu);
}

/* A shared one is as large as the largest needs it; the others' routes are smaller. */
void adit_sess_port_mtu(AditSess *session) {
  if (!session->port.open)
    return;
  if (session->port.shared && session->mtu > session->port.shared->mtu)
    set_mtu(session->port.shared->claim, &session->port.shared->mtu, session->mtu);
  else if (!session->port.shared && session->mtu != session->port.mtu)
    set_mtu(session->port.claim, &session->port.mtu, session->mtu);
  adit_sess_routes_mtu(session);
}

void adit_sess_port_open(AditSess *session) {
  const char *interface = adit_option_interface(session->attributes);
  if (session->is_client || !interface || strcmp(interface, "own") == 0)
    own_open(session);
  else
    shared_open(session, interface);
}

void adit_sess_port_close(AditSess *session) {
  if (session->port.pending)
    return; /* comes back here when it is open */

  AditPort *port = g_steal_pointer(&session->port.open);
  net->claim_release(g_steal_pointer(&session->port.claim));
  if (session->port.shared) {
    AditSharedPort *left = g_steal_pointer(&session->port.shared);
    left->users--;
    shared_leave(left);
    adit_sess_event(session, ADIT_LIFE_PORT_CLOSED);
  } else if (port) {
    adit_names_give_back(&session->port.hold);
    session->datapath->port_close(port, own_closed, adit_sess_ref(session));
  } else {
    adit_sess_event(session, ADIT_LIFE_PORT_CLOSED);
  }
}
