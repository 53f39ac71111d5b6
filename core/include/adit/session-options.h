/* SPDX-License-Identifier: MIT */
/**
 * adit/session-options.h - accessors of what servers, clients, profiles and secrets of every transport have in common, and of attributes.
 *
 * The map is an item of a transport's `servers` or `clients` (AditLinkSpec.config), of `profiles` or `secrets`, or the attributes of a
 * session.
 *
 *     if (adit_option_enabled(server))
 *       listen_on(adit_option_name(server), adit_option_data_path(server));
 *     adit_value_set(attributes, adit_option_mtu_key, adit_value_int(1400));
 */
#pragma once

#include <adit/option.h>

G_BEGIN_DECLS

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include <adit/session-attributes.def>
#include <adit/session-options.def>
#undef ADIT_OPTION_ROW

/** The items of a transport: its map in the configuration has these two lists. */
static inline const AditValue *adit_transport_servers(const AditValue *map) {
  return adit_value_get(map, "servers");
}
static inline const AditValue *adit_transport_clients(const AditValue *map) {
  return adit_value_get(map, "clients");
}

/** The UDP port of a server, for transports that have one; 0 for others. */
static inline guint16 adit_transport_port(const AditValue *server) {
  return (guint16)adit_value_get_int(server, "port", 0);
}

/** Where a client of such a transport dials to: a string, or a LIST of them; NULL when the transport has no such option. */
static inline const AditValue *adit_transport_connect_to_value(const AditValue *client) {
  return adit_value_get(client, "connect-to");
}

/** The first, or only, of these. */
static inline const char *adit_transport_connect_to(const AditValue *client) {
  const AditValue *where = adit_transport_connect_to_value(client);
  if (where && where->type == ADIT_VALUE_LIST)
    where = adit_value_length(where) ? adit_value_at(where, 0) : NULL;
  return where && where->type == ADIT_VALUE_STRING ? where->as.string : NULL;
}

G_END_DECLS
