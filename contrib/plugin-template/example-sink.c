/* SPDX-License-Identifier: MIT */
/*
 * An accounting sink: each record is a line of JSON in a file. It shows what a sink owes: done() once for each record, when the record
 * can't be lost any more; a bound on what piles up; and a mistake in the configuration with its place.
 */
#include <adit/adit.h>
#include <adit/json.h>
#include <adit/mistake.h>
#include <stdio.h>
#include <unistd.h>

enum { WAITING_MAX = 1000 }; /* records that are not on disk yet; further ones are refused, and the daemon's log says so */

typedef struct {
  AditPlugin *plugin;
  const AditLoopService *loop;
  char *path;
  guint waiting;
} Sink;

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "example-sink.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "example-sink.def"
#undef ADIT_OPTION_ROW

/* ---- writing, on a thread of the plugin ---- */

typedef struct {
  Sink *self;
  char *path, *line;
  gboolean written;
  AditAcctDone done;
  gpointer token;
} Writing;

static void write_line(gpointer data) {
  Writing *writing = data;
  FILE *file = fopen(writing->path, "a");

  if (!file)
    return;
  gboolean good = fprintf(file, "%s\n", writing->line) > 0 && fflush(file) == 0 && fdatasync(fileno(file)) == 0;
  writing->written = fclose(file) == 0 && good;
}

static void line_written(gpointer data) {
  Writing *writing = data;

  writing->self->waiting--;
  writing->done(writing->token, writing->written); /* FALSE also when the plugin is leaving and the work was skipped */
  g_free(writing->path);
  g_free(writing->line);
  g_free(writing);
}

/* ---- records ---- */

static char *line_of(const AditAcctRecord *record) {
  static const char *const kinds[] = {"?", "start", "interim", "stop", "on", "off"};
  g_autoptr(AditValue) map = adit_value_map();

  adit_value_set(map, "kind", adit_value_string(kinds[record->kind <= ADIT_ACCT_OFF ? record->kind : 0]));
  adit_value_set(map, "id", adit_value_string(record->record_id));
  if (record->user)
    adit_value_set(map, "user", adit_value_string(record->user));
  adit_value_set(map, "rx", adit_value_int((gint64)record->counters.rx_octets));
  adit_value_set(map, "tx", adit_value_int((gint64)record->counters.tx_octets));
  if (record->facts) /* a reference: the record itself is borrowed */
    adit_value_set(map, "facts", adit_value_ref(record->facts));
  return adit_value_to_json(map);
}

static void record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
  Sink *self = state;
  Writing *writing = g_new0(Writing, 1);

  *writing = (Writing){.self = self, .path = g_strdup(self->path), .line = line_of(record), .done = done, .token = token};
  self->waiting++;
  if (self->waiting > WAITING_MAX || !self->loop->run_blocking(self->plugin, write_line, line_written, writing))
    line_written(writing);
}

static const AditAcctSinkOps sink = {.size = sizeof sink, .name = "example-sink", .record = record};

/* ---- life ---- */

static gboolean prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error) {
  const AditValue *path = example_sink_option_file_value(example_sink_option(config));

  if (path && *path->as.string != '/') {
    adit_mistake(error, path, "file", "`%s` is not an absolute path: begin it with /", path->as.string);
    return FALSE;
  }
  if (!path) {
    adit_mistake(error, example_sink_option(config), NULL, "there is no map `example-sink`: write example-sink: {file: /PATH}");
    return FALSE;
  }
  *staged = g_strdup(path->as.string);
  return TRUE;
}

static void commit(gpointer state, gpointer staged) {
  Sink *self = state;
  g_free(self->path);
  self->path = staged;
}

static void undo(gpointer state, gpointer staged) {
  g_free(staged);
}

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  Sink *self = g_new0(Sink, 1);

  self->plugin = plugin;
  self->loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  *state = self;
  if (aaa && self->loop && aaa->sink_add(plugin, &sink, self, error))
    return TRUE;
  g_free(self);
  return FALSE;
}

static void fini(gpointer state) {
  Sink *self = state;
  g_free(self->path);
  g_free(self);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "acct-sink:example-sink"}};

ADIT_PLUGIN_DEFINE(sink, .name = "example-sink", .version = "1.0", .summary = "accounting to a file of JSON lines", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = options, .n_options = G_N_ELEMENTS(options), .init = init,
                   .prepare = prepare, .commit = commit, .abort = undo, .fini = fini);
