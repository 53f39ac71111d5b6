/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/pins.h - host routes to the ends of tunnels, without which a claim would cut a tunnel off. All [main]. */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

/** A tunnel ends at `address`; counted. */
void adit_claims_guard(AditClaims *claims, const AditAddress *address);
void adit_claims_unguard(AditClaims *claims, const AditAddress *address);
void adit_claims_resolved(AditClaims *claims, const AditAddress *to, int error, const AditNetRoute *route);
void adit_claims_refreshed(AditClaims *claims, const AditAddress *to, int error, const AditNetRoute *route);

/* ---- for the files of the engine ---- */

typedef struct AditPins AditPins;

AditPins *adit_pins_new(AditClaims *claims);
/** All claims are about to be freed, the pins' too. */
void adit_pins_let_go(AditPins *pins);
void adit_pins_free(AditPins *pins);
/** Lets objects in that cut no tunnel off. */
extern const AditClaimsGate adit_pins_gate;
/** The ways may have changed. */
void adit_pins_changed(AditPins *pins);
/** Looks again if it is time; milliseconds until the next time, 0 = none. */
guint64 adit_pins_run(AditPins *pins, guint64 now);
gboolean adit_pins_quiet(const AditPins *pins);

G_END_DECLS
