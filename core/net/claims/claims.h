/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/claims/claims.h - the objects that adit wants in the kernel, and their claimants: an engine without I/O.
 *
 * An object is a thing that the kernel has once: an address or a proxy neighbour on an interface; a route by table, prefix and metric;
 * the state of an interface; its master. Claims on one object form a line: smaller preference first, then the older one; a claim of the
 * party that has the route precedes it. The head of the line is installed. When it is released, the next one takes its place by one change
 * in the kernel.
 *
 * The engine asks for one change of an object at a time (AditClaimsOps.start). adit_claims_finished() reports the result,
 * adit_claims_event() the changes of others. Objects that other programs removed are restored: at first after 100 ms, then ever later while
 * they go on, and a bounded number of objects in one pass (adit_claims_run()).
 *
 * A route that covers the outer address of a tunnel (adit_claims_guard()) is installed only once a host route keeps the way to
 * that address (pins.c). All [main].
 */
#pragma once

#include "core/net/claims/object-key.h"
#include <adit/log.h>
#include <adit/value.h>

G_BEGIN_DECLS

typedef struct AditClaims AditClaims;
typedef struct AditObject AditObject; /**< the ops' handle of an object; valid until the change is finished */

typedef enum {
  ADIT_CHANGE_ENSURE,  /**< install `value`, or find that it is there */
  ADIT_CHANGE_REPLACE, /**< `old` by `value`, without a moment in which there is none */
  ADIT_CHANGE_REMOVE,  /**< `old` */
} AditChangeKind;

typedef struct {
  AditChangeKind kind;
  AditObjectKey key;
  AditObjectValue old, value;
  gboolean had; /**< ENSURE: `value` may be there already, as ours */
} AditChange;

typedef enum {
  ADIT_IFACE_UNUSED,
  ADIT_IFACE_USED, /**< there are claims on it */
  ADIT_IFACE_OWN,  /**< one of them is of the interface itself: a session's, or one that sessions share */
} AditIfaceUse;

typedef struct {
  gsize size;
  /** Begins a change; adit_claims_finished() follows, not from within the call. Changes are carried out in the order of the calls. */
  void (*start)(gpointer user, const AditChange *change, AditObject *object);
  /** Asks how the kernel reaches `to` now; adit_claims_resolved() follows. */
  void (*resolve)(gpointer user, const AditAddress *to);
  /** Asks how it would without adit's routes; adit_claims_refreshed() follows for each of `n`. */
  void (*refresh)(gpointer user, const AditAddress *to, guint n);
  /** adit_claims_run() is wanted in `delay_ms`, in place of an earlier wish. */
  void (*wake)(gpointer user, guint64 delay_ms);
  guint64 (*now)(gpointer user);
  /** The interface matters so much from now on. May be NULL. */
  void (*watch)(gpointer user, guint ifindex, AditIfaceUse use);
  /** The interface that has this name now; 0 = none. May be NULL. */
  guint32 (*index)(gpointer user, const char *name);
} AditClaimsOps;

AditClaims *adit_claims_new(const AditClaimsOps *ops, gpointer user);
/** Claims that are left are forgotten, their objects stay in the kernel; their owners must not use them again. */
void adit_claims_free(AditClaims *claims);

/** Our objects in the kernel after a change. `error` is an errno, `text` the kernel's words or "". */
typedef enum {
  ADIT_RESULT_DONE,    /**< what was asked for */
  ADIT_RESULT_FOREIGN, /**< nothing: another program has it; `text` says which one */
  ADIT_RESULT_FAILED,  /**< what was there before an ENSURE or a REMOVE; nothing after a REPLACE */
  ADIT_RESULT_LOST,    /**< `old`, `value`, both or nothing: no answer came */
} AditChangeResult;

void adit_claims_finished(AditClaims *claims, AditObject *object, AditChangeResult result, int error, const char *text);

#define ADIT_CLAIMS_BUDGET 256 /**< objects that adit_claims_run() looks at in one pass */
#define ADIT_CLAIMS_FLIGHT 512 /**< changes that it keeps under way */
/** Restores what is due. */
void adit_claims_run(AditClaims *claims);

typedef enum {
  ADIT_KERNEL_LINK,         /**< ifindex, up, mtu, master as they are now */
  ADIT_KERNEL_LINK_DIPPED,  /**< it was set down; ADIT_KERNEL_LINK follows */
  ADIT_KERNEL_LINK_GONE,    /**< `moved`: to another network namespace */
  ADIT_KERNEL_ADDRESS_GONE, /**< key */
  ADIT_KERNEL_ROUTE_NEW,    /**< key, ifindex, protocol */
  ADIT_KERNEL_ROUTE_GONE,   /**< key, ifindex, protocol */
  ADIT_KERNEL_CHANGED,      /**< foreign links, addresses or routes */
  ADIT_KERNEL_OVERRUN,      /**< anything may have happened */
} AditKernelEventKind;

/** A change by another program to the kernel. */
typedef struct {
  AditKernelEventKind kind;
  guint32 ifindex, mtu, master;
  guint8 protocol;
  gboolean up, moved;
  AditObjectKey key;
  AditBridgePort port; /**< of a bridge's port: `set` says what is known */
} AditKernelEvent;

void adit_claims_event(AditClaims *claims, const AditKernelEvent *event);

/* ---- claims: see adit/net.h ---- */

AditClaim *adit_claims_add(AditClaims *claims, const AditObjectKey *key, const AditObjectValue *value, const AditClaimant *claimant);
void adit_claims_set_mtu(AditClaim *claim, guint32 mtu);
void adit_claims_set_value(AditClaim *claim, const AditObjectValue *value);
AditClaimState adit_claims_state(const AditClaim *claim, const char **why);
void adit_claims_release(AditClaim *claim);
const char *adit_claim_state_word(AditClaimState state);
/** How many objects have claims. */
guint adit_claims_count(const AditClaims *claims);

/** Fills in the service's functions, which work on `claims` from now on; NULL = on none. */
void adit_claims_serve(AditClaims *claims, AditNetService *service);
AditClaims *adit_claims_served(void);

/* ---- for people and tests ---- */

/** For `show claims`: a MAP for each claim, one at a time; NULL at the end. Claims may come and go between two calls. */
typedef struct AditClaimsCursor AditClaimsCursor;
AditClaimsCursor *adit_claims_cursor_new(AditClaims *claims);
AditValue *adit_claims_cursor_next(AditClaimsCursor *cursor);
void adit_claims_cursor_free(AditClaimsCursor *cursor);
/** All at once: a LIST. The caller's. */
AditValue *adit_claims_describe(AditClaims *claims);
/** Calls `each` for every object that the kernel should have, with its value. */
void adit_claims_foreach(const AditClaims *claims, void (*each)(const AditObjectKey *key, const AditObjectValue *value, gpointer data),
                         gpointer data);
/** For tests: the shortest pause before something is restored, in place of 100 ms; the others follow. */
void adit_claims_set_pause(AditClaims *claims, guint ms);
/** For tests: looks now at the next objects of kinds without reports of deletion. */
void adit_claims_look_now(AditClaims *claims);
/** Nothing is under way or due. */
gboolean adit_claims_quiet(const AditClaims *claims);

G_END_DECLS
