/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/config/attributes.h"

#include "core/base/loop.h"
#include "core/config/accept.h"
#include "core/config/defaults.h"
#include "core/config/schema.h"
#include "core/session/session.h"

static const AditSchema *schema;

void adit_session_set_schema(const AditSchema *now) {
  schema = now;
}

const AditOption *adit_attribute_option(const char *name) {
  static const char *const scopes[] = {ADIT_SCOPE_SESSION, ADIT_SCOPE_PROFILE, ADIT_SCOPE_SECRET};

  for (gsize i = 0; schema && i < G_N_ELEMENTS(scopes); i++) {
    const AditSchemaEntry *entry = adit_schema_find(schema, scopes[i], name);
    if (entry)
      return entry->option;
  }
  return NULL;
}

AditValue *adit_attributes_defaults(void) {
  return schema ? adit_schema_defaults(schema, ADIT_SCOPE_PROFILE) : adit_value_map();
}

AditValue *adit_attributes_check(AditValue *given, const char *source, const AditLogContext *log, GError **error) {
  static AditRateLimit strangers;
  g_autoptr(AditValue) good = adit_value_map();
  guint kept = 0;

  for (guint i = 0; i < adit_value_length(given); i++) {
    const char *name = adit_value_key(given, i);
    const AditValue *value = adit_value_get(given, name);
    const AditOption *option = adit_attribute_option(name);
    if (schema && !option) {
      if (adit_rate_allows(&strangers, adit_loop_service()->now(), 5, 1000, &kept))
        adit_warning(log, "source %s returned the unknown attribute %s: ignored%s", source, name, kept ? " (and more like it)" : "");
      continue;
    }
    if (option && !adit_option_accepts(option, value, error)) {
      g_prefix_error(error, "source %s returned an invalid attribute: %s ", source, name);
      return NULL;
    }
    adit_value_set(good, name, adit_value_ref(value));
  }
  return g_steal_pointer(&good);
}
