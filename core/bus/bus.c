/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/bus/bus.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"

static struct {
  GPtrArray *everything; /* subscribers to all classes */
  GQueue waiting;        /* of AditEvent: deep copies */
  gboolean publishing;
} bus;

/* ---- events ---- */

static const char **string_at(AditEvent *event, const AditField *f) {
  return (const char **)(gpointer)((char *)event + f->offset);
}

/* As long as its class: what an older publisher does not have is zero. */
static AditEvent *event_copy(const AditEvent *event) {
  const AditEventClass *k = adit_bus_class(event->type);
  AditEvent *copy = g_malloc0(k->event_size);
  memcpy(copy, event, event->size);
  copy->size = k->event_size;
  for (guint i = 0; i < k->n_fields; i++)
    if (k->fields[i].type == ADIT_FIELD_STRING)
      *string_at(copy, &k->fields[i]) = g_strdup(*string_at(copy, &k->fields[i]));
  return copy;
}

static void event_free(AditEvent *event) {
  const AditEventClass *k = adit_bus_class(event->type);
  for (guint i = 0; i < k->n_fields; i++)
    if (k->fields[i].type == ADIT_FIELD_STRING)
      g_free((char *)*string_at(event, &k->fields[i]));
  g_free(event);
}

static void deliver_event(GPtrArray *subscribers, const AditEvent *event) {
  if (!subscribers->len)
    return;
  g_autoptr(GPtrArray) now = adit_subscribers_snapshot(subscribers);
  for (guint i = 0; i < now->len; i++) {
    AditSubscriber *l = now->pdata[i];
    if (!l->gone)
      ADIT_HOLD(l->plugin, l->func.event, adit_bus_class(event->type)->name, l->func.event(event, l->data));
  }
}

static void publish_one(const AditEvent *event) {
  deliver_event(adit_bus_class_subscribers(event->type), event);
  deliver_event(bus.everything, event);
}

/* A function that is not told which plugin calls it. */
static void blame_caller_of(gconstpointer caller, const char *what) {
  const char *name = adit_code_owner(caller);
  AditPlugin plugin = {.name = name};
  adit_misuse(name ? &plugin : NULL, "%s", what);
}

void adit_bus_publish(const AditEvent *event) {
  ADIT_MAIN_ONLY("adit.bus publish");
  const AditEventClass *k = event ? adit_bus_class(event->type) : NULL;

  if (!k || event->size < sizeof(AditEvent) || event->size > k->event_size) {
    blame_caller_of(__builtin_return_address(0), "publish() of an event without a class (event_class() gives the type) or of another size");
    return;
  }
  if (bus.publishing || event->size < k->event_size)
    g_queue_push_tail(&bus.waiting, event_copy(event));
  if (bus.publishing)
    return;
  bus.publishing = TRUE;
  if (event->size == k->event_size)
    publish_one(event);
  for (AditEvent *next; (next = g_queue_pop_head(&bus.waiting));) {
    publish_one(next);
    event_free(next);
  }
  bus.publishing = FALSE;
}

guint adit_bus_subscribe(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data) {
  ADIT_MAIN_ONLY("adit.bus subscribe", 0);
  if (!name || !func) {
    adit_misuse(plugin, "subscribe() without %s", name ? "a function" : "the name of an event");
    return 0;
  }
  guint type = adit_bus_type(name);
  if (!type)
    return 0;
  return adit_subscribers_add(adit_bus_class_subscribers(type), plugin, 0, (AditSubscriberFunc){.event = func}, data);
}

guint adit_bus_subscribe_all(AditEventFunc func, gpointer data) {
  return adit_subscribers_add(bus.everything, NULL, 0, (AditSubscriberFunc){.event = func}, data);
}

static gboolean remove_everywhere(guint id, AditPlugin *plugin) {
  gboolean found = adit_subscribers_remove(bus.everything, id, plugin);
  for (guint type = 1; type <= adit_bus_class_count() && !(id && found); type++)
    found |= adit_subscribers_remove(adit_bus_class_subscribers(type), id, plugin);
  return found;
}

void adit_bus_unsubscribe(guint id) {
  ADIT_MAIN_ONLY("adit.bus unsubscribe");
  if (id && bus.everything)
    remove_everywhere(id, NULL);
}

void adit_bus_drop_plugin(AditPlugin *plugin) {
  if (!bus.everything)
    return;
  remove_everywhere(0, plugin);
  adit_hooks_drop(plugin);
}

/* ---- life ---- */

void adit_bus_init(void) {
  g_return_if_fail(!bus.everything);
  adit_bus_classes_init();
  bus.everything = adit_subscribers_new();
  adit_hooks_init();
  adit_event_add_classes();
}

void adit_bus_fini(void) {
  if (!bus.everything)
    return;
  for (AditEvent *event; (event = g_queue_pop_head(&bus.waiting));)
    event_free(event);
  adit_hooks_fini();
  g_clear_pointer(&bus.everything, g_ptr_array_unref);
  adit_bus_classes_fini();
}

const AditBusService *adit_bus_service(void) {
  static const AditBusService service = {
      .size = sizeof service,
      .event_class = adit_bus_class_add,
      .publish = adit_bus_publish,
      .subscribe = adit_bus_subscribe,
      .unsubscribe = adit_bus_unsubscribe,
      .veto_add = adit_hook_add_veto,
      .value_add = adit_hook_add_value,
      .hook_remove = adit_hook_remove,
  };
  return &service;
}
