/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reply-table.h - what each attribute of a reply becomes, and which reader takes it. */
#pragma once

#include "reading.h"

/** The row of an attribute, or NULL. */
const RadiusWordRow *radius_reply_row(guint32 vendor, guint8 type);
