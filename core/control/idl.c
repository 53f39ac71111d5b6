/* SPDX-License-Identifier: MIT */
/* The grammar is that of https://varlink.org/Interface-Definition; a description is a plugin's, so it is short. */
#include "core/control/idl.h"

enum { DEPTH_MAX = 16 };

typedef struct {
  const char *text, *at;
  AditIdl *idl;
  GPtrArray *used; /* of char*, borrowed: types that something is of */
  GError *error;   /* the first */
  guint depth;
} Parser;

static void method_free(gpointer data) {
  AditIdlMethod *method = (AditIdlMethod *)data;
  g_free(method->name);
  g_free(method);
}

static void type_free(gpointer data) {
  AditIdlType *type = (AditIdlType *)data;
  g_free(type->name);
  g_clear_pointer(&type->names, g_ptr_array_unref);
  g_clear_pointer(&type->types, g_ptr_array_unref);
  g_free(type);
}

void adit_idl_free(AditIdl *idl) {
  if (!idl)
    return;
  g_free(idl->interface);
  g_ptr_array_unref(idl->methods);
  g_ptr_array_unref(idl->types);
  g_ptr_array_unref(idl->described);
  g_ptr_array_unref(idl->owned);
  g_ptr_array_unref(idl->errors);
  g_free(idl);
}

const AditIdlMethod *adit_idl_method(const AditIdl *idl, const char *name) {
  for (guint i = 0; i < idl->methods->len; i++)
    if (!strcmp(((const AditIdlMethod *)idl->methods->pdata[i])->name, name))
      return (const AditIdlMethod *)idl->methods->pdata[i];
  return NULL;
}

const AditIdlType *adit_idl_type(const AditIdl *idl, const char *name) {
  for (guint i = 0; i < idl->types->len; i++)
    if (!strcmp((const char *)idl->types->pdata[i], name))
      return (const AditIdlType *)idl->described->pdata[i];
  return NULL;
}

gboolean adit_idl_has(const GPtrArray *names, const char *name, gsize length) {
  for (guint i = 0; i < names->len; i++)
    if (!strncmp((const char *)names->pdata[i], name, length) && !((const char *)names->pdata[i])[length])
      return TRUE;
  return FALSE;
}

/* ---- words ---- */

/* At the first character that is neither white nor in a comment. */
static void skip_space(Parser *p) {
  for (;;) {
    p->at += strspn(p->at, " \t\r\n");
    if (*p->at != '#')
      return;
    p->at += strcspn(p->at, "\n");
  }
}

static gboolean fail_at(Parser *p, const char *at, const char *what) {
  guint line = 1, column = 1;

  if (p->error)
    return FALSE;
  for (const char *c = p->text; c < at; c++) {
    column = *c == '\n' ? 1 : column + 1;
    line += *c == '\n';
  }
  gsize length = MIN(strcspn(at, " \t\r\n"), 40);
  p->error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "%u:%u: %s is due, not \"%.*s\"", line, column, what, (int)length, at);
  return FALSE;
}

static gboolean take_sign(Parser *p, const char *sign) {
  skip_space(p);
  if (!g_str_has_prefix(p->at, sign))
    return FALSE;
  p->at += strlen(sign);
  return TRUE;
}

static gboolean expect_sign(Parser *p, const char *sign) {
  g_autofree char *what = g_strdup_printf("`%s`", sign);
  return take_sign(p, sign) || fail_at(p, p->at, what);
}

static gsize word_length(const char *at) {
  gsize n = 0;
  while (g_ascii_isalnum(at[n]) || at[n] == '_')
    n++;
  return n;
}

/* `[A-Z][A-Za-z0-9]*`, of members and types. */
static char *take_name(Parser *p, const char *what) {
  skip_space(p);
  gsize n = word_length(p->at);
  if (!g_ascii_isupper(*p->at) || memchr(p->at, '_', n)) {
    fail_at(p, p->at, what);
    return NULL;
  }
  p->at += n;
  return g_strndup(p->at - n, n);
}

/* `[A-Za-z](_?[A-Za-z0-9])*`, of fields. */
static char *take_field(Parser *p) {
  skip_space(p);
  gsize n = word_length(p->at);
  if (!g_ascii_isalpha(*p->at) || p->at[n - 1] == '_' || g_strstr_len(p->at, (gssize)n, "__")) {
    fail_at(p, p->at, "the name of a field");
    return NULL;
  }
  p->at += n;
  return g_strndup(p->at - n, n);
}

/* ---- types ---- */

static AditIdlType *parse_type(Parser *p);

static AditIdlType *add_type(Parser *p, AditIdlKind kind) {
  AditIdlType *type = g_new0(AditIdlType, 1);

  type->kind = kind;
  g_ptr_array_add(p->idl->owned, type);
  return type;
}

/* `a: int`, or `one` of an enum. */
static gboolean parse_field(Parser *p, AditIdlType *type, gboolean enum_too) {
  const char *at = p->at;
  char *name = take_field(p);

  if (!name)
    return FALSE;
  if (adit_idl_has(type->names, name, strlen(name))) {
    g_free(name);
    return fail_at(p, at, "another name than one of the same list");
  }
  g_ptr_array_add(type->names, name);
  if (type->names->len == 1 && enum_too && (skip_space(p), *p->at != ':'))
    type->kind = ADIT_IDL_ENUM;
  if (type->kind == ADIT_IDL_ENUM)
    return TRUE;
  AditIdlType *of = expect_sign(p, ":") ? parse_type(p) : NULL;
  if (of)
    g_ptr_array_add(type->types, of);
  return of != NULL;
}

/* `(a: int, b: string)`, or an enum `(one, two)`. NULL: it is none. */
static AditIdlType *parse_fields(Parser *p, gboolean enum_too) {
  AditIdlType *type = add_type(p, ADIT_IDL_STRUCT);

  type->names = g_ptr_array_new_with_free_func(g_free);
  type->types = g_ptr_array_new();
  if (!expect_sign(p, "("))
    return NULL;
  if (take_sign(p, ")"))
    return type;
  do {
    if (!parse_field(p, type, enum_too))
      return NULL;
  } while (take_sign(p, ","));
  return expect_sign(p, ")") ? type : NULL;
}

static AditIdlType *parse_element(Parser *p) {
  static const char *const plain[] = {"bool", "int", "float", "string", "object"};

  skip_space(p);
  if (*p->at == '(')
    return parse_fields(p, TRUE);
  gsize n = word_length(p->at);
  for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
    if (n == strlen(plain[i]) && !strncmp(p->at, plain[i], n)) {
      p->at += n;
      return add_type(p, (AditIdlKind)(ADIT_IDL_BOOL + i));
    }
  char *name = take_name(p, "a type");
  if (!name)
    return NULL;
  AditIdlType *type = add_type(p, ADIT_IDL_NAMED);
  type->name = name;
  g_ptr_array_add(p->used, name);
  return type;
}

static AditIdlType *parse_container(Parser *p, AditIdlKind kind) {
  const AditIdlType *element = parse_type(p);

  if (!element)
    return NULL;
  AditIdlType *type = add_type(p, kind);
  type->element = element;
  return type;
}

static AditIdlType *parse_type(Parser *p) {
  if (++p->depth > DEPTH_MAX) {
    fail_at(p, p->at, "a less nested type");
    return NULL;
  }
  gboolean maybe = take_sign(p, "?");
  AditIdlType *type = NULL;
  skip_space(p);
  if (maybe && *p->at == '?')
    fail_at(p, p->at, "a type behind one `?`");
  else if (take_sign(p, "[string]"))
    type = parse_container(p, ADIT_IDL_DICT);
  else if (take_sign(p, "[]"))
    type = parse_container(p, ADIT_IDL_LIST);
  else
    type = parse_element(p);
  p->depth--;
  if (type)
    type->optional = maybe;
  return type;
}

/* ---- members ---- */

static gboolean is_described(const AditIdl *idl, const char *name) {
  return adit_idl_method(idl, name) || adit_idl_has(idl->types, name, strlen(name)) || adit_idl_has(idl->errors, name, strlen(name));
}

static gboolean parse_method(Parser *p, char *name) {
  AditIdlMethod *method = g_new0(AditIdlMethod, 1);

  method->name = name;
  g_ptr_array_add(p->idl->methods, method);
  method->in = parse_fields(p, FALSE);
  method->out = method->in && expect_sign(p, "->") ? parse_fields(p, FALSE) : NULL;
  return method->out != NULL;
}

static gboolean parse_member(Parser *p) {
  const char *at = p->at;
  gboolean method = take_sign(p, "method "), type = !method && take_sign(p, "type "), error = !method && !type && take_sign(p, "error ");

  if (!method && !type && !error)
    return fail_at(p, at, "`method`, `type` or `error`");
  at = p->at;
  char *name = take_name(p, "a name that begins with a capital letter");
  if (!name)
    return FALSE;
  if (is_described(p->idl, name)) {
    g_free(name);
    return fail_at(p, at, "a name that is not described yet");
  }
  if (method)
    return parse_method(p, name);
  g_ptr_array_add(type ? p->idl->types : p->idl->errors, name);
  AditIdlType *of = parse_fields(p, type);
  if (of && type)
    g_ptr_array_add(p->idl->described, of);
  return of != NULL;
}

/* `io.adit.lease`: words with dots between them, at least two. */
static gboolean parse_interface(Parser *p) {
  static const char pattern[] = "\\A[A-Za-z](-*[A-Za-z0-9])*(\\.[A-Za-z0-9](-*[A-Za-z0-9])*)+\\z";

  skip_space(p);
  if (!take_sign(p, "interface ") && !take_sign(p, "interface\t"))
    return fail_at(p, p->at, "`interface NAME`");
  skip_space(p);
  gsize n = strcspn(p->at, " \t\r\n#");
  g_autofree char *name = g_strndup(p->at, n);
  if (n > 255 || !g_regex_match_simple(pattern, name, G_REGEX_RAW, 0))
    return fail_at(p, p->at, "a name such as io.adit.lease");
  p->at += n;
  p->idl->interface = g_steal_pointer(&name);
  return TRUE;
}

static gboolean check_used(Parser *p) {
  for (guint i = 0; i < p->used->len; i++) {
    const char *name = (const char *)p->used->pdata[i];
    if (!adit_idl_has(p->idl->types, name, strlen(name))) {
      p->error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "the type %s is used and not described", name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean parse_all(Parser *p) {
  if (!parse_interface(p))
    return FALSE;
  for (skip_space(p); *p->at; skip_space(p))
    if (!parse_member(p))
      return FALSE;
  return check_used(p);
}

AditIdl *adit_idl_parse(const char *text, GError **error) {
  AditIdl *idl = g_new0(AditIdl, 1);
  Parser p = {.text = text, .at = text, .idl = idl, .used = g_ptr_array_new()};

  idl->methods = g_ptr_array_new_with_free_func(method_free);
  idl->types = g_ptr_array_new_with_free_func(g_free);
  idl->described = g_ptr_array_new();
  idl->owned = g_ptr_array_new_with_free_func(type_free);
  idl->errors = g_ptr_array_new_with_free_func(g_free);
  gboolean good = parse_all(&p);
  g_ptr_array_unref(p.used);
  if (good)
    return idl;
  g_propagate_error(error, p.error);
  adit_idl_free(idl);
  return NULL;
}
