/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/rows.h"
#include "core/control/json.h"

struct AditRows {
  char *head; /* {"parameters":{"key":[ */
  AditRowNext next;
  gpointer state;
  GDestroyNotify free_state;
  gsize whole_max;
  GString *text;
  guint count;    /* rows in text */
  gboolean given; /* text was handed out: begin again */
};

AditRows *adit_rows_new(const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state, gsize whole_max) {
  AditRows *rows = g_new0(AditRows, 1);
  g_autoptr(AditValue) name = adit_value_string(key);
  g_autofree char *quoted = adit_value_to_json(name);

  rows->head = g_strdup_printf("{\"parameters\":{%s:[", quoted);
  rows->next = next;
  rows->state = state;
  rows->free_state = free_state;
  rows->whole_max = whole_max;
  rows->text = g_string_new(rows->head);
  return rows;
}

void adit_rows_free(AditRows *rows) {
  if (!rows)
    return;
  if (rows->free_state)
    rows->free_state(rows->state);
  g_free(rows->head);
  g_string_free(rows->text, TRUE);
  g_free(rows);
}

static void begin_reply(AditRows *rows) {
  g_string_assign(rows->text, rows->head);
  rows->count = 0;
  rows->given = FALSE;
}

AditRowsStep adit_rows_step(AditRows *rows, gint64 deadline_us, const GString **text) {
  if (rows->given)
    begin_reply(rows);
  *text = rows->text;
  do {
    g_autoptr(AditValue) row = rows->next(rows->state);
    if (!row) {
      g_string_append(rows->text, "]}}");
      rows->given = TRUE;
      return ADIT_ROWS_END;
    }
    if (row->type == ADIT_VALUE_BOOL)
      continue;
    if (rows->count++)
      g_string_append_c(rows->text, ',');
    adit_json_append(rows->text, row);
    if (rows->whole_max && rows->text->len > rows->whole_max)
      return ADIT_ROWS_TOO_LONG;
    if (!rows->whole_max && (rows->count >= ADIT_ROWS_PIECE || rows->text->len >= ADIT_ROWS_PIECE_TEXT)) {
      g_string_append(rows->text, "]},\"continues\":true}");
      rows->given = TRUE;
      return ADIT_ROWS_FULL;
    }
  } while (g_get_monotonic_time() < deadline_us);
  return ADIT_ROWS_BUSY;
}
