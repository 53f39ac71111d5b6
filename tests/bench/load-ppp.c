/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "load.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>

#define PACKET_MAX 256
#define TRIES_MAX  10

enum { LCP = 0xc021, PAP = 0xc023, CHAP = 0xc223, IPCP = 0x8021 };
enum { REQUEST = 1, ACK, NAK, REJECT, TERMINATE, TERMINATE_ACK, CODE_REJECT, PROTOCOL_REJECT, ECHO_REQUEST, ECHO_REPLY };

static void send_packet(Ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, const uint8_t *data, size_t length) {
  uint8_t packet[PACKET_MAX];
  if (length > sizeof packet - 4)
    length = sizeof packet - 4;
  packet[0] = code;
  packet[1] = id;
  packet[2] = (uint8_t)((length + 4) >> 8);
  packet[3] = (uint8_t)(length + 4);
  if (length)
    memcpy(packet + 4, data, length);
  load_send_frame(ppp, protocol, packet, length + 4);
}

/* ---- MS-CHAPv2 (RFC 2759) ---- */

static void nt_hash(const char *password, uint8_t out[16]) {
  struct md4_ctx md4;
  md4_init(&md4);
  for (const char *c = password; *c; c++) {
    uint8_t wide[2] = {(uint8_t)*c, 0};
    md4_update(&md4, 2, wide);
  }
  md4_digest(&md4, 16, out);
}

static void des_with_56_bits(const uint8_t key7[7], const uint8_t in[8], uint8_t out[8]) {
  uint8_t key[8];
  struct des_ctx des;
  for (int i = 0; i < 8; i++) {
    unsigned bits = (i ? (unsigned)key7[i - 1] << 8 : 0) | (i < 7 ? key7[i] : 0);
    key[i] = (uint8_t)(bits >> i) & 0xfe;
  }
  des_fix_parity(8, key, key);
  (void)des_set_key(&des, key); /* weak keys are as good as others here */
  des_encrypt(&des, 8, out, in);
}

static void sha1_of(uint8_t out[20], unsigned n, const void *const parts[], const size_t lengths[]) {
  struct sha1_ctx sha1;
  sha1_init(&sha1);
  for (unsigned i = 0; i < n; i++)
    sha1_update(&sha1, lengths[i], parts[i]);
  sha1_digest(&sha1, 20, out);
}

static void answer_challenge(Ppp *ppp, uint8_t id, const uint8_t challenge[16]) {
  static const char magic1[] = "Magic server to client signing constant", magic2[] = "Pad to make it do more than one iteration";
  const char *user = load_user(ppp);
  uint8_t hash[21] = {0}, hash_hash[16], digest[20], response[1 + 49 + 128];
  struct md4_ctx md4;
  for (int i = 0; i < 16; i += 4) {
    uint32_t r = load_random();
    memcpy(response + 1 + i, &r, 4);
  }
  nt_hash(load_password(ppp), hash);
  sha1_of(digest, 3, (const void *const[]){response + 1, challenge, user}, (const size_t[]){16, 16, strlen(user)});
  uint8_t challenge8[8];
  memcpy(challenge8, digest, 8);
  for (int i = 0; i < 3; i++)
    des_with_56_bits(hash + 7 * i, challenge8, ppp->nt_response + 8 * i);

  md4_init(&md4);
  md4_update(&md4, 16, hash);
  md4_digest(&md4, 16, hash_hash);
  sha1_of(digest, 3, (const void *const[]){hash_hash, ppp->nt_response, magic1}, (const size_t[]){16, 24, sizeof magic1 - 1});
  sha1_of(ppp->authenticator, 3, (const void *const[]){digest, challenge8, magic2}, (const size_t[]){20, 8, sizeof magic2 - 1});

  response[0] = 49;
  memset(response + 1 + 16, 0, 8);
  memcpy(response + 1 + 24, ppp->nt_response, 24);
  response[1 + 48] = 0;
  size_t n = strlen(user) > 127 ? 127 : strlen(user);
  memcpy(response + 50, user, n);
  send_packet(ppp, CHAP, 2, id, response, 50 + n);
}

static bool server_is_genuine(const Ppp *ppp, const uint8_t *text, size_t length) {
  char hex[41];
  for (int i = 0; i < 20; i++)
    snprintf(hex + 2 * i, 3, "%02X", ppp->authenticator[i]);
  return length >= 42 && memcmp(text, "S=", 2) == 0 && memcmp(text + 2, hex, 40) == 0;
}

/* ---- LCP, IPCP ---- */

static void request_lcp(Ppp *ppp) {
  uint8_t options[] = {1, 4, 1450 >> 8, 1450 & 0xff, 5, 6, 0, 0, 0, 0};
  memcpy(options + 6, &ppp->magic, 4);
  send_packet(ppp, LCP, REQUEST, ++ppp->id, options, ppp->bare ? 0 : sizeof options);
  ppp->deadline = load_now() + 3;
}

static void request_ip(Ppp *ppp) {
  uint8_t options[6] = {3, 6};
  memcpy(options + 2, ppp->address, 4);
  send_packet(ppp, IPCP, REQUEST, ++ppp->id, options, sizeof options);
  ppp->deadline = load_now() + 3;
}

/* RFC 1334 2.2.1 */
static void send_password(Ppp *ppp) {
  const char *user = load_user(ppp);
  size_t name = strlen(user) > 127 ? 127 : strlen(user);
  uint8_t body[2 * 128] = {(uint8_t)name};
  memcpy(body + 1, user, name);
  const char *password = load_password(ppp);
  size_t n = strlen(password) > 120 ? 120 : strlen(password);
  body[1 + name] = (uint8_t)n;
  memcpy(body + 2 + name, password, n);
  send_packet(ppp, PAP, 1, ++ppp->id, body, 2 + name + n);
}

/* RFC 1994 4.1 */
static void answer_md5(Ppp *ppp, uint8_t id, const uint8_t *challenge, size_t length) {
  const char *user = load_user(ppp), *password = load_password(ppp);
  uint8_t response[1 + 16 + 128] = {16};
  struct md5_ctx md5;
  md5_init(&md5);
  md5_update(&md5, 1, &id);
  md5_update(&md5, strlen(password), (const uint8_t *)password);
  md5_update(&md5, length, challenge);
  md5_digest(&md5, 16, response + 1);
  size_t n = strlen(user) > 127 ? 127 : strlen(user);
  memcpy(response + 17, user, n);
  send_packet(ppp, CHAP, 2, id, response, 17 + n);
}

static void lcp_maybe_open(Ppp *ppp) {
  if (ppp->state == PPP_LCP && ppp->lcp_ours && ppp->lcp_theirs) {
    ppp->state = PPP_AUTH;
    ppp->deadline = load_now() + 30;
    if (load.protocol == PAP)
      send_password(ppp);
  }
}

static bool is_our_method(const uint8_t *option) {
  return get16(option + 2) == load.protocol && option[1] == (load.protocol == PAP ? 4 : 5) &&
         (load.protocol == PAP || option[4] == load.algorithm);
}

static void answer_lcp_request(Ppp *ppp, uint8_t id, const uint8_t *data, size_t length) {
  for (size_t at = 0; at + 2 <= length && data[at + 1] >= 2 && at + data[at + 1] <= length; at += data[at + 1])
    if (data[at] == 3 && (data[at + 1] < 4 || !is_our_method(data + at))) {
      const uint8_t want[] = {3, load.protocol == PAP ? 4 : 5, (uint8_t)(load.protocol >> 8), (uint8_t)load.protocol, load.algorithm};
      send_packet(ppp, LCP, NAK, id, want, want[1]);
      return;
    }
  send_packet(ppp, LCP, ACK, id, data, length);
  ppp->lcp_theirs = true;
  lcp_maybe_open(ppp);
}

static void lcp_input(Ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t length) {
  uint8_t reply[PACKET_MAX];
  switch (code) {
  case REQUEST:
    answer_lcp_request(ppp, id, data, length);
    break;
  case ACK:
    if (id == ppp->id && ppp->state == PPP_LCP) {
      ppp->lcp_ours = true;
      lcp_maybe_open(ppp);
    }
    break;
  case NAK:
  case REJECT:
    ppp->bare = true;
    request_lcp(ppp);
    break;
  case TERMINATE:
    send_packet(ppp, LCP, TERMINATE_ACK, id, NULL, 0);
    load_failed(ppp, "terminated by the server");
    break;
  case ECHO_REQUEST:
    if (length >= 4 && length < sizeof reply - 4) {
      memcpy(reply, data, length);
      memcpy(reply, &ppp->magic, 4);
      send_packet(ppp, LCP, ECHO_REPLY, id, reply, length);
    }
    break;
  default:
    break;
  }
}

static void begin_ip(Ppp *ppp) {
  ppp->state = PPP_IPCP;
  ppp->tries = 0;
  request_ip(ppp);
}

static void pap_input(Ppp *ppp, uint8_t code) {
  if (code == 2 && ppp->state == PPP_AUTH)
    begin_ip(ppp);
  else if (code == 3)
    load_failed(ppp, "authentication failed");
}

static void chap_input(Ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t length) {
  if (code == 1 && length >= 17 && data[0] == 16) {
    if (load.algorithm == 0x05)
      answer_md5(ppp, id, data + 1, 16);
    else
      answer_challenge(ppp, id, data + 1);
  } else if (code == 3 && ppp->state == PPP_AUTH) {
    if (load.algorithm == 0x81 && !server_is_genuine(ppp, data, length)) {
      load_failed(ppp, "the server's authenticator is wrong");
      return;
    }
    begin_ip(ppp);
  } else if (code == 4) {
    load_failed(ppp, "authentication failed");
  }
}

static void ipcp_input(Ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t length) {
  if (ppp->state < PPP_IPCP)
    return;
  switch (code) {
  case REQUEST:
    for (size_t at = 0; at + 6 <= length && data[at + 1] >= 2; at += data[at + 1])
      if (data[at] == 3 && data[at + 1] == 6)
        memcpy(ppp->peer_address, data + at + 2, 4);
    send_packet(ppp, IPCP, ACK, id, data, length);
    ppp->ip_theirs = true;
    break;
  case ACK:
    ppp->ip_ours = ppp->ip_ours || id == ppp->id;
    break;
  case NAK:
    if (id == ppp->id && length >= 6 && data[0] == 3 && data[1] == 6) {
      memcpy(ppp->address, data + 2, 4);
      request_ip(ppp);
    }
    break;
  case REJECT:
    load_failed(ppp, "IPCP rejects our address");
    break;
  default:
    break;
  }
  if (ppp->state == PPP_IPCP && ppp->ip_ours && ppp->ip_theirs) {
    ppp->state = PPP_UP;
    ppp->deadline = 0;
    load_up(ppp);
  }
}

void ppp_start(Ppp *ppp) {
  memset(ppp, 0, sizeof *ppp);
  ppp->state = PPP_LCP;
  ppp->magic = load_random() | 1;
  request_lcp(ppp);
}

void ppp_input(Ppp *ppp, const uint8_t *frame, size_t length) {
  if (length >= 2 && frame[0] == 0xff && frame[1] == 0x03)
    frame += 2, length -= 2;
  if (length < 1 || ppp->state == PPP_DEAD)
    return;
  size_t octets = frame[0] & 1 ? 1 : 2;
  if (length < octets)
    return;
  unsigned protocol = octets == 1 ? frame[0] : get16(frame);
  frame += octets, length -= octets;
  if (protocol < 0x8000) {
    load_data(ppp, protocol, frame, length);
    return;
  }
  if (length < 4 || get16(frame + 2) < 4 || get16(frame + 2) > length)
    return;
  size_t n = get16(frame + 2) - 4;
  if (protocol == LCP)
    lcp_input(ppp, frame[0], frame[1], frame + 4, n);
  else if (protocol == PAP)
    pap_input(ppp, frame[0]);
  else if (protocol == CHAP)
    chap_input(ppp, frame[0], frame[1], frame + 4, n);
  else if (protocol == IPCP)
    ipcp_input(ppp, frame[0], frame[1], frame + 4, n);
  else {
    uint8_t reject[PACKET_MAX];
    size_t copied = n + 4 > sizeof reject - 6 ? sizeof reject - 6 : n + 4;
    reject[0] = (uint8_t)(protocol >> 8);
    reject[1] = (uint8_t)protocol;
    memcpy(reject + 2, frame, copied);
    send_packet(ppp, LCP, PROTOCOL_REJECT, ++ppp->reject_id, reject, copied + 2);
  }
}

void ppp_tick(Ppp *ppp) {
  if (ppp->deadline == 0 || load_now() < ppp->deadline)
    return;
  if (++ppp->tries > TRIES_MAX || ppp->state == PPP_AUTH)
    load_failed(ppp, ppp->state == PPP_AUTH ? "no authentication" : "the server does not answer in PPP");
  else if (ppp->state == PPP_LCP)
    request_lcp(ppp);
  else if (ppp->state == PPP_IPCP)
    request_ip(ppp);
}
