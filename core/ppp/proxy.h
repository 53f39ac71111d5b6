/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * Proxy authentication (RFC 2661 4.4.5): the peer has proved itself to a LAC, which told us how. The question goes to
 * AAA as if it had been asked here; the answer to the peer is ours to send, and to repeat.
 */
#pragma once

#include <adit/auth.h>
#include <adit/ppp.h>
#include <adit/session.h>

G_BEGIN_DECLS

typedef struct AditProxyAuth AditProxyAuth;

/** Longest answer to the peer. */
#define ADIT_PROXY_ANSWER_MAX 300

/** NULL when the LAC told nothing that can be used. */
AditProxyAuth *adit_proxy_auth_new(const AditProxy *proxy);
void adit_proxy_auth_free(AditProxyAuth *auth); /**< NULL is fine */

/** The question to AAA; NULL if it is of another kind than `method`. Once: what the peer proved is wiped afterwards. */
AditAuthRequest *adit_proxy_auth_request(AditProxyAuth *auth, const AditAuthMethod *method);
guint16 adit_proxy_auth_protocol(const AditProxyAuth *auth);

/** Remembers the verdict and writes what the peer is to be told (Success, Failure, Ack, Nak); returns its length. */
gsize adit_proxy_auth_settle(AditProxyAuth *auth, gboolean ok, const char *message, guint8 packet[ADIT_PROXY_ANSWER_MAX]);
/** The peer repeats what it told the LAC: the same answer again. 0 if that is not what `payload` is. */
gsize adit_proxy_auth_repeat(AditProxyAuth *auth, AditCursor payload, guint8 packet[ADIT_PROXY_ANSWER_MAX]);

void adit_proxy_auth_save(const AditProxyAuth *auth, AditBuilder *out);
gboolean adit_proxy_auth_restore(AditProxyAuth **auth, AditCursor *in);

G_END_DECLS
