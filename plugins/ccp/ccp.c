/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ccp.h"

#include "mppe.h"
#include "policy.h"
#include <adit/session-options.h>

enum { OPTION_MPPE = 18, SLOT_FLUSH = 0, SLOT_RESTART, SLOTS };

typedef struct {
  const AditEngineEnv *env;
  const AditNcpHost *host;
  const AditNcpParams *params;
  AditMppeKeys keys; /* size 0 = none */
  guint32 allowed;   /* strengths */
  guint8 mode;       /* CcpMode */
  guint32 ask;       /* our option, which says what we receive */
  guint32 agreed;    /* the same, acknowledged; 0 = not yet */
  guint32 peer;      /* the peer's, which we acknowledge: what we send */
  gboolean in_place; /* the stage */
  gboolean told;     /* the log knows that the keys differ */
  gboolean required; /* nothing may pass in clear */
  MppeParams stage;
  char encoding[64];
  guint8 recoveries; /* negotiations because of lost keys since a frame made sense */
  guint32 resets_sent, resets_received, dropped, renegotiations;
  guint64 flushed_ms, reset_ms; /* 0 = never */
  guint64 deadline[SLOTS];
} Ccp;

/* ---- the option ---- */

static guint32 read_option(const AditPppOption *option) {
  return (guint32)option->data[0] << 24 | (guint32)option->data[1] << 16 | (guint32)option->data[2] << 8 | option->data[3];
}

static void put_option(AditBuilder *out, guint32 value) {
  const guint8 data[4] = {(guint8)(value >> 24), (guint8)(value >> 16), (guint8)(value >> 8), (guint8)value};
  adit_ppp_put_option(out, OPTION_MPPE, data, sizeof data);
}

static gboolean is_mppe(const AditPppOption *option) {
  return option->type == OPTION_MPPE && option->length == 4;
}

/* One strength, the strongest that both allow (Linux Naks with two, and acknowledges only one); 0 = there is none. */
static guint32 choose_value(const Ccp *c, guint32 offered) {
  guint32 strength = mppe_strongest(offered & c->allowed), stateless = offered & MPPE_STATELESS;

  switch ((CcpMode)c->mode) {
  case CCP_MODE_ANY:
    break;
  case CCP_MODE_STATELESS:
    stateless = MPPE_STATELESS;
    break;
  case CCP_MODE_STATEFUL:
    stateless = 0;
    break;
  }
  return strength ? strength | stateless : 0;
}

static guint32 preferred_value(const Ccp *c) {
  return choose_value(c, MPPE_STRENGTHS | MPPE_STATELESS);
}

/* RFC 3078 2.1: the first request names all that is allowed, and the peer Naks it with one strength. Linux ends the link over a single
 * strength that it does not allow. */
static guint32 first_value(const Ccp *c) {
  return c->allowed | (preferred_value(c) & MPPE_STATELESS);
}

static void write_ccp_request(gpointer self, AditBuilder *out) {
  const Ccp *c = self;
  if (c->ask)
    put_option(out, c->ask);
}

static void begin_peer_request(gpointer self) {
  ((Ccp *)self)->peer = 0;
}

static AditOptionVerdict judge_peer_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  Ccp *c = self;
  if (!is_mppe(option) || !c->allowed)
    return ADIT_OPTION_REJECT;
  guint32 value = read_option(option), chosen = choose_value(c, value);
  if (chosen && value == chosen) {
    c->peer = value;
    return ADIT_OPTION_ACK;
  }
  /* Where nothing is common the peer may choose among all of ours. */
  put_option(nak, chosen ? chosen : first_value(c));
  return ADIT_OPTION_NAK;
}

/* Both directions are encrypted, or none is. */
static void end_peer_request(gpointer self, AditBuilder *nak) {
  const Ccp *c = self;
  if (!c->peer && !adit_built(nak) && c->allowed)
    put_option(nak, preferred_value(c));
}

static void take_ccp_ack(gpointer self) {
  Ccp *c = self;
  c->agreed = choose_value(c, c->ask); /* a peer that acknowledges several uses the strongest */
}

static void take_ccp_nak(gpointer self, const AditPppOption *option) {
  Ccp *c = self;
  if (!is_mppe(option))
    return;
  c->ask = choose_value(c, read_option(option));
  if (!c->ask)
    c->host->close(c->host, "the peer allows no key length of MPPE that is allowed here");
}

static gboolean take_ccp_reject(gpointer self, const AditPppOption *option) {
  Ccp *c = self;
  c->host->close(c->host, "the peer rejects MPPE");
  return TRUE;
}

/* ---- the stage ---- */

/* In its place, which is locked memory. */
static void set_direction(const Ccp *c, MppeDirection *direction, guint32 value, const guint8 key[16]) {
  direction->strength = mppe_strongest(value);
  direction->stateless = (value & MPPE_STATELESS) != 0;
  gboolean own = direction->strength != MPPE_128 && c->keys.shorter == ADIT_MPPE_SHORT_OWN;

  memset(direction->start, 0, sizeof direction->start);
  memcpy(direction->start, own ? c->keys.short_key : key, own ? sizeof c->keys.short_key : MPPE_KEY);
}

static void publish_flush(Ccp *c) {
  adit_env_disarm(c->env, &c->deadline[SLOT_FLUSH], SLOT_FLUSH);
  c->flushed_ms = adit_env_now(c->env);
  c->stage.flush++;
  c->host->stage_set(c->host, ADIT_STAGE_COMPRESSION, &c->stage, sizeof c->stage);
}

/* A peer that asks without end gets a flush now and then. */
static void flush_soon(Ccp *c) {
  if (!c->in_place || c->stage.send.stateless || c->deadline[SLOT_FLUSH])
    return;
  guint64 next = c->flushed_ms + CCP_FLUSH_MS, now = adit_env_now(c->env);
  if (!c->flushed_ms || now >= next)
    publish_flush(c);
  else
    adit_env_arm(c->env, &c->deadline[SLOT_FLUSH], SLOT_FLUSH, next - now);
}

static void request_reset(Ccp *c) {
  guint64 now = adit_env_now(c->env);
  if (c->reset_ms && now - c->reset_ms < CCP_RESET_MS)
    return;
  if (c->host->send(c->host, CCP_RESET_REQUEST, c->host->next_id(c->host), NULL, 0)) {
    c->reset_ms = now;
    c->resets_sent++;
  }
}

/* Neither resets nor flag packets have brought the key stream back. A timer acts on it: the stage that noted this may be running. */
static void recover_soon(Ccp *c, gboolean proven) {
  if (!c->in_place || c->deadline[SLOT_RESTART])
    return;
  c->recoveries = proven ? 1 : c->recoveries + 1;
  adit_env_arm(c->env, &c->deadline[SLOT_RESTART], SLOT_RESTART, 1);
}

static void renegotiate_or_close(Ccp *c) {
  if (c->recoveries > CCP_RECOVERIES_MAX) {
    c->host->close(c->host, "frames from the peer can't be decrypted, and new negotiations do not help");
    return;
  }
  if (c->recoveries) {
    c->renegotiations++;
    c->host->warn(c->host, "no frame from the peer can be decrypted any more: negotiates again");
  }
  c->host->renegotiate(c->host);
}

static void on_stage_note(gpointer user, guint32 what, gconstpointer data, gsize length) {
  Ccp *c = user;
  MppeNoise noise;

  if (length != sizeof noise)
    return;
  memcpy(&noise, data, sizeof noise);
  if (what == MPPE_NOTE_RESET)
    request_reset(c);
  if (noise.run >= (what == MPPE_NOTE_RESET ? CCP_LOST_RESETS : CCP_LOST_NOISES))
    recover_soon(c, noise.proven);
  if (what != MPPE_NOTE_NOISE)
    return;
  c->dropped = noise.dropped;
  if (noise.proven || c->told)
    return;
  c->told = TRUE;
  c->host->warn(c->host, "frames from the peer make no sense when they are decrypted, and are dropped: the keys of both ends differ");
}

/* `MPPE128 stateless`; both directions may differ. */
static const char *name_encoding(gpointer user) {
  Ccp *c = user;
  guint in = mppe_strength_bits(mppe_strongest(c->agreed)), out = mppe_strength_bits(mppe_strongest(c->peer));
  const char *in_mode = c->agreed & MPPE_STATELESS ? "stateless" : "stateful",
             *out_mode = c->peer & MPPE_STATELESS ? "stateless" : "stateful";

  if (c->agreed == c->peer)
    g_snprintf(c->encoding, sizeof c->encoding, "MPPE%u %s", in, in_mode);
  else
    g_snprintf(c->encoding, sizeof c->encoding, "MPPE%u %s in, MPPE%u %s out", in, in_mode, out, out_mode);
  return c->encoding;
}

static AditValue *describe_ccp(gpointer user) {
  const Ccp *c = user;
  AditValue *map = adit_value_map();
  adit_value_set(map, "resets-sent", adit_value_int(c->resets_sent));
  adit_value_set(map, "resets-received", adit_value_int(c->resets_received));
  adit_value_set(map, "dropped", adit_value_int(c->dropped));
  adit_value_set(map, "renegotiations", adit_value_int(c->renegotiations));
  return map;
}

static gboolean put_stage(Ccp *c, const char **why) {
  const AditStageSpec spec = {.size = sizeof spec,
                              .ops = &mppe_stage,
                              .params = &c->stage,
                              .params_length = sizeof c->stage,
                              .exclusive = TRUE,
                              .note = on_stage_note,
                              .user = c,
                              .describe = describe_ccp,
                              .encoding = name_encoding,
                              .first = c->required ? 0 : MPPE_FIRST,
                              .last = c->required ? 0 : MPPE_LAST};
  c->stage.strict = c->required;
  c->stage.epoch++;
  c->stage.flush = 0;
  set_direction(c, &c->stage.send, c->peer, c->keys.send);
  set_direction(c, &c->stage.receive, c->agreed, c->keys.receive);
  c->told = FALSE;
  c->in_place = c->host->stage_add(c->host, &spec, why);
  return c->in_place;
}

static void remove_stage(Ccp *c) {
  if (c->in_place)
    c->host->stage_remove(c->host, ADIT_STAGE_COMPRESSION);
  c->in_place = FALSE;
  adit_wipe(&c->stage.send, sizeof c->stage.send);
  adit_wipe(&c->stage.receive, sizeof c->stage.receive);
}

static gboolean get_ccp_result(gpointer self, AditNcpResult *out, const char **why) {
  Ccp *c = self;

  if (!c->agreed || !c->peer) {
    *why = "the peer does not encrypt in both directions";
    return FALSE;
  }
  if (!c->in_place && !put_stage(c, why))
    return FALSE;
  return TRUE;
}

/* ---- codes and timers ---- */

/* Linux decrypts nothing until it has its Reset-Ack, so that comes before the flushed packet. */
static gboolean take_ccp_code(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length) {
  Ccp *c = self;

  switch (code) {
  case CCP_RESET_REQUEST:
    c->resets_received++;
    if (c->host->send(c->host, CCP_RESET_ACK, id, NULL, 0))
      flush_soon(c);
    return TRUE;
  case CCP_RESET_ACK: /* a flushed packet says more */
    return TRUE;
  }
  return FALSE;
}

static void on_ccp_timeout(gpointer self, guint slot) {
  Ccp *c = self;

  if (!adit_env_due(c->env, &c->deadline[slot], slot))
    return;
  if (slot == SLOT_FLUSH && c->in_place)
    publish_flush(c);
  else if (slot == SLOT_RESTART)
    renegotiate_or_close(c);
}

/* ---- life ---- */

static void reset_ccp(gpointer self) {
  Ccp *c = self;

  remove_stage(c);
  for (guint i = 0; i < SLOTS; i++)
    adit_env_disarm(c->env, &c->deadline[i], i);
  c->agreed = c->peer = 0;
  c->ask = first_value(c);
  c->flushed_ms = c->reset_ms = 0;
}

static void take_keys(Ccp *c, const AditMppeKeys *keys) {
  adit_wipe(&c->keys, sizeof c->keys);
  if (keys)
    adit_copy_sized(&c->keys, sizeof c->keys, keys);
  c->allowed = ccp_allowed_strengths(c->params->attributes, keys);
}

static void init_ccp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Ccp *c = self;
  c->env = env;
  c->params = params;
  c->mode = (guint8)ccp_mode(params->attributes);
  c->required = ccp_is_required(params->attributes);
  take_keys(c, params->mppe);
  c->ask = first_value(c);
}

static void attach_ccp(gpointer self, const AditNcpHost *host) {
  ((Ccp *)self)->host = host;
}

static void rekey_ccp(gpointer self, const AditMppeKeys *keys) {
  Ccp *c = self;
  take_keys(c, keys);
  if (!c->allowed)
    c->host->close(c->host, "authentication made no keys this time");
}

static void wipe_ccp(gpointer self) {
  Ccp *c = self;
  adit_wipe(&c->keys, sizeof c->keys);
  adit_wipe(&c->stage, sizeof c->stage);
}

static void save_ccp(gconstpointer self, AditBuilder *out) {
  const Ccp *c = self;
  adit_put_u8(out, c->keys.size != 0);
  adit_put_bytes(out, c->keys.send, sizeof c->keys.send);
  adit_put_bytes(out, c->keys.receive, sizeof c->keys.receive);
  adit_put_u8(out, (guint8)c->keys.shorter);
  adit_put_bytes(out, c->keys.short_key, sizeof c->keys.short_key);
  adit_put_u32(out, c->ask);
  adit_put_u32(out, c->agreed);
  adit_put_u32(out, c->peer);
  adit_put_u32(out, c->stage.epoch);
  adit_put_u8(out, c->in_place ? 1 : 0);
}

/* The place in the key stream is lost: both ends negotiate again. */
static gboolean restore_ccp(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  Ccp *c = self;
  AditMppeKeys keys = {.size = sizeof keys};

  init_ccp(self, env, params);
  gboolean known = adit_get_u8(in) != 0;
  adit_get_copy(in, keys.send, sizeof keys.send);
  adit_get_copy(in, keys.receive, sizeof keys.receive);
  keys.shorter = (AditMppeShort)adit_get_u8(in);
  adit_get_copy(in, keys.short_key, sizeof keys.short_key);
  take_keys(c, known ? &keys : NULL);
  adit_wipe(&keys, sizeof keys);
  c->ask = adit_get_u32(in);
  c->agreed = adit_get_u32(in);
  c->peer = adit_get_u32(in);
  c->stage.epoch = adit_get_u32(in);
  if (adit_get_u8(in))
    adit_env_arm(env, &c->deadline[SLOT_RESTART], SLOT_RESTART, 1);
  return !in->bad;
}

static const AditPppOptionOps option_ops = {.size = sizeof option_ops,
                                            .request = write_ccp_request,
                                            .peer_begin = begin_peer_request,
                                            .peer_option = judge_peer_option,
                                            .peer_end = end_peer_request,
                                            .acked = take_ccp_ack,
                                            .naked = take_ccp_nak,
                                            .rejected = take_ccp_reject};

const AditNcpDesc ccp_desc = {.size = sizeof ccp_desc,
                              .name = "ccp",
                              .protocol = ADIT_PPP_CCP,
                              .data_protocol = ADIT_PPP_COMPRESSED,
                              .kind = ADIT_NCP_COMPRESSION,
                              .enable = adit_option_use_encryption_key,
                              .state_size = sizeof(Ccp),
                              .options = &option_ops,
                              .init = init_ccp,
                              .result = get_ccp_result,
                              .reset = reset_ccp,
                              .code = take_ccp_code,
                              .save = save_ccp,
                              .restore = restore_ccp,
                              .attach = attach_ccp,
                              .n_slots = SLOTS,
                              .timeout = on_ccp_timeout,
                              .wipe = wipe_ccp,
                              .rekey = rekey_ccp,
                              .need = ccp_need};
