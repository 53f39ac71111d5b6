/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/reference-option.h"
#include "core/config/reference-scope.h"
#include "core/config/reference.h"

/* Text for roff: what would be a request or an escape is made plain, and `words` in backquotes become bold. */
static void append_roff(GString *out, const char *text) {
  gboolean bold = FALSE;
  for (const char *p = text; *p; p++) {
    gboolean first = p == text;
    switch (*p) {
    case '\\':
      g_string_append(out, "\\e");
      break;
    case '-':
      g_string_append(out, "\\-");
      break;
    case '`': /* `word` or `word' */
    case '\'':
      if (*p == '\'' && !bold) {
        g_string_append(out, first ? "\\&'" : "'");
        break;
      }
      bold = !bold;
      g_string_append(out, bold ? "\\fB" : "\\fR");
      break;
    case '~':
      g_string_append(out, "\\(ti");
      break;
    case '^':
      g_string_append(out, "\\(ha");
      break;
    case '\n':
      g_string_append_c(out, ' ');
      break;
    default:
      if (first && *p == '.')
        g_string_append(out, "\\&");
      g_string_append_c(out, *p);
      break;
    }
  }
  if (bold)
    g_string_append(out, "\\fR");
}

static void append_option_entry(GString *out, const AditSchemaEntry *entry) {
  static const char *const reload[] = {
      [ADIT_RELOAD_LIVE] = NULL,
      [ADIT_RELOAD_NEXT_SESSION] = "Takes effect with the next session.",
      [ADIT_RELOAD_RESTART] = "Takes effect after a restart.",
  };
  const AditOption *option = entry->option;
  g_autofree char *type = adit_reference_type(option);

  g_string_append(out, ".TP\n\\fB");
  append_roff(out, option->name);
  g_string_append(out, "\\fR: \\fI");
  append_roff(out, type);
  g_string_append(out, "\\fR");
  if (option->flags & ADIT_OPTION_REQUIRED)
    g_string_append(out, "; required");
  if (option->fallback) {
    g_string_append(out, "; default \\fB");
    append_roff(out, *option->fallback ? option->fallback : "\"\"");
    g_string_append(out, "\\fR");
  }
  g_string_append_c(out, '\n');
  append_roff(out, option->help ? option->help : "");
  g_string_append_c(out, '\n');
  if (reload[option->reload] && option->type != ADIT_TYPE_MAP)
    g_string_append_printf(out, "%s\n", reload[option->reload]);
  if (option->flags & ADIT_OPTION_COA)
    g_string_append(out, "A source may change it while a session is up.\n");
  if (option->reference && strcmp(option->reference, option->name) != 0) {
    g_string_append(out, "[");
    append_roff(out, option->reference);
    g_string_append(out, "]\n");
  }
}

static void append_scope_section(GString *out, const AditSchema *schema, const AditReferenceScope *scope) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope->scope, &n);
  const char *owner = "core";

  if (!n)
    return;
  g_string_append(out, ".SS \"");
  append_roff(out, !scope->places ? scope->scope : *scope->places ? scope->places : "Top level");
  g_string_append(out, "\"\n");
  for (guint i = 0; i < n; i++) {
    if (strcmp(entries[i].owner, owner) != 0) {
      owner = entries[i].owner;
      g_string_append_printf(out, "%sOf plugin \\fB", i ? ".PP\n" : "");
      append_roff(out, owner);
      g_string_append(out, "\\fR:\n");
    }
    append_option_entry(out, &entries[i]);
  }
}

char *adit_reference_man(const AditSchema *schema) {
  GString *out = g_string_new(NULL);
  g_autoptr(GPtrArray) scopes = adit_reference_scopes(schema);
  for (guint i = 0; i < scopes->len; i++)
    append_scope_section(out, schema, scopes->pdata[i]);
  return g_string_free(out, FALSE);
}
