/* SPDX-License-Identifier: MIT */
/**
 * adit/option.h - how core and plugins declare what can be configured.
 *
 * One table is the source of all uses of an option: the check of YAML files, the manual, the commented sample, the JSON Schema, the merging
 * of profiles, the mapping from RADIUS and `aditctl show session`. To add an option, add a line.
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

/** The scope of an option. Plugins add to these; "NAME" means the plugin's own map at top level. */
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

/*
 * Rows. A file `options.def` holds each option of a plugin once:
 *
 *     ADIT_OPTION_ROW(mine_option_mine, MAP, "mine", ADIT_SCOPE_GLOBAL, 0, .words = "mine", .help = "...")
 *     ADIT_OPTION_ROW(mine_option_timeout, DURATION, "timeout", "mine", ADIT_OPTION_OFF, .fallback = "30s", .help = "...")
 *     ADIT_OPTION_ROW(mine_option_files, LIST(STRING), "files", "mine", ADIT_OPTION_REQUIRED, .min = 1, .max = 4096, .help = "...")
 *
 * A row names its accessor, the type (an ADIT_TYPE_* without its prefix, or LIST() of one), the option, its scopes, its flags, and whatever
 * other members of AditOption it needs. The file is included twice, as the table and as accessors:
 *
 *     static const AditOption options[] = {
 *     #define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
 *     #include "options.def"
 *     #undef ADIT_OPTION_ROW
 *     };
 *
 *     #define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
 *     #include "options.def"
 *     #undef ADIT_OPTION_ROW
 *
 *     const AditValue *map = mine_option_mine(config);
 *     gint64 timeout_ms = mine_option_timeout(map);
 *
 * The tree that a plugin gets holds the default of each option that is not written, so a default is written in the row alone. A
 * misspelt accessor does not compile (-Werror=implicit-function-declaration, which adit-plugin.pc sets).
 */

/** A row as an element of a table. */
#define ADIT_OPTION_ENTRY(accessor, kind, key, where, bits, ...)                                                                           \
  {.name = key, .scopes = where, .type = ADIT_ROW_TYPE_(ADIT_ROW_##kind), .flags = (bits) | ADIT_ROW_FLAGS_(ADIT_ROW_##kind), __VA_ARGS__},

/**
 * A row as functions that read the option from a map (a file's, or one of attributes); the result is borrowed from the map. [any]
 *
 *     accessor(map)        the value: 0, FALSE or NULL when the option is not written and has no default, or `map` is NULL
 *     accessor_value(map)  the AditValue, with its place; NULL if absent
 *     accessor_key         the option's name, for adit_value_set() and messages
 */
#define ADIT_OPTION_ACCESSOR(accessor, kind, key, where, bits, ...)                                                                        \
  static const char accessor##_key[] G_GNUC_UNUSED = key;                                                                                  \
  static inline const AditValue *accessor##_value(const AditValue *map) {                                                                  \
    return adit_value_get(map, key);                                                                                                       \
  }                                                                                                                                        \
  static inline ADIT_ROW_C_(ADIT_ROW_##kind) accessor(const AditValue *map) {                                                              \
    return ADIT_ROW_READ_(ADIT_ROW_##kind)(adit_value_get(map, key));                                                                      \
  }

/** False for NULL and for a default: this value is written. */
static inline gboolean adit_value_is_written(const AditValue *value) {
  return value && !(value->flags & ADIT_VALUE_IS_DEFAULT);
}

/* The type of a row: in a table, as flags, in C, and how it is read. Milliseconds, bit/s, octets. */
#define ADIT_ROW_BOOL            ADIT_TYPE_BOOL, 0, gboolean, adit_row_bool_
#define ADIT_ROW_INT             ADIT_TYPE_INT, 0, gint64, adit_row_int_
#define ADIT_ROW_DURATION        ADIT_TYPE_DURATION, 0, gint64, adit_row_int_
#define ADIT_ROW_RATE            ADIT_TYPE_RATE, 0, gint64, adit_row_int_
#define ADIT_ROW_SIZE            ADIT_TYPE_SIZE, 0, gint64, adit_row_int_
#define ADIT_ROW_STRING          ADIT_TYPE_STRING, 0, const char *, adit_row_string_
#define ADIT_ROW_ENUM            ADIT_TYPE_ENUM, 0, const char *, adit_row_string_
#define ADIT_ROW_SET             ADIT_TYPE_SET, 0, const AditValue *, adit_row_list_
#define ADIT_ROW_ADDRESS         ADIT_TYPE_ADDRESS, 0, const AditAddress *, adit_row_address_
#define ADIT_ROW_PREFIX          ADIT_TYPE_PREFIX, 0, const AditPrefix *, adit_row_prefix_
#define ADIT_ROW_ADDRESS_OR_NAME ADIT_TYPE_ADDRESS_OR_NAME, 0, const AditValue *, adit_row_any_
#define ADIT_ROW_RANGE           ADIT_TYPE_RANGE, 0, const char *, adit_row_string_
#define ADIT_ROW_MAP             ADIT_TYPE_MAP, 0, const AditValue *, adit_row_map_
#define ADIT_ROW_OCTETS          ADIT_TYPE_OCTETS, 0, const AditValue *, adit_row_any_
#define ADIT_ROW_LIST(kind)      ADIT_ROW_ITEM_(ADIT_ROW_##kind), ADIT_OPTION_LIST, const AditValue *, adit_row_list_

#define ADIT_ROW_TYPE_(...)                           ADIT_ROW_TYPE_OF_(__VA_ARGS__)
#define ADIT_ROW_FLAGS_(...)                          ADIT_ROW_FLAGS_OF_(__VA_ARGS__)
#define ADIT_ROW_C_(...)                              ADIT_ROW_C_OF_(__VA_ARGS__)
#define ADIT_ROW_READ_(...)                           ADIT_ROW_READ_OF_(__VA_ARGS__)
#define ADIT_ROW_ITEM_(...)                           ADIT_ROW_TYPE_OF_(__VA_ARGS__)
#define ADIT_ROW_TYPE_OF_(type, flags, ctype, read)   type
#define ADIT_ROW_FLAGS_OF_(type, flags, ctype, read)  flags
#define ADIT_ROW_C_OF_(type, flags, ctype, read)      ctype
#define ADIT_ROW_READ_OF_(type, flags, ctype, read)   read

static inline gboolean adit_row_bool_(const AditValue *v) { return v && v->type == ADIT_VALUE_BOOL && v->as.boolean; }
static inline gint64 adit_row_int_(const AditValue *v) { return v && v->type == ADIT_VALUE_INT ? v->as.integer : 0; }
static inline const char *adit_row_string_(const AditValue *v) { return v && v->type == ADIT_VALUE_STRING ? v->as.string : NULL; }
static inline const AditAddress *adit_row_address_(const AditValue *v) {
  return v && v->type == ADIT_VALUE_ADDRESS ? &v->as.address : NULL;
}
static inline const AditPrefix *adit_row_prefix_(const AditValue *v) { return v && v->type == ADIT_VALUE_PREFIX ? &v->as.prefix : NULL; }
static inline const AditValue *adit_row_list_(const AditValue *v) { return v && v->type == ADIT_VALUE_LIST ? v : NULL; }
static inline const AditValue *adit_row_map_(const AditValue *v) { return v && v->type == ADIT_VALUE_MAP ? v : NULL; }
static inline const AditValue *adit_row_any_(const AditValue *v) { return v; }

G_END_DECLS
