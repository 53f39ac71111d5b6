/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* IPCP, IPV6CP and BCP on the automaton. The first octet chooses the protocol and the side. */
#include "plugins/bcp/bcp.h"
#include "plugins/ccp/ccp.h"
#include "plugins/ipcp/ipcp.h"
#include "plugins/ipv6cp/ipv6cp.h"
#include "ppp.h"

typedef struct {
  World world; /* first: it is the engine's host */
  AditNcp *ncp;
  const AditNcpDesc *desc;
  AditNcpParams params;
  AditEngineEnv env;
  gboolean up;
  AditStageSpec stage; /* in place; its parameters are gone */
} Host;

static void on_send(gpointer host, AditNcp *ncp, const guint8 *frame, gsize length) {
  world_sent(host, ((Host *)host)->desc->protocol, frame, length);
}
static void on_opened(gpointer host, AditNcp *ncp, const AditNcpResult *result) {
  Host *h = host;
  g_assert(!h->up);
  g_assert(h->desc != &ipcp_desc || adit_address_is_set(&result->local4) || !h->params.client);
  h->up = TRUE;
}
static void on_down(gpointer host, AditNcp *ncp) {
  g_assert(((Host *)host)->up);
  ((Host *)host)->up = FALSE;
}
static void on_closed(gpointer host, AditNcp *ncp, const char *why) {
  g_assert(!((Host *)host)->up && why);
}
/* Half of what the peer chooses is somebody's. */
static gboolean choose(gpointer user, const AditAddress *address) {
  g_assert(!((Host *)user)->params.client && address->family == AF_INET);
  return address->octet[3] & 1;
}

static gboolean on_stage_add(gpointer host, AditNcp *ncp, const AditStageSpec *spec, GError **error) {
  Host *h = host;
  h->stage = *spec;
  return TRUE;
}
static void on_stage_set(gpointer host, AditNcp *ncp, AditStageKind kind, gconstpointer params, gsize length) {
  g_assert(((Host *)host)->stage.ops && length == ((Host *)host)->stage.params_length);
}
static void on_stage_remove(gpointer host, AditNcp *ncp, AditStageKind kind) {
  memset(&((Host *)host)->stage, 0, sizeof(AditStageSpec));
}

static const AditNcpOps ops = {.size = sizeof ops,
                               .send = on_send,
                               .opened = on_opened,
                               .down = on_down,
                               .closed = on_closed,
                               .stage_add = on_stage_add,
                               .stage_set = on_stage_set,
                               .stage_remove = on_stage_remove};

static void step_on(Host *h, guint step, AditCursor data) {
  guint8 frame[2048];
  gsize length;

  switch (step) {
  case STEP_FRAME:
    adit_ncp_input(h->ncp, data.at, adit_left(&data));
    break;
  case STEP_ACK:
  case STEP_NAK:
  case STEP_REJECT:
    length = world_answer(&h->world, step, data, frame);
    if (length)
      adit_ncp_input(h->ncp, frame + 2, length - 2);
    break;
  case STEP_REPLAY:
    if (h->world.request_length)
      adit_ncp_input(h->ncp, h->world.request + 2, h->world.request_length - 2);
    break;
  case STEP_WAIT:
    if (h->stage.note && adit_left(&data)) {
      guint8 what = adit_get_u8(&data);
      h->stage.note(h->stage.user, what, data.at, adit_left(&data));
      g_assert(h->stage.encoding(h->stage.user));
      g_autoptr(AditValue) told = h->stage.describe(h->stage.user);
      g_assert(told);
    }
    h->world.now += 100 * adit_get_u8(&data) + (h->desc == &ccp_desc ? 0 : 3000);
    adit_ncp_timeout(h->ncp, 0);
    break;
  case STEP_VERDICT: /* LCP renegotiates */
    adit_ncp_down(h->ncp);
    adit_ncp_up(h->ncp);
    break;
  case STEP_REBIRTH: {
    AditBuilder out = adit_builder(frame, sizeof frame);
    AditNcpResult result;
    adit_ncp_save(h->ncp, &out);
    g_assert(!out.bad);
    adit_ncp_free(h->ncp);
    AditCursor in = adit_cursor(frame, adit_built(&out));
    h->ncp = adit_ncp_restore(h->desc, &h->params, NULL, &ops, h, &h->env, &in);
    g_assert(h->ncp && h->up == adit_ncp_result(h->ncp, &result));
    break;
  }
  case STEP_CLOSE:
    if (adit_left(&data))
      adit_ncp_rejected(h->ncp);
    else
      adit_ncp_close(h->ncp, "closed");
    break;
  }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  AditCursor script = adit_cursor(data, size), part;
  guint8 how = adit_get_u8(&script);
  Host h = {.world.now = 1000, .desc = how & 128 ? &ccp_desc : how & 32 ? &bcp_desc : how & 1 ? &ipv6cp_desc : &ipcp_desc};
  static const guint8 segment[2] = {0x0a, 0x12};
  g_autoptr(AditValue) attributes = adit_value_map();
  AditMppeKeys keys = {.size = sizeof keys};
  guint step;

  h.env = (AditEngineEnv){&world_engine, &h};
  h.params =
      (AditNcpParams){.size = sizeof h.params, .client = (how >> 1) & 1, .accept_remote4 = (how >> 2) & 1, .want_dns = (how >> 3) & 1};
  h.params.choose = choose;
  h.params.choose_user = &h;
  if (!h.params.client) {
    h.params.local4 = adit_address_ipv4(0xc0000201);
    h.params.remote4 = adit_address_ipv4(0xc000024d);
    h.params.dns[0] = adit_address_ipv4(0xc0000235);
    h.params.remote_ifid[7] = how & 16 ? 5 : 0;
    h.params.local_mac[0] = how & 16 ? 2 : 0;
  }
  if (how & 64)
    adit_value_set(attributes, how & 1 ? "bridge-identification" : "line-identification", adit_value_octets(segment, sizeof segment));
  if (how & 128 && how & 1)
    adit_value_set(attributes, "encryption-mode", adit_value_string(how & 2 ? "stateful" : "stateless"));
  if (how & 128 && how & 4)
    adit_value_set(attributes, "encryption-types", adit_value_list());
  keys.shorter = how & 8 ? ADIT_MPPE_SHORT_OWN : how & 16 ? ADIT_MPPE_SHORT_NONE : ADIT_MPPE_SHORT_SAME;
  h.params.mppe = &keys;
  h.params.attributes = attributes;
  h.ncp = adit_ncp_new(h.desc, &h.params, NULL, &ops, &h, &h.env);
  adit_ncp_up(h.ncp);
  for (guint i = 0; i < 200 && world_next(&script, &step, &part); i++)
    step_on(&h, step, part);
  adit_ncp_free(h.ncp);
  return 0;
}
