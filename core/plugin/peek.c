/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which plugins does the configuration name? Needed before the schema, which the plugins make. Mistakes are not told here: the file is read
 * again, and checked, once the schema is complete. */
#include "core/plugin/daemon.h"
#include <stdio.h>
#include <yaml.h>

static const char *scalar(const yaml_node_t *node) {
  return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void take_names(yaml_document_t *document, const yaml_node_t *node, GPtrArray *names) {
  if (scalar(node) && *scalar(node))
    g_ptr_array_add(names, g_strdup(scalar(node)));
  if (!node || node->type != YAML_SEQUENCE_NODE)
    return;
  for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
    const char *name = scalar(yaml_document_get_node(document, *item));
    if (name)
      g_ptr_array_add(names, g_strdup(name));
  }
}

/* TRUE if the file has the key. */
static gboolean peek_file(const char *path, GPtrArray *names) {
  yaml_parser_t parser;
  yaml_document_t document;
  gboolean found = FALSE;
  FILE *file = fopen(path, "re");

  if (!file)
    return FALSE;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_file(&parser, file);
  if (yaml_parser_load(&parser, &document)) {
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    if (root && root->type == YAML_MAPPING_NODE)
      for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
        if (g_strcmp0(scalar(yaml_document_get_node(&document, pair->key)), "plugins"))
          continue;
        found = TRUE;
        take_names(&document, yaml_document_get_node(&document, pair->value), names);
      }
    yaml_document_delete(&document);
  }
  yaml_parser_delete(&parser);
  fclose(file);
  return found;
}

static int by_name(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **adit_peek_plugins(const char *path) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *folder = g_path_get_dirname(path), *more = g_build_filename(folder, "conf.d", NULL);
  g_autoptr(GDir) dir = g_dir_open(more, 0, NULL);
  gboolean found = peek_file(path, names);

  for (const char *name; dir && (name = g_dir_read_name(dir));)
    if (g_str_has_suffix(name, ".yaml"))
      g_ptr_array_add(files, g_build_filename(more, name, NULL));
  g_ptr_array_sort(files, by_name);
  for (guint i = 0; i < files->len; i++)
    found |= peek_file((const char *)files->pdata[i], names);
  if (!found)
    return NULL;
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
