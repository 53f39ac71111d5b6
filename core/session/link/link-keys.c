/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* MPPE keys of a login, on their way to the NCPs: wiped as soon as they are no longer needed. */
#include "core/session/link/link.h"

void adit_link_wipe_keys(AditSessLink *link) {
  if (link->mppe)
    explicit_bzero(link->mppe, sizeof *link->mppe);
  g_clear_pointer(&link->mppe, g_free);
}

void adit_link_keep_keys(AditSessLink *link, const AditAuthReply *reply) {
  adit_link_wipe_keys(link);
  if (!ADIT_HAS(reply, has_mppe_keys) || !reply->has_mppe_keys)
    return;
  link->mppe = g_new0(AditMppeKeys, 1);
  link->mppe->size = sizeof *link->mppe;
  memcpy(link->mppe->send, reply->mppe_send_key, sizeof link->mppe->send);
  memcpy(link->mppe->receive, reply->mppe_receive_key, sizeof link->mppe->receive);
}
