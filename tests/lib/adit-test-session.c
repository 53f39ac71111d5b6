/* SPDX-License-Identifier: MIT */
/* adit.session: links that a transport opens, and sessions that a test says are up. */
#include "adit-test.h"
#include <errno.h>

/* ---- links ---- */

typedef struct {
  AditLinkId id;
  const AditLinkOps *ops;
  gpointer user;
} Link;

static AditLinkId link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error) {
  test_main_only("adit.session link_open");
  int why = test_log("session.link_open %s caller %s", spec->transport, spec->caller_id ? spec->caller_id : "-");

  if (why) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_DENIED, g_strerror(why));
    return 0;
  }
  Link *link = g_new0(Link, 1);
  *link = (Link){++test_now->last_link, spec->ops, spec->user};
  g_ptr_array_add(test_now->links, link);
  return link->id;
}

static Link *link_of(AditLinkId id) {
  for (guint i = 0; i < test_now->links->len; i++)
    if (((Link *)test_now->links->pdata[i])->id == id)
      return (Link *)test_now->links->pdata[i];
  return NULL;
}

static void link_close(AditLinkId id, AditCause cause, const char *reason) {
  test_main_only("adit.session link_close");
  test_log("session.link_close %" G_GUINT64_FORMAT " cause %d %s", id, cause, reason ? reason : "-");
  g_ptr_array_remove(test_now->links, link_of(id));
}

void adit_test_close_link(AditTest *test, AditLinkId id, AditCause cause, const char *reason) {
  Link *link = link_of(id);
  g_assert(link);
  Link copy = *link;
  g_ptr_array_remove(test->links, link); /* the id is dead when closed() is called */
  copy.ops->closed(copy.user, id, cause, reason);
}

AditLinkId adit_test_last_link(AditTest *test) {
  return test->last_link;
}

static void link_update(AditLinkId id, const AditPath *path, const AditEncap *encap) {
  test_main_only("adit.session link_update");
  char remote[ADIT_ENDPOINT_TEXT];
  test_log("session.link_update %" G_GUINT64_FORMAT " to %s", id, adit_endpoint_format(&path->remote, remote));
}

static gboolean link_stats(AditLinkId id, AditDpStats *out) {
  test_main_only("adit.session link_stats");
  memset(out, 0, sizeof *out);
  return link_of(id) != NULL;
}

static void dial_failed(gpointer token, AditCause cause, const char *reason) {
  test_main_only("adit.session dial_failed");
  test_log("session.dial_failed cause %d %s", cause, reason ? reason : "-");
}

static guint session_count(const char *transport, const char *server) {
  test_main_only("adit.session session_count");
  return test_now->links->len;
}

/* ---- sessions ---- */

typedef struct {
  AditLinkId link;
  guint8 type, length;
  gboolean peer;
  guint8 data[255];
} TestAgreed;

typedef struct {
  const AditStageOps *ops; /* NULL = none */
  gpointer params;
} Stage;

typedef struct {
  AditSessionInfo info; /* strings and values are its own */
  gboolean ending;
  Stage stage[ADIT_STAGES_N];
} Session;

static void stage_clear(Stage *stage) {
  g_clear_pointer(&stage->params, g_free);
  stage->ops = NULL;
}

static void session_free(gpointer data) {
  Session *session = (Session *)data;
  AditSessionInfo *info = &session->info;

  g_free((char *)info->user);
  g_free((char *)info->interface);
  g_free((char *)info->service);
  g_free((char *)info->caller_id);
  g_free((char *)info->transport);
  g_free((char *)info->record_id);
  g_free((char *)info->called_id);
  g_free((char *)info->server);
  g_free((char *)info->source);
  g_free((char *)info->method);
  g_free((char *)info->multi_id);
  adit_value_unref((AditValue *)info->attributes);
  for (guint i = 0; i < ADIT_STAGES_N; i++)
    stage_clear(&session->stage[i]);
  g_free(session);
}

void adit_test_add_session(AditTest *test, const AditSessionInfo *given) {
  Session *session = g_new0(Session, 1);
  AditSessionInfo *info = &session->info;

  g_assert(given->id && given->size == sizeof *given);
  *info = *given;
  info->user = g_strdup(given->user);
  info->interface = g_strdup(given->interface);
  info->service = g_strdup(given->service);
  info->caller_id = g_strdup(given->caller_id);
  info->transport = g_strdup(given->transport);
  info->record_id = g_strdup(given->record_id);
  info->called_id = g_strdup(given->called_id);
  info->server = g_strdup(given->server);
  info->source = g_strdup(given->source);
  info->method = g_strdup(given->method);
  info->multi_id = g_strdup(given->multi_id);
  info->attributes = adit_value_ref(given->attributes);
  g_ptr_array_add(test->sessions, session);
}

static Session *session_of(AditSessionId id) {
  for (guint i = 0; i < test_now->sessions->len; i++)
    if (((Session *)test_now->sessions->pdata[i])->info.id == id)
      return (Session *)test_now->sessions->pdata[i];
  return NULL;
}

void adit_test_end_session(AditTest *test, AditSessionId id, AditCause cause) {
  static const AditEventClass down = {sizeof down, ADIT_EVENT_SESSION_DOWN, sizeof(AditSessionEvent), NULL, 0};
  const AditBusService *bus = (const AditBusService *)adit_test_service(test, ADIT_BUS_SERVICE);
  Session *session = session_of(id);
  AditSessionEvent event;

  g_assert(session);
  memset(&event, 0, sizeof event);
  event.event.type = bus->event_class(NULL, &down);
  event.event.size = sizeof event;
  event.session = id;
  event.cause = cause;
  bus->publish(&event.event);
  g_ptr_array_remove(test->sessions, session);
}

static gboolean session_info(AditSessionId id, AditSessionInfo *out) {
  test_main_only("adit.session session_info");
  const Session *session = session_of(id);
  gsize size = MIN(out->size, sizeof *out);

  if (!session)
    return FALSE;
  memcpy(out, &session->info, size);
  out->size = size;
  return TRUE;
}

static void session_foreach(void (*each)(const AditSessionInfo *info, gpointer data), gpointer data) {
  test_main_only("adit.session session_foreach");
  for (guint i = 0; i < test_now->sessions->len; i++)
    each(&((Session *)test_now->sessions->pdata[i])->info, data);
}

static gboolean session_disconnect(AditSessionId id, AditCause cause, const char *reason) {
  test_main_only("adit.session disconnect");
  Session *session = session_of(id);
  int refused = test_log("session.disconnect %" G_GUINT64_FORMAT " cause %d %s", id, cause, reason ? reason : "-");

  if (refused || !session || session->ending)
    return FALSE;
  session->ending = TRUE;
  return TRUE;
}

static AditSessionId session_find(const char *record_id) {
  test_main_only("adit.session session_find");
  for (guint i = 0; i < test_now->sessions->len; i++) {
    const Session *session = (const Session *)test_now->sessions->pdata[i];
    if (!session->ending && !g_strcmp0(session->info.record_id, record_id))
      return session->info.id;
  }
  return 0;
}

static void append_value(GString *text, const AditValue *value) {
  char buffer[ADIT_PREFIX_TEXT];
  gsize length = 0;

  switch (value->type) {
  case ADIT_VALUE_BOOL:
    g_string_append(text, value->as.boolean ? "yes" : "no");
    return;
  case ADIT_VALUE_INT:
    g_string_append_printf(text, "%" G_GINT64_FORMAT, value->as.integer);
    return;
  case ADIT_VALUE_STRING:
    g_string_append(text, value->as.string);
    return;
  case ADIT_VALUE_ADDRESS:
    g_string_append(text, adit_address_format(&value->as.address, buffer));
    return;
  case ADIT_VALUE_PREFIX:
    g_string_append(text, adit_prefix_format(&value->as.prefix, buffer));
    return;
  case ADIT_VALUE_OCTETS:
    g_string_append(text, "0x");
    for (const guint8 *octets = (const guint8 *)g_bytes_get_data(value->as.octets, &length); length; length--)
      g_string_append_printf(text, "%02x", *octets++);
    return;
  case ADIT_VALUE_LIST:
    for (guint i = 0; i < adit_value_length(value); i++) {
      g_string_append(text, i ? "," : "");
      append_value(text, adit_value_at(value, i));
    }
    return;
  case ADIT_VALUE_MAP:
    for (guint i = 0; i < adit_value_length(value); i++) {
      g_string_append_printf(text, " %s=", adit_value_key(value, i));
      append_value(text, adit_value_get(value, adit_value_key(value, i)));
    }
    return;
  }
}

static AditErrorCode code_of(int error) {
  return error == ENOENT    ? ADIT_ERR_NOT_FOUND
         : error == ENOTSUP ? ADIT_ERR_UNSUPPORTED
         : error == EINVAL  ? ADIT_ERR_INVALID
                            : ADIT_ERR_SYSTEM;
}

static gboolean session_update(AditSessionId id, const AditValue *changes, GError **error) {
  test_main_only("adit.session session_update");
  const Session *session = session_of(id);
  g_autoptr(GString) text = g_string_new(NULL);

  append_value(text, changes);
  int refused = test_log("session.session_update %" G_GUINT64_FORMAT "%s", id, text->str);
  if (!refused && (!session || session->ending))
    refused = ENOENT;
  if (refused)
    g_set_error(error, ADIT_ERROR, code_of(refused), "%s: %s", adit_value_length(changes) ? adit_value_key(changes, 0) : "-",
                g_strerror(refused));
  return !refused;
}

static gboolean actor_add(AditPlugin *plugin, const char *attribute, GError **error) {
  test_expect_registration(plugin, "actor_add", NULL, attribute);
  int refused = test_log("session.actor_add %s", attribute);

  if (refused)
    g_set_error(error, ADIT_ERROR, code_of(refused), "%s: %s", attribute, g_strerror(refused));
  return !refused;
}

/* Sessions in earlier events are taken to exist. */
static gboolean actor_exists(const char *attribute) {
  test_main_only("adit.session actor_exists");
  g_autofree char *line = g_strdup_printf("session.actor_add %s", attribute);
  return adit_test_saw(test_now, line);
}

static gboolean bundler_add(AditPlugin *plugin, const AditBundlerOps *ops, gpointer state, GError **error) {
  test_expect_registration(plugin, "bundler_add", NULL, ADIT_HAS(ops, attached) && ops->decide ? ops->name : NULL);
  int refused = test_log("session.bundler_add %s", ops->name);

  if (!refused && test_now->bundler)
    refused = EEXIST;
  if (refused) {
    g_set_error(error, ADIT_ERROR, code_of(refused), "%s: %s", ops->name, g_strerror(refused));
    return FALSE;
  }
  test_now->bundler = ops;
  test_now->bundler_state = state;
  return TRUE;
}

AditBundleVerdict adit_test_bundle(AditTest *test, const AditLinkInfo *link, AditBundleDecision *out) {
  *out = (AditBundleDecision){.size = sizeof *out};
  return test->bundler ? test->bundler->decide(test->bundler_state, link, out) : ADIT_BUNDLE_NONE;
}

static gboolean link_info(AditLinkId id, AditLinkInfo *out) {
  test_main_only("adit.session link_info");
  const AditLinkInfo info = {.size = sizeof info, .id = id};
  if (!link_of(id))
    return FALSE;
  adit_copy_sized(out, out->size, &info);
  return TRUE;
}

static gboolean link_end(AditLinkId id, AditCause cause, const char *reason) {
  test_main_only("adit.session link_end");
  test_log("session.link_end %" G_GUINT64_FORMAT " cause %d %s", id, cause, reason ? reason : "-");
  return link_of(id) != NULL;
}

static gboolean link_probe(AditLinkId id) {
  test_main_only("adit.session link_probe");
  return !test_log("session.link_probe %" G_GUINT64_FORMAT, id) && link_of(id) != NULL;
}

static gboolean stage_add(AditSessionId id, const AditStageSpec *spec, GError **error) {
  test_main_only("adit.session stage_add");
  if (!ADIT_HAS(spec, user) || !ADIT_HAS(spec->ops, fini) || !spec->ops->name || !spec->ops->encode || !spec->ops->decode ||
      (guint)spec->ops->kind >= ADIT_STAGES_N || !spec->ops->protocol || spec->ops->protocol >= 0x8000)
    g_error("stage_add() of a stage that lacks its size, a name, a function, a kind, or a protocol of data");
  int refused = test_log("session.stage_add %" G_GUINT64_FORMAT " %s", id, spec->ops->name);

  if (!refused && !session_of(id))
    refused = ENOENT;
  if (refused)
    g_set_error(error, ADIT_ERROR, code_of(refused), "%s: %s", spec->ops->name, g_strerror(refused));
  if (refused)
    return FALSE;
  Stage *stage = &session_of(id)->stage[spec->ops->kind];
  stage_clear(stage);
  *stage = (Stage){spec->ops, g_memdup2(spec->params, spec->params_length)};
  return TRUE;
}

const AditStageOps *adit_test_stage(AditTest *test, AditSessionId id, AditStageKind kind, gconstpointer *params) {
  const Session *session = session_of(id);
  const Stage *stage = session ? &session->stage[kind] : NULL;

  if (stage && params)
    *params = stage->params;
  return stage ? stage->ops : NULL;
}

/* ---- options of LCP ---- */

static gboolean link_option(AditLinkId link, guint8 type, gboolean peer, AditPppOption *out) {
  test_main_only("adit.session link_option");
  for (guint i = 0; i < test_now->agreed->len; i++) {
    const TestAgreed *agreed = (const TestAgreed *)test_now->agreed->pdata[i];
    if (agreed->link == link && agreed->type == type && agreed->peer == peer) {
      *out = (AditPppOption){type, agreed->length, agreed->data};
      return TRUE;
    }
  }
  return FALSE;
}

void adit_test_agree(AditTest *test, AditLinkId link, guint8 type, gboolean peer, gconstpointer data, guint8 length) {
  TestAgreed *agreed = g_new0(TestAgreed, 1);
  *agreed = (TestAgreed){.link = link, .type = type, .peer = peer, .length = length};
  if (length)
    memcpy(agreed->data, data, length);
  g_ptr_array_insert(test->agreed, 0, agreed); /* before an older one */
}

static gboolean stage_set(AditSessionId id, AditStageKind kind, gconstpointer params, gsize length) {
  test_main_only("adit.session stage_set");
  return !test_log("session.stage_set %" G_GUINT64_FORMAT " kind %d", id, kind) && session_of(id);
}

static void stage_remove(AditSessionId id, AditStageKind kind) {
  Session *session = session_of(id);

  test_main_only("adit.session stage_remove");
  test_log("session.stage_remove %" G_GUINT64_FORMAT " kind %d", id, kind);
  if (session && (guint)kind < ADIT_STAGES_N)
    stage_clear(&session->stage[kind]);
}

static gboolean stages_require(AditSessionId id, guint32 kinds) {
  test_main_only("adit.session stages_require");
  test_log("session.stages_require %" G_GUINT64_FORMAT " %u", id, kinds);
  return session_of(id) != NULL;
}

static gboolean stage_set_mtu(AditSessionId id, AditStageKind kind, guint mtu) {
  test_main_only("adit.session stage_set_mtu");
  return !test_log("session.stage_set_mtu %" G_GUINT64_FORMAT " kind %d mtu %u", id, kind, mtu) && session_of(id);
}

static gboolean has_room(const char *transport, const AditValue *config) {
  test_main_only("adit.session has_room");
  return TRUE;
}

const AditSessionService test_session_service = {
    .size = sizeof(AditSessionService),
    .link_open = link_open,
    .link_close = link_close,
    .link_update = link_update,
    .link_stats = link_stats,
    .dial_failed = dial_failed,
    .session_count = session_count,
    .session_info = session_info,
    .session_foreach = session_foreach,
    .disconnect = session_disconnect,
    .session_find = session_find,
    .session_update = session_update,
    .actor_add = actor_add,
    .actor_exists = actor_exists,
    .bundler_add = bundler_add,
    .link_info = link_info,
    .link_end = link_end,
    .stage_add = stage_add,
    .stage_set = stage_set,
    .stage_remove = stage_remove,
    .stages_require = stages_require,
    .has_room = has_room,
    .link_option = link_option,
    .stage_set_mtu = stage_set_mtu,
    .link_probe = link_probe,
};

char *test_session_leaks(AditTest *test) {
  return test->links->len ? g_strdup_printf("%u links: adit.session link_close()\n", test->links->len) : g_strdup("");
}

void test_session_begin(AditTest *test) {
  test->links = g_ptr_array_new_with_free_func(g_free);
  test->agreed = g_ptr_array_new_with_free_func(g_free);
  test->sessions = g_ptr_array_new_with_free_func(session_free);
}

void test_session_end(AditTest *test) {
  g_ptr_array_unref(test->sessions);
  g_ptr_array_unref(test->agreed);
  g_ptr_array_unref(test->links);
}
