/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** IPV6CP (RFC 5072): the option side; the core runs the automaton. A pure engine. */
#pragma once

#include <adit/ppp.h>

extern const AditNcpDesc ipv6cp_desc;
