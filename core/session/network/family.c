/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/family.h"

#include <string.h>

void adit_families_init(AditSessFamily family[ADIT_SESS_FAMILIES]) {
  family[ADIT_SESS_IPV4] = (AditSessFamily){.family = AF_INET, .protocol = ADIT_PPP_IPV4, .name = "IPv4"};
  family[ADIT_SESS_IPV6] = (AditSessFamily){.family = AF_INET6, .protocol = ADIT_PPP_IPV6, .name = "IPv6"};
}

AditSessFamily *adit_family_of(AditSessFamily family[ADIT_SESS_FAMILIES], guint16 data_protocol) {
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    if (family[i].protocol == data_protocol)
      return &family[i];
  return NULL;
}

gboolean adit_families_applied(const AditSessFamily family[ADIT_SESS_FAMILIES]) {
  gboolean any = FALSE;
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    any |= family[i].applied;
  return any;
}

gboolean adit_families_failed(const AditSessFamily family[ADIT_SESS_FAMILIES]) {
  gboolean any = FALSE;
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    any |= family[i].error != 0;
  return any;
}

int adit_family_take_error(AditSessFamily *family) {
  int error = family->error;
  family->error = 0;
  return error;
}

/* RFC 5072 5: the link-local addresses follow from the identifiers. */
static AditAddress link_local(const guint8 ifid[8]) {
  AditAddress a = {AF_INET6, {0xfe, 0x80}};
  memcpy(a.octet + 8, ifid, 8);
  return a;
}

void adit_family_ends(const AditSessFamily *family, const AditNcpResult *agreed, AditAddress *local, AditAddress *remote) {
  gboolean ipv6 = family->family == AF_INET6;
  *local = ipv6 ? link_local(agreed->local_ifid) : agreed->local4;
  *remote = ipv6 ? link_local(agreed->remote_ifid) : agreed->remote4;
}

void adit_family_identifier(const AditAddress *address, guint8 ifid[8]) {
  if (adit_address_is_set(address))
    memcpy(ifid, address->octet + 8, 8);
  else
    memset(ifid, 0, 8);
}
