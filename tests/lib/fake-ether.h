/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * fake-ether.h - a codec of Ethernet frames for tests: an octet before each frame, which both ends must have agreed on, and zeros behind
 * frames that are shorter than 60 octets. Frames to the address of Spanning Tree have a second protocol.
 */
#pragma once

#include <adit/ether.h>
#include <string.h>

enum { FAKE_ETHER_OTHER, FAKE_ETHER_MARK /* another mark, or none */ };
enum { FAKE_ETHER_DATA = 0x0031, FAKE_ETHER_TREE = 0x0201, FAKE_ETHER_LEAST = 60 };

static const guint16 fake_ether_protocols[] = {FAKE_ETHER_DATA, FAKE_ETHER_TREE};
static const guint8 fake_ether_tree[6] = {0x01, 0x80, 0xc2};

/** The parameters: the octet. */
static inline void fake_ether_params(guint8 mark, guint64 params[ADIT_ETHER_PARAMS / 8]) {
  memset(params, 0, ADIT_ETHER_PARAMS);
  memcpy(params, &mark, 1);
}

static inline gboolean fake_ether_encode(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
  guint8 *head = io->room(io, 1), *zeros;
  guint32 missing = frame->length < FAKE_ETHER_LEAST ? FAKE_ETHER_LEAST - frame->length : 0;
  if (!head)
    return FALSE;
  frame->protocol = memcmp(frame->slice[0].data, fake_ether_tree, 6) == 0 ? FAKE_ETHER_TREE : FAKE_ETHER_DATA;
  memcpy(head, params, 1);
  if (missing) {
    if (!(zeros = io->room(io, missing)) || !adit_stage_append(frame, zeros, missing))
      return FALSE;
    memset(zeros, 0, missing);
  }
  return adit_stage_prepend(frame, head, 1);
}

static inline gboolean fake_ether_decode(gconstpointer params, AditEtherIo *io, AditStageFrame *frame) {
  guint8 mark;
  io->reason = FAKE_ETHER_MARK;
  if (adit_stage_copy(frame, 0, &mark, 1) != 1 || memcmp(&mark, params, 1) != 0)
    return FALSE;
  io->reason = FAKE_ETHER_OTHER;
  return adit_stage_skip(frame, 1);
}

static const char *const fake_ether_reasons[] = {"other", "mark"};
static const AditEtherOps fake_ether = {.size = sizeof fake_ether,
                                        .name = "fake",
                                        .protocols = fake_ether_protocols,
                                        .n_protocols = G_N_ELEMENTS(fake_ether_protocols),
                                        .overhead = 1,
                                        .encode = fake_ether_encode,
                                        .decode = fake_ether_decode,
                                        .reasons = fake_ether_reasons,
                                        .n_reasons = G_N_ELEMENTS(fake_ether_reasons)};
