/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/proxy.h"

/* Proxy Authen Type AVP, RFC 2661 4.4.5. */
enum { PROXY_TEXT = 1, PROXY_CHAP, PROXY_PAP, PROXY_NONE, PROXY_MSCHAPV1 };
enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };
enum { CHAP_RESPONSE = 2, CHAP_SUCCESS, CHAP_FAILURE };

#define MESSAGE_MAX 200

struct AditProxyAuth {
  AditAuthKind kind;
  guint8 id;
  gboolean settled, ok;
  char message[MESSAGE_MAX + 1];
  AditAuthRequest *request; /* until asked */
};

/** A copy as a string; NULL if it holds a NUL, which no name or password of ours can. */
static char *as_text(GBytes *bytes, gsize max) {
  gsize length;
  const char *data = g_bytes_get_data(bytes, &length);
  return length > max || (length && memchr(data, 0, length)) ? NULL : g_strndup(data ? data : "", length);
}

static gboolean as_octets(GBytes *bytes, guint8 *to, gsize max, guint8 *length) {
  gsize n;
  const guint8 *data = g_bytes_get_data(bytes, &n);
  if (!n || n > max)
    return FALSE;
  memcpy(to, data, n);
  *length = (guint8)n;
  return TRUE;
}

static AditAuthRequest *read_request(const AditProxy *proxy, AditAuthKind kind) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(kind);
  guint8 challenge = kind == ADIT_AUTH_MSCHAPV1 ? 8 : 0, response = kind == ADIT_AUTH_MSCHAPV1 ? 49 : 16;

  if (!proxy->auth_name || !proxy->auth_response)
    return NULL;
  request->id = proxy->auth_id;
  request->user = as_text(proxy->auth_name, ADIT_AUTH_NAME_MAX);
  if (!request->user)
    return NULL;
  if (kind == ADIT_AUTH_PAP) {
    request->password = as_text(proxy->auth_response, 255);
    return request->password ? g_steal_pointer(&request) : NULL;
  }
  if (!proxy->auth_challenge ||
      !as_octets(proxy->auth_challenge, request->challenge, sizeof request->challenge, &request->challenge_length) ||
      !as_octets(proxy->auth_response, request->response, sizeof request->response, &request->response_length))
    return NULL;
  if ((challenge && request->challenge_length != challenge) || request->response_length != response)
    return NULL;
  return g_steal_pointer(&request);
}

AditProxyAuth *adit_proxy_auth_new(const AditProxy *proxy) {
  AditAuthKind kind;
  switch (proxy->auth_type) {
  case PROXY_CHAP:
    kind = ADIT_AUTH_CHAP_MD5;
    break;
  case PROXY_PAP:
    kind = ADIT_AUTH_PAP;
    break;
  case PROXY_MSCHAPV1:
    kind = ADIT_AUTH_MSCHAPV1;
    break;
  default: /* a login in words, none, or one that we don't know */
    return NULL;
  }

  AditAuthRequest *request = read_request(proxy, kind);
  if (!request)
    return NULL;
  AditProxyAuth *auth = g_new0(AditProxyAuth, 1);
  auth->kind = kind;
  auth->id = proxy->auth_id;
  auth->request = request;
  return auth;
}

void adit_proxy_auth_free(AditProxyAuth *auth) {
  if (!auth)
    return;
  adit_auth_request_unref(auth->request);
  g_free(auth);
}

AditAuthRequest *adit_proxy_auth_request(AditProxyAuth *auth, const AditAuthMethod *method) {
  return method->kind == auth->kind ? g_steal_pointer(&auth->request) : NULL;
}

guint16 adit_proxy_auth_protocol(const AditProxyAuth *auth) {
  return !auth ? 0 : auth->kind == ADIT_AUTH_PAP ? ADIT_PPP_PAP : ADIT_PPP_CHAP;
}

/** PAP counts its message (RFC 1334 2.2.2); CHAP's reaches to the end of the packet (RFC 1994 4.2). */
static gsize write_proxy_answer(const AditProxyAuth *auth, guint8 id, guint8 packet[ADIT_PROXY_ANSWER_MAX]) {
  AditBuilder out = adit_builder(packet, ADIT_PROXY_ANSWER_MAX);
  gsize length = strlen(auth->message);
  gboolean pap = auth->kind == ADIT_AUTH_PAP;
  guint8 code = pap ? (auth->ok ? PAP_ACK : PAP_NAK) : (auth->ok ? CHAP_SUCCESS : CHAP_FAILURE);

  const guint8 header[] = {code, id, 0, 0, (guint8)length};

  adit_put_bytes(&out, header, pap ? 5 : 4);
  adit_put_bytes(&out, auth->message, length);
  adit_patch_u16(&out, 2, (guint16)adit_built(&out));
  return adit_built(&out);
}

gsize adit_proxy_auth_settle(AditProxyAuth *auth, gboolean ok, const char *message, guint8 packet[ADIT_PROXY_ANSWER_MAX]) {
  auth->settled = TRUE;
  auth->ok = ok;
  if (!message && !ok && auth->kind == ADIT_AUTH_MSCHAPV1)
    message = "E=691 R=0";
  g_strlcpy(auth->message, message ? message : "", sizeof auth->message);
  return write_proxy_answer(auth, auth->id, packet);
}

gsize adit_proxy_auth_repeat(AditProxyAuth *auth, AditCursor payload, guint8 packet[ADIT_PROXY_ANSWER_MAX]) {
  guint8 code = adit_get_u8(&payload), id = adit_get_u8(&payload);
  if (payload.bad || !auth || !auth->settled)
    return 0;
  if (auth->kind == ADIT_AUTH_PAP)
    return code == PAP_REQUEST ? write_proxy_answer(auth, id, packet) : 0;
  return code == CHAP_RESPONSE && id == auth->id ? write_proxy_answer(auth, id, packet) : 0;
}

void adit_proxy_auth_save(const AditProxyAuth *auth, AditBuilder *out) {
  gboolean worth = auth && auth->settled;
  adit_put_u8(out, worth ? (guint8)auth->kind : 0);
  if (!worth)
    return;
  adit_put_u8(out, auth->id);
  adit_put_u8(out, (guint8)auth->ok);
  adit_put_u8(out, (guint8)strlen(auth->message));
  adit_put_bytes(out, auth->message, strlen(auth->message));
}

gboolean adit_proxy_auth_restore(AditProxyAuth **auth, AditCursor *in) {
  guint8 kind = adit_get_u8(in);
  if (!kind || in->bad)
    return !in->bad;
  guint8 id = adit_get_u8(in), ok = adit_get_u8(in), length = adit_get_u8(in);
  const guint8 *message = adit_get_bytes(in, length);
  if (in->bad || kind > ADIT_AUTH_MSCHAPV1 || length > MESSAGE_MAX)
    return FALSE;
  adit_proxy_auth_free(*auth);
  AditProxyAuth *a = *auth = g_new0(AditProxyAuth, 1);
  a->kind = (AditAuthKind)kind;
  a->id = id;
  a->settled = TRUE;
  a->ok = ok != 0;
  memcpy(a->message, message, length);
  return TRUE;
}
