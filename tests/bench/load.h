/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * The load generator: load.c speaks L2TP for many tunnels and calls, load-ppp.c speaks just enough PPP to be an authenticated
 * user with an address, load-ping.c has traffic, load-main.c is the command line. Written apart from adit's engines, so that it is a second
 * opinion on the wire too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum {
  PPP_LCP = 1, /* negotiating LCP */
  PPP_AUTH,    /* the server asks who we are */
  PPP_IPCP,
  PPP_UP,
  PPP_DEAD,
} PppState;

typedef struct Ppp {
  PppState state;
  bool lcp_ours, lcp_theirs; /* our request is acknowledged; we acknowledged theirs */
  bool ip_ours, ip_theirs;
  bool bare; /* the server did not like our LCP options: none */
  uint8_t id, reject_id, tries;
  uint32_t magic;
  uint8_t address[4], peer_address[4];
  uint8_t nt_response[24], authenticator[20]; /* what the server must prove that it knows (RFC 2759 8.7) */
  double deadline;                            /* of resending; 0 = none */
} Ppp;

/* What PPP asks of L2TP; `call` is the one that owns the Ppp. */
void load_send_frame(Ppp *ppp, uint16_t protocol, const uint8_t *data, size_t length);
void load_up(Ppp *ppp);
void load_failed(Ppp *ppp, const char *why);
const char *load_user(const Ppp *ppp);
const char *load_password(const Ppp *ppp);
double load_now(void);
uint32_t load_random(void);

void ppp_start(Ppp *ppp);
void ppp_input(Ppp *ppp, const uint8_t *frame, size_t length);
void ppp_tick(Ppp *ppp);

/* ---- L2TP: load-message.c writes, numbers and repeats control messages ---- */

#define QUEUE        8 /* unacknowledged control messages of a tunnel; also its send window */
#define MESSAGE_MAX  256
#define RESEND_AFTER 1.0

enum { SCCRQ = 1, SCCRP, SCCCN, STOPCCN, HELLO = 6, ICRQ = 10, ICRP, ICCN, CDN = 14 };
enum {
  AVP_RESULT = 1,
  AVP_VERSION,
  AVP_FRAMING,
  AVP_HOST = 7,
  AVP_TUNNEL = 9,
  AVP_WINDOW,
  AVP_SESSION = 14,
  AVP_SERIAL,
  AVP_SPEED = 24,
  AVP_FRAMED = 19,
  AVP_GROUP = 37
};

typedef enum { IDLE = 1, OPENING, OPEN } TunnelState;

struct Tunnel;
typedef struct {
  Ppp ppp; /* first: a Ppp is its Call */
  struct Tunnel *tunnel;
  uint16_t id, peer; /* peer 0 = no call */
  double deadline;   /* until when an asked call must be answered */
  double begun, next_ping;
  unsigned pings; /* still to be sent */
  unsigned guess; /* --guess: the number of this try */
  bool asked, connected, up, given_up;
} Call;

typedef struct {
  uint8_t data[MESSAGE_MAX];
  uint16_t length, ns;
} Message;

typedef struct Tunnel {
  TunnelState state;
  uint16_t id, peer, ns, nr;
  int fd;
  unsigned queued, tries;
  Message queue[QUEUE];
  double resend, retry, last_heard;
  double deadline; /* until when an OPENING tunnel must stand */
  Call *calls;
  unsigned n_calls;
} Tunnel;

/* What is wanted, and how far it is. */
typedef struct {
  const char *user, *password, *group;
  unsigned sessions, per_tunnel, window, hello, rate, pings, ping_size;
  double ping_every;
  bool redial, guess;
  uint16_t protocol; /* of authentication */
  uint8_t algorithm;
  Tunnel *tunnels;
  unsigned n_tunnels, n_up, n_starting, n_begun, n_failed;
  uint64_t n_pings, n_answers, told_pings;
  Tunnel *by_id[65536];
  uint16_t next_id;
  double now, started, told;
  double slowest; /* from ICRQ to IPCP open, seconds */
  bool all_up;
} Load;

extern Load load;
extern struct sockaddr_storage load_server;
extern socklen_t load_server_length;

static inline unsigned get16(const uint8_t *at) {
  return (unsigned)at[0] << 8 | at[1];
}

static inline void put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

/* A new message at the end of the tunnel's queue; NULL when that is full. */
Message *load_message(Tunnel *t, uint16_t type, uint16_t session);
void load_add(Message *m, uint16_t type, const void *value, size_t length);
void load_add16(Message *m, uint16_t type, unsigned value);
void load_add32(Message *m, uint16_t type, uint32_t value);
void load_send(Tunnel *t, Message *m);
void load_ack(const Tunnel *t);
/* Acknowledges a repeated StopCCN of a tunnel that is forgotten (RFC 2661 5.7): the message itself has all values that this needs. */
void load_ack_stopccn(int fd, const uint8_t *data, size_t length);
/* The peer has everything before `nr`. */
void load_acknowledged(Tunnel *t, uint16_t nr);
/* The first two octets of an AVP's value as a number; 0 when it is not there. */
unsigned load_find_avp(const uint8_t *data, size_t length, uint16_t type);
void load_send_octets(const Tunnel *t, const uint8_t *data, size_t length);

/* Until a signal to end; then says StopCCN to all. */
struct pollfd;
void load_run(struct pollfd *fds, unsigned n_fds);

/* ---- traffic ---- */

#define PING_MAX 480 /* octets of a ping, IPv4 header included */

void load_ping(Call *call);
void load_data(const Ppp *ppp, unsigned protocol, const uint8_t *packet, size_t length);
/* Says {"event": "pinged"} when all that was to be sent is sent and answered. */
void load_tell_pings(void);
