/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * Floods an L2TP server from addresses that change with each datagram: junk, truncated messages and valid SCCRQs, in turn; or
 * (--kind ids) well-formed Hellos of tunnels with random ids, or (--kind requests) valid SCCRQs alone.
 * For tests in a network namespace of their own, where the sources' prefix is routed here and leads nowhere.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH        64
#define DATAGRAM_MAX 512

typedef struct {
  struct iphdr ip;
  struct udphdr udp;
  uint8_t data[DATAGRAM_MAX];
} __attribute__((packed)) Packet;

typedef struct {
  struct in_addr to;
  uint16_t port;
  uint32_t source, source_mask; /* host order */
  uint64_t count, rate;         /* rate in datagrams a second; 0 = as fast as it goes */
  uint64_t state;
  int ids;      /* Hellos with random tunnel ids alone */
  int requests; /* SCCRQs alone */
} Flood;

static uint64_t next_random(Flood *f) {
  f->state ^= f->state << 13;
  f->state ^= f->state >> 7;
  f->state ^= f->state << 17;
  return f->state;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return 2;
}

static size_t put_avp(uint8_t *at, unsigned type, const void *value, size_t length) {
  put16(at, 0x8000 | (unsigned)(6 + length));
  put16(at + 2, 0);
  put16(at + 4, type);
  memcpy(at + 6, value, length);
  return 6 + length;
}

/* A valid SCCRQ (RFC 2661 6.1) with a tunnel id of its own. */
static size_t write_sccrq(Flood *f, uint8_t *data) {
  uint64_t r = next_random(f);
  uint8_t id[2] = {(uint8_t)(r >> 8) | 1, (uint8_t)r};
  char name[24];
  size_t n = 12;
  snprintf(name, sizeof name, "flood-%08x", (unsigned)(r >> 16));
  n += put_avp(data + n, 0, "\x00\x01", 2);
  n += put_avp(data + n, 2, "\x01\x00", 2);
  n += put_avp(data + n, 7, name, strlen(name));
  n += put_avp(data + n, 3, "\x00\x00\x00\x03", 4);
  n += put_avp(data + n, 9, id, 2);
  n += put_avp(data + n, 10, "\x00\x04", 2);
  memset(data, 0, 12);
  put16(data, 0xc802);
  put16(data + 2, (unsigned)n);
  return n;
}

/* A Hello (RFC 2661 6.5) of any tunnel but none. */
static size_t write_hello(Flood *f, uint8_t *data) {
  uint64_t r = next_random(f);
  memset(data, 0, 12);
  put16(data, 0xc802);
  put16(data + 2, 20);
  put16(data + 4, 1 + (unsigned)(r % 65535));
  put16(data + 8, (unsigned)(r >> 16) & 0xffff);
  put16(data + 10, (unsigned)(r >> 32) & 0xffff);
  return 12 + put_avp(data + 12, 0, "\x00\x06", 2);
}

static size_t write_datagram(Flood *f, uint64_t number, uint8_t *data) {
  uint64_t r;
  size_t n;
  switch (f->requests ? 1 : number % 4) {
  case 0: /* noise */
    n = next_random(f) % (DATAGRAM_MAX - 8);
    for (size_t i = 0; i < n; i += 8) {
      r = next_random(f);
      memcpy(data + i, &r, 8);
    }
    return n;
  case 1:
    return write_sccrq(f, data);
  case 2: /* an SCCRQ with one octet changed, or cut */
    n = write_sccrq(f, data);
    r = next_random(f);
    data[r % n] ^= (uint8_t)(r >> 32);
    return (r >> 40) % 2 ? n : 1 + (r >> 41) % n;
  default: /* data, or control of tunnels that are not there */
    r = next_random(f);
    n = 14 + r % 200;
    memset(data, (int)(r >> 8), n);
    put16(data, (r >> 16) % 2 ? 0x0002 : 0xc802);
    put16(data + 2, (r >> 17) % 2 ? (unsigned)n : (unsigned)(r >> 20) & 0xffff);
    return n;
  }
}

static size_t write_packet(Flood *f, uint64_t number, Packet *p) {
  size_t n = f->ids ? write_hello(f, p->data) : write_datagram(f, number, p->data);
  uint64_t r = next_random(f);
  memset(p, 0, sizeof p->ip + sizeof p->udp);
  p->ip.version = 4;
  p->ip.ihl = 5;
  p->ip.ttl = 64;
  p->ip.protocol = IPPROTO_UDP;
  p->ip.saddr = htonl(f->source | ((uint32_t)r & f->source_mask));
  p->ip.daddr = f->to.s_addr;
  p->ip.tot_len = htons((uint16_t)(sizeof p->ip + sizeof p->udp + n));
  p->udp.source = htons((uint16_t)(1024 + (r >> 32) % 60000));
  p->udp.dest = htons(f->port);
  p->udp.len = htons((uint16_t)(sizeof p->udp + n));
  return sizeof p->ip + sizeof p->udp + n;
}

static void pace(const Flood *f, double started, uint64_t sent) {
  if (f->rate == 0)
    return;
  double ahead = (double)sent / (double)f->rate - (now() - started);
  if (ahead > 0.001) {
    struct timespec t = {.tv_sec = (time_t)ahead, .tv_nsec = (long)((ahead - (double)(time_t)ahead) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
  }
}

static int flood(Flood *f) {
  static Packet packets[BATCH];
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = f->to};
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) {
    perror("flood: raw socket");
    return 1;
  }
  double started = now();
  uint64_t sent = 0, lost = 0;
  while (sent < f->count) {
    unsigned n = f->count - sent < BATCH ? (unsigned)(f->count - sent) : BATCH;
    memset(messages, 0, sizeof messages);
    for (unsigned i = 0; i < n; i++) {
      parts[i].iov_base = &packets[i];
      parts[i].iov_len = write_packet(f, sent + i, &packets[i]);
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &to;
      messages[i].msg_hdr.msg_namelen = sizeof to;
    }
    int done = sendmmsg(fd, messages, n, 0);
    if (done < 0 && errno != ENOBUFS && errno != EAGAIN) {
      perror("flood: send");
      return 1;
    }
    lost += n - (done > 0 ? (unsigned)done : 0);
    sent += n;
    pace(f, started, sent);
  }
  printf("{\"sent\": %llu, \"not_sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)(sent - lost), (unsigned long long)lost,
         now() - started);
  return 0;
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"to", required_argument, NULL, 't'},     {"port", required_argument, NULL, 'p'},
                                          {"source", required_argument, NULL, 's'}, {"count", required_argument, NULL, 'c'},
                                          {"rate", required_argument, NULL, 'r'},   {"seed", required_argument, NULL, 'e'},
                                          {"kind", required_argument, NULL, 'k'},   {0}};
  Flood f = {.port = 1701, .count = 1000000, .state = 0x9e3779b97f4a7c15, .source = 0xac100000, .source_mask = 0x000fffff};
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    char *slash;
    struct in_addr address;
    switch (option) {
    case 't':
      if (inet_pton(AF_INET, optarg, &f.to) != 1)
        return 2;
      break;
    case 'p':
      f.port = (uint16_t)atoi(optarg);
      break;
    case 's': /* A.B.C.D/LENGTH */
      slash = strchr(optarg, '/');
      if (slash)
        *slash = '\0';
      if (!slash || inet_pton(AF_INET, optarg, &address) != 1)
        return 2;
      f.source_mask = (uint32_t)(0xffffffffull >> atoi(slash + 1));
      f.source = ntohl(address.s_addr) & ~f.source_mask;
      break;
    case 'c':
      f.count = strtoull(optarg, NULL, 10);
      break;
    case 'r':
      f.rate = strtoull(optarg, NULL, 10);
      break;
    case 'e':
      f.state ^= strtoull(optarg, NULL, 10);
      break;
    case 'k':
      f.ids = !strcmp(optarg, "ids");
      f.requests = !strcmp(optarg, "requests");
      break;
    default:
      fprintf(stderr, "flood --to ADDRESS [--port N] [--source PREFIX] [--count N] [--rate N] [--seed N] [--kind ids|requests]\n");
      return 2;
    }
  }
  return f.to.s_addr ? flood(&f) : 2;
}
