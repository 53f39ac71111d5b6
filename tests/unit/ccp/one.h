/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/ccp/one.h - an end with CCP, its wishes and keys, whose peer is the test. */
#pragma once

#include "plugins/ccp/ccp.h"
#include "plugins/ccp/mppe.h"
#include "tests/unit/ppp/lone-ncp.h"

typedef struct {
  const char *types; /* words with blanks between them; NULL = nothing is said */
  const char *mode;
} Wish;

static inline AditValue *attributes_of(const Wish *wish) {
  AditValue *map = adit_value_map();
  if (wish->types) {
    g_auto(GStrv) words = g_strsplit(wish->types, " ", -1);
    AditValue *list = adit_value_list();
    for (guint i = 0; words[i]; i++)
      adit_value_append(list, adit_value_string(words[i]));
    adit_value_set(map, "encryption-types", list);
  }
  if (wish->mode)
    adit_value_set(map, "encryption-mode", adit_value_string(wish->mode));
  return map;
}

static inline AditMppeKeys keys_of(gboolean b) {
  AditMppeKeys keys = {.size = sizeof keys};
  memset(keys.send, b ? 0x22 : 0x11, 16);
  memset(keys.receive, b ? 0x11 : 0x22, 16);
  memset(keys.short_key, 0x33, 8);
  return keys;
}

static inline const MppeParams *stage_of(const Node *node) {
  assert_int_equal(node->ncps[0].stage.params_length, sizeof(MppeParams));
  return (const MppeParams *)(gconstpointer)node->ncps[0].stage.params;
}

typedef struct {
  AditValue *attributes;
  Pair *pair;
} One;

static inline void one_free(One *one) {
  pair_free(one->pair);
  adit_value_unref(one->attributes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(One, one_free)

static inline One one_of(Wish wish) {
  AditMppeKeys keys = keys_of(FALSE);
  One one = {.attributes = attributes_of(&wish)};
  AditNcpParams params = {.size = sizeof params, .attributes = one.attributes, .mppe = &keys};
  one.pair = ncp_lone(&ccp_desc, &params);
  return one;
}

static inline void ask(One *one, const char *options) {
  g_autofree char *frame = g_strdup_printf("80fd 01 55 %04x %s", (guint)strlen(options) / 2 + 4, options);
  node_inject_text(&one->pair->a, frame);
}

static inline void open_with(One *one, const char *option) {
  ncp_answer(one->pair, 1, 2, NULL);
  ask(one, option);
  assert_int_equal(one->pair->a.ncps[0].opens, 1);
}

/** A note of the stage: the `run`th in a row. */
static inline void note(One *one, guint32 what, guint32 run, gboolean proven) {
  const NodeNcp *n = &one->pair->a.ncps[0];
  MppeNoise noise = {.dropped = 5, .proven = proven, .run = run};
  n->stage.note(n->stage.user, what, &noise, sizeof noise);
}
