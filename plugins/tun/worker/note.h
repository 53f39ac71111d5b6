/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** note.h - what a worker hands to the main loop */
#pragma once

#include <adit/loop.h>
#include <adit/path.h>

typedef struct TunDp TunDp;
typedef struct TunWorker TunWorker;

typedef enum {
  TUN_NOTE_FRAME = 1,
  TUN_NOTE_CONTROL,
  TUN_NOTE_STRAY,
  TUN_NOTE_EARLY,
  TUN_NOTE_GONE,
  TUN_NOTE_SPOOFED,
  TUN_NOTE_STAGE
} TunNoteKind;
/** LIVE: of sessions, and control of tunnels that the transport calls proven. CONTROL: of the other tunnels and links that there
 *  are. NEW: of any sender. */
typedef enum { TUN_TO_LIVE, TUN_TO_CONTROL, TUN_TO_NEW, TUN_TO_N } TunPriority;

typedef struct {
  TunNoteKind kind;
  guint64 serial;          /**< FRAME: link; SPOOFED: the session's id; STAGE: session; else: listener */
  guint32 tunnel, session; /**< STAGE: its kind, and what it notes */
  AditPath path;
  guint32 length;
  guint8 data[];
} TunNote;

/** [worker] Hands a note to the main loop, or counts that the ring was full. */
void tun_note(TunWorker *w, TunPriority priority, const TunNote *note, const guint8 *head, gsize head_length, const guint8 *data,
              gsize length);
