/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/exports.h - what a shared object exports. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** Global names that a file of this machine's ELF class defines, besides `adit_plugin_info` and those that tools add; separated by ", ", at
 *  most five; NULL if there are none, or the file can't be read so. Weak ones, which C++ has for templates, are left out. */
char *adit_exports_extra(const guint8 *file, gsize size);

G_END_DECLS
