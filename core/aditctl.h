/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aditctl.h - aditctl's files: its end of Varlink, and what it prints. It knows no command: the daemon lists them. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* ---- aditctl-client.c ---- */

typedef struct Connection Connection;

/** Connects. The error is a sentence that tells what to do. */
Connection *ctl_connect(const char *path, GError **error);
void ctl_disconnect(Connection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, ctl_disconnect)

/** Sends a call; takes over `parameters` (may be NULL). */
gboolean ctl_send(Connection *connection, const char *method, JsonObject *parameters, gboolean more, GError **error);

/** Waits for the next reply: its parameters, and whether further ones follow. NULL with the daemon's words in `error`. */
JsonObject *ctl_receive(Connection *connection, gboolean *continues, GError **error);

/* ---- aditctl-print.c ---- */

/** One value as text: `format` is rate, octets, ago, duration, hex or NULL. Never a control character: names come from the wire. */
char *ctl_format(JsonNode *node, const char *format);

/** The list `rows` as a table, `columns` as in adit/control.h. At a terminal it is cut to `width`; 0 = as wide as it gets. */
void ctl_print_table(JsonArray *rows, const char *columns, guint width);

/** An object as lines of key and value; `columns` gives formats. */
void ctl_print_object(JsonObject *object, const char *columns);

/** One reply of a stream on one line: bare values, then key=value for what is nested. */
void ctl_print_line(JsonObject *object);

/** As JSON: one line, or indented for people. */
void ctl_print_json(JsonObject *object, gboolean indented);

/** `text` in lines of at most `width`, each behind `indent` blanks. */
void ctl_print_wrapped(const char *text, guint indent, guint width);
