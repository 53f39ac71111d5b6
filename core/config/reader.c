/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/reader.h"
#include "core/config/config.h"
#include "core/config/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>

static struct {
  AditHelper *helper;
  char *config, *conf_d; /* absolute */
} self;

/* ---- in the helper: which files it opens ---- */

static gboolean is_fragment(const char *path) {
  gsize length = strlen(self.conf_d);
  return g_str_has_prefix(path, self.conf_d) && path[length] == '/' && path[length + 1] != '.' && !strchr(path + length + 1, '/') &&
         g_str_has_suffix(path, ".yaml");
}

static gboolean names_path(const AditYaml *node, const char *path) {
  if (node->kind == ADIT_YAML_SCALAR)
    return g_str_equal(node->text, path);
  for (guint i = 0; node->items && i < node->items->len; i++)
    if (names_path(node->items->pdata[i], path))
      return TRUE;
  return FALSE;
}

static gboolean file_names_path(const char *file, const char *path) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autofree char *text = NULL;
  gsize length = 0;
  gboolean found = FALSE;

  if (!g_file_get_contents(file, &text, &length, NULL))
    return FALSE;
  g_autoptr(AditYaml) tree = adit_yaml_parse("configuration", text, length, errors);
  found = tree && names_path(tree, path);
  explicit_bzero(text, length);
  return found;
}

/* As the files are now: a path that they name no more is no longer open. */
static gboolean is_named(const char *path) {
  DIR *dir = NULL;
  gboolean found = file_names_path(self.config, path);

  if (!found)
    dir = opendir(self.conf_d);
  for (const struct dirent *entry; dir && !found && (entry = readdir(dir));) {
    g_autofree char *file = g_build_filename(self.conf_d, entry->d_name, NULL);
    found = is_fragment(file) && file_names_path(file, path);
  }
  if (dir)
    closedir(dir);
  return found;
}

static gboolean may_open(const char *path) {
  return g_str_equal(path, self.config) || g_str_equal(path, self.conf_d) || is_fragment(path) || (*path == '/' && is_named(path));
}

static int open_configured(const char *path) {
  return may_open(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
}

/* ---- the daemon ---- */

void adit_reader_start(const char *path) {
  g_return_if_fail(!self.helper);
  self.config = g_canonicalize_filename(path, NULL);
  g_autofree char *folder = g_path_get_dirname(self.config);
  self.conf_d = g_build_filename(folder, "conf.d", NULL);
  self.helper = adit_helper_start("adit-reader", G_GUINT64_CONSTANT(1) << CAP_DAC_READ_SEARCH, open_configured);
}

void adit_reader_settle(const AditUser *user) {
  adit_helper_settle(self.helper, user);
}

int adit_reader_open(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd >= 0 || errno != EACCES)
    return fd;
  g_autofree char *whole = g_canonicalize_filename(path, NULL);
  return adit_helper_request(self.helper, whole);
}

void adit_reader_stop(void) {
  g_clear_pointer(&self.helper, adit_helper_stop);
  g_clear_pointer(&self.config, g_free);
  g_clear_pointer(&self.conf_d, g_free);
}
