/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a plugin brings: its description of a Varlink interface, and the file that it is. */
#include "core/control/idl.h"
#include "core/plugin/exports.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* What was read can be found again, and is written in letters that Varlink has. */
static void look_at(const AditIdl *idl) {
  for (guint i = 0; i < idl->methods->len; i++) {
    const AditIdlMethod *method = (const AditIdlMethod *)idl->methods->pdata[i];
    g_assert(adit_idl_method(idl, method->name) == method);
    const GPtrArray *names = method->in->names;
    g_assert(names->len == method->in->types->len);
    for (guint p = 0; p < names->len; p++)
      g_assert(adit_idl_has(names, (const char *)names->pdata[p], strlen((const char *)names->pdata[p])));
  }
  g_assert(strchr(idl->interface, '.'));
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autoptr(GError) error = NULL;
  g_autoptr(AditIdl) idl = adit_idl_parse(text, &error);
  g_autofree guint8 *exact = (guint8 *)g_memdup2(data, size); /* so that a read past its end is seen */
  g_autofree char *extra = adit_exports_extra(exact, size);

  g_assert(!idl == !!error);
  if (idl)
    look_at(idl);
  g_assert(!extra || *extra);
  return 0;
}
