/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "outbox.h"
#include <errno.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { LETTERS = 64, OCTETS = 48 * 1024, CONTROL = 96, MERGED_MAX = 65000 };

/* A datagram that waits. */
typedef struct {
  int fd;
  guint at, length; /* in `octets` */
  guint control_length;
  AditEndpoint to;
  guint8 control[CONTROL + CMSG_SPACE(sizeof(guint16))] __attribute__((aligned(8)));
} Letter;

struct TunOutbox {
  const gboolean *merge;
  gboolean hold;
  guint64 failed;
  guint n, used;
  Letter letter[LETTERS];
  struct mmsghdr message[LETTERS];
  struct iovec piece[LETTERS];
  guint first[LETTERS]; /* of each message: its first letter */
  guint8 octets[OCTETS];
};

TunOutbox *tun_outbox_new(const gboolean *merge) {
  TunOutbox *outbox = g_new0(TunOutbox, 1);
  outbox->merge = merge;
  return outbox;
}

void tun_outbox_free(TunOutbox *outbox) {
  g_free(outbox);
}

guint64 tun_outbox_failed(const TunOutbox *outbox) {
  return outbox->failed;
}

/* Letters lie one behind the other in `octets`: a message of many is one piece. */
static void fill_message(TunOutbox *outbox, guint m, guint first, guint count) {
  Letter *letter = &outbox->letter[first], *last = letter + count - 1;
  outbox->first[m] = first;
  outbox->piece[m] = (struct iovec){outbox->octets + letter->at, last->at + last->length - letter->at};
  outbox->message[m].msg_hdr = (struct msghdr){.msg_name = &letter->to,
                                               .msg_namelen = adit_endpoint_size(&letter->to),
                                               .msg_iov = &outbox->piece[m],
                                               .msg_iovlen = 1,
                                               .msg_control = letter->control,
                                               .msg_controllen = letter->control_length};
  if (count == 1)
    return;
  struct cmsghdr head = {.cmsg_len = CMSG_LEN(sizeof(guint16)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
  guint8 *at = letter->control + letter->control_length;
  guint16 size = (guint16)letter->length;
  memset(at, 0, CMSG_SPACE(sizeof size));
  memcpy(at, &head, sizeof head);
  memcpy(at + CMSG_LEN(0), &size, sizeof size);
  outbox->message[m].msg_hdr.msg_controllen += CMSG_SPACE(sizeof size);
}

static gboolean go_the_same_way(const Letter *a, const Letter *b) {
  return a->fd == b->fd && a->control_length == b->control_length && memcmp(&a->to, &b->to, adit_endpoint_size(&a->to)) == 0 &&
         memcmp(a->control, b->control, a->control_length) == 0;
}

/* How many letters from `first` on are one message: of one size, but for a shorter last one. */
static guint count_merged(const TunOutbox *outbox, guint first) {
  const Letter *letter = &outbox->letter[first];
  guint n = 1;
  for (; *outbox->merge && first + n < outbox->n; n++) {
    const Letter *next = letter + n;
    if (next[-1].length != letter->length || next->length > letter->length || !go_the_same_way(letter, next) ||
        next->at + next->length - letter->at > MERGED_MAX)
      break;
  }
  return n;
}

/* The kernel did not take this message: its letters go one by one, if there are many. */
static void send_apart(TunOutbox *outbox, guint first, guint end) {
  for (guint i = first; i < end; i++) {
    if (end - first > 1) {
      fill_message(outbox, 0, i, 1);
      if (sendmsg(outbox->letter[i].fd, &outbox->message[0].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        continue;
    }
    outbox->failed++;
  }
}

/* Sends letters `first` to `end`, all out of one socket. */
static void send_letters(TunOutbox *outbox, guint first, guint end) {
  while (first < end) {
    guint n = 0;
    for (guint at = first, count; at < end; at += count)
      fill_message(outbox, n++, at, count = count_merged(outbox, at));
    int sent = sendmmsg(outbox->letter[first].fd, outbox->message, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == (int)n)
      return;
    guint stuck = (guint)MAX(sent, 0), next = stuck + 1 < n ? outbox->first[stuck + 1] : end;
    guint from = outbox->first[stuck];
    send_apart(outbox, from, next);
    first = next;
  }
}

void tun_outbox_flush(TunOutbox *outbox) {
  guint n = outbox->n;
  for (guint first = 0, end; first < n; first = end) {
    for (end = first + 1; end < n && outbox->letter[end].fd == outbox->letter[first].fd;)
      end++;
    send_letters(outbox, first, end);
  }
  outbox->n = outbox->used = 0;
}

void tun_outbox_hold(TunOutbox *outbox, gboolean hold) {
  outbox->hold = hold;
  if (!hold)
    tun_outbox_flush(outbox);
}

static gboolean keep_letter(TunOutbox *outbox, int fd, const AditEndpoint *to, const guint8 *control, guint control_length,
                            const struct iovec *pieces, guint n, gsize length) {
  if (length > OCTETS || control_length > CONTROL)
    return FALSE;
  if (outbox->n == LETTERS || outbox->used + length > OCTETS)
    tun_outbox_flush(outbox);
  Letter *letter = &outbox->letter[outbox->n++];
  letter->fd = fd;
  letter->at = outbox->used;
  letter->length = (guint)length;
  letter->to = *to;
  letter->control_length = control_length;
  memcpy(letter->control, control, control_length);
  for (guint i = 0; i < n; outbox->used += (guint)pieces[i++].iov_len)
    memcpy(outbox->octets + outbox->used, pieces[i].iov_base, pieces[i].iov_len);
  return TRUE;
}

gboolean tun_outbox_send(TunOutbox *outbox, const AditListener *listener, const AditEndpoint *to, const guint8 *control,
                         guint control_length, const struct iovec *pieces, guint n) {
  int fd = listener->socket[0].fd;
  gsize length = 0;
  for (guint i = 0; i < n; i++)
    length += pieces[i].iov_len;
  if (outbox->hold && keep_letter(outbox, fd, to, control, control_length, pieces, n, length))
    return TRUE;
  AditEndpoint copy = *to;
  struct msghdr message = {.msg_name = &copy,
                           .msg_namelen = adit_endpoint_size(to),
                           .msg_iov = (struct iovec *)pieces,
                           .msg_iovlen = n,
                           .msg_control = (gpointer)control,
                           .msg_controllen = control_length};
  return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (gssize)length;
}
