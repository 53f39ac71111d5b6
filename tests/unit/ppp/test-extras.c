/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What plugins add to PPP: options of LCP, and NCPs with codes, timers and keys of their own. */
#include "core/ppp/registry.h"
#include "links.h"

/* ---- options of LCP: as Multilink's (RFC 1990 5.1) ---- */

enum { MRRU = 17, SHORT = 18, DISCRIMINATOR = 19 };

typedef struct {
  const AditEngineEnv *env;
  gboolean client;
  guint16 mrru, peer_mrru;
  gboolean asking, agreed;
} Mp;

static guint16 least_mrru = 1500; /* less is answered with a Nak */
static guint16 own_mrru = 1600;
static gboolean mp_needed;
static guint mp_resets;

static void mp_init(gpointer self, const AditEngineEnv *env, const AditLcpFacts *facts) {
  *(Mp *)self = (Mp){.env = env, .client = facts && facts->client};
}
static void mp_reset(gpointer self) {
  Mp *mp = self;
  mp_resets++;
  mp->mrru = own_mrru;
  mp->asking = TRUE;
  mp->agreed = FALSE;
}
static void mp_request(gpointer self, AditBuilder *out) {
  Mp *mp = self;
  const guint8 value[2] = {(guint8)(mp->mrru >> 8), (guint8)mp->mrru};
  if (!mp->asking)
    return;
  adit_ppp_put_option(out, MRRU, value, 2);
  adit_ppp_put_option(out, DISCRIMINATOR, "\1id", 3);
}
static void mp_peer_begin(gpointer self) {
  ((Mp *)self)->peer_mrru = 0;
}
static AditOptionVerdict mp_peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Mp *mp = self;
  if (option->type == SHORT)
    return ADIT_OPTION_REJECT;
  if (option->type != MRRU)
    return ADIT_OPTION_ACK;
  mp->peer_mrru = (guint16)(option->data[0] << 8 | option->data[1]);
  if (mp->peer_mrru >= least_mrru)
    return ADIT_OPTION_ACK;
  const guint8 value[2] = {(guint8)(least_mrru >> 8), (guint8)least_mrru};
  adit_ppp_put_option(nak, MRRU, value, 2);
  return ADIT_OPTION_NAK;
}
static void mp_peer_end(gpointer self, AditBuilder *nak) {}
static void mp_acked(gpointer self) {
  ((Mp *)self)->agreed = ((Mp *)self)->asking;
}
static void mp_naked(gpointer self, const AditPppOption *option) {
  if (option->type == MRRU)
    ((Mp *)self)->mrru = (guint16)(option->data[0] << 8 | option->data[1]);
}
static gboolean mp_rejected(gpointer self, const AditPppOption *option) {
  ((Mp *)self)->asking = FALSE;
  return !mp_needed;
}
static void mp_save(gconstpointer self, AditBuilder *out) {
  const Mp *mp = self;
  adit_put_u16(out, mp->mrru);
  adit_put_u16(out, mp->peer_mrru);
  adit_put_u8(out, (guint8)(mp->asking | mp->agreed << 1));
}
static gboolean mp_restore(gpointer self, AditCursor *in) {
  Mp *mp = self;
  mp->mrru = adit_get_u16(in);
  mp->peer_mrru = adit_get_u16(in);
  guint8 flags = adit_get_u8(in);
  mp->asking = flags & 1;
  mp->agreed = flags >> 1;
  return flags < 4;
}

static const AditPppOptionOps mp_options = {sizeof mp_options, mp_request, mp_peer_begin, mp_peer_option,
                                            mp_peer_end,       mp_acked,   mp_naked,      mp_rejected};
static const AditLcpType mp_types[] = {{MRRU, 2, 2}, {SHORT, 0, 0}, {DISCRIMINATOR, 1, 21}};
static const AditLcpDesc mp = {.size = sizeof mp,
                               .name = "mp",
                               .types = mp_types,
                               .n_types = G_N_ELEMENTS(mp_types),
                               .state_size = sizeof(Mp),
                               .options = &mp_options,
                               .init = mp_init,
                               .reset = mp_reset,
                               .save = mp_save,
                               .restore = mp_restore};
static const AditLcpDesc *const with_mp[] = {&mp};

static void use_mp(Node *node) {
  node->params.options = with_mp;
  node->params.n_options = 1;
}

static Pair *mp_pair(gboolean a, gboolean b) {
  Pair *pair = pair_new(3);
  least_mrru = 1500;
  mp_needed = FALSE;
  link_server_and_client(pair);
  if (a)
    use_mp(&pair->a);
  if (b)
    use_mp(&pair->b);
  pair_open(pair);
  return pair;
}

static void expect_option(const Node *node, guint8 type, gboolean peer, const char *hex) {
  AditPppOption option;
  g_autoptr(GByteArray) want = from_hex(hex);
  assert_true(adit_ppp_link_option(node->link, type, peer, &option));
  assert_int_equal(option.length, want->len);
  assert_memory_equal(option.data, want->data, want->len);
}

static void expect_none(const Node *node, guint8 type) {
  AditPppOption option;
  for (guint peer = 0; peer < 2; peer++)
    assert_false(adit_ppp_link_option(node->link, type, peer, &option));
}

static void both_ends_agree_and_values_are_read_by_type(void **state) {
  Pair *pair = mp_pair(TRUE, TRUE);
  expect_none(&pair->a, MRRU); /* not before LCP is open */
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  for (guint i = 0; i < 2; i++)
    for (guint peer = 0; peer < 2; peer++) {
      expect_option(i ? &pair->a : &pair->b, MRRU, peer, "0640");
      expect_option(i ? &pair->a : &pair->b, DISCRIMINATOR, peer, "016964");
    }
  expect_none(&pair->a, SHORT);
  expect_none(&pair->a, 99);
  pair_free(pair);
}

static void a_peer_that_does_not_know_them_rejects_them(void **state) {
  Pair *pair = mp_pair(TRUE, FALSE);
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  expect_none(&pair->a, MRRU);
  expect_none(&pair->b, MRRU);
  pair_free(pair);
  pair = mp_pair(TRUE, FALSE);
  mp_needed = TRUE; /* it can't do without */
  pair_run(pair, 20000);
  assert_int_equal(pair->a.closes, 1);
  assert_false(pair->a.network);
  pair_free(pair);
}

static void another_value_is_suggested_and_taken(void **state) {
  Pair *pair = mp_pair(TRUE, TRUE);
  least_mrru = 1700;
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  expect_option(&pair->a, MRRU, FALSE, "06a4");
  expect_option(&pair->a, MRRU, TRUE, "06a4");
  pair_free(pair);
}

static void an_option_of_another_length_is_rejected(void **state) {
  static const char *const bad[] = {"11 03 05", "11 05 05dc00", "12 03 01", "13 02"};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Pair *pair = link_lone();
    use_mp(&pair->a);
    link_lone_open(pair);
    g_autoptr(GByteArray) option = from_hex(bad[i]);
    g_autofree char *frame = g_strdup_printf("c021 01 07 %04x %s", option->len + 4, bad[i]);
    node_inject_text(&pair->a, frame);
    assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 4), 1);
    assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 2), 0);
    pair_free(pair);
  }
}

static void a_renegotiation_starts_afresh(void **state) {
  Pair *pair = mp_pair(TRUE, TRUE);
  pair_run(pair, 1000);
  guint before = mp_resets;
  pair->cut = TRUE;
  node_inject_text(&pair->a, "c021 01 63 0004"); /* the peer begins anew, without options */
  assert_int_equal(mp_resets, before + 1);
  expect_none(&pair->a, MRRU);
  pair_free(pair);
}

static void links_are_saved_with_their_options(void **state) {
  Pair *pair = mp_pair(TRUE, TRUE);
  pair_run(pair, 1000);
  node_reincarnate(&pair->a);
  expect_option(&pair->a, MRRU, FALSE, "0640");
  expect_option(&pair->a, DISCRIMINATOR, TRUE, "016964");
  guint8 image[8192];
  AditBuilder out = adit_builder(image, sizeof image);
  adit_ppp_link_save(pair->a.link, &out);
  assert_false(out.bad);
  AditPppLinkParams without = pair->a.params;
  without.n_options = 0;
  AditCursor in = adit_cursor(image, adit_built(&out));
  static const AditPppLinkOps ops = {.size = sizeof ops};
  assert_null(adit_ppp_link_restore(&without, &ops, NULL, &pair->a.env, &in)); /* the plugin has gone */
  pair_free(pair);
}

static void types_have_one_owner(void **state) {
  AditPlugin *plugin = (AditPlugin *)state; /* only compared */
  static const AditLcpType own[] = {{1, 2, 2}}, again[] = {{99, 0, 0}, {SHORT, 0, 0}}, other[] = {{99, 0, 0}};
  AditLcpDesc lcps = mp, twice = mp, lame = mp, fine = mp;
  g_autoptr(GError) error = NULL;
  guint n;
  lcps.types = own;
  lcps.n_types = 1;
  twice.types = again;
  twice.n_types = 2;
  lame.restore = NULL;
  fine.types = other;
  fine.n_types = 1;
  adit_ppp_init();
  const AditPppService *service = adit_ppp_service();
  assert_null(adit_lcp_descs(&n));
  assert_true(service->lcp_add(plugin, &mp, NULL));
  assert_true(service->lcp_add(NULL, &fine, NULL));
  assert_false(service->lcp_add(plugin, &lcps, &error));
  assert_string_equal(error->message, "lcp_add() of mp: option 1 is LCP's already");
  g_clear_error(&error);
  assert_false(service->lcp_add(plugin, &twice, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
  g_clear_error(&error);
  assert_false(service->lcp_add(plugin, &lame, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  assert_non_null(adit_lcp_descs(&n));
  assert_int_equal(n, 2);
  adit_ppp_drop_plugin(plugin);
  assert_non_null(adit_lcp_descs(&n));
  assert_int_equal(n, 1);
  adit_ppp_fini();
}

/* ---- an NCP with codes, timers and keys of its own: as CCP with MPPE (RFC 1962, RFC 3078) ---- */

enum { RESET_REQUEST = 14, RESET_ACK = 15 };

typedef struct {
  const AditEngineEnv *env;
  const AditNcpHost *host;
  guint64 deadline[2];
  guint8 key[16];
  guint acks, fired[2];
} Crypt;

static guint wiped;

static void crypt_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Crypt *c = self;
  c->env = env;
  if (params->mppe)
    memcpy(c->key, params->mppe->send, sizeof c->key);
}
static void crypt_attach(gpointer self, const AditNcpHost *host) {
  Crypt *c = self;
  c->host = host;
  assert_false(host->send(host, RESET_REQUEST, 1, NULL, 0)); /* not before it is open */
}
static void crypt_reset(gpointer self) {
  Crypt *c = self;
  for (guint i = 0; i < 2; i++)
    adit_env_disarm(c->env, &c->deadline[i], i);
}
static gboolean crypt_result(gpointer self, AditNcpResult *out, const char **why) {
  Crypt *c = self;
  memcpy(out->remote_mac, "\2\0\0\0\0\1", 6);
  g_strlcpy(out->bridge, "br0", sizeof out->bridge);
  adit_env_arm(c->env, &c->deadline[0], 0, 300);
  adit_env_arm(c->env, &c->deadline[1], 1, 200);
  return TRUE;
}
static void crypt_timeout(gpointer self, guint slot) {
  Crypt *c = self;
  if (!adit_env_due(c->env, &c->deadline[slot], slot))
    return;
  c->fired[slot]++;
  if (slot == 1)
    assert_true(c->host->send(c->host, RESET_REQUEST, c->host->next_id(c->host), "why", 3));
}
static gboolean crypt_code(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length) {
  Crypt *c = self;
  if (code == RESET_REQUEST)
    return c->host->send(c->host, RESET_ACK, id, data, length);
  if (code == RESET_ACK && length == 3)
    c->acks++;
  if (code == 16)
    c->host->close(c->host, "the key is of no use");
  return code >= RESET_REQUEST && code <= 16;
}
static void crypt_wipe(gpointer self) {
  wiped += ((Crypt *)self)->key[0] == 0x11;
}
static void crypt_save(gconstpointer self, AditBuilder *out) {
  adit_put_u8(out, 1);
}
static gboolean crypt_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  crypt_init(self, env, params);
  return adit_get_u8(in) == 1;
}
static void no_request(gpointer self, AditBuilder *out) {}
static void no_more(gpointer self) {}
static void no_naked(gpointer self, const AditPppOption *option) {}
static AditOptionVerdict no_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static const AditPppOptionOps no_options = {sizeof no_options, no_request, no_more, no_option, mp_peer_end, no_more, no_naked, mp_rejected};

static Crypt *crypts[2]; /* states, as they are made */
static void crypt_note_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  crypts[crypts[0] != NULL] = self;
  crypt_init(self, env, params);
}

static const AditNcpDesc crypt_ncp = {.size = sizeof crypt_ncp,
                                      .name = "crypt",
                                      .protocol = ADIT_PPP_CCP,
                                      .data_protocol = ADIT_PPP_COMPRESSED,
                                      .kind = ADIT_NCP_COMPRESSION,
                                      .state_size = sizeof(Crypt),
                                      .options = &no_options,
                                      .init = crypt_note_init,
                                      .result = crypt_result,
                                      .reset = crypt_reset,
                                      .code = crypt_code,
                                      .save = crypt_save,
                                      .restore = crypt_restore,
                                      .attach = crypt_attach,
                                      .n_slots = 2,
                                      .timeout = crypt_timeout,
                                      .wipe = crypt_wipe};

static Pair *crypt_pair(void) {
  AditMppeKeys keys = {.size = sizeof keys};
  AditNcpParams params = {.size = sizeof params, .mppe = &keys};
  Pair *pair = pair_new(1);
  memset(keys.send, 0x11, sizeof keys.send);
  crypts[0] = crypts[1] = NULL;
  wiped = 0;
  pair_open(pair);
  pair_run(pair, 100);
  node_add_ncp(&pair->a, &crypt_ncp, &params);
  node_add_ncp(&pair->b, &crypt_ncp, &params);
  explicit_bzero(&keys, sizeof keys); /* the core wipes its copy: each user of the keys has another */
  adit_ncp_up(pair->a.ncps[0].ncp);
  adit_ncp_up(pair->b.ncps[0].ncp);
  return pair;
}

static void codes_timers_and_keys_of_an_ncp(void **state) {
  Pair *pair = crypt_pair();
  pair_run(pair, 100);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_memory_equal(pair->a.ncps[0].result.remote_mac, "\2\0\0\0\0\1", 6);
  assert_string_equal(pair->a.ncps[0].result.bridge, "br0");
  assert_int_equal(crypts[0]->key[15], 0x11);
  pair_run(pair, 150);
  for (guint i = 0; i < 2; i++) { /* slot 1 was due first, and each got its answer */
    assert_int_equal(crypts[i]->fired[0], 0);
    assert_int_equal(crypts[i]->fired[1], 1);
    assert_int_equal(crypts[i]->acks, 1);
  }
  pair_run(pair, 1000);
  assert_int_equal(crypts[0]->fired[0], 1);
  assert_int_equal(crypts[0]->fired[1], 1);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_CCP, RESET_REQUEST), 1);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_CCP, 1), 1); /* the automaton's own timer does not stir */
  node_inject_text(&pair->a, "80fd 10 01 0004");
  assert_int_equal(pair->a.ncps[0].downs, 1);
  pair_run(pair, 10000);
  assert_string_equal(pair->a.ncps[0].why, "the key is of no use");
  pair_free(pair);
  assert_int_equal(wiped, 2);
}

static void the_automaton_still_retransmits(void **state) {
  Pair *pair = crypt_pair();
  pair->cut = TRUE;
  pair_run(pair, 9500);
  assert_true(node_count(&pair->a, ADIT_PPP_CCP, 1) >= 3);
  pair_free(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_ends_agree_and_values_are_read_by_type),
      cmocka_unit_test(a_peer_that_does_not_know_them_rejects_them),
      cmocka_unit_test(another_value_is_suggested_and_taken),
      cmocka_unit_test(an_option_of_another_length_is_rejected),
      cmocka_unit_test(a_renegotiation_starts_afresh),
      cmocka_unit_test(links_are_saved_with_their_options),
      cmocka_unit_test(types_have_one_owner),
      cmocka_unit_test(codes_timers_and_keys_of_an_ncp),
      cmocka_unit_test(the_automaton_still_retransmits),
  };
  return cmocka_run_group_tests_name("ppp-extras", tests, NULL, NULL);
}
