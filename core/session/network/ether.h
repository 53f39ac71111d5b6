/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/ether.h - what a session has of Ethernet: an L2 port, its NCP and the bridge that it is in. [main] */
#pragma once

#include "core/session/network/ports.h"
#include <adit/ppp.h>

typedef struct AditSess AditSess;

/** Zero-initialise. */
typedef struct {
  const AditNcpDesc *desc; /**< of the NCP that brings it; NULL = the session has none */
  AditSessPort port;
  gboolean open;         /**< the NCP is open */
  gboolean applied;      /**< the kernel has been told */
  char *failure;         /**< why the kernel refused it, until the session has acted on it; NULL = it did not */
  AditNcpResult *agreed; /**< by the NCP, when it opened last; NULL = it never did */
} AditSessEther;

/** Does its data path have L2 ports? */
gboolean adit_sess_ether_is_carried(const AditSess *session);
/** The NCP `desc` is wanted: the session gets an L2 port. */
void adit_sess_ether_want(AditSess *session, const AditNcpDesc *desc);
/** Its NCP has opened (again): the data path learns what was agreed on. TRUE: the kernel has not been told of it. */
gboolean adit_sess_ether_opened(AditSess *session, const AditNcpResult *agreed);
void adit_sess_ether_down(AditSess *session);
/** Gives the data path the agreed parameters, and raises the port's carrier, once the NCP is open and the data path exists. */
void adit_sess_ether_publish(AditSess *session);
/** Warns, when the session is up, if its links carry no full frame. Harmless without bridging. */
void adit_sess_ether_check_mtu(AditSess *session);
/** Sets `bridge-drops`: the frames that the codec has refused, by reason. Nothing without bridging. */
void adit_sess_ether_describe(const AditSess *session, AditValue *map);
void adit_sess_ether_free(AditSess *session);
