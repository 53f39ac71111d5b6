/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/plugin/exports.h"
#include <link.h>
#include <string.h>

enum { NAMED_MAX = 5 };

typedef struct {
  const guint8 *file;
  gsize size;
} Image;

/* FALSE if the file ends before. */
static gboolean read_at(const Image *image, guint64 offset, gpointer out, gsize length) {
  if (offset > image->size || image->size - offset < length)
    return FALSE;
  memcpy(out, image->file + offset, length);
  return TRUE;
}

static const char *text_at(const Image *image, const ElfW(Shdr) * strings, guint32 name) {
  guint64 at = (guint64)strings->sh_offset + name;
  if (name >= strings->sh_size || at >= image->size || !memchr(image->file + at, 0, image->size - at))
    return NULL;
  return (const char *)image->file + at;
}

static gboolean read_header(const Image *image, ElfW(Ehdr) * header) {
  return read_at(image, 0, header, sizeof *header) && !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
         header->e_ident[EI_CLASS] == (sizeof(ElfW(Addr)) == 8 ? ELFCLASS64 : ELFCLASS32) && header->e_shentsize == sizeof(ElfW(Shdr));
}

static gboolean read_section(const Image *image, const ElfW(Ehdr) * header, guint index, ElfW(Shdr) * section) {
  return index < header->e_shnum && read_at(image, (guint64)header->e_shoff + (guint64)index * sizeof *section, section, sizeof *section);
}

/* The linker's own, and those of sanitizers and coverage. */
static gboolean is_of_tools(const char *name) {
  static const char *const words[] = {"_init", "_fini", "_edata", "_end", "__bss_start", "edata", "end", "etext", "_etext"};
  static const char *const beginnings[] = {"__odr_asan", "__asan_", "__ubsan_", "__tsan_", "__sanitizer_", "__sancov_",
                                           "__start_",   "__stop_", "__llvm_",  "__gcov_", "__profd_"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (!strcmp(name, words[i]))
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(beginnings); i++)
    if (g_str_has_prefix(name, beginnings[i]))
      return TRUE;
  return FALSE;
}

static gboolean is_extra(const ElfW(Sym) * symbol, const char *name) {
  guint visibility = symbol->st_other & 3;
  return name && *name && symbol->st_shndx != SHN_UNDEF && (symbol->st_info >> 4) == STB_GLOBAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED) && strcmp(name, "adit_plugin_info") != 0 && !is_of_tools(name);
}

static char *extra_of_table(const Image *image, const ElfW(Shdr) * table, const ElfW(Shdr) * strings) {
  g_autoptr(GString) names = g_string_new(NULL);
  ElfW(Sym) symbol;
  guint found = 0;

  for (guint64 at = 0; at + sizeof symbol <= table->sh_size && found < NAMED_MAX; at += sizeof symbol) {
    if (!read_at(image, (guint64)table->sh_offset + at, &symbol, sizeof symbol))
      break;
    const char *name = text_at(image, strings, symbol.st_name);
    if (is_extra(&symbol, name))
      g_string_append_printf(names, "%s%.80s", found++ ? ", " : "", name);
  }
  return found ? g_string_free(g_steal_pointer(&names), FALSE) : NULL;
}

char *adit_exports_extra(const guint8 *file, gsize size) {
  const Image image = {file, size};
  ElfW(Ehdr) header;
  ElfW(Shdr) section, strings;

  if (!read_header(&image, &header))
    return NULL;
  for (guint i = 0; read_section(&image, &header, i, &section); i++)
    if (section.sh_type == SHT_DYNSYM && read_section(&image, &header, section.sh_link, &strings))
      return extra_of_table(&image, &section, &strings);
  return NULL;
}
