/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Interfaces of sessions: one each, named after the user, or one that many share. */
#include "core/session/network/ports.h"
#include "core/base/hold.h"
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
#define ETHER_LEAST 68   /* what the kernel lets an Ethernet interface have */
#define ETHER_MOST  1500 /* what others on a bridge have */

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

static AditSessPort *const *ports_of(AditSess *session, AditSessPort *ports[2]) {
  ports[0] = &session->port;
  ports[1] = &session->ether.port;
  return ports;
}

static gboolean all_are_open(AditSess *session) {
  AditSessPort *ports[2];
  ports_of(session, ports);
  for (guint i = 0; i < 2; i++)
    if (ports[i]->wanted && !ports[i]->open)
      return FALSE;
  return TRUE;
}

static void tell_opened(AditSessPort *self, const GError *error) {
  AditSess *session = self->session;
  AditLogContext log = adit_sess_log(session);

  if (error) {
    adit_lines_error(&log, "interface %s: %s", self->name, error->message);
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, error->message);
  } else if (all_are_open(session)) {
    adit_sess_event(session, ADIT_LIFE_PORT_OPENED);
  }
}

/* The payload of an Ethernet frame of the L2 port in a PPP frame of the session: with one VLAN tag, which an interface lets pass beyond its
 * MTU; and not more than Ethernet has, so that hosts of the bridge itself send nothing that others on it cannot receive. */
static guint ether_mtu(const AditSess *session) {
  guint frame = session->ether.desc->ether->overhead + ADIT_ETHER_HEADER + ADIT_ETHER_TAG;
  return CLAMP(session->mtu, frame + ETHER_LEAST, frame + ETHER_MOST) - frame;
}

static guint port_mtu(const AditSessPort *self) {
  return self->kind == ADIT_PORT_L2 ? ether_mtu(self->session) : self->session->mtu;
}

/* Another program deleted or moved it. */
static void lose_port(AditSessPort *self, const char *why) {
  AditSess *session = self->session;
  AditLogContext log = adit_sess_log(session);

  if (adit_sess_is_over(session))
    return;
  adit_lines_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: %s", session->id, session->user, self->name, why);
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
static char *own_name(AditSessPort *self, AditNameHold *hold) {
  AditSess *session = self->session;
  AditSessionEvent event;

  if (self->kind == ADIT_PORT_L2)
    return adit_names_take(hold, "eth", session->is_client ? adit_option_name(session->config) : session->user);
  if (session->is_client) /* RouterOS: the client's interface has the client's name */
    return adit_names_take(hold, NULL, adit_option_name(session->config));
  adit_session_event_fill(session, &event);
  g_autoptr(AditValue) chosen = self->refused ? NULL : adit_hook_value(ADIT_VALUE_INTERFACE_NAME, &event.event);
  if (chosen && chosen->type == ADIT_VALUE_STRING && adit_names_take_chosen(hold, chosen->as.string))
    return NULL;
  return adit_names_take(hold, session->transport, session->user);
}

static void own_open(AditSessPort *self) {
  AditSess *session = self->session;
  AditNameHold hold = {.base = NULL};
  g_autofree char *full = own_name(self, &hold);

  adit_names_refuse(&self->hold); /* the one before, if this is another attempt */
  self->hold = hold;
  g_strlcpy(self->name, hold.name, sizeof self->name);
  self->mtu = port_mtu(self);
  AditPortSpec spec = {.size = sizeof spec, .kind = self->kind, .name = self->name, .alias = full, .mtu = self->mtu, .lost = own_lost};
  memcpy(spec.mac, self->mac, sizeof spec.mac);
  self->pending = TRUE;
  self->claimant = session->claims.claimant;
  self->claimant.changed = own_changed;
  self->claimant.user = self;
  adit_sess_ref(session);
  ADIT_HOLD(NULL, session->datapath->port_open, "port_open()", session->datapath->port_open(session->dp, &spec, own_opened, self));
}

/* Once, when the last one is closed. */
static void tell_closed(AditSess *session) {
  AditSessPort *ports[2];

  ports_of(session, ports);
  for (guint i = 0; i < 2; i++)
    if (ports[i]->pending || ports[i]->closing)
      return;
  adit_sess_event(session, ADIT_LIFE_PORT_CLOSED);
}

static void own_closed(gpointer user, const AditCounters *final) {
  AditSessPort *self = user;
  AditSess *session = self->session;
  self->closing = FALSE;
  tell_closed(session);
  adit_sess_unref(session);
}

static void own_opened(gpointer user, AditPort *port, const GError *error) {
  AditSessPort *self = user;
  AditSess *session = self->session;

  self->pending = FALSE;
  self->open = port;
  if (!adit_sess_is_over(session) && !port && g_error_matches(error, ADIT_ERROR, ADIT_ERR_EXISTS) && ++self->refused < MAX_REFUSED) {
    own_open(self); /* a foreign interface has that name */
    adit_sess_unref(session);
    return;
  }
  if (port)
    self->claim = claim_link(port, self->mtu, &self->claimant);
  else
    adit_names_give_back(&self->hold);
  if (adit_sess_is_over(session))
    adit_sess_ports_close(session);
  else
    tell_opened(self, error);
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
    ADIT_HOLD(NULL, port->key.datapath->port_close, "port_close()", port->key.datapath->port_close(port->port, shared_closed, NULL));
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
      adit_sess_ports_close(session);
    else
      tell_opened(&session->port, error);
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
    lose_port(&session->port, lost->why);
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
    tell_opened(&session->port, NULL);
    return;
  }
  session->port.pending = TRUE;
  g_ptr_array_add(port->waiting, adit_sess_ref(session));
  if (port->opening)
    return;
  port->opening = TRUE;
  port->mtu = MAX(session->mtu, IPV6_LEAST);
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L3, .name = name, .mtu = port->mtu, .shared = TRUE, .lost = shared_lost};
  ADIT_HOLD(NULL, session->datapath->port_open, "port_open()", session->datapath->port_open(session->dp, &spec, shared_opened, port));
}

/* ---- either ---- */

static void set_mtu(AditClaim *claim, guint *now, guint mtu) {
  *now = mtu;
  net->claim_set_mtu(claim, mtu);
}

static void set_own_mtu(AditSessPort *self) {
  if (self->open && self->claim && self->mtu != port_mtu(self))
    set_mtu(self->claim, &self->mtu, port_mtu(self));
}

/* A shared one is as large as the largest needs it; the others' routes are smaller. */
void adit_sess_ports_mtu(AditSess *session) {
  set_own_mtu(&session->ether.port);
  if (!session->port.open)
    return;
  if (session->port.shared && session->mtu > session->port.shared->mtu)
    set_mtu(session->port.shared->claim, &session->port.shared->mtu, session->mtu);
  set_own_mtu(&session->port);
  adit_sess_routes_mtu(session);
}

void adit_sess_port_init(AditSessPort *port, AditSess *session, AditPortKind kind) {
  port->session = session;
  port->kind = kind;
}

void adit_sess_ports_open(AditSess *session) {
  const char *interface = adit_option_interface(session->attributes);
  gboolean shares = !session->is_client && interface && strcmp(interface, "own") != 0;

  if (session->ether.port.wanted)
    own_open(&session->ether.port);
  if (session->port.wanted && !adit_sess_is_over(session) && shares)
    shared_open(session, interface);
  else if (session->port.wanted && !adit_sess_is_over(session))
    own_open(&session->port);
}

static void close_port(AditSessPort *self) {
  AditSess *session = self->session;
  AditPort *port = g_steal_pointer(&self->open);

  net->claim_release(g_steal_pointer(&self->claim));
  if (self->shared) {
    AditSharedPort *left = g_steal_pointer(&self->shared);
    left->users--;
    shared_leave(left);
  } else if (port) {
    adit_names_give_back(&self->hold);
    self->closing = TRUE;
    adit_sess_ref(session);
    ADIT_HOLD(NULL, session->datapath->port_close, "port_close()", session->datapath->port_close(port, own_closed, self));
  }
}

/* One that is being opened comes back here when it is. */
void adit_sess_ports_close(AditSess *session) {
  AditSessPort *ports[2];

  ports_of(session, ports);
  for (guint i = 0; i < 2; i++)
    if (!ports[i]->pending)
      close_port(ports[i]);
  tell_closed(session);
}

void adit_sess_port_carrier(const AditSessPort *port, gboolean on) {
  if (port->open)
    ADIT_HOLD(NULL, port->session->datapath->port_carrier, "port_carrier()", port->session->datapath->port_carrier(port->open, on));
}

guint32 adit_ports_group(void) {
  return ADIT_HAS(net, group) && net->group ? net->group() : 0;
}
