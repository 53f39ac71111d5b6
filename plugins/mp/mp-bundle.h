/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-bundle.h - a session with links that agreed on Multilink, and the parameters of its stage. [main] */
#pragma once

#include "data/mp-stage.h"
#include "mp-early.h"
#include "mp-options.h"
#include "mp-watch.h"
#include <adit/log-quota.h>
#include <adit/loop.h>
#include <adit/session.h>

G_BEGIN_DECLS

/** The options that LCP agreed on for a link; an MRRU of 0 = no Multilink. */
typedef struct {
  guint16 own_mrru, peer_mrru;
  gboolean send_short, receive_short;
  MpDiscriminator peer; /**< its discriminator */
} MpAgreed;

typedef struct {
  AditLinkId id;
  MpAgreed agreed;
  guint32 mtu;       /**< of frames that it carries to the peer */
  guint index;       /**< that the stage knows it by */
  gboolean attached; /**< it has an index */
  gboolean up;       /**< LCP is open */
  MpLinkWatch watch;
} MpMember;

typedef struct {
  const AditSessionService *sessions;
  AditSessionId session;
  char *key;       /**< what a link must have to join; NULL = none may */
  char *client;    /**< the client's name; NULL = on a server */
  GArray *members; /**< of MpMember, the oldest first */
  MpCounters *counters;
  gboolean placed; /**< the stage is in the data path */
  MpEarly *early;  /**< what came before that in fragments; NULL = nothing */
  const AditLoopService *loop;
  AditLogQuota *rest_lines; /**< the bundler's */
  AditTimer timer;          /**< of the next look at its links, while it has several */
  gboolean lost;            /**< the stage has given up fragments since the last one */
} MpBundle;

void mp_agreed_read(const AditSessionService *sessions, AditLinkId link, MpAgreed *out);
/** May links with these be in one bundle? NULL, or why not (RFC 1990 5.1.2). */
const char *mp_agreed_misfit(const MpAgreed *bundle, const MpAgreed *link);
/** Multilink in both directions: links may be put together. */
static inline gboolean mp_agreed_both(const MpAgreed *agreed) {
  return agreed->own_mrru && agreed->peer_mrru;
}

MpBundle *mp_bundle_new(const AditSessionService *sessions, AditSessionId session, const AditLinkInfo *founder);
void mp_bundle_free(MpBundle *bundle);
/** The key that links of that user, or client, with that discriminator share; the caller's. */
char *mp_bundle_key(const AditLinkInfo *link, const MpAgreed *agreed);
MpMember *mp_bundle_member(const MpBundle *bundle, AditLinkId link);
/** Its place among the members, the oldest first. */
guint mp_bundle_place(const MpBundle *bundle, const MpMember *member);
/** Adds a link, with what LCP agreed on. */
void mp_bundle_add(MpBundle *bundle, const AditLinkInfo *link);
void mp_bundle_remove(MpBundle *bundle, AditLinkId link);
/** Reads again what LCP agreed on for a link. */
void mp_bundle_refresh(MpBundle *bundle, MpMember *member);
/** Is LCP open on one of its links? If not, it is about to end. */
gboolean mp_bundle_is_alive(const MpBundle *bundle);
/** Looks at which links answer, and asks those that must say so. TRUE: the parameters of the stage have changed. Each link that began or
 * ceased to rest has a bit in `changed`, by its place among the members. `*wait_ms`: until the next look; 0 = none is due. */
gboolean mp_bundle_watch(MpBundle *bundle, guint64 now_ms, guint32 *changed, guint *wait_ms);
/** How many links the session may have, by its attributes and those of a link (either may be NULL). */
guint mp_bundle_limit(const AditValue *session, const AditValue *link);
/** Fills the stage's parameters; `params->counters` is the bundle's. */
void mp_bundle_fill(const MpBundle *bundle, MpParams *params);
/** The largest packet to the peer; 0 = what its links carry. */
guint mp_bundle_mtu(const MpBundle *bundle);
/** For AditStageSpec.describe: `show session`. The caller's. */
AditValue *mp_bundle_describe(gpointer bundle);

G_END_DECLS
