/* SPDX-License-Identifier: MIT */
/* adit.loop with a clock that the test advances, and adit.bus. */
#include "adit-test.h"

/* ---- time ---- */

typedef struct {
  AditWorkFunc func;
  gpointer data;
} TestCall;

struct AditWatch {
  int fd;
  guint condition;
  AditWatchFunc func;
  gpointer data;
};

static guint64 loop_now(void) {
  return test_now->now;
}

static void timer_cancel(AditTimer *timer) {
  test_main_only("adit.loop timer_cancel");
  g_ptr_array_remove(test_now->timers, timer);
  timer->deadline = 0;
}

static void timer_arm(AditTimer *timer, guint64 delay_ms) {
  test_main_only("adit.loop timer_arm");
  timer_cancel(timer);
  timer->deadline = test_now->now + MAX(delay_ms, 1);
  g_ptr_array_add(test_now->timers, timer);
}

/* The one that is due next, the first armed among equals. */
static AditTimer *next_timer(const AditTest *test) {
  AditTimer *best = NULL;
  for (guint i = 0; i < test->timers->len; i++) {
    AditTimer *timer = (AditTimer *)test->timers->pdata[i];
    if (!best || timer->deadline < best->deadline)
      best = timer;
  }
  return best;
}

guint64 adit_test_now(AditTest *test) {
  return test->now;
}

void adit_test_advance(AditTest *test, guint64 ms) {
  guint64 until = test->now + ms;

  for (AditTimer *timer; (timer = next_timer(test)) && timer->deadline <= until;) {
    test->now = timer->deadline;
    timer_cancel(timer);
    timer->func(timer, timer->data);
    while (adit_test_iterate(test, 0))
      ;
  }
  test->now = until;
  while (adit_test_iterate(test, 0))
    ;
}

/* ---- threads ---- */

void test_later(AditWorkFunc func, gpointer data) {
  TestCall *call = g_new(TestCall, 1);
  *call = (TestCall){func, data};
  g_async_queue_push(test_now->calls, call);
}

typedef struct {
  AditWorkFunc work, done;
  gpointer data;
} Job;

static void job_done(gpointer data) {
  g_autofree Job *job = (Job *)data;
  if (job->done)
    job->done(job->data);
}

static void job_run(gpointer data, gpointer user) {
  Job *job = (Job *)data;
  job->work(job->data);
  test_later(job_done, job);
}

static gboolean run_blocking(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data) {
  test_main_only("adit.loop run_blocking");
  if (!work)
    g_error("run_blocking() without a function");
  if (!test_now->threads) /* the end has begun */
    return FALSE;
  Job *job = g_new(Job, 1);
  *job = (Job){work, done, data};
  g_thread_pool_push(test_now->threads, job, NULL);
  return TRUE;
}

static void test_random(gpointer buffer, gsize length) {
  static guint32 state = 0x9e3779b9; /* the same in every run */
  for (gsize i = 0; i < length; i++) {
    state = state * 1664525u + 1013904223u;
    ((guint8 *)buffer)[i] = (guint8)(state >> 24);
  }
}

/* ---- descriptors ---- */

static AditWatch *watch_add(AditPlugin *plugin, int fd, guint condition, AditWatchFunc func, gpointer data) {
  test_main_only("adit.loop watch_add");
  if (!func)
    g_error("watch_add() without a function");
  AditWatch *watch = g_new0(AditWatch, 1);
  *watch = (AditWatch){fd, condition, func, data};
  g_ptr_array_add(test_now->watches, watch);
  return watch;
}

static void watch_remove(AditWatch *watch) {
  test_main_only("adit.loop watch_remove");
  g_ptr_array_remove(test_now->watches, watch);
}

static gboolean poll_watches(AditTest *test, guint real_ms) {
  guint n = test->watches->len;
  g_autofree GPollFD *fds = g_new0(GPollFD, n + 1);
  g_autofree AditWatch **watches = g_new0(AditWatch *, n + 1);
  gboolean ran = FALSE;

  for (guint i = 0; i < n; i++) {
    watches[i] = (AditWatch *)test->watches->pdata[i];
    fds[i] = (GPollFD){watches[i]->fd, (gushort)watches[i]->condition, 0};
  }
  if (!n || g_poll(fds, n, (gint)real_ms) <= 0)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (!fds[i].revents || !g_ptr_array_find(test->watches, watches[i], NULL)) /* removed by another's function */
      continue;
    ran = TRUE;
    if (!watches[i]->func(fds[i].fd, fds[i].revents, watches[i]->data))
      watch_remove(watches[i]);
  }
  return ran;
}

gboolean adit_test_iterate(AditTest *test, guint real_ms) {
  gboolean ran = poll_watches(test, 0);
  TestCall *call = ran || !real_ms ? g_async_queue_try_pop(test->calls)
                                   : g_async_queue_timeout_pop(test->calls, (guint64)MIN(real_ms, test->watches->len ? 1 : real_ms) * 1000);

  for (; call; call = g_async_queue_try_pop(test->calls)) {
    g_autofree TestCall *owned = call;
    owned->func(owned->data);
    ran = TRUE;
  }
  return ran;
}

const AditLoopService test_loop_service = {
    .size = sizeof(AditLoopService),
    .now = loop_now,
    .timer_arm = timer_arm,
    .timer_cancel = timer_cancel,
    .watch_add = watch_add,
    .watch_remove = watch_remove,
    .run_blocking = run_blocking,
    .call_main = test_later,
    .random = test_random,
};

void test_loop_begin(AditTest *test) {
  test->now = 1000000;
  test->timers = g_ptr_array_new();
  test->watches = g_ptr_array_new_with_free_func(g_free);
  test->calls = g_async_queue_new();
  test->threads = g_thread_pool_new(job_run, NULL, 4, FALSE, NULL);
}

void test_loop_quiesce(AditTest *test) {
  g_thread_pool_free(g_steal_pointer(&test->threads), FALSE, TRUE);
  while (adit_test_iterate(test, 0))
    ;
}

char *test_loop_leaks(AditTest *test) {
  GString *text = g_string_new(NULL);
  if (test->timers->len)
    g_string_append_printf(text, "%u timers that are armed: adit.loop timer_cancel()\n", test->timers->len);
  if (test->watches->len)
    g_string_append_printf(text, "%u watches: adit.loop watch_remove()\n", test->watches->len);
  return g_string_free(text, FALSE);
}

void test_loop_end(AditTest *test) {
  while (adit_test_iterate(test, 0))
    ;
  g_async_queue_unref(test->calls);
  g_ptr_array_unref(test->watches);
  g_ptr_array_unref(test->timers);
}

/* ---- adit.bus ---- */

typedef struct {
  AditEventClass klass; /* a copy, fields included, as the core makes it */
  guint type, published;
} TestClass;

typedef enum { SUBSCRIBER = 1, VETO, VALUE } HandlerKind;

typedef struct {
  guint id;
  HandlerKind kind;
  const char *name;
  int priority;
  AditEventFunc event;
  AditVetoFunc veto;
  AditValueFunc value;
  gpointer data;
} Handler;

static TestClass *class_named(const char *name) {
  for (guint i = 0; i < test_now->classes->len; i++)
    if (!strcmp(((TestClass *)test_now->classes->pdata[i])->klass.name, name))
      return (TestClass *)test_now->classes->pdata[i];
  return NULL;
}

static guint event_class(AditPlugin *plugin, const AditEventClass *klass) {
  test_main_only("adit.bus event_class");
  if (!ADIT_HAS(klass, n_fields) || !klass->name || klass->event_size < sizeof(AditEvent) || (klass->n_fields && !klass->fields))
    g_error("event_class(): a size, a name, an event_size over AditEvent's and fields inside of it are due");
  TestClass *found = class_named(klass->name);

  if (found)
    return found->klass.event_size >= klass->event_size ? found->type : 0;
  found = g_new0(TestClass, 1);
  found->klass = *klass;
  found->klass.name = g_intern_string(klass->name);
  found->klass.fields = (const AditField *)g_memdup2(klass->fields, klass->n_fields * sizeof *klass->fields);
  found->type = test_now->classes->len + 1;
  g_ptr_array_add(test_now->classes, found);
  return found->type;
}

/* Strings of a queued event must outlive their owner: they are copied into one block behind it. */
static AditEvent *copy_event(const AditEvent *event, const AditEventClass *klass) {
  gsize size = event->size;

  for (guint i = 0; i < klass->n_fields; i++)
    if (klass->fields[i].type == ADIT_FIELD_STRING) {
      const char *text = G_STRUCT_MEMBER(const char *, event, klass->fields[i].offset);
      size += text ? strlen(text) + 1 : 0;
    }
  char *copy = (char *)g_malloc0(size), *end = copy + event->size;
  memcpy(copy, event, event->size);
  for (guint i = 0; i < klass->n_fields; i++) {
    const char *text = klass->fields[i].type == ADIT_FIELD_STRING ? G_STRUCT_MEMBER(const char *, event, klass->fields[i].offset) : NULL;
    if (text) {
      G_STRUCT_MEMBER(const char *, copy, klass->fields[i].offset) = strcpy(end, text);
      end += strlen(text) + 1;
    }
  }
  return (AditEvent *)copy;
}

static void publish(const AditEvent *event) {
  test_main_only("adit.bus publish");
  if (!event || !event->type || event->type > test_now->classes->len ||
      event->size > ((TestClass *)test_now->classes->pdata[event->type - 1])->klass.event_size || event->size < sizeof *event)
    g_error("publish() of an event without a class (event_class() gives the type) or of another size");
  TestClass *klass = (TestClass *)test_now->classes->pdata[event->type - 1];

  klass->published++;
  g_queue_push_tail(&test_now->events, copy_event(event, &klass->klass));
  if (test_now->publishing)
    return;
  test_now->publishing = TRUE;
  for (AditEvent *next; (next = (AditEvent *)g_queue_pop_head(&test_now->events)); g_free(next)) {
    const TestClass *what = (const TestClass *)test_now->classes->pdata[next->type - 1];
    for (guint i = 0; i < test_now->handlers->len; i++) {
      Handler *handler = (Handler *)test_now->handlers->pdata[i];
      if (handler->kind == SUBSCRIBER && !strcmp(handler->name, what->klass.name))
        handler->event(next, handler->data);
    }
  }
  test_now->publishing = FALSE;
}

guint adit_test_published(AditTest *test, const char *event) {
  const TestClass *klass = class_named(event);
  return klass ? klass->published : 0;
}

static guint add_handler(Handler handler) {
  Handler *own = g_new(Handler, 1);
  *own = handler;
  own->id = ++test_now->last_id;
  g_ptr_array_add(test_now->handlers, own);
  return own->id;
}

static guint subscribe(AditPlugin *plugin, const char *name, AditEventFunc func, gpointer data) {
  test_main_only("adit.bus subscribe");
  if (!name || !func)
    g_error("subscribe() without %s", name ? "a function" : "the name of an event");
  return class_named(name) ? add_handler((Handler){.kind = SUBSCRIBER, .name = g_intern_string(name), .event = func, .data = data}) : 0;
}

static void expect_hook(const char *function, const char *hook, gboolean known, gboolean has_func) {
  test_main_only(function);
  if (!known || !has_func)
    g_error("%s() of the hook \"%s\": %s", function, hook ? hook : "(NULL)", known ? "there is no function" : "there is no such hook");
}

static guint veto_add(AditPlugin *plugin, const char *hook, int priority, AditVetoFunc func, gpointer data) {
  expect_hook("adit.bus veto_add", hook, !g_strcmp0(hook, ADIT_VETO_SESSION) || !g_strcmp0(hook, ADIT_VETO_LINK), func != NULL);
  return add_handler((Handler){.kind = VETO, .name = g_intern_string(hook), .priority = priority, .veto = func, .data = data});
}

static guint value_add(AditPlugin *plugin, const char *hook, int priority, AditValueFunc func, gpointer data) {
  expect_hook("adit.bus value_add", hook, !g_strcmp0(hook, ADIT_VALUE_INTERFACE_NAME), func != NULL);
  return add_handler((Handler){.kind = VALUE, .name = g_intern_string(hook), .priority = priority, .value = func, .data = data});
}

/* ---- what a test asks of hooks, and publishes ---- */

static gint by_priority(gconstpointer a, gconstpointer b) {
  const Handler *one = *(const Handler *const *)a, *other = *(const Handler *const *)b;
  return one->priority != other->priority ? (one->priority < other->priority ? -1 : 1) : one->id < other->id ? -1 : 1;
}

/* The handlers of a hook in order of priority. */
static GPtrArray *handlers_of(HandlerKind kind, const char *hook) {
  GPtrArray *found = g_ptr_array_new();

  for (guint i = 0; i < test_now->handlers->len; i++) {
    Handler *handler = (Handler *)test_now->handlers->pdata[i];
    if (handler->kind == kind && !strcmp(handler->name, hook))
      g_ptr_array_add(found, handler);
  }
  g_ptr_array_sort(found, by_priority);
  return found;
}

char *adit_test_veto(AditTest *test, const char *hook, AditEvent *about, gsize size) {
  g_autoptr(GPtrArray) handlers = handlers_of(VETO, hook);

  about->size = (guint32)size;
  for (guint i = 0; i < handlers->len; i++) {
    const Handler *handler = (const Handler *)handlers->pdata[i];
    const char *reason = handler->veto(about, handler->data);
    if (reason)
      return g_strdup(reason);
  }
  return NULL;
}

AditValue *adit_test_value(AditTest *test, const char *hook, AditEvent *about, gsize size) {
  g_autoptr(GPtrArray) handlers = handlers_of(VALUE, hook);

  about->size = (guint32)size;
  for (guint i = 0; i < handlers->len; i++) {
    const Handler *handler = (const Handler *)handlers->pdata[i];
    AditValue *value = handler->value(about, handler->data);
    if (value)
      return value;
  }
  return NULL;
}

void adit_test_publish(AditTest *test, const char *name, AditEvent *event, gsize size) {
  const TestClass *klass = class_named(name);

  if (!klass)
    g_error("adit_test_publish: there is no event \"%s\"", name);
  event->type = klass->type;
  event->size = (guint32)size;
  publish(event);
}

static void remove_handler(guint id) {
  for (guint i = 0; i < test_now->handlers->len; i++)
    if (((Handler *)test_now->handlers->pdata[i])->id == id) {
      g_ptr_array_remove_index(test_now->handlers, i);
      return;
    }
}

static void unsubscribe(guint id) {
  test_main_only("adit.bus unsubscribe");
  remove_handler(id);
}

static void hook_remove(guint id) {
  test_main_only("adit.bus hook_remove");
  remove_handler(id);
}

const AditBusService test_bus_service = {
    .size = sizeof(AditBusService),
    .event_class = event_class,
    .publish = publish,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .veto_add = veto_add,
    .value_add = value_add,
    .hook_remove = hook_remove,
};

static void class_free(gpointer data) {
  g_free((AditField *)((TestClass *)data)->klass.fields);
  g_free(data);
}

/* The classes of adit/event.h; the strings in them are all that the queue has to know. */
static void add_standard_classes(void) {
#define FIELD(of, member)                                                                                                                  \
  { #member, ADIT_FIELD_STRING, G_STRUCT_OFFSET(of, member) }
#define CLASS(name, of, fields)                                                                                                            \
  { sizeof(AditEventClass), name, sizeof(of), fields, G_N_ELEMENTS(fields) }
  static const AditField session[] = {FIELD(AditSessionEvent, user), FIELD(AditSessionEvent, interface), FIELD(AditSessionEvent, service),
                                      FIELD(AditSessionEvent, caller_id), FIELD(AditSessionEvent, reason)};
  static const AditField link[] = {FIELD(AditLinkEvent, service), FIELD(AditLinkEvent, user), FIELD(AditLinkEvent, reason)};
  static const AditField tunnel[] = {FIELD(AditTunnelEvent, service), FIELD(AditTunnelEvent, peer_name), FIELD(AditTunnelEvent, reason)};
  static const AditField lockout[] = {FIELD(AditLockoutEvent, source), FIELD(AditLockoutEvent, user)};
  static const AditEventClass classes[] = {
      CLASS(ADIT_EVENT_SESSION_UP, AditSessionEvent, session),
      CLASS(ADIT_EVENT_SESSION_UPDATE, AditSessionEvent, session),
      CLASS(ADIT_EVENT_SESSION_DOWN, AditSessionEvent, session),
      CLASS(ADIT_EVENT_LINK_UP, AditLinkEvent, link),
      CLASS(ADIT_EVENT_LINK_DOWN, AditLinkEvent, link),
      CLASS(ADIT_EVENT_AUTH_DONE, AditLinkEvent, link),
      CLASS(ADIT_EVENT_TUNNEL_UP, AditTunnelEvent, tunnel),
      CLASS(ADIT_EVENT_TUNNEL_DOWN, AditTunnelEvent, tunnel),
      CLASS(ADIT_EVENT_LOGIN_LOCKOUT, AditLockoutEvent, lockout),
      {sizeof(AditEventClass), ADIT_EVENT_CONFIG_LOADED, sizeof(AditEvent), NULL, 0},
  };
#undef FIELD
#undef CLASS
  for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
    event_class(NULL, &classes[i]);
}

void test_bus_begin(AditTest *test) {
  test->classes = g_ptr_array_new_with_free_func(class_free);
  test->handlers = g_ptr_array_new_with_free_func(g_free);
  g_queue_init(&test->events);
  add_standard_classes();
}

void test_bus_end(AditTest *test) {
  g_queue_clear_full(&test->events, g_free);
  g_ptr_array_unref(test->handlers);
  g_ptr_array_unref(test->classes);
}
