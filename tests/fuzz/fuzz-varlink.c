/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The management socket's protocol and JSON: octets of a peer, in two pieces, to every interface that the core has. */
#include "core/base/loop.h"
#include "core/bus/bus.h"
#include "core/control/turns.h"
#include "core/control/varlink.h"
#include "core/path/path.h"
#include "core/session/session.h"
#include <json-glib/json-glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void wake(gpointer data) {}

static void echo(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *result = adit_value_map();
  adit_value_set(result, "echo", adit_value_ref(parameters));
  adit_control_service()->reply(call, result, FALSE);
}

static void list(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *items = adit_value_list();
  for (guint i = 0; i < 500; i++)
    adit_value_append(items, adit_value_int(i));
  adit_control_reply_list(call, "list", items);
}

static void begin(void) {
  static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "Echo", .call = echo},
                                       {.size = sizeof(AditMethod), .name = "List", .changes = TRUE, .call = list}};
  adit_loop_init();
  adit_bus_init();
  adit_path_init();
  adit_session_init(NULL);
  adit_control_init();
  if (!adit_control_service()->interface_add(NULL, "interface io.adit.fuzz\nmethod Echo() -> ()\nmethod List() -> ()\n", methods, 2, NULL,
                                             0, NULL, NULL))
    g_error("the interface is refused");
}

/* Everything that is sent must be JSON that can be read again, by a reader that knows no bounds. Messages and rows need turns. */
static void read_back(AditConn *conn) {
  const guint8 *data;
  gsize length;

  while (adit_turns_pass())
    ;
  while ((data = adit_conn_output(conn, &length))) {
    const guint8 *end = memchr(data, 0, length);
    g_assert(end);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_assert(g_utf8_validate((const char *)data, end - data, NULL));
    g_assert(json_parser_load_from_data(parser, (const char *)data, end - data, NULL));
    adit_conn_sent(conn, (gsize)(end - data) + 1);
    while (adit_turns_pass())
      ;
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  static gsize begun;
  if (g_once_init_enter(&begun)) {
    begin();
    g_once_init_leave(&begun, 1);
  }
  AditConn *conn = adit_conn_new((AditAccess)(size % 3), wake, NULL);
  gsize half = size / 2;

  if (size <= adit_conn_room(conn) && adit_conn_feed(conn, data, half) && size - half <= adit_conn_room(conn))
    adit_conn_feed(conn, data + half, size - half);
  read_back(conn);
  adit_conn_free(conn);
  return 0;
}
