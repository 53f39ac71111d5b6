/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which files the loader takes. */
#include "core/plugin/open.h"
#include "core/plugin/plugins.h"
#include "core/plugin/resolve.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
  char *dir;
  GPtrArray *dirs;
} Ctx;

static int setup(void **state) {
  Ctx *ctx = g_new0(Ctx, 1);
  ctx->dir = g_dir_make_tmp("adit-open-XXXXXX", NULL);
  ctx->dirs = g_ptr_array_new();
  g_ptr_array_add(ctx->dirs, ctx->dir);
  *state = ctx;
  return 0;
}

static int teardown(void **state) {
  Ctx *ctx = *state;
  const char *const argv[] = {"rm", "-rf", ctx->dir, NULL};
  g_chmod(ctx->dir, 0755);
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_ptr_array_unref(ctx->dirs);
  g_free(ctx->dir);
  g_free(ctx);
  return 0;
}

/* Copies a built sample to where the loader will look for it. */
static void put(const char *sample, const char *to, const char *folder, mode_t mode) {
  g_autofree char *from = g_strdup_printf(BUILDDIR "/tests/unit/plugin/.libs/%s.so", sample);
  g_autofree char *path = g_build_filename(folder, to, NULL);
  g_autofree char *content = NULL;
  gsize length;

  g_mkdir_with_parents(folder, 0755);
  assert_true(g_file_get_contents(from, &content, &length, NULL));
  assert_true(g_file_set_contents(path, content, (gssize)length, NULL));
  assert_int_equal(g_chmod(path, mode), 0);
}

static void refused(Ctx *ctx, const char *name, const char *because) {
  g_autoptr(GError) error = NULL;
  Loaded *plugin = adit_plugin_open(name, ctx->dirs, FALSE, &error);

  assert_null(plugin);
  assert_non_null(error);
  if (!strstr(error->message, because))
    fail_msg("\"%s\" does not say \"%s\"", error->message, because);
}

static void taken(Ctx *ctx, const char *name) {
  g_autoptr(GError) error = NULL;
  Loaded *plugin = adit_plugin_open(name, ctx->dirs, FALSE, &error);

  if (!plugin)
    fail_msg("%s", error->message);
  assert_string_equal(plugin->owner.name, name);
  adit_plugin_free(plugin);
}

static void a_good_plugin_is_taken_from_each_place_that_libtool_uses(void **state) {
  Ctx *ctx = *state;
  static const char *const places[] = {"", ".libs", "sample", "sample/.libs"};

  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    g_autofree char *sub = g_strdup_printf("%s/%u", ctx->dir, i), *folder = g_build_filename(sub, places[i], NULL);
    put("sample", "sample.so", folder, 0644);
    ctx->dirs->pdata[0] = sub;
    taken(ctx, "sample");
  }
  ctx->dirs->pdata[0] = ctx->dir;
}

static void the_first_folder_wins(void **state) {
  Ctx *ctx = *state;
  g_autofree char *first = g_build_filename(ctx->dir, "first", NULL), *second = g_build_filename(ctx->dir, "second", NULL);

  put("wrongabi", "sample.so", first, 0644);
  put("sample", "sample.so", second, 0644);
  ctx->dirs->pdata[0] = first;
  g_ptr_array_add(ctx->dirs, second);
  refused(ctx, "sample", "ABI");
  ctx->dirs->pdata[0] = second;
  taken(ctx, "sample");
}

static void a_missing_file_is_named_with_the_folders(void **state) {
  Ctx *ctx = *state;
  refused(ctx, "sample", "no sample.so in ");
  refused(ctx, "sample", ctx->dir);
}

static void a_name_cannot_leave_its_folder(void **state) {
  refused(*state, "../sample", "can't be a plugin's name");
  refused(*state, "", "can't be a plugin's name");
  refused(*state, "a/b", "can't be a plugin's name");
}

static void another_abi_is_refused_with_both_numbers(void **state) {
  Ctx *ctx = *state;
  g_autofree char *both = g_strdup_printf("was built for ABI 77.%d, this daemon has %d.%d", ADIT_ABI_MINOR, ADIT_ABI_MAJOR, ADIT_ABI_MINOR);
  put("wrongabi", "wrongabi.so", ctx->dir, 0644);
  refused(ctx, "wrongabi", both);
}

static void another_size_is_refused(void **state) {
  Ctx *ctx = *state;
  put("wrongsize", "wrongsize.so", ctx->dir, 0644);
  refused(ctx, "wrongsize", "is 40 octets");
}

static void a_file_must_be_what_it_is_called(void **state) {
  Ctx *ctx = *state;
  put("wrongname", "wrongname.so", ctx->dir, 0644);
  refused(ctx, "wrongname", "calls itself \"somebody\"");
}

static void a_library_that_is_no_plugin_is_refused(void **state) {
  Ctx *ctx = *state;
  put("nosymbol", "nosymbol.so", ctx->dir, 0644);
  refused(ctx, "nosymbol", "exports no adit_plugin_info");
}

static void a_file_that_is_no_library_is_refused(void **state) {
  Ctx *ctx = *state;
  g_autofree char *path = g_build_filename(ctx->dir, "text.so", NULL);
  assert_true(g_file_set_contents(path, "hello", -1, NULL));
  refused(ctx, "text", "plugin text: ");
}

static void a_file_that_others_may_write_is_refused(void **state) {
  Ctx *ctx = *state;
  put("sample", "sample.so", ctx->dir, 0666);
  refused(ctx, "sample", "may be written by others");
}

static void a_folder_that_others_may_write_is_refused(void **state) {
  Ctx *ctx = *state;
  g_autofree char *inner = g_build_filename(ctx->dir, "inner", NULL);

  put("sample", "sample.so", inner, 0644);
  ctx->dirs->pdata[0] = inner;
  g_chmod(ctx->dir, 0777);
  refused(ctx, "sample", ctx->dir);
  g_chmod(ctx->dir, 01777); /* sticky, as /tmp: others can't swap what is not theirs */
  taken(ctx, "sample");
  ctx->dirs->pdata[0] = ctx->dir;
}

static void a_link_is_judged_by_where_it_leads(void **state) {
  Ctx *ctx = *state;
  g_autofree char *open = g_build_filename(ctx->dir, "open", NULL), *shut = g_build_filename(ctx->dir, "shut", NULL);
  g_autofree char *target = g_build_filename(open, "sample.so", NULL), *link = g_build_filename(shut, "sample.so", NULL);

  put("sample", "sample.so", open, 0644);
  g_mkdir_with_parents(shut, 0755);
  assert_int_equal(symlink(target, link), 0);
  ctx->dirs->pdata[0] = shut;
  taken(ctx, "sample");
  g_chmod(open, 0777);
  refused(ctx, "sample", "may be written by others");
  ctx->dirs->pdata[0] = ctx->dir;
}

static void a_strangers_file_is_refused(void **state) {
  Ctx *ctx = *state;
  g_autofree char *path = g_build_filename(ctx->dir, "sample.so", NULL);

  if (geteuid() != 0) {
    print_message("only root can give a file away: skipped\n");
    skip();
  }
  put("sample", "sample.so", ctx->dir, 0644);
  assert_int_equal(chown(path, 12345, 0), 0);
  refused(ctx, "sample", "belongs to user 12345");
}

static void a_newer_plugin_is_refused(void **state) {
  Ctx *ctx = *state;
  g_autofree char *minor = g_strdup_printf("was built for ABI %d.%d, this daemon has", ADIT_ABI_MAJOR, ADIT_ABI_MINOR + 1);
  put("newer", "newer.so", ctx->dir, 0644);
  refused(ctx, "newer", minor);
}

/* An older plugin's lists have shorter items, and its description fewer members. */
static void an_older_plugin_is_made_whole(void **state) {
  enum { SHORTER = G_STRUCT_OFFSET(AditOption, reference) };
  static const AditOption now[] = {{.name = "one", .scopes = "old", .type = ADIT_TYPE_BOOL, .help = "1", .reference = "gone"},
                                   {.name = "two", .scopes = "old", .type = ADIT_TYPE_INT, .help = "2", .reference = "gone"}};
  g_autofree guint8 *then = g_malloc(2 * SHORTER);
  AditPluginInfo old = {ADIT_PLUGIN_HEAD, .name = "old", .options = (const AditOption *)(gconstpointer)then, .n_options = 2};
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    memcpy(then + i * SHORTER, &now[i], SHORTER);
  old.option_size = SHORTER;
  old.size = G_STRUCT_OFFSET(AditPluginInfo, check) + sizeof old.check;
  Loaded *plugin = adit_plugin_wrap(&old, "old", &error);
  if (!plugin)
    fail_msg("%s", error->message);
  assert_int_equal(plugin->info->size, sizeof *plugin->info);
  assert_string_equal(plugin->info->options[1].name, "two");
  assert_string_equal(plugin->info->options[1].help, "2");
  assert_null(plugin->info->options[1].reference);
  adit_plugin_free(plugin);

  old.option_size = 0;
  assert_null(adit_plugin_wrap(&old, "old", &error));
  assert_non_null(strstr(error->message, "does not say how long one of its features or options is"));
}

static void further_symbols_are_refused(void **state) {
  Ctx *ctx = *state;
  put("extra", "extra.so", ctx->dir, 0644);
  refused(ctx, "extra", "exports more than adit_plugin_info: another_name; build it with -fvisibility=hidden");
}

static void an_unknown_kind_of_feature_is_refused(void **state) {
  Ctx *ctx = *state;
  put("badkind", "badkind.so", ctx->dir, 0644);
  refused(ctx, "badkind", "feature x:sample has the kind 9");
}

/* The owner of a symbolic link, or of its folder, decides which file is loaded. */
static void a_link_in_a_strangers_folder_is_refused(void **state) {
  Ctx *ctx = *state;
  g_autofree char *good = g_build_filename(ctx->dir, "good", NULL), *theirs = g_build_filename(ctx->dir, "theirs", NULL),
                  *last = g_build_filename(ctx->dir, "last", NULL);
  g_autofree char *target = g_build_filename(good, "sample.so", NULL), *link = g_build_filename(theirs, "sample.so", NULL),
                  *second = g_build_filename(last, "sample.so", NULL);

  put("sample", "sample.so", good, 0644);
  g_mkdir_with_parents(theirs, 0755);
  g_mkdir_with_parents(last, 0755);
  assert_int_equal(symlink(target, link), 0);
  assert_int_equal(symlink("../theirs/sample.so", second), 0);
  ctx->dirs->pdata[0] = theirs;
  taken(ctx, "sample");
  g_chmod(theirs, 0777);
  refused(ctx, "sample", "theirs may be written by others");
  ctx->dirs->pdata[0] = last; /* by way of it */
  refused(ctx, "sample", "theirs may be written by others");
  g_chmod(theirs, 0755);
  taken(ctx, "sample");
  if (geteuid() == 0) {
    assert_int_equal(lchown(link, 12345, 0), 0);
    refused(ctx, "sample", "belongs to user 12345");
    assert_int_equal(chown(theirs, 12345, 0), 0);
    refused(ctx, "sample", "theirs belongs to user 12345");
  }
  ctx->dirs->pdata[0] = ctx->dir;
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_good_plugin_is_taken_from_each_place_that_libtool_uses),
      T(the_first_folder_wins),
      T(a_missing_file_is_named_with_the_folders),
      T(a_name_cannot_leave_its_folder),
      T(another_abi_is_refused_with_both_numbers),
      T(another_size_is_refused),
      T(a_file_must_be_what_it_is_called),
      T(a_library_that_is_no_plugin_is_refused),
      T(a_file_that_is_no_library_is_refused),
      T(a_file_that_others_may_write_is_refused),
      T(a_folder_that_others_may_write_is_refused),
      T(a_link_is_judged_by_where_it_leads),
      T(a_strangers_file_is_refused),
      T(a_newer_plugin_is_refused),
      T(an_older_plugin_is_made_whole),
      T(further_symbols_are_refused),
      T(an_unknown_kind_of_feature_is_refused),
      T(a_link_in_a_strangers_folder_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
