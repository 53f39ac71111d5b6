/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Dynamic authorization: octets of a stranger, and requests of a server that has the secret and means ill. Whatever comes, what is refused
 * has changed nothing, what is done is done once to a session that fits, and the answer is right.
 *
 * Input: one octet of switches (below), then a datagram or, signed here, the attributes of one. */
#include "plugins-auth/radius/dae/dae-decide.h"
#include "plugins-auth/radius/dae/dae-socket.h"
#include "plugins-auth/radius/dae/dae.h"
#include "plugins-auth/radius/wire/vocabulary.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

enum { RAW = 1, COA = 2, NEEDS_TIME = 4, CORE_REFUSES = 8, NOT_OURS = 16 };
enum { NOW = 1700000000, SESSIONS = 4 };
#define SECRET "secret"

static AditSessionInfo sessions[SESSIONS];
static gboolean refuses, not_ours;
static guint changes, ends;
static AditSessionId touched;

static gboolean session_info(AditSessionId id, AditSessionInfo *out) {
  if (!id || id > SESSIONS)
    return FALSE;
  *out = sessions[id - 1];
  return TRUE;
}

static void session_foreach(void (*each)(const AditSessionInfo *info, gpointer data), gpointer data) {
  for (guint i = 0; i < SESSIONS; i++)
    each(&sessions[i], data);
}

/* The last one is ending. */
static AditSessionId session_find(const char *record_id) {
  for (guint i = 0; i < SESSIONS - 1; i++)
    if (!strcmp(sessions[i].record_id, record_id))
      return sessions[i].id;
  return 0;
}

static gboolean disconnect(AditSessionId id, AditCause cause, const char *reason) {
  if (refuses)
    return FALSE;
  ends++;
  touched = id;
  return TRUE;
}

static gboolean session_update(AditSessionId id, const AditValue *wanted, GError **error) {
  if (!adit_value_length(wanted))
    abort();
  if (refuses) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "profile: no such profile");
    return FALSE;
  }
  changes++;
  touched = id;
  return TRUE;
}

static const AditSessionService service = {.size = sizeof service,
                                           .session_info = session_info,
                                           .session_foreach = session_foreach,
                                           .session_find = session_find,
                                           .disconnect = disconnect,
                                           .session_update = session_update};

static gboolean is_ours(const AditAddress *address, gpointer data) {
  return !not_ours;
}

static void prepare(void) {
  static const char *const users[SESSIONS] = {"alice", "bob", "carol", "alice"};
  static const char *const records[SESSIONS] = {"81a", "81b", "81c", "81d"};
  AditValue *attributes = adit_value_map(); /* for ever */
  AditPrefix prefix;

  adit_prefix_parse("2001:db8:1::/64", &prefix);
  adit_value_set(attributes, "remote-ipv6-prefix", adit_value_prefix(&prefix));
  for (guint i = 0; i < SESSIONS; i++)
    sessions[i] = (AditSessionInfo){.size = sizeof sessions[i],
                                    .id = i + 1,
                                    .user = users[i],
                                    .record_id = records[i],
                                    .interface = "l2tp-1",
                                    .caller_id = i ? NULL : "192.0.2.1",
                                    .called_id = "198.51.100.1",
                                    .remote4 = adit_address_ipv4(0x0a000001 + i),
                                    .port = i + 1,
                                    .remote_ifid = {[7] = (guint8)i},
                                    .client = i == 2,
                                    .attributes = attributes};
}

static guint count(const RadiusPacket *packet, guint8 type) {
  RadiusIter iter = {0};
  RadiusAttribute attribute;
  guint n = 0;

  while (radius_packet_next(packet, &iter, &attribute))
    n += !attribute.vendor && attribute.type == type;
  return n;
}

static void check(gboolean condition) {
  if (!condition)
    abort();
}

static gboolean text_fits(const RadiusPacket *request, guint8 type, const char *text) {
  RadiusAttribute attribute;
  return !radius_packet_find(request, 0, type, &attribute) ||
         (text && attribute.length == strlen(text) && memcmp(attribute.value, text, attribute.length) == 0);
}

/* What was done, and to whom. */
static void check_effect(const RadiusPacket *request, const RadiusDaeVerdict *verdict) {
  gboolean coa = request->code == RADIUS_COA_REQUEST;

  if (verdict->outcome == RADIUS_DAE_DROP || verdict->outcome == RADIUS_DAE_NAK) {
    check(!ends && !changes);
    return;
  }
  check(verdict->outcome == (coa ? RADIUS_DAE_ACK : RADIUS_DAE_WAIT));
  check(ends == (coa ? 0 : 1) && changes == (coa ? 1 : 0) && touched == verdict->session && touched && touched < SESSIONS);
  const AditSessionInfo *info = &sessions[touched - 1];
  check(!info->client && (!not_ours || !count(request, NAS_IP_ADDRESS)));
  check(text_fits(request, USER_NAME, info->user) && text_fits(request, ACCT_SESSION_ID, info->record_id) &&
        text_fits(request, CALLING_STATION_ID, info->caller_id) && !count(request, ACCT_MULTI_SESSION_ID));
}

static void check_answer(const RadiusPacket *request, const RadiusDaeVerdict *verdict) {
  gboolean nak = verdict->outcome == RADIUS_DAE_NAK;
  RadiusPacket answer;
  RadiusBuilder b;

  radius_dae_answer(&b, request, verdict, SECRET);
  check(!b.overflow && radius_packet_parse(b.data, b.length, &answer));
  check(radius_check_reply(b.data, b.length, request->authenticator, SECRET, TRUE) == RADIUS_GOOD);
  check(answer.id == request->id && answer.code == request->code + (nak ? 2 : 1) && answer.attributes[0] == MESSAGE_AUTHENTICATOR);
  check(count(&answer, ERROR_CAUSE) == (nak ? 1 : 0) && count(&answer, PROXY_STATE) == count(request, PROXY_STATE));
  if (nak)
    check(verdict->error >= 400 && *radius_dae_error_name(verdict->error) != '?');
}

/* A repeat is known, another packet is not, and there is never more than there may be. */
static void check_cache(const RadiusPacket *request, guint64 now) {
  AditEndpoint from = {.in = {.sin_family = AF_INET, .sin_port = 1}};
  RadiusDaeCache *cache = radius_dae_cache_new(2);
  RadiusPacket other = *request;

  for (guint i = 0; i < 4; i++, other.id++) {
    check(!radius_dae_cache_find(cache, &from, &other, now));
    RadiusDaeSeen *seen = radius_dae_cache_add(cache, &from, &other, now);
    check(seen && radius_dae_cache_find(cache, &from, &other, now) == seen);
    radius_dae_cache_answer(cache, seen, g_bytes_new_static("", 0), i % 2, now + 1 + i);
    check(radius_dae_cache_count(cache) <= 2);
  }
  check(!radius_dae_cache_find(cache, &from, request, now + 10));
  radius_dae_cache_free(cache);
}

static void decide(const RadiusPacket *request, guint8 switches) {
  const RadiusDaeRules rules = {.session = &service,
                                .nas_identifier = "lns",
                                .is_ours = is_ours,
                                .require_timestamp = (switches & NEEDS_TIME) != 0,
                                .window_s = 300,
                                .now_s = NOW};
  RadiusDaeVerdict verdict;

  refuses = (switches & CORE_REFUSES) != 0;
  not_ours = (switches & NOT_OURS) != 0;
  changes = ends = 0;
  touched = 0;
  radius_dae_decide(&rules, request, &verdict);
  check_effect(request, &verdict);
  if (verdict.outcome != RADIUS_DAE_DROP)
    check_answer(request, &verdict);
  check_cache(request, request->id);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  RadiusPacket request;
  RadiusBuilder b;

  if (!sessions[0].size)
    prepare();
  if (!size || size > RADIUS_MAX)
    return 0;
  guint8 switches = *data++;
  size--;
  if (switches & RAW) {
    check(radius_check_request(data, size, SECRET, TRUE) != RADIUS_GOOD || radius_packet_parse(data, size, &request));
    if (radius_packet_parse(data, size, &request) && (request.code == RADIUS_DISCONNECT_REQUEST || request.code == RADIUS_COA_REQUEST))
      decide(&request, switches);
    return 0;
  }
  radius_build(&b, switches & COA ? RADIUS_COA_REQUEST : RADIUS_DISCONNECT_REQUEST, FALSE);
  if (size > sizeof b.data - b.length)
    return 0;
  if (size)
    memcpy(b.data + b.length, data, size);
  b.length += size;
  radius_finish_request(&b, 1, NULL, SECRET);
  if (radius_packet_parse(b.data, b.length, &request))
    decide(&request, switches);
  return 0;
}
