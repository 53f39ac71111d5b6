/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "plugins/l2tp/engine/header.h"

static const struct {
  const char *what;
  guint8 octets[24];
  gsize length;
  gboolean good, control;
  guint16 tunnel, session, offset, body;
} rows[] = {
    {"ZLB", {0xc8, 2, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6}, 12, TRUE, TRUE, 0x0102, 0x0304, 12, 0},
    {"control with octets behind its length", {0xc8, 2, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6, 9, 9}, 14, TRUE, TRUE, 0x0102, 0x0304, 12, 0},
    {"plain data", {0x00, 2, 1, 2, 3, 4, 0xff, 3, 0xc0, 0x21}, 10, TRUE, FALSE, 0x0102, 0x0304, 6, 4},
    {"data with length", {0x40, 2, 0, 10, 1, 2, 3, 4, 0, 0x21}, 10, TRUE, FALSE, 0x0102, 0x0304, 8, 2},
    {"data with sequence", {0x08, 2, 1, 2, 3, 4, 0, 7, 0, 0, 0xff, 3}, 12, TRUE, FALSE, 0x0102, 0x0304, 10, 2},
    {"data with offset", {0x02, 2, 1, 2, 3, 4, 0, 2, 9, 9, 0, 0x21}, 12, TRUE, FALSE, 0x0102, 0x0304, 10, 2},
    {"data with all of them", {0x4b, 2, 0, 18, 1, 2, 3, 4, 0, 7, 0, 0, 0, 2, 9, 9, 0, 0x21}, 18, TRUE, FALSE, 0x0102, 0x0304, 16, 2},
    {"reserved bits set", {0x34, 0xf2, 1, 2, 3, 4, 0, 0x21}, 8, TRUE, FALSE, 0x0102, 0x0304, 6, 2},
    {"data without payload", {0x00, 2, 1, 2, 3, 4}, 6, TRUE, FALSE, 0x0102, 0x0304, 6, 0},
    {"nothing", {0}, 0, FALSE},
    {"L2F", {0xc8, 1, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"L2TPv3", {0xc8, 3, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"control without length", {0x88, 2, 1, 2, 3, 4, 0, 5, 0, 6, 0, 0}, 12, FALSE},
    {"control without sequence", {0xc0, 2, 0, 8, 1, 2, 3, 4}, 8, FALSE},
    {"control with offset", {0xca, 2, 0, 14, 1, 2, 3, 4, 0, 5, 0, 6, 0, 0}, 14, FALSE},
    {"control with priority", {0xc9, 2, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"length over the datagram", {0xc8, 2, 0, 13, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"length under the header", {0xc8, 2, 0, 11, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"length 0", {0xc8, 2, 0, 0, 1, 2, 3, 4, 0, 5, 0, 6}, 12, FALSE},
    {"offset over the end", {0x02, 2, 1, 2, 3, 4, 0, 5, 9, 9, 9, 9}, 12, FALSE},
    {"data cut in its ids", {0x00, 2, 1, 2, 3}, 5, FALSE},
};

static void rfc2661_3_1_header(void **state) {
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    L2tpHeader h;
    g_autofree guint8 *copy = g_memdup2(rows[i].octets, rows[i].length);
    gboolean good = l2tp_header_parse(&h, copy, rows[i].length);
    if (good != rows[i].good)
      fail_msg("%s", rows[i].what);
    if (!good)
      continue;
    assert_int_equal(h.control, rows[i].control);
    assert_int_equal(h.tunnel, rows[i].tunnel);
    assert_int_equal(h.session, rows[i].session);
    assert_int_equal(h.offset, rows[i].offset);
    assert_int_equal(h.length, rows[i].body);
  }
}

static void every_cut_of_a_header_is_bounded(void **state) {
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    for (gsize length = 0; length <= rows[i].length; length++) {
      L2tpHeader h;
      g_autofree guint8 *copy = g_memdup2(rows[i].octets, length);
      if (l2tp_header_parse(&h, copy, length))
        assert_true((gsize)h.offset + h.length <= length);
    }
}

static void classify_tells_control_newcomers_and_data(void **state) {
  static const guint8 zlb[] = {0xc8, 2, 0, 12, 1, 2, 3, 4, 0, 5, 0, 6}, first[] = {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0},
                      data[] = {0x08, 2, 1, 2, 3, 4, 0, 7, 0, 0, 0xff, 3}, nobody[] = {0x00, 2, 1, 2, 0, 0, 0xff, 3}, junk[] = "GET / HTTP";
  AditClassified c;

  l2tp_classify(zlb, sizeof zlb, &c);
  assert_int_equal(c.klass, ADIT_CLASS_CONTROL);
  assert_int_equal(c.tunnel, 0x0102);
  l2tp_classify(first, sizeof first, &c);
  assert_int_equal(c.klass, ADIT_CLASS_CONTROL_NEW);
  l2tp_classify(data, sizeof data, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DATA);
  assert_int_equal(c.tunnel, 0x0102);
  assert_int_equal(c.session, 0x0304);
  assert_int_equal(c.offset, 10);
  assert_int_equal(c.length, 2);
  assert_true(c.has_sequence);
  assert_int_equal(c.sequence, 7);
  l2tp_classify(nobody, sizeof nobody, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DROP);
  l2tp_classify(junk, sizeof junk, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DROP);
  l2tp_classify_any_tunnel(data, sizeof data, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DATA);
  assert_int_equal(c.tunnel, 0);
  l2tp_classify_any_tunnel(zlb, sizeof zlb, &c);
  assert_int_equal(c.tunnel, 0x0102);
}

static void an_oversized_control_message_is_dropped(void **state) {
  g_autofree guint8 *large = g_malloc0(L2TP_CONTROL_MAX + 1);
  AditClassified c;
  AditBuilder b = adit_builder(large, L2TP_CONTROL_MAX + 1);

  l2tp_header_put(&b, 1, 0, 0, 0);
  adit_put_room(&b, L2TP_CONTROL_MAX + 1 - L2TP_CONTROL_HEADER);
  l2tp_header_finish(&b);
  l2tp_classify(large, L2TP_CONTROL_MAX, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DROP); /* its length field says more than came */
  l2tp_classify(large, L2TP_CONTROL_MAX + 1, &c);
  assert_int_equal(c.klass, ADIT_CLASS_DROP);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2661_3_1_header),
      cmocka_unit_test(every_cut_of_a_header_is_bounded),
      cmocka_unit_test(classify_tells_control_newcomers_and_data),
      cmocka_unit_test(an_oversized_control_message_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
