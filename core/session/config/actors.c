/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* An attribute that nothing acts on is no promise: a throttle or a block that is acknowledged must be in force. */
#include "core/session/config/actors.h"

#include "core/base/misuse.h"
#include "core/session/config/attributes.h"
#include <adit/session.h>

typedef struct {
  const AditPlugin *plugin;
  char *attribute;
} Actor;

static GArray *actors; /* of Actor */

static void actor_clear(gpointer actor) {
  g_free(((Actor *)actor)->attribute);
}

void adit_actors_init(void) {
  actors = g_array_new(FALSE, FALSE, sizeof(Actor));
  g_array_set_clear_func(actors, actor_clear);
}

void adit_actors_fini(void) {
  g_clear_pointer(&actors, g_array_unref);
}

gboolean adit_actor_add(AditPlugin *plugin, const char *attribute, GError **error) {
  ADIT_MAIN_ONLY("adit.session actor_add", FALSE);
  if (!attribute || !*attribute)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "actor_add() without an attribute");
  if (!adit_registration_allowed(plugin, "actor_add", NULL, attribute, error))
    return FALSE;
  const Actor actor = {plugin, g_strdup(attribute)};
  g_array_append_val(actors, actor);
  return TRUE;
}

static gboolean is_acted_on(const char *attribute) {
  for (guint i = 0; i < actors->len; i++)
    if (strcmp(g_array_index(actors, Actor, i).attribute, attribute) == 0)
      return TRUE;
  return FALSE;
}

gboolean adit_actor_exists(const char *attribute) {
  ADIT_MAIN_ONLY("adit.session actor_exists", FALSE);
  const AditOption *option = adit_attribute_option(attribute);
  return option && (!(option->flags & ADIT_OPTION_CARRIED) || is_acted_on(attribute));
}

void adit_actors_drop_plugin(const AditPlugin *plugin) {
  for (guint i = actors->len; i-- > 0;)
    if (g_array_index(actors, Actor, i).plugin == plugin)
      g_array_remove_index(actors, i);
}

char *adit_actors_missing(const AditValue *attributes) {
  GString *text = NULL;

  for (guint i = 0; i < adit_value_length(attributes); i++) {
    const char *name = adit_value_key(attributes, i);
    if (!adit_attribute_option(name) || adit_actor_exists(name))
      continue;
    if (!text)
      text = g_string_new(name);
    else
      g_string_append_printf(text, ", %s", name);
  }
  return text ? g_string_free(text, FALSE) : NULL;
}
