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
  const AaaSource *source; /**< the source that is asked now; NULL = none */
  AditAuthHandle *handle;
  AditTimer deadline;
  AaaAttempt attempt; /**< at the gate, from beginning to end */
} AaaRequest;

static GHashTable *requests; /* id -> AaaRequest */
static guint64 last_id;
static AditRateLimit failures, empty_secrets;
static const char empty_proof[] = "the peer gave an empty password, which proves nothing";
/* The secret of users that no source knows: the check against it takes as long as that of a wrong password. */
static char unknown_secret[33];

static void free_request(AaaRequest *r) {
  aaa_gate_leave(&r->attempt, AAA_LOGIN_CANCELLED);
  if (r->deadline.func)
    aaa_loop->timer_cancel(&r->deadline);
  g_clear_pointer(&r->handle, aaa_handle_forget);
  aaa_lent_release(r->request);
  aaa_config_unref(r->config);
  g_free(r);
}

/** The meaning of a verdict for the guard: an error means nothing. */
static AaaLogin login_of(AditAuthOutcome outcome) {
  return outcome == ADIT_AUTH_ACCEPT ? AAA_LOGIN_GOOD : outcome == ADIT_AUTH_REJECT ? AAA_LOGIN_BAD : AAA_LOGIN_UNKNOWN;
}

/** Calls the caller's done(), last of all: `r` is gone when it returns. */
static void finish_request(AaaRequest *r, AditAuthReply *reply, const char *source) {
  AditLogContext about = {.user = r->request->user};

  if (reply->outcome == ADIT_AUTH_REJECT)
    adit_debug(&about, "source %s refuses: %s", source ? source : "(none)", reply->why ? reply->why : "no reason given");
  g_hash_table_steal(requests, &r->id);
  aaa_gate_leave(&r->attempt, login_of(reply->outcome));
  r->done(r->id, reply, source, r->data);
  free_request(r);
}

/** The round is over for the source that was asked; `tell` it unless it has answered or is going away. */
static void leave_source(AaaRequest *r, gboolean tell) {
  const AaaSource *source = g_steal_pointer(&r->source);
  AditAuthHandle *handle = g_steal_pointer(&r->handle);

  aaa_loop->timer_cancel(&r->deadline);
  r->generation++;
  if (!handle)
    return;
  if (tell && source->ops->cancel && aaa_handle_borrow(handle)) {
    ADIT_HOLD(source->plugin, source->ops->cancel, "cancel()", source->ops->cancel(source->state, handle));
    aaa_handle_unref(handle);
  }
  aaa_handle_forget(handle);
}

/** An answer that no source gave; it takes the same way as theirs. */
static void answer_self(AaaRequest *r, const char *source, AaaAnswer *answer) {
  aaa_post(r->id, r->generation, source, answer);
}

static void on_source_deadline(AditTimer *timer, gpointer data) {
  AaaRequest *r = (AaaRequest *)data;
  const char *source = r->source->name;

  leave_source(r, TRUE);
  answer_self(r, source, aaa_answer_error("it did not answer in time"));
}

AditAuthRequest *adit_aaa_whole(AditAuthRequest *request) {
  if (ADIT_HAS(request, state))
    return request;
  AditAuthRequest *copy = aaa_lent_copy(request);
  adit_auth_request_unref(request);
  return copy;
}

/** The request for the source at hand. Earlier ones may still read theirs, so a new deadline makes a new copy. */
static void set_deadline(AaaRequest *r) {
  guint64 deadline = aaa_loop->now() + r->config->timeout_ms;
  AditAuthRequest *old = r->request;

  if (old->deadline_ms == deadline)
    return;
  if (g_atomic_int_get(&old->refs) > 1) {
    r->request = aaa_lent_new(old);
    aaa_lent_release(old);
  }
  r->request->deadline_ms = deadline;
}

/** The name of the next source; NULL when all have been asked. A conversation of EAP stays with the source that opened it. */
static const char *next_source(AaaRequest *r) {
  if (r->request->source)
    return r->step++ ? NULL : r->request->source;
  return r->step < r->config->sources->len ? (const char *)r->config->sources->pdata[r->step++] : NULL;
}

/** Asks the next source. The source may end the request from within, so `r` is not touched after ask(). */
static void begin_at_next_source(AaaRequest *r) {
  const char *name = next_source(r);
  if (!name) {
    AditAuthReply none = {.size = sizeof none, .outcome = ADIT_AUTH_NOT_MINE, .why = "no such user"};
    answer_self(r, NULL, r->step ? aaa_answer_copy(&none) : aaa_answer_error("no source is configured"));
    return;
  }

  const AaaSource *source = aaa_source_find(name);
  if (!source) {
    answer_self(r, name, aaa_answer_error("its plugin is gone"));
    return;
  }

  set_deadline(r);
  r->source = source;
  AditAuthHandle *handle = r->handle = aaa_handle_new(r->id, r->generation, source->name);
  r->deadline.func = on_source_deadline;
  r->deadline.data = r;
  aaa_loop->timer_arm(&r->deadline, r->config->timeout_ms);

  AditAuthRequest *request = r->request;
  aaa_lent_to(request, source->name);
  adit_auth_request_ref(request);
  ADIT_HOLD(source->plugin, source->ops->ask, "ask()", source->ops->ask(source->state, request, handle));
  adit_auth_request_unref(request);
  aaa_handle_unref(handle);
}

static void try_after_failure(AaaRequest *r, const char *source, const char *why) {
  guint kept = 0;

  if (adit_rate_allows(&failures, aaa_loop->now(), 10, 1000, &kept)) {
    AditLogContext about = {.user = r->request->user};
    adit_warning(&about, "source %s failed for user %s: %s", source ? source : "(none)", r->request->user, why ? why : "no reason given");
  }
  if (source && r->config->next_on_error) {
    begin_at_next_source(r);
    return;
  }
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = why};
  finish_request(r, &reply, source);
}

/** Lets the method check what the peer sent against `secret`. `unprovable` (NULL = none) is why the peer is refused whatever it sent. */
static void verify_proof(AaaRequest *r, const AditAuthReply *secret, const char *source, const char *unprovable) {
  const AditAuthMethod *method = adit_auth_method_of_kind(r->request->kind);
  AditAuthReply reply = {.size = sizeof reply};
  char text[128] = "";

  if (!method) {
    try_after_failure(r, NULL, "the method's plugin is gone");
    return;
  }
  ADIT_HOLD(NULL, method->verify, "verify() of a method", method->verify(r->request, secret, &reply, text));
  if (unprovable || reply.outcome != ADIT_AUTH_ACCEPT) {
    /* The peer must not learn from words, codes or time whether the name exists. */
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
  finish_request(r, &reply, source);
  explicit_bzero(&reply, sizeof reply);
  explicit_bzero(text, sizeof text);
}

/** All sources have passed. */
static void refuse_unknown_user(AaaRequest *r) {
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = unknown_secret};

  if (r->request->kind == ADIT_AUTH_EAP) { /* no round of it can be checked against a password */
    AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT, .why = "no such user"};
    finish_request(r, &reply, NULL);
    return;
  }
  verify_proof(r, &secret, NULL, "no such user");
}

/** The source has an empty password for this user. The peer cannot tell it from a wrong password. */
static void refuse_empty_secret(AaaRequest *r, const char *source) {
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = unknown_secret};
  AditLogContext about = {.user = r->request->user};

  if (adit_rate_allows(&empty_secrets, aaa_loop->now(), 5, 10000, NULL))
    adit_warning(&about, "user %s: source %s has no password: logins are refused until it has one", r->request->user, source);
  verify_proof(r, &secret, source, "the source has no password for this user");
}

static void check_secret(AaaRequest *r, AditAuthReply *secret, const char *source) {
  gboolean empty = aaa_secret_drop_empty(secret);

  if (r->request->kind == ADIT_AUTH_EAP || (!empty && !secret->password && !secret->nt_hash))
    try_after_failure(r, source, "it answered with a secret that can't be used");
  else if (!secret->password && !secret->nt_hash)
    refuse_empty_secret(r, source);
  else
    verify_proof(r, secret, source, NULL);
}

static void take_answer(guint64 id, guint generation, const char *source, AaaAnswer *answer) {
  AaaRequest *r = (AaaRequest *)g_hash_table_lookup(requests, &id);
  AditAuthReply *reply = &answer->reply;

  if (!r || r->generation != generation) {
    adit_debug(NULL, "an answer of source %s came too late", source ? source : "(none)");
    return;
  }
  leave_source(r, FALSE);
  if (reply->attributes && reply->attributes->type != ADIT_VALUE_MAP) {
    try_after_failure(r, source, "its attributes are no MAP: adit_value_map() makes one");
    return;
  }
  switch (reply->outcome) {
  case ADIT_AUTH_ACCEPT:
    if (aaa_proves_empty(r->request)) {
      finish_request(r, &(AditAuthReply){.size = sizeof *reply, .outcome = ADIT_AUTH_REJECT, .why = empty_proof}, source);
      return;
    }
    /* fall through */
  case ADIT_AUTH_REJECT:
    reply->password = NULL;
    reply->nt_hash = NULL;
    finish_request(r, reply, source);
    return;
  case ADIT_AUTH_SECRET:
    check_secret(r, reply, source);
    return;
  case ADIT_AUTH_CHALLENGE:
    if (r->request->kind == ADIT_AUTH_EAP && reply->eap)
      finish_request(r, reply, source);
    else
      try_after_failure(r, source, "it answered with a challenge that the method does not know");
    return;
  case ADIT_AUTH_NOT_MINE:
    if (source)
      begin_at_next_source(r);
    else
      refuse_unknown_user(r);
    return;
  case ADIT_AUTH_ERROR:
    try_after_failure(r, source, reply->why);
    return;
  }
  try_after_failure(r, source, "its answer makes no sense");
}

/** Answers without asking a source. */
static void refuse_before_sources(AaaRequest *r, const char *why, const char *message) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT, .why = why, .message = message};
  answer_self(r, NULL, aaa_answer_copy(&reply));
}

/** A source may take an empty password for a login (an LDAP server takes it for an anonymous one): it is not asked. */
static void begin_request(AaaRequest *r) {
  if (r->request->kind == ADIT_AUTH_PAP && aaa_proves_empty(r->request))
    refuse_before_sources(r, empty_proof, NULL);
  else
    begin_at_next_source(r);
}

static void on_gate(AaaAttempt *attempt, gboolean refused) {
  AaaRequest *r = (AaaRequest *)((char *)attempt - G_STRUCT_OFFSET(AaaRequest, attempt));

  if (refused)
    refuse_before_sources(r, attempt->why, "too many failed logins: try again later");
  else
    begin_request(r);
}

guint64 adit_aaa_request_begin(AditAuthRequest *request, AditAaaDone done, gpointer data) {
  AaaRequest *r = g_new0(AaaRequest, 1);
  guint64 id = r->id = ++last_id;

  r->request = aaa_lent_new(request);
  adit_auth_request_unref(request);
  r->done = done;
  r->data = data;
  r->config = aaa_config_ref();
  g_hash_table_insert(requests, &r->id, r);
  AaaGuardAnswer answer = aaa_gate_enter(&r->attempt, r->request);
  if (answer == AAA_GUARD_GO)
    begin_request(r);
  else if (answer == AAA_GUARD_REFUSE)
    on_gate(&r->attempt, TRUE);
  return id;
}

void adit_aaa_request_cancel(guint64 id) {
  AaaRequest *r = (AaaRequest *)g_hash_table_lookup(requests, &id);

  if (!r)
    return;
  g_hash_table_steal(requests, &r->id);
  leave_source(r, TRUE);
  free_request(r);
}

guint adit_aaa_requests_count(void) {
  return g_hash_table_size(requests);
}

void aaa_request_init(void) {
  guint8 octets[16];

  aaa_loop->random(octets, sizeof octets);
  for (guint i = 0; i < sizeof octets; i++)
    g_snprintf(unknown_secret + 2 * i, 3, "%02x", octets[i]);
  requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)free_request);
  aaa_handle_init(take_answer);
  aaa_gate_init(on_gate);
}

void aaa_request_drop(const AaaSource *source) {
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, requests);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AaaRequest *r = (AaaRequest *)value;
    if (r->source != source)
      continue;
    leave_source(r, FALSE);
    answer_self(r, source->name, aaa_answer_error("its plugin is gone"));
  }
}

void aaa_request_fini(void) {
  aaa_handle_fini();
  aaa_gate_close();
  g_clear_pointer(&requests, g_hash_table_unref);
  aaa_gate_fini();
  aaa_lent_fini();
  explicit_bzero(unknown_secret, sizeof unknown_secret);
}
