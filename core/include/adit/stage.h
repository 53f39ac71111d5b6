/* SPDX-License-Identifier: MIT */
/**
 * adit/stage.h - stages: transformations of a session's data packets, such as Multilink (RFC 1990) and MPPE (RFC 3078).
 *
 * A session's packets go through an ordered pipeline
 *
 *     port <-> compression (0x00fd) <-> bundle (0x003d) <-> links
 *
 * encode() takes one packet on its way to the peer and emits frames. decode() takes one frame on its way from the peer and emits packets.
 * Both are pure functions of the stage's state, the parameters and the octets; a data path calls them on one worker, the session's home,
 * and on no other. They take no lock and allocate nothing: room() returns memory. AditDatapathOps.stage_add()
 * puts a stage in place; a data path refuses a stage that neither it nor the kernel can run.
 *
 *     static void pad_encode(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
 *       guint8 *head = io->room(io, 2);
 *       if (head && adit_stage_prepend(frame, head, 2)) {
 *         adit_stage_put16(head, frame->protocol);
 *         frame->protocol = ADIT_PPP_COMPRESSED;
 *         io->emit(io, frame);
 *       }
 *     }
 */
#pragma once

#include <adit/types.h>
#include <adit/value.h>

G_BEGIN_DECLS

/** In their order from the port to the links; a session has one of each at most. */
typedef enum { ADIT_STAGE_COMPRESSION = 0, ADIT_STAGE_BUNDLE, ADIT_STAGES_N } AditStageKind;

#define ADIT_STAGE_LINKS  16    /**< links of a session at most */
#define ADIT_STAGE_SLICES 6     /**< pieces of a frame at most */
#define ADIT_STAGE_ROOM   81920 /**< octets of memory for one call of encode(), decode() or expire() at least, see room() */

/** Octets that belong to one frame only, so a stage may change them. */
typedef struct {
  guint8 *data;
  guint32 length;
} AditStageSlice;

/** The octets after the PPP protocol of a packet or frame, in pieces. Fixed. */
typedef struct {
  guint16 protocol;
  guint8 link;    /**< index of the link that it goes to or came by; of no meaning between the port and the bundle */
  guint8 n;       /**< slices */
  guint32 length; /**< of all of them */
  AditStageSlice slice[ADIT_STAGE_SLICES];
} AditStageFrame;

/** The current facts of a link in the data path; 0 = unknown. */
typedef struct {
  gsize size;
  guint32 mtu;     /**< octets of a frame, after its PPP protocol, that the path carries without fragmenting */
  guint32 queued;  /**< octets that were emitted and have not left yet */
  guint64 rate;    /**< capacity in octets per second: measured while frames were queued */
  guint64 refused; /**< counter of frames that the system refused because its queue was full */
} AditStageLink;

/** The context of a stage's call; the data path's. */
typedef struct AditStageIo AditStageIo;
struct AditStageIo {
  gsize size;
  guint64 now_ms;      /**< monotonic */
  guint32 links;       /**< a bit for each link index that is in use */
  guint64 deadline_ms; /**< when to call expire(); 0 = never. The stage sets it */
  /** Allocates memory that lives until the emitted frames are sent. NULL: none is left; the packet is lost then. */
  guint8 *(*room)(AditStageIo *io, gsize length);
  /** Passes a frame on: encode() towards the links, decode() and expire() towards the port. Its slices are those of the frame that came in,
   *  and memory from room(). */
  void (*emit)(AditStageIo *io, const AditStageFrame *frame);
  /** Sends a note to the main loop: a reset is needed, a fragment was lost. The note is lost when too many are queued. */
  void (*note)(AditStageIo *io, guint32 what, gconstpointer data, gsize length);

  /* Members from here on may be missing (ADIT_HAS) in an older data path. */

  /** Facts of the link with this index; set out->size before. FALSE: there is no such link, or nothing is known. */
  gboolean (*link)(AditStageIo *io, guint index, AditStageLink *out);
};

typedef struct AditStageSpec AditStageSpec;

typedef struct {
  gsize size;
  const char *name; /**< for messages; with the kind it also selects the kernel's implementation, if the data path uses one */
  AditStageKind kind;
  guint16 protocol;             /**< frames of this protocol go to decode() */
  guint16 headroom;             /**< octets that encode() adds to a packet at most; subtracted from the session's MTU */
  gsize state_size;             /**< zeroed; wiped in the end */
  void (*init)(gpointer state); /**< [main] before a worker uses the stage. May be NULL */
  /** [worker] `params` is the block that was last published, and changes between calls only. */
  void (*encode)(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame);
  void (*decode)(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame);
  /** Called at io->deadline_ms, after the frames that arrived before it were decoded. May be NULL */
  void (*expire)(gpointer state, gconstpointer params, AditStageIo *io);
  void (*fini)(gpointer state); /**< [main] after the last worker has used the stage. May be NULL */

  /* Members from here on may be missing (ADIT_HAS) in an older stage. */

  /** Called after init() with the argument of stage_add(). An older data path does not call it. [main] May be NULL */
  void (*attach)(gpointer state, const AditStageSpec *spec);
} AditStageOps;

struct AditStageSpec {
  gsize size;
  const AditStageOps *ops; /**< outlives the session */
  gconstpointer params;    /**< the first block of parameters, copied; wiped once no worker reads it, as it may hold keys */
  gsize params_length;
  gboolean exclusive; /**< drop data that bypasses the stage, such as clear packets where encryption was negotiated */
  void (*note)(gpointer user, guint32 what, gconstpointer data, gsize length); /**< [main] receives the notes of the worker. May be NULL */
  gpointer user;
  /** [main] Returns a MAP for `show session`, under the stage's name: negotiated values and counters. The caller frees it. NULL = nothing.
   *  May be NULL. */
  AditValue *(*describe)(gpointer user);
  /** [main] Returns the word for `encoding` in `show sessions`, RouterOS's: `MPPE128 stateless`; NULL = none. May be NULL. */
  const char *(*encoding)(gpointer user);

  /* Members from here on may be missing (ADIT_HAS) in an older stage. */

  /** `exclusive` holds for the protocols `first` to `last`: RFC 3078 4 encrypts 0x0021 to 0x00fa alone. 0 = for all data. */
  guint16 first, last;
};

/* ---- frames in pieces ---- */

/** Puts octets before a frame; FALSE if it has too many pieces. */
static inline gboolean adit_stage_prepend(AditStageFrame *frame, guint8 *data, guint32 length) {
  if (frame->n == ADIT_STAGE_SLICES)
    return FALSE;
  for (guint i = frame->n; i > 0; i--)
    frame->slice[i] = frame->slice[i - 1];
  frame->slice[0].data = data;
  frame->slice[0].length = length;
  frame->n++;
  frame->length += length;
  return TRUE;
}

/** Puts octets behind a frame; FALSE if it has too many pieces. */
static inline gboolean adit_stage_append(AditStageFrame *frame, guint8 *data, guint32 length) {
  if (frame->n == ADIT_STAGE_SLICES)
    return FALSE;
  frame->slice[frame->n].data = data;
  frame->slice[frame->n++].length = length;
  frame->length += length;
  return TRUE;
}

/** Makes `out` the octets of `frame` from `from` on, up to `length`, without copying; one piece is left free for a header. FALSE if there
 *  are too many pieces. */
static inline gboolean adit_stage_cut(const AditStageFrame *frame, guint32 from, guint32 length, AditStageFrame *out) {
  AditStageFrame cut;
  memset(&cut, 0, sizeof cut);
  cut.protocol = frame->protocol;
  cut.link = frame->link;
  for (guint i = 0; i < frame->n && length; i++) {
    if (from >= frame->slice[i].length) {
      from -= frame->slice[i].length;
      continue;
    }
    if (cut.n + 1 == ADIT_STAGE_SLICES)
      return FALSE;
    guint32 n = MIN(length, frame->slice[i].length - from);
    cut.slice[cut.n].data = frame->slice[i].data + from;
    cut.slice[cut.n++].length = n;
    cut.length += n;
    length -= n;
    from = 0;
  }
  *out = cut;
  return TRUE;
}

/** Copies up to `length` octets of the frame from `from` on; returns how many. */
static inline guint32 adit_stage_copy(const AditStageFrame *frame, guint32 from, guint8 *to, guint32 length) {
  guint32 done = 0;
  for (guint i = 0; i < frame->n && done < length; i++) {
    if (from >= frame->slice[i].length) {
      from -= frame->slice[i].length;
      continue;
    }
    guint32 n = MIN(length - done, frame->slice[i].length - from);
    memcpy(to + done, frame->slice[i].data + from, n);
    done += n;
    from = 0;
  }
  return done;
}

/** Takes `length` octets off its begin. FALSE, and nothing is taken, if it is shorter. */
static inline gboolean adit_stage_skip(AditStageFrame *frame, guint32 length) {
  guint gone = 0;
  if (length > frame->length)
    return FALSE;
  frame->length -= length;
  while (gone < frame->n && length >= frame->slice[gone].length)
    length -= frame->slice[gone++].length;
  for (guint i = gone; i < frame->n; i++)
    frame->slice[i - gone] = frame->slice[i];
  frame->n = (guint8)(frame->n - gone);
  if (frame->n) {
    frame->slice[0].data += length;
    frame->slice[0].length -= length;
  }
  return TRUE;
}

/** Takes all but the first `length` octets off its end; harmless if it is shorter. */
static inline void adit_stage_cut_end(AditStageFrame *frame, guint32 length) {
  while (frame->length > length) {
    AditStageSlice *last = &frame->slice[frame->n - 1];
    guint32 more = MIN(frame->length - length, last->length);
    last->length -= more;
    frame->length -= more;
    if (!last->length)
      frame->n--;
  }
}

static inline void adit_stage_put16(guint8 *at, guint16 value) {
  at[0] = (guint8)(value >> 8);
  at[1] = (guint8)value;
}

G_END_DECLS
