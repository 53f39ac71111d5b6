/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/aaa-request.h - requests on their way through the chain of sources. Main loop only. */
#pragma once

#include "core/aaa/aaa-registry.h"

G_BEGIN_DECLS

void aaa_request_init(void);
void aaa_request_drop(const AaaSource *source);
void aaa_request_fini(void);

G_END_DECLS
