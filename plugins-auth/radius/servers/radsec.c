/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * RadSec: RADIUS over TLS (RFC 6614) and DTLS (RFC 7360), carried by libradcli on the plugin's threads. Two of those threads at most are
 * for logins and one for accounting, so that the one that is left still looks names up, and no outage of accounting delays a login.
 */
#include "radsec.h"
#include "radsec-session.h"

#include <unistd.h>

enum {
  SESSIONS_MAX = 8, /* of a server and role: one that broke rests for two minutes */
  AGAIN_MAX = 2,    /* connections that a request may find broken */
  SLACK_MS = 2000,  /* libradcli counts in whole seconds; then it is interrupted */
  STRIKE_MS = 1000  /* and again, as it can't be in the middle of a handshake */
};
static const guint workers[RADIUS_ROLES] = {2, 1};

/** The transport of one role of one server. */
typedef struct {
  RadiusKept kept;
  GPtrArray *idle; /* of RadsecSession, owned; the last used at the end */
  guint sessions;
  guint64 answers;
  AditRateLimit complaints;
} Way;

/** A request on its way through a worker. Everything but request, session and settings is the main loop's. */
typedef struct {
  RadiusExchange *exchange; /* NULL: cancelled */
  RadiusServer *server;
  RadiusRole role;
  Way *way;
  gboolean interrupted;
  guint again;
  guint64 answers; /* of the way, when it began */
  AditTimer watchdog;
  guint64 begun_us;
  guint8 *packet;
  RadsecSettings *settings;
  RadsecSession *session;
  RadsecRequest request;
  RadsecResult result;
  gboolean fresh;
} Job;

/* ---- life ---- */

static void way_free(gpointer data) {
  Way *way = data;

  g_ptr_array_unref(way->idle);
  g_free(way);
}

static gpointer way_new(const RadiusExchange *exchange) {
  Way *way = g_new0(Way, 1);

  way->idle = g_ptr_array_new_with_free_func((GDestroyNotify)radsec_session_retire);
  return way;
}

static void job_free(Job *job) {
  job->server->radius->loop->timer_cancel(&job->watchdog);
  radius_kept_unref(job->way);
  radius_server_unref(job->server);
  radsec_settings_free(job->settings);
  explicit_bzero(job->packet, RADIUS_HEADER + job->request.length); /* a password in it is hidden with a public secret */
  g_free(job->packet);
  explicit_bzero(&job->request, sizeof job->request);
  g_free(job);
}

/** A session that is connected, else one that may be. NULL: all rest. */
static RadsecSession *session_for(Way *way) {
  gint best = -1;

  for (guint i = way->idle->len; i-- > 0;) {
    const RadsecSession *session = way->idle->pdata[i];
    if (!radsec_session_usable(session) || (best >= 0 && !radsec_session_connected(session)))
      continue;
    best = (gint)i;
    if (radsec_session_connected(session))
      break;
  }
  if (best >= 0)
    return g_ptr_array_steal_index(way->idle, (guint)best);
  if (way->sessions >= SESSIONS_MAX)
    return NULL;
  way->sessions++;
  return radsec_session_new();
}

static void session_back(Way *way, RadsecSession *session) {
  if (way->kept.gone)
    radsec_session_retire(session);
  else
    g_ptr_array_add(way->idle, session);
}

/* ---- work ---- */

static void start_jobs(Radius *radius, RadiusRole role);

static void run_job(gpointer data) {
  Job *job = data;

  job->result = radsec_session_request(job->session, job->settings, &job->request, &job->fresh);
}

static void count_bad(const Job *job) {
  job->server->peer->role[job->role].stats.bad_replies++;
  if (adit_rate_allows(&job->way->complaints, job->server->radius->loop->now(), 3, 10000, NULL))
    adit_warning(NULL, "server %s: a reply through RadSec was not accepted", job->server->name);
}

static void log_job_failure(const Job *job) {
  if (adit_rate_allows(&job->way->complaints, job->server->radius->loop->now(), 3, 10000, NULL))
    adit_warning(NULL, "server %s: RadSec connection failed: %s", job->server->name, job->request.trouble);
}

/** The result for the exchange; it may have ended long ago. */
static void tell_exchange(Job *job) {
  const RadiusPacket packet = {.code = job->request.reply_code,
                               .attributes = job->request.reply.data + RADIUS_HEADER,
                               .length = job->request.reply.length - RADIUS_HEADER};
  RadiusExchange *exchange = job->exchange;

  job->way->answers += job->result == RADSEC_ANSWERED;
  if (job->result == RADSEC_BAD)
    count_bad(job);
  else if (job->result != RADSEC_ANSWERED && *job->request.trouble && !job->interrupted)
    log_job_failure(job);
  if (!exchange) {
    job->server->peer->role[job->role].stats.late += job->result == RADSEC_ANSWERED;
    return;
  }
  if (job->result == RADSEC_ANSWERED)
    radius_exchange_finish(exchange, RADIUS_ANSWERED, &packet, job->request.request_authenticator,
                           (guint64)g_get_monotonic_time() - job->begun_us);
  else
    radius_exchange_finish(exchange, RADIUS_TIMEOUT, NULL, NULL, 0);
}

/** A request that a broken connection has lost is repeated on another. */
static gboolean try_again(Job *job) {
  if (!job->exchange || job->result != RADSEC_BROKEN || job->fresh || job->interrupted || job->again >= AGAIN_MAX)
    return FALSE;
  job->again++;
  radius_exchange_state(job->exchange)->stats.resends++;
  g_queue_push_head(&job->server->radius->radsec[job->role].waiting, job);
  return TRUE;
}

static void on_job_done(gpointer data) {
  Job *job = data;
  Radius *radius = job->server->radius;
  RadiusRole role = job->role;

  radius->loop->timer_cancel(&job->watchdog);
  g_queue_remove(&radius->radsec[role].running, job);
  session_back(job->way, g_steal_pointer(&job->session));
  if (!try_again(job)) {
    tell_exchange(job); /* which forgets the job, but leaves it to us */
    job_free(job);
  }
  start_jobs(radius, role);
}

static void interrupt_worker(AditTimer *timer, gpointer data) {
  Job *job = data;

  job->interrupted = TRUE;
  radsec_session_interrupt(job->session);
  job->server->radius->loop->timer_arm(timer, STRIKE_MS);
}

static gboolean start_job(Job *job) {
  const AditLoopService *loop = job->server->radius->loop;

  job->session = session_for(job->way);
  job->result = RADSEC_BROKEN;
  job->fresh = FALSE;
  if (!job->session)
    return FALSE;
  radsec_session_ready(job->session);
  job->begun_us = (guint64)g_get_monotonic_time();
  if (!loop->run_blocking(job->server->radius->plugin, run_job, on_job_done, job)) {
    session_back(job->way, g_steal_pointer(&job->session));
    return FALSE;
  }
  job->watchdog.func = interrupt_worker;
  job->watchdog.data = job;
  loop->timer_arm(&job->watchdog, job->server->timeout_ms + SLACK_MS);
  return TRUE;
}

/** Those that can't be started stay: they end with their timeout, or start when a session has rested. */
static void start_jobs(Radius *radius, RadiusRole role) {
  GQueue *waiting = &radius->radsec[role].waiting;

  for (GList *at = waiting->head, *next; at && radius->radsec[role].running.length < workers[role]; at = next) {
    Job *job = at->data;
    next = at->next;
    if (!start_job(job))
      continue;
    g_queue_delete_link(waiting, at);
    g_queue_push_tail(&radius->radsec[role].running, job);
  }
}

/* ---- for exchange.c ---- */

/** The address that the kernel would ask that server from. */
static void learn_local(RadiusExchange *exchange) {
  const AditEndpoint *to = &exchange->server->at[exchange->role];
  AditEndpoint local = {0};
  socklen_t size = sizeof local;
  int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return;
  if (!connect(fd, &to->any, adit_endpoint_size(to)) && !getsockname(fd, &local.any, &size))
    radius_exchange_state(exchange)->local = adit_endpoint_address(&local);
  close(fd);
}

static void on_job_timeout(AditTimer *timer, gpointer data) {
  RadiusExchange *exchange = data;
  const Job *job = exchange->own;
  gboolean busy = !job->session && job->way->answers != job->answers; /* its turn did not come, as others had it: that is not silence */

  radius_exchange_finish(exchange, busy ? RADIUS_UNSENT : RADIUS_TIMEOUT, NULL, NULL, 0);
}

static gboolean begin_radsec(RadiusExchange *exchange) {
  Radius *radius = exchange->server->radius;
  Job *job = g_new0(Job, 1);
  RadiusBuilder b;

  *job = (Job){.exchange = exchange,
               .server = radius_server_ref(exchange->server),
               .role = exchange->role,
               .way = radius_kept_ref(radius_kept(exchange, way_new, way_free))};
  job->answers = job->way->answers;
  job->settings = radsec_settings_new(job->server, job->role);
  job->settings->open_file = radius->open_file;
  exchange->own = job;
  learn_local(exchange);
  radius->loop->random(job->request.authenticator, sizeof job->request.authenticator);
  radius_build(&b, exchange->request.code, FALSE);
  radius_set_authenticator(&b, job->request.authenticator);
  exchange->request.fill(&b, job->request.authenticator, exchange->server, exchange->request.data);
  job->packet = g_memdup2(b.data, b.length);
  job->request.code = exchange->request.code;
  job->request.secret = job->server->secret;
  job->request.attributes = job->packet + RADIUS_HEADER;
  job->request.length = b.length - RADIUS_HEADER;
  explicit_bzero(b.data, sizeof b.data);
  g_queue_push_tail(&radius->radsec[job->role].waiting, job);
  if (b.overflow && exchange->role == RADIUS_AUTH)
    return FALSE;
  exchange->timer.func = on_job_timeout;
  radius->loop->timer_arm(&exchange->timer, exchange->server->timeout_ms);
  start_jobs(radius, job->role);
  return TRUE;
}

static void forget_job(RadiusExchange *exchange) {
  Job *job = g_steal_pointer(&exchange->own);

  job->exchange = NULL;
  if (g_queue_remove(&exchange->server->radius->radsec[exchange->role].waiting, job))
    job_free(job);
}

const RadiusTransport radius_radsec_transport = {begin_radsec, forget_job};

void radius_radsec_stop(Radius *radius) {
  for (guint role = 0; role < RADIUS_ROLES; role++)
    for (GList *at = radius->radsec[role].running.head; at; at = at->next)
      interrupt_worker(&((Job *)at->data)->watchdog, at->data);
}
