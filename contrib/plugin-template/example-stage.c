/* SPDX-License-Identifier: MIT */
/*
 * A stage of the data path: each octet of a session's packets is combined with a mask, which both ends are configured with. It is no
 * encryption; it shows where one goes: the functions that a worker calls, and the main loop that puts them into a session and counts what
 * they report. C++20 compiles it, too: hence the casts.
 */
#include <adit/adit.h>

enum { NOTE_NOT_OURS = 1 };

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "example-stage.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "example-stage.def"
#undef ADIT_OPTION_ROW

/* ---- the stage: called on the session's home worker. It takes no lock and allocates nothing. ---- */

typedef struct {
  guint8 mask;
} Params;

static void mask_octets(AditStageFrame *frame, guint8 mask) {
  for (guint i = 0; i < frame->n; i++)
    for (guint32 k = 0; k < frame->slice[i].length; k++)
      frame->slice[i].data[k] ^= mask;
}

/* Encodes a packet on its way to the peer: prepends its protocol and masks the whole. */
static void encode_packet(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  guint8 *head = io->room(io, 2);

  if (!head || !adit_stage_prepend(frame, head, 2)) /* lost */
    return;
  adit_stage_put16(head, frame->protocol);
  mask_octets(frame, ((const Params *)params)->mask);
  frame->protocol = ADIT_PPP_COMPRESSED;
  io->emit(io, frame);
}

static void decode_frame(gpointer state, gconstpointer params, AditStageIo *io, AditStageFrame *frame) {
  guint8 protocol[2];

  mask_octets(frame, ((const Params *)params)->mask);
  if (adit_stage_copy(frame, 0, protocol, 2) != 2 || protocol[0] || !(protocol[1] & 1) || !adit_stage_skip(frame, 2)) {
    io->note(io, NOTE_NOT_OURS, NULL, 0); /* another mask, or another stage */
    return;
  }
  frame->protocol = protocol[1];
  io->emit(io, frame);
}

static const AditStageOps stage = {.size = sizeof stage,
                                   .name = "example-stage",
                                   .kind = ADIT_STAGE_COMPRESSION,
                                   .protocol = ADIT_PPP_COMPRESSED,
                                   .headroom = 2,
                                   .encode = encode_packet,
                                   .decode = decode_frame};

/* ---- the main loop ---- */

typedef struct {
  const AditSessionService *sessions;
  const AditControlService *control;
  Params params;
  guint64 placed, not_ours;
} Stage;

static void on_note(gpointer user, guint32 what, gconstpointer data, gsize length) {
  ((Stage *)user)->not_ours += what == NOTE_NOT_OURS;
}

static void on_session_up(const AditEvent *about, gpointer data) {
  const AditSessionEvent *event = (const AditSessionEvent *)about;
  Stage *self = (Stage *)data;
  AditStageSpec spec;
  g_autoptr(GError) error = NULL;

  memset(&spec, 0, sizeof spec);
  spec.size = sizeof spec;
  spec.ops = &stage;
  spec.params = &self->params; /* copied */
  spec.params_length = sizeof self->params;
  spec.note = on_note;
  spec.user = self;
  if (self->sessions->stage_add(event->session, &spec, &error))
    self->placed++;
  else /* this data path runs no stages: packets go as they are */
    adit_notice(NULL, "session %" G_GINT64_MODIFIER "x user %s: its packets are not masked: %s", event->session,
                event->user ? event->user : "-", error ? error->message : "?");
}

static void call_get(gpointer state, AditCall *call, const AditValue *parameters) {
  const Stage *self = (const Stage *)state;
  AditValue *result = adit_value_map();

  adit_value_set(result, "placed", adit_value_int((gint64)self->placed));
  adit_value_set(result, "not_ours", adit_value_int((gint64)self->not_ours));
  self->control->reply(call, result, FALSE);
}

static const char description[] = "# Sessions whose packets are masked.\n"
                                  "interface io.adit.example.stage\n"
                                  "method Get() -> (placed: int, not_ours: int)\n";
static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "Get", .call = call_get}};
static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show example-stage",
     .method = "io.adit.example.stage.Get",
     .summary = "sessions whose packets are masked",
     .help = "How many had the stage, and how many frames were not masked as here.\nExample: aditctl show example-stage"}};

/* ---- life ---- */

static gboolean prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done, GError **error) {
  const AditValue *map = example_stage_option(config);

  *staged = GINT_TO_POINTER(map ? (int)example_stage_option_mask(map) : 90);
  return TRUE;
}

/* For sessions that come; those that are there keep the mask that they began with, as their peers do. */
static void commit(gpointer state, gpointer staged) {
  ((Stage *)state)->params.mask = (guint8)GPOINTER_TO_INT(staged);
}

static gboolean init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditBusService *bus = (const AditBusService *)host->service(plugin, ADIT_BUS_SERVICE, 1);
  Stage *self = g_new0(Stage, 1);

  self->sessions = (const AditSessionService *)host->service(plugin, ADIT_SESSION_SERVICE, 1);
  self->control = (const AditControlService *)host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  *state = self;
  if (bus && self->control && self->sessions && ADIT_HAS(self->sessions, stage_add) &&
      bus->subscribe(plugin, ADIT_EVENT_SESSION_UP, on_session_up, self) &&
      self->control->interface_add(plugin, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), self, error))
    return TRUE;
  g_free(self);
  return FALSE;
}

ADIT_PLUGIN_DEFINE(stage, .name = "example-stage", .version = "1.0", .summary = "masks the packets of sessions", .options = options,
                   .n_options = G_N_ELEMENTS(options), .init = init, .prepare = prepare, .commit = commit, .fini = g_free);
