/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** BCP (RFC 3518): the option side; the core runs the automaton. A pure engine. The result holds a BcpForm. */
#pragma once

#include "bridge-frame.h"

/** Configuration options. 5 was LAN-Identification (RFC 1638), which RFC 2878 took out: it is rejected. */
typedef enum {
  BCP_BRIDGE_IDENTIFICATION = 1,
  BCP_LINE_IDENTIFICATION = 2,
  BCP_MAC_SUPPORT = 3,
  BCP_TINYGRAM = 4,
  BCP_MAC_ADDRESS = 6,
  BCP_SPANNING_TREE = 7,
  BCP_TAGGED_FRAME = 8,
  BCP_MANAGEMENT_INLINE = 9,
  BCP_CONTROL_INDICATOR = 10,
} BcpOptionType;

extern const AditNcpDesc bcp_desc;
