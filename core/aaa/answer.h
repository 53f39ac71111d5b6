/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/answer.h - an answer of a source that may come from any thread. [any] */
#pragma once

#include <adit/auth.h>

G_BEGIN_DECLS

/** An answer that owns what it points to; wiped when freed. [any] */
typedef struct {
  AditAuthReply reply;
  char *password, *message, *why;
  guint8 nt_hash[16];
} AaaAnswer;

AaaAnswer *aaa_answer_copy(const AditAuthReply *reply);
AaaAnswer *aaa_answer_error(const char *why);
void aaa_answer_free(AaaAnswer *answer);

G_END_DECLS
