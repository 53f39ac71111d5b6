/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/family.h - what a session has of one address family. Pure. [any] */
#pragma once

#include <adit/ppp.h>

typedef enum {
  ADIT_SESS_IPV4,
  ADIT_SESS_IPV6,
  ADIT_SESS_FAMILIES, /**< how many there are */
} AditSessFamilyIndex;

/** Zero-initialise, then adit_families_init(). */
typedef struct {
  int family;                /**< AF_INET, AF_INET6 */
  guint16 protocol;          /**< of its data: 0x0021, 0x0057 */
  const char *name;          /**< for messages: IPv4 */
  gboolean open;             /**< its NCP is open */
  gboolean applied;          /**< the kernel has been told: the addresses stay as they are for the session's life */
  gboolean no_peer;          /**< a client's server has an inner address to which no route may lead */
  int error;                 /**< errno by which the kernel refused it, not handled yet; 0 = none */
  AditAddress local, remote; /**< both ends, as the NCP agreed; of IPv6 the link-local ones. Unset before */
} AditSessFamily;

void adit_families_init(AditSessFamily family[ADIT_SESS_FAMILIES]);
/** The family of this data protocol; NULL = of none. */
AditSessFamily *adit_family_of(AditSessFamily family[ADIT_SESS_FAMILIES], guint16 data_protocol);
/** Has the kernel been told of any? */
gboolean adit_families_applied(const AditSessFamily family[ADIT_SESS_FAMILIES]);
/** Has the kernel refused any, and is that not handled yet? */
gboolean adit_families_failed(const AditSessFamily family[ADIT_SESS_FAMILIES]);
/** Its error, which is acted on now. */
int adit_family_take_error(AditSessFamily *family);
/** The two ends in what an NCP of the family agreed on. */
void adit_family_ends(const AditSessFamily *family, const AditNcpResult *agreed, AditAddress *local, AditAddress *remote);
/** The identifier in a link-local address; zeros for an unset one. */
void adit_family_identifier(const AditAddress *address, guint8 ifid[8]);
