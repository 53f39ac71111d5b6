/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Feeds files to a fuzz target: those named as arguments (a file or a folder each), or the target's corpus. Each input is also
 * tried cut short at every length up to 64 octets, which costs nothing and finds most reads past the end. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static guint feed(const char *path) {
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  guint fed = 0;

  if (dir) {
    for (const char *name; (name = g_dir_read_name(dir));) {
      g_autofree char *child = g_build_filename(path, name, NULL);
      fed += feed(child);
    }
    return fed;
  }

  g_autofree char *content = NULL;
  gsize length = 0;
  if (!g_file_get_contents(path, &content, &length, NULL))
    return 0;
  for (gsize cut = 0; cut <= length; cut++) {
    if (cut > 64)
      cut = length;
    guint8 *exact = (guint8 *)malloc(MAX(cut, 1)); /* exactly as long as the input: ASan sees the octet behind it */
    memcpy(exact, content, cut);
    LLVMFuzzerTestOneInput(exact, cut);
    free(exact);
  }
  return 1;
}

int main(int argc, char **argv) {
  guint fed = 0;

  for (int i = 1; i < argc; i++)
    fed += feed(argv[i]);
  if (argc == 1) {
    g_autofree char *base = g_path_get_basename(argv[0]);
    const char *name = g_str_has_prefix(base, "lt-") ? base + 3 : base;
    const char *top = g_getenv("top_srcdir");
    g_autofree char *corpus =
        g_build_filename(top ? top : ".", "tests/fuzz/corpus", g_str_has_prefix(name, "fuzz-") ? name + 5 : name, NULL);
    fed = feed(corpus);
  }
  g_print("%s: %u inputs\n", argv[0], fed);
  return fed ? 0 : 1; /* an empty corpus tests nothing */
}
