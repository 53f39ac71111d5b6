/* SPDX-License-Identifier: MIT */
/**
 * adit/option.h - how core and plugins declare what can be configured.
 *
 * One table serves the check of YAML files, the reference manual, the commented sample, the JSON Schema, the merging of
 * profiles, the mapping from RADIUS and `aditctl show session`: adding an option is adding a line.
 */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_TYPE_BOOL = 1,    /**< yes/no/true/false -> BOOL */
  ADIT_TYPE_INT,         /**< min..max -> INT */
  ADIT_TYPE_DURATION,    /**< `30`, `30s`, `1m30s`, `500ms`, `1d`; RouterOS's `00:05:00` -> INT in ms; `none`/`disabled` -> 0 with ADIT_OPTION_OFF */
  ADIT_TYPE_RATE,        /**< `10M`, `512k` -> INT in bit/s */
  ADIT_TYPE_SIZE,        /**< `16MiB`, `64k` -> INT in octets */
  ADIT_TYPE_STRING,      /**< min..max octets; never guessed to be a number */
  ADIT_TYPE_ENUM,        /**< one of `words` -> STRING */
  ADIT_TYPE_SET,         /**< list, or comma-separated string, of `words` -> LIST of STRING */
  ADIT_TYPE_ADDRESS,     /**< -> ADDRESS */
  ADIT_TYPE_PREFIX,      /**< -> PREFIX */
  ADIT_TYPE_ADDRESS_OR_NAME, /**< RouterOS's "IP or pool" -> ADDRESS or STRING */
  ADIT_TYPE_RANGE,       /**< `a-b`, prefix or address -> STRING, checked */
  ADIT_TYPE_MAP,         /**< nested scope named by `words` -> MAP */
  ADIT_TYPE_OCTETS,      /**< `0x00ff`: pairs of hex digits; min..max octets -> OCTETS */
} AditType;

enum {
  ADIT_OPTION_LIST = 1 << 0,     /**< a list of that type; a single value is taken as a list of one */
  ADIT_OPTION_REQUIRED = 1 << 1,
  ADIT_OPTION_SECRET = 1 << 2,   /**< wiped, never logged, its file must not be readable by others */
  ADIT_OPTION_OFF = 1 << 3,      /**< `none`, `disabled`, `unlimited` or `no` mean 0 */
  ADIT_OPTION_ATTRIBUTE = 1 << 4,/**< a per-session attribute: merged over profiles, shown in `show session` */
  ADIT_OPTION_COA = 1 << 5,      /**< may be changed in a live session by dynamic authorization */
  ADIT_OPTION_KEY = 1 << 6,      /**< the name of a list's item: unique in its list */
  ADIT_OPTION_CARRIED = 1 << 7,  /**< an attribute on which its owner does not act: it has an effect only if a plugin registers as its
                                      actor (adit/session.h, actor_add()) */
};

/** When a changed value takes effect on reload. */
typedef enum {
  ADIT_RELOAD_LIVE = 0,     /**< at once, sessions included */
  ADIT_RELOAD_NEXT_SESSION, /**< sessions that start afterwards */
  ADIT_RELOAD_RESTART,      /**< needs a restart; reload says so in a warning */
} AditReload;

/** Where an option may stand. Plugins add to these; "NAME" means the plugin's own map at top level. */
#define ADIT_SCOPE_GLOBAL "global"   /**< top level */
#define ADIT_SCOPE_SERVER "server"   /**< an item of `<transport>.servers` */
#define ADIT_SCOPE_CLIENT "client"   /**< an item of `<transport>.clients` */
#define ADIT_SCOPE_BINDING "binding" /**< an item of `<transport>.bindings`: RouterOS's static interface */
#define ADIT_SCOPE_PROFILE "profile" /**< an item of `profiles` */
#define ADIT_SCOPE_SECRET "secret"   /**< an item of `secrets` */
#define ADIT_SCOPE_AAA "aaa"
#define ADIT_SCOPE_POOL "pool"       /**< an item of `pools` */
#define ADIT_SCOPE_SESSION "session" /**< no file has it: attributes that sources alone give (AditAuthReply, session_update) */

typedef struct AditOption {
  const char *name;           /**< RouterOS's or the RFC's word, in kebab-case */
  const char *scopes;         /**< space-separated ADIT_SCOPE_*, or "l2tp", or "l2tp.limits" for nested maps */
  AditType type;
  guint flags;                /**< ADIT_OPTION_* */
  AditReload reload;
  gint64 min, max;            /**< for INT, DURATION (ms), RATE, SIZE; both 0 = no bound. STRING: octets */
  const char *fallback;       /**< default as it would be written in YAML; NULL = none */
  const char *words;          /**< ENUM and SET: space-separated, `a=b` accepts a as another spelling of b; MAP: the scope it holds */
  const char *unit;           /**< for people: "octets", "packets" */
  const char *help;           /**< one or two sentences, for the manual page */
  const char *reference;      /**< RFC section or RouterOS's property; may be NULL */
} AditOption;

G_END_DECLS
