/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-due.h - when objects and interfaces are looked at again */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

/** adit_claims_run() is called in `delay_ms`, if not before. */
void adit_claims_wake(AditClaims *claims, guint64 delay_ms);
/** It failed: tries again after this pause or a longer one. */
void adit_object_retry(AditClaims *claims, AditObject *object, guint pause);
/** Another program changed `what`, an interface or an object. TRUE if it is to be restored, for the first time of late or again. */
gboolean adit_due_disturbed(AditClaims *claims, AditDue *due, gpointer what, gboolean iface);
void adit_due_cancel(AditClaims *claims, AditDue *due, gboolean iface);
/** The kernel does not report the deletion of this kind of object: it is looked at now and then, from now on or no more. */
void adit_looks_add(AditClaims *claims, AditObject *object);
void adit_looks_remove(AditClaims *claims, AditObject *object);

G_END_DECLS
