/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * One direction of a link's authentication: a method at work, at the end that demands authentication or at the one that answers.
 * Embedded in a link.
 */
#pragma once

#include "core/ppp/automaton.h"
#include <adit/auth.h>
#include <adit/ppp.h>

G_BEGIN_DECLS

/** Slots of a role in the link's env: one for the overall deadline, then the method's. */
enum { ADIT_ROLE_SLOT_DEADLINE = 0, ADIT_ROLE_SLOT_METHOD, ADIT_ROLE_SLOTS = 5 };

typedef enum {
  ADIT_ROLE_IDLE = 0, /**< no authentication is needed */
  ADIT_ROLE_RUNNING,
  ADIT_ROLE_OK,
  ADIT_ROLE_FAILED,
} AditRoleStatus;

typedef struct AditRole AditRole;
typedef struct AditRoleBox AditRoleBox; /**< a method's state */

typedef struct {
  void (*send)(gpointer user, guint16 protocol, const guint8 *payload, gsize length);
  void (*request_begin)(gpointer user, AditAuthRequest *request); /**< takes over `request` */
  void (*request_cancel)(gpointer user);
  /** Settled, first time or again: role->status is OK or FAILED. */
  void (*settled)(gpointer user, AditRole *role, const char *why);
  /** A try was refused, and the peer may make another one: nothing is settled. */
  void (*refused)(gpointer user, AditRole *role, const char *why);
} AditRoleOps;

struct AditRole {
  /* given */
  const AditRoleOps *ops;
  gpointer user;
  const AditEngineEnv *outer;
  guint base; /**< first slot in `outer` */
  AditAuthStart start;
  guint timeout_ms;

  /* state */
  AditRoleStatus status;
  const AditAuthMethod *method;
  AditRoleBox *box;   /**< NULL = the method is not running */
  AditRoleBox *grave; /**< states that ended inside a call into their method: freed when it returns */
  guint busy;         /**< depth of such calls */
  AditAuthEnv env;
  guint64 deadline;
  gboolean requesting;         /**< a request is open */
  gboolean hearing;            /**< the method is reading what the peer sent */
  gboolean by_peer;            /**< it was settled last by what the peer sent, not by a timer */
  gboolean judged;             /**< it was settled by the last verdict */
  gboolean stale;              /**< restored while a request was open: begin again at the deadline slot's next wake */
  char *requested_user, *name; /**< user name of the open request; of the last one accepted */
};

/** `role` must be zeroed. `start`'s strings must outlive it. */
void adit_role_init(AditRole *role, const AditRoleOps *ops, gpointer user, const AditEngineEnv *env, guint base, const AditAuthStart *start,
                    guint timeout_ms);
/** Begin with `method`, or begin again: a role that is OK stays so until it is settled otherwise. */
void adit_role_start(AditRole *role, const AditAuthMethod *method);
/** Nothing has to be proved any more. */
static inline gboolean adit_role_has_passed(const AditRole *role) {
  return role->status == ADIT_ROLE_OK || role->status == ADIT_ROLE_IDLE;
}

/** A request that was begun on a method's behalf, from what a LAC knows. Takes over `request`. */
void adit_role_request_begin(AditRole *role, AditAuthRequest *request);
/** Settles the role without a method. */
void adit_role_settle(AditRole *role, gboolean ok, const char *why);
/** Back to idle; the method's state is wiped. */
void adit_role_stop(AditRole *role);
void adit_role_timeout(AditRole *role, guint slot); /**< slot from the role's base */
void adit_role_input(AditRole *role, guint16 protocol, const guint8 *payload, gsize length);
void adit_role_verdict(AditRole *role, const AditAuthReply *reply);

/** The keys of the proof that the peer has accepted; `out` is zeroed but for its size. FALSE: none, or we have proven nothing. */
gboolean adit_role_keys(const AditRole *role, AditMppeKeys *out);

void adit_role_save(const AditRole *role, AditBuilder *out);
/** After adit_role_init(); `method` is the one agreed by LCP. */
gboolean adit_role_restore(AditRole *role, const AditAuthMethod *method, AditCursor *in);

G_END_DECLS
