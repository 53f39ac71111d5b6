/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-options.h - the LCP options of Multilink (RFC 1990 5.1) on one link: a pure engine. */
#pragma once

#include "mp-discriminator.h"
#include <adit/option.h>

G_BEGIN_DECLS

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

extern const AditOption mp_options[];
#define MP_N_OPTIONS 3

enum { MP_LCP_MRRU = 17, MP_LCP_SHORT = 18, MP_LCP_DISCRIMINATOR = 19 };

#define MP_MRRU_LEAST   512  /**< less is answered with a Nak */
#define MP_MRRU_DEFAULT 1500 /**< which every implementation takes (RFC 1990 5.1.1): what a Nak suggests */

typedef struct {
  guint16 configured; /**< MRRU; 0 = disabled: the peer's options are rejected */
  gboolean wants_short;
  MpDiscriminator own;

  guint16 mrru; /**< to ask for; 0 = refused by the peer */
  gboolean asks_short, asks_discriminator;
  guint8 naks; /**< of the MRRU, without a value that we can use */
} MpOptions;

/** For AditPppService.lcp_add(); the state is an MpOptions. */
extern const AditLcpDesc mp_lcp_desc;

/** The number in an MRRU option. */
static inline guint16 mp_option_number(const AditPppOption *option) {
  return (guint16)(option->data[0] << 8 | option->data[1]);
}

G_END_DECLS
