/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Lines of prose begin with `##`; a line with an option becomes active when its single # is taken away. */
#include "core/config/reference-option.h"
#include "core/config/reference-scope.h"
#include "core/config/reference.h"

#define SAMPLE_WIDTH     100
#define SAMPLE_DEPTH_MAX 8

static void append_prose(GString *out, const char *indent, const char *text) {
  g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
  gsize column = 0;
  for (char **w = words; *w; w++) {
    if (!**w)
      continue;
    if (!column || column + 1 + strlen(*w) > SAMPLE_WIDTH) {
      g_string_append_printf(out, "%s##%s", column ? "\n" : "", indent);
      column = 2 + strlen(indent);
    }
    g_string_append_printf(out, " %s", *w);
    column += 1 + strlen(*w);
  }
  if (column)
    g_string_append_c(out, '\n');
}

static void append_help(GString *out, const char *indent, const AditOption *option) {
  g_autofree char *type = adit_reference_type(option);
  g_autofree char *text = g_strdup_printf("%s [%s%s]", option->help ? option->help : "", type,
                                          option->flags & ADIT_OPTION_REQUIRED ? "; required"
                                          : option->fallback                   ? ""
                                                                               : "; no default");
  append_prose(out, indent, text);
}

static void append_scope_lines(GString *out, const AditSchema *schema, const char *scope, const char *indent, gboolean item, guint depth);

static void append_option_line(GString *out, const AditSchema *schema, const AditOption *option, const char *indent, const char *dash,
                               guint depth) {
  append_help(out, indent, option);
  if (option->type != ADIT_TYPE_MAP) {
    g_autofree char *example = adit_reference_example(option);
    g_autofree char *quoted = adit_reference_quote(example);
    g_string_append_printf(out, "#%s%s: %s\n", dash, option->name, quoted);
    return;
  }
  g_autofree char *below = g_strdup_printf("%s  ", indent);
  g_string_append_printf(out, "#%s%s:\n", dash, option->name);
  append_scope_lines(out, schema, option->words, below, (option->flags & ADIT_OPTION_LIST) != 0, depth + 1);
}

/* The options of a scope; `item`: as the one item of a list; its first line begins with a dash. */
static void append_scope_lines(GString *out, const AditSchema *schema, const char *scope, const char *indent, gboolean item, guint depth) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  g_autofree char *dash = g_strdup_printf("%s- ", indent), *deep = g_strdup_printf("%s  ", indent);

  if (depth > SAMPLE_DEPTH_MAX)
    return;
  for (guint i = 0; i < n; i++) {
    const AditOption *option = entries[i].option;
    append_option_line(out, schema, option, item ? deep : indent, !item ? indent : i ? deep : dash, depth);
    if (!depth)
      g_string_append_c(out, '\n');
  }
}

char *adit_reference_sample(const AditSchema *schema) {
  GString *out = g_string_new("## Every option of adit with its default, or an example where there is none: see adit.yaml(5).\n"
                              "## Remove one # from the lines that you need, and from their parent lines.\n\n");
  append_scope_lines(out, schema, ADIT_SCOPE_GLOBAL, "", FALSE, 0);
  return g_string_free(out, FALSE);
}
