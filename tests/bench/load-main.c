/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The load generator's command line and sockets. */
#include "load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct sockaddr_storage load_server;
socklen_t load_server_length;

static int open_socket(const char *from) {
  struct sockaddr_storage local = {.ss_family = load_server.ss_family};
  struct sockaddr_in *in4 = (struct sockaddr_in *)&local;
  int size = 8 << 20;
  int fd = socket(load_server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (from && load_server.ss_family == AF_INET && inet_pton(AF_INET, from, &in4->sin_addr) != 1)
    return -1;
  if (fd < 0 || bind(fd, (struct sockaddr *)&local, load_server_length) < 0) {
    perror("load: socket");
    return -1;
  }
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

static void make_tunnels(const struct pollfd *fds, unsigned n_fds) {
  load.n_tunnels = (load.sessions + load.per_tunnel - 1) / load.per_tunnel;
  load.tunnels = calloc(load.n_tunnels, sizeof *load.tunnels);
  if (!load.tunnels)
    abort();
  for (unsigned i = 0, left = load.sessions; i < load.n_tunnels; i++) {
    Tunnel *t = &load.tunnels[i];
    t->state = IDLE;
    t->fd = fds[i % n_fds].fd;
    t->n_calls = left < load.per_tunnel ? left : load.per_tunnel;
    left -= t->n_calls;
    t->calls = calloc(t->n_calls, sizeof *t->calls);
    if (!t->calls)
      abort();
    for (unsigned c = 0; c < t->n_calls; c++)
      t->calls[c] = (Call){.tunnel = t, .id = (uint16_t)(c + 1)};
    t->retry = 0.001;
  }
}

static bool choose_method(const char *name) {
  static const struct {
    const char *name;
    uint16_t protocol;
    uint8_t algorithm;
  } methods[] = {{"pap", 0xc023, 0}, {"chap", 0xc223, 0x05}, {"mschap2", 0xc223, 0x81}};
  for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(methods[i].name, name) == 0) {
      load.protocol = methods[i].protocol;
      load.algorithm = methods[i].algorithm;
      return true;
    }
  return false;
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"to", required_argument, NULL, 't'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"from", required_argument, NULL, 'f'},
                                          {"sessions", required_argument, NULL, 'n'},
                                          {"per-tunnel", required_argument, NULL, 'c'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"password", required_argument, NULL, 'w'},
                                          {"window", required_argument, NULL, 'i'},
                                          {"hello", required_argument, NULL, 'h'},
                                          {"redial", no_argument, NULL, 'r'},
                                          {"rate", required_argument, NULL, 'a'},
                                          {"pings", required_argument, NULL, 'g'},
                                          {"ping-size", required_argument, NULL, 's'},
                                          {"ping-every", required_argument, NULL, 'e'},
                                          {"group", required_argument, NULL, 'G'},
                                          {"method", required_argument, NULL, 'm'},
                                          {"guess", no_argument, NULL, 'x'},
                                          {0}};
  struct sockaddr_in *in4 = (struct sockaddr_in *)&load_server;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&load_server;
  const char *from[64] = {NULL}, *to = "";
  struct pollfd fds[64];
  unsigned n_from = 0, n_fds = 0;
  uint16_t port = 1701;
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    switch (option) {
    case 't':
      to = optarg;
      break;
    case 'p':
      port = (uint16_t)atoi(optarg);
      break;
    case 'f':
      if (n_from < 64)
        from[n_from++] = optarg;
      break;
    case 'n':
      load.sessions = (unsigned)atoi(optarg);
      break;
    case 'c':
      load.per_tunnel = (unsigned)atoi(optarg);
      break;
    case 'u':
      load.user = optarg;
      break;
    case 'w':
      load.password = optarg;
      break;
    case 'i':
      load.window = (unsigned)atoi(optarg);
      break;
    case 'h':
      load.hello = (unsigned)atoi(optarg);
      break;
    case 'r':
      load.redial = true;
      break;
    case 'a':
      load.rate = (unsigned)atoi(optarg);
      break;
    case 'g':
      load.pings = (unsigned)atoi(optarg);
      break;
    case 's':
      load.ping_size = (unsigned)atoi(optarg);
      break;
    case 'e':
      load.ping_every = atof(optarg);
      break;
    case 'G':
      load.group = optarg;
      break;
    case 'm':
      if (!choose_method(optarg))
        return 2;
      break;
    case 'x':
      load.guess = load.redial = true;
      break;
    default:
      fprintf(stderr,
              "load --to ADDRESS [--port N] [--from ADDRESS]... --sessions N [--per-tunnel N] [--user PATTERN] [--password PATTERN]\n"
              "     [--window N] [--hello SECONDS] [--redial] [--rate N] [--pings N] [--ping-size OCTETS] [--ping-every SECONDS]\n"
              "     [--group TEXT] [--method pap|chap|mschap2] [--guess]\n"
              "%%u in a pattern is the session's number. --rate: sessions begun in a second. --pings: upon SIGUSR1 each session\n"
              "that is up sends so many to the server's inside address, packets of --ping-size with their IPv4 header. --group: Private "
              "Group ID.\n"
              "--guess: a session that is refused is tried again at once, and %%u is the number of the try.\n");
      return 2;
    }
  }
  if (inet_pton(AF_INET, to, &in4->sin_addr) == 1) {
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
    load_server_length = sizeof *in4;
  } else if (inet_pton(AF_INET6, to, &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    load_server_length = sizeof *in6;
  }
  if (!load_server_length || load.sessions < 1 || load.per_tunnel < 1 || load.per_tunnel > 65535 || load.ping_size < 28 ||
      load.ping_size > PING_MAX || (load.group && strlen(load.group) > 64))
    return 2;
  do {
    fds[n_fds] = (struct pollfd){.fd = open_socket(from[n_fds]), .events = POLLIN};
    if (fds[n_fds].fd < 0)
      return 1;
  } while (++n_fds < n_from);
  make_tunnels(fds, n_fds);
  load_run(fds, n_fds);
  for (unsigned i = 0; i < load.n_tunnels; i++)
    free(load.tunnels[i].calls);
  free(load.tunnels);
  return 0;
}
