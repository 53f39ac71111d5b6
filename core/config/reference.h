/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/reference.h - the schema as documentation: what `aditd --print-schema=` prints. The caller frees. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** The option tables of adit.yaml(5), as roff (man macros): one section for each scope, from the top level down. */
char *adit_reference_man(const AditSchema *schema);

/** A commented configuration that shows each option with its default: valid YAML, all of it commented out. */
char *adit_reference_sample(const AditSchema *schema);

/** JSON Schema (draft 2020-12) for editors. */
char *adit_reference_json(const AditSchema *schema);

/**
 * The output of `aditd --print-schema=WHAT`: `man`, `sample`, `json` as above, or `schema:NAME`, the text of NAME.schema for
 * plugin NAME (or `core`). NULL with an error that names the choices for any other word, or an owner that is not there.
 */
char *adit_reference_print(const AditSchema *schema, const char *what, GError **error);

G_END_DECLS
