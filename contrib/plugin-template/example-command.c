/* SPDX-License-Identifier: MIT */
/*
 * A command of aditctl: `aditctl show example` lists how often users have come, `aditctl example forget USER` forgets one. It shows an
 * interface with its description, a list that is made row by row, a method that changes something, and events.
 */
#include <adit/adit.h>

typedef struct {
  const AditControlService *control;
  GHashTable *visits; /* user -> count */
} Command;

static const char description[] = "# How often users have come since the start.\n"
                                  "interface io.adit.example\n"
                                  "\n"
                                  "# With `more` the list comes in several replies.\n"
                                  "method List() -> (users: []object)\n"
                                  "# Forgets one.\n"
                                  "method Forget(user: string) -> ()\n"
                                  "\n"
                                  "error NoSuchUser (text: string)\n";

static void on_session_up(const AditEvent *event, gpointer data) {
  const AditSessionEvent *session = (const AditSessionEvent *)event;
  Command *self = data;
  gpointer count = g_hash_table_lookup(self->visits, session->user ? session->user : "");

  g_hash_table_insert(self->visits, g_strdup(session->user ? session->user : ""), GUINT_TO_POINTER(GPOINTER_TO_UINT(count) + 1));
}

/* One row, asked for between passes of the loop: the user may be forgotten by then. */
static AditValue *row_of_user(gpointer state, const char *user) {
  Command *self = state;
  gpointer count;

  if (!g_hash_table_lookup_extended(self->visits, user, NULL, &count))
    return NULL;
  AditValue *row = adit_value_map();
  adit_value_set(row, "user", adit_value_string(user));
  adit_value_set(row, "visits", adit_value_int(GPOINTER_TO_UINT(count)));
  return row;
}

static void call_list(gpointer state, AditCall *call, const AditValue *parameters) {
  Command *self = state;
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  GHashTableIter iter;
  gpointer user;

  g_hash_table_iter_init(&iter, self->visits);
  while (g_hash_table_iter_next(&iter, &user, NULL))
    g_ptr_array_add(names, g_strdup(user));
  adit_control_reply_names(self->control, call, "users", names, row_of_user, self);
}

/* `user` is there, and a string: the description says so. */
static void call_forget(gpointer state, AditCall *call, const AditValue *parameters) {
  Command *self = state;

  if (g_hash_table_remove(self->visits, adit_value_get_string(parameters, "user", "")))
    self->control->reply(call, adit_value_map(), FALSE);
  else
    self->control->error(call, "io.adit.example.NoSuchUser", "no such user: `aditctl show example` lists them");
}

static const AditMethod methods[] = {
    {.size = sizeof(AditMethod), .name = "List", .call = call_list},
    {.size = sizeof(AditMethod), .name = "Forget", .changes = TRUE, .call = call_forget},
};

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show example",
     .method = "io.adit.example.List",
     .rows = "users",
     .columns = "USER=user VISITS=visits",
     .summary = "how often users have come",
     .help = "One line a user, since the start.\nExample: aditctl show example"},
    {.size = sizeof(AditCommand),
     .verb = "example forget",
     .method = "io.adit.example.Forget",
     .arguments = "user",
     .summary = "forget how often a user has come",
     .help = "Example: aditctl example forget ann"},
};

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditBusService *bus = host->service(plugin, ADIT_BUS_SERVICE, 1);
  Command *self = g_new0(Command, 1);

  self->control = host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  self->visits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  *state = self;
  if (bus && self->control && bus->subscribe(plugin, ADIT_EVENT_SESSION_UP, on_session_up, self) &&
      self->control->interface_add(plugin, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), self, error))
    return TRUE;
  g_hash_table_unref(self->visits);
  g_free(self);
  return FALSE;
}

static void fini(gpointer state) {
  Command *self = state;
  g_hash_table_unref(self->visits);
  g_free(self);
}

ADIT_PLUGIN_DEFINE(command, .name = "example-command", .version = "1.0", .summary = "how often users have come", .init = init,
                   .fini = fini);
