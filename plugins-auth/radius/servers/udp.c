/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * RADIUS over UDP. Each role of each server has a pool of connected sockets, of 256 identifiers each (RFC 2865 3); a socket more is
 * opened when all are taken. Nothing of a datagram but its identifier is looked at before it is known to come from the server.
 */
#include "udp.h"
#include "../wire/vocabulary.h"

#include <errno.h>
#include <unistd.h>

enum {
  SOCKETS_MAX = 64,         /* of a pool: more identifiers than max-in-flight can ask for */
  RECEIVE_BUDGET = 64,      /* datagrams of one socket in a pass of the loop */
  RECEIVE_BUFFER = 1 << 18, /* octets that the kernel may keep for us */
  REST_MS = 10000           /* for which an identifier stays unused while an answer to it may be on its way */
};

typedef struct Slot Slot;
typedef struct Socket Socket;

typedef struct {
  RadiusKept kept;
  Radius *radius;
  RadiusRoleState *state;
  char *name;
  const char *secret;
  AditValue *shared;  /* has the secret */
  GPtrArray *sockets; /* of Socket, owned */
  AditRateLimit strangers;
} Pool;

struct Socket {
  Pool *pool;
  int fd;
  AditWatch *watch;
  AditEndpoint remote;
  AditAddress source, local; /* as asked for; as it came to be */
  guint used;                /* identifiers: of what is under way, and at rest */
  GQueue resting;            /* of Slot, in order of their ends */
  guint8 next;
  guint64 serial; /* of the last packet that was given an identifier here */
  Slot *slots[256];
  guint8 last[256][16]; /* authenticator of the last packet with that identifier: a late answer to it is no forgery */
};

/* A packet that may get an answer. An accounting request has several after its Acct-Delay-Time has changed. */
struct Slot {
  RadiusExchange *exchange; /* NULL: it rests */
  Socket *socket;
  guint8 id;
  guint64 serial, sent_us, rests_until_ms;
  Slot *earlier;
};

typedef struct {
  Slot *slots; /* the packet at hand first */
  guint8 *packet;
  gsize length;
  guint sent;
  gboolean answered;
} Attempt;

/* ---- sockets ---- */

static gboolean on_socket_readable(int fd, guint condition, gpointer data);

static void slot_free(Slot *slot) {
  slot->socket->slots[slot->id] = NULL;
  slot->socket->used--;
  g_free(slot);
}

static void slot_rest(Slot *slot, guint64 until_ms) {
  slot->exchange = NULL;
  slot->rests_until_ms = until_ms;
  g_queue_push_tail(&slot->socket->resting, slot);
}

/** Identifiers that have rested by `now_ms` are free again. */
static void free_rested(Socket *s, guint64 now_ms) {
  for (const Slot *slot; (slot = g_queue_peek_head(&s->resting)) && slot->rests_until_ms <= now_ms;)
    slot_free(g_queue_pop_head(&s->resting));
}

static void socket_free(gpointer data) {
  Socket *socket = data;

  free_rested(socket, G_MAXUINT64);
  if (socket->watch)
    socket->pool->radius->loop->watch_remove(socket->watch);
  if (socket->fd >= 0)
    close(socket->fd);
  g_free(socket);
}

static gboolean socket_connect(Socket *s) {
  socklen_t size = sizeof(AditEndpoint);
  AditEndpoint local = {0};
  int room = RECEIVE_BUFFER;

  s->fd = socket(s->remote.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s->fd < 0)
    return FALSE;
  setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (s->source.family) {
    AditEndpoint from = adit_endpoint(&s->source, 0);
    if (bind(s->fd, &from.any, adit_endpoint_size(&from)) < 0)
      return FALSE;
  }
  if (connect(s->fd, &s->remote.any, adit_endpoint_size(&s->remote)) < 0 || getsockname(s->fd, &local.any, &size) < 0)
    return FALSE;
  s->local = adit_endpoint_address(&local);
  return TRUE;
}

static Socket *socket_open(Pool *pool, const AditEndpoint *remote, const AditAddress *source) {
  Socket *s = g_new0(Socket, 1);
  char to[ADIT_ENDPOINT_TEXT], from[ADIT_ADDRESS_TEXT];

  s->pool = pool;
  s->remote = *remote;
  s->source = *source;
  pool->radius->loop->random(&s->next, sizeof s->next);
  if (socket_connect(s))
    s->watch = pool->radius->loop->watch_add(pool->radius->plugin, s->fd, G_IO_IN, on_socket_readable, s);
  if (s->watch) {
    g_ptr_array_add(pool->sockets, s);
    return s;
  }
  int error = errno;
  if (adit_rate_allows(&pool->strangers, pool->radius->loop->now(), 3, 10000, NULL))
    adit_warning(NULL, "server %s: can't send: %s%s%s: %s", pool->name, adit_endpoint_format(remote, to),
                 source->family ? " from src-address " : "", source->family ? adit_address_format(source, from) : "", g_strerror(error));
  socket_free(s);
  return NULL;
}

/** Can the server be asked through it? Not through one that was used before it fell silent: the address that this is bound to may have
 *  left the machine, of which a socket does not learn. */
static gboolean is_fit(const Socket *s, const AditEndpoint *remote, const AditAddress *source) {
  return adit_endpoint_equal(&s->remote, remote) && adit_address_equal(&s->source, source) && !(s->serial && s->pool->state->dead);
}

/** Closes those that no request waits on and that are not needed: unfit, or one more than the first, and all its identifiers have rested.
 */
static void close_idle(const Pool *pool, const AditEndpoint *remote, const AditAddress *source) {
  for (guint i = pool->sockets->len; i-- > 0;) {
    Socket *s = pool->sockets->pdata[i];
    free_rested(s, pool->radius->loop->now());
    if (s->used == s->resting.length && (!is_fit(s, remote, source) || (i && s->serial && !s->used)))
      g_ptr_array_remove_index_fast(pool->sockets, i);
  }
}

/** One with a free identifier among those that are there; at worst the one that has rested longest of a socket is free. NULL: none. */
static Socket *find_socket(const Pool *pool, const AditEndpoint *remote, const AditAddress *source, gboolean at_worst) {
  guint64 now = pool->radius->loop->now();

  for (guint i = 0; i < pool->sockets->len; i++) {
    Socket *s = pool->sockets->pdata[i];
    if (!is_fit(s, remote, source))
      continue;
    free_rested(s, now);
    if (at_worst && s->resting.length)
      slot_free(g_queue_pop_head(&s->resting));
    if (s->used < G_N_ELEMENTS(s->slots))
      return s;
  }
  return NULL;
}

/** A socket with a free identifier; those that are not needed are closed. */
static Socket *socket_for(Pool *pool, const AditEndpoint *remote, const AditAddress *source) {
  if (pool->kept.refs == 1) /* not while one of them is being read */
    close_idle(pool, remote, source);
  Socket *s = find_socket(pool, remote, source, FALSE);
  if (s)
    return s;
  return pool->sockets->len < SOCKETS_MAX ? socket_open(pool, remote, source) : find_socket(pool, remote, source, TRUE);
}

/* ---- the pool ---- */

static void pool_free(gpointer data) {
  Pool *pool = data;

  g_ptr_array_unref(pool->sockets);
  adit_value_unref(pool->shared);
  g_free(pool->name);
  g_free(pool);
}

static gpointer pool_new(const RadiusExchange *exchange) {
  Pool *pool = g_new0(Pool, 1);

  pool->radius = exchange->server->radius;
  pool->state = radius_exchange_state(exchange);
  pool->name = g_strdup(exchange->server->name);
  pool->shared = adit_value_ref(exchange->server->shared);
  pool->secret = exchange->server->secret;
  pool->sockets = g_ptr_array_new_with_free_func(socket_free);
  return pool;
}

static Pool *pool_of(const RadiusExchange *exchange) {
  return radius_kept(exchange, pool_new, pool_free);
}

/* ---- identifiers ---- */

static Slot *slot_take(RadiusExchange *exchange) {
  Socket *s = socket_for(pool_of(exchange), &exchange->server->at[exchange->role], &exchange->server->source);

  if (!s)
    return NULL;
  while (s->slots[s->next])
    s->next++;
  Slot *slot = g_new0(Slot, 1);
  *slot = (Slot){.exchange = exchange, .socket = s, .id = s->next, .serial = ++s->serial, .sent_us = (guint64)g_get_monotonic_time()};
  s->slots[s->next++] = slot;
  s->used++;
  radius_exchange_state(exchange)->local = s->local;
  return slot;
}

/* ---- sending ---- */

/** Writes a packet with a new identifier, and makes it the current one. FALSE if there is no identifier, or a login does not fit into
 *  it; of a record, what fits is better than nothing. */
static gboolean write_packet(RadiusExchange *exchange, const RadiusBuilder *written, const guint8 authenticator[16]) {
  Attempt *attempt = exchange->own;
  RadiusBuilder b = *written;
  Slot *slot = b.overflow && exchange->role == RADIUS_AUTH ? NULL : slot_take(exchange);

  if (!slot)
    return FALSE;
  slot->earlier = attempt->slots;
  attempt->slots = slot;
  radius_finish_request(&b, slot->id, authenticator, exchange->server->secret);
  memcpy(slot->socket->last[slot->id], b.data + 4, 16);
  g_free(attempt->packet);
  attempt->packet = g_memdup2(b.data, b.length);
  attempt->length = b.length;
  return TRUE;
}

static void fill_request(RadiusExchange *exchange, RadiusBuilder *b, const guint8 authenticator[16]) {
  radius_build(b, exchange->request.code, exchange->role == RADIUS_AUTH);
  exchange->request.fill(b, authenticator, exchange->server, exchange->request.data);
}

/** RFC 2866 5.2: what has changed since (Acct-Delay-Time) makes a new packet. Without an identifier to spare, the old one has to do. */
static void renew_request(RadiusExchange *exchange) {
  static const guint8 zeros[16];
  const Attempt *attempt = exchange->own;
  RadiusBuilder b;

  fill_request(exchange, &b, zeros);
  if (b.length != attempt->length || memcmp(b.data + RADIUS_HEADER, attempt->packet + RADIUS_HEADER, b.length - RADIUS_HEADER))
    write_packet(exchange, &b, zeros);
}

static void arm_retransmit(RadiusExchange *exchange) {
  const AditLoopService *loop = exchange->server->radius->loop;
  guint timeout = exchange->server->timeout_ms, dice;

  loop->random(&dice, sizeof dice); /* RFC 5080 2.2.1: a tenth to either side, so that what began together does not stay in step */
  loop->timer_arm(&exchange->timer, timeout - timeout / 10 + dice % (timeout / 5 + 1));
}

/** The port is closed: for an exchange that has somewhere else to go, that is the answer. */
static void on_refused(Socket *socket) {
  guint64 until = socket->serial;

  for (guint id = 0; id < G_N_ELEMENTS(socket->slots) && !socket->pool->kept.gone; id++) {
    Slot *slot = socket->slots[id];
    if (slot && slot->exchange && slot->serial <= until && slot->exchange->request.impatient)
      radius_exchange_finish(slot->exchange, RADIUS_TIMEOUT, NULL, NULL, 0);
  }
}

/** An ICMP error is seen when the socket is read; a lost packet is retransmitted. */
static void transmit_request(RadiusExchange *exchange) {
  Attempt *attempt = exchange->own;
  int fd = attempt->slots->socket->fd;

  /* A refusal of something earlier ends a send that was not even tried. */
  if (send(fd, attempt->packet, attempt->length, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
    send(fd, attempt->packet, attempt->length, MSG_NOSIGNAL);
  attempt->sent++;
  arm_retransmit(exchange);
}

static void on_answer_timeout(AditTimer *timer, gpointer data) {
  RadiusExchange *exchange = data;
  const Attempt *attempt = exchange->own;

  radius_server_silent(exchange->server, exchange->role);
  if (attempt->sent >= exchange->server->tries) {
    radius_exchange_finish(exchange, RADIUS_TIMEOUT, NULL, NULL, 0);
    return;
  }
  if (exchange->role == RADIUS_ACCT)
    renew_request(exchange);
  radius_exchange_state(exchange)->stats.resends++;
  transmit_request(exchange);
}

static gboolean begin_udp(RadiusExchange *exchange) {
  guint8 authenticator[16];
  RadiusBuilder b;

  exchange->own = g_new0(Attempt, 1);
  exchange->timer.func = on_answer_timeout;
  /* So that the address that we ask from is known when the attributes are written. */
  Socket *s = socket_for(pool_of(exchange), &exchange->server->at[exchange->role], &exchange->server->source);
  if (!s)
    return FALSE;
  radius_exchange_state(exchange)->local = s->local;
  exchange->server->radius->loop->random(authenticator, sizeof authenticator);
  fill_request(exchange, &b, authenticator);
  if (!write_packet(exchange, &b, authenticator))
    return FALSE;
  transmit_request(exchange);
  return TRUE;
}

/** Each datagram may be answered: until all have been, its identifiers rest. */
static void rest_identifiers(RadiusExchange *exchange) {
  Attempt *attempt = exchange->own;
  gboolean more = attempt->sent > (attempt->answered ? 1 : 0);
  guint64 until = exchange->server->radius->loop->now() + REST_MS;

  for (Slot *slot = attempt->slots, *earlier; slot; slot = earlier) {
    earlier = slot->earlier;
    if (more)
      slot_rest(slot, until);
    else
      slot_free(slot);
  }
  g_free(attempt->packet);
  g_free(attempt);
  exchange->own = NULL;
}

const RadiusTransport radius_udp_transport = {begin_udp, rest_identifiers};

/* ---- receiving ---- */

static void bad_reply(Pool *pool, const char *why) {
  pool->state->stats.bad_replies++;
  if (adit_rate_allows(&pool->strangers, pool->radius->loop->now(), 3, 10000, NULL))
    adit_warning(NULL, "server %s: a reply was not accepted: %s", pool->name, why);
}

static const char *what_is_wrong(RadiusCheck check) {
  switch (check) {
  case RADIUS_GOOD:
    return NULL;
  case RADIUS_BAD_AUTHENTICATOR:
    return "its authenticator is wrong (is the secret the same on both sides?)";
  case RADIUS_BAD_SIGNATURE:
    return "its Message-Authenticator is wrong";
  case RADIUS_NOT_SIGNED:
    return "it has no Message-Authenticator; for an old server set require-message-auth: no";
  }
  return NULL;
}

/** RFC 2865 4, RFC 2866 4.2: the codes that an answer may have. */
static gboolean is_answer_code(guint8 code, RadiusRole role) {
  if (role == RADIUS_ACCT)
    return code == RADIUS_ACCOUNTING_RESPONSE;
  return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT || code == RADIUS_ACCESS_CHALLENGE;
}

/** RFC 3579 3.1: EAP without a signature is not believed, whatever is configured. */
static gboolean is_bare_eap(const RadiusPacket *packet) {
  RadiusAttribute attribute;
  return radius_packet_find(packet, 0, EAP_MESSAGE, &attribute) && !radius_packet_find(packet, 0, MESSAGE_AUTHENTICATOR, &attribute);
}

/** RFC 2865 3, RFC 5080 2.2.2: a datagram that is not the answer is as good as none, and waiting goes on. */
static void input_datagram(Socket *socket, const guint8 *data, gsize length) {
  Pool *pool = socket->pool;
  RadiusPacket packet;

  if (length < RADIUS_HEADER || length > RADIUS_MAX) {
    bad_reply(pool, "it is no RADIUS packet");
    return;
  }
  Slot *slot = socket->slots[data[1]];
  gboolean demand = slot && slot->exchange && slot->exchange->role == RADIUS_AUTH && slot->exchange->server->require_signature;
  guint8 authenticator[16];
  memcpy(authenticator, socket->last[data[1]], sizeof authenticator);
  RadiusCheck check = radius_check_reply(data, length, authenticator, pool->secret, demand);
  if (check != RADIUS_GOOD || !radius_packet_parse(data, length, &packet)) {
    bad_reply(pool, check == RADIUS_GOOD ? "it is malformed" : what_is_wrong(check));
    return;
  }
  if (!slot || !slot->exchange) {
    pool->state->stats.late++;
    return;
  }
  if (!is_answer_code(packet.code, slot->exchange->role)) {
    bad_reply(pool, "its code is not that of an answer to this");
    return;
  }
  if (is_bare_eap(&packet)) {
    bad_reply(pool, "it has EAP-Message, and no Message-Authenticator");
    return;
  }
  ((Attempt *)slot->exchange->own)->answered = TRUE;
  radius_exchange_finish(slot->exchange, RADIUS_ANSWERED, &packet, authenticator, (guint64)g_get_monotonic_time() - slot->sent_us);
}

static gboolean on_socket_readable(int fd, guint condition, gpointer data) {
  Socket *socket = data;
  Pool *pool = socket->pool;
  guint8 buffer[RADIUS_MAX + 1];

  radius_kept_ref(pool);
  for (guint i = 0; i < RECEIVE_BUDGET && !pool->kept.gone; i++) {
    gssize length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (length >= 0)
      input_datagram(socket, buffer, (gsize)length);
    else if (errno == ECONNREFUSED)
      on_refused(socket);
    else if (errno != EINTR)
      break;
  }
  explicit_bzero(buffer, sizeof buffer);
  radius_kept_unref(pool);
  return TRUE;
}
