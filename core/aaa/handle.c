/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/handle.h"
#include "core/aaa/aaa-registry.h"

/* Answers are handed over in turns, so that a source that answers thousands at once starves nobody. */
#define TURN 64

struct AditAuthHandle {
  gint uses;   /**< of the source; the last one gone without an answer is an answer, too */
  gint owners; /**< of the memory: all uses together, and the request */
  gint answered;
  guint64 id;
  guint generation;
  const char *source; /**< interned */
};

typedef struct {
  guint64 id;
  guint generation;
  const char *source;
  AaaAnswer *answer;
} Letter;

static GMutex lock; /* guards what follows; threads may answer before init and after fini */
static GQueue letters = G_QUEUE_INIT;
static gboolean open, called;
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

AditAuthHandle *aaa_handle_new(guint64 id, guint generation, const char *source) {
  AditAuthHandle *handle = g_new0(AditAuthHandle, 1);
  *handle = (AditAuthHandle){.uses = 1, .owners = 2, .id = id, .generation = generation, .source = source};
  return handle;
}

void aaa_handle_forget(AditAuthHandle *handle) {
  if (g_atomic_int_dec_and_test(&handle->owners))
    g_free(handle);
}

gboolean aaa_handle_borrow(AditAuthHandle *handle) {
  gint uses = g_atomic_int_get(&handle->uses);
  do {
    if (!uses || g_atomic_int_get(&handle->answered))
      return FALSE;
  } while (!g_atomic_int_compare_and_exchange_full(&handle->uses, uses, uses + 1, &uses));
  return TRUE;
}

AditAuthHandle *aaa_handle_ref(AditAuthHandle *handle) {
  g_atomic_int_inc(&handle->uses);
  return handle;
}

void aaa_handle_unref(AditAuthHandle *handle) {
  if (!handle || !g_atomic_int_dec_and_test(&handle->uses))
    return;
  if (g_atomic_int_compare_and_exchange(&handle->answered, 0, 1))
    aaa_post(handle->id, handle->generation, handle->source, aaa_answer_error("it let go of the request without an answer"));
  aaa_handle_forget(handle);
}

/** A bug in a source, which may be a stranger's: name it, but not once for each user. */
static void blame_source(const AditAuthHandle *handle) {
  guint kept = 0;

  g_mutex_lock(&lock);
  gboolean say = open && adit_rate_allows(&culprits, loop->now(), 5, 1000, &kept);
  g_mutex_unlock(&lock);
  if (say)
    adit_warning(NULL, "source %s answered a request twice; the second answer is dropped%s", handle->source,
                 kept ? " (and more like it)" : "");
}

void aaa_handle_answer(AditAuthHandle *handle, const AditAuthReply *reply) {
  if (!g_atomic_int_compare_and_exchange(&handle->answered, 0, 1)) {
    blame_source(handle);
    return;
  }
  aaa_post(handle->id, handle->generation, handle->source, aaa_answer_copy(reply));
}
