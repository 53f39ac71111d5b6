/* SPDX-License-Identifier: MIT */
#include "core/control/interface-check.h"

typedef struct {
  const AditInterfaceCandidate *of;
  char *wrong; /* the first */
  AditErrorCode code;
} Check;

G_GNUC_PRINTF(3, 4)
static gboolean refuse_interface(Check *c, AditErrorCode code, const char *format, ...) {
  va_list args;

  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  c->wrong = g_strdup_printf("interface %s: %s", c->of->idl->interface, text);
  c->code = code;
  return FALSE;
}

static const AditMethod *method_named(Check *c, const char *name) {
  for (guint i = 0; i < c->of->n_methods; i++)
    if (!strcmp(c->of->methods[i].name, name))
      return &c->of->methods[i];
  return NULL;
}

static gboolean check_method(Check *c, const AditMethod *method) {
  if (!method->name || !method->call)
    return refuse_interface(c, ADIT_ERR_INVALID, "method %s has no %s", method->name ? method->name : "(NULL)",
                            method->name ? "function" : "name");
  if (!adit_idl_method(c->of->idl, method->name))
    return refuse_interface(c, ADIT_ERR_INVALID, "the description has no method %s", method->name);
  if (method->flags & ~(guint)ADIT_METHOD_PUBLIC)
    return refuse_interface(c, ADIT_ERR_INVALID, "method %s has flags 0x%x, which nobody knows", method->name,
                            method->flags & ~(guint)ADIT_METHOD_PUBLIC);
  return TRUE;
}

/* A caller that reads the description could call it. */
static gboolean check_described(Check *c) {
  for (guint i = 0; i < c->of->idl->methods->len; i++) {
    const char *name = ((const AditIdlMethod *)c->of->idl->methods->pdata[i])->name;
    if (!method_named(c, name))
      return refuse_interface(c, ADIT_ERR_INVALID, "method %s is described and is not among the methods", name);
  }
  return TRUE;
}

/* ---- commands ---- */

/* The described method that a command runs; NULL if it is none of this interface. */
static const AditIdlMethod *method_of_command(Check *c, const AditCommand *command) {
  const char *dot = command->method ? strrchr(command->method, '.') : NULL;
  gsize length = dot ? (gsize)(dot - command->method) : 0;

  if (!dot || strlen(c->of->idl->interface) != length || memcmp(c->of->idl->interface, command->method, length) != 0)
    return NULL;
  return adit_idl_method(c->of->idl, dot + 1);
}

/* `id [name]`: parameters of the method, the optional ones last. */
static gboolean check_arguments(Check *c, const AditCommand *command, const AditIdlMethod *method) {
  g_auto(GStrv) words = g_strsplit(command->arguments ? command->arguments : "", " ", -1);
  gboolean optional = FALSE;

  for (guint i = 0; words[i]; i++) {
    gsize length = strlen(words[i]);
    gboolean bracket = words[i][0] == '[' && length > 2 && words[i][length - 1] == ']';
    if (!length)
      continue;
    if (!adit_idl_has(method->in->names, words[i] + (bracket ? 1 : 0), length - (bracket ? 2 : 0)))
      return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: argument `%s` is no parameter of %s", command->verb, words[i],
                              method->name);
    if (optional && !bracket)
      return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: argument `%s` comes after an optional one", command->verb, words[i]);
    optional |= bracket;
  }
  return TRUE;
}

static gboolean column_is_good(const char *column) {
  static const char *const formats[] = {"rate", "octets", "ago", "duration", "hex", NULL};
  const char *equals = strchr(column, '='), *colon = equals ? strchr(equals, ':') : NULL;

  return equals && equals > column && equals[1] && colon != equals + 1 && (!colon || g_strv_contains(formats, colon + 1));
}

static gboolean check_columns(Check *c, const AditCommand *command) {
  g_auto(GStrv) columns = g_strsplit(command->columns ? command->columns : "", " ", -1);

  for (guint i = 0; columns[i]; i++)
    if (*columns[i] && !column_is_good(columns[i]))
      return refuse_interface(c, ADIT_ERR_INVALID,
                              "command `%s`: column `%s` is not TITLE=key[:format], with a format of rate, octets, ago, duration, hex",
                              command->verb, columns[i]);
  return TRUE;
}

static gboolean check_verb(Check *c, const AditCommand *command) {
  const char *verb = command->verb;
  g_autofree char *other = c->of->verb_owner ? c->of->verb_owner(verb) : NULL;

  if (!g_regex_match_simple("\\A[a-z0-9][-a-z0-9]*( [a-z0-9][-a-z0-9]*)*\\z", verb, G_REGEX_RAW, 0))
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: a verb is words of small letters, digits and hyphens, a space between them",
                            verb);
  if (other)
    return refuse_interface(c, ADIT_ERR_EXISTS, "command `%s` exists already: it is %s", verb, other);
  return TRUE;
}

static gboolean check_command(Check *c, const AditCommand *command) {
  if (!command->verb || !command->method)
    return refuse_interface(c, ADIT_ERR_INVALID, "a command has no verb or no method");
  if (!check_verb(c, command))
    return FALSE;
  const AditIdlMethod *method = method_of_command(c, command);
  if (!method)
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: %s is no method of this interface: write %s.METHOD", command->verb,
                            command->method, c->of->idl->interface);
  if (command->rows && !adit_idl_has(method->out->names, command->rows, strlen(command->rows)))
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: the reply of %s has no list `%s`", command->verb, method->name,
                            command->rows);
  if (!command->summary)
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s` has no summary", command->verb);
  return check_arguments(c, command, method) && check_columns(c, command);
}

static gboolean check_commands(Check *c) {
  const AditCommand *commands = c->of->commands;

  for (guint i = 0; i < c->of->n_commands; i++) {
    if (!check_command(c, &commands[i]))
      return FALSE;
    for (guint k = 0; k < i; k++)
      if (!strcmp(commands[k].verb, commands[i].verb))
        return refuse_interface(c, ADIT_ERR_EXISTS, "command `%s` is there twice", commands[i].verb);
  }
  return TRUE;
}

char *adit_interface_wrong(const AditInterfaceCandidate *candidate, AditErrorCode *code) {
  Check c = {.of = candidate};
  gboolean good = TRUE;

  for (guint i = 0; good && i < candidate->n_methods; i++)
    good = check_method(&c, &candidate->methods[i]);
  good = good && check_described(&c) && check_commands(&c);
  *code = c.code;
  return c.wrong;
}

/* ---- structs of plugins ---- */

static gboolean sizes_are_right(gconstpointer structs, guint n, gsize least) {
  gsize size = n && structs ? *(const gsize *)structs : 0;

  for (guint i = 0; i < n; i++)
    if (size < least || size > 4096 || *(const gsize *)(gconstpointer)((const guint8 *)structs + i * size) != size)
      return FALSE;
  return TRUE;
}

gpointer adit_interface_copy(gconstpointer from, guint n, gsize own, gsize least) {
  if (!sizes_are_right(from, n, least))
    return NULL;
  gsize size = n ? *(const gsize *)from : 0;
  guint8 *copy = (guint8 *)g_malloc0_n(n + 1, own);

  for (guint i = 0; i < n; i++)
    adit_copy_sized(copy + i * own, own, (const guint8 *)from + i * size);
  return copy;
}
