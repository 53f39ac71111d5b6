/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "rules.h"
#include "../options.h"

static void rule_clear(gpointer data) {
  L2tpRule *rule = data;

  g_free(rule->host);
  adit_value_unref(rule->secret);
}

GArray *l2tp_rules_new(const AditValue *list) {
  GArray *rules = g_array_new(FALSE, TRUE, sizeof(L2tpRule));

  g_array_set_clear_func(rules, rule_clear);
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i), *secret = l2tp_option_secret_value(item);
    const AditPrefix *prefix = l2tp_option_address(item);
    L2tpRule rule = {.host = g_strdup(l2tp_option_host_name(item)), .secret = adit_value_ref(secret), .where = item->where};
    if (prefix)
      rule.prefix = *prefix;
    g_array_append_val(rules, rule);
  }
  return rules;
}

static gboolean rule_matches(const L2tpRule *rule, const AditAddress *remote, const char *host) {
  if (rule->prefix.address.family && !adit_prefix_contains(&rule->prefix, remote))
    return FALSE;
  return !rule->host || (host && g_pattern_match_simple(rule->host, host));
}

/** How exact it is: the prefix counts first, then how much of the name is given. */
static guint rule_weight(const L2tpRule *rule) {
  guint weight = rule->prefix.address.family ? 1 + rule->prefix.length : 0, name = 0;

  if (rule->host) {
    for (const char *c = rule->host; *c; c++)
      name += *c != '*' && *c != '?';
    name = MIN(name, 250) + (strpbrk(rule->host, "*?") ? 1 : 2);
  }
  return weight << 8 | name;
}

gboolean l2tp_rules_equal(const L2tpRule *a, const L2tpRule *b) {
  return a->prefix.address.family == b->prefix.address.family && a->prefix.length == b->prefix.length &&
         (!a->prefix.address.family ||
          (adit_prefix_contains(&a->prefix, &b->prefix.address) && adit_prefix_contains(&b->prefix, &a->prefix.address))) &&
         !g_strcmp0(a->host, b->host);
}

gint l2tp_rules_best(const GArray *rules, const AditAddress *remote, const char *host, const L2tpRule **found) {
  gint best = -1;

  for (guint i = 0; i < rules->len; i++) {
    const L2tpRule *rule = &g_array_index(rules, L2tpRule, i);
    if (rule_matches(rule, remote, host) && (gint)rule_weight(rule) > best) {
      best = (gint)rule_weight(rule);
      *found = rule;
    }
  }
  return best;
}

static gboolean prefixes_meet(const AditPrefix *a, const AditPrefix *b) {
  return !a->address.family || !b->address.family ||
         (a->address.family == b->address.family && (adit_prefix_contains(a, &b->address) || adit_prefix_contains(b, &a->address)));
}

gboolean l2tp_rule_proves(const L2tpRule *secret, const L2tpRule *proxy) {
  return prefixes_meet(&secret->prefix, &proxy->prefix) && (proxy->prefix.address.family || !g_strcmp0(secret->host, proxy->host));
}
