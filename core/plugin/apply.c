/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* One configuration for all, or for none: all prepare, then all commit; if one refuses or is late, all abort. The first
 * configuration goes to one after the other, since each may need what those before it have started. */
#include "core/plugin/apply.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/plugin/loaded.h"

guint adit_plugins_prepare_limit_ms = 10000;

static struct {
  const AditModule *modules;
  guint n_modules;
  AditValue *config; /* committed */
  /* one apply: */
  guint round; /* counts them: an answer to an earlier one is told by it */
  gboolean running;
  gboolean frozen; /* for good: the daemon stops */
  gboolean only_try;
  guint from, to;     /* which plugins, in order of start */
  gboolean preparing; /* still in the loop that calls prepare(): no verdict yet */
  AditValue *coming;
  gpointer *staged; /* by module */
  guint staged_modules;
  guint waiting; /* plugins that have not answered */
  GString *refusals;
  AditTimer late;
  AditApplied done;
  gpointer data;
} self;

const AditValue *adit_plugins_config(void) {
  return self.config;
}

/* How long the place at the beginning of a message is, `file:line:column: `; 0 = there is none. */
static gsize place_length(const char *message) {
  g_autoptr(GRegex) regex = g_regex_new("\\A[^\\s:]+:[0-9]+:[0-9]+: ", G_REGEX_RAW, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  gint end = 0;

  if (g_regex_match(regex, message, 0, &match))
    g_match_info_fetch_pos(match, 0, NULL, &end);
  return (gsize)end;
}

/* A place precedes the name, so that an editor can jump there; a message may have several lines. */
static void note_refusal(const char *who, const GError *error) {
  g_auto(GStrv) lines = g_strsplit(error ? error->message : "refused without a reason: set the error", "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    gsize place = place_length(lines[i]);
    g_string_append_printf(self.refusals, "%s%.*s%s: %s", self.refusals->len ? "\n" : "", (int)place, lines[i], who, lines[i] + place);
  }
}

static void commit_all(void) {
  for (guint i = 0; i < self.staged_modules; i++)
    if (self.modules[i].commit)
      self.modules[i].commit(self.staged[i]);

  GPtrArray *plugins = adit_plugins_all();
  for (guint i = 0; i < plugins->len; i++) {
    Loaded *plugin = (Loaded *)plugins->pdata[i];
    if (plugin->prepared && plugin->info->commit)
      ADIT_HOLD(&plugin->owner, plugin->info->commit, "commit()", plugin->info->commit(plugin->state, g_steal_pointer(&plugin->staged)));
    plugin->prepared = FALSE;
    plugin->staged = NULL;
  }
}

static void abort_plugin(Loaded *plugin) {
  if (plugin->prepared && plugin->info->abort)
    ADIT_HOLD(&plugin->owner, plugin->info->abort, "abort()", plugin->info->abort(plugin->state, plugin->staged));
  plugin->prepared = FALSE;
  plugin->staged = NULL;
}

/* In the opposite order of prepare: the last may use the first. */
static void abort_all(void) {
  GPtrArray *plugins = adit_plugins_all();
  for (guint i = plugins->len; i-- > 0;)
    abort_plugin((Loaded *)plugins->pdata[i]);
  for (guint i = self.staged_modules; i-- > 0;)
    if (self.modules[i].abort)
      self.modules[i].abort(self.staged[i]);
}

static void decide_outcome(void) {
  g_autoptr(GString) refusals = g_steal_pointer(&self.refusals);
  g_autoptr(AditValue) coming = g_steal_pointer(&self.coming);
  g_autoptr(GError) error = NULL;

  adit_loop_service()->timer_cancel(&self.late);
  if (refusals->len) {
    abort_all();
    g_set_error_literal(&error, ADIT_ERROR, ADIT_ERR_INVALID, refusals->str);
  } else if (self.only_try) {
    abort_all();
  } else {
    commit_all();
    adit_value_unref(self.config);
    self.config = g_steal_pointer(&coming);
  }
  g_clear_pointer(&self.staged, g_free);
  self.running = FALSE;
  self.done(error, self.data); /* may begin the next one */
}

static void decide_if_all_answered(void) {
  if (self.running && !self.preparing && !self.waiting)
    decide_outcome();
}

static void plugin_prepared(AditPlugin *owner, gpointer staged, GError *error) {
  ADIT_MAIN_ONLY("AditPrepared");
  Loaded *plugin = loaded_of(owner);

  if (!plugin->pending) {
    adit_misuse(owner, "it answered a prepare() twice, or one that was not pending");
    g_clear_error(&error);
    return;
  }
  plugin->pending = FALSE;
  if (!error) {
    plugin->staged = staged;
    plugin->prepared = TRUE;
  }
  if (!self.running || plugin->round != self.round) { /* given up long ago */
    abort_plugin(plugin);
  } else {
    g_autofree char *who = g_strconcat("plugin ", owner->name, NULL);
    if (error)
      note_refusal(who, error);
    self.waiting--;
    decide_if_all_answered();
  }
  g_clear_error(&error);
}

static void too_late(AditTimer *timer, gpointer data) {
  GPtrArray *plugins = adit_plugins_all();
  g_autoptr(GError) error = g_error_new(ADIT_ERROR, ADIT_ERR_TIMEOUT, "no reply within %u ms", adit_plugins_prepare_limit_ms);

  for (guint i = 0; i < plugins->len; i++) {
    Loaded *plugin = (Loaded *)plugins->pdata[i];
    g_autofree char *who = g_strconcat("plugin ", plugin->owner.name, NULL);
    if (plugin->pending && plugin->round == self.round)
      note_refusal(who, error);
  }
  self.waiting = 0;
  decide_outcome();
}

static void prepare_modules(guint n) {
  self.staged = g_new0(gpointer, self.n_modules + 1);
  self.staged_modules = 0;
  for (guint i = 0; i < n; i++) {
    g_autoptr(GError) error = NULL;
    if (self.modules[i].prepare && !self.modules[i].prepare(self.coming, &self.staged[i], &error)) {
      note_refusal(self.modules[i].name, error);
      return; /* modules use one another: further errors may be consequences */
    }
    self.staged_modules++;
  }
}

static void prepare_plugin(Loaded *plugin) {
  g_autofree char *who = g_strconcat("plugin ", plugin->owner.name, NULL);
  g_autoptr(GError) error = NULL;
  gpointer staged = NULL;
  gboolean pending = FALSE;

  if (!plugin->info->prepare)
    return;
  if (plugin->pending) {
    error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, "still busy with an earlier configuration");
    note_refusal(who, error);
    return;
  }
  plugin->pending = TRUE; /* it may answer inside the call */
  plugin->round = self.round;
  self.waiting++;
  gboolean ok;
  ADIT_HOLD(&plugin->owner, plugin->info->prepare, "prepare()",
            ok = plugin->info->prepare(plugin->state, self.coming, &staged, &pending, plugin_prepared, &error));
  if (!plugin->pending || (ok && pending)) /* has answered already, or will */
    return;
  plugin->pending = FALSE;
  self.waiting--;
  plugin->prepared = ok;
  plugin->staged = ok ? staged : NULL;
  if (!ok)
    note_refusal(who, error);
}

static void prepare_participants(const AditValue *config, gboolean with_modules, guint from, guint to, gboolean only_try, AditApplied done,
                                 gpointer data) {
  if (self.running || self.frozen) {
    g_autoptr(GError) busy =
        g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, self.frozen ? "the daemon is stopping" : "another reload is running: try again");
    done(busy, data);
    return;
  }
  self.running = self.preparing = TRUE;
  self.only_try = only_try;
  self.from = from;
  self.to = to;
  self.round++;
  self.coming = adit_value_ref(config);
  self.refusals = g_string_new(NULL);
  self.waiting = 0;
  self.done = done;
  self.data = data;
  prepare_modules(with_modules ? self.n_modules : 0);

  /* Plugins are all asked, even after one has refused, so that an administrator sees everything at once. */
  GPtrArray *plugins = adit_plugins_all();
  if (!self.refusals->len)
    for (guint i = from; i < MIN(to, plugins->len); i++)
      prepare_plugin((Loaded *)plugins->pdata[i]);
  self.preparing = FALSE;
  if (self.waiting) {
    self.late = (AditTimer){.func = too_late};
    adit_loop_service()->timer_arm(&self.late, adit_plugins_prepare_limit_ms);
  }
  decide_if_all_answered();
}

void adit_plugins_apply(const AditValue *config, AditApplied done, gpointer data) {
  prepare_participants(config, TRUE, 0, G_MAXUINT, FALSE, done, data);
}

/* ---- the first configuration ---- */

static struct {
  AditValue *config;
  gboolean only_try;
  guint next;
  GString *refusals; /* while trying: of all */
  AditApplied done;
  gpointer data;
} first;

static void end_first(const GError *error) {
  g_autoptr(GString) refusals = g_steal_pointer(&first.refusals);
  g_autoptr(GError) all = refusals->len ? g_error_new_literal(ADIT_ERROR, ADIT_ERR_INVALID, refusals->str) : NULL;
  g_clear_pointer(&first.config, adit_value_unref);
  first.done(error ? error : all, first.data);
}

static void prepare_next(void);

/* A plugin has taken it: start it. A trial starts no plugin: a socket that it would open may belong to a running daemon. */
static void on_plugin_prepared(const GError *error, gpointer data) {
  g_autoptr(GError) why = NULL;
  Loaded *plugin = (Loaded *)adit_plugins_all()->pdata[first.next];

  if (error && !first.only_try) {
    end_first(error);
    return;
  }
  if (error)
    g_string_append_printf(first.refusals, "%s%s", first.refusals->len ? "\n" : "", error->message);
  else if (!first.only_try)
    adit_plugin_start(plugin, &why);
  first.next++;
  if (why)
    end_first(why);
  else
    prepare_next();
}

static void prepare_next(void) {
  GPtrArray *plugins = adit_plugins_all();

  if (first.next == plugins->len) {
    end_first(NULL);
    return;
  }
  prepare_participants(first.config, FALSE, first.next, first.next + 1, first.only_try, on_plugin_prepared, NULL);
}

static void on_modules_prepared(const GError *error, gpointer data) {
  if (error)
    end_first(error);
  else
    prepare_next();
}

static void begin_round(const AditValue *config, gboolean only_try, AditApplied done, gpointer data) {
  first.config = adit_value_ref(config);
  first.only_try = only_try;
  first.next = 0;
  first.refusals = g_string_new(NULL);
  first.done = done;
  first.data = data;
  prepare_participants(config, TRUE, 0, 0, FALSE, on_modules_prepared, NULL);
}

void adit_plugins_start(const AditValue *config, AditApplied done, gpointer data) {
  begin_round(config, FALSE, done, data);
}

void adit_plugins_try(const AditValue *config, AditApplied done, gpointer data) {
  begin_round(config, TRUE, done, data);
}

/* ---- the end ---- */

void adit_plugins_freeze(void) {
  self.frozen = TRUE;
  first.only_try = FALSE; /* go no further */
  if (self.running) {
    g_autoptr(GError) stopping = g_error_new_literal(ADIT_ERROR, ADIT_ERR_BUSY, "the daemon is stopping");
    note_refusal("adit", stopping);
    decide_outcome();
  }
}

void adit_plugins_apply_init(const AditModule *modules, guint n_modules) {
  memset(&self, 0, sizeof self);
  self.modules = modules;
  self.n_modules = n_modules;
}

void adit_plugins_apply_fini(void) {
  adit_plugins_freeze();
  g_clear_pointer(&self.config, adit_value_unref);
}
