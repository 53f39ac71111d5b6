/* SPDX-License-Identifier: MIT */
/**
 * adit/address.h - IP addresses, prefixes and socket addresses as plain values. [any]
 *
 * Whether a text from a configuration names an address of a prefix:
 *
 *     static gboolean is_inside(const char *prefix_text, const char *address_text) {
 *       AditAddress address;
 *       AditPrefix prefix;
 *       return adit_prefix_parse(prefix_text, &prefix) && adit_address_parse(address_text, &address) && adit_prefix_contains(&prefix, &address);
 *     }
 */
#pragma once

#include <adit/types.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/** An IPv4 or IPv6 address in network byte order; family 0 is "none". Unused octets are zero, so memcmp compares. */
typedef struct {
  guint8 family;    /**< 0, AF_INET or AF_INET6 */
  guint8 octet[16]; /**< IPv4 uses the first four */
} AditAddress;

typedef struct {
  AditAddress address; /**< host bits may be set: `192.0.2.1/24` is an interface's address, too */
  guint8 length;
} AditPrefix;

/** A UDP endpoint. `scope_id` of link-local IPv6 addresses is kept. */
typedef union {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
} AditEndpoint;

#define ADIT_ADDRESS_TEXT  46 /**< size of a buffer for an address as text */
#define ADIT_PREFIX_TEXT   50 /**< size of a buffer for a prefix as text */
#define ADIT_ENDPOINT_TEXT 72 /**< size of a buffer for `[address%scope]:port` */

static inline gsize adit_address_size(const AditAddress *a) {
  return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

static inline gboolean adit_address_is_set(const AditAddress *a) {
  return a->family != 0;
}

/** True if none, 0.0.0.0 or ::. */
static inline gboolean adit_address_is_any(const AditAddress *a) {
  static const guint8 zero[16] = {0};
  return memcmp(a->octet, zero, 16) == 0;
}

static inline gboolean adit_address_equal(const AditAddress *a, const AditAddress *b) {
  return a->family == b->family && memcmp(a->octet, b->octet, 16) == 0;
}

/** For GHashTable, with AditAddress as keys. */
static inline guint adit_address_hash(gconstpointer address) {
  const AditAddress *a = (const AditAddress *)address;
  guint hash = a->family;
  for (guint i = 0; i < 16; i++)
    hash = hash * 31 + a->octet[i];
  return hash;
}

static inline gboolean adit_address_same(gconstpointer a, gconstpointer b) {
  return adit_address_equal((const AditAddress *)a, (const AditAddress *)b);
}

static inline AditAddress adit_address_ipv4(guint32 host_order) {
  AditAddress a = {AF_INET, {(guint8)(host_order >> 24), (guint8)(host_order >> 16), (guint8)(host_order >> 8), (guint8)host_order}};
  return a;
}

/** The IPv4 address as a number in host byte order; 0 for anything else. */
static inline guint32 adit_address_to_ipv4(const AditAddress *a) {
  return a->family != AF_INET ? 0 : (guint32)a->octet[0] << 24 | (guint32)a->octet[1] << 16 | (guint32)a->octet[2] << 8 | a->octet[3];
}

static inline gboolean adit_address_parse(const char *text, AditAddress *out) {
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, out->octet) == 1) {
    out->family = AF_INET;
    return TRUE;
  }
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET6, text, out->octet) == 1) {
    out->family = AF_INET6;
    return TRUE;
  }
  memset(out, 0, sizeof *out);
  return FALSE;
}

/** Writes the address to `text` (ADIT_ADDRESS_TEXT octets) and returns it; "-" if there is none. A session's set-up formats several. */
static inline const char *adit_address_format(const AditAddress *a, char *text) {
  if (a->family == AF_INET) {
    char *at = text;
    for (int i = 0; i < 4; i++) {
      guint8 octet = a->octet[i];
      if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
      if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
      *at++ = (char)('0' + octet % 10);
      *at++ = i < 3 ? '.' : '\0';
    }
    return text;
  }
  if (!a->family || !inet_ntop(a->family, a->octet, text, ADIT_ADDRESS_TEXT))
    strcpy(text, "-");
  return text;
}

/** `address/length`, or a bare address, which means all its bits. */
static inline gboolean adit_prefix_parse(const char *text, AditPrefix *out) {
  char buffer[ADIT_PREFIX_TEXT];
  const char *slash = strchr(text, '/');
  gsize length = slash ? (gsize)(slash - text) : strlen(text);

  memset(out, 0, sizeof *out);
  if (length >= sizeof buffer)
    return FALSE;
  memcpy(buffer, text, length);
  buffer[length] = 0;
  if (!adit_address_parse(buffer, &out->address))
    return FALSE;

  unsigned bits = (unsigned)adit_address_size(&out->address) * 8;
  if (slash) {
    char *end = NULL;
    if (slash[1] < '0' || slash[1] > '9')
      return FALSE;
    unsigned long n = strtoul(slash + 1, &end, 10);
    if (*end || n > bits)
      return FALSE;
    bits = (unsigned)n;
  }
  out->length = (guint8)bits;
  return TRUE;
}

static inline const char *adit_prefix_format(const AditPrefix *p, char *text) {
  char address[ADIT_ADDRESS_TEXT];
  snprintf(text, ADIT_PREFIX_TEXT, "%s/%u", adit_address_format(&p->address, address), p->length);
  return text;
}

static inline gboolean adit_prefix_contains(const AditPrefix *p, const AditAddress *a) {
  unsigned whole = p->length / 8, rest = p->length % 8;
  if (p->address.family != a->family || memcmp(p->address.octet, a->octet, whole) != 0)
    return FALSE;
  return !rest || ((p->address.octet[whole] ^ a->octet[whole]) & (guint8)(0xff << (8 - rest))) == 0;
}

static inline AditEndpoint adit_endpoint(const AditAddress *a, guint16 port) {
  AditEndpoint e;
  memset(&e, 0, sizeof e);
  e.any.sa_family = a->family;
  if (a->family == AF_INET6) {
    memcpy(&e.in6.sin6_addr, a->octet, 16);
    e.in6.sin6_port = htons(port);
  } else {
    memcpy(&e.in.sin_addr, a->octet, 4);
    e.in.sin_port = htons(port);
  }
  return e;
}

static inline socklen_t adit_endpoint_size(const AditEndpoint *e) {
  return e->any.sa_family == AF_INET6 ? sizeof e->in6 : sizeof e->in;
}

static inline guint16 adit_endpoint_port(const AditEndpoint *e) {
  return ntohs(e->any.sa_family == AF_INET6 ? e->in6.sin6_port : e->in.sin_port);
}

/** The endpoint's address; an IPv4-mapped IPv6 address comes back as IPv4. */
static inline AditAddress adit_endpoint_address(const AditEndpoint *e) {
  AditAddress a;
  memset(&a, 0, sizeof a);
  if (e->any.sa_family == AF_INET) {
    a.family = AF_INET;
    memcpy(a.octet, &e->in.sin_addr, 4);
  } else if (e->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&e->in6.sin6_addr)) {
    a.family = AF_INET;
    memcpy(a.octet, (const guint8 *)&e->in6.sin6_addr + 12, 4);
  } else if (e->any.sa_family == AF_INET6) {
    a.family = AF_INET6;
    memcpy(a.octet, &e->in6.sin6_addr, 16);
  }
  return a;
}

static inline gboolean adit_endpoint_equal(const AditEndpoint *a, const AditEndpoint *b) {
  AditAddress x = adit_endpoint_address(a), y = adit_endpoint_address(b);
  return adit_endpoint_port(a) == adit_endpoint_port(b) && adit_address_equal(&x, &y);
}

static inline const char *adit_endpoint_format(const AditEndpoint *e, char *text) {
  char address[ADIT_ADDRESS_TEXT];
  AditAddress a = adit_endpoint_address(e);
  snprintf(text, ADIT_ENDPOINT_TEXT, a.family == AF_INET6 ? "[%s]:%u" : "%s:%u", adit_address_format(&a, address), adit_endpoint_port(e));
  return text;
}

G_END_DECLS
