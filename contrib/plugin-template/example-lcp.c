/* SPDX-License-Identifier: MIT */
/*
 * An option of LCP: each end tells the other its name, and `aditctl show example-lcp` lists what the peers said. It shows the ops of an
 * option, which are an engine, and how what LCP agreed on is read by type. C++20 compiles it, too: hence the casts.
 */
#include <adit/adit.h>

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "example-lcp.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "example-lcp.def"
#undef ADIT_OPTION_ROW

enum { NAME_TYPE = 200, NAME_LENGTH = 32 };

/* ---- the option: plain state for each link, no I/O ---- */

typedef struct {
  char name[NAME_LENGTH]; /* ours */
  guint8 length;          /* 0 = none is told */
  guint8 given_up;        /* the peer does not know the option */
} LinkName;

static void name_init(gpointer state, const AditEngineEnv *env, const AditLcpFacts *facts) {
  LinkName *self = (LinkName *)state;
  const char *name = facts->config ? example_lcp_option_name(facts->config) : NULL;

  self->length = (guint8)MIN(name ? strlen(name) : 0, (gsize)NAME_LENGTH);
  if (self->length)
    memcpy(self->name, name, self->length);
}

static void name_reset(gpointer state) {
  ((LinkName *)state)->given_up = FALSE;
}

static void name_request(gpointer state, AditBuilder *out) {
  const LinkName *self = (const LinkName *)state;
  if (self->length && !self->given_up)
    adit_ppp_put_option(out, NAME_TYPE, self->name, self->length);
}

static void name_peer_begin(gpointer state) {}

/* Its length is right already, as in `types`. A name that is not plain text is not wanted. */
static AditOptionVerdict name_peer_option(gpointer state, const AditPppOption *option, AditBuilder *nak) {
  for (guint i = 0; i < option->length; i++)
    if (!g_ascii_isgraph((char)option->data[i]))
      return ADIT_OPTION_REJECT;
  return ADIT_OPTION_ACK;
}

static void name_peer_end(gpointer state, AditBuilder *nak) {}

static void name_acked(gpointer state) {}

/* There is nothing to haggle about. */
static void name_naked(gpointer state, const AditPppOption *option) {
  ((LinkName *)state)->given_up = TRUE;
}

static gboolean name_rejected(gpointer state, const AditPppOption *option) {
  ((LinkName *)state)->given_up = TRUE;
  return TRUE;
}

static void name_save(gconstpointer state, AditBuilder *out) {
  adit_put_u8(out, ((const LinkName *)state)->given_up);
}

static gboolean name_restore(gpointer state, AditCursor *in) {
  ((LinkName *)state)->given_up = adit_get_u8(in);
  return !in->bad;
}

static const AditLcpType types[] = {{NAME_TYPE, 1, NAME_LENGTH}};
static const AditPppOptionOps name_ops = {.size = sizeof name_ops,
                                          .request = name_request,
                                          .peer_begin = name_peer_begin,
                                          .peer_option = name_peer_option,
                                          .peer_end = name_peer_end,
                                          .acked = name_acked,
                                          .naked = name_naked,
                                          .rejected = name_rejected};
static const AditLcpDesc desc = {.size = sizeof desc,
                                 .name = "example-lcp",
                                 .types = types,
                                 .n_types = G_N_ELEMENTS(types),
                                 .state_size = sizeof(LinkName),
                                 .options = &name_ops,
                                 .init = name_init,
                                 .reset = name_reset,
                                 .save = name_save,
                                 .restore = name_restore};

/* ---- what was agreed on ---- */

typedef struct {
  const AditControlService *control;
  const AditSessionService *sessions;
  GHashTable *peers; /* session id -> Peer */
} Lcp;

typedef struct {
  guint64 session; /* head: the key */
  char user[64], name[NAME_LENGTH + 1];
} Peer;

static void on_session_up(const AditEvent *about, gpointer data) {
  const AditSessionEvent *event = (const AditSessionEvent *)about;
  Lcp *self = (Lcp *)data;
  AditPppOption option;

  if (!self->sessions->link_option(event->link, NAME_TYPE, TRUE, &option)) /* the peer told none */
    return;
  Peer *peer = g_new0(Peer, 1);
  peer->session = event->session;
  g_strlcpy(peer->user, event->user ? event->user : "", sizeof peer->user);
  memcpy(peer->name, option.data, option.length); /* borrowed: it is copied here */
  g_hash_table_replace(self->peers, &peer->session, peer);
}

static void on_session_down(const AditEvent *about, gpointer data) {
  guint64 session = ((const AditSessionEvent *)about)->session;
  g_hash_table_remove(((Lcp *)data)->peers, &session);
}

static AditValue *row_of_peer(gpointer state, guint64 id) {
  const Peer *peer = (const Peer *)g_hash_table_lookup(((Lcp *)state)->peers, &id);
  if (!peer)
    return NULL;
  AditValue *row = adit_value_map();
  adit_value_set(row, "user", adit_value_string(peer->user));
  adit_value_set(row, "name", adit_value_string(peer->name));
  return row;
}

static void call_list(gpointer state, AditCall *call, const AditValue *parameters) {
  Lcp *self = (Lcp *)state;
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init(&iter, self->peers);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    g_array_append_vals(ids, key, 1);
  adit_control_reply_ids(self->control, call, "peers", ids, row_of_peer, self);
}

static const char description[] = "# Names that peers told in LCP.\n"
                                  "interface io.adit.example.lcp\n"
                                  "method List() -> (peers: []object)\n";
static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "List", .call = call_list}};
static const AditCommand commands[] = {{.size = sizeof(AditCommand),
                                        .verb = "show example-lcp",
                                        .method = "io.adit.example.lcp.List",
                                        .rows = "peers",
                                        .columns = "USER=user NAME=name",
                                        .summary = "names that peers told in LCP",
                                        .help = "One line a session whose peer told its name.\nExample: aditctl show example-lcp"}};

/* ---- life ---- */

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditPppService *ppp = (const AditPppService *)host->service(plugin, ADIT_PPP_SERVICE, 1);
  const AditBusService *bus = (const AditBusService *)host->service(plugin, ADIT_BUS_SERVICE, 1);
  Lcp *self = g_new0(Lcp, 1);

  self->control = (const AditControlService *)host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  self->sessions = (const AditSessionService *)host->service(plugin, ADIT_SESSION_SERVICE, 1);
  self->peers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
  *state = self;
  if (ppp && bus && self->control && self->sessions && ADIT_HAS(ppp, lcp_add) && ppp->lcp_add(plugin, &desc, error) &&
      bus->subscribe(plugin, ADIT_EVENT_SESSION_UP, on_session_up, self) &&
      bus->subscribe(plugin, ADIT_EVENT_SESSION_DOWN, on_session_down, self) &&
      self->control->interface_add(plugin, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), self, error))
    return TRUE;
  g_hash_table_unref(self->peers);
  g_free(self);
  return FALSE;
}

static void fini(gpointer state) {
  Lcp *self = (Lcp *)state;
  g_hash_table_unref(self->peers);
  g_free(self);
}

ADIT_PLUGIN_DEFINE(lcp, .name = "example-lcp", .version = "1.0", .summary = "names of systems in LCP", .options = options,
                   .n_options = G_N_ELEMENTS(options), .init = init, .fini = fini);
