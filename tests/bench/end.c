/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* One end of static L2TP sessions over the data path `tun`, without tunnel control and PPP: for measuring the data path alone.
 *
 *   end LOCAL REMOTE PORT INTERFACE INSIDE PEER SESSIONS WORKERS yes|no [MRRU [LOCAL2 REMOTE2]]
 *
 * With MRRU, sessions are bundles with full frames inside; with LOCAL2 and REMOTE2 they have a second link there. Session I of SESSIONS has
 * interface INTERFACE-I with address INSIDE + 256 * I and peer PEER + 256 * I. It says `ready`, and
 * `{...}` with its counters when it is told to end (SIGTERM). */
#include "config.h"
#include "tests/lib/protocols.h"

#include "core/base/loop.h"
#include "core/net/net.h"
#include "dp.h"
#include "mp-stage.h"
#include "plugins/l2tp/engine/header.h"
#include "session/source.h"
#include "session/tun-link.h"
#include "session/tun-session.h"
#include "traffic/rx.h"
#include "traffic/tx.h"
#include "worker/quiet.h"

#include <glib-unix.h>

enum { LINKS = 2, FULL = 1500 };

typedef struct {
  TunDp *dp;
  guint n_links;
  AditListener *listener[LINKS];
  AditEndpoint remote[LINKS];
  guint mrru;          /* 0 = no bundles */
  GPtrArray *counters; /* of MpCounters */
  AditAddress inside, peer;
  const char *interface;
  guint n, open;
  GMainLoop *main;
  AditClaimant claimant;
} End;

typedef struct {
  End *end;
  guint index;
} Session;

static void on_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {}
static void on_frame(gpointer user, const guint8 *frame, gsize length) {}
static const AditListenerOps listener_ops = {.size = sizeof listener_ops, .control = on_control};
static const AditDpLinkOps link_ops = {.size = sizeof link_ops, .frame = on_frame};

static AditAddress nth(const AditAddress *base, guint index) {
  return adit_address_ipv4(adit_address_to_ipv4(base) + 256 * index);
}

static void on_address(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  End *end = user;
  if (state != ADIT_CLAIM_INSTALLED)
    g_error("address: %s", why ? why : g_strerror(error));
  if (++end->open == end->n) {
    puts("ready");
    fflush(stdout);
  }
}

static void stage_put(End *end, AditDpSession *s) {
  g_autoptr(GError) error = NULL;
  MpParams params = {.own_mrru = end->mrru, .peer_mrru = end->mrru, .pfc = TRUE, .counters = mp_counters_new()};
  AditStageSpec spec = {.size = sizeof spec, .ops = &mp_stage_ops, .params = &params, .params_length = sizeof params};
  g_ptr_array_add(end->counters, params.counters);
  if (!tun_datapath_ops.stage_add(s, &spec, &error))
    g_error("%s", error->message);
}

static AditDpLink *link_make(End *end, guint nth_link, guint16 id) {
  AditPath path = {.remote = end->remote[nth_link]};
  tun_listener_local(end->listener[nth_link], &path.local);
  AditEncap encap = {.kind = ADIT_ENCAP_L2TPV2_UDP, .local_tunnel = 1, .peer_tunnel = 1, .local_session = id, .peer_session = id};
  AditDpLink *link =
      tun_link_attach(end->dp, end->listener[nth_link], &(AditDpLinkSpec){sizeof(AditDpLinkSpec), 0, &path, &encap, &link_ops, NULL}, NULL);
  tun_link_framing(link, TRUE, FALSE);
  return link;
}

static void on_opened(gpointer user, AditPort *port, const GError *error) {
  Session *session = user;
  End *end = session->end;
  guint16 id = (guint16)(100 + session->index);
  if (error)
    g_error("%s", error->message);
  AditDpSession *s = tun_session_open(end->dp, id, port, NULL);
  AditDpSessionParams params = {.size = sizeof params, .protocols = adit_test_ip, .n_protocols = 1, .mss4 = end->mrru ? 0 : 1460 - 40};
  if (end->mrru)
    stage_put(end, s);
  for (guint i = 0; i < end->n_links; i++)
    tun_session_join(s, link_make(end, i, id), NULL, NULL);
  tun_session_set(s, &params);
  AditNetAddress address = {
      .ifindex = port->ifindex, .local = {nth(&end->inside, session->index), 32}, .peer = nth(&end->peer, session->index)};
  end->claimant = (AditClaimant){.size = sizeof end->claimant, .who = "bench", .changed = on_address, .user = end};
  adit_net_service()->claim_address(&address, &end->claimant);
  g_free(session);
}

static gboolean on_term(gpointer user) {
  g_main_loop_quit(((End *)user)->main);
  return TRUE;
}

static void print_counters(const TunDp *dp) {
  g_autoptr(AditValue) facts = tun_dp_describe(dp);
  const AditValue *workers = adit_value_get(facts, "workers");
  for (guint i = 0; i < adit_value_length(workers); i++) {
    const AditValue *row = adit_value_at(workers, i);
    printf("{");
    for (guint k = 0; k < adit_value_length(row); k++)
      printf("%s\"%s\": %" G_GINT64_FORMAT, k ? ", " : "", adit_value_key(row, k), adit_value_get_int(row, adit_value_key(row, k), 0));
    printf("}\n");
  }
}

static void print_bundles(const End *end) {
  MpCounters sum = {0}, one;
  for (guint i = 0; i < end->counters->len; i++) {
    mp_counters_read(end->counters->pdata[i], &one);
    for (gsize k = 0; k < sizeof one / sizeof(guint64); k++)
      ((guint64 *)&sum)[k] += ((guint64 *)&one)[k];
  }
  printf("{\"fragmented\": %" G_GUINT64_FORMAT ", \"reassembled\": %" G_GUINT64_FORMAT ", \"lost\": %" G_GUINT64_FORMAT
         ", \"expired\": %" G_GUINT64_FORMAT ", \"late\": %" G_GUINT64_FORMAT ", \"no-memory\": %" G_GUINT64_FORMAT "}\n",
         sum.tx_fragmented, sum.rx_reassembled, sum.lost, sum.expired, sum.link[0].late + sum.link[1].late, sum.no_memory);
  for (guint i = 0; i < end->n_links; i++)
    printf("{\"link\": %u, \"tx-octets\": %" G_GUINT64_FORMAT ", \"rx-octets\": %" G_GUINT64_FORMAT "}\n", i, sum.link[i].tx_octets,
           sum.link[i].rx_octets);
}

static void listen_on(End *end, const char *local_text, const char *remote_text, guint16 port) {
  AditAddress local, remote;
  g_autoptr(GError) error = NULL;
  if (!adit_address_parse(local_text, &local) || !adit_address_parse(remote_text, &remote))
    g_error("%s or %s is no address", local_text, remote_text);
  AditListenerSpec spec = {.size = sizeof spec, .local = adit_endpoint(&local, port), .classify = l2tp_classify};
  spec.layout = adit_encap_layout(&(AditEncap){.kind = ADIT_ENCAP_L2TPV2_UDP});
  end->remote[end->n_links] = adit_endpoint(&remote, port);
  if (!(end->listener[end->n_links++] = tun_listen(end->dp, &spec, &listener_ops, NULL, &error)))
    g_error("%s", error->message);
}

int main(int argc, char **argv) {
  End end = {0};
  g_autoptr(GError) error = NULL;
  if ((argc != 10 && argc != 11 && argc != 13) || !adit_address_parse(argv[5], &end.inside) || !adit_address_parse(argv[6], &end.peer))
    g_error("usage: end LOCAL REMOTE PORT INTERFACE INSIDE PEER SESSIONS WORKERS yes|no [MRRU [LOCAL2 REMOTE2]]");
  guint16 port = (guint16)atoi(argv[3]);
  TunConfig config = {.workers = (guint)atoi(argv[8]), .offload = g_str_equal(argv[9], "yes")};
  end.mrru = argc > 10 ? (guint)atoi(argv[10]) : 0;
  end.counters = g_ptr_array_new();
  end.interface = argv[4];
  end.n = (guint)atoi(argv[7]);
  end.main = g_main_loop_new(NULL, FALSE);

  adit_loop_init();
  if (!adit_net_init(&error))
    g_error("%s", error->message);
  adit_net_set_group(ADIT_NET_GROUP + port); /* several ends in one namespace sweep their own only */
  end.dp = tun_dp_new(adit_loop_service(), adit_net_service(), NULL);
  if (!tun_dp_start(end.dp, &config, &error))
    g_error("%s", error->message);
  listen_on(&end, argv[1], argv[2], port);
  if (argc > 12)
    listen_on(&end, argv[11], argv[12], port);
  for (guint i = 0; i < end.n; i++) {
    Session *session = g_new0(Session, 1);
    g_autofree char *name = g_strdup_printf("%s-%u", end.interface, i);
    AditPortSpec ps = {.size = sizeof ps, .kind = ADIT_PORT_L3, .name = name, .mtu = end.mrru ? FULL : 1460};
    session->end = &end;
    session->index = i;
    tun_port_open(end.dp, &ps, on_opened, session);
  }
  g_unix_signal_add(SIGTERM, on_term, &end);
  g_unix_signal_add(SIGINT, on_term, &end);
  g_main_loop_run(end.main);
  print_counters(end.dp);
  if (end.mrru)
    print_bundles(&end);
  return 0;
}
