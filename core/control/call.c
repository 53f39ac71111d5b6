/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/call.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/control/json.h"
#include "core/control/rows.h"
#include "core/control/turns.h"
#include <adit/log.h>

enum { TOMBS = 512 };

typedef struct {
  AditCall *handle;
  AditCaller caller;
  AditPlugin *plugin;
  const char *method; /* interned: in full */
  gboolean answered;  /* a reply of a stream was sent */
  void (*gone)(gpointer data);
  gpointer gone_data;
  AditTimer limit;
  guint limit_s;
  AditRows *rows;
  AditTurn turn;     /* of rows */
  gboolean stepping; /* rows are at work: whatever ends the call now, they are freed afterwards */
  gboolean over;
} Call;

typedef enum { ENDED_BY_PLUGIN, ENDED_WITHOUT_IT } Ending; /* the latter: caller gone, time limit, plugin dropped */

/* Facts about a call that has ended: enough to tell a plugin's mistake from bad luck, and to name it. */
typedef struct {
  AditCall *handle;
  const char *plugin, *method; /* interned */
  Ending ending;
} Tomb;

static struct {
  GHashTable *calls; /* handle -> Call* */
  gsize last;
  Tomb tomb[TOMBS];
  guint64 misused, late;
  AditRateLimit misuse_lines;
} self;

void adit_calls_init(void) {
  memset(&self, 0, sizeof self);
  self.calls = g_hash_table_new(NULL, NULL);
}

guint adit_calls_count(void) {
  return g_hash_table_size(self.calls);
}

guint64 adit_calls_misused(void) {
  return self.misused;
}

guint64 adit_calls_late(void) {
  return self.late;
}

/* ---- handles ---- */

static void log_misuse(const char *plugin, const char *method, const char *what) {
  guint kept = 0;

  self.misused++;
  if (adit_rate_allows(&self.misuse_lines, adit_loop_service()->now(), 10, 60000, &kept))
    adit_warning(NULL, "plugin %s: method %s: %s (%u such lines kept back)", plugin, method, what, kept);
}

/* The call that `handle` names while it runs. Otherwise NULL; a plugin that has ended it itself is named in the log with `what`. */
static Call *call_of(AditCall *handle, const char *what) {
  Call *call = (Call *)g_hash_table_lookup(self.calls, handle);

  if (call && !call->over)
    return call;
  if (!what)
    return NULL;
  const Tomb *tomb = &self.tomb[GPOINTER_TO_SIZE(handle) % TOMBS];
  if (!handle || tomb->handle != handle)
    log_misuse("?", "?", handle ? "a call is used that ended long ago" : "a NULL call is used");
  else if (tomb->ending == ENDED_BY_PLUGIN)
    log_misuse(tomb->plugin, tomb->method, what);
  return NULL;
}

static void call_release(Call *call) {
  adit_rows_free(call->rows);
  g_free(call);
}

/* Takes it off all tables, and tells the caller if it is there. */
static void call_end(Call *call, Ending ending) {
  AditCaller caller = call->caller;

  self.tomb[GPOINTER_TO_SIZE(call->handle) % TOMBS] =
      (Tomb){call->handle, g_intern_string(adit_plugin_name(call->plugin)), call->method, ending};
  g_hash_table_remove(self.calls, call->handle);
  adit_timer_cancel(&call->limit);
  adit_turn_cancel(&call->turn);
  call->over = TRUE;
  if (!call->stepping)
    call_release(call);
  if (caller.ops)
    caller.ops->ended(caller.peer);
}

/* ---- messages ---- */

GString *adit_call_error_text(const char *name, const AditValue *parameters) {
  g_autoptr(AditValue) error = adit_value_string(name), none = adit_value_map();
  GString *text = g_string_new("{\"error\":");

  adit_json_append(text, error);
  g_string_append(text, ",\"parameters\":");
  adit_json_append(text, parameters ? parameters : none);
  g_string_append_c(text, '}');
  return text;
}

static gboolean put_message(Call *call, const GString *text, gboolean more) {
  return call->caller.oneway || call->caller.ops->put(call->caller.peer, text, more);
}

static void end_with_error(Call *call, const char *name, const char *words, Ending ending) {
  g_autoptr(AditValue) parameters = adit_value_map();

  adit_value_set(parameters, "text", adit_value_string(words));
  GString *text = adit_call_error_text(name, parameters);
  put_message(call, text, FALSE);
  g_string_free(text, TRUE);
  call_end(call, ending);
}

/* The plugin did what makes no sense: the caller gets an error, the log the plugin's name. */
static void end_misused(Call *call, const char *what) {
  log_misuse(adit_plugin_name(call->plugin), call->method, what);
  end_with_error(call, "io.adit.Internal", "the plugin that answers has a fault: the daemon's log names it", ENDED_BY_PLUGIN);
}

/* `io.adit.NAME.Error`: words of letters, digits and hyphens, with dots between them. */
static gboolean is_error_name(const char *name) {
  return name && strlen(name) <= 128 && g_regex_match_simple("\\A[A-Za-z][-A-Za-z0-9]*(\\.[A-Za-z0-9][-A-Za-z0-9]*)+\\z", name, 0, 0);
}

/* ---- start ---- */

static void limit_reached(AditTimer *timer, gpointer data) {
  Call *call = (Call *)data;
  g_autofree char *text =
      g_strdup_printf("no answer within %u seconds: plugin %s does not answer", call->limit_s, adit_plugin_name(call->plugin));

  self.late++;
  adit_warning(NULL, "plugin %s: method %s: not answered within %u s: ended", adit_plugin_name(call->plugin), call->method, call->limit_s);
  end_with_error(call, "io.adit.Timeout", text, ENDED_WITHOUT_IT);
}

static gboolean rows_work(gpointer data, gint64 deadline_us);

AditCall *adit_call_new(const AditInterface *interface, const AditMethod *method, const AditCaller *caller) {
  g_autofree char *name = g_strconcat(interface->name, ".", method->name, NULL);
  Call *call = g_new0(Call, 1);

  call->handle = (AditCall *)GSIZE_TO_POINTER(++self.last);
  call->caller = *caller;
  call->plugin = interface->plugin;
  call->method = g_intern_string(name);
  call->limit_s = method->limit_s ? method->limit_s : ADIT_CALL_LIMIT_S;
  call->limit = (AditTimer){.func = limit_reached, .data = call};
  call->turn = (AditTurn){.work = rows_work, .data = call};
  g_hash_table_insert(self.calls, call->handle, call);
  return call->handle;
}

void adit_call_run(AditCall *handle, const AditMethod *method, gpointer state, const AditValue *parameters) {
  Call *call = call_of(handle, NULL);
  const AditPlugin *plugin = call->plugin;
  const char *name = call->method;

  ADIT_HOLD(plugin, method->call, name, method->call(state, handle, parameters));
  call = call_of(handle, NULL);
  if (call && !call->rows && !call->answered && !(call->gone && call->caller.more))
    adit_timer_arm(&call->limit, call->limit_s * (guint64)1000);
}

/* ---- answers ---- */

gboolean adit_call_reply(AditCall *handle, AditValue *result, gboolean more) {
  g_autoptr(AditValue) owned = result;
  ADIT_MAIN_ONLY("adit.control reply", FALSE);
  Call *call = call_of(handle, "reply() after the answer");

  if (!call)
    return FALSE;
  if (call->rows || !owned || owned->type != ADIT_VALUE_MAP || (more && !call->caller.more)) {
    end_misused(call, call->rows                                ? "reply() after reply_rows()"
                      : !owned || owned->type != ADIT_VALUE_MAP ? "reply() with something else than a MAP"
                                                                : "reply() with `more` to a caller that wants one answer");
    return FALSE;
  }
  g_autoptr(GString) text = g_string_new("{\"parameters\":");
  adit_json_append(text, owned);
  g_string_append(text, more ? ",\"continues\":true}" : "}");
  call->answered = TRUE;
  adit_timer_cancel(&call->limit);
  gboolean there = put_message(call, text, more);
  if (!more)
    call_end(call, ENDED_BY_PLUGIN);
  return there; /* a caller that put_message() has dropped is told with on_gone(), as one that went by itself */
}

void adit_call_error(AditCall *handle, const char *name, const char *text) {
  ADIT_MAIN_ONLY("adit.control error");
  Call *call = call_of(handle, "error() after the answer");

  if (!call)
    return;
  if (!is_error_name(name) || !text) {
    log_misuse(adit_plugin_name(call->plugin), call->method, text ? "error() with a name that is none" : "error() without a text");
    name = is_error_name(name) ? name : "io.adit.Failed";
    text = text ? text : "";
  }
  end_with_error(call, name, text, ENDED_BY_PLUGIN);
}

gboolean adit_call_wants_more(AditCall *handle) {
  ADIT_MAIN_ONLY("adit.control wants_more", FALSE);
  const Call *call = call_of(handle, NULL);
  return call && call->caller.more;
}

void adit_call_on_gone(AditCall *handle, void (*gone)(gpointer data), gpointer data) {
  ADIT_MAIN_ONLY("adit.control on_gone");
  Call *call = call_of(handle, NULL);

  if (!call) {
    gone(data);
    return;
  }
  call->gone = gone;
  call->gone_data = data;
  if (call->caller.more)
    adit_timer_cancel(&call->limit);
}

/* ---- rows ---- */

/* The step's reply goes out. TRUE: there are further rows, and the caller can take them. */
static gboolean rows_deliver(Call *call, AditRowsStep step, const GString *text) {
  switch (step) {
  case ADIT_ROWS_BUSY:
    return TRUE;
  case ADIT_ROWS_FULL:
    return put_message(call, text, TRUE) && !call->over && call->caller.ops->has_room(call->caller.peer);
  case ADIT_ROWS_END:
    put_message(call, text, FALSE);
    call_end(call, ENDED_BY_PLUGIN);
    return FALSE;
  case ADIT_ROWS_TOO_LONG:
    end_with_error(call, "io.adit.TooLong", "the list is too long for one reply: call the method with `more`", ENDED_BY_PLUGIN);
    return FALSE;
  }
  return FALSE;
}

static gboolean rows_work(gpointer data, gint64 deadline_us) {
  Call *call = (Call *)data;
  const GString *text = NULL;

  call->stepping = TRUE;
  AditRowsStep step;
  ADIT_HOLD(call->plugin, NULL, call->method, step = adit_rows_step(call->rows, deadline_us, &text));
  gboolean again = !call->over && rows_deliver(call, step, text);
  call->stepping = FALSE;
  if (call->over)
    call_release(call);
  else
    return again;
  return FALSE;
}

void adit_call_reply_rows(AditCall *handle, const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state) {
  ADIT_MAIN_ONLY("adit.control reply_rows");
  Call *call = call_of(handle, "reply_rows() after the answer");

  if (call && (call->rows || call->answered || !key || !next)) {
    end_misused(call, key && next ? "reply_rows() after a reply" : "reply_rows() without a key or a function");
    call = NULL;
  }
  if (!call) {
    if (free_state)
      free_state(state);
    return;
  }
  adit_timer_cancel(&call->limit);
  call->rows = adit_rows_new(key, next, state, free_state, call->caller.more ? 0 : call->caller.whole_max);
  if (call->caller.oneway)
    call_end(call, ENDED_BY_PLUGIN);
  else
    adit_turn_request(&call->turn);
}

gboolean adit_call_is_read(AditCall *handle) {
  Call *call = call_of(handle, NULL);
  return !call || !call->caller.ops || call->caller.ops->has_room(call->caller.peer);
}

void adit_call_has_room(AditCall *handle) {
  Call *call = call_of(handle, NULL);
  if (call && call->rows)
    adit_turn_request(&call->turn);
}

/* ---- ends that the plugin did not choose ---- */

void adit_call_caller_gone(AditCall *handle) {
  Call *call = call_of(handle, NULL);

  if (!call)
    return;
  void (*gone)(gpointer data) = call->gone;
  gpointer data = call->gone_data;
  call->caller.ops = NULL;
  call_end(call, ENDED_WITHOUT_IT);
  if (gone)
    gone(data);
}

void adit_calls_drop_plugin(AditPlugin *plugin) {
  g_autoptr(GList) handles = g_hash_table_get_keys(self.calls);

  for (GList *l = handles; l; l = l->next) {
    Call *call = call_of((AditCall *)l->data, NULL);
    if (call && call->plugin == plugin)
      end_with_error(call, "io.adit.PluginGone", "the plugin that would have answered was stopped", ENDED_WITHOUT_IT);
  }
}

void adit_calls_fini(void) {
  if (!self.calls)
    return;
  g_autoptr(GList) handles = g_hash_table_get_keys(self.calls);
  for (GList *l = handles; l; l = l->next)
    adit_call_caller_gone((AditCall *)l->data);
  g_clear_pointer(&self.calls, g_hash_table_unref);
}
