/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/bus/event-class.h"
#include "core/base/misuse.h"
#include <adit/log.h>

/* A registered class; AditEventClass is a deep copy, since a table may be in a plugin's memory. */
typedef struct {
  AditEventClass klass;
  GPtrArray *subscribers;
} Class;

static struct {
  GPtrArray *classes;  /* of Class; a type is its index + 1 */
  GHashTable *by_name; /* name -> type */
} registered;

static const guint field_size[] = {
    [ADIT_FIELD_U64] = sizeof(guint64),           [ADIT_FIELD_ID] = sizeof(guint64),          [ADIT_FIELD_U32] = sizeof(guint32),
    [ADIT_FIELD_STRING] = sizeof(char *),         [ADIT_FIELD_ADDRESS] = sizeof(AditAddress), [ADIT_FIELD_ENDPOINT] = sizeof(AditEndpoint),
    [ADIT_FIELD_COUNTERS] = sizeof(AditCounters),
};

static void class_free(gpointer data) {
  Class *c = data;
  for (guint i = 0; i < c->klass.n_fields; i++)
    g_free((char *)c->klass.fields[i].name);
  g_free((AditField *)c->klass.fields);
  g_ptr_array_unref(c->subscribers);
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
  return registered.classes && type >= 1 && type <= registered.classes->len ? &((Class *)registered.classes->pdata[type - 1])->klass : NULL;
}

guint adit_bus_type(const char *name) {
  return registered.by_name ? GPOINTER_TO_UINT(g_hash_table_lookup(registered.by_name, name)) : 0;
}

/* Without fields: only looks for a class of that name which is not smaller. */
guint adit_bus_class_add(AditPlugin *plugin, const AditEventClass *klass) {
  ADIT_MAIN_ONLY("adit.bus event_class", 0);
  if (!registered.classes || !class_is_sound(klass)) {
    adit_misuse(plugin, "event_class() of %s: a name, a size over AditEvent's and fields inside of it are due",
                ADIT_HAS(klass, name) && klass->name ? klass->name : "(NULL)");
    return 0;
  }
  guint type = adit_bus_type(klass->name);
  if (type) {
    if (class_covers(adit_bus_class(type), klass))
      return type;
    adit_misuse(plugin, "event_class() of %s: there is one with other fields already", klass->name);
    return 0;
  }

  Class *c = g_new0(Class, 1);
  AditField *fields = g_memdup2(klass->fields, klass->n_fields * sizeof *fields);
  for (guint i = 0; i < klass->n_fields; i++)
    fields[i].name = g_strdup(klass->fields[i].name);
  c->klass = (AditEventClass){.size = sizeof c->klass,
                              .name = g_intern_string(klass->name), /* a call may be named by it at any time */
                              .event_size = klass->event_size,
                              .fields = fields,
                              .n_fields = klass->n_fields};
  c->subscribers = adit_subscribers_new();
  g_ptr_array_add(registered.classes, c);
  g_hash_table_insert(registered.by_name, (char *)c->klass.name, GUINT_TO_POINTER(registered.classes->len));
  return registered.classes->len;
}

GPtrArray *adit_bus_class_subscribers(guint type) {
  return ((Class *)registered.classes->pdata[type - 1])->subscribers;
}

guint adit_bus_class_count(void) {
  return registered.classes ? registered.classes->len : 0;
}

void adit_bus_classes_init(void) {
  registered.classes = g_ptr_array_new_with_free_func(class_free);
  registered.by_name = g_hash_table_new(g_str_hash, g_str_equal);
}

void adit_bus_classes_fini(void) {
  g_clear_pointer(&registered.by_name, g_hash_table_unref);
  g_clear_pointer(&registered.classes, g_ptr_array_unref);
}
