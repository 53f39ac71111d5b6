/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/bus/bus-private.h"
#include <adit/log.h>

/* A registered class; AditEventClass is a deep copy, since a table may stand in a plugin's memory. */
typedef struct {
  AditEventClass klass;
  GPtrArray *listeners;
} Class;

static struct {
  GPtrArray *classes;    /* of Class; a type is its index + 1 */
  GHashTable *by_name;   /* name -> type */
  GPtrArray *everything; /* listeners to all classes */
  GQueue waiting;        /* of AditEvent: deep copies */
  gboolean publishing;
} bus;

static const guint field_size[] = {
    [ADIT_FIELD_U64] = sizeof(guint64),           [ADIT_FIELD_ID] = sizeof(guint64),          [ADIT_FIELD_U32] = sizeof(guint32),
    [ADIT_FIELD_STRING] = sizeof(char *),         [ADIT_FIELD_ADDRESS] = sizeof(AditAddress), [ADIT_FIELD_ENDPOINT] = sizeof(AditEndpoint),
    [ADIT_FIELD_COUNTERS] = sizeof(AditCounters),
};

/* ---- listeners ---- */

static guint last_id;

static AditListener *listener_ref(AditListener *l, gpointer data) {
  l->refs++;
  return l;
}

static void listener_unref(gpointer data) {
  AditListener *l = data;
  if (--l->refs == 0)
    g_free(l);
}

GPtrArray *adit_listeners_new(void) {
  return g_ptr_array_new_with_free_func(listener_unref);
}

guint adit_listeners_add(GPtrArray *list, AditPlugin *plugin, int priority, AditListenerFunc func, gpointer data) {
  AditListener *l = g_new0(AditListener, 1);
  guint at = list->len;
  *l = (AditListener){.refs = 1, .id = ++last_id, .plugin = plugin, .priority = priority, .func = func, .data = data};
  while (at > 0 && ((AditListener *)list->pdata[at - 1])->priority > priority)
    at--;
  g_ptr_array_insert(list, (int)at, l);
  return l->id;
}

gboolean adit_listeners_remove(GPtrArray *list, guint id, const AditPlugin *plugin) {
  gboolean found = FALSE;
  for (guint i = list->len; i-- > 0;) {
    AditListener *l = list->pdata[i];
    if (id ? l->id != id : l->plugin != plugin)
      continue;
    l->gone = TRUE;
    g_ptr_array_remove_index(list, i);
    found = TRUE;
  }
  return found;
}

GPtrArray *adit_listeners_snapshot(GPtrArray *list) {
  GPtrArray *copy = g_ptr_array_copy(list, (GCopyFunc)(void (*)(void))listener_ref, NULL);
  g_ptr_array_set_free_func(copy, listener_unref);
  return copy;
}

/* ---- classes ---- */

static void class_free(gpointer data) {
  Class *c = data;
  for (guint i = 0; i < c->klass.n_fields; i++)
    g_free((char *)c->klass.fields[i].name);
  g_free((AditField *)c->klass.fields);
  g_free((char *)c->klass.name);
  g_ptr_array_unref(c->listeners);
  g_free(c);
}

static gboolean class_has_field(const AditEventClass *k, const AditField *field) {
  for (guint i = 0; i < k->n_fields; i++) {
    const AditField *f = &k->fields[i];
    if (f->type == field->type && f->offset == field->offset && g_str_equal(f->name, field->name))
      return TRUE;
  }
  return FALSE;
}

/* Is `older` the class as headers had it before members were appended, or as they have it now? */
static gboolean class_covers(const AditEventClass *known, const AditEventClass *older) {
  if (older->event_size > known->event_size)
    return FALSE;
  for (guint i = 0; i < older->n_fields; i++)
    if (!class_has_field(known, &older->fields[i]))
      return FALSE;
  return TRUE;
}

static gboolean class_is_sound(const AditEventClass *k) {
  if (!ADIT_HAS(k, n_fields) || !k->name || k->event_size < sizeof(AditEvent) || (k->n_fields && !k->fields))
    return FALSE;
  for (guint i = 0; i < k->n_fields; i++) {
    const AditField *f = &k->fields[i];
    if (!f->name || f->type < ADIT_FIELD_U64 || f->type > ADIT_FIELD_COUNTERS || f->offset < sizeof(AditEvent) ||
        k->event_size < field_size[f->type] || f->offset > k->event_size - field_size[f->type])
      return FALSE;
  }
  return TRUE;
}

const AditEventClass *adit_bus_class(guint type) {
  return bus.classes && type >= 1 && type <= bus.classes->len ? &((Class *)bus.classes->pdata[type - 1])->klass : NULL;
}

guint adit_bus_type(const char *name) {
  return bus.by_name ? GPOINTER_TO_UINT(g_hash_table_lookup(bus.by_name, name)) : 0;
}

/* Without fields: only looks for a class of that name which is not smaller. */
static guint event_class(AditPlugin *plugin, const AditEventClass *klass) {
  g_return_val_if_fail(bus.classes && class_is_sound(klass), 0);
  guint type = adit_bus_type(klass->name);
  if (type) {
    if (class_covers(adit_bus_class(type), klass))
      return type;
    adit_warning(NULL, "%s: event %s has other fields already", adit_plugin_name(plugin), klass->name);
    return 0;
  }

  Class *c = g_new0(Class, 1);
  AditField *fields = g_memdup2(klass->fields, klass->n_fields * sizeof *fields);
  for (guint i = 0; i < klass->n_fields; i++)
    fields[i].name = g_strdup(klass->fields[i].name);
  c->klass = (AditEventClass){.size = sizeof c->klass,
                              .name = g_strdup(klass->name),
                              .event_size = klass->event_size,
                              .fields = fields,
                              .n_fields = klass->n_fields};
  c->listeners = adit_listeners_new();
  g_ptr_array_add(bus.classes, c);
  g_hash_table_insert(bus.by_name, (char *)c->klass.name, GUINT_TO_POINTER(bus.classes->len));
  return bus.classes->len;
}

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

static void deliver_event(GPtrArray *listeners, const AditEvent *event) {
  if (!listeners->len)
    return;
  g_autoptr(GPtrArray) now = adit_listeners_snapshot(listeners);
  for (guint i = 0; i < now->len; i++) {
    AditListener *l = now->pdata[i];
    if (!l->gone)
      l->func.event(event, l->data);
  }
}

static void publish_one(const AditEvent *event) {
  Class *c = bus.classes->pdata[event->type - 1];
  deliver_event(c->listeners, event);
  deliver_event(bus.everything, event);
}

void adit_bus_publish(const AditEvent *event) {
  const AditEventClass *k = adit_bus_class(event->type);
  g_return_if_fail(k && event->size >= sizeof(AditEvent) && event->size <= k->event_size);

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
  guint type = adit_bus_type(name);
  if (!type)
    return 0;
  Class *c = bus.classes->pdata[type - 1];
  return adit_listeners_add(c->listeners, plugin, 0, (AditListenerFunc){.event = func}, data);
}

guint adit_bus_subscribe_all(AditEventFunc func, gpointer data) {
  return adit_listeners_add(bus.everything, NULL, 0, (AditListenerFunc){.event = func}, data);
}

static gboolean remove_everywhere(guint id, AditPlugin *plugin) {
  gboolean found = adit_listeners_remove(bus.everything, id, plugin);
  for (guint i = 0; i < bus.classes->len && !(id && found); i++)
    found |= adit_listeners_remove(((Class *)bus.classes->pdata[i])->listeners, id, plugin);
  return found;
}

void adit_bus_unsubscribe(guint id) {
  if (id && bus.classes)
    remove_everywhere(id, NULL);
}

void adit_bus_drop_plugin(AditPlugin *plugin) {
  if (!bus.classes)
    return;
  remove_everywhere(0, plugin);
  adit_hooks_drop(plugin);
}

/* ---- life ---- */

void adit_bus_init(void) {
  g_return_if_fail(!bus.classes);
  bus.classes = g_ptr_array_new_with_free_func(class_free);
  bus.by_name = g_hash_table_new(g_str_hash, g_str_equal);
  bus.everything = adit_listeners_new();
  adit_hooks_init();
  adit_bus_register_standard();
}

void adit_bus_fini(void) {
  if (!bus.classes)
    return;
  for (AditEvent *event; (event = g_queue_pop_head(&bus.waiting));)
    event_free(event);
  adit_hooks_fini();
  g_clear_pointer(&bus.by_name, g_hash_table_unref);
  g_clear_pointer(&bus.everything, g_ptr_array_unref);
  g_clear_pointer(&bus.classes, g_ptr_array_unref);
}

const AditBusService *adit_bus_service(void) {
  static const AditBusService service = {
      .size = sizeof service,
      .event_class = event_class,
      .publish = adit_bus_publish,
      .subscribe = adit_bus_subscribe,
      .unsubscribe = adit_bus_unsubscribe,
      .veto_add = adit_hook_add_veto,
      .value_add = adit_hook_add_value,
      .hook_remove = adit_hook_remove,
  };
  return &service;
}
