/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-request.h"
#include "core/aaa/aaa-config.h"
#include "core/aaa/aaa-gate.h"
#include "core/aaa/empty.h"
#include "core/aaa/handle.h"
#include "core/aaa/lent.h"
#include "core/base/hold.h"

/** A request on its way through the chain. */
typedef struct {
  guint64 id;
  guint generation; /**< of the round: an answer for an earlier one is late */
  guint step;       /**< which source of the chain is asked next */
  AditAuthRequest *request;
  AditAaaDone done;
  gpointer data;
  AaaConfig *config;
  const AaaSource *source; /**< who is asked now; NULL when nobody is */
  AditAuthHandle *handle;
  AditTimer deadline;
  AaaAttempt attempt; /**< at the gate, from beginning to end */
} Pending;

static GHashTable *pending; /* id -> Pending */
static guint64 last_id;
static AditRateLimit failures, empty_secrets;
static const char empty_proof[] = "the peer gave an empty password, which proves nothing";
/* What a name that nobody knows is checked against: it then costs as long as a wrong password. */
static char nobody[33];

static void pending_free(Pending *p) {
  aaa_gate_leave(&p->attempt, AAA_LOGIN_CANCELLED);
  if (p->deadline.func)
    aaa_loop->timer_cancel(&p->deadline);
  g_clear_pointer(&p->handle, aaa_handle_forget);
  aaa_lent_release(p->request);
  aaa_config_unref(p->config);
  g_free(p);
}

/** What a verdict says about who tried: an error says nothing. */
static AaaLogin login_of(AditAuthOutcome outcome) {
  return outcome == ADIT_AUTH_ACCEPT ? AAA_LOGIN_GOOD : outcome == ADIT_AUTH_REJECT ? AAA_LOGIN_BAD : AAA_LOGIN_UNKNOWN;
}

/** Tells the one who asked, last of all: `p` is gone when it returns. */
static void finish_request(Pending *p, AditAuthReply *reply, const char *source) {
  AditLogContext about = {.user = p->request->user};

  if (reply->outcome == ADIT_AUTH_REJECT)
    adit_debug(&about, "source %s refuses: %s", source ? source : "(none)", reply->why ? reply->why : "no reason given");
  g_hash_table_steal(pending, &p->id);
  aaa_gate_leave(&p->attempt, login_of(reply->outcome));
  p->done(p->id, reply, source, p->data);
  pending_free(p);
}

/** The round is over for the source that was asked; `tell` it unless it has answered or is going away. */
static void leave_source(Pending *p, gboolean tell) {
  const AaaSource *source = g_steal_pointer(&p->source);
  AditAuthHandle *handle = g_steal_pointer(&p->handle);

  aaa_loop->timer_cancel(&p->deadline);
  p->generation++;
  if (!handle)
    return;
  if (tell && source->ops->cancel && aaa_handle_borrow(handle)) {
    ADIT_HOLD(source->plugin, source->ops->cancel, "cancel()", source->ops->cancel(source->state, handle));
    aaa_handle_unref(handle);
  }
  aaa_handle_forget(handle);
}

/** An answer of our own, which takes the same way as one of a source's. */
static void answer_self(Pending *p, const char *source, AaaAnswer *answer) {
  aaa_post(p->id, p->generation, source, answer);
}

static void deadline_passed(AditTimer *timer, gpointer data) {
  Pending *p = (Pending *)data;
  const char *source = p->source->name;

  leave_source(p, TRUE);
  answer_self(p, source, aaa_answer_error("it did not answer in time"));
}

AditAuthRequest *adit_aaa_whole(AditAuthRequest *request) {
  if (ADIT_HAS(request, state))
    return request;
  AditAuthRequest *copy = aaa_lent_copy(request);
  adit_auth_request_unref(request);
  return copy;
}

/** The request for the source at hand. Earlier ones may still read theirs, so a new deadline makes a new copy. */
static void set_deadline(Pending *p) {
  guint64 deadline = aaa_loop->now() + p->config->timeout_ms;
  AditAuthRequest *old = p->request;

  if (old->deadline_ms == deadline)
    return;
  if (g_atomic_int_get(&old->refs) > 1) {
    p->request = aaa_lent_new(old);
    aaa_lent_release(old);
  }
  p->request->deadline_ms = deadline;
}

/** Whom to ask next; NULL when all have been asked. A conversation of EAP stays with the source that opened it. */
static const char *next_source(Pending *p) {
  if (p->request->source)
    return p->step++ ? NULL : p->request->source;
  return p->step < p->config->sources->len ? (const char *)p->config->sources->pdata[p->step++] : NULL;
}

/** Asks the next source. The source may end the request from within, so `p` is not touched after ask(). */
static void ask_next(Pending *p) {
  const char *name = next_source(p);
  if (!name) {
    AditAuthReply none = {.size = sizeof none, .outcome = ADIT_AUTH_NOT_MINE, .why = "no such user"};
    answer_self(p, NULL, p->step ? aaa_answer_copy(&none) : aaa_answer_error("no source is configured"));
    return;
  }

  const AaaSource *source = aaa_source_find(name);
  if (!source) {
    answer_self(p, name, aaa_answer_error("its plugin is gone"));
    return;
  }

  set_deadline(p);
  p->source = source;
  AditAuthHandle *handle = p->handle = aaa_handle_new(p->id, p->generation, source->name);
  p->deadline.func = deadline_passed;
  p->deadline.data = p;
  aaa_loop->timer_arm(&p->deadline, p->config->timeout_ms);

  AditAuthRequest *request = p->request;
  aaa_lent_to(request, source->name);
  adit_auth_request_ref(request);
  ADIT_HOLD(source->plugin, source->ops->ask, "ask()", source->ops->ask(source->state, request, handle));
  adit_auth_request_unref(request);
  aaa_handle_unref(handle);
}

static void try_after_failure(Pending *p, const char *source, const char *why) {
  guint kept = 0;

  if (adit_rate_allows(&failures, aaa_loop->now(), 10, 1000, &kept)) {
    AditLogContext about = {.user = p->request->user};
    adit_warning(&about, "source %s failed for user %s: %s", source ? source : "(none)", p->request->user, why ? why : "no reason given");
  }
  if (source && p->config->next_on_error) {
    ask_next(p);
    return;
  }
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = why};
  finish_request(p, &reply, source);
}

/** Lets the method check what the peer sent against `secret`. `unprovable` (NULL = none) is why the peer is refused whatever it sent. */
static void verify_proof(Pending *p, const AditAuthReply *secret, const char *source, const char *unprovable) {
  const AditAuthMethod *method = adit_auth_method_of_kind(p->request->kind);
  AditAuthReply reply = {.size = sizeof reply};
  char text[128] = "";

  if (!method) {
    try_after_failure(p, NULL, "the method's plugin is gone");
    return;
  }
  method->verify(p->request, secret, &reply, text);
  if (unprovable || reply.outcome != ADIT_AUTH_ACCEPT) {
    /* Whoever asks must not learn from words, codes or time whether the name exists. */
    AditAuthReply refusal = {.size = sizeof refusal,
                             .outcome = ADIT_AUTH_REJECT,
                             .why = unprovable ? unprovable : reply.why,
                             .message = reply.outcome == ADIT_AUTH_ACCEPT ? NULL : reply.message,
                             .error_code = reply.error_code};
    explicit_bzero(&reply, sizeof reply);
    reply = refusal;
  } else {
    reply.attributes = secret->attributes;
  }
  reply.retry = secret->retry && reply.outcome == ADIT_AUTH_REJECT;
  reply.password = NULL;
  reply.nt_hash = NULL;
  finish_request(p, &reply, source);
  explicit_bzero(&reply, sizeof reply);
  explicit_bzero(text, sizeof text);
}

/** All sources have passed. */
static void nobody_knows(Pending *p) {
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = nobody};

  if (p->request->kind == ADIT_AUTH_EAP) { /* no round of it can be checked against a password */
    AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT, .why = "no such user"};
    finish_request(p, &reply, NULL);
    return;
  }
  verify_proof(p, &secret, NULL, "no such user");
}

/** The source has an empty password for this user. The peer cannot tell it from a wrong password. */
static void refuse_empty_secret(Pending *p, const char *source) {
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = nobody};
  AditLogContext about = {.user = p->request->user};

  if (adit_rate_allows(&empty_secrets, aaa_loop->now(), 5, 10000, NULL))
    adit_warning(&about, "user %s: source %s has no password: logins are refused until it has one", p->request->user, source);
  verify_proof(p, &secret, source, "the source has no password for this user");
}

static void check_secret(Pending *p, AditAuthReply *secret, const char *source) {
  gboolean empty = aaa_secret_drop_empty(secret);

  if (p->request->kind == ADIT_AUTH_EAP || (!empty && !secret->password && !secret->nt_hash))
    try_after_failure(p, source, "it answered with a secret that can't be used");
  else if (!secret->password && !secret->nt_hash)
    refuse_empty_secret(p, source);
  else
    verify_proof(p, secret, source, NULL);
}

static void take_answer(guint64 id, guint generation, const char *source, AaaAnswer *answer) {
  Pending *p = (Pending *)g_hash_table_lookup(pending, &id);
  AditAuthReply *reply = &answer->reply;

  if (!p || p->generation != generation) {
    adit_debug(NULL, "an answer of source %s came too late", source ? source : "(none)");
    return;
  }
  leave_source(p, FALSE);
  if (reply->attributes && reply->attributes->type != ADIT_VALUE_MAP) {
    try_after_failure(p, source, "its attributes are no MAP: adit_value_map() makes one");
    return;
  }
  switch (reply->outcome) {
  case ADIT_AUTH_ACCEPT:
    if (aaa_proves_empty(p->request)) {
      finish_request(p, &(AditAuthReply){.size = sizeof *reply, .outcome = ADIT_AUTH_REJECT, .why = empty_proof}, source);
      return;
    }
    /* fall through */
  case ADIT_AUTH_REJECT:
    reply->password = NULL;
    reply->nt_hash = NULL;
    finish_request(p, reply, source);
    return;
  case ADIT_AUTH_SECRET:
    check_secret(p, reply, source);
    return;
  case ADIT_AUTH_CHALLENGE:
    if (p->request->kind == ADIT_AUTH_EAP && reply->eap)
      finish_request(p, reply, source);
    else
      try_after_failure(p, source, "it answered with a challenge that the method does not know");
    return;
  case ADIT_AUTH_NOT_MINE:
    if (source)
      ask_next(p);
    else
      nobody_knows(p);
    return;
  case ADIT_AUTH_ERROR:
    try_after_failure(p, source, reply->why);
    return;
  }
  try_after_failure(p, source, "its answer makes no sense");
}

/** Answers without asking a source. */
static void refuse_unasked(Pending *p, const char *why, const char *message) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT, .why = why, .message = message};
  answer_self(p, NULL, aaa_answer_copy(&reply));
}

/** A source may take an empty password for a login (an LDAP server takes it for an anonymous one): it is not asked. */
static void begin_request(Pending *p) {
  if (p->request->kind == ADIT_AUTH_PAP && aaa_proves_empty(p->request))
    refuse_unasked(p, empty_proof, NULL);
  else
    ask_next(p);
}

static void on_gate(AaaAttempt *attempt, gboolean refused) {
  Pending *p = (Pending *)((char *)attempt - G_STRUCT_OFFSET(Pending, attempt));

  if (refused)
    refuse_unasked(p, attempt->why, "too many failed logins: try again later");
  else
    begin_request(p);
}

guint64 adit_aaa_ask(AditAuthRequest *request, AditAaaDone done, gpointer data) {
  Pending *p = g_new0(Pending, 1);
  guint64 id = p->id = ++last_id;

  p->request = aaa_lent_new(request);
  adit_auth_request_unref(request);
  p->done = done;
  p->data = data;
  p->config = aaa_config_ref();
  g_hash_table_insert(pending, &p->id, p);
  AaaGuardAnswer answer = aaa_gate_enter(&p->attempt, p->request);
  if (answer == AAA_GUARD_GO)
    begin_request(p);
  else if (answer == AAA_GUARD_REFUSE)
    on_gate(&p->attempt, TRUE);
  return id;
}

void adit_aaa_cancel(guint64 id) {
  Pending *p = (Pending *)g_hash_table_lookup(pending, &id);

  if (!p)
    return;
  g_hash_table_steal(pending, &p->id);
  leave_source(p, TRUE);
  pending_free(p);
}

guint adit_aaa_pending(void) {
  return g_hash_table_size(pending);
}

void aaa_request_init(void) {
  guint8 octets[16];

  aaa_loop->random(octets, sizeof octets);
  for (guint i = 0; i < sizeof octets; i++)
    g_snprintf(nobody + 2 * i, 3, "%02x", octets[i]);
  pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)pending_free);
  aaa_handle_init(take_answer);
  aaa_gate_init(on_gate);
}

void aaa_request_drop(const AaaSource *source) {
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, pending);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Pending *p = (Pending *)value;
    if (p->source != source)
      continue;
    leave_source(p, FALSE);
    answer_self(p, source->name, aaa_answer_error("its plugin is gone"));
  }
}

void aaa_request_fini(void) {
  aaa_handle_fini();
  aaa_gate_close();
  g_clear_pointer(&pending, g_hash_table_unref);
  aaa_gate_fini();
  aaa_lent_fini();
  explicit_bzero(nobody, sizeof nobody);
}
