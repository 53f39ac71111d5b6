/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The event bus and the hooks. */
#include "core/bus/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static AditPlugin plugin = {"p"};
static const AditBusService *bus;
static GString *heard;

static int setup(void **state) {
  adit_bus_init();
  bus = adit_bus_service();
  heard = g_string_new(NULL);
  return 0;
}

static int teardown(void **state) {
  g_string_free(heard, TRUE);
  adit_bus_fini();
  return 0;
}

static AditSessionEvent session_event(const char *name, const char *user) {
  AditSessionEvent e = {.event = {adit_bus_type(name), sizeof e}, .session = 0xabc, .user = user};
  return e;
}

static void publish_user(const char *name, const char *user) {
  AditSessionEvent e = session_event(name, user);
  bus->publish(&e.event);
}

static void hear(const AditEvent *event, gpointer data) {
  g_string_append_printf(heard, "%s%s ", (const char *)data, ((const AditSessionEvent *)event)->user);
}

static void subscribers_hear_their_class_in_order(void **state) {
  guint id = bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear, "1");
  assert_int_not_equal(id, 0);
  assert_int_not_equal(bus->subscribe(&plugin, ADIT_EVENT_SESSION_UP, hear, "2"), 0);
  bus->subscribe(NULL, ADIT_EVENT_SESSION_DOWN, hear, "down");
  publish_user(ADIT_EVENT_SESSION_UP, "a");
  bus->unsubscribe(id);
  bus->unsubscribe(id);
  bus->unsubscribe(0);
  publish_user(ADIT_EVENT_SESSION_UP, "b");
  adit_bus_drop_plugin(&plugin);
  publish_user(ADIT_EVENT_SESSION_UP, "c");
  assert_string_equal(heard->str, "1a 2a 2b ");
  assert_int_equal(bus->subscribe(NULL, "no-such", hear, ""), 0);
}

/* ---- inside a handler ---- */

static void hear_and_publish(const AditEvent *event, gpointer data) {
  hear(event, "first:");
  if (g_str_equal(((const AditSessionEvent *)event)->user, "outer")) {
    char name[] = "inner";
    publish_user(ADIT_EVENT_SESSION_UP, name);
    memset(name, 'x', 5); /* the queued copy must have its own */
  }
}

static void a_nested_publish_is_queued_with_its_strings(void **state) {
  bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear_and_publish, NULL);
  bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear, "second:");
  publish_user(ADIT_EVENT_SESSION_UP, "outer");
  assert_string_equal(heard->str, "first:outer second:outer first:inner second:inner ");
}

static guint victim;

static void leave_all(const AditEvent *event, gpointer data) {
  hear(event, "killer:");
  bus->unsubscribe(victim);
  adit_bus_drop_plugin(&plugin); /* itself included */
  bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear, "new:");
}

static void leaving_dying_and_subscribing_inside_a_handler(void **state) {
  bus->subscribe(&plugin, ADIT_EVENT_SESSION_UP, leave_all, NULL);
  victim = bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear, "victim:");
  bus->subscribe(&plugin, ADIT_EVENT_SESSION_UP, hear, "dropped:");
  bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, hear, "stays:");
  publish_user(ADIT_EVENT_SESSION_UP, "a");
  assert_string_equal(heard->str, "killer:a stays:a ");
  publish_user(ADIT_EVENT_SESSION_UP, "b");
  assert_string_equal(heard->str, "killer:a stays:a stays:b new:b ");
}

/* ---- classes ---- */

static void hear_name(const AditEvent *event, gpointer data) {
  g_string_append_printf(heard, "%s ", adit_bus_class(event->type)->name);
}

typedef struct {
  AditEvent event;
  guint32 x;
  const char *s;
} Own;

static void classes_are_registered_found_or_clash(void **state) {
  AditField fields[] = {{"x", ADIT_FIELD_U32, G_STRUCT_OFFSET(Own, x)}, {"s", ADIT_FIELD_STRING, G_STRUCT_OFFSET(Own, s)}};
  AditEventClass klass = {sizeof klass, "own", sizeof(Own), fields, 2}, find = {sizeof find, "own", sizeof(Own), NULL, 0},
                 clash = {sizeof clash, "own", sizeof(Own) + 8, fields, 2};
  guint all = adit_bus_subscribe_all(hear_name, NULL);
  guint type = bus->event_class(&plugin, &klass);
  assert_int_not_equal(type, 0);
  assert_int_equal(bus->event_class(NULL, &klass), type);
  assert_int_equal(bus->event_class(NULL, &find), type);
  assert_int_equal(bus->event_class(NULL, &clash), 0);
  fields[0].offset += 4;
  assert_int_equal(bus->event_class(NULL, &klass), 0);

  /* The class outlives its plugin and the tables it came from. */
  adit_bus_drop_plugin(&plugin);
  memset(fields, 0, sizeof fields);
  Own own = {.event = {type, sizeof own}, .x = 7, .s = "seven"};
  bus->publish(&own.event);
  publish_user(ADIT_EVENT_SESSION_UP, "a");
  assert_string_equal(heard->str, "own session-up ");
  g_autoptr(AditValue) value = adit_event_to_value(&own.event);
  assert_int_equal(adit_value_get_int(value, "x", 0), 7);
  assert_string_equal(adit_value_get_string(value, "s", ""), "seven");
  adit_bus_unsubscribe(all);
  bus->publish(&own.event);
  assert_string_equal(heard->str, "own session-up ");
}

static void every_standard_event_is_registered(void **state) {
  static const struct {
    const char *name;
    guint size;
  } all[] = {
      {ADIT_EVENT_SESSION_UP, sizeof(AditSessionEvent)},    {ADIT_EVENT_SESSION_UPDATE, sizeof(AditSessionEvent)},
      {ADIT_EVENT_SESSION_DOWN, sizeof(AditSessionEvent)},  {ADIT_EVENT_LINK_UP, sizeof(AditLinkEvent)},
      {ADIT_EVENT_LINK_DOWN, sizeof(AditLinkEvent)},        {ADIT_EVENT_AUTH_DONE, sizeof(AditLinkEvent)},
      {ADIT_EVENT_TUNNEL_UP, sizeof(AditTunnelEvent)},      {ADIT_EVENT_TUNNEL_DOWN, sizeof(AditTunnelEvent)},
      {ADIT_EVENT_LOGIN_LOCKOUT, sizeof(AditLockoutEvent)}, {ADIT_EVENT_CONFIG_LOADED, sizeof(AditEvent)},
  };
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    const AditEventClass *k = adit_bus_class(adit_bus_type(all[i].name));
    assert_non_null(k);
    assert_int_equal(k->event_size, all[i].size);
  }
  assert_null(adit_bus_class(0));
  assert_null(adit_bus_class(1000));
}

static void an_event_as_a_value_has_what_is_set(void **state) {
  AditSessionEvent e = session_event(ADIT_EVENT_SESSION_UP, "alice");
  e.remote4 = adit_address_ipv4(0xc0000207);
  e.peer = adit_endpoint(&e.remote4, 1701);
  e.uptime_ms = 5;
  e.counters.tx_octets = 99;
  g_autoptr(AditValue) v = adit_event_to_value(&e.event);
  AditAddress address;

  assert_string_equal(adit_value_key(v, 0), "event");
  assert_string_equal(adit_value_get_string(v, "event", ""), "session-up");
  assert_string_equal(adit_value_get_string(v, "session", ""), "abc");
  assert_string_equal(adit_value_get_string(v, "user", ""), "alice");
  assert_string_equal(adit_value_get_string(v, "peer", ""), "192.0.2.7:1701");
  assert_true(adit_value_get_address(v, "remote-address", &address));
  assert_true(adit_address_equal(&address, &e.remote4));
  assert_null(adit_value_get(v, "local-address"));
  assert_null(adit_value_get(v, "reason"));
  assert_int_equal(adit_value_get_int(v, "uptime-ms", 0), 5);
  assert_int_equal(adit_value_get_int(adit_value_get(v, "counters"), "tx-octets", 0), 99);
}

/* ---- hooks ---- */

static const char *veto(const AditEvent *about, gpointer data) {
  g_string_append_printf(heard, "%s ", *(const char *)data ? (const char *)data : "pass");
  return *(const char *)data ? data : NULL;
}

static void the_first_reason_in_order_of_priority_decides(void **state) {
  AditSessionEvent e = session_event(ADIT_EVENT_SESSION_UP, "a");
  assert_null(adit_hook_veto(ADIT_VETO_SESSION, &e.event));
  guint late = bus->veto_add(NULL, ADIT_VETO_SESSION, 10, veto, "late");
  bus->veto_add(&plugin, ADIT_VETO_SESSION, 5, veto, "");
  bus->veto_add(&plugin, ADIT_VETO_SESSION, 5, veto, "early");
  bus->veto_add(NULL, ADIT_VETO_LINK, 0, veto, "other");
  assert_string_equal(adit_hook_veto(ADIT_VETO_SESSION, &e.event), "early");
  assert_string_equal(heard->str, "pass early ");
  adit_bus_drop_plugin(&plugin);
  assert_string_equal(adit_hook_veto(ADIT_VETO_SESSION, &e.event), "late");
  bus->hook_remove(late);
  assert_null(adit_hook_veto(ADIT_VETO_SESSION, &e.event));
  assert_string_equal(adit_hook_veto(ADIT_VETO_LINK, &e.event), "other");
}

static const char *veto_that_leaves(const AditEvent *about, gpointer data) {
  static char reason[8];
  adit_bus_drop_plugin(&plugin);
  g_strlcpy(reason, "bye", sizeof reason);
  return reason;
}

static void a_hook_may_die_while_it_decides(void **state) {
  AditSessionEvent e = session_event(ADIT_EVENT_SESSION_UP, "a");
  bus->veto_add(&plugin, ADIT_VETO_SESSION, 0, veto_that_leaves, NULL);
  assert_string_equal(adit_hook_veto(ADIT_VETO_SESSION, &e.event), "bye");
  assert_null(adit_hook_veto(ADIT_VETO_SESSION, &e.event));
}

static AditValue *value(const AditEvent *about, gpointer data) {
  return data ? adit_value_string(data) : NULL;
}

static void the_first_value_in_order_of_priority_wins(void **state) {
  AditSessionEvent e = session_event(ADIT_EVENT_SESSION_UP, "a");
  assert_null(adit_hook_value(ADIT_VALUE_INTERFACE_NAME, &e.event));
  bus->value_add(NULL, ADIT_VALUE_INTERFACE_NAME, 2, value, "two");
  bus->value_add(NULL, ADIT_VALUE_INTERFACE_NAME, 1, value, "one");
  bus->value_add(NULL, ADIT_VALUE_INTERFACE_NAME, 0, value, NULL);
  g_autoptr(AditValue) v = adit_hook_value(ADIT_VALUE_INTERFACE_NAME, &e.event);
  assert_string_equal(v->as.string, "one");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(subscribers_hear_their_class_in_order),
      T(a_nested_publish_is_queued_with_its_strings),
      T(leaving_dying_and_subscribing_inside_a_handler),
      T(classes_are_registered_found_or_clash),
      T(every_standard_event_is_registered),
      T(an_event_as_a_value_has_what_is_set),
      T(the_first_reason_in_order_of_priority_decides),
      T(a_hook_may_die_while_it_decides),
      T(the_first_value_in_order_of_priority_wins),
  };
  return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
