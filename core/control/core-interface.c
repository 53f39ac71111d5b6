/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Methods of every daemon: org.varlink.service, and io.adit.core with the list of commands, events and figures. */
#include "core/control/core-interface.h"
#include "config.h"
#include "core/base/clock.h"
#include "core/bus/bus.h"
#include "core/control/call.h"
#include "core/control/turns.h"
#include "core/control/varlink.h"
#include "core/session/session.h"
#include <unistd.h>

static const char service_description[] =
    "# The Varlink Service Interface is provided by every varlink service. It\n"
    "# describes the service and the interfaces it implements.\n"
    "interface org.varlink.service\n"
    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "error InterfaceNotFound (interface: string)\n"
    "error MethodNotFound (method: string)\n"
    "error MethodNotImplemented (method: string)\n"
    "error InvalidParameter (parameter: string)\n"
    "error PermissionDenied ()\n"
    "error ExpectedMore ()\n";

static const char core_description[] =
    "# The daemon itself.\n"
    "interface io.adit.core\n"
    "\n"
    "# How a command-line client offers a method. `arguments`: parameters in order, [optional]. `rows`: the list in the reply\n"
    "# that makes a table; `columns`: TITLE=key[:format].\n"
    "type Command (verb: string, method: string, arguments: string, rows: ?string, columns: ?string, summary: string, help: string, "
    "changes: bool)\n"
    "\n"
    "method ListCommands() -> (commands: []Command)\n"
    "method GetInfo() -> (version: string, abi: string, pid: int, uptime: int)\n"
    "method GetStats() -> (uptime: int, sessions: int, memory: int, events: object, control: object)\n"
    "\n"
    "# With `more`: each event as it happens. `events`: names to show, separated by commas; all when absent.\n"
    "method Monitor(events: ?string) -> (time: string, event: string, fields: object)\n"
    "\n"
    "error NotFound (text: string)\n"
    "error Refused (text: string)\n";

static struct {
  guint64 started_ms;
  guint subscription;
  GHashTable *counts;  /* interned name -> count */
  GPtrArray *monitors; /* of Monitor* */
} self;

/* ---- org.varlink.service ---- */

static void get_service_info(gpointer state, AditCall *call, const AditValue *parameters) {
  const GPtrArray *all = adit_registry_interfaces();
  AditValue *result = adit_value_map(), *names = adit_value_list();

  for (guint i = 0; i < all->len; i++)
    adit_value_append(names, adit_value_string(((const AditInterface *)all->pdata[i])->name));
  adit_value_set(result, "vendor", adit_value_string("adit"));
  adit_value_set(result, "product", adit_value_string("aditd"));
  adit_value_set(result, "version", adit_value_string(PACKAGE_VERSION));
  adit_value_set(result, "url", adit_value_string(PACKAGE_URL));
  adit_value_set(result, "interfaces", names);
  adit_control_service()->reply(call, result, FALSE);
}

static void get_description(gpointer state, AditCall *call, const AditValue *parameters) {
  const char *name = adit_value_get_string(parameters, "interface", "");
  const GPtrArray *all = adit_registry_interfaces();

  for (guint i = 0; i < all->len; i++) {
    const AditInterface *interface = (const AditInterface *)all->pdata[i];
    if (!strcmp(interface->name, name)) {
      AditValue *result = adit_value_map();
      adit_value_set(result, "description", adit_value_string(interface->description));
      adit_control_service()->reply(call, result, FALSE);
      return;
    }
  }
  adit_control_service()->error(call, "org.varlink.service.InterfaceNotFound", "no such interface");
}

static const AditMethod service_methods[] = {
    {.size = sizeof(AditMethod), .name = "GetInfo", .call = get_service_info, .flags = ADIT_METHOD_PUBLIC},
    {.size = sizeof(AditMethod), .name = "GetInterfaceDescription", .call = get_description, .flags = ADIT_METHOD_PUBLIC},
};

/* ---- io.adit.core ---- */

static AditValue *command_value(const AditInterface *interface, const AditCommand *command) {
  AditValue *item = adit_value_map();
  const AditInterface *owner;
  const AditMethod *method = adit_registry_find(command->method, &owner);

  adit_value_set(item, "verb", adit_value_string(command->verb));
  adit_value_set(item, "method", adit_value_string(command->method));
  adit_value_set(item, "arguments", adit_value_string(command->arguments ? command->arguments : ""));
  if (command->rows)
    adit_value_set(item, "rows", adit_value_string(command->rows));
  if (command->columns)
    adit_value_set(item, "columns", adit_value_string(command->columns));
  adit_value_set(item, "summary", adit_value_string(command->summary ? command->summary : ""));
  adit_value_set(item, "help", adit_value_string(command->help ? command->help : ""));
  adit_value_set(item, "changes", adit_value_bool(method && method->changes));
  return item;
}

static void list_commands(gpointer state, AditCall *call, const AditValue *parameters) {
  const GPtrArray *all = adit_registry_interfaces();
  AditValue *result = adit_value_map(), *list = adit_value_list();

  for (guint i = 0; i < all->len; i++) {
    const AditInterface *interface = (const AditInterface *)all->pdata[i];
    for (guint c = 0; c < interface->n_commands; c++)
      adit_value_append(list, command_value(interface, &interface->commands[c]));
  }
  adit_value_set(result, "commands", list);
  adit_control_service()->reply(call, result, FALSE);
}

static void get_info(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *result = adit_value_map();
  g_autofree char *abi = g_strdup_printf("%d.%d", ADIT_ABI_MAJOR, ADIT_ABI_MINOR);

  adit_value_set(result, "version", adit_value_string(PACKAGE_VERSION));
  adit_value_set(result, "abi", adit_value_string(abi));
  adit_value_set(result, "pid", adit_value_int(getpid()));
  adit_value_set(result, "uptime", adit_value_int((gint64)(adit_now_ms() - self.started_ms)));
  adit_control_service()->reply(call, result, FALSE);
}

/* Resident memory in octets; 0 when /proc is not there. */
static gint64 read_resident(void) {
  g_autofree char *statm = NULL;
  if (!g_file_get_contents("/proc/self/statm", &statm, NULL, NULL))
    return 0;
  const char *space = strchr(statm, ' ');
  return space ? g_ascii_strtoll(space, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void get_stats(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *result = adit_value_map(), *events = adit_value_map(), *control = adit_value_map();
  GHashTableIter iter;
  gpointer name, count;

  g_hash_table_iter_init(&iter, self.counts);
  while (g_hash_table_iter_next(&iter, &name, &count))
    adit_value_set(events, (const char *)name, adit_value_int((gint64)GPOINTER_TO_SIZE(count)));
  adit_value_set(control, "connections", adit_value_int(adit_control_stats.connections));
  adit_value_set(control, "accepted", adit_value_int((gint64)adit_control_stats.accepted));
  adit_value_set(control, "calls", adit_value_int((gint64)adit_control_stats.calls));
  adit_value_set(control, "refused", adit_value_int((gint64)adit_control_stats.refused));
  adit_value_set(control, "slow-readers", adit_value_int((gint64)adit_control_stats.slow));
  adit_value_set(control, "idle-closed", adit_value_int((gint64)adit_control_stats.idle));
  adit_value_set(control, "displaced", adit_value_int((gint64)adit_control_stats.displaced));
  adit_value_set(control, "running", adit_value_int(adit_calls_count()));
  adit_value_set(control, "late", adit_value_int((gint64)adit_calls_late()));
  adit_value_set(control, "misused", adit_value_int((gint64)adit_calls_misused()));
  adit_value_set(control, "longest-pass-us", adit_value_int(adit_turns_longest_us()));
  adit_value_set(result, "uptime", adit_value_int((gint64)(adit_now_ms() - self.started_ms)));
  adit_value_set(result, "sessions", adit_value_int(adit_session_service()->session_count(NULL, NULL)));
  adit_value_set(result, "memory", adit_value_int(read_resident()));
  adit_value_set(result, "events", events);
  adit_value_set(result, "control", control);
  adit_control_service()->reply(call, result, FALSE);
}

/* ---- monitor ---- */

typedef struct {
  AditCall *call;
  char **names; /* NULL = all */
  guint64 lost; /* events since the last that was told: the reader is slower than the senders */
} Monitor;

static void monitor_free(gpointer data) {
  Monitor *monitor = (Monitor *)data;
  g_strfreev(monitor->names);
  g_free(monitor);
}

static void monitor_gone(gpointer data) {
  g_ptr_array_remove_fast(self.monitors, data);
}

/* Takes over `fields`. */
static AditValue *stamp_event(const char *name, AditValue *fields) {
  AditValue *result = adit_value_map();
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%f%:z");

  adit_value_set(result, "time", adit_value_string(time));
  adit_value_set(result, "event", adit_value_string(name));
  adit_value_set(result, "fields", fields);
  return result;
}

static AditValue *event_reply(const AditEvent *event, const char *name) {
  AditValue *fields = adit_value_map();
  g_autoptr(AditValue) all = adit_event_to_value(event);

  for (guint i = 0; i < adit_value_length(all); i++) {
    const char *key = adit_value_key(all, i);
    if (strcmp(key, "event"))
      adit_value_set(fields, key, adit_value_ref(adit_value_get(all, key)));
  }
  return stamp_event(name, fields);
}

/* An event of the stream alone: so many are missing here. */
static AditValue *lost_reply(guint64 count) {
  AditValue *fields = adit_value_map();

  adit_value_set(fields, "count", adit_value_int((gint64)count));
  return stamp_event("events-lost", fields);
}

/* Strangers can cause events faster than they are read: events that do not fit are counted, and the reader keeps its connection. */
static gboolean has_place(Monitor *monitor) {
  if (!adit_call_is_read(monitor->call)) {
    monitor->lost++;
    return FALSE;
  }
  if (monitor->lost)
    adit_control_service()->reply(monitor->call, lost_reply(monitor->lost), TRUE);
  monitor->lost = 0;
  return TRUE;
}

static void on_event(const AditEvent *event, gpointer data) {
  const AditEventClass *klass = adit_bus_class(event->type);
  g_autoptr(AditValue) reply = NULL;

  if (!klass)
    return;
  gpointer key = (gpointer)g_intern_string(klass->name);
  g_hash_table_insert(self.counts, key, GSIZE_TO_POINTER(GPOINTER_TO_SIZE(g_hash_table_lookup(self.counts, key)) + 1));
  for (guint i = 0; i < self.monitors->len; i++) {
    Monitor *monitor = (Monitor *)self.monitors->pdata[i];
    if (monitor->names && !g_strv_contains((const char *const *)monitor->names, klass->name))
      continue;
    if (!has_place(monitor))
      continue;
    if (!reply)
      reply = event_reply(event, klass->name);
    adit_control_service()->reply(monitor->call, adit_value_ref(reply), TRUE);
  }
}

static void monitor_events(gpointer state, AditCall *call, const AditValue *parameters) {
  const char *names = adit_value_get_string(parameters, "events", NULL);

  if (!adit_control_service()->wants_more(call)) {
    adit_control_service()->error(call, "org.varlink.service.ExpectedMore", "a stream of events: call it with `more`");
    return;
  }
  Monitor *monitor = g_new0(Monitor, 1);
  monitor->call = call;
  monitor->names = names ? g_strsplit_set(names, ", ", 64) : NULL;
  for (guint i = 0; monitor->names && monitor->names[i]; i++)
    if (*monitor->names[i] && !adit_bus_type(monitor->names[i])) {
      g_autofree char *text = g_strdup_printf("there is no event \"%.64s\"", monitor->names[i]);
      monitor_free(monitor);
      adit_control_service()->error(call, "org.varlink.service.InvalidParameter", text);
      return;
    }
  g_ptr_array_add(self.monitors, monitor);
  adit_control_service()->on_gone(call, monitor_gone, monitor);
}

static const AditMethod core_methods[] = {
    {.size = sizeof(AditMethod), .name = "ListCommands", .call = list_commands, .flags = ADIT_METHOD_PUBLIC},
    {.size = sizeof(AditMethod), .name = "GetInfo", .call = get_info, .flags = ADIT_METHOD_PUBLIC},
    {.size = sizeof(AditMethod), .name = "GetStats", .call = get_stats},
    {.size = sizeof(AditMethod), .name = "Monitor", .call = monitor_events},
};

static const AditCommand core_commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show info",
     .method = "io.adit.core.GetInfo",
     .columns = "VERSION=version ABI=abi PID=pid UPTIME=uptime:duration",
     .summary = "show the version and uptime of the daemon",
     .help = "Version of the daemon, and time since its start."},
    {.size = sizeof(AditCommand),
     .verb = "show stats",
     .method = "io.adit.core.GetStats",
     .columns = "UPTIME=uptime:duration SESSIONS=sessions MEMORY=memory:octets EVENTS=events CONTROL=control",
     .summary = "show counters of the daemon",
     .help = "Sessions, memory, the number of events of each kind since the start, and requests of the management socket."},
    {.size = sizeof(AditCommand),
     .verb = "monitor",
     .method = "io.adit.core.Monitor",
     .arguments = "[events]",
     .summary = "show events as they happen",
     .help = "One line for each event: tunnels, links, authentication, sessions, reloads. Name the events to see only those, separated by "
             "commas: `aditctl monitor session-up,session-down`. A reader that is too slow gets `events-lost` with a count in their place. "
             "With --json each line is an object. Ctrl-C ends it."},
};

gboolean adit_control_core_add(GError **error) {
  const AditControlService *control = adit_control_service();

  self.started_ms = adit_now_ms();
  self.counts = g_hash_table_new(g_str_hash, g_str_equal);
  self.monitors = g_ptr_array_new_with_free_func(monitor_free);
  self.subscription = adit_bus_subscribe_all(on_event, NULL);
  return control->interface_add(NULL, service_description, service_methods, G_N_ELEMENTS(service_methods), NULL, 0, NULL, error) &&
         control->interface_add(NULL, core_description, core_methods, G_N_ELEMENTS(core_methods), core_commands,
                                G_N_ELEMENTS(core_commands), NULL, error);
}

void adit_control_core_fini(void) {
  adit_bus_unsubscribe(self.subscription);
  g_clear_pointer(&self.monitors, g_ptr_array_unref);
  g_clear_pointer(&self.counts, g_hash_table_unref);
}
