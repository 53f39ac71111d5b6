/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "load.h"

#include <arpa/inet.h>
#include <string.h>

void load_send_octets(const Tunnel *t, const uint8_t *data, size_t length) {
  /* A full socket buffer loses it; it is sent again like any other loss. */
  (void)!sendto(t->fd, data, length, 0, (struct sockaddr *)&load_server, load_server_length);
}

Message *load_message(Tunnel *t, uint16_t type, uint16_t session) {
  if (t->queued == QUEUE)
    return NULL;
  Message *m = &t->queue[t->queued++];
  m->length = 12;
  m->ns = t->ns++;
  put16(m->data, 0xc802);
  put16(m->data + 4, t->peer);
  put16(m->data + 6, session);
  put16(m->data + 8, m->ns);
  put16(m->data + 12, 0x8008);
  put16(m->data + 14, 0);
  put16(m->data + 16, 0);
  put16(m->data + 18, type);
  m->length = 20;
  return m;
}

void load_add(Message *m, uint16_t type, const void *value, size_t length) {
  put16(m->data + m->length, 0x8000 | (unsigned)(6 + length));
  put16(m->data + m->length + 2, 0);
  put16(m->data + m->length + 4, type);
  memcpy(m->data + m->length + 6, value, length);
  m->length = (uint16_t)(m->length + 6 + length);
}

void load_add16(Message *m, uint16_t type, unsigned value) {
  uint8_t octets[2];
  put16(octets, value);
  load_add(m, type, octets, 2);
}

void load_add32(Message *m, uint16_t type, uint32_t value) {
  value = htonl(value);
  load_add(m, type, &value, 4);
}

void load_send(Tunnel *t, Message *m) {
  put16(m->data + 2, m->length);
  put16(m->data + 10, t->nr);
  load_send_octets(t, m->data, m->length);
  if (t->resend == 0)
    t->resend = load_now() + RESEND_AFTER;
}

void load_ack(const Tunnel *t) {
  uint8_t zlb[12];
  put16(zlb, 0xc802);
  put16(zlb + 2, sizeof zlb);
  put16(zlb + 4, t->peer);
  put16(zlb + 6, 0);
  put16(zlb + 8, t->ns);
  put16(zlb + 10, t->nr);
  load_send_octets(t, zlb, sizeof zlb);
}

void load_ack_stopccn(int fd, const uint8_t *data, size_t length) {
  const Tunnel gone = {.fd = fd,
                       .peer = (uint16_t)load_find_avp(data, length, AVP_TUNNEL),
                       .ns = (uint16_t)get16(data + 10),
                       .nr = (uint16_t)(get16(data + 8) + 1)};
  if (gone.peer && load_find_avp(data, length, 0) == STOPCCN)
    load_ack(&gone);
}

void load_acknowledged(Tunnel *t, uint16_t nr) {
  unsigned n = 0;
  if ((int16_t)(uint16_t)(nr - t->ns) > 0) /* of what was never sent: meant for an earlier tunnel of this id */
    return;
  while (n < t->queued && (int16_t)(uint16_t)(nr - t->queue[n].ns) > 0)
    n++;
  if (n == 0)
    return;
  t->queued -= n;
  memmove(t->queue, t->queue + n, t->queued * sizeof t->queue[0]);
  t->tries = 0;
  t->resend = t->queued ? load_now() + RESEND_AFTER : 0;
}

unsigned load_find_avp(const uint8_t *data, size_t length, uint16_t type) {
  for (size_t at = 12; at + 6 <= length;) {
    size_t n = get16(data + at) & 0x3ff;
    if (n < 6 || at + n > length)
      return 0;
    if (get16(data + at + 4) == type && n >= 8)
      return get16(data + at + 6);
    at += n;
  }
  return 0;
}
