/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reply-parts.h - what the files of reply.c share: a reading under way, the table's rows, the readers of values. */
#pragma once

#include "reply.h"

/** A kind of limit on octets; two attributes make its 64 bits. */
enum { LIMIT_IN = 0, LIMIT_OUT, LIMIT_TOTAL, LIMITS };

/** What an address of the server's choice may mean: RFC 2865 5.8. */
typedef enum { FRAMED_NOT_SAID = 0, FRAMED_ADDRESS, FRAMED_BY_US, FRAMED_BY_PEER } RadiusFramed;

typedef struct {
  guint8 code;                       /**< RadiusCode */
  const AditAuthRequest *request;    /**< NULL for a CoA-Request */
  const RadiusReplyContext *context; /**< NULL for a CoA-Request */
  AditValue *map;                    /**< being built */
  GPtrArray *unsupported, *invalid;  /**< of char* */
  char *refusal;                     /**< why an Accept counts as a Reject; the first one stands */

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
  guint8 send[16], receive[16];
  GBytes *state;
  struct {
    gboolean in_use;          /* Tunnel-Type is that of the tunnel which the user came through */
    gboolean here, elsewhere; /* where it, or another of a choice, ends */
  } tunnel;
} RadiusReading;

enum {
  ROW_COA = 1 << 0,  /**< a CoA-Request may have it */
  ROW_LIST = 1 << 1, /**< each one is appended to the word's list */
  ROW_MANY = 1 << 2, /**< it may stand more than once, and the reader knows what to do with that */
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

/** The row of an attribute, or NULL. */
const RadiusWordRow *radius_reply_row(guint32 vendor, guint8 type);

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

/* reply-value.c */
RADIUS_READER(radius_read_ignored); /**< known, and of no consequence here */
RADIUS_READER(radius_read_nothing); /**< zero alone can be honoured: it asks for nothing */
RADIUS_READER(radius_read_number);  /**< INT, within least..most */
RADIUS_READER(radius_read_seconds); /**< INT in milliseconds, kept within least..most seconds */
RADIUS_READER(radius_read_interim); /**< the same; 0 says nothing */
RADIUS_READER(radius_read_text);    /**< STRING */
RADIUS_READER(radius_read_octets);  /**< OCTETS, least..most of them */
RADIUS_READER(radius_read_termination);
RADIUS_READER(radius_read_limit); /**< least: LIMIT_*, most: which half */
RADIUS_READER(radius_read_filter);
RADIUS_READER(radius_read_until); /**< a point in time: the session's end */
RADIUS_READER(radius_read_rate);
RADIUS_READER(radius_read_ascend_rate);
RADIUS_READER(radius_read_ascend_tx);
RADIUS_READER(radius_read_wispr_rate); /**< least: index in RadiusReading.rate.wispr */
void radius_finish_values(RadiusReading *r);

/* reply-address.c */
RADIUS_READER(radius_read_framed_address);
RADIUS_READER(radius_read_framed_netmask);
RADIUS_READER(radius_read_framed_pool);
RADIUS_READER(radius_read_framed_mtu);
RADIUS_READER(radius_read_route);     /**< least: the family */
RADIUS_READER(radius_read_ipv4);      /**< ADDRESS */
RADIUS_READER(radius_read_ipv6);      /**< ADDRESS */
RADIUS_READER(radius_read_ipv6_host); /**< PREFIX of 128 bits */
RADIUS_READER(radius_read_prefix);    /**< PREFIX */
RADIUS_READER(radius_read_interface_id);
void radius_finish_address(RadiusReading *r);

/* reply-login.c */
RADIUS_READER(radius_read_must_be); /**< least is the only value that is served: any other refuses */
RADIUS_READER(radius_read_tunnel);  /**< the user is to be tunnelled on: refuses */
RADIUS_READER(radius_read_tunnel_server);
RADIUS_READER(radius_read_tunnel_password);
RADIUS_READER(radius_read_message);
RADIUS_READER(radius_read_eap);
RADIUS_READER(radius_read_state);
RADIUS_READER(radius_read_proof); /**< MS-CHAP2-Success */
RADIUS_READER(radius_read_error); /**< MS-CHAP-Error */
RADIUS_READER(radius_read_mppe_policy);
RADIUS_READER(radius_read_mppe_types);
RADIUS_READER(radius_read_mppe_key);  /**< least: 0 ours to send with, 1 to receive with */
RADIUS_READER(radius_read_mppe_keys); /**< MS-CHAPv1's, both in one */
/** What all of them together refuse. */
void radius_finish_login(RadiusReading *r);
