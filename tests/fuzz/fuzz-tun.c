/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The data path's packets, both ways: datagrams of a peer through classification, framing, numbering, MSS and joining; packets
 * and super-packets of the system through cutting and wrapping. The worker is the real one, but its thread never runs, its
 * interface is /dev/null and its socket leads nowhere.
 *
 * Sources are checked, and where tunnels end nothing may go: what passes is compared with a plain reading of the packet.
 *
 * With a switch the link has an encapsulation that is not L2TPv2's: a cookie, numbers of 24 bits, no tunnel id.
 *
 * Input: two octets of switches, then records: an octet of kind, two of length, as many octets. */
#include "dp.h"
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "plugins/l2tp/engine/header.h"
#include "session/source.h"
#include "session/tun-link.h"
#include "session/tun-session.h"
#include "tests/lib/fake-layout.h"
#include "tests/lib/protocols.h"
#include "traffic/delivery.h"
#include "traffic/port-read.h"
#include "traffic/rx-frame.h"
#include "traffic/rx.h"
#include "traffic/tx.h"
#include "traffic/worker-thread.h"
#include "worker/quiet.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static guint64 now_ms;
static guint64 fake_now(void) {
  return now_ms;
}
static void fake_arm(AditTimer *timer, guint64 delay) {}
static void fake_cancel(AditTimer *timer) {}
static void fake_random(gpointer buffer, gsize length) {
  memset(buffer, 0, length);
}
static const AditLoopService loop = {
    .size = sizeof loop, .now = fake_now, .timer_arm = fake_arm, .timer_cancel = fake_cancel, .random = fake_random};

static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  if (length < 2 || !(frame[1] & 1))
    abort();
}
static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

enum { SESSION = 100 };

/* Of the second octet of switches. */
enum {
  FAKE = 1,         /* the tests' layout */
  WRONG_COOKIE = 2, /* the peer's datagrams have another cookie than the link */
  NUMBERS = 4,      /* the peer numbers them */
};

typedef struct {
  TunDp *dp;
  TunWorker *w;
  AditListener listener;
  TunPort port;
  int system;       /* the other end of the interface */
  int peer;         /* the other end of the socket */
  gboolean checked; /* sources must be the session's: 10/8 without 10.1/16, which is another's */
  guint8 fake;      /* FAKE, ... */
  gboolean raw;     /* the input has a datagram of its own, with any cookie */
  guint8 number;    /* of the peer's next datagram */
  GPtrArray *kept;  /* datagrams of this input: joining refers to them until the flush */
} Bench;

static Bench *bench;

/* What a plain reading of the packet says of its source. */
static void check_source(const guint8 *ip) {
  static const guint8 unspecified[16];
  gboolean own =
      ip[0] >> 4 == 4 ? ip[12] == 10 && ip[13] != 1 : memcmp(ip + 8, unspecified, 16) == 0 && ip[24] == 0xff && (ip[25] & 15) == 2;
  if (bench->checked && !own)
    abort();
}

/* What goes to the peer must not go to where a tunnel ends. */
static void check_sent(const guint8 *datagram, gsize length) {
  static const guint8 endpoint[] = {10, 9, 9, 9};
  AditClassified c = {0};
  bench->listener.classify(datagram, length, &c);
  if (c.klass != ADIT_CLASS_DATA && !(bench->fake & FAKE))
    return;
  if (bench->fake & FAKE) {
    if (c.klass != ADIT_CLASS_DATA || length < FAKE_LAYOUT_HEADER || tun_get32(datagram + 4) != SESSION ||
        memcmp(datagram + 8, "yourcook", 8) != 0)
      abort();
    c.offset = FAKE_LAYOUT_HEADER;
    c.length = (guint16)(length - FAKE_LAYOUT_HEADER);
  }
  const guint8 *ip = datagram + c.offset, *end = ip + c.length;
  ip += end - ip >= 2 && ip[0] == 0xff && ip[1] == 3 ? 2 : 0;
  ip += ip < end && !(ip[0] & 1) ? 2 : 1;
  if (end - ip >= 20 && ip[0] >> 4 == 4 && memcmp(ip + 16, endpoint, 4) == 0)
    abort();
}

/* What is joined must come apart again, into packets whose checksums are right. */
static void check_write(gpointer user, gpointer port, struct iovec *pieces, guint n, guint packets) {
  TunSplit split;
  gsize length = 0, at = 0;
  check_source(pieces[1].iov_base);
  if (packets > 1) {
    for (guint i = 1; i < n; i++)
      length += pieces[i].iov_len;
    g_autofree guint8 *whole = g_malloc(length);
    for (guint i = 1; i < n; at += pieces[i++].iov_len)
      memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
    if (!tun_split_begin(&split, pieces[0].iov_base, whole, length) || split.n != packets)
      abort();
    for (guint i = 0; i < split.n; i++) {
      g_autofree guint8 *one = g_malloc(TUN_SEGMENT_HEADER + split.size);
      const guint8 *payload;
      TunPacket p;
      guint got = tun_split_segment(&split, i, one, &payload);
      memcpy(one + split.header, payload, got);
      if (!tun_packet_parse(one, split.header + got, &p) || !tun_packet_verify(one, &p))
        abort();
    }
  }
  tun_deliver_write(user, port, pieces, n, packets);
}

static Bench *bench_make(void) {
  Bench *b = g_new0(Bench, 1);
  int pair[2], wire[2];
  b->dp = tun_dp_new(&loop, NULL, NULL);
  b->dp->config.offload = TRUE;
  b->dp->n_workers = 1;
  b->dp->wake_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  b->w = b->dp->worker[0] = tun_worker_new(b->dp, 0, NULL);
  if (!b->w || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0 ||
      socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, wire) != 0)
    abort();
  tun_coalesce_init(&b->w->join, check_write, b->w);
  b->system = pair[0];
  b->listener = (AditListener){.dp = b->dp, .classify = l2tp_classify, .ops = &listener_ops, .n_sockets = 1};
  b->listener.socket[0] = (TunSocket){TUN_EVENT_SOCKET, wire[0], &b->listener};
  b->peer = wire[1];
  tun_table_init(&b->listener.links, tun_retire_memory, b->dp);
  tun_table_init(&b->listener.tunnels, tun_retire_memory, b->dp);
  b->listener.serial = ++b->dp->next_serial;
  g_hash_table_insert(b->dp->listeners, &b->listener.serial, &b->listener);
  b->port = (TunPort){.dp = b->dp, .uso = TRUE, .n_queues = 1};
  b->port.head.kind = ADIT_PORT_L3;
  b->port.queue[0] = (TunQueue){TUN_EVENT_QUEUE, pair[1], &b->port, -1};
  b->port.routes = g_new0(TunRoutes, 1);
  tun_routes_init(b->port.routes, tun_retire_memory, b->dp);
  return b;
}

static guint put_l2tp_head(guint8 *out, const guint8 *ppp, gsize length) {
  static const guint8 head[] = {0, 2, 0, 7, 0, SESSION};
  memcpy(out, head, sizeof head);
  memcpy(out + sizeof head, ppp, length);
  return (guint)(sizeof head + length);
}

static void from_peer(Bench *b, guint8 kind, const guint8 *data, gsize length) {
  AditPath path = {.association = kind & 32 ? 1 : 0}; /* with the bit, of a foreign way */
  TunWhere from = tun_where(&path);

  guint8 head[64];
  guint n = 0;
  if (kind & 2) { /* straight to the link, IPv4 or IPv6 */
    const guint8 ppp[4] = {0xff, 0x03, 0x00, kind & 4 ? 0x57 : 0x21};
    if (b->fake & FAKE)
      n = (guint)fake_layout_wrap(head, sizeof head, SESSION, b->fake & WRONG_COOKIE ? "notmine!" : "mycookie",
                                  b->fake & NUMBERS ? b->number++ : -1, ppp, sizeof ppp);
    else
      n = put_l2tp_head(head, ppp, sizeof ppp);
  }
  b->raw = b->raw || !n;
  guint8 *datagram = g_malloc(MAX(n + length, 1));
  if (n)
    memcpy(datagram, head, n);
  if (length)
    memcpy(datagram + n, data, length);
  if (kind & 16) { /* through a socket and the worker's own buffers */
    if (send(b->peer, datagram, n + length, 0) >= 0)
      tun_rx_socket(b->w, &b->listener.socket[0]);
  } else {
    tun_rx_datagram(b->w, &b->listener, &from, &path, datagram, n + length);
  }
  if (!(kind & 8)) /* with the bit, what is held refers to this one for a while */
    tun_coalesce_flush(&b->w->join);
  g_ptr_array_add(b->kept, datagram);
}

static void from_system(Bench *b, const guint8 *data, gsize length) {
  TunQueue queue = b->port.queue[0];
  if (send(b->system, data, length, 0) < 0)
    return;
  tun_port_read(b->w, &queue);
  guint8 sent[65536];
  for (gssize n; (n = recv(b->peer, sent, sizeof sent, 0)) >= 0;)
    check_sent(sent, (gsize)n);
}

static void drain_notes(Bench *b) {
  for (guint i = 0; i < TUN_TO_N; i++) {
    gsize length;
    const TunNote *note;
    while ((note = tun_ring_read(&b->w->main[i], &length)))
      if (note->kind == TUN_NOTE_FRAME)
        on_frame(NULL, note->data, note->length);
    tun_ring_release(&b->w->main[i]);
  }
}

/* The link takes no datagram with another cookie than its own. */
static void check_cookie(AditDpLink *link) {
  AditDpStats stats = {0};

  tun_link_stats(link, &stats);
  if ((bench->fake & FAKE) && (bench->fake & WRONG_COOKIE) && !bench->raw && stats.counters.rx_packets)
    abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  if (!bench)
    bench = bench_make();
  AditCursor in = adit_cursor(data, size);
  guint8 switches = adit_get_u8(&in), fake = adit_get_u8(&in);
  g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
  AditPath path = {0}; /* the sender's address of an AF_UNIX socket */
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 7, .local_session = SESSION, .peer_tunnel = 1, .peer_session = 1};
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 2};
  AditPrefix prefix;

  bench->fake = fake;
  bench->raw = FALSE;
  bench->number = 0;
  bench->listener.classify = fake & FAKE ? fake_layout_classify : l2tp_classify;
  if (fake & FAKE)
    encap = fake_layout_encap(SESSION, 0);
  encap.sequence = switches & 1 ? ADIT_SEQUENCE_SEND : 0;
  encap.reorder_ms = switches & 2 ? 10 : 0;
  encap.length_bit = (switches & 4) != 0;
  params.check_source = bench->checked = (switches & 128) != 0;
  params.mss4 = params.mss6 = switches & 8 ? 1000 : 0;
  bench->port.head.shared = (switches & 16) != 0;
  bench->kept = keep;
  now_ms = bench->w->now = 1000;

  AditDpLink *link =
      tun_link_attach(bench->dp, &bench->listener, &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, NULL}, NULL);
  AditDpSession *session = tun_session_open(bench->dp, 1, &bench->port.head, NULL);
  session->link = link; /* not session_join(): the queue is read by hand */
  link->session = session;
  tun_link_framing(link, switches & 32, switches & 64);
  tun_session_set(session, &params);
  adit_prefix_parse("10.0.0.0/8", &prefix);
  tun_session_add_prefix(session, &prefix, NULL);
  AditDpSession *another = tun_session_open(bench->dp, 2, NULL, NULL);
  adit_prefix_parse("10.1.0.0/16", &prefix);
  tun_session_add_prefix(another, &prefix, NULL);
  AditAddress end;
  adit_address_parse("10.9.9.9", &end);
  AditPath outer = {.remote = adit_endpoint(&end, 1701)};
  tun_tunnel_set(&bench->listener, 9, &(AditDpTunnel){.size = sizeof(AditDpTunnel), .path = &outer});
  tun_endpoint_seen(tun_endpoint_find(bench->dp, 4, end.octet), 55);

  while (!in.bad && adit_left(&in)) {
    guint8 kind = adit_get_u8(&in);
    gsize length = adit_get_u16(&in);
    length = MIN(length, adit_left(&in));
    const guint8 *record = adit_get_bytes(&in, length);
    if (!record)
      break;
    tun_rx_foreign(bench->w);
    if (kind & 1)
      from_system(bench, record, length);
    else
      from_peer(bench, kind, record, length);
    bench->w->now += kind >> 6;
    tun_rx_frame_expire(bench->w);
    drain_notes(bench);
  }
  tun_coalesce_flush(&bench->w->join);
  bench->w->now += 1000;
  tun_rx_frame_expire(bench->w);
  tun_coalesce_flush(&bench->w->join);
  tun_tx_flush(bench->w);
  drain_notes(bench);
  check_cookie(link);
  link->session = NULL;
  session->link = NULL;
  tun_session_close(session, NULL);
  tun_session_close(another, NULL);
  tun_datapath_ops.link_detach(link);
  tun_tunnel_unset(&bench->listener, 9);
  tun_retire_all(bench->dp);
  return 0;
}
