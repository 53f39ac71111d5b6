/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/reply/reply.h - attributes of a server's answer, or of its CoA-Request, in adit's words. Pure. [any]
 *
 * One table (reply-table.c) says for each attribute which word it becomes, what its value must look like, and whether a
 * CoA-Request may have it. An attribute without a row, or with a value that can't be honoured, is named in a list: one log
 * line a session, and never dropped in silence.
 */
#pragma once

#include "../wire/radius-packet.h"
#include <adit/auth.h>

/** The context for reading an answer. */
typedef struct {
  const guint8 *authenticator; /**< the request's, 16 octets */
  const char *secret;
  gboolean framed_mtu; /**< Framed-MTU is honoured */
  gboolean mppe;       /**< a plugin acts on `mppe-policy`: without one a policy that demands encryption refuses the user */
} RadiusReplyContext;

/** An answer read. `reply` borrows from the rest, which radius_reply_clear() frees. */
typedef struct {
  AditAuthReply reply;    /**< for adit.aaa's answer(): ACCEPT, REJECT or (EAP only) CHALLENGE */
  AditValue *attributes;  /**< MAP in the words of the scopes secret, profile and session; also what `reply` points to */
  GPtrArray *unsupported; /**< of char*: "Mikrotik-Wireless-PSK (14988/16): no plugin acts on it"; never NULL */
  char *message, *why;
  GBytes *eap, *state;
} RadiusReply;

/** Reads a verified Access-Accept, -Reject or -Challenge; any other code is a REJECT. An Accept that an RFC says must be taken for
 *  a Reject becomes one, with the reason in `why`. `out` need not be initialised. */
void radius_reply_read(const RadiusPacket *packet, const AditAuthRequest *request, const RadiusReplyContext *context, RadiusReply *out);
void radius_reply_clear(RadiusReply *reply); /**< wipes keys; harmless on a zeroed one */

/** The changes in a CoA-Request. All or nothing: with one entry in `unsupported` or `invalid` nothing may be changed. */
typedef struct {
  AditValue *changes;     /**< MAP for session_update(); empty when nothing was to be changed */
  GPtrArray *unsupported; /**< of char*, as above: Error-Cause 401, Unsupported Attribute (RFC 5176 3.5) */
  GPtrArray *invalid;     /**< of char*, as above: Error-Cause 407, Invalid Attribute Value */
} RadiusChanges;

/** Reads a verified CoA-Request. Attributes that identify the session or the client (RFC 5176 3: User-Name, Acct-Session-Id, NAS-*,
 * Framed-IP-Address, Calling-Station-Id, ...), Event-Timestamp, State, Service-Type, Proxy-State and Message-Authenticator are left to the
 * caller. */
void radius_reply_changes(const RadiusPacket *packet, RadiusChanges *out);
void radius_changes_clear(RadiusChanges *changes);
