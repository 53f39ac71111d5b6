/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-bundler.h"
#include "data/mp-header.h"
#include "mp-bundle.h"
#include <adit/log-quota.h>

struct MpBundler {
  const AditSessionService *sessions;
  const AditLoopService *loop;
  GHashTable *bundles; /* session id -> MpBundle, owned */
  GHashTable *keys;    /* MpBundle.key -> the newest bundle with it, borrowed */
  char reason[64];     /* of the last refusal */
  AditLogQuota changed_lines, rest_lines;
};

MpBundler *mp_bundler_new(const AditSessionService *sessions, const AditLoopService *loop) {
  MpBundler *self = g_new0(MpBundler, 1);
  self->sessions = sessions;
  self->loop = loop;
  self->changed_lines = (AditLogQuota)ADIT_LOG_QUOTA("links of a bundle ended");
  self->rest_lines = (AditLogQuota)ADIT_LOG_QUOTA("links of a bundle that do not answer");
  self->bundles = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)mp_bundle_free);
  self->keys = g_hash_table_new(g_str_hash, g_str_equal);
  return self;
}

void mp_bundler_free(MpBundler *self) {
  adit_log_quota_stop(&self->changed_lines);
  adit_log_quota_stop(&self->rest_lines);
  g_hash_table_unref(self->keys);
  g_hash_table_unref(self->bundles);
  g_free(self);
}

static MpBundle *find_bundle(const MpBundler *self, AditSessionId session) {
  return g_hash_table_lookup(self->bundles, &session);
}

/* A newer bundle takes the place of one that ends. */
static void register_key(MpBundler *self, MpBundle *bundle) {
  if (bundle->key)
    g_hash_table_replace(self->keys, bundle->key, bundle);
}

static void unregister_key(MpBundler *self, MpBundle *bundle) {
  if (bundle->key && g_hash_table_lookup(self->keys, bundle->key) == bundle)
    g_hash_table_remove(self->keys, bundle->key);
}

/* ---- which bundle ---- */

static AditBundleVerdict refuse_link(MpBundler *self, AditBundleDecision *out, const char *reason) {
  g_strlcpy(self->reason, reason, sizeof self->reason);
  out->reason = self->reason;
  return ADIT_BUNDLE_REFUSE;
}

static AditBundleVerdict join_bundle(MpBundler *self, const MpBundle *bundle, const AditLinkInfo *link, const MpAgreed *agreed,
                                     AditBundleDecision *out) {
  const char *why = mp_agreed_misfit(&g_array_index(bundle->members, MpMember, 0).agreed, agreed);
  AditSessionInfo session = {.size = sizeof session};

  if (why)
    return refuse_link(self, out, why);
  if (!self->sessions->session_info(bundle->session, &session))
    return ADIT_BUNDLE_FOUND;
  guint limit = mp_bundle_limit(session.attributes, link->attributes);
  if (bundle->members->len >= limit) {
    g_autofree char *text = g_strdup_printf("the user may have %u links (max-links, Port-Limit)", limit);
    return refuse_link(self, out, text);
  }
  out->session = bundle->session;
  return ADIT_BUNDLE_JOIN;
}

/* Fragments that only the peer has agreed to send are read, but none are sent: Linux drops it unless both have agreed. */
static AditBundleVerdict decide_link(gpointer state, const AditLinkInfo *link, AditBundleDecision *out) {
  MpBundler *self = state;
  MpAgreed agreed;

  mp_agreed_read(self->sessions, link->id, &agreed);
  if (!agreed.own_mrru)
    return ADIT_BUNDLE_NONE;
  if (!mp_agreed_both(&agreed))
    return ADIT_BUNDLE_FOUND;
  g_autofree char *key = mp_bundle_key(link, &agreed);
  const MpBundle *bundle = g_hash_table_lookup(self->keys, key);
  return bundle && mp_bundle_is_alive(bundle) ? join_bundle(self, bundle, link, &agreed, out) : ADIT_BUNDLE_FOUND;
}

static void publish_bundle(MpBundle *bundle) {
  MpParams params;

  if (!bundle->placed)
    return;
  mp_bundle_fill(bundle, &params);
  bundle->sessions->stage_set(bundle->session, ADIT_STAGE_BUNDLE, &params, sizeof params);
  bundle->sessions->stage_set_mtu(bundle->session, ADIT_STAGE_BUNDLE, mp_bundle_mtu(bundle));
}

/* ---- links that do not answer ---- */

static void log_change(const MpBundle *bundle, const MpMember *member) {
  const AditLogContext log = {.session = bundle->session};
  if (!adit_log_quota_allows(bundle->rest_lines, bundle->loop))
    return;
  char id[17];
  g_snprintf(id, sizeof id, "%" G_GINT64_MODIFIER "x", member->id);
  if (member->watch.rests)
    adit_notice(&log, "multilink: link %s does not answer: data goes to the other links", id);
  else
    adit_notice(&log, "multilink: link %s answers again", id);
}

static void look_at_links(AditTimer *timer, gpointer data) {
  MpBundle *bundle = data;
  guint32 changed;
  guint wait_ms;

  gboolean publish = mp_bundle_watch(bundle, bundle->loop->now(), &changed, &wait_ms);
  for (guint32 bits = changed; bits; bits &= bits - 1)
    log_change(bundle, &g_array_index(bundle->members, MpMember, (guint)__builtin_ctz(bits)));
  if (publish)
    publish_bundle(bundle);
  if (wait_ms)
    bundle->loop->timer_arm(timer, wait_ms);
}

static void watch_links(MpBundle *bundle) {
  if (bundle->members->len > 1)
    bundle->loop->timer_arm(&bundle->timer, 1);
}

/* ---- the stage ---- */

/* All links but the newest, which the peer has begun a new bundle with: it does not have the others any more. */
static void end_ghosts(MpBundle *bundle) {
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(AditLinkId));
  for (guint i = 0; i + 1 < bundle->members->len; i++)
    g_array_append_val(ids, g_array_index(bundle->members, MpMember, i).id);
  for (guint i = 0; i < ids->len; i++)
    bundle->sessions->link_end(g_array_index(ids, AditLinkId, i), ADIT_CAUSE_LOST_CARRIER, "the peer has begun a new bundle");
}

static void take_note(gpointer user, guint32 what, gconstpointer data, gsize length) {
  MpBundle *bundle = user;
  const AditLogContext log = {.session = bundle->session};
  MpNoteLost note = {0};

  switch ((MpNote)what) {
  case MP_NOTE_LOST:
    memcpy(&note, data, MIN(length, sizeof note)); /* wherever it lies */
    adit_debug(&log, "session %" G_GINT64_MODIFIER "x: multilink: %" G_GUINT64_FORMAT " fragments lost", bundle->session, note.lost);
    bundle->lost |= note.expired != 0;
    if (note.expired)
      watch_links(bundle);
    break;
  case MP_NOTE_RESYNC:
    adit_debug(&log, "session %" G_GINT64_MODIFIER "x: multilink: the peer's sequence numbers begin again", bundle->session);
    end_ghosts(bundle);
    break;
  }
}

static gboolean place_stage(MpBundle *bundle, GError **error) {
  MpParams params;
  AditStageSpec spec = {.size = sizeof spec,
                        .ops = &mp_stage_ops,
                        .params = &params,
                        .params_length = sizeof params,
                        .note = take_note,
                        .user = bundle,
                        .describe = mp_bundle_describe};

  mp_bundle_fill(bundle, &params);
  bundle->sessions->stage_set_mtu(bundle->session, ADIT_STAGE_BUNDLE, mp_bundle_mtu(bundle));
  bundle->placed = bundle->sessions->stage_add(bundle->session, &spec, error);
  g_clear_pointer(&bundle->early, mp_early_free);
  return bundle->placed;
}

/* ---- what the core tells ---- */

static void on_joined(gpointer state, AditSessionId session, AditLinkId link) {
  MpBundler *self = state;
  MpBundle *bundle = find_bundle(self, session);
  AditLinkInfo info = {.size = sizeof info};

  if (!self->sessions->link_info(link, &info))
    return;
  if (!bundle) {
    bundle = mp_bundle_new(self->sessions, session, &info);
    bundle->loop = self->loop;
    bundle->rest_lines = &self->rest_lines;
    bundle->timer = (AditTimer){.func = look_at_links, .data = bundle};
    g_hash_table_insert(self->bundles, &bundle->session, bundle);
    register_key(self, bundle);
  }
  mp_bundle_add(bundle, &info);
}

static void on_attached(gpointer state, AditSessionId session, AditLinkId link, guint index) {
  MpBundle *bundle = find_bundle(state, session);
  MpMember *member = bundle ? mp_bundle_member(bundle, link) : NULL;

  if (!member || index >= ADIT_STAGE_LINKS)
    return;
  member->index = index;
  member->attached = TRUE;
  publish_bundle(bundle);
  watch_links(bundle);
}

static gboolean on_opened(gpointer state, AditSessionId session, GError **error) {
  MpBundle *bundle = find_bundle(state, session);
  return !bundle || place_stage(bundle, error);
}

static void on_left(gpointer state, AditSessionId session, AditLinkId link, guint left) {
  MpBundler *self = state;
  MpBundle *bundle = find_bundle(self, session);

  if (!bundle)
    return;
  mp_bundle_remove(bundle, link);
  if (left) {
    publish_bundle(bundle);
    return;
  }
  unregister_key(self, bundle);
  if (bundle->client)
    mp_identity_renew(bundle->client);
  g_hash_table_remove(self->bundles, &session);
}

/* The only link may have become another's: then that is the bundle's key. Without Multilink the stage reads what may still come. */
static void take_new_options(MpBundler *self, MpBundle *bundle, const MpMember *member) {
  AditLinkInfo info = {.size = sizeof info};

  if (!self->sessions->link_info(member->id, &info))
    return;
  unregister_key(self, bundle);
  g_free(bundle->key);
  bundle->key = mp_agreed_both(&member->agreed) ? mp_bundle_key(&info, &member->agreed) : NULL;
  register_key(self, bundle);
}

static const char *find_misfit(const MpBundle *bundle, const MpMember *member, const MpAgreed *before) {
  if (bundle->members->len < 2)
    return NULL;
  return mp_discriminator_equal(&member->agreed.peer, &before->peer) ? mp_agreed_misfit(before, &member->agreed)
                                                                     : "the peer has another discriminator";
}

static void on_changed(gpointer state, AditSessionId session, AditLinkId link, gboolean up) {
  MpBundler *self = state;
  MpBundle *bundle = find_bundle(self, session);
  MpMember *member = bundle ? mp_bundle_member(bundle, link) : NULL;

  if (!member)
    return;
  member->up = up;
  if (!up)
    return;
  MpAgreed before = member->agreed;
  mp_bundle_refresh(bundle, member);
  const char *why = find_misfit(bundle, member, &before);
  if (why) {
    const AditLogContext log = {.session = session};
    if (adit_log_quota_allows(&self->changed_lines, self->loop))
      adit_notice(&log, "multilink: a link ends after renegotiation: %s", why);
    member->agreed = before;
    self->sessions->link_end(link, ADIT_CAUSE_USER_ERROR, why);
    return;
  }
  if (bundle->members->len == 1)
    take_new_options(self, bundle, member);
  publish_bundle(bundle);
}

void mp_bundler_enforce(MpBundler *self, AditSessionId id) {
  MpBundle *bundle = find_bundle(self, id);
  AditSessionInfo session = {.size = sizeof session};

  if (!bundle || !self->sessions->session_info(id, &session))
    return;
  guint limit = mp_bundle_limit(session.attributes, NULL), n = bundle->members->len;
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(AditLinkId));
  for (guint i = limit; i < n; i++)
    g_array_append_val(ids, g_array_index(bundle->members, MpMember, i).id);
  for (guint i = 0; i < ids->len; i++)
    self->sessions->link_end(g_array_index(ids, AditLinkId, i), ADIT_CAUSE_NAS_REQUEST, "the user may have fewer links now");
}

/* Takes the protocol off a packet; 0 = it has none. */
static guint16 take_inner_protocol(AditStageFrame *frame) {
  guint8 octets[2] = {0};
  guint n = adit_stage_copy(frame, 0, octets, 2);
  gboolean is_short = octets[0] & 1;

  if (n < (is_short ? 1u : 2u) || !adit_stage_skip(frame, is_short ? 1 : 2))
    return 0;
  return is_short ? octets[0] : (guint16)(octets[0] << 8 | octets[1]);
}

/* A control packet in fragments, or one more that was whole at the same time. */
static gboolean take_fragment_of_control(const MpBundler *self, MpBundle *bundle, const MpMember *member, AditStageFrame *frame) {
  MpParams params;

  if (bundle->placed || (!frame->length && !bundle->early))
    return FALSE;
  mp_bundle_fill(bundle, &params);
  frame->link = (guint8)mp_bundle_place(bundle, member);
  return mp_early_input(&bundle->early, &params, (1u << bundle->members->len) - 1, self->loop->now(), frame);
}

/* Until the stage is in place, NCPs of the peer already negotiate inside of Multilink. A whole packet is read at once, although others
 * before it are missing. LCP must not come there (RFC 1990 2). */
static gboolean unwrap_frame(gpointer state, AditSessionId session, AditLinkId link, AditStageFrame *frame) {
  MpBundle *bundle = find_bundle(state, session);
  const MpMember *member = bundle ? mp_bundle_member(bundle, link) : NULL;
  AditStageFrame inner = *frame;
  MpHeader header;

  if (!member || !member->agreed.own_mrru || frame->protocol != ADIT_PPP_MP)
    return FALSE;
  gboolean fits = mp_header_take(&inner, member->agreed.receive_short, &header);
  if (fits && header.begin && header.end) {
    *frame = inner;
    frame->protocol = take_inner_protocol(frame);
    if (frame->protocol < 0x8000 || frame->protocol == ADIT_PPP_LCP)
      frame->length = 0;
  } else if ((frame->length && !fits) || !take_fragment_of_control(state, bundle, member, frame)) {
    frame->length = 0;
  }
  return TRUE;
}

const AditBundlerOps mp_bundler_ops = {
    .size = sizeof mp_bundler_ops,
    .name = "mp",
    .decide = decide_link,
    .opened = on_opened,
    .joined = on_joined,
    .left = on_left,
    .attached = on_attached,
    .changed = on_changed,
    .unwrap = unwrap_frame,
};
