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

static const char sample_description[] = "# comment\ninterface io.adit.sample\n"
                                         "method Echo() -> ()\nmethod Change() -> ()\nmethod Later() -> ()\nmethod Stream() -> ()\n"
                                         "method Fail() -> ()\nmethod List() -> ()\n";

static const AditMethod sample_methods[] = {
    {.size = sizeof(AditMethod), .name = "Echo", .call = sample_echo},
    {.size = sizeof(AditMethod), .name = "Change", .changes = TRUE, .call = sample_change},
    {.size = sizeof(AditMethod), .name = "Later", .call = sample_later},
    {.size = sizeof(AditMethod), .name = "Stream", .call = sample_stream},
    {.size = sizeof(AditMethod), .name = "Fail", .call = sample_fail},
    {.size = sizeof(AditMethod), .name = "List", .call = sample_list},
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
  sample_gone = sample_changed = 0;
  if (!adit_control_service()->interface_add(&sample_plugin, sample_description, sample_methods, G_N_ELEMENTS(sample_methods),
                                             sample_commands, G_N_ELEMENTS(sample_commands), NULL, NULL))
    g_error("the sample interface is refused");
}
