/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-table.h - the tables of claims.h, for the files that make up the engine. */
#pragma once

#include "core/net/claims/claims.h"

G_BEGIN_DECLS

/** Pauses before something is restored: 100 ms, and twice as long each time, in as many classes. */
#define ADIT_PAUSES        10
#define ADIT_PAUSE_MS      100
#define ADIT_PAUSE_REFUSED 7   /**< the first pause after the kernel refused: 12.8 s */
#define ADIT_PAUSE_LOST    3   /**< after the kernel gave no answer: 800 ms */
#define ADIT_PAUSE_WARNING 5   /**< from this pause on, another program is assumed to remove it each time */
#define ADIT_PAUSE_MOST    6   /**< the longest pause after a disturbance: 6.4 s */
#define ADIT_LOOK_PAUSES   20  /**< so many of the shortest pauses between two looks at what the kernel does not report: 2 s */
#define ADIT_PAUSE_FORGET  200 /**< so many of the shortest pauses undisturbed, and it begins with that again */

typedef struct AditIface AditIface;

/** Something that waits in a queue of one pause; embedded. */
typedef struct {
  GList node;              /**< data: NULL when in no queue */
  guint8 pause, fights;    /**< fights: how often it was restored of late */
  guint64 due_ms, last_ms; /**< last_ms: when it was disturbed last */
} AditDue;

/** An interface with objects on it. */
struct AditIface {
  guint32 ifindex;
  gboolean down, gone, moved;
  GQueue others, routes; /**< of AditObject, by their `on`; `others`: all that are not routes */
  guint n_ipv4;          /**< addresses of that family, as they will be when all changes under way are done */
  AditDue due;           /**< its objects have to be looked at */
  GList *cursor;         /**< the next one of them */
  guint8 sweep;          /**< 0 = none, 1 = others, 2 = routes */
  GList sweeping;        /**< in AditClaims.sweeps, while there is a sweep */
};

/** Is AditObject.have in the kernel? */
typedef enum {
  ADIT_ABSENT,
  ADIT_DOUBTFUL, /**< it may be: another program may have changed that, or no answer came */
  ADIT_PRESENT,
} AditKnown;

struct AditObject {
  AditObjectKey key; /**< the hash table's key */
  GList all;
  GQueue line; /**< of AditClaim, by their `place`; the head wins */
  AditObjectValue have, asked;
  AditObjectValue left; /**< valid with `leaves`; may be in the kernel, and has no claim: removed before anything else is done */
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
  gboolean disturbed; /**< and another program may have changed something since it began */
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

/** A list that is being shown: what is shown next may go meanwhile. */
struct AditClaimsCursor {
  AditClaims *claims;
  GList node;
  GList *all;   /**< AditObject.all of the next object; NULL = end */
  GList *place; /**< AditClaim.place of the next claim on it; NULL = its first */
};

/** The facts that decide whether an object may be installed: pins.c. */
typedef struct {
  /** May it be installed? If not, its state says why, and adit_object_step() follows when that changes. */
  gboolean (*admit)(AditClaims *claims, AditObject *object);
  /** It has no claim any more. */
  void (*forget)(AditClaims *claims, AditObject *object);
} AditClaimsGate;

struct AditClaims {
  AditClaimsOps ops;
  gpointer user;
  GHashTable *objects; /**< AditObjectKey -> AditObject */
  GQueue all;          /**< the same in order of age */
  GHashTable *ifaces;  /**< ifindex -> AditIface */
  GQueue due[ADIT_PAUSES], iface_due[ADIT_PAUSES];
  GQueue sweeps; /**< of AditIface, by `sweeping` */
  GQueue looks;  /**< of AditObject, by `look`; the first due one */
  guint64 look_ms;
  GQueue tells;   /**< of AditClaim */
  GQueue cursors; /**< of AditClaimsCursor, by `node` */
  gboolean telling;
  guint flight;     /**< changes under way */
  guint pause_ms;   /**< the shortest pause */
  guint64 wake_ms;  /**< when adit_claims_run() will be called; 0 = not */
  gboolean stalled; /**< it waits for changes under way */
  AditRateLimit foreign_log, fight_log;
  const AditClaimsGate *gate;
  struct AditPins *pins;
};

G_END_DECLS
