/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/answer.h"
#include "core/base/secret.h"

AaaAnswer *aaa_answer_copy(const AditAuthReply *reply) {
  AaaAnswer *answer = adit_secret_memory(sizeof *answer); /* it may hold keys and a hash */
  AditAuthReply *copy = &answer->reply;

  memcpy(copy, reply, MIN(reply->size, sizeof *copy)); /* a source built against older headers knows fewer members */
  copy->size = sizeof *copy;
  copy->password = answer->password = copy->password ? adit_secret_copy(copy->password) : NULL;
  copy->message = answer->message = g_strdup(copy->message);
  copy->why = answer->why = g_strdup(copy->why);
  if (copy->nt_hash)
    copy->nt_hash = (const guint8 *)memcpy(answer->nt_hash, copy->nt_hash, sizeof answer->nt_hash);
  copy->attributes = adit_value_ref(copy->attributes);
  if (copy->eap)
    g_bytes_ref(copy->eap);
  if (copy->state)
    g_bytes_ref(copy->state);
  return answer;
}

AaaAnswer *aaa_answer_error(const char *why) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = why};
  return aaa_answer_copy(&reply);
}

void aaa_answer_free(AaaAnswer *answer) {
  if (!answer)
    return;
  adit_secret_free(answer->password);
  g_free(answer->message);
  g_free(answer->why);
  adit_value_unref(answer->reply.attributes);
  g_clear_pointer(&answer->reply.eap, g_bytes_unref);
  g_clear_pointer(&answer->reply.state, g_bytes_unref);
  adit_secret_memory_free(answer, sizeof *answer);
}
