/* SPDX-License-Identifier: MIT */
/*
 * A network control protocol: both ends say a number, and agree on the two combined, which `aditctl show example-ncp` lists. A real one
 * agrees on what its packets need (addresses, a compression) in the same way. C++20 compiles it, too: hence the casts.
 */
#include <adit/adit.h>

enum { PROTOCOL = 0x80ab, DATA_PROTOCOL = 0x00ab, NUMBER = 1 /* option: 4 octets */ };

/* The one instance: what the engine has agreed on goes there. */
static struct {
  const AditControlService *control;
  GHashTable *agreed; /* session id -> Agreed */
} plugin_state;

typedef struct {
  guint64 session; /* head: the key */
  guint32 number;
} Agreed;

/* ---- the protocol: plain state for each session, no I/O ---- */

typedef struct {
  guint64 session;
  guint32 own, peers;
  gboolean peer_said;
} Ncp;

static void ncp_init(gpointer state, const AditEngineEnv *env, const AditNcpParams *params) {
  Ncp *self = (Ncp *)state;

  self->session = ADIT_HAS(params, session) ? params->session : 0;
  self->own = adit_env_random_u32(env);
}

static void ncp_reset(gpointer state) {
  ((Ncp *)state)->peer_said = FALSE;
}

static void put_number(AditBuilder *out, guint32 number) {
  guint32 wire = GUINT32_TO_BE(number);
  adit_ppp_put_option(out, NUMBER, &wire, sizeof wire);
}

static void ncp_request(gpointer state, AditBuilder *out) {
  put_number(out, ((const Ncp *)state)->own);
}

static void ncp_peer_begin(gpointer state) {
  ((Ncp *)state)->peer_said = FALSE;
}

static AditOptionVerdict ncp_peer_option(gpointer state, const AditPppOption *option, AditBuilder *nak) {
  Ncp *self = (Ncp *)state;
  AditCursor in = adit_cursor(option->data, option->length);

  if (option->type != NUMBER || option->length != 4)
    return ADIT_OPTION_REJECT;
  self->peers = adit_get_u32(&in);
  self->peer_said = TRUE;
  return ADIT_OPTION_ACK;
}

/* A peer that says none is asked for it. */
static void ncp_peer_end(gpointer state, AditBuilder *nak) {
  if (!((const Ncp *)state)->peer_said)
    put_number(nak, 0);
}

static void ncp_acked(gpointer state) {}
static void ncp_naked(gpointer state, const AditPppOption *option) {}

static gboolean ncp_rejected(gpointer state, const AditPppOption *option) {
  return FALSE; /* without the number there is nothing to agree on */
}

static gboolean ncp_result(gpointer state, AditNcpResult *out, const char **why) {
  const Ncp *self = (const Ncp *)state;

  if (!self->peer_said) {
    *why = "the peer has said no number";
    return FALSE;
  }
  Agreed *agreed = g_new0(Agreed, 1);
  agreed->session = self->session;
  agreed->number = self->own ^ self->peers;
  g_hash_table_replace(plugin_state.agreed, &agreed->session, agreed);
  return TRUE;
}

static void ncp_save(gconstpointer state, AditBuilder *out) {
  const Ncp *self = (const Ncp *)state;
  adit_put_u32(out, self->own);
  adit_put_u32(out, self->peers);
  adit_put_u8(out, self->peer_said != FALSE);
}

static gboolean ncp_restore(gpointer state, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  Ncp *self = (Ncp *)state;
  ncp_init(state, env, params);
  self->own = adit_get_u32(in);
  self->peers = adit_get_u32(in);
  self->peer_said = adit_get_u8(in);
  return !in->bad;
}

static const AditPppOptionOps ncp_ops = {.size = sizeof ncp_ops,
                                         .request = ncp_request,
                                         .peer_begin = ncp_peer_begin,
                                         .peer_option = ncp_peer_option,
                                         .peer_end = ncp_peer_end,
                                         .acked = ncp_acked,
                                         .naked = ncp_naked,
                                         .rejected = ncp_rejected};
/* The kind that carries nothing of its own: sessions do not wait for it. */
static const AditNcpDesc desc = {.size = sizeof desc,
                                 .name = "example-ncp",
                                 .protocol = PROTOCOL,
                                 .data_protocol = DATA_PROTOCOL,
                                 .kind = ADIT_NCP_COMPRESSION,
                                 .state_size = sizeof(Ncp),
                                 .options = &ncp_ops,
                                 .init = ncp_init,
                                 .result = ncp_result,
                                 .reset = ncp_reset,
                                 .save = ncp_save,
                                 .restore = ncp_restore};

/* ---- the command ---- */

static AditValue *row_of_session(gpointer state, guint64 id) {
  const Agreed *agreed = (const Agreed *)g_hash_table_lookup(plugin_state.agreed, &id);
  if (!agreed)
    return NULL;
  AditValue *row = adit_value_map();
  g_autofree char *session = g_strdup_printf("%" G_GINT64_MODIFIER "x", agreed->session);
  adit_value_set(row, "session", adit_value_string(session));
  adit_value_set(row, "number", adit_value_int(agreed->number));
  return row;
}

static void call_list(gpointer state, AditCall *call, const AditValue *parameters) {
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init(&iter, plugin_state.agreed);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    g_array_append_vals(ids, key, 1);
  adit_control_reply_ids(plugin_state.control, call, "sessions", ids, row_of_session, NULL);
}

static const char description[] = "# Numbers that both ends of a session have agreed on.\n"
                                  "interface io.adit.example.ncp\n"
                                  "method List() -> (sessions: []object)\n";
static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "List", .call = call_list}};
static const AditCommand commands[] = {{.size = sizeof(AditCommand),
                                        .verb = "show example-ncp",
                                        .method = "io.adit.example.ncp.List",
                                        .rows = "sessions",
                                        .columns = "SESSION=session NUMBER=number:hex",
                                        .summary = "numbers that both ends have agreed on",
                                        .help = "One line a session.\nExample: aditctl show example-ncp"}};

/* ---- life ---- */

static void on_session_down(const AditEvent *about, gpointer data) {
  guint64 session = ((const AditSessionEvent *)about)->session;
  g_hash_table_remove(plugin_state.agreed, &session);
}

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = (const AditPppService *)host->service(plugin, ADIT_PPP_SERVICE, 1);
  const AditBusService *bus = (const AditBusService *)host->service(plugin, ADIT_BUS_SERVICE, 1);

  plugin_state.control = (const AditControlService *)host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  plugin_state.agreed = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
  if (ppp && bus && plugin_state.control && ppp->ncp_add(plugin, &desc, error) &&
      bus->subscribe(plugin, ADIT_EVENT_SESSION_DOWN, on_session_down, NULL) &&
      plugin_state.control->interface_add(plugin, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), NULL,
                                          error))
    return TRUE;
  g_clear_pointer(&plugin_state.agreed, g_hash_table_unref);
  return FALSE;
}

static void fini(gpointer state) {
  g_clear_pointer(&plugin_state.agreed, g_hash_table_unref);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "ncp:example-ncp"}};

ADIT_PLUGIN_DEFINE(ncp, .name = "example-ncp", .version = "1.0", .summary = "a number that both ends agree on", .features = features,
                   .n_features = G_N_ELEMENTS(features), .init = init, .fini = fini);
