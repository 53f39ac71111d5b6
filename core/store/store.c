/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/store/store.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/store/db.h"

#include <adit/log.h>

enum { GROUP = 4096 /* writes in one transaction */, COMPLETIONS = 256 /* in one go on the main loop */ };

typedef enum { PUT, REMOVE, LOAD } Kind;

typedef struct {
  Kind kind;
  char *table, *key; /* LOAD: the key before the first */
  guint limit;       /* LOAD */
  GBytes *data;
  GPtrArray *rows; /* LOAD: of Row */
  GError *error;
  AditStoreDone done;
  AditStoreRow row;
  gpointer user;
  GList node; /* of the queue that it is in: threads share no allocator's lists */
} Request;

typedef struct {
  char *key;
  gsize length;
  guint8 data[];
} Row;

static struct {
  AditDb *db; /* the thread's */
  GThread *thread;
  GMutex lock;
  GCond cond;
  GQueue waiting, finished; /* of Request; behind lock, as the next two */
  gboolean quit, drain_queued;
} store;

static void push_request(GQueue *queue, Request *r) {
  r->node = (GList){.data = r};
  g_queue_push_tail_link(queue, &r->node);
}

static Request *pop_request(GQueue *queue) {
  GList *node = g_queue_pop_head_link(queue);
  return node ? node->data : NULL;
}

/* ---- completions, on the main loop ---- */

static void row_free(gpointer data) {
  Row *row = data;
  g_free(row->key);
  g_free(row);
}

static void finish_request(Request *r) {
  static const char *const verb[] = {"put", "remove", "load"};
  if (r->error && !r->done)
    adit_error(NULL, "cannot %s %s %s: %s", verb[r->kind], r->table, r->key, r->error->message);
  for (guint i = 0; r->rows && i < r->rows->len; i++) {
    Row *row = r->rows->pdata[i];
    r->row(r->user, row->key, row->data, row->length);
  }
  if (r->done)
    r->done(r->user, r->error);
}

static void request_free(Request *r) {
  g_free(r->table);
  g_free(r->key);
  g_clear_pointer(&r->data, g_bytes_unref);
  g_clear_pointer(&r->rows, g_ptr_array_unref);
  g_clear_error(&r->error);
  g_free(r);
}

/* Calls up to `max` completions; TRUE when none is left. */
static gboolean complete_requests(guint max) {
  for (guint i = 0; i < max; i++) {
    g_mutex_lock(&store.lock);
    Request *r = pop_request(&store.finished);
    g_mutex_unlock(&store.lock);
    if (!r)
      return TRUE;
    finish_request(r);
    request_free(r);
  }
  return FALSE;
}

/* With the lock held: TRUE if the caller has to have drain_finished() called, after it has let the lock go. */
static gboolean need_drain(void) {
  gboolean need = store.finished.length && !store.drain_queued;
  store.drain_queued |= need;
  return need;
}

static void drain_finished(gpointer data) {
  g_mutex_lock(&store.lock);
  store.drain_queued = FALSE;
  g_mutex_unlock(&store.lock);
  if (complete_requests(COMPLETIONS))
    return;
  g_mutex_lock(&store.lock);
  gboolean again = need_drain();
  g_mutex_unlock(&store.lock);
  if (again)
    adit_call_main(drain_finished, NULL);
}

/* From any thread; takes the requests out of `queue`. */
static void push_finished(GQueue *queue) {
  g_mutex_lock(&store.lock);
  for (Request *r; (r = pop_request(queue));)
    push_request(&store.finished, r);
  gboolean wake = need_drain();
  g_mutex_unlock(&store.lock);
  if (wake)
    adit_call_main(drain_finished, NULL);
}

/* ---- the store's thread ---- */

/* All or none: a failed one takes its group with it, and each is told. */
static void write_group(GQueue *group) {
  g_autoptr(GError) error = NULL;
  gboolean ok = adit_db_begin(store.db, &error);
  for (GList *node = group->head; ok && node; node = node->next) {
    Request *r = node->data;
    ok = adit_db_write(store.db, r->table, r->key, r->data, &error);
  }
  if (!ok || !adit_db_commit(store.db, &error)) {
    adit_db_rollback(store.db);
    for (GList *node = group->head; node; node = node->next)
      ((Request *)node->data)->error = g_error_copy(error);
  }
  push_finished(group);
}

static void add_row(const char *key, const void *data, gsize length, gpointer user) {
  Row *row = g_malloc(sizeof *row + length);
  row->key = g_strdup(key);
  row->length = length;
  if (length)
    memcpy(row->data, data, length);
  g_ptr_array_add(user, row);
}

static void work_off(GQueue *queue) {
  GQueue group = G_QUEUE_INIT;
  for (Request *r; (r = pop_request(queue));) {
    gboolean reading = r->kind == LOAD;
    if (!reading)
      push_request(&group, r);
    if (group.length && (reading || group.length == GROUP || !queue->length))
      write_group(&group); /* the main loop may have freed r now, unless it is a load */
    if (reading) {
      adit_db_load(store.db, r->table, r->key, r->limit, add_row, r->rows, &r->error);
      push_request(&group, r);
      push_finished(&group);
    }
  }
}

/* While one group is being synced the next one gathers: under load many writes share a sync; a single write does not wait. */
static gpointer store_thread(gpointer data) {
  g_mutex_lock(&store.lock);
  for (;;) {
    while (!store.waiting.length && !store.quit)
      g_cond_wait(&store.cond, &store.lock);
    if (!store.waiting.length)
      break;
    GQueue mine = store.waiting;
    g_queue_init(&store.waiting);
    g_mutex_unlock(&store.lock);
    work_off(&mine);
    g_mutex_lock(&store.lock);
  }
  g_mutex_unlock(&store.lock);
  return NULL;
}

/* ---- requests, on the main loop ---- */

static void submit_request(Request request) {
  Request *r = g_memdup2(&request, sizeof request);
  g_mutex_lock(&store.lock);
  gboolean open = store.thread && !store.quit;
  if (open) {
    push_request(&store.waiting, r);
    g_cond_signal(&store.cond);
  }
  g_mutex_unlock(&store.lock);
  if (open)
    return;
  GQueue alone = G_QUEUE_INIT;
  r->error = g_error_new_literal(ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no store is open");
  push_request(&alone, r);
  push_finished(&alone);
}

static void put_row(const char *table, const char *key, const void *data, gsize length, AditStoreDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.store put");
  submit_request((Request){
      .kind = PUT, .table = g_strdup(table), .key = g_strdup(key), .data = g_bytes_new(data, length), .done = done, .user = user});
}

static void remove_row(const char *table, const char *key, AditStoreDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.store remove");
  submit_request((Request){.kind = REMOVE, .table = g_strdup(table), .key = g_strdup(key), .done = done, .user = user});
}

static void load_rows(const char *table, const char *after, guint limit, AditStoreRow row, AditStoreDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.store load");
  submit_request((Request){.kind = LOAD,
                           .table = g_strdup(table),
                           .key = g_strdup(after ? after : ""),
                           .limit = limit,
                           .rows = g_ptr_array_new_with_free_func(row_free),
                           .row = row,
                           .done = done,
                           .user = user});
}

/* ---- life ---- */

gboolean adit_store_open(const char *path, GError **error) {
  g_return_val_if_fail(!store.thread, FALSE);
  store.db = adit_db_open(path ? path : ":memory:", error);
  if (!store.db)
    return FALSE;
  store.quit = FALSE;
  store.thread = g_thread_new("adit-store", store_thread, NULL);
  return TRUE;
}

void adit_store_close(void) {
  if (!store.thread)
    return;
  g_mutex_lock(&store.lock);
  store.quit = TRUE;
  g_cond_signal(&store.cond);
  g_mutex_unlock(&store.lock);
  g_thread_join(store.thread);
  store.thread = NULL;
  complete_requests(G_MAXUINT);
  g_clear_pointer(&store.db, adit_db_close);
}

const AditStoreService *adit_store_service(void) {
  static const AditStoreService service = {.size = sizeof service, .put = put_row, .remove = remove_row, .load = load_rows};
  return &service;
}
