/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** The LCP options of plugins (AditLcpDesc) on one link. A pure engine, as LCP itself. */
#pragma once

#include <adit/ppp.h>

G_BEGIN_DECLS

typedef struct AditLcpExtras AditLcpExtras;

/** Their state for a new link; NULL if there are none. `descs` must outlive it. */
AditLcpExtras *adit_lcp_extras_new(const AditLcpDesc *const *descs, guint n, const AditEngineEnv *env, const AditLcpFacts *facts);
void adit_lcp_extras_free(AditLcpExtras *extras); /**< NULL is fine, here and below */

/* LCP's AditPppOptionOps call these. */
void adit_lcp_extras_reset(AditLcpExtras *extras);
void adit_lcp_extras_request(AditLcpExtras *extras, AditBuilder *out);
void adit_lcp_extras_peer_begin(AditLcpExtras *extras);
/** REJECT for a type without an owner. */
AditOptionVerdict adit_lcp_extras_peer_option(AditLcpExtras *extras, const AditPppOption *option, AditBuilder *nak);
void adit_lcp_extras_peer_end(AditLcpExtras *extras, AditBuilder *nak);
void adit_lcp_extras_acked(AditLcpExtras *extras);
void adit_lcp_extras_naked(AditLcpExtras *extras, const AditPppOption *option);
gboolean adit_lcp_extras_rejected(AditLcpExtras *extras, const AditPppOption *option);

/** The peer's last requested option, if it was acknowledged. FALSE if it did not ask. */
gboolean adit_lcp_extras_heard(const AditLcpExtras *extras, guint8 type, AditPppOption *out);

void adit_lcp_extras_save(const AditLcpExtras *extras, AditBuilder *out);
gboolean adit_lcp_extras_restore(AditLcpExtras *extras, AditCursor *in); /**< FALSE if it was of other descriptions */

G_END_DECLS
