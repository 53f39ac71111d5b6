/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/control/conn.h - a connection without a socket, to the interface of sample.h. */
#pragma once

#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/control/call.h"
#include "core/control/turns.h"
#include "core/control/varlink.h"
#include "tests/lib/loop.h"
#include "tests/unit/control/sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
  AditConn *conn;
  guint woken;
} Ctx;

static inline void wake(gpointer data) {
  ((Ctx *)data)->woken++;
}

static inline int setup(void **state) {
  Ctx *ctx = g_new0(Ctx, 1);
  adit_loop_init();
  adit_bus_init();
  adit_control_init();
  sample_add();
  ctx->conn = adit_conn_new(ADIT_ACCESS_CHANGE, wake, ctx);
  sample_things = g_hash_table_new(NULL, NULL);
  *state = ctx;
  return 0;
}

static inline int teardown(void **state) {
  Ctx *ctx = *state;
  if (ctx->conn)
    adit_conn_free(ctx->conn);
  g_free(ctx);
  g_clear_pointer(&sample_things, g_hash_table_unref);
  adit_control_fini();
  adit_bus_fini();
  adit_loop_fini();
  return 0;
}

/* Everything that may be done before output is read. */
static inline void settle(void) {
  for (guint i = 0; adit_turns_pass(); i++)
    assert_true(i < 1000000);
}

static inline gboolean say(Ctx *ctx, const char *message) {
  gboolean fed = adit_conn_feed(ctx->conn, (const guint8 *)message, strlen(message) + 1);
  settle();
  return fed && !adit_conn_is_bad(ctx->conn);
}

/* All output, as if it had been read, with a newline for each NUL. */
static inline char *hear(Ctx *ctx) {
  GString *text = g_string_new(NULL);
  const guint8 *data;
  gsize length;

  settle();
  while ((data = adit_conn_output(ctx->conn, &length))) {
    for (gsize i = 0; i < length; i++)
      g_string_append_c(text, data[i] ? (char)data[i] : '\n');
    adit_conn_sent(ctx->conn, length);
    settle();
  }
  return g_string_free(text, FALSE);
}

static inline void expect(Ctx *ctx, const char *expected) {
  g_autofree char *text = hear(ctx);
  assert_string_equal(text, expected);
}

static inline void expect_part(Ctx *ctx, const char *part) {
  g_autofree char *text = hear(ctx);
  if (!strstr(text, part))
    fail_msg("no %s in %s", part, text);
}
