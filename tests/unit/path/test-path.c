/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/owner.h"
#include "core/path/path.h"

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static AditPlugin one = {"one"}, two = {"two"};
#define PLUGIN(n) (&(n))

static const AditDatapathOps tun = {.size = sizeof tun, .name = "tun"}, null = {.size = sizeof null, .name = "null"};
static const AditTransportOps l2tp = {.size = sizeof l2tp, .name = "l2tp"};

static int setup(void **state) {
  adit_path_init();
  return 0;
}

static int teardown(void **state) {
  adit_path_fini();
  return 0;
}

static void registered_things_are_found_with_their_state(void **state) {
  const AditPathService *service = adit_path_service();
  gpointer dp = NULL, transport = NULL;
  int a, b;

  assert_true(service->datapath_add(PLUGIN(one), &tun, &a, NULL));
  assert_true(service->transport_add(PLUGIN(two), &l2tp, &b, NULL));
  assert_ptr_equal(service->datapath("tun", &dp), &tun);
  assert_ptr_equal(dp, &a);
  assert_ptr_equal(adit_transport_find("l2tp", &transport), &l2tp);
  assert_ptr_equal(transport, &b);
  assert_null(adit_datapath_find("l2tp", &dp));
  assert_null(dp);
  assert_null(adit_transport_find("tun", NULL));
  assert_null(adit_datapath_find(NULL, NULL));
}

static void a_name_is_taken_once(void **state) {
  g_autoptr(GError) error = NULL;
  assert_true(adit_path_service()->datapath_add(PLUGIN(one), &tun, NULL, NULL));
  assert_false(adit_path_service()->datapath_add(PLUGIN(two), &tun, NULL, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
}

static void short_ops_are_refused(void **state) {
  g_autoptr(GError) error = NULL;
  const AditDatapathOps old = {.size = G_STRUCT_OFFSET(AditDatapathOps, session_close), .name = "old"};
  assert_false(adit_path_service()->datapath_add(PLUGIN(one), &old, NULL, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  assert_null(adit_datapath_at(0, NULL, NULL));
}

static void dropping_a_plugin_leaves_the_others(void **state) {
  AditPlugin *owner = NULL;
  assert_true(adit_path_service()->datapath_add(PLUGIN(one), &tun, NULL, NULL));
  assert_true(adit_path_service()->datapath_add(PLUGIN(two), &null, NULL, NULL));
  assert_true(adit_path_service()->transport_add(PLUGIN(one), &l2tp, NULL, NULL));
  adit_path_drop_plugin(PLUGIN(one));
  assert_ptr_equal(adit_datapath_at(0, NULL, &owner), &null);
  assert_ptr_equal(owner, PLUGIN(two));
  assert_null(adit_datapath_at(1, NULL, NULL));
  assert_null(adit_transport_at(0, NULL, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(registered_things_are_found_with_their_state, setup, teardown),
      cmocka_unit_test_setup_teardown(a_name_is_taken_once, setup, teardown),
      cmocka_unit_test_setup_teardown(short_ops_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(dropping_a_plugin_leaves_the_others, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
