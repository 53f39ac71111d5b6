/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/errors.h"

#define NEAREST_WORD_MAX 64

typedef struct {
  guint file; /* rank: files are told in the order they were read */
  guint line, column;
  char *text;
} Item;

struct AditConfigErrors {
  GArray *errors, *warnings; /* Item */
  GPtrArray *files;          /* interned names, first come first */
};

static void item_clear(gpointer item) {
  g_free(((Item *)item)->text);
}

static GArray *items_new(void) {
  GArray *items = g_array_new(FALSE, FALSE, sizeof(Item));
  g_array_set_clear_func(items, item_clear);
  return items;
}

AditConfigErrors *adit_config_errors_new(void) {
  AditConfigErrors *errors = g_new0(AditConfigErrors, 1);
  errors->errors = items_new();
  errors->warnings = items_new();
  errors->files = g_ptr_array_new();
  return errors;
}

void adit_config_errors_free(AditConfigErrors *errors) {
  if (!errors)
    return;
  g_array_unref(errors->errors);
  g_array_unref(errors->warnings);
  g_ptr_array_unref(errors->files);
  g_free(errors);
}

static guint file_rank(AditConfigErrors *errors, const char *file) {
  guint rank;
  if (!file)
    return 0;
  if (!g_ptr_array_find(errors->files, file, &rank)) {
    rank = errors->files->len;
    g_ptr_array_add(errors->files, (gpointer)file);
  }
  return rank + 1;
}

void adit_config_errors_file(AditConfigErrors *errors, const char *file) {
  file_rank(errors, file);
}

G_GNUC_PRINTF(5, 0)
static void add_error(AditConfigErrors *errors, GArray *to, AditWhere where, const char *path, const char *format, va_list args) {
  GString *text = g_string_new(NULL);
  if (where.file && where.line)
    g_string_append_printf(text, "%s:%u:%u: ", where.file, where.line, where.column);
  else if (where.file)
    g_string_append_printf(text, "%s: ", where.file);
  if (path && *path)
    g_string_append_printf(text, "%s: ", path);
  g_string_append_vprintf(text, format, args);

  Item item = {file_rank(errors, where.file), where.line, where.column, g_string_free(text, FALSE)};
  g_array_append_val(to, item);
}

void adit_config_error(AditConfigErrors *errors, AditWhere where, const char *path, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_error(errors, errors->errors, where, path, format, args);
  va_end(args);
}

void adit_config_warning(AditConfigErrors *errors, AditWhere where, const char *path, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_error(errors, errors->warnings, where, path, format, args);
  va_end(args);
}

guint adit_config_errors_count(const AditConfigErrors *errors) {
  return errors->errors->len;
}

guint adit_config_warnings_count(const AditConfigErrors *errors) {
  return errors->warnings->len;
}

static gint by_place(gconstpointer a, gconstpointer b) {
  const Item *x = *(Item *const *)a, *y = *(Item *const *)b;
  if (x->file != y->file)
    return x->file < y->file ? -1 : 1;
  if (x->line != y->line)
    return x->line < y->line ? -1 : 1;
  if (x->column != y->column)
    return x->column < y->column ? -1 : 1;
  return x < y ? -1 : x > y; /* as they were found */
}

static char *items_text(const GArray *items) {
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < items->len; i++)
    g_ptr_array_add(sorted, &g_array_index(items, Item, i));
  g_ptr_array_sort(sorted, by_place);
  for (guint i = 0; i < sorted->len; i++)
    g_string_append_printf(text, "%s\n", ((const Item *)sorted->pdata[i])->text);
  return g_string_free(text, FALSE);
}

char *adit_config_errors_text(const AditConfigErrors *errors) {
  return items_text(errors->errors);
}

char *adit_config_warnings_text(const AditConfigErrors *errors) {
  return items_text(errors->warnings);
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one each. Both words are bounded. */
static guint measure_distance(const char *a, const char *b) {
  guint rows[3][NEAREST_WORD_MAX + 1];
  guint *before = rows[0], *last = rows[1], *now = rows[2];
  guint n = (guint)strlen(a), m = (guint)strlen(b);

  for (guint j = 0; j <= m; j++)
    last[j] = j;
  for (guint i = 1; i <= n; i++) {
    now[0] = i;
    for (guint j = 1; j <= m; j++) {
      guint cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);
      now[j] = MIN(MIN(last[j] + 1, now[j - 1] + 1), last[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = MIN(now[j], before[j - 2] + 1);
    }
    guint *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[m];
}

const char *adit_config_nearest(const char *word, const char *const *candidates) {
  gsize length = strlen(word);
  const char *best = NULL;

  if (length < 2 || length > NEAREST_WORD_MAX)
    return NULL;
  guint limit = CLAMP((guint)length / 3, 1, 3) + 1; /* nearer than this: a third of the word may be wrong, three letters at most */
  for (; *candidates; candidates++) {
    if (strlen(*candidates) > NEAREST_WORD_MAX)
      continue;
    guint d = measure_distance(word, *candidates);
    if (d < limit) {
      limit = d;
      best = *candidates;
    }
  }
  return best;
}
