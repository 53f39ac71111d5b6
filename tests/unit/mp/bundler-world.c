/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bundler-world.h"

FakeLink links[LINKS];
AditValue *attributes[SESSIONS];
FakeStage stage;
MpBundler *bundler;
gboolean stays_closed;
guint64 now_ms;
AditTimer *due;

static FakeLink *find_link(AditLinkId id) {
  return id && id <= LINKS && links[id - 1].info.id ? &links[id - 1] : NULL;
}

static gboolean fake_link_info(AditLinkId id, AditLinkInfo *out) {
  if (!find_link(id))
    return FALSE;
  *out = find_link(id)->info;
  return TRUE;
}

static gboolean fake_link_option(AditLinkId id, guint8 type, gboolean peer, AditPppOption *out) {
  static guint8 octets[2];
  const FakeLink *link = find_link(id);
  gboolean is_mrru = type == MP_LCP_MRRU;
  if (type == MP_LCP_DISCRIMINATOR) {
    if (!peer || !link->peer)
      return FALSE;
    *out = (AditPppOption){type, (guint8)link->peer->len, link->peer->data};
    return TRUE;
  }
  octets[0] = (guint8)(link->mrru[peer] >> 8);
  octets[1] = (guint8)link->mrru[peer];
  *out = (AditPppOption){type, is_mrru ? 2 : 0, octets};
  return is_mrru ? link->mrru[peer] != 0 : link->is_short[peer];
}

static gboolean fake_session_info(AditSessionId id, AditSessionInfo *out) {
  out->attributes = attributes[id - 1];
  return TRUE;
}

static gboolean fake_link_end(AditLinkId id, AditCause cause, const char *reason) {
  FakeLink *link = find_link(id);
  assert_false(link->ended);
  link->ended = TRUE;
  link->why = g_strdup(reason);
  return TRUE;
}

static gboolean fake_link_probe(AditLinkId id) {
  FakeLink *link = find_link(id);
  link->probes++;
  if (!link->dead)
    link->info.answered_ms = link->heard_ms = now_ms;
  return TRUE;
}

/* Data is sent on all links all the time. */
static gboolean fake_link_stats(AditLinkId id, AditDpStats *out) {
  *out = (AditDpStats){.last_rx_ms = find_link(id)->heard_ms, .last_tx_ms = now_ms, .last_data_ms = now_ms};
  return TRUE;
}

static gboolean fake_stage_add(AditSessionId id, const AditStageSpec *spec, GError **error) {
  if (stage.refuses) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "data path kernel runs no stages");
    return FALSE;
  }
  assert_int_equal(spec->params_length, sizeof stage.params);
  assert_ptr_equal(spec->ops, &mp_stage_ops);
  assert_false(spec->exclusive); /* RFC 1990 2: packets may come outside of it */
  stage.spec = *spec;
  memcpy(&stage.params, spec->params, sizeof stage.params);
  stage.placed = TRUE;
  return TRUE;
}

static gboolean fake_stage_set(AditSessionId id, AditStageKind kind, gconstpointer params, gsize length) {
  assert_true(stage.placed);
  assert_int_equal(length, sizeof stage.params);
  memcpy(&stage.params, params, length);
  stage.published++;
  return TRUE;
}

static gboolean fake_stage_set_mtu(AditSessionId id, AditStageKind kind, guint mtu) {
  stage.mtu = mtu;
  return TRUE;
}

static const AditSessionService service = {.size = sizeof service,
                                           .session_info = fake_session_info,
                                           .link_info = fake_link_info,
                                           .link_end = fake_link_end,
                                           .stage_add = fake_stage_add,
                                           .stage_set = fake_stage_set,
                                           .link_option = fake_link_option,
                                           .stage_set_mtu = fake_stage_set_mtu,
                                           .link_stats = fake_link_stats,
                                           .link_probe = fake_link_probe};

static guint64 fake_now(void) {
  return now_ms;
}
static void fake_arm(AditTimer *timer, guint64 delay_ms) {
  timer->deadline = now_ms + delay_ms;
  due = timer;
}
static void fake_cancel(AditTimer *timer) {
  due = due == timer ? NULL : due;
}
static const AditLoopService loop = {.size = sizeof loop, .now = fake_now, .timer_arm = fake_arm, .timer_cancel = fake_cancel};

void pass(guint64 ms) {
  guint64 until = now_ms + ms;
  while (due && due->deadline <= until) {
    AditTimer *timer = due;
    now_ms = MAX(now_ms, timer->deadline);
    due = NULL;
    timer->func(timer, timer->data);
  }
  now_ms = until;
}

int setup(void **state) {
  stays_closed = FALSE;
  memset(&stage, 0, sizeof stage);
  now_ms = 1000;
  due = NULL;
  bundler = mp_bundler_new(&service, &loop);
  return 0;
}

int teardown(void **state) {
  for (guint i = 0; i < LINKS; i++) {
    g_clear_pointer(&links[i].peer, g_byte_array_unref);
    g_clear_pointer(&links[i].why, g_free);
    g_clear_pointer((AditValue **)&links[i].info.attributes, adit_value_unref);
  }
  memset(links, 0, sizeof links);
  for (guint i = 0; i < SESSIONS; i++)
    g_clear_pointer(&attributes[i], adit_value_unref);
  mp_bundler_free(bundler);
  mp_identity_fini();
  return 0;
}

FakeLink *link_of(AditLinkId id, const char *user, const char *peer) {
  FakeLink *link = &links[id - 1];
  link->info = (AditLinkInfo){.size = sizeof link->info, .id = id, .user = user, .server = "office", .peer_mru = 1450, .mtu = 1400};
  link->mrru[0] = 1600;
  link->mrru[1] = 1614;
  if (peer) {
    link->peer = g_byte_array_new();
    g_byte_array_append(link->peer, (const guint8 *)"\1", 1);
    g_byte_array_append(link->peer, (const guint8 *)peer, (guint)strlen(peer));
  }
  return link;
}

void open_session(AditSessionId session) {
  assert_true(mp_bundler_ops.opened(bundler, session, NULL));
}

char place(AditLinkId id, AditSessionId own) {
  FakeLink *link = find_link(id);
  AditBundleDecision decision = {.size = sizeof decision};
  AditBundleVerdict verdict = mp_bundler_ops.decide(bundler, &link->info, &decision);
  if (verdict == ADIT_BUNDLE_NONE)
    return 'n';
  if (verdict == ADIT_BUNDLE_REFUSE) {
    link->why = g_strdup(decision.reason);
    return 'r';
  }
  AditSessionId session = verdict == ADIT_BUNDLE_JOIN ? decision.session : own;
  link->info.session = session;
  mp_bundler_ops.joined(bundler, session, id);
  if (verdict == ADIT_BUNDLE_FOUND) {
    mp_bundler_ops.attached(bundler, session, id, 0);
    if (!stays_closed)
      open_session(session);
  } else {
    mp_bundler_ops.attached(bundler, session, id, (guint)id - 1);
  }
  return (char)('0' + session);
}

void leave(AditLinkId id, guint left) {
  mp_bundler_ops.left(bundler, find_link(id)->info.session, id, left);
}

void renegotiate(AditLinkId id) {
  mp_bundler_ops.changed(bundler, 1, id, FALSE);
  mp_bundler_ops.changed(bundler, 1, id, TRUE);
}
