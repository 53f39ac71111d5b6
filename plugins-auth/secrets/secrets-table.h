/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** secrets-table.h - the users of the configuration's `secrets`, by name; built once, then only read. */
#pragma once

#include <adit/auth.h>

typedef struct SecretsTable SecretsTable;

/** Reads `secrets` of the whole tree, which it keeps a reference to. NULL and an error that says where. */
SecretsTable *secrets_table_new(const AditValue *config, GError **error);
void secrets_table_free(SecretsTable *table);

/** The answer to one request: `reply` points into the rest and into the table. */
typedef struct {
  AditAuthReply reply;
  guint8 nt_hash[16];
  char why[128];
} SecretsAnswer;

/** Looks the request's user up; costs the same whatever the number of users. Clear the answer afterwards. */
void secrets_table_answer(const SecretsTable *table, const AditAuthRequest *request, SecretsAnswer *answer);
void secrets_answer_clear(SecretsAnswer *answer);
