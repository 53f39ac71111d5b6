/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Associations of a fake provider: their marks, their events, their end. */
#include "core/base/owner.h"
#include "core/bus/bus.h"
#include "core/path/path.h"
#include <adit/protection.h>

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static AditPlugin charon = {"charon"}, other = {"other"};

typedef struct {
  guint ensured, released;
  gboolean refuses, at_once;
  guint32 last;
  char policy[32];
} Fake;

static GString *told; /* the events */
static guint32 told_of;
static AditEndpoint told_peer;
static gboolean known_then;      /* was the mark known when the event came? */
static gboolean releases_itself; /* the observer of the end releases at once */

static gboolean fake_ensure(gpointer state, guint32 association, const AditPath *path, const AditProtectionPolicy *policy, GError **error) {
  Fake *fake = state;
  fake->ensured++;
  fake->last = association;
  g_strlcpy(fake->policy, policy->name, sizeof fake->policy);
  if (fake->refuses) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "no proposal");
    return FALSE;
  }
  if (fake->at_once)
    adit_path_service()->association_event(association, ADIT_ASSOCIATION_UP, NULL, NULL);
  return TRUE;
}
static void fake_release(gpointer state, guint32 association) {
  Fake *fake = state;
  fake->released++;
  fake->last = association;
  adit_path_service()->association_event(association, ADIT_ASSOCIATION_DOWN, NULL, "released"); /* nobody is there to hear it */
}
static void fake_lookup(gpointer state, guint32 association, AditAssociationFacts *facts) {
  facts->identity = "CN=peer";
  facts->algorithms = "AES_GCM_16-256";
  facts->overhead = 62;
}
static const AditProtectionOps ops = {
    .size = sizeof ops, .name = "charon", .ensure = fake_ensure, .release = fake_release, .lookup = fake_lookup};

static void on_event(const AditEvent *event, gpointer word) {
  const AditAssociationEvent *e = (const AditAssociationEvent *)event;
  g_string_append_printf(told, "%s%s%s%s", (const char *)word, e->reason ? "(" : "", e->reason ? e->reason : "", e->reason ? ") " : " ");
  told_of = e->association;
  told_peer = e->peer;
  known_then = adit_path_service()->association_is_known(e->association);
  assert_string_equal(e->provider, "charon");
  if (releases_itself)
    adit_path_service()->protection_release(e->association);
}

static Fake fake;

static int setup(void **state) {
  fake = (Fake){.ensured = 0};
  told = g_string_new(NULL);
  releases_itself = FALSE;
  adit_bus_init();
  adit_path_init();
  adit_bus_subscribe(NULL, ADIT_EVENT_ASSOCIATION_UP, on_event, (gpointer) "up");
  adit_bus_subscribe(NULL, ADIT_EVENT_ASSOCIATION_REKEYED, on_event, (gpointer) "rekeyed");
  adit_bus_subscribe(NULL, ADIT_EVENT_ASSOCIATION_MOVED, on_event, (gpointer) "moved");
  adit_bus_subscribe(NULL, ADIT_EVENT_ASSOCIATION_DOWN, on_event, (gpointer) "down");
  assert_true(adit_path_service()->protection_add(&charon, &ops, &fake, NULL));
  return 0;
}

static int teardown(void **state) {
  adit_path_fini();
  adit_bus_fini();
  g_string_free(told, TRUE);
  return 0;
}

static AditPath path_to(const char *text) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return (AditPath){.remote = adit_endpoint(&address, 1701)};
}

static guint32 ensure(const char *provider, GError **error) {
  AditPath path = path_to("192.0.2.1");
  AditProtectionPolicy policy = {.size = sizeof policy, .name = "office"};
  return adit_path_service()->protection_ensure(provider, &path, &policy, error);
}

static gboolean known(guint32 mark) {
  return adit_path_service()->association_is_known(mark);
}

static void expect_told(const char *events) {
  assert_string_equal(told->str, events);
  g_string_truncate(told, 0);
}

static void an_association_lives_and_its_mark_with_it(void **state) {
  const AditPathService *service = adit_path_service();
  AditAssociationFacts facts = {.size = sizeof facts};
  AditPath there = path_to("192.0.2.7");
  guint32 id = ensure("charon", NULL);

  assert_int_equal(id, fake.last);
  assert_string_equal(fake.policy, "office");
  assert_in_range(id, ADIT_ASSOCIATION_MARK + 1, ADIT_ASSOCIATION_MARK + ADIT_ASSOCIATIONS_MAX);
  assert_false(known(id)); /* not before it is up: what has its mark now did not come through it */
  service->association_event(id, ADIT_ASSOCIATION_REKEYED, NULL, NULL);
  expect_told("");
  service->association_event(id, ADIT_ASSOCIATION_UP, NULL, NULL);
  expect_told("up ");
  assert_true(known_then);
  assert_int_equal(told_of, id);
  service->association_event(id, ADIT_ASSOCIATION_UP, NULL, NULL); /* again */
  service->association_event(id, ADIT_ASSOCIATION_REKEYED, NULL, NULL);
  service->association_event(id, ADIT_ASSOCIATION_MOVED, &there, NULL);
  expect_told("rekeyed moved ");
  assert_true(adit_endpoint_equal(&told_peer, &there.remote));
  assert_true(known(id));

  assert_true(service->association_lookup(id, &facts));
  assert_int_equal(facts.state, ADIT_ASSOCIATION_UP);
  assert_int_equal(facts.path.association, id);
  assert_true(adit_endpoint_equal(&facts.path.remote, &there.remote));
  assert_string_equal(facts.provider, "charon");
  assert_string_equal(facts.identity, "CN=peer");
  assert_int_equal(facts.overhead, 62);
  AditAssociationFacts short_facts = {.size = G_STRUCT_OFFSET(AditAssociationFacts, identity), .identity = "kept"};
  assert_true(service->association_lookup(id, &short_facts)); /* an older caller's */
  assert_string_equal(short_facts.identity, "kept");

  service->association_event(id, ADIT_ASSOCIATION_DOWN, NULL, "the peer deleted it");
  expect_told("down(the peer deleted it) ");
  assert_false(known_then);
  assert_false(known(id));
  service->association_event(id, ADIT_ASSOCIATION_UP, NULL, NULL); /* what is over stays so */
  expect_told("");
  assert_false(known(id));
  service->protection_release(id);
  assert_int_equal(fake.released, 0); /* it knows already */
  assert_false(service->association_lookup(id, &facts));
}

static void whoever_needs_it_no_more_releases_it(void **state) {
  fake.at_once = TRUE;
  guint32 id = ensure(NULL, NULL);
  expect_told("up ");
  assert_true(known(id));
  adit_path_service()->protection_release(id);
  assert_int_equal(fake.released, 1);
  assert_int_equal(fake.last, id);
  assert_false(known(id));
  expect_told("");
  adit_path_service()->protection_release(id); /* harmless */
  assert_int_equal(fake.released, 1);
  assert_int_not_equal(ensure(NULL, NULL), id); /* its number is not another's soon */
}

static void it_may_be_released_in_its_event(void **state) {
  guint32 id = ensure(NULL, NULL);
  releases_itself = TRUE;
  adit_path_service()->association_event(id, ADIT_ASSOCIATION_DOWN, NULL, NULL);
  expect_told("down ");
  id = ensure(NULL, NULL);
  adit_path_service()->association_event(id, ADIT_ASSOCIATION_UP, NULL, NULL);
  assert_false(known(id));
}

static void what_cannot_be_protected_is_told(void **state) {
  g_autoptr(GError) error = NULL;
  AditAssociationFacts facts = {.size = sizeof facts};
  assert_int_equal(ensure("strongbox", &error), 0);
  assert_int_equal(error->code, ADIT_ERR_NOT_FOUND);
  g_clear_error(&error);
  fake.refuses = TRUE;
  assert_int_equal(ensure(NULL, &error), 0);
  assert_string_equal(error->message, "no proposal");
  assert_false(adit_path_service()->association_lookup(fake.last, &facts));
}

static void a_peer_sets_one_up(void **state) {
  const AditPathService *service = adit_path_service();
  g_autoptr(GError) error = NULL;
  AditAssociationFacts facts = {.size = sizeof facts};
  AditPath path = path_to("192.0.2.9");
  guint32 id = service->association_accept(&charon, &path, NULL);
  assert_int_not_equal(id, 0);
  assert_false(known(id));
  service->association_event(id, ADIT_ASSOCIATION_UP, NULL, NULL);
  assert_true(known(id));
  service->association_event(id, ADIT_ASSOCIATION_DOWN, NULL, NULL);
  expect_told("up down ");
  assert_false(service->association_lookup(id, &facts)); /* nobody here would release it */
  assert_int_equal(service->association_accept(&other, &path, &error), 0);
  assert_int_equal(error->code, ADIT_ERR_NOT_FOUND);
}

static void marks_of_others_mean_in_the_clear(void **state) {
  fake.at_once = TRUE;
  guint32 id = ensure(NULL, NULL), number = id - ADIT_ASSOCIATION_MARK;
  const guint32 others[] = {0,          1, 7, number, ADIT_ASSOCIATION_MARK, id + 1, id - 1, id + 0x10000, id - 0x10000, id ^ 0x80000000,
                            G_MAXUINT32};
  assert_true(known(id));
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    assert_false(known(others[i]));
}

static void there_are_as_many_as_marks(void **state) {
  const AditPathService *service = adit_path_service();
  g_autoptr(GError) error = NULL;
  AditPath path = path_to("192.0.2.9");
  guint32 first = service->association_accept(&charon, &path, NULL);
  for (guint i = 1; i < ADIT_ASSOCIATIONS_MAX; i++)
    assert_int_not_equal(service->association_accept(&charon, &path, NULL), 0);
  assert_int_equal(service->association_accept(&charon, &path, &error), 0);
  assert_int_equal(error->code, ADIT_ERR_BUSY);
  service->association_event(first, ADIT_ASSOCIATION_DOWN, NULL, NULL);
  assert_int_equal(service->association_accept(&charon, &path, NULL), first);
}

static void a_provider_goes_with_its_plugin(void **state) {
  const AditPathService *service = adit_path_service();
  g_autoptr(GError) error = NULL;
  AditAssociationFacts facts = {.size = sizeof facts};
  AditPath path = path_to("192.0.2.9");
  fake.at_once = TRUE;
  guint32 ours = ensure(NULL, NULL), theirs = service->association_accept(&charon, &path, NULL);
  expect_told("up ");
  adit_path_drop_plugin(&other);
  expect_told("");
  adit_path_drop_plugin(&charon);
  expect_told("down(its provider is being unloaded) down(its provider is being unloaded) ");
  assert_false(known(ours) || known(theirs));
  assert_true(service->association_lookup(ours, &facts)); /* until it is released */
  assert_int_equal(facts.state, ADIT_ASSOCIATION_DOWN);
  service->protection_release(ours);
  assert_int_equal(fake.released, 0);
  assert_int_equal(ensure(NULL, &error), 0);
}

static void a_provider_is_complete_and_alone_of_its_name(void **state) {
  g_autoptr(GError) error = NULL;
  AditProtectionOps lame = ops;
  lame.release = NULL;
  lame.name = "lame";
  assert_false(adit_path_service()->protection_add(&other, &lame, NULL, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  g_clear_error(&error);
  assert_false(adit_path_service()->protection_add(&other, &ops, NULL, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
}

#define PROTECTION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      PROTECTION_TEST(an_association_lives_and_its_mark_with_it),
      PROTECTION_TEST(whoever_needs_it_no_more_releases_it),
      PROTECTION_TEST(it_may_be_released_in_its_event),
      PROTECTION_TEST(what_cannot_be_protected_is_told),
      PROTECTION_TEST(a_peer_sets_one_up),
      PROTECTION_TEST(marks_of_others_mean_in_the_clear),
      PROTECTION_TEST(there_are_as_many_as_marks),
      PROTECTION_TEST(a_provider_goes_with_its_plugin),
      PROTECTION_TEST(a_provider_is_complete_and_alone_of_its_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
