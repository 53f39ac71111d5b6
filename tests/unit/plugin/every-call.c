/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A plugin of each kind, against the installed headers alone: each function logs its name, so that the test can see who holds the loop. */
#include <adit/adit.h>

#define LOG_CALL(name) adit_info(NULL, "in %s", name)

static const AditLoopService *loop;

/* ---- an NCP with one option ---- */

typedef struct {
  const AditEngineEnv *env;
  gboolean refused;
} Ncp;

static void option_request(gpointer self, AditBuilder *out) {
  LOG_CALL("request");
  if (!((Ncp *)self)->refused)
    adit_put_bytes(out, "\x09\x03x", 3);
}
static void option_peer_begin(gpointer self) {
  LOG_CALL("peer_begin");
}
static AditOptionVerdict option_peer(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  LOG_CALL("peer_option");
  return ADIT_OPTION_ACK;
}
static void option_peer_end(gpointer self, AditBuilder *nak) {
  LOG_CALL("peer_end");
}
static void option_acked(gpointer self) {
  LOG_CALL("acked");
}
static void option_naked(gpointer self, const AditPppOption *option) {
  LOG_CALL("naked");
}
static gboolean option_rejected(gpointer self, const AditPppOption *option) {
  LOG_CALL("rejected");
  ((Ncp *)self)->refused = TRUE;
  return TRUE;
}

static void ncp_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  LOG_CALL("ncp init");
  ((Ncp *)self)->env = env;
  env->ops->wake(env->host, 0, 1000);
}
static gboolean ncp_result(gpointer self, AditNcpResult *out, const char **why) {
  LOG_CALL("ncp result");
  return TRUE;
}
static void ncp_reset(gpointer self) {
  LOG_CALL("ncp reset");
}
static gboolean ncp_code(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length) {
  LOG_CALL("ncp code");
  return TRUE;
}
static void ncp_save(gconstpointer self, AditBuilder *out) {
  LOG_CALL("ncp save");
}
static gboolean ncp_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  LOG_CALL("ncp restore");
  return TRUE;
}
static void stage_note(gpointer user, guint32 what, gconstpointer data, gsize length) {
  LOG_CALL("stage note");
}
static AditValue *stage_describe(gpointer user) {
  LOG_CALL("stage describe");
  return NULL;
}
static const char *stage_encoding(gpointer user) {
  LOG_CALL("stage encoding");
  return "none";
}
static void ncp_attach(gpointer self, const AditNcpHost *host) {
  const AditStageSpec spec = {.size = sizeof spec, .note = stage_note, .describe = stage_describe, .encoding = stage_encoding};
  const char *why;

  LOG_CALL("ncp attach");
  host->stage_add(host, &spec, &why);
}
static void ncp_timeout(gpointer self, guint slot) {
  LOG_CALL("ncp timeout");
}
static void ncp_wipe(gpointer self) {
  LOG_CALL("ncp wipe");
}
static AditValue *ncp_describe(gconstpointer self) {
  LOG_CALL("ncp describe");
  return NULL;
}
static void ncp_rekey(gpointer self, const AditMppeKeys *keys) {
  LOG_CALL("ncp rekey");
}

static const AditPppOptionOps option_ops = {.size = sizeof option_ops,
                                            .request = option_request,
                                            .peer_begin = option_peer_begin,
                                            .peer_option = option_peer,
                                            .peer_end = option_peer_end,
                                            .acked = option_acked,
                                            .naked = option_naked,
                                            .rejected = option_rejected};
static const AditNcpDesc ncp = {.size = sizeof ncp,
                                .name = "everycall",
                                .protocol = 0x8fff,
                                .data_protocol = 0x0fff,
                                .kind = ADIT_NCP_NETWORK,
                                .state_size = sizeof(Ncp),
                                .options = &option_ops,
                                .init = ncp_init,
                                .result = ncp_result,
                                .reset = ncp_reset,
                                .code = ncp_code,
                                .save = ncp_save,
                                .restore = ncp_restore,
                                .attach = ncp_attach,
                                .n_slots = 1,
                                .timeout = ncp_timeout,
                                .wipe = ncp_wipe,
                                .describe = ncp_describe,
                                .rekey = ncp_rekey};

/* ---- an authentication method ---- */

static void method_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
  LOG_CALL("method start");
}
static void method_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  LOG_CALL("method input");
  env->up->done(env->engine.host, TRUE, NULL);
}
static void method_timeout(gpointer state, const AditAuthEnv *env, guint slot) {
  LOG_CALL("method timeout");
}
static void method_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  LOG_CALL("method verdict");
}
static void method_verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  LOG_CALL("method verify");
  out->outcome = ADIT_AUTH_REJECT;
}
static void method_save(gconstpointer state, AditBuilder *out) {
  LOG_CALL("method save");
}
static gboolean method_restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in) {
  LOG_CALL("method restore");
  return TRUE;
}
static gboolean method_keys(gconstpointer state, guint8 send[16], guint8 receive[16]) {
  LOG_CALL("method keys");
  return TRUE;
}
static AditMppeShort method_short_key(gconstpointer state, guint8 key[8]) {
  LOG_CALL("method short_key");
  return ADIT_MPPE_SHORT_SAME;
}

static const AditAuthMethod method = {.size = sizeof method,
                                      .name = "everycall",
                                      .kind = ADIT_AUTH_CHAP_MD5,
                                      .protocol = 0xc223,
                                      .option = {5},
                                      .option_length = 1,
                                      .strength = 1,
                                      .state_size = 8,
                                      .n_slots = 1,
                                      .start = method_start,
                                      .input = method_input,
                                      .timeout = method_timeout,
                                      .verdict = method_verdict,
                                      .verify = method_verify,
                                      .save = method_save,
                                      .restore = method_restore,
                                      .keys = method_keys,
                                      .short_key = method_short_key};

/* ---- a transport, a data path and a bundler ---- */

static AditDial *transport_dial(gpointer state, const AditValue *client, gpointer token, GError **error) {
  LOG_CALL("dial");
  return (AditDial *)state;
}
static void transport_dial_cancel(AditDial *dial) {
  LOG_CALL("dial_cancel");
}
static const AditTransportOps transport = {sizeof transport, "everycall", transport_dial, transport_dial_cancel};

static AditDpSession *dp_open(gpointer dp, AditSessionId id, AditPort *port, GError **error) {
  LOG_CALL("session_open");
  return (AditDpSession *)&loop;
}
static gboolean dp_join(AditDpSession *session, AditDpLink *link, guint *index, GError **error) {
  LOG_CALL("session_join");
  return TRUE;
}
static void dp_leave(AditDpSession *session, AditDpLink *link) {
  LOG_CALL("session_leave");
}
static void dp_set(AditDpSession *session, const AditDpSessionParams *params) {
  LOG_CALL("session_set");
}
static void dp_stats(AditDpSession *session, AditDpStats *out) {
  LOG_CALL("session_stats");
}
static void dp_close(AditDpSession *session, AditDpStats *final) {
  LOG_CALL("session_close");
}
static gboolean dp_stage_add(AditDpSession *session, const AditStageSpec *spec, GError **error) {
  LOG_CALL("stage_add");
  return FALSE;
}
static gboolean dp_stage_set(AditDpSession *session, AditStageKind kind, gconstpointer params, gsize length) {
  LOG_CALL("stage_set");
  return TRUE;
}
static void dp_stage_remove(AditDpSession *session, AditStageKind kind) {
  LOG_CALL("stage_remove");
}
static const AditDatapathOps datapath = {.size = sizeof datapath,
                                         .name = "everycall",
                                         .session_open = dp_open,
                                         .session_join = dp_join,
                                         .session_leave = dp_leave,
                                         .session_set = dp_set,
                                         .session_stats = dp_stats,
                                         .session_close = dp_close,
                                         .stage_add = dp_stage_add,
                                         .stage_set = dp_stage_set,
                                         .stage_remove = dp_stage_remove};

static AditBundleVerdict bundler_decide(gpointer state, const AditLinkInfo *link, AditBundleDecision *out) {
  return ADIT_BUNDLE_NONE;
}
static gboolean bundler_opened(gpointer state, AditSessionId session, GError **error) {
  LOG_CALL("opened");
  return TRUE;
}
static void bundler_joined(gpointer state, AditSessionId session, AditLinkId link) {
  LOG_CALL("joined");
}
static void bundler_left(gpointer state, AditSessionId session, AditLinkId link, guint left) {
  LOG_CALL("left");
}
static void bundler_attached(gpointer state, AditSessionId session, AditLinkId link, guint index) {
  LOG_CALL("attached");
}
static void bundler_changed(gpointer state, AditSessionId session, AditLinkId link, gboolean up) {
  LOG_CALL("changed");
}
static const AditBundlerOps bundler = {.size = sizeof bundler,
                                       .name = "everycall",
                                       .decide = bundler_decide,
                                       .opened = bundler_opened,
                                       .joined = bundler_joined,
                                       .left = bundler_left,
                                       .attached = bundler_attached,
                                       .changed = bundler_changed};

/* ---- a provider of protection ---- */

static gboolean protection_ensure(gpointer state, guint32 association, const AditPath *path, const AditProtectionPolicy *policy,
                                  GError **error) {
  LOG_CALL("ensure");
  return TRUE;
}
static void protection_release(gpointer state, guint32 association) {
  LOG_CALL("release");
}
static void protection_lookup(gpointer state, guint32 association, AditAssociationFacts *facts) {
  LOG_CALL("lookup");
}
static const AditProtectionOps protection = {.size = sizeof protection,
                                             .name = "everycall",
                                             .ensure = protection_ensure,
                                             .release = protection_release,
                                             .lookup = protection_lookup};

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditAaaService *aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  const AditPppService *ppp = host->service(plugin, ADIT_PPP_SERVICE, 1);
  const AditPathService *path = host->service(plugin, ADIT_PATH_SERVICE, 1);
  const AditSessionService *session = host->service(plugin, ADIT_SESSION_SERVICE, 1);

  loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  *state = &loop;
  return ppp->ncp_add(plugin, &ncp, error) && aaa->method_add(plugin, &method, error) &&
         path->transport_add(plugin, &transport, &loop, error) && path->datapath_add(plugin, &datapath, NULL, error) &&
         path->protection_add(plugin, &protection, NULL, error) && session->bundler_add(plugin, &bundler, NULL, error);
}

static void fini(gpointer state) {}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:everycall"},
                                       {ADIT_PROVIDES, "auth-method:everycall"},
                                       {ADIT_PROVIDES, "transport:everycall"},
                                       {ADIT_PROVIDES, "datapath:everycall"},
                                       {ADIT_PROVIDES, "ipsec:everycall"}};

ADIT_PLUGIN_DEFINE(every_call, .name = "everycall", .version = "1", .summary = "logs each call", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = init, .fini = fini);
