/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** links.h - what the tests of a PPP link begin with: two links that know each other, or one whose other end is the test. */
#pragma once

#include "pair.h"

/** Methods that a test allows: both of pair.h, or one; in an array, as AditPppLinkParams has them. */
extern const AditAuthMethod *const link_methods_both[2], *const link_methods_weak[1], *const link_methods_strong[1];

/** An NCP of no options (0x8033), with one code of its own: 14. */
extern const AditNcpDesc simple_ncp;
/** How often it was put back to the start. */
extern guint simple_resets;

/** b demands what a can answer; both have the simple NCP. To be opened yet. */
void link_server_and_client(Pair *pair);
/** The same, open. */
Pair *link_opened(void);
/** The options of the `nth` LCP Configure-Request, in hex. */
char *link_request_options(Node *node, guint nth);
/** A lone link, a: the other end is the test. */
Pair *link_lone(void);
/** Makes it and sends its first request. */
void link_lone_open(Pair *pair);
/** Acknowledges its `nth` request and sends one without options: LCP opens. */
void link_lone_agree(Pair *pair, guint nth);
AditPppLinkInfo link_info_of(Node *node);
