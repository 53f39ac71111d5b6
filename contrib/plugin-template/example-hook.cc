/* SPDX-License-Identifier: MIT */
/*
 * Hooks, in C++20: a veto on the sessions of listed users, and the names of interfaces. What the headers hold is C: structs are initialised
 * in the order of their members, the plugin is defined outside of any namespace, and no exception leaves a function that adit calls.
 */
#include <adit/adit.h>
#include <adit/mistake.h>
#include <string>
#include <unordered_set>

namespace {

struct Rules {
  std::unordered_set<std::string> denied;
  std::string prefix;
};

struct Hook {
  Rules *rules = nullptr; // in force
};

const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "example-hook.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "example-hook.def"
#undef ADIT_OPTION_ROW

/* The reason is copied as soon as the hook returns; a string that lives as long as the plugin is right, one on the stack is not. */
const char *may_start(const AditEvent *about, gpointer data) {
  const auto *event = reinterpret_cast<const AditSessionEvent *>(about);
  const auto *self = static_cast<Hook *>(data);
  return event->user && self->rules && self->rules->denied.count(event->user) ? "this user is on the list of example-hook" : nullptr;
}

AditValue *interface_name(const AditEvent *about, gpointer data) {
  const auto *event = reinterpret_cast<const AditSessionEvent *>(about);
  const auto *self = static_cast<Hook *>(data);
  if (!self->rules || self->rules->prefix.empty() || !event->user)
    return nullptr; // the next hook, or the daemon, has a name
  return adit_value_string((self->rules->prefix + event->user).substr(0, 15).c_str());
}

gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const auto *bus = static_cast<const AditBusService *>(host->service(plugin, ADIT_BUS_SERVICE, 1));
  if (!bus)
    return FALSE;
  auto *self = new Hook;
  bus->veto_add(plugin, ADIT_VETO_SESSION, 0, may_start, self);
  bus->value_add(plugin, ADIT_VALUE_INTERFACE_NAME, 0, interface_name, self);
  *state = self;
  return TRUE;
}

gboolean prepare(gpointer, const AditValue *config, gpointer *staged, gboolean *, AditPrepared, GError **error) {
  const AditValue *map = example_hook_option(config), *list = example_hook_option_deny(map);
  const char *prefix = example_hook_option_prefix(map);
  auto *rules = new Rules;

  rules->prefix = prefix ? prefix : "";
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *user = adit_value_at(list, i);
    if (!rules->denied.insert(user->as.string).second)
      adit_mistake(error, user, "deny", "user `%s` is there twice: leave one out", user->as.string);
  }
  if (error && *error) {
    delete rules;
    return FALSE;
  }
  *staged = rules;
  return TRUE;
}

void commit(gpointer state, gpointer staged) {
  auto *self = static_cast<Hook *>(state);
  delete self->rules;
  self->rules = static_cast<Rules *>(staged);
}

void undo(gpointer, gpointer staged) {
  delete static_cast<Rules *>(staged);
}

void fini(gpointer state) {
  auto *self = static_cast<Hook *>(state);
  delete self->rules;
  delete self;
}

} // namespace

ADIT_PLUGIN_DEFINE(hook, .name = "example-hook", .version = "1.0", .summary = "who gets no session, and names of interfaces",
                   .options = options, .n_options = G_N_ELEMENTS(options), .init = init, .prepare = prepare, .commit = commit,
                   .abort = undo, .fini = fini);
