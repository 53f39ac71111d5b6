/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/lent.h"

#include <adit/log.h>

enum { REMEMBERED = 64 };

typedef struct {
  AditAuthRequest request; /* head */
  gboolean held;           /* by the core, which has its own reference */
  const char *source;      /* interned: the one that got it last; NULL = none yet */
} Lent;

/* Requests that are over, wiped: as long as they are remembered, a source may give them back again without harm, and is told of. */
static GMutex lock; /* guards what follows, `held`, and the core's own reference */
static GQueue over = G_QUEUE_INIT;
static AditRateLimit lines;

static void blame_locked(const Lent *lent) {
  if (adit_rate_allows(&lines, (guint64)g_get_monotonic_time() / 1000, 5, 1000, NULL))
    adit_warning(NULL, "source %s called adit_auth_request_unref() once too often: one for each adit_auth_request_ref()",
                 lent->source ? lent->source : "?");
}

static void forget_locked(guint keep) {
  while (over.length > keep) {
    Lent *lent = (Lent *)g_queue_pop_head(&over);
    if (g_atomic_int_get(&lent->request.refs) < 0)
      blame_locked(lent);
    g_free(lent);
  }
}

static void bury_locked(Lent *lent) {
  adit_auth_request_clear_(&lent->request);
  g_queue_push_tail(&over, lent);
  forget_locked(REMEMBERED);
}

/* The last reference was given back; if the core still holds one, a source gave back a reference that it did not own. */
static void take_back_request(AditAuthRequest *request) {
  Lent *lent = (Lent *)request;

  g_mutex_lock(&lock);
  if (lent->held) {
    g_atomic_int_inc(&request->refs);
    blame_locked(lent);
  } else {
    bury_locked(lent);
  }
  g_mutex_unlock(&lock);
}

static GBytes *bytes_ref(GBytes *bytes) {
  return bytes ? g_bytes_ref(bytes) : NULL;
}

AditAuthRequest *aaa_lent_new(const AditAuthRequest *request) {
  AditAuthRequest *copy = aaa_lent_copy(request);
  ((Lent *)copy)->held = TRUE;
  return copy;
}

AditAuthRequest *aaa_lent_copy(const AditAuthRequest *request) {
  Lent *lent = g_new0(Lent, 1);
  AditAuthRequest *copy = &lent->request;

  adit_copy_sized(copy, sizeof *copy, request);
  copy->refs = 1;
  copy->dispose = take_back_request;
  copy->user = g_strdup(copy->user);
  copy->password = g_strdup(copy->password);
  copy->eap = bytes_ref(copy->eap);
  copy->transport = g_strdup(copy->transport);
  copy->server = g_strdup(copy->server);
  copy->caller_id = g_strdup(copy->caller_id);
  copy->called_id = g_strdup(copy->called_id);
  adit_value_ref(copy->attributes);
  copy->record_id = g_strdup(copy->record_id);
  copy->source = g_strdup(copy->source);
  copy->state = bytes_ref(copy->state);
  return copy;
}

void aaa_lent_to(AditAuthRequest *request, const char *source) {
  g_mutex_lock(&lock);
  ((Lent *)request)->source = source;
  g_mutex_unlock(&lock);
}

void aaa_lent_release(AditAuthRequest *request) {
  Lent *lent = (Lent *)request;

  g_mutex_lock(&lock);
  lent->held = FALSE;
  if (g_atomic_int_dec_and_test(&request->refs))
    bury_locked(lent);
  g_mutex_unlock(&lock);
}

void aaa_lent_fini(void) {
  g_mutex_lock(&lock);
  forget_locked(0);
  g_mutex_unlock(&lock);
}
