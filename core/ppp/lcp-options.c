/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* LCP's configuration options (RFC 1661 6), one row of a table each. */
#include "core/ppp/lcp.h"

#define LOOPS_MAX 5 /* our own magic number in a row: the link is looped */

enum { MRU = 1, ACCM = 2, AUTH = 3, MAGIC = 5, PFC = 7, ACFC = 8 };

#define DEFAULT_MRU  1500
#define SMALLEST_MRU 128 /* less is a mistake, or wants to hurt */

typedef struct {
  guint8 type;
  gint length; /**< of data; -1 = varies */
  /** Add it to a request, if it is wanted. */
  void (*request)(AditLcp *lcp, AditBuilder *out);
  AditOptionVerdict (*peer)(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak);
  void (*naked)(AditLcp *lcp, const AditPppOption *option);
  gboolean needed; /**< the peer may not reject it */
} LcpOption;

static gboolean wants_option(const AditLcp *lcp, guint8 type) {
  return (lcp->requesting >> type) & 1;
}

static void set_wanted(AditLcp *lcp, guint8 type, gboolean yes) {
  lcp->requesting = yes ? lcp->requesting | 1u << type : lcp->requesting & ~(1u << type);
}

static void put_u32(AditBuilder *out, guint8 type, guint32 value) {
  const guint8 data[4] = {(guint8)(value >> 24), (guint8)(value >> 16), (guint8)(value >> 8), (guint8)value};
  adit_ppp_put_option(out, type, data, 4);
}

static void put_u16(AditBuilder *out, guint8 type, guint16 value) {
  const guint8 data[2] = {(guint8)(value >> 8), (guint8)value};
  adit_ppp_put_option(out, type, data, 2);
}

static guint32 value_of(const AditPppOption *option) {
  guint32 value = 0;
  for (guint i = 0; i < option->length; i++)
    value = value << 8 | option->data[i];
  return value;
}

/* ---- Maximum-Receive-Unit (6.1) ---- */

static void mru_request(AditLcp *lcp, AditBuilder *out) {
  if (lcp->mru != DEFAULT_MRU)
    put_u16(out, MRU, lcp->mru);
}

static AditOptionVerdict mru_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  guint32 mru = value_of(option);
  if (mru < SMALLEST_MRU) {
    put_u16(nak, MRU, SMALLEST_MRU);
    return ADIT_OPTION_NAK;
  }
  lcp->peer_mru = (guint16)mru;
  return ADIT_OPTION_ACK;
}

/** A smaller one costs us nothing, and 1500 we must be able to take anyway. */
static void mru_naked(AditLcp *lcp, const AditPppOption *option) {
  guint32 mru = value_of(option);
  if (mru >= SMALLEST_MRU && (mru <= DEFAULT_MRU || mru <= lcp->mru))
    lcp->mru = (guint16)mru;
}

/* ---- Async-Control-Character-Map (RFC 1662 7.1): of no meaning here, but peers behind a LAC have it ---- */

static void accm_request(AditLcp *lcp, AditBuilder *out) {
  put_u32(out, ACCM, lcp->accm);
}

static AditOptionVerdict accm_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  lcp->peer_accm = value_of(option);
  return ADIT_OPTION_ACK;
}

static void accm_naked(AditLcp *lcp, const AditPppOption *option) {
  lcp->accm |= value_of(option);
  set_wanted(lcp, ACCM, TRUE);
}

/* ---- Authentication-Protocol (6.2) ---- */

static void put_method(AditBuilder *out, const AditAuthMethod *method) {
  guint8 data[2 + sizeof method->option] = {(guint8)(method->protocol >> 8), (guint8)method->protocol};
  guint8 length = MIN(method->option_length, sizeof method->option);
  memcpy(data + 2, method->option, length);
  adit_ppp_put_option(out, AUTH, data, (guint8)(length + 2));
}

static gint find_method(const AditLcpMethods *methods, const AditPppOption *option) {
  for (guint i = 0; i < methods->n; i++) {
    const AditAuthMethod *m = methods->method[i];
    if (option->length == m->option_length + 2 && m->protocol == (option->data[0] << 8 | option->data[1]) &&
        memcmp(option->data + 2, m->option, m->option_length) == 0)
      return (gint)i;
  }
  return -1;
}

static void auth_request(AditLcp *lcp, AditBuilder *out) {
  put_method(out, lcp->params->demand.method[lcp->demand]);
}

static AditOptionVerdict auth_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  const AditLcpMethods *answer = &lcp->params->answer;
  if (!answer->n || option->length < 2)
    return ADIT_OPTION_REJECT;

  gint found = find_method(answer, option);
  if (found < 0) { /* one after the other, strongest first: the peer takes the first that it knows */
    put_method(nak, answer->method[lcp->suggested++ % answer->n]);
    return ADIT_OPTION_NAK;
  }
  lcp->peer_demands = TRUE;
  lcp->answer = (guint8)found;
  return ADIT_OPTION_ACK;
}

/** The peer wants another method: its choice if it is allowed, else the strongest that it has not refused. */
static void auth_naked(AditLcp *lcp, const AditPppOption *option) {
  const AditLcpMethods *demand = &lcp->params->demand;
  if (!wants_option(lcp, AUTH) || option->length < 2)
    return;

  gint found = find_method(demand, option);
  if (found >= 0 && found == lcp->demand)
    return;
  lcp->refused |= 1u << lcp->demand;
  if (found >= 0 && !((lcp->refused >> found) & 1)) {
    lcp->demand = (guint8)found;
    return;
  }
  for (guint i = 0; i < demand->n; i++)
    if (!((lcp->refused >> i) & 1)) {
      lcp->demand = (guint8)i;
      return;
    }
  if (!lcp->loops) /* else it may be ourselves: adit_lcp_looped() tells */
    lcp->ops->failed(lcp->user, ADIT_CAUSE_USER_ERROR, "the peer refuses every authentication method that is allowed");
}

/* ---- Magic-Number (6.4) ---- */

static guint32 new_magic(AditLcp *lcp) {
  guint32 magic = adit_env_random_u32(lcp->env);
  return magic ? magic : 1;
}

static void magic_request(AditLcp *lcp, AditBuilder *out) {
  put_u32(out, MAGIC, lcp->magic);
}

void adit_lcp_looped(AditLcp *lcp) {
  if (++lcp->loops >= LOOPS_MAX)
    lcp->ops->failed(lcp->user, ADIT_CAUSE_NAS_ERROR, "the link is looped back to us");
}

/** Our own number coming back is chance, or a loop: a fresh one decides. */
static AditOptionVerdict magic_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  guint32 magic = value_of(option);
  if (magic && magic == lcp->magic)
    adit_lcp_looped(lcp);
  if (!magic || magic == lcp->magic) {
    put_u32(nak, MAGIC, new_magic(lcp));
    return ADIT_OPTION_NAK;
  }
  lcp->loops = 0;
  lcp->peer_magic = magic;
  return ADIT_OPTION_ACK;
}

static void magic_naked(AditLcp *lcp, const AditPppOption *option) {
  if (wants_option(lcp, MAGIC))
    lcp->magic = new_magic(lcp);
}

/* ---- Protocol- and Address-and-Control-Field-Compression (6.5, 6.6): ours mean what we take, which is both ---- */

static void pfc_request(AditLcp *lcp, AditBuilder *out) {
  adit_ppp_put_option(out, PFC, NULL, 0);
}

static AditOptionVerdict pfc_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  lcp->peer_pfc = TRUE;
  return ADIT_OPTION_ACK;
}

static void pfc_naked(AditLcp *lcp, const AditPppOption *option) {
  set_wanted(lcp, PFC, FALSE);
}

static void acfc_request(AditLcp *lcp, AditBuilder *out) {
  adit_ppp_put_option(out, ACFC, NULL, 0);
}

static AditOptionVerdict acfc_peer(AditLcp *lcp, const AditPppOption *option, AditBuilder *nak) {
  lcp->peer_acfc = TRUE;
  return ADIT_OPTION_ACK;
}

static void acfc_naked(AditLcp *lcp, const AditPppOption *option) {
  set_wanted(lcp, ACFC, FALSE);
}

/** An option that is not here, nor a plugin's, is rejected. */
static const LcpOption options[] = {
    {MRU, 2, mru_request, mru_peer, mru_naked, FALSE},     {ACCM, 4, accm_request, accm_peer, accm_naked, FALSE},
    {AUTH, -1, auth_request, auth_peer, auth_naked, TRUE}, {MAGIC, 4, magic_request, magic_peer, magic_naked, FALSE},
    {PFC, 0, pfc_request, pfc_peer, pfc_naked, FALSE},     {ACFC, 0, acfc_request, acfc_peer, acfc_naked, FALSE},
};

gboolean adit_lcp_is_own_option(guint8 type) {
  for (guint i = 0; i < G_N_ELEMENTS(options); i++)
    if (options[i].type == type)
      return TRUE;
  return FALSE;
}

static const LcpOption *find_option(const AditPppOption *option) {
  for (guint i = 0; i < G_N_ELEMENTS(options); i++)
    if (options[i].type == option->type && (options[i].length < 0 || options[i].length == option->length))
      return &options[i];
  return NULL;
}

/* ---- hooks of the automaton ---- */

void adit_lcp_reset_options(AditLcp *lcp) {
  const AditLcpParams *params = lcp->params;
  lcp->requesting = 0;
  set_wanted(lcp, MRU, TRUE);
  set_wanted(lcp, AUTH, params->demand.n > 0);
  set_wanted(lcp, MAGIC, !params->no_magic);
  set_wanted(lcp, PFC, !params->no_pfc);
  set_wanted(lcp, ACFC, !params->no_acfc);
  lcp->mru = params->mru;
  lcp->accm = 0;
  lcp->magic = params->no_magic ? 0 : new_magic(lcp);
  lcp->demand = 0;
  lcp->refused = 0;
  lcp->demand_agreed = FALSE;
  lcp->suggested = 0;
  lcp->loops = 0;
  adit_lcp_option_ops.peer_begin(lcp);
  adit_lcp_extras_reset(lcp->params->extras);
}

static void write_lcp_request(gpointer self, AditBuilder *out) {
  AditLcp *lcp = self;
  for (guint i = 0; i < G_N_ELEMENTS(options); i++)
    if (wants_option(lcp, options[i].type))
      options[i].request(lcp, out);
  adit_lcp_extras_request(lcp->params->extras, out);
}

static void peer_begin(gpointer self) {
  AditLcp *lcp = self;
  lcp->peer_mru = DEFAULT_MRU;
  lcp->peer_accm = 0xffffffff;
  lcp->peer_magic = 0;
  lcp->peer_pfc = lcp->peer_acfc = FALSE;
  lcp->peer_demands = FALSE;
  adit_lcp_extras_peer_begin(lcp->params->extras);
}

static AditOptionVerdict peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  const LcpOption *known = find_option(option);
  return known ? known->peer(self, option, nak) : adit_lcp_extras_peer_option(((AditLcp *)self)->params->extras, option, nak);
}

static void peer_end(gpointer self, AditBuilder *nak) {
  adit_lcp_extras_peer_end(((AditLcp *)self)->params->extras, nak);
}

static void take_lcp_ack(gpointer self) {
  AditLcp *lcp = self;
  lcp->demand_agreed = wants_option(lcp, AUTH);
  adit_lcp_extras_acked(lcp->params->extras);
}

static void take_lcp_nak(gpointer self, const AditPppOption *option) {
  const LcpOption *known = find_option(option);
  if (known)
    known->naked(self, option);
  else
    adit_lcp_extras_naked(((AditLcp *)self)->params->extras, option);
}

static gboolean take_lcp_reject(gpointer self, const AditPppOption *option) {
  AditLcp *lcp = self;
  const LcpOption *known = find_option(option);
  if (!known)
    return adit_lcp_extras_rejected(lcp->params->extras, option);
  if (known->needed) /* unless that is our own Reject, as the last request was our own */
    return lcp->loops > 0;
  set_wanted(lcp, option->type, FALSE);
  if (option->type == MRU)
    lcp->mru = DEFAULT_MRU;
  if (option->type == MAGIC)
    lcp->magic = 0;
  return TRUE;
}

const AditPppOptionOps adit_lcp_option_ops = {
    .size = sizeof(AditPppOptionOps),
    .request = write_lcp_request,
    .peer_begin = peer_begin,
    .peer_option = peer_option,
    .peer_end = peer_end,
    .acked = take_lcp_ack,
    .naked = take_lcp_nak,
    .rejected = take_lcp_reject,
};

/* ---- what a LAC has negotiated ---- */

/** The LAC's last request to the peer, as if it had been ours. */
static AditLcpFit take_sent(AditLcp *lcp, GBytes *sent, const char **why) {
  gsize length;
  const guint8 *data = g_bytes_get_data(sent, &length);
  AditCursor in = adit_cursor(data, length);
  AditPppOption option;

  lcp->mru = DEFAULT_MRU;
  lcp->magic = 0;
  lcp->requesting &= 1u << AUTH;
  while (adit_ppp_next_option(&in, &option)) {
    const LcpOption *known = find_option(&option);
    if (!known) {
      *why = "the LAC agreed to an option that is not known here";
      return ADIT_LCP_MISFIT;
    }
    if (option.type == MRU)
      lcp->mru = (guint16)value_of(&option);
    else if (option.type == MAGIC)
      lcp->magic = value_of(&option);
    else if (option.type == AUTH) {
      gint found = option.length < 2 ? -1 : find_method(&lcp->params->demand, &option);
      if (found < 0) {
        *why = "the LAC agreed to an authentication method that is not allowed here";
        return ADIT_LCP_MISFIT;
      }
      lcp->demand = (guint8)found;
      lcp->demand_agreed = TRUE;
    }
  }
  if (in.bad) {
    *why = "the LAC's options are malformed";
    return ADIT_LCP_MISFIT;
  }
  if (lcp->params->demand.n && !lcp->demand_agreed) {
    *why = "the LAC did not agree to authentication";
    return ADIT_LCP_MISFIT;
  }
  if (lcp->mru > lcp->params->mru) {
    *why = "the LAC agreed to a larger MRU";
    return ADIT_LCP_LARGE_MRU;
  }
  return ADIT_LCP_FITS;
}

/** The peer's last request to the LAC, as if it had come here. */
static AditLcpFit take_received(AditLcp *lcp, GBytes *received, const char **why) {
  gsize length;
  const guint8 *data = g_bytes_get_data(received, &length);
  guint8 scratch[64];
  AditCursor in = adit_cursor(data, length);
  AditPppOption option;

  peer_begin(lcp);
  while (adit_ppp_next_option(&in, &option)) {
    AditBuilder nak = adit_builder(scratch, sizeof scratch);
    if (peer_option(lcp, &option, &nak) != ADIT_OPTION_ACK) {
      *why = "the peer asked the LAC for what is refused here";
      return ADIT_LCP_MISFIT;
    }
  }
  if (!in.bad)
    return ADIT_LCP_FITS;
  *why = "the LAC's options are malformed";
  return ADIT_LCP_MISFIT;
}

AditLcpFit adit_lcp_take_proxy(AditLcp *lcp, const AditProxy *proxy, gboolean bear_mru, const char **why) {
  *why = NULL;
  if (!proxy || !proxy->last_sent || !proxy->last_received)
    return ADIT_LCP_NOTHING;

  AditLcpFit sent = take_sent(lcp, proxy->last_sent, why);
  if (sent == ADIT_LCP_LARGE_MRU && bear_mru)
    sent = ADIT_LCP_FITS;
  AditLcpFit fit = sent != ADIT_LCP_FITS ? sent : take_received(lcp, proxy->last_received, why);
  if (fit != ADIT_LCP_FITS)
    adit_lcp_reset_options(lcp);
  return fit;
}
