/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** bundle.h - one end of a bundle: the stage in a pipeline without a data path. It keeps all that comes out. */
#pragma once

#include "mp-pool.h"
#include "mp-stage.h"
#include <adit/pipeline.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** A frame to a link, or a packet to the port. */
typedef struct {
  guint16 protocol;
  guint8 link;
  GByteArray *data;
} Piece;

typedef struct {
  MpParams params;
  AditPipelineStage stage;
  AditPipeline pipeline;
  GPtrArray *rooms;
  gsize room_left;             /**< in this call */
  gsize room_most;             /**< of each call */
  GPtrArray *frames, *packets; /**< of Piece */
  guint64 now_ms;
  guint64 deadline_ms; /**< what the last call asked for; 0 = nothing */
  guint32 links;
  guint lost_notes, resync_notes;
  guint64 lost_noted;
  AditStageLink fact[ADIT_STAGE_LINKS]; /**< `size` 0: nothing is known */
} Bundle;

/** Both MRRUs are 1600, and it has link 0; the caller changes `params` and `links` as it likes. */
Bundle *bundle_new(void);
void bundle_free(Bundle *b);
/** A packet for the peer, of `length` octets that begin with `fill` and count up. */
void bundle_send(Bundle *b, guint16 protocol, guint32 length, guint8 fill);
void bundle_send_frame(Bundle *b, AditStageFrame *frame);
void bundle_take_frame(Bundle *b, AditStageFrame *frame); /**< from the peer, of any protocol */
/** A multilink frame from the peer. */
void bundle_take(Bundle *b, guint8 link, const guint8 *data, gsize length);
/** The same, of words of hexadecimal digits. */
void bundle_take_hex(Bundle *b, guint8 link, const char *hex);
/** A fragment with a long header: `length` octets that begin with `fill` and count up. The first one of a packet begins with 0x21. */
void bundle_take_fragment(Bundle *b, guint8 link, gboolean begin, gboolean end, guint32 sequence, guint32 length, guint8 fill);
/** Time passes; what is due then happens. */
void bundle_wait(Bundle *b, guint64 ms);
const Piece *bundle_frame(const Bundle *b, guint nth);
const Piece *bundle_packet(const Bundle *b, guint nth);
void bundle_forget(Bundle *b); /**< what came out */
/** Is the frame or packet this, of words of hexadecimal digits? */
void piece_expect(const Piece *piece, guint8 link, guint16 protocol, const char *hex);
/** Its octets begin with `fill` and count up. */
void piece_expect_count(const Piece *piece, guint32 length, guint8 fill);
/** Counters of the stage now. */
MpCounters bundle_counters(const Bundle *b);
GByteArray *bytes_of_hex(const char *hex);

#define BUNDLE_TEST(name) cmocka_unit_test_setup_teardown(name, bundle_setup, bundle_teardown)
int bundle_setup(void **state);
int bundle_teardown(void **state);
