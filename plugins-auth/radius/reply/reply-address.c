/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Addresses, prefixes and routes. */
#include "reply-address.h"
#include "reply-value.h"
#include "../options.h"

static const char no_ipv4[] = "is no IPv4 address";

/* RFC 2865 5.8: one address lets the peer choose, one lets us; RouterOS takes 127/8 and 224/3 for the latter, too. */
RADIUS_READER(radius_read_framed_address) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_ipv4;
  if (!number)
    return "is no address for a peer";
  r->framed = number == G_MAXUINT32 ? FRAMED_BY_PEER : number >> 24 == 127 || number >= 0xe0000000 ? FRAMED_BY_US : FRAMED_ADDRESS;
  r->address = adit_address_ipv4(number);
  return NULL;
}

static guint count_ones(guint32 mask) {
  guint n = 0;
  for (; mask & 0x80000000; mask <<= 1)
    n++;
  return n;
}

RADIUS_READER(radius_read_framed_netmask) {
  guint32 mask;
  if (!radius_attribute_int(a, &mask))
    return no_ipv4;
  if (!mask || ~mask & (~mask + 1)) /* a route to everything would take the machine's own */
    return "is no netmask of a network";
  r->netmask = adit_address_ipv4(mask);
  return NULL;
}

RADIUS_READER(radius_read_framed_pool) {
  g_autofree char *text = radius_text(a->value, a->length);
  AditAddress address;

  if (!text || adit_address_parse(text, &address))
    return "is no name of a pool";
  g_free(r->pool);
  r->pool = g_steal_pointer(&text);
  return NULL;
}

RADIUS_READER(radius_read_framed_mtu) {
  guint32 number;
  if (!r->context->framed_mtu)
    return NULL; /* accept-framed-mtu says that it is not wanted */
  if (!radius_attribute_int(a, &number) || number < row->least || number > row->most)
    return "is no MTU";
  radius_take(r, row, adit_value_int(number));
  return NULL;
}

RADIUS_READER(radius_read_ipv4) {
  guint32 number;
  if (!radius_attribute_int(a, &number) || !number)
    return no_ipv4;
  AditAddress address = adit_address_ipv4(number);
  radius_take(r, row, adit_value_address(&address));
  return NULL;
}

static gboolean read_ipv6(const RadiusAttribute *a, AditAddress *out) {
  AditCursor in = adit_cursor(a->value, a->length);

  *out = (AditAddress){.family = AF_INET6};
  adit_get_copy(&in, out->octet, sizeof out->octet);
  return !in.bad && !adit_left(&in) && !adit_address_is_any(out);
}

RADIUS_READER(radius_read_ipv6) {
  AditAddress address;
  if (!read_ipv6(a, &address))
    return "is no IPv6 address";
  radius_take(r, row, adit_value_address(&address));
  return NULL;
}

/* RFC 6911 3.1: an address of the peer's, beside what a /64 gives it. */
RADIUS_READER(radius_read_ipv6_host) {
  AditPrefix prefix = {.length = 128};
  if (!read_ipv6(a, &prefix.address))
    return "is no IPv6 address";
  radius_take(r, row, adit_value_prefix(&prefix));
  return NULL;
}

static gboolean has_host_bits(const AditPrefix *prefix) {
  guint bits = (guint)adit_address_size(&prefix->address) * 8;
  for (guint bit = prefix->length; bit < bits; bit++)
    if (prefix->address.octet[bit / 8] & (0x80 >> bit % 8))
      return TRUE;
  return FALSE;
}

/* RFC 3162 2.3, RFC 4818 3: a reserved octet, the prefix's length, and as many octets of it as were sent: up to 16, not fewer
 * than its length takes, and nothing behind its length. */
RADIUS_READER(radius_read_prefix) {
  AditPrefix prefix = {.address.family = AF_INET6};
  AditCursor in = adit_cursor(a->value, a->length);

  adit_skip(&in, 1);
  prefix.length = adit_get_u8(&in);
  gsize given = adit_left(&in);
  if (in.bad || given > 16)
    return "has a wrong length";
  if (prefix.length > 128 || given * 8 < prefix.length)
    return "has a prefix length that does not fit";
  adit_get_copy(&in, prefix.address.octet, given);
  if (!prefix.length || has_host_bits(&prefix))
    return "is no prefix of a network";
  radius_take(r, row, adit_value_prefix(&prefix));
  return NULL;
}

RADIUS_READER(radius_read_interface_id) {
  static const guint8 none[8] = {0};
  if (a->length == sizeof none && !memcmp(a->value, none, sizeof none))
    return "is zero"; /* RFC 5072 4.1 */
  return radius_read_octets(r, row, a);
}

static void mask_off(AditPrefix *prefix) {
  guint bits = (guint)adit_address_size(&prefix->address) * 8;
  for (guint bit = prefix->length; bit < bits; bit++)
    prefix->address.octet[bit / 8] &= (guint8) ~(0x80 >> bit % 8);
}

/* RFC 2865 5.22: without a length, that of the address's class. */
static gboolean read_destination(const char *text, int family, AditPrefix *out) {
  if (!adit_prefix_parse(text, out) || out->address.family != family)
    return FALSE;
  guint8 first = out->address.octet[0];
  if (family == AF_INET && !strchr(text, '/'))
    out->length = adit_address_is_any(&out->address) ? 0 : first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : 32;
  mask_off(out);
  return TRUE;
}

/* RFC 2865 5.22, RFC 3162 2.5: destination, gateway (the unspecified address: the user), metrics, of which ours has one. In adit's
 * words: `destination [gateway [metric]]`. A text that is none goes on in parentheses, which no
 * route has: the session works without it, shows it, and ends only with `routes-required`, as with a route of the configuration. */
RADIUS_READER(radius_read_route) {
  int family = (int)row->least;
  g_autofree char *text = radius_text(a->value, a->length);
  char net[ADIT_PREFIX_TEXT], via[ADIT_ADDRESS_TEXT] = "";
  AditAddress gateway = {0};
  AditPrefix to;
  guint64 metric = 0;

  g_auto(GStrv) words = g_strsplit(text ? g_strstrip(text) : "", " ", -1);
  const char *part[3] = {NULL};
  for (guint i = 0, n = 0; words[i] && n < G_N_ELEMENTS(part); i++)
    if (*words[i])
      part[n++] = words[i];
  const char *wrong = !part[0] || !read_destination(part[0], family, &to)                                  ? "is no route"
                      : part[1] && (!adit_address_parse(part[1], &gateway) || gateway.family != family)    ? "has a gateway that is none"
                      : part[2] && !g_ascii_string_to_unsigned(part[2], 10, 0, G_MAXUINT32, &metric, NULL) ? "has a metric that is none"
                                                                                                           : NULL;
  if (wrong) {
    g_autofree char *shown = g_strdup_printf("(%s)", text ? text : "");
    radius_take(r, row, adit_value_string(shown));
    return wrong;
  }
  if (part[1] && (metric || !adit_address_is_any(&gateway)))
    adit_address_format(&gateway, via);
  adit_prefix_format(&to, net);
  g_autofree char *route = metric ? g_strdup_printf("%s %s %" G_GUINT64_FORMAT, net, via, metric)
                           : *via ? g_strdup_printf("%s %s", net, via)
                                  : g_strdup(net);
  radius_take(r, row, adit_value_string(route));
  return NULL;
}

/* RouterOS: the network that address and mask name is behind the peer. */
static void finish_netmask(RadiusReading *r) {
  guint32 mask = adit_address_to_ipv4(&r->netmask);
  AditPrefix net = {.address = r->address, .length = (guint8)count_ones(mask)};
  char text[ADIT_PREFIX_TEXT];

  if (!r->netmask.family || net.length == 32)
    return;
  if (r->framed != FRAMED_ADDRESS) {
    RadiusAttribute a = {.type = 9};
    radius_complain(r->invalid, &a, "has no address");
    return;
  }
  mask_off(&net);
  radius_take_as(r, adit_option_routes_key, TRUE, adit_value_string(adit_prefix_format(&net, text)));
}

void radius_finish_address(RadiusReading *r) {
  if (r->framed == FRAMED_ADDRESS)
    radius_take_as(r, adit_option_remote_address_key, FALSE, adit_value_address(&r->address));
  else if (r->pool)
    radius_take_as(r, adit_option_remote_address_key, FALSE, adit_value_string(r->pool));
  if (r->framed == FRAMED_BY_PEER)
    radius_take_as(r, adit_option_peer_chooses_address_key, FALSE, adit_value_bool(TRUE));
  finish_netmask(r);
}
