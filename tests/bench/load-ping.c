/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Traffic of the load generator: ICMP echo requests to the server's inside address, of which every octet is known. */
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { IPV4 = 0x0021, ICMP = 1 };

static uint16_t checksum(const uint8_t *data, size_t length) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < length; i += 2)
    sum += get16(data + i);
  if (length & 1)
    sum += (uint32_t)data[length - 1] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

void load_ping(Call *call) {
  uint8_t packet[PING_MAX] = {0x45};
  size_t length = load.ping_size;
  put16(packet + 2, (unsigned)length);
  packet[8] = 64;
  packet[9] = ICMP;
  memcpy(packet + 12, call->ppp.address, 4);
  memcpy(packet + 16, call->ppp.peer_address, 4);
  put16(packet + 10, checksum(packet, 20));
  packet[20] = 8; /* echo request */
  put16(packet + 24, call->id);
  put16(packet + 26, call->pings);
  put16(packet + 22, checksum(packet + 20, length - 20));
  load_send_frame(&call->ppp, IPV4, packet, length);
  call->pings--;
  call->next_ping += load.ping_every;
  load.n_pings++;
}

void load_data(const Ppp *ppp, unsigned protocol, const uint8_t *packet, size_t length) {
  if (ppp->state == PPP_UP && protocol == IPV4 && length >= 28 && packet[0] == 0x45 && packet[9] == ICMP && packet[20] == 0)
    load.n_answers++;
}

void load_tell_pings(void) {
  if (!load.pings || load.n_pings == load.told_pings || load.n_answers < load.n_pings ||
      load.n_pings % ((uint64_t)load.pings * load.sessions))
    return;
  load.told_pings = load.n_pings;
  printf("{\"event\": \"pinged\", \"up\": %u, \"sent\": %llu, \"answered\": %llu}\n", load.n_up, (unsigned long long)load.n_pings,
         (unsigned long long)load.n_answers);
  fflush(stdout);
}
