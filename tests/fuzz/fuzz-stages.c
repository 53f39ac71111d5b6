/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Stages and an encapsulation that is not L2TPv2's, in the data path `null`: frames of a hostile peer through a layout with a cookie and
 * numbers of 24 bits into the tests' two stages, and packets of the system the other way, to a second end that must get what was sent. The
 * buffers of `null` have the exact size, so that an access beyond the end is seen.
 *
 * Input: one octet of switches, then records: an octet of kind, two of length, as many octets. */
#include "null.h"
#include "tests/lib/fake-layout.h"
#include "tests/lib/fake-stages.h"
#include "tests/lib/protocols.h"
#include <adit/pipeline.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

#define OPS (&null_datapath_ops)

enum {
  WITH_CUTTER = 1,
  WITH_SCRAMBLER = 2,
  NUMBERED = 4,
  STRICT_NUMBERS = 8,
  REQUIRED_MISSING = 16, /* a stage is required that never comes */
  SMALL_PIECES = 32,
};
enum { RAW, FRAMED, BUNDLED, COMPRESSED, FROM_SYSTEM, TIME, OTHER_COOKIE, UPDATE_PARAMS };

typedef struct {
  NullDp *dp;
  AditListener *listener;
  AditEndpoint local;
  AditDpLink *link;
  AditDpSession *session;
  AditPort *port;
  FakeNotes notes;
} End;

static struct {
  NullNet *net;
  guint64 now;
  End a, b;
  guint8 sent[65536]; /* the packet that the system at `a` sends now */
  gsize sent_length;
  guint arrived;
  gboolean hostile; /* what arrives at `b` is not a's */
  gboolean staged;
} world;

static guint64 world_now(gpointer user) {
  return world.now;
}
static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static void on_opened(gpointer user, AditPort *port, const GError *error) {
  ((End *)user)->port = port;
}

/* What is no data of an open protocol: it begins with a protocol. Out of a stage it may be one that does not exist, which PPP rejects. */
static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  if (length < 2 || (!(frame[1] & 1) && !world.staged))
    abort();
}

static void on_packet(gpointer user, AditPort *port, const guint8 *packet, gsize length) {
  if (user != &world.b || world.hostile)
    return;
  if (length != world.sent_length || memcmp(packet, world.sent, length) != 0)
    abort();
  world.arrived++;
}

static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

static void end_listen(End *end, const char *address) {
  AditListenerSpec spec = {.size = sizeof spec, .classify = fake_layout_classify};
  AditAddress at;

  memset(end, 0, sizeof *end);
  adit_address_parse(address, &at);
  spec.local = adit_endpoint(&at, 1701);
  end->dp = null_dp_new(world.net);
  null_dp_sink(end->dp, on_packet, end);
  end->listener = OPS->listen(end->dp, &spec, &listener_ops, end, NULL);
  OPS->listener_local(end->listener, &end->local);
}

/* The layout's peer knows the cookie that we expect, so the two ends of this test have each other's. */
static void swap_cookies(AditEncap *encap) {
  guint8 own[8];
  memcpy(own, encap->local_cookie, 8);
  memcpy(encap->local_cookie, encap->peer_cookie, 8);
  memcpy(encap->peer_cookie, own, 8);
}

static void end_open(End *end, const End *other, guint8 switches) {
  AditPortSpec port = {.size = sizeof port, .kind = ADIT_PORT_L3, .name = "x", .mtu = 1460};
  AditPath path = {.local = end->local, .remote = other->local};
  AditEncap encap =
      fake_layout_encap(8, (switches & NUMBERED ? ADIT_SEQUENCE_SEND : 0) | (switches & STRICT_NUMBERS ? ADIT_SEQUENCE_REQUIRE : 0));
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2};

  if (end == &world.b)
    swap_cookies(&encap);
  if (switches & REQUIRED_MISSING)
    params.required = 1u << ADIT_STAGE_COMPRESSION;
  OPS->port_open(end->dp, &port, on_opened, end);
  null_net_run(world.net, 10);
  end->link = OPS->link_attach(end->dp, end->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 1, &path, &encap, &link_ops, end}, NULL);
  end->session = OPS->session_open(end->dp, 1, end->port, NULL);
  if (!end->link || !end->session || !OPS->session_join(end->session, end->link, NULL, NULL))
    abort();
  OPS->session_set(end->session, &params);
  if (switches & WITH_CUTTER)
    OPS->stage_add(end->session, FAKE_CUTTER(&(FakeCut){switches & SMALL_PIECES ? 7 : 400}, &end->notes), NULL);
  if ((switches & (WITH_SCRAMBLER | REQUIRED_MISSING)) == WITH_SCRAMBLER)
    OPS->stage_add(end->session, FAKE_SCRAMBLER(&(FakeKey){0x5a}, &end->notes), NULL);
}

static void end_close(End *end) {
  OPS->session_close(end->session, NULL);
  OPS->link_detach(end->link);
  OPS->port_close(end->port, NULL, NULL);
  null_net_run(world.net, 100000);
  null_dp_free(end->dp);
}

/* A datagram of a peer of `b` that is not `a`'s data path. */
static void from_peer(guint8 kind, guint8 more, const guint8 *data, gsize length) {
  static guint8 datagram[FAKE_LAYOUT_HEADER + 4 + 65536];
  guint8 frame[4 + 65536] = {0xff, 0x03, 0x00, kind == BUNDLED ? 0x3d : 0xfd};
  AditPath path = {.local = world.a.local, .remote = world.b.local, .association = more & 1 ? 0x1234 : 0};
  gsize n = length, head = kind == BUNDLED || kind == COMPRESSED ? 4 : 0;

  memcpy(frame + head, data, length);
  if (kind == RAW)
    memcpy(datagram, data, length);
  else
    n = fake_layout_wrap(datagram, sizeof datagram, 8, kind == OTHER_COOKIE ? "nocookie" : "yourcook", more & 2 ? more >> 2 : -1, frame,
                         length + head);
  g_autofree guint8 *exact = g_malloc(MAX(n, 1));
  memcpy(exact, datagram, n);
  world.hostile = TRUE;
  null_net_deliver(world.net, &path, exact, n);
  null_net_run(world.net, 100000);
}

/* With nobody hostile in between every packet arrives, as it was: in pieces or scrambled on its way. */
static void from_system(const guint8 *data, gsize length, guint8 switches) {
  gboolean unnumbered = (switches & (NUMBERED | STRICT_NUMBERS)) == STRICT_NUMBERS; /* which is what the other end drops */
  if (length < 20 || length > 3000 || !world.a.port || switches & REQUIRED_MISSING || world.hostile || unnumbered)
    return;
  guint pieces = (guint)(length + 2) / (switches & SMALL_PIECES ? 7 : 400) + 2;
  if (switches & WITH_CUTTER && pieces >= FAKE_WINDOW)
    return;
  memcpy(world.sent, data, length);
  world.sent[0] = 0x45;
  world.sent_length = length;
  world.arrived = 0;
  if (!null_port_inject(world.a.port, world.sent, length))
    abort();
  null_net_run(world.net, 100000);
  if (world.arrived != 1)
    abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  static const NullNetOps ops = {.now = world_now};
  AditCursor in = adit_cursor(data, size);
  guint8 switches = adit_get_u8(&in);

  world.net = null_net_new(&ops, NULL);
  world.now = 1000;
  world.hostile = FALSE;
  world.staged = (switches & (WITH_CUTTER | WITH_SCRAMBLER)) != 0;
  end_listen(&world.a, "192.0.2.1");
  end_listen(&world.b, "192.0.2.2");
  end_open(&world.a, &world.b, switches);
  end_open(&world.b, &world.a, switches);
  for (guint records = 0; records < 200 && !in.bad && adit_left(&in); records++) {
    guint8 kind = adit_get_u8(&in);
    gsize length = adit_get_u16(&in);
    length = MIN(length, adit_left(&in));
    const guint8 *record = adit_get_bytes(&in, length);
    if (!record)
      break;
    switch (kind & 7) {
    case FROM_SYSTEM:
      from_system(record, length, switches);
      break;
    case TIME: /* a piece that does not come is given up */
      world.now += 1 + (kind >> 3) * 4;
      null_net_run(world.net, 100000);
      break;
    case UPDATE_PARAMS: /* in the middle of what waits */
      if (length)
        OPS->stage_set(world.b.session, kind & 8 ? ADIT_STAGE_BUNDLE : ADIT_STAGE_COMPRESSION,
                       kind & 8 ? (gconstpointer) & (FakeCut){1 + record[0]} : (gconstpointer) & (FakeKey){record[0]},
                       kind & 8 ? sizeof(FakeCut) : sizeof(FakeKey));
      world.hostile = TRUE;
      break;
    default:
      from_peer(kind & 7, kind >> 3, record, length);
    }
  }
  end_close(&world.a);
  end_close(&world.b);
  null_net_free(world.net);
  return 0;
}
