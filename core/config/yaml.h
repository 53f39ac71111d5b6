/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/yaml.h - YAML as an untyped tree with the place of each value. [any] */
#pragma once

#include "core/config/errors.h"

G_BEGIN_DECLS

#define ADIT_YAML_SIZE_MAX   (16u << 20) /**< octets of one file */
#define ADIT_YAML_NODES_MAX  (2u << 20)  /**< nodes of one file */
#define ADIT_YAML_DEPTH_MAX  16u         /**< maps and lists within each other */
#define ADIT_YAML_SCALAR_MAX (64u << 10) /**< octets of one key or value */

typedef enum {
  ADIT_YAML_SCALAR = 1,
  ADIT_YAML_LIST,
  ADIT_YAML_MAP,
} AditYamlKind;

typedef struct {
  AditYamlKind kind;
  AditWhere where;   /**< of its key in a map, else its own */
  gboolean plain;    /**< SCALAR: without quotes; plain and empty means nothing was written */
  char *text;        /**< SCALAR; wiped when freed */
  char *key;         /**< its name, when it is in a map */
  GPtrArray *items;  /**< LIST and MAP: of AditYaml*, in order */
  GHashTable *index; /**< MAP: key -> item, both borrowed */
} AditYaml;

void adit_yaml_free(AditYaml *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditYaml, adit_yaml_free)

/**
 * Parses one file's text. The result is a MAP (empty for an empty text), or NULL when it can't be read. Duplicate keys are
 * told, and the first one kept. `file` is interned. Anchors, aliases, tags and further documents are refused:
 * nothing in the text can grow.
 */
AditYaml *adit_yaml_parse(const char *file, const char *text, gsize length, AditConfigErrors *errors);

/** Joins `from` (taken over) into the MAP `into`: maps join, lists append, a scalar set twice is an error that names both places. */
void adit_yaml_merge(AditYaml *into, AditYaml *from, AditConfigErrors *errors);

static inline gboolean adit_yaml_is_empty(const AditYaml *node) {
  return node->kind == ADIT_YAML_SCALAR && node->plain && !*node->text;
}

/** Appends `.key` (or `key` at the beginning) to a path, with anything unprintable made harmless. */
void adit_yaml_path_key(GString *path, const char *key);

G_END_DECLS
