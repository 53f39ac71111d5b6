/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/control/sample.h - an interface that answers in each of the ways there are. */
#pragma once

#include "core/base/owner.h"
#include "core/control/control.h"

static AditPlugin sample_plugin = {"sample"};
static AditCall *sample_call; /* of Later, or a stream, that is not answered yet */
static guint sample_gone, sample_changed;

static void sample_echo(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *result = adit_value_map();
  adit_value_set(result, "echo", adit_value_ref(parameters));
  adit_control_service()->reply(call, result, FALSE);
}

static void sample_change(gpointer state, AditCall *call, const AditValue *parameters) {
  sample_changed++;
  adit_control_service()->reply(call, adit_value_map(), FALSE);
}

static void sample_later(gpointer state, AditCall *call, const AditValue *parameters) {
  sample_call = call;
}

static void sample_went(gpointer data) {
  sample_gone++;
  sample_call = NULL;
}

static void sample_stream(gpointer state, AditCall *call, const AditValue *parameters) {
  sample_call = call;
  adit_control_service()->on_gone(call, sample_went, NULL);
}

static void sample_fail(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_service()->error(call, "io.adit.sample.Sorry", "not today");
}

/* `count` numbers, each of 1,000 octets. */
static void sample_list(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *list = adit_value_list();
  for (gint64 i = 0; i < adit_value_get_int(parameters, "count", 0); i++) {
    g_autofree char *text = g_strdup_printf("%0999d", (int)i);
    adit_value_append(list, adit_value_string(text));
  }
  adit_control_reply_list(call, "list", list);
}

/* ---- a plugin that does what it must not ---- */

static void sample_twice(gpointer state, AditCall *call, const AditValue *parameters) {
  const AditControlService *control = adit_control_service();
  const char *how = adit_value_get_string(parameters, "how", "");

  if (!strcmp(how, "reply-reply")) {
    control->reply(call, adit_value_map(), FALSE);
    control->reply(call, adit_value_map(), FALSE);
  } else if (!strcmp(how, "reply-error")) {
    control->reply(call, adit_value_map(), FALSE);
    control->error(call, "io.adit.sample.Sorry", "too late");
  } else if (!strcmp(how, "error-error")) {
    control->error(call, "io.adit.sample.Sorry", "first");
    control->error(call, "io.adit.sample.Sorry", "second");
  } else if (!strcmp(how, "odd-name")) {
    control->error(call, "no name", "words");
  } else if (!strcmp(how, "null-name")) {
    control->error(call, NULL, "words");
  } else if (!strcmp(how, "null-text")) {
    control->error(call, "io.adit.sample.Sorry", NULL);
  } else if (!strcmp(how, "null-reply")) {
    control->reply(call, NULL, FALSE);
  } else if (!strcmp(how, "list-reply")) {
    control->reply(call, adit_value_list(), FALSE);
  } else if (!strcmp(how, "more-to-one")) {
    control->reply(call, adit_value_map(), TRUE);
    control->reply(call, adit_value_map(), FALSE);
  } else if (!strcmp(how, "reply-rows")) {
    control->reply(call, adit_value_map(), FALSE);
    adit_control_reply_values(control, call, "list", adit_value_list());
  } else if (!strcmp(how, "rows-reply")) {
    adit_control_reply_values(control, call, "list", adit_value_list());
    control->reply(call, adit_value_map(), FALSE);
  } else if (!strcmp(how, "rows-rows")) {
    adit_control_reply_values(control, call, "list", adit_value_list());
    adit_control_reply_values(control, call, "list", adit_value_list());
  } else if (!strcmp(how, "null-call")) {
    control->reply(NULL, adit_value_map(), FALSE);
    control->reply(call, adit_value_map(), FALSE);
  }
}

/* ---- a list that changes while it is sent ---- */

static GHashTable *sample_things; /* of numbers that are there */
static guint sample_rows_made, sample_rows_freed;

static AditValue *sample_thing(gpointer state, guint64 id) {
  if (!g_hash_table_contains(sample_things, GUINT_TO_POINTER((guint)id)))
    return NULL;
  AditValue *row = adit_value_map();
  g_autofree char *text = g_strdup_printf("%0100u", (guint)id);
  adit_value_set(row, "text", adit_value_string(text));
  sample_rows_made++;
  return row;
}

static void sample_thing_list(gpointer state, AditCall *call, const AditValue *parameters) {
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init(&iter, sample_things);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    guint64 id = GPOINTER_TO_UINT(key);
    g_array_append_val(ids, id);
  }
  adit_control_reply_ids(adit_control_service(), call, "things", ids, sample_thing, NULL);
}

static AditValue *sample_endless_row(gpointer state) {
  sample_rows_made++;
  return adit_value_map();
}

static void sample_endless_end(gpointer state) {
  sample_rows_freed++;
}

static void sample_endless(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_service()->reply_rows(call, "list", sample_endless_row, NULL, sample_endless_end);
}

static const char sample_description[] =
    "# comment\ninterface io.adit.sample\n"
    "method Echo(word: ?string) -> ()\nmethod Change() -> ()\nmethod Later() -> ()\nmethod Stream() -> ()\n"
    "method Fail() -> ()\nmethod List() -> ()\nmethod Twice() -> ()\nmethod Things() -> ()\n"
    "method Endless() -> ()\nmethod Public() -> ()\n"
    "type Pair (left: int, right: ?string)\n"
    "method Typed(number: int, yes: ?bool, ratio: ?float, word: ?(one, two), pairs: ?[]Pair, by_name: ?[string]int, what: ?object) "
    "-> ()\n";

static const AditMethod sample_methods[] = {
    {.size = sizeof(AditMethod), .name = "Echo", .call = sample_echo},
    {.size = sizeof(AditMethod), .name = "Change", .changes = TRUE, .call = sample_change},
    {.size = sizeof(AditMethod), .name = "Later", .call = sample_later},
    {.size = sizeof(AditMethod), .name = "Stream", .call = sample_stream},
    {.size = sizeof(AditMethod), .name = "Fail", .call = sample_fail},
    {.size = sizeof(AditMethod), .name = "List", .call = sample_list},
    {.size = sizeof(AditMethod), .name = "Twice", .call = sample_twice},
    {.size = sizeof(AditMethod), .name = "Things", .call = sample_thing_list},
    {.size = sizeof(AditMethod), .name = "Endless", .call = sample_endless},
    {.size = sizeof(AditMethod), .name = "Typed", .call = sample_echo},
    {.size = sizeof(AditMethod), .name = "Public", .call = sample_echo, .flags = ADIT_METHOD_PUBLIC},
};

static const AditCommand sample_commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "sample echo",
     .method = "io.adit.sample.Echo",
     .arguments = "[word]",
     .summary = "says it again"},
};

static inline void sample_add(void) {
  sample_call = NULL;
  sample_gone = sample_changed = sample_rows_made = sample_rows_freed = 0;
  if (!adit_control_service()->interface_add(&sample_plugin, sample_description, sample_methods, G_N_ELEMENTS(sample_methods),
                                             sample_commands, G_N_ELEMENTS(sample_commands), NULL, NULL))
    g_error("the sample interface is refused");
}
