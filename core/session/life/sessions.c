/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/life/sessions.h"
#include "core/base/loop.h"
#include "core/base/memory.h"
#include "core/base/misuse.h"
#include "core/session/life/sess.h"
#include "core/session/session.h"
#include "core/session/tally.h"

enum { MANY_SESSIONS = 2000 }; /* below, memory is not worth a thought */

static GHashTable *sessions; /* id -> AditSess*, one reference */
static GHashTable *records;  /* the same by record_id, borrowed */
static AditTally *users;     /* name: server's sessions that are not ending, for only-one */
static AditTally *servers;   /* "transport server": sessions that are not ending, for max-sessions */
static AditTally *bundles;   /* the same, of those that take another link */
static AditSessionId last_id;
static guint living;        /* that are not ending */
static guint most_sessions; /* since memory was given back */
static void (*none_func)(gpointer data);
static gpointer none_data;

void adit_sessions_init(void) {
  living = most_sessions = 0;
  sessions = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)adit_sess_unref);
  records = g_hash_table_new(g_str_hash, g_str_equal);
  users = adit_tally_new(g_str_hash, g_str_equal, 0);
  servers = adit_tally_new(g_str_hash, g_str_equal, 0);
  bundles = adit_tally_new(g_str_hash, g_str_equal, 0);
}

void adit_sessions_fini(void) {
  g_clear_pointer(&records, g_hash_table_unref);
  g_clear_pointer(&sessions, g_hash_table_unref);
  g_clear_pointer(&users, adit_tally_free);
  g_clear_pointer(&servers, adit_tally_free);
  g_clear_pointer(&bundles, adit_tally_free);
  none_func = NULL;
}

AditSessionId adit_sessions_new_id(void) {
  return ++last_id;
}

static char *key_of_server(const char *transport, const char *server) {
  return g_strdup_printf("%s %s", transport, server);
}

guint adit_sessions_count_on(const char *transport, const char *server, guint *joinable) {
  g_autofree char *key = key_of_server(transport, server);

  *joinable = adit_tally_count(bundles, key);
  return adit_tally_count(servers, key);
}

void adit_sessions_add(AditSess *session) {
  g_autofree char *key = key_of_server(session->transport, session->server);

  g_hash_table_insert(sessions, &session->id, session);
  g_hash_table_insert(records, session->record_id, session);
  living++;
  adit_tally_add(servers, key);
  if (session->multi_id)
    adit_tally_add(bundles, key);
  if (!session->is_client)
    adit_tally_add(users, session->user);
}

void adit_sessions_retire(AditSess *session) {
  g_autofree char *key = key_of_server(session->transport, session->server);

  living--;
  adit_tally_remove(servers, key);
  if (session->multi_id)
    adit_tally_remove(bundles, key);
  if (!session->is_client)
    adit_tally_remove(users, session->user);
}

/* Once half of very many sessions are gone, what they had is worth giving back. */
static void give_memory_back(void) {
  guint now = g_hash_table_size(sessions);
  most_sessions = MAX(most_sessions, now);
  if (most_sessions >= MANY_SESSIONS && now <= most_sessions / 2) {
    most_sessions = now;
    adit_memory_give_back();
  }
}

static void drop_reference(gpointer data) {
  adit_sess_unref(data);
}

void adit_sessions_remove(AditSess *session) {
  g_hash_table_remove(records, session->record_id);
  g_hash_table_steal(sessions, &session->id);
  give_memory_back();
  adit_call_main(drop_reference, session);
  if (!g_hash_table_size(sessions) && none_func) {
    void (*done)(gpointer) = g_steal_pointer(&none_func);
    done(none_data);
  }
}

void adit_sessions_when_none(void (*done)(gpointer data), gpointer data) {
  none_func = done;
  none_data = data;
  if (!g_hash_table_size(sessions)) {
    none_func = NULL;
    done(data);
  }
}

AditSess *adit_sess_find(AditSessionId id) {
  return sessions ? g_hash_table_lookup(sessions, &id) : NULL;
}

AditSess *adit_sess_find_record(const char *record_id) {
  AditSess *session = g_hash_table_lookup(records, record_id);
  return session && !adit_sess_is_over(session) ? session : NULL;
}

gboolean adit_sessions_has_user(const char *user) {
  return adit_tally_count(users, user) > 0;
}

void adit_sess_foreach(void (*each)(AditSess *session, gpointer data), gpointer data) {
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
  GHashTableIter iter;
  gpointer session;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &session))
    g_ptr_array_add(all, adit_sess_ref(session));
  for (guint i = 0; i < all->len; i++)
    each(all->pdata[i], data);
}

GPtrArray *adit_sess_matching(gboolean (*matches)(const AditSess *session, const char *text), const char *text) {
  GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)adit_sess_unref);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    if (!adit_sess_is_over(value) && matches(value, text))
      g_ptr_array_add(found, adit_sess_ref(value));
  return found;
}

GArray *adit_session_ids(void) {
  GArray *ids = g_array_sized_new(FALSE, FALSE, sizeof(guint64), g_hash_table_size(sessions));
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_array_append_val(ids, ((AditSess *)value)->id);
  return ids;
}

guint adit_sess_count(const char *transport, const char *server) {
  ADIT_MAIN_ONLY("adit.session session_count", 0);
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  if (!transport && !server)
    return living;
  g_hash_table_iter_init(&iter, sessions);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const AditSess *session = value;
    n += !adit_sess_is_over(session) && (!transport || strcmp(transport, session->transport) == 0) &&
         (!server || strcmp(server, session->server) == 0);
  }
  return n;
}
