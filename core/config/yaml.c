/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/yaml.h"

#include <yaml.h>

#define PATH_KEY_MAX 64

typedef struct {
  yaml_parser_t parser;
  const char *file; /* interned */
  const char *text;
  gsize length;
  guint depth, nodes;
  GString *path;
  AditConfigErrors *errors;
} Reader;

void adit_yaml_free(AditYaml *node) {
  if (!node)
    return;
  if (node->text)
    explicit_bzero(node->text, strlen(node->text));
  g_free(node->text);
  g_free(node->key);
  g_clear_pointer(&node->index, g_hash_table_unref);
  g_clear_pointer(&node->items, g_ptr_array_unref);
  g_free(node);
}

static AditYaml *node_new(AditYamlKind kind, AditWhere where) {
  AditYaml *node = g_new0(AditYaml, 1);
  node->kind = kind;
  node->where = where;
  if (kind != ADIT_YAML_SCALAR)
    node->items = g_ptr_array_new_with_free_func((GDestroyNotify)adit_yaml_free);
  if (kind == ADIT_YAML_MAP)
    node->index = g_hash_table_new(g_str_hash, g_str_equal);
  return node;
}

static void map_add(AditYaml *map, AditYaml *item) {
  g_ptr_array_add(map->items, item);
  g_hash_table_insert(map->index, item->key, item);
}

void adit_yaml_path_key(GString *path, const char *key) {
  if (path->len)
    g_string_append_c(path, '.');
  for (guint n = 0; *key; key++, n++) {
    if (n == PATH_KEY_MAX) {
      g_string_append(path, "...");
      return;
    }
    g_string_append_c(path, g_ascii_isgraph(*key) || (guchar)*key >= 0x80 ? *key : '?');
  }
}

static AditWhere mark_where(const Reader *r, const yaml_mark_t *mark) {
  AditWhere where = {r->file, (guint)mark->line + 1, (guint)mark->column + 1};
  return where;
}

/* The place of an octet, for errors of which libyaml knows the offset alone. Columns count characters. */
static AditWhere offset_where(const Reader *r, gsize offset) {
  AditWhere where = {r->file, 1, 1};
  for (gsize i = 0; i < MIN(offset, r->length); i++) {
    if (r->text[i] == '\n') {
      where.line++;
      where.column = 1;
    } else if (((guchar)r->text[i] & 0xc0) != 0x80) {
      where.column++;
    }
  }
  return where;
}

/* True if there is a tab at a mark, or in the blanks before it: libyaml says only that something "cannot start any token". */
static gboolean is_tab(const Reader *r, const yaml_mark_t *mark) {
  const char *p = r->text, *end = r->text + r->length;
  for (size_t line = 0; line < mark->line && p; line++)
    if ((p = memchr(p, '\n', (gsize)(end - p))))
      p++;
  for (; p && p < end && (*p == ' ' || *p == '\t'); p++)
    if (*p == '\t')
      return TRUE;
  return FALSE;
}

/* Messages of libyaml, and their meaning for the author of a configuration. */
static const char *plain_words(const char *problem) {
  static const char *const words[][2] = {
      {"could not find expected ':'", "is no `key: value`: the colon is missing"},
      {"mapping values are not allowed in this context", "a colon where none can be: wrong indentation, or a value that needs quotes"},
      {"did not find expected key", "does not line up with the keys above it"},
      {"did not find expected '-' indicator", "does not line up with the list above it: an item begins with -"},
      {"block sequence entries are not allowed in this context", "a list cannot begin here: put it on its own lines"},
      {"did not find expected ',' or ']'", "the list is not closed: a , or ] is missing"},
      {"did not find expected ',' or '}'", "the map is not closed: a , or } is missing"},
      {"did not find expected node content", "a value is missing: is a [ or { not closed?"},
      {"found unexpected end of stream", "the file ends inside quotes"},
      {"found unexpected document indicator", "the document ends inside quotes"},
      {"found character that cannot start any token", "a value cannot begin with this character: put it in quotes"},
      {"found unknown escape character", "unknown escape: in 'single quotes' a \\ is just a \\"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (!strcmp(problem, words[i][0]))
      return words[i][1];
  return problem;
}

static void parser_error(Reader *r) {
  const yaml_parser_t *p = &r->parser;
  switch (p->error) {
  case YAML_READER_ERROR:
    adit_config_error(r->errors, offset_where(r, p->problem_offset), NULL, "%s", p->problem);
    break;
  case YAML_SCANNER_ERROR:
  case YAML_PARSER_ERROR:
    if (is_tab(r, &p->problem_mark))
      adit_config_error(r->errors, mark_where(r, &p->problem_mark), NULL, "a tab may not indent: use spaces");
    else if (p->context && p->context_mark.line != p->problem_mark.line)
      adit_config_error(r->errors, mark_where(r, &p->problem_mark), NULL, "%s (it began at line %u)", plain_words(p->problem),
                        (guint)p->context_mark.line + 1);
    else
      adit_config_error(r->errors, mark_where(r, &p->problem_mark), NULL, "%s", plain_words(p->problem));
    break;
  case YAML_MEMORY_ERROR:
  case YAML_COMPOSER_ERROR:
  case YAML_WRITER_ERROR:
  case YAML_EMITTER_ERROR:
  case YAML_NO_ERROR:
    adit_config_error(r->errors, (AditWhere){r->file, 0, 0}, NULL, "%s", p->problem ? p->problem : "cannot be read");
    break;
  }
}

static gboolean next_event(Reader *r, yaml_event_t *event) {
  if (yaml_parser_parse(&r->parser, event))
    return TRUE;
  parser_error(r);
  return FALSE;
}

static void event_clear(yaml_event_t *event) {
  if (event->type == YAML_SCALAR_EVENT)
    explicit_bzero(event->data.scalar.value, event->data.scalar.length);
  yaml_event_delete(event);
}

static gboolean refuse_event(const Reader *r, const yaml_event_t *event, const char *why) {
  adit_config_error(r->errors, mark_where(r, &event->start_mark), r->path->str, "%s", why);
  return FALSE;
}

/* Features of YAML that a configuration must not use. */
static gboolean event_allowed(Reader *r, const yaml_event_t *event) {
  const yaml_char_t *anchor = NULL, *tag = NULL;

  if (event->type == YAML_ALIAS_EVENT)
    return refuse_event(r, event, "aliases (*) are not supported: write it out");
  if (event->type == YAML_SCALAR_EVENT) {
    anchor = event->data.scalar.anchor;
    tag = event->data.scalar.tag;
    if (event->data.scalar.length > ADIT_YAML_SCALAR_MAX)
      return refuse_event(r, event, "is longer than 65536 octets");
    if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
      return refuse_event(r, event, "may not hold a NUL");
  } else if (event->type == YAML_SEQUENCE_START_EVENT) {
    anchor = event->data.sequence_start.anchor;
    tag = event->data.sequence_start.tag;
  } else if (event->type == YAML_MAPPING_START_EVENT) {
    anchor = event->data.mapping_start.anchor;
    tag = event->data.mapping_start.tag;
  }
  if (anchor)
    return refuse_event(r, event, "anchors (&) are not supported: write it out");
  if (tag)
    return refuse_event(r, event, "tags (!) are not supported: options have their types");
  if (++r->nodes > ADIT_YAML_NODES_MAX)
    return refuse_event(r, event, "has too many values in one file");
  return TRUE;
}

static AditYaml *read_node(Reader *r, const yaml_event_t *event);

static gboolean read_list(Reader *r, AditYaml *list) {
  gsize base = r->path->len;
  for (;;) {
    yaml_event_t event;
    if (!next_event(r, &event))
      return FALSE;
    if (event.type == YAML_SEQUENCE_END_EVENT) {
      event_clear(&event);
      return TRUE;
    }
    g_string_append_printf(r->path, "[%u]", list->items->len);
    AditYaml *item = read_node(r, &event);
    event_clear(&event);
    if (!item)
      return FALSE;
    g_string_truncate(r->path, base);
    g_ptr_array_add(list->items, item);
  }
}

/* A key and its value. A key that is there already is told, its value read and dropped. */
static gboolean read_pair(Reader *r, AditYaml *map, const yaml_event_t *key) {
  if (!event_allowed(r, key))
    return FALSE;
  if (key->type != YAML_SCALAR_EVENT)
    return refuse_event(r, key, "a key must be a word");

  AditWhere where = mark_where(r, &key->start_mark);
  const char *name = (const char *)key->data.scalar.value;
  adit_yaml_path_key(r->path, name);
  const AditYaml *first = g_hash_table_lookup(map->index, name);
  if (first)
    adit_config_error(r->errors, where, r->path->str, "set twice: first at %s:%u:%u", first->where.file, first->where.line,
                      first->where.column);

  yaml_event_t event;
  if (!next_event(r, &event))
    return FALSE;
  g_autoptr(AditYaml) item = read_node(r, &event);
  event_clear(&event);
  if (!item)
    return FALSE;
  if (!first) {
    item->where = where;
    item->key = g_strdup(name);
    map_add(map, g_steal_pointer(&item));
  }
  return TRUE;
}

static gboolean read_map(Reader *r, AditYaml *map) {
  gsize base = r->path->len;
  for (;;) {
    yaml_event_t event;
    if (!next_event(r, &event))
      return FALSE;
    if (event.type == YAML_MAPPING_END_EVENT) {
      event_clear(&event);
      return TRUE;
    }
    gboolean ok = read_pair(r, map, &event);
    event_clear(&event);
    if (!ok)
      return FALSE;
    g_string_truncate(r->path, base);
  }
}

/* The node that `event` begins; NULL after telling what is wrong. */
static AditYaml *read_node(Reader *r, const yaml_event_t *event) {
  if (!event_allowed(r, event))
    return NULL;
  if (event->type == YAML_SCALAR_EVENT) {
    AditYaml *scalar = node_new(ADIT_YAML_SCALAR, mark_where(r, &event->start_mark));
    scalar->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    scalar->text = g_strndup((const char *)event->data.scalar.value, event->data.scalar.length);
    return scalar;
  }

  if (r->depth == ADIT_YAML_DEPTH_MAX) {
    refuse_event(r, event, "is nested too deep");
    return NULL;
  }
  gboolean list = event->type == YAML_SEQUENCE_START_EVENT;
  g_autoptr(AditYaml) node = node_new(list ? ADIT_YAML_LIST : ADIT_YAML_MAP, mark_where(r, &event->start_mark));
  r->depth++;
  gboolean ok = list ? read_list(r, node) : read_map(r, node);
  r->depth--;
  return ok ? g_steal_pointer(&node) : NULL;
}

/* The document's top node as a map, and nothing after it. */
static AditYaml *read_document(Reader *r) {
  g_autoptr(AditYaml) top = NULL;
  for (;;) {
    yaml_event_t event;
    if (!next_event(r, &event))
      return NULL;
    yaml_event_type_t type = event.type;
    gboolean ok = TRUE;

    if (type == YAML_DOCUMENT_START_EVENT) {
      ok = !top || refuse_event(r, &event, "a file holds one document: drop this `---`");
    } else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT && type != YAML_DOCUMENT_END_EVENT) {
      top = read_node(r, &event);
      ok = top != NULL;
      if (ok && top->kind != ADIT_YAML_MAP && !adit_yaml_is_empty(top))
        ok = refuse_event(r, &event, "a file must be a map of options (`key: value`)");
    }
    event_clear(&event);
    if (!ok)
      return NULL;
    if (type == YAML_STREAM_END_EVENT)
      break;
  }
  if (!top || top->kind != ADIT_YAML_MAP)
    return node_new(ADIT_YAML_MAP, (AditWhere){r->file, 1, 1});
  return g_steal_pointer(&top);
}

/* Octets that libyaml has read ahead: the text as it was, and decoded. */
static void wipe_parser(yaml_parser_t *parser) {
  if (parser->raw_buffer.start)
    explicit_bzero(parser->raw_buffer.start, (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
  if (parser->buffer.start)
    explicit_bzero(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
}

AditYaml *adit_yaml_parse(const char *file, const char *text, gsize length, AditConfigErrors *errors) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";

  /* Editors write one; libyaml counts it as a column, so that the first key would be indented. */
  if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
    text += 3;
    length -= 3;
  }
  Reader r = {.file = file, .text = text, .length = length, .errors = errors};
  const char *end = NULL;

  adit_config_errors_file(errors, file);
  if (length > ADIT_YAML_SIZE_MAX) {
    adit_config_error(errors, (AditWhere){file, 0, 0}, NULL, "is larger than 16 MiB");
    return NULL;
  }
  /* libyaml would guess UTF-16 from the first octets, and tell the offset of bad UTF-8 by its own buffer. */
  if (!g_utf8_validate(text, (gssize)length, &end)) {
    adit_config_error(errors, offset_where(&r, (gsize)(end - text)), NULL, *end ? "is not UTF-8" : "may not hold a NUL");
    return NULL;
  }
  if (!yaml_parser_initialize(&r.parser))
    g_error("out of memory");
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
  r.path = g_string_new(NULL);
  AditYaml *top = read_document(&r);
  g_string_free(r.path, TRUE);
  wipe_parser(&r.parser);
  yaml_parser_delete(&r.parser);
  return top;
}

static void merge_map(AditYaml *into, AditYaml *from, GString *path, AditConfigErrors *errors);

/* `item` meets `there`, which has the same path. Takes over `item`. */
static void merge_item(AditYaml *there, AditYaml *item, GString *path, AditConfigErrors *errors) {
  g_autoptr(AditYaml) own = item;

  if (adit_yaml_is_empty(item))
    return;
  if (there->kind == item->kind && there->kind == ADIT_YAML_MAP) {
    merge_map(there, g_steal_pointer(&own), path, errors);
  } else if (there->kind == item->kind && there->kind == ADIT_YAML_LIST) {
    g_ptr_array_extend_and_steal(there->items, g_steal_pointer(&own->items));
  } else {
    adit_config_error(errors, item->where, path->str, "set twice: first at %s:%u:%u", there->where.file, there->where.line,
                      there->where.column);
  }
}

static void merge_map(AditYaml *into, AditYaml *from, GString *path, AditConfigErrors *errors) {
  gsize base = path->len;
  g_autoptr(GPtrArray) items = g_steal_pointer(&from->items);

  g_ptr_array_set_free_func(items, NULL); /* each goes on below */
  for (guint i = 0; i < items->len; i++) {
    AditYaml *item = items->pdata[i];
    AditYaml *there = g_hash_table_lookup(into->index, item->key);
    adit_yaml_path_key(path, item->key);
    if (there && adit_yaml_is_empty(there)) { /* `profiles:` with nothing under it: the value of the other file replaces it */
      guint at;
      g_ptr_array_find(into->items, there, &at);
      g_hash_table_remove(into->index, there->key);
      g_ptr_array_remove_index(into->items, at);
      there = NULL;
    }
    if (there)
      merge_item(there, item, path, errors);
    else
      map_add(into, item);
    g_string_truncate(path, base);
  }
  adit_yaml_free(from);
}

void adit_yaml_merge(AditYaml *into, AditYaml *from, AditConfigErrors *errors) {
  GString *path = g_string_new(NULL);
  merge_map(into, from, path, errors);
  g_string_free(path, TRUE);
}
