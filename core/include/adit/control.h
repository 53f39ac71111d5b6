/* SPDX-License-Identifier: MIT */
/**
 * adit/control.h - management: Varlink interfaces and the commands that aditctl makes of them. Service "adit.control".
 *
 * aditctl has no built-in commands: it asks the daemon, so a plugin's commands appear in its help and completion.
 *
 * An interface with a list and a method that changes something:
 *
 *     static const char description[] = "# Leases of the plugin.\n"
 *                                       "interface io.adit.lease\n"
 *                                       "method List() -> (leases: []object)\n"
 *                                       "method Drop(id: string) -> ()\n"
 *                                       "error NoSuchLease (text: string)\n";
 *
 *     static AditValue *describe_lease(gpointer state, guint64 id) { // one row; NULL: it is gone by now
 *       Lease *lease = find_lease(state, id);
 *       return lease ? lease_to_map(lease) : NULL;
 *     }
 *
 *     static void call_list(gpointer state, AditCall *call, const AditValue *parameters) {
 *       GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
 *       add_every_lease_id(state, ids);
 *       adit_control_reply_ids(control, call, "leases", ids, describe_lease, state);
 *     }
 *
 *     static void call_drop(gpointer state, AditCall *call, const AditValue *parameters) {
 *       if (drop_lease(state, adit_value_get_string(parameters, "id", "")))
 *         control->reply(call, adit_value_map(), FALSE);
 *       else
 *         control->error(call, "io.adit.lease.NoSuchLease", "no such lease: `show leases` lists them");
 *     }
 *
 *     static const AditMethod methods[] = {
 *         {.size = sizeof(AditMethod), .name = "List", .call = call_list},
 *         {.size = sizeof(AditMethod), .name = "Drop", .changes = TRUE, .call = call_drop},
 *     };
 */
#pragma once

#include <adit/plugin.h>

/*
 * The description is in Varlink's definition language (https://varlink.org/Interface-Definition) and is checked when it is added: types are bool,
 * int, float, string, object (any JSON object), TYPE names that it describes itself, []T, [string]T (a map), ?T (may be absent), (a: T, b: U) and
 * enums (one, two). Fields have letters, digits and single underscores. Each method that it describes is in the table of methods, and each of
 * the table is described.
 *
 * Parameters are checked against it before the plugin sees them: one that is missing and has no `?`, or has another type, ends the call with
 * `org.varlink.service.InvalidParameter`. aditctl sends all arguments as strings: for a bool (yes, no) or an int the plugin gets that type.
 * A parameter without a description is passed on unchanged. A value has no floats: a float is an INT, or a STRING that reads as a number.
 *
 * The name of an error is that of the interface, a dot, and a name that the description has after `error`; it takes (text: string). Any other name
 * of the same form reaches the caller, too; one that has not this form becomes io.adit.Failed, and the log names the plugin.
 */

G_BEGIN_DECLS

/**
 * A handle of one method call; not memory. It may be kept for any time and is never dangling: every function below recognises a call that has
 * ended. After its end (an answer, the caller's departure, the time limit, the plugin's end) reply() says FALSE and does nothing. A plugin
 * that answers a call a second time is named in the log. [main]
 */
typedef struct AditCall AditCall;

enum {
  ADIT_METHOD_PUBLIC = 1 << 0, /**< all users of the machine may call it: it reveals no users, addresses or traffic */
};

typedef struct {
  gsize size;
  const char *name;       /**< method within the interface: `ListTunnels` */
  gboolean changes;       /**< needs the admin group */
  /** [main] Answer with reply(), reply_rows() or error(), now or later. `parameters` is a MAP of JSON values, borrowed; the parameters of
   *  the description are there, and of their types. */
  void (*call)(gpointer state, AditCall *call, const AditValue *parameters);
  guint flags;            /**< ADIT_METHOD_*; 0: members of `management.group` alone, unless `management.read` is `all` */
  guint limit_s;          /**< seconds until a call that is not answered ends with io.adit.Timeout, and the log names the plugin; 0 = 30 */
} AditMethod;

typedef struct {
  gsize size;
  const char *verb;       /**< words as typed: `show tunnels`, `client up` */
  const char *method;     /**< `io.adit.l2tp.ListTunnels` */
  const char *arguments;  /**< positional parameter names, space-separated: `id`, `[name]` when optional */
  const char *rows;       /**< name of the list in the reply that becomes the table; NULL = key and value lines */
  const char *columns;    /**< `TITLE=key[:format]`, space-separated; format: rate, octets, ago, duration, hex */
  const char *summary;    /**< one line */
  const char *help;       /**< a paragraph that teaches, with an example */
} AditCommand;

/** The next row of a list (a MAP, handed over); NULL = end; a BOOL = none found so far, to be called again: a function that passes over many
 *  things which are gone says so after some dozens of them, so that it does not delay other work. [main], between passes of the loop:
 *  anything may have changed since the row before, so `state` holds ids or names, not pointers to what it lists. A row takes well under a
 *  millisecond. */
typedef AditValue *(*AditRowNext)(gpointer state);

#define ADIT_CONTROL_SERVICE "adit.control"
typedef struct {
  gsize size;
  /** [main] in init. `description` is the interface in Varlink's definition language; it begins `interface io.adit.NAME`. Methods and
   *  commands are copied; the plugin owns the strings that they point to. */
  gboolean (*interface_add)(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods, const AditCommand *commands,
                            guint n_commands, gpointer state, GError **error);
  /** [main] Takes over `result` (a MAP). `more`: further replies follow; only if wants_more(). FALSE: the call has ended, without this reply.
   *  A stream ends with the reply that has not `more`, with error(), or when its reader is gone or too slow. */
  gboolean (*reply)(AditCall *call, AditValue *result, gboolean more);
  /** [main] `name`: that of an error of your interface, `io.adit.NAME.NoSuchThing`; `text`: words for people. */
  void (*error)(AditCall *call, const char *name, const char *text);
  gboolean (*wants_more)(AditCall *call); /**< [main] FALSE also when it has ended */
  /** [main] For a stream of events: `gone` is called once when the caller goes away, or at once if it has gone by now. Not called when the
   *  stream ends by reply() or error(). Such a call has no time limit. */
  void (*on_gone)(AditCall *call, void (*gone)(gpointer data), gpointer data);
  /**
   * [main] Answers with {key: [row, ...]}, for every list that can be long. The core calls `next` for one row at a time, a few milliseconds in
   * each pass of the loop, and only while the caller reads. A caller that wants more gets the list in several replies, another one whole.
   * `free` (may be NULL) is called with `state` exactly once, whatever ends the call, and before the plugin's fini. Callable once a call,
   * instead of reply(). See adit_control_reply_ids() for what most lists need.
   */
  void (*reply_rows)(AditCall *call, const char *key, AditRowNext next, gpointer state, GDestroyNotify free);
} AditControlService;

/* ---- lists by ids, by names, and of ready values ---- */

/** private: so many that are gone are passed over in one call */
enum { ADIT_CONTROL_ROWS_GONE_ = 32 };

/** private */
typedef struct {
  GArray *ids;
  GPtrArray *names;
  AditValue *list;
  guint at;
  AditValue *(*row_of_id)(gpointer state, guint64 id);
  AditValue *(*row_of_name)(gpointer state, const char *name);
  gpointer state;
} AditControlRows_;

/** private */
static inline AditValue *adit_control_rows_next_(gpointer data) {
  AditControlRows_ *rows = (AditControlRows_ *)data;
  AditValue *row = NULL;
  guint gone = 0;

  for (; !row && rows->ids && rows->at < rows->ids->len; gone++) {
    if (gone == ADIT_CONTROL_ROWS_GONE_)
      return adit_value_bool(FALSE);
    row = rows->row_of_id(rows->state, g_array_index(rows->ids, guint64, rows->at++));
  }
  for (; !row && rows->names && rows->at < rows->names->len; gone++) {
    if (gone == ADIT_CONTROL_ROWS_GONE_)
      return adit_value_bool(FALSE);
    row = rows->row_of_name(rows->state, (const char *)rows->names->pdata[rows->at++]);
  }
  if (!row && rows->list && rows->at < adit_value_length(rows->list))
    row = adit_value_ref(adit_value_at(rows->list, rows->at++));
  return row;
}

/** private */
static inline void adit_control_rows_free_(gpointer data) {
  AditControlRows_ *rows = (AditControlRows_ *)data;
  if (rows->ids)
    g_array_unref(rows->ids);
  if (rows->names)
    g_ptr_array_unref(rows->names);
  adit_value_unref(rows->list);
  g_free(rows);
}

/** private */
static inline void adit_control_rows_reply_(const AditControlService *control, AditCall *call, const char *key, AditControlRows_ rows) {
  AditControlRows_ *own = g_new(AditControlRows_, 1);
  *own = rows;
  control->reply_rows(call, key, adit_control_rows_next_, own, adit_control_rows_free_);
}

/** [main] Lists the things with the ids in `ids` (of guint64, handed over). `row` makes the row of one; NULL: it has ended
 *  meanwhile. `state` must live until the plugin's fini. */
static inline void adit_control_reply_ids(const AditControlService *control, AditCall *call, const char *key, GArray *ids,
                                          AditValue *(*row)(gpointer state, guint64 id), gpointer state) {
  AditControlRows_ rows = {ids, NULL, NULL, 0, row, NULL, state};
  adit_control_rows_reply_(control, call, key, rows);
}

/** [main] The same by names (`names`: of char*, handed over with its free function set). */
static inline void adit_control_reply_names(const AditControlService *control, AditCall *call, const char *key, GPtrArray *names,
                                            AditValue *(*row)(gpointer state, const char *name), gpointer state) {
  AditControlRows_ rows = {NULL, names, NULL, 0, NULL, row, state};
  adit_control_rows_reply_(control, call, key, rows);
}

/** [main] A list that is made at once because it is short, or bounded by the configuration: `list` (a LIST, handed over) is sent in pieces. */
static inline void adit_control_reply_values(const AditControlService *control, AditCall *call, const char *key, AditValue *list) {
  AditControlRows_ rows = {NULL, NULL, list, 0, NULL, NULL, NULL};
  adit_control_rows_reply_(control, call, key, rows);
}

G_END_DECLS
