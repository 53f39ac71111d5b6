/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/ports.h - the interfaces of sessions, own or shared. [main] */
#pragma once

#include "core/session/network/names.h"
#include <adit/net.h>
#include <adit/path.h>

typedef struct AditSess AditSess;

typedef struct AditSharedPort AditSharedPort;

typedef struct {
  AditSess *session;
  AditPortKind kind;
  gboolean wanted; /**< the session is to have it */
  AditPort *open;
  gboolean pending; /**< it is being opened */
  gboolean closing; /**< it is being closed */
  char name[16];    /**< also after it is closed */
  AditSharedPort *shared;
  guint mtu;        /**< the MTU that a separate interface was last given */
  AditClaim *claim; /**< a separate interface */
  AditClaimant claimant;
  guint refused;     /**< how many names for the interface the kernel has refused */
  AditNameHold hold; /**< of the separate interface's name */
  guint8 mac[6];     /**< of an L2 port; zeros = any */
} AditSessPort;

void adit_sess_port_init(AditSessPort *port, AditSess *session, AditPortKind kind);
/** Opens the interfaces that the session is to have; the event PORT_OPENED follows when all are open, or its end. */
void adit_sess_ports_open(AditSess *session);
/** Tells separate interfaces the session's MTU, if they have another one; harmless while there are none. */
void adit_sess_ports_mtu(AditSess *session);
/** Closes or leaves them; the event PORT_CLOSED follows, maybe in this call. */
void adit_sess_ports_close(AditSess *session);
/** The carrier of an L2 port shows its bridge that the peer bridges. Harmless while it is not open. */
void adit_sess_port_carrier(const AditSessPort *port, gboolean on);
guint32 adit_ports_group(void); /**< the link group of this daemon's interfaces */
void adit_ports_init(const AditNetService *net);
void adit_ports_fini(void);
