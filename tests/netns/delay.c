/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * A long way to a UDP server: forwards datagrams both ways, each after half a round trip. Each of its clients has a socket, and
 * so a port, of its own towards the server. For tests on kernels without netem.
 *
 * delay --listen ADDRESS:PORT --to ADDRESS:PORT --round-trip MILLISECONDS; says "ready" when it is.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define CLIENTS_MAX  256
#define QUEUE_MAX    8192
#define DATAGRAM_MAX 2048

typedef struct {
  double due;
  unsigned client;
  int back; /* from the server to the client */
  size_t length;
  uint8_t data[DATAGRAM_MAX];
} Waiting;

static struct sockaddr_in listen_at, server, clients[CLIENTS_MAX];
static struct pollfd fds[1 + CLIENTS_MAX]; /* ours, then one for each client */
static unsigned n_clients;
static Waiting queue[QUEUE_MAX]; /* in order: all wait equally long */
static unsigned head, tail;
static double half;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int parse_endpoint(char *text, struct sockaddr_in *at) {
  char *colon = strchr(text, ':');
  if (!colon)
    return -1;
  *colon = '\0';
  *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
  return inet_pton(AF_INET, text, &at->sin_addr) == 1 ? 0 : -1;
}

/* Bursts wait in the socket while this process does not run. */
static int open_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), octets = 8 << 20;
  if (fd >= 0)
    (void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  return fd;
}

/* The number of a client, new ones included; the oldest makes place. */
static unsigned client_of(const struct sockaddr_in *from) {
  for (unsigned i = 0; i < CLIENTS_MAX && i < n_clients; i++)
    if (clients[i].sin_port == from->sin_port && clients[i].sin_addr.s_addr == from->sin_addr.s_addr)
      return i;
  unsigned at = n_clients < CLIENTS_MAX ? n_clients : n_clients % CLIENTS_MAX;
  n_clients++;
  clients[at] = *from;
  if (!fds[1 + at].fd)
    fds[1 + at] = (struct pollfd){.fd = open_socket(), .events = POLLIN};
  if (fds[1 + at].fd < 0 || connect(fds[1 + at].fd, (struct sockaddr *)&server, sizeof server) < 0) {
    perror("delay: socket");
    exit(1);
  }
  return at;
}

static void receive_all(unsigned index) {
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  while (head - tail < QUEUE_MAX) {
    Waiting *w = &queue[head % QUEUE_MAX];
    ssize_t n = recvfrom(fds[index].fd, w->data, sizeof w->data, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (n < 0)
      return;
    w->length = (size_t)n;
    w->back = index > 0;
    w->client = index > 0 ? index - 1 : client_of(&from);
    w->due = now() + half;
    head++;
  }
}

static void send_due(void) {
  for (; tail != head && queue[tail % QUEUE_MAX].due <= now(); tail++) {
    const Waiting *w = &queue[tail % QUEUE_MAX];
    if (w->back)
      (void)!sendto(fds[0].fd, w->data, w->length, 0, (const struct sockaddr *)&clients[w->client], sizeof clients[0]);
    else
      (void)!send(fds[1 + w->client].fd, w->data, w->length, 0);
  }
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"listen", required_argument, NULL, 'l'}, {"to", required_argument, NULL, 't'}, {"round-trip", required_argument, NULL, 'r'}, {0}};
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'l' && parse_endpoint(optarg, &listen_at) == 0)
      continue;
    if (option == 't' && parse_endpoint(optarg, &server) == 0)
      continue;
    if (option != 'r')
      return 2;
    half = atof(optarg) / 2000;
  }
  fds[0] = (struct pollfd){.fd = open_socket(), .events = POLLIN};
  if (!listen_at.sin_port || !server.sin_port || fds[0].fd < 0 || bind(fds[0].fd, (struct sockaddr *)&listen_at, sizeof listen_at) < 0) {
    perror("delay");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    unsigned n = 1 + (n_clients < CLIENTS_MAX ? n_clients : CLIENTS_MAX);
    double wait = tail == head ? 1 : queue[tail % QUEUE_MAX].due - now();
    struct timespec t = {.tv_nsec = wait <= 0 ? 0 : wait >= 1 ? 999999999 : (long)(wait * 1e9)};
    if (ppoll(fds, n, &t, NULL) > 0)
      for (unsigned i = 0; i < n; i++)
        if (fds[i].revents)
          receive_all(i);
    send_due();
  }
}
