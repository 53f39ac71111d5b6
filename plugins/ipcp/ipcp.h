/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** IPCP (RFC 1332) with name servers (RFC 1877): the option side; the core runs the automaton. A pure engine. */
#pragma once

#include <adit/ppp.h>

extern const AditNcpDesc ipcp_desc;
