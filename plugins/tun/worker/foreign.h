/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** foreign.h - what one worker hands to another */
#pragma once

#include "note.h"

/** FRAME: of a link with the reader as gate or home. TAKE: the link's reorder state, which is the reader's from now on; frames that waited
 *  follow. PACKET: from a shared port, to a session with the reader as home. */
typedef enum { TUN_FOREIGN_FRAME, TUN_FOREIGN_TAKE, TUN_FOREIGN_PACKET } TunForeignKind;

/** worker <- worker. */
typedef struct {
  TunForeignKind kind;
  guint64 serial; /**< the link's or session's: another link may have its ids when this is read */
  guint32 sequence;
  gboolean has_sequence;
  guint32 length;
  guint8 data[];
} TunForeign;

/** Copies head->length octets at `data`. FALSE: the ring of worker `to` is full, which is counted. [worker] */
gboolean tun_foreign_put(TunWorker *w, guint to, const TunForeign *head, const guint8 *data);
