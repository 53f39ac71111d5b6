/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The listener of dynamic authorization: allowed clients, verification, and the answers. */
#include "dae.h"
#include "../servers/radius-server.h"
#include "dae-cache.h"
#include "dae-decide.h"
#include "dae-socket.h"
#include <errno.h>
#include <unistd.h>

enum {
  BUDGET = 32,           /* datagrams of one socket in one pass of the loop */
  PASS_US = 10000,       /* and no other is begun after so long: ten thousand sessions are not looked through in no time */
  SEEN_MAX = 16384,      /* requests remembered */
  WAITING_MAX = 4096,    /* sessions that are ending by request */
  WAIT_MS = 5000,        /* for a session to be gone, before the server is told that it is not */
  LOOK_MS = 250,         /* how often sessions that end without an event are looked for */
  SHORT_LIFE_MS = 30000, /* of a cached answer: no server repeats for longer */
  LOG_BURST = 5,         /* lines about what was dropped */
  LOG_INTERVAL_MS = 10000,
};

typedef struct {
  RadiusDae *dae;
  AditEndpoint at;
  int fd;
  AditWatch *watch; /* NULL: prepared only */
} Socket;

/* A Disconnect-Request with a session that is ending. */
typedef struct {
  AditSessionId session; /* key */
  RadiusDaeSeen *seen;
  gboolean timed;
  Socket *socket; /* NULL: closed meanwhile */
  AditEndpoint from;
  AditAddress local;
  GBytes *ack, *nak;
  guint64 deadline_ms;
} Waiting;

struct RadiusDae {
  Radius *radius;
  GPtrArray *sockets, *fresh; /* of Socket*: open; prepared */
  RadiusDaeCache *cache;
  GHashTable *waiting; /* session -> Waiting */
  AditTimer timer;
  guint subscription;
  AditRateLimit limit;
  RadiusDaeStats stats;
};

/* One datagram on its way through here. */
typedef struct {
  RadiusDae *dae;
  Socket *socket;
  AditEndpoint from;
  AditAddress local;
  RadiusPacket packet;
  const char *secret;
} Incoming;

/* ---- what is dropped ---- */

static void drop_request(const Incoming *in, const char *why) {
  char text[ADIT_ENDPOINT_TEXT];
  guint kept = 0;

  in->dae->stats.bad_requests++;
  if (!adit_rate_allows(&in->dae->limit, in->dae->radius->loop->now(), LOG_BURST, LOG_INTERVAL_MS, &kept))
    return;
  AditLogContext log = {.peer = adit_endpoint_format(&in->from, text)};
  if (kept)
    adit_warning(&log, "dynamic authorization: dropped a request from %s: %s (and %u others)", text, why, kept);
  else
    adit_warning(&log, "dynamic authorization: dropped a request from %s: %s", text, why);
}

/* ---- allowed clients and their secrets ---- */

static gboolean is_allowed(const RadiusConfig *config, const AditAddress *address) {
  for (guint i = 0; i < config->incoming.allowed->len; i++)
    if (adit_prefix_contains(config->incoming.allowed->pdata[i], address))
      return TRUE;
  for (guint i = 0; !config->incoming.allowed->len && i < radius_servers_count(config->servers); i++)
    if (radius_server_is_at(radius_servers_get(config->servers, i), address))
      return TRUE;
  return FALSE;
}

/* The `n`th secret that a request from there may be made with; NULL: there are no more. RadSec's is public. */
static const char *secret_of(const RadiusConfig *config, const AditAddress *address, guint n) {
  if (config->incoming.secret)
    return n ? NULL : config->incoming.secret;
  for (guint i = 0; i < radius_servers_count(config->servers); i++) {
    const RadiusServer *server = radius_servers_get(config->servers, i);
    if (server->protocol == RADIUS_UDP && radius_server_is_at(server, address) && !n--)
      return server->secret;
  }
  return NULL;
}

static const char *describe_check(RadiusCheck check) {
  switch (check) {
  case RADIUS_GOOD:
    return NULL;
  case RADIUS_BAD_AUTHENTICATOR:
    return "wrong Request Authenticator (another secret?)";
  case RADIUS_BAD_SIGNATURE:
    return "wrong Message-Authenticator";
  case RADIUS_NOT_SIGNED:
    return "no Message-Authenticator";
  }
  return NULL;
}

/* NULL when it is believed; else why not. Nothing is allocated. */
static const char *authenticate_request(Incoming *in, const guint8 *data, gsize length) {
  const RadiusConfig *config = in->dae->radius->config;
  AditAddress address = adit_endpoint_address(&in->from);
  const char *why = "no secret is known for it", *secret;

  if (!is_allowed(config, &address))
    return "not allowed to ask";
  if (!radius_packet_parse(data, length, &in->packet))
    return "malformed";
  if (in->packet.code != RADIUS_DISCONNECT_REQUEST && in->packet.code != RADIUS_COA_REQUEST)
    return "neither Disconnect-Request nor CoA-Request";
  for (guint n = 0; (secret = secret_of(config, &address, n)); n++) {
    RadiusCheck check = radius_check_request(data, length, secret, config->incoming.require_signature);
    why = describe_check(check);
    if (check == RADIUS_GOOD) {
      in->secret = secret;
      break;
    }
  }
  return why;
}

static gboolean is_ours(const AditAddress *address, gpointer data) {
  const RadiusConfig *config = data;
  return config->nas_address.family ? adit_address_equal(&config->nas_address, address) : radius_dae_is_local(address);
}

/* ---- answers ---- */

static void send_answer(RadiusDae *dae, const Socket *socket, GBytes *answer, const AditEndpoint *to, const AditAddress *local) {
  char text[ADIT_ENDPOINT_TEXT];
  guint kept;

  if (socket && !radius_dae_socket_send(socket->fd, answer, to, local) &&
      adit_rate_allows(&dae->limit, dae->radius->loop->now(), LOG_BURST, LOG_INTERVAL_MS, &kept))
    adit_warning(NULL, "dynamic authorization: can't answer %s: %s", adit_endpoint_format(to, text), g_strerror(errno));
}

/* A packet with Event-Timestamp can be played back for as long as its time is believed; one without may come again by right. */
static guint64 life_of(const RadiusDae *dae, gboolean timed) {
  guint64 window_ms = (guint64)dae->radius->config->incoming.window_s * 1000;
  return timed ? MAX(2 * window_ms, SHORT_LIFE_MS) : SHORT_LIFE_MS;
}

static void remember_answer(RadiusDae *dae, RadiusDaeSeen *seen, GBytes *answer, gboolean timed) {
  radius_dae_cache_answer(dae->cache, seen, g_bytes_ref(answer), timed, dae->radius->loop->now() + life_of(dae, timed));
}

static GBytes *write_answer(const Incoming *in, const RadiusDaeVerdict *verdict, RadiusDaeOutcome outcome, RadiusDaeError error) {
  RadiusDaeVerdict as = *verdict;
  RadiusBuilder b;

  as.outcome = outcome;
  as.error = error;
  radius_dae_answer(&b, &in->packet, &as, in->secret);
  return g_bytes_new(b.data, b.length);
}

static void count_dae_answer(RadiusDae *dae, gboolean ack) {
  if (ack)
    dae->stats.acks++;
  else
    dae->stats.naks++;
}

static void log_verdict(const Incoming *in, const RadiusDaeVerdict *verdict) {
  char from[ADIT_ENDPOINT_TEXT];
  AditLogContext log = {.session = verdict->session, .peer = adit_endpoint_format(&in->from, from)};

  if (verdict->outcome == RADIUS_DAE_NAK)
    adit_info(&log, "%s from %s refused: %s%s%s", radius_code_name(in->packet.code), from, radius_dae_error_name(verdict->error),
              verdict->why[0] ? ": " : "", verdict->why);
  else
    adit_info(&log, "%s from %s: session %" G_GINT64_MODIFIER "x", radius_code_name(in->packet.code), from, verdict->session);
}

/* ---- sessions that are ending ---- */

static void waiting_free(gpointer data) {
  Waiting *waiting = data;
  g_bytes_unref(waiting->ack);
  g_bytes_unref(waiting->nak);
  g_free(waiting);
}

static void settle_waiting(RadiusDae *dae, Waiting *waiting, gboolean gone) {
  GBytes *answer = gone ? waiting->ack : waiting->nak;

  count_dae_answer(dae, gone);
  remember_answer(dae, waiting->seen, answer, waiting->timed);
  send_answer(dae, waiting->socket, answer, &waiting->from, &waiting->local);
}

static gboolean is_gone(const RadiusDae *dae, AditSessionId session) {
  AditSessionInfo info = {.size = sizeof info};
  return !dae->radius->session->session_info(session, &info);
}

static void on_look(AditTimer *timer, gpointer data) {
  RadiusDae *dae = data;
  GHashTableIter iter;
  Waiting *waiting;

  g_hash_table_iter_init(&iter, dae->waiting);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&waiting)) {
    gboolean gone = is_gone(dae, waiting->session);
    if (!gone && dae->radius->loop->now() < waiting->deadline_ms)
      continue;
    settle_waiting(dae, waiting, gone);
    g_hash_table_iter_remove(&iter);
  }
  if (g_hash_table_size(dae->waiting))
    dae->radius->loop->timer_arm(&dae->timer, LOOK_MS);
}

static void on_session_down(const AditEvent *event, gpointer data) {
  RadiusDae *dae = data;
  const AditSessionEvent *down = (const AditSessionEvent *)event;
  Waiting *waiting = g_hash_table_lookup(dae->waiting, &down->session);

  if (!waiting)
    return;
  settle_waiting(dae, waiting, TRUE);
  g_hash_table_remove(dae->waiting, &down->session);
}

static void wait_for_end(const Incoming *in, RadiusDaeSeen *seen, const RadiusDaeVerdict *verdict) {
  RadiusDae *dae = in->dae;
  Waiting *waiting = g_new0(Waiting, 1);

  *waiting = (Waiting){.session = verdict->session,
                       .seen = seen,
                       .timed = verdict->timed,
                       .socket = in->socket,
                       .from = in->from,
                       .local = in->local,
                       .ack = write_answer(in, verdict, RADIUS_DAE_ACK, RADIUS_DAE_FINE),
                       .nak = write_answer(in, verdict, RADIUS_DAE_NAK, RADIUS_DAE_NOT_REMOVABLE),
                       .deadline_ms = dae->radius->loop->now() + WAIT_MS};
  if (!g_hash_table_size(dae->waiting))
    dae->radius->loop->timer_arm(&dae->timer, LOOK_MS);
  g_hash_table_insert(dae->waiting, &waiting->session, waiting);
}

/* ---- requests ---- */

static void answer_now(const Incoming *in, RadiusDaeSeen *seen, const RadiusDaeVerdict *verdict) {
  g_autoptr(GBytes) answer =
      write_answer(in, verdict, verdict->outcome == RADIUS_DAE_NAK ? RADIUS_DAE_NAK : RADIUS_DAE_ACK, verdict->error);

  count_dae_answer(in->dae, verdict->outcome != RADIUS_DAE_NAK);
  remember_answer(in->dae, seen, answer, verdict->timed);
  send_answer(in->dae, in->socket, answer, &in->from, &in->local);
}

static void on_new(const Incoming *in) {
  RadiusDae *dae = in->dae;
  const RadiusConfig *config = dae->radius->config;
  RadiusDaeRules rules = {.session = dae->radius->session,
                          .nas_identifier = config->nas_identifier,
                          .is_ours = is_ours,
                          .data = dae->radius->config,
                          .require_timestamp = config->incoming.require_timestamp,
                          .window_s = config->incoming.window_s,
                          .now_s = g_get_real_time() / G_USEC_PER_SEC};
  RadiusDaeVerdict verdict;

  if (g_hash_table_size(dae->waiting) >= WAITING_MAX) {
    drop_request(in, "too many sessions are ending by request");
    return;
  }
  /* Before anything is done: without a place for the answer, a repeat of the request would be carried out once more. */
  RadiusDaeSeen *seen = radius_dae_cache_add(dae->cache, &in->from, &in->packet, dae->radius->loop->now());
  if (!seen) {
    drop_request(in, "too many requests wait for an answer");
    return;
  }
  radius_dae_decide(&rules, &in->packet, &verdict);
  if (verdict.outcome == RADIUS_DAE_DROP) {
    radius_dae_cache_forget(dae->cache, seen);
    drop_request(in, verdict.why);
    return;
  }
  dae->stats.requests++;
  log_verdict(in, &verdict);
  if (verdict.outcome == RADIUS_DAE_WAIT && !is_gone(dae, verdict.session))
    wait_for_end(in, seen, &verdict);
  else
    answer_now(in, seen, &verdict);
}

static void on_datagram(Incoming *in, const guint8 *data, gsize length) {
  RadiusDae *dae = in->dae;

  const char *why = authenticate_request(in, data, length);
  if (why) {
    drop_request(in, why);
    return;
  }
  const RadiusDaeSeen *seen = radius_dae_cache_find(dae->cache, &in->from, &in->packet, dae->radius->loop->now());
  if (!seen) {
    on_new(in);
    return;
  }
  dae->stats.duplicates++;
  if (seen->answer)
    send_answer(dae, in->socket, seen->answer, &in->from, &in->local);
}

static gboolean on_dae_readable(int fd, guint condition, gpointer data) {
  Socket *socket = data;
  guint8 datagram[RADIUS_MAX];
  gint64 until = g_get_monotonic_time() + PASS_US;

  for (guint n = 0; n < BUDGET && g_get_monotonic_time() < until; n++) {
    Incoming in = {.dae = socket->dae, .socket = socket};
    gssize length = radius_dae_socket_receive(fd, datagram, &in.from, &in.local);
    if (length < 0)
      break;
    on_datagram(&in, datagram, (gsize)length);
  }
  return TRUE;
}

/* ---- sockets by the configuration ---- */

static void free_dae_socket(gpointer data) {
  Socket *socket = data;
  RadiusDae *dae = socket->dae;
  GHashTableIter iter;
  Waiting *waiting;

  g_hash_table_iter_init(&iter, dae->waiting);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&waiting))
    if (waiting->socket == socket)
      waiting->socket = NULL;
  if (socket->watch)
    dae->radius->loop->watch_remove(socket->watch);
  close(socket->fd);
  g_free(socket);
}

/* Of AditEndpoint: where to listen by this configuration. */
static GArray *list_wanted(const RadiusConfig *config) {
  GArray *out = g_array_new(FALSE, FALSE, sizeof(AditEndpoint));
  const AditAddress any[] = {{.family = AF_INET}, {.family = AF_INET6}};
  const AditAddress *one = &config->incoming.address;

  for (guint i = 0; config->incoming.accept && i < config->incoming.ports->len; i++) {
    guint16 port = g_array_index(config->incoming.ports, guint16, i);
    const AditEndpoint at[] = {adit_endpoint(one->family ? one : &any[0], port), adit_endpoint(&any[1], port)};
    g_array_append_vals(out, at, one->family ? 1 : 2);
  }
  return out;
}

static gboolean contains_endpoint(const GArray *endpoints, const AditEndpoint *at) {
  for (guint i = 0; i < endpoints->len; i++)
    if (adit_endpoint_equal(&g_array_index(endpoints, AditEndpoint, i), at))
      return TRUE;
  return FALSE;
}

static gboolean is_open(const RadiusDae *dae, const AditEndpoint *at) {
  for (guint i = 0; i < dae->sockets->len + dae->fresh->len; i++) {
    const Socket *socket = i < dae->sockets->len ? dae->sockets->pdata[i] : dae->fresh->pdata[i - dae->sockets->len];
    if (adit_endpoint_equal(&socket->at, at))
      return TRUE;
  }
  return FALSE;
}

static void share_all(const RadiusDae *dae, gboolean share) {
  for (guint i = 0; i < dae->sockets->len; i++)
    radius_dae_socket_share(((Socket *)dae->sockets->pdata[i])->fd, share);
}

/* A machine without IPv6 is no error unless an IPv6 address is configured. */
static gboolean open_one(RadiusDae *dae, const AditEndpoint *at, GError **error) {
  g_autoptr(GError) problem = NULL;
  AditAddress address = adit_endpoint_address(at);

  if (is_open(dae, at))
    return TRUE;
  int fd = radius_dae_socket_open(at, &problem);
  if (fd < 0 && at->any.sa_family == AF_INET6 && adit_address_is_any(&address) &&
      g_error_matches(problem, ADIT_ERROR, ADIT_ERR_UNSUPPORTED))
    return TRUE;
  if (fd < 0) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  Socket *socket = g_new0(Socket, 1);
  *socket = (Socket){.dae = dae, .at = *at, .fd = fd};
  g_ptr_array_add(dae->fresh, socket);
  return TRUE;
}

gboolean radius_dae_prepare(RadiusDae *dae, const RadiusConfig *next, GError **error) {
  g_autoptr(GArray) endpoints = list_wanted(next);
  gboolean ok = TRUE;

  share_all(dae, TRUE);
  for (guint i = 0; ok && i < endpoints->len; i++)
    ok = open_one(dae, &g_array_index(endpoints, AditEndpoint, i), error);
  share_all(dae, FALSE);
  if (!ok)
    radius_dae_abort(dae);
  return ok;
}

void radius_dae_abort(RadiusDae *dae) {
  g_ptr_array_set_size(dae->fresh, 0);
}

static void open_socket(RadiusDae *dae, Socket *socket) {
  char text[ADIT_ENDPOINT_TEXT];

  socket->watch = dae->radius->loop->watch_add(dae->radius->plugin, socket->fd, G_IO_IN, on_dae_readable, socket);
  adit_info(NULL, "dynamic authorization on %s", adit_endpoint_format(&socket->at, text));
  g_ptr_array_add(dae->sockets, socket);
}

void radius_dae_commit(RadiusDae *dae) {
  g_autoptr(GArray) endpoints = list_wanted(dae->radius->config);

  for (guint i = dae->sockets->len; i > 0; i--)
    if (!contains_endpoint(endpoints, &((Socket *)dae->sockets->pdata[i - 1])->at))
      g_ptr_array_remove_index(dae->sockets, i - 1);
  while (dae->fresh->len)
    open_socket(dae, g_ptr_array_steal_index(dae->fresh, 0));
}

/* ---- life ---- */

RadiusDae *radius_dae_start(Radius *radius, GError **error) {
  RadiusDae *dae = g_new0(RadiusDae, 1);

  dae->radius = radius;
  dae->sockets = g_ptr_array_new_with_free_func(free_dae_socket);
  dae->fresh = g_ptr_array_new_with_free_func(free_dae_socket);
  dae->cache = radius_dae_cache_new(SEEN_MAX);
  dae->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, waiting_free);
  dae->timer.func = on_look;
  dae->timer.data = dae;
  if (!radius_dae_prepare(dae, radius->config, error)) {
    radius_dae_stop(dae);
    return NULL;
  }
  radius_dae_commit(dae);
  dae->subscription = radius->bus->subscribe(radius->plugin, ADIT_EVENT_SESSION_DOWN, on_session_down, dae);
  return dae;
}

void radius_dae_stop(RadiusDae *dae) {
  if (!dae)
    return;
  if (dae->subscription)
    dae->radius->bus->unsubscribe(dae->subscription);
  dae->radius->loop->timer_cancel(&dae->timer);
  g_ptr_array_unref(dae->fresh);
  g_ptr_array_unref(dae->sockets);
  g_hash_table_unref(dae->waiting);
  radius_dae_cache_free(dae->cache);
  g_free(dae);
}

RadiusDaeCache *radius_dae_cache_of(RadiusDae *dae) {
  return dae->cache;
}

const RadiusDaeStats *radius_dae_stats(const RadiusDae *dae) {
  return &dae->stats;
}
