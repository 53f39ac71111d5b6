/* SPDX-License-Identifier: MIT */
/**
 * adit/cursor.h - the only way to read from and write to the wire. [any]
 *
 * A cursor is a bounded view of octets it does not own. A read past the end returns zeroes and sets `bad`, and it
 * stays set: a parser may read a whole structure and ask once, at the end. A builder is its mirror: a write past the
 * end is dropped and sets `bad`. All integers are in network byte order.
 *
 * A parser checks once, at its end; a writer fills in the length when it is known:
 *
 *     static gboolean parse_message(const guint8 *octets, gsize length, guint8 *code, AditCursor *body) {
 *       AditCursor in = adit_cursor(octets, length);
 *       *code = adit_get_u8(&in);
 *       *body = adit_get_sub(&in, adit_get_u16(&in));
 *       return !in.bad;
 *     }
 *
 *     static gsize write_message(guint8 *buffer, gsize size, guint8 code, const char *text) { // 0: it does not fit
 *       AditBuilder out = adit_builder(buffer, size);
 *       adit_put_u8(&out, code);
 *       adit_put_u16(&out, 0);
 *       adit_put_bytes(&out, text, strlen(text));
 *       adit_patch_u16(&out, 1, (guint16)(adit_built(&out) - 3));
 *       return out.bad ? 0 : adit_built(&out);
 *     }
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef struct {
  const guint8 *at;
  const guint8 *end;
  gboolean bad;
} AditCursor;

static inline AditCursor adit_cursor(const void *data, gsize length) {
  const guint8 *at = (const guint8 *)data;
  AditCursor c = {at, length ? at + length : at, FALSE};
  return c;
}

static inline gsize adit_left(const AditCursor *c) { return (gsize)(c->end - c->at); }

/** Octets at the cursor, which moves on; NULL (and bad) if fewer than `length` are left. */
static inline const guint8 *adit_get_bytes(AditCursor *c, gsize length) {
  if (c->bad || adit_left(c) < length) {
    c->bad = TRUE;
    c->at = c->end;
    return NULL;
  }
  const guint8 *at = c->at;
  c->at += length;
  return at;
}

static inline gboolean adit_skip(AditCursor *c, gsize length) {
  adit_get_bytes(c, length);
  return !c->bad;
}

static inline guint8 adit_get_u8(AditCursor *c) {
  const guint8 *b = adit_get_bytes(c, 1);
  return b ? b[0] : 0;
}

static inline guint16 adit_get_u16(AditCursor *c) {
  const guint8 *b = adit_get_bytes(c, 2);
  return b ? (guint16)(b[0] << 8 | b[1]) : 0;
}

static inline guint32 adit_get_u32(AditCursor *c) {
  const guint8 *b = adit_get_bytes(c, 4);
  return b ? (guint32)b[0] << 24 | (guint32)b[1] << 16 | (guint32)b[2] << 8 | b[3] : 0;
}

static inline guint64 adit_get_u64(AditCursor *c) {
  guint64 high = adit_get_u32(c);
  return high << 32 | adit_get_u32(c);
}

/** Copies `length` octets to `to`; zeroes them if there are fewer. */
static inline gboolean adit_get_copy(AditCursor *c, void *to, gsize length) {
  const guint8 *b = adit_get_bytes(c, length);
  if (b)
    memcpy(to, b, length);
  else
    memset(to, 0, length);
  return b != NULL;
}

/** A cursor over the next `length` octets; this one moves behind them. An empty bad one if there are fewer. */
static inline AditCursor adit_get_sub(AditCursor *c, gsize length) {
  const guint8 *b = adit_get_bytes(c, length);
  AditCursor none = {c->end, c->end, TRUE};
  return b ? adit_cursor(b, length) : none;
}

typedef struct {
  guint8 *start;
  guint8 *at;
  guint8 *end;
  gboolean bad;
} AditBuilder;

static inline AditBuilder adit_builder(void *buffer, gsize size) {
  guint8 *at = (guint8 *)buffer;
  AditBuilder b = {at, at, at + size, FALSE};
  return b;
}

static inline gsize adit_built(const AditBuilder *b) { return (gsize)(b->at - b->start); }

/** Space for `length` octets that the caller fills; NULL (and bad) if it does not fit. */
static inline guint8 *adit_put_room(AditBuilder *b, gsize length) {
  if (b->bad || (gsize)(b->end - b->at) < length) {
    b->bad = TRUE;
    return NULL;
  }
  guint8 *at = b->at;
  b->at += length;
  return at;
}

static inline void adit_put_bytes(AditBuilder *b, const void *from, gsize length) {
  guint8 *at = adit_put_room(b, length);
  if (at && length)
    memcpy(at, from, length);
}

static inline void adit_put_u8(AditBuilder *b, guint8 v) {
  guint8 *at = adit_put_room(b, 1);
  if (at)
    at[0] = v;
}

static inline void adit_put_u16(AditBuilder *b, guint16 v) {
  guint8 *at = adit_put_room(b, 2);
  if (at)
    at[0] = (guint8)(v >> 8), at[1] = (guint8)v;
}

static inline void adit_put_u32(AditBuilder *b, guint32 v) {
  adit_put_u16(b, (guint16)(v >> 16));
  adit_put_u16(b, (guint16)v);
}

static inline void adit_put_u64(AditBuilder *b, guint64 v) {
  adit_put_u32(b, (guint32)(v >> 32));
  adit_put_u32(b, (guint32)v);
}

/** Overwrites two octets that were put before, `offset` from the start: for lengths known only afterwards. */
static inline void adit_patch_u16(AditBuilder *b, gsize offset, guint16 v) {
  if (offset + 2 <= adit_built(b))
    b->start[offset] = (guint8)(v >> 8), b->start[offset + 1] = (guint8)v;
  else
    b->bad = TRUE;
}

G_END_DECLS
