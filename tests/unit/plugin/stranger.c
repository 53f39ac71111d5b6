/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A source that somebody else wrote, against the installed headers alone, and badly: each user name is a mistake of its own. */
#include <adit/adit.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
  const AditAaaService *aaa;
  const AditLoopService *loop;
  const AditBusService *bus;
  AditTimer timer;
  GPtrArray *kept;    /* handles that nobody will ever answer */
  GPtrArray *threads; /* to be joined at the end */
} Stranger;

typedef struct {
  Stranger *self;
  AditAuthRequest *request;
  AditAuthHandle *handle;
} Question;

static void say(const Question *q, AditAuthOutcome outcome) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = outcome, .why = "so said the stranger"};
  q->self->aaa->answer(q->handle, &reply);
}

/* On a thread of its own, of which the core knows nothing. */
static gpointer answer(gpointer data) {
  Question *q = data;

  say(q, g_str_has_prefix(q->request->user, "good") ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT);
  if (strcmp(q->request->user, "twice") == 0)
    say(q, ADIT_AUTH_ACCEPT);
  q->self->aaa->handle_unref(q->handle);
  adit_auth_request_unref(q->request);
  g_free(q);
  return NULL;
}

static void answer_on_a_thread(Stranger *self, AditAuthRequest *request, AditAuthHandle *handle) {
  Question *q = g_new0(Question, 1);
  *q = (Question){self, adit_auth_request_ref(request), self->aaa->handle_ref(handle)};
  g_ptr_array_add(self->threads, g_thread_new("stranger", answer, q));
}

static void on_timer(AditTimer *timer, gpointer data) {}

/* What may be called on the main loop alone. */
static gpointer call_from_a_thread(gpointer data) {
  Question *q = data;
  Stranger *self = q->self;
  AditEvent event = {1, sizeof event};

  self->timer = (AditTimer){.func = on_timer};
  self->loop->timer_arm(&self->timer, 1);
  self->bus->publish(&event);
  if (self->bus->subscribe(NULL, ADIT_EVENT_SESSION_UP, NULL, NULL) || self->loop->run_blocking(NULL, NULL, NULL, NULL))
    g_error("it was let");
  return answer(data);
}

/* Until an octet comes through the pipe whose number the user's name ends with. */
static void hold_until_told(const char *user) {
  int fd = atoi(strrchr(user, '-') + 1);
  char octet;

  while (read(fd, &octet, 1) < 0 && errno == EINTR)
    ;
}

static void on_calling_timer(AditTimer *timer, gpointer data) {
  Question *q = data;

  hold_until_told(q->request->user);
  say(q, ADIT_AUTH_ACCEPT);
  q->self->aaa->handle_unref(q->handle);
  adit_auth_request_unref(q->request);
  g_free(q);
}

static void misuse(Stranger *self, AditAuthRequest *request, AditAuthHandle *handle) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ACCEPT};
  Question *q = g_new0(Question, 1);

  *q = (Question){self, request, handle};
  if (strcmp(request->user, "gives-back-too-much") == 0) {
    say(q, ADIT_AUTH_ACCEPT);
    for (guint i = 0; i < 3; i++)
      adit_auth_request_unref(request);
  } else if (strcmp(request->user, "lets-go-too-often") == 0) {
    say(q, ADIT_AUTH_ACCEPT);
    for (guint i = 0; i < 3; i++)
      self->aaa->handle_unref(handle);
  } else if (strcmp(request->user, "keeps-for-ever") == 0) {
    self->aaa->handle_ref(handle);
    say(q, ADIT_AUTH_ACCEPT);
  } else if (strcmp(request->user, "holds-the-loop") == 0) {
    g_usleep(150 * 1000);
    say(q, ADIT_AUTH_ACCEPT);
  } else if (g_str_has_prefix(request->user, "does-not-return-")) {
    hold_until_told(request->user);
    say(q, ADIT_AUTH_ACCEPT);
  } else if (g_str_has_prefix(request->user, "timer-does-not-return-")) {
    adit_auth_request_ref(request);
    self->aaa->handle_ref(handle);
    self->timer = (AditTimer){.func = on_calling_timer, .data = q};
    self->loop->timer_arm(&self->timer, 1);
    return;
  } else if (strcmp(request->user, "gives-a-list") == 0) {
    reply.attributes = adit_value_list();
    self->aaa->answer(handle, &reply);
    adit_value_unref(reply.attributes);
  } else if (strcmp(request->user, "calls-from-a-thread") == 0) {
    adit_auth_request_ref(request);
    self->aaa->handle_ref(handle);
    g_ptr_array_add(self->threads, g_thread_new("stranger", call_from_a_thread, q));
    return;
  }
  g_free(q);
}

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  Stranger *self = state;

  if (strchr(request->user, '-')) {
    misuse(self, request, handle);
    return;
  }
  if (strcmp(request->user, "never") == 0 || strcmp(request->user, "late") == 0)
    g_ptr_array_add(self->kept, self->aaa->handle_ref(handle));
  else if (strcmp(request->user, "forgetful") != 0)
    answer_on_a_thread(self, request, handle);
}

/* The deadline has passed, and some only now have something to say. */
static void cancel(gpointer state, AditAuthHandle *handle) {
  Stranger *self = state;
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ACCEPT};
  self->aaa->answer(handle, &reply);
  self->aaa->answer(handle, &reply);
}

/* ---- an option of LCP that takes its time ---- */

static void option_init(gpointer self, const AditEngineEnv *env, const AditLcpFacts *facts) {}
static void option_put(gpointer self, AditBuilder *out) {}
static void option_event(gpointer self) {}
static AditOptionVerdict option_peer(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  g_usleep(150 * 1000);
  return ADIT_OPTION_ACK;
}
static void option_naked(gpointer self, const AditPppOption *option) {}
static gboolean option_rejected(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void option_save(gconstpointer self, AditBuilder *out) {}
static gboolean option_restore(gpointer self, AditCursor *in) {
  return TRUE;
}

static const AditLcpType option_types[] = {{200, 1, 9}};
static const AditPppOptionOps option_ops = {.size = sizeof option_ops,
                                            .request = option_put,
                                            .peer_begin = option_event,
                                            .peer_option = option_peer,
                                            .peer_end = option_put,
                                            .acked = option_event,
                                            .naked = option_naked,
                                            .rejected = option_rejected};
static const AditLcpDesc option = {.size = sizeof option,
                                   .name = "stranger",
                                   .types = option_types,
                                   .n_types = 1,
                                   .options = &option_ops,
                                   .init = option_init,
                                   .reset = option_event,
                                   .save = option_save,
                                   .restore = option_restore};

static const AditAuthSourceOps source = {.size = sizeof source, .name = "stranger", .ask = ask, .cancel = cancel};

static void join(gpointer thread) {
  g_thread_join(thread);
}

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  Stranger *self = g_new0(Stranger, 1);
  self->aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  self->loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  self->bus = host->service(plugin, ADIT_BUS_SERVICE, 1);
  self->kept = g_ptr_array_new_with_free_func((GDestroyNotify)self->aaa->handle_unref);
  self->threads = g_ptr_array_new_with_free_func(join);
  *state = self;
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  return ppp->lcp_add(plugin, &option, error) && self->aaa->source_add(plugin, &source, self, error);
}

static void fini(gpointer state) {
  Stranger *self = state;
  g_ptr_array_unref(self->threads);
  g_ptr_array_unref(self->kept);
  g_free(self);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:stranger"}};

ADIT_PLUGIN_DEFINE(stranger, .name = "stranger", .version = "1", .summary = "a careless source", .features = features, .n_features = 1,
                   .init = init, .fini = fini);
