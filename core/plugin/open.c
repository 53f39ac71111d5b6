/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From a name to a mapped module that may be trusted: whose file it is, and whether it was built for this core. */
#include "core/plugin/open.h"
#include "core/base/table.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void adit_plugin_free(Loaded *plugin) {
  if (!plugin)
    return;
  g_free((char *)plugin->owner.name);
  g_free(plugin->path);
  g_free(plugin);
}

/* One component of the path. A directory that everyone may write is harmless when it is sticky, as /tmp: nobody but its owner
 * and the entry's can then swap the entry, and the entry's owner is checked too. */
static gboolean check_component(const char *path, GError **error) {
  struct stat st;

  if (lstat(path, &st) < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: %s", path, g_strerror(errno));
    return FALSE;
  }
  if (st.st_uid != 0 && st.st_uid != geteuid()) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s belongs to user %u, neither root nor this daemon's (%u): not loaded", path,
                st.st_uid, geteuid());
    return FALSE;
  }
  gboolean sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
  gboolean own_group = st.st_gid == 0 || (geteuid() != 0 && st.st_gid == geteuid()); /* a user's private group, as Debian makes them */
  gboolean others = (st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && !own_group);
  if (others && !sticky) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s may be written by others (mode %04o): not loaded; chmod go-w", path,
                st.st_mode & 07777);
    return FALSE;
  }
  return TRUE;
}

/* Refuses a file that anybody but root or this process's user could have written or could swap. Absolute, resolved path. */
static gboolean check_owner(const char *path, GError **error) {
  g_autofree char *part = g_strdup(path);

  for (;;) {
    if (!check_component(part, error))
      return FALSE;
    if (!strcmp(part, "/"))
      return TRUE;
    char *slash = strrchr(part, '/');
    slash[slash == part ? 1 : 0] = 0;
  }
}

/* Where a plugin may stand in a folder: as installed, and as libtool leaves it in a build tree. */
static char *find_in(const char *dir, const char *name) {
  g_autofree char *file = g_strconcat(name, ".so", NULL);
  const char *const places[][3] = {{file}, {".libs", file}, {name, file}, {name, ".libs", file}};

  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    g_autofree char *path = g_build_filename(dir, places[i][0], places[i][1], places[i][2], NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
      return realpath(path, NULL);
  }
  return NULL;
}

static gboolean name_is_good(const char *name) {
  return name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name) && strlen(name) <= 64;
}

/* The first that there is; of realpath. */
static char *find_plugin_file(const char *name, const GPtrArray *dirs) {
  char *path = NULL;
  for (guint i = 0; i < dirs->len && !path; i++)
    path = find_in((const char *)dirs->pdata[i], name);
  return path;
}

gboolean adit_plugin_find(const char *name, const GPtrArray *dirs) {
  char *path = name_is_good(name) ? find_plugin_file(name, dirs) : NULL;
  gboolean found = path != NULL;
  free(path);
  return found;
}

static gboolean check_features(const AditPluginInfo *info, GError **error) {
  for (guint i = 0; i < info->n_features; i++) {
    const char *feature = ((const AditFeature *)((const guint8 *)info->features + i * info->feature_size))->name,
               *colon = feature ? strchr(feature, ':') : NULL;
    if (!colon || colon == feature || !colon[1]) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "feature \"%s\" is not written kind:name", feature ? feature : "");
      return FALSE;
    }
  }
  return TRUE;
}

/* From 1 on a plugin may be older than the core within its major number; while the major is 0, down to the last minor that changed what
 * was there. A newer plugin might count on members that this core would not look at. */
static gboolean check_abi(const AditPluginInfo *info, GError **error) {
  enum { OLDEST_MINOR = 2 };
  guint oldest = ADIT_ABI_MAJOR ? 0 : OLDEST_MINOR;

  if (info->abi_major == ADIT_ABI_MAJOR && info->abi_minor >= oldest && info->abi_minor <= ADIT_ABI_MINOR)
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "was built for ABI %u.%u, this daemon has %d.%d: build it again", info->abi_major,
              info->abi_minor, ADIT_ABI_MAJOR, ADIT_ABI_MINOR);
  return FALSE;
}

/* What the first headers of this ABI had; an older plugin is as long as its own were. */
static gboolean check_sizes(const AditPluginInfo *info, GError **error) {
  if (!ADIT_HAS(info, check))
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "adit_plugin_info is %" G_GSIZE_FORMAT " octets, %" G_GSIZE_FORMAT " at least are due",
                info->size, G_STRUCT_OFFSET(AditPluginInfo, check) + sizeof info->check);
  else if ((info->n_features && !info->features) || (info->n_options && !info->options))
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "counts features or options that it does not have");
  else if ((info->n_features && info->feature_size < sizeof(AditFeature)) ||
           (info->n_options && info->option_size < G_STRUCT_OFFSET(AditOption, reference)))
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID,
                        "does not say how long one of its features or options is: ADIT_PLUGIN_DEFINE() does");
  else
    return TRUE;
  return FALSE;
}

static gboolean check_info(const AditPluginInfo *info, const char *name, GError **error) {
  if (info->size < G_STRUCT_OFFSET(AditPluginInfo, feature_size)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "adit_plugin_info is %" G_GSIZE_FORMAT " octets long: not a plugin's description",
                info->size);
    return FALSE;
  }
  if (!check_abi(info, error) || !check_sizes(info, error))
    return FALSE;
  if (g_strcmp0(info->name, name)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "calls itself \"%s\"", info->name ? info->name : "");
    return FALSE;
  }
  return check_features(info, error);
}

/* As long as this core's, whatever headers it was built against. */
static void make_whole(AditPluginInfo *own, const AditPluginInfo *info) {
  adit_copy_sized(own, sizeof *own, info);
  own->features = adit_table_list(info->features, info->n_features, info->feature_size, sizeof(AditFeature));
  own->options = adit_table_list(info->options, info->n_options, info->option_size, sizeof(AditOption));
  own->feature_size = sizeof(AditFeature);
  own->option_size = sizeof(AditOption);
}

Loaded *adit_plugin_wrap(const AditPluginInfo *info, const char *name, GError **error) {
  if (!name_is_good(name) || !check_info(info, name, error)) {
    if (error && !*error)
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "\"%s\" can't be a plugin's name", name ? name : "");
    g_prefix_error(error, "plugin %s: ", name ? name : "?");
    return NULL;
  }
  Loaded *plugin = g_new0(Loaded, 1);
  plugin->owner.name = g_strdup(name);
  make_whole(&plugin->whole, info);
  plugin->info = &plugin->whole;
  plugin->phase = PLUGIN_OPENED;
  return plugin;
}

static void say_not_found(const char *name, const GPtrArray *dirs, GError **error) {
  g_autoptr(GString) where = g_string_new(NULL);
  for (guint i = 0; i < dirs->len; i++)
    g_string_append_printf(where, "%s%s", i ? ", " : "", (const char *)dirs->pdata[i]);
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "plugin %s: no %s.so in %s", name, name, where->len ? where->str : "any folder");
}

Loaded *adit_plugin_open(const char *name, const GPtrArray *dirs, gboolean trusted, GError **error) {
  if (!name_is_good(name)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "\"%s\" can't be a plugin's name", name);
    return NULL;
  }
  char *path = find_plugin_file(name, dirs);
  if (!path) {
    say_not_found(name, dirs, error);
    return NULL;
  }

  Loaded *plugin = NULL;
  GModule *module = NULL;
  gpointer info = NULL;
  if (!trusted && !check_owner(path, error))
    g_prefix_error(error, "plugin %s: ", name);
  else if (!(module = g_module_open(path, G_MODULE_BIND_LOCAL)))
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s", name, g_module_error());
  else if (!g_module_symbol(module, "adit_plugin_info", &info) || !info)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s exports no adit_plugin_info", name, path);
  else
    plugin = adit_plugin_wrap((const AditPluginInfo *)info, name, error);

  if (module) /* threads, GTypes and static tables of a plugin outlive any order of ending */
    g_module_make_resident(module);
  if (plugin)
    plugin->path = g_strdup(path);
  free(path);
  return plugin;
}
