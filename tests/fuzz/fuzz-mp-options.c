/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Multilink's options of LCP (RFC 1990 5.1): a peer's requests, Naks and Rejects, whatever they hold.
 *
 * Input: one octet of switches (1: an MRRU is configured; 2: short sequence numbers are wanted), then records: an octet of kind, one of
 * length, as many octets of options. Kinds: 0 the peer asks, 1 it Naks, 2 it Rejects, 3 LCP begins again, 4 save and restore. */
#include "mp-options.h"
#include <adit/cursor.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check(gboolean what) {
  if (!what)
    abort();
}

static gboolean owns(const AditPppOption *option) {
  for (guint i = 0; i < mp_lcp_desc.n_types; i++) {
    const AditLcpType *type = &mp_lcp_desc.types[i];
    if (type->type == option->type)
      return option->length >= type->min_length && option->length <= type->max_length;
  }
  return FALSE;
}

/* What we ask for is well formed, and no MRRU is asked for that is too small. */
static void check_request(MpOptions *mp) {
  guint8 octets[64];
  AditBuilder out = adit_builder(octets, sizeof octets);
  AditPppOption option;
  mp_lcp_desc.options->request(mp, &out);
  check(!out.bad);
  AditCursor in = adit_cursor(octets, adit_built(&out));
  while (adit_ppp_next_option(&in, &option)) {
    check(owns(&option) && mp->configured);
    check(option.type != MP_LCP_MRRU || (mp_option_number(&option) >= MP_MRRU_LEAST && mp_option_number(&option) <= mp->configured));
  }
  check(!in.bad);
}

static void judge(MpOptions *mp, const AditPppOption *option) {
  guint8 octets[64];
  char text[MP_DISCRIMINATOR_TEXT];
  AditBuilder nak = adit_builder(octets, sizeof octets);
  AditOptionVerdict verdict = mp_lcp_desc.options->peer_option(mp, option, &nak);
  check(!nak.bad && (verdict == ADIT_OPTION_NAK) == (adit_built(&nak) > 0));
  check(mp->configured || verdict == ADIT_OPTION_REJECT);
  if (verdict != ADIT_OPTION_ACK || option->type != MP_LCP_DISCRIMINATOR)
    return;
  MpDiscriminator peer, again;
  mp_discriminator_read(option, &peer);
  mp_discriminator_read(option, &again);
  check(mp_discriminator_equal(&peer, &again));
  check(strlen(mp_discriminator_format(&peer, text)) < sizeof text);
}

static void take_options(MpOptions *mp, guint8 kind, AditCursor in) {
  AditPppOption option;
  mp_lcp_desc.options->peer_begin(mp);
  while (adit_ppp_next_option(&in, &option)) {
    if (!owns(&option))
      continue;
    if (kind == 0)
      judge(mp, &option);
    else if (kind == 1)
      mp_lcp_desc.options->naked(mp, &option);
    else
      check(mp_lcp_desc.options->rejected(mp, &option));
  }
}

static void save_and_restore(MpOptions *mp, AditCursor in) {
  guint8 image[128];
  AditBuilder out = adit_builder(image, sizeof image);
  MpOptions before = *mp;
  mp_lcp_desc.save(mp, &out);
  check(!out.bad);
  AditCursor back = adit_cursor(image, adit_built(&out));
  mp_lcp_desc.reset(mp);
  check(mp_lcp_desc.restore(mp, &back) && memcmp(mp, &before, sizeof before) == 0);
  if (!mp_lcp_desc.restore(mp, &in)) /* an image that is none */
    *mp = before;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  AditCursor in = adit_cursor(data, size);
  guint8 switches = adit_get_u8(&in);
  g_autoptr(AditValue) config = adit_value_map();
  MpOptions mp = {.configured = 0};

  adit_value_set(config, "mrru", adit_value_int(switches & 1 ? 1600 : 0));
  adit_value_set(config, "short-sequence", adit_value_bool((switches & 2) != 0));
  const AditLcpFacts facts = {.size = sizeof facts, .client = (switches & 4) != 0, .config = config};
  mp_lcp_desc.init(&mp, NULL, &facts);
  while (!in.bad && adit_left(&in)) {
    guint8 kind = adit_get_u8(&in) % 5;
    AditCursor record = adit_get_sub(&in, adit_get_u8(&in));
    if (kind < 3)
      take_options(&mp, kind, record);
    else if (kind == 3)
      mp_lcp_desc.reset(&mp);
    else
      save_and_restore(&mp, record);
    check_request(&mp);
    mp_lcp_desc.options->acked(&mp);
  }
  return 0;
}
