/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Claims as people see them. */
#include "core/net/claims/claims-show.h"
#include "core/net/claims/claims-line.h"
#include <net/if.h>

static AditValue *describe_claim(const AditClaims *claims, const AditClaim *claim) {
  AditValue *map = adit_value_map();
  char text[ADIT_OBJECT_TEXT], name[IF_NAMESIZE];
  const char *why = NULL;
  AditClaimState state = adit_claims_state(claim, &why);

  adit_value_set(map, "object", adit_value_string(adit_object_format(&claim->object->key, &claim->value, text)));
  if (claim->value.ifindex && if_indextoname(claim->value.ifindex, name))
    adit_value_set(map, "interface", adit_value_string(name));
  adit_value_set(map, "claimant", adit_value_string(claim->claimant->who));
  adit_value_set(map, "state", adit_value_string(adit_claim_state_word(state)));
  adit_value_set(map, "since", adit_value_int((gint64)(claims->ops.now(claims->user) - claim->since_ms)));
  if (why && state == ADIT_CLAIM_WAITING) {
    g_autofree char *behind = g_strdup_printf("%s has it", why);
    adit_value_set(map, "why", adit_value_string(behind));
  } else if (why) {
    adit_value_set(map, "why", adit_value_string(why));
  }
  return map;
}

AditClaimsCursor *adit_claims_cursor_new(AditClaims *claims) {
  AditClaimsCursor *cursor = g_new0(AditClaimsCursor, 1);
  cursor->claims = claims;
  cursor->all = claims->all.head;
  cursor->node.data = cursor;
  g_queue_push_tail_link(&claims->cursors, &cursor->node);
  return cursor;
}

void adit_claims_cursor_free(AditClaimsCursor *cursor) {
  g_queue_unlink(&cursor->claims->cursors, &cursor->node);
  g_free(cursor);
}

static void next_object(AditClaimsCursor *cursor) {
  cursor->all = cursor->all->next;
  cursor->place = NULL;
}

AditValue *adit_claims_cursor_next(AditClaimsCursor *cursor) {
  while (cursor->all) {
    const AditObject *object = cursor->all->data;
    const GList *place = cursor->place ? cursor->place : object->line.head;
    if (place) {
      cursor->place = place->next;
      if (!cursor->place)
        next_object(cursor);
      return describe_claim(cursor->claims, place->data);
    }
    next_object(cursor);
  }
  return NULL;
}

void adit_cursors_leave_object(AditClaims *claims, const AditObject *object) {
  for (GList *node = claims->cursors.head; node; node = node->next)
    if (((AditClaimsCursor *)node->data)->all == &object->all)
      next_object(node->data);
}

void adit_cursors_leave_claim(AditClaims *claims, const AditClaim *claim) {
  for (GList *node = claims->cursors.head; node; node = node->next) {
    AditClaimsCursor *cursor = node->data;
    if (cursor->place != &claim->place)
      continue;
    cursor->place = claim->place.next;
    if (!cursor->place)
      next_object(cursor);
  }
}

AditValue *adit_claims_describe(AditClaims *claims) {
  AditValue *list = adit_value_list(), *row;
  AditClaimsCursor *cursor = adit_claims_cursor_new(claims);
  while ((row = adit_claims_cursor_next(cursor)))
    adit_value_append(list, row);
  adit_claims_cursor_free(cursor);
  return list;
}

void adit_claims_foreach(const AditClaims *claims, void (*each)(const AditObjectKey *key, const AditObjectValue *value, gpointer data),
                         gpointer data) {
  for (const GList *node = claims->all.head; node; node = node->next) {
    const AditObject *object = node->data;
    if (object->state == ADIT_CLAIM_INSTALLED && object->line.head)
      each(&object->key, &adit_object_winner(object)->value, data);
  }
}
