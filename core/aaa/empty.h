/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/empty.h - an empty password proves nothing. Main loop only. */
#pragma once

#include <adit/auth.h>

G_BEGIN_DECLS

/** Did the peer prove that it knows an empty password? FALSE for EAP, which only a source can check. */
gboolean aaa_proves_empty(const AditAuthRequest *request);
/** Takes an empty password, and the NT hash of one, out of a source's secret; TRUE if there was one. */
gboolean aaa_secret_drop_empty(AditAuthReply *secret);

G_END_DECLS
