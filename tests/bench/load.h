/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * The load generator's two halves: load.c speaks L2TP for many tunnels and calls, load-ppp.c speaks just enough PPP to be an
 * authenticated user with an address. Written apart from adit's engines, so that it is a second opinion on the wire too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
  uint8_t id, tries;
  uint32_t magic;
  uint8_t address[4];
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
