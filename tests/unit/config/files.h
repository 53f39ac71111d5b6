/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** files.h - configuration files in a folder of their own, and a schema for them. cmocka.h comes before it. */
#pragma once

#include "core/config/config.h"
#include "schema-of-tests.h"
#include <glib/gstdio.h>
#include <sys/stat.h>

static inline AditSchema *schema_new(void) {
  AditSchema *schema = adit_schema_new();
  assert_true(adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options)));
  assert_true(adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  return schema;
}

typedef struct {
  char *folder, *main;
} Files;

static inline void files_open(Files *files) {
  files->folder = g_dir_make_tmp("adit-config-XXXXXX", NULL);
  files->main = g_build_filename(files->folder, "adit.yaml", NULL);
  g_autofree char *conf_d = g_build_filename(files->folder, "conf.d", NULL);
  assert_int_equal(g_mkdir(conf_d, 0700), 0);
}

static inline void files_write(const Files *files, const char *name, const char *text, int mode) {
  g_autofree char *path = g_build_filename(files->folder, name, NULL);
  assert_true(g_file_set_contents(path, text, -1, NULL));
  assert_int_equal(g_chmod(path, mode), 0);
}

static inline void files_close(Files *files) {
  g_autofree char *conf_d = g_build_filename(files->folder, "conf.d", NULL);
  const char *const folders[] = {conf_d, files->folder};
  for (int i = 0; i < 2; i++) {
    g_autoptr(GDir) dir = g_dir_open(folders[i], 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
      g_autofree char *path = g_build_filename(folders[i], name, NULL);
      if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        g_unlink(path);
    }
    g_rmdir(folders[i]);
  }
  g_free(files->folder);
  g_free(files->main);
}
