/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/wire/request.h - what is asked, as attributes: user, NAS and port, for authentication and accounting, and the peer's proof. Pure.
 * [any]
 */
#pragma once

#include "radius-packet.h"
#include <adit/auth.h>

/** The NAS, towards one server. */
typedef struct {
  const char *identifier; /**< NAS-Identifier; NULL = none */
  AditAddress address;    /**< NAS-IP-Address or NAS-IPv6-Address, by its family; 0 = none */
  const char *realm;      /**< Mikrotik-Realm: the server's `realm`; NULL = the user's own */
} RadiusNas;

/** The user, and its port and peer. Pointers are borrowed, NULL what is not known. */
typedef struct {
  const char *user;            /**< User-Name */
  const char *record_id;       /**< Acct-Session-Id */
  guint32 port;                /**< NAS-Port; 0 = none */
  const char *caller_id;       /**< Calling-Station-Id */
  const char *called_id;       /**< Called-Station-Id */
  const char *transport;       /**< "l2tp": the attributes of RFC 2868 are sent */
  AditAddress peer, local;     /**< the tunnel's ends: the peer has begun it, we are its server; family 0 = not known */
  const AditValue *attributes; /**< MAP of the transport's own facts (AditLinkSpec.attributes); may be NULL */
  GBytes *chargeable;          /**< Chargeable-User-Identity, as the server gave it (RFC 4372); may be NULL */
} RadiusWho;

void radius_who_of_request(RadiusWho *out, const AditAuthRequest *request);
/** For a record with facts; where it has none (ON, OFF), nothing is known. The user's name is the one that the server gave for accounting
 *  (RFC 2865 5.1), if it did. */
void radius_who_of_record(RadiusWho *out, const AditAcctRecord *record);

/** NAS-Identifier and address: all that an Accounting-On has. */
void radius_put_nas(RadiusBuilder *b, const RadiusNas *nas);
/** User-Name, Service-Type, Framed-Protocol, radius_put_nas(), port, Acct-Session-Id, stations, domain, tunnel: field for field
 *  what RouterOS sends, and RFC 2868. Access- and Accounting-Requests have it in common. */
void radius_put_who(RadiusBuilder *b, const RadiusNas *nas, const RadiusWho *who);

/** Attributes that RFC 2868 6 and RFC 2867 4 allow in an Accounting-Request alone: Tunnel-Assignment-ID (our id of the tunnel) and
 *  Acct-Tunnel-Connection (L2TP's Call Serial Number). */
void radius_put_tunnel_accounting(RadiusBuilder *b, const RadiusWho *who);

/** All of an Access-Request but the Message-Authenticator, for a RadiusFill: `authenticator` is the packet's. NULL when it is whole,
 *  else why it can't be asked ("a password of over 128 octets", "an empty user name"), for the log. */
const char *radius_put_request(RadiusBuilder *b, const RadiusNas *nas, const AditAuthRequest *request, const guint8 authenticator[16],
                               const char *secret);
