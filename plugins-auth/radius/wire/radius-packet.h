/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/wire/radius-packet.h - RADIUS packets as octets (RFC 2865 3 and 5, RFC 2866, RFC 5176): pure functions over bounded buffers. [any]
 *
 * Nothing of a reply or request is believed before radius_check_*() has said RADIUS_GOOD.
 */
#pragma once

#include <adit/cursor.h>

#define RADIUS_HEADER 20
#define RADIUS_MAX    4096 /**< RFC 2865 3: octets of a packet */

typedef enum {
  RADIUS_ACCESS_REQUEST = 1,
  RADIUS_ACCESS_ACCEPT = 2,
  RADIUS_ACCESS_REJECT = 3,
  RADIUS_ACCOUNTING_REQUEST = 4,
  RADIUS_ACCOUNTING_RESPONSE = 5,
  RADIUS_ACCESS_CHALLENGE = 11,
  RADIUS_STATUS_SERVER = 12,
  RADIUS_DISCONNECT_REQUEST = 40,
  RADIUS_DISCONNECT_ACK = 41,
  RADIUS_DISCONNECT_NAK = 42,
  RADIUS_COA_REQUEST = 43,
  RADIUS_COA_ACK = 44,
  RADIUS_COA_NAK = 45,
} RadiusCode;

typedef struct {
  guint8 code, id;
  guint8 authenticator[16];
  const guint8 *attributes; /**< borrowed from the datagram */
  gsize length;             /**< of the attributes, octets; each one has been checked to fit */
} RadiusPacket;

/** One attribute; a vendor's sub-attribute (RFC 2865 5.26) is given as a separate attribute. */
typedef struct {
  guint32 vendor; /**< Private Enterprise Number; 0 = standard */
  guint8 type;    /**< of the attribute, or of the vendor's sub-attribute */
  const guint8 *value;
  guint8 length; /**< of the value, octets */
} RadiusAttribute;

/** The position of an iteration over a packet; zero-initialise. */
typedef struct {
  gsize at, vendor_end;
  guint32 vendor;
} RadiusIter;

/** Takes a datagram apart. FALSE when it is no RADIUS packet: too short, too long, a length that lies (RFC 2865 3: octets
 *  beyond Length are padding and ignored), an attribute shorter than two octets or over the end. A Vendor-Specific attribute that does not
 * follow RFC 2865 5.26's suggestion is given as type 26 of vendor 0. */
gboolean radius_packet_parse(const guint8 *data, gsize length, RadiusPacket *out);
gboolean radius_packet_next(const RadiusPacket *packet, RadiusIter *iter, RadiusAttribute *out);
/** The first such attribute. */
gboolean radius_packet_find(const RadiusPacket *packet, guint32 vendor, guint8 type, RadiusAttribute *out);

/** Value as a number: 4 octets, big-endian; FALSE for any other length. */
gboolean radius_attribute_int(const RadiusAttribute *attribute, guint32 *out);

/** A packet being written. */
typedef struct {
  guint8 data[RADIUS_MAX];
  gsize length;
  gsize message_authenticator; /**< offset of its value; 0 = none */
  gboolean overflow;           /**< something did not fit and was left out whole */
} RadiusBuilder;

/** Begins a packet. With `sign` its first attribute is a Message-Authenticator (draft-ietf-radext-deprecating-radius: first). */
void radius_build(RadiusBuilder *b, guint8 code, gboolean sign);
/** The request's authenticator, before a password is put; radius_finish_request() must get the same one. */
void radius_set_authenticator(RadiusBuilder *b, const guint8 random16[16]);
void radius_put(RadiusBuilder *b, guint32 vendor, guint8 type, const void *value,
                gsize length); /**< up to 253 octets; 247 for a vendor's */
void radius_put_int(RadiusBuilder *b, guint32 vendor, guint8 type, guint32 value);
void radius_put_string(RadiusBuilder *b, guint32 vendor, guint8 type, const char *text); /**< cut at what fits; NULL and "" are left out */
/** User-Password (RFC 2865 5.2): hidden with the request's authenticator, which must be set already. Up to 128 octets, else FALSE. */
gboolean radius_put_password(RadiusBuilder *b, const char *password, const char *secret);

/** Gives the packet its identifier, length, authenticator (Access-Request, Status-Server: `random16`; others: over zeros, RFC 2866 3) and
 * signature. */
void radius_finish_request(RadiusBuilder *b, guint8 id, const guint8 random16[16], const char *secret);
/** The answer to `request` (dynamic authorization): id, Response Authenticator and signature. */
void radius_finish_reply(RadiusBuilder *b, const RadiusPacket *request, const char *secret);

typedef enum {
  RADIUS_GOOD = 0,
  RADIUS_BAD_AUTHENTICATOR,
  RADIUS_BAD_SIGNATURE, /**< a Message-Authenticator that does not fit, or that occurs twice */
  RADIUS_NOT_SIGNED,    /**< demanded and not there */
} RadiusCheck;

/** Is `reply` the answer to a request with this authenticator? RFC 2865 3, RFC 3579 3.2. Constant time. */
RadiusCheck radius_check_reply(const guint8 *data, gsize length, const guint8 request_authenticator[16], const char *secret,
                               gboolean demand_signature);
/** Is this Accounting-, CoA- or Disconnect-Request from a client that knows the secret? RFC 2866 3, RFC 5176 2.3, 3.4. */
RadiusCheck radius_check_request(const guint8 *data, gsize length, const char *secret, gboolean demand_signature);

/** Salted values (Tunnel-Password, RFC 2868 3.5; MS-MPPE keys, RFC 2548 2.4.2): `value` is Salt and String (no tag).
 *  Writes at most 249 octets to `out`; FALSE when it is malformed. */
gboolean radius_unsalt(const guint8 *value, gsize length, const guint8 request_authenticator[16], const char *secret, guint8 out[249],
                       gsize *out_length);
/** User-Password back in clear, for tests and peers: RFC 2865 5.2. `out` ends with NUL; wipe it. */
gboolean radius_unhide(const guint8 *value, gsize length, const guint8 authenticator[16], const char *secret, char out[129]);
const char *radius_code_name(guint8 code);
