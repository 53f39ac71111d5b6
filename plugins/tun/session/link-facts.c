/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The MTU of a link's path, and how much of what its socket was given still waits. A socket is a listener's: links that share one have the
 * same queue and rate. */
#include "link-facts.h"
#include "../peer/path-mtu.h"
#include <linux/sockios.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

enum {
  STRETCH_MS = 50,    /* of sending that tells a rate */
  OLD_MS = 10 * 1000, /* a rate is forgotten so long after it was seen */
};

/* ---- MTU ---- */

void tun_link_facts_learn(AditDpLink *link) {
  __atomic_store_n(&link->path_mtu, tun_path_mtu(&link->wire->path), __ATOMIC_RELAXED);
}

void tun_link_facts_learn_all(const AditDpSession *session) {
  for (guint32 bits = session->link_bits; bits; bits &= bits - 1)
    tun_link_facts_learn(session->links[__builtin_ctz(bits)]);
}

/* Octets after the PPP protocol of a multilink frame. */
static guint32 frame_mtu(const AditDpLink *link) {
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  guint32 mtu = TUN_GET(link->path_mtu);
  guint32 ip = wire->path.remote.any.sa_family == AF_INET6 ? sizeof(struct ip6_hdr) : sizeof(struct ip);
  guint32 lead = ip + sizeof(struct udphdr) + wire->header[1].length + (wire->acfc ? 0 : 2) + (wire->pfc ? 1 : 2);
  return mtu > lead ? mtu - lead : 0;
}

/* ---- queue and rate ---- */

static void begin_stretch(TunSocketLoad *load, guint32 queue, guint64 now_ms) {
  load->since_ms = now_ms;
  load->octets_since = load->octets;
  load->queue_since = queue;
}

/* A stretch in which the queue was never empty and stayed about the same tells how fast it drains. The kernel counts more for a datagram
 * than its octets: up to twice as much. */
static void measure_rate(TunSocketLoad *load, guint32 queue, guint64 now_ms) {
  guint64 passed = now_ms - load->since_ms, sent = load->octets - load->octets_since;
  guint32 change = queue > load->queue_since ? queue - load->queue_since : load->queue_since - queue;
  if (!queue) {
    load->since_ms = 0;
  } else if (!load->since_ms) {
    begin_stretch(load, queue, now_ms);
  } else if (passed >= STRETCH_MS) {
    if (change <= sent / 2) {
      __atomic_store_n(&load->rate, sent * 1000 / passed, __ATOMIC_RELAXED);
      load->rate_ms = now_ms;
    }
    begin_stretch(load, queue, now_ms);
  }
  if (load->rate && now_ms - load->rate_ms > OLD_MS)
    __atomic_store_n(&load->rate, 0, __ATOMIC_RELAXED);
}

static void load_read(TunSocket *socket, guint64 now_ms) {
  TunSocketLoad *load = &socket->load;
  int queue = 0;
  if (load->looked_ms == now_ms)
    return;
  load->looked_ms = now_ms;
  load->queue = ioctl(socket->fd, SIOCOUTQ, &queue) == 0 && queue > 0 ? (guint32)queue : 0;
  measure_rate(load, load->queue, now_ms);
}

gboolean tun_link_facts_read(const TunWorker *w, const AditDpSession *session, guint index, AditStageLink *out) {
  const AditDpLink *link = index < ADIT_STAGE_LINKS ? __atomic_load_n(&session->links[index], __ATOMIC_ACQUIRE) : NULL;
  guint32 bits = __atomic_load_n(&session->link_bits, __ATOMIC_ACQUIRE);
  if (!link)
    return FALSE;
  AditStageLink facts = {.size = sizeof facts, .mtu = frame_mtu(link)};
  if (bits & (bits - 1)) { /* one alone has nothing to choose */
    TunSocket *socket = &link->listener->socket[w->index];
    load_read(socket, w->now);
    facts.queued = socket->load.queue;
    facts.rate = socket->load.rate;
    facts.refused = socket->load.refused;
  }
  adit_copy_sized(out, out->size, &facts);
  return TRUE;
}
