/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aditctl.h"
#include <stdio.h>
#include <string.h>

enum { TABLE_AHEAD = 1000 }; /* rows that are waited for before a table is printed: they make its widths */

/* ---- one value ---- */

static char *format_scaled(double value, double step, const char *const *units, guint n) {
  guint i = 0;

  while (value >= step && i + 1 < n) {
    value /= step;
    i++;
  }
  return i == 0 || value >= 100 ? g_strdup_printf("%.0f%s", value, units[i]) : g_strdup_printf("%.1f%s", value, units[i]);
}

static char *format_octets(gint64 value) {
  static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  return format_scaled((double)value, 1024, units, G_N_ELEMENTS(units));
}

static char *format_rate(gint64 value) {
  static const char *const units[] = {" bit/s", " kbit/s", " Mbit/s", " Gbit/s", " Tbit/s"};
  return format_scaled((double)value, 1000, units, G_N_ELEMENTS(units));
}

/* The two largest units of a time in milliseconds: 3d04h, 4h05m, 5m06s, 7s. */
static char *format_duration(gint64 ms) {
  gint64 s = MAX(ms, 0) / 1000;

  if (s >= 86400)
    return g_strdup_printf("%" G_GINT64_FORMAT "d%02dh", s / 86400, (int)(s % 86400 / 3600));
  if (s >= 3600)
    return g_strdup_printf("%dh%02dm", (int)(s / 3600), (int)(s % 3600 / 60));
  if (s >= 60)
    return g_strdup_printf("%dm%02ds", (int)(s / 60), (int)(s % 60));
  return g_strdup_printf("%ds", (int)s);
}

/* A peer chooses its own name: nothing that a terminal would obey may reach it. */
static char *escape_controls(const char *text) {
  GString *out = g_string_new(NULL);

  for (const char *c = text; *c; c = g_utf8_next_char(c)) {
    gunichar u = g_utf8_get_char(c);
    if (g_unichar_iscntrl(u) || g_unichar_type(u) == G_UNICODE_FORMAT)
      g_string_append_printf(out, "\\x%02x", u);
    else
      g_string_append_unichar(out, u);
  }
  return g_string_free(out, FALSE);
}

static char *format_int(gint64 value, const char *format) {
  if (!g_strcmp0(format, "octets"))
    return format_octets(value);
  if (!g_strcmp0(format, "rate"))
    return format_rate(value);
  if (!g_strcmp0(format, "duration"))
    return format_duration(value);
  if (!g_strcmp0(format, "ago")) {
    g_autofree char *duration = format_duration(value);
    return g_strconcat(duration, " ago", NULL);
  }
  return g_strdup_printf(!g_strcmp0(format, "hex") ? "%" G_GINT64_MODIFIER "x" : "%" G_GINT64_FORMAT, value);
}

static char *join_parts(GPtrArray *parts, const char *separator) {
  g_ptr_array_add(parts, NULL);
  return g_strjoinv(separator, (char **)parts->pdata);
}

static char *format_array(JsonArray *array, const char *format) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < json_array_get_length(array); i++)
    g_ptr_array_add(parts, ctl_format(json_array_get_element(array, i), format));
  return join_parts(parts, ", ");
}

static char *format_object(JsonObject *object) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GList) members = json_object_get_members(object);

  for (GList *m = members; m; m = m->next) {
    g_autofree char *value = ctl_format(json_object_get_member(object, (const char *)m->data), NULL);
    g_autofree char *name = escape_controls((const char *)m->data);
    g_ptr_array_add(parts, g_strdup_printf(strchr(value, ' ') ? "%s=\"%s\"" : "%s=%s", name, value));
  }
  return join_parts(parts, " ");
}

char *ctl_format(JsonNode *node, const char *format) {
  if (!node || JSON_NODE_HOLDS_NULL(node))
    return g_strdup("");
  if (JSON_NODE_HOLDS_ARRAY(node))
    return format_array(json_node_get_array(node), format);
  if (JSON_NODE_HOLDS_OBJECT(node))
    return format_object(json_node_get_object(node));
  if (json_node_get_value_type(node) == G_TYPE_INT64)
    return format_int(json_node_get_int(node), format);
  if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
    return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
  if (json_node_get_value_type(node) == G_TYPE_STRING)
    return escape_controls(json_node_get_string(node));
  return g_strdup_printf("%g", json_node_get_double(node));
}

/* ---- tables ---- */

typedef struct {
  char *title, *key, *format;
  guint width;
  gboolean right; /* numbers */
} Column;

static void column_clear(gpointer data) {
  Column *column = (Column *)data;
  g_free(column->title);
  g_free(column->key);
  g_free(column->format);
}

static GArray *parse_columns(const char *columns) {
  GArray *array = g_array_new(FALSE, TRUE, sizeof(Column));
  g_auto(GStrv) words = g_strsplit(columns ? columns : "", " ", -1);

  g_array_set_clear_func(array, column_clear);
  for (guint i = 0; words[i]; i++) {
    const char *equals = strchr(words[i], '=');
    if (!equals)
      continue;
    const char *colon = strchr(equals, ':');
    Column column = {.title = g_strndup(words[i], (gsize)(equals - words[i])),
                     .key = colon ? g_strndup(equals + 1, (gsize)(colon - equals - 1)) : g_strdup(equals + 1),
                     .format = g_strdup(colon ? colon + 1 : NULL)};
    column.right = column.format != NULL;
    g_array_append_val(array, column);
  }
  return array;
}

/* A list without named columns: those of its first item. */
static GArray *guess_columns(JsonNode *first) {
  GArray *array = g_array_new(FALSE, TRUE, sizeof(Column));
  g_autoptr(GList) members = JSON_NODE_HOLDS_OBJECT(first) ? json_object_get_members(json_node_get_object(first)) : NULL;

  g_array_set_clear_func(array, column_clear);
  for (GList *m = members; m; m = m->next) {
    Column column = {.title = g_ascii_strup((const char *)m->data, -1), .key = g_strdup((const char *)m->data)};
    g_array_append_val(array, column);
  }
  return array;
}

static guint text_width(const char *text) {
  guint width = 0;
  for (const char *c = text; *c; c = g_utf8_next_char(c)) {
    gunichar u = g_utf8_get_char(c);
    width += g_unichar_iszerowidth(u) ? 0 : g_unichar_iswide(u) ? 2 : 1;
  }
  return width;
}

/* Writes `text` in exactly `width` places, cut with an ellipsis; the last column has no blanks behind it. */
static void put_cell(GString *line, const char *text, guint width, gboolean right, gboolean last) {
  guint have = text_width(text);

  if (have > width) {
    guint used = 0;
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
      gunichar u = g_utf8_get_char(c);
      guint w = g_unichar_iswide(u) ? 2 : 1;
      if (used + w + 1 > width)
        break;
      g_string_append_unichar(line, u);
      used += w;
    }
    g_string_append(line, "…");
    have = used + 1;
    right = FALSE;
    text = "";
  }
  guint pad = width > have ? width - have : 0;
  if (right)
    g_string_append_printf(line, "%*s", (int)pad, "");
  g_string_append(line, text);
  if (!right && !last)
    g_string_append_printf(line, "%*s", (int)pad, "");
}

/* Takes from the widest column until all fit; none gets narrower than its title or 8. */
static void fit_columns(GArray *columns, guint width) {
  guint total = columns->len ? (columns->len - 1) * 2 : 0;

  for (guint i = 0; i < columns->len; i++)
    total += g_array_index(columns, Column, i).width;
  while (width && total > width) {
    Column *widest = NULL;
    for (guint i = 0; i < columns->len; i++) {
      Column *column = &g_array_index(columns, Column, i);
      if (column->width > MAX(8, text_width(column->title)) && (!widest || column->width > widest->width))
        widest = column;
    }
    if (!widest)
      return;
    widest->width--;
    total--;
  }
}

static void print_row(GArray *columns, char **cells, gboolean header) {
  g_autoptr(GString) line = g_string_new(NULL);

  for (guint i = 0; i < columns->len; i++) {
    const Column *column = &g_array_index(columns, Column, i);
    if (i)
      g_string_append(line, "  ");
    put_cell(line, header ? column->title : cells[i], column->width, column->right, i + 1 == columns->len);
  }
  printf("%s\n", g_strchomp(line->str)); /* the last cells may be empty */
}

/* ---- lists that come in pieces ---- */

struct Table {
  char *name; /* of the list; for JSON */
  gboolean json;
  guint width;
  GArray *columns;  /* NULL until the first row, without named columns */
  GPtrArray *lines; /* the first rows' cells: they decide how wide the columns are */
  gboolean begun;   /* the head is printed, and the columns have their widths */
  guint count;
};

Table *ctl_table_new(const char *name, const char *columns, gboolean json, guint width) {
  Table *table = g_new0(Table, 1);
  table->name = g_strdup(name);
  table->json = json;
  table->width = width;
  table->columns = columns ? parse_columns(columns) : NULL;
  table->lines = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  return table;
}

void ctl_table_free(Table *table) {
  if (!table)
    return;
  g_clear_pointer(&table->columns, g_array_unref);
  g_ptr_array_unref(table->lines);
  g_free(table->name);
  g_free(table);
}

/* Prints the head and the rows that were kept back for the widths. */
static void begin_table(Table *table) {
  table->begun = TRUE;
  if (!table->columns)
    table->columns = parse_columns(NULL);
  for (guint c = 0; c < table->columns->len; c++) {
    Column *column = &g_array_index(table->columns, Column, c);
    column->width = MAX(column->width, text_width(column->title));
  }
  fit_columns(table->columns, table->width);
  print_row(table->columns, NULL, TRUE);
  for (guint r = 0; r < table->lines->len; r++)
    print_row(table->columns, (char **)table->lines->pdata[r], FALSE);
  g_ptr_array_set_size(table->lines, 0);
}

/* The cells of a row. Before the head is printed they make the columns wider; later too, unless it goes to a terminal, where they are cut.
 */
static char **make_cells(Table *table, JsonNode *node) {
  char **cells = g_new0(char *, table->columns->len + 1);

  for (guint c = 0; c < table->columns->len; c++) {
    Column *column = &g_array_index(table->columns, Column, c);
    JsonNode *cell = JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), column->key) : NULL;
    cells[c] = ctl_format(cell, column->format);
    if (!table->begun || !table->width)
      column->width = MAX(column->width, text_width(cells[c]));
    column->right |= !table->begun && cell && JSON_NODE_HOLDS_VALUE(cell) && json_node_get_value_type(cell) == G_TYPE_INT64;
  }
  return cells;
}

static void add_line(Table *table, JsonNode *node) {
  if (!table->columns)
    table->columns = guess_columns(node);
  char **cells = make_cells(table, node);
  if (table->begun) {
    print_row(table->columns, cells, FALSE);
    g_strfreev(cells);
    return;
  }
  g_ptr_array_add(table->lines, cells);
  if (table->lines->len == TABLE_AHEAD)
    begin_table(table);
}

static void add_json(Table *table, JsonNode *node) {
  g_autofree char *text = json_to_string(node, TRUE);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

  if (!table->count) {
    g_autoptr(JsonNode) name = json_node_init_string(json_node_alloc(), table->name);
    g_autofree char *quoted = json_to_string(name, FALSE);
    printf("{\n  %s : [", quoted);
  }
  for (guint i = 0; lines[i]; i++)
    printf("%s\n    %s", i || !table->count ? "" : ",", lines[i]);
}

void ctl_table_add(Table *table, JsonNode *row) {
  if (table->json)
    add_json(table, row);
  else
    add_line(table, row);
  table->count++;
}

void ctl_table_end(Table *table) {
  if (table->json && !table->count) {
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_array_member(object, table->name, json_array_new());
    ctl_print_json(object, TRUE);
  } else if (table->json) {
    printf("\n  ]\n}\n");
  } else if (!table->begun) {
    begin_table(table);
  }
  fflush(stdout);
}

/* ---- objects ---- */

static const char *format_of(GArray *columns, const char *key) {
  for (guint i = 0; i < columns->len; i++)
    if (!strcmp(g_array_index(columns, Column, i).key, key))
      return g_array_index(columns, Column, i).format;
  return NULL;
}

static gboolean is_list_of_objects(JsonNode *node) {
  return JSON_NODE_HOLDS_ARRAY(node) && json_array_get_length(json_node_get_array(node)) &&
         JSON_NODE_HOLDS_OBJECT(json_array_get_element(json_node_get_array(node), 0));
}

static void print_members(JsonObject *object, GArray *columns, guint indent) {
  g_autoptr(GList) members = json_object_get_members(object);
  guint width = 0;

  for (GList *m = members; m; m = m->next)
    width = MAX(width, text_width((const char *)m->data));
  for (GList *m = members; m; m = m->next) {
    JsonNode *node = json_object_get_member(object, (const char *)m->data);
    g_autofree char *name = escape_controls((const char *)m->data);
    if (JSON_NODE_HOLDS_OBJECT(node)) {
      printf("%*s%s\n", (int)indent, "", name);
      print_members(json_node_get_object(node), columns, indent + 2);
    } else if (is_list_of_objects(node)) {
      JsonArray *array = json_node_get_array(node);
      for (guint i = 0; i < json_array_get_length(array); i++) {
        printf("%*s%s %u\n", (int)indent, "", name, i + 1);
        print_members(json_array_get_object_element(array, i), columns, indent + 2);
      }
    } else {
      g_autofree char *value = ctl_format(node, format_of(columns, (const char *)m->data));
      printf("%*s%-*s  %s\n", (int)indent, "", (int)width, name, value);
    }
  }
}

void ctl_print_object(JsonObject *object, const char *columns_text) {
  g_autoptr(GArray) columns = parse_columns(columns_text);
  g_autoptr(GList) members = json_object_get_members(object);
  JsonNode *only = members && !members->next ? json_object_get_member(object, (const char *)members->data) : NULL;

  print_members(only && JSON_NODE_HOLDS_OBJECT(only) ? json_node_get_object(only) : object, columns, 0);
}

void ctl_print_line(JsonObject *object) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GList) members = json_object_get_members(object);

  for (GList *m = members; m; m = m->next)
    g_ptr_array_add(parts, ctl_format(json_object_get_member(object, (const char *)m->data), NULL));
  g_autofree char *line = join_parts(parts, " ");
  printf("%s\n", line);
  fflush(stdout);
}

void ctl_print_json(JsonObject *object, gboolean indented) {
  g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
  json_node_set_object(node, object);
  g_autofree char *text = json_to_string(node, indented);
  printf("%s\n", text);
  fflush(stdout);
}

void ctl_print_wrapped(const char *text, guint indent, guint width) {
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  guint column = 0;

  for (guint i = 0; words[i]; i++) {
    guint length = text_width(words[i]);
    if (column && indent + column + 1 + length > width) {
      printf("\n");
      column = 0;
    }
    printf("%*s%s", column ? 1 : (int)indent, "", words[i]);
    column += length + (column ? 1 : 0);
  }
  printf("\n");
}
