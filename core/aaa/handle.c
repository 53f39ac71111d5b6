/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/handle.h"
#include "core/aaa/aaa-registry.h"
#include "core/base/misuse.h"

/* Answers are handed over in turns, so that a source with thousands of answers at once delays no other work for long. */
#define TURN 64

/* An AditAuthHandle is a number in a pointer's clothes: what a plugin does with one that is gone is recognised. */
typedef struct {
  AditAuthHandle *handle;
  guint uses;         /* of the source; the last one gone without an answer is an answer, too */
  gboolean requested; /* the request still waits by it */
  gboolean answered;
  guint64 id;
  guint generation;
  const char *source; /* interned */
} Handle;

typedef struct {
  guint64 id;
  guint generation;
  const char *source;
  AaaAnswer *answer;
} Letter;

static GMutex lock; /* guards what follows; threads may answer before init and after fini */
static GQueue letters = G_QUEUE_INIT;
static gboolean open, called;
static GHashTable *handles; /* AditAuthHandle* -> Handle; lives as long as a reference exists */
static gsize last_handle;
static const AditLoopService *loop;
static AditRateLimit culprits;

static AaaDeliver deliver; /* main loop only */

static void letter_free(Letter *letter) {
  aaa_answer_free(letter->answer);
  g_free(letter);
}

static void hand_over(gpointer data) {
  for (guint i = 0; i <= TURN; i++) {
    g_mutex_lock(&lock);
    Letter *letter = i < TURN ? (Letter *)g_queue_pop_head(&letters) : NULL;
    if (!letter) {
      called = open && letters.length;
      if (called)
        loop->call_main(hand_over, NULL);
      g_mutex_unlock(&lock);
      return;
    }
    g_mutex_unlock(&lock);

    deliver(letter->id, letter->generation, letter->source, letter->answer);
    letter_free(letter);
  }
}

void aaa_post(guint64 id, guint generation, const char *source, AaaAnswer *answer) {
  Letter *letter = g_new(Letter, 1);
  *letter = (Letter){id, generation, source, answer};

  g_mutex_lock(&lock);
  if (open) {
    g_queue_push_tail(&letters, g_steal_pointer(&letter));
    if (!called)
      loop->call_main(hand_over, NULL);
    called = TRUE;
  }
  g_mutex_unlock(&lock);
  g_clear_pointer(&letter, letter_free);
}

void aaa_handle_init(AaaDeliver to) {
  deliver = to;
  g_mutex_lock(&lock);
  loop = aaa_loop;
  open = TRUE;
  called = FALSE;
  g_mutex_unlock(&lock);
}

void aaa_handle_fini(void) {
  g_mutex_lock(&lock);
  open = FALSE;
  g_queue_clear_full(&letters, (GDestroyNotify)letter_free);
  g_mutex_unlock(&lock);
}

/* ---- handles ---- */

/* A bug in a source, which may be a stranger's: name it, but not once for each user. */
static void blame_source(const char *source, const char *what) {
  guint kept = 0;

  g_mutex_lock(&lock);
  gboolean say = open && adit_rate_allows(&culprits, loop->now(), 5, 1000, &kept);
  g_mutex_unlock(&lock);
  if (say)
    adit_warning(NULL, "source %s %s%s", source, what, kept ? " (and more like it)" : "");
}

static void blame_caller(gconstpointer caller, const char *what) {
  const char *plugin = adit_code_owner(caller);
  g_autofree char *text = g_strdup_printf("%s of a request that is over, or of none", what);
  blame_source(plugin ? plugin : "?", text);
}

static Handle *find_locked(AditAuthHandle *handle) {
  return handles ? (Handle *)g_hash_table_lookup(handles, handle) : NULL;
}

static void remove_if_unused_locked(Handle *h) {
  if (h->uses || h->requested)
    return;
  g_hash_table_remove(handles, h->handle);
  if (!g_hash_table_size(handles))
    g_clear_pointer(&handles, g_hash_table_unref);
}

AditAuthHandle *aaa_handle_new(guint64 id, guint generation, const char *source) {
  Handle *h = g_new(Handle, 1);

  g_mutex_lock(&lock);
  *h = (Handle){(AditAuthHandle *)GSIZE_TO_POINTER(++last_handle), 1, TRUE, FALSE, id, generation, source};
  if (!handles)
    handles = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  g_hash_table_insert(handles, h->handle, h);
  g_mutex_unlock(&lock);
  return h->handle;
}

void aaa_handle_forget(AditAuthHandle *handle) {
  g_mutex_lock(&lock);
  Handle *h = find_locked(handle);
  if (h) {
    h->requested = FALSE;
    remove_if_unused_locked(h);
  }
  g_mutex_unlock(&lock);
}

gboolean aaa_handle_borrow(AditAuthHandle *handle) {
  g_mutex_lock(&lock);
  Handle *h = find_locked(handle);
  gboolean may = h && h->uses && !h->answered;
  if (may)
    h->uses++;
  g_mutex_unlock(&lock);
  return may;
}

AditAuthHandle *aaa_handle_ref(AditAuthHandle *handle) {
  g_mutex_lock(&lock);
  Handle *h = find_locked(handle);
  gboolean good = h && h->uses;
  if (good)
    h->uses++;
  g_mutex_unlock(&lock);
  if (!good)
    blame_caller(__builtin_return_address(0), "takes a reference");
  return handle;
}

/* The source's mistake with its references; NULL = nothing. `*drop` is filled if this was the last one and nothing was answered. */
static const char *give_back_locked(Handle *h, Handle *drop) {
  if (!h->uses)
    return "gives back a request once too often";
  if (--h->uses)
    return NULL;
  if (!h->answered)
    *drop = *h;
  h->answered = TRUE;
  remove_if_unused_locked(h);
  return NULL;
}

void aaa_handle_unref(AditAuthHandle *handle) {
  Handle drop = {0};
  const char *source = NULL, *wrong = NULL;

  if (!handle)
    return;
  g_mutex_lock(&lock);
  Handle *h = find_locked(handle);
  gboolean known = h != NULL;
  if (known) {
    source = h->source;
    wrong = give_back_locked(h, &drop);
  }
  g_mutex_unlock(&lock);
  if (!known)
    blame_caller(__builtin_return_address(0), "gives back a reference");
  else if (wrong)
    blame_source(source, wrong);
  else if (drop.handle)
    aaa_post(drop.id, drop.generation, drop.source, aaa_answer_error("it let go of the request without an answer"));
}

void aaa_handle_answer(AditAuthHandle *handle, const AditAuthReply *reply) {
  g_mutex_lock(&lock);
  Handle *h = find_locked(handle);
  Handle copy = h ? *h : (Handle){0};
  if (h && h->uses)
    h->answered = TRUE;
  g_mutex_unlock(&lock);
  if (!copy.uses)
    blame_caller(__builtin_return_address(0), "answers, without a reference,");
  else if (copy.answered)
    blame_source(copy.source, "answered a request twice; the second answer is dropped");
  else
    aaa_post(copy.id, copy.generation, copy.source, aaa_answer_copy(reply));
}

guint aaa_handles_kept(const char *source) {
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_mutex_lock(&lock);
  if (handles)
    g_hash_table_iter_init(&iter, handles);
  while (handles && g_hash_table_iter_next(&iter, NULL, &value))
    n += ((const Handle *)value)->uses && ((const Handle *)value)->source == source;
  g_mutex_unlock(&lock);
  return n;
}
