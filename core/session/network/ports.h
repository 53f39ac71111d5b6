/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/ports.h - the interfaces of sessions, own or shared. [main] */
#pragma once

#include "core/session/network/names.h"
#include <adit/net.h>
#include <adit/path.h>

typedef struct AditSess AditSess;

typedef struct AditSharedPort AditSharedPort;

typedef struct {
  AditPort *open;
  gboolean pending; /**< it is being opened */
  char name[16];    /**< also after it is closed */
  AditSharedPort *shared;
  guint mtu;        /**< the MTU that a separate interface was last given */
  AditClaim *claim; /**< a separate interface */
  AditClaimant claimant;
  guint refused;     /**< how many names for the interface the kernel has refused */
  AditNameHold hold; /**< of the separate interface's name */
} AditSessPort;

/** Opens the session's interface; the event PORT_OPENED follows, or its end. */
void adit_sess_port_open(AditSess *session);
/** Sets the session's MTU at a separate interface, if it has another one; harmless while there is none. */
void adit_sess_port_mtu(AditSess *session);
/** Closes or leaves it; the event PORT_CLOSED follows, maybe in this call. */
void adit_sess_port_close(AditSess *session);
void adit_ports_init(const AditNetService *net);
void adit_ports_fini(void);
