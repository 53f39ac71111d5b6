/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-options.h"
#include <adit/session-options.h>

enum { NAKS_MAX = 3 /* of our MRRU, without a value that we can use: then it is not asked for any more */ };

const AditOption mp_options[MP_N_OPTIONS] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};

static void put_mrru(AditBuilder *out, guint16 mrru) {
  const guint8 data[2] = {(guint8)(mrru >> 8), (guint8)mrru};
  adit_ppp_put_option(out, MP_LCP_MRRU, data, 2);
}

/* ---- what we ask for ---- */

static void mp_options_reset(gpointer self) {
  MpOptions *mp = self;
  mp->mrru = mp->configured;
  mp->asks_short = mp->wants_short;
  mp->asks_discriminator = TRUE;
  mp->naks = 0;
}

static void mp_options_init(gpointer self, const AditEngineEnv *env, const AditLcpFacts *facts) {
  MpOptions *mp = self;
  const AditValue *config = facts ? facts->config : NULL;
  mp->configured = (guint16)mp_option_mrru(config);
  mp->wants_short = mp_option_short_sequence(config);
  mp_identity_get(facts && facts->client, adit_option_name(config), &mp->own);
  mp_options_reset(mp);
}

/* The other two are of no use without an MRRU, and peers without Multilink acknowledge them all the same. */
static void write_mp_request(gpointer self, AditBuilder *out) {
  const MpOptions *mp = self;
  if (!mp->mrru)
    return;
  put_mrru(out, mp->mrru);
  if (mp->asks_short)
    adit_ppp_put_option(out, MP_LCP_SHORT, NULL, 0);
  if (mp->asks_discriminator)
    adit_ppp_put_option(out, MP_LCP_DISCRIMINATOR, mp->own.data, mp->own.length);
}

static void take_mp_ack(gpointer self) {
  ((MpOptions *)self)->naks = 0;
}

/* A smaller MRRU costs us nothing. A peer that keeps suggesting useless values gets its way: the link works without. */
static void take_mrru_nak(MpOptions *mp, guint16 mrru) {
  if (!mp->mrru) /* it wants us to have one, but has refused it, or we may not */
    return;
  if (mrru >= MP_MRRU_LEAST && mrru < mp->mrru)
    mp->mrru = mrru;
  else if (++mp->naks == NAKS_MAX)
    mp->mrru = 0;
}

/* A discriminator that the peer makes up for us would not be ours. */
static void take_mp_nak(gpointer self, const AditPppOption *option) {
  MpOptions *mp = self;
  switch (option->type) {
  case MP_LCP_MRRU:
    take_mrru_nak(mp, mp_option_number(option));
    break;
  case MP_LCP_SHORT:
    mp->asks_short = !mp->asks_short;
    break;
  case MP_LCP_DISCRIMINATOR:
    mp->asks_discriminator = FALSE;
    break;
  }
}

static gboolean take_mp_reject(gpointer self, const AditPppOption *option) {
  MpOptions *mp = self;
  switch (option->type) {
  case MP_LCP_MRRU:
    mp->mrru = 0;
    break;
  case MP_LCP_SHORT:
    mp->asks_short = FALSE;
    break;
  case MP_LCP_DISCRIMINATOR:
    mp->asks_discriminator = FALSE;
    break;
  }
  return TRUE;
}

/* ---- what the peer asks for ---- */

static void mp_peer_begin(gpointer self) {}
static void mp_peer_end(gpointer self, AditBuilder *nak) {}

/* After an acknowledged MRRU the peer sends fragments, which only Multilink can read, so none is acknowledged while it is disabled. */
static AditOptionVerdict judge_mp_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  const MpOptions *mp = self;
  if (!mp->configured)
    return ADIT_OPTION_REJECT;
  if (option->type == MP_LCP_DISCRIMINATOR)
    return mp_discriminator_is_valid(option) ? ADIT_OPTION_ACK : ADIT_OPTION_REJECT;
  if (option->type != MP_LCP_MRRU || mp_option_number(option) >= MP_MRRU_LEAST)
    return ADIT_OPTION_ACK;
  put_mrru(nak, MP_MRRU_DEFAULT);
  return ADIT_OPTION_NAK;
}

/* ---- saving ---- */

static void mp_options_save(gconstpointer self, AditBuilder *out) {
  const MpOptions *mp = self;
  adit_put_u16(out, mp->mrru);
  adit_put_u8(out, (guint8)((mp->asks_short ? 1 : 0) | (mp->asks_discriminator ? 2 : 0)));
  adit_put_u8(out, mp->naks);
  adit_put_u8(out, mp->own.length);
  adit_put_bytes(out, mp->own.data, mp->own.length);
}

static gboolean mp_options_restore(gpointer self, AditCursor *in) {
  MpOptions *mp = self;
  mp->mrru = adit_get_u16(in);
  guint8 flags = adit_get_u8(in);
  mp->asks_short = flags & 1;
  mp->asks_discriminator = (flags >> 1) & 1;
  mp->naks = adit_get_u8(in);
  mp->own.length = adit_get_u8(in);
  if (mp->own.length > MP_DISCRIMINATOR_MAX)
    return FALSE;
  adit_get_copy(in, mp->own.data, mp->own.length);
  return !in->bad && mp->own.length && flags < 4 && mp->mrru <= mp->configured && (!mp->mrru || mp->mrru >= MP_MRRU_LEAST) &&
         mp->naks <= NAKS_MAX;
}

static const AditLcpType mp_types[] = {{MP_LCP_MRRU, 2, 2}, {MP_LCP_SHORT, 0, 0}, {MP_LCP_DISCRIMINATOR, 1, MP_DISCRIMINATOR_MAX}};

static const AditPppOptionOps mp_option_ops = {
    .size = sizeof mp_option_ops,
    .request = write_mp_request,
    .peer_begin = mp_peer_begin,
    .peer_option = judge_mp_option,
    .peer_end = mp_peer_end,
    .acked = take_mp_ack,
    .naked = take_mp_nak,
    .rejected = take_mp_reject,
};

const AditLcpDesc mp_lcp_desc = {
    .size = sizeof mp_lcp_desc,
    .name = "mp",
    .types = mp_types,
    .n_types = G_N_ELEMENTS(mp_types),
    .state_size = sizeof(MpOptions),
    .options = &mp_option_ops,
    .init = mp_options_init,
    .reset = mp_options_reset,
    .save = mp_options_save,
    .restore = mp_options_restore,
};
