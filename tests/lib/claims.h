/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/lib/claims.h - claims of a test on the real kernel, by value: made and waited for, and released again.
 *
 *     assert_int_equal(test_claim_route(&route), 0);
 *     assert_int_equal(test_release_route(&route), 0);
 */
#pragma once

#include "core/net/kernel.h"
#include "core/net/net.h"
#include "tests/lib/loop.h"

#include <errno.h>

typedef struct {
  AditClaimant head;
  AditClaim *claim;
  AditObjectKey key;
  AditClaimState state;
  int error;
  char why[160];
} TestClaim;

static GPtrArray *test_claims_;

static inline void test_claim_changed_(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  TestClaim *t = (TestClaim *)user;
  t->state = state;
  t->error = error;
  g_strlcpy(t->why, why ? why : "", sizeof t->why);
}

static inline TestClaim *test_claim_new(const char *who) {
  TestClaim *t = g_new0(TestClaim, 1);
  t->head = (AditClaimant){.size = sizeof t->head, .who = who, .changed = test_claim_changed_, .user = t};
  if (!test_claims_)
    test_claims_ = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(test_claims_, t);
  return t;
}

/* Until the kernel has answered: 0, or an errno; EEXIST when a foreign object has it. */
static inline int test_claim_wait(TestClaim *t, AditClaim *claim) {
  const char *why = NULL;
  t->claim = claim;
  t->state = adit_net_service()->claim_state(claim, &why);
  if (!TEST_LOOP_UNTIL(t->state != ADIT_CLAIM_PENDING, 10000))
    return ETIMEDOUT;
  return t->state == ADIT_CLAIM_INSTALLED ? 0 : t->state == ADIT_CLAIM_REFUSED ? (t->error ? t->error : EPERM) : EEXIST;
}

static inline int test_claim_address(const AditNetAddress *address) {
  TestClaim *t = test_claim_new("a test");
  t->key = adit_object_key_address(address);
  return test_claim_wait(t, adit_net_service()->claim_address(address, &t->head));
}

static inline int test_claim_route(const AditNetRoute *route) {
  TestClaim *t = test_claim_new("a test");
  t->key = adit_object_key_route(route);
  return test_claim_wait(t, adit_net_service()->claim_route(route, &t->head));
}

static inline gboolean test_claims_quiet(void) {
  return TEST_LOOP_UNTIL(adit_claims_quiet(adit_kernel_claims()), 10000);
}

/* Releases the latest claim of it; ENOENT if there is none. */
static inline int test_release_(const AditObjectKey *key) {
  for (guint i = test_claims_ ? test_claims_->len : 0; i > 0; i--) {
    TestClaim *t = (TestClaim *)test_claims_->pdata[i - 1];
    if (!t->claim || memcmp(&t->key, key, sizeof *key) != 0)
      continue;
    adit_net_service()->claim_release(t->claim);
    g_ptr_array_remove_index(test_claims_, i - 1);
    return test_claims_quiet() ? 0 : ETIMEDOUT;
  }
  return ENOENT;
}

static inline int test_release_address(const AditNetAddress *address) {
  AditObjectKey key = adit_object_key_address(address);
  return test_release_(&key);
}

static inline int test_release_route(const AditNetRoute *route) {
  AditObjectKey key = adit_object_key_route(route);
  return test_release_(&key);
}

/* After adit_net_fini(), which forgets all claims. */
static inline void test_claims_forget(void) {
  g_clear_pointer(&test_claims_, g_ptr_array_unref);
}
