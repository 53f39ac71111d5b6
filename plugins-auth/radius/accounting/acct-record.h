/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/accounting/acct-record.h - a record of the core as a row of the spool. */
#pragma once

#include "../servers/radius-server.h"
#include "acct-row.h"

/** A record as a row: all that is known of it now, as attributes. */
RadiusRow radius_acct_row(const AditAcctRecord *record, gboolean swap_octets);
/** An On or Off as the `n`th group of servers (from 0) gets it. */
RadiusRow radius_acct_row_for(const RadiusRow *row, const RadiusServer *group, guint n);
