/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "secrets-table.h"

#include <adit/mistake.h>
#include <adit/session-options.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

struct SecretsTable {
  AditValue *list;     /**< keeps all records */
  GHashTable *records; /**< name -> AditValue, both borrowed from `list` */
};

static gboolean parse_hash(const char *text, guint8 hash[16]) {
  if (strlen(text) != 32)
    return FALSE;
  for (guint i = 0; i < 16; i++) {
    int high = g_ascii_xdigit_value(text[2 * i]), low = g_ascii_xdigit_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    hash[i] = (guint8)(high << 4 | low);
  }
  return TRUE;
}

enum { MISTAKES_MAX = 20 };

typedef struct {
  GError **error; /**< a line each, up to MISTAKES_MAX */
  guint count;
} Mistakes;

static void add_mistake(Mistakes *mistakes, const AditValue *value, guint index, const char *key, const char *what) {
  g_autofree char *option = g_strdup_printf("secrets[%u].%s", index, key);

  if (mistakes->count++ < MISTAKES_MAX)
    adit_mistake(mistakes->error, value, option, "%s", what);
}

/** RFC 2759 8.3 of an empty password. */
static gboolean is_empty_hash(const guint8 hash[16]) {
  static const guint8 empty[16] = {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0};
  return memcmp(hash, empty, sizeof empty) == 0;
}

/** An empty password proves nothing: it is known to all. */
static void check_proof(Mistakes *mistakes, const AditValue *record, guint index) {
  const AditValue *hash = secrets_option_nt_hash_value(record), *password = adit_option_password_value(record);
  guint8 octets[16];

  if (hash && !parse_hash(hash->as.string, octets))
    add_mistake(mistakes, hash, index, "nt-hash", "must be 32 hexadecimal digits");
  else if (hash && is_empty_hash(octets))
    add_mistake(mistakes, hash, index, "nt-hash", "the hash of an empty password is refused: set the hash of another password");
  if (password && !*password->as.string)
    add_mistake(mistakes, password, index, "password", "an empty password is refused: set one, or remove the user");
  else if (!password && !hash)
    add_mistake(mistakes, record, index, "password", "the user has none: set `password` (or `nt-hash`), or remove the user");
}

static void add_record(SecretsTable *table, const AditValue *record, guint index, Mistakes *mistakes) {
  const char *name = adit_option_name(record);

  if (!name) {
    add_mistake(mistakes, record, index, "name", "a user must have one");
    return;
  }
  check_proof(mistakes, record, index);
  if (!g_hash_table_insert(table->records, (gpointer)name, (gpointer)record))
    add_mistake(mistakes, record, index, "name", "the user exists already");
}

SecretsTable *secrets_table_new(const AditValue *config, GError **error) {
  SecretsTable *table = g_new0(SecretsTable, 1);
  Mistakes mistakes = {.error = error};

  table->list = adit_value_ref(adit_option_secrets(config));
  table->records = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < adit_value_length(table->list); i++)
    add_record(table, adit_value_at(table->list, i), i, &mistakes);
  if (!mistakes.count)
    return table;
  if (mistakes.count > MISTAKES_MAX)
    adit_mistake(error, NULL, "secrets", "%u more mistakes", mistakes.count - MISTAKES_MAX);
  secrets_table_free(table);
  return NULL;
}

void secrets_table_free(SecretsTable *table) {
  if (!table)
    return;
  g_hash_table_unref(table->records);
  adit_value_unref(table->list);
  g_free(table);
}

/** Equal octet by octet, or the same address written in another way. */
static gboolean same_caller(const char *wanted, const char *caller) {
  AditAddress a, b;
  return g_str_equal(wanted, caller) || (adit_address_parse(wanted, &a) && adit_address_parse(caller, &b) && adit_address_equal(&a, &b));
}

/** Why this user may not come in this way, written to `why`; FALSE if nothing speaks against it. */
static gboolean is_forbidden(const AditValue *record, const AditAuthRequest *request, char *why, gsize size) {
  const char *service = adit_option_service(record);
  const char *caller = adit_option_caller_id(record);
  const char *transport = request->transport ? request->transport : "";

  if (adit_option_disabled(record))
    g_strlcpy(why, "the user is disabled", size);
  else if (!g_str_equal(service, "any") && !g_str_equal(service, transport))
    g_snprintf(why, size, "the user may come by %s only, not by %s", service, transport);
  else if (caller && *caller && !same_caller(caller, request->caller_id ? request->caller_id : ""))
    g_snprintf(why, size, "the user may come from %s only, not from %s", caller,
               request->caller_id ? request->caller_id : "an unknown caller");
  else
    return FALSE;
  return TRUE;
}

/** The record as attributes: all but what proves the user. */
static AditValue *attributes_of(const AditValue *record) {
  AditValue *attributes = adit_value_map();
  const char *key;

  for (guint i = 0; (key = adit_value_key(record, i)); i++) {
    const AditValue *value = adit_value_get(record, key);
    if (!g_str_equal(key, adit_option_name_key) && !(value->flags & ADIT_VALUE_IS_SECRET))
      adit_value_set(attributes, key, adit_value_ref(value));
  }
  return attributes;
}

void secrets_table_answer(const SecretsTable *table, const AditAuthRequest *request, SecretsAnswer *answer) {
  const AditValue *record = table ? (const AditValue *)g_hash_table_lookup(table->records, request->user) : NULL;
  AditAuthReply *reply = &answer->reply;

  memset(answer, 0, sizeof *answer);
  reply->size = sizeof *reply;
  if (!record) {
    reply->outcome = ADIT_AUTH_NOT_MINE;
    return;
  }
  if (is_forbidden(record, request, answer->why, sizeof answer->why)) {
    reply->outcome = ADIT_AUTH_REJECT;
    reply->why = answer->why;
    return;
  }
  const char *hash = secrets_option_nt_hash(record);
  reply->outcome = ADIT_AUTH_SECRET;
  reply->attributes = attributes_of(record);
  if (hash && parse_hash(hash, answer->nt_hash))
    reply->nt_hash = answer->nt_hash;
  reply->password = adit_option_password(record);
}

void secrets_answer_clear(SecretsAnswer *answer) {
  adit_value_unref(answer->reply.attributes);
  explicit_bzero(answer, sizeof *answer);
}
