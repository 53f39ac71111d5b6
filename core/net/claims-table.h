/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims-table.h - the tables of claims.h, for the files that make up the engine. */
#pragma once

#include "core/net/claims.h"

G_BEGIN_DECLS

/** Pauses before something is restored: 100 ms, and twice as long each time, in as many classes. */
#define ADIT_PAUSES        10
#define ADIT_PAUSE_MS      100
#define ADIT_PAUSE_REFUSED 7   /**< the first pause after the kernel refused: 12.8 s */
#define ADIT_PAUSE_LOST    3   /**< after the kernel gave no answer: 800 ms */
#define ADIT_PAUSE_WARNING 5   /**< from this pause on somebody is at work against us */
#define ADIT_PAUSE_MOST    6   /**< the longest pause after a disturbance: 6.4 s */
#define ADIT_LOOK_PAUSES   20  /**< so many of the shortest pauses between two looks at what the kernel does not report: 2 s */
#define ADIT_PAUSE_FORGET  200 /**< so many of the shortest pauses undisturbed, and it begins with that again */

/** Something that waits in a queue of one pause; embedded. */
typedef struct {
  GList node;              /**< data: NULL when in no queue */
  guint8 pause, fights;    /**< fights: how often it was restored of late */
  guint64 due_ms, last_ms; /**< last_ms: when it was disturbed last */
} AditDue;

/** An interface with objects on it. */
typedef struct {
  guint32 ifindex;
  gboolean down, gone, moved;
  GQueue others, routes; /**< of AditObject, by their `on`; `others`: all that are not routes */
  guint n_ipv4;          /**< addresses of that family, as they will be when all changes under way are done */
  AditDue due;           /**< its objects have to be looked at */
  GList *cursor;         /**< the next one of them */
  guint8 sweep;          /**< 0 = none, 1 = others, 2 = routes */
  GList sweeping;        /**< in AditClaims.sweeps, while there is a sweep */
} AditIface;

/** Is AditObject.have in the kernel? */
typedef enum {
  ADIT_ABSENT,
  ADIT_DOUBTFUL, /**< it may be: somebody may have changed that, or no answer came */
  ADIT_PRESENT,
} AditKnown;

struct AditObject {
  AditObjectKey key; /**< the hash table's key */
  GList all;
  GQueue line; /**< of AditClaim, by their `place`; the head wins */
  AditObjectValue have, asked;
  AditObjectValue left; /**< valid with `leaves`; may be in the kernel, and nobody wants it: removed before anything else is done */
  AditIface *iface;     /**< NULL = none */
  GList on;
  AditDue due;
  guint8 state; /**< AditClaimState of the head */
  AditChangeKind change;
  int error;
  char *why;          /**< BLOCKED, REFUSED */
  AditKnown known;    /**< of `have`, as before the change under way */
  gboolean leaves;    /**< there is something left */
  gboolean busy;      /**< a change is under way, */
  gboolean disturbed; /**< and somebody may have changed something since it began */
  gboolean counted;   /**< in AditIface.n_ipv4 */
  gboolean last;      /**< the removal under way takes the last of them */
  gboolean covers;    /**< pins.c counts its prefix */
  gboolean admitted;  /**< pins.c lets it in */
  GList admission;    /**< data: NULL unless it waits for pins */
  GList look;         /**< in AditClaims.looks; data: NULL unless the kernel does not report its deletion */
};

struct AditClaim {
  AditClaims *claims;
  AditObject *object;
  GList place;
  const AditClaimant *claimant;
  AditObjectValue value;
  guint64 since_ms;
  GList tell;  /**< data: NULL when there is nothing to tell */
  guint8 told; /**< AditClaimState */
};

typedef struct AditPins AditPins;

/** A list that is being shown: what is shown next may go meanwhile. */
struct AditClaimsCursor {
  AditClaims *claims;
  GList node;
  GList *all;   /**< AditObject.all of the next object; NULL = end */
  GList *place; /**< AditClaim.place of the next claim on it; NULL = its first */
};

struct AditClaims {
  AditClaimsOps ops;
  gpointer user;
  GHashTable *objects; /**< AditObjectKey -> AditObject */
  GQueue all;          /**< the same in order of age */
  GHashTable *ifaces;  /**< ifindex -> AditIface */
  GQueue due[ADIT_PAUSES], iface_due[ADIT_PAUSES];
  GQueue sweeps; /**< of AditIface, by `sweeping` */
  GQueue looks;  /**< of AditObject, by `look`; whose turn it is first */
  guint64 look_ms;
  GQueue tells;   /**< of AditClaim */
  GQueue cursors; /**< of AditClaimsCursor, by `node` */
  gboolean telling;
  guint flight;     /**< changes under way */
  guint pause_ms;   /**< the shortest pause */
  guint64 wake_ms;  /**< when adit_claims_run() will be called; 0 = not */
  gboolean stalled; /**< it waits for changes under way */
  AditRateLimit foreign_log, fight_log;
  AditPins *pins;
};

/* ---- claims.c ---- */

AditObject *adit_object_find(const AditClaims *claims, const AditObjectKey *key);
/** Makes the kernel's object as its line says, if nothing is in the way; may free it. */
void adit_object_step(AditClaims *claims, AditObject *object);
void adit_object_set_state(AditClaims *claims, AditObject *object, AditClaimState state, int error, const char *why);
/** Somebody may have changed it. */
void adit_object_doubt(AditObject *object);
/** Tells claims whose state has changed. */
void adit_claims_tell(AditClaims *claims);
/** Several claims can have it at once: it has no value over which they could differ. */
gboolean adit_object_is_shared(const AditObject *object);
const AditClaim *adit_object_winner(const AditObject *object);
void adit_claims_set_value(AditClaim *claim, const AditObjectValue *value);

/* ---- claims-show.c ---- */

/** They are about to go. */
void adit_cursors_leave_object(AditClaims *claims, const AditObject *object);
void adit_cursors_leave_claim(AditClaims *claims, const AditClaim *claim);

/* ---- claims-restore.c ---- */

/** adit_claims_run() is called in `delay_ms`, if not before. */
void adit_claims_wake(AditClaims *claims, guint64 delay_ms);
/** It failed: tries again after this pause or a longer one. */
void adit_object_retry(AditClaims *claims, AditObject *object, guint pause);
void adit_due_cancel(AditClaims *claims, AditDue *due, gboolean iface);
/** The object is of a kind whose deletion the kernel does not report: it is looked at now and then, from now on or no more. */
void adit_looks_add(AditClaims *claims, AditObject *object);
void adit_looks_remove(AditClaims *claims, AditObject *object);
/** The object is on the interface; 0 = on none. */
void adit_iface_join(AditClaims *claims, AditObject *object, guint32 ifindex);
void adit_iface_leave(AditClaims *claims, AditObject *object);
/** It was deleted, or moved away. */
gboolean adit_iface_is_gone(const AditClaims *claims, guint32 ifindex);
/** We have removed an IPv4 address from it: with the last one the kernel has dropped the family's routes. */
void adit_iface_lost_ipv4(AditClaims *claims, guint32 ifindex);
void adit_iface_is_up(AditClaims *claims, AditIface *iface, gboolean up);

/* ---- pins.c ---- */

AditPins *adit_pins_new(AditClaims *claims);
/** All claims are about to be freed, the pins' too. */
void adit_pins_let_go(AditPins *pins);
void adit_pins_free(AditPins *pins);
/** May it be installed? If not, its state says why, and adit_object_step() follows when that changes. */
gboolean adit_pins_admit(AditClaims *claims, AditObject *object);
/** Nobody wants it any more. */
void adit_pins_forget(AditClaims *claims, AditObject *object);
/** The ways may have changed. */
void adit_pins_changed(AditPins *pins);
/** Looks again if it is time; milliseconds until the next time, 0 = none. */
guint64 adit_pins_run(AditPins *pins, guint64 now);
gboolean adit_pins_quiet(const AditPins *pins);

G_END_DECLS
