/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "secrets-table.h"

typedef struct {
  const AditAaaService *aaa;
  SecretsTable *table;
} Secrets;

static void answer_request(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  Secrets *secrets = (Secrets *)state;
  SecretsAnswer answer;

  secrets_table_answer(secrets->table, request, &answer);
  secrets->aaa->answer(handle, &answer.reply);
  secrets_answer_clear(&answer);
}

static const AditAuthSourceOps source = {.size = sizeof source, .name = "secrets", .ask = answer_request, .local = TRUE};

static gboolean init_plugin(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = (const AditAaaService *)host->service(plugin, ADIT_AAA_SERVICE, 1);

  if (!aaa) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no service %s", ADIT_AAA_SERVICE);
    return FALSE;
  }
  Secrets *secrets = g_new0(Secrets, 1);
  secrets->aaa = aaa;
  if (!aaa->source_add(plugin, &source, secrets, error)) {
    g_free(secrets);
    return FALSE;
  }
  *state = secrets;
  return TRUE;
}

static gboolean prepare_table(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                              GError **error) {
  *staged = secrets_table_new(config, error);
  return *staged != NULL;
}

static void commit_table(gpointer state, gpointer staged) {
  Secrets *secrets = (Secrets *)state;

  secrets_table_free(secrets->table);
  secrets->table = (SecretsTable *)staged;
}

static void abort_(gpointer state, gpointer staged) {
  secrets_table_free((SecretsTable *)staged);
}

static void free_plugin(gpointer state) {
  Secrets *secrets = (Secrets *)state;

  secrets_table_free(secrets->table);
  g_free(secrets);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:secrets"}};

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};

ADIT_PLUGIN_DEFINE(secrets, .name = "secrets", .version = ADIT_VERSION, .summary = "users in the configuration", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = options, .n_options = G_N_ELEMENTS(options), .init = init_plugin,
                   .prepare = prepare_table, .commit = commit_table, .abort = abort_, .fini = free_plugin);
