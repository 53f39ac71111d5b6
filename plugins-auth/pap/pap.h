/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** pap.h - PAP (RFC 1334 2), as a method. */
#pragma once

#include <adit/auth.h>

#define PAP_BODY_MAX (2 * (1 + ADIT_AUTH_NAME_MAX))

typedef enum {
  PAP_STATE_LISTENING = 1, /**< demanding: no request yet */
  PAP_STATE_ASKED,         /**< demanding: the verdict is to come */
  PAP_STATE_SENT,          /**< answering: a request is out */
  PAP_STATE_OPEN,
  PAP_STATE_FAILED,
} PapState;

typedef struct {
  guint8 state; /**< PapState */
  guint8 demand;
  guint8 id;       /**< demanding: of the newest request; answering: of the newest we sent */
  guint8 first_id; /**< answering: of the first we sent */
  guint32 tries_left;
  guint64 deadline;
  char text[256]; /**< what the last Ack or Nak says */
  guint16 body_length;
  guint8 body[PAP_BODY_MAX]; /**< demanding, while asked: the request, to know repeats by */
  /* from AditAuthStart: not saved */
  guint32 tries, timeout_ms;
  char name[ADIT_AUTH_NAME_MAX + 1];
  const char *password; /* AditAuthStart's */
} Pap;

extern const AditAuthMethod pap_method;
