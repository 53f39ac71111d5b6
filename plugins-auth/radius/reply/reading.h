/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reading.h - a reply that is being read: what has been found so far, and how a reader of values adds to it. */
#pragma once

#include "reply.h"

/** A kind of limit on octets; two attributes make its 64 bits. */
enum { LIMIT_IN = 0, LIMIT_OUT, LIMIT_TOTAL, LIMITS };

/** Meanings of an address from the server: RFC 2865 5.8. */
typedef enum { FRAMED_NOT_SAID = 0, FRAMED_ADDRESS, FRAMED_BY_US, FRAMED_BY_PEER } RadiusFramed;

typedef struct {
  guint8 code;                       /**< RadiusCode */
  const AditAuthRequest *request;    /**< NULL for a CoA-Request */
  const RadiusReplyContext *context; /**< NULL for a CoA-Request */
  AditValue *map;                    /**< being built */
  GPtrArray *unsupported, *invalid;  /**< of char* */
  char *refusal;                     /**< why an Accept counts as a Reject; the first one counts */

  /* what takes several attributes */
  RadiusFramed framed;
  AditAddress address, netmask;
  char *pool;
  gint64 until_ms; /* from now: the end that WISPr names; 0 = none */
  struct {
    guint32 part[2]; /* low, high */
    gboolean said;
  } limit[LIMITS];
  struct {
    char *mikrotik;
    guint32 ascend[2], ascend_tx, wispr[4]; /* wispr: least up, least down, most up, most down */
    guint n_ascend;
    gboolean has_ascend_tx, has_wispr;
  } rate;
  GString *message;
  GByteArray *eap;
  char *proof;   /* MS-CHAP2-Success */
  char *failure; /* MS-CHAP-Error's M= */
  guint error_code;
  gboolean retry, has_send, has_receive;
  guint8 send[16], receive[16], short_key[8];
  AditMppeShort mppe_short;
  GBytes *state;
  struct {
    gboolean in_use;          /* Tunnel-Type is that of the tunnel which the user came through */
    gboolean here, elsewhere; /* where it, or another of a choice, ends */
  } tunnel;
} RadiusReading;

enum {
  ROW_COA = 1 << 0,  /**< a CoA-Request may have it */
  ROW_LIST = 1 << 1, /**< each one is appended to the word's list */
  ROW_MANY = 1 << 2, /**< it may occur more than once, and the reader handles that */
};

typedef struct RadiusWordRow RadiusWordRow;
struct RadiusWordRow {
  guint32 vendor;
  guint8 type;
  /** NULL when it was taken, else why its value can't be. */
  const char *(*read)(RadiusReading *r, const RadiusWordRow *row, const RadiusAttribute *a);
  const char *word; /**< that it becomes */
  guint flags;
  gint64 least, most; /**< as the reader says */
};

/** Sets the row's word, or appends to its list; takes over `value`. */
void radius_take(RadiusReading *r, const RadiusWordRow *row, AditValue *value);
void radius_take_as(RadiusReading *r, const char *word, gboolean list, AditValue *value);
/** "NAME: why" to one of the lists, once. */
void radius_complain(GPtrArray *list, const RadiusAttribute *a, const char *why);
/** An Accept counts as a Reject. */
void radius_refuse(RadiusReading *r, const RadiusAttribute *a, const char *why);
/** Text of a word: not empty, UTF-8 without control characters; a NUL at its end is forgiven. NULL if it is none; else to be freed. */
char *radius_text(const guint8 *value, gsize length);

/** Why Termination-Action and State are not honoured. */
extern const char radius_no_request[];

#define RADIUS_READER(name) const char *name(RadiusReading *r, const RadiusWordRow *row, const RadiusAttribute *a)
