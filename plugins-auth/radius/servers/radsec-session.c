/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#define _GNU_SOURCE /* memfd_create */
#include "radsec-session.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <radcli/radcli.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  REST_US = 125 * G_USEC_PER_SEC, /* libradcli renews a session at most every 120 s */
  IDLE_US = 110 * G_USEC_PER_SEC, /* and looks whether it is still good after 120 s of silence */
  PASSWORD = 2,
  MESSAGE_AUTHENTICATOR = 80
};

struct RadsecSession {
  rc_handle *handle; /* NULL: never connected */
  gboolean broken;
  gint64 renewed_us, used_us;
  GMutex lock; /* of what follows: another thread may shut it down */
  int fd;
  gboolean interrupted;
};

RadsecSettings *radsec_settings_new(const RadiusServer *server, RadiusRole role) {
  RadsecSettings *settings = g_new0(RadsecSettings, 1);
  char address[ADIT_ADDRESS_TEXT];
  AditAddress at = adit_endpoint_address(&server->at[role]);

  settings->dtls = server->protocol == RADIUS_DTLS;
  settings->at = server->at[role];
  settings->host = g_strdup(server->host ? server->host : adit_address_format(&at, address));
  settings->certificate = g_strdup(server->certificate);
  settings->private_key = g_strdup(server->private_key);
  settings->ca = g_strdup(server->ca);
  settings->timeout_ms = server->timeout_ms;
  return settings;
}

void radsec_settings_free(RadsecSettings *settings) {
  g_free(settings->host);
  g_free(settings->certificate);
  g_free(settings->private_key);
  g_free(settings->ca);
  g_free(settings);
}

/* ---- life ---- */

RadsecSession *radsec_session_new(void) {
  RadsecSession *session = g_new0(RadsecSession, 1);

  g_mutex_init(&session->lock);
  session->fd = -1;
  session->renewed_us = -REST_US;
  return session;
}

gboolean radsec_session_usable(const RadsecSession *session) {
  return !session->handle || !session->broken || g_get_monotonic_time() - session->renewed_us >= REST_US;
}

gboolean radsec_session_connected(const RadsecSession *session) {
  return session->handle && !session->broken;
}

/** FALSE: it is wanted no more. */
static gboolean remember_fd(RadsecSession *session) {
  g_mutex_lock(&session->lock);
  session->fd = session->handle ? rc_tls_fd(session->handle) : -1;
  gboolean wanted = !session->interrupted;
  g_mutex_unlock(&session->lock);
  return wanted;
}

static void forget_fd(RadsecSession *session) {
  g_mutex_lock(&session->lock);
  session->fd = -1;
  g_mutex_unlock(&session->lock);
}

void radsec_session_interrupt(RadsecSession *session) {
  g_mutex_lock(&session->lock);
  session->interrupted = TRUE;
  if (session->fd >= 0)
    shutdown(session->fd, SHUT_RDWR);
  g_mutex_unlock(&session->lock);
}

void radsec_session_ready(RadsecSession *session) {
  g_mutex_lock(&session->lock);
  session->interrupted = FALSE;
  g_mutex_unlock(&session->lock);
}

void radsec_session_retire(RadsecSession *session) {
  static GPtrArray *retired; /* what libradcli will never free: kept, and not lost */

  radsec_session_interrupt(session);
  if (session->handle) {
    if (!retired)
      retired = g_ptr_array_new();
    g_ptr_array_add(retired, session->handle);
  }
  g_mutex_clear(&session->lock);
  g_free(session);
}

/* ---- a dictionary without meanings: every attribute is octets, so that none is lost or changed on its way ---- */

/** Vendors with attributes that adit reads or writes, and a few with attributes that servers often send. libradcli 1.2.11 knows vendors
 * below 65536 only, and drops those that its dictionary has not. */
static const guint vendors[] = {9, 311, 529, 2352, 3561, 4874, 8164, 10415, 11344, 14122, 14559, 14988, 25053, 25506};

/** libradcli itself writes these four, and must know how. */
static const char *type_of(guint vendor, guint type) {
  static const char *const own[256] = {[4] = "ipaddr", [5] = "integer", [6] = "integer", [41] = "integer", [95] = "ipv6addr"};
  return !vendor && own[type] ? own[type] : "string";
}

static gpointer write_dictionary(gpointer unused) {
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < G_N_ELEMENTS(vendors); i++)
    g_string_append_printf(text, "VENDOR V%u %u\n", vendors[i], vendors[i]);
  for (guint type = 1; type < 256; type++) {
    g_string_append_printf(text, "ATTRIBUTE A%u %u %s\n", type, type, type_of(0, type));
    for (guint i = 0; i < G_N_ELEMENTS(vendors); i++)
      g_string_append_printf(text, "ATTRIBUTE V%uA%u %u string V%u\n", vendors[i], type, type, vendors[i]);
  }
  return text;
}

/* ---- connecting ---- */

/** 0: a connection can be made within the timeout, else why not. libradcli would wait for as long as the kernel does. */
static int try_to_reach(const RadsecSettings *settings) {
  int fd, error = 0;
  socklen_t size = sizeof error;

  if (settings->dtls)
    return 0;
  fd = socket(settings->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return errno;
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  if (connect(fd, &settings->at.any, adit_endpoint_size(&settings->at)) < 0) {
    error = errno;
    if (error == EINPROGRESS && poll(&wait, 1, (int)settings->timeout_ms) != 1)
      error = ETIMEDOUT;
    else if (error == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
      error = errno;
  }
  close(fd);
  return error;
}

static gboolean is_reachable(const RadsecSettings *settings, RadsecRequest *request) {
  char at[ADIT_ENDPOINT_TEXT];
  int error = try_to_reach(settings);

  if (error)
    g_snprintf(request->trouble, sizeof request->trouble, "%s: %s", adit_endpoint_format(&settings->at, at), g_strerror(error));
  return !error;
}

/** libradcli resolves addresses together with the name of this service, and fails where it is not listed. */
static gboolean service_is_known(void) {
  struct servent entry, *found = NULL;
  char room[2048];

  return !getservbyname_r("radius", "udp", &entry, room, sizeof room, &found) && found;
}

static gboolean can_be_read(const RadsecSettings *settings, const char *path) {
  if (access(path, R_OK) == 0)
    return TRUE;
  int fd = errno == EACCES && settings->open_file ? settings->open_file(path) : -1;
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

/** Why there is no connection, which libradcli keeps to itself. */
static void explain_no_connection(const RadsecSettings *settings, RadsecRequest *request) {
  const char *const files[] = {settings->ca, settings->certificate, settings->private_key};

  for (guint i = 0; i < G_N_ELEMENTS(files); i++)
    if (!can_be_read(settings, files[i])) {
      g_snprintf(request->trouble, sizeof request->trouble, "%s: %s", files[i], g_strerror(errno));
      return;
    }
  if (!service_is_known())
    g_strlcpy(request->trouble, "libradcli needs the service `radius' in /etc/services (Debian: the package netbase)",
              sizeof request->trouble);
  else
    g_snprintf(request->trouble, sizeof request->trouble,
               "no handshake: is the server's certificate signed by `ca' and for %s, and does the server know ours?", settings->host);
}

/* ---- the files of a connection ---- */

enum { FILE_MOST = 1 << 20, PATH_ROOM = 32 };

/** A copy in memory, for GnuTLS, which takes paths and has this process's rights. A descriptor, or -1. */
static int copy_file(const RadsecSettings *settings, const char *path) {
  int from = settings->open_file(path), to = from >= 0 ? memfd_create("radsec", MFD_CLOEXEC) : -1;
  guint8 buffer[4096];
  gsize copied = 0;
  gssize n = -1;

  while (to >= 0 && copied < FILE_MOST && (n = read(from, buffer, sizeof buffer)) > 0 && write(to, buffer, (gsize)n) == n)
    copied += (gsize)n;
  explicit_bzero(buffer, sizeof buffer);
  if (from >= 0)
    close(from);
  if (n == 0)
    return to;
  if (to >= 0)
    close(to);
  return -1;
}

/** Where the file can be read: its own path, or that of a copy, which `*fd` keeps. */
static const char *readable_path(const RadsecSettings *settings, const char *path, char room[PATH_ROOM], int *fd) {
  *fd = -1;
  if (access(path, R_OK) < 0 && errno == EACCES && settings->open_file)
    *fd = copy_file(settings, path);
  if (*fd < 0)
    return path;
  g_snprintf(room, PATH_ROOM, "/proc/self/fd/%d", *fd);
  return room;
}

static gboolean add_options(rc_handle *handle, const RadsecSettings *settings, const char *const path[3]) {
  gboolean six = strchr(settings->host, ':') != NULL;
  /* The empty secret behind the last colon: else libradcli looks for one in a file. */
  g_autofree char *server = g_strdup_printf(six ? "[%s]:%u:" : "%s:%u:", settings->host, adit_endpoint_port(&settings->at));
  g_autofree char *timeout = g_strdup_printf("%u", (settings->timeout_ms + 999) / 1000);
  const struct {
    const char *name, *value;
  } options[] = {
      {"serv-type", settings->dtls ? "dtls" : "tls"},
      {"authserver", server},
      {"radius_timeout", timeout},
      {"radius_retries", "0"},
      {"tls-ca-file", path[0]},
      {"tls-cert-file", path[1]},
      {"tls-key-file", path[2]},
  };

  for (guint i = 0; i < G_N_ELEMENTS(options); i++)
    if (rc_add_config(handle, options[i].name, options[i].value, "adit", (int)i))
      return FALSE;
  /* For the family; it does not bind. */
  return settings->at.any.sa_family != AF_INET6 || !rc_add_config(handle, "bindaddr", "::", "adit", 0);
}

static gboolean configure_handle(rc_handle *handle, const RadsecSettings *settings) {
  static GOnce dictionary = G_ONCE_INIT;
  const GString *words = g_once(&dictionary, write_dictionary, NULL);
  const char *const file[3] = {settings->ca, settings->certificate, settings->private_key};
  const char *path[3];
  char room[3][PATH_ROOM];
  int fd[3];

  for (guint i = 0; i < 3; i++)
    path[i] = readable_path(settings, file[i], room[i], &fd[i]);
  gboolean good =
      add_options(handle, settings, path) && !rc_read_dictionary_from_buffer(handle, words->str, words->len) && !rc_apply_config(handle);
  for (guint i = 0; i < 3; i++)
    if (fd[i] >= 0)
      close(fd[i]); /* GnuTLS has read it */
  return good;
}

static gboolean first_connect(RadsecSession *session, const RadsecSettings *settings) {
  rc_handle *handle = rc_new();

  if (!handle || !rc_config_init(handle)) /* which frees it */
    return FALSE;
  if (!configure_handle(handle, settings)) {
    rc_destroy(handle);
    return FALSE;
  }
  session->handle = handle;
  return TRUE;
}

/** libradcli says nothing of how that went, but the new connection has another descriptor. */
static gboolean renew_connection(RadsecSession *session) {
  int before = rc_tls_fd(session->handle);

  forget_fd(session);
  rc_check_tls(session->handle);
  gboolean another = rc_tls_fd(session->handle) != before;
  if (another || session->broken)
    session->renewed_us = g_get_monotonic_time();
  return another;
}

static gboolean ensure_connected(RadsecSession *session, const RadsecSettings *settings, RadsecRequest *request, gboolean *fresh) {
  gint64 now = g_get_monotonic_time();

  if (session->handle && !session->broken && now - session->used_us < IDLE_US)
    return TRUE;
  if (!radsec_session_usable(session) || !is_reachable(settings, request))
    return FALSE;
  *fresh = session->handle ? renew_connection(session) : first_connect(session, settings);
  gboolean good = *fresh || (session->handle && !session->broken);
  session->broken = session->handle && !good;
  if (!good)
    explain_no_connection(settings, request);
  return remember_fd(session) && good;
}

/* ---- requests ---- */

static gboolean add_pair(const RadsecSession *session, VALUE_PAIR **list, const RadsecRequest *request, const RadiusAttribute *attribute) {
  const void *value = attribute->value;
  int length = attribute->length;
  gboolean good = TRUE;
  char password[129];
  guint32 number;

  if (!attribute->vendor && attribute->type == PASSWORD) {
    good = radius_unhide(attribute->value, attribute->length, request->authenticator, request->secret, password);
    value = password;
    length = good ? (int)strlen(password) : 0;
    good = good && length <= AUTH_PASS_LEN;
  } else if (strcmp(type_of(attribute->vendor, attribute->type), "string") && radius_attribute_int(attribute, &number)) {
    value = &number;
  }
  good = good && rc_avpair_add(session->handle, list, attribute->type, value, length, (int)attribute->vendor);
  explicit_bzero(password, sizeof password);
  return good;
}

static void free_pairs(VALUE_PAIR *list) {
  for (VALUE_PAIR *pair = list; pair; pair = rc_avpair_next(pair))
    explicit_bzero(pair->strvalue, sizeof pair->strvalue);
  rc_avpair_free(list);
}

static gboolean write_pairs(const RadsecSession *session, const RadsecRequest *request, VALUE_PAIR **list) {
  const RadiusPacket packet = {.attributes = request->attributes, .length = request->length};
  RadiusAttribute attribute;
  RadiusIter iter = {0};

  while (radius_packet_next(&packet, &iter, &attribute))
    if (!add_pair(session, list, request, &attribute))
      return FALSE;
  return TRUE;
}

static void read_pairs(RadsecRequest *request, VALUE_PAIR *list) {
  radius_build(&request->reply, request->reply_code, FALSE);
  for (VALUE_PAIR *pair = list; pair; pair = rc_avpair_next(pair)) {
    guint32 vendor = (guint32)VENDOR(pair->attribute);
    guint8 type = (guint8)ATTRID(pair->attribute);
    if (pair->type == PW_TYPE_INTEGER || pair->type == PW_TYPE_IPADDR)
      radius_put_int(&request->reply, vendor, type, pair->lvalue);
    else
      radius_put(&request->reply, vendor, type, pair->strvalue, pair->lvalue);
  }
}

static RadsecResult take_answer(RadsecSession *session, RadsecRequest *request, int result, RC_AAA_CTX *context) {
  gboolean accounting = request->code == RADIUS_ACCOUNTING_REQUEST;

  session->used_us = g_get_monotonic_time();
  switch (result) {
  case OK_RC:
    request->reply_code = accounting ? RADIUS_ACCOUNTING_RESPONSE : RADIUS_ACCESS_ACCEPT;
    break;
  case REJECT_RC:
    request->reply_code = RADIUS_ACCESS_REJECT;
    break;
  case CHALLENGE_RC:
    request->reply_code = RADIUS_ACCESS_CHALLENGE;
    break;
  case TIMEOUT_RC:
    session->broken = TRUE;
    return RADSEC_SILENT;
  case BADRESP_RC:
    return RADSEC_BAD;
  default:
    session->broken = TRUE;
    return RADSEC_BROKEN;
  }
  if (!context || (accounting && result != OK_RC))
    return RADSEC_BAD;
  memcpy(request->request_authenticator, rc_aaa_ctx_get_vector(context), sizeof request->request_authenticator);
  return RADSEC_ANSWERED;
}

/** An answer that still comes would be taken for the next one's: libradcli renews what it has seen fail. */
static void break_off(RadsecSession *session, VALUE_PAIR *sent) {
  VALUE_PAIR *received = NULL;

  radsec_session_interrupt(session);
  rc_aaa_ctx_server(session->handle, NULL, rc_conf_srv(session->handle, "authserver"), AUTH, 0, sent, &received, NULL, 0,
                    PW_ACCESS_REQUEST);
  free_pairs(received);
}

/** A connection that is gone must end in an error, not in the daemon's. */
static void hold_back_sigpipe(void) {
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

RadsecResult radsec_session_request(RadsecSession *session, const RadsecSettings *settings, RadsecRequest *request, gboolean *fresh) {
  VALUE_PAIR *sent = NULL, *received = NULL;
  RC_AAA_CTX *context = NULL;

  hold_back_sigpipe();
  request->trouble[0] = 0;
  if (!ensure_connected(session, settings, request, fresh))
    return RADSEC_BROKEN;
  if (!write_pairs(session, request, &sent)) {
    free_pairs(sent);
    return RADSEC_BAD;
  }
  int result = rc_aaa_ctx_server(session->handle, &context, rc_conf_srv(session->handle, "authserver"), AUTH, 0, sent, &received, NULL, 0,
                                 request->code == RADIUS_ACCOUNTING_REQUEST ? PW_ACCOUNTING_REQUEST : PW_ACCESS_REQUEST);
  RadsecResult answer = take_answer(session, request, result, context);
  if (answer == RADSEC_ANSWERED)
    read_pairs(request, received);
  else if (answer == RADSEC_SILENT)
    break_off(session, sent);
  free_pairs(received);
  free_pairs(sent);
  if (context)
    rc_aaa_ctx_free(context);
  return answer;
}
