/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The codec of bridged frames as a filter, for codec-agrees. A line is `encode|decode FORM PROTOCOL OCTETS`, all in hex, where FORM has a
 * bit for each of BcpForm's switches; the answer is `PROTOCOL OCTETS`, or `drop`. */
#include "plugins/bcp/bridge-frame.h"
#include <stdio.h>

typedef struct {
  AditEtherIo io;
  guint8 octets[ADIT_ETHER_ROOM];
  gsize used;
} Room;

static guint8 *room_for(AditEtherIo *io, gsize length) {
  Room *room = (Room *)(gpointer)io;
  if (room->used + length > sizeof room->octets)
    return NULL;
  guint8 *at = room->octets + room->used;
  room->used += length;
  return at;
}

static GByteArray *read_octets(const char *hex) {
  GByteArray *octets = g_byte_array_new();
  for (; g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); hex += 2) {
    guint8 octet = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    g_byte_array_append(octets, &octet, 1);
  }
  return octets;
}

static void print_frame(const AditStageFrame *frame) {
  printf("%04x ", frame->protocol);
  for (guint i = 0; i < frame->n; i++)
    for (guint32 k = 0; k < frame->slice[i].length; k++)
      printf("%02x", frame->slice[i].data[k]);
  putchar('\n');
}

static void run_line(char **words) {
  guint64 bits = g_ascii_strtoull(words[1], NULL, 16);
  const BcpForm form = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0, {2, 0, 0, 0, 0, 2}};
  Room room = {.io = {sizeof room.io, room_for}};
  g_autoptr(GByteArray) octets = read_octets(words[3]);
  g_autofree guint8 *copy = g_memdup2(octets->data, octets->len); /* of its own size, so that a sanitizer sees a read past it */
  AditStageFrame frame = {
      .protocol = (guint16)g_ascii_strtoull(words[2], NULL, 16), .length = octets->len, .n = 1, .slice = {{copy, octets->len}}};
  gboolean encodes = g_str_equal(words[0], "encode");
  BcpVerdict verdict = (encodes ? bcp_frame_encode : bcp_frame_decode)(&form, &room.io, &frame);

  if (verdict == BCP_PASS)
    print_frame(&frame);
  else
    puts("drop");
}

int main(void) {
  char line[8192];
  while (fgets(line, sizeof line, stdin)) {
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 4);
    if (g_strv_length(words) != 4)
      return 1;
    run_line(words);
  }
  return 0;
}
