/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * Sets up and keeps many L2TP sessions with MS-CHAPv2 against one server, and tells on stdout, a JSON object a line, what
 * becomes of them: {"event": "up"}, {"event": "all-up"}, {"event": "down"}, {"event": "failed"}. SIGTERM ends it with StopCCNs.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RESENDS 5
#define SETUP   15.0 /* seconds from a request to its answer, however often either is acknowledged */

Load load = {.user = "load%u",
             .password = "load",
             .sessions = 1000,
             .per_tunnel = 1,
             .window = 200,
             .ping_every = 1,
             .ping_size = 64,
             .protocol = 0xc223,
             .algorithm = 0x81};

static volatile sig_atomic_t stopping, ping_now;

static void on_signal(int number) {
  if (number == SIGUSR1)
    ping_now = 1;
  else
    stopping = number;
}

double load_now(void) {
  return load.now;
}

static void read_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  load.now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint32_t load_random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value)
    abort();
  return value;
}

static unsigned number_of(const Call *call) {
  return (unsigned)(call->tunnel - load.tunnels) * load.per_tunnel + (unsigned)(call - call->tunnel->calls);
}

static const char *expand(const char *pattern, const Call *call, char text[128]) {
  const char *mark = strstr(pattern, "%u");
  if (!mark)
    return pattern;
  snprintf(text, 128, "%.*s%u%s", (int)(mark - pattern), pattern, load.guess ? call->guess : number_of(call), mark + 2);
  return text;
}

const char *load_user(const Ppp *ppp) {
  static char text[128];
  return expand(load.user, (const Call *)ppp, text);
}

const char *load_password(const Ppp *ppp) {
  static char text[128];
  return expand(load.password, (const Call *)ppp, text);
}

static void tell(const char *event, const char *reason) {
  printf("{\"event\": \"%s\", \"up\": %u, \"seconds\": %.3f, \"failed\": %u, \"slowest\": %.3f%s%s%s}\n", event, load.n_up,
         load.now - load.started, load.n_failed, load.slowest, reason ? ", \"reason\": \"" : "", reason ? reason : "", reason ? "\"" : "");
  fflush(stdout);
}

/* ---- calls and tunnels ---- */

static void call_reset(Call *call, const char *why) {
  if (call->up) {
    load.all_up = false;
    if (--load.n_up == 0)
      tell("down", why);
  } else if (call->asked) {
    load.n_starting--;
  }
  call->asked = call->up = call->connected = false;
  call->pings = 0;
  call->peer = 0;
  call->ppp.state = PPP_DEAD;
  call->ppp.deadline = 0;
}

static void call_failed(Call *call, const char *why) {
  load.n_failed++;
  call_reset(call, why);
  call->given_up = !load.redial;
  call->tunnel->retry = load.guess ? load.now : load.now + 1;
  if (!load.guess)
    tell("failed", why);
}

void load_up(Ppp *ppp) {
  Call *call = (Call *)ppp;
  call->up = true;
  load.n_starting--;
  if (load.now - call->begun > load.slowest)
    load.slowest = load.now - call->begun;
  if (++load.n_up == load.sessions) {
    load.all_up = true;
    tell("all-up", NULL);
  }
}

static void tunnel_lost(Tunnel *t, const char *why) {
  for (unsigned i = 0; i < t->n_calls; i++)
    call_reset(&t->calls[i], why);
  if (t->state == OPENING && !load.redial)
    tell("failed", why);
  load.by_id[t->id] = NULL;
  t->state = IDLE;
  t->queued = 0;
  t->resend = 0;
  t->retry = load.redial ? load.now + 1 : 0;
}

void load_failed(Ppp *ppp, const char *why) {
  Call *call = (Call *)ppp;
  Tunnel *t = call->tunnel;
  Message *m = load_message(t, CDN, call->peer);
  if (m) {
    load_add16(m, AVP_RESULT, 3);
    load_add16(m, AVP_SESSION, call->id);
    load_send(t, m);
  }
  call_failed(call, why);
}

void load_send_frame(Ppp *ppp, uint16_t protocol, const uint8_t *data, size_t length) {
  const Call *call = (const Call *)ppp;
  uint8_t packet[10 + 512];
  if (length > sizeof packet - 10)
    return;
  put16(packet, 0x0002);
  put16(packet + 2, call->tunnel->peer);
  put16(packet + 4, call->peer);
  put16(packet + 6, 0xff03);
  put16(packet + 8, protocol);
  memcpy(packet + 10, data, length);
  load_send_octets(call->tunnel, packet, 10 + length);
}

/* A new id each time, and none that was in use lately: the server remembers the old tunnel for a while (RFC 2661 5.7). */
static void tunnel_open(Tunnel *t) {
  do
    t->id = load.next_id++;
  while (t->id == 0 || load.by_id[t->id]);
  load.by_id[t->id] = t;
  t->state = OPENING;
  t->peer = t->ns = t->nr = 0;
  t->queued = t->tries = 0;
  t->resend = t->retry = 0;
  t->last_heard = load.now;
  t->deadline = load.now + SETUP;
  Message *m = load_message(t, SCCRQ, 0);
  char name[32];
  snprintf(name, sizeof name, "load-%u", (unsigned)(t - load.tunnels));
  load_add16(m, AVP_VERSION, 0x0100);
  load_add32(m, AVP_FRAMING, 3);
  load_add(m, AVP_HOST, name, strlen(name));
  load_add16(m, AVP_TUNNEL, t->id);
  load_add16(m, AVP_WINDOW, QUEUE);
  load_send(t, m);
}

/* With --rate: how many may have begun by now. */
static bool in_time(void) {
  return load.rate == 0 || load.n_begun < (load.now - load.started) * load.rate;
}

static void call_open(Call *call) {
  Message *m = in_time() ? load_message(call->tunnel, ICRQ, 0) : NULL;
  if (!m)
    return;
  load.n_begun++;
  call->guess = load.n_begun;
  call->asked = true;
  call->peer = 0;
  call->begun = load.now;
  call->deadline = load.now + SETUP;
  load.n_starting++;
  load_add16(m, AVP_SESSION, call->id);
  load_add32(m, AVP_SERIAL, number_of(call));
  load_send(call->tunnel, m);
}

/* The server has answered: ICCN, as soon as the window is open. */
static void call_connect(Call *call) {
  Message *m = load_message(call->tunnel, ICCN, call->peer);
  if (!m)
    return;
  call->connected = true;
  load_add32(m, AVP_SPEED, 100000000);
  load_add32(m, AVP_FRAMED, 1);
  if (load.group)
    load_add(m, AVP_GROUP, load.group, strlen(load.group));
  load_send(call->tunnel, m);
  ppp_start(&call->ppp);
}

static Call *call_of(Tunnel *t, unsigned id) {
  return id >= 1 && id <= t->n_calls ? &t->calls[id - 1] : NULL;
}

static void control(Tunnel *t, const uint8_t *data, size_t length) {
  unsigned type = load_find_avp(data, length, 0);
  Call *call = call_of(t, get16(data + 6));
  Message *m;
  switch (type) {
  case SCCRP:
    if (t->state != OPENING)
      break;
    t->peer = (uint16_t)load_find_avp(data, length, AVP_TUNNEL);
    t->state = OPEN;
    m = load_message(t, SCCCN, 0);
    if (m)
      load_send(t, m);
    break;
  case STOPCCN:
    load_ack(t);
    tunnel_lost(t, "StopCCN");
    return;
  case ICRP:
    if (call && call->asked && call->peer == 0)
      call->peer = (uint16_t)load_find_avp(data, length, AVP_SESSION);
    if (call && call->peer && !call->connected)
      call_connect(call);
    break;
  case CDN:
    if (call && call->asked)
      call_failed(call, "CDN");
    break;
  default:
    break;
  }
  if (t->queued == 0)
    load_ack(t);
}

static void datagram(int fd, const uint8_t *data, size_t length) {
  unsigned flags = length >= 6 ? get16(data) : 0;
  if ((flags & 0x000f) != 2)
    return;
  if (flags & 0x8000) {
    Tunnel *t = length >= 12 ? load.by_id[get16(data + 4)] : NULL;
    if (length < 12 || get16(data + 2) > length)
      return;
    length = get16(data + 2);
    if (!t) {
      load_ack_stopccn(fd, data, length);
      return;
    }
    t->last_heard = load.now;
    load_acknowledged(t, (uint16_t)get16(data + 10));
    if (length <= 12)
      return;
    if (get16(data + 8) == t->nr) {
      t->nr++;
      control(t, data, length);
    } else {
      load_ack(t);
    }
    return;
  }
  size_t at = 2 + (flags & 0x4000 ? 2 : 0);
  if (length < at + 4 || !load.by_id[get16(data + at)])
    return;
  Tunnel *t = load.by_id[get16(data + at)];
  Call *call = call_of(t, get16(data + at + 2));
  at += 4 + (flags & 0x0800 ? 4 : 0);
  if (flags & 0x0200)
    at += 2 + (length >= at + 2 ? get16(data + at) : 0);
  t->last_heard = load.now;
  if (call && call->asked && length > at)
    ppp_input(&call->ppp, data + at, length - at);
}

/* ---- time ---- */

static void tunnel_tick(Tunnel *t) {
  if (t->resend && load.now >= t->resend && t->queued) {
    if (++t->tries > RESENDS) {
      tunnel_lost(t, "the server does not answer");
      return;
    }
    for (unsigned i = 0; i < t->queued; i++)
      load_send(t, &t->queue[i]);
    t->resend = load.now + RESEND_AFTER * (t->tries < 2 ? 1 : 2);
  }
  if (t->state == OPEN && load.hello && load.now - t->last_heard > load.hello && t->queued == 0) {
    Message *m = load_message(t, HELLO, 0);
    load_send(t, m);
  }
  if (t->state == OPENING && load.now > t->deadline) {
    tunnel_lost(t, "the server does not answer the SCCRQ");
    return;
  }
  for (unsigned i = 0; i < t->n_calls; i++) {
    Call *call = &t->calls[i];
    if (call->asked && call->peer == 0 && load.now > call->deadline)
      load_failed(&call->ppp, "the server does not answer the ICRQ");
    else if (call->asked && call->ppp.deadline != 0)
      ppp_tick(&call->ppp);
    if (call->pings && load.now >= call->next_ping)
      load_ping(call);
  }
}

/* Sessions that are up now, and no others, begin to ping: the sender of SIGUSR1 has seen that the server has its routes. */
static void start_pings(void) {
  ping_now = 0;
  for (unsigned i = 0; i < load.n_tunnels; i++)
    for (unsigned c = 0; c < load.tunnels[i].n_calls; c++)
      if (load.tunnels[i].calls[c].up) {
        load.tunnels[i].calls[c].pings = load.pings;
        load.tunnels[i].calls[c].next_ping = load.now;
      }
}

/* Opens what is not open, within the window of sessions that are on their way. */
static void start_some(void) {
  for (unsigned i = 0; i < load.n_tunnels && load.n_starting < load.window; i++) {
    Tunnel *t = &load.tunnels[i];
    if (t->retry && load.now < t->retry)
      continue;
    if (t->state == IDLE && t->retry) {
      tunnel_open(t);
      load.n_starting++; /* a tunnel on its way counts too, until it stands */
    } else if (t->state == OPEN) {
      for (unsigned c = 0; c < t->n_calls && load.n_starting < load.window && t->queued < QUEUE - 2; c++)
        if (t->calls[c].peer && !t->calls[c].connected)
          call_connect(&t->calls[c]);
        else if (!t->calls[c].asked && !t->calls[c].given_up)
          call_open(&t->calls[c]);
    }
  }
}

static void recount(void) {
  load.n_starting = 0;
  for (unsigned i = 0; i < load.n_tunnels; i++) {
    load.n_starting += load.tunnels[i].state == OPENING;
    for (unsigned c = 0; c < load.tunnels[i].n_calls; c++)
      load.n_starting += load.tunnels[i].calls[c].asked && !load.tunnels[i].calls[c].up;
  }
}

static void stop_all(void) {
  for (unsigned i = 0; i < load.n_tunnels; i++) {
    Tunnel *t = &load.tunnels[i];
    t->queued = 0;
    if (t->state != OPEN)
      continue;
    Message *m = load_message(t, STOPCCN, 0);
    load_add16(m, AVP_TUNNEL, t->id);
    load_add16(m, AVP_RESULT, 6);
    load_send(t, m);
  }
}

void load_run(struct pollfd *fds, unsigned n_fds) {
  static uint8_t data[4096];
  double swept = 0;
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  signal(SIGUSR1, on_signal);
  read_clock();
  load.started = load.told = load.now;
  load.next_id = (uint16_t)load_random();
  while (!stopping) {
    (void)poll(fds, n_fds, load.all_up ? 100 : 5);
    read_clock();
    for (unsigned i = 0; i < n_fds; i++)
      for (int budget = 0; budget < 256; budget++) {
        ssize_t n = recv(fds[i].fd, data, sizeof data, MSG_DONTWAIT);
        if (n <= 0 && errno != ECONNREFUSED)
          break;
        if (n > 0)
          datagram(fds[i].fd, data, (size_t)n);
      }
    if (ping_now)
      start_pings();
    if (load.now - swept > 0.1) {
      for (unsigned i = 0; i < load.n_tunnels; i++)
        tunnel_tick(&load.tunnels[i]);
      recount();
      swept = load.now;
    }
    if (!load.all_up)
      start_some();
    load_tell_pings();
    if (load.now - load.told > 1 && !load.all_up) {
      tell("up", NULL);
      load.told = load.now;
    }
  }
  stop_all();
}
