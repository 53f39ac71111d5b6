/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * A stranger, at one address or at many of one network, that takes from an L2TP server all that can be had without a password: complete
 * tunnels, calls in them that never speak LCP and are redialled, and control messages far ahead of their turn. Everything is acknowledged
 * and repeated as a peer should, so that the server has no reason to give it up.
 *
 * stranger --to ADDRESS [--from ADDRESS/LENGTH] [--tunnels N] [--ports N] [--rate TUNNELS-A-SECOND] [--calls N] [--park N] --seconds N
 *
 * With --from (IPv6) each port has an address of its own, the next one in another prefix of that length: 128 for neighbours.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 128
#define PARK_OCTETS 4062
#define RESEND      1.0

enum { SCCRQ = 1, SCCRP, SCCCN, STOPCCN, HELLO = 6, ICRQ = 10, ICRP, ICCN, CDN = 14 };
enum {
  AVP_TYPE,
  AVP_VERSION = 2,
  AVP_FRAMING,
  AVP_HOST = 7,
  AVP_TUNNEL = 9,
  AVP_WINDOW,
  AVP_SESSION = 14,
  AVP_SERIAL,
  AVP_SPEED = 24,
  AVP_FRAMED = 19
};

typedef struct {
  uint16_t peer, ns, nr, serial, connect; /* connect: the session that an ICCN is owed to; 0 = none */
  unsigned calls;                         /* that the server has not cleared */
  uint8_t message[MESSAGE_MAX];           /* the one that is not acknowledged */
  uint8_t length;                         /* 0 = all is acknowledged */
  bool up;
  double resend;
} Tunnel;

static struct {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } to, from; /* from: of the first port */
  unsigned from_length;
  unsigned n_tunnels, n_ports, rate, calls, park, seconds, begun;
  Tunnel *tunnels;
  struct pollfd *ports;
  unsigned long long up, answered, connected, cleared, stopped;
} s = {.n_tunnels = 8, .n_ports = 1, .rate = 1000, .seconds = 10};

static volatile sig_atomic_t over;

static void on_signal(int number) {
  over = number;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned get16(const uint8_t *at) {
  return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static size_t put_avp(uint8_t *at, unsigned type, const void *value, size_t length) {
  put16(at, 0x8000 | (unsigned)(6 + length));
  put16(at + 2, 0);
  put16(at + 4, type);
  memcpy(at + 6, value, length);
  return 6 + length;
}

static size_t put_avp16(uint8_t *at, unsigned type, unsigned value) {
  uint8_t octets[2];
  put16(octets, value);
  return put_avp(at, type, octets, 2);
}

static size_t put_avp32(uint8_t *at, unsigned type, uint32_t value) {
  uint32_t octets = htonl(value);
  return put_avp(at, type, &octets, 4);
}

static void send_octets(const Tunnel *t, const uint8_t *data, size_t length) {
  int fd = s.ports[(unsigned)(t - s.tunnels) % s.n_ports].fd;
  while (sendto(fd, data, length, 0, &s.to.any, sizeof s.to) < 0 && errno == EINTR)
    ;
}

static void put_header(const Tunnel *t, uint8_t *data, size_t length, unsigned session, unsigned ns) {
  put16(data, 0xc802);
  put16(data + 2, (unsigned)length);
  put16(data + 4, t->peer);
  put16(data + 6, session);
  put16(data + 8, ns);
  put16(data + 10, t->nr);
}

static void send_zlb(const Tunnel *t) {
  uint8_t data[12];
  put_header(t, data, sizeof data, 0, (uint16_t)(t->ns + (t->length ? 1 : 0)));
  send_octets(t, data, sizeof data);
}

/* The one message that is on its way; t->ns is its number until it is acknowledged. */
static void send_message(Tunnel *t, unsigned type, unsigned session) {
  uint8_t *m = t->message;
  size_t n = 12;
  n += put_avp16(m + n, AVP_TYPE, type);
  if (type == SCCRQ) {
    n += put_avp16(m + n, AVP_VERSION, 0x0100);
    n += put_avp(m + n, AVP_HOST, "stranger", 8);
    n += put_avp32(m + n, AVP_FRAMING, 3);
    n += put_avp16(m + n, AVP_TUNNEL, (unsigned)(t - s.tunnels) + 1);
    n += put_avp16(m + n, AVP_WINDOW, 16);
  } else if (type == ICRQ) {
    n += put_avp16(m + n, AVP_SESSION, ++t->serial ? t->serial : ++t->serial);
    n += put_avp32(m + n, AVP_SERIAL, t->serial);
  } else if (type == ICCN) {
    n += put_avp32(m + n, AVP_SPEED, 1000000);
    n += put_avp32(m + n, AVP_FRAMED, 1);
  }
  put_header(t, m, n, session, t->ns);
  t->length = (uint8_t)n;
  t->resend = now() + RESEND;
  send_octets(t, m, n);
}

static void open_tunnel(Tunnel *t) {
  *t = (Tunnel){.serial = t->serial};
  send_message(t, SCCRQ, 0);
}

/* Messages of the window's length ahead, which the server may keep until their turn comes: it never does. */
static void park_messages(const Tunnel *t) {
  static uint8_t data[PARK_OCTETS];
  for (unsigned i = 0; i < s.park; i++) {
    size_t n = 12 + put_avp16(data + 12, AVP_TYPE, HELLO);
    while (n + 6 <= sizeof data) { /* AVPs of a vendor that nobody knows */
      size_t length = sizeof data - n < 1000 ? sizeof data - n : 1000;
      put16(data + n, (unsigned)length);
      put16(data + n + 2, 4711);
      n += length;
    }
    put_header(t, data, n, 0, (uint16_t)(t->ns + 2 + i));
    send_octets(t, data, n);
  }
}

/* What comes next, when nothing is on its way. */
static void go_on(Tunnel *t) {
  if (t->length || !t->peer)
    return;
  if (!t->up) {
    t->up = true;
    s.up++;
    if (s.park)
      park_messages(t);
  }
  if (t->connect) {
    send_message(t, ICCN, t->connect);
    t->connect = 0;
    s.connected++;
  } else if (t->calls < s.calls) {
    t->calls++;
    send_message(t, ICRQ, 0);
  }
}

static void handle_message(Tunnel *t, unsigned type, unsigned id) {
  switch (type) {
  case SCCRP:
    t->peer = (uint16_t)id;
    send_message(t, SCCCN, 0);
    break;
  case ICRP:
    s.answered++;
    t->connect = (uint16_t)id;
    break;
  case CDN:
    s.cleared++;
    if (t->calls)
      t->calls--;
    break;
  case STOPCCN:
    s.stopped++;
    open_tunnel(t);
    break;
  default:
    break;
  }
}

static void handle_datagram(const uint8_t *data, size_t length) {
  if (length < 12 || !(data[0] & 0x80) || get16(data + 2) > length)
    return;
  unsigned number = get16(data + 4), ns = get16(data + 8), nr = get16(data + 10), type = 0, id = 0;
  if (number < 1 || number > s.n_tunnels)
    return;
  Tunnel *t = &s.tunnels[number - 1];
  if (t->length && nr == (uint16_t)(t->ns + 1)) {
    t->ns++;
    t->length = 0;
  }
  for (size_t n = 12; n + 6 <= get16(data + 2);) {
    unsigned size = get16(data + n) & 0x3ff, avp = get16(data + n + 4);
    if (size < 6 || n + size > length)
      return;
    if (size == 8 && avp == AVP_TYPE)
      type = get16(data + n + 6);
    else if (size == 8 && (avp == AVP_TUNNEL || avp == AVP_SESSION))
      id = get16(data + n + 6);
    n += size;
  }
  if (type && ns == t->nr) {
    t->nr++;
    handle_message(t, type, id);
  }
  if (type && t->nr)
    send_zlb(t);
  go_on(t);
}

static void receive_all(int fd) {
  static uint8_t data[65536];
  ssize_t n;
  while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) >= 0)
    handle_datagram(data, (size_t)n);
}

static void run(void) {
  double started = now(), swept = started;
  while (!over && now() < started + s.seconds) {
    unsigned due = (unsigned)((now() - started) * s.rate);
    for (; s.begun < s.n_tunnels && s.begun < due; s.begun++)
      open_tunnel(&s.tunnels[s.begun]);
    if (poll(s.ports, s.n_ports, 5) > 0)
      for (unsigned i = 0; i < s.n_ports; i++)
        if (s.ports[i].revents)
          receive_all(s.ports[i].fd);
    if (now() < swept + 0.1)
      continue;
    swept = now();
    for (unsigned i = 0; i < s.begun; i++)
      if (s.tunnels[i].length && s.tunnels[i].resend < swept) {
        s.tunnels[i].resend = swept + RESEND;
        put16(s.tunnels[i].message + 10, s.tunnels[i].nr);
        send_octets(&s.tunnels[i], s.tunnels[i].message, s.tunnels[i].length);
      }
  }
  printf("{\"up\": %llu, \"answered\": %llu, \"connected\": %llu, \"cleared\": %llu, \"stopped\": %llu}\n", s.up, s.answered, s.connected,
         s.cleared, s.stopped);
}

/* Adds `number` to the first `length` bits. */
static void add_to_prefix(uint8_t address[16], unsigned length, unsigned number) {
  uint64_t carry = (uint64_t)number << (7 - (length - 1) % 8);
  for (unsigned at = (length + 7) / 8; at-- > 0 && carry; carry >>= 8) {
    carry += address[at];
    address[at] = (uint8_t)carry;
  }
}

static int bind_port(int fd, unsigned number) {
  struct sockaddr_in6 own = s.from.v6;
  if (!s.from_length)
    return 0; /* the kernel chooses */
  add_to_prefix(own.sin6_addr.s6_addr, s.from_length, number);
  return bind(fd, (const struct sockaddr *)&own, sizeof own);
}

static bool parse_from(char *text) {
  char *slash = strchr(text, '/');
  if (!slash)
    return false;
  *slash = '\0';
  s.from.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
  s.from_length = (unsigned)atoi(slash + 1);
  return inet_pton(AF_INET6, text, &s.from.v6.sin6_addr) == 1 && s.from_length >= 1 && s.from_length <= 128;
}

static bool parse_to(const char *text) {
  s.to.any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
  return inet_pton(s.to.any.sa_family, text, s.to.any.sa_family == AF_INET ? (void *)&s.to.v4.sin_addr : &s.to.v6.sin6_addr) == 1;
}

static int open_ports(void) {
  s.ports = calloc(s.n_ports, sizeof *s.ports);
  s.tunnels = calloc(s.n_tunnels, sizeof *s.tunnels);
  for (unsigned i = 0; s.ports && s.tunnels && i < s.n_ports; i++) {
    int size = 4 << 20;
    s.ports[i] = (struct pollfd){.fd = socket(s.to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
    if (s.ports[i].fd < 0 || bind_port(s.ports[i].fd, i) < 0) {
      perror("stranger: socket");
      return -1;
    }
    (void)setsockopt(s.ports[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  }
  return s.ports && s.tunnels ? 0 : -1;
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"to", required_argument, NULL, 't'},      {"from", required_argument, NULL, 'f'},
                                          {"port", required_argument, NULL, 'p'},    {"tunnels", required_argument, NULL, 'n'},
                                          {"ports", required_argument, NULL, 'o'},   {"rate", required_argument, NULL, 'r'},
                                          {"calls", required_argument, NULL, 'c'},   {"park", required_argument, NULL, 'k'},
                                          {"seconds", required_argument, NULL, 's'}, {0}};
  int option;
  s.to.v4.sin_port = htons(1701); /* where IPv6 has it, too */
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    unsigned value = option == 't' || option == 'f' || !optarg ? 0 : (unsigned)atoi(optarg);
    switch (option) {
    case 't':
      if (!parse_to(optarg))
        return 2;
      break;
    case 'f':
      if (!parse_from(optarg))
        return 2;
      break;
    case 'p':
      s.to.v4.sin_port = htons((uint16_t)value);
      break;
    case 'n':
      s.n_tunnels = value;
      break;
    case 'o':
      s.n_ports = value;
      break;
    case 'r':
      s.rate = value;
      break;
    case 'c':
      s.calls = value;
      break;
    case 'k':
      s.park = value;
      break;
    case 's':
      s.seconds = value;
      break;
    default:
      fprintf(stderr, "stranger --to ADDRESS [--from ADDRESS/LENGTH] [--port N] [--tunnels N] [--ports N] [--rate N] [--calls N] [--park "
                      "N] [--seconds N]\n");
      return 2;
    }
  }
  if (!s.to.any.sa_family || (s.from_length && s.to.any.sa_family != AF_INET6) || s.n_tunnels < 1 || s.n_tunnels > 65535 || s.n_ports < 1 ||
      s.n_ports > 1024)
    return 2;
  signal(SIGTERM, on_signal);
  if (open_ports() < 0)
    return 1;
  run();
  return 0;
}
