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

typedef struct Table Table;

/** A list that comes in pieces: as JSON, {name: [...]}, or as a table with `columns` as in adit/control.h (NULL: the first row's members).
 *  At a terminal a table is cut to `width`; 0 = as wide as it gets. Keeps no more than the first thousand rows. */
Table *ctl_table_new(const char *name, const char *columns, gboolean json, guint width);
/** Prints the row, now or later. */
void ctl_table_add(Table *table, JsonNode *row);
/** The list is complete: prints the rest. Without it what was printed is visibly cut off. */
void ctl_table_end(Table *table);
void ctl_table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, ctl_table_free)

/** An object as lines of key and value; `columns` gives formats. */
void ctl_print_object(JsonObject *object, const char *columns);

/** One reply of a stream on one line: bare values, then key=value for what is nested. */
void ctl_print_line(JsonObject *object);

/** As JSON: one line, or indented for people. */
void ctl_print_json(JsonObject *object, gboolean indented);

/** `text` in lines of at most `width`, each behind `indent` blanks. */
void ctl_print_wrapped(const char *text, guint indent, guint width);
