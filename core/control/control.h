/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/control/control.h - the management socket: a Varlink server, and what aditctl asks of it.
 *
 * Everything is [main]. Interfaces are added by modules (plugin NULL) and plugins before or after the socket opens.
 */
#pragma once

#include <adit/control.h>
#include <adit/value.h>

/** Path of the socket where none is configured. */
#define ADIT_CONTROL_SOCKET RUNSTATEDIR "/adit/adit.sock"

/** Makes the registry, with org.varlink.service and io.adit.core in it. */
void adit_control_init(void);

/**
 * Opens the socket, replacing a stale one. All users of the machine may call public methods; the peer's credentials decide about reading
 * and changing. `admin_group`: members may read and change, beside root and the daemon's own user; NULL = no others. `read_all`: all users
 * may read. Errors: ADIT_ERR_SYSTEM; ADIT_ERR_EXISTS when another daemon answers on the path; ADIT_ERR_INVALID for a path too long.
 */
gboolean adit_control_start(const char *socket_path, const char *admin_group, gboolean read_all, GError **error);

/**
 * Makes the socket file, with a mode that lets all users connect, but does not listen yet: for a daemon that gives up its rights before it
 * is ready. adit_control_start() does it otherwise. Same errors. One at a time.
 */
gboolean adit_control_bind(const char *path, GError **error);

/** Gives the folder of the socket to a user, if adit_control_bind() had to make it. */
void adit_control_give(uid_t uid, gid_t gid);

/** The socket made for `path`; -1 = none. */
int adit_control_bound(const char *path);

/** Closes it and removes its file. Harmless without one. */
void adit_control_unbind(void);

/** Does a daemon answer on the socket at `path`? */
gboolean adit_control_answers(const char *path);

/** Closes the socket and every connection; interfaces stay. */
void adit_control_stop(void);

/** For tests: divides the timeouts of a silent or slow peer: 30 s for a first message, 10 s for the rest of one and for a reader, 60 s
 *  between calls. */
void adit_control_set_patience(guint divisor);

/** Frees everything. */
void adit_control_fini(void);

/** The service of adit/control.h; constant. */
const AditControlService *adit_control_service(void);

/** Calls of `plugin` that are not yet answered end with an error. Before its fini. */
void adit_control_quiesce(AditPlugin *plugin);

/** Removes the interfaces of `plugin`; its calls end. */
void adit_control_drop_plugin(AditPlugin *plugin);

/** Answers `call` with {key: list}, in pieces between passes of the loop. Takes over `list`. For what can be long see adit/control.h. */
void adit_control_reply_list(AditCall *call, const char *key, AditValue *list);

/** A finding of `aditctl check`: MAP of `level` (ok, warning, error), `what` and `advice`. Appends to `findings`. */
void adit_control_finding(AditValue *findings, const char *level, const char *what, const char *advice);

/** Common mistakes of a new installation, for a loaded configuration. A new LIST of findings; reads /proc and tries ports, never blocks
 * long. */
AditValue *adit_control_check(const AditValue *config);
