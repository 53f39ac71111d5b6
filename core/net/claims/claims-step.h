/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-step.h - makes the kernel's objects as their lines say */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

/** Makes the kernel's object as its line says, if nothing is in the way; may free it. */
void adit_object_step(AditClaims *claims, AditObject *object);
/** It has no claim, and the kernel does not have it. */
void adit_object_free(AditClaims *claims, AditObject *object);
/** All objects on the interface are looked at, in the next passes. */
void adit_iface_sweep(AditClaims *claims, AditIface *iface);
/** We have removed an IPv4 address from it: with the last one the kernel has dropped the family's routes. */
void adit_iface_lost_ipv4(AditClaims *claims, guint32 ifindex);
void adit_iface_is_up(AditClaims *claims, AditIface *iface, gboolean up);

G_END_DECLS
