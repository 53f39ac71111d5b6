/* SPDX-License-Identifier: MIT */
/* A plugin's description and its options, as the daemon's loader checks them. */
#include "adit-test.h"

enum {
  FLAGS_KNOWN = ADIT_OPTION_LIST | ADIT_OPTION_REQUIRED | ADIT_OPTION_SECRET | ADIT_OPTION_OFF | ADIT_OPTION_ATTRIBUTE | ADIT_OPTION_COA |
                ADIT_OPTION_KEY | ADIT_OPTION_CARRIED,
};

G_GNUC_PRINTF(3, 4)
static gboolean refuse_info(const AditPluginInfo *info, GError **error, const char *format, ...) {
  va_list args;

  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s", info->name ? info->name : "?", text);
  return FALSE;
}

static gboolean check_features(const AditPluginInfo *info, GError **error) {
  for (guint i = 0; i < info->n_features; i++) {
    const AditFeature *feature = &info->features[i];
    const char *colon = feature->name ? strchr(feature->name, ':') : NULL;
    if (!colon || colon == feature->name || !colon[1])
      return refuse_info(info, error, "feature \"%s\" is not written kind:name", feature->name ? feature->name : "");
    if (feature->kind < ADIT_PROVIDES || feature->kind > ADIT_WANTS)
      return refuse_info(info, error, "feature %s has the kind %d", feature->name, feature->kind);
  }
  return TRUE;
}

/* The core's, and those that a MAP option of the same plugin holds. */
static gboolean scope_exists(const AditPluginInfo *info, const char *scope) {
  static const char *const always[] = {ADIT_SCOPE_GLOBAL, ADIT_SCOPE_SERVER, ADIT_SCOPE_CLIENT, ADIT_SCOPE_BINDING, ADIT_SCOPE_PROFILE,
                                       ADIT_SCOPE_SECRET, ADIT_SCOPE_AAA,    ADIT_SCOPE_POOL,   ADIT_SCOPE_SESSION, NULL};
  if (g_strv_contains(always, scope) || !strcmp(scope, info->name))
    return TRUE;
  for (guint i = 0; i < info->n_options; i++)
    if (info->options[i].type == ADIT_TYPE_MAP && !g_strcmp0(info->options[i].words, scope))
      return TRUE;
  return FALSE;
}

static gboolean check_scopes(const AditPluginInfo *info, const AditOption *option, GError **error) {
  g_auto(GStrv) scopes = g_strsplit(option->scopes ? option->scopes : "", " ", -1);

  for (guint i = 0; scopes[i]; i++)
    if (!scope_exists(info, scopes[i]))
      return refuse_info(info, error, "option %s: there is no scope `%s`", option->name, scopes[i]);
  return scopes[0] || refuse_info(info, error, "option %s has no scope", option->name);
}

static gboolean check_option(const AditPluginInfo *info, const AditOption *option, GError **error) {
  gboolean worded = option->type == ADIT_TYPE_ENUM || option->type == ADIT_TYPE_SET || option->type == ADIT_TYPE_MAP;

  if (!option->name || !g_ascii_islower(*option->name) || option->name[strspn(option->name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
    return refuse_info(info, error, "option %s: its name is not in kebab-case", option->name ? option->name : "(NULL)");
  if (option->type < ADIT_TYPE_BOOL || option->type > ADIT_TYPE_OCTETS)
    return refuse_info(info, error, "option %s has no type", option->name);
  if (option->flags & ~(guint)FLAGS_KNOWN)
    return refuse_info(info, error, "option %s has flags 0x%x, which nobody knows", option->name, option->flags & ~(guint)FLAGS_KNOWN);
  if (worded && (!option->words || !*option->words))
    return refuse_info(info, error, "option %s has no words", option->name);
  if (option->min > option->max)
    return refuse_info(info, error, "option %s: min is over max", option->name);
  if (option->fallback && (option->type == ADIT_TYPE_MAP || (option->flags & ADIT_OPTION_REQUIRED)))
    return refuse_info(info, error, "option %s can have no default", option->name);
  return check_scopes(info, option, error);
}

gboolean test_check_info(const AditPluginInfo *info, GError **error) {
  if (info->abi_major != ADIT_ABI_MAJOR || info->abi_minor > ADIT_ABI_MINOR) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "built for ABI %u.%u, this is %d.%d", info->abi_major, info->abi_minor,
                ADIT_ABI_MAJOR, ADIT_ABI_MINOR);
    return FALSE;
  }
  if (!ADIT_HAS(info, check) || !info->name)
    return refuse_info(info, error, "adit_plugin_info is %" G_GSIZE_FORMAT " octets long, or has no name", info->size);
  if ((info->n_features && (!info->features || info->feature_size != sizeof(AditFeature))) ||
      (info->n_options && (!info->options || info->option_size != sizeof(AditOption))))
    return refuse_info(info, error, "its features or options are not there, or it does not say how long one is: ADIT_PLUGIN_DEFINE() does");
  if (!check_features(info, error))
    return FALSE;
  for (guint i = 0; i < info->n_options; i++)
    if (!check_option(info, &info->options[i], error))
      return FALSE;
  return TRUE;
}
