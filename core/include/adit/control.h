/* SPDX-License-Identifier: MIT */
/**
 * adit/control.h - management: Varlink interfaces and the commands that aditctl makes of them. Service "adit.control".
 *
 * aditctl knows no command of its own: it asks the daemon, so a plugin's commands appear in its help and completion.
 */
#pragma once

#include <adit/plugin.h>

G_BEGIN_DECLS

typedef struct AditCall AditCall; /**< one method call; answered once, or by a stream */

typedef struct {
  gsize size;
  const char *name;       /**< method within the interface: `ListTunnels` */
  gboolean changes;       /**< needs the admin group */
  /** [main] Answer with reply() or error(), now or later. `parameters` is a MAP of JSON values, borrowed. */
  void (*call)(gpointer state, AditCall *call, const AditValue *parameters);
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

#define ADIT_CONTROL_SERVICE "adit.control"
typedef struct {
  gsize size;
  /** [main] in init. `description` is the interface in Varlink's definition language; it begins `interface io.adit.NAME`. */
  gboolean (*interface_add)(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods, const AditCommand *commands,
                            guint n_commands, gpointer state, GError **error);
  /** [main] Takes over `result` (a MAP). `more`: further replies follow; only if wants_more(). The call ends, and must not be used any
   *  more, with the reply that has not `more`, with error(), and when a reply with `more` says FALSE and on_gone() was not set. */
  gboolean (*reply)(AditCall *call, AditValue *result, gboolean more);
  void (*error)(AditCall *call, const char *name, const char *text); /**< [main] `io.adit.NoSuchSession` and words for people */
  gboolean (*wants_more)(AditCall *call);
  /** [main] Tells when a streaming caller goes away: the call ends with it, and is not answered any more. */
  void (*on_gone)(AditCall *call, void (*gone)(gpointer data), gpointer data);
} AditControlService;

G_END_DECLS
