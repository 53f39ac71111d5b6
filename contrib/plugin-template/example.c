/* SPDX-License-Identifier: MIT */
/*
 * An authentication source: people from a text file of `user:password[:profile]` lines.
 *
 * It shows what most plugins need: an option, a two-phase configuration that reads a file without holding up the daemon,
 * and answers that come from another thread. See adit-plugin(7); the headers in adit/ are the reference.
 */
#include <adit/adit.h>
#include <errno.h>
#include <stdio.h>

/* ---- people: read once, then shared and never changed, so that threads may look at them while a reload brings others ---- */

typedef struct {
  gint refs;
  GHashTable *by_name; /* user -> "password:profile" */
} People;

static People *people_ref(People *people) {
  g_atomic_int_inc(&people->refs);
  return people;
}

static void people_unref(People *people) {
  if (!people || !g_atomic_int_dec_and_test(&people->refs))
    return;
  g_hash_table_unref(people->by_name);
  g_free(people);
}

static void forget(gpointer secret) {
  explicit_bzero(secret, strlen(secret));
  g_free(secret);
}

static People *people_read(const char *path, GError **error) {
  g_autofree char *text = NULL;

  if (!g_file_get_contents(path, &text, NULL, error))
    return NULL;
  People *people = g_new0(People, 1);
  people->refs = 1;
  people->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, forget);

  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    char *colon = strchr(lines[i], ':');
    if (colon && lines[i][0] != '#')
      g_hash_table_insert(people->by_name, g_strndup(lines[i], (gsize)(colon - lines[i])), g_strdup(colon + 1));
  }
  return people;
}

/* ---- the plugin ---- */

typedef struct {
  AditPlugin *plugin;
  const AditLoopService *loop;
  const AditAaaService *aaa;
  People *people;
} Example;

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

/* ---- answering: on one of the plugin's threads, as if looking somebody up took long ---- */

typedef struct {
  Example *self;
  People *people;
  AditAuthRequest *request;
  AditAuthHandle *handle;
} Question;

static void look_up(gpointer data) {
  Question *question = data;
  const char *line = g_hash_table_lookup(question->people->by_name, question->request->user);
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_NOT_MINE, .why = "not in the file"};
  g_auto(GStrv) parts = NULL;
  g_autoptr(AditValue) attributes = NULL;

  if (line) {
    parts = g_strsplit(line, ":", 2);
    reply.outcome = ADIT_AUTH_SECRET; /* the method verifies: so PAP, CHAP and MS-CHAP all work */
    reply.password = parts[0];
    reply.why = NULL;
    if (parts[1] && *parts[1]) {
      attributes = adit_value_map();
      adit_value_set(attributes, "profile", adit_value_string(parts[1]));
      reply.attributes = attributes;
    }
  }
  question->self->aaa->answer(question->handle, &reply); /* copies everything: from any thread, exactly once */
  if (parts)
    explicit_bzero(parts[0], strlen(parts[0]));
}

static void looked_up(gpointer data) {
  Question *question = data;
  question->self->aaa->handle_unref(question->handle);
  adit_auth_request_unref(question->request);
  people_unref(question->people);
  g_free(question);
}

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  Example *self = state;
  Question *question = g_new0(Question, 1);

  *question = (Question){self, people_ref(self->people), adit_auth_request_ref(request), self->aaa->handle_ref(handle)};
  if (!self->loop->run_blocking(self->plugin, look_up, looked_up, question)) {
    const AditAuthReply busy = {.size = sizeof busy, .outcome = ADIT_AUTH_ERROR, .why = "too many questions at once"};
    self->aaa->answer(handle, &busy);
    looked_up(question);
  }
}

static const AditAuthSourceOps source = {.size = sizeof source, .name = "example", .ask = ask, .local = TRUE};

/* ---- configuration: the file is read on a thread, and the daemon goes on meanwhile ---- */

typedef struct {
  Example *self;
  char *path;
  People *people;
  GError *error;
  AditPrepared done;
} Reading;

static void read_file(gpointer data) {
  Reading *reading = data;
  reading->people = people_read(reading->path, &reading->error);
}

static void have_read(gpointer data) {
  Reading *reading = data;
  if (!reading->people && !reading->error) /* the plugin is going: the work was skipped */
    reading->error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, "stopping");
  reading->done(reading->self->plugin, reading->people, reading->error);
  g_free(reading->path);
  g_free(reading);
}

static gboolean prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error) {
  Example *self = state;
  const char *path = example_option_file(example_option_example(config));

  if (!path) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "example.file is missing: which people?");
    return FALSE;
  }
  Reading *reading = g_new0(Reading, 1);
  *reading = (Reading){.self = self, .path = g_strdup(path), .done = done};
  *pending = self->loop->run_blocking(self->plugin, read_file, have_read, reading);
  if (!*pending) {
    g_free(reading->path);
    g_free(reading);
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_BUSY, "too busy to read the file");
  }
  return *pending;
}

static void commit(gpointer state, gpointer staged) {
  Example *self = state;
  people_unref(self->people);
  self->people = staged;
}

static void undo(gpointer state, gpointer staged) {
  people_unref(staged);
}

/* ---- life ---- */

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  Example *self = g_new0(Example, 1);

  self->plugin = plugin;
  self->loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  self->aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  if (!self->loop || !self->aaa || !self->aaa->source_add(plugin, &source, self, error)) {
    g_free(self);
    if (error && !*error)
      g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "this daemon has no authentication");
    return FALSE;
  }
  *state = self;
  return TRUE;
}

static void fini(gpointer state) {
  Example *self = state;
  people_unref(self->people);
  g_free(self);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:example"}};

ADIT_PLUGIN_DEFINE(example, .name = "example", .version = "1.0", .summary = "people from a text file", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = options, .n_options = G_N_ELEMENTS(options), .init = init,
                   .prepare = prepare, .commit = commit, .abort = undo, .fini = fini);
