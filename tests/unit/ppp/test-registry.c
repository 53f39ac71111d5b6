/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "links.h"

#include "core/base/owner.h"
#include "core/ppp/registry.h"

static void ncps_are_registered_by_number(void **state) {
  g_autoptr(GError) error = NULL;
  static AditPlugin own = {"p"}, *plugin = &own;
  AditNcpDesc other = simple_ncp, lame = simple_ncp;
  guint n;
  other.protocol = 0x8021;
  other.data_protocol = 0x0021;
  lame.restore = NULL;
  adit_ppp_init();
  const AditPppService *service = adit_ppp_service();
  assert_null(adit_ncp_descs(&n));
  assert_true(service->ncp_add(plugin, &simple_ncp, NULL));
  assert_true(service->ncp_add(NULL, &other, NULL));
  assert_ptr_equal(adit_ncp_descs(&n)[0], &other);
  assert_int_equal(n, 2);
  assert_ptr_equal(adit_ncp_find(0x0033), &simple_ncp);
  assert_ptr_equal(adit_ncp_find(0x8033), &simple_ncp);
  assert_null(adit_ncp_find(0x80fd));
  assert_false(service->ncp_add(plugin, &simple_ncp, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
  g_clear_error(&error);
  assert_false(service->ncp_add(plugin, &lame, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  adit_ppp_drop_plugin(plugin);
  assert_null(adit_ncp_find(0x8033));
  assert_ptr_equal(adit_ncp_find(0x8021), &other);
  adit_ppp_fini();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ncps_are_registered_by_number),
  };
  return cmocka_run_group_tests_name("ppp-registry", tests, NULL, NULL);
}
