/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** rules.h - the peers that a setting is for */
#pragma once

#include <adit/adit.h>

/** Which peers something is for: both must match; the longer prefix, then the more exact name, goes first. */
typedef struct {
  AditPrefix prefix; /**< family 0 = any address */
  char *host;        /**< glob over the Host Name; NULL = any */
  AditValue *secret; /**< of `secrets`: the configuration's own, in locked memory; NULL = none */
  AditWhere where;
} L2tpRule;

/** Of a list of the configuration; the caller's. */
GArray *l2tp_rules_new(const AditValue *list);
gboolean l2tp_rules_equal(const L2tpRule *a, const L2tpRule *b);
/** The weight of the best rule that matches, or -1. */
gint l2tp_rules_best(const GArray *rules, const AditAddress *remote, const char *host, const L2tpRule **found);
/** A secret that proves to be `proxy`: of the same addresses, or, as a name proves nothing, for that very name. */
gboolean l2tp_rule_proves(const L2tpRule *secret, const L2tpRule *proxy);
