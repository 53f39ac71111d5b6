/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/check.h"
#include "core/config/reader.h"

typedef struct {
  const AditSchema *schema;
  AditConfigErrors *errors;
  GHashTable *modes; /* interned name -> mode */
  AditYaml *top;
  gboolean broken; /* a file could not be read: the rest can't be judged */
} Load;

/* The group of the user that the daemon runs as: it may read files with secrets. 0 = none may. */
static gid_t reader_gid;

void adit_config_set_reader(gid_t gid) {
  reader_gid = gid;
}

static gboolean read_all(int fd, GByteArray *text, GError **error) {
  guint8 buffer[16384];
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_SYSTEM, g_strerror(errno));
      return FALSE;
    }
    if (n == 0)
      return TRUE;
    g_byte_array_append(text, buffer, (guint)n);
    explicit_bzero(buffer, (size_t)n);
    if (text->len > ADIT_YAML_SIZE_MAX) /* adit_yaml_parse() says so */
      return TRUE;
  }
}

static GByteArray *read_file(const char *path, mode_t *mode, GError **error) {
  struct stat st;
  int fd = adit_reader_open(path);
  if (fd < 0 || fstat(fd, &st) < 0) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_SYSTEM, g_strerror(errno));
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  /* As large as the file: what grows leaves secrets behind where it was. And never NULL inside: an empty file is a text, too. */
  gsize size = st.st_size > 0 && st.st_size <= ADIT_YAML_SIZE_MAX ? (gsize)st.st_size : 0;
  GByteArray *text = g_byte_array_sized_new((guint)size + 1);
  gboolean ok = FALSE;
  if (S_ISDIR(st.st_mode))
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_SYSTEM, g_strerror(EISDIR));
  else
    ok = read_all(fd, text, error);
  close(fd);
  *mode = reader_gid && st.st_gid == reader_gid ? st.st_mode & ~(mode_t)S_IRGRP : st.st_mode;
  if (!ok)
    g_clear_pointer(&text, g_byte_array_unref);
  return text;
}

static void load_text(Load *load, const char *file, const char *text, gsize length) {
  AditYaml *tree = adit_yaml_parse(file, text, length, load->errors);
  if (!tree)
    load->broken = TRUE;
  else if (!load->top)
    load->top = tree;
  else
    adit_yaml_merge(load->top, tree, load->errors);
}

static void load_file(Load *load, const char *path) {
  const char *file = g_intern_string(path);
  g_autoptr(GError) error = NULL;
  mode_t mode = 0;
  GByteArray *text = read_file(path, &mode, &error);

  if (!text) {
    adit_config_error(load->errors, (AditWhere){file, 0, 0}, NULL, "%s", error->message);
    load->broken = TRUE;
    return;
  }
  g_hash_table_insert(load->modes, (gpointer)file, GUINT_TO_POINTER(mode));
  load_text(load, file, (const char *)text->data, text->len);
  explicit_bzero(text->data, text->len);
  g_byte_array_unref(text);
}

static gint compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of conf.d's files beside `path`, in order; a missing folder is an empty one. */
static GPtrArray *list_fragments(Load *load, const char *path) {
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *folder = strchr(path, '/') ? g_path_get_dirname(path) : NULL;
  g_autofree char *conf_d = folder ? g_build_filename(folder, "conf.d", NULL) : g_strdup("conf.d");
  int fd = adit_reader_open(conf_d), why = errno;
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

  if (fd >= 0 && !dir) {
    why = errno;
    close(fd);
  }
  if (!dir && why != ENOENT) {
    adit_config_error(load->errors, (AditWhere){g_intern_string(conf_d), 0, 0}, NULL, "%s", g_strerror(why));
    load->broken = TRUE;
  }
  for (const struct dirent *entry; dir && (entry = readdir(dir));)
    if (*entry->d_name != '.' && g_str_has_suffix(entry->d_name, ".yaml"))
      g_ptr_array_add(paths, g_build_filename(conf_d, entry->d_name, NULL));
  if (dir)
    closedir(dir);
  g_ptr_array_sort(paths, compare_names);
  return paths;
}

static void warn_modes(Load *load, GHashTable *secret_files) {
  GHashTableIter iter;
  gpointer file;
  g_hash_table_iter_init(&iter, secret_files);
  while (g_hash_table_iter_next(&iter, &file, NULL)) {
    guint mode = GPOINTER_TO_UINT(g_hash_table_lookup(load->modes, file));
    if (mode & 077)
      adit_config_warning(
          load->errors, (AditWhere){file, 0, 0}, NULL,
          "holds secrets and is accessible for others than its owner (mode %04o): chmod 600 %s, or 640 and the daemon's group",
          mode & 07777, (const char *)file);
  }
}

static void load_clear(Load *load) {
  adit_yaml_free(load->top);
  g_hash_table_unref(load->modes);
}

static AditValue *finish_load(Load *load) {
  g_autoptr(GHashTable) secret_files = g_hash_table_new(g_direct_hash, g_direct_equal);
  g_autoptr(AditValue) tree = NULL;
  const char *bug = adit_schema_error(load->schema);

  if (bug)
    adit_config_error(load->errors, (AditWhere){NULL, 0, 0}, NULL, "%s", bug);
  else if (!load->broken)
    tree = adit_config_check(load->schema, load->top, secret_files, load->errors);
  warn_modes(load, secret_files);
  load_clear(load);
  return adit_config_errors_count(load->errors) ? NULL : g_steal_pointer(&tree);
}

static void load_all(Load *load, const char *path) {
  load_file(load, path);
  g_autoptr(GPtrArray) paths = list_fragments(load, path);
  for (guint i = 0; i < paths->len; i++)
    load_file(load, paths->pdata[i]);
}

char **adit_config_peek(const char *path, const char *key) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
  Load load = {NULL, errors, g_hash_table_new(g_direct_hash, g_direct_equal), NULL, FALSE};

  load_all(&load, path);
  const AditYaml *node = load.top ? g_hash_table_lookup(load.top->index, key) : NULL;
  if (node && node->kind == ADIT_YAML_SCALAR && *node->text)
    g_ptr_array_add(words, g_strdup(node->text));
  for (guint i = 0; node && node->kind == ADIT_YAML_LIST && i < node->items->len; i++) {
    const AditYaml *item = node->items->pdata[i];
    if (item->kind == ADIT_YAML_SCALAR)
      g_ptr_array_add(words, g_strdup(item->text));
  }
  gboolean written = node != NULL && !load.broken;
  load_clear(&load);
  g_ptr_array_add(words, NULL);
  return written ? (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE) : NULL;
}

AditValue *adit_config_load(const AditSchema *schema, const char *path, AditConfigErrors *errors) {
  Load load = {schema, errors, g_hash_table_new(g_direct_hash, g_direct_equal), NULL, FALSE};
  load_all(&load, path);
  return finish_load(&load);
}

AditValue *adit_config_load_text(const AditSchema *schema, const char *name, const char *text, gssize length, AditConfigErrors *errors) {
  Load load = {schema, errors, g_hash_table_new(g_direct_hash, g_direct_equal), NULL, FALSE};
  load_text(&load, g_intern_string(name), text, length < 0 ? strlen(text) : (gsize)length);
  return finish_load(&load);
}
