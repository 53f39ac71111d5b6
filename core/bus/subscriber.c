/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/bus/subscriber.h"

static guint last_id;

static AditSubscriber *subscriber_ref(AditSubscriber *l, gpointer data) {
  l->refs++;
  return l;
}

static void subscriber_unref(gpointer data) {
  AditSubscriber *l = data;
  if (--l->refs == 0)
    g_free(l);
}

GPtrArray *adit_subscribers_new(void) {
  return g_ptr_array_new_with_free_func(subscriber_unref);
}

guint adit_subscribers_add(GPtrArray *list, AditPlugin *plugin, int priority, AditSubscriberFunc func, gpointer data) {
  AditSubscriber *l = g_new0(AditSubscriber, 1);
  guint at = list->len;
  *l = (AditSubscriber){.refs = 1, .id = ++last_id, .plugin = plugin, .priority = priority, .func = func, .data = data};
  while (at > 0 && ((AditSubscriber *)list->pdata[at - 1])->priority > priority)
    at--;
  g_ptr_array_insert(list, (int)at, l);
  return l->id;
}

gboolean adit_subscribers_remove(GPtrArray *list, guint id, const AditPlugin *plugin) {
  gboolean found = FALSE;
  for (guint i = list->len; i-- > 0;) {
    AditSubscriber *l = list->pdata[i];
    if (id ? l->id != id : l->plugin != plugin)
      continue;
    l->gone = TRUE;
    g_ptr_array_remove_index(list, i);
    found = TRUE;
  }
  return found;
}

GPtrArray *adit_subscribers_snapshot(GPtrArray *list) {
  GPtrArray *copy = g_ptr_array_copy(list, (GCopyFunc)(void (*)(void))subscriber_ref, NULL);
  g_ptr_array_set_free_func(copy, subscriber_unref);
  return copy;
}
