/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* MPPE keys of a login, on their way to the NCPs: wiped as soon as they are no longer needed. */
#include "core/base/secret.h"
#include "core/session/link/link.h"

void adit_link_wipe_keys(AditSessLink *link) {
  adit_secret_memory_free(g_steal_pointer(&link->mppe), sizeof *link->mppe);
}

static AditMppeKeys *renew_keys(AditSessLink *link) {
  adit_link_wipe_keys(link);
  link->mppe = adit_secret_memory(sizeof *link->mppe);
  link->mppe->size = sizeof *link->mppe;
  return link->mppe;
}

void adit_link_keep_keys(AditSessLink *link, const AditAuthReply *reply) {
  adit_link_wipe_keys(link);
  if (!ADIT_HAS(reply, has_mppe_keys) || !reply->has_mppe_keys)
    return;
  AditMppeKeys *keys = renew_keys(link);
  memcpy(keys->send, reply->mppe_send_key, sizeof keys->send);
  memcpy(keys->receive, reply->mppe_receive_key, sizeof keys->receive);
  if (!ADIT_HAS(reply, mppe_short_key))
    return;
  keys->shorter = reply->mppe_short;
  memcpy(keys->short_key, reply->mppe_short_key, sizeof keys->short_key);
}

/* RFC 3079 1: they come from the credentials of the calling end. */
void adit_link_keep_own_keys(AditSessLink *link) {
  if (!adit_ppp_link_keys(link->ppp, renew_keys(link)))
    adit_link_wipe_keys(link);
}
