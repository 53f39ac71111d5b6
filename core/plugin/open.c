/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From a name to a mapped module that may be trusted: the owner of the file, and whether it was built for this core. */
#include "core/plugin/open.h"
#include "core/base/table.h"
#include "core/plugin/exports.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void adit_plugin_free(Loaded *plugin) {
  if (!plugin)
    return;
  g_free((char *)plugin->owner.name);
  g_free((gpointer)plugin->owner.provides);
  g_clear_pointer(&plugin->owner.mistakes, g_ptr_array_unref);
  g_free(plugin->path);
  g_free(plugin);
}

/* One component of the path. A directory that all users may write is harmless when it is sticky, as /tmp: only its owner and the entry's
 * can then swap the entry, and the entry's owner is checked too. */
static gboolean check_component(const char *path, GError **error) {
  struct stat st;

  if (lstat(path, &st) < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: %s", path, g_strerror(errno));
    return FALSE;
  }
  if (st.st_uid != 0 && st.st_uid != geteuid()) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s belongs to user %u, not to root or this daemon's user (%u): not loaded", path,
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

enum { LINKS_MAX = 40 }; /* as the kernel follows */

static gboolean check_way(const char *from, const char *path, guint *links, GError **error);

/* A symbolic link leads where its owner says: it is judged as a file is, but for its mode, and its target after it. */
static gboolean follow_link(const char *from, const char *link, const char *rest, uid_t owner, guint *links, GError **error) {
  g_autofree char *target = g_file_read_link(link, error);

  if (!target)
    return FALSE;
  if (owner != 0 && owner != geteuid()) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "the link %s belongs to user %u, neither root nor this daemon's (%u): not loaded", link,
                owner, geteuid());
    return FALSE;
  }
  if (++*links > LINKS_MAX) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s: too many links: not loaded", link);
    return FALSE;
  }
  g_autofree char *on = g_build_filename(target, rest, NULL);
  return check_way(*target == '/' ? "/" : from, on, links, error);
}

/* Each step of `path`, which begins at `from`, a folder that was found good. */
static gboolean check_way(const char *from, const char *path, guint *links, GError **error) {
  g_autofree char *here = g_strdup(from);

  for (const char *at = path; *(at += strspn(at, "/"));) {
    gsize length = strcspn(at, "/");
    g_autofree char *name = g_strndup(at, length), *next = g_build_filename(here, name, NULL);
    struct stat st;
    at += length;
    if (!strcmp(name, "."))
      continue;
    if (!strcmp(name, "..")) {
      g_autofree char *up = g_path_get_dirname(here);
      g_free(here);
      here = g_steal_pointer(&up);
      continue;
    }
    if (lstat(next, &st) == 0 && S_ISLNK(st.st_mode))
      return follow_link(here, next, at, st.st_uid, links, error);
    if (!check_component(next, error))
      return FALSE;
    g_free(here);
    here = g_steal_pointer(&next);
  }
  return TRUE;
}

/* Refuses a file that users other than root and this process's user could have written, swapped or redirected. */
static gboolean check_owner(const char *path, GError **error) {
  guint links = 0;
  return check_component("/", error) && check_way("/", path, &links, error);
}

/* Where a plugin may be in a folder: as installed, and as libtool leaves it in a build tree. */
static char *find_in(const char *dir, const char *name) {
  g_autofree char *file = g_strconcat(name, ".so", NULL);
  const char *const places[][3] = {{file}, {".libs", file}, {name, file}, {name, ".libs", file}};

  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    g_autofree char *path = g_build_filename(dir, places[i][0], places[i][1], places[i][2], NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer(&path);
  }
  return NULL;
}

static gboolean name_is_good(const char *name) {
  return name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name) && strlen(name) <= 64;
}

/* The first that there is; links in it are not resolved. */
static char *find_plugin_file(const char *name, const GPtrArray *dirs) {
  char *path = NULL;
  for (guint i = 0; i < dirs->len && !path; i++)
    path = find_in((const char *)dirs->pdata[i], name);
  return path;
}

gboolean adit_plugin_find(const char *name, const GPtrArray *dirs) {
  char *path = name_is_good(name) ? find_plugin_file(name, dirs) : NULL;
  gboolean found = path != NULL;
  g_free(path);
  return found;
}

static gboolean check_features(const AditPluginInfo *info, GError **error) {
  for (guint i = 0; i < info->n_features; i++) {
    const AditFeature *f = (const AditFeature *)(gconstpointer)((const guint8 *)info->features + i * info->feature_size);
    const char *feature = f->name, *colon = feature ? strchr(feature, ':') : NULL;
    if (!colon || colon == feature || !colon[1]) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "feature \"%s\" is not written kind:name", feature ? feature : "");
      return FALSE;
    }
    if (f->kind < ADIT_PROVIDES || f->kind > ADIT_WANTS) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "feature %s has the kind %d: it is none of ADIT_PROVIDES, _REQUIRES, _WANTS",
                  feature, f->kind);
      return FALSE;
    }
  }
  return TRUE;
}

/* From 1 on a plugin may be older than the core within its major number; while the major is 0, down to the last minor that changed what
 * was there. A newer plugin might count on members that this core would not look at. */
static gboolean check_abi(const AditPluginInfo *info, GError **error) {
  enum { OLDEST_MINOR = 3 };
  guint oldest = ADIT_ABI_MAJOR ? 0 : OLDEST_MINOR;

  if (info->abi_major == ADIT_ABI_MAJOR && info->abi_minor >= oldest && info->abi_minor <= ADIT_ABI_MINOR)
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "was built for ABI %u.%u, this daemon has %d.%d: build it again", info->abi_major,
              info->abi_minor, ADIT_ABI_MAJOR, ADIT_ABI_MINOR);
  return FALSE;
}

/* The members of the first headers of this ABI; an older plugin is as long as its own were. */
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

static const char *const *list_provided(const AditPluginInfo *info) {
  const char **names = g_new0(const char *, info->n_features + 1);
  guint n = 0;

  for (guint i = 0; i < info->n_features; i++)
    if (info->features[i].kind == ADIT_PROVIDES)
      names[n++] = info->features[i].name;
  return names;
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
  plugin->owner.provides = list_provided(plugin->info);
  plugin->owner.stage = ADIT_OWNER_LOADING;
  plugin->phase = PLUGIN_OPENED;
  return plugin;
}

static void say_not_found(const char *name, const GPtrArray *dirs, GError **error) {
  g_autoptr(GString) where = g_string_new(NULL);
  for (guint i = 0; i < dirs->len; i++)
    g_string_append_printf(where, "%s%s", i ? ", " : "", (const char *)dirs->pdata[i]);
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "plugin %s: no %s.so in %s", name, name, where->len ? where->str : "any folder");
}

/* A name that it exports may be taken for another plugin's. */
static gboolean check_exports(const char *path, GError **error) {
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
  g_autofree char *extra =
      file ? adit_exports_extra((const guint8 *)g_mapped_file_get_contents(file), g_mapped_file_get_length(file)) : NULL;

  if (extra)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "exports more than adit_plugin_info: %s; build it with -fvisibility=hidden", extra);
  return file && !extra;
}

/* `path` has links resolved, and may be trusted. */
static Loaded *open_file(const char *path, const char *name, GError **error) {
  GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
  gpointer info = NULL;
  Loaded *plugin = NULL;

  if (!module) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s", name, g_module_error());
    return NULL;
  }
  g_module_make_resident(module); /* threads, GTypes and static tables of a plugin outlive any order of ending */
  if (!g_module_symbol(module, "adit_plugin_info", &info) || !info)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "plugin %s: %s exports no adit_plugin_info", name, path);
  else if (!check_exports(path, error))
    g_prefix_error(error, "plugin %s: ", name);
  else
    plugin = adit_plugin_wrap((const AditPluginInfo *)info, name, error);
  if (plugin)
    plugin->path = g_strdup(path);
  return plugin;
}

Loaded *adit_plugin_open(const char *name, const GPtrArray *dirs, gboolean trusted, GError **error) {
  if (!name_is_good(name)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "\"%s\" can't be a plugin's name", name);
    return NULL;
  }
  g_autofree char *found = find_plugin_file(name, dirs);
  if (!found) {
    say_not_found(name, dirs, error);
    return NULL;
  }
  if (!trusted && !check_owner(found, error)) {
    g_prefix_error(error, "plugin %s: ", name);
    return NULL;
  }
  char *path = realpath(found, NULL);
  Loaded *plugin = path ? open_file(path, name, error) : NULL;
  if (!path)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "plugin %s: %s: %s", name, found, g_strerror(errno));
  free(path);
  return plugin;
}
