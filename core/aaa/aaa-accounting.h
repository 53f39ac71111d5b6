/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/aaa-accounting.h - records on their way to the sinks. Main loop only. */
#pragma once

#include "core/aaa/aaa.h"

G_BEGIN_DECLS

void aaa_acct_init(void);
void aaa_acct_drop(AditPlugin *plugin);
void aaa_acct_fini(void);

G_END_DECLS
