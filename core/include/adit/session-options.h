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

G_END_DECLS
