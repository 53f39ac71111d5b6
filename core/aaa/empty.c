/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* An empty password proves nothing, whatever the method and whichever source has it: it is known to all. */
#include "core/aaa/empty.h"
#include "core/aaa/aaa.h"
#include "core/base/hold.h"

/* RFC 2759 8.3 of an empty password: MD4 of nothing. */
static const guint8 empty_nt_hash[16] = {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0};

gboolean aaa_proves_empty(const AditAuthRequest *request) {
  const AditAuthMethod *method = adit_auth_method_of_kind(request->kind);
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = ""}, reply = {.size = sizeof reply};
  char text[128] = "";

  if (request->kind == ADIT_AUTH_PAP)
    return !request->password || !*request->password;
  if (!method || request->kind == ADIT_AUTH_EAP)
    return FALSE;
  ADIT_HOLD(NULL, method->verify, "verify() of a method", method->verify(request, &secret, &reply, text));
  return reply.outcome == ADIT_AUTH_ACCEPT;
}

gboolean aaa_secret_drop_empty(AditAuthReply *secret) {
  gboolean no_password = secret->password && !*secret->password;
  gboolean no_hash = secret->nt_hash && memcmp(secret->nt_hash, empty_nt_hash, sizeof empty_nt_hash) == 0;

  if (no_password)
    secret->password = NULL;
  if (no_hash)
    secret->nt_hash = NULL;
  return no_password || no_hash;
}
