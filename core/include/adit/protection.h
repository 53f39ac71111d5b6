/* SPDX-License-Identifier: MIT */
/**
 * adit/protection.h - IPsec and its like, by providers: part of service "adit.path".
 *
 * A provider (charon's, say) protects the way to a peer by an association. The core gives each a number out of a reserved range of the
 * packet mark. The provider makes the kernel set this mark on packets that came through the association, and send packets with this mark
 * through it. So AditPath.association says how a datagram came and how one goes. A mark outside of the range, or of an association that
 * is not up, means *in the clear*: an administrator's rule that marks packets never looks like IPsec.
 *
 *     static gboolean my_ensure(gpointer state, guint32 association, const AditPath *path, const AditProtectionPolicy *policy, GError
 * **error) { return charon_initiate(state, path, association, policy->name, error); // up or down comes later
 *     }
 *     ...
 *     path->protection_add(plugin, &my_ops, self, error);                                        // in init
 *     path->association_event(association, ADIT_ASSOCIATION_UP, NULL, NULL);                     // charon has it
 */
#pragma once

#include <adit/path.h>

G_BEGIN_DECLS

/** Marks of associations: these and the numbers above them, up to ADIT_ASSOCIATIONS_MAX. */
#define ADIT_ASSOCIATION_MARK 0xad170000u
#define ADIT_ASSOCIATIONS_MAX 0xffffu

typedef enum {
  ADIT_ASSOCIATION_WANTED = 0, /**< the provider is at it */
  ADIT_ASSOCIATION_UP,
  ADIT_ASSOCIATION_REKEYED,    /**< other keys, the same association: a state as UP is */
  ADIT_ASSOCIATION_MOVED,      /**< the peer has another address (MOBIKE): the path says which */
  ADIT_ASSOCIATION_DOWN,       /**< over; its mark means nothing from now on */
} AditAssociationState;

/** The protection that a transport requests. */
struct AditProtectionPolicy {
  gsize size;
  const char *name;        /**< of the server or client, for logs */
  const AditValue *config; /**< its item; the provider reads its own words. May be NULL */
};

/** The facts about an association; strings are borrowed until the next main-loop pass. */
struct AditAssociationFacts {
  gsize size;
  AditAssociationState state;
  AditPath path;
  const char *provider;
  const char *identity;    /**< the authenticated identity of the peer; NULL = unknown */
  const char *algorithms;  /**< for people: "AES_GCM_16-256"; NULL = unknown */
  guint32 overhead;        /**< octets that it adds to a packet at most: the MTU is so much smaller */
};

struct AditProtectionOps {
  gsize size;
  const char *name; /**< `charon`, also the feature `protection:charon` */
  /** [main] Protect this way, by that association; association_event() says UP or DOWN, in this call or later. FALSE: it can't. */
  gboolean (*ensure)(gpointer state, guint32 association, const AditPath *path, const AditProtectionPolicy *policy, GError **error);
  void (*release)(gpointer state, guint32 association); /**< [main] it is no longer needed; no event follows */
  /** [main] Fills in what it knows: identity, algorithms, overhead. */
  void (*lookup)(gpointer state, guint32 association, AditAssociationFacts *facts);
};

G_END_DECLS
