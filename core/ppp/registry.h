/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** The NCPs that plugins have brought: service "adit.ppp". [main] */
#pragma once

#include <adit/ppp.h>

G_BEGIN_DECLS

void adit_ppp_init(void);
void adit_ppp_fini(void);
const AditPppService *adit_ppp_service(void);
/** Removes what `plugin` registered. */
void adit_ppp_drop_plugin(AditPlugin *plugin);

/** All NCPs in order of protocol number; borrowed until the next registration. `*n` may be 0, the array then NULL. */
const AditNcpDesc *const *adit_ncp_descs(guint *n);
/** The options that plugins have added to LCP; borrowed, until one more is added or a plugin goes. */
const AditLcpDesc *const *adit_lcp_descs(guint *n);
/** By protocol number, its own or its data's; NULL if none. */
const AditNcpDesc *adit_ncp_find(guint16 protocol);

G_END_DECLS
