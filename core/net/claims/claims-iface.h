/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-iface.h - interfaces that have objects on them */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

AditIface *adit_iface_find(const AditClaims *claims, guint32 ifindex);
/** The object is on the interface; 0 = on none. */
void adit_iface_join(AditClaims *claims, AditObject *object, guint32 ifindex);
void adit_iface_leave(AditClaims *claims, AditObject *object);
/** It was deleted, or moved away. */
gboolean adit_iface_is_gone(const AditClaims *claims, guint32 ifindex);

G_END_DECLS
