/* SPDX-License-Identifier: MIT */
/**
 * adit/plugin.h - the one symbol a plugin exports, and what it is given.
 *
 * Life, all of it on the main loop:
 *
 *   init             register what you provide, and get services. No I/O. A wrong registration refuses the plugin, also if you ignore
 *                    the error
 *   prepare, commit  the first configuration. Plugins that you require or want have been started before. prepare may only look:
 *                    `aditd --check` prepares and aborts beside a daemon that works
 *   start            take what others can have, too (ports, devices), and begin
 *   prepare, commit or abort  a reload: all plugins commit, or all abort
 *   stop             finish, cancel, close
 *   fini             free; references that you still hold are named in the log. The code stays mapped
 *
 * Never block the loop: the log names a plugin that holds it for 100 ms when the call returns. A call that takes over a second is named
 * while it lasts.
 *
 * - A file that may block in open() or read: use adit.loop run_blocking() from prepare(), return pending, and answer with `done`.
 * - A device that blocks in open(): start() can't be pending. Open it with O_NONBLOCK, or by run_blocking(); start() returns before it is
 * open.
 * - A file that only root may read: use AditHost.open_file(), also through run_blocking().
 *
 *     static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
 *       Mine *self = g_new0(Mine, 1);
 *       self->aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
 *       *state = self;
 *       return self->aaa && self->aaa->source_add(plugin, &source, self, error);
 *     }
 *     static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:mine"}};
 *
 *     ADIT_PLUGIN_DEFINE(mine, .name = "mine", .version = "1.0", .summary = "users of mine", .features = features,
 *                        .n_features = G_N_ELEMENTS(features), .init = init, .fini = g_free);
 *
 * See adit-plugin(7) and contrib/plugin-template.
 */
#pragma once

#include <adit/address.h>
#include <adit/event.h>
#include <adit/log.h>
#include <adit/loop.h>
#include <adit/option.h>
#include <gmodule.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_PROVIDES = 1,
  ADIT_REQUIRES, /**< start fails without it, naming the chain */
  ADIT_WANTS,    /**< started after it when it is there */
} AditFeatureKind;

/** A plugin declares each feature that it registers: ncp_add() of "mine" needs {ADIT_PROVIDES, "ncp:mine"}. `transport:l2tp`, `ncp:ipcp`,
 *  `auth-method:mschapv2`, `auth-source:radius`, `acct-sink:radius`, `datapath:tun`, `ipsec:charon`. */
typedef struct {
  AditFeatureKind kind;
  const char *name;
} AditFeature;

typedef struct {
  gsize size;
  guint16 abi_major, abi_minor;
  /** [main] The service `name` (ADIT_*_SERVICE) of at least `version`; NULL if this core has none. Valid until fini. */
  const void *(*service)(AditPlugin *plugin, const char *name, guint version);
  /** [any] Opens a file for reading that the configuration names by its absolute path (a certificate, a key). Also opens files that only
   *  root may read, after the daemon has dropped root. Returns a descriptor (close-on-exec), yours to close, or -1 with errno. Blocks. May
   * be NULL: use open(). */
  int (*open_file)(const char *path);

  /* Members from here on may be missing (ADIT_HAS) in an older core. */

  /** [any] Zeroed octets for keys, aligned to 16: not swapped, not in a core file. Memory that can't be locked is used all the same. */
  gpointer (*secret_new)(gsize length);
  void (*secret_free)(gpointer memory, gsize length); /**< [any] wipes and frees; `length` as it was asked for. NULL is harmless */
} AditHost;

/** Answers a prepare() that returned pending; takes over `staged` and `error` (NULL = staged). [main], exactly once. */
typedef void (*AditPrepared)(AditPlugin *plugin, gpointer staged, GError *error);

/**
 * A trial of `aditd --check` on the machine for a plugin. Nothing of it lasts, and a daemon that runs is not disturbed. Each problem is
 * printed with the place of `value`, and fails the check. [main]
 *
 *     static void plugin_check(gpointer state, const AditValue *config, const AditTrial *trial) {
 *       trial->udp(adit_value_get(adit_value_get(config, "mine"), "port"), &endpoint);
 *     }
 */
typedef struct {
  gsize size;
  /** Whether a UDP socket can be had at `at`; with port 0 whether the address is this machine's. */
  void (*udp)(const AditValue *value, const AditEndpoint *at);
  /** Whether the daemon could read the file. */
  void (*file)(const AditValue *value, const char *path);
  /** Anything else that a start would stumble over: printed with the place of `value` (NULL: without), as `file:line:column: TEXT`. */
  void (*problem)(const AditValue *value, const char *text);
} AditTrial;

/** The description of a plugin; ADIT_PLUGIN_DEFINE() fills the first line. */
typedef struct {
  gsize size;
  guint16 abi_major, abi_minor;
  guint16 feature_size, option_size; /**< of one item of the lists below */
  const char *name;    /**< the file's name without .so; also the name of its map in the configuration */
  const char *version;
  const char *summary; /**< one line, for `show plugins` */
  const AditFeature *features;
  guint n_features;
  const AditOption *options;
  guint n_options;
  guint64 capabilities; /**< bits (1 << CAP_...) that it can't do without: the daemon keeps them, or does not start */

  /** Register; get services. `*state` is yours and comes back in every call. */
  gboolean (*init)(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error);
  gboolean (*start)(gpointer state, GError **error);
  /** Check `config` (the whole typed tree; yours is under your name) and take every resource the change needs.
   *  Return TRUE with `*staged` set, or FALSE with an error: nothing may have changed. To finish later set
   *  `*pending` and call `done`; the core aborts what is not answered in 10 s. Keep a reference to what you keep of config.
   *  Before start() only look, and take in start() what others can have too (ports, devices): `aditd --check` prepares and aborts, beside
   *  a daemon that may be running, and starts no plugin. */
  gboolean (*prepare)(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error);
  void (*commit)(gpointer state, gpointer staged); /**< cannot fail */
  void (*abort)(gpointer state, gpointer staged);  /**< undo prepare */
  /** Stop taking work and end what runs; call `done` once when finished (the core waits a bounded time). NULL = nothing to do. */
  void (*stop)(gpointer state, void (*done)(AditPlugin *plugin), AditPlugin *plugin);
  void (*fini)(gpointer state);
  /** Bits (1 << CAP_...) that the daemon keeps if it has them, as some configurations need them (CAP_NET_BIND_SERVICE for a port below 1024). */
  guint64 capabilities_optional;
  /** `aditd --check`, after a prepare() that took `config` and before its abort(): tries what a start needs of the machine. May be NULL. */
  void (*check)(gpointer state, const AditValue *config, const AditTrial *trial);
} AditPluginInfo;

#ifdef ADIT_STATIC_PLUGIN /* several plugins linked into one test program */
#define ADIT_PLUGIN_SYMBOL_(name) adit_plugin_info_##name
#define ADIT_PLUGIN_SYMBOL(name) ADIT_PLUGIN_SYMBOL_(name)
#else
#define ADIT_PLUGIN_SYMBOL(name) adit_plugin_info
#endif

#define ADIT_PLUGIN_HEAD                                                                                                    \
  .size = sizeof(AditPluginInfo), .abi_major = ADIT_ABI_MAJOR, .abi_minor = ADIT_ABI_MINOR, .feature_size = sizeof(AditFeature), \
  .option_size = sizeof(AditOption)

/* C++ keeps constants to itself and changes names, unless it is told. */
#ifdef __cplusplus
#define ADIT_PLUGIN_EXPORT_ extern "C" G_MODULE_EXPORT
#else
#define ADIT_PLUGIN_EXPORT_ extern G_MODULE_EXPORT
#endif

/**
 * Defines the exported symbol; in C++ (20) outside of any namespace, with members in the order of AditPluginInfo:
 *
 *     ADIT_PLUGIN_DEFINE(mine, .name = "mine", .version = "1.0", .summary = "...", .init = mine_init, ...);
 */
#define ADIT_PLUGIN_DEFINE(ident, ...)                                  \
  ADIT_PLUGIN_EXPORT_ const AditPluginInfo ADIT_PLUGIN_SYMBOL(ident);   \
  const AditPluginInfo ADIT_PLUGIN_SYMBOL(ident) = {ADIT_PLUGIN_HEAD, __VA_ARGS__}

G_END_DECLS
