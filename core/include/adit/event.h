/* SPDX-License-Identifier: MIT */
/**
 * adit/event.h - the event bus: facts, published on the main loop at once. Service "adit.bus".
 *
 * An event is a struct that begins with AditEvent and holds ids and copies, never pointers into live objects (strings
 * are valid during the call). A publish inside a handler is queued behind the current event. Subscribing, leaving and
 * dying inside a handler is safe. A plugin's subscriptions end with it.
 *
 * A subscriber, and a hook (in init):
 *
 *     static void on_session_up(const AditEvent *event, gpointer data) {
 *       const AditSessionEvent *session = (const AditSessionEvent *)event;
 *       count_visit(data, session->user); // copy what is kept: strings are valid during the call
 *     }
 *
 *     static const char *may_start(const AditEvent *about, gpointer data) {
 *       return is_denied(((const AditSessionEvent *)about)->user) ? "this user is on the list" : NULL;
 *     }
 *     ...
 *     if (!bus->subscribe(plugin, ADIT_EVENT_SESSION_UP, on_session_up, self))
 *       return FALSE; // this core has no such event
 *     bus->veto_add(plugin, ADIT_VETO_SESSION, 0, may_start, self);
 *
 * An event of another plugin: require or want the feature of that plugin, so that its init comes first, and subscribe by name in init; 0
 * means that it is not registered. To add an event:
 *
 *     static const AditField fields[] = {{"lease", ADIT_FIELD_U32, G_STRUCT_OFFSET(LeaseEvent, lease)}};
 *     const AditEventClass klass = {sizeof klass, "lease-gone", sizeof(LeaseEvent), fields, G_N_ELEMENTS(fields)};
 *     self->lease_gone = bus->event_class(plugin, &klass); // in init; 0 = another plugin has a class of that name
 *     ...
 *     LeaseEvent event = {.event = {self->lease_gone, sizeof event}, .lease = 7};
 *     bus->publish(&event.event);
 */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

typedef struct {
  guint type;  /**< AditEventClass.type, given at registration */
  guint32 size;
} AditEvent;

typedef enum {
  ADIT_FIELD_U64 = 1, /**< guint64 */
  ADIT_FIELD_ID,      /**< guint64, shown in hex */
  ADIT_FIELD_U32,     /**< guint32 */
  ADIT_FIELD_STRING,  /**< const char *, may be NULL */
  ADIT_FIELD_ADDRESS, /**< AditAddress */
  ADIT_FIELD_ENDPOINT,/**< AditEndpoint */
  ADIT_FIELD_COUNTERS,/**< AditCounters */
} AditFieldType;

typedef struct {
  const char *name;
  AditFieldType type;
  guint32 offset;
} AditField;

/** A kind of event; registering it gives `type`. The field table makes `aditctl monitor`'s JSON. */
typedef struct {
  gsize size;
  const char *name;   /**< `session-up` */
  guint32 event_size; /**< sizeof the event's struct */
  const AditField *fields;
  guint n_fields;
} AditEventClass;

/**
 * The members that are set, by event and hook; the rest is zero:
 *
 *   the hook session       session, link, user, service, caller_id, peer; no interface, no addresses: none is reserved yet
 *   the hook interface-name  the same, and the addresses that are reserved
 *   session-up             these, interface, local4 and remote4 (of IPv4, if it is open), uptime_ms, counters
 *   session-update         as session-up
 *   session-down           as session-up, with the final counters, cause and reason
 *
 * session-up comes only for a session that the hook let start; session-down once for each session-up.
 */
typedef struct {
  AditEvent event;
  AditSessionId session;
  AditLinkId link;        /**< the first link */
  const char *user;
  const char *interface;
  const char *service;    /**< name of the server or client */
  const char *caller_id;
  AditAddress local4, remote4;
  AditEndpoint peer;      /**< where the tunnel comes from */
  guint32 cause;          /**< AditCause; session-down only */
  const char *reason;     /**< words for people; session-down only */
  guint64 uptime_ms;
  AditCounters counters;
} AditSessionEvent;

#define ADIT_EVENT_SESSION_UP "session-up"         /**< AditSessionEvent: its NCPs are open or over, or 2 s after the first */
#define ADIT_EVENT_SESSION_UPDATE "session-update" /**< AditSessionEvent: addresses or attributes changed */
#define ADIT_EVENT_SESSION_DOWN "session-down"     /**< AditSessionEvent: ports are closed, counters final */

/** link-up: link, service, user (of a client), peer. auth-done: these, the user that the peer named, cause and reason of a refusal.
 *  link-down: these, cause and reason. The hook link: service and peer alone, as the link has no id yet. */
typedef struct {
  AditEvent event;
  AditLinkId link;
  const char *service;
  const char *user;       /**< once known */
  AditEndpoint peer;
  guint32 cause;
  const char *reason;
} AditLinkEvent;

#define ADIT_EVENT_LINK_UP "link-up"     /**< AditLinkEvent: LCP is open */
#define ADIT_EVENT_LINK_DOWN "link-down" /**< AditLinkEvent */
#define ADIT_EVENT_AUTH_DONE "auth-done" /**< AditLinkEvent: cause 0 = accepted; one for each try (MS-CHAP's R=1 leaves another) */

typedef struct {
  AditEvent event;
  guint32 local_id, peer_id;
  const char *service;
  const char *peer_name;  /**< Host Name AVP */
  AditEndpoint peer;
  const char *reason;     /**< tunnel-down only */
} AditTunnelEvent;

#define ADIT_EVENT_TUNNEL_UP "tunnel-up"     /**< AditTunnelEvent */
#define ADIT_EVENT_TUNNEL_DOWN "tunnel-down" /**< AditTunnelEvent */
typedef struct {
  AditEvent event;
  const char *source;     /**< an address, or a prefix */
  const char *user;       /**< the user that is locked out there; NULL = all users unknown there */
  guint32 failures;       /**< failed logins that count against it */
  guint64 lockout_ms;
} AditLockoutEvent;

typedef struct {
  AditEvent event;
  guint32 association;    /**< as in AditPath */
  const char *provider;   /**< the provider that protects it */
  AditEndpoint peer;      /**< where it leads to; after a move, the new address */
  const char *reason;     /**< association-down only; may be NULL */
} AditAssociationEvent;

#define ADIT_EVENT_ASSOCIATION_UP "association-up"           /**< AditAssociationEvent: packets with its mark came through it */
#define ADIT_EVENT_ASSOCIATION_REKEYED "association-rekeyed" /**< AditAssociationEvent */
#define ADIT_EVENT_ASSOCIATION_MOVED "association-moved"     /**< AditAssociationEvent: the peer has another address */
#define ADIT_EVENT_ASSOCIATION_DOWN "association-down"       /**< AditAssociationEvent: it came to its end, or never came up */

#define ADIT_EVENT_LOGIN_LOCKOUT "login-lockout" /**< AditLockoutEvent: a source has failed too often (aaa.login-guard) */
#define ADIT_EVENT_CONFIG_LOADED "config-loaded" /**< AditEvent alone: a reload was committed */

typedef void (*AditEventFunc)(const AditEvent *event, gpointer data);

/** [main] A hook decides, synchronously, in order of `priority` (low first, equals in order of registration); the first reason or value
 * counts, and hooks after it are not called. A veto returns NULL, or a reason that reaches log and peer. It is copied after the return: use
 * a static string, or one that the plugin keeps until its next call, never one on the stack or under g_autofree. A value hook returns a new
 * AditValue, which the caller frees, or NULL to pass. Neither may block: the session waits, and all other work with it. */
typedef const char *(*AditVetoFunc)(const AditEvent *about, gpointer data);
typedef AditValue *(*AditValueFunc)(const AditEvent *about, gpointer data);

#define ADIT_VETO_SESSION "session"          /**< AditSessionEvent: may this session start? */
#define ADIT_VETO_LINK "link"                /**< AditLinkEvent: may this call be answered? */
#define ADIT_VALUE_INTERFACE_NAME "interface-name" /**< AditSessionEvent -> STRING */

#define ADIT_BUS_SERVICE "adit.bus"
typedef struct {
  gsize size;
  /** [main] Registers, or finds by name, without fields whatever they are; 0 if it clashes. */
  guint (*event_class)(AditPlugin *plugin, const AditEventClass *klass);
  /** [main] `event` is copied when queued, strings too; an older plugin's, which is shorter than its class, is filled up with zeroes. */
  void (*publish)(const AditEvent *event);
  guint (*subscribe)(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data); /**< [main] 0 = no such class */
  void (*unsubscribe)(guint id);                                        /**< [main] */
  /** [main] ADIT_VETO_*; 0 = no such hook. */
  guint (*veto_add)(AditPlugin *plugin, const char *hook, int priority, AditVetoFunc func, gpointer data);
  /** [main] ADIT_VALUE_*; 0 = no such hook. */
  guint (*value_add)(AditPlugin *plugin, const char *hook, int priority, AditValueFunc func, gpointer data);
  void (*hook_remove)(guint id); /**< [main] 0 is harmless */
} AditBusService;

G_END_DECLS
