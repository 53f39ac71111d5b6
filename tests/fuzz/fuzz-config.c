/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The YAML reader, the typing by a schema, the formatting of values, and NAME.schema files (inputs that begin with `[`). */
#include "../unit/config/schema-of-tests.h"
#include "core/config/config.h"
#include "core/config/format.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static AditSchema *schema;

static void fuzz_schema_file(const guint8 *data, gsize size) {
  g_autoptr(AditSchema) other = adit_schema_new();
  g_autofree char *text = g_strndup((const char *)data, size);
  if (adit_schema_read(other, "other", text, NULL)) {
    g_autofree char *written = adit_schema_write(other, "other");
    g_assert_nonnull(written);
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  if (!schema) {
    schema = adit_schema_new();
    g_assert_true(adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options)));
    g_assert_true(adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  }
  if (size && data[0] == '[')
    fuzz_schema_file(data, size);

  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) tree = adit_config_load_text(schema, "fuzz.yaml", (const char *)data, (gssize)size, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  g_assert_true((tree == NULL) == (*told != 0));
  g_autofree char *written = adit_option_format(NULL, tree);
  g_assert_true((tree == NULL) == (written == NULL));
  return 0;
}
